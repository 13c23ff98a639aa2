"""Tables: CSV, Parquet, frames."""
