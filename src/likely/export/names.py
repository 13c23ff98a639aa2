"""What the inputs and outputs of an exported model are called."""

from collections.abc import Iterable, Sequence

from likely.preprocessing.columns import Column

IMAGES, ROWS = "images", "X"
"""The input of a model of images, and of one of numbers without names."""

COVERAGE, MAX_ERROR = "coverage", "max_error"
"""Inputs with a default: of sets and intervals, and of the share of wrong answers."""

LABEL, PROBABILITIES, SET, ABSTAINED, FAMILIARITY = "label", "probabilities", "set", "abstained", "familiarity"
PREDICTION, LOW, HIGH, OUTSIDE_RANGE = "prediction", "low", "high", "outside_range"
USUAL_COVERAGE, USUAL_ERROR = 0.95, 0.01
"""Their defaults for models of labels."""

ABSTAINED_BY_DEFAULT = f"{ABSTAINED} at {USUAL_ERROR:.0%}"
"""What a model is said to lack that can promise some bounds on the error, but not the default."""

_OUTPUTS = (LABEL, PROBABILITIES, SET, ABSTAINED, FAMILIARITY, PREDICTION, LOW, HIGH, OUTSIDE_RANGE)
TAKEN = (IMAGES, ROWS, COVERAGE, MAX_ERROR, *_OUTPUTS)


def column_names(columns: Sequence[Column] | None) -> dict[str, str]:
    """The column of a table by the name of its input: its own, but where another input or an output is called so.

    Example:
        >>> column_names([Column("size"), Column("set")])
        {'size': 'size', 'column set': 'set'}
    """
    found = dict.fromkeys(column.table_column for column in columns or ())
    return _different(found, (COVERAGE, MAX_ERROR, *_OUTPUTS), "column {}")


def event_outputs(events: Iterable[str], inputs: Iterable[str] = ()) -> dict[str, str]:
    """The event by the name of its output: its own, but where another input or output is called so.

    Example:
        >>> event_outputs(["set", "footwear"])
        {'P(set)': 'set', 'footwear': 'footwear'}
    """
    return _different(events, (*TAKEN, *inputs), "P({})")


def _different(wanted: Iterable[str], taken: Iterable[str], pattern: str) -> dict[str, str]:
    used, found = set(taken), dict[str, str]()
    for name in wanted:
        different = name or pattern.format(name)
        while different in used:
            different = pattern.format(different)
        used.add(different)
        found[different] = name
    return found
