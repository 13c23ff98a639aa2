"""The way from stored rows to scores, the same for held-out scores during training and for every later answer."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from likely.arrays import Array
from likely.config.registry import HEADS
from likely.preprocessing.preprocessor import Preprocessor
from likely.preprocessing.stored_rows import RowArray

_BATCH = 500
_NUMBERS = 256 * 28 * 28  # of a forward pass at most: what it makes of them stays near the processor, however large

RowFunction = Callable[[Array], tuple[np.ndarray, ...]]


@dataclass(frozen=True)
class Inference:
    """Preprocessing, forward pass and averaging with mirrored copies of images, in batches.

    With z(x) the scores and features of an image, x' its mirrored copy and p the largest probability of the first
    answer, the scores are

        (1 - w) z(x) + w z(x'),    w = 1/2 clip((t - p) / (1 - t), 0, 1)

    with t the threshold, so that an image with a confident answer gets no second forward pass, and the answer depends
    on p continuously. With t = 1 it is always the mean.

    Args:
        preprocessor: from stored rows to the network's input.
        forward, scores_alone: from prepared rows to (scores, features), and to scores.
        hflip: whether mirrored copies are averaged in (test-time augmentation).
        tta_threshold: t, the probability of the first answer from which on they are not.
        head: by name; what makes probabilities of scores.
        input_gradient: from prepared rows, and derivatives with respect to scores, to those with respect to the rows;
            None where there are none.
        engine: the torch engine that computes, which alone has a custom module.
    """

    preprocessor: Preprocessor
    forward: Callable[[Array], tuple[np.ndarray, np.ndarray]]
    scores_alone: Callable[[Array], np.ndarray]
    hflip: bool = False
    tta_threshold: float = 1.0
    head: str = "softmax"
    input_gradient: Callable[[Array, np.ndarray], np.ndarray] | None = None
    engine: Any = None

    def __call__(self, rows: RowArray) -> tuple[np.ndarray, np.ndarray]:
        """Scores before the head (n, k), and hidden features (n, m)."""
        scores, features = self._answers(rows, self.forward)
        return scores, features

    def scores(self, rows: RowArray) -> np.ndarray:
        """Scores before the head (n, k): in less time and memory than with features."""
        return self._answers(rows, lambda x: (self.scores_alone(x),))[0]

    def of_members(self, rows: RowArray) -> tuple[np.ndarray, np.ndarray] | None:
        """Scores before the head of each member of an ensemble (M, n, k), and weights (M,); None of one network."""
        count = getattr(self.engine, "n_members", 1)
        if count == 1:
            return None
        scores, each = self._answers(rows, self.engine.scores_and_members)
        return each.reshape(len(scores), count, scores.shape[1]).swapaxes(0, 1), np.full(count, 1 / count)

    def _answers(self, rows: RowArray, ask: RowFunction) -> tuple[np.ndarray, ...]:
        # A frozen backbone leaves few numbers of a large image.
        numbers = min(math.prod(rows.shape[1:]), math.prod(self.preprocessor.output_shape))
        size = min(_BATCH, _NUMBERS // numbers)
        look = self._twice(ask) if self.hflip else ask
        return in_pieces(rows, size, lambda part: look(self.preprocessor(part)))

    def _twice(self, ask: RowFunction) -> RowFunction:
        def look(x: Array) -> tuple[np.ndarray, ...]:
            if len(x) == 1 and self.tta_threshold >= 1:
                # Two looks in one pass take a third less time than one after the other.
                both = ask(np.concatenate([np.asarray(x), np.asarray(x)[..., ::-1]]))
                return tuple(answer.mean(axis=0, keepdims=True) for answer in both)
            first = ask(x)
            weight = np.full(len(first[0]), 0.5)
            if self.tta_threshold < 1:
                p = np.exp(np.asarray(HEADS[self.head].log_probs(first[0])).max(axis=1))
                weight *= np.clip((self.tta_threshold - p) / (1 - self.tta_threshold), 0, 1)
            unsure = np.flatnonzero(weight)
            if not len(unsure):
                return first
            # Channels come first, so the last axis runs from left to right.
            second = ask(np.ascontiguousarray(np.asarray(x)[unsure, ..., ::-1]))
            answers = tuple(map(np.array, first))
            for answer, mirrored in zip(answers, second, strict=True):
                w = weight[unsure].astype(answer.dtype)[:, None]
                answer[unsure] = (1 - w) * answer[unsure] + w * mirrored
            return answers

        return look


def in_pieces(
    rows: RowArray, size: int, answer: Callable[[np.ndarray], tuple[np.ndarray, ...]]
) -> tuple[np.ndarray, ...]:
    """What is answered to pieces of `size` rows (at least 1), joined. No rows are one piece: answers keep their shape.

    Example:
        >>> in_pieces(np.arange(5), 2, lambda part: (10 * part, np.array([len(part)])))
        (array([ 0, 10, 20, 30, 40]), array([2, 2, 1]))
    """
    size = max(1, size)
    parts = [answer(rows[start : start + size]) for start in range(0, max(1, len(rows)), size)]
    return parts[0] if len(parts) == 1 else tuple(map(np.concatenate, zip(*parts, strict=True)))
