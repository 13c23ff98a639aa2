"""The mean of what a network says of an image and of its mirrored copy: see `likely.model.inference`."""

from collections.abc import Callable

import numpy as np

from likely.export.graph.builder import Graph
from likely.export.graph.label_log_probs import head_log_probs

Ask = Callable[[str], tuple[str, str]]
"""From the network's input to scores and features."""


def both_looks(g: Graph, x: str, ask: Ask, threshold: float, head: str, dtype: str) -> tuple[str, str]:
    """(1 - w) z(x) + w z(x'): scores (n, k) and features (n, m), float; x' is seen where w > 0 alone.

    Args:
        g, x, ask: images (n, c, h, w), and what answers them.
        threshold: t, the probability of the first answer from which on w is 0.
        head, dtype: of the scores.
    """
    number = np.dtype(dtype).type
    scores, features = ask(x)
    if threshold >= 1:
        other = ask(_mirrored(g, x))
        half = number(0.5)
        means = [g.add("Mul", g.add("Add", a, b), half) for a, b in zip((scores, features), other, strict=True)]
        return means[0], means[1]
    p = g.add("Exp", g.add("ReduceMax", head_log_probs(g, scores, head, dtype), np.array([1]), keepdims=0))
    doubt = g.add("Div", g.add("Sub", number(threshold), p), number(1 - threshold))
    weight = g.add("Mul", g.add("Clip", doubt, number(0), number(1)), number(0.5))
    unsure = g.add("Squeeze", g.add("NonZero", g.add("Greater", weight, number(0))), np.array([0]))
    w = g.add("Unsqueeze", g.add("Gather", weight, unsure), np.array([1]))
    others = ask(_mirrored(g, g.add("Gather", x, unsure)))
    places = g.add("Unsqueeze", unsure, np.array([1]))

    def mixed(first: str, mirrored: str) -> str:
        seen = g.add("Gather", first, unsure)
        mean = g.add("Add", seen, g.add("Mul", w, g.add("Sub", mirrored, seen)))
        return g.add("ScatterND", first, places, mean)

    return mixed(scores, others[0]), mixed(features, others[1])


def _mirrored(g: Graph, x: str) -> str:
    backward = np.array([-1]), np.array([np.iinfo(np.int64).min])
    return g.add("Slice", x, *backward, np.array([-1]), np.array([-1]))
