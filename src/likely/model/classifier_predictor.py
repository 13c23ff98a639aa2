"""The model of labels: P(label | x), and what one can do with it."""

import warnings
from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np

from likely.data.classes import listed
from likely.data.groups import groups_or_copies, one_per_group
from likely.data.hashes import row_codes
from likely.data.splits import random_split
from likely.errors import DataError, GuaranteeWarning, ModelFileError, ProbabilityError, ShapeError, nearest
from likely.model.card import Card
from likely.model.held_out_arrays import (
    CODES,
    LABELS,
    LOG_PROBS,
    OOD_SCORES,
    THRESHOLDS,
    UNSEEN,
    check_held_out,
    held_out_arrays,
    read_familiarity,
)
from likely.model.inference import pieces
from likely.model.predictor import Predictor
from likely.model.truth import one_column, true_classes
from likely.preprocessing.stored_rows import take_rows
from likely.probability.distribution import Distribution
from likely.probability.simplex import check_probabilities
from likely.probability.space import Event, SampleSpace
from likely.registry import HEADS
from likely.trust.abstention import Promise, choose_threshold, confidence
from likely.trust.bias_corrected import Calibration, fit_among
from likely.trust.conformal import effective_rows, rows_needed
from likely.trust.decision import Decision, choose_event_threshold
from likely.trust.familiarity import Familiarity
from likely.trust.prediction_sets import Method, coverage_interval, prediction_sets, set_quantiles
from likely.trust.prior import PriorEstimate, estimate_prior, label_shift_weights, prior_biases, shift_prior
from likely.trust.seeded import probability_codes, uniforms
from likely.trust.ties import slack
from likely.trust.unseen import MASKED, with_unseen

_LEAST_INSIDE = 5
"""Held-out rows of an event from which a threshold for it is chosen."""

_PIECE, _NUMBERS = 10_000, 2**26
"""Rows, and numbers of their features, that are held at a time: a million rows take no more memory than answers."""


class Examined(NamedTuple):
    """What one forward pass says of n rows: log P(label | x) of shape (n, k), and the familiarity (n,), if known."""

    log_probs: np.ndarray
    familiarity: np.ndarray | None


class ClassifierPredictor(Predictor):
    """P(label | x) for new x, and what can be promised of it."""

    def __init__(self, card: Card, arrays: Mapping[str, np.ndarray], *more: Any, **settings: Any) -> None:
        super().__init__(card, arrays, *more, **settings)
        check_held_out(self.where, self.arrays, len(card.labels))
        if card.biases is not None and len(card.biases) != len(card.labels):
            raise ModelFileError(
                f"{self.where} must have one bias for each of {len(card.labels)} labels; got {len(card.biases)}. "
                "The file is damaged or foreign. Train the model again."
            )

    @cached_property
    def space(self) -> SampleSpace:
        """The labels as a sample space."""
        return SampleSpace(self.labels)

    @cached_property
    def labels(self) -> tuple[Any, ...]:
        """The labels in the order of the columns, in the type that they were trained with."""
        read = {"str": str, "int": int, "float": float, "bool": lambda text: text == "True"}[self.card.label_type]
        return tuple(read(label) for label in self.card.labels)

    @cached_property
    def labels_by_text(self) -> dict[str, Any]:
        """Each label under its text in the card."""
        return dict(zip(self.card.labels, self.labels, strict=True))

    @cached_property
    def events(self) -> dict[str, Event]:
        """The named events that the model was given."""
        typed, named = self.labels_by_text, self.card.events.items()
        return {name: self.space.event(*(typed[label] for label in labels)) for name, labels in named}

    def scores_and_features(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Scores before the head (n, k), and hidden features (n, m)."""
        scores, features = super().scores_and_features(X)
        return self._as_classes_come(scores), features

    def scores(self, X: Any) -> np.ndarray:
        """Scores before the head (n, k)."""
        return self._as_classes_come(super().scores(X))

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """log P(label | x) in nats, shape (n, k)."""
        parts = [self._log_probs(self.scores(part)) for part in pieces(self.rows(X), _PIECE)]
        return np.concatenate(parts)

    def predict_proba(self, X: Any) -> np.ndarray:
        """P(label | x), shape (n, k); columns in the order of `labels`."""
        return np.exp(self.predict_log_proba(X))

    def distribution(self, X: Any) -> Distribution:
        """The probabilities with their names: a batch of distributions, one per row."""
        return Distribution(self.space, self.predict_proba(X))

    def predict(self, X: Any) -> np.ndarray:
        """The most probable label of each row."""
        return np.asarray(self.labels)[self.predict_log_proba(X).argmax(axis=1)]

    def score(self, X: Any, y: Any) -> float:
        """The share of rows whose most probable label is the given one.

        Args:
            X: rows or images.
            y: labels of the model's kind, shape (n,) or (n, 1). One that the model does not know is never right.
        Raises:
            ShapeError: if there is not one label per row, or no row.
            DataError: if a label is missing or of another kind, or the model knows none of them.
        """
        answers = self.predict_log_proba(X).argmax(axis=1)
        right = answers == true_classes(y, self.labels, len(answers))
        if not len(right):
            raise ShapeError("X must have a row or more to be scored on; got none.")
        return float(right.mean())

    def examine(self, X: Any) -> Examined:
        """Probabilities and familiarity from one forward pass."""
        known = self._familiar if self.card.prior is None else None
        if known is None:
            return Examined(self.predict_log_proba(X), None)
        parts: list[tuple[np.ndarray, np.ndarray]] = []
        for part in pieces(self.rows(X), min(_PIECE, _NUMBERS // len(known.gaussians.shift))):
            scores, features = self.scores_and_features(part)
            parts.append((self._log_probs(scores), known.p_values(features, scores)))
        log_probs, familiarity = map(np.concatenate, zip(*parts, strict=True))
        return Examined(log_probs, familiarity)

    # Promises -------------------------------------------------------------------------------------------------

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

        Split conformal prediction: the promise is marginal, over the draw of held-out and new rows together and over
        all labels, and assumes that they are exchangeable. Then it is exact for every number of held-out rows. Where
        the held-out scores come from cross-validation (small data), it is approximate.

        Under another prior held-out rows are weighted by how much more or less often their class comes (weighted
        conformal prediction). The promise is exact if the class frequencies of training are known and those of the
        field given, and approximate where either is counted or estimated (`approximate_sets` says which). It rests on
        labels looking the same in both places. Sets per class need no weights and stay exact under a given prior.

        Args:
            X: rows or images.
            coverage: strictly between 0 and 1.
            method: "lac" keeps the labels whose probability is high enough, the smallest sets on average; "aps" adds
                labels by falling probability until their mass is large enough, sets that adapt to doubt.
            per_class: keep the promise for the rows of every class, not only on average over classes (Mondrian).
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
        mask = self.sets(
            self.predict_proba(rows),
            coverage,
            method=method,
            per_class=per_class,
            allow_empty=allow_empty,
            seed=seed,
            rows=rows,
        )
        return [Event(self.space, row) for row in mask]

    def check_coverage(self, coverage: float) -> None:
        """Refuse a coverage that sets of this model cannot promise.

        Raises:
            DataError: saying why, and what can be promised.
        """
        self.sets(np.empty((0, len(self.labels))), coverage)

    def sets(
        self,
        probs: np.ndarray,
        coverage: float,
        *,
        method: Method = "lac",
        per_class: bool = False,
        allow_empty: bool = False,
        seed: int | None = None,
        rows: Any = None,
    ) -> np.ndarray:
        """The sets of `predict_set` for probabilities of this model: booleans of shape (n, k).

        With a seed a row's random number follows from `rows`, the X of these probabilities; without them from the
        probabilities themselves, for held-out and new rows alike.
        """
        held_out, truth, weights = self._held_out_for_sets(coverage)
        # Without a seed the most probable label counts nothing of its own mass: sets are small and never empty.
        held_u, u = np.zeros(len(held_out)), np.zeros(len(probs))
        if seed is not None:
            known = rows is not None and CODES in self.arrays
            held_u = uniforms(self.arrays[CODES] if known else probability_codes(held_out), seed)
            u = uniforms(row_codes(self.rows(rows)) if known else probability_codes(probs), seed)
        quantiles = set_quantiles(
            held_out,
            truth,
            coverage,
            method=method,
            per_class=per_class,
            u=held_u,
            names=self.card.labels,
            class_weights=weights,
            unseen=self._was_unseen,
        )
        return prediction_sets(probs, quantiles, method=method, u=u, allow_empty=allow_empty)

    def coverage_interval(self, coverage: float) -> tuple[float, float]:
        """Where the coverage of this model's sets lies with 95% probability, given its number of held-out rows.

        The coverage is that of all new rows, the probability one over the draw of independent held-out rows. Exact for
        sets that may be empty and scores that do not tie; else the lower end is still true. Approximate where scores
        come from cross-validation. Under another prior (sum w)^2 / sum w^2 counts as the number of rows, and the
        interval is approximate.
        """
        _, truth, weights = self._held_out_for_sets(coverage)
        return coverage_interval(len(truth) if weights is None else int(effective_rows(weights[truth])), coverage)

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

        With probability at least `level` over the draw of the held-out rows (cases where the bound is refused
        included), at most `max_error` of the answered rows are wrong, in the long run, for rows drawn independently
        from the same distribution as the held-out ones. That is about all answers together: of those with one label
        more may be wrong.

        Raises:
            DataError: if that cannot be promised; it says what can.
        """
        log_probs = self.predict_log_proba(X)
        return np.asarray(self.labels)[log_probs.argmax(axis=1)], self.answered(log_probs, max_error, level)

    def answered(self, log_probs: np.ndarray, max_error: float, level: float = 0.95) -> np.ndarray:
        """Which rows `predict_or_abstain` answers, for log-probabilities of this model: booleans (n,)."""
        return confidence(log_probs) >= self.abstention(max_error, level).threshold

    def abstention(self, max_error: float, level: float = 0.95) -> Promise:
        """The confidence from which rows are answered, and what is promised of it.

        Raises:
            DataError: if the error cannot be promised.
        """
        held_out, truth = self._held_out("A bound on the error")
        if self.card.splits.method == "cross-validation":
            raise DataError(
                "A bound on the error must rest on held-out rows of one network; got out-of-fold scores of "
                f"{self.card.splits.folds} networks. They are not scores of this one. Try calibrate(X, y) with new "
                f"rows, or at least 5,000 {'groups of ' if self.card.splits.groups else ''}rows to learn from."
            )
        sure, wrong = held_out.max(axis=1), (held_out.argmax(axis=1) != truth) | self._was_unseen
        return choose_threshold(sure, wrong, self.arrays[THRESHOLDS], max_error, level)

    def event_threshold(self, event: Any, **goal: Any) -> Decision:
        """The probability of an event from which to act on it, chosen on held-out rows.

        There is no guarantee: the figures are those of the rows that chose it, and flatter it.

        Args:
            event: a name among `events`, an Event, or labels.
            goal: one of precision=, recall= or cost=(of a false alarm, of a miss).
        Raises:
            DataError: if fewer than 5 held-out rows lie in the event, or outside it, or the goal is not reached.
        """
        held_out, truth = self._held_out("A decision threshold")
        mask = self.event(event).mask
        inside = int(mask[truth].sum())
        if min(inside, len(truth) - inside) < _LEAST_INSIDE:
            raise DataError(
                f"A decision threshold must rest on at least {_LEAST_INSIDE} held-out rows in the event and as many "
                f"outside; got {inside} of {len(truth):,} inside. So few rows say nothing of a threshold for them. Try "
                "an event of more labels, or calibrate(X, y) with more rows."
            )
        decision = choose_event_threshold(held_out[:, mask].sum(axis=1), mask[truth], **goal)
        # A hair lower, so that new rows which tie with the held-out row at the threshold are acted on like it.
        return decision._replace(threshold=max(0.0, decision.threshold - float(slack(np.array(decision.threshold)))))

    def event(self, event: Any) -> Event:
        """The event with this name, or of these labels."""
        if isinstance(event, str) and event in self.events and event not in self.labels:
            return self.events[event]
        return self.space.event(event)

    # Familiarity ----------------------------------------------------------------------------------------------

    @property
    def knows_familiarity(self) -> bool:
        """Whether there were held-out rows to compare with, and the class frequencies are those of training."""
        return self._familiar is not None and self.card.prior is None

    @property
    def no_familiarity(self) -> DataError | None:
        """Why the model knows no familiarity, or None if it does."""
        if self.card.prior is not None:
            return self._other_prior("A familiarity")
        if self._familiar is None:
            return self._nothing_held_out("A familiarity", "more rows to learn from")
        return None

    @property
    def familiar_rows(self) -> int:
        """How many held-out rows familiarity compares with."""
        return 0 if self._familiar is None else len(self._familiar.held_out)

    @property
    def can_alarm(self) -> bool:
        """Whether enough rows were held out for a p-value of 0.01, from which on a row is called unfamiliar."""
        return self.card.prior is None and self._familiar is not None and self._familiar.can_alarm

    def familiarity(self, X: Any) -> np.ndarray:
        """A conformal p-value per row: small = unlike anything that the model was trained on.

        P(p <= a) <= a for rows that are exchangeable with the held-out ones, over the draw of both, so that calling
        rows with p <= 0.01 unfamiliar raises false alarms on at most 1% of familiar rows on average, and perhaps on
        more of some kinds. Approximate where held-out scores come from cross-validation. Nothing is promised of strange
        rows. With m held-out rows no p-value is below 1 / (m + 1): fewer than 99 can call nothing unfamiliar at that
        rate (`can_alarm`).

        Raises:
            DataError: if there were no held-out rows to compare with.
        """
        if (reason := self.no_familiarity) is not None:
            raise reason
        assert self._familiar is not None
        parts = (self.scores_and_features(part) for part in pieces(self.rows(X), _PIECE))
        return np.concatenate([self._familiar.p_values(features, scores) for scores, features in parts])

    # Other data -----------------------------------------------------------------------------------------------

    def calibrate(self, X: Any, y: Any, groups: Any = None) -> Self:
        """The same network with calibration and promises from new rows; they replace those of before.

        Half of the rows, drawn at random, fit a temperature, and a bias per class where a bias is seen to help (see
        `likely.trust.bias_corrected.fit_calibration`); the other half is kept for sets and thresholds. All of them
        are what familiarity compares with from now on.

        A model under another prior starts from it: its temperature and biases begin where the prior put them. The
        result answers under the class frequencies of the new rows, from which `with_prior` and `estimate_prior` go on.

        Args:
            X: rows or images that the network was not trained on, drawn like those it will answer.
            y: their labels (n,), or label distributions (n, k).
            groups: one value per row, equal for rows that are related: a group is drawn whole, and one row of it, drawn
                at random, counts. The guarantees are then for a random row of a random new group. None takes exact
                copies for related, as in `Classifier.fit`.
        Raises:
            DataError: if a row was trained on (as far as its run folder lies beside the model), or there are fewer than
                two rows.
        Warns:
            GuaranteeWarning: naming the labels that no row has. That says nothing about how often they come (the rows
                may be sorted), so they keep their bias and the others are calibrated among themselves (see
                `likely.trust.bias_corrected.fit_among`); what is about a class alone, such as sets per class, refuses.
        """
        rows = self.rows(X)
        self._refuse_trained_on(rows)
        Y = one_column(y)
        if Y.ndim == 2:
            Y = check_probabilities(Y, self.card.labels, what="y").astype(np.float64)
            strata = Y.argmax(axis=1)
        else:
            Y = strata = self._classes(Y, len(rows))
        if len(rows) != len(strata):
            raise ShapeError(f"y must have one label per row; got {len(strata)} for {len(rows)} rows. Check both.")
        related = groups_or_copies(rows, groups, self.columns)
        units = len(rows) if related is None else len(np.unique(related))
        if units < 2:
            raise DataError(
                f"Calibration must have at least two {'rows' if related is None else 'groups of related rows'}; got "
                f"{units}. Half of them fit the temperature, half keep the promises. Try more rows."
            )
        rng = np.random.default_rng(0)
        first, second = random_split(len(rows), [units // 2], rng, related)
        if related is not None:
            first, second = (half[one_per_group(related[half], rng)] for half in (first, second))
        scores, ood_scores = self._scores_and_ood_scores(rows)
        log_probs = self._before_temperature(scores).astype(np.float64)
        unseen = self._stated > 0
        log_probs = np.where(unseen, MASKED, log_probs)  # their stated probability is not fitted
        start, frequencies = self._start(len(first))
        came = (Y.sum(axis=0) if Y.ndim == 2 else np.bincount(Y, minlength=len(self.labels))) > 0
        fitted = fit_among(came, log_probs[first], Y[first], start=start, temperature=self.card.temperature or 1.0)
        absent = [label for label, here in zip(self.labels, came | unseen, strict=True) if not here]
        if absent:
            warnings.warn(
                f"No calibration row has a label of {listed(absent)}: how often they come among new rows is not known, "
                "so they keep their bias, and no guarantee is for rows of them. Try rows of all labels, drawn at "
                "random, or with_prior if they no longer come",
                GuaranteeWarning,
                stacklevel=2,
            )
        if fitted.biases is not None and (start is None or (fitted.biases != start).any()):
            # The frequencies that the biases stand for: the mean answer to the rows that they were fitted to.
            answered = np.exp(with_unseen(fitted.apply(log_probs[first]), self._stated)).mean(axis=0)
            frequencies = tuple((answered / answered.sum()).tolist())
        splits = self.card.splits.model_copy(
            update={"method": "held-out", "calibration": len(first), "thresholds": len(second), "folds": 0}
        )
        arrays = held_out_arrays(log_probs[first], log_probs[second], Y[second], fitted, self._stated)
        arrays[CODES] = row_codes(take_rows(rows, second))
        if ood_scores is not None:
            arrays[OOD_SCORES] = np.sort(ood_scores[np.concatenate([first, second])])
        return self._changed(
            arrays,
            temperature=fitted.temperature,
            biases=None if fitted.biases is None else tuple(fitted.biases.tolist()),
            class_frequencies=frequencies,
            splits=splits,
            prior=None,
            prior_estimated=False,
            frequencies_known=False,
        )

    def with_prior(
        self,
        prior: "Mapping[Any, float] | PriorEstimate | np.ndarray",
        *,
        training: "Mapping[Any, float] | np.ndarray | None" = None,
    ) -> Self:
        """The same model where the classes have other frequencies than in training.

        P'(y | x) is proportional to P(y | x) P'(y) / P(y): what a label looks like stays, how often it comes changes.
        Every answer uses the new frequencies, sets too (see `predict_set`). Error bounds, thresholds of events and
        familiarity promise nothing under them, and raise.

        Args:
            prior: the frequency of every label, with sum 1, or what `estimate_prior` found.
            training: the frequencies where the training rows come from, if they are known, say because rows were
                drawn class by class; None takes those counted in the rows. After `calibrate`, of the rows it saw.
        Raises:
            ProbabilityError, DataError: if they are not frequencies of these labels.
        Reference: Saerens, Latinne and Decaestecker (2002), Adjusting the outputs of a classifier.
        """
        estimated = isinstance(prior, PriorEstimate)
        changes: dict[str, Any] = {"prior": self._frequencies(prior.prior if estimated else prior, "prior")}
        if training is not None:
            known = self._frequencies(training, "training")
            if min(known) <= 0:
                raise ProbabilityError(
                    f"training must be positive for every label; got 0 for {self.labels[known.index(min(known))]!r}. "
                    "What never came in training has no probability to be weighted. Try None for the counted ones."
                )
            changes |= {"class_frequencies": known, "frequencies_known": True}
        return self._changed(**changes, prior_estimated=estimated)

    def _frequencies(self, prior: "Mapping[Any, float] | np.ndarray", what: str) -> tuple[float, ...]:
        """One frequency per label, in the order of `labels`, once they are seen to be such."""
        values: Any = prior
        if isinstance(prior, Mapping):
            unknown = [label for label in prior if label not in self.labels]
            if unknown:
                raise DataError(f"{what} must be about labels; got {unknown[0]!r}. {nearest(unknown[0], self.labels)}")
            missing = [label for label in self.labels if label not in prior]
            if missing:
                raise DataError(
                    f"{what} must give the frequency of every label; got none for {missing[0]!r}. "
                    f"Try {missing[0]!r}: 0.0 if it never comes."
                )
            values = [prior[label] for label in self.labels]
        if np.ndim(values) != 1:
            raise ShapeError(f"{what} must have one frequency per label; got shape {np.shape(values)}.")
        return tuple(check_probabilities(values, self.card.labels, what=what).astype(np.float64).tolist())

    def estimate_prior(self, X: Any) -> PriorEstimate:
        """How often each label comes among unlabeled rows, with 95% intervals.

        By maximum likelihood, corrected by what the model answers to held-out rows of each class, so that the intervals
        count the draw of both kinds of rows and how wrong the probabilities are; they hold for all labels together.
        They are approximate (a normal approximation with corrections). That labels look the same in both places is
        assumed, and that rows are independent. Intervals of a model without held-out rows count the draw of X alone,
        each for itself.
        """
        log_probs, old = self._before_prior(self.scores(X)), np.array(self.card.class_frequencies)
        if LOG_PROBS not in self.arrays:
            return estimate_prior(log_probs, old)
        return estimate_prior(log_probs, old, held_out=self._held_out_log_probs, labels=self.arrays[LABELS])

    # Inside ---------------------------------------------------------------------------------------------------

    def _as_classes_come(self, scores: np.ndarray) -> np.ndarray:
        """Training counted class k as if it came w_k times as often; this takes that back."""
        if self.card.class_weight is None:
            return scores
        return scores - np.log(np.array(self.card.class_weight)).astype(scores.dtype)

    def _log_probs(self, scores: np.ndarray) -> np.ndarray:
        log_probs = self._before_prior(scores)
        if self.card.prior is None or not len(log_probs):
            return log_probs
        return shift_prior(log_probs, np.array(self.card.class_frequencies), np.array(self.card.prior))

    def _before_prior(self, scores: np.ndarray) -> np.ndarray:
        log_probs = self._before_temperature(scores)
        if self._calibration is not None and len(log_probs):
            log_probs = self._calibration.apply(log_probs)
        return with_unseen(log_probs, self._stated)

    @property
    def _calibration(self) -> Calibration | None:
        biases = None if self.card.biases is None else np.array(self.card.biases)
        return None if self.card.temperature is None else Calibration(self.card.temperature, biases)

    def _start(self, n: int) -> tuple[np.ndarray | None, tuple[float, ...]]:
        """The biases that n new rows start from, and the class frequencies that they stand for."""
        biases = None if self.card.biases is None else np.array(self.card.biases)
        if self.card.prior is None:
            return biases, self.card.class_frequencies
        moved = prior_biases(np.array(self.card.class_frequencies), np.array(self.card.prior), n)
        start = moved if biases is None else biases + moved
        # As `prior_biases` takes it: no class has the frequency 0.
        frequencies = np.array(self.card.class_frequencies) * np.exp(moved)
        return start, tuple((frequencies / frequencies.sum()).tolist())

    def _scores_and_ood_scores(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Scores before the head (n, k), and how strange the rows are (n,), if there is something to compare with."""
        if self._familiar is None:
            return self.scores(rows), None
        parts: list[tuple[np.ndarray, np.ndarray]] = []
        for part in pieces(rows, _PIECE):
            scores, features = self.scores_and_features(part)
            parts.append((scores, self._familiar.ood_scores(features, scores)))
        scores, ood_scores = map(np.concatenate, zip(*parts, strict=True))
        return scores, ood_scores

    @property
    def _stated(self) -> np.ndarray:
        """The probability of each label that had no training row, 0 for the others: shape (k,)."""
        return np.array([self.card.unseen.get(label, 0.0) for label in self.card.labels])

    @property
    def _was_unseen(self) -> np.ndarray:
        """Which held-out rows have a label that their network was never shown, booleans (m,)."""
        found = self.arrays.get(UNSEEN)
        return np.zeros(len(self.arrays[LABELS]), bool) if found is None else found > 0

    def _before_temperature(self, scores: np.ndarray) -> np.ndarray:
        return np.asarray(HEADS[self.card.head].log_probs(scores))

    @cached_property
    def held_out_probs(self) -> np.ndarray:
        """Probabilities of the held-out rows that the promises rest on, shape (m, k)."""
        return np.exp(self._held_out_log_probs)

    @property
    def _held_out_log_probs(self) -> np.ndarray:
        """The same in nats, before a prior."""
        log_probs = self.arrays[LOG_PROBS]
        log_probs = log_probs if self._calibration is None else self._calibration.apply(log_probs)
        return with_unseen(log_probs, self._stated)

    def _held_out(self, what: str, coverage: float | None = None) -> tuple[np.ndarray, np.ndarray]:
        if self.card.prior is not None:
            raise self._other_prior(what)
        if LOG_PROBS not in self.arrays:
            raise self._nothing_held_out(what, coverage=coverage)
        return self.held_out_probs, self.arrays[LABELS].astype(np.int64)

    def _held_out_for_sets(self, coverage: float) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Probabilities of held-out rows as the model answers now, their classes, and how much a row of each counts."""
        if LOG_PROBS not in self.arrays:
            raise self._nothing_held_out("Prediction sets", coverage=coverage)
        truth = self.arrays[LABELS].astype(np.int64)
        if self.card.prior is None:
            return self.held_out_probs, truth, None
        old, new = np.array(self.card.class_frequencies), np.array(self.card.prior)
        return np.exp(shift_prior(self._held_out_log_probs, old, new)), truth, label_shift_weights(old, new)

    def _other_prior(self, what: str) -> DataError:
        return DataError(
            f"{what} must rest on rows drawn like those to answer; got a model under another prior. Its promise does "
            "not survive the shift. Try the model without with_prior, or calibrate(X, y) on rows from the field."
        )

    def _nothing_held_out(
        self,
        what: str,
        way_out: str = "calibrate(X, y) with new rows, or more rows to learn from",
        coverage: float | None = None,
    ) -> DataError:
        needs = "" if coverage is None else f" A coverage of {coverage} needs {rows_needed(coverage)}."
        return DataError(
            f"{what} must rest on held-out rows; {self.where} has none (trained on {self._trained_on()})."
            f"{needs} Try {way_out}."
        )

    @cached_property
    def _familiar(self) -> Familiarity | None:
        """What is known of familiar rows, whatever the prior."""
        return read_familiarity(self.arrays)

    def _classes(self, y: np.ndarray, n: int) -> np.ndarray:
        """The number of each label; one that the model does not know is an error."""
        classes = true_classes(y, self.labels, n)
        if (classes < 0).any():
            unknown = y.tolist()[int((classes < 0).argmax())]
            raise DataError(f"y must hold labels of the model; got {unknown!r}. {nearest(unknown, self.labels)}")
        return classes

    def _refuse_trained_on(self, rows: np.ndarray) -> None:
        seen = self.seen_in_training(rows)
        if seen is not None and seen.any():
            raise DataError(
                f"Calibration rows must be new to the network; got {seen.sum():,} of {len(rows):,} that it was trained "
                f"on, row {int(seen.argmax())} first. It is too sure of those. Try rows that were kept back."
            )
