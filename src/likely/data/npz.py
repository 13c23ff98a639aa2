"""NumPy's .npz: arrays of rows and answers, found by their names, never unpickled, measured before they are read."""

import math
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.lib import format as npy

from likely.config.pipes import refuse_pipes
from likely.data.dataset import Dataset, Part, Task
from likely.data.free_memory import free_memory
from likely.data.images.image_arrays import stack_images
from likely.data.tables.targets import Answers, class_ids, read_answers
from likely.data.unpack_budget import most_unpacked
from likely.errors import DataError, ShapeError
from likely.preprocessing.stored_rows import RowArray

ROWS = ("x", "images", "image", "data", "features", "pictures", "inputs")
ANSWERS = ("y", "labels", "label", "targets", "target")
CLASSES = ("classes", "class_names", "label_names", "target_names", "labels")
USUAL = "X and y, images and labels, or x_train, y_train, x_test and y_test"


@dataclass(frozen=True)
class Header:
    """What an array in the archive is, before a byte of it is read."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def open_npz(path: Path, *, task: Literal["auto"] | Task = "auto") -> Dataset:
    """The rows and answers in an .npz: `X` and `y`, or `x_train`, `y_train`, `x_test`, `y_test`, or names like these.
    Arrays for `val` are held out for calibration.

    Images are uint8 or floats of shape (n, h, w), (n, h, w, c) or (n, c, h, w); (n, d) is rows of numbers.
    An array of k texts called `classes` names the classes 0..k-1. The task "auto" is decided as by `read_answers`.

    Raises:
        DataError: if the file is damaged, an array that is needed is not there or not unambiguous, holds objects, does
            not fit the others, or is too large for the memory; the message names it and lists the arrays.
    """
    headers = read_headers(path)
    pairs = _pairs({name.lower(): name for name in headers})
    if not pairs:
        listed = ", ".join(f"{h.name} {h.dtype} {h.shape}" for h in headers.values()) or "none"
        raise DataError(f"{path} must hold arrays named {USUAL}; got {listed}. Save them under such names.")
    used = [name for pair in pairs.values() for name in pair]
    names = next((name for name in headers if name.lower() in CLASSES and name not in used), None)
    arrays = _read(path, headers, [*used, *([names] if names else [])])

    for rows, answers in pairs.values():
        if len(arrays[rows]) != len(arrays[answers]):
            raise DataError(
                f"{path} must hold one answer per row; got {rows} {arrays[rows].shape} and {answers} "
                f"{arrays[answers].shape}. They do not belong together."
            )
    columns = [_answers(path, name, arrays[name]) for _, name in pairs.values()]
    if len({column.dtype for column in columns}) > 1:
        raise DataError(f"The answers of {path} must be all numbers or all text; got both. Save them as one type.")
    called = " and ".join(name for _, name in pairs.values())
    everything, of_images = np.concatenate(columns), arrays[pairs["train"][0]].ndim > 2
    ids = class_ids(everything, f"{called} of {path}") if of_images and task == "auto" else None
    answers = read_answers(everything, "classification" if ids else task, f"{called} of {path}")
    answers = answers._replace(note=ids or answers.note)
    if names is not None and answers.task == "classification":
        answers = _named(answers, arrays[names], f"{names} of {path}")
    ends = np.cumsum([len(column) for column in columns])[:-1]
    parts = {
        part: Part(_rows(path, name, arrays[name]), y)
        for (part, (name, _)), y in zip(pairs.items(), np.split(answers.y, ends), strict=True)
    }
    others = ", ".join(name for name in headers if name not in arrays)
    notes = [f"Arrays used: {', '.join(arrays)}{f'; not used: {others}' if others else ''}."]
    return Dataset(
        str(path),
        answers.task,
        parts["train"],
        parts.get("test"),
        parts.get("val"),
        labels=answers.labels,
        label_type=answers.label_type,
        found_at=str(path),
        notes=(*notes, *([answers.note] if answers.note else [])),
    )


def read_headers(path: Path) -> dict[str, Header]:
    """What the arrays are, by name, from their headers alone; a DataError if the file is damaged or a header wrong."""
    refuse_pipes(path)
    found: dict[str, Header] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if not entry.filename.endswith(".npy"):
                    continue
                name = entry.filename.removesuffix(".npy")
                with archive.open(entry) as file:
                    is_first = npy.read_magic(file) == (1, 0)
                    shape, _, dtype = (npy.read_array_header_1_0 if is_first else npy.read_array_header_2_0)(file)
                    begin = file.tell()
                if not dtype.hasobject and begin + math.prod(shape) * dtype.itemsize != entry.file_size:
                    raise DataError(
                        f"{name} of {path} must be {dtype} of shape {shape}, as its header states; got "
                        f"{entry.file_size - begin:,} bytes. The file is damaged or malicious. Save it again."
                    )
                found[name] = Header(name, shape, dtype)
                if entry.file_size > (most := most_unpacked(entry.compress_size)):
                    raise DataError(
                        f"{name} of {path} must unpack to at most {most:,} bytes, for its size; got "
                        f"{entry.file_size:,}. If you trust it, save it by np.savez, which does not pack."
                    )
    except DataError:
        raise
    # Fed with damaged bytes, zipfile and NumPy raise whatever they come across: zlib.error, SyntaxError, EOFError...
    except Exception as error:
        reason = str(error).strip().rstrip(".") or type(error).__name__
        raise DataError(f"{path} must be an .npz as numpy.savez writes it; got: {reason}. Save it again.") from None
    return found


def _pairs(by_name: dict[str, str]) -> dict[str, tuple[str, str]]:
    """The names of each part's rows and answers, of a training part at least."""
    pairs = {part: pair for part in ("train", "val", "test") if (pair := _pair(by_name, part)) is not None}
    if "train" in pairs:
        return pairs
    only = _pair(by_name, "")
    return {} if only is None else {"train": only}


def _pair(by_name: dict[str, str], part: str) -> tuple[str, str] | None:
    """The names of a part's rows and answers, however it spells them; None where one is not there or not alone."""

    def spelled(kinds: tuple[str, ...]) -> list[str]:
        around = [f"{kind}{space}{part}" for kind in kinds for space in ("_", "")]
        around += [f"{part}{space}{kind}" for kind in kinds for space in ("_", "")]
        return [by_name[name] for name in dict.fromkeys(name.strip("_") for name in around) if name in by_name]

    rows, answers = spelled(ROWS), spelled(ANSWERS)
    # `labels` beside `y` names the classes.
    answers = [name for name in answers if len(answers) == 1 or not name.lower().startswith("labels")]
    return (rows[0], answers[0]) if len(rows) == len(answers) == 1 else None


def _read(path: Path, headers: dict[str, Header], names: list[str]) -> dict[str, np.ndarray]:
    for name in names:
        if headers[name].dtype.hasobject:
            raise DataError(
                f"{name} of {path} must hold numbers or text; got Python objects. They are stored as a pickle, which "
                "can run arbitrary code, so they are never read. Try X.astype(float) or y.astype(str) before saving."
            )
    # Rows of numbers become float64.
    bytes_of = {name: headers[name].dtype.itemsize + 8 * (len(headers[name].shape) == 2) for name in names}
    size = sum(math.prod(headers[name].shape) * bytes_of[name] for name in names)
    if size > free_memory():
        got = f"{size / 2**30:,.1f} GiB of {', '.join(names)}"
        raise DataError(f"The arrays of {path} must fit into memory; got {got}. Try fewer rows.")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in names}
            # NumPy keeps code points that there are not, at which Python stops later.
            if any(_code_points(array).max(initial=0) > sys.maxunicode for array in arrays.values()):
                raise ValueError("texts of code points that there are not")
            return arrays
    except Exception as error:
        raise DataError(f"{path} must be whole; got: {error}. Copy or save it again.") from None


def _code_points(array: np.ndarray) -> np.ndarray:
    """Those of an array of texts; none of another one."""
    if array.dtype.kind != "U" or not array.dtype.itemsize:
        return np.empty(0, np.uint32)
    return np.ascontiguousarray(array.reshape(-1)).view(array.dtype.byteorder.replace("|", "=") + "u4")


def _rows(path: Path, name: str, X: np.ndarray) -> RowArray:
    """Images as every door takes them, numbers as float64 (n, d)."""
    if X.ndim == 2 and X.dtype.kind in "fiub":
        return X.astype(np.float64)
    if X.ndim < 3:
        raise ShapeError(
            f"{name} of {path} must be images (n, h, w) or (n, h, w, c), or numbers (n, d); got {X.dtype} of shape "
            f"{X.shape}. Reshape it before saving."
        )
    try:
        return stack_images(X)
    except ShapeError as error:
        raise ShapeError(f"{name} of {path}: {error}") from None


def _answers(path: Path, name: str, y: np.ndarray) -> np.ndarray:
    """The answers as `read_answers` takes them."""
    column = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if column.ndim != 1 or column.dtype.kind not in "fiubUS":
        raise DataError(
            f"{name} of {path} must be numbers or text of shape (n,); got {y.dtype} of shape {y.shape}. "
            "Try y.argmax(axis=1) for one column per class."
        )
    return column.astype(np.float64) if column.dtype.kind in "fiu" else np.array(_texts(column), dtype=object)


def _texts(values: np.ndarray) -> list[str]:
    return [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in values.tolist()]


def _named(answers: Answers, names: np.ndarray, where: str) -> Answers:
    """The classes 0..k-1 under their names."""
    if names.dtype.kind not in "US" or names.ndim != 1:
        raise DataError(f"{where} must be k texts; got {names.dtype} of shape {names.shape}. Fix or omit it.")
    texts = _texts(names)
    if answers.label_type == "str":
        return answers
    numbers = [int(label) for label in answers.labels]
    if not 0 <= min(numbers) <= max(numbers) < len(texts):
        raise DataError(
            f"{where} must name every class; got {len(texts)} names for classes {min(numbers)} to {max(numbers)}. "
            "Classes are numbered from 0."
        )
    return answers._replace(labels=tuple(texts[i] for i in numbers), label_type="str")
