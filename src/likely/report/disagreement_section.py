"""The section of the report on doubt in two parts: what several models that answer together agree to doubt, and where
they disagree."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from likely.metrics.numerals import percent
from likely.model import ClassifierPredictor, RegressorPredictor
from likely.model.card import MIXTURE
from likely.report.examples import make_card
from likely.report.plots import ACCENT, CONTRAST, drawing, legend_above
from likely.report.promise_sections import Block, Row, Section
from likely.report.report_data import ReportData
from likely.training.evaluate import Evaluated
from likely.trust.mutual_information import Doubt

_GROUPS = 10
"""Of rows in the figure, each as large, by their doubt."""
_SHOWN = 12


def doubt_of(predictor: ClassifierPredictor | RegressorPredictor, evaluated: Evaluated) -> Doubt | None:
    """The doubt about the rows of an evaluation; None of one model alone, and of rows that the models learned from."""
    if isinstance(predictor, RegressorPredictor) or not predictor.answers_together:
        return None
    return None if evaluated.evaluation.rows == "out-of-fold" else predictor.doubt_in_parts(evaluated.part.X)


def disagreement_section(data: ReportData) -> list[Section]:
    """The section on the test rows of a classifier; none where one model answers alone."""
    blocks = [] if data.doubt is None else _blocks(data, data.doubt)
    if data.card.network.name == MIXTURE and data.evaluation.rows == "out-of-fold" and not data.is_regression:
        blocks = [
            Block(
                f"The models that answer together have all but one learned from each of these {data.noun}s, so how "
                "much they would disagree about new ones is not shown. --test-share 20% keeps some aside for it."
            )
        ]
    return [Section("disagreement", "Disagreement", blocks)] if blocks else []


def _blocks(data: ReportData, doubt: Doubt) -> list[Block]:
    noun, kind, known = data.noun, data.kind, np.flatnonzero(~np.isnan(doubt.disagreement))
    if not len(known):
        return []
    of_each, apart = (part[known] for part in doubt)
    total, wrong = of_each + apart, data.probs[known].argmax(axis=1) != data.y[known]
    share = f" ({percent(float(apart.mean() / total.mean()))})" if total.mean() > 0 else ""
    finding = (
        f"The models that answer together leave {_nats(total)} nats of doubt about {_article(kind)} {noun} on average: "
        f"{_nats(apart)}{share} because they disagree, {_nats(of_each)} in which they agree."
    )
    groups = {"right": ~wrong, "wrong": wrong}
    strangest = known[np.argsort(-apart, kind="stable")[:_SHOWN]]
    block = Block(
        finding,
        Markup(_chart(of_each, apart, noun, finding)),
        f"Entropy in nats, the {noun}s sorted by it into {min(_GROUPS, len(known))} groups. Where models "
        f"disagree, more training {noun}s like these could take the doubt away; what they agree to doubt, more of them "
        "could not: labels overlap, or what tells them apart is not in the data.",
        head=("answer", f"{noun}s", "doubt", "disagreement", "agreed"),
        rows=[
            [name, f"{int(rows.sum()):,}", *(_nats(part[rows]) for part in (total, apart, of_each))]
            for name, rows in groups.items()
            if rows.any()
        ],
        cards=[
            Row(
                make_card(data, i),
                f"{doubt.disagreement[i]:.3f} of {doubt.disagreement[i] + doubt.of_each[i]:.3f} nats",
                bool(data.probs[i].argmax() == data.y[i]),
            )
            for i in strangest.tolist()
        ],
        cards_how=f"The {kind} {noun}s that the models disagree about most; ✓ their mean is right, ✗ wrong.",
    )
    return [block]


def _nats(values: np.ndarray) -> str:
    return f"{values.mean():.3f}"


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _chart(of_each: np.ndarray, apart: np.ndarray, noun: str, description: str) -> str:
    """Both parts of the doubt on top of each other, for groups of rows from the surest to the most doubtful."""
    groups: Sequence[np.ndarray] = np.array_split(np.argsort(of_each + apart), min(_GROUPS, len(apart)))
    with drawing("disagreement", f"Doubt in two parts. {description}", 3.1) as page:
        ax = page.figure.subplots()
        at = np.arange(1, len(groups) + 1)
        agreed = np.array([of_each[rows].mean() for rows in groups])
        ax.bar(at, agreed, 0.8, color=ACCENT, alpha=0.55, label="agreed")
        disputed = [apart[rows].mean() for rows in groups]
        ax.bar(at, disputed, 0.8, agreed, color=CONTRAST, alpha=0.85, label="disagreement")
        ax.set_xticks(at)
        ax.set(xlabel=f"{noun}s, from the surest to the most doubtful", ylabel="doubt (nats)")
        ax.grid(visible=False, axis="x")
        legend_above(ax)
    return page.svg
