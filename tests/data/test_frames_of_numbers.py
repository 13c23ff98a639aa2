"""Columns of numbers of frames are cast many at a time: each as it is alone, and many in little time."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from likely.data.tables.frame import sheet_of
from likely.data.tables.read_table import table_of_sheet

TYPES = {
    "whole": pd.Series([3, 1, 2], dtype="int64"),
    "small": pd.Series([3, 1, 2], dtype="uint8"),
    "gaps": pd.Series([3.5, None, 2]),
    "half": pd.Series([0.1, 0.2, 0.3], dtype="float16"),
    "single": pd.Series([0.1, float("inf"), None], dtype="float32"),
    "nullable": pd.Series([3, None, 2], dtype="Int64"),
    "nullable, full": pd.Series([3, 1, 2], dtype="Int64"),
    "nullable fractions": pd.Series([3.5, None, 2], dtype="Float64"),
    "large": pd.Series([2**53 + 1, 2**53, 1], dtype="int64"),
    "largest": pd.Series([2**64 - 1, 0, 1], dtype="uint64"),
    "words": pd.Series(["a", "b", None]),
    "nothing": pd.Series([None, None, None]),
    "yes": pd.Series([True, False, True]),
    7: pd.Series([1.5, 2.5, 3.5]),
}


def polars_of(frame: pd.DataFrame) -> pl.DataFrame:
    return pl.DataFrame(
        {str(name): frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in frame}
    )


@pytest.mark.parametrize("convert", [lambda f: f, lambda f: pa.Table.from_pandas(f.rename(columns=str)), polars_of])
def test_each_column_is_read_as_it_is_alone(convert: Callable[[pd.DataFrame], Any]) -> None:
    frame = pd.DataFrame(TYPES)
    together = table_of_sheet(sheet_of(convert(frame)))
    assert list(together.columns) == [str(name) for name in TYPES]
    for name in TYPES:
        alone = table_of_sheet(sheet_of(convert(frame.filter([name]))))
        found, expected = together.columns[str(name)], alone.columns[str(name)]
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
        assert together.readings[str(name)] == alone.readings[str(name)]
    assert together.columns["large"].tolist() == ["9007199254740993", "9007199254740992", "1"]
    assert together.columns["gaps"].tolist()[::2] == [3.5, 2.0]


def test_many_columns_take_a_moment_each() -> None:
    words = np.array(["red", "green", "blue"])
    columns = {f"n{j}": np.arange(50) % (3 + j % 7) / 4 for j in range(4_000)}
    columns |= {f"w{j}": words[np.arange(50) * (j + 1) % 3] for j in range(1_000)}
    frame = pd.DataFrame(columns)
    began = time.process_time()
    table = table_of_sheet(sheet_of(frame))
    took = time.process_time() - began
    assert len(table.columns) == 5_000
    assert took < 3, "a column cast or looked for dates alone takes some tenths of a millisecond or more"
