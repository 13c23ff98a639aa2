"""A table on the standard input."""

import io
import sys
from typing import IO, Any, cast

from likely.data.images.find import MAX_STDIN_BYTES
from likely.errors import DataError


def open_stdin() -> tuple[IO[bytes], bool]:
    """A stream of the standard input, and whether it is Parquet, which is read to its end first."""
    buffer: Any = sys.stdin.buffer
    stream = buffer if hasattr(buffer, "peek") else io.BufferedReader(buffer)
    if not stream.peek(4).startswith(b"PAR1"):
        return cast(IO[bytes], stream), False
    data = stream.read(MAX_STDIN_BYTES + 1)
    if len(data) > MAX_STDIN_BYTES:
        raise DataError(
            f"A Parquet table on the standard input must have at most {MAX_STDIN_BYTES:,} bytes; got more. It can only "
            "be read as a whole. Try its path."
        )
    return io.BytesIO(data), True
