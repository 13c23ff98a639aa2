"""Parameters to begin with, from a file: what a network has learned from other data.

    names are compared, after a prefix that all of the file's share (`model.`, `module.`) is taken off
    the last layer begins anew where there are labels that the file does not know
    everything else must match, name by name and shape by shape

Beside its parameters a model brings its standardization and its labels: rows of the same kind that come later, perhaps
without some of the labels, are understood as it understood the first ones. And it brings what is known of the rows that
it was trained on: no temperature and no guarantee can rest on rows that the parameters have seen.

Nothing is downloaded, and no code in a file is run.
"""

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import safetensors

from likely.data.dataset import Dataset
from likely.data.hashes import SKETCH_SIZE, known_again
from likely.errors import ModelFileError
from likely.model import file as model_file
from likely.model.card import SKETCH, THETA, Card
from likely.model.run_folder import MODEL, read_row_hashes
from likely.preprocessing.columns import input_width
from likely.preprocessing.preprocessor import Preprocessor, preprocessor_from_json
from likely.preprocessing.stored_rows import RowArray

_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}
_COUNTER = "num_batches_tracked"  # PyTorch's files from before version 0.4.1 have none, and nothing rests on it


@dataclass(frozen=True)
class Start:
    """Parameters to begin with.

    Args:
        path: where they were read.
        arrays: by name.
        labels: what the last layer was trained to tell apart; None where the file does not say.
        network: the name of the network, where the file says.
        settings: its settings, where the file says.
        trained_on: hashes of the rows that they were trained on, where they are known: all of them, or a sketch.
        sketched: whether `trained_on` is a sketch, which tells of some rows only whether they are among them.
        data: the SHA-256 of the data that they were trained on, where the file says.
        n_held_out: how many rows of these data were held out from them.
        card: of the model whose standardization is kept; None where there is none, or the new data's was asked for.
        new_head: whether the last layer begins anew even where it has the right shape.
        reads: the rows that the model reads, where the file says.
    """

    path: str
    arrays: Mapping[str, np.ndarray]
    labels: tuple[str, ...] | None = None
    network: str = ""
    settings: Mapping[str, Any] | None = None
    trained_on: np.ndarray | None = None
    sketched: bool = False
    data: str = ""
    n_held_out: int = 0
    card: Card | None = None
    new_head: bool = False
    reads: Preprocessor | None = None

    def seen(
        self, X: RowArray, data: str, chance: float = 0.0
    ) -> tuple[np.ndarray, Literal["known", "sketched", "unknown"]]:
        """Which rows the parameters were trained on, booleans (n,), and how well that is known.

        Where a sketch finds one row again, or the data are the very same and nothing else is known, all rows count as
        seen.

        Args:
            X: stored rows.
            data: the SHA-256 of their data set.
            chance: how likely a row equals another one though it is no copy of it: as many say nothing.
        """
        nothing = np.zeros(len(X), np.bool_)
        if self.trained_on is None:
            return nothing | (bool(data) and data == self.data), "unknown"
        found = known_again(X, self.trained_on)
        if chance and found.sum() <= len(X) * chance + 3 * math.sqrt(len(X) * chance * (1 - chance)):
            return nothing | (bool(data) and data == self.data), "unknown"
        if self.sketched:
            return nothing | found.any(), "sketched"
        return found, "known"

    def preprocessor(self, new: Preprocessor) -> Preprocessor:
        """The one that the parameters were trained with, where it takes the rows that the new one takes; or that."""
        if self.card is None:
            return new
        old = preprocessor_from_json(self.card.normalization | {"dtype": new.dtype})
        return old if old.reads_like(new) else new


def read_start(path: str | Path, keep: Literal["all", "parameters"] = "all") -> Start:
    """The parameters in a `model.likely` (or the run folder that holds one), or in any safetensors file.

    Args:
        path: the file, or the run folder.
        keep: "all" also keeps the standardization of a model, "parameters" nothing else.
    Raises:
        ModelFileError: if the file is none of these, damaged, or holds numbers that are not finite.
    """
    path = Path(path)
    path = path / MODEL if path.is_dir() else path
    content = _content(path)
    if _written_by_likely(content):
        arrays, document = model_file.read(path)
        card = Card.from_json(document, path)
        theta = {name.removeprefix(THETA): a for name, a in arrays.items() if name.startswith(THETA)}
        hashes, sketch = read_row_hashes(path.parent), arrays.get(SKETCH)
        if hashes is not None and sketch is not None and not np.isin(sketch, hashes).all():
            hashes = None  # those of another model, in whose folder this one lies
        return Start(
            str(path),
            theta,
            card.labels,
            card.network.name,
            card.network.settings,
            sketch if hashes is None else hashes,
            sketched=hashes is None and sketch is not None and len(sketch) >= SKETCH_SIZE,
            data=card.data.sha256,
            n_held_out=card.splits.calibration + card.splits.thresholds + card.splits.stopping
            if card.splits.method == "held-out"
            else 0,
            card=card if keep == "all" else None,
            reads=preprocessor_from_json(card.normalization),
        )
    try:
        found = {name: _array(entry) for name, entry in safetensors.deserialize(content)}
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise ModelFileError(
            f"{path} must be a whole safetensors file of real numbers; got {type(error).__name__}: {error}. "
            "Try another copy of the file."
        ) from error
    for name, array in found.items():
        if not np.isfinite(array).all():
            raise ModelFileError(
                f"{path} must hold finite numbers; got NaN or infinity in {name!r}. No training could begin there. "
                "Try another copy of the file."
            )
    return Start(str(path), found)


def check_columns(start: Start, dataset: Dataset) -> None:
    """Refuse rows of another kind than those that the model reads: nothing could be taken over.

    Raises:
        ModelFileError: if images meet numbers, or rows have another number of columns or of inputs for them.
    """
    old, shape = start.reads, tuple(int(size) for size in dataset.train.X.shape[1:])
    images = dataset.train.X.ndim > 2
    if old is None or (images and old.image_shape is not None):
        return
    width = 0 if images else shape[0] if dataset.columns is None else input_width(dataset.columns)
    if not images and old.image_shape is None and (old.shape, old.output_shape) == (shape, (width,)):
        return
    theirs = "images" if old.image_shape is not None else _columns(old.shape[0], old.output_shape[0])
    raise ModelFileError(
        f"Training from {start.path} must be on rows like those that it reads, {theirs}; got "
        f"{'images' if images else _columns(shape[0], width)}. Its parameters are about other inputs. Try the same "
        "columns, or train without init_from."
    )


def _columns(n: int, inputs: int) -> str:
    return f"{n} columns" + ("" if n == inputs else f" ({inputs} inputs, with categories and missing values)")


def in_old_labels(dataset: Dataset, targets: np.ndarray | None, start: Start) -> tuple[Dataset, np.ndarray | None]:
    """The data set with the labels of the model that training begins with, in its order, if it knows all of them.

    Args:
        dataset: its labels may lack some of those that the model knows; other labels leave it as it is.
        targets: label distributions of the training rows, shape (n, k), or None.
        start: what was read.
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
    """The first values of a network, taken over from `start` where it has them.

    Args:
        state: the values that the network begins with otherwise.
        start: what was read.
        last_layer: names in the state that begin anew if the labels are others, or the shapes differ.
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
            f"{start.path} must hold the parameters of the network that is trained; got {differs}. They can only be "
            "taken over where names and shapes are the same. Try the network that the file was made with."
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


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f"init_from must be a readable file of parameters; got {path}: {error.strerror}. Try another path."
        ) from None
    if content[8:9] != b"{":
        raise ModelFileError(
            f"{path} must be a safetensors file or a model.likely; got a file of another kind. Files such as .pt and "
            ".pth can run code and are never opened. Try safetensors.torch.save_file(module.state_dict(), ...), once, "
            "where you trust the file."
        )
    return content


def _written_by_likely(content: bytes) -> bool:
    try:
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        return set(header.get("__metadata__", {})) == {"likely"}
    except (ValueError, AttributeError, TypeError, RecursionError):
        return False


def _array(entry: Mapping[str, Any]) -> np.ndarray:
    shape, data = tuple(entry["shape"]), entry["data"]
    if entry["dtype"] == "BF16":
        # The upper half of a float32.
        return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4").reshape(shape)
    return np.frombuffer(data, _DTYPES[entry["dtype"]]).reshape(shape)


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
