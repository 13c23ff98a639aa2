"""The 95% intervals of `estimate_prior` hold the true class frequencies, whatever the probabilities are worth."""

import numpy as np
import pytest
from tests.guarantees.proof import Check, Figures, Proof, mean
from tests.guarantees.test_label_shift import FIELD, gaussians, learned

from likely.model import ClassifierPredictor
from likely.trust.prior import estimate_prior

LEAST = 0.9


def networks(seed: int) -> Figures:
    """Three Gaussians whose rarest class becomes the commonest; fresh rows of the field, as it is and calibrated."""
    rng = np.random.default_rng(seed)
    found: Figures = {}
    for network in ("linear", "mlp"):
        model = learned(network, rng)
        X, _ = gaussians(2_000, FIELD, rng)
        rows, labels = gaussians(1_000, FIELD, rng)
        for how, one in (("as it is", model), ("calibrated", model.calibrate(rows, labels))):
            held = _held(one, X)
            found |= {f"{network} {how}, class {c}": held[c] for c in range(3)}
            found[f"{network} {how}, all classes"] = min(held)
    return found


def _held(model: ClassifierPredictor, X: np.ndarray) -> list[float]:
    estimate = model.estimate_prior(X)
    return [float(ok) for ok in (estimate.low <= FIELD) & (estimate.high >= FIELD)]


KINDS = {
    # classes, field rows, held-out rows, frequencies in training and in the field (None: drawn), distance of classes
    "ten classes": (10, 2_000, 2_000, None, None, 1.2),
    "a rare class": (3, 1_000, 200, (0.9, 0.09, 0.01), (0.98, 0.015, 0.005), 2.0),
    "a rare class becomes common": (3, 1_000, 200, (0.9, 0.09, 0.01), (0.3, 0.3, 0.4), 2.0),
    "a class is gone": (3, 1_000, 300, (0.4, 0.3, 0.3), (0.7, 0.3, 0.0), 1.5),
    "few field rows": (3, 50, 300, (0.4, 0.3, 0.3), (0.2, 0.2, 0.6), 1.5),
    "few held-out rows": (3, 2_000, 30, (0.4, 0.3, 0.3), (0.2, 0.2, 0.6), 1.5),
}


def badly_calibrated(seed: int) -> Figures:
    """True probabilities, spoiled by a temperature and biases that are drawn anew: the share of classes held."""
    found: Figures = {}
    for name, (k, n, m, training, field, apart) in KINDS.items():
        rng = np.random.default_rng(seed)
        means = apart * rng.normal(size=(k, 5))
        old = np.full(k, 1 / k) if training is None else np.array(training)
        new = rng.dirichlet(np.ones(k)) if field is None else np.array(field)
        sharper, biases = np.exp(0.5 * rng.normal()), 0.5 * rng.normal(size=k)

        def answers(y: np.ndarray) -> np.ndarray:
            x = means[y] + rng.normal(size=(len(y), 5))  # noqa: B023
            joint = -0.5 * np.square(x[:, None] - means).sum(axis=2) + np.log(old)  # noqa: B023
            scores = joint * sharper + biases  # noqa: B023
            return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)

        rows, labels = answers(rng.choice(k, n, p=new)), rng.choice(k, m, p=old)
        estimate = estimate_prior(rows, old, held_out=answers(labels), labels=labels)
        found[name] = float(((estimate.low <= new) & (estimate.high >= new)).mean())
    return found


def checks(draws: list[Figures]) -> list[Check]:
    """Every line at least 90%."""
    return [
        Check(f"held: {name}", mean(draws, name), f"at least {LEAST}", mean(draws, name) >= LEAST) for name in draws[0]
    ]


NETWORKS = Proof("prior-interval", networks, checks, draws=200)
UNKIND = Proof("prior-interval-badly-calibrated", badly_calibrated, checks, draws=200)


@pytest.mark.parametrize(("proof", "n"), [(NETWORKS, 4), (UNKIND, 25)])
def test_intervals_hold_the_true_frequencies(proof: Proof, n: int) -> None:
    draws = proof.some(n)
    # Of four draws with intervals that depend on each other, one whole model may miss by chance.
    held = np.mean([list(figures.values()) for figures in draws])
    assert held >= (0.83 if n < 10 else 0.93)
