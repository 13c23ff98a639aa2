"""Guards against collapse: a step may take no more than twice a stated multiple of a matrix product.

The products are measured between the steps of the same run, in processor time, and the shortest of both count, so that
a busy or a slow machine changes little, and on one thread, since threads that wait for each other measure the waiting.
The multiples are a third above what was seen; `docs/performance.md` has figures of whole runs.
"""

import time
from collections.abc import Callable, Generator

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits

import likely
from likely.engines import create_engine
from likely.engines.protocol import Batch, Optimizer
from likely.networks.convnet import ConvNet
from likely.preprocessing.image_preprocessor import ImagePreprocessor

SIDE = 512
ROUNDS = 25


@pytest.fixture(autouse=True)
def _one_thread() -> Generator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield
    torch.set_num_threads(threads)


def multiples(work: Callable[[], object]) -> float:
    """The processor time of the work in products of two float32 matrices of 512 x 512."""
    a = np.ones((SIDE, SIDE), np.float32)
    product: Callable[[], object] = lambda: a @ a  # noqa: E731
    shortest = [np.inf, np.inf]
    for _ in range(ROUNDS):
        for i, run in enumerate((product, work)):
            began = time.process_time()
            run()
            shortest[i] = min(shortest[i], time.process_time() - began)
    return shortest[1] / shortest[0]


def rows(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, 28, 28), dtype=np.uint8), np.eye(10, dtype=np.float32)[rng.integers(0, 10, n)]


def test_a_step_by_hand() -> None:
    X, Y = rows(1024)
    preprocessor = ImagePreprocessor((28, 28))
    engine = create_engine(
        "numpy", likely.MLP([784, 256, 10]), n_outputs=10, head="softmax", loss="cross_entropy",
        optimizer=Optimizer(), sample=preprocessor(X[:2]), seed=0,
    )  # fmt: skip
    engine.place(X, Y, prepare=preprocessor)
    batch = Batch(np.arange(1024))
    # As in a run, where blocks larger than a step's were freed before: malloc then keeps what each step frees.
    np.empty(2**24, np.uint8)
    # 3.1 products of multiplying, the rest is everything else.
    assert multiples(lambda: engine.step(batch, 1e-3)) < 2 * 5


def test_answers_of_the_conv_net() -> None:
    X, _ = rows(128)
    preprocessor = ImagePreprocessor((28, 28), layout="channels_first")
    x = preprocessor(X)
    engine = create_engine(
        "torch", ConvNet(64, 32), n_outputs=10, head="softmax", loss="cross_entropy",
        optimizer=Optimizer(), sample=x, seed=0,
    )  # fmt: skip
    # 9 products of multiplying.
    assert multiples(lambda: engine.scores(x)) < 2 * 12


def test_a_training_step_of_the_conv_net() -> None:
    X, Y = rows(128)
    preprocessor = ImagePreprocessor((28, 28), layout="channels_first")
    engine = create_engine(
        "torch", ConvNet(64, 32), n_outputs=10, head="softmax", loss="cross_entropy",
        optimizer=Optimizer(), sample=preprocessor(X), seed=0,
    )  # fmt: skip
    engine.place(X, Y, prepare=preprocessor)
    batch = Batch(np.arange(128))
    # 26 products of multiplying.
    assert multiples(lambda: engine.step(batch, 1e-3)) < 2 * 35
