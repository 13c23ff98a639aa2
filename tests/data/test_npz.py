"""Arrays in an .npz: found by name, never unpickled, measured before they are read."""

import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from likely.data import npz
from likely.data.npz import read_headers
from likely.data.sources import open_dataset
from likely.errors import DataError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (40, 5, 4), dtype=np.uint8)
LABELS = np.arange(40) % 4
TABLE = RNG.normal(size=(40, 3))


def saved(path: Path, **arrays: Any) -> Path:
    np.savez_compressed(path, **arrays)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.npz"


@pytest.mark.parametrize(
    "names",
    [
        ("X", "y"),
        ("x", "y"),
        ("images", "labels"),
        ("data", "target"),
        ("X_train", "y_train", "X_test", "y_test"),
        ("x_train", "y_train", "x_test", "y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("xtrain", "ytrain", "xtest", "ytest"),
        ("train_images", "train_labels", "test_images", "test_labels", "val_images", "val_labels"),
        ("X_train", "y_train"),
    ],
)
def test_the_usual_names_are_found(path: Path, names: tuple[str, ...]) -> None:
    arrays = dict(zip(names, (IMAGES, LABELS, IMAGES[:8], LABELS[:8], IMAGES[:4], LABELS[:4]), strict=False))
    dataset = open_dataset(saved(path, **arrays, unrelated=np.zeros(3)))
    np.testing.assert_array_equal(dataset.train.X, IMAGES)
    np.testing.assert_array_equal(dataset.train.y, LABELS)
    assert dataset.labels == ("0", "1", "2", "3")
    assert dataset.label_type == "int"
    assert (dataset.test is not None) == (len(names) >= 4)
    assert (dataset.val is not None) == (len(names) == 6)
    if dataset.test is not None:
        np.testing.assert_array_equal(dataset.test.X, IMAGES[:8])
    assert "; not used: unrelated." in dataset.notes[0]


def test_images_and_numbers_in_their_usual_forms(path: Path) -> None:
    assert open_dataset(saved(path, X=IMAGES[..., None], y=LABELS)).train.X.shape == (40, 5, 4)
    color = RNG.integers(0, 256, (40, 5, 4, 3), dtype=np.uint8)
    assert open_dataset(saved(path, X=color, y=LABELS[:, None])).train.X.shape == (40, 5, 4, 3)
    assert open_dataset(saved(path, X=np.moveaxis(color, 3, 1), y=LABELS)).train.X.shape == (40, 5, 4, 3)
    assert open_dataset(saved(path, X=IMAGES / 255, y=LABELS)).train.X.dtype == np.float32
    table = open_dataset(saved(path, X=TABLE.astype(np.float32), y=LABELS))
    assert table.train.X.dtype == np.float64
    assert open_dataset(saved(path, X=TABLE, y=TABLE[:, 0])).task == "regression"
    assert open_dataset(saved(path, X=TABLE, y=LABELS), task="regression").labels == ()


def test_names_of_classes(path: Path) -> None:
    words = np.array(["ant", "bee", "cow", "dog"])
    for names in ("classes", "class_names", "target_names", "labels"):
        dataset = open_dataset(saved(path, X=TABLE, y=LABELS, **{names: words}))
        assert (dataset.labels, dataset.label_type) == (("ant", "bee", "cow", "dog"), "str")
    assert open_dataset(saved(path, X=TABLE, y=words[LABELS])).labels == tuple(words)
    assert open_dataset(saved(path, X=TABLE, y=words[LABELS].astype("S"))).labels == tuple(words)
    assert open_dataset(saved(path, X=TABLE, y=LABELS > 1)).labels == ("False", "True")
    for wrong in (words[:3], np.arange(4), words[:, None]):
        with pytest.raises(DataError, match=r"classes of .*data.npz must"):
            open_dataset(saved(path, X=TABLE, y=LABELS, classes=wrong))


@pytest.mark.parametrize(
    ("arrays", "error"),
    [
        ({"a": TABLE, "b": LABELS}, r"arrays named X and y.*got a float64 \(40, 3\), b int64 \(40,\)"),
        ({"X": TABLE}, r"got X float64 \(40, 3\)"),
        ({}, "got none"),
        ({"X": TABLE, "images": IMAGES, "y": LABELS}, "got X"),
        ({"X": TABLE, "y": LABELS[:39]}, r"one answer per row; got X \(40, 3\) and y \(39,\)"),
        (
            {"x_train": TABLE, "y_train": LABELS[:38], "x_test": TABLE[:8], "y_test": LABELS[:10]},
            "do not belong together",
        ),
        (
            {"x_train": TABLE, "y_train": LABELS, "x_test": TABLE, "y_test": LABELS.astype(str)},
            "all numbers or all text",
        ),
        ({"X": IMAGES.astype(int), "y": LABELS}, r"X of .*: Images must be uint8.*got int64 of shape \(40, 5, 4\)"),
        ({"X": TABLE.astype(str), "y": LABELS}, r"X of .* must be images.* or numbers \(n, d\); got <U"),
        ({"X": TABLE[:, 0], "y": LABELS}, r"got float64 of shape \(40,\)"),
        ({"X": TABLE, "y": np.eye(4)[LABELS]}, r"y of .* must be numbers or text of shape \(n,\).*argmax"),
        ({"X": TABLE, "y": np.where(LABELS > 1, 1.0, np.nan)}, "an answer in every row; got none in 20 of 40 rows"),
        ({"X": np.where(TABLE > 2, np.nan, TABLE), "y": LABELS}, "finite numbers; got nan in column"),
    ],
)
def test_arrays_that_can_not_be_learned_from(path: Path, arrays: dict[str, Any], error: str) -> None:
    with pytest.raises(DataError, match=error) as caught:
        open_dataset(saved(path, **arrays))
    assert "data.npz" in str(caught.value)


class Bomb:
    """What unpickling it would do is known only to its maker."""

    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("an array was unpickled",)


def test_objects_are_never_unpickled(path: Path) -> None:
    with pytest.raises(DataError, match=r"y of .*data.npz must hold numbers or text; got Python objects.*never read"):
        open_dataset(saved(path, X=TABLE, y=np.array([Bomb()] * 40, dtype=object)))
    dataset = open_dataset(saved(path, X=TABLE, y=LABELS, notes=np.array([Bomb()], dtype=object)))
    assert "not used: notes" in dataset.notes[0]


def test_what_is_too_large_is_told_from_the_headers(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(path, X=np.zeros((2_000, 5_000)), y=np.arange(2_000) % 2)
    assert path.stat().st_size < 200_000
    assert read_headers(path)["X"].shape == (2_000, 5_000)
    monkeypatch.setattr(npz, "free_memory", lambda: 50_000_000)
    monkeypatch.setattr(np, "load", lambda *_, **__: pytest.fail("an array was read"))
    with pytest.raises(DataError, match=r"must fit into memory; got 0.1 GiB of X, y"):
        open_dataset(path)


def header_of(shape: tuple[int, ...]) -> bytes:
    written = io.BytesIO()
    np.lib.format.write_array_header_1_0(written, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return written.getvalue()


def test_a_header_that_lies_is_refused(path: Path) -> None:
    for shape in ((1_000_000_000, 1_000), (1,), (3, 2)):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("X.npy", header_of(shape) + bytes(40))
        with pytest.raises(DataError, match=r"X of .*data.npz must be float64 of shape .*got 40 bytes"):
            open_dataset(path)


def test_files_that_are_no_npz(path: Path) -> None:
    saved(path, X=TABLE, y=LABELS)
    whole = path.read_bytes()
    for content in (b"", b"PK", b"hello", whole[:-30], whole[:200], whole[:60] + b"\0" * 40 + whole[100:]):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"data.npz must"):
            open_dataset(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X.npy", b"not an array")
    with pytest.raises(DataError, match=r"as numpy.savez writes it"):
        open_dataset(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", 20) + b"{'descr': '__import__")
    with pytest.raises(DataError, match=r"as numpy.savez writes it"):
        open_dataset(path)
