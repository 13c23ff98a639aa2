"""Random integers for each row of the training data, others in every epoch, the same whatever batch the row is in."""

import numpy as np

_MOST = 2**31


class RandomIntegers:
    """What augmentations draw: `per_row` integers from 0 to 2^31 - 1 for each of `n_rows` rows."""

    per_row = 2

    def __init__(self, n_rows: int, seed: int) -> None:
        self._shape, self._seed = (n_rows, self.per_row), seed
        self._latest: tuple[int, np.ndarray] | None = None

    def draws(self, rows: np.ndarray, epoch: int) -> np.ndarray:
        """Large integers, of shape (b, per_row): what they mean depends on the size of an image."""
        if self._latest is None or self._latest[0] != epoch:
            rng = np.random.default_rng([self._seed, epoch])
            self._latest = epoch, rng.integers(0, _MOST, self._shape)
        return self._latest[1][rows]
