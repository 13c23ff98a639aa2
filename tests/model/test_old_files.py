"""Model files of earlier versions load and answer what they answered when they were written.

`older_*` and `recent_*` were written by two states of version 0.1.0, `prototypes_*` by a later one.
Beside each file lie some inputs and the answers that the program of that time gave. Files are only ever added here.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from likely import load

DATA = Path(__file__).parent / "data"
FILES = sorted(DATA.glob("*.likely"))


def _inputs(path: Path, answers: dict[str, np.ndarray]) -> Any:
    table = path.with_suffix(".json")
    return pd.DataFrame(json.loads(table.read_text())) if table.exists() else answers.pop("X")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_old_file_gives_the_same_answers(path: Path) -> None:
    predictor: Any = load(path)
    with np.load(path.with_suffix(".npz")) as stored:
        answers = {name: stored[name] for name in stored.files}
    X = _inputs(path, answers)
    asked = {
        "probs": lambda: predictor.predict_proba(X),
        "sets": lambda: [[label in event for label in predictor.labels] for event in predictor.predict_set(X, 0.8)],
        "familiarity": lambda: predictor.familiarity(X),
        "mean": lambda: predictor.predict(X),
        "interval": lambda: predictor.predict_interval(X, 0.8),
    }
    for name, expected in answers.items():
        # A familiarity is a rank among m rows; rounding may move it by one.
        tolerance = 1.5 / predictor.familiar_rows if name == "familiarity" else 1e-5
        np.testing.assert_allclose(asked[name](), expected, rtol=1e-5, atol=tolerance, err_msg=name)


def test_an_old_card_is_read_under_the_names_of_today() -> None:
    card = load(DATA / "older_conv.likely").card
    assert (card.hflip, card.tta_threshold, card.training.augment) == (True, 0.99, ("hflip",))
    assert "mirror" not in str(card.to_json())


def test_there_is_an_old_file_of_each_kind() -> None:
    assert len(FILES) == 11
    kinds = {load(path).card.network.name for path in FILES}
    assert kinds == {"linear", "mlp", "conv"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_old_file_is_saved_anew_with_the_same_answers(path: Path, tmp_path: Path) -> None:
    predictor: Any = load(path)
    again: Any = load(predictor.save(tmp_path / "model.likely"))
    with np.load(path.with_suffix(".npz")) as stored:
        X = _inputs(path, dict(stored))
    assert again.card == predictor.card
    np.testing.assert_array_equal(again.predict(X), predictor.predict(X))
