"""The way from stored rows to scores, the same for held-out scores during training and for every later answer."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from likely.arrays import Array
from likely.data.normalize import Normalization
from likely.stored_rows import RowArray

_BATCH = 500
_NUMBERS = 256 * 28 * 28  # of a forward pass at most: what it makes of them stays near the processor, however large


@dataclass(frozen=True)
class Inference:
    """Normalization, forward pass and averaging over the mirrored picture, in batches.

    Args:
        normalization: from stored rows to the network's input.
        forward: from prepared rows to (scores, features).
        scores_alone: from prepared rows to scores.
        mirror: whether scores and features are the mean over a picture and its mirror image.
    """

    normalization: Normalization
    forward: Callable[[Array], tuple[np.ndarray, np.ndarray]]
    scores_alone: Callable[[Array], np.ndarray]
    mirror: bool = False

    def __call__(self, rows: RowArray) -> tuple[np.ndarray, np.ndarray]:
        """Scores before the head (n, k), and hidden features (n, m)."""
        parts = [self.forward(x) for x in self._batches(rows)]
        return self._joined([scores for scores, _ in parts]), self._joined([features for _, features in parts])

    def scores(self, rows: RowArray) -> np.ndarray:
        """Scores before the head (n, k): in less time and memory than with features."""
        return self._joined([self.scores_alone(x) for x in self._batches(rows)])

    def _batches(self, rows: RowArray) -> Iterator[np.ndarray]:
        views = 2 if self.mirror else 1
        for part in pieces(rows, min(_BATCH, _NUMBERS // (views * math.prod(rows.shape[1:])))):
            x = self.normalization(part)
            # Channels come first, so the last axis runs from left to right.
            yield np.concatenate([x, x[..., ::-1]]) if self.mirror else x

    def _joined(self, parts: list[np.ndarray]) -> np.ndarray:
        if self.mirror:
            parts = [(part[: len(part) // 2] + part[len(part) // 2 :]) / 2 for part in parts]
        return np.concatenate(parts)


def pieces(rows: RowArray, size: int) -> Iterator[np.ndarray]:
    """The rows, `size` or at least one at a time; no rows are one piece, too, since it has the shape of answers.

    Example:
        >>> [len(piece) for piece in pieces(np.zeros((5, 3)), 2)]
        [2, 2, 1]
    """
    size = max(1, size)
    for start in range(0, max(1, len(rows)), size):
        yield rows[start : start + size]
