"""The same network with calibration from new rows: the steps of `ClassifierPredictor.calibrate`."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from likely.data.classes import listed
from likely.data.groups import groups_or_copies, one_per_group
from likely.data.splits import random_split
from likely.errors import DataError, GuaranteeWarning
from likely.model.card import Card
from likely.preprocessing.columns import Column
from likely.preprocessing.stored_rows import RowArray
from likely.trust.bias_corrected import Calibration, fit_among
from likely.trust.prior import prior_biases
from likely.trust.unseen import with_unseen


def refuse_trained_on(seen: np.ndarray | None) -> None:
    """Refuse rows some of which the network was trained on: it is too sure of those."""
    if seen is not None and seen.any():
        raise DataError(
            f"Calibration rows must be new to the network; got {seen.sum():,} of {len(seen):,} that it was trained on, "
            f"row {int(seen.argmax())} first. Try rows that were held out."
        )


def halves(rows: RowArray, groups: Any, columns: Sequence[Column] | None) -> tuple[np.ndarray, np.ndarray]:
    """The rows that fit the calibration, and those that the guarantees rest on: drawn at random, one of each group.

    Raises:
        DataError: if there are fewer than two rows, or groups of related rows.
    """
    related = groups_or_copies(rows, groups, columns)
    units = len(rows) if related is None else len(np.unique(related))
    if units < 2:
        raise DataError(
            f"Calibration must have at least two {'rows' if related is None else 'groups of related rows'}; got "
            f"{units}. Half of them fit the temperature, the guarantees rest on the other half. Try more rows."
        )
    rng = np.random.default_rng(0)
    first, second = random_split(len(rows), [units // 2], rng, related)
    if related is not None:
        first, second = (half[one_per_group(related[half], rng)] for half in (first, second))
    return first, second


def fit_again(
    card: Card, labels: Sequence[Any], log_probs: np.ndarray, Y: np.ndarray, first: np.ndarray, stated: np.ndarray
) -> tuple[Calibration, tuple[float, ...]]:
    """The calibration of new rows, and the class frequencies that its answers hold under.

    The fit starts from the biases and the prior of the card, on the rows `first` of the log-probabilities (n, k) before
    calibration, in which labels that were never shown (`stated` above 0) are masked.

    Warns:
        GuaranteeWarning: naming the labels that no row has.
    """
    start, frequencies = _start(card, len(first))
    came = (Y.sum(axis=0) if Y.ndim == 2 else np.bincount(Y, minlength=len(labels))) > 0
    fitted = fit_among(came, log_probs[first], Y[first], start=start, temperature=card.temperature or 1.0)
    absent = [label for label, here in zip(labels, came | (stated > 0), strict=True) if not here]
    if absent:
        warnings.warn(
            f"No calibration row has a label of {listed(absent)}: their frequency among new rows is unknown, so they "
            "keep their bias, and no guarantee covers their rows. Try rows of all labels, drawn at random, or "
            "with_prior if they no longer occur",
            GuaranteeWarning,
            stacklevel=3,
        )
    if fitted.biases is None or (start is not None and (fitted.biases == start).all()):
        return fitted, frequencies
    # The frequencies that new biases stand for: the mean answer to the rows that they were fitted to.
    answered = np.exp(with_unseen(fitted.apply(log_probs[first]), stated)).mean(axis=0)
    return fitted, tuple((answered / answered.sum()).tolist())


def _start(card: Card, n: int) -> tuple[np.ndarray | None, tuple[float, ...]]:
    """The biases that n new rows start from, and the class frequencies that they stand for."""
    biases = None if card.biases is None else np.array(card.biases)
    if card.prior is None:
        return biases, card.class_frequencies
    moved = prior_biases(np.array(card.class_frequencies), np.array(card.prior), n)
    # As `prior_biases` takes it: no class has the frequency 0.
    frequencies = np.array(card.class_frequencies) * np.exp(moved)
    return moved if biases is None else biases + moved, tuple((frequencies / frequencies.sum()).tolist())
