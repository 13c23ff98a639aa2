"""Whether an ONNX file still answers like the model that it was exported from, on any rows."""

from likely.errors import ModelFileError
from likely.export.answer_differences import ROUNDING, Parity, compare
from likely.export.onnx_predictor import OnnxClassifier, OnnxRegressor
from likely.export.properties import model_hash
from likely.export.row_inputs import row_inputs
from likely.model.predictor import Predictor
from likely.preprocessing.stored_rows import RowArray

_BATCH = 256


def check_onnx(predictor: Predictor, exported: OnnxClassifier | OnnxRegressor, rows: RowArray) -> Parity:
    """Compare the answers to these rows.

    Raises:
        ModelFileError: if the file was exported from another model.
        EngineError: naming the first answer that differs by more than rounding.
    """
    session, found = exported.session, Parity()
    if session.metadata["model_sha256"] != model_hash(predictor):
        raise ModelFileError(
            f"{exported.where} must be exported from this very model; got a file of another one, by the hash that it "
            "carries. Try likely export again."
        )
    for start in range(0, len(rows), _BATCH):
        part = rows[start : start + _BATCH]
        inputs = row_inputs(part, predictor.columns, session.columns)
        found = found.with_more(compare(predictor, session, part, inputs, ROUNDING))
    return found
