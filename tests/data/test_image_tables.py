"""Tables of images as people have them: ids without suffix, paths of other systems, numbers of classes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from likely.data.check import check_source
from likely.data.dataset import Dataset
from likely.data.sources import open_dataset
from likely.data.tables.open_table import read_labeled_table
from likely.errors import DataError

RNG = np.random.default_rng(0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six images, train/001.jpg to train/006.jpg."""
    (tmp_path / "train").mkdir()
    for i in range(6):
        Image.fromarray(RNG.integers(0, 256, (8, 8), dtype=np.uint8)).save(tmp_path / "train" / f"00{i + 1}.jpg")
    return tmp_path


def table(folder: Path, names: list[Any], column: str = "image", labels: str = "ababab") -> Path:
    path = folder / "table.csv"
    rows = [f'"{name}",{label}' for name, label in zip(names, labels, strict=True)]
    path.write_text("\n".join([f"{column},label", *rows, ""]))
    return path


def files_of(dataset: Dataset) -> list[str]:
    return [Path(path).name for path in dataset.train.paths or ()]


STEMS = [f"00{i + 1}" for i in range(6)]


@pytest.mark.parametrize(
    ("names", "how"),
    [
        ([f"train/{stem}" for stem in STEMS], {}),
        ([f"train\\{stem}.jpg" for stem in STEMS], {}),
        ([f".\\train\\{stem}" for stem in STEMS], {}),
        ([f"{stem}.jpg" for stem in STEMS], {}),
        (STEMS, {"image": "image"}),
    ],
    ids=["no suffix", "backslashes", "both", "no folder", "ids of digits"],
)
def test_images_are_found_by_name(folder: Path, names: list[str], how: dict[str, str]) -> None:
    path = table(folder, names)
    dataset = open_dataset(path, **how)  # type: ignore[arg-type]
    assert files_of(dataset) == [f"{stem}.jpg" for stem in STEMS]
    assert dataset.labels == ("a", "b")
    assert any("6 of 6 images were found by name" in note and "001.jpg." in note for note in dataset.notes)


def test_ids_in_a_column_of_that_name_are_found_unasked(folder: Path) -> None:
    for i, stem in enumerate(STEMS):
        (folder / "train" / f"{stem}.jpg").rename(folder / "train" / f"x{i}.jpg")
    dataset = open_dataset(table(folder, [f"x{i}" for i in range(6)], "image_id"))
    assert (dataset.image, len(dataset.train)) == ("image_id", 6)


def test_a_name_that_may_be_two_files_or_leads_outside_is_refused(folder: Path) -> None:
    Image.open(folder / "train" / "001.jpg").save(folder / "train" / "001.png")
    path = table(folder, [f"train/{stem}" for stem in STEMS])
    with pytest.raises(DataError, match=r"must name one image; got 'train/001', which may be .*001\.jpg'.*001\.png'"):
        open_dataset(path, image="image")
    (folder / "inner").mkdir()
    with pytest.raises(DataError, match="which is outside"):
        open_dataset(table(folder / "inner", [f"..\\train\\{stem}.jpg" for stem in STEMS]), image="image")


def of_faces(path: Path, labels: list[int], metadata: dict[str, str] | None = None, *, struct: bool = False) -> Path:
    files = [np.full((8, 8), 5 * i, np.uint8) for i in range(len(labels))]
    content: list[Any] = []
    for gray in files:
        gray[:4] = 255
        Image.fromarray(gray).save(path.with_suffix(".png"))
        content.append(path.with_suffix(".png").read_bytes())
    images = [{"bytes": one, "path": None} for one in content] if struct else content
    pl.DataFrame({"image": images, "label": labels}).write_parquet(path, metadata=metadata or {})
    return path


def test_class_labels_of_hugging_face_have_their_names(tmp_path: Path) -> None:
    names = ["T - shirt", "boot", "bag"]
    features = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    dataset = open_dataset(of_faces(tmp_path / "a.parquet", [0, 2, 1, 0, 2, 1, -1], metadata, struct=True))
    assert dataset.labels == ("T - shirt", "bag", "boot")
    assert dataset.train.y.tolist() == [0, 1, 2, 0, 1, 2]
    assert any("no answer in 1 of 7 rows" in note for note in dataset.notes)
    for other in ({"huggingface": "{"}, {"huggingface": json.dumps({"info": {"features": {"label": 3}}})}, {"x": "y"}):
        assert open_dataset(of_faces(tmp_path / "b.parquet", [0, 2, 0, 2], other)).labels == ("0", "2")


def test_numbers_of_classes_are_classes(tmp_path: Path) -> None:
    ids = [*range(30), *range(10)]
    path = of_faces(tmp_path / "a.parquet", ids)
    np.savez(tmp_path / "b.npz", X=RNG.integers(0, 256, (40, 8, 8), dtype=np.uint8), y=np.array(ids))
    for source in (path, tmp_path / "b.npz"):
        dataset = open_dataset(source)
        assert (dataset.task, len(dataset.labels), dataset.label_type) == ("classification", 30, "int")
        assert any("30 distinct whole numbers of images, treated as classes (--task" in note for note in dataset.notes)
        assert open_dataset(source, task="regression").task == "regression"
    assert len(check_source(path).dataset.labels) == 30  # type: ignore[union-attr]
    np.savez(tmp_path / "c.npz", X=RNG.integers(0, 256, (40, 8, 8), dtype=np.uint8), y=np.arange(40) / 2)
    assert open_dataset(tmp_path / "c.npz").task == "regression"


def test_texts_where_a_model_learned_numbers_are_named(tmp_path: Path) -> None:
    table = tmp_path / "numbers.csv"
    table.write_text("a,label\n" + "".join(f"{i},{i % 2}\n" for i in range(8)))
    reading = open_dataset(table).label_reading
    table.write_text("a,label\n" + "".join(f"{i},{'up' if i % 2 else 'down'}\n" for i in range(8)))
    with pytest.raises(DataError, match=r"must hold numbers, .* got 'down' in row 0, and no number in 8 of 8 rows"):
        read_labeled_table(table, "label", "auto", label_reading=reading)
