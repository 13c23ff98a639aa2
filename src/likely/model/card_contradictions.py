"""What in a card does not fit the rest of it: a model that loads must not fail later for what its file says."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from likely.metrics.evaluation import Evaluation
from likely.preprocessing.column_reading import ColumnReading
from likely.preprocessing.conversion import create_conversion
from likely.preprocessing.preprocessor import Preprocessor, preprocessor_from_json

if TYPE_CHECKING:
    from likely.model.card import Card

_SUM_TO_1 = 1e-4
"""By how much frequencies that were counted in float32 may miss it."""
_TEMPERATURES = (1e-6, 1e6)
_LARGEST_BIAS = 1e9
_WRONG = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What comes of values that are not what they are taken for."""


def contradictions(card: "Card") -> Iterator[tuple[str, str]]:
    """Each entry that does not fit, and what it must be; the first one is enough to refuse a card.

    Raises:
        ModelFileError: if the normalization is none.
    """
    preprocessor = preprocessor_from_json(card.normalization)
    yield from _of_labels(card) if card.task == "classification" else _of_numbers(card)
    yield from _of_rows(card, preprocessor)
    yield from _of_figures(card)


def _of_labels(card: "Card") -> Iterator[tuple[str, str]]:
    labels, k = card.labels, len(card.labels)
    if len(set(labels)) < k or k < 1:
        yield "labels", "they must be different texts, one or more"
    if not _are_of_type(labels, card.label_type):
        yield "label_type", f"every label must be the text of a different {card.label_type}"
    if card.network.outputs != k:
        yield "network.outputs", f"there must be one for each of {k} labels"
    if card.head == "identity":
        yield "head", "the answers must be a distribution over the labels"
    if card.target_mean or card.target_scale or card.target_low or card.target_high:
        yield "target_mean", "labels have none"
    if card.temperature is not None and not _TEMPERATURES[0] <= card.temperature <= _TEMPERATURES[1]:
        yield "temperature", f"it must lie between {_TEMPERATURES[0]:g} and {_TEMPERATURES[1]:g}"
    if card.biases is not None and (card.temperature is None or max(map(abs, card.biases)) > _LARGEST_BIAS):
        yield "biases", f"they must come with a temperature, and be at most {_LARGEST_BIAS:g}"
    if card.class_weight is not None and min(card.class_weight, default=0.0) <= 0:
        yield "class_weight", "there must be a positive one for each label"
    if card.class_frequencies and not _are_frequencies(card.class_frequencies):
        yield "class_frequencies", "they must be shares with sum 1"
    if card.prior is not None:
        if not _are_frequencies(card.prior):
            yield "prior", "there must be a share for each label, with sum 1"
        if min(card.class_frequencies, default=0.0) <= 0:
            yield "class_frequencies", "all must be positive where there is a prior"
    if not set(card.unseen) <= set(labels) or not all(0 < p < 1 for p in card.unseen.values()):
        yield "unseen", "labels must have probabilities between 0 and 1"
    if card.unseen and (sum(card.unseen.values()) >= 1 or len(card.unseen) == k):
        yield "unseen", "some probability must be left for other labels"
    for name, of in card.events.items():
        if not of or len(set(of)) < len(of) or not set(of) <= set(labels):
            yield f"events.{name}", "it must be made of one or more different labels"


def _of_numbers(card: "Card") -> Iterator[tuple[str, str]]:
    m = card.network.outputs
    of_labels = ("labels", "biases", "class_frequencies", "class_weight", "prior", "unseen", "events", "temperature")
    for name in of_labels:
        if getattr(card, name):
            yield name, "a model of numbers has none"
    if len(card.target_mean) != m or len(card.target_scale) != m or min(card.target_scale, default=0.0) <= 0:
        yield "target_scale", f"there must be a mean and a positive scale for each of {m} targets"
    low, high = card.target_low, card.target_high
    if len(low) != len(high) or (low and len(low) != m) or any(a > b for a, b in zip(low, high, strict=False)):
        yield "target_low", "there must be a smallest and a largest number of each target"


def _of_rows(card: "Card", preprocessor: Preprocessor) -> Iterator[tuple[str, str]]:
    images = preprocessor.image_shape is not None
    if card.features is not None and (images or len(card.features) != preprocessor.shape[0]):
        yield "features", "there must be a name for each column"
    if card.hflip and not images:
        yield "hflip", "only images have mirrored copies"
    try:
        _ = None if card.conversion is None else create_conversion(card.conversion)
    except _WRONG as error:
        yield "conversion", str(error)
    try:
        _ = card.data.label_reading and ColumnReading.from_json(card.data.label_reading)
    except _WRONG as error:
        yield "data.label_reading", str(error)


def _of_figures(card: "Card") -> Iterator[tuple[str, str]]:
    try:
        found = card.evaluation
    except _WRONG as error:
        yield "metrics", f"they must be figures: {error}"
        return
    if found is not None:
        yield from _of_evaluation(card, found)


def _of_evaluation(card: "Card", found: Evaluation) -> Iterator[tuple[str, str]]:
    k = len(card.labels)
    if found.per_class and [each.label for each in found.per_class] != list(card.labels):
        yield "metrics.per_class", "there must be figures of each label"
    if found.confusion and (len(found.confusion) != k or any(len(row) != k for row in found.confusion)):
        yield "metrics.confusion", f"there must be {k} x {k} counts"
    if any(len(sets.sizes) > k + 1 for sets in found.sets):
        yield "metrics.sets", f"there must be at most {k + 1} sizes of sets"


def _are_of_type(labels: Sequence[str], label_type: str) -> bool:
    """Whether every label is the text of a value of the type, and no two of the same."""
    if label_type == "bool":
        return set(labels) <= {"True", "False"}
    if label_type == "str":
        return True
    try:
        values = [int(label) if label_type == "int" else float(label) for label in labels]
    except (ValueError, OverflowError):
        return False
    return all(map(math.isfinite, values)) and len(set(values)) == len(labels)


def _are_frequencies(values: Sequence[float]) -> bool:
    return all(0 <= p <= 1 for p in values) and abs(math.fsum(values) - 1) <= _SUM_TO_1
