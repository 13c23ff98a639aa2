"""Whether polars may read a text: rows of one length, quotes only around whole cells, no empty lines.

polars is fast, and reads what is not plain in its own way, in silence: short rows end in nulls, a quote after a space
does not count, empty lines are rows. So the bytes are looked at first; what is not plain is left to Python's `csv`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

_PIECE = 2**21
_QUOTE, _LINE_FEED, _RETURN = b'"\n\r'


@dataclass(frozen=True)
class PlainPiece:
    """Whole rows of a plain text.

    Args:
        start, end: where their bytes begin and end in the text.
        ends: behind the last byte of each cell, from `start` on; shape (rows, cells in a row).
    """

    start: int
    end: int
    ends: np.ndarray

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.ends)


def plain_pieces(data: np.ndarray, start: int, separator: str, width: int) -> Iterator[PlainPiece | None]:
    r"""The text in pieces of two megabytes, cut between rows, while it is plain; None at the end of that.

    Args:
        data: the bytes of the file, uint8.
        start: where the first row begins.
        separator: between two cells, one byte.
        width: how many cells a row has.
    Example:
        >>> data = np.frombuffer(b'1,"a, b"\n2,c\n', np.uint8)
        >>> [(piece.start, piece.end, piece.ends.tolist()) for piece in plain_pieces(data, 0, ",", 2)]
        [(0, 13, [[1, 8], [10, 12]])]
        >>> list(plain_pieces(np.frombuffer(b"1,2\n3\n", np.uint8), 0, ",", 2))
        [None]
    """
    mark = ord(separator)
    while start < len(data):
        end = min(start + _PIECE, len(data))
        piece = np.asarray(data[start:end])
        ends = _cell_ends(piece, mark, width, last=end == len(data))
        if ends is None:
            yield None
            return
        size = min(int(ends[-1, -1]) + 1, len(piece))
        yield PlainPiece(start, start + size, ends)
        start += size


def _cell_ends(piece: np.ndarray, separator: int, width: int, *, last: bool) -> np.ndarray | None:
    """Where the cells of a piece end, (rows, width); None if it is not plain, or holds no whole row."""
    quotes, feeds, separators, returns = (
        np.flatnonzero(piece == byte) for byte in (_QUOTE, _LINE_FEED, separator, _RETURN)
    )
    if last and not (len(feeds) and feeds[-1] == len(piece) - 1):
        feeds = np.append(feeds, len(piece))  # the last row needs no line feed
    if len(quotes):
        if (last and len(quotes) % 2) or not _around_cells(piece, quotes, separator):
            return None
        feeds = feeds[np.searchsorted(quotes, feeds) % 2 == 0]
        separators = separators[np.searchsorted(quotes, separators) % 2 == 0]
    within = returns[returns < len(piece) - 1]
    alone = (piece[within + 1] != _LINE_FEED).any() or (last and len(within) < len(returns))
    if not len(feeds) or alone or (piece == 0).any():
        return None
    if (np.diff(np.searchsorted(separators, feeds), prepend=0) != width - 1).any():
        return None
    if width == 1:  # an empty line is no row, but has as many separators as one
        begins = np.concatenate([[0], feeds[:-1] + 1])
        if (np.isin(piece[np.minimum(begins, len(piece) - 1)], (_LINE_FEED, _RETURN))).any():
            return None
    inner = separators[: len(feeds) * (width - 1)].reshape(len(feeds), width - 1)
    return np.concatenate([inner, feeds[:, None]], axis=1)


def _around_cells(piece: np.ndarray, quotes: np.ndarray, separator: int) -> bool:
    """Whether each quote opens a cell, closes one, or is one of two that stand for one."""
    padded = np.concatenate([[_LINE_FEED], piece, [_LINE_FEED]])
    before, after = padded[quotes[::2]], padded[quotes[1::2] + 2]
    ends = (_QUOTE, separator, _LINE_FEED, _RETURN)
    return bool(np.isin(before, ends[:3]).all() and np.isin(after, ends).all())
