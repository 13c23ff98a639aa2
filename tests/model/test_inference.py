"""From stored rows to scores: batches, the mirrored copy, and the memory that they take."""

import tracemalloc

import numpy as np
import pytest
from scipy.special import softmax

from likely.model.inference import Inference, in_pieces
from likely.preprocessing.image_preprocessor import ImagePreprocessor

IMAGES = np.random.default_rng(0).integers(0, 256, (1_000, 8, 6), dtype=np.uint8)


def _answers(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return x[:, 0, :2, 0].copy(), x[:, 0, :, 1].copy()


def _inference(hflip: bool, shape: tuple[int, ...] = (8, 6), tta_threshold: float = 1.0) -> Inference:
    preprocessor = ImagePreprocessor(shape, layout="channels_first")
    return Inference(preprocessor, _answers, lambda x: _answers(x)[0], hflip, tta_threshold)


@pytest.mark.parametrize("hflip", [False, True])
def test_answers_are_those_of_each_row_and_its_mirror_image(hflip: bool) -> None:
    x = IMAGES[:, None].astype(np.float32) / 255
    expected = [(a + b) / 2 for a, b in zip(_answers(x), _answers(x[..., ::-1]), strict=True)] if hflip else _answers(x)
    inference = _inference(hflip)
    for found, wanted in zip(inference(IMAGES), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(inference.scores(IMAGES), expected[0])


def test_the_mirror_image_counts_less_the_surer_the_first_look_is() -> None:
    """Two labels whose scores are apart by at most 1: the first look gives at most e/(1 + e) = 0.73."""
    tta_threshold = 0.6
    x = IMAGES[:, None].astype(np.float32) / 255
    (first, features), (second, others) = _answers(x), _answers(x[..., ::-1])
    p = softmax(first.astype(np.float64), axis=1).max(axis=1)
    w = (0.5 * np.clip((tta_threshold - p) / (1 - tta_threshold), 0, 1))[:, None]
    assert (w == 0).any()
    assert (w > 0).any()
    inference = _inference(True, tta_threshold=tta_threshold)
    for found, a, b in zip(inference(IMAGES), (first, features), (second, others), strict=True):
        np.testing.assert_allclose(found, (1 - w) * a + w * b, atol=1e-6)
    np.testing.assert_array_equal(inference.scores(IMAGES), inference(IMAGES)[0])
    one_by_one = np.concatenate([inference.scores(IMAGES[i : i + 1]) for i in range(50)])
    np.testing.assert_allclose(one_by_one, inference.scores(IMAGES)[:50], atol=1e-6)


def test_plain_images_are_looked_at_once() -> None:
    looks: list[int] = []

    def ask(x: np.ndarray) -> np.ndarray:
        looks.append(len(x))
        return np.where(x[:, 0, :1, 0] > 0.5, 1.0, 9.0) * np.array([1.0, 0.0], np.float32)

    preprocessor = ImagePreprocessor((8, 6), layout="channels_first")
    Inference(preprocessor, _answers, ask, hflip=True, tta_threshold=0.99).scores(IMAGES[:100])
    assert looks == [100, int((IMAGES[:100, 0, 0] > 127).sum())]


@pytest.mark.parametrize("hflip", [False, True])
def test_no_rows_have_no_answers(hflip: bool) -> None:
    scores, features = _inference(hflip)(IMAGES[:0])
    assert (scores.shape, features.shape) == ((0, 2), (0, 8))


def test_pieces_are_the_rows_in_order() -> None:
    def sizes(rows: np.ndarray, size: int) -> list[int]:
        return in_pieces(rows, size, lambda part: (np.array([len(part)]),))[0].tolist()

    np.testing.assert_array_equal(in_pieces(IMAGES, 7, lambda part: (part,))[0], IMAGES)
    assert sizes(IMAGES[:2], 0) == [1, 1]
    assert sizes(IMAGES[:0], 3) == [0]
    assert in_pieces(IMAGES[:0], 3, lambda part: (part,))[0].shape == (0, 8, 6)


@pytest.mark.parametrize("shape", [(28, 28), (112, 112)])
def test_a_batch_of_large_images_takes_no_more_memory_than_one_of_small(shape: tuple[int, int]) -> None:
    rows = np.zeros((400, *shape), np.uint8)
    inference = _inference(True, shape)
    tracemalloc.start()
    inference.scores(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4e6
