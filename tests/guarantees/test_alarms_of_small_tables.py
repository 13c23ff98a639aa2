"""False alarms of familiarity where all rows lie in folds: nearly as many as asked for, even of few rows with many
columns."""

import numpy as np

import likely


def test_new_rows_are_called_unfamiliar_nearly_as_often_as_asked_for() -> None:
    rates: list[float] = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        mixing = rng.normal(size=(30, 30))
        centers = 2 * rng.normal(size=(3, 30)) @ mixing

        def draw(n: int, rng: np.random.Generator = rng, mixing: np.ndarray = mixing, of: np.ndarray = centers):
            y = rng.integers(0, 3, n)
            return of[y] + rng.normal(size=(n, 30)) @ mixing, y

        predictor = likely.Classifier(network="linear", random_state=seed).fit(*draw(100)).predictor_
        rates.append(float((predictor.familiarity(draw(1_000)[0]) <= 0.1).mean()))
    assert 0.05 < np.mean(rates) < 0.12  # 0.04 where Gaussians come from four folds of five
