"""The section of the report on the columns that a model relies on, measured by shuffling them among the rows shown."""

from collections.abc import Callable, Sequence

import numpy as np
from markupsafe import Markup

from likely.data.dataset import Part
from likely.explain.importance import Importance, importances, shuffles_of
from likely.metrics.numerals import counted
from likely.model import ClassifierPredictor, RegressorPredictor
from likely.report.page import printable
from likely.report.plots import ACCENT, INK, drawing
from likely.report.promise_sections import Block, Section
from likely.report.related_columns import columns_of_rows, related_columns, single_columns, some_rows

_FEWEST_ROWS = 20
MOST_COLUMNS = 60
_FIRST_LOOK = 100
"""Rows on which columns are shuffled once, where there are more than `MOST_COLUMNS`, to see which are worth a look."""
_MOST_LOOKED_AT = 2_000
_SHOWN = 15
_SEED = 0


def importance_section(
    predictor: ClassifierPredictor | RegressorPredictor, test: Part, *, knows_rows: bool
) -> list[Section]:
    """The section, or none for images, and where there are too few rows or too many columns.

    Args:
        predictor: the model.
        test: the rows.
        knows_rows: whether it has learned from them.
    """
    if predictor.image_shape is not None:
        return []
    rows, columns = some_rows(predictor, test), columns_of_rows(predictor)
    if len(rows) < _FEWEST_ROWS or len(columns) > _MOST_LOOKED_AT:
        return []
    X, y, groups, note = np.asarray(test.X[rows]), test.y[rows], single_columns(columns), ""
    if len(groups) > MOST_COLUMNS:
        few, places = slice(_FIRST_LOOK), dict(groups)
        first = importances(X[few], _losses(predictor, y[few]), groups, shuffles=1, seed=_SEED)
        note = f" Of {len(groups):,} columns the {MOST_COLUMNS} that matter most in {_FIRST_LOOK} rows were looked at."
        groups = [(each.columns, places[each.columns]) for each in first[:MOST_COLUMNS]]
    groups = related_columns(X, columns, groups)
    found = importances(X, _losses(predictor, y), groups, seed=_SEED)
    return [Section("importance", "Columns that it relies on", [_block(predictor, found, len(rows), knows_rows, note)])]


def _losses(predictor: ClassifierPredictor | RegressorPredictor, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The NLL of rows and whether the answer is wrong, or their absolute error."""
    if isinstance(predictor, RegressorPredictor):
        return lambda X: np.abs(predictor.predict(X).reshape(len(X)) - y)[:, None]

    def losses(X: np.ndarray) -> np.ndarray:
        log_probs = predictor.predict_log_proba(X)
        return np.stack([-log_probs[np.arange(len(X)), y], log_probs.argmax(axis=1) != y], axis=1)

    return losses


def _block(
    predictor: ClassifierPredictor | RegressorPredictor,
    found: Sequence[Importance],
    n: int,
    knows_rows: bool,
    note: str,
) -> Block:
    kind = "training" if knows_rows else "test"
    loss = "NLL" if predictor.task == "classification" else "mean absolute error"
    times = "once" if shuffles_of(n) == 1 else f"{shuffles_of(n)} times"
    first, names = found[0], [printable(" and ".join(each.columns)) for each in found]
    finding = (
        f"No column by itself makes a difference: shuffling any of them among the {kind} rows costs nothing worth "
        "mentioning."
    )
    if first.cost.low > 0:
        lost = f" and costs {100 * first.accuracy_lost:.1f} points of accuracy" if first.accuracy_lost > 0 else ""
        finding = (
            f"The model relies most on {names[0]}: shuffling {'it' if len(first.columns) == 1 else 'them'} among the "
            f"{kind} rows raises the {loss} by {first.cost.value:.3g}{lost}."
        )
    return Block(
        finding,
        Markup(_chart(list(zip(names, found, strict=True))[:_SHOWN], f"rise of the {loss}", finding)),
        f"Values are shuffled among {counted(n, f'{kind} row')}, {times}; lines are 95% intervals. Columns "
        "that say about the same are shuffled together: alone, each would seem to matter little. This is what this "
        "model relies on, not what causes the answer, and a column that costs nothing may still go with it: the model "
        f"can have it from the others.{note}",
        head=("columns", f"rise of the {loss}", "95% interval", *(["accuracy lost"] if loss == "NLL" else [])),
        rows=[
            [
                name,
                f"{each.cost.value:.3g}",
                f"{each.cost.low:.3g} to {each.cost.high:.3g}",
                *([f"{100 * each.accuracy_lost:.1f} points"] if loss == "NLL" else []),
            ]
            for name, each in zip(names, found, strict=True)
        ][:_SHOWN],
    )


def _chart(named: Sequence[tuple[str, Importance]], label: str, description: str) -> str:
    """A bar of each importance with its interval, the largest on top."""
    with drawing("importance", f"Columns that it relies on. {description}", 0.9 + 0.3 * len(named)) as page:
        ax = page.figure.subplots()
        at, values = np.arange(len(named)), np.array([each.cost.value for _, each in named])
        ends = np.array([[each.cost.low, each.cost.high] for _, each in named])
        ax.barh(at, values, color=ACCENT, alpha=0.55, height=0.65)
        ax.hlines(at, ends[:, 0], ends[:, 1], color=INK, linewidth=1.2)
        ax.axvline(0, color=INK, linewidth=0.6)
        ax.set_yticks(at, [name if len(name) <= 24 else f"{name[:23]}…" for name, _ in named])
        ax.invert_yaxis()
        ax.grid(visible=False, axis="y")
        ax.set(xlabel=label)
    return page.svg
