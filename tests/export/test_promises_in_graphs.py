"""Sets, error bounds and p-values of a graph are those of `likely.trust`, for every coverage, error and tie."""

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from likely.errors import DataError, EngineError
from likely.export.answer_differences import ROUNDING, _compare_familiarity
from likely.export.error_table import ERRORS, error_thresholds, threshold_of
from likely.export.graph.builder import Graph
from likely.export.graph.error_bound import abstained
from likely.export.graph.label_sets import label_sets
from likely.export.graph.row_familiarity import row_familiarity
from likely.export.session import Session
from likely.model import Predictor
from likely.trust.abstention import confidence, threshold_grid
from likely.trust.familiarity import Familiarity
from likely.trust.gaussians import Gaussians
from likely.trust.held_out import HeldOut

K = 4


def distributions(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.full(K, 0.5), n)
    probs[n // 2 :] = probs[0]  # many rows are alike
    return probs


def held_out(m: int, seed: int = 0) -> HeldOut:
    probs, rng = distributions(m, seed), np.random.default_rng(seed)
    labels = np.array([rng.choice(K, p=p) for p in probs])
    unseen = np.arange(m) == 3
    return HeldOut(
        np.log(probs), labels, unseen, threshold_grid(confidence(np.log(distributions(m, 1)))), tuple("abcd")
    )


@pytest.mark.parametrize("m", [5, 19, 99, 100, 400])
@pytest.mark.parametrize("shifted", [False, True])
def test_sets_of_every_coverage(m: int, shifted: bool) -> None:
    held, probs = held_out(m), distributions(40, 7)
    if shifted:
        held = held.under_prior(np.full(K, 1 / K), np.array([0.1, 0.2, 0.3, 0.4]))
    g = Graph(["probs", "coverage", "out"])
    value = label_sets(g, g.input("probs", float, ("n", K)), held, np.dtype(float), g.input("coverage", float, ()))
    g.output("out", value, np.bool_, ("n", K))
    session = Session(g.model("sets", {}).SerializeToString())
    for coverage in (*np.round(np.linspace(0.01, 0.99, 99), 2).tolist(), 0.055, 0.995, 1 / 3):
        found = session({"probs": probs, "coverage": np.array(coverage)})["out"]
        try:
            expected = held.sets(probs, coverage)
        except DataError:
            expected = np.ones_like(found)
        assert (found == expected).all(), coverage
    for coverage in (1.0, 1.5, np.nan):
        assert session({"probs": probs, "coverage": np.array(coverage)})["out"].all()


def test_abstention_of_every_error_is_on_the_stricter_side() -> None:
    held, probs = held_out(2_000), distributions(200, 5)
    thresholds = error_thresholds(held)
    assert thresholds is not None
    sure = probs.max(axis=1)
    g = Graph(["sure", "error", "out"])
    g.output("out", abstained(g, g.input("sure", float, ("n",)), thresholds, g.input("error", float, ())), bool, ("n",))
    session = Session(g.model("errors", {}).SerializeToString())

    def refused(error: float) -> np.ndarray:
        return session({"sure": sure, "error": np.array(error)})["out"]

    possible = 0
    for error in (0.01, 0.2, 0.3, 0.35, 0.41, 0.5, 0.9):
        try:
            expected = sure < held.error_bound(error).threshold
            possible += 1
        except DataError:
            expected = np.ones(len(sure), bool)
        assert (refused(error) == expected).all(), error
        assert (refused(error + 0.004) == expected).all()
        assert (expected == (sure < threshold_of(thresholds, error + 0.004))).all()
        assert error in ERRORS
    assert possible >= 2
    for error in (0.0, -1.0, 1e-9, 1.0, 2.0, np.nan):
        assert refused(error).all()


@pytest.mark.parametrize(("n", "d", "m"), [(300, 5, 1), (300, 5, 64), (300, 5, 65), (20, 60, 500)])
def test_familiarity(n: int, d: int, m: int) -> None:
    rng = np.random.default_rng(0)
    features, scores = rng.normal(size=(n, d)), rng.normal(size=(n, 3))
    familiar = Familiarity.of(Gaussians.fit(features, np.eye(2)[rng.integers(0, 2, n)]), features[:50], scores[:50])
    new, their = 2 * rng.normal(size=(m, d)), rng.normal(size=(m, 3))
    familiar = familiar.with_held_out(familiar.ood_scores(new, their))
    x = np.concatenate([new, 4 * rng.normal(size=(30, d)), np.zeros((1, d))])
    s = np.concatenate([their, rng.normal(size=(31, 3))])
    g = Graph(["x", "s", "out"])
    inputs = g.input("x", float, ("n", d)), g.input("s", float, ("n", 3))
    g.output("out", row_familiarity(g, *inputs, familiar), float, ("n",))
    found = Session(g.model("familiarity", {}).SerializeToString())({"x": x, "s": s})["out"]
    np.testing.assert_allclose(found, familiar.p_values(familiar.ood_scores(x, s)), atol=1e-12)


def test_p_values_may_be_two_ranks_apart_and_no_more() -> None:
    predictor, p = cast(Predictor, SimpleNamespace(familiar_rows=4_800)), np.arange(1, 4_802) / 4_801
    assert _compare_familiarity(predictor, p[2:], {"familiarity": p[:-2]}, ROUNDING) < 2.1 / 4_801
    with pytest.raises(EngineError, match="familiarity of row 0"):
        _compare_familiarity(predictor, p[3:], {"familiarity": p[:-3]}, ROUNDING)
