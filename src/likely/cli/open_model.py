"""The MODEL of a command that only asks it: a model file, or an ONNX file that ONNX Runtime answers."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from likely.model import ClassifierPredictor, RegressorPredictor


def open_model(path: str, device: str) -> "ClassifierPredictor | RegressorPredictor":
    """The predictor in a file of either kind."""
    if path.lower().endswith(".onnx"):
        from likely.export.onnx_predictor import open_onnx

        return open_onnx(path)
    from likely.model import load

    return load(path, device)
