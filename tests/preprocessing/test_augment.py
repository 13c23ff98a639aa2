import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from likely.preprocessing.augment import AUGMENTATIONS, AlternatingFlip, Augmentation, Cutout, Shift, make_augmentation
from likely.preprocessing.augment_photographs import Color, Crop

RNG = np.random.default_rng(0)


@given(n=st.integers(1, 50), seed=st.integers(0, 2**32 - 1), epoch=st.integers(0, 1000))
def test_each_row_alternates(n: int, seed: int, epoch: int) -> None:
    flip = AlternatingFlip(n, seed)
    rows = np.arange(n)
    here, next_, after = (flip.draws(rows, e) for e in (epoch, epoch + 1, epoch + 2))
    assert here.shape == (n, 1)
    np.testing.assert_array_equal(here + next_, np.ones((n, 1)))
    np.testing.assert_array_equal(here, after)


def test_half_of_the_rows_start_mirrored_and_the_seed_decides_which() -> None:
    rows = np.arange(10_000)
    first = AlternatingFlip(10_000, 0).draws(rows, 0)
    # Six standard deviations of a fair coin.
    assert abs(first.sum() - 5000) < 300
    np.testing.assert_array_equal(first, AlternatingFlip(10_000, 0).draws(rows, 0))
    assert (first != AlternatingFlip(10_000, 1).draws(rows, 0)).any()


def test_draws_belong_to_rows_and_not_to_places_in_the_batch() -> None:
    flip = AlternatingFlip(20, 3)
    order = RNG.permutation(20)[:7]
    np.testing.assert_array_equal(flip.draws(order, 4), flip.draws(np.arange(20), 4)[order])


def test_images_are_mirrored_left_to_right_in_every_library() -> None:
    flip = AlternatingFlip(6, 0)
    x = RNG.normal(size=(6, 3, 4, 5)).astype(np.float32)
    draws = np.array([[0], [1], [1], [0], [1], [0]])
    expected = np.stack([p[:, :, ::-1] if d else p for p, d in zip(x, draws.ravel(), strict=True)])
    np.testing.assert_array_equal(flip(x, draws), expected)
    np.testing.assert_array_equal(flip(torch.from_numpy(x), torch.from_numpy(draws)).numpy(), expected)
    np.testing.assert_array_equal(flip(jnp.asarray(x), jnp.asarray(draws)), expected)
    np.testing.assert_array_equal(flip(flip(x, draws), draws), x)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_every_augmentation_agrees_in_every_library(name: str) -> None:
    augmentation = AUGMENTATIONS[name](9, 4)
    assert isinstance(augmentation, Augmentation)
    x = RNG.random((9, 3, 16, 12)).astype(np.float32)
    draws = augmentation.draws(np.arange(9), 3)
    changed = augmentation(x, draws)
    assert changed.shape == x.shape
    assert changed.dtype == x.dtype
    assert (changed != x).any()
    # A mean may be summed in another order.
    np.testing.assert_allclose(
        augmentation(torch.from_numpy(x), torch.from_numpy(draws)).numpy(), changed, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(augmentation(jnp.asarray(x), jnp.asarray(draws)), changed, rtol=1e-5, atol=1e-6)


@given(
    down=st.integers(0, 2**31 - 1), right=st.integers(0, 2**31 - 1), height=st.integers(1, 40), width=st.integers(1, 40)
)
def test_a_shift_moves_and_repeats_the_edge(down: int, right: int, height: int, width: int) -> None:
    x = np.random.default_rng(0).random((1, 2, height, width))
    moved = Shift(1, 0)(x, np.array([[down, right]]))
    most = [min(4, max(1, side // 8)) for side in (height, width)]
    dy, dx = (d % (2 * m + 1) - m for d, m in zip((down, right), most, strict=True))
    padded = np.pad(x, ((0, 0), (0, 0), (4, 4), (4, 4)), mode="edge")
    np.testing.assert_array_equal(moved, padded[:, :, 4 - dy : 4 - dy + height, 4 - dx : 4 - dx + width])


def test_shifts_go_everywhere_alike_and_change_with_the_epoch() -> None:
    shift, rows = Shift(9_000, 0), np.arange(9_000)
    counts = np.unique(shift.draws(rows, 0) % 3, axis=0, return_counts=True)[1]
    assert counts.shape == (9,)
    # Six standard deviations of a count of 1,000.
    assert abs(counts - 1000).max() < 180
    assert (shift.draws(rows, 0) != shift.draws(rows, 1)).any()
    some = RNG.permutation(9_000)[:50]
    np.testing.assert_array_equal(shift.draws(some, 5), Shift(9_000, 0).draws(rows, 5)[some])


def test_a_cutout_covers_a_square_with_zeros() -> None:
    x = RNG.random((3, 3, 16, 15)) + 1
    covered = Cutout(3, 0)(x, np.array([[8, 8], [0, 11], [13, 12]]))
    black = (covered == 0).all(axis=1)
    np.testing.assert_array_equal(black, (covered != x).any(axis=1))
    expected = np.zeros((3, 16, 15), bool)
    expected[0, 8:12, 8:12] = expected[1, 0:4, 11:15] = expected[2, 0:4, 0:4] = True
    np.testing.assert_array_equal(black, expected)


def test_a_crop_shows_a_part_of_the_same_shape_inside_the_image() -> None:
    crop, rows = Crop(500, 0), np.arange(500)
    ramp = np.broadcast_to(np.arange(40.0), (500, 1, 30, 40)).copy()
    shown = crop(ramp, crop.draws(rows, 0))[:, 0, 0]
    assert 0 <= shown.min() <= shown.max() <= 39
    steps = np.diff(shown[:, 5:-5], axis=1)
    np.testing.assert_allclose(steps, steps[:, :1].repeat(steps.shape[1], axis=1), atol=1e-9)
    assert 0.35 <= np.square(steps).min() < 0.4
    assert 0.95 < np.square(steps).max() <= 1


def test_another_light_leaves_gray_gray_and_values_in_range() -> None:
    color, x = Color(200, 0), np.broadcast_to(RNG.random((200, 1, 8, 8)), (200, 3, 8, 8)).copy()
    lit = color(x, color.draws(np.arange(200), 0))
    assert 0 <= lit.min() <= lit.max() <= 1
    np.testing.assert_allclose(lit, lit[:, :1].repeat(3, axis=1), atol=1e-12)
    assert (lit.mean(axis=(1, 2, 3)) / x.mean(axis=(1, 2, 3))).std() > 0.1


def test_several_come_one_after_the_other() -> None:
    x, rows = RNG.random((6, 1, 8, 8)), np.arange(6)
    flip, shift = AlternatingFlip(6, 3), Shift(6, 3)
    both = make_augmentation(["hflip", "shift", lambda batch: 2 * batch], 6, 3)
    assert both is not None
    draws = both.draws(rows, 1)
    assert draws.shape == (6, 3)
    expected = 2 * shift(flip(x, flip.draws(rows, 1)), shift.draws(rows, 1))
    np.testing.assert_array_equal(both(x, draws), expected)
    assert make_augmentation([], 6, 3) is None


class _Brighter:
    """The protocol of an augmentation, by somebody else."""

    def draws(self, rows: np.ndarray, epoch: int) -> np.ndarray:
        return rows[:, None] + epoch

    def __call__(self, x: np.ndarray, draws: np.ndarray) -> np.ndarray:
        return x + draws


def test_an_augmentation_of_ones_own_gets_its_draws() -> None:
    made = make_augmentation([_Brighter()], 4, 0)
    assert made is not None
    np.testing.assert_array_equal(made(np.zeros((2, 1)), made.draws(np.array([1, 3]), 10)), [[11], [13]])
