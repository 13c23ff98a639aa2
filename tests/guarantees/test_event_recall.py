"""A recall that is guaranteed holds on new rows in at least the share of draws that its level says."""

import numpy as np
import pytest
from scipy.stats import binom
from tests.guarantees.proof import Check, Figures, Proof, count

from likely.errors import DataError
from likely.trust.decision import choose_event_threshold
from likely.trust.held_out import HeldOut

NEW = 5_000
GOALS = ((0.8, 0.95), (0.9, 0.95), (0.5, 0.8))
WORLDS = {
    # held-out rows, share in the event, how far it lies from the rest, decimals of the probabilities (None: all)
    "rare": (1_000, 0.02, 1.5, None),
    "ties": (400, 0.1, 1.0, 1),
    "hidden": (300, 0.3, 0.0, None),
}


def draw(seed: int) -> Figures:
    """Whether the recall on new rows falls short; NaN where it is refused."""
    found: Figures = {}
    for name, (m, share, apart, decimals) in WORLDS.items():
        rng = np.random.default_rng([seed, *name.encode()])
        inside = rng.random(m) < share

        def answers(x: np.ndarray) -> np.ndarray:
            p = 1 / (1 + np.exp(-3 * x))  # of no use as probabilities
            return p if decimals is None else p.round(decimals)  # noqa: B023

        p, new = answers(rng.normal(size=m) + apart * inside), answers(rng.normal(size=NEW) + apart)
        probs = np.clip(np.column_stack([1 - p, p]), 1e-12, 1.0)
        held_out = HeldOut(np.log(probs), inside.astype(np.int64), np.zeros(m, bool), np.zeros(1), ("no", "yes"))
        for recall, level in GOALS:
            try:
                decision = held_out.event_threshold(np.array([False, True]), recall=recall, level=level)
            except DataError:
                short = np.nan
            else:
                short = float((new >= decision.threshold).mean() < recall)
            found[f"{name}: recall below {recall:.0%} at level {level:.0%}"] = short
    return found


def checks(draws: list[Figures]) -> list[Check]:
    """Of those that promise it no more fall short than chance allows."""
    found = []
    for name in draws[0]:
        promised = sum(1 for figures in draws if not np.isnan(figures[name]))
        level = float(name.rsplit(" ", 1)[1].rstrip("%")) / 100
        most = int(binom.isf(1e-3, promised, 1 - level))
        short = count(draws, name)
        found.append(Check(f"{name}, of {promised}", short, f"at most {most}", short <= most))
    return found


PROOF = Proof("event-recall", draw, checks, draws=5_000)


def test_a_recall_holds_on_new_rows_as_often_as_promised() -> None:
    draws = PROOF.some(150)
    assert [check for check in checks(draws) if not check.ok] == []
    # The figure of the held-out rows does not: about half of such thresholds fall short.
    rng = np.random.default_rng(0)
    short = 0
    for _ in range(100):
        p, inside = rng.random(100), np.arange(100) < 30
        short += 1 - choose_event_threshold(p, inside, recall=0.8).threshold < 0.8
    assert short > 30


@pytest.mark.parametrize(("recall", "level", "needed"), [(0.8, 0.95, 14), (0.9, 0.95, 29), (0.5, 0.8, 3)])
def test_too_few_rows_in_the_event_are_refused_with_how_many_it_takes(recall: float, level: float, needed: int) -> None:
    p = np.random.default_rng(0).random(200)
    with pytest.raises(DataError, match=rf"got {needed - 1} in the event. It takes {needed}\. .* about 0\.\d+\. Try"):
        choose_event_threshold(p, np.arange(200) < needed - 1, recall=recall, level=level)
    found = choose_event_threshold(p, np.arange(200) < needed, recall=recall, level=level)
    assert (found.threshold, found.misses) == (p[:needed].min(), 0)
