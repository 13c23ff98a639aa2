"""Figures of promises: coverage, sizes of sets, error over share answered, familiarity."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator

from likely.metrics.evaluation import Selective, SetFigures
from likely.report.plots import ACCENT, CONTRAST, INK, drawing, legend_above
from likely.trust.familiarity import UNFAMILIAR

_P_BINS = 20


def coverage_differences(entries: Sequence[SetFigures], description: str) -> str:
    """Coverage reached minus asked for, in points, over the coverages; bars: what the held-out rows leave open."""
    with drawing("coverage", description, 3.1) as page:
        ax = page.figure.subplots()
        at = np.arange(len(entries))
        asked = np.array([entry.coverage for entry in entries])

        def points(reached: Callable[[SetFigures], float]) -> np.ndarray:
            return 100 * (np.array([reached(entry) for entry in entries]) - asked)

        low, high = points(lambda entry: entry.expected.low), points(lambda entry: entry.expected.high)
        ax.bar(at, high - low, 0.5, low, color=ACCENT, alpha=0.25, label="expected")
        reached = points(lambda entry: entry.covered.value)
        ends = points(lambda entry: entry.covered.low), points(lambda entry: entry.covered.high)
        reach = np.abs(np.stack(ends) - reached)
        ax.errorbar(at, reached, reach, color=CONTRAST, marker="o", linestyle="", capsize=2.5, label="these rows")
        ax.axhline(0, color=INK, linestyle=":", linewidth=1)
        ax.set_xticks(at, [f"{100 * c:g}%" for c in asked])
        ax.set(xlabel="coverage asked for", ylabel="reached minus asked (points)")
        legend_above(ax)
    return page.svg


def size_histogram(sizes: np.ndarray, noun: str, description: str) -> str:
    """How many rows have a set of which size."""
    with drawing("sizes", description, 3.1) as page:
        ax = page.figure.subplots()
        counts = np.bincount(sizes)
        first = 0 if counts[0] else 1
        shown = np.arange(first, len(counts))
        bars = ax.bar(shown, counts[first:], color=ACCENT, alpha=0.55)
        if len(shown) <= 12:
            ax.bar_label(bars, [f"{c:,}" for c in counts[first:]], fontsize=8, padding=2)
        ax.xaxis.set_major_locator(MaxNLocator(12, integer=True, min_n_ticks=1))
        ax.margins(y=0.12)
        ax.set(xlabel="labels in the set", ylabel=f"{noun}s")
        ax.grid(visible=False, axis="x")
    return page.svg


def risk_coverage(selective: Selective, description: str) -> str:
    """The error among the answers over the share answered, three shares marked."""
    with drawing("risk", description, 3.1) as page:
        ax = page.figure.subplots()
        ax.plot(100 * np.array(selective.curve.coverage), 100 * np.array(selective.curve.error), color=ACCENT)
        for share, error in selective.error_at.items():
            at = 100 * share, 100 * error
            ax.plot(*at, color=CONTRAST, marker="o")
            ax.annotate(f"{at[1]:.2f}%", at, xytext=(-6, 4), textcoords="offset points", ha="right")
        ax.set(xlabel="share answered (%)", ylabel="error among the answers (%)", xlim=(0, 101))
        ax.set_ylim(bottom=0)
    return page.svg


def p_value_histogram(p: np.ndarray, description: str) -> str:
    """The distribution of the p-values, with the uniform one of familiar rows."""
    with drawing("familiar", description, 3.1) as page:
        ax = page.figure.subplots()
        ax.hist(p, bins=_P_BINS, range=(0, 1), color=ACCENT, alpha=0.55)
        ax.axhline(len(p) / _P_BINS, color=INK, linestyle=":", linewidth=1.2, label="even spread")
        ax.axvline(UNFAMILIAR, color=CONTRAST, linestyle="--", linewidth=1.4, label=f"unfamiliar up to {UNFAMILIAR:g}")
        ax.set(xlabel="familiarity (p-value)", ylabel="these rows", xlim=(-0.01, 1))
        legend_above(ax)
    return page.svg
