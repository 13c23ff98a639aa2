"""What a run says of its labels: named events, and how much each class counts."""

from collections.abc import Mapping, Sequence

import numpy as np

from likely.data.storable_text import refuse_unstorable
from likely.errors import ConfigError, DataError, nearest


def listed(labels: Sequence[object], most: int = 5) -> str:
    """The first labels by their names, for a sentence.

    Example:
        >>> listed(["bag", "coat", "shirt"], most=2)
        "'bag', 'coat', ..."
    """
    return ", ".join(repr(label) for label in labels[:most]) + (", ..." if len(labels) > most else "")


def check_events(events: Mapping[str, Sequence[str]], labels: Sequence[str]) -> None:
    """Refuse events about labels that do not exist, or called like a label.

    Raises:
        ConfigError: naming the event and the nearest label.
    Example:
        >>> check_events({"shoes": ("Sandal", "Sneker")}, ["Sandal", "Sneaker", "Bag"])
        Traceback (most recent call last):
        likely.errors.ConfigError: Event 'shoes' must be a set of labels; got 'Sneker'. Did you mean 'Sneaker'?
    """
    try:
        refuse_unstorable(events, "The name of an event")
    except DataError as error:
        raise ConfigError(str(error)) from None
    for name, outcomes in events.items():
        if unknown := [label for label in outcomes if label not in labels]:
            got = (
                f"{unknown[0]!r}. {nearest(unknown[0], labels)}"
                if labels
                else "numbers to predict. Try without events."
            )
            raise ConfigError(f"Event {name!r} must be a set of labels; got {got}")
        if name in labels:
            raise ConfigError(
                f"An event must not have the name of a label; got {name!r}. P({name}) would be ambiguous. Try another "
                "name."
            )


def class_weights(
    setting: str | Mapping[str, float] | None, labels: Sequence[str], Y: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray | None:
    """How much each class counts in training, shape (k,), or None if all count the same.

    "balanced" gives the class with n_c of n rows the weight n / (k n_c), so that all k classes with rows weigh the
    same.

    Args:
        setting: "balanced", a number per label (1 for those left out), or None.
        labels: the k labels.
        Y: label distributions, shape (n, k).
        weights: of the rows, shape (n,), or None.
    Raises:
        ConfigError: if a label does not exist.
    Example:
        >>> class_weights("balanced", ["a", "b"], np.array([[1, 0], [1, 0], [1, 0], [0, 1]])).round(3)
        array([0.667, 2.   ])
    """
    if setting is None:
        return None
    if setting == "balanced":
        shares = np.average(Y, axis=0, weights=weights).astype(np.float64)
        held = shares > 0
        return np.where(held, 1.0 / (held.sum() * np.where(held, shares, 1.0)), 1.0)
    assert not isinstance(setting, str)
    unknown = [label for label in setting if label not in labels]
    if unknown:
        raise ConfigError(f"class_weight must be about labels; got {unknown[0]!r}. {nearest(unknown[0], labels)}")
    return np.array([setting.get(label, 1.0) for label in labels], dtype=np.float64)
