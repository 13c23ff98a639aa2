"""Integrated gradients and occlusion against captum's."""

from typing import Any

import numpy as np
import torch

from likely.engines.by_hand import input_gradient
from likely.explain.cover import squares
from likely.explain.integrated_gradients import integrated_gradients
from likely.explain.occlusion import occlusion
from likely.functional.heads import SOFTMAX
from likely.networks.mlp import MLP

captum: Any = __import__("pytest").importorskip("captum.attr")


def test_integrated_gradients_are_those_of_captum() -> None:
    network, rng = MLP([5, 8, 3], "tanh"), np.random.default_rng(0)
    theta = {name: rng.normal(size=shape) for name, shape in network.shapes.items()}
    x, start = rng.normal(size=5), rng.normal(size=5)

    def slopes(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        scores = network.apply(theta, points)
        probs = SOFTMAX.probs(scores)
        by_score = SOFTMAX.backward(scores, probs, np.tile([0.0, 1.0, 0.0], (len(points), 1)))
        return probs[:, 1], input_gradient(network, theta, points, by_score)

    found = integrated_gradients(x, start, slopes, 1e-9)
    of_torch = {name: torch.from_numpy(value) for name, value in theta.items()}
    oracle = captum.IntegratedGradients(lambda inputs: torch.softmax(network.apply(of_torch, inputs), dim=1))
    expected = oracle.attribute(torch.from_numpy(x)[None], torch.from_numpy(start)[None], target=1, n_steps=300)
    np.testing.assert_allclose(found, expected.numpy()[0], rtol=1e-6, atol=1e-9)
    # A start that is not 0 is the start of the way, not something to subtract in the end.
    ends = slopes(np.stack([start, x]))[0]
    np.testing.assert_allclose(found.sum(), ends[1] - ends[0], atol=1e-9)


def test_occlusion_is_that_of_captum_where_squares_do_not_overlap() -> None:
    rng = np.random.default_rng(1)
    image, instead, weights = rng.normal(size=(3, 6, 6)), rng.normal(size=(3, 6, 6)), rng.normal(size=(3, 6, 6))
    oracle = captum.Occlusion(lambda inputs: (inputs * torch.from_numpy(weights)).sum(dim=(1, 2, 3)).tanh())
    expected = oracle.attribute(
        torch.from_numpy(image)[None],
        sliding_window_shapes=(3, 1, 1),
        baselines=torch.from_numpy(instead)[None],
    )

    def answer(rows: np.ndarray) -> np.ndarray:
        return np.tanh((rows * np.moveaxis(weights, 0, -1)).sum(axis=(1, 2, 3)))

    found = occlusion(np.moveaxis(image, 0, -1), answer, np.moveaxis(instead, 0, -1), 1)
    np.testing.assert_allclose(found, expected.numpy()[0, 0], atol=1e-12)


def test_squares_cover_every_pixel() -> None:
    for height, width, side in ((8, 8, 2), (7, 5, 3), (5, 9, 1), (4, 4, 4)):
        times = np.zeros((height, width))
        for place, near in squares(height, width, side):
            times[place] += 1
            assert near.shape == times[place].shape
            assert near.min() > 0
        assert times.min() >= 1
        assert times.max() <= 9
