"""The model of numbers: what a regressor predicts, with intervals, and when it extrapolates."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from likely.errors import DataError
from likely.model.card import Card
from likely.model.held_out_arrays import (
    ERRORS,
    RESIDUALS,
    check_held_out,
    check_residuals,
    described,
    read_familiarity,
)
from likely.model.inference import pieces
from likely.model.predictor import Predictor
from likely.model.truth import true_numbers
from likely.trust.conformal import conformal_quantile, rows_needed
from likely.trust.error_scale import error_scale
from likely.trust.familiarity import Familiarity
from likely.trust.ties import number_slack

_PIECE = 10_000
"""Rows whose features are held at a time."""

USUAL_COVERAGE = 0.9
"""Of intervals, where nobody asks for another."""


class Estimates(NamedTuple):
    """What one forward pass says of n rows.

    Args:
        predictions: shape (n,), or (n, m) for several targets.
        intervals: lower and upper bounds (n, 2), or None where none were asked for.
        familiarity: p-values (n,), or None where nothing is known.
        outside: whether an answer lies outside the range of the training targets, booleans (n,); or None where the
            range is not known.
    """

    predictions: np.ndarray
    intervals: np.ndarray | None
    familiarity: np.ndarray | None
    outside: np.ndarray | None


class RegressorPredictor(Predictor):
    """Numbers for new x, with intervals."""

    def __init__(self, card: Card, arrays: Mapping[str, np.ndarray], *more: Any, **settings: Any) -> None:
        super().__init__(card, arrays, *more, **settings)
        check_residuals(self.where, self.arrays)
        check_held_out(self.where, {n: a for n, a in self.arrays.items() if n != RESIDUALS}, 0)

    def predict(self, X: Any) -> np.ndarray:
        """The predicted number of each row, shape (n,), or (n, m) for several targets."""
        return self._in_unit(self.scores(X))

    @property
    def has_intervals(self) -> bool:
        """Whether there were held-out rows to measure errors on."""
        return RESIDUALS in self.arrays

    def can_cover(self, coverage: float) -> bool:
        """Whether there were enough held-out rows for intervals of this coverage."""
        return self.has_intervals and len(self.arrays[RESIDUALS]) >= rows_needed(coverage)

    def predict_interval(self, X: Any, coverage: float = USUAL_COVERAGE) -> np.ndarray:
        """Lower and upper bounds, shape (n, 2), that hold the truth with at least this probability.

            prediction ± q s(x)

        Split conformal: q is the ceil((m + 1) coverage)-th smallest of |residual| / s(x) over m held-out rows, and s(x)
        says how large errors are for rows like x: see `likely.trust.error_scale`. Where errors are about as large
        everywhere, s is constant. A model file of version 0.1.0 has a constant s.

        The guarantee is marginal, over the draw of held-out and new rows together, and exact for exchangeable rows,
        whatever s is. It says nothing of one kind of row: there more or fewer may lie inside. Where the residuals come
        from cross-validation (small data), it is approximate.

        Raises:
            DataError: if there are too few held-out rows for this coverage; it says how many are needed. Or if the
                model has several targets.
        Reference: Lei et al., Distribution-Free Predictive Inference for Regression, arXiv 1604.04173.
        """
        quantile = self.interval_quantile(coverage)
        rows = self.rows(X)
        return self._interval(self.predict(rows), rows, quantile)

    def interval_quantile(self, coverage: float) -> float:
        """q in the intervals prediction ± q s(x) of this coverage.

        Raises:
            DataError, ConfigError: as `predict_interval`.
        """
        if not self.has_intervals:
            outputs, units = self.card.network.outputs, "groups" if self.card.splits.groups else "rows"
            of_targets = f", {outputs} targets" if outputs > 1 else ""
            raise DataError(
                f"predict_interval must have held-out rows to measure errors on; {self.where} has none "
                f"(trained on {self._trained_on()}{of_targets}). "
                f"Try {'one target and ' if outputs > 1 else ''}at least 20 {units}."
            )
        return conformal_quantile(self.arrays[RESIDUALS], coverage)

    def examine(self, X: Any, coverage: float | None = None) -> Estimates:
        """Predictions, intervals of this coverage (None for none), familiarity and what extrapolates, in one pass."""
        quantile = None if coverage is None else self.interval_quantile(coverage)
        parts: list[tuple[np.ndarray, np.ndarray | None, np.ndarray | None]] = []
        for part in pieces(self.rows(X), _PIECE):
            if self._familiar is not None:
                scores, features = self.scores_and_features(part)
                familiarity = self._familiar.p_values(features, _no_energy(features))
            else:
                scores, familiarity = self.scores(part), None
            predictions = self._in_unit(scores)
            interval = None if quantile is None else self._interval(predictions, part, quantile)
            parts.append((predictions, interval, familiarity))
        predictions, intervals, familiarity = (_joined(values) for values in zip(*parts, strict=True))
        assert predictions is not None
        return Estimates(predictions, intervals, familiarity, self._outside(predictions))

    def score(self, X: Any, y: Any) -> float:
        """R^2, the share of the variance of y that the predictions explain; for several targets the mean of theirs.

        Where a target does not vary, it counts as 1 if it is predicted exactly, else as 0, as in scikit-learn.

        Args:
            X: rows or images.
            y: the true numbers, shape (n,), (n, 1), or (n, m) for m targets; or a frame of them.
        Raises:
            ShapeError: if there is not one number per row and target.
            DataError: if y holds no numbers, or one is NaN or infinite.
        """
        predictions = self.predict(X)
        truth = true_numbers(y, predictions.shape)
        left = np.square(truth - predictions).sum(axis=0)
        spread = np.square(truth - truth.mean(axis=0)).sum(axis=0)
        varies = spread > 0
        share = np.where(varies, 1 - left / np.where(varies, spread, 1.0), left == 0)
        return float(share.mean())

    # Extrapolation --------------------------------------------------------------------------------------------

    @property
    def knows_familiarity(self) -> bool:
        """Whether there were held-out rows to compare with."""
        return self._familiar is not None

    @property
    def no_familiarity(self) -> DataError | None:
        """Why the model knows no familiarity, or None if it does."""
        if self.knows_familiarity:
            return None
        return DataError(
            f"A familiarity must rest on held-out rows; {self.where} has none (trained on {self._trained_on()}). "
            f"Try to train it anew, on at least 20 {'groups' if self.card.splits.groups else 'rows'}."
        )

    @property
    def familiar_rows(self) -> int:
        """How many held-out rows familiarity compares with."""
        return 0 if self._familiar is None else len(self._familiar.held_out)

    @property
    def can_alarm(self) -> bool:
        """Whether enough rows were held out for a p-value of 0.01, from which on a row is called unfamiliar."""
        return self._familiar is not None and self._familiar.can_alarm

    def familiarity(self, X: Any) -> np.ndarray:
        """A conformal p-value per row: small = unlike anything that the model was trained on, so that it extrapolates.

        P(p <= a) <= a for rows that are exchangeable with the held-out ones, over the draw of both, so that calling
        rows with p <= 0.01 unfamiliar raises false alarms on at most 1% of familiar rows on average; approximate where
        held-out rows come from cross-validation. Nothing is promised of strange rows. Strange is what lies far from the
        training rows in the network's last hidden layer, or, for a linear network, in its inputs: see
        `likely.trust.familiarity`.

        Raises:
            DataError: if there were no held-out rows to compare with.
        """
        if (reason := self.no_familiarity) is not None:
            raise reason
        assert self._familiar is not None
        parts = (self.scores_and_features(part)[1] for part in pieces(self.rows(X), _PIECE))
        return np.concatenate([self._familiar.p_values(features, _no_energy(features)) for features in parts])

    def outside_range(self, X: Any) -> np.ndarray:
        """Whether the answer to each row lies outside the range of the training targets, booleans (n,).

        Such an answer is extrapolated. It is given as it is, and may be right; but nothing like it was ever seen. Of
        several targets one suffices. What differs from an end of the range by rounding lies inside.

        Raises:
            DataError: if the range is not known: in a model file of version 0.1.0.
        """
        outside = self._outside(self.predict(X))
        if outside is None:
            raise DataError(
                f"The range of the training targets must be known; {self.where} does not tell it. It was made by an "
                "older version. Try to train it anew."
            )
        return outside

    # Inside ---------------------------------------------------------------------------------------------------

    @cached_property
    def _errors(self) -> dict[str, np.ndarray]:
        return {n.removeprefix(ERRORS): a for n, a in self.arrays.items() if n.startswith(ERRORS)}

    @cached_property
    def _familiar(self) -> Familiarity | None:
        return read_familiarity(self.arrays)

    def _in_unit(self, scores: np.ndarray) -> np.ndarray:
        values = scores.astype(np.float64) * np.array(self.card.target_scale) + np.array(self.card.target_mean)
        return values[:, 0] if self.card.network.outputs == 1 else values

    def _interval(self, predictions: np.ndarray, rows: np.ndarray, quantile: float) -> np.ndarray:
        inputs = None
        if self._errors and len(self._errors["knots"]) > 1:
            inputs = described(self.normalization, rows)
        half = quantile * error_scale(self._errors, predictions, inputs)
        return np.stack([predictions - half, predictions + half], axis=1)

    def _outside(self, predictions: np.ndarray) -> np.ndarray | None:
        card = self.card
        if not card.target_low:
            return None
        values = predictions.reshape(len(predictions), -1)
        dtype = self.normalization.dtype
        ends = zip(card.target_low, card.target_high, card.target_mean, card.target_scale, strict=True)
        outside = np.zeros(len(values), bool)
        for column, (low, high, mean, scale) in enumerate(ends):
            answers = values[:, column]
            slack = number_slack(answers, mean, scale, dtype)
            outside |= (answers < low - slack) | (answers > high + slack)
        return outside


def _no_energy(features: np.ndarray) -> np.ndarray:
    """Scores of one class, all alike: the distance alone says what is familiar."""
    return np.zeros((len(features), 1))


def _joined(values: tuple[np.ndarray | None, ...]) -> np.ndarray | None:
    arrays = [value for value in values if value is not None]
    return np.concatenate(arrays) if arrays else None
