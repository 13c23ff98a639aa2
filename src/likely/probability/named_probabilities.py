"""Probabilities with the outcomes that they belong to: rows that are counted, indexed, compared and shown."""

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np

from likely.errors import MissingExtraError, ProbabilityError, renamed_argument
from likely.probability.bar_display import draw
from likely.probability.display import as_html, as_text
from likely.probability.outcomes import shown
from likely.probability.space import SampleSpace


class NamedProbabilities:
    """Probabilities of shape (k,) or (n, k) over a sample space, never changed: what `Distribution` answers from."""

    __slots__ = ("_probs", "_space")

    def _hold(self, space: SampleSpace, probs: np.ndarray) -> None:
        self._space, self._probs = space, probs.view()
        self._probs.flags.writeable = False

    @classmethod
    def _of(cls, space: SampleSpace, probs: np.ndarray) -> Self:
        """Of probabilities that need no check."""
        new = cls.__new__(cls)
        new._hold(space, probs)
        return new

    @property
    def space(self) -> SampleSpace:
        """The sample space."""
        return self._space

    @property
    def probs(self) -> np.ndarray:
        """The probabilities in the order of the space, shape (k,) or (n, k), read-only."""
        return self._probs

    def to_frame(self) -> Any:
        """A pandas DataFrame: one row per distribution, one column per outcome; needs the extra `tables`."""
        try:
            import pandas as pd
        except ModuleNotFoundError as error:
            raise MissingExtraError("tables", "Distribution.to_frame") from error
        columns = pd.Index(list(self._space), tupleize_cols=False)
        return pd.DataFrame(np.atleast_2d(self._probs), columns=columns)

    @renamed_argument("pictures", "images")  # deprecated
    def plot(self, ax: Any = None, *, images: Sequence[Any] | np.ndarray | None = None) -> Any:
        """Bars of the probabilities; for a batch one small chart per row, side by side.

        Args:
            ax: matplotlib axes to draw on, for a batch a sequence of n; None makes a figure.
            images: one image per row, each of shape (h, w) or (h, w, 3), drawn above its bars.
        Returns:
            The axes with the bars; for a batch a list of n.
        Raises:
            ShapeError, ConfigError: if the numbers of rows, axes and images differ, there are more than 24 rows, or
                both `ax` and `images` are given.
        """
        import matplotlib.pyplot as plt

        charts = draw(plt.subplots, self._space.outcomes, np.atleast_2d(self._probs), ax, images)
        return charts[0] if self._probs.ndim == 1 else charts

    def __len__(self) -> int:
        return len(np.atleast_2d(self._probs))

    def __getitem__(self, index: Any) -> Self:
        rows = np.atleast_2d(self._probs)
        if isinstance(index, slice):
            return self._of(self._space, rows[index])
        chosen = np.asarray(index)
        if not chosen.size:
            chosen = chosen.astype(np.intp)
        kinds = "iu" if chosen.ndim == 0 else "iub"
        if isinstance(index, tuple) or chosen.ndim > 1 or chosen.dtype.kind not in kinds:
            raise ProbabilityError(
                f"An index must be a row, a slice or an array of rows; got {shown(index)}. "
                "P[i] is a row of a batch. Try P(outcome) for a probability."
            )
        return self._of(self._space, rows[chosen if chosen.ndim else int(chosen)])

    def __iter__(self) -> Iterator[Self]:
        return (self._of(self._space, row) for row in np.atleast_2d(self._probs))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NamedProbabilities):
            return NotImplemented
        return self._space == other._space and np.array_equal(self._probs, other._probs)

    def __hash__(self) -> int:
        return hash((self._space, self._probs.shape))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self._probs, dtype=dtype, copy=copy)

    def __reduce__(self) -> tuple[Any, tuple[SampleSpace, np.ndarray]]:
        return type(self)._of, (self._space, self._probs)

    def __repr__(self) -> str:
        return as_text(self._space.outcomes, self._probs)

    def _repr_html_(self) -> str:
        return as_html(self._space.outcomes, self._probs)

    def _named(self, positions: Any) -> Any:
        """The outcomes at these positions, in lists as deep as theirs."""
        if isinstance(positions, int):
            return self._space.outcomes[positions]
        return [self._named(part) for part in positions]
