"""Bars of distributions on matplotlib axes; matplotlib itself is the caller's, so that this module loads without it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from likely.errors import ConfigError, ShapeError
from likely.probability.outcomes import outcome_name


def draw(
    subplots: Callable[..., Any], outcomes: Sequence[object], probs: np.ndarray, ax: Any, images: Any
) -> list[Any]:
    """One chart per row of `probs` (n, k), side by side, on `ax` or a new figure; returns the axes.

    Above them come n images, if there are any; `subplots` is `matplotlib.pyplot.subplots`.
    """
    count = len(probs)
    if not 1 <= count <= 24:
        raise ShapeError(f"A plot must have 1 to 24 rows; got {count}. More cannot be read. Try P[:12].plot().")
    if ax is not None and images is not None:
        raise ConfigError("Only one of ax and images must be given; got both. Images need a figure of their own.")
    if images is not None and len(images) != count:
        raise ShapeError(f"images must be one per row; got {len(images)} for {count}. Try images[:{count}].")
    given = list(np.atleast_1d(np.asarray(ax, dtype=object)).flat)
    charts = _grid(subplots, count, len(outcomes), images) if ax is None else given
    if len(charts) != count:
        raise ShapeError(f"ax must be one per row; got {len(charts)} for {count} rows. Try P.plot() without ax.")
    for chart, row in zip(charts, probs, strict=True):
        _draw_bars(chart, outcomes, row, room=48 if count == 1 else 14, reach=1.05 * float(probs.max()))
    return charts


def _grid(subplots: Callable[..., Any], count: int, n_outcomes: int, images: Any) -> list[Any]:
    # A line of text is about 0.24 inches high.
    height = min(max(3.2, 0.24 * n_outcomes), 30.0)
    _, grid = subplots(
        1 if images is None else 2,
        count,
        squeeze=False,
        figsize=(6.0 if count == 1 else 2.2 * count + 1.5, height + (0.0 if images is None else 1.6)),
        layout="constrained",
    )
    for chart in grid[-1][1:]:
        chart.sharex(grid[-1][0])
        chart.sharey(grid[-1][0])
        chart.tick_params(labelleft=False)
    for frame, image in zip(grid[0], () if images is None else images, strict=False):
        frame.imshow(image, cmap="gray", interpolation="nearest")
        frame.set_axis_off()
    return list(grid[-1])


def _draw_bars(ax: Any, outcomes: Sequence[object], probs: np.ndarray, room: int, reach: float) -> None:
    """Bars of one distribution, upright where `room` letters hold all names, else sideways; P goes up to `reach`."""
    # A name such as "$5 to $9" would be read as a formula.
    written = map(outcome_name, outcomes)
    names = [(name if len(name) <= 24 else f"{name[:23]}…").replace("$", r"\$") for name in written]
    positions = range(len(names))
    if sum(len(name) + 1 for name in names) <= room:
        ax.bar(positions, probs)
        ax.set_xticks(positions, names)
        ax.set_ylabel("P")
        ax.set_ylim(0, reach)
    else:
        ax.barh(positions, probs)
        ax.set_yticks(positions, names)
        ax.set_xlabel("P")
        ax.set_xlim(0, reach)
        # Bars are drawn from below, but names are read from above.
        ax.set_ylim(len(names) - 0.5, -0.5)
