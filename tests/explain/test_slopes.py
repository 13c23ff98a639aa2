"""The way from a probability back to the scores: through prior, stated probabilities, calibration, head and weights."""

from typing import Any

import numpy as np
import pytest

import likely
from likely.model import ClassifierPredictor


@pytest.fixture(scope="module")
def trained() -> ClassifierPredictor:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 3)), rng.choice(["a", "b", "c"], 120)
    return likely.Classifier(network="linear", epochs=2, random_state=0).fit(X, y).predictor_


@pytest.mark.parametrize("head", ["softmax", "l1"])
@pytest.mark.parametrize(
    "changes",
    [
        {"temperature": None, "biases": None},
        {"temperature": 1.7, "biases": (0.3, -0.2, -0.1)},
        {"temperature": 0.6, "class_weight": (1.0, 2.0, 0.5)},
        {"temperature": 1.3, "unseen": {"b": 0.02}},
        {"temperature": 1.3, "unseen": {"b": 0.02}, "class_frequencies": (0.5, 0.2, 0.3), "prior": (0.1, 0.3, 0.6)},
    ],
    ids=lambda changes: "+".join(changes),
)
def test_slopes_are_finite_differences(trained: ClassifierPredictor, head: str, changes: dict[str, Any]) -> None:
    card = trained.card.model_copy(update={"head": head, **changes})
    asked: Any = ClassifierPredictor(card, trained.arrays)
    rng = np.random.default_rng(0)
    scores, h = rng.normal(size=(5, 3)) + 3, 1e-5
    for mask in np.array([[True, False, False], [False, True, True]]):
        value, slopes = asked._probability_and_slopes(scores, mask)
        assert ((value > 0) & (value < 1)).all()
        for j in range(3):
            up, down = (asked._probability_and_slopes(scores + s * h * np.eye(3)[j], mask)[0] for s in (1, -1))
            np.testing.assert_allclose(slopes[:, j], (up - down) / (2 * h), atol=1e-8)
