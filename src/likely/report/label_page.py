"""The page of labels in doubt: each image with its given and its suggested label; loads nothing, runs no script."""

from likely.explain.drawing import PIXELATED
from likely.metrics.numerals import counted, percent
from likely.report.examples import data_uri
from likely.report.page import template
from likely.training.label_check import LabelCheck

N_SHOWN = 1000
"""Above so many rows the page would be slow to open; the table of corrections holds them all."""


def render_label_page(found: LabelCheck) -> str:
    """The page as HTML text; every text that comes from the data is escaped."""
    X, n, doubted = found.dataset.train.X, len(found.dataset.train), len(found.issues)
    images = X if X.ndim > 2 else None
    doubts = found.doubts(N_SHOWN)
    return template("label_page.html").render(
        title=found.dataset.name,
        lead=(
            f"Of {counted(n, 'image' if images is not None else 'row')}, {doubted:,} "
            f"{'has' if doubted == 1 else 'have'} a label that is less probable than another one according to networks "
            f"not trained on it ({found.folds} folds). The most doubtful come first."
        ),
        column=found.column,
        pixelated=images is not None and max(images.shape[1:3]) <= PIXELATED,
        more=doubted - len(doubts),
        image=lambda doubt: None if images is None else data_uri(images[doubt.row]),
        percent=percent,
        doubts=doubts,
    )
