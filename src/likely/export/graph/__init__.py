"""The parts of a predictor as parts of an ONNX graph: one file for each."""
