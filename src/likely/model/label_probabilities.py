"""P(label | x) for new x: from scores to the probabilities of labels, and what follows from these alone.

scores -> head -> calibration -> the stated probabilities of labels never shown -> another prior
"""

from functools import cached_property
from typing import Any

import numpy as np
import scipy

from likely.config.registry import HEADS
from likely.errors import DataError, ShapeError
from likely.model.check_answers import true_classes
from likely.model.inference import in_pieces
from likely.model.predictor import MOST_ROWS, Predictor
from likely.preprocessing.stored_rows import RowArray
from likely.probability.distribution import Distribution
from likely.probability.space import Event, SampleSpace
from likely.trust.bias_corrected import Calibration
from likely.trust.mutual_information import Doubt, doubt_in_parts
from likely.trust.prior import shift_prior
from likely.trust.unseen import with_unseen


class LabelProbabilities(Predictor):
    """The probabilities of a classifier's model; what is guaranteed of them is added by `LabelGuarantees`."""

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

    def event(self, event: Any) -> Event:
        """The event with this name, or of these labels."""
        if isinstance(event, str) and event in self.events and event not in self.labels:
            return self.events[event]
        return self.space.event(event)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """log P(label | x) in nats, shape (n, k)."""
        return self._log_probs_of(self.rows(X))

    def predict_proba(self, X: Any) -> np.ndarray:
        """P(label | x), shape (n, k); columns in the order of `labels`."""
        return np.exp(self.predict_log_proba(X))

    def distribution(self, X: Any) -> Distribution:
        """The probabilities with their names: a batch of distributions, one per row."""
        return Distribution(self.space, self.predict_proba(X))

    def predict(self, X: Any) -> np.ndarray:
        """The most probable label of each row."""
        return np.asarray(self.labels)[self.predict_log_proba(X).argmax(axis=1)]

    def disagreement(self, X: Any) -> np.ndarray:
        """How much the networks that answer together disagree, in nats, (n,): see `likely.trust.disagreement`.

        It is the part of the doubt, the entropy of the answer, that more training rows like these could take away. NaN
        for a row with a value that is missing in new rows only.

        Raises:
            DataError: if one network answers alone.
        """
        return self.doubt_in_parts(X).disagreement

    def doubt_in_parts(self, X: Any) -> Doubt:
        """What each network doubts by itself and how much they disagree, in nats, (n,) each; as for `disagreement`."""
        rows = self.rows(X)
        if not self.answers_together:
            raise DataError(
                f"Several networks must answer for one to disagree; {self.where} is one alone. Try training with "
                "network='conv' and members=5 for images, or with the network 'mixture' for a table."
            )

        def answer(part: RowArray) -> Doubt:
            each, weights = self._inference.of_members(self._filled(part)) or ((), np.empty(0))
            answers = np.exp(self._log_probs_of(part))
            found = doubt_in_parts([scipy.special.softmax(scores, axis=1) for scores in each], weights, answers)
            return Doubt(*(np.where(self.gaps(part), np.nan, value) for value in found))

        return Doubt(*in_pieces(rows, MOST_ROWS, answer))

    def score(self, X: Any, y: Any) -> float:
        """The share of rows whose most probable label is the given one, y of shape (n,) or (n, 1).

        A label that the model does not know is never right.

        Raises:
            ShapeError: if there is not one label per row, or no row.
            DataError: if a label is missing or of another kind, or the model knows none of them.
        """
        answers = self.predict_log_proba(X).argmax(axis=1)
        right = answers == true_classes(y, self.labels, len(answers))
        if not len(right):
            raise ShapeError("X must have a row or more to be scored on; got none.")
        return float(right.mean())

    # Inside ---------------------------------------------------------------------------------------------------

    def _scores_and_features(self, rows: RowArray) -> tuple[np.ndarray, np.ndarray]:
        scores, features = super()._scores_and_features(rows)
        return self._as_classes_come(scores), features

    def _scores(self, rows: RowArray) -> np.ndarray:
        return self._as_classes_come(super()._scores(rows))

    def _as_classes_come(self, scores: np.ndarray) -> np.ndarray:
        """Training counted class k as if it came w_k times as often; this takes that back."""
        if self.card.class_weight is None:
            return scores
        return scores - np.log(np.array(self.card.class_weight)).astype(scores.dtype)

    def _log_probs_of(self, rows: RowArray) -> np.ndarray:
        return self._under_prior(self._before_prior_of(rows))

    def _before_prior_of(self, rows: RowArray) -> np.ndarray:
        def answer(part: RowArray) -> tuple[np.ndarray]:
            return (self._before_prior(self._scores(part)),)

        return in_pieces(rows, MOST_ROWS, lambda part: self._averaged(part, answer))[0]

    def _mean(self, answers: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Of log-probabilities: the logarithm of the mean probability."""
        return np.logaddexp.reduce(answers + np.log(weights)[:, None], axis=1)

    def _under_prior(self, log_probs: np.ndarray) -> np.ndarray:
        return log_probs if self.card.prior is None or not len(log_probs) else shift_prior(log_probs, *self._priors)

    def _before_prior(self, scores: np.ndarray) -> np.ndarray:
        return self._calibrated(self._before_calibration(scores))

    def _probability_and_slopes(self, scores: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """P(event) of scores (n, k) of the network, shape (n,), and its derivatives with respect to them, (n, k).

        The way back through prior, stated probabilities, calibration and head. Each but the last is a log-softmax,
        q = log softmax(z), of which derivatives u with respect to q become u - exp(q) sum u with respect to z.
        """
        scores = self._as_classes_come(scores.astype(np.float64))
        before = self._before_calibration(scores)
        after = before if self._calibration is None else self._calibration.apply(before)
        stated = with_unseen(after, self._stated)
        P = np.exp(self._under_prior(stated))
        u = np.where(mask, P, 0.0)
        value = u.sum(axis=1)
        if self.card.prior is not None:
            u = u - P * u.sum(axis=1, keepdims=True)
        if self._stated.any():
            seen = np.where(self._stated > 0, 0.0, np.exp(stated))
            u = np.where(self._stated > 0, 0.0, u)
            u = u - seen / seen.sum(axis=1, keepdims=True) * u.sum(axis=1, keepdims=True)
        if self._calibration is not None:
            u = (u - np.exp(after) * u.sum(axis=1, keepdims=True)) / self._calibration.temperature
        probs, head = np.exp(before), HEADS[self.card.head]
        return value, head.backward(scores, probs, u / np.maximum(probs, np.finfo(np.float64).tiny))

    def _before_calibration(self, scores: np.ndarray) -> np.ndarray:
        return np.asarray(HEADS[self.card.head].log_probs(scores))

    def _calibrated(self, log_probs: np.ndarray) -> np.ndarray:
        if self._calibration is not None and len(log_probs):
            log_probs = self._calibration.apply(log_probs)
        return with_unseen(log_probs, self._stated)

    @cached_property
    def _calibration(self) -> Calibration | None:
        biases = None if self.card.biases is None else np.array(self.card.biases)
        return None if self.card.temperature is None else Calibration(self.card.temperature, biases)

    @cached_property
    def _stated(self) -> np.ndarray:
        """The probability of each label that had no training row, 0 for the others: shape (k,)."""
        return np.array([self.card.unseen.get(label, 0.0) for label in self.card.labels])

    @cached_property
    def _priors(self) -> tuple[np.ndarray, np.ndarray]:
        """The class frequencies that the probabilities hold under, and those to answer under."""
        return np.array(self.card.class_frequencies), np.array(self.card.prior)
