"""What the inputs and outputs of an exported model are called, and the metadata that it carries."""

from collections.abc import Iterable

IMAGES = "images"
"""The input of a model of images."""

COVERAGE, MAX_ERROR = "coverage", "max_error"
"""Inputs with a default: of sets and intervals, and of the share of wrong answers."""

LABEL, PROBABILITIES, SET, ABSTAINED, FAMILIARITY = "label", "probabilities", "set", "abstained", "familiarity"
PREDICTION, LOW, HIGH = "prediction", "low", "high"
TAKEN = (IMAGES, COVERAGE, MAX_ERROR, LABEL, PROBABILITIES, SET, ABSTAINED, FAMILIARITY, PREDICTION, LOW, HIGH)


def different_names(wanted: Iterable[str], taken: Iterable[str], pattern: str) -> dict[str, str]:
    """A name for each of those wanted, which none of those taken has: `pattern` where it would.

    Example:
        >>> different_names(["set", "footwear"], ["set"], "P({})")
        {'P(set)': 'set', 'footwear': 'footwear'}
    """
    used, found = set(taken), dict[str, str]()
    for name in wanted:
        different = name or pattern.format(name)
        while different in used:
            different = pattern.format(different)
        used.add(different)
        found[different] = name
    return found


def event_outputs(events: Iterable[str], inputs: Iterable[str] = ()) -> dict[str, str]:
    """The event by the name of its output: its own, but where another input or output is called so."""
    return different_names(events, (*TAKEN, *inputs), "P({})")
