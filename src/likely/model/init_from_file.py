"""Parameters to begin with, from a file: what a network has learned from other data.

Beside its parameters a model brings its standardization and its labels: rows of the same kind that come later, perhaps
without some of the labels, are understood as it understood the first ones. And it brings what is known of the rows that
it was trained on: no temperature and no guarantee can rest on rows that the parameters have seen.

Nothing is downloaded, and no code in a file is run.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import safetensors

from likely.config.pipes import refuse_pipes
from likely.data.hashes import SKETCH_SIZE, known_again
from likely.errors import ModelFileError
from likely.model import file as model_file
from likely.model.card import MIXTURE, SKETCH, THETA, Card
from likely.model.expected_arrays import starting_with
from likely.model.held_out_arrays import check_sketch
from likely.model.read_preprocessor import read_preprocessor
from likely.model.run_folder import MODEL, read_row_hashes
from likely.preprocessing.backbone import Backbone
from likely.preprocessing.backbone_preprocessor import BackbonePreprocessor
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


@dataclass(frozen=True)
class Start:
    """Parameters to begin with.

    Args:
        path, arrays: where they were read, and they by name.
        labels: what the last layer was trained to tell apart; None where the file does not say.
        network, settings: the name of the network and its settings, where the file says.
        trained_on: hashes of the rows that they were trained on, where they are known: all of them, or a sketch.
        sketched: whether `trained_on` is a sketch, which tells of some rows only whether they are among them.
        data: the SHA-256 of the data that they were trained on, where the file says.
        n_held_out: how many rows of these data were held out from them.
        card: of the model whose standardization is kept; None where there is none, or the new data's was asked for.
        new_head: whether the last layer is reinitialized even where it has the right shape.
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

    @property
    def backbone(self) -> Backbone | None:
        """The frozen network before the parameters, where there is one."""
        return self.reads.backbone if isinstance(self.reads, BackbonePreprocessor) else None

    def seen(
        self, X: RowArray, data: str, chance: float = 0.0
    ) -> tuple[np.ndarray, Literal["known", "sketched", "unknown"]]:
        """Which stored rows the parameters were trained on, booleans (n,), and how well that is known.

        Where a sketch finds one row again, or the data are the very same (by their SHA-256) and nothing else is known,
        all rows count as seen. `chance` is how likely a row equals another one by chance: as many say nothing.
        """
        nothing = np.zeros(len(X), np.bool_)
        found = nothing if self.trained_on is None else known_again(X, self.trained_on, chance)
        if self.trained_on is None or (chance and not found.any()):
            return nothing | (bool(data) and data == self.data), "unknown"
        return (nothing | found.any(), "sketched") if self.sketched else (found, "known")

    def preprocessor(self, new: Preprocessor) -> Preprocessor:
        """The one that the parameters were trained with, where it takes the rows that the new one takes; or that."""
        if self.card is None:
            return new
        # Behind a frozen backbone the parameters met its features.
        inner = self.reads.features if isinstance(self.reads, BackbonePreprocessor) else None
        values = self.card.normalization if inner is None else inner.to_json()
        old = preprocessor_from_json(values | {"dtype": new.dtype})
        return old if old.reads_like(new) else new


def read_start(path: str | Path, keep: Literal["all", "parameters"] = "all") -> Start:
    """The parameters in a `model.likely` (or the run folder that holds one), or in any safetensors file.

    With keep="all" the standardization of a model is kept, too.

    Raises:
        ModelFileError: if the file is none of these, damaged, or holds numbers that are not finite.
    """
    path = Path(path)
    path = path / MODEL if path.is_dir() else path
    content = _content(path)
    if _written_by_likely(content):
        arrays, document = model_file.read(path)
        card = Card.from_json(document, path)
        if card.network.name in (MIXTURE, "trees"):
            raise ModelFileError(
                f"init_from must be the model of one network; got {path}, the {card.network.name} of a table. Nothing "
                "is descended on there, so that no training can go on from it. Try network='mlp' for both."
            )
        check_sketch(str(path), arrays)
        hashes, sketch = read_row_hashes(path.parent), arrays.get(SKETCH)
        if hashes is not None and sketch is not None and not np.isin(sketch, hashes).all():
            hashes = None  # those of another model, in whose folder this one lies
        return Start(
            str(path),
            starting_with(THETA, arrays),
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
            reads=read_preprocessor(str(path), card, arrays),
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
                f"{path} must hold finite numbers; got NaN or infinity in {name!r}. Try another copy of the file."
            )
    return Start(str(path), found)


def _content(path: Path) -> bytes:
    refuse_pipes(path, ModelFileError)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f"init_from must be a readable file of parameters; got {path}: {error.strerror}. Try another path."
        ) from None
    if content[8:9] != b"{":
        raise ModelFileError(
            f"{path} must be a safetensors file or a model.likely; got a file of another kind. Files such as .pt and "
            ".pth can run code and are never opened. If you trust the file, convert it once with "
            "safetensors.torch.save_file(module.state_dict(), ...)."
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
