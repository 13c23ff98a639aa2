"""An ONNX file that answers like the predictor that it was exported from: ONNX Runtime computes, and no torch.

What was learned from held-out rows lies in the metadata, so that everything that a predictor says of its guarantees can
be asked here, too.
"""

import importlib.util
import json
import zipfile
import zlib
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from likely.errors import DataError, MissingExtraError, ModelFileError
from likely.export.error_table import LEVEL, threshold_of
from likely.export.names import (
    ABSTAINED_BY_DEFAULT,
    COVERAGE,
    FAMILIARITY,
    HIGH,
    LOW,
    OUTSIDE_RANGE,
    PREDICTION,
    PROBABILITIES,
    USUAL_ERROR,
)
from likely.export.properties import ERROR_THRESHOLDS, FORMAT, unpacked_arrays
from likely.export.row_inputs import row_inputs
from likely.export.session import Session
from likely.model.card import Card
from likely.model.classifier_predictor import ClassifierPredictor, Examined
from likely.model.gate import Gate
from likely.model.inference import in_pieces
from likely.model.predictor import Predictor
from likely.model.regressor_predictor import Estimates, RegressorPredictor
from likely.preprocessing.preprocessor import preprocessor_from_json
from likely.preprocessing.stored_rows import RowArray
from likely.trust.abstention import confidence

_BATCH = 256
_OF_NUMBERS = (PREDICTION, LOW, HIGH, FAMILIARITY, OUTSIDE_RANGE)


def open_onnx(path: str | Path) -> "OnnxClassifier | OnnxRegressor":
    """The model in an ONNX file that likely wrote.

    Raises:
        MissingExtraError: if ONNX Runtime is not installed.
        ModelFileError: if there is no such file, or it is damaged or foreign.
    """
    if importlib.util.find_spec("onnxruntime") is None:
        raise MissingExtraError("export", "Reading an ONNX file")
    if not Path(path).is_file():
        raise ModelFileError(f"{path} must be an ONNX file; there is none. Try likely export MODEL {path}.")
    try:
        session = Session(Path(path).read_bytes())  # ONNX Runtime opens no name that is not UTF-8
        said = session.metadata
    except Exception as error:  # of ONNX Runtime's many kinds
        raise ModelFileError(
            f"{path} must be a whole ONNX file; got: {str(error).rstrip('.')}. Export the model again."
        ) from error
    if "likely_format" not in said:
        raise ModelFileError(f"{path} must be a file that likely export wrote; got another one. Try likely export.")
    if (version := said["likely_format"]) != FORMAT:
        raise ModelFileError(
            f"{path} must be of format {FORMAT}; got {version}, of another version of likely. Export the model again."
        )
    try:
        card = Card.from_json(json.loads(said["card"]), path)
        kind = OnnxClassifier if card.task == "classification" else OnnxRegressor
        return kind(path, session, card)
    except (KeyError, ValueError, EOFError, RecursionError, zipfile.BadZipFile, zlib.error) as error:
        raise ModelFileError(
            f"{path} must hold whole metadata; got: {str(error).rstrip('.')}. Export the model again."
        ) from error


class _Answering(Predictor):
    """What both tasks share: rows in, all outputs of the graph for them."""

    def __init__(self, path: str | Path, session: Session, card: Card) -> None:
        arrays, preprocessor = unpacked_arrays(session.metadata["arrays"]), preprocessor_from_json(card.normalization)
        Gate.__init__(self, str(path), card, arrays, preprocessor)
        self.session, self.trained_on = session, None
        self._inference = None  # explanations that cover or replace parts of rows ask for answers alone

    @cached_property
    def missing(self) -> dict[str, str]:
        """Why the file lacks an output, by the name of the output."""
        return json.loads(self.session.metadata["missing"])

    @property
    def is_ensemble(self) -> bool:
        """No: the graph gives the mean of what members answer, and not what each of them does."""
        return False

    def familiarity(self, X: Any) -> np.ndarray:
        """As `Predictor.familiarity`."""
        if (reason := self.no_familiarity) is not None:
            raise reason
        return self._asked(self.rows(X), FAMILIARITY)[0]

    def _refuse(self, *_: Any, **__: Any) -> Any:
        """Refused, with a DataError: the graph gives answers, and nothing that lies behind them."""
        raise DataError(
            f"{self.where} gives answers alone, and nothing that lies behind them. Ask the model that it was exported "
            "from."
        )

    save = to_onnx = disagreement = calibrate = _refuse
    _scores = _scores_and_features = _scores_and_ood = _refuse

    @property
    def no_familiarity(self) -> DataError | None:
        """Why the model knows no familiarity, or None if it does."""
        return DataError(self.missing[FAMILIARITY]) if FAMILIARITY in self.missing else None

    @property
    def familiar_rows(self) -> int:
        """How many held-out rows familiarity compares with."""
        return int(self.session.metadata["familiar_rows"])

    @cached_property
    def _names(self) -> dict[str, str]:
        return self.session.columns

    def _asked(self, rows: RowArray, *outputs: str, **asked: float) -> tuple[np.ndarray, ...]:
        """Some outputs for rows as `rows` gives them."""

        def answer(part: np.ndarray) -> tuple[np.ndarray, ...]:
            found = self.session(row_inputs(part, self.columns, self._names), **asked)
            return tuple(found[name] for name in outputs)

        return in_pieces(rows, _BATCH, answer)


class OnnxClassifier(_Answering, ClassifierPredictor):
    """P(label | x), and what can be guaranteed of it, by ONNX Runtime."""

    def examine(self, X: Any) -> Examined:
        """As `ClassifierPredictor.examine`."""
        rows = self._rows(X)
        if not self.knows_familiarity:
            return Examined(self._log_probs_of(rows), None)
        probs, familiarity = self._asked(rows, PROBABILITIES, FAMILIARITY)
        return Examined(_logarithms(probs), familiarity)

    def check_error(self, max_error: float) -> None:
        """As `ClassifierPredictor.check_error`; what the graph's table says is known at once."""
        if np.isfinite(self._threshold(max_error)):
            return
        if max_error == USUAL_ERROR and ABSTAINED_BY_DEFAULT in self.missing:
            raise DataError(self.missing[ABSTAINED_BY_DEFAULT])
        super().check_error(max_error)

    def answered(self, log_probs: np.ndarray, max_error: float, level: float = 0.95) -> np.ndarray:
        """As `ClassifierPredictor.answered`; by the graph's table, where it says something."""
        threshold = self._threshold(max_error)
        if level != LEVEL or np.isinf(threshold):
            return super().answered(log_probs, max_error, level)
        return confidence(log_probs) >= threshold

    def with_prior(self, prior: Any, *, training: Any = None) -> Self:
        """Refused: the class frequencies are part of the graph."""
        raise DataError(
            f"The class frequencies of {self.where} are fixed; got others. Export the model with them: "
            "predictor.with_prior(...).to_onnx(path)."
        )

    def _threshold(self, max_error: float) -> float:
        thresholds = self.arrays.get(ERROR_THRESHOLDS)
        return np.inf if thresholds is None else threshold_of(thresholds, max_error)

    def _log_probs_of(self, rows: RowArray) -> np.ndarray:
        return _logarithms(self._asked(rows, PROBABILITIES)[0])


class OnnxRegressor(_Answering, RegressorPredictor):
    """Numbers with intervals, by ONNX Runtime."""

    def examine(self, X: Any, coverage: float | None = None) -> Estimates:
        """As `RegressorPredictor.examine`."""
        quantile = None if coverage is None else self.interval_quantile(coverage)
        rows = self._rows(X)
        outputs = [name for name in _OF_NUMBERS if name in self.session.outputs]
        asked = {} if coverage is None else {COVERAGE: coverage}
        found = dict(zip(outputs, self._asked(rows, *outputs, **asked), strict=True))
        intervals = None if quantile is None else np.stack([found[LOW], found[HIGH]], axis=1)
        return Estimates(found[PREDICTION], intervals, found.get(FAMILIARITY), found.get(OUTSIDE_RANGE))

    def _predicted(self, rows: RowArray) -> np.ndarray:
        return self._asked(rows, PREDICTION)[0]


def _logarithms(probs: np.ndarray) -> np.ndarray:
    """log P, float64; a probability of 0 is as small as float64 allows."""
    return np.log(np.maximum(probs.astype(np.float64), np.finfo(np.float64).tiny))
