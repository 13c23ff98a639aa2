"""The arrays of several trees as those of one forest, as `likely.networks.trees` names them."""

import numpy as np

_EMPTY = {
    "roots": np.empty(0, np.int32),
    "sets": np.empty((0, 8), np.uint32),
    **{name: np.empty(0, np.int32) for name in ("left", "column", "bits")},
    **{name: np.empty(0, np.float32) for name in ("threshold", "value")},
    "missing_right": np.empty(0, np.uint8),
}


def joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The trees of all parts, one after the other."""
    moved, nodes, sets = [_EMPTY], 0, 0
    for part in parts:
        bits = np.where(part["bits"] < 0, part["bits"], part["bits"] + np.int32(sets))
        moved.append(
            {**part, "roots": part["roots"] + np.int32(nodes), "left": part["left"] + np.int32(nodes), "bits": bits}
        )
        nodes, sets = nodes + len(part["left"]), sets + len(part["sets"])
    return {name: np.concatenate([part[name] for part in moved]) for name in _EMPTY}


def side_by_side(found: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The trees of several models, in turn for each."""
    of_all = joined(found)
    return {**of_all, "roots": of_all["roots"].reshape(max(1, len(found)), -1).T.reshape(-1)} if found else of_all
