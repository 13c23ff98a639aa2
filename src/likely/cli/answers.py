"""What a model says about images or rows of a table: one answer each."""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice, repeat
from typing import TypeAlias

import numpy as np

from likely.cli.questions import Promises, Questions
from likely.errors import ImprobableConditionWarning
from likely.model import ClassifierPredictor, RegressorPredictor
from likely.probability.distribution import Distribution
from likely.probability.space import Event

_BATCH = 500


@dataclass(frozen=True)
class Given:
    """The answer once it is known that the label is one of `labels`; `probability` is that of knowing so."""

    labels: list[str]
    probability: float
    probabilities: dict[str, float]
    events: dict[str, float]


Name: TypeAlias = str | int
"""What an answer is about: the path of an image, or the number of a row, from 0."""


@dataclass(frozen=True)
class Answer:
    """The probability of every label and event, and what the model promises; None where it promises nothing."""

    name: Name
    probabilities: dict[str, float]
    events: dict[str, float]
    given: Given | None = None
    set: list[str] | None = None
    abstained: bool | None = None
    familiarity: float | None = None
    missing: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Plain JSON values; a condition adds the entry "given" and changes no other, and what is missing says why."""
        label = most_probable(self.probabilities)
        document: dict[str, object] = {
            **_named(self.name),
            "label": label,
            "probability": self.probabilities[label],
            "probabilities": self.probabilities,
            "set": self.set,
            "abstained": self.abstained,
            "familiarity": self.familiarity,
            "events": self.events,
        }
        if self.given is not None:
            document["given"] = asdict(self.given)
        if self.missing:
            document["missing"] = dict(self.missing)
        return document


@dataclass(frozen=True)
class Number:
    """What a regression model predicts, the ends of its interval, and whether it extrapolates; None where unknown."""

    name: Name
    prediction: list[float]
    low: float | None = None
    high: float | None = None
    familiarity: float | None = None
    outside_range: bool | None = None
    missing: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Plain JSON values; several targets give a list, and what is missing says why."""
        value = self.prediction if len(self.prediction) > 1 else self.prediction[0]
        document: dict[str, object] = {
            **_named(self.name),
            "prediction": value,
            "low": self.low,
            "high": self.high,
            "familiarity": self.familiarity,
            "outside_range": self.outside_range,
        }
        return {**document, "missing": dict(self.missing)} if self.missing else document


@dataclass(frozen=True)
class Failure:
    """An image or row without an answer, and why."""

    name: Name
    error: str

    def to_json(self) -> dict[str, object]:
        """Plain JSON values."""
        return {**_named(self.name), "error": self.error}


NOT_GUARANTEED = "This row lacks a value that every training row had, so nothing is guaranteed of its answer."

Outcome: TypeAlias = Answer | Number | Failure


class Writer:
    """Takes outcomes one by one."""

    def write(self, outcome: Outcome) -> None:
        """Take the next one."""
        raise NotImplementedError

    def close(self) -> None:
        """Write what comes after the last one."""


def called(name: Name) -> str:
    """The name for people."""
    return f"row {name}" if isinstance(name, int) else name


def _named(name: Name) -> dict[str, Name]:
    return {"row" if isinstance(name, int) else "image": name}


def most_probable(probabilities: dict[str, float]) -> str:
    """The label with the largest probability; the first of them where several have it."""
    return max(probabilities, key=probabilities.__getitem__)


def answered(
    predictor: ClassifierPredictor | RegressorPredictor,
    asked: Iterable[tuple[Name, np.ndarray | str]],
    questions: Questions | None,
    promises: Promises,
) -> Iterator[Outcome]:
    """One outcome per image or row, in order; never more than a batch of them in memory.

    Args:
        predictor: the model.
        asked: what to call each, and a row for the model, or why there is none.
        questions: what a classifier is asked; None for a regressor.
        promises: what the model can promise.
    """
    rest = iter(asked)
    while batch := list(islice(rest, _BATCH)):
        names = [name for name, row in batch if not isinstance(row, str)]
        rows = [row for _, row in batch if not isinstance(row, str)]
        answers: Iterator[Outcome] = iter(())
        if rows and isinstance(predictor, RegressorPredictor):
            answers = _regress(predictor, names, np.stack(rows), promises)
        elif rows and isinstance(predictor, ClassifierPredictor) and questions is not None:
            answers = _classify(predictor, names, np.stack(rows), questions, promises)
        for name, row in batch:
            yield Failure(name, row) if isinstance(row, str) else next(answers)


def _classify(
    predictor: ClassifierPredictor, names: Sequence[Name], X: np.ndarray, questions: Questions, promises: Promises
) -> Iterator[Answer | Failure]:
    """One answer per row; where the condition is impossible, a failure.

    Args:
        predictor: the model.
        names: what to call the rows.
        X: images, shape (n, h, w) or (n, h, w, 3), or rows of a table, shape (n, d).
        questions: events in the space of the model's labels as text.
        promises: the coverage of sets and the threshold of answers, where the model can promise them.
    """
    labels, events, condition = predictor.card.labels, questions.events, questions.given
    log_probs, familiarity = predictor.examine(X)
    P = Distribution(labels, np.exp(log_probs))
    gaps = predictor.gaps(X)
    sets = abstained = familiar = repeat(None)
    if promises.coverage is not None:
        masks = predictor.sets(P.probs, promises.coverage).tolist()
        sets = [
            None if gap else [label for label, inside in zip(labels, mask, strict=True) if inside]
            for mask, gap in zip(masks, gaps.tolist(), strict=True)
        ]
    if promises.max_error is not None:
        abstained = (~predictor.answered(log_probs, promises.max_error) | gaps).tolist()
    if familiarity is not None:
        familiar = _known(familiarity, gaps)
    missing = _missing(promises, gaps, "set", "familiarity")
    if condition is None:
        promised = sets, abstained, familiar, missing
        yield from map(Answer, names, _labeled(P), _asked(P, events), repeat(None), *promised)
        return

    masses = P(condition)
    possible = masses > 0
    outcomes = [str(label) for label in condition]
    conditional: Iterator[Given] = iter(())
    if possible.any():
        with warnings.catch_warnings():
            # P(given) is shown beside each answer, so a tiny one needs no warning.
            warnings.simplefilter("ignore", ImprobableConditionWarning)
            Q = Distribution(labels, P.probs[possible]).given(condition)
        conditional = map(Given, repeat(outcomes), masses[possible].tolist(), _labeled(Q), _asked(Q, events))
    for name, is_possible, probabilities, asked, *promised in zip(
        names, possible.tolist(), _labeled(P), _asked(P, events), sets, abstained, familiar, missing, strict=False
    ):
        if is_possible:
            yield Answer(name, probabilities, asked, next(conditional), *promised)
        else:
            yield Failure(
                name, f"{called(name)}: P({', '.join(outcomes)}) is 0 here, so nothing can be conditioned on it."
            )


def _regress(
    predictor: RegressorPredictor, names: Sequence[Name], X: np.ndarray, promises: Promises
) -> Iterator[Number]:
    """The predicted number, or numbers, of each row, with what the model can say of them."""
    found = predictor.examine(X, promises.coverage)
    predictions = found.predictions.reshape(len(names), -1).tolist()
    gaps = predictor.gaps(X)
    ends = (
        repeat((None, None))
        if found.intervals is None
        else zip(*(_known(end, gaps) for end in found.intervals.T), strict=True)
    )
    familiarity = repeat(None) if found.familiarity is None else _known(found.familiarity, gaps)
    missing = _missing(promises, gaps, "low", "familiarity")
    outside = repeat(None) if found.outside is None else found.outside.tolist()
    promised = zip(ends, familiarity, outside, missing, strict=False)
    for name, prediction, ((low, high), p, beyond, why) in zip(names, predictions, promised, strict=False):
        yield Number(name, prediction, low, high, p, beyond, why)


def _known(values: np.ndarray, gaps: np.ndarray) -> list[float | None]:
    """The values (n,), None for rows with gaps."""
    return [None if gap else value for value, gap in zip(values.tolist(), gaps.tolist(), strict=True)]


def _missing(promises: Promises, gaps: np.ndarray, *names: str) -> list[Mapping[str, str]]:
    """Why there is no answer to what has these names, for each row."""
    of_gaps = {**promises.missing, **dict.fromkeys(names, NOT_GUARANTEED)}
    return [of_gaps if gap else promises.missing for gap in gaps.tolist()]


def _labeled(P: Distribution) -> list[dict[str, float]]:
    return [dict(zip(P.space, row, strict=True)) for row in P.probs.tolist()]


def _asked(P: Distribution, events: Mapping[str, Event]) -> list[dict[str, float]]:
    columns = {name: P(event).tolist() for name, event in events.items()}
    return [{name: column[row] for name, column in columns.items()} for row in range(len(P))]
