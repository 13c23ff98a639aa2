"""The parts of the Brier score add up to it, and mean what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from likely import metrics


@st.composite
def cases(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    n, k = draw(st.tuples(st.integers(1, 40), st.integers(1, 5)))
    weights = draw(arrays(np.float64, (n, k), elements=st.floats(0, 1)))
    weights[weights.sum(axis=1) < 1e-3] = 1.0
    labels = draw(arrays(np.int64, n, elements=st.integers(0, k - 1)))
    return weights / weights.sum(axis=1, keepdims=True), labels


@given(cases(), st.integers(1, 20), st.sampled_from(["width", "mass"]))
def test_the_parts_sum_to_the_score(case: tuple[np.ndarray, np.ndarray], n_bins: int, binning: str) -> None:
    split = metrics.brier_decomposition(*case, n_bins, binning=binning)
    total = split.reliability - split.resolution + split.uncertainty + split.within_bins
    assert total == pytest.approx(metrics.brier_score(*case), abs=1e-12)
    assert min(split.reliability, split.resolution) >= 0
    assert 0 <= split.uncertainty <= 1
    assert split.resolution <= split.uncertainty + 1e-12


def test_distinct_forecasts_need_no_fourth_part_and_equal_a_loop() -> None:
    rng = np.random.default_rng(0)
    forecasts = np.array([[0.1, 0.9], [0.35, 0.65], [0.7, 0.3]])
    kind = rng.integers(3, size=200)
    labels = (rng.random(200) < 0.6 * forecasts[kind, 1] + 0.1).astype(int)
    split = metrics.brier_decomposition(forecasts[kind], labels)
    truth = np.eye(2)[labels]
    reliability = resolution = 0.0
    for g in range(3):
        frequency = truth[kind == g].mean(axis=0)
        share = (kind == g).mean()
        reliability += share * ((forecasts[g] - frequency) ** 2).sum()
        resolution += share * ((frequency - truth.mean(axis=0)) ** 2).sum()
    assert split == pytest.approx((reliability, resolution, (truth.mean(axis=0) * (1 - truth.mean(axis=0))).sum(), 0))


def test_the_overall_frequencies_are_reliable_and_resolve_nothing() -> None:
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    split = metrics.brier_decomposition(np.tile([[0.5, 0.3, 0.2]], (100, 1)), labels)
    assert split == pytest.approx((0, 0, metrics.brier_score(np.tile([[0.5, 0.3, 0.2]], (100, 1)), labels), 0))


def test_overconfidence_shows_as_reliability_only() -> None:
    rng = np.random.default_rng(1)
    p = rng.choice([0.25, 0.4, 0.6, 0.75], size=20_000)
    labels = (rng.random(20_000) < p).astype(int)
    sharp = p**2 / (p**2 + (1 - p) ** 2)
    true, false = (metrics.brier_decomposition(np.column_stack([1 - q, q]), labels) for q in (p, sharp))
    assert false.resolution == pytest.approx(true.resolution, rel=1e-6)
    assert false.uncertainty == true.uncertainty
    assert true.reliability < 2e-4
    assert false.reliability > 0.01
