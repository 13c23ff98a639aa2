"""Models as files for other runtimes, with everything that a predictor answers."""

from likely.export.export_onnx import export_onnx

__all__ = ["export_onnx"]
