import dataclasses
from pathlib import Path

import numpy as np
import pytest
from sklearn import datasets

from likely.config.registry import DATA_SETS
from likely.data.dataset import Dataset, Part
from likely.data.sources import open_dataset
from likely.data.validate import validate
from likely.errors import ConfigError, DataError, ShapeError

LOADERS = {
    "wine": datasets.load_wine,
    "iris": datasets.load_iris,
    "breast-cancer": datasets.load_breast_cancer,
    "diabetes": lambda: datasets.load_diabetes(scaled=False),
}


def test_the_names_on_offer() -> None:
    assert tuple(DATA_SETS) == ("fashion-mnist", "digits", "wine", "iris", "breast-cancer", "diabetes")


@pytest.mark.parametrize("name", LOADERS)
def test_bundled_tables_hold_the_rows_of_scikit_learn(name: str) -> None:
    dataset, bunch = open_dataset(name), LOADERS[name]()
    assert dataset.test is not None
    X = np.concatenate([dataset.train.X, dataset.test.X])
    y = np.concatenate([dataset.train.y, dataset.test.y])
    ours, theirs = np.column_stack([X, y]), np.column_stack([bunch.data, bunch.target])
    np.testing.assert_array_equal(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)])
    assert dataset.features == tuple(bunch.feature_names)
    assert len(dataset.test) == round(len(y) / 5)
    assert any("seed 0" in note for note in dataset.notes)


@pytest.mark.parametrize("name", ["digits", "wine", "iris", "breast-cancer"])
def test_the_test_part_is_always_the_same_and_holds_every_class(name: str) -> None:
    dataset = open_dataset(name)
    assert dataset.test is not None
    assert set(dataset.test.y.tolist()) == set(dataset.train.y.tolist())
    assert dataset.sha256 == open_dataset(name).sha256


def test_digits_are_images_that_must_not_be_mirrored() -> None:
    dataset = open_dataset("digits")
    assert dataset.train.X.shape[1:] == (8, 8)
    assert dataset.train.X.dtype == np.uint8
    assert set(np.unique(dataset.train.X)) == {round(level * 255 / 16) for level in range(17)}
    assert dataset.labels == tuple("0123456789")
    assert (dataset.hflip, dataset.conversion, dataset.label_type) == (False, None, "int")


def test_diabetes_is_a_regression_in_the_units_of_the_source() -> None:
    dataset = open_dataset("diabetes")
    assert (dataset.task, dataset.labels) == ("regression", ())
    assert dataset.features is not None
    assert 40 < dataset.train.X[:, dataset.features.index("age")].mean() < 60


def test_breast_cancer_labels_are_in_the_order_of_the_source() -> None:
    dataset = open_dataset("breast-cancer")
    assert dataset.labels == ("malignant", "benign")
    assert np.bincount(dataset.train.y).argmax() == 1


@pytest.mark.parametrize(
    ("name", "hint"),
    [("fashon-mnist", "Did you mean 'fashion-mnist'"), ("Digits", "Did you mean 'digits'"), ("cifar", "Choose from")],
)
def test_an_unknown_name_gets_a_hint_and_the_list(name: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=hint) as raised:
        open_dataset(name)
    assert all(repr(known) in str(raised.value) for known in DATA_SETS)


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="data path must exist"):
        open_dataset(tmp_path / "none")
    for nowhere in ("none.csv", "~nobody-of-this-name/images"):
        with pytest.raises(DataError, match="data path must exist"):
            open_dataset(nowhere)
    with pytest.raises(DataError, match="must be readable; got: File name too long"):
        open_dataset("x" * 300)
    (tmp_path / "one.png").write_bytes(b"")
    with pytest.raises(DataError, match="got a single file"):
        open_dataset(tmp_path / "one.png")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("book.xlsb", b"PK", "an Excel workbook of another kind. Save the sheet as book.xlsx"),
        ("a.SAV", b"$FL2", 'SPSS data. Try import pandas; pandas.read_spss("a.SAV").to_parquet("a.parquet")'),
        ("a.dta", b"", "Stata data. Try import pandas; pandas.read_stata"),
        ("a.sas7bdat", b"", "SAS data. Try import pandas; pandas.read_sas"),
        ("a.rds", b"", 'R data. Try write.csv(readRDS("a.rds"), "a.csv"'),
        ("a.h5", b"", "an HDF5 file. Save its arrays X and y with numpy.savez"),
        ("a.json", b"[]", "one JSON document. Save a row per line"),
        ("a.pdf", b"", "a PDF document. Copy its table"),
        ("a.docx", b"", "a document. Copy its table"),
        ("a.zip", b"PK", "an archive. Unpack it"),
        ("a.tar.gz", b"\x1f\x8b", "packed by gzip. Call it a.csv.gz if"),
        ("a.csv.zst", b"", "a file packed in another way. Unpack it"),
        ("a.pkl", b"", "a pickle, which could run any code. Export"),
        ("one.png", b"", "an image. Try its folder"),
        ("table", b"a,b\n1,2\n", "text without an ending. Call it table.csv"),
        ("table", b"PAR1", "Parquet under another name. Call it table.parquet"),
        ("table", b"SQLite format 3\0", "an SQLite database. Try sqlite3"),
        ("a.dat", b"a\0b", "binary data with the ending .dat. Export"),
        ("a.dat", b"", "an empty one with the ending .dat. Check"),
    ],
)
def test_a_file_of_another_kind_is_told_what_it_is(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as raised:
        open_dataset(tmp_path / name)
    assert f"got a single file: {words}" in str(raised.value)
    for ending in (".csv", ".tsv", ".txt", ".parquet", ".feather", ".jsonl", ".xlsx", ".gz", ".bz2", ".xz", ".npz"):
        assert ending in str(raised.value)


def test_a_name_comes_before_a_folder_of_the_same_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    assert open_dataset("digits").found_at == "scikit-learn"
    with pytest.raises(DataError, match="must hold class folders"):
        open_dataset("./digits")


# What every source must fulfil.

ROWS = Part(np.arange(12.0).reshape(6, 2), np.array([0, 1, 2, 0, 1, 2]))
NUMBERS = Dataset("numbers", "classification", ROWS, ROWS, labels=("a", "b", "c"), features=("width", "height"))
TARGETS = Dataset("targets", "regression", Part(ROWS.X, np.arange(6.0)))
NOISE = np.random.default_rng(0).integers(0, 256, (6, 4, 4), dtype=np.uint8)
IMAGES = Dataset("images", "classification", Part(NOISE, ROWS.y), labels=("a", "b", "c"))


def with_value(X: np.ndarray, value: float) -> np.ndarray:
    changed = X.copy()
    changed[2, 1] = value
    return changed


@pytest.mark.parametrize("dataset", [NUMBERS, TARGETS, IMAGES])
def test_good_data_passes_as_it_is(dataset: Dataset) -> None:
    assert validate(dataset) is dataset


def test_some_constant_images_are_no_obstacle() -> None:
    X = np.zeros_like(NOISE)
    X[5] = NOISE[5]
    validate(dataclasses.replace(IMAGES, train=Part(X, ROWS.y)))


@pytest.mark.parametrize(
    ("dataset", "changes", "error", "message"),
    [
        (NUMBERS, {"train": ROWS.take(np.array([], dtype=int))}, DataError, "training part of numbers must have rows"),
        (NUMBERS, {"test": ROWS.take(np.array([], dtype=int))}, DataError, "test part of numbers must have rows"),
        (
            NUMBERS,
            {"train": Part(with_value(ROWS.X, np.nan), ROWS.y)},
            DataError,
            "got nan in column 'height' at row 2",
        ),
        (NUMBERS, {"test": Part(with_value(ROWS.X, np.inf), ROWS.y)}, DataError, "got inf in column 'height' at row 2"),
        (
            NUMBERS,
            {"features": None, "train": Part(with_value(ROWS.X, np.nan), ROWS.y)},
            DataError,
            "column 1 at row 2",
        ),
        (NUMBERS, {"train": Part(ROWS.X.astype(str), ROWS.y)}, ShapeError, "real numbers"),
        (NUMBERS, {"train": Part(ROWS.y, ROWS.y)}, ShapeError, r"shape \(6,\)"),
        (NUMBERS, {"test": Part(ROWS.X[:, :1], ROWS.y)}, ShapeError, r"training part's shape \(2,\); got \(1,\)"),
        (NUMBERS, {"train": Part(np.ones((6, 2)), ROWS.y)}, DataError, "identical rows"),
        (NUMBERS, {"train": Part(ROWS.X, ROWS.y - 1)}, DataError, "got -1 at row 0"),
        (NUMBERS, {"test": Part(ROWS.X, ROWS.y + 1)}, DataError, "got 3 at row 2"),
        (NUMBERS, {"train": Part(ROWS.X, ROWS.y.astype(float))}, ShapeError, "integer labels"),
        (NUMBERS, {"train": Part(ROWS.X, ROWS.y * 0)}, DataError, "got only one: 'a'"),
        (NUMBERS, {"train": Part(ROWS.X, ROWS.y % 2)}, DataError, "must have a training row; got none of 'c'"),
        (NUMBERS, {"labels": ("a", "b", "a")}, DataError, "distinct names"),
        (TARGETS, {"train": Part(ROWS.X, np.array([1, 2, np.nan, 4, 5, 6]))}, DataError, "got nan at row 2"),
        (TARGETS, {"train": ROWS}, ShapeError, "floating-point"),
        (IMAGES, {"train": Part(NOISE / 255, ROWS.y)}, ShapeError, "got float64"),
        (IMAGES, {"train": Part(NOISE * 0 + 7, ROWS.y)}, DataError, "all a single color"),
    ],
)
def test_bad_data_is_refused(dataset: Dataset, changes: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        validate(dataclasses.replace(dataset, **changes))
