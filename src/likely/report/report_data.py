"""All that a report tells, checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from likely.errors import ShapeError
from likely.metrics.evaluation import Evaluation
from likely.model.card import Card
from likely.preprocessing.stored_rows import RowArray
from likely.trust.mutual_information import Doubt

if TYPE_CHECKING:
    from likely.report.explanation_cards import ExplanationCard
    from likely.report.promise_sections import Section


@dataclass(frozen=True)
class Trust:
    """Sets, abstention and familiarity of the test rows; what the model does not promise is None.

    Args:
        coverage, sets: the sets at one coverage, booleans of shape (n, k).
        answered: which rows are answered under the smallest promised error, booleans of shape (n,).
        approximate: whether out-of-fold scores replace those of held-out rows.
        never_unfamiliar: why no row can be called unfamiliar, if that is so.
    """

    coverage: float | None = None
    sets: np.ndarray | None = None
    answered: np.ndarray | None = None
    familiarity: np.ndarray | None = None
    approximate: bool = False
    never_unfamiliar: str | None = None


@dataclass(frozen=True)
class ReportData:
    """All that a report tells; a ShapeError if its parts do not fit each other, or there is no row.

    Args:
        title: what the report is about, such as "fashion-mnist".
        history: the records of training, with "step", "loss" and perhaps "held_out": {"accuracy", "nll"}.
        labels: the names of the classes; empty for regression.
        y: the true classes 0..k-1 of the test rows, or their true values, shape (n,).
        probs: probabilities of shape (n, k), or predictions of shape (n, 1).
        images: uint8 of shape (n, h, w) or (n, h, w, 3); None for tables.
        trust: None leaves out what can be trusted.
        importance: the section on the columns of a table.
        doubt: of each test row, where several models answer together that have not learned from it.
        why: what carries the answers to some test rows.
        how_why: how that is read, in sentences.
    """

    title: str
    card: Card
    history: Sequence[Mapping[str, object]]
    evaluation: Evaluation
    labels: tuple[str, ...]
    y: np.ndarray
    probs: np.ndarray
    images: RowArray | None
    names: Sequence[str] | None
    trust: Trust | None = None
    importance: "Sequence[Section]" = ()
    doubt: Doubt | None = None
    why: "Sequence[ExplanationCard]" = ()
    how_why: Sequence[str] = ()

    def __post_init__(self) -> None:
        n, width = len(self.y), 1 if self.is_regression else len(self.labels)
        if not n or self.y.shape != (n,) or self.probs.shape != (n, width):
            raise ShapeError(
                f"The test part of a report must be y (n,) and probs (n, {width}) with n >= 1; got {self.y.shape} and "
                f"{self.probs.shape}. There is one column per class. Try the arrays of one test part."
            )
        for what, rows in (("images", self.images), ("names", self.names)):
            if rows is not None and len(rows) != n:
                raise ShapeError(
                    f"The {what} of a report must be one per test row; got {len(rows)} for {n} rows. Try {what}=None "
                    "to omit them."
                )

    @property
    def is_regression(self) -> bool:
        """Whether numbers were predicted, not classes."""
        return self.card.task == "regression"

    @property
    def kind(self) -> str:
        """What the rows are: "test" ones, or those that replace them."""
        return self.evaluation.kind

    @property
    def noun(self) -> str:
        """What one test row is called."""
        return "row" if self.images is None else "image"

    def name(self, i: int) -> str:
        """What test row `i` is called."""
        return self.names[i] if self.names is not None else f"no. {i}"
