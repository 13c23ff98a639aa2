"""What columns hold, and how it is written: decided by whole columns, said where it is not certain."""

import json
import re
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from likely.data.check import check_source
from likely.data.sources import open_dataset
from likely.data.tables.cells import missing
from likely.data.tables.column_options import ColumnOptions
from likely.data.tables.column_values import read_values
from likely.data.tables.date_parts import DATE_PARTS, WEEKDAYS, date_part
from likely.data.tables.date_text import date_order, read_dates
from likely.data.tables.describe import describe
from likely.data.tables.encode import encode
from likely.data.tables.frame import sheet_of
from likely.data.tables.missing_codes import missing_codes
from likely.data.tables.number_text import read_numbers, spelling_of
from likely.data.tables.read_table import read_table, table_of_sheet
from likely.data.tables.sheet import Sheet
from likely.data.tables.table import Table
from likely.data.tables.targets import alike
from likely.data.tables.written_otherwise import read_as_written
from likely.errors import DataError
from likely.preprocessing.column_reading import ColumnReading
from likely.preprocessing.columns import Column


def table(tmp_path: Path, columns: dict[str, list[str]], separator: str = ",", **options: Any) -> Table:
    path = tmp_path / "t.csv"
    rows = [separator.join(columns), *(separator.join(cells) for cells in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(rows) + "\n")
    return read_table(path, ColumnOptions(**options))


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["1", "2.5", "-3e-05", ".5", "+7"], [1, 2.5, -3e-05, 0.5, 7]),
        (["USD 5", "USD 7.50"], [5, 7.5]),
        (["R$ 5,00", "R$ 1.007,25"], [5, 1007.25]),
        (["1,5", "2", "-0,25"], [1.5, 2, -0.25]),
        (["2,141", "911", "1,234,567"], [2141, 911, 1234567]),
        (["1,234.5", "7"], [1234.5, 7]),
        (["1.234,5", "7"], [1234.5, 7]),
        (["1 234", "12", "2 000 000"], [1234, 12, 2000000]),
        (["1'234", "12"], [1234, 12]),
        (["39.1 mm", "4 mm"], [39.1, 4]),
        (["12%", "3.5%"], [12, 3.5]),
        (["$5", "$1,250"], [5, 1250]),
        (["0,125", "0,5"], [0.125, 0.5]),
        (["\u22123", "4"], [-3, 4]),
        (["(37.25)", "12"], [-37.25, 12]),
        (["5-", "12"], [-5, 12]),
        (["-$5", "($1,234.50)", "$7"], [-5, -1234.5, 7]),
        (["12,34,567", "1,23,456", "900"], [1234567, 123456, 900]),
        (["1\u200b2", "\uff13\uff14", "\u0665", "\u0967\u0968"], [12, 34, 5, 12]),
    ],
)
def test_numbers_as_people_write_them(texts: list[str], numbers: list[float]) -> None:
    cells = pl.Series(texts)
    spelled = spelling_of(cells)
    assert spelled is not None
    assert spelled.sure
    np.testing.assert_allclose(read_numbers(cells, spelled.reading).to_list(), numbers, rtol=1e-15)


@pytest.mark.parametrize(
    "texts",
    [
        ["00501", "01010"],
        ["1E2", "100"],
        ["1582218195625938945", "1582218195625938946"],
        ["r1", "r2"],
        ["A12", "A13"],
        ["12a", "13a"],
        ["1_000", "2"],
        ["5 kg", "3 g"],
        ["1.2.3", "4.5.6"],
        ["(1)", "(2)"],
        ["0.1", "0.10000000000000000001"],
        ["12345678901234567.0", "2.5"],
    ],
)
def test_what_is_no_number_for_sure_is_none(texts: list[str]) -> None:
    assert spelling_of(pl.Series(texts)) is None


def test_a_comma_before_three_digits_is_decided_by_the_rest_of_the_file_or_refused(tmp_path: Path) -> None:
    label = ["a", "b", "a"]
    found = table(tmp_path, {"x": ["2,141", "3,555", "1,200"], "r": ["0.68", "0.5", "0.25"], "y": label}, ";")
    assert found.columns["x"].tolist() == [2141, 3555, 1200]
    assert any("',' separates thousands, as in 2,141" in note for note in found.notes)
    found = table(tmp_path, {"x": ["2,141", "3,555", "1,200"], "r": ["0,68", "0,5", "0,25"], "y": label}, ";")
    assert found.columns["x"].tolist() == [2.141, 3.555, 1.2]
    found = table(tmp_path, {"x": ["2.141", "3.555", "1.200"], "r": ["0,68", "0,5", "0,25"], "y": label}, ";")
    assert found.columns["x"].tolist() == [2141, 3555, 1200]
    alone = {"x": ["2,141", "3,555", "1,200"], "y": label}
    with pytest.raises(DataError, match=r"Column 'x' of .* read in one way; got '2,141'.*--decimal point or --decimal"):
        table(tmp_path, alone, ";")
    assert table(tmp_path, alone, ";", decimal="point").columns["x"].tolist() == [2141, 3555, 1200]
    assert table(tmp_path, alone, ";", decimal="comma").columns["x"].tolist() == [2.141, 3.555, 1.2]


@pytest.mark.parametrize(
    ("texts", "first"),
    [
        (["3.758", "812", "2.340"], 3758),  # a decimal that nobody fills up has no last zero
        ([f"{1 + i}.{123 + 7 * i}" for i in range(20)] + ["911"], 1123),
        (["3.758", "812", "2.34"], 3.758),
        (["3.758", "812", "1024", "2.340"], 3.758),
        (["0.758", "812", "2.340"], 0.758),
        (["3.758", "2.340"], 3.758),  # three decimals throughout
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_points_before_three_digits_separate_thousands_beside_whole_numbers_below(
    tmp_path: Path, texts: list[str], first: float, separator: str
) -> None:
    found = table(tmp_path, {"x": texts, "y": ["a", "b"] * (len(texts) // 2) + ["a"] * (len(texts) % 2)}, separator)
    assert found.columns["x"][0] == first
    assert any("'.' separates thousands, as in" in note for note in found.notes) == (first > 1000)


@pytest.mark.parametrize(
    ("texts", "separators", "others"),
    [
        (["4.758", "2.877"], ";\t|", ["1", "2"]),
        (["1.000", "2.000"], ";\t|", ["1", "2"]),
        (["€ 4.758", "€ 2.877"], ";\t|", ["1", "2"]),
        (["4.758", "512"], ",;\t|", ["1", "2"]),
        (["4.758", "2.877"], "", ["1", "2"]),
        (["4.758", "2.877"], "", ["1.5", "2"]),  # the file tells what a point is
        (["0.758", "2.877"], "", ["1", "2"]),
        (["4.758", "1002.877"], "", ["1", "2"]),
        (["4.7", "2.877"], "", ["1", "2"]),
        (["5", "3"], "", ["1", "2"]),
    ],
)
def test_three_decimals_throughout_are_pointed_out_where_they_may_be_thousands(
    tmp_path: Path, texts: list[str], separators: str, others: list[str]
) -> None:
    columns = {"x": texts * 3, "z": others * 3, "y": ["a", "b"] * 3}
    for separator in separators or ",":
        said = "'.' stands before decimals, as in .*--decimal comma: it separates thousands"
        found = table(tmp_path, columns, separator)
        assert bool(re.search(said, " ".join(found.notes))) == bool(separators)
        assert found.columns["x"][0] == float(texts[0].removeprefix("€ "))
        assert not re.search(said, " ".join(table(tmp_path, columns, separator, decimal="point").notes))
    many = table(tmp_path, {name: cells * 400 for name, cells in columns.items()}, separators[:1] or ",")
    assert any("'.' stands before decimals" in note for note in many.notes) == bool(separators)


def test_points_between_millions_tell_of_the_other_columns(tmp_path: Path) -> None:
    columns = {"x": ["4.758", "2.877"], "z": ["1.234.567", "812"], "y": ["a", "b"]}
    assert table(tmp_path, columns, ";").columns["x"].tolist() == [4758, 2877]
    columns["z"] = ["10.234.567.1", "812.1"]  # an address
    assert table(tmp_path, columns, ";").columns["x"].tolist() == [4.758, 2.877]


def test_a_new_row_is_read_as_those_of_training() -> None:
    thousands = ColumnReading("number", thousands=",")
    assert read_numbers(pl.Series(["1,380", "1380", "1.5"]), thousands).to_list() == [1380, 1380, 1.5]
    decimals = ColumnReading("number", decimal=",")
    assert read_numbers(pl.Series(["1,5", "1.5", "1.380"]), decimals).to_list() == [1.5, 1.5, None]
    assert read_numbers(pl.Series(["1,380"]), ColumnReading("number")).to_list() == [None]


def test_a_text_among_numbers_is_named_and_missing(tmp_path: Path) -> None:
    numbers = [str(i) for i in range(60)]
    found = table(tmp_path, {"x": [*numbers, ">300", "unknown"], "y": ["a", "b"] * 31})
    assert found.columns["x"].tolist()[:60] == list(range(60))
    assert np.isnan(found.columns["x"][60:]).all()
    assert any(
        "Column 'x' holds numbers, but '>300' in row 60 and other texts in 1 more" in note for note in found.notes
    )
    as_names = table(tmp_path, {"x": [*numbers, ">300"], "y": ["a"] * 61}, categories=("x",))
    assert as_names.columns["x"][-1] == ">300"
    grades = table(tmp_path, {"x": ["1", "2", "3", "none"] * 15, "y": ["a", "b"] * 30})
    assert grades.columns["x"][3] == "none"


def test_words_for_nothing_are_words_beside_empty_cells(tmp_path: Path) -> None:
    beside = table(tmp_path, {"x": ["None", "", "oak", "NA"] * 5, "y": ["a", "b"] * 10})
    assert beside.columns["x"].tolist()[:4] == ["None", None, "oak", "NA"]
    assert any("NA, None are categories beside empty cells" in note for note in beside.notes)
    alone = table(tmp_path, {"x": ["None", "oak"] * 5, "y": ["a", "b"] * 5})
    assert alone.columns["x"].tolist()[:2] == [None, "oak"]
    assert any("None is taken for a missing value" in note for note in alone.notes)
    chosen = table(tmp_path, {"x": ["None", "oak", "-"] * 5, "y": ["a", "b", "a"] * 5}, missing=("-",))
    assert chosen.columns["x"].tolist()[:3] == ["None", "oak", None]


def test_codes_for_nothing_are_missing_where_they_lie_far_away(tmp_path: Path) -> None:
    values = [f"{i / 10:.1f}" for i in range(40)]
    found = table(tmp_path, {"x": ["-999", *values] * 3, "y": ["a"] * 123})
    assert np.isnan(found.columns["x"][0])
    assert found.readings["x"].codes == (-999,)
    assert any("-999 lies far from all other values" in note for note in found.notes)
    assert any("(--number x: a number)" in note for note in found.notes)
    kept = table(tmp_path, {"x": ["-999", *values] * 3, "y": ["a"] * 123}, numbers=("x",))
    assert kept.columns["x"][0] == -999
    assert missing_codes(np.arange(-999.0, 1000.0)) == ([], [])
    some = np.tile(np.arange(40.0), 5)
    assert missing_codes(np.array([-999.0] * 4 + [-998.0] * 4 + [*some])) == ([-999.0, -998.0], [])
    assert missing_codes(np.array([-999.0] * 4 + [-99.0] * 4 + [*(some / 4)])) == ([-999.0, -99.0], [])
    assert missing_codes(np.array([-1.0] * 4 + [*(some + 18)])) == ([], [-1.0])
    assert missing_codes(np.array([-1.0] * 4 + [*some])) == ([], [])
    assert missing_codes(np.array([-200.0] * 4 + [*np.tile(np.arange(6.0), 20)])) == ([], [-200.0])
    assert missing_codes(np.array([99.0] * 5 + [*range(60)])) == ([], [99.0])


@pytest.mark.parametrize(
    ("texts", "first"),
    [
        (["2023-04-29", "2024-01-02"], datetime(2023, 4, 29)),
        (["2023/4/29", "2024/1/2"], datetime(2023, 4, 29)),
        (["29/04/2023", "01/05/2023"], datetime(2023, 4, 29)),
        (["04/29/2023", "01/05/2023"], datetime(2023, 4, 29)),
        (["1.5.2023", "2.5.2023"], datetime(2023, 5, 1)),
        (["2024-03-01T12:30:00+02:00", "2024-03-01T12:30:00Z"], datetime(2024, 3, 1, 10, 30)),
        (["2024-03-01 12:30", "2024-03-02"], datetime(2024, 3, 1, 12, 30)),
        (["29 April 2023", "1 May 2023"], datetime(2023, 4, 29)),
        (["Apr 29, 2023", "May 1, 2023"], datetime(2023, 4, 29)),
    ],
)
def test_dates_as_people_write_them(texts: list[str], first: datetime) -> None:
    order = date_order(pl.Series(texts))
    assert read_dates(pl.Series(texts), order).to_list()[0] == first


def test_dates_that_may_be_two_days_are_left_out_by_name(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = "".join(f"0{1 + i % 9}/0{1 + i % 7}/2023,{i % 5},{'ab'[i % 2]}\n" for i in range(40))
    path.write_text(f"day,x,label\n{rows}")
    dataset = open_dataset(path)
    assert dataset.features == ("x",)
    assert any("day and month can't be told apart" in note for note in dataset.notes)


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)))
def test_parts_of_dates_are_those_of_datetime(moment: datetime) -> None:
    of = {part: date_part(np.array([moment], "datetime64[us]"), part)[0] for part in DATE_PARTS}
    assert of["weekday"] == WEEKDAYS[moment.weekday()]
    assert of["year"] == moment.year
    angle = 2 * np.pi * (moment.month - 1) / 12
    np.testing.assert_allclose((of["month (sine)"], of["month (cosine)"]), (np.sin(angle), np.cos(angle)), atol=1e-12)
    assert abs(of["days"] * 86_400 - (moment - datetime(1970, 1, 1)).total_seconds()) < 1e-4


def test_labels_stand_as_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    for names in (["00501", "01010"], ["1E2", "100"], ["1582218195625938945", "1582218195625938946"], ["None", "NA"]):
        path.write_text("x,label\n" + "".join(f"{i / 7:.3f},{names[i % 2]}\n" for i in range(40)))
        assert set(open_dataset(path).labels) == set(names)
    path.write_text("x,label\n" + "".join(f"{i / 7:.3f},{('1', '1.0', '2')[i % 3]}\n" for i in range(60)))
    dataset = open_dataset(path)
    assert dataset.labels == ("1", "1.0", "2")
    assert any("'1' and '1.0' are two classes" in note for note in dataset.notes)
    path.write_text("x,label\n" + "".join(f"{i / 7:.3f},{('yes', 'Yes', 'no')[i % 3]}\n" for i in range(60)))
    assert any("'Yes' and 'yes' are two classes" in note for note in open_dataset(path).notes)


def test_rows_without_an_answer_are_left_out_with_their_count(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "x,label\n" + "".join(f"{i / 7:.3f},{('a', '', 'b')[i % 3] if i < 9 else 'b'}\n" for i in range(40))
    )
    dataset = open_dataset(path)
    assert any("no answer in 3 of 40 rows" in note and "1, 4, 7" in note for note in dataset.notes)
    path.write_text("x,label\n" + "".join(f"{i / 7:.3f},{'' if i < 30 else 'b'}\n" for i in range(40)))
    with pytest.raises(DataError, match="must have an answer in every row; got none in 30 of 40"):
        open_dataset(path)


def test_keys_that_few_rows_share_are_no_category(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("home,x,label\n" + "".join(f"h{i // 3},{i % 17},{'ab'[i % 2]}\n" for i in range(300)))
    dataset = open_dataset(path)
    assert dataset.features == ("x",)
    assert any("'home' is ignored: it looks like keys" in note and "--group home" in note for note in dataset.notes)
    few = {
        "household": [f"h{i // 3}" for i in range(60)],
        "town": [f"t{i // 3}" for i in range(60)],
        "y": ["a", "b"] * 30,
    }
    found = table(tmp_path, few)
    columns, notes = describe(found, ["household", "town"], np.arange(60), ColumnOptions())
    assert [column.name for column in columns] == ["town"]
    assert "--group household" in notes[0]


def test_readings_are_stored_and_come_back() -> None:
    reading = ColumnReading("date", missing=("-",), dates="d-m-Y")
    column = Column("day: weekday", WEEKDAYS, True, reading, "weekday", "day")
    assert Column.from_json(column.to_json()) == column
    old = Column.from_json({"name": "x", "categories": None, "missing": False})
    assert old == Column("x")
    assert old.how_read.decimal == ".,"
    with pytest.raises(ValueError, match="reading"):
        ColumnReading.from_json({"kind": "prose"})


def test_check_lists_what_every_column_was_taken_for(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    days = [f"2024-{1 + i % 12:02}-03" for i in range(60)]
    rows = "".join(f"{i + 1};{i * 90:,};{days[i]};{'ab'[i % 2]}\n" for i in range(60))
    path.write_text(f"id;income;day;label\n{rows}")
    found = check_source(str(path)).to_json()
    assert [(column["name"], column["kind"]) for column in found["columns"]] == [("income", "number"), ("day", "date")]
    assert found["columns"][0]["how"] == "',' between thousands"
    assert any("'id' is ignored: it counts the rows (--keep id)" in note for note in found["notes"])


def test_whole_numbers_that_float64_rounds_to_2_to_53_are_names() -> None:
    for kind, numbers in ((pl.Int64, [2**53, 2**53 + 1]), (pl.UInt64, [2**63 + 1, 2**63 + 2])):
        frame = pl.DataFrame({"x": pl.Series(numbers * 20, dtype=kind), "y": ["a", "b"] * 20})
        found = table_of_sheet(sheet_of(frame))
        assert found.columns["x"].tolist()[:2] == [str(n) for n in numbers]
        assert any("2^53, which are taken for names (--number x)" in note for note in found.notes)
    assert table_of_sheet(sheet_of(pl.DataFrame({"x": [2**53, 1]}))).columns["x"].tolist() == [2.0**53, 1]


def test_decimals_that_float64_merges_stay_apart(tmp_path: Path) -> None:
    found = table(tmp_path, {"x": ["0.1", "0.10000000000000000001"] * 3, "y": ["a", "b"] * 3})
    assert found.columns["x"].tolist()[:2] == ["0.1", "0.10000000000000000001"]
    decimals = pl.Series("x", ["0.1", "0.10000000000000000001"]).str.to_decimal(scale=20)
    assert len(set(table_of_sheet(sheet_of(decimals.to_frame())).columns["x"])) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"numbers": ("x",), "categories": ("x",)}, "numbers and categories .* got 'x' in both"),
        ({"ignore": ("x",), "keep": ("x",)}, "ignore and keep"),
        ({"ignore": ("label",)}, "ignore and label"),
    ],
)
def test_options_that_contradict_each_other_are_refused(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,label\n" + "1,a\n2,b\n" * 9)
    with pytest.raises(DataError, match=said):
        open_dataset(path, options=ColumnOptions(**options))


def test_names_that_may_be_spellings_of_one_are_all_pointed_out() -> None:
    assert alike(["True", "1", "a"], "y") == (
        "y: 'True' and '1' are two classes; if they mean the same, write them in one way."
    )
    said = alike(["caf\u00e9", "cafe\u0301", "no", "N\u200bo", "x"], "y", "categories")
    assert said is not None
    assert said.count(" and ") == 2
    assert "are two categories each" in said
    assert alike(["a", "b", "1", "2"], "y") is None


@pytest.mark.parametrize(
    ("texts", "order", "first"),
    [
        (["15/01/23", "01/02/23"], "d-m-y", datetime(2023, 1, 15)),
        (["15-Jan-23", "01-Feb-23"], "d b y", datetime(2023, 1, 15)),
        (["15Jan2023", "01Feb2023"], "d b Y", datetime(2023, 1, 15)),
        (["Sunday, 15 January 2023", "Mon, 16 Jan 2023"], "d b Y", datetime(2023, 1, 15)),
        (["3. März 2023", "1. Dez 2023"], "d b Y", datetime(2023, 3, 3)),
        (["Apr 2023", "May 2023"], "b Y", datetime(2023, 4, 1)),
        (["04-2023", "05/2023"], "m-Y", datetime(2023, 4, 1)),
        (["15/01/2023 08:15 PM", "15/01/2023 12:15 am"], "d-m-Y", datetime(2023, 1, 15, 20, 15)),
        (["2020-09-01-10:00:00"], "Y-m-d", datetime(2020, 9, 1, 10)),
        (["Sun Jan 15 10:00:00 2023", "Sun Jan  1 10:00:00 2023"], "b d Y", datetime(2023, 1, 15, 10)),
        (["Sun Jan 15 10:00:00 +0200 2023"], "b d Y", datetime(2023, 1, 15, 8)),
        (["15-01-23"], "?", None),
        (["29/04/2023", "04/29/2023"], "!", None),
        (["29/04/2023", "banana"], "", None),
    ],
)
def test_more_dates_as_people_write_them(texts: list[str], order: str, first: datetime | None) -> None:
    assert date_order(pl.Series(texts)) == order
    assert read_dates(pl.Series(texts), order).to_list()[0] == first


DAYS = [f"2023-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(100)]


def test_whole_numbers_are_dates_where_the_column_is_called_like_it(tmp_path: Path) -> None:
    compact = [day.replace("-", "") for day in DAYS]
    found = table(tmp_path, {"start_date": [*compact[:99], "unknown"], "x": compact, "y": ["a", "b"] * 50})
    assert str(found.columns["start_date"][1]).startswith("2023-02-02")
    assert np.isnat(found.columns["start_date"][99])
    assert found.columns["x"][0] == 20230101
    assert any("Column 'x': numbers such as 20230101 look like dates" in note for note in found.notes)


def test_times_without_a_date_are_hours(tmp_path: Path) -> None:
    found = table(tmp_path, {"t": ["12:30", "1:02:03", "08:15 PM", "9:05"] * 9 + ["closed"] * 4, "y": ["a", "b"] * 20})
    np.testing.assert_allclose(date_part(found.columns["t"][:3], "hours"), [12.5, 1 + 2 / 60 + 3 / 3600, 20.25])
    assert any("Column 't' holds times, but 'closed' in row 36 and 3 more rows" in note for note in found.notes)
    columns, notes = describe(found, ["t"], np.arange(40), ColumnOptions())
    assert [column.part for column in columns] == ["hours", "hour (sine)", "hour (cosine)"]
    assert notes == [
        "Column 't' holds times: learned from as hours, hour (sine), hour (cosine) (--category t: as texts)."
    ]
    durations = table(tmp_path, {"t": ["12:30", "-1:00", "47:10"] * 12, "y": ["a", "b"] * 18})
    assert [c.part for c in describe(durations, ["t"], np.arange(36), ColumnOptions())[0]] == ["hours"]
    clock = pl.Series("t", [time(20, 15)])
    assert read_values(clock, columns[0].how_read)[0] == np.timedelta64(20 * 60 + 15, "m")


def test_few_dates_beside_other_texts_are_pointed_out(tmp_path: Path) -> None:
    found = table(tmp_path, {"day": ["2024-01-01", "2024-02-01", "tbd"] * 10, "y": ["a", "b"] * 15})
    assert found.columns["day"][0] == "2024-01-01"
    assert any("dates such as 2024-01-01 beside 'tbd': it is read as text (--missing tbd" in n for n in found.notes)


def test_text_in_typed_tables_is_said_to_be_numbers_and_dates_are_read() -> None:
    frame = pl.DataFrame({"n": ["12", "15", "1,375"], "d": ["2024-03-01", "2024-03-02", None], "z": ["007", "2", "3"]})
    found = table_of_sheet(Sheet("x.parquet", frame, None))
    assert found.columns["n"].tolist() == ["12", "15", "1,375"]
    assert found.columns["d"].dtype.kind == "M"
    assert [note for note in found.notes if "'d'" not in note] == [
        "Column 'n' holds numbers as text: taken for names (--number n)."
    ]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["1,5", "2.5", "3,25"], "numbers with decimal points and commas, such as 2.5 and 1,5: it is read as text"),
        (["2024-W05", "2024-W06"], "texts such as '2024-W05' that look like dates: it is read as text"),
        (["Q1 2024", "Q2 2024", "Q4 2023"], "texts such as 'Q1 2024' that look like dates"),
        (["Jan-24", "Feb-24"], "texts such as 'Jan-24' that look like dates"),
        (["2024-03-01 08:15 CET", "2024-03-02 09:00 CET"], "texts such as '2024-03-01 08:15 CET' that look like dates"),
        (["2024-061", "2024-164"], "texts such as '2024-061' that look like dates"),
    ],
)
def test_texts_that_look_like_more_are_pointed_out(tmp_path: Path, cells: list[str], said: str) -> None:
    found = table(tmp_path, {"t": cells * 6, "y": ["a", "b"] * (len(cells) * 3)}, separator=";")
    assert found.columns["t"][0] == cells[0]
    assert any(f"Column 't' holds {said}" in note for note in found.notes)


def test_columns_of_texts_and_numbers_and_labels_of_every_type(tmp_path: Path) -> None:
    lines = [json.dumps({"x": "Total" if i == 7 else i, "y": "ab"[i % 2]}) for i in range(40)]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    found = read_table(tmp_path / "t.jsonl")
    said = "Column 'x' holds numbers, but 'Total' in row 7: taken as missing (--category x: all of them as names)."
    assert said in found.notes
    assert [row for row, x in enumerate(found.columns["x"]) if np.isnan(x)] == [7]
    (tmp_path / "t.jsonl").write_text("\n".join(lines).replace('"Total"', '"n/a "'))
    found = read_table(tmp_path / "t.jsonl")
    assert any("Column 'x' holds numbers, but 'n/a' in row 7: taken as missing" in note for note in found.notes)
    assert found.columns["x"].dtype == np.float64
    days = pl.DataFrame({"x": range(8), "y": [date(2024, 1, 1), date(2024, 1, 2)] * 4})
    days.write_parquet(tmp_path / "t.parquet")
    assert open_dataset(tmp_path / "t.parquet", label="y").labels == ("2024-01-01", "2024-01-02")
    rates = pl.DataFrame({"x": pl.Series([0.1, 0.2], dtype=pl.Float32)})
    found = table_of_sheet(Sheet("x", rates, None), ColumnOptions(categories=("x",)))
    assert found.columns["x"].tolist() == ["0.1", "0.2"]
    (tmp_path / "t.jsonl").write_text('{"x": 1}\n\n{"x": 2,\n')
    with pytest.raises(DataError, match="a JSON object in every line; got in line 3"):
        read_table(tmp_path / "t.jsonl")


def test_headings_of_excel_are_found_below_titles_and_never_renamed(tmp_path: Path) -> None:
    def book(*rows: list[object], sheets: int = 1) -> Path:
        with xlsxwriter.Workbook(tmp_path / "t.xlsx") as written:
            for _ in range(sheets):
                sheet = written.add_worksheet()
                for i, row in enumerate(rows):
                    sheet.write_row(i, 0, row)
        return tmp_path / "t.xlsx"

    found = read_table(book(["Report"], [], ["x", None, "y"], [1, 2.5, "a"], [2, 3.5, "b"], sheets=2))
    assert [values.tolist() for values in found.columns.values()] == [[1.0, 2.0], [2.5, 3.5], ["a", "b"]]
    assert list(found.columns) == ["x", "column 2", "y"]
    assert [note.partition(":")[0] for note in found.notes] == [
        "Sheet 'Sheet1' is read, and 1 more not",
        "Row 1 is a title, and skipped",
        "Column 2 has no name in the heading, and is called 'column 2'.",
    ]
    found = read_table(book([1, "a"], [2, "b"]), ColumnOptions(header=False))
    assert found.columns["column 1"].tolist() == [1.0, 2.0]
    with pytest.raises(DataError, match="different names; got 'x' twice"):
        read_table(book(["x", "y", "x"], [1, 2, 3]))


def test_what_is_said_to_be_missing_is_so_in_columns_of_every_type() -> None:
    frame = pl.DataFrame(
        {"i": [-200, 1, 2], "f": [-200.0, 1.5, 2.5], "code": [-200, 1, 2], "d": [date(1900, 1, 1)] * 3}
    )
    options = ColumnOptions(missing=("-200", "1900-01-01"), categories=("code",))
    found = table_of_sheet(Sheet("x.parquet", frame, None), options)
    assert [missing(found.columns[name]).tolist() for name in ("i", "f", "code")] == [[True, False, False]] * 3
    assert missing(found.columns["d"]).all()
    text = ColumnReading("number", missing=("-200", "?"))  # of a file, which answers a frame, too
    assert np.isnan(read_values(frame["i"], text)[0][0])


def test_codes_are_numbers_where_that_is_said(tmp_path: Path) -> None:
    cells = {"code": ["0010", "0020", "0030"] * 8, "y": ["a", "b"] * 12}
    assert table(tmp_path, cells).columns["code"][0] == "0010"
    assert table(tmp_path, cells, numbers=("code",)).columns["code"][:3].tolist() == [10.0, 20.0, 30.0]


def test_other_spellings_of_one_category_are_that_category() -> None:
    flags = Column("flag", ("False", "True"))
    for texts in (["TRUE", "false"], ["1", "0"], ["1.0", "0.0"]):
        found = encode(Table("x", {"flag": np.array(texts, dtype=object)}), [flags])
        assert found.X.ravel().tolist() == [1.0, 0.0]
        assert not found.unknown
    zips = Column("zip", ("00501", "10"))
    found = encode(Table("x", {"zip": np.array(["501", "10.0"], dtype=object)}), [zips])
    assert found.unknown["zip"].text == "501"
    assert found.X[1, 0] == 1.0
    number = ColumnReading("number")
    assert read_as_written(pl.Series(["True", "FALSE", ""]), number, "")[0][:2].tolist() == [1.0, 0.0]
    assert read_as_written(pl.Series(["True", "7"]), number, "")[1] == {0: "True"}


def test_a_text_among_dates_is_named_and_missing(tmp_path: Path) -> None:
    cells = ["2023-02-30", *DAYS[1:50], "banana", "0000-00-00", *DAYS[52:]]
    found = table(tmp_path, {"day": cells, "y": ["a", "b"] * 50})
    assert np.flatnonzero(np.isnat(found.columns["day"])).tolist() == [0, 50, 51]
    assert any("'2023-02-30' in row 0 and other texts in 2 more rows" in note for note in found.notes)
    found = table(tmp_path, {"day": ["9999-12-31"] * 3 + DAYS[3:], "y": ["a", "b"] * 50})
    assert np.isnat(found.columns["day"]).sum() == 3
    assert any("9999-12-31, in 3 rows, lies far" in note for note in found.notes)
    found = table(tmp_path, {"day": ["1970-01-01"] * 3 + [f"{1950 + i}-05-05" for i in range(60)], "y": ["a"] * 63})
    assert not np.isnat(found.columns["day"]).any()
    found = table(tmp_path, {"day": ["never"] * 40 + DAYS[40:], "y": ["a", "b"] * 50})
    assert found.unusable == {"day": "dates beside other texts"}
    assert any("'never' in row 0 and 39 more rows: it is ignored" in note for note in found.notes)


def test_dates_that_are_not_read_are_left_out_by_name(tmp_path: Path) -> None:
    found = table(tmp_path, {"day": [f"{i} février 2023" for i in range(1, 29)], "y": ["a", "b"] * 14})
    assert "day" not in found.columns
    assert any("1 février 2023, dates whose months are not known by name" in note for note in found.notes)
    found = table(tmp_path, {"day": ["never"] * 60 + DAYS[60:], "y": ["a", "b"] * 50})
    assert found.unusable == {"day": "dates beside other texts"}


def test_dates_in_two_orders_are_left_out_by_name(tmp_path: Path) -> None:
    for other in ("29/04/2023", "Apr 29, 2023"):
        found = table(tmp_path, {"day": [*DAYS[:40], *[other.replace(",", "")] * 10], "y": ["a", "b"] * 25})
        assert "day" not in found.columns
        assert any("holds dates in two orders, such as 2023-01-01 and" in note for note in found.notes)
    zones = ["2023-01-01T10:00Z", "2023-01-02T10:00", "2023-01-03T12:00+02:00"] * 10
    found = table(tmp_path, {"day": zones, "y": ["a", "b"] * 15})
    assert [str(moment)[11:16] for moment in found.columns["day"][:3]] == ["10:00"] * 3
    assert any("with and without a time zone, such as 2023-01-02T10:00" in note for note in found.notes)


def test_new_dates_are_read_as_they_are_written_where_that_is_certain() -> None:
    trained = ColumnReading("date", dates="Y-m-d")
    found, wrong = read_as_written(pl.Series(["13/01/2023", "01/02/2023"]), trained, "")
    assert found.astype("datetime64[D]").astype(str).tolist() == ["2023-01-13", "2023-02-01"]
    assert not wrong
    for texts in (["01/02/2023"], ["13/01/2023", "2023-01-13"]):
        assert read_as_written(pl.Series(texts), trained, "")[1] == {0: texts[0]}
    column = Column("t: days", None, False, trained, "days", "t")
    late = Table("t.csv", {"t": np.array(["NaT"], "datetime64[us]")}, wrong={"t": {0: "01/02/2023"}})
    assert encode(late, [column]).refused[0].startswith("Column 't' must have dates; got '01/02/2023' in row 0. Write")


def test_codes_among_targets_are_missing_answers(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,label\n" + "".join(f"{i % 7},{-999 if i % 20 == 0 else i / 7:.3f}\n" for i in range(100)))
    dataset = open_dataset(path)
    assert len(dataset.train) == 95
    assert any("-999 lies far" in note for note in dataset.notes)
    assert any("no answer in 5 of 100 rows" in note for note in dataset.notes)
    assert len(open_dataset(path, options=ColumnOptions(numbers=("label",))).train) == 100


def test_texts_among_numbers_by_their_kind_and_share(tmp_path: Path) -> None:
    def notes(cells: list[str], **options: Any) -> tuple[np.ndarray, str]:
        found = table(tmp_path, {"x": cells, "y": ["a"] * len(cells)}, **options)
        return found.columns["x"], " ".join(found.notes)

    numbers = [str(i) for i in range(20)]
    values, said = notes([*numbers, *["-"] * 30])
    assert np.isnan(values).sum() == 30
    assert "'-' in row 20 and the same text in 29 more rows: taken as missing (--category x" in said
    values, said = notes([*numbers, *["unk"] * 4])
    assert np.isnan(values).sum() == 4
    values, said = notes([*numbers, *["unk"] * 10])
    assert values[-1] == "unk"
    assert "holds numbers but for 'unk' in 33% of rows: it is read as text (--missing unk or --number x)" in said
    values, said = notes([*[f"{n} kg" for n in numbers], "unk"])
    assert values[1] == 1
    assert "'unk' in row 20: taken" in said
    values, said = notes(["1", "2"] * 20 + ["X"])
    assert values[-1] == "X"
    assert "numbers but for 'X'" in said
    values, said = notes(["5 kg", "3 g"] * 10)
    assert values[0] == "5 kg"
    assert "different units, 'g' and 'kg'" in said
    values, said = notes(["1", "word", "b2", "c", "d"] * 5, numbers=("x",))
    assert np.isnan(values).sum() == 20
    assert "'word' in row 1 and other texts in 19 more rows: taken as missing." in said


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        *((name, range(60), "counts the rows") for name in ("record_id", "PatientID", "Row Number", "seq", "lfd. Nr.")),
        ("PatientID", [100 + 7 * i % 60 for i in range(60)], "identifier"),
        ("household", [1000 + i // 3 for i in range(300)], "--group household"),
        ("lot_no", [f"L{i // 7}" for i in range(420)], "--group lot_no"),
        *((name, range(1, 61), None) for name in ("year", "week", "dose", "t", "time")),
        ("LotArea", [1000 + i // 3 for i in range(300)], None),
    ],
)
def test_counters_identifiers_and_keys_are_told_by_name_and_values(
    tmp_path: Path, name: str, values: Sequence[object], why: str | None
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"{name},x,label\n" + "".join(f"{v},{i % 17},{'ab'[i % 2]}\n" for i, v in enumerate(values)))
    dataset = open_dataset(path)
    assert (name in dataset.features) == (why is None)
    assert why is None or any("is ignored" in note and why in note and "--keep" in note for note in dataset.notes)
    assert name in open_dataset(path, options=ColumnOptions(keep=(name,))).features


def test_many_numbers_with_texts_among_them_are_no_classes(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,label\n" + "".join(f"{i % 7},{'unk' if i % 3 == 0 else i / 7:.9}\n" for i in range(100)))
    with pytest.raises(DataError, match=r"numbers but for 'unk' and the like in 34% of rows. Try --missing"):
        open_dataset(path)
    found = open_dataset(path, options=ColumnOptions(missing=("unk",)))
    assert (found.task, len(found.train)) == ("regression", 66)
