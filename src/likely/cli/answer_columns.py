"""The columns of a table of answers, and what they hold: the same in CSV and Parquet."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from likely.cli.answers import Answer, Number, Outcome
from likely.cli.questions import Questions
from likely.model import ClassifierPredictor, RegressorPredictor

ANSWER = {"label": "text", "probability": "number", "set": "texts", "abstained": "truth", "familiarity": "number"}
"""The columns of an answer, before those of its probabilities, and what kind of value each holds."""

NUMBER = {"low": "number", "high": "number", "familiarity": "number", "outside_range": "truth"}
"""The columns of a predicted number, after those of the number itself."""

Cell: TypeAlias = str | float | bool | list[str] | None
"""The value of one answer in one column."""


class Columns:
    """What was asked about ("image" or "row"), the answer, an error, then a column per label and event.

    Under a condition, P(given) and the conditional probabilities follow, in columns like "Shirt given".
    """

    def __init__(
        self, about: str, answer: Mapping[str, str], probabilities: Iterable[str] = (), *, given: bool = False
    ) -> None:
        self._fixed = {about: "text" if about == "image" else "whole number", **answer, "error": "text"}
        self._names = list(probabilities)
        self._given = given

    def headings(self, spelled: Callable[[str], str] = str) -> dict[str, str]:
        """The names of all columns, as the format spells them, all different, and what each holds.

        A label or event that is called like another column, such as `error`, gives a column P(error).

        Example:
            >>> list(Columns("row", {"label": "text"}, ["error", "Coat", "Coat"]).headings())
            ['row', 'label', 'error', 'P(error)', 'Coat', 'P(Coat)']
        """
        condition = ["P(given)"] if self._given else []
        names = [spelled(name) for name in self._names]
        conditional = [f"{name} given" for name in names] if self._given else []
        taken = {*self._fixed, *condition}
        wanted = {*names, *conditional}

        def different(name: str) -> str:
            found = name
            while found in taken or (found != name and found in wanted):
                found = f"P({found})"
            taken.add(found)
            return found

        probabilities = [*map(different, names), *condition, *map(different, conditional)]
        return {**self._fixed, **dict.fromkeys(probabilities, "number")}

    def cells(self, outcome: Outcome) -> list[Cell]:
        """A value per column, None where there is none."""
        known: dict[str, Any] = outcome.to_json()
        if isinstance(outcome, Number):
            known |= zip(
                (name for name in self._fixed if name.startswith("prediction")), outcome.prediction, strict=True
            )
        cells: list[Cell] = [known.get(name) for name in self._fixed]
        if isinstance(outcome, Answer):
            cells += [*outcome.probabilities.values(), *outcome.events.values()]
            if (given := outcome.given) is not None:
                cells += [given.probability, *given.probabilities.values(), *given.events.values()]
        width = len(self._fixed) + len(self._names) + (1 + len(self._names) if self._given else 0)
        return [*cells, *[None] * (width - len(cells))]


def columns_of(predictor: ClassifierPredictor | RegressorPredictor, questions: Questions | None, about: str) -> Columns:
    """The columns of this model's answers about an "image" or a "row"."""
    if questions is not None:
        names = [*predictor.card.labels, *questions.events]
        more = {"disagreement": "number"} if predictor.is_ensemble else {}
        return Columns(about, {**ANSWER, **more}, names, given=questions.given is not None)
    n = predictor.card.network.outputs
    predictions = ["prediction"] if n == 1 else [f"prediction{i + 1}" for i in range(n)]
    return Columns(about, {**dict.fromkeys(predictions, "number"), **NUMBER})
