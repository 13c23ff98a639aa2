"""What is guaranteed of a classifier's answers: prediction sets, error bounds, thresholds of events."""

from functools import cached_property
from typing import Any

import numpy as np

from likely.data.hashes import row_codes
from likely.model.held_out_arrays import held_out_of
from likely.model.label_probabilities import LabelProbabilities
from likely.model.refusals import nothing_held_out, several_networks, under_other_prior
from likely.probability.space import Event
from likely.trust.abstention import ErrorBound, confidence
from likely.trust.conformal_sets import Method
from likely.trust.decision import Decision
from likely.trust.held_out import HeldOut


class LabelGuarantees(LabelProbabilities):
    """What the held-out rows of a classifier's model guarantee of its answers."""

    @cached_property
    def held_out(self) -> HeldOut | None:
        """What the guarantees rest on, under the class frequencies of training; None without held-out rows."""
        return held_out_of(self.arrays, self.card.labels, self._calibrated)

    @cached_property
    def held_out_under_prior(self) -> HeldOut | None:
        """The same under the class frequencies that the model answers under."""
        held_out = self.held_out
        return held_out if held_out is None or self.card.prior is None else held_out.under_prior(*self._priors)

    def predict_set(
        self,
        X: Any,
        coverage: float = 0.95,
        *,
        method: Method = "lac",
        per_class: bool = False,
        allow_empty: bool = False,
        seed: int | None = None,
    ) -> list[Event]:
        """The set of labels of each row that holds the truth with at least this probability, as Events.

        Split conformal prediction: the guarantee is marginal, over the draw of held-out and new rows together and over
        all labels, and exact if they are exchangeable; approximate where the held-out scores come from cross-validation
        (small data). Of a row with a gap (see `rows`) nothing is guaranteed: its set holds all labels.

        Under another prior held-out rows are weighted by how much more or less often their class comes. Where labels
        look the same in both places, the guarantee is exact if the class frequencies of training are known and those of
        the field given, and approximate where either is counted or estimated (`approximate_sets` says which). Sets per
        class need no weights and stay exact under a given prior.

        Args:
            X: rows or images.
            coverage: strictly between 0 and 1.
            method: "lac" keeps the labels whose probability is high enough, the smallest sets on average; "aps" adds
                labels by falling probability until their mass is large enough, sets that adapt to doubt.
            per_class: hold for the rows of every class, not only on average over classes (Mondrian).
            allow_empty: leave a set empty where every label is too improbable, instead of naming the likeliest.
            seed: randomize "aps": larger sets that follow doubt more closely; None keeps it deterministic and small. A
                row's random number follows from its content and the seed, alone and among others alike.
        Raises:
            DataError: if there are too few held-out rows for the coverage. Under another prior m rows count as
                (sum w)^2 / sum w^2.
        Reference: Sadinle, Lei and Wasserman (2019), arXiv 1609.00451 (LAC); Romano, Sesia and Candes (2020), arXiv
            2006.02544 (APS); Podkopaev and Ramdas (2021), arXiv 2103.03323 (another prior).
        """
        rows = self.rows(X)
        mask = self._held_out_for_sets(coverage).sets(
            np.exp(self._log_probs_of(rows)),
            coverage,
            method=method,
            per_class=per_class,
            allow_empty=allow_empty,
            seed=seed,
            codes=None if seed is None else row_codes(rows),
        )
        mask[self.gaps(rows)] = True
        return [Event(self.space, row) for row in mask]

    def check_coverage(self, coverage: float) -> None:
        """Raise the DataError of `predict_set` for a coverage that sets of this model cannot guarantee."""
        self._held_out_for_sets(coverage).sets(np.empty((0, len(self.labels))), coverage)

    def sets(self, probs: np.ndarray, coverage: float, *, rows: Any = None, **how: Any) -> np.ndarray:
        """The sets of `predict_set` for probabilities of this model: booleans of shape (n, k).

        `how` are `method`, `per_class`, `allow_empty` and `seed`. With a seed a row's random number follows from `rows`
        (the X of these probabilities), else from its probabilities, for held-out and new rows alike.
        """
        codes = None if rows is None or how.get("seed") is None else row_codes(self._rows(rows))
        return self._held_out_for_sets(coverage).sets(probs, coverage, codes=codes, **how)

    def coverage_interval(self, coverage: float) -> tuple[float, float]:
        """Where the coverage of this model's sets lies with 95% probability, given its number of held-out rows.

        See `likely.trust.conformal_sets.coverage_interval`. Approximate where scores come from cross-validation, and
        under another prior, where (sum w)^2 / sum w^2 counts as the number of rows.
        """
        return self._held_out_for_sets(coverage).coverage_interval(coverage)

    @property
    def approximate_sets(self) -> str:
        """Why the coverage of sets is approximate; empty where it is exact. Sets per class may rest on counts.

        Example: "the class frequencies of training are counted"
        """
        reasons: list[str] = []
        if self.card.splits.method == "cross-validation":
            reasons.append("the held-out scores come from cross-validation")
        if self.card.prior is not None and self.card.prior_estimated:
            reasons.append("the class frequencies to answer under are estimated")
        elif self.card.prior is not None and not self.card.frequencies_known:
            reasons.append("the class frequencies of training are counted")
        return " and ".join(reasons)

    def predict_or_abstain(self, X: Any, max_error: float = 0.01, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """The most probable labels, and booleans: which rows are answered.

        With probability at least `level` over the draw of the held-out rows, at most `max_error` of the answered rows
        are wrong, in the long run, for rows drawn independently from the same distribution as the held-out ones: of all
        answers together, not of those with one label. Rows with gaps (see `rows`) are not answered.

        Raises:
            DataError: if that cannot be guaranteed; it says what can.
        """
        rows = self.rows(X)
        log_probs = self._log_probs_of(rows)
        answered = self.answered(log_probs, max_error, level) & ~self.gaps(rows)
        return np.asarray(self.labels)[log_probs.argmax(axis=1)], answered

    def answered(self, log_probs: np.ndarray, max_error: float, level: float = 0.95) -> np.ndarray:
        """Which rows `predict_or_abstain` answers, for log-probabilities of this model: booleans (n,)."""
        return self.abstention(max_error, level).answers(confidence(log_probs))

    def check_error(self, max_error: float) -> None:
        """Raise the DataError of `predict_or_abstain` for an error that this model cannot guarantee."""
        self.abstention(max_error)

    def abstention(self, max_error: float, level: float = 0.95) -> ErrorBound:
        """The confidence from which rows are answered, and what is guaranteed of it; errors as `predict_or_abstain`."""
        return self.held_out_for_errors().error_bound(max_error, level)

    def held_out_for_errors(self) -> HeldOut:
        """The held-out rows that a bound on the error rests on; a DataError says why there are none."""
        held_out = self._held_out_for("A bound on the error")
        if self.card.splits.method == "cross-validation":
            raise several_networks(self.card)
        return held_out

    def event_threshold(self, event: Any, *, level: float | None = 0.95, **goal: Any) -> Decision:
        """The probability of an event from which to act on it, chosen on held-out rows.

        A recall is a guarantee: with probability `level` over the draw of the held-out rows at least this share of the
        new rows of the event is acted on (approximately after cross-validation, where another network answers). What
        is said of precision and cost is true of the rows that chose the threshold, and flatters it.

        Args:
            event: a name among `events`, an Event, or labels.
            level: of the guarantee; None takes the highest threshold that reaches the recall on the held-out rows,
                which new rows miss as often as not.
            goal: one of precision=, recall= or cost=(of a false alarm, of a miss).
        Raises:
            DataError: if fewer than 5 held-out rows lie in the event, or outside it, or the goal is not reached; for a
                recall that so few rows cannot guarantee it says how many are needed.
        """
        held_out = self._held_out_for("A decision threshold")
        return held_out.event_threshold(self.event(event).mask, level=level, **goal)

    # Inside ---------------------------------------------------------------------------------------------------

    def _held_out_for(self, what: str) -> HeldOut:
        """The held-out rows, for what holds under the class frequencies of training alone."""
        if self.card.prior is not None:
            raise under_other_prior(what)
        if self.held_out is None:
            raise nothing_held_out(what, self.where, self.card)
        return self.held_out

    def _held_out_for_sets(self, coverage: float) -> HeldOut:
        if self.held_out_under_prior is None:
            raise nothing_held_out("Prediction sets", self.where, self.card, coverage)
        return self.held_out_under_prior
