"""Reading tables: beside pandas, in pieces, and everything that can be wrong with a file."""

import csv
import io
import tempfile
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likely.data.sources import open_dataset
from likely.data.tables.cells import as_texts, missing
from likely.data.tables.column_options import ColumnOptions
from likely.data.tables.describe import describe
from likely.data.tables.encode import encode
from likely.data.tables.open_table import open_table
from likely.data.tables.plain_text import plain_pieces
from likely.data.tables.read_table import read_table, table_pieces
from likely.data.tables.suffixes import is_table
from likely.data.tables.table import Table
from likely.data.tables.targets import read_answers
from likely.errors import ConfigError, DataError
from likely.preprocessing.column_reading import ColumnReading
from likely.preprocessing.columns import Column

NUMBER, CATEGORY = ColumnReading("number"), ColumnReading("category")


def frame(n: int = 200, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    found = pd.DataFrame(
        {
            "age": rng.normal(40, 9, n).round(2),
            "city": rng.choice(["Rome", "Ålesund", "Bonn, DE", 'the "Hague"'], n),
            "rooms": rng.integers(1, 9, n),
            "sold": rng.random(n) < 0.5,
        }
    )
    found["label"] = np.where(found.age + 5 * found.sold > 42, "old", "young")
    found.loc[::9, "age"] = np.nan
    found.loc[::7, "city"] = None
    return found


def as_pandas_has_it(table: Table, expected: pd.DataFrame) -> None:
    assert list(table.columns) == list(expected.columns)
    for name, values in table.columns.items():
        wanted = expected[name]
        if values.dtype == object:
            assert values.tolist() == [None if pd.isna(v) else str(v) for v in wanted]
        else:
            np.testing.assert_array_equal(values, wanted.to_numpy(np.float64))


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".CSV"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_text_is_read_as_pandas_reads_it(tmp_path: Path, suffix: str, encoding: str) -> None:
    path = tmp_path / f"people{suffix}"
    separator = "\t" if suffix == ".tsv" else ","
    frame().to_csv(path, index=False, encoding=encoding, sep=separator)
    as_pandas_has_it(read_table(path), pd.read_csv(path, sep=separator))


def test_parquet_is_read_as_pandas_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "people.parquet"
    written = frame().astype({"rooms": "int8"})
    written["kind"] = written.city.astype("category")
    written["price"] = pa.array(range(200), pa.decimal128(9, 2)).to_pandas()
    written["nothing"] = None
    written.to_parquet(path)
    expected = pd.read_parquet(path).astype({"price": float, "nothing": float})
    as_pandas_has_it(read_table(path), expected)


def test_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("größe;ort;y\n1,5;Köln, Dom;ja\n-2;;nein\n,25;Bonn;ja\n", encoding="utf-8-sig")
    table = read_table(path)
    assert table.columns["größe"].tolist() == [1.5, -2.0, 0.25]
    assert table.columns["ort"].tolist() == ["Köln, Dom", None, "Bonn"]


def test_whole_columns_decide_what_they_hold(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    n = 25_000
    lines = [f"{i},{i:05},{'' if i < 15_000 else 'x'}" for i in range(n)]
    path.write_text("\n".join(["i,code,late", *lines[:-1], f"{n - 1},B{n - 1},x"]))
    table = read_table(path)
    assert table.columns["i"].tolist() == list(range(n))
    assert table.columns["code"].tolist() == [*(f"{i:05}" for i in range(n - 1)), f"B{n - 1}"]
    assert set(table.columns["late"].tolist()) == {None, "x"}
    pieces = list(table_pieces(path, table.readings))
    assert [len(piece) for piece in pieces] == [10_000, 10_000, 5_000]
    assert np.concatenate([piece.columns["code"] for piece in pieces]).tolist() == table.columns["code"].tolist()
    assert read_table(path, ColumnOptions(categories=("i",))).columns["i"][0] == "0"


def test_the_whole_file_decides_how_columns_are_written_otherwise(tmp_path: Path) -> None:
    trained = {"day": ColumnReading("date", dates="m-d-Y"), "x": ColumnReading("number")}
    rows = [f"{1 + i % 12:02}/{1 + i // 12 % 12:02}/2023;{i % 9},{i % 1000:03}" for i in range(12_000)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["day;x", *rows, "13/01/2023;2,25"]))
    pieces = list(table_pieces(path, trained))
    assert [len(piece) for piece in pieces] == [10_000, 2_001]
    assert not any(piece.wrong for piece in pieces)
    days = np.concatenate([piece.columns["day"] for piece in pieces])
    assert days[1].item() == datetime(2023, 1, 2)
    assert days[-1].item() == datetime(2023, 1, 13)
    assert np.concatenate([piece.columns["x"] for piece in pieces])[[1, -1]].tolist() == [1.001, 2.25]
    plain = dict.fromkeys("xz", ColumnReading("number"))
    for n in (3, 12_000):  # what 3.265 is, other columns of the file tell
        path.write_text("\n".join(["x;z", *["3.265;0,49", "812;0,5"] * n]))
        found = list(table_pieces(path, plain))
        assert [piece.columns["x"][0] for piece in (found[0], found[-1])] == [3265, 3265]
        assert found[-1].columns["z"].tolist()[-2:] == [0.49, 0.5]
    path.write_text("\n".join(["day;x", *rows]))
    assert not list(table_pieces(path, {"day": trained["day"]}))[1].wrong
    path.write_text("\n".join(["day;x", *rows, "2/13/2023;2"]))
    last = list(table_pieces(path, {"day": trained["day"]}))[1]
    assert last.columns["day"][-1].item() == datetime(2023, 2, 13)


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
            st.one_of(st.none(), st.text("ab ,;\"'é\n", min_size=1).map(lambda t: "x" + t.strip() + "x")),
        ),
        min_size=1,
    )
)
def test_what_pandas_writes_comes_back(cells: list[tuple[float | None, str | None]]) -> None:
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        pd.DataFrame(cells, columns=["number", "text"]).to_csv(file.name, index=False)
        found = read_table(file.name, ColumnOptions(categories=("text",), numbers=("number",)))
    np.testing.assert_array_equal(found.columns["number"], np.array([np.nan if c is None else c for c, _ in cells]))
    assert found.columns["text"].tolist() == [text for _, text in cells]


def test_parquet_pieces_and_types(tmp_path: Path) -> None:
    path = tmp_path / "all.parquet"
    pq.write_table(
        pa.table(
            {
                "image": pa.array([{"bytes": b"123", "path": None}, {"bytes": None, "path": "a.png"}, None]),
                "bytes": pa.array([b"1", b"2", None], pa.large_binary()),
                "yes": pa.array([True, None, False]),
                "when": pa.array([1, 2, 3], pa.timestamp("ms")),
                "list": pa.array([[1], [2], []]),
                "text": pa.array([" a", "NA", "?"], pa.large_string()),
                "half": pa.array(np.array([1, 2, np.nan], np.float16)),
            }
        ),
        path,
    )
    table = read_table(path)
    assert table.columns["image"].tolist() == [b"123", "a.png", None]
    assert table.columns["bytes"].tolist() == [b"1", b"2", None]
    assert table.columns["yes"].tolist() == ["True", None, "False"]
    assert table.columns["text"].tolist() == ["a", None, None]
    assert missing(table.columns["half"]).tolist() == [False, False, True]
    assert table.columns["when"].tolist()[0] == datetime(1970, 1, 1, 0, 0, 0, 1_000)
    assert table.unusable == {"list": "List(Int64)"}
    with pytest.raises(DataError, match=r"Column 'list' of .* must hold numbers, text.*got List.*--ignore list"):
        table.column("list", "something")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "names of its columns"),
        (b"\n\n", "names of its columns"),
        (b"a,b\n", "must have rows; got none"),
        (b"a,b,a\n1,2,3\n", "different names; got 'a' twice"),
        (b"a,b\n1,2\n\n3\n", r"Row 1 \(counted from 0; line 4\) of .* has 1 cell, but its header has 2"),
        (b"a,b\n1,2\n1,2,3\n", r"Row 1 \(counted from 0; line 3\) of .* has 3 cells"),
        (b"a,b\n1,caf\xe9\n", "UTF-8 text; got the byte 0xe9 in line 2"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-8 text; got UTF-16.*--encoding utf-16"),
        (
            b'a,b\n1,"open\n',
            "quotes enclose whole cells; got: unexpected end of data, in the row that begins in line 2",
        ),
        (b'a,b\n1,"x"y\n', "quotes enclose whole cells"),
    ],
)
def test_files_that_are_not_tables(tmp_path: Path, content: bytes, error: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=error) as caught:
        read_table(path)
    assert str(path) in str(caught.value)


def test_parquet_files_that_are_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "people.parquet"
    frame().to_parquet(path)
    whole = path.read_bytes()
    for content in (b"", b"not parquet", whole[:-20], whole[: len(whole) // 2], whole[:100] + b"\0" * 60 + whole[160:]):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"people.parquet must be a whole Parquet file; got a damaged"):
            read_table(path)
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), path)
    with pytest.raises(DataError, match="different names; got: column with name 'a'"):
        read_table(path)
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), path)
    with pytest.raises(DataError, match="must have rows"):
        read_table(path)


def test_what_is_a_table() -> None:
    assert is_table("a.CSV")
    assert is_table("b/c.pq")
    assert not is_table("a.png")
    assert as_texts(np.array([2.0, np.nan, 0.5])).tolist() == ["2", None, "0.5"]


# Columns ------------------------------------------------------------------------------------------------------


def test_columns_that_say_nothing_are_left_out_with_a_sentence() -> None:
    n = 40
    values = {
        "row": np.arange(n) + 1.0,
        "year": np.arange(n) + 1940.0,
        "name": np.array([f"person {i}" for i in range(n)], dtype=object),
        "empty": np.full(n, np.nan),
        "same": np.full(n, 3.0),
        "word": np.array(["a"] * n, dtype=object),
        "sometimes": np.array(["a", None] * (n // 2), dtype=object),
        "age": np.linspace(0, 1, n) ** 2,
        "city": np.array(["Rome", "Oslo"] * (n // 2), dtype=object),
    }
    columns, notes = describe(Table("a table", values), list(values), np.arange(n), ColumnOptions())
    assert columns == (
        Column("year"),
        Column("sometimes", ("a",), missing=True),
        Column("age"),
        Column("city", ("Oslo", "Rome")),
    )
    assert notes == [
        "Column 'row' is ignored: it counts the rows (--keep row).",
        "Column 'name' is ignored: it looks like names or keys, 40 different texts in 40 rows (--keep name).",
        "Column 'empty' is ignored: it has no value in any row.",
        "Column 'same' is ignored: it is 3 in every row.",
        "Column 'word' is ignored: it is 'a' in every row.",
    ]


def test_rows_are_encoded_by_name_in_any_order() -> None:
    columns = (Column("age", missing=True), Column("city", ("Oslo", "Rome")), Column("size"), Column("zip", ("7", "8")))
    table = Table(
        "new.csv",
        {
            "city": np.array(["Rome", "Paris", None, "Oslo"], dtype=object),
            "other": np.array(["x"] * 4, dtype=object),
            "size": np.array([1.0, 2.0, np.nan, np.nan]),
            "age": np.array([1.0, np.nan, 3.0, 4.0]),
            "zip": np.array([7.0, 8.0, 9.0, np.nan]),
        },
        wrong={"size": {2: "big"}},
    )
    encoded = encode(table, columns, first_row=100)
    np.testing.assert_array_equal(
        encoded.X, [[1, 1, 1, 0], [np.nan, np.nan, 2, 1], [3, np.nan, np.nan, np.nan], [4, 0, np.nan, np.nan]]
    )
    assert {name: texts.rows for name, texts in encoded.unknown.items()} == {"city": 1, "zip": 1}
    assert list(encoded.refused) == [2, 3]
    assert "'size' must have numbers; got 'big' in row 102" in encoded.refused[2]
    assert "'size' must have a value in every row; got none in row 103" in encoded.refused[3]
    with pytest.raises(DataError, match=r"no column 'wide' and 1 more. It needs 'age', 'wide', 'high', in any order"):
        encode(table, (columns[0], Column("wide"), Column("high")))
    with pytest.raises(DataError, match="got date"):
        encode(Table("t", table.columns, {"day": "date32[day]"}), (Column("day"),))


# Answers ------------------------------------------------------------------------------------------------------


def test_numbers_are_classes_or_targets_by_a_rule_that_is_announced() -> None:
    few = read_answers(np.array([10.0, 9.0, 10.0, 9.0, 11.0, 11.0]), "auto", "Column 'y' of a.csv")
    assert (few.task, few.labels, few.label_type) == ("classification", ("9", "10", "11"), "int")
    assert few.note is not None
    assert "3 distinct whole numbers, treated as classes (--task regression" in few.note
    many = read_answers(np.arange(100.0), "auto", "y")
    assert many.task == "regression"
    assert many.note is not None
    assert "to be predicted" in many.note
    assert read_answers(np.array([0.5, 1.5] * 9), "auto", "y").task == "regression"
    halves = read_answers(np.array([0.5, 1.5] * 9), "classification", "y")
    assert (halves.labels, halves.label_type, halves.note) == (("0.5", "1.5"), "float", None)
    assert read_answers(few.y.astype(float), "regression", "y").task == "regression"


def test_texts_are_classes_sorted_by_name() -> None:
    found = read_answers(np.array(["b", "a", "b"], dtype=object), "auto", "y")
    assert (found.labels, found.y.tolist(), found.label_type) == (("a", "b"), [1, 0, 1], "str")
    assert read_answers(np.array(["10", "9"] * 2, dtype=object), "auto", "y").labels == ("9", "10")
    assert read_answers(np.array(["True", "False"] * 2, dtype=object), "auto", "y").label_type == "bool"
    assert read_answers(np.array(["1.5", "2"], dtype=object), "regression", "y").y.tolist() == [1.5, 2.0]


def test_answers_that_are_none() -> None:
    with pytest.raises(
        DataError, match=r"y must have an answer in every row; got none in 7 of 21 rows.*: 0, 3, 6, 9, 12"
    ):
        read_answers(np.array(([None, "a", "b"] * 7), dtype=object), "auto", "y")
    with pytest.raises(DataError, match="finite numbers; got inf in row 1"):
        read_answers(np.array([1.0, np.inf]), "auto", "y")
    with pytest.raises(DataError, match="numeric targets for regression; got 'b' in row 1"):
        read_answers(np.array(["1", "b"], dtype=object), "regression", "y")
    with pytest.raises(DataError, match="different text in each of 30 rows"):
        read_answers(np.array([f"t{i}" for i in range(30)], dtype=object), "auto", "y")
    with pytest.raises(DataError, match="got bytes"):
        read_answers(np.array([b"a", b"b"], dtype=object), "auto", "y")


# Data sets ----------------------------------------------------------------------------------------------------


def test_a_table_becomes_a_data_set(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    frame().to_csv(path, index=False)
    dataset = open_dataset(path)
    assert dataset.task == "classification"
    assert dataset.labels == ("old", "young")
    assert dataset.features == ("age", "city", "rooms", "sold")
    assert dataset.columns == (
        Column("age", None, True, NUMBER),
        Column("city", ("Bonn, DE", "Rome", 'the "Hague"', "Ålesund"), True, CATEGORY),
        Column("rooms", None, False, NUMBER),
        Column("sold", ("False", "True"), False, CATEGORY),
    )
    assert dataset.train.X.shape == (200, 4)
    assert dataset.label == "label"
    assert any("'label' is used for the labels" in note for note in dataset.notes)
    assert dataset.notes[-1] == "Columns: 2 of numbers, 2 of categories; values are missing in 2."
    np.testing.assert_array_equal(dataset.train.X[:, 3], frame().sold)

    pq_path = tmp_path / "people.parquet"
    frame().to_parquet(pq_path)
    assert open_dataset(pq_path).sha256 == dataset.sha256
    assert open_dataset(path, label="sold").labels == ("False", "True")
    assert open_dataset(path, label="rooms", task="regression").task == "regression"
    renamed = tmp_path / "renamed.csv"
    frame().rename(columns={"age": "years"}).to_csv(renamed, index=False)
    assert open_dataset(renamed).sha256 != dataset.sha256


def test_the_columns_of_a_model_read_a_table_as_it_does(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    frame().assign(code=lambda f: np.where(f.sold, "01", "x")).to_csv(first, index=False)
    dataset = open_dataset(first)
    part = frame(30, seed=1).assign(code="01", extra=1)[["label", "extra", "code", "sold", "rooms", "age", "city"]]
    part.loc[0, "city"] = "Paris"
    part[part.label == "old"].to_csv(second, index=False)
    judged = open_table(second, columns=dataset.columns, to_learn=False)
    assert judged.columns == dataset.columns
    assert judged.labels == ("old",)
    assert set(judged.train.X[:, 4]) == {0.0}
    n = len(judged.train)
    assert (
        f"Column 'city' has categories that the model does not know in 1 of {n} rows, such as 'Paris'; they are "
        "treated as missing."
        in judged.notes
        or (part.label[0] != "old")
    )


def test_a_column_may_say_what_rows_are_for(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    people = frame()
    people["Split"] = ["train"] * 120 + ["val"] * 30 + ["test"] * 50
    people.to_csv(path, index=False)
    dataset = open_dataset(path)
    assert dataset.val is not None
    assert dataset.test is not None
    assert (len(dataset.train), len(dataset.val), len(dataset.test)) == (120, 30, 50)
    assert "Column 'Split' assigns the rows to parts: 120 train, 30 val, 50 test." in dataset.notes
    assert dataset.features == ("age", "city", "rooms", "sold")
    assert dataset.labels[dataset.test.y[0]] == people.label[150]

    people.loc[199, "label"] = "ancient"
    people.to_csv(path, index=False)
    with pytest.raises(
        DataError, match=r"'label' .* no label in the other rows that the training rows lack; got 'ancient' in row 199"
    ):
        open_dataset(path)
    people["Split"] = "test"
    people.to_csv(path, index=False)
    with pytest.raises(DataError, match="must name rows to train on; got 200 test only"):
        open_dataset(path)
    assert len(open_table(path, to_learn=False).train) == 200
    people["Split"] = ["left", "right"] * 100
    people.to_csv(path, index=False)
    assert "Split" in (open_dataset(path).features or ())


def test_tables_without_answers_or_columns(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    frame().to_csv(path, index=False)
    with pytest.raises(
        DataError, match=r"must have a column 'lable' with the answers; got none. Did you mean 'label'\?"
    ):
        open_dataset(path, label="lable")
    frame().rename(columns={"label": "verdict"}).to_csv(path, index=False)
    with pytest.raises(
        DataError, match=r"got none with a usual name. Its columns are 'age', 'city', 'rooms', 'sold', 'verd"
    ):
        open_dataset(path)
    frame().assign(Target=1).to_csv(path, index=False)
    with pytest.raises(DataError, match="got 'label' and 'Target', each of which could be it"):
        open_dataset(path)
    frame()[["label"]].assign(k=1).to_csv(path, index=False)
    with pytest.raises(DataError, match=r"an input column besides 'label'; got none. Column 'k' is ignored"):
        open_dataset(path)
    infinite = frame().astype({"rooms": float})
    infinite.loc[3, "rooms"] = np.inf
    infinite.to_csv(path, index=False)
    with pytest.raises(DataError, match=r"'rooms' must have finite numbers; got inf in row 3"):
        open_dataset(path)
    parquet = tmp_path / "people.parquet"
    pq.write_table(pa.table({"label": ["a", "b"] * 20, "day": [[1]] * 40}), parquet)
    with pytest.raises(DataError, match=r"Column 'day' of .*people.parquet must hold .*; got List"):
        open_dataset(parquet)
    with pytest.raises(DataError, match="Column 'day' of"):
        open_dataset(parquet, label="day")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match="got a folder"):
        read_table(tmp_path / "folder.csv")


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ('"temp; air","wind; dir",label\n0.5,1,a\n0.25,2,b\n', ["temp; air", "wind; dir", "label"]),
        ("w (cm, outer);d (cm, inner);label\n0,5;1,5;a\n0,25;2,5;b\n", ["w (cm, outer)", "d (cm, inner)", "label"]),
        ("a\tb\tlabel\n0,5\t1\tx\n0,25\t2\ty\n", ["a", "b", "label"]),
        ("a|b|label\n0.5|1|x\n0.25|2|y\n", ["a", "b", "label"]),
        ("sep=|\na|b,c|label\n0.5|1|x\n0.25|2|y\n", ["a", "b,c", "label"]),
        ("# made by hand, 2024\n\na,b,label\n0.5,1,x\n0.25,2,y\n", ["a", "b", "label"]),
        ("#a,b,label\n0.5,1,x\n0.25,2,y\n", ["#a", "b", "label"]),
        ("# of May\n#a,b,label\n#1,1,x\n2,2,y\n", ["#a", "b", "label"]),
        ("Results of May\na,b,label\n0.5,1,x\n0.25,2,y\n", ["a", "b", "label"]),
        ("a;b;label;\n0.5;1;x;\n0.25;2;y;\n", ["a", "b", "label"]),
        ("a,b,label\r0.5,1,x\r0.25,2,y\r", ["a", "b", "label"]),
        ('a, "b", "label"\n0.5, 1, "x"\n0.25, 2, "y"\n', ["a", "b", "label"]),
    ],
)
def test_the_separator_and_the_heading_are_those_that_fit_the_rows(
    tmp_path: Path, content: str, columns: list[str]
) -> None:
    table = read_table(written(tmp_path / "t.csv", content))
    assert list(table.columns) == columns
    assert len(table) == 2
    assert not any('"' in text for text in table.columns["label"].tolist())


def test_what_is_not_plain_is_read_from_there_on(tmp_path: Path) -> None:
    plain = "".join(f"{i},t{i}\n" for i in range(30_000))
    path = written(tmp_path / "t.csv", f'n,t\n{plain}30000,"a, ""b"""\n\n30001,5" pipe\n30002, "c, d"\n')
    table = read_table(path)
    assert table.columns["n"].tolist() == list(range(30_003))
    assert table.columns["t"].tolist()[-3:] == ['a, "b"', '5" pipe', "c, d"]
    written(path, f"n,t\n{plain}1\n")
    with pytest.raises(DataError, match=r"Row 30000 \(counted from 0; line 30002\) of .* has 1 cell,"):
        read_table(path)


def test_cells_of_any_length(tmp_path: Path) -> None:
    long = "x" * 10_000_000
    table = read_table(written(tmp_path / "t.csv", f'a,b\n1,"{long}"\n2, "y"\n'))
    assert [len(text) for text in table.columns["b"].tolist()] == [10_000_000, 1]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_other_encodings_are_read_when_named(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path / "t.csv", "größe,ort\n1,Köln\n2,Bonn\n".encode(encoding))
    with pytest.raises(DataError, match=r"--encoding"):
        read_table(path)
    pieces = list(table_pieces(path, {}, ColumnReading("category"), ColumnOptions(encoding=encoding)))
    assert pieces[0].columns["ort"].tolist() == ["Köln", "Bonn"]
    with pytest.raises(ConfigError, match="encoding must be one that Python knows; got 'latin-77'"):
        list(table_pieces(path, {}, None, ColumnOptions(encoding="latin-77")))


def test_tables_without_a_heading(tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "t.csv", "1,x\n2,y\n"), ColumnOptions(header=False))
    assert table.columns["column 1"].tolist() == [1.0, 2.0]
    assert table.columns["column 2"].tolist() == ["x", "y"]
    assert "--no-header" in " ".join(read_table(written(tmp_path / "n.csv", "1,2\n3,4\n")).notes)


@pytest.mark.parametrize("suffix", [".csv.gz", ".csv.bz2", ".csv.xz", ".txt", ".jsonl", ".feather", ".xlsx"])
def test_every_format_gives_the_same_table(tmp_path: Path, suffix: str) -> None:
    found, path = frame().drop(columns="sold"), tmp_path / f"people{suffix}"
    if suffix == ".jsonl":
        found.to_json(path, orient="records", lines=True)
    elif suffix == ".feather":
        found.to_feather(path)
    elif suffix == ".xlsx":
        pl.from_pandas(found).write_excel(path)
    else:
        found.to_csv(path, index=False)
    as_pandas_has_it(read_table(path), found)


def test_packed_files_that_are_damaged_or_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame().to_csv(tmp_path / "t.csv.gz", index=False)
    whole = (tmp_path / "t.csv.gz").read_bytes()
    with pytest.raises(DataError, match="must be a whole packed file"):
        read_table(written(tmp_path / "cut.csv.gz", whole[:-30]))
    monkeypatch.setattr("likely.data.unpack_budget.MOST", 1_000)
    with pytest.raises(DataError, match="must unpack to at most 1,000 bytes, for its size; got more"):
        read_table(tmp_path / "t.csv.gz")


@given(st.text('a1,"\n\r é', max_size=40))
def test_polars_reads_what_is_plain_as_csv_does(text: str) -> None:
    whole = f"a,b\n{text}"
    data = np.frombuffer(whole.encode(), np.uint8)
    if None in plain_pieces(data, 4, ",", 2):
        return
    rows = list(csv.reader(io.StringIO(whole, newline=""), strict=True))[1:]
    frame = pl.read_csv(
        whole[4:].encode(), has_header=False, schema={"a": pl.String, "b": pl.String}, empty_string_is_null=False
    )
    assert [list(row) for row in frame.rows()] == rows


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("Sales report,,\na,b,label\n0.5,1,x\n0.25,2,y\n", ["a", "b", "label"]),
        ("Sales report\nof May 2024\na,b,label\n0.5,1,x\n0.25,2,y\n", ["a", "b", "label"]),
        ("Sales report,,\n,,\n,,\na,b,label\n0.5,1,x\n0.25,2,y\n", ["a", "b", "label"]),
        ("Sales report,,\nof May 2024,,\na,b,label\n0.5,1,x\n0.25,2,y\n", ["a", "b", "label"]),
        ("a,,,label\n1,2,3,x\n4,5,6,y\n", ["a", "column 2", "column 3", "label"]),
        (",a,label\n0,2,x\n1,5,y\n", ["", "a", "label"]),
    ],
)
def test_titles_are_skipped_and_columns_without_a_name_get_one(
    tmp_path: Path, content: str, columns: list[str]
) -> None:
    table = read_table(written(tmp_path / "t.csv", content))
    assert list(table.columns) == columns
    assert len(table) == 2


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("a,b\n1,2\nTotal: 5\n", r"line 3\).*has 1 cell, .*'Total: 5'.*remove the line"),
        ("a,b\n1,2\n# noon\n3,4\n", r"line 3\).*'# noon'.*remove the line"),
        ("sep=,\na;b\n1;2\n3;4\n", "'sep=,' above rows that ';' separates. Remove line 1"),
        ("a,b\n1,x\na,b\n2,y\n", r"got it again in row 1 \(line 3\)"),
        ("a,b\n1,x\n\na,b\n2,y\n", r"got it again in row 1 \(line 4\)"),
        ("a,b\n1,2\n".encode("utf-32"), "UTF-32.*--encoding utf-32"),
        (b"PK\x03\x04 and more", "got a zip archive .*Unpack it"),
    ],
)
def test_lines_and_bytes_that_do_not_fit_are_named(tmp_path: Path, content: str | bytes, error: str) -> None:
    with pytest.raises(DataError, match=error):
        read_table(written(tmp_path / "t.csv", content))


def test_a_key_that_comes_twice_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    row = '{"x": "a \\"x\\": b", "of": {"z": 1}, "again": {"z": 2}, "y": "u"}\n'
    path.write_text(row + "\n" + '{"x": "c", "x" : "d", "y": "v"}\n')
    with pytest.raises(DataError, match="each object; got 'x' twice in line 3"):
        read_table(path)
    path.write_text(row * 3)
    assert read_table(path).columns["x"].tolist() == ['a "x": b'] * 3


def test_the_content_decides_where_the_name_of_a_file_is_wrong(tmp_path: Path) -> None:
    for suffix in ("gz", "bz2", "xz"):
        frame().to_csv(tmp_path / f"t.csv.{suffix}", index=False)
        path = written(tmp_path / "t.csv", (tmp_path / f"t.csv.{suffix}").read_bytes())
        assert len(read_table(path)) == 200
    assert list(read_table(written(tmp_path / "c.tsv", "a,b\n1,x\n2,y\n")).columns) == ["a", "b"]
    assert list(read_table(written(tmp_path / "t.tsv", "a\tb\n1,5\tx,1\n2,5\ty,2\n")).columns) == ["a", "b"]
    with pytest.raises(DataError, match=r"separated by commas, .* got the heading 'x:z:y', which stays one cell"):
        open_dataset(written(tmp_path / "o.csv", "x:z:y\n1:2:a\n3:4:b\n"), label="y")
    with pytest.raises(DataError, match="text in ascii; got other bytes in line 3"):
        read_table(written(tmp_path / "l.csv", "a,b\n1,x\n2,é\n"), ColumnOptions(encoding="ascii"))


@pytest.mark.parametrize("text", ["a,b\n1,\n2,", "a,b\r\n1,\r\n2,", 'a,b\n"1",""\n2,""', "a,b\n1,\n2,\n"])
def test_the_last_cell_of_a_text_may_be_empty(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode())
    found = read_table(path).columns
    assert found["a"].tolist() == [1.0, 2.0]
    assert np.isnan(found["b"]).all()
