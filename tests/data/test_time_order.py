"""Which rows are later: numbers and dates in order, and the latest as the test part."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from likely.data.sources import open_dataset
from likely.data.tables.date_text import moments_of_texts
from likely.data.tables.open_table import open_table
from likely.data.test_part import latest, with_test_part
from likely.data.time_order import in_order, time_like
from likely.errors import ConfigError, DataError


def _texts(*texts: str | None) -> np.ndarray:
    found = np.empty(len(texts), dtype=object)
    found[:] = texts
    return found


@pytest.mark.parametrize(
    "texts",
    [
        ("2023-12-31", "2024-01-01", "2024-01-10"),
        ("2023/12/31", "2024/01/01", "2024/01/10"),
        ("2023-12", "2024-01", "2024-10"),
        ("2024-03-01 09:05", "2024-03-01 10:00:01", "2024-03-01T10:00:01.5"),
        ("2024-03-01T10:00+02:00", "2024-03-01T09:00Z", "2024-03-01T09:30+00:00"),
    ],
)
def test_dates_are_in_order(texts: tuple[str, ...]) -> None:
    order = in_order(_texts(*texts), "day", "t.csv")
    assert (np.diff(order) > 0).all()
    assert time_like(_texts(*texts)) == "holds dates"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (_texts("2024-03-01", "soon"), "got 'soon'"),
        (_texts("03/04/2024", "04/04/2024"), "year first"),
        (_texts("2024-03-01", "2024-03-01T10:00Z"), "with and without a time zone"),
        (_texts("2024-03-01", None), "missing in 1 of 2"),
        (np.array([1.0, np.nan, np.nan]), "missing in 2 of 3"),
        (_texts("2024-02-30"), "got '2024-02-30'"),
    ],
)
def test_what_has_no_order_is_refused(values: np.ndarray, words: str) -> None:
    with pytest.raises(DataError, match=words):
        in_order(values, "day", "t.csv")


def test_words_are_no_dates() -> None:
    assert moments_of_texts(_texts("2024")) is None
    assert moments_of_texts(_texts(None, None)) is None
    assert [time_like(_texts(*texts)) for texts in (("a", "b"), ("1", "2"))] == ["", ""]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.cumsum(np.arange(1.0, 40.0)), "grows from row to row"),
        (-np.cumsum(np.arange(1.0, 40.0)), "falls from row to row"),
        (np.array([1.7e12, 1.6e12]), "counts milliseconds since 1970"),
        (np.arange(40.0), ""),  # numbers of rows
        (np.array([1.0, 2.0, 4.0]), ""),  # three rows are in order by chance
        (np.random.default_rng(0).normal(size=40), ""),
        (np.repeat([1.0, 2.0, 3.0], 20), ""),  # sorted by a class
        (np.full(40, 1.7e9), ""),
    ],
)
def test_what_looks_like_a_time(values: np.ndarray, words: str) -> None:
    assert time_like(values) == words


@given(st.lists(st.integers(0, 12), min_size=2, max_size=200), st.floats(0.05, 0.5))
def test_the_latest_rows_are_as_near_to_their_share_as_ties_allow(values: list[int], share: float) -> None:
    order = np.array(values, dtype=float)
    if len(set(values)) < 2:
        with pytest.raises(DataError, match="two values"):
            latest(order, share, "Column 'day'")
        return
    test, rest = latest(order, share, "Column 'day'")
    assert sorted([*test, *rest]) == list(range(len(order)))
    assert order[test].min() > order[rest].max()
    others = [np.count_nonzero(order >= border) for border in np.unique(order)[1:]]
    assert abs(len(test) - share * len(order)) == min(abs(np.array(others) - share * len(order)))


def _table(path: Path, days: Any, labels: Any) -> Path:
    rng = np.random.default_rng(0)
    lines = [f"{day},{rng.normal():.4f},{label}" for day, label in zip(days, labels, strict=True)]
    path.write_text("day,x,label\n" + "\n".join(lines) + "\n")
    return path


DAYS = [f"2024-{month:02}-{day:02}" for month in (3, 1, 2) for day in range(1, 21)]


def test_the_test_part_is_the_latest_fifth(tmp_path: Path) -> None:
    path = _table(tmp_path / "t.csv", DAYS, ["a", "b"] * 30)
    dataset = with_test_part(open_dataset(path, test_last="day"), seed=0)
    assert dataset.test is not None
    assert (len(dataset.train), len(dataset.test)) == (48, 12)
    np.testing.assert_array_equal(dataset.test.X[:, -1], open_dataset(path).train.X[8:20, -1])
    assert "the 12 latest rows by column 'day', 20% of all" in dataset.notes[-1]
    # The same rows whatever the seed.
    other = with_test_part(open_dataset(path, test_last="day"), seed=7)
    assert other.sha256 == dataset.sha256


def test_a_label_that_only_later_rows_have_is_named(tmp_path: Path) -> None:
    labels = ["new" if day.startswith("2024-03") and day[-2:] > "15" else "ab"[i % 2] for i, day in enumerate(DAYS)]
    dataset = with_test_part(open_dataset(_table(tmp_path / "t.csv", DAYS, labels), test_last="day"), seed=0)
    assert any("left no training row of a label: 'new'" in note for note in dataset.notes)


def test_the_column_is_learned_from_as_without_the_option(tmp_path: Path) -> None:
    path = _table(tmp_path / "t.csv", np.arange(60) ** 2, ["a", "b"] * 30)
    with_it, without = open_dataset(path, test_last="day"), open_dataset(path)
    assert with_it.features == without.features == ("day", "x")
    assert any(note.startswith("Column 'day' grows from row to row") for note in without.notes)
    assert not any("grows from row to row" in note for note in with_it.notes)


def test_where_the_option_has_no_meaning(tmp_path: Path) -> None:
    path = _table(tmp_path / "t.csv", DAYS, ["a", "b"] * 30)
    with pytest.raises(ConfigError, match="test_last needs a table"):
        open_dataset("digits", test_last="day")
    with pytest.raises(ConfigError, match="with the answers"):
        open_dataset(path, test_last="label")
    with pytest.raises(DataError, match="Did you mean 'day'"):
        open_dataset(path, test_last="dya")
    text = path.read_text().replace("day,x,label", "day,x,label,split").splitlines()
    path.write_text(
        "\n".join([text[0], *(f"{line},{'test' if i % 5 == 0 else 'train'}" for i, line in enumerate(text[1:]))])
    )
    with pytest.raises(ConfigError, match="test rows by column 'split'"):
        open_table(path, test_last="day")
