"""Answers of the conv net: `predict_proba` beside ONNX Runtime, one image at a time, and a million of them.

What is in the clock: from uint8 images in memory to an array of probabilities. ONNX Runtime runs the same network,
exported by torch with its own folding, with the same threads, on the same images: both divide by 255, both answer the
image and its mirrored copy, both put the softmax of the mean on top; the largest difference is printed. Both take
turns; medians. ONNX Runtime's threads do not spin between its runs, since that would slow torch beside it.

    python benchmarks/prediction.py MODEL [ROUNDS [MOST]]         (default 7 rounds, up to 1,000,000 images)

MODEL is a run of `likely fit fashion-mnist`, of any length. It needs the packages onnx, onnxscript and onnxruntime.
"""

import logging
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

import likely
from likely.networks import create_network

BATCH = 128


def main() -> None:
    """Read the arguments, take turns, print tables."""
    predictor = likely.load(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    most = int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000
    test = likely.open_dataset("fashion-mnist").test
    assert test is not None
    X = test.X
    theirs = with_onnx_runtime(predictor)
    difference = np.abs(theirs(X[:1000]) - predictor.predict_proba(X[:1000])).max()
    print(f"{predictor}, torch {torch.__version__}, ONNX Runtime {onnxruntime.__version__}")
    print(f"{torch.get_num_threads()} threads, largest difference of a probability {difference:.0e}\n")

    contenders = {"likely": predictor.predict_proba, "ONNX Runtime": theirs}
    print("| | likely | ONNX Runtime | ratio |\n|---|---|---|---|")
    seconds = taking_turns(contenders, X, rounds)
    print(f"| 10,000 images | {' | '.join(f'{s:.2f} s' for s in seconds)} | {seconds[0] / seconds[1]:.2f} |")
    seconds = taking_turns(contenders, X[:1], 300)
    print(f"| 1 image, p50 | {' | '.join(f'{1000 * s:.2f} ms' for s in seconds)} | {seconds[0] / seconds[1]:.2f} |\n")

    print("| images | s | per second | peak memory above before, MB |\n|---|---|---|---|")
    for n in (10_000, 100_000, 1_000_000):
        if n > most:
            break
        rows = np.resize(X, (n, *X.shape[1:]))
        before = peak()
        began = time.perf_counter()
        predictor.predict_proba(rows)
        took = time.perf_counter() - began
        print(f"| {n:,} | {took:.1f} | {n / took:,.0f} | {peak() - before:.0f} |")
        del rows


def with_onnx_runtime(predictor: Any) -> Callable[[np.ndarray], np.ndarray]:
    """The same answers by ONNX Runtime."""
    card = predictor.card
    shape = predictor.preprocessor.output_shape
    module: Any = create_network(card.network.name, card.network.settings)
    module = module.build(card.network.outputs, np.zeros((2, *shape), np.float32)).eval()
    theta = {name.removeprefix("theta."): a for name, a in predictor.arrays.items() if name.startswith("theta.")}
    module.load_state_dict({name: torch.from_numpy(np.array(a)) for name, a in theta.items()})
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable()
        path = str(Path(folder) / "model.onnx")
        torch.onnx.export(
            module,
            (torch.rand(4, *shape),),
            path,
            dynamo=True,
            external_data=False,
            dynamic_shapes=({0: torch.export.Dim("n")},),
            verbose=False,
        )
        logging.disable(logging.NOTSET)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name, temperature = session.get_inputs()[0].name, card.temperature or 1.0

    def answer(X: np.ndarray) -> np.ndarray:
        parts = []
        for start in range(0, len(X), BATCH):
            x = X[start : start + BATCH, None].astype(np.float32)
            x /= 255
            scores = session.run(None, {name: np.concatenate([x, x[..., ::-1]])})[0]
            parts.append((scores[: len(x)] + scores[len(x) :]) / 2)
        return likely.softmax(np.concatenate(parts).astype(np.float64) / temperature)

    return answer


def taking_turns(contenders: dict[str, Callable[[np.ndarray], np.ndarray]], X: np.ndarray, rounds: int) -> list[float]:
    """The median seconds of each, after a round that does not count."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds + 1):
        for name, answer in contenders.items():
            began = time.perf_counter()
            answer(X)
            times[name].append(time.perf_counter() - began)
    return [float(np.median(seconds[1:])) for seconds in times.values()]


def peak() -> float:
    """The most memory that this process has held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
