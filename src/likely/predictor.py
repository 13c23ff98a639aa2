"""A model that answers: a frozen artefact of network, parameters, preprocessing, labels, calibration and card.

    rows or pictures -> normalization -> network -> scores -> head -> temperature -> Distribution

Training's own evaluation asks a Predictor, and `load` gives back the very same one, so the numbers agree.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from likely import storage
from likely.arrays import to_numpy
from likely.card import Card
from likely.data.normalize import Normalization
from likely.data.picture import read_picture
from likely.engines import create_engine
from likely.engines.engine import Optimizer
from likely.errors import DataError, ModelFileError
from likely.heads import HEADS
from likely.inference import Inference
from likely.networks import create_network
from likely.networks.network import Network, TorchNetwork
from likely.probability.distribution import Distribution
from likely.probability.space import SampleSpace
from likely.trust.conformal import conformal_quantile, residual_interval
from likely.trust.temperature import apply_temperature

_THETA = "theta."
_RESIDUALS = "held_out.residuals"


class Predictor:
    """What the classifier's and the regressor's models share: input, forward pass, file.

    Args:
        card: everything but the numbers.
        arrays: the numbers by name: parameters under "theta.", held-out statistics under "held_out.".
        device: where a torch network computes: "auto", "cpu" or "cuda".
        path: where the model came from, for messages.
    """

    def __init__(self, card: Card, arrays: Mapping[str, np.ndarray], device: str = "auto", path: object = "") -> None:
        self.card = card
        self._arrays = dict(arrays)
        self._where = str(path) or "The model"
        self.normalization = Normalization.from_json(card.normalization)
        network = create_network(card.network.name, card.network.settings)
        theta = {name.removeprefix(_THETA): a for name, a in self._arrays.items() if name.startswith(_THETA)}
        if isinstance(network, Network):
            shapes, kinds, forward = network.shapes, {}, partial(network.apply_with_features, theta)
            load_state = None
        else:
            engine = _torch_engine(network, card, self.normalization, device)
            state = engine.state()
            shapes, kinds = {n: a.shape for n, a in state.items()}, {n: a.dtype.kind for n, a in state.items()}
            forward, load_state = engine.forward, engine.load_state
        storage.expect_arrays(
            self._where,
            self._arrays,
            {_THETA + name: shape for name, shape in shapes.items()},
            kinds={_THETA + name: kind for name, kind in kinds.items()},
            optional=(_RESIDUALS,),
        )
        if load_state is not None:
            load_state(theta)
        self._inference = Inference(self.normalization, forward, card.mirror)

    @property
    def task(self) -> str:
        """Either "classification" or "regression"."""
        return self.card.task

    @property
    def picture_shape(self) -> tuple[int, ...] | None:
        """(h, w) or (h, w, 3) of the pictures that the model reads; None for rows of numbers."""
        return self.normalization.shape if self.normalization.kind == "pictures" else None

    def rows(self, X: Any, *, raw: bool = False) -> np.ndarray:
        """X as the rows that the model was trained on: arrays are checked, pictures and paths go through the gate.

        Args:
            X: an array of rows, or a list of paths, PIL pictures or bytes.
            raw: only resize pictures, without the data set's conversion of photographs.
        """
        if _is_pictures(X):
            if self.picture_shape is None:
                raise DataError(
                    f"X must be rows of {self.normalization.shape[0]} numbers; got pictures. "
                    f"The model was trained on a table. Try predict with an array of shape (n, d)."
                )
            read = [read_picture(x, shape=self.picture_shape, conversion=self.card.conversion, raw=raw) for x in X]
            return np.stack(read) if read else np.empty((0, *self.picture_shape), np.uint8)
        return self.normalization.check(to_numpy(X))

    def scores_and_features(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Scores before the head (n, k), and the input of the last linear layer (n, m)."""
        return self._inference(self.rows(X))

    def with_metrics(self, metrics: dict[str, Any]) -> Self:
        """The same model whose card states these test figures."""
        same = object.__new__(type(self))
        same.__dict__.update({**self.__dict__, "card": self.card.model_copy(update={"metrics": metrics})})
        return same

    def save(self, path: str | Path) -> Path:
        """Write the model to one file, whole or not at all; returns the path.

        Raises:
            OutputError: if it cannot be written.
        """
        storage.write(path, self._arrays, self.card.to_json())
        return Path(path)

    def __repr__(self) -> str:
        card = self.card
        what = f"{len(card.labels)} labels" if card.labels else f"{card.network.outputs} numbers"
        return f"<{type(self).__name__} {card.network.name}, {card.network.parameters:,} parameters: {what}>"


class ClassifierPredictor(Predictor):
    """P(label | x) for new x."""

    @cached_property
    def space(self) -> SampleSpace:
        """The labels as a sample space."""
        return SampleSpace(self.labels)

    @cached_property
    def labels(self) -> tuple[Any, ...]:
        """The labels in the order of the columns, in the type that they were trained with."""
        read = {"str": str, "int": int, "float": float, "bool": lambda text: text == "True"}[self.card.label_type]
        return tuple(read(label) for label in self.card.labels)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """log P(label | x) in nats, shape (n, k)."""
        scores, _ = self.scores_and_features(X)
        log_probs = np.asarray(HEADS[self.card.head].log_probs(scores))
        if self.card.temperature is None or len(log_probs) == 0:
            return log_probs
        return apply_temperature(log_probs, self.card.temperature)

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
        """The share of rows whose most probable label is the given one."""
        index = {label: i for i, label in enumerate(self.labels)}
        truth = np.array([index.get(label, -1) for label in np.asarray(y).tolist()])
        return float((self.predict_log_proba(X).argmax(axis=1) == truth).mean())


class RegressorPredictor(Predictor):
    """Numbers for new x, with intervals of known coverage."""

    def predict(self, X: Any) -> np.ndarray:
        """The predicted number of each row, shape (n,), or (n, m) for several targets."""
        scores, _ = self.scores_and_features(X)
        values = scores.astype(np.float64) * np.array(self.card.target_scale) + np.array(self.card.target_mean)
        return values[:, 0] if self.card.network.outputs == 1 else values

    @property
    def has_intervals(self) -> bool:
        """Whether there were held-out rows to measure errors on."""
        return _RESIDUALS in self._arrays

    def predict_interval(self, X: Any, coverage: float = 0.9) -> np.ndarray:
        """Lower and upper bounds, shape (n, 2), that hold the truth with at least this probability.

        Split conformal: prediction ± the ceil((m + 1) coverage)-th smallest of m absolute held-out residuals. The
        promise is marginal and holds for rows drawn like the held-out ones. Where the residuals come from
        cross-validation (small data), it is approximate.

        Raises:
            DataError: if there are too few held-out rows for this coverage; it says how many are needed.
        Reference: Lei et al., Distribution-Free Predictive Inference for Regression, arXiv 1604.04173.
        """
        if not self.has_intervals:
            raise DataError(
                f"predict_interval must have held-out rows to measure errors on; {self._where} has none "
                f"(trained on {self.card.splits.train} rows, {self.card.network.outputs} targets). "
                "Try one target and at least 20 rows."
            )
        return residual_interval(self.predict(X), conformal_quantile(self._arrays[_RESIDUALS], coverage))

    def score(self, X: Any, y: Any) -> float:
        """R^2, the share of the variance of y that the predictions explain."""
        truth = np.asarray(y, dtype=np.float64)
        spread = np.square(truth - truth.mean(axis=0)).sum()
        return float(1 - np.square(truth - self.predict(X)).sum() / spread)


def make_predictor(
    card: Card,
    theta: Mapping[str, np.ndarray],
    residuals: np.ndarray | None = None,
    device: str = "auto",
) -> ClassifierPredictor | RegressorPredictor:
    """The predictor of a network that has just been trained."""
    arrays = {_THETA + name: a for name, a in theta.items()}
    if residuals is not None:
        arrays[_RESIDUALS] = np.sort(residuals)
    return _of_task(card)(card, arrays, device)


def load(path: str | Path, device: str = "auto") -> ClassifierPredictor | RegressorPredictor:
    """The model in a file that `save` wrote; it answers with the numbers that it had when it was saved.

    Args:
        path: a `model.likely`, or a run folder that holds one.
        device: where a torch network computes: "auto", "cpu" or "cuda".
    Raises:
        ModelFileError: if the file is damaged, foreign or from a newer version. No code in it is ever run.
    """
    path = _model_path(path)
    arrays, document = storage.read(path)
    card = Card.from_json(document, path)
    try:
        return _of_task(card)(card, arrays, device, path)
    except (ValueError, TypeError, KeyError) as error:
        raise ModelFileError(f"{path} must describe a network that this version knows: {error}") from error


def read_card(path: str | Path) -> Card:
    """The card of a model file, without loading its weights."""
    path = _model_path(path)
    return Card.from_json(storage.read_document(path), path)


def _model_path(path: str | Path) -> Path:
    path = Path(path)
    return path / "model.likely" if path.is_dir() and (path / "model.likely").exists() else path


def _of_task(card: Card) -> type[ClassifierPredictor] | type[RegressorPredictor]:
    return ClassifierPredictor if card.task == "classification" else RegressorPredictor


def _torch_engine(network: TorchNetwork, card: Card, normalization: Normalization, device: str) -> Any:
    return create_engine(
        "torch",
        network,
        n_outputs=card.network.outputs,
        head=card.head,
        loss=card.loss,
        optimizer=Optimizer(),
        sample=np.zeros((2, *normalization.output_shape), np.float32),
        seed=0,
        dtype="float32",
        device=device,
    )


def _is_pictures(X: Any) -> bool:
    if not isinstance(X, Sequence) or isinstance(X, str | bytes) or not X:
        return False
    first = X[0]
    return isinstance(first, str | bytes | Path) or hasattr(first, "getpixel")
