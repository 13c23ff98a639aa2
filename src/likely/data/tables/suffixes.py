"""How the paths of tables end, and what they hold; nothing is loaded to know it."""

from pathlib import Path

TEXT = (".csv", ".tsv", ".txt")
"""Text with separators."""

TYPED = {
    ".parquet": "Parquet",
    ".pq": "Parquet",
    ".feather": "Arrow",
    ".arrow": "Arrow",
    ".jsonl": "JSON lines",
    ".ndjson": "JSON lines",
    ".xlsx": "Excel",
    ".xls": "Excel",
}
"""Formats that say what each column holds."""

PACKED = (".gz", ".bz2", ".xz")
"""What may follow them."""

KINDS_READ = f"{', '.join((*TEXT, *TYPED))}; packed: {', '.join(PACKED)}"
"""All of them, as messages and help texts list them."""


def is_table(path: str | Path) -> bool:
    """Whether the path ends like a table, packed or not.

    Example:
        >>> is_table("a.CSV"), is_table("a.csv.gz"), is_table("a.png")
        (True, True, False)
    """
    return suffix_of_table(path) in (*TEXT, *TYPED)


def suffix_of_table(path: str | Path) -> str:
    """What says of which format the table is, in lower case."""
    path = Path(path)
    return (Path(path.stem) if path.suffix.lower() in PACKED else path).suffix.lower()
