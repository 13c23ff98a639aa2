"""Text tables whose columns of numbers are read piece by piece: the same as with the text of all rows at once."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from likely.data.tables import plain_text, text_cells, text_file
from likely.data.tables.column_options import USUAL
from likely.data.tables.column_values import read_values
from likely.data.tables.missing_codes import may_hold_codes, missing_codes
from likely.data.tables.read_sheet import read_sheet
from likely.data.tables.read_table import read_table, table_of_sheet, table_pieces, table_with_readings
from likely.data.tables.table import Table
from likely.errors import DataError
from likely.preprocessing.column_reading import ColumnReading

NUMBERS = st.sampled_from(["1", "-2.5", "0.1", "", "12", "1e-05", "0.30000000000000004", "99", "0"])
DOUBTFUL = st.sampled_from(
    [
        "007",
        "1E3",
        "1e5",
        "9007199254740993",
        "0.3000000000000000400",
        "x",
        "NA",
        "1,5",
        "1.500",
        "3.000",
        "20230429",
        "inf",
    ]
)


def by_whole_columns(path: Path) -> Table:
    """The table whose cells all stay text until whole columns are decided."""
    return table_of_sheet(read_sheet(path), USUAL)


def outcome(read: Callable[[Path], Table], path: Path) -> Table | str:
    """The table, or why it is refused."""
    try:
        return read(path)
    except DataError as error:
        return str(error)


def assert_same(found: Table, expected: Table) -> None:
    assert list(found.columns) == list(expected.columns)
    assert found.readings == expected.readings
    assert found.notes == expected.notes
    for name, values in expected.columns.items():
        assert found.columns[name].dtype == values.dtype
        np.testing.assert_array_equal(found.columns[name], values)


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_text, "_PIECE", 64)
    monkeypatch.setattr(text_cells, "_CELLS", 8)
    monkeypatch.setattr(text_file, "ROWS", 4)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_numbers_by_pieces_are_those_of_whole_columns(data: st.DataObject, tmp_path: Path, small_pieces: None) -> None:
    n = data.draw(st.integers(3, 30))
    columns = [data.draw(st.lists(NUMBERS, min_size=n, max_size=n)) for _ in range(3)]
    columns.append(data.draw(st.lists(NUMBERS | DOUBTFUL, min_size=n, max_size=n)))
    odd = data.draw(st.integers(0, n - 1))
    columns[0][odd] = data.draw(DOUBTFUL)
    separator, end = data.draw(st.sampled_from([";", "\t"])), data.draw(st.sampled_from(["\n", "\r\n"]))
    quote = data.draw(st.sampled_from(["", '"']))
    rows = [separator.join(quote + cell + quote for cell in row) for row in zip(*columns, strict=True)]
    path = tmp_path / "t.csv"
    path.write_bytes(end.join([separator.join("abcd"), *rows, *[""] * data.draw(st.booleans())]).encode())
    expected, found = outcome(by_whole_columns, path), outcome(read_table, path)
    if isinstance(expected, str) or isinstance(found, str):
        assert found == expected
    else:
        assert_same(found, expected)
        trained = dict.fromkeys("abcd", ColumnReading("number"))
        whole, pieces = table_with_readings(read_sheet(path), trained), list(table_pieces(path, trained))
        assert max(map(len, pieces)) <= 4
        for name, values in whole.columns.items():
            np.testing.assert_array_equal(np.concatenate([piece.columns[name] for piece in pieces]), values)
            texts = [(name, text) for piece in pieces for text in piece.wrong.get(name, {}).values()]
            assert texts == [(name, text) for text in whole.wrong.get(name, {}).values()]


@pytest.mark.usefixtures("small_pieces")
def test_a_column_that_is_text_in_its_last_row_only(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [f"{i}.5,{i % 7},{20230101 + i % 20}" for i in range(300)]
    path.write_text("\n".join(["a,b,when", *rows, "007,x,20230102", "a b,1,", ""]))
    found = read_table(path)
    assert_same(found, by_whole_columns(path))
    assert found.columns["a"][300:].tolist() == ["007", "a b"]
    assert found.columns["when"].dtype.kind == "M"


def test_texts_that_recur_are_read_like_single_ones() -> None:
    column, reading = pl.Series(["a", "NA", None, "", " b"]), ColumnReading("category")
    once, _ = read_values(column, reading)
    many, _ = read_values(pl.concat([column] * 1000), reading)
    assert once.tolist() == ["a", None, None, None, "b"]
    assert many.tolist() == once.tolist() * 1000


@given(
    st.lists(
        st.lists(
            st.sampled_from([-999.0, -998.0, -9.0, -1.0, 0.0, 1.0, 2.0, 7.5, 99.0, np.nan, np.inf]),
            min_size=12,
            max_size=12,
        ),
        min_size=1,
        max_size=5,
    )
)
def test_columns_without_codes_are_not_looked_at(columns: list[list[float]]) -> None:
    values = np.array(columns)
    for row, maybe in zip(values, may_hold_codes(values), strict=True):
        assert maybe or missing_codes(row) == ([], [])
