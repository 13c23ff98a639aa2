"""Image files as Python programs hold them: paths in lists, arrays, series and frames; contents; open files."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image

import likely
from likely.errors import DataError, ImageError

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("files")
    for i in range(20):
        gray = RNG.integers(0, 60, (8, 8), dtype=np.uint8) + np.uint8(150 * (i % 2))
        Image.fromarray(gray).save(folder / f"{i:02}.png")
    return sorted(map(str, folder.iterdir()))


def learn(X: Any) -> likely.Classifier:
    labels = ["dark", "light"] * 10
    with pytest.warns(likely.errors.GuaranteeWarning):
        return likely.Classifier(network="linear", epochs=3, random_state=0).fit(X, labels)


@pytest.fixture(scope="module")
def model(files: list[str]) -> likely.Classifier:
    return learn(files)


def contents(files: list[str]) -> list[Any]:
    return [io.BytesIO(Path(file).read_bytes()) for file in files]


FORMS: list[Callable[[list[str]], Any]] = [
    np.array,
    lambda files: np.array([Path(file) for file in files]),
    lambda files: np.array(files, dtype=object)[:, None],
    lambda files: pd.Series(files, index=range(5, 5 + len(files))),
    lambda files: pd.Series(files, dtype="string"),
    lambda files: pd.Series(list(map(Path, files))),
    lambda files: pd.DataFrame({"path": files}),
    pl.Series,
    pa.array,
    contents,
    lambda files: [files[0], *contents(files[1:])],
]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_answered(files: list[str], model: likely.Classifier, form: Callable[..., Any]) -> None:
    expected = model.predict_proba(files[:3])
    for answers in (model, model.predictor_):
        np.testing.assert_array_equal(answers.predict_proba(form(files[:3])), expected)


@pytest.mark.parametrize("form", [np.array, pd.Series, contents])
def test_every_form_is_learned_from(files: list[str], model: likely.Classifier, form: Callable[..., Any]) -> None:
    np.testing.assert_array_equal(learn(form(files)).predict_proba(files), model.predict_proba(files))


def test_open_files_are_read_from_their_beginning(files: list[str], model: likely.Classifier) -> None:
    with Path(files[0]).open("rb") as one, Path(files[0]).open() as text:
        one.read(5)
        np.testing.assert_array_equal(model.predict_proba([one, one]), model.predict_proba(files[:1] * 2))
        with pytest.raises(ImageError, match=r'00\.png must be .* a binary file .* Open files with mode "rb"'):
            model.predict([text])


def test_a_single_file_and_other_things_are_explained(files: list[str], model: likely.Classifier) -> None:
    alone = [files[0], Path(files[0]), Path(files[0]).read_bytes(), Image.new("L", (8, 8)), io.BytesIO(b"x")]
    for answers in (model.predict, model.predictor_.predict, lambda X: learn_alone(X)):
        for X in alone:
            with pytest.raises(DataError, match=r"X must be a list of images; got .* alone.*Try \[X\]"):
                answers(X)
        with pytest.raises(DataError, match=r"got a generator.*Try list\(X\)"):
            answers(file for file in files)
    with pytest.raises(ImageError, match="Row 1 must be a path, bytes, a binary file or a Pillow image; got float"):
        model.predict(pd.Series([files[0], np.nan]))


def learn_alone(X: Any) -> None:
    likely.Classifier().fit(X, ["dark", "light"])
