"""Arrays and strict JSON in one file: hashed, written whole or not at all, never a pickle.

The file is a valid safetensors file with one metadata key, `likely`, whose value is JSON text:

    {"checksum": 64 hexadecimal digits, "document": {...}, "format": 1}

The checksum is the SHA-256 of the whole file with those 64 digits taken as zeros. It detects damage, not tampering:
anyone who changes a file on purpose can compute it again. The same arrays and document give the same bytes.
Reference: https://huggingface.co/docs/safetensors (the layout of the file).
"""

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy

from likely.atomic import StrPath, kind_of, write_bytes
from likely.errors import ModelFileError
from likely.model.expected_arrays import FIT_AGAIN, KINDS, some

FORMAT = 1
"""The version of the file's layout. Readers refuse a newer one; the place of the checksum never changes."""

_FRONT = b'{"__metadata__":{"likely":"{\\"checksum\\":\\"'  # follows the 8 bytes that give the header's length
_SUM_AT = 8 + len(_FRONT)
_SUM_LENGTH = 64
_MAX_DEPTH = 64  # nesting of a document; Python's JSON parser recurses


def write(path: StrPath, arrays: Mapping[str, np.ndarray], document: Mapping[str, object]) -> None:
    """Write arrays and a JSON document to one file, whole or not at all.

    Args:
        path: the file; an older one is replaced in one step.
        arrays: floats, integers or booleans by name, of any shape; floats must be finite.
        document: JSON values only: None, bool, int, finite float, str, list, tuple (read back as a list), dict.
    Raises:
        ModelFileError: if an array or a value of the document cannot be stored; nothing is written then.
        OutputError: if the file cannot be written; an older file is then untouched.
    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write(f"{folder}/model.likely", {"theta": np.ones((2, 2))}, {"labels": ["heads", "tails"]})
        ...     arrays, document = read(f"{folder}/model.likely")
        >>> arrays["theta"].shape, document["labels"]
        ((2, 2), ['heads', 'tails'])
    """
    write_bytes(path, as_bytes(arrays, document, path))


def as_bytes(arrays: Mapping[str, np.ndarray], document: Mapping[str, object], path: StrPath = "the file") -> bytes:
    """What `write` writes to `path`, which messages name."""
    _check_json(path, document, "document", 0)
    ready = {name: _storable(path, name, array) for name, array in sorted(arrays.items())}
    envelope = {"checksum": "0" * _SUM_LENGTH, "document": document, "format": FORMAT}
    text = json.dumps(envelope, allow_nan=False, sort_keys=True, separators=(",", ":"))
    content = safetensors.numpy.save(ready, metadata={"likely": text})
    checksum = hashlib.sha256(content).hexdigest().encode()
    return content[:_SUM_AT] + checksum + content[_SUM_AT + _SUM_LENGTH :]


def read(path: StrPath) -> tuple[dict[str, np.ndarray], dict[str, object]]:
    """The arrays and the document of a file that `write` made.

    Raises:
        ModelFileError: if there is no such file, or it is damaged, foreign, from a newer version, or holds NaN or
            infinity. No code in a file is ever run.
    """
    content = _content(path)
    document = _document(path, content)
    try:
        loaded = safetensors.numpy.load(content)
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise ModelFileError(
            f"{path} must hold arrays that fit its header; got {type(error).__name__}: {error}. {FIT_AGAIN}"
        ) from error
    arrays = {name: loaded[name] for name in sorted(loaded)}
    for name, array in arrays.items():
        _check_numbers(path, name, array)
    return arrays, document


def read_document(path: StrPath) -> dict[str, object]:
    """The document alone. The whole file is still checked against its checksum, but no array is made.

    Raises:
        ModelFileError: as `read`, save for what only the arrays' values can show.
    """
    return _document(path, _content(path))


def read_shapes(path: StrPath) -> dict[str, tuple[int, ...]]:
    """The shape of each array by its name, without loading any, of a file that `read_document` accepts."""
    with safetensors.safe_open(path, "numpy") as file:
        return {name: tuple(file.get_slice(name).get_shape()) for name in sorted(file.keys())}


def _content(path: StrPath) -> bytes:
    """All bytes of a file that begins like one of likely's."""
    try:
        # Asked before opening: opening a pipe would wait for its writer.
        found = Path(path)
        if not found.is_file():
            what = kind_of(found) if found.exists() else "nothing there"
            raise ModelFileError(f"{path} must be a model file; got {what}. Try the path of a model.likely.")
        with found.open("rb") as file:
            front = file.read(_SUM_AT + _SUM_LENGTH)
            body = front[8:_SUM_AT]
            if not body or body != _FRONT[: len(body)]:
                raise ModelFileError(
                    f"{path} must be a model file that likely wrote; got {_guess(front)}. Files of other kinds are "
                    "never opened, since some can run code. Try the path of a model.likely."
                )
            return front + file.read()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ModelFileError(f"{path} must be a readable model file; got: {reason}. Try another path.") from error


def _guess(front: bytes) -> str:
    if not front:
        return "an empty file"
    if front.startswith(b"PK\x03\x04"):
        return "a zip archive (such as a .pt file)"
    if front[8:9] == b"{":
        return "a safetensors file without likely's metadata, or a damaged one"
    if front[0] == 0x80 and front[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "a pickle"
    return "a file of another kind"


def _damaged(path: StrPath, what: str) -> ModelFileError:
    return ModelFileError(
        f"{path} must be a whole model file; got {what}. It was truncated or changed after it was written. {FIT_AGAIN}"
    )


def _document(path: StrPath, content: bytes) -> dict[str, object]:
    """The document of a file, after its checksum."""
    start = 8 + int.from_bytes(content[:8], "little")
    if start > len(content) or len(content) < _SUM_AT + _SUM_LENGTH:
        raise _damaged(path, f"{len(content)} bytes, fewer than its header claims")
    digest = hashlib.sha256(content[:_SUM_AT] + b"0" * _SUM_LENGTH)
    digest.update(memoryview(content)[_SUM_AT + _SUM_LENGTH :])
    if digest.hexdigest().encode() != content[_SUM_AT : _SUM_AT + _SUM_LENGTH]:
        raise _damaged(path, "one whose checksum does not fit")
    # From here on the bytes are what somebody wrote, but that somebody need not have been likely.
    header = _parse(path, content[8:start])
    metadata = header["__metadata__"]
    if set(metadata) != {"likely"}:
        raise ModelFileError(f"{path} must have one metadata key; got {some(sorted(metadata))}. {FIT_AGAIN}")
    envelope = _parse(path, metadata["likely"])
    version = envelope.get("format")
    if type(version) is not int or version < 1:
        raise ModelFileError(f"{path} must state its format as a number from 1; got {version!r:.40}. {FIT_AGAIN}")
    if version > FORMAT:
        raise ModelFileError(
            f"{path} must have format {FORMAT} or older; got {version}. A newer version of likely wrote it. Try "
            "updating likely: pip install --upgrade likely."
        )
    document = envelope.get("document")
    if not isinstance(document, dict) or set(envelope) != {"checksum", "document", "format"}:
        raise ModelFileError(f"{path} must hold one document; got keys {some(sorted(envelope))}. {FIT_AGAIN}")
    _check_json(path, document, "document", 0)
    return document


def _parse(path: StrPath, text: str | bytes) -> dict[str, Any]:
    """A JSON object without repeated keys, NaN or infinity."""

    def number(digits: str) -> float:
        if not math.isfinite(value := float(digits)):
            raise ValueError(f"the number {digits:.20} is not finite")
        return value

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError("a key is repeated")
        return found

    try:
        text = text.decode() if isinstance(text, bytes) else text
        # The bytes that every model file starts with make both texts objects.
        return json.loads(text, parse_float=number, parse_constant=number, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise ModelFileError(
            f"{path} must hold strict JSON; got text that cannot be read: {reason}. {FIT_AGAIN}"
        ) from error


def _check_json(path: StrPath, value: object, where: str, depth: int) -> None:
    """Refuse what JSON would drop or change silently, or what could not be read back."""
    if depth > _MAX_DEPTH:
        raise _unstorable(path, where[:80], f"be nested at most {_MAX_DEPTH} deep", "more")
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise _unstorable(path, f"A key of {where}", "be text", f"{key!r:.40}")
            _check_json(path, inner, f"{where}.{key}", depth + 1)
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            _check_json(path, inner, f"{where}[{i}]", depth + 1)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise _unstorable(path, where, "be a finite number (or None)", f"{value}")
    elif value is not None and not isinstance(value, bool | int | str):
        raise _unstorable(path, where, "be a JSON value", type(value).__name__)


def _storable(path: StrPath, name: object, array: object) -> np.ndarray:
    """The same values, contiguous and little-endian, as the file holds them."""
    if not isinstance(name, str) or name == "__metadata__" or not name.isprintable():
        raise _unstorable(path, f"The array name {name!r:.40}", "be printable text other than '__metadata__'", "that")
    if not isinstance(array, np.ndarray):
        raise _unstorable(path, f"Array {name!r}", "be a NumPy array", type(array).__name__)
    _check_numbers(path, name, array)
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def _check_numbers(path: StrPath, name: str, array: np.ndarray) -> None:
    if array.dtype.kind not in KINDS or array.dtype.itemsize > 8:
        rule = "hold floats, integers or booleans of up to 64 bits"
        raise _unstorable(path, f"Array {name!r}", rule, str(array.dtype))
    if array.dtype.kind == "f" and not (finite := np.isfinite(array)).all():
        where = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise _unstorable(path, f"Array {name!r}", "hold finite numbers", f"{array[where]} at index {where}")


def _unstorable(path: StrPath, what: str, rule: str, got: str) -> ModelFileError:
    return ModelFileError(
        f"{what} must {rule}; got {got}. A model file ({path}) holds finite numbers and JSON only, so that it can be "
        f"trusted when it is read."
    )
