"""What rows that a classifier was not trained on say of it: every guarantee about labels rests on such a value.

P(label | x) of held-out rows, and their labels -> sets, a bound on the error, thresholds, how often labels come
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from likely.errors import DataError
from likely.trust.abstention import ErrorBound, choose_threshold, confidence, thresholds_for_errors
from likely.trust.conformal import effective_rows
from likely.trust.conformal_sets import Method, coverage_interval, prediction_sets, set_quantiles
from likely.trust.decision import Decision, choose_event_threshold
from likely.trust.prior import PriorEstimate, estimate_prior, label_shift_weights, shift_prior
from likely.trust.row_uniforms import probability_codes, uniforms
from likely.trust.ties import slack

_LEAST_INSIDE = 5
"""Held-out rows of an event from which a threshold for it is chosen."""


@dataclass(frozen=True)
class HeldOut:
    """Rows that neither the network nor its calibration has seen, and what the model says of them.

    Args:
        log_probs, labels: log P(label | x) in nats, as the model answers, (m, k), and the true classes, (m,).
        unseen: which rows have a label that their network was never shown, booleans (m,).
        thresholds: of confidence to choose among, from other rows, strictest first: see `threshold_grid`.
        names: what to call the classes in messages, k of them.
        codes: unsigned integers that say which row each is, shape (m,); None where that is not known.
        class_weights: how much a row of each class counts, shape (k,); None where classes come as often among new rows.
    Example:
        >>> probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
        >>> held_out = HeldOut(np.log(probs), np.array([0, 0, 1]), np.zeros(3, bool), np.zeros(1), ("no", "yes"))
        >>> held_out.sets(np.array([[0.75, 0.25], [0.5, 0.5]]), coverage=0.75, allow_empty=True)
        array([[ True, False],
               [False, False]])
    """

    log_probs: np.ndarray
    labels: np.ndarray
    unseen: np.ndarray
    thresholds: np.ndarray
    names: tuple[str, ...]
    codes: np.ndarray | None = None
    class_weights: np.ndarray | None = None

    @cached_property
    def probs(self) -> np.ndarray:
        """P(label | x), shape (m, k)."""
        return np.exp(self.log_probs)

    def under_prior(self, old: np.ndarray, new: np.ndarray) -> "HeldOut":
        """The same rows for new ones among which classes come as `new` says; `error_bound` does not hold there."""
        shifted = shift_prior(self.log_probs, old, new)
        return replace(self, log_probs=shifted, class_weights=label_shift_weights(old, new))

    def sets(
        self,
        probs: np.ndarray,
        coverage: float,
        *,
        method: Method = "lac",
        per_class: bool = False,
        allow_empty: bool = False,
        seed: int | None = None,
        codes: np.ndarray | None = None,
    ) -> np.ndarray:
        """Which labels belong to the set of each new row: booleans of shape (n, k).

        Args:
            probs: of new rows, shape (n, k).
            coverage, method, per_class, allow_empty: as in `set_quantiles` and `prediction_sets`, with their errors.
            seed: randomizes "aps"; with None the most probable label counts nothing of its own mass, so that sets are
                small and never empty.
            codes: which rows they are, shape (n,), like the codes here. Without either of the two a row's random number
                follows from its probabilities, for held-out and new rows alike.
        """
        held_u, u = np.zeros(len(self.labels)), np.zeros(len(probs))
        if seed is not None:
            known = codes is not None and self.codes is not None
            held_u = uniforms(self.codes if known else probability_codes(self.probs), seed)  # pyright: ignore[reportArgumentType]
            u = uniforms(codes if known else probability_codes(probs), seed)  # pyright: ignore[reportArgumentType]
        quantiles = set_quantiles(
            self.probs,
            self.labels,
            coverage,
            method=method,
            per_class=per_class,
            u=held_u,
            names=self.names,
            class_weights=self.class_weights,
            unseen=self.unseen,
        )
        return prediction_sets(probs, quantiles, method=method, u=u, allow_empty=allow_empty)

    def coverage_interval(self, coverage: float) -> tuple[float, float]:
        """See `likely.trust.conformal_sets.coverage_interval`; unequal weights count as (sum w)^2 / sum w^2 rows."""
        weights = self.class_weights
        rows = len(self.labels) if weights is None else int(effective_rows(weights[self.labels]))
        return coverage_interval(rows, coverage)

    def error_bound(self, max_error: float, level: float = 0.95) -> ErrorBound:
        """The confidence from which rows are answered, with a bound on the error: see `choose_threshold`."""
        return choose_threshold(confidence(self.log_probs), self._wrong, self.thresholds, max_error, level)

    def error_thresholds(self, errors: np.ndarray, level: float = 0.95) -> np.ndarray:
        """The confidence for each of several bounds on the error: see `thresholds_for_errors`."""
        return thresholds_for_errors(confidence(self.log_probs), self._wrong, self.thresholds, errors, level)

    @property
    def _wrong(self) -> np.ndarray:
        """The rows whose most probable label is not theirs."""
        return (self.log_probs.argmax(axis=1) != self.labels) | self.unseen

    def event_threshold(self, event: np.ndarray, *, level: float | None = 0.95, **goal: Any) -> Decision:
        """See `choose_event_threshold`, which takes the level and the goal; `event` are booleans (k,): which classes.

        Raises:
            DataError: if fewer than 5 rows lie in the event, or outside it, or the goal is not reached.
        """
        inside, m = event[self.labels], len(self.labels)
        n_inside = int(inside.sum())
        if min(n_inside, m - n_inside) < _LEAST_INSIDE:
            raise DataError(
                f"A decision threshold must rest on at least {_LEAST_INSIDE} held-out rows in the event and as many "
                f"outside; got {n_inside} of {m:,} inside. Try an event of more labels, or calibrate(X, y) with more "
                "rows."
            )
        decision = choose_event_threshold(self.probs[:, event].sum(axis=1), inside, level=level, **goal)
        # A hair lower, so that new rows which tie with the held-out row at the threshold are acted on like it.
        return decision._replace(threshold=max(0.0, decision.threshold - float(slack(np.array(decision.threshold)))))

    def estimate_prior(self, log_probs: np.ndarray, old: np.ndarray) -> PriorEstimate:
        """How often each class comes among unlabeled rows of which the model says `log_probs`."""
        return estimate_prior(log_probs, old, held_out=self.log_probs, labels=self.labels)
