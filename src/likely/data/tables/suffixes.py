"""How the paths of tables end, and what they hold; nothing is loaded to know it."""

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
