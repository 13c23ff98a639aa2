"""How distributions look: as text and as HTML."""

import html
from collections.abc import Sequence

import numpy as np

from likely.probability.outcomes import outcome_name

_LIMIT = 12
_ROWS = 5


def as_text(outcomes: Sequence[object], probs: np.ndarray) -> str:
    """A line for one distribution; for a batch its size and the first rows with their likeliest outcomes."""
    names = [outcome_name(outcome) for outcome in outcomes]
    if probs.ndim == 1:
        chosen = np.arange(len(probs)) if len(probs) <= _LIMIT else ranked(probs)[:5]
        listed = ", ".join(f"{names[i]}: {probs[i]:.4g}" for i in chosen)
        more = f", and {len(names) - len(chosen)} more" if len(chosen) < len(names) else ""
        return f"Distribution({{{listed}{more}}})"
    rows, count = probs.shape
    lines = [f"Distribution({rows} row{'s' * (rows != 1)} over {count} outcome{'s' * (count != 1)})"]
    for number, row in enumerate(probs[:_ROWS]):
        lines.append(f"  {number}  " + ", ".join(f"{names[i]} {row[i]:.4g}" for i in ranked(row)[:3]))
    if rows > _ROWS:
        lines.append(f"  and {rows - _ROWS} more")
    return "\n".join(lines)


def as_html(outcomes: Sequence[object], probs: np.ndarray) -> str:
    """Bars with names and numbers, the likeliest first. No script, no file.

    Names are escaped, since they come from folders and files.
    """
    rows = np.atleast_2d(probs)
    names = [html.escape(outcome_name(outcome)) for outcome in outcomes]
    blocks = [_html_block(names, row) for row in rows[:_ROWS]]
    if len(rows) > _ROWS:
        blocks.append(f"<p>and {len(rows) - _ROWS} more rows</p>")
    return f'<div style="display:flex;flex-wrap:wrap;gap:1.5em">{"".join(blocks)}</div>'


def ranked(row: np.ndarray) -> np.ndarray:
    """Positions from the likeliest down; equal ones keep the order of the space."""
    return np.argsort(-row, axis=-1, kind="stable")


def _html_block(names: Sequence[str], row: np.ndarray) -> str:
    chosen = ranked(row)[:_LIMIT]
    lines = "".join(
        f"<span>{names[i]}</span>"
        f'<span style="background:steelblue;height:.8em;width:{100 * float(row[i]):.2f}%"></span>'
        f"<span>{row[i]:.4g}</span>"
        for i in chosen
    )
    more = f"<span>and {len(row) - len(chosen)} more</span>" if len(chosen) < len(row) else ""
    grid = "display:grid;grid-template-columns:max-content 10em max-content;gap:.15em .6em;align-items:center"
    return f'<div style="{grid}">{lines}{more}</div>'
