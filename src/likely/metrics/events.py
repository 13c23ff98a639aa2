"""Whether an event happens as often as its probability says: P(E | x) evaluated on its own, not only the best label."""

from typing import Any

import numpy as np

from likely.metrics.calibration import N_BINS, Binning, Reliability, mean_gap, reliability
from likely.metrics.calibration_error_floor import DRAWS, chance_errors, spread
from likely.metrics.checks import event, event_probability
from likely.metrics.evaluation import EventFigures
from likely.metrics.intervals import Estimate, bootstrap, proportion
from likely.metrics.json_values import to_json
from likely.metrics.miscalibration import calibration_figures
from likely.metrics.scores import log_losses


def event_reliability(
    probability: np.ndarray, inside: np.ndarray, n_bins: int = N_BINS, *, binning: Binning = "width"
) -> Reliability:
    """Count, mean probability and frequency of an event in each bin of its probability.

    Probabilities of exactly 0 are in the first bin, of exactly 1 in the last.

    Args:
        probability, inside: P(E | x) of each row, and whether its label is in E, booleans, shape (n,) each.
        n_bins, binning: as in `reliability_bins`, with its errors.

    Example:
        >>> bins = event_reliability(np.array([0.0, 0.2, 1.0]), np.array([False, False, True]), n_bins=2)
        >>> bins.count, bins.accuracy
        (array([2, 1]), array([0., 1.]))
    """
    return reliability(*event(probability, inside), n_bins, binning)


def event_calibration_error(
    probability: np.ndarray, inside: np.ndarray, n_bins: int = N_BINS, *, binning: Binning = "width"
) -> float:
    """The mean gap between the probability of an event and how often it happens.

    ECE = sum_b (n_b / n) |frequency_b - probability_b|, bins as in `event_reliability`. Biased upward like
    `calibration_error`; `event_calibration_floor` says by how much.

    Example:
        >>> event_calibration_error(np.array([0.75, 0.75]), np.array([True, False]))
        0.25
    """
    return mean_gap(*event(probability, inside), n_bins, binning)


def event_calibration_floor(
    probability: np.ndarray, n_bins: int = N_BINS, *, binning: Binning = "width", seed: int = 0, draws: int = DRAWS
) -> Estimate:
    """The ECE that these probabilities of an event would show if they were perfectly calibrated.

    As `calibration_floor`, with whether the event happens drawn from its probability.

    Example:
        >>> event_calibration_floor(np.array([0.0, 1.0])).value
        0.0
    """
    return spread(chance_errors(event_probability(probability), n_bins, binning, seed, draws))


def event_metrics(probability: np.ndarray, inside: np.ndarray, seed: int = 0) -> dict[str, Any]:
    """The figures of one event as JSON values, with 95% intervals, as in `classification_metrics`.

    The NLL is -log P of what happened, E or not E, in nats, at most 708.4 for each row: where what had probability 0
    happened, `log_loss` would be infinite, and has no interval. The Brier score is the squared distance in the form of
    `brier_score`, so that for an event it is twice (P(E) - inside)^2. Arguments are those of `event_reliability`.

    Returns:
        {"n", "frequency", "nll", "brier", "ece", "ece_plugin", "ece_floor", "calibration_p"}.

    Example:
        >>> event_metrics(np.array([0.9, 0.1]), np.array([True, False]))["frequency"]["value"]
        0.5
    """
    return to_json(evaluate_event(probability, inside, seed=seed))


def evaluate_event(
    probability: np.ndarray, inside: np.ndarray, labels: tuple[str, ...] = (), seed: int = 0
) -> EventFigures:
    """The same as a value: see `event_metrics`; `labels` are those that make up the event."""
    p, happened = event(probability, inside)
    n = len(p)
    nll = log_losses(np.column_stack([1 - p, p]), happened.astype(np.int64))
    rows = np.column_stack([nll, 2 * (p - happened) ** 2])
    mean_nll, brier = bootstrap(rows, lambda sums: sums / n, seed)
    return EventFigures(
        labels=labels,
        n=n,
        frequency=proportion(int(happened.sum()), n),
        nll=mean_nll,
        brier=brier,
        **calibration_figures(p, happened, seed),
    )
