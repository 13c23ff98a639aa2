"""Where the bytes of a table come from: a file as it is, unpacked, in UTF-8, or what stood on the standard input."""

import bz2
import gzip
import lzma
import shutil
import sys
import tempfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from likely.config.pipes import refuse_pipes
from likely.data.tables.suffixes import PACKED, TEXT
from likely.data.unpack_budget import most_unpacked
from likely.errors import ConfigError, DataError

_OPENERS: dict[str, Any] = dict(zip(PACKED, (gzip.open, bz2.open, lzma.open), strict=True))
"""How to open packed files, by their ending."""

_BEGIN = {b"\x1f\x8b": ".gz", b"BZh": ".bz2", b"\xfd7zXZ\0": ".xz", b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstd"}
"""How packed files begin, whatever they are called."""

_PIECE = 2**22


@contextmanager
def source_file(path: str | Path, encoding: str | None = None) -> Generator[Path]:
    """A file of the disk with the unpacked bytes of the table, in UTF-8 if it is text in another encoding.

    Args:
        path: of the table, or "-" for the standard input.
        encoding: of the text; None leaves the bytes as they are.
    Raises:
        DataError: if a packed file is damaged or too large, or the text is not in this encoding.
        ConfigError: if there is no such encoding.
    """
    if str(path) != "-":
        refuse_pipes(path)
    packed = Path(path).suffix.lower()
    if str(path) != "-" and packed in TEXT and Path(path).is_file():
        packed = _packed_text(Path(path)) or packed
    if str(path) != "-" and packed not in PACKED and encoding is None:
        if Path(path).is_dir():
            raise DataError(f"{path} must be a file; got a folder. Try a table in it, or another name for the folder.")
        yield Path(path)
        return
    with tempfile.NamedTemporaryFile(prefix="likely-") as copy:
        if str(path) == "-":
            shutil.copyfileobj(sys.stdin.buffer, copy)
        else:
            opener = _OPENERS.get(packed, open)
            with opener(path, "rb") as stream:
                _unpack(stream, copy, path)
        copy.flush()
        if encoding is None:
            yield Path(copy.name)
            return
        with tempfile.NamedTemporaryFile(prefix="likely-") as text:
            _to_utf8(Path(copy.name), text, encoding, path)
            text.flush()
            yield Path(text.name)


def _packed_text(path: Path) -> str:
    """How a file that is called like text is packed; "" if it is not."""
    with path.open("rb") as stream:
        begin = stream.read(6)
    found = next((suffix for mark, suffix in _BEGIN.items() if begin.startswith(mark)), "")
    if found and found not in PACKED:
        raise DataError(
            f"{path} must be text, or packed by gzip, bz2 or xz; got a {found} archive"
            f"{' (Excel files are some, too: name it .xlsx)' if found == 'zip' else ''}. Unpack it."
        )
    return found


def _unpack(stream: IO[bytes], copy: IO[bytes], path: str | Path) -> None:
    most = most_unpacked(Path(path).stat().st_size)
    try:
        while piece := stream.read(_PIECE):
            copy.write(piece)
            if copy.tell() > most:
                raise DataError(
                    f"{path} must unpack to at most {most:,} bytes, for its size; got more. If you trust it, unpack it."
                )
    except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
        raise DataError(f"{path} must be a whole packed file; got a damaged one: {error}. Copy it again.") from None


def _to_utf8(copy: Path, text: IO[bytes], encoding: str, path: str | Path) -> None:
    try:
        with copy.open(encoding=encoding, newline="") as stream:
            while piece := stream.read(_PIECE):
                text.write(piece.removeprefix("\ufeff").encode("utf-8"))
    except LookupError:
        raise ConfigError(
            f"encoding must be one that Python knows; got {encoding!r}. Try utf-8, latin-1, cp1252 or utf-16."
        ) from None
    except UnicodeError as error:
        line, why = 1, error.reason if isinstance(error, UnicodeDecodeError) else str(error)
        if isinstance(error, UnicodeDecodeError):
            try:
                copy.read_bytes().decode(encoding)
            except UnicodeDecodeError as first:
                line += first.object[: first.start].decode(encoding, "ignore").count("\n")
        raise DataError(
            f"{path} must be text in {encoding}; got other bytes in line {line}: {why}. Try another encoding."
        ) from None
