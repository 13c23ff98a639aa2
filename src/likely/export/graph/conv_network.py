"""The small conv net as it answers: each normalization is part of the convolution before it.

(W * x - mean) s + bias = (s W) * x + (bias - s mean),    s = weight / sqrt(variance + epsilon)
"""

import math
from collections.abc import Mapping
from itertools import count, takewhile

import numpy as np

from likely.export.graph.builder import Graph
from likely.networks.patches import padding_of, patches_along

_EPSILON = 1e-5  # of torch's normalizations
_FEATURE_SCALE = 0.125


def conv_ensemble(
    g: Graph, theta: Mapping[str, np.ndarray], x: str, side: int, members: int, mean: str
) -> tuple[str, str]:
    """Scores (n, k) that answer with the mean of the members', and features (n, m): see `likely.networks.ensemble`."""
    each: list[tuple[str, str]] = []
    channels: list[int] = []
    for number in range(members):
        start = f"members.{number}."
        own = {name.removeprefix(start): a for name, a in theta.items() if name.startswith(start)}
        each.append(conv_network(g, own, x, side))
        widths = [a.shape[0] for name, a in own.items() if name.endswith("conv2.weight")]
        channels.append(own["blocks.0.conv1.weight"].shape[1] + sum(widths))

    means = [g.columns(features, 0, own) for (_, features), own in zip(each, channels, strict=True)]
    maps = [g.columns(features, own) for (_, features), own in zip(each, channels, strict=True)]
    features = g.add("Concat", *means, *maps, axis=1)
    all_scores = [scores for scores, _ in each]
    if mean == "numbers":
        return g.add("Mean", *all_scores), features
    stacked = g.add(
        "Concat", *(g.add("Unsqueeze", g.add("LogSoftmax", z, axis=1), np.array([0])) for z in all_scores), axis=0
    )
    mixed = g.add("ReduceLogSumExp", stacked, np.array([0]), keepdims=0)
    return g.add("Sub", mixed, np.float32(math.log(members))), features


def conv_network(g: Graph, theta: Mapping[str, np.ndarray], x: str, side: int) -> tuple[str, str]:
    """Scores (n, k) of images x (n, c, h, w), and the mean of every channel after each stage with the last map (n, m).

    `side` is the shorter side of the images in pixels.
    """
    whiten = theta["whiten.weight"]
    stride = whiten.shape[-1] // 2
    images, x = x, g.add("Relu", _convolution(g, x, whiten, None, stride, padding_of(stride)))
    if "whiten_fine.weight" in theta:
        fine = _convolution(g, images, theta["whiten_fine.weight"], None, 1, padding_of(1))
        largest = g.add("MaxPool", fine, kernel_shape=[2, 2], strides=[2, 2])
        x = g.add("Concat", x, g.add("Relu", largest), axis=1)
    side = patches_along(side, stride)
    means = [g.add("GlobalAveragePool", x)]
    for block in takewhile(lambda i: f"blocks.{i}.conv1.weight" in theta, count()):
        start = f"blocks.{block}."
        depth = sum(name.startswith(f"{start}conv") for name in theta)
        x = g.add("Relu", _convolution(g, x, *_folded(theta, start, 1), 1, 1))
        if side > 1:
            x, side = g.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2]), side // 2
        first = x
        for number in range(2, depth + 1):
            x = _convolution(g, x, *_folded(theta, start, number), 1, 1)
            x = g.add("Relu", g.add("Add", x, first) if 2 < number == depth else x)
        means.append(g.add("GlobalAveragePool", x))
    largest = g.add("Flatten", g.add("GlobalMaxPool", x))
    scores = g.add("Gemm", largest, (_FEATURE_SCALE * theta["classify.weight"].T).astype(np.float32))
    return scores, g.add("Concat", g.add("Flatten", g.add("Concat", *means, axis=1)), g.add("Flatten", x), axis=1)


def _folded(theta: Mapping[str, np.ndarray], block: str, number: int) -> tuple[np.ndarray, np.ndarray]:
    norm = {
        part: theta[f"{block}norm{number}.{part}"].astype(np.float64)
        for part in ("weight", "bias", "running_mean", "running_var")
    }
    s = norm["weight"] / np.sqrt(norm["running_var"] + _EPSILON)
    weight = theta[f"{block}conv{number}.weight"] * s[:, None, None, None]
    return weight.astype(np.float32), (norm["bias"] - s * norm["running_mean"]).astype(np.float32)


def _convolution(g: Graph, x: str, weight: np.ndarray, bias: np.ndarray | None, stride: int, padding: int) -> str:
    inputs = [weight.astype(np.float32), *([] if bias is None else [bias])]
    sizes = list(weight.shape[2:])
    return g.add("Conv", x, *inputs, kernel_shape=sizes, strides=[stride] * 2, pads=[padding] * 4)
