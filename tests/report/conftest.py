import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits
from sklearn.linear_model import LogisticRegression, Ridge

from likely.metrics.classification import evaluate_classification
from likely.metrics.regression import evaluate_regression
from likely.model.card import Card
from likely.report.report_data import ReportData

CARD = Card.model_validate(
    {
        "task": "classification",
        "labels": [f"digit {i}" for i in range(10)],
        "network": {"name": "linear", "settings": {"sizes": [64, 10]}, "parameters": 650, "outputs": 10},
        "head": "softmax",
        "loss": "cross_entropy",
        "normalization": {},
        "temperature": 1.25,
        "data": {"name": "digits", "sha256": "0123456789abcdef" * 4, "found_at": "scikit-learn", "rows": 900},
        "splits": {"method": "held-out", "train": 800, "calibration": 50, "thresholds": 50, "test": 897},
        "training": {
            "seed": 12345,
            "epochs": 3,
            "steps": 12,
            "seconds": 1.5,
            "stopped": "finished",
            "preset": "fast",
            "engine": "torch",
            "dtype": "float32",
            "device": "cpu",
            "threads": 2,
            "optimizer": "adam",
            "learning_rate": 0.01,
            "batch_size": 256,
            "command": "likely fit digits --seed 12345",
        },
        "versions": {"likely": "0.1.0", "python": "3.12.0", "numpy": "2.1.0"},
        "hardware": {"cpu": "any", "cores": 2},
        "created": "2026-01-02T03:04:05+00:00",
    }
)


def history(steps=12, every=4):
    return [
        {
            "step": step,
            "epoch": step / every,
            "progress": step / steps,
            "loss": 2.0 / step,
            "learning_rate": 0.01,
            "seconds": 0.1 * step,
            "examples_per_second": 1000.0,
            "held_out": {"accuracy": 1 - 0.5 / step, "nll": 1.5 / step} if step % every == 0 else None,
        }
        for step in range(1, steps + 1)
    ]


@pytest.fixture(scope="session")
def digits() -> ReportData:
    """A real model, weak enough to be wrong on some of the 897 digits that it did not see."""
    images, y = load_digits(return_X_y=True)
    rows = images[:, ::2] / 16
    model = LogisticRegression(C=0.1, max_iter=500).fit(rows[:900], y[:900])
    probs = model.predict_proba(rows[900:])
    labels = tuple(f"digit {i}" for i in range(10))
    stored = np.round(images[900:] * 15.9375).astype(np.uint8).reshape(-1, 8, 8)
    metrics = evaluate_classification(probs, y[900:], labels)
    return ReportData("digits", CARD, history(), metrics, labels, y[900:], probs, stored, None)


@pytest.fixture(scope="session")
def diabetes() -> ReportData:
    """A real regression."""
    X, y = load_diabetes(return_X_y=True)
    predictions = Ridge(0.1).fit(X[:300], y[:300]).predict(X[300:])
    metrics = evaluate_regression(y[300:], predictions)
    records = [{"step": s, "loss": 3.0 / s, "held_out": {"mse": 4.0 / s}} for s in range(1, 30)]
    card = CARD.model_copy(update={"task": "regression", "labels": (), "temperature": None})
    return ReportData("diabetes", card, records, metrics, (), y[300:], predictions[:, None], None, None)
