"""What the exported graph costs beside the bare network, both in ONNX Runtime: `python benchmarks/export.py MODEL`.

The bare network is a conv net without preprocessing, calibration, guarantees and familiarity. It is run as often as the
predictor runs it: on all images, and again on the mirrored copies of those whose first answer is unsure. One thread;
seconds of the processor, medians, the two in turn.
"""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime

from likely.data.sources import open_dataset
from likely.export.graph.builder import Graph
from likely.export.graph.conv_network import conv_network
from likely.export.graph.whole_model import onnx_model
from likely.model import Predictor, load
from likely.model.card import THETA

ROUNDS = {256: 40, 1: 600}


def session(model: Any) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def bare(predictor: Predictor) -> Any:
    """The network alone, from prepared images to scores."""
    theta = {name.removeprefix(THETA): a for name, a in predictor.arrays.items() if name.startswith(THETA)}
    g, shape = Graph(["x", "scores"]), predictor.preprocessor.output_shape
    scores, _ = conv_network(g, theta, g.input("x", np.float32, ("n", *shape)), min(shape[1:]))
    g.output("scores", scores, np.float32, ("n", "k"))
    return g.model("bare", {})


def compared(first: Callable[[], object], second: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median seconds of the processor of both, asked in turn."""
    spent: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 3):
        for ask, times in zip((first, second), spent, strict=True):
            start = time.process_time()
            ask()
            if turn >= 3:
                times.append(time.process_time() - start)
    return statistics.median(spent[0]), statistics.median(spent[1])


def main(path: str) -> None:
    predictor = load(path)
    assert predictor.card.network.name == "conv", "a model of a conv net is compared"
    test = open_dataset(predictor.card.data.name).test
    assert test is not None
    whole, alone = session(onnx_model(predictor)), session(bare(predictor))
    outputs = [output.name for output in whole.get_outputs()]
    print("| images at a time | seen twice | whole graph, ms | bare network, ms | ratio |\n|---|---|---|---|---|")
    for size, rounds in ROUNDS.items():
        images = np.asarray(test.X[:size])
        x = np.asarray(predictor.preprocessor(images))
        scores = np.asarray(alone.run(None, {"x": x})[0])
        p = np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)).max(axis=1)
        unsure = np.flatnonzero(p < predictor.card.tta_threshold) if predictor.card.hflip else np.array([], int)
        again = np.ascontiguousarray(x[unsure, ..., ::-1])

        def network(x: np.ndarray = x, again: np.ndarray = again) -> None:
            alone.run(None, {"x": x})
            if len(again):
                alone.run(None, {"x": again})

        def graph(images: np.ndarray = images) -> None:
            whole.run(outputs, {"images": images})

        full, least = compared(graph, network, rounds)
        cells = f"{1000 * full:.3f} | {1000 * least:.3f} | {full / least:.2f}"
        print(f"| {size} | {len(unsure) / size:.0%} | {cells} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
