"""One table as CSV, TSV, Parquet, Arrow, JSON lines, Excel and in memory: the same columns, rows and answers."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

import likely
from likely.config import RunConfig
from likely.data.dataset import Dataset
from likely.data.sources import open_dataset
from likely.data.tables.column_options import USUAL, ColumnOptions
from likely.data.tables.describe import describe
from likely.data.tables.encode import encode
from likely.data.tables.frame import sheet_of
from likely.data.tables.open_table import open_table
from likely.data.tables.read_table import table_of_sheet
from likely.model import ClassifierPredictor
from likely.training.fit import fit

WRITERS: dict[str, Callable[[pl.DataFrame, Path], Any]] = {
    ".csv": pl.DataFrame.write_csv,
    ".tsv": lambda frame, path: frame.write_csv(path, separator="\t"),
    ".txt": lambda frame, path: frame.write_csv(path, separator=";", quote_style="non_numeric"),
    ".parquet": pl.DataFrame.write_parquet,
    ".feather": pl.DataFrame.write_ipc,
    ".jsonl": pl.DataFrame.write_ndjson,
    ".xlsx": pl.DataFrame.write_excel,
}

# What none of these reads as a number, a date, true or false, or nothing; spaces around it are not kept.
WORDS = st.builds(
    lambda begin, rest: (begin + rest).strip(),
    st.sampled_from(["x", "Q", '"q', "=k", "'k", "-k", "#w", "k,", "k;", "ß", "字", "k\n"]),
    st.text(st.sampled_from("abz 01,;.:'\"|=+-\n\tß字é😀%"), max_size=6),
)
NUMBERS = st.floats(-1e6, 1e6).map(lambda x: float(f"{x:.9g}"))
NAMES = st.lists(WORDS.filter(lambda name: "\n" not in name), min_size=2, max_size=4, unique_by=str.casefold)


@st.composite
def frames(draw: st.DrawFn, rows: int = 24) -> pl.DataFrame:
    """Columns of words and numbers, with gaps, and a label of two or three words."""
    columns: dict[str, list[Any]] = {}
    for name in draw(NAMES):
        kind = draw(st.sampled_from(["words", "numbers", "whole", "prose"]))
        if kind == "words":
            values = st.sampled_from(draw(st.lists(WORDS, min_size=2, max_size=5, unique=True)))
        else:
            values = {"numbers": NUMBERS, "whole": st.integers(-(10**9), 10**9), "prose": WORDS}[kind]
        if draw(st.booleans()):
            values = st.none() | values
        columns[name] = draw(st.lists(values, min_size=rows, max_size=rows))
    columns["size"] = draw(st.lists(NUMBERS, min_size=rows, max_size=rows, unique=True))
    labels = draw(st.lists(WORDS, min_size=2, max_size=3, unique_by=str.casefold))
    columns["label"] = [labels[i % len(labels)] for i in range(rows)]
    kinds = {name: _type(values) for name, values in columns.items()}
    return pl.DataFrame(columns, schema=kinds)


def _type(values: list[Any]) -> Any:
    first = next((value for value in values if value is not None), "")
    return {str: pl.String, float: pl.Float64, int: pl.Int64}[type(first)]


def written(frame: pl.DataFrame, folder: str) -> list[Path]:
    paths = [Path(folder) / f"table{suffix}" for suffix in WRITERS]
    for path in paths:
        WRITERS[path.suffix](frame, path)
    return paths


def in_memory(frame: Any, options: ColumnOptions = USUAL) -> tuple[list[Any], np.ndarray]:
    table = table_of_sheet(sheet_of(frame), options, "label")
    names = [name for name in table.columns if name != "label"]
    columns, _ = describe(table, names, np.arange(len(table)), options)
    return [(c.name, c.categories, c.missing) for c in columns], encode(table, columns).X


def check_alike(dataset: Dataset, frame: pl.DataFrame, options: ColumnOptions = USUAL) -> None:
    columns, X = in_memory(frame, options)
    assert [(c.name, c.categories, c.missing) for c in dataset.columns or ()] == columns, dataset.name
    np.testing.assert_array_equal(dataset.train.X, X, err_msg=dataset.name)
    labels = [dataset.labels[i] for i in dataset.train.y]
    assert labels == frame["label"].to_list(), dataset.name


@settings(max_examples=20, derandomize=True)
@given(frames())
def test_every_format_gives_the_columns_and_rows_of_the_frame(frame: pl.DataFrame) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for path in written(frame, folder):
            check_alike(open_dataset(path, label="label"), frame)


@settings(max_examples=20, derandomize=True)
@given(frames())
def test_pandas_and_pyarrow_hold_what_polars_holds(frame: pl.DataFrame) -> None:
    columns, X = in_memory(frame)
    for other in (frame.to_pandas(), frame.to_arrow()):
        found, same = in_memory(other)
        assert found == columns
        np.testing.assert_array_equal(same, X)


# Texts that look like anything: codes, numbers, dates, true and false.
WILD = st.text(st.sampled_from("0123456789.,eE-+/: %$xTrue"), min_size=1, max_size=7).map(str.strip).filter(bool)
LOOKS = (
    ["007", "012", "1"],
    ["1E3", "2E5", "1000"],
    ["1.0", "1.50", "1"],
    ["1,375", "2,100", "3"],
    ["12%", "7%"],
    ["2020-01-31", "2021-02-03"],
    ["31/01/2020", "01/02/2021"],
    ["True", "False", "true"],
    ["9007199254740993", "9007199254740992"],
    ["-999", "1", "2", "3"],
)


@settings(max_examples=20, derandomize=True)
@given(frames(), st.data())
def test_declared_columns_are_alike_whatever_their_texts_look_like(frame: pl.DataFrame, data: st.DataObject) -> None:
    texts = data.draw(st.just(WILD) | st.sampled_from(LOOKS).map(st.sampled_from))
    codes = st.lists(texts, min_size=len(frame), max_size=len(frame))
    frame = frame.with_columns(pl.Series("code", data.draw(codes)))
    texts_of = tuple(name for name in frame.columns if frame[name].dtype == pl.String and name != "label")
    numbers = tuple(name for name in frame.columns if frame[name].dtype.is_numeric())
    options = ColumnOptions(categories=texts_of, numbers=numbers)
    with tempfile.TemporaryDirectory() as folder:
        for path in written(frame, folder):
            check_alike(open_table(path, label="label", options=options), frame, options)


def test_models_of_every_format_are_one_and_answer_every_format(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    size = rng.normal(size=120).round(3)
    frame = pl.DataFrame(
        {
            "size": [None if i % 17 == 3 else float(x) for i, x in enumerate(size)],
            "place, year": [["Rome", "São Paulo", 'the "old" town', None][i] for i in rng.integers(0, 4, 120)],
            "label": ["=up" if x > 0 else "down; far" for x in size + rng.normal(size=120) / 2],
        }
    )
    paths = written(frame, str(tmp_path))
    answers: list[np.ndarray] = []
    for path in paths:
        run = tmp_path / f"run{path.suffix}"
        fit(RunConfig(data=str(path), network="linear", out=str(run), label="label"))
        model = likely.load(run)
        assert isinstance(model, ClassifierPredictor)
        assert model.columns is not None
        table = table_of_sheet(sheet_of(frame), label="label")
        answers.append(model.predict_proba(encode(table, model.columns).X))
        others = [open_table(other, label="label", columns=model.columns, to_learn=False) for other in paths]
        answers += [model.predict_proba(other.train.X) for other in others]
    for found in answers:
        np.testing.assert_array_equal(found, answers[0])


def test_an_estimator_of_a_frame_answers_every_format(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    frame = pl.DataFrame(
        {
            "size": [None if i % 17 == 3 else round(float(x), 3) for i, x in enumerate(rng.normal(size=100))],
            "place": [["Rome", "São Paulo", None][i] for i in rng.integers(0, 3, 100)],
        }
    )
    y = np.where(rng.normal(size=100) > frame["size"].fill_null(0).to_numpy(), "a, b", "=c")
    rows = written(frame.with_columns(label=pl.Series(y)), str(tmp_path))
    models = [
        likely.Classifier(network="linear", random_state=0).fit(X, y)
        for X in (frame, frame.to_pandas(), frame.to_arrow())
    ]
    P = models[0].predict_proba(frame)
    for model in models:
        for other in (frame.to_pandas(), frame.to_arrow(), frame.select("place", "size")):
            np.testing.assert_array_equal(model.predict_proba(other), P)
        for path in rows:
            part = open_table(path, label="label", columns=model.predictor_.columns, to_learn=False).train
            np.testing.assert_array_equal(model.predictor_.predict_proba(part.X), P)
