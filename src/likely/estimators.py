"""The scikit-learn doors: `Classifier` and `Regressor` learn from arrays, with the contract that scikit-learn defines.

Everything happens in the recipe; this file only turns arrays into a data set and gives the answers their shape.
"""

import math
from typing import Any, Literal, Self, cast

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,  # pyright: ignore[reportPrivateUsage]  # public to estimators by scikit-learn's developer guide
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from likely.arrays import to_numpy
from likely.config import RunConfig
from likely.data.dataset import Dataset, Part
from likely.errors import DataError, ProbabilityError, ShapeError
from likely.predictor import ClassifierPredictor, RegressorPredictor
from likely.probability.distribution import Distribution
from likely.recipe import learn

_SUM_TOLERANCE = 1e-6


EXPECTED_FAILED_CHECKS = {
    "check_sample_weight_equivalence_on_dense_data": "which rows share a batch is drawn, so repeating a row is not "
    "exactly doubling its weight; no stochastic optimizer passes"
}
"""The checks of `sklearn.utils.estimator_checks` that cannot pass, with the reason."""


class _Estimator(BaseEstimator):
    """What both estimators share: the settings, and the way from X to rows."""

    _task: Literal["classification", "regression"]
    image_shape: tuple[int, ...] | None
    random_state: Any
    dtype: str
    predictor_: Any
    history_: list[dict[str, Any]]

    def _config(self, rows: np.ndarray) -> RunConfig:
        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            seed = check_random_state(seed).randint(2**31 - 1)
        dtype = self.dtype
        if dtype == "auto":
            # Numbers that came in double precision are computed in it; pictures never need it.
            dtype = "float64" if rows.ndim == 2 and rows.dtype == np.float64 else "float32"
        settings = {name: getattr(self, name) for name in _SETTINGS if hasattr(self, name)}
        return RunConfig(data="array", seed=int(seed), dtype=cast(Any, dtype), task=self._task, **settings)

    def _rows(self, X: Any) -> np.ndarray:
        """X as stored rows like those learned from."""
        if _is_pictures(X):
            return self._shaped(_stacked(X))
        return self._shaped(cast(np.ndarray, validate_data(self, _detached(X), reset=False, dtype=self._kinds())))

    def _rows_and_y(self, X: Any, y: Any) -> tuple[np.ndarray, Any]:
        """The same for learning: what X is like is remembered."""
        if _is_pictures(X):
            pictures = _stacked(X)
            self.n_features_in_ = math.prod(pictures.shape[1:])
            return self._shaped(pictures), np.asarray(_detached(y))
        numeric = self._task == "regression"
        checked = validate_data(
            self, _detached(X), _detached(y), dtype=self._kinds(), multi_output=True, y_numeric=numeric
        )
        rows, y = cast(tuple[np.ndarray, Any], checked)
        return self._shaped(rows), y

    def _kinds(self) -> Any:
        return "numeric" if self.image_shape is not None else (np.float64, np.float32)

    def _shaped(self, rows: np.ndarray) -> np.ndarray:
        return rows if self.image_shape is None else _as_pictures(rows, tuple(self.image_shape))

    def _learn(self, dataset: Dataset, targets: np.ndarray | None, weights: np.ndarray | None) -> Any:
        learned = learn(dataset, self._config(dataset.train.X), targets=targets, weights=weights)
        self.predictor_ = learned.predictor
        self.history_ = [record.to_json() for record in learned.history]
        return learned.predictor


_SETTINGS = (
    "network",
    "hidden",
    "activation",
    "engine",
    "head",
    "loss",
    "optimizer",
    "learning_rate",
    "batch_size",
    "epochs",
    "time_limit",
    "early_stopping",
    "preset",
    "device",
    "pad_to",
)


class Classifier(ClassifierMixin, _Estimator):
    """Learns P(label | x) from labelled pictures or rows of numbers.

    Args:
        network: "auto" (conv for pictures, MLP for rows), "conv", "mlp" or "linear".
        hidden: widths of the MLP's hidden layers; None leaves them to the preset.
        activation: of the MLP: "sigmoid", "relu", "tanh" or "gelu".
        head: from scores to the simplex, "softmax" or "l1".
        loss: "cross_entropy" or "squared_error".
        engine: "auto", "numpy" (gradients by hand), "jax" or "torch".
        optimizer: "sgd" or "adam"; None leaves it to the preset.
        learning_rate: the peak of the schedule; None leaves it to the preset.
        batch_size: rows per step; None leaves it to the size of the data.
        epochs: passes over the rows; None leaves them to the preset and the size of the data.
        time_limit: seconds of training.
        early_stopping: hold out a further part and stop when its loss no longer falls.
        image_shape: (h, w) or (h, w, 3) where each row of X is a picture.
        mirror: whether a picture flipped left to right still shows the same.
        pad_to: side to which square pictures are padded with zeros.
        preset: "fast", "balanced" or "best".
        device: "auto", "cpu" or "cuda".
        dtype: "auto" computes rows of float64 in float64, everything else in float32.
        random_state: an int for a run that repeats.

    After `fit`: `classes_` (sorted), `predictor_`, `history_`, `n_features_in_`.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = Classifier(network="linear", random_state=0).fit(X, y)
        >>> clf.distribution(X[:1]).mode()
        [0]
    """

    _task = "classification"

    def __init__(
        self,
        network: Literal["auto", "conv", "mlp", "linear"] = "auto",
        *,
        hidden: tuple[int, ...] | None = None,
        activation: str | None = None,
        head: str = "softmax",
        loss: str = "cross_entropy",
        engine: str = "auto",
        optimizer: str | None = None,
        learning_rate: float | None = None,
        batch_size: int | None = None,
        epochs: float | None = None,
        time_limit: float | None = None,
        early_stopping: bool = False,
        image_shape: tuple[int, ...] | None = None,
        mirror: bool = False,
        pad_to: int | None = None,
        preset: str = "fast",
        device: str = "auto",
        dtype: str = "auto",
        random_state: Any = None,
    ) -> None:
        self.network = network
        self.hidden = hidden
        self.activation = activation
        self.head = head
        self.loss = loss
        self.engine = engine
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs
        self.time_limit = time_limit
        self.early_stopping = early_stopping
        self.image_shape = image_shape
        self.mirror = mirror
        self.pad_to = pad_to
        self.preset = preset
        self.device = device
        self.dtype = dtype
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, classes: Any = None) -> Self:
        """Learn from rows and their labels.

        Args:
            X: numbers (n, d), or pictures as uint8 (n, h, w) or (n, h, w, 3).
            y: labels (n,), or label distributions (n, k) with `classes` naming the columns.
            sample_weight: one non-negative number per row, not all zero.
            classes: the k labels, where y holds distributions.
        Raises:
            DataError: if the data cannot be learned from: one class only, no rows, NaN.
        """
        soft = classes is not None
        rows, y = self._rows_and_y(X, y)
        targets = None
        if soft:
            self.classes_ = np.asarray(classes)
            targets = _distributions(y, len(rows), len(self.classes_))
            index = targets.argmax(axis=1)
        else:
            y = np.asarray(y)
            if y.ndim == 2 and y.shape[1] > 1:
                raise ShapeError(
                    f"y must be labels of shape (n,); got shape {y.shape}. Rows of label probabilities need the names "
                    "of their columns. Try fit(X, y, classes=[...])."
                )
            y = column_or_1d(y, warn=True)
            check_classification_targets(y)
            self.classes_, index = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise DataError(
                f"y must hold at least 2 classes; got 1 class, {self.classes_[0]!r}. There is nothing to tell apart. "
                "Try data with more labels."
            )
        weights = None if sample_weight is None else _weights(sample_weight, rows)
        dataset = Dataset(
            name="array",
            task="classification",
            train=Part(rows, index.astype(np.int64)),
            labels=tuple(str(label) for label in self.classes_.tolist()),
            label_type=_label_type(self.classes_),
            mirror=self.mirror,
            found_at="memory",
        )
        self._learn(dataset, targets, weights)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """P(label | x), shape (n, k); columns follow `classes_`."""
        return self._answering().predict_proba(self._rows(X))

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """log P(label | x) in nats, shape (n, k)."""
        return self._answering().predict_log_proba(self._rows(X))

    def distribution(self, X: Any) -> Distribution:
        """The probabilities with their names: a batch of distributions, one per row."""
        return self._answering().distribution(self._rows(X))

    def predict(self, X: Any) -> np.ndarray:
        """The most probable label of each row."""
        best = self.predict_log_proba(X).argmax(axis=1)
        return self.classes_[best]

    def _answering(self) -> ClassifierPredictor:
        check_is_fitted(self)
        return cast(ClassifierPredictor, self.predictor_)


class Regressor(RegressorMixin, _Estimator):
    """Learns to predict numbers, with intervals of known coverage.

    The arguments are those of `Classifier` where they apply. network="linear" with engine="auto" is solved in closed
    form (least squares); every other choice descends on the squared error. Inputs and targets are standardized.

    Example:
        >>> from sklearn.datasets import load_diabetes
        >>> X, y = load_diabetes(return_X_y=True)
        >>> reg = Regressor(network="linear").fit(X, y)
        >>> round(reg.score(X, y), 3)
        0.518
        >>> reg.predict_interval(X[:1], coverage=0.9).shape
        (1, 2)
    """

    _task = "regression"

    def __init__(
        self,
        network: Literal["auto", "mlp", "linear"] = "auto",
        *,
        hidden: tuple[int, ...] | None = None,
        activation: str | None = None,
        engine: str = "auto",
        optimizer: str | None = None,
        learning_rate: float | None = None,
        batch_size: int | None = None,
        epochs: float | None = None,
        time_limit: float | None = None,
        early_stopping: bool = False,
        image_shape: tuple[int, ...] | None = None,
        preset: str = "fast",
        device: str = "auto",
        dtype: str = "auto",
        random_state: Any = None,
    ) -> None:
        self.network = network
        self.hidden = hidden
        self.activation = activation
        self.engine = engine
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs
        self.time_limit = time_limit
        self.early_stopping = early_stopping
        self.image_shape = image_shape
        self.preset = preset
        self.device = device
        self.dtype = dtype
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from rows and their numbers.

        Args:
            X: numbers (n, d), or pictures as uint8.
            y: numbers (n,) or (n, m).
            sample_weight: one non-negative number per row, not all zero.
        """
        rows, y = self._rows_and_y(X, y)
        y = np.asarray(y, dtype=np.float64)
        y = column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y
        weights = None if sample_weight is None else _weights(sample_weight, rows)
        dataset = Dataset(name="array", task="regression", train=Part(rows, y), found_at="memory")
        self._learn(dataset, None, weights)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The predicted numbers, shape (n,), or (n, m)."""
        check_is_fitted(self)
        return self.predictor_.predict(self._rows(X))

    def predict_interval(self, X: Any, coverage: float = 0.9) -> np.ndarray:
        """Lower and upper bounds (n, 2) that hold the truth with at least this probability."""
        check_is_fitted(self)
        return cast(RegressorPredictor, self.predictor_).predict_interval(self._rows(X), coverage)


def _detached(values: Any) -> Any:
    return to_numpy(values) if hasattr(values, "detach") else values


def _is_pictures(X: Any) -> bool:
    """Whether X is an array of pictures, or a list of them."""
    if isinstance(X, list | tuple):
        return len(X) > 0 and (len(getattr(X[0], "shape", ())) > 1 or hasattr(X[0], "getpixel"))
    return len(getattr(X, "shape", ())) > 2


def _stacked(X: Any) -> np.ndarray:
    pictures = np.stack([np.asarray(x) for x in X]) if isinstance(X, list | tuple) else to_numpy(X)
    if pictures.dtype != np.uint8:
        raise ShapeError(
            f"Pictures must be uint8, 0 to 255; got {pictures.dtype} of shape {pictures.shape}. Which range another "
            "dtype has is never guessed. Try (X * 255).round().astype('uint8') if X lies in [0, 1]."
        )
    return pictures


def _as_pictures(rows: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if rows.ndim > 2 and rows.shape[1:] == shape:
        return rows
    if rows.ndim != 2 or rows.shape[1] != np.prod(shape):
        raise ShapeError(f"X must be pictures of shape {shape}; got rows of shape {rows.shape[1:]}. Try image_shape=.")
    if rows.dtype != np.uint8:
        whole = np.all((rows >= 0) & (rows <= 255) & (rows == np.floor(rows)))
        if not whole:
            raise ShapeError(
                f"Pictures must be whole numbers 0..255; got {rows.dtype} outside of them. "
                "Try (X * 255).round().astype('uint8') if X lies in [0, 1]."
            )
    return rows.astype(np.uint8).reshape(-1, *shape)


def _label_type(classes: np.ndarray) -> Literal["str", "int", "float", "bool"]:
    kinds: dict[str, Literal["int", "float", "bool"]] = {"i": "int", "u": "int", "f": "float", "b": "bool"}
    return kinds.get(classes.dtype.kind, "str")


def _weights(sample_weight: Any, rows: np.ndarray) -> np.ndarray:
    flat = rows.reshape(len(rows), -1)
    return _check_sample_weight(sample_weight, flat, dtype=np.float64, ensure_non_negative=True)


def _distributions(y: Any, n: int, k: int) -> np.ndarray:
    targets = np.asarray(y, dtype=np.float64)
    if targets.shape != (n, k):
        raise ShapeError(f"y must have one row per row of X and one column per class, {(n, k)}; got {targets.shape}.")
    sums = targets.sum(axis=1)
    bad = np.flatnonzero((np.abs(sums - 1) > _SUM_TOLERANCE) | (targets < 0).any(axis=1) | ~np.isfinite(sums))
    if len(bad):
        row = int(bad[0])
        raise ProbabilityError(
            f"Each row of y must be probabilities that sum to 1; row {row} sums to {sums[row]:.6g}. "
            "Try y / y.sum(axis=1, keepdims=True) for counts of votes."
        )
    return targets
