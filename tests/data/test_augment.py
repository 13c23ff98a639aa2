import jax.numpy as jnp
import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from likely.data.augment import AlternatingFlip

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


def test_pictures_are_mirrored_left_to_right_in_every_library() -> None:
    flip = AlternatingFlip(6, 0)
    x = RNG.normal(size=(6, 3, 4, 5)).astype(np.float32)
    draws = np.array([[0], [1], [1], [0], [1], [0]])
    expected = np.stack([p[:, :, ::-1] if d else p for p, d in zip(x, draws.ravel(), strict=True)])
    np.testing.assert_array_equal(flip(x, draws), expected)
    np.testing.assert_array_equal(flip(torch.from_numpy(x), torch.from_numpy(draws)).numpy(), expected)
    np.testing.assert_array_equal(flip(jnp.asarray(x), jnp.asarray(draws)), expected)
    np.testing.assert_array_equal(flip(flip(x, draws), draws), x)
