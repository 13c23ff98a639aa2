"""The way from stored rows to scores, the same for held-out scores during training and for every later answer."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from likely.arrays import Array
from likely.data.normalize import Normalization

BATCH = 500


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

    def __call__(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scores before the head (n, k), and hidden features (n, m)."""
        parts = [self._batch(rows[start : start + BATCH]) for start in range(0, max(1, len(rows)), BATCH)]
        return np.concatenate([scores for scores, _ in parts]), np.concatenate([features for _, features in parts])

    def _batch(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        prepared = self.normalization(rows)
        scores, features = self.forward(prepared)
        if not self.mirror:
            return scores, features
        # Channels come first, so the last axis runs from left to right.
        mirrored_scores, mirrored_features = self.forward(np.ascontiguousarray(prepared[..., ::-1]))
        return (scores + mirrored_scores) / 2, (features + mirrored_features) / 2
