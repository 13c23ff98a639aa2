"""The names of classes that Hugging Face's `datasets` writes beside their numbers, in the metadata of Parquet."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

_KEY = "huggingface"


def class_names(path: Path) -> dict[str, list[str]]:
    """The names of the classes 0, 1, ... of each column that is a `ClassLabel`; none where the file says nothing."""
    try:
        features = json.loads(pl.read_parquet_metadata(path)[_KEY])["info"]["features"]
        named = {name: of["names"] for name, of in features.items() if of.get("_type") == "ClassLabel"}
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        return {}
    return {name: list(map(str, names)) for name, names in named.items() if isinstance(names, list)}


def with_class_names(rows: pl.DataFrame, names: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """The rows with names in place of the numbers of classes; -1 is none, and a number without a name stays one.

    Example:
        >>> with_class_names(pl.DataFrame({"y": [1, 0, -1]}), {"y": ["cat", "dog"]})["y"].to_list()
        ['dog', 'cat', None]
    """
    found = [
        pl.col(name).replace_strict(
            [-1, *range(len(of))], [None, *of], default=pl.col(name).cast(pl.String), return_dtype=pl.String
        )
        for name, of in names.items()
        if name in rows.columns and rows.schema[name].is_integer()
    ]
    return rows.with_columns(found)
