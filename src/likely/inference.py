"""The way from stored rows to scores, the same for held-out scores during training and for every later answer."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from likely.arrays import Array
from likely.data.normalize import Normalization
from likely.stored_rows import RowArray

_BATCH = 500
_NUMBERS = 500 * 28 * 28  # of a batch at most, so that large pictures take no more memory than small ones


@dataclass(frozen=True)
class Inference:
    """Normalization, forward pass and averaging over the mirrored picture, in batches.

    Args:
        normalization: from stored rows to the network's input.
        forward: from prepared rows to (scores, features).
        mirror: whether scores and features are the mean over a picture and its mirror image.
    """

    normalization: Normalization
    forward: Callable[[Array], tuple[np.ndarray, np.ndarray]]
    mirror: bool = False

    def __call__(self, rows: RowArray) -> tuple[np.ndarray, np.ndarray]:
        """Scores before the head (n, k), and hidden features (n, m)."""
        size = max(1, min(_BATCH, _NUMBERS // math.prod(rows.shape[1:])))
        parts = [self._batch(rows[start : start + size]) for start in range(0, max(1, len(rows)), size)]
        return np.concatenate([scores for scores, _ in parts]), np.concatenate([features for _, features in parts])

    def _batch(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        prepared = self.normalization(rows)
        scores, features = self.forward(prepared)
        if not self.mirror:
            return scores, features
        # Channels come first, so the last axis runs from left to right.
        mirrored_scores, mirrored_features = self.forward(np.ascontiguousarray(prepared[..., ::-1]))
        return (scores + mirrored_scores) / 2, (features + mirrored_features) / 2
