"""What differs between learning labels and learning numbers: two objects with the same methods, and no third place.

                classification                        regression
Y               label distributions (n, k)            targets (n, m), standardized while they are learned
held-out rows   accuracy and NLL                      mean squared error
calibration     a temperature, perhaps biases         none
guarantees      sets, error bounds, familiarity       intervals, familiarity
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np

from likely.arrays import one_hot
from likely.config import RunConfig
from likely.config.registry import HEADS
from likely.metrics import at_labels
from likely.metrics.scores import LOWEST_LOG_PROB
from likely.model.held_out_arrays import held_out_arrays
from likely.model.init_from_file import Start
from likely.preprocessing.standardize import mean_and_scale
from likely.preprocessing.stored_rows import RowArray
from likely.training.fit_intervals import interval_arrays
from likely.training.held_out_scores import HeldOutScores, TrainingOutcome
from likely.training.trained import Trained
from likely.trust.bias_corrected import Calibration, fit_calibration
from likely.trust.temperature import FLATTEST, SHARPEST, at_best_temperature
from likely.trust.unseen import unseen_probabilities, with_unseen


class Targets(NamedTuple):
    """What the network learns, (n, k), how much each row counts, and its answers: mean + scale * score."""

    Y: np.ndarray
    weights: np.ndarray | None
    mean: np.ndarray
    scale: np.ndarray


class Losses(NamedTuple):
    """The loss of held-out rows, (m,), where it says something of the network; `fitted` numbers were fitted to them.

    `at_bound` says whether the temperature would be larger or smaller than is allowed.
    """

    values: np.ndarray
    Y: np.ndarray
    weights: np.ndarray | None
    loss: str
    fitted: int = 0
    at_bound: bool = False


class Calibrated(NamedTuple):
    """What held-out rows say of a network: its calibration, their figures under it, and what guarantees rest on."""

    calibration: Calibration | None
    figures: dict[str, Any] | None
    arrays: dict[str, np.ndarray]
    losses: Losses | None
    sentences: tuple[str, ...] = ()


class Classification:
    """Labels: the network's scores become a distribution."""

    name = "classification"
    loss_figure = "nll"
    """By which states of the network are compared on the way."""
    symmetric_inputs = True
    """Whether an MLP sees skewed columns made symmetric; curves often are simple in the user's units."""
    has_confidence = True
    """Whether an answer has a probability, from which on the mirrored copy need not be asked."""
    warns_if_never_unfamiliar = True
    """Whether users are warned where no row can be called unfamiliar; otherwise it is only said."""
    nothing_held_out = "the model is not calibrated and has no prediction sets, no error bound and no familiarity"

    def head_and_loss(self, config: RunConfig) -> tuple[Any, Any]:
        """The names of the head and of the loss that is lowered."""
        return config.head, config.loss

    def encode(self, y: np.ndarray, labels: tuple[str, ...], dtype: str) -> np.ndarray:
        """The answers of a data set as they are learned: label distributions (n, k)."""
        return one_hot(y, len(labels), dtype)

    def strata(self, Y: np.ndarray) -> np.ndarray:
        """The most probable class of each row: folds hold about as many of each."""
        return Y.argmax(axis=1)

    def targets(
        self, Y: np.ndarray, weights: np.ndarray | None, class_weight: np.ndarray | None, start: Start | None
    ) -> Targets:
        """What the network learns from these rows.

        -sum_k w_k y_k log q_k is the cross-entropy of y' = w y / sum(w y), counted sum(w y) times; answers are
        corrected by -log w.
        """
        mean, scale = np.zeros(Y.shape[1], Y.dtype), np.ones(Y.shape[1], Y.dtype)
        if class_weight is not None:
            mean = -np.log(class_weight).astype(Y.dtype)
            Y = Y * class_weight.astype(Y.dtype)
            counted = Y.sum(axis=1)
            Y = Y / counted[:, None]
            weights = counted if weights is None else weights * counted
        return Targets(Y, weights, mean, scale)

    def stated(self, Y: np.ndarray) -> np.ndarray:
        """The probability of each label that these training rows lack, 0 for the others, shape (k,)."""
        return unseen_probabilities(Y.sum(axis=0))

    def finite(self, scores: np.ndarray) -> bool:
        """Whether every row has an answer: scores may be -inf, which masks a label, but not all of a row's."""
        masked = scores == -np.inf
        return bool((np.isfinite(scores) | masked).all() and not masked.all(axis=1).any())

    def figures(
        self,
        scores: np.ndarray,
        Y: np.ndarray,
        head: str,
        weights: np.ndarray | None = None,
        stated: np.ndarray | None = None,
    ) -> dict[str, float]:
        """What is said of held-out rows on the way: accuracy, and NLL in nats.

        Labels that the network was never shown have their `stated` probability, (k,) or (n, k).
        """
        log_probs = np.asarray(HEADS[head].log_probs(scores))
        if stated is not None:
            log_probs = with_unseen(log_probs, stated)
        right = log_probs.argmax(axis=1) == Y.argmax(axis=1)
        # A label that the network masks as impossible costs much when it comes, but no infinity that hides the rest.
        floored = np.maximum(log_probs, LOWEST_LOG_PROB)
        return {
            "accuracy": float(np.average(right, weights=weights)),
            "nll": float(-np.average((Y * floored).sum(axis=1), weights=weights)),
        }

    def held_out_losses(self, part: HeldOutScores, head: str) -> np.ndarray:
        """NLL of each row under the best temperature, since one will be fitted, shape (m,)."""
        calibrated = at_best_temperature(part.log_probs(head), part.Y, part.weights, part.stated)
        return -(part.Y * np.maximum(calibrated, LOWEST_LOG_PROB)).sum(axis=1)

    def held_out_loss(self, part: HeldOutScores, head: str) -> float:
        """The mean of `held_out_losses`."""
        return float(np.average(self.held_out_losses(part, head), weights=part.weights))

    def class_scores(self, scores: np.ndarray) -> np.ndarray:
        """The scores of classes, (n, k), by which familiarity is measured."""
        return scores

    def classes(self, Y: np.ndarray) -> np.ndarray:
        """The distribution over classes of each row, (n, k), each of which has a Gaussian of features."""
        return Y

    def calibrate(self, outcome: TrainingOutcome, X: RowArray, Y: np.ndarray) -> Calibrated:
        """Temperature and biases, fitted on the rows for calibration, and what guarantees rest on; X, Y: all rows."""
        part, thresholds, head = outcome.calibration, outcome.thresholds, outcome.trained.plan.head
        assert part is not None
        log_probs = part.log_probs(head)
        fitted = Calibration(1.0) if part.calibrated else fit_calibration(log_probs, part.Y, part.weights)
        calibrated = fitted.apply(log_probs)
        figures = {"n": len(part), **self.figures(calibrated, part.Y, "softmax", stated=part.stated)}
        biases = "" if fitted.biases is None else " and a bias per class"
        said = [f"Temperature {fitted.temperature:.3f}{biases}, fitted on {len(part):,} held-out rows"]
        if without := int(part.of_unseen.sum()):
            said.append(
                f"{without:,} of the held-out rows have a label that their network never saw; they count as wrong "
                "answers, and no set contains them"
            )
        arrays: dict[str, np.ndarray] = {}
        if thresholds is not None:
            kept = thresholds.log_probs(head)
            if thresholds.calibrated:
                kept = fitted.undone(kept)
            arrays = held_out_arrays(log_probs, kept, thresholds.Y, fitted, thresholds.stated)
        # A row whose own label is masked or was never shown costs the floor, which says nothing of the others.
        at_label = at_labels(np.maximum(calibrated, LOWEST_LOG_PROB), part.Y)
        which = np.flatnonzero((at_label > LOWEST_LOG_PROB / 2) & ~part.of_unseen)
        losses = Losses(
            -at_label[which],
            part.Y[which],
            None if part.weights is None else part.weights[which],
            "cross_entropy",
            fitted=1 if fitted.biases is None else len(fitted.biases),
            at_bound=not SHARPEST * 1.001 < fitted.temperature < FLATTEST / 1.001,
        )
        return Calibrated(fitted, figures, arrays, losses if len(which) else None, tuple(said))

    def calibrated_by(self, others: HeldOutScores, own: HeldOutScores, head: str) -> np.ndarray:
        """Log-probabilities of held-out rows, with temperature and biases from other rows, (m, k)."""
        calibration = fit_calibration(others.log_probs(head), others.Y, others.weights)
        return with_unseen(calibration.apply(own.log_probs(head)), own.stated)

    def card_entries(self, trained: Trained, Y: np.ndarray, weights: np.ndarray | None) -> dict[str, tuple[float, ...]]:
        """What the model's card says of the answers learned from: how often each label comes."""
        frequencies = np.average(Y, axis=0, weights=weights).astype(np.float64)
        return {"class_frequencies": tuple(frequencies.tolist())}


class Regression:
    """Numbers: the network's scores are standardized targets."""

    name = "regression"
    loss_figure = "mse"
    symmetric_inputs = False
    has_confidence = False
    warns_if_never_unfamiliar = False
    nothing_held_out = "the model has no intervals and no familiarity"

    def head_and_loss(self, config: RunConfig) -> tuple[Any, Any]:
        """The names of the head and of the loss that is lowered."""
        return "identity", "squared_error"

    def encode(self, y: np.ndarray, labels: tuple[str, ...], dtype: str) -> np.ndarray:
        """The answers of a data set as they are learned: targets (n, m), in double precision.

        Whatever the network computes in: a time stamp is large beside what varies of it.
        """
        return y.reshape(len(y), -1).astype(np.float64)

    def strata(self, Y: np.ndarray) -> np.ndarray:
        """All the same."""
        return np.zeros(len(Y), np.int64)

    def targets(
        self, Y: np.ndarray, weights: np.ndarray | None, class_weight: np.ndarray | None, start: Start | None
    ) -> Targets:
        """Standardized targets, by the mean and scale of these rows or of the model that training begins with.

        In double precision: targets may be large beside their spread.
        """
        Y = Y.astype(np.float64, copy=False)
        mean, scale = mean_and_scale(Y)
        if start is not None and start.card is not None and len(start.card.target_mean) == len(mean):
            mean, scale = np.array(start.card.target_mean), np.array(start.card.target_scale)
        return Targets((Y - mean) / scale, weights, mean, scale)

    def stated(self, Y: np.ndarray) -> np.ndarray:
        """Zeros: numbers are no labels."""
        return np.zeros(Y.shape[1])

    def finite(self, scores: np.ndarray) -> bool:
        """Whether every row has an answer."""
        return bool(np.isfinite(scores).all())

    def figures(
        self,
        scores: np.ndarray,
        Y: np.ndarray,
        head: str,
        weights: np.ndarray | None = None,
        stated: np.ndarray | None = None,
    ) -> dict[str, float]:
        """What is said of held-out rows on the way: the mean squared error."""
        return {"mse": float(np.average(np.square(scores - Y).sum(axis=1), weights=weights))}

    def held_out_losses(self, part: HeldOutScores, head: str) -> np.ndarray:
        """The squared error of each row, shape (m,)."""
        return np.square(part.scores - part.Y).sum(axis=1)

    def held_out_loss(self, part: HeldOutScores, head: str) -> float:
        """The mean squared error."""
        return float(np.average(self.held_out_losses(part, head), weights=part.weights))

    def class_scores(self, scores: np.ndarray) -> np.ndarray:
        """The scores of one class, all alike, so that the distance of features decides what is familiar.

        Example:
            >>> REGRESSION.class_scores(np.array([[3.0, 4.0]]))
            array([[0.]])
        """
        return np.zeros((len(scores), 1))

    def classes(self, Y: np.ndarray) -> np.ndarray:
        """One class, of all rows."""
        return np.ones((len(Y), 1))

    def calibrate(self, outcome: TrainingOutcome, X: RowArray, Y: np.ndarray) -> Calibrated:
        """What intervals rest on, for a single target; X, Y: all rows."""
        part = outcome.thresholds
        if part is None:
            return Calibrated(None, None, {}, None)
        arrays = interval_arrays(outcome, X, Y) if Y.shape[1] == 1 else {}
        losses = Losses(np.square(part.scores - part.Y).sum(axis=1), part.Y, part.weights, "squared_error")
        return Calibrated(None, None, arrays, losses)

    def calibrated_by(self, others: HeldOutScores, own: HeldOutScores, head: str) -> np.ndarray:
        """The answers themselves: numbers are not calibrated."""
        return own.scores

    def card_entries(self, trained: Trained, Y: np.ndarray, weights: np.ndarray | None) -> dict[str, tuple[float, ...]]:
        """What the model's card says of the answers learned from: their unit and their range."""
        return {
            "target_mean": tuple(trained.target_mean.tolist()),
            "target_scale": tuple(trained.target_scale.tolist()),
            "target_low": tuple(Y.min(axis=0).tolist()),
            "target_high": tuple(Y.max(axis=0).tolist()),
        }


Task: TypeAlias = Classification | Regression
CLASSIFICATION, REGRESSION = Classification(), Regression()
TASKS: dict[str, Task] = {task.name: task for task in (CLASSIFICATION, REGRESSION)}
"""The tasks by the name that a data set and a model's card have for them."""
