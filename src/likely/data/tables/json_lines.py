"""What is wrong with a file of JSON lines, by its lines."""

import json
from pathlib import Path
from typing import Any

import polars as pl

from likely.errors import DataError

_AT_ONCE = 2**22  # characters of whole lines
_KEY = r'"(?:[^"\\]|\\.)*"\s*:'


def wrong_line(path: Path, where: str) -> DataError | None:
    """The first line that is no JSON object, as an error; None if all are."""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                found = json.loads(line) if line.strip() else {}
                got = "" if isinstance(found, dict) else f"a {type(found).__name__}"
            except (ValueError, RecursionError) as error:
                got = str(error)
            if got:
                return DataError(
                    f"{where} must hold a JSON object in every line; got in line {number}: {got}. Write one object "
                    "per row, each in a line of its own."
                )
    return None


def check_keys(path: Path, where: str) -> None:
    """Refuse an object that has a key twice, of which a reader would take either value in silence.

    Raises:
        DataError: naming line and key.
    """
    with path.open(encoding="utf-8", errors="replace") as stream:
        number = 1
        while lines := stream.readlines(_AT_ONCE):
            # Few lines look like it, but for those with objects in objects, and are parsed.
            keys = pl.Series(lines).str.extract_all(_KEY).list.eval(pl.element().str.strip_chars_end(": \t"))
            for i in (keys.list.n_unique() < keys.list.len()).arg_true().to_list():
                if twice := _twice(lines[i]):
                    raise DataError(
                        f"{where} must have every key once in each object; got {twice[0]!r} twice in line "
                        f"{number + i}. Which value is meant can't be told. Remove one."
                    )
            number += len(lines)


def _twice(line: str) -> list[str]:
    """The keys that an object of this line has twice; none if the line is no JSON."""
    twice = list[str]()

    def look(pairs: list[tuple[str, Any]]) -> None:
        seen = set[str]()
        twice.extend(key for key, _ in pairs if key in seen or seen.add(key))

    try:
        json.loads(line, object_pairs_hook=look)
    except (ValueError, RecursionError):
        return []
    return twice
