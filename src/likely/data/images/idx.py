"""IDX files, the format of MNIST and its relatives: a header with the shape, then the values, often in gzip.

The header is 0, 0, a byte for the type, a byte for the number of axes, then each axis as 4 bytes, big-endian.
Reference: https://yann.lecun.com/exdb/mnist/.
"""

import gzip
import math
import re
import zlib
from pathlib import Path
from typing import IO, cast

import numpy as np

from likely.config.pipes import refuse_pipes
from likely.data.dataset import Dataset, Part
from likely.errors import DataError

TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
PAIRS = {"train": ("train",), "test": ("t10k", "test")}
NAME = re.compile(r"(train|t10k|test)-(images|labels)[-.]idx[13]-ubyte(\.gz)?")
DIGITS = tuple("0123456789")

MAX_BYTES = 4 * 1024**3
CHUNK = 1024 * 1024
# The most that deflate can compress: what a header promises beyond it can't be in the file.
MAX_RATIO = 1032


def read_idx(path: Path) -> np.ndarray:
    """The array in an IDX file, plain or in gzip; errors as of `read_raw` and `parse_idx`."""
    return parse_idx(read_raw(path), path)


def read_raw(path: Path, size: int | None = None) -> bytes:
    """The bytes of an IDX file, plain or in gzip by its content, decompressed; at most one more than there should be.

    `size` says how many there should be, else the header does.

    Raises:
        DataError: naming the file, if it can't be read or decompressed, or its header can't be true.
    """
    refuse_pipes(path)
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            # GzipFile reads like any binary file; its stub only does not say so.
            stream = cast(IO[bytes], gzip.GzipFile(fileobj=file)) if zipped else cast(IO[bytes], file)
            stored = path.stat().st_size
            if size is not None:
                return _read_at_most(stream, size + 1)
            header = _read_at_most(stream, 4)
            axes = header[3] if len(header) == 4 else 0
            header += _read_at_most(stream, 4 * axes)
            promised = _header(header, path)[1] - len(header)
            if promised > min(MAX_BYTES, stored * (MAX_RATIO if zipped else 1)):
                raise DataError(
                    f"{path} must have the size that its header states; the header states {promised:,} bytes, the file "
                    f"has {stored:,}. It is truncated or its header is damaged. Try downloading it again."
                )
            return header + _read_at_most(stream, promised + 1)
    except FileNotFoundError:
        raise DataError(f"{path} must be an IDX file; no such file exists. Check the path.") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"{path} must be an intact gzip file; got a damaged one: {error}. Try downloading it again."
        ) from error
    except OSError as error:
        raise DataError(f"{path} must be readable; got: {error.strerror or error}.") from error


def parse_idx(raw: bytes, path: Path) -> np.ndarray:
    """The array in the decompressed bytes of an IDX file; `path` names it in errors.

    Raises:
        DataError: if the bytes are not IDX, or less or more than the header says.
    Example:
        >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]), Path("labels-idx1-ubyte"))
        array([7, 8, 9], dtype=uint8)
    """
    shape, promised = _header(raw, path)
    if len(raw) != promised:
        what = "is truncated" if len(raw) < promised else "has extra bytes at the end"
        raise DataError(
            f"{path} must hold {promised:,} bytes as its header says; got "
            f"{'more' if len(raw) > promised else format(len(raw), ',')}. The file {what}. Try downloading it again."
        )
    values = np.frombuffer(raw, dtype=TYPES[raw[2]], offset=4 + 4 * len(shape))
    try:
        values = values.reshape(shape)
    except ValueError:  # one axis of length 0 beside others too long for NumPy
        raise DataError(f"{path} must hold an array; got the shape {shape}. Try downloading it again.") from None
    return values.astype(values.dtype.newbyteorder("="))


def is_idx_folder(folder: Path) -> bool:
    """Whether a folder holds a file with the name of an IDX file."""
    return any(NAME.fullmatch(path.name) for path in folder.iterdir())


def find_idx(folder: Path, part: str, kind: str) -> Path | None:
    """The file with the "images" or "labels" of a "train" or "test" part, plain before compressed; None without one."""
    paths = [folder / (name + suffix) for name in names_of(part, kind) for suffix in ("", ".gz")]
    return next((path for path in paths if path.is_file()), None)


def names_of(part: str, kind: str) -> list[str]:
    """What that file may be called, the usual name first.

    Example:
        >>> names_of("test", "labels")[0]
        't10k-labels-idx1-ubyte'
    """
    axes = {"images": 3, "labels": 1}[kind]
    return [f"{prefix}-{kind}{mark}idx{axes}-ubyte" for prefix in PAIRS[part] for mark in "-."]


def open_idx_folder(folder: Path) -> Dataset:
    """The images of a folder with train-images-idx3-ubyte, train-labels-idx1-ubyte and, if there, t10k-*.

    The classes are the digits "0" to "9", as IDX files do not name them. A DataError names the file that is missing,
    damaged, or does not fit the others.
    """
    train = _read_part(folder, "train")
    has_test = any(find_idx(folder, "test", kind) for kind in ("images", "labels"))
    test = _read_part(folder, "test") if has_test else None
    if test is not None and test.X.shape[1:] != train.X.shape[1:]:
        raise DataError(
            f"The images in {folder} must have one size; got {train.X.shape[1:]} in training and {test.X.shape[1:]} in "
            "test. Try files that belong together."
        )
    return Dataset(str(folder), "classification", train, test, labels=DIGITS, found_at=str(folder))


def _header(raw: bytes, path: Path) -> tuple[tuple[int, ...], int]:
    """The shape of the array, and the size of the whole file, decompressed, that its header promises."""
    if len(raw) < 4 or raw[:2] != b"\x00\x00" or raw[2] not in TYPES or raw[3] == 0:
        raise DataError(
            f"{path} must start like an IDX file (0, 0, a type, a number of axes); got "
            f"{raw[:4].hex(' ') or 'nothing'}. It is another kind of file or damaged. Try downloading it again."
        )
    axes = raw[3]
    if len(raw) < 4 + 4 * axes:
        raise DataError(f"{path} must have a header of {4 + 4 * axes} bytes; got {len(raw)}. Try downloading it again.")
    shape = tuple(int.from_bytes(raw[4 + 4 * i : 8 + 4 * i]) for i in range(axes))
    return shape, 4 + 4 * axes + math.prod(shape) * np.dtype(TYPES[raw[2]]).itemsize


def _read_at_most(stream: IO[bytes], limit: int) -> bytes:
    """Up to `limit` bytes, piece by piece: a header's promise must not reserve memory before the bytes are there."""
    pieces: list[bytes] = []
    while limit > 0 and (piece := stream.read(min(limit, CHUNK))):
        pieces.append(piece)
        limit -= len(piece)
    return b"".join(pieces)


def _read_part(folder: Path, part: str) -> Part:
    images, labels = find_idx(folder, part, "images"), find_idx(folder, part, "labels")
    if images is None or labels is None:
        missing = names_of(part, "images" if images is None else "labels")[0]
        raise DataError(f"{folder} must hold {missing} (or {missing}.gz); it is missing. Add the file.")
    X, y = read_idx(images), read_idx(labels)
    for path, array, axes, what in ((images, X, 3, "images (n, h, w)"), (labels, y, 1, "labels (n,)")):
        if array.ndim != axes or array.dtype != np.uint8:
            raise DataError(f"{path} must hold {what} as unsigned bytes; got {array.dtype} of shape {array.shape}.")
    if len(X) != len(y):
        raise DataError(
            f"{images} and {labels} must have the same length; got {len(X)} images and {len(y)} labels. They do not "
            "belong together or one is damaged. Try downloading both again."
        )
    wrong = np.flatnonzero(y > 9)
    if len(wrong):
        raise DataError(
            f"{labels} must hold labels from 0 to 9; got {y[wrong[0]]} at row {wrong[0]}. "
            "Try a folder of class folders for other classes."
        )
    return Part(X, y.astype(np.int64))
