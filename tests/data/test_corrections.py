"""Corrected labels: what is written is read again, and what does not fit the data is refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likely.data.corrections import Correction, apply_corrections, row_names, write_corrections
from likely.data.dataset import Dataset, Part
from likely.data.sources import open_dataset
from likely.errors import DataError

ODD = ("=1+1", "-shirt", 'a "coat", blue', "line\nbreak", "Ärmel;lang", "\u200b")


def table(labels: tuple[str, ...] = ("a", "b", "c"), paths: list[str] | None = None) -> Dataset:
    y = np.arange(6) % len(labels)
    return Dataset(
        "coins", "classification", Part(np.arange(12.0).reshape(6, 2), y, paths), labels=labels, found_at="d"
    )


def test_nothing_changes_until_someone_edits(tmp_path: Path) -> None:
    data, file = table(), tmp_path / "corrections.csv"
    write_corrections(file, data, [Correction(4, 1, 2, 1), Correction(0, 0, 1, 0)])
    assert file.read_text(encoding="utf-8") == "row,given,suggested,label\n4,b,c,b\n0,a,b,a\n"
    same = apply_corrections(data, file)
    assert np.array_equal(same.train.y, data.train.y)
    assert "0 training rows" in same.notes[-1]


def test_the_label_column_is_what_counts(tmp_path: Path) -> None:
    data, file = table(), tmp_path / "corrections.csv"
    write_corrections(file, data, [Correction(4, 1, 2, 2), Correction(0, 0, 1, 2), Correction(1, 1, 0, 1)])
    changed = apply_corrections(data, file)
    assert changed.train.y.tolist() == [2, 1, 2, 0, 2, 2]
    assert data.train.y.tolist() == [0, 1, 2, 0, 1, 2]
    assert changed.notes == ("Labels of 2 training rows were corrected by corrections.csv.",)
    assert changed.sha256 != data.sha256


@given(st.permutations(range(6)), st.lists(st.integers(0, 5), min_size=6, max_size=6))
def test_odd_labels_and_paths_come_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[int], to: list[int]
) -> None:
    data = table(ODD, [f"d/{label}/{i}.png" for i, label in enumerate(ODD)])
    file = tmp_path_factory.getbasetemp() / "odd.csv"
    write_corrections(file, data, [Correction(row, row, 0, label) for row, label in zip(rows, to, strict=True)])
    found = apply_corrections(data, file).train.y
    assert [found[row] for row in rows] == to
    assert b"\n=" not in file.read_bytes()
    assert b",=" not in file.read_bytes()


def test_files_are_named_relative_to_the_data_wherever_they_lie() -> None:
    paths = ["d/train/a/1.png", "elsewhere/2.png", *"3456"]
    assert row_names(table(paths=paths)) == ("path", ["train/a/1.png", "elsewhere/2.png", *"3456"])


@pytest.mark.parametrize("text", ["\ufeffrow;given;suggested;label\r\n4;b;c;c\r\n\r\n", "label\trow\tgiven\nc\t4\tb\n"])
def test_what_spreadsheets_make_of_it_is_read(tmp_path: Path, text: str) -> None:
    file = tmp_path / "corrections.csv"
    file.write_bytes(text.encode())
    assert apply_corrections(table(), file).train.y.tolist() == [0, 1, 2, 0, 2, 2]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("row,given,suggested,label\n6,a,b,b\n", "line 2: row must be a training row, 0 to 5 of coins; got '6'"),
        ("row,given,suggested,label\n1,a,b,b\n", "line 2: given must be the label in the data, 'b'; got 'a'"),
        ("row,given,suggested,label\n1,b,c,cc\n", "line 2: label must be a label of coins; got 'cc'"),
        ("row,given,suggested,label\n1,b,c,\n", "line 2: label must be a label of coins; got ''"),
        ("row,given,suggested,label\n1,b,c,c\n1,b,c,c\n", "line 3: each row must appear once; .* line 2"),
        ("row,given,suggested,label\n1,b\n", "line 2: a line must have 4 cells; got 2"),
        ("path,given,suggested,label\n", "no column 'row'"),
        ("", "no column 'row'"),
        ('row,given,suggested,label\n"1,b,c,c\n', "must be CSV"),
    ],
)
def test_a_table_that_does_not_fit_names_its_line(tmp_path: Path, text: str, match: str) -> None:
    file = tmp_path / "corrections.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=match):
        apply_corrections(table(), file)


def test_an_image_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "corrections.csv"
    file.write_text("path,given,label\na/7.png,a,b\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"a training image of coins; got 'a/7\.png'"):
        apply_corrections(table(paths=list("123456")), file)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no\.csv"):
        apply_corrections(table(), tmp_path / "no.csv")
    (tmp_path / "latin.csv").write_bytes("row,gïven".encode("latin-1"))
    with pytest.raises(DataError, match="UTF-8"):
        apply_corrections(table(), tmp_path / "latin.csv")


def test_numbers_have_no_labels_to_correct(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="numeric targets"):
        apply_corrections(Dataset("n", "regression", Part(np.ones((2, 1)), np.ones(2))), tmp_path / "c.csv")


def test_what_a_terminal_heeds_is_escaped_and_read_again(tmp_path: Path) -> None:
    table, esc = tmp_path / "t.csv", "\x1b[31mred\x07"
    table.write_text("a,y\n" + "\n".join(f"{i},{(esc, 'plain')[i % 2]}" for i in range(20)))
    dataset = open_dataset(table, label="y")
    label = dataset.labels.index(esc)
    write_corrections(tmp_path / "c.csv", dataset, [Correction(0, label, 1 - label, 1 - label)])
    assert b"\x1b" not in (tmp_path / "c.csv").read_bytes()
    assert apply_corrections(dataset, tmp_path / "c.csv").train.y[0] == 1 - label
