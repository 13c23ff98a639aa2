"""What a network takes over from the parameters that its training begins with.

Names are compared, after a prefix that all of the file's share (`model.`, `module.`) is taken off. The last layer
is reinitialized if there are labels that the file does not know. Everything else must match, name by name and shape by
shape.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from likely.data.dataset import Dataset
from likely.errors import ModelFileError
from likely.model.init_from_file import Start
from likely.preprocessing.columns import input_width

_COUNTER = "num_batches_tracked"  # PyTorch's files from before version 0.4.1 have none, and nothing rests on it


def check_columns(start: Start, dataset: Dataset) -> None:
    """Raise a ModelFileError for other images, columns or inputs than those that the model reads."""
    old, shape = start.reads, tuple(int(size) for size in dataset.train.X.shape[1:])
    images = dataset.train.X.ndim > 2
    if old is None or (images and old.image_shape is not None):
        return
    width = 0 if images else shape[0] if dataset.columns is None else input_width(dataset.columns)
    if not images and old.image_shape is None and (old.shape, old.output_shape) == (shape, (width,)):
        return
    theirs = "images" if old.image_shape is not None else _columns(old.shape[0], old.output_shape[0])
    raise ModelFileError(
        f"Training from {start.path} must use rows like those that it reads, {theirs}; got "
        f"{'images' if images else _columns(shape[0], width)}. Try the same columns, or train without init_from."
    )


def _columns(n: int, inputs: int) -> str:
    return f"{n} columns" + ("" if n == inputs else f" ({inputs} inputs, with categories and missing values)")


def in_old_labels(dataset: Dataset, targets: np.ndarray | None, start: Start) -> tuple[Dataset, np.ndarray | None]:
    """The data set with the labels of the model that training begins with, in its order, if it knows all of them.

    Its labels may lack some of those that the model knows; others leave it as it is. `targets` are the label
    distributions of the training rows, shape (n, k), or None.
    """
    old = start.labels
    if start.card is None or not old or old == dataset.labels or not set(dataset.labels) <= set(old):
        return dataset, targets
    numbers = np.array([old.index(label) for label in dataset.labels])
    parts = {
        name: None if part is None else replace(part, y=numbers[part.y])
        for name, part in (("train", dataset.train), ("val", dataset.val), ("test", dataset.test))
    }
    if targets is not None:
        wide = np.zeros((len(targets), len(old)), targets.dtype)
        wide[:, numbers] = targets
        targets = wide
    return replace(dataset, labels=old, **parts), targets


def begun(state: Mapping[str, np.ndarray], start: Start, last_layer: Collection[str]) -> dict[str, np.ndarray]:
    """The first values of a network, of which `state` are others, taken over from `start` where it has them.

    Those of the last layer are reinitialized if the labels are others, or the shapes differ.

    Raises:
        ModelFileError: listing the names that are missing, unexpected or of another shape.
    Example:
        >>> state = {"body": np.zeros(2), "head": np.zeros(3)}
        >>> start = Start("body.safetensors", {"model.body": np.ones(2), "model.head": np.ones(5)})
        >>> begun(state, start, ["head"])
        {'body': array([1., 1.]), 'head': array([0., 0., 0.])}
    """
    found = _without_prefix(start.arrays, state)
    head = {name for name in last_layer if name in state}
    if not start.new_head and all(name in found and found[name].shape == state[name].shape for name in head):
        head = set()
    ours = {name: a.shape for name, a in state.items() if name not in head}
    theirs = {name: a.shape for name, a in found.items() if name not in head}
    counters = {name: shape for name, shape in ours.items() if name.endswith(_COUNTER) and name not in theirs}
    if differs := differences(ours, {**theirs, **counters}):
        raise ModelFileError(
            f"{start.path} must hold the parameters of the network that is trained; got {differs}. Names and shapes "
            "must match. Try the network that the file was made with."
        )
    return {name: found[name].astype(a.dtype) if name in theirs else a for name, a in state.items()}


def differences(ours: Mapping[str, tuple[int, ...]], theirs: Mapping[str, tuple[int, ...]]) -> str:
    """What is missing, unexpected or of another shape in `theirs`; empty if they agree.

    Example:
        >>> differences({"a": (2,), "b": (3,)}, {"b": (4,), "c": (1,)})
        "missing: 'a'; unexpected: 'c'; of another shape: 'b' (4,) in place of (3,)"
    """
    missing = [repr(name) for name in ours if name not in theirs]
    unexpected = [repr(name) for name in theirs if name not in ours]
    others = [
        f"{name!r} {theirs[name]} in place of {shape}"
        for name, shape in ours.items()
        if theirs.get(name, shape) != shape
    ]
    parts = (("missing", missing), ("unexpected", unexpected), ("of another shape", others))
    return "; ".join(f"{what}: {_some(names)}" for what, names in parts if names)


def _without_prefix(arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> dict[str, np.ndarray]:
    found = dict(arrays)
    while found and not set(found) & set(state):
        prefixes = {name.partition(".")[0] for name in found}
        if len(prefixes) > 1 or not all("." in name for name in found):
            break
        found = {name.partition(".")[2]: a for name, a in found.items()}
    return found if set(found) & set(state) else dict(arrays)


def _some(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
