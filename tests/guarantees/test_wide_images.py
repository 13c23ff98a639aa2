"""The linear network on images of many pixels: time and memory grow with the pixels, not with their square."""

import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import likely


@pytest.mark.parametrize("side", [64, 160])
def test_few_large_images_are_learned_from_in_seconds(side: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(24) % 2
    X = rng.integers(0, 200, (24, side, side, 3), dtype=np.uint8)
    X[y == 1, : side // 2] += 50
    began = time.perf_counter()
    tracemalloc.start()
    clf = likely.Classifier(network="linear", random_state=0).fit(X, y)
    p = clf.familiarity(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The square of the pixels would be minutes and gigabytes.
    assert time.perf_counter() - began < 60
    assert peak < 1e9
    assert p.shape == (24,)
    assert np.all((p > 0) & (p <= 1))
    path = clf.predictor_.save(tmp_path / "model.likely")
    assert path.stat().st_size < 30e6
    again = likely.load(path)
    np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))
    np.testing.assert_array_equal(again.familiarity(X), p)


def test_false_alarms_are_as_rare_as_promised_with_fewer_rows_than_inputs() -> None:
    alarms: list[float] = []
    for seed in range(40, 52):
        rng = np.random.default_rng(seed)
        directions = rng.normal(size=(10, 400))

        def rows(n: int, rng: np.random.Generator = rng, directions: np.ndarray = directions) -> np.ndarray:
            return rng.normal(size=(n, 10)) @ directions + 0.3 * rng.normal(size=(n, 400))

        X, new = rows(120), rows(200)
        y = (X[:, 0] > 0).astype(int)
        p = likely.Classifier(network="linear", random_state=seed).fit(X, y).familiarity(new)
        alarms.append(float(np.mean(p <= 0.1)))
    # Folds make it approximate: familiar rows are judged by networks that have seen fewer rows.
    assert 0.02 < np.mean(alarms) < 0.14
