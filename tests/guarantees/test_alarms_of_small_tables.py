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


def test_features_that_a_network_learned_from_few_rows_do_not_make_new_rows_strange() -> None:
    rates: list[float] = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        centers, mixing = 0.35 * rng.normal(size=(10, 640)), rng.normal(size=(40, 640)) / 6

        def draw(n: int, rng: np.random.Generator = rng, mixing: np.ndarray = mixing, of: np.ndarray = centers):
            y = rng.integers(0, 10, n)
            noise = rng.normal(size=(n, 40)) @ mixing + 0.3 * rng.normal(size=(n, 640))
            return np.maximum(of[y] + noise - 0.6, 0), y

        predictor = likely.Classifier(network="mlp", random_state=seed).fit(*draw(320)).predictor_
        rates.append(float((predictor.familiarity(draw(1_000)[0]) <= 0.01).mean()))
    assert np.mean(rates) < 0.07  # 0.12 where distances and energies are measured by each network's own rows
