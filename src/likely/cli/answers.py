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
    disagreement: float | None = None

    def to_json(self) -> dict[str, object]:
        """Plain JSON values; a condition adds the entry "given" and changes no other, what is missing says why, and an
        ensemble has a "disagreement"."""
        label = most_probable(self.probabilities)
        return {
            **_named(self.name),
            "label": label,
            "probability": self.probabilities[label],
            "probabilities": self.probabilities,
            "set": self.set,
            "abstained": self.abstained,
            "familiarity": self.familiarity,
            **({} if self.disagreement is None else {"disagreement": self.disagreement}),
            "events": self.events,
            **({} if self.given is None else {"given": asdict(self.given)}),
            **_why(self.missing),
        }


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
        return {
            **_named(self.name),
            "prediction": self.prediction if len(self.prediction) > 1 else self.prediction[0],
            "low": self.low,
            "high": self.high,
            "familiarity": self.familiarity,
            "outside_range": self.outside_range,
            **_why(self.missing),
        }


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


def _why(missing: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {"missing": dict(missing)} if missing else {}


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

    `asked` says what to call each, with a row for the model or why there is none; a regressor gets no `questions`.
    """
    rest = iter(asked)
    while batch := list(islice(rest, _BATCH)):
        known = [(name, row) for name, row in batch if not isinstance(row, str)]
        answers: Iterator[Outcome] = iter(())
        if known:
            names, X = [name for name, _ in known], np.stack([row for _, row in known])
            if isinstance(predictor, RegressorPredictor):
                answers = _regress(predictor, names, X, promises)
            elif questions is not None:
                answers = _classify(predictor, names, X, questions, promises)
        for name, row in batch:
            yield Failure(name, row) if isinstance(row, str) else next(answers)


def _classify(
    predictor: ClassifierPredictor, names: Sequence[Name], X: np.ndarray, questions: Questions, promises: Promises
) -> Iterator[Answer | Failure]:
    """One answer per row; where the condition is impossible, a failure."""
    labels, events = predictor.card.labels, questions.events
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
    given = repeat(None) if questions.given is None else _given(P, questions.given, events)
    apart = predictor.disagreement(X).tolist() if predictor.is_ensemble else repeat(None)
    columns = given, sets, abstained, familiar, missing, apart
    for answer in map(Answer, names, _labeled(P), _asked(P, events), *columns):
        if answer.given is None or answer.given.probability > 0:
            yield answer
        else:
            condition = ", ".join(answer.given.labels)
            yield Failure(
                answer.name, f"{called(answer.name)}: P({condition}) is 0 here, so nothing can be conditioned on it."
            )


def _given(P: Distribution, condition: Event, events: Mapping[str, Event]) -> Iterator[Given]:
    """What is known under the condition, row by row; nothing but its probability where that is 0."""
    labels, masses = [str(label) for label in condition], P(condition)
    possible = masses > 0
    known: Iterator[tuple[dict[str, float], dict[str, float]]] = iter(())
    if possible.any():
        with warnings.catch_warnings():
            # P(given) is shown beside each answer, so a tiny one needs no warning.
            warnings.simplefilter("ignore", ImprobableConditionWarning)
            Q = Distribution(P.space, P.probs[possible]).given(condition)
        known = zip(_labeled(Q), _asked(Q, events), strict=True)
    for mass in masses.tolist():
        yield Given(labels, mass, *(next(known) if mass > 0 else ({}, {})))


def _regress(
    predictor: RegressorPredictor, names: Sequence[Name], X: np.ndarray, promises: Promises
) -> Iterator[Number]:
    """The predicted number, or numbers, of each row, with what the model can say of them."""
    found = predictor.examine(X, promises.coverage)
    predictions = found.predictions.reshape(len(names), -1).tolist()
    gaps = predictor.gaps(X)
    none = repeat(None)
    low, high = (none, none) if found.intervals is None else (_known(end, gaps) for end in found.intervals.T)
    familiarity = none if found.familiarity is None else _known(found.familiarity, gaps)
    outside = none if found.outside is None else found.outside.tolist()
    missing = _missing(promises, gaps, "low", "familiarity")
    return map(Number, names, predictions, low, high, familiarity, outside, missing)


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
