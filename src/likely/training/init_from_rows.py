"""A training that begins with parameters from a file: in its labels, and with rows held out that it has not seen."""

import numpy as np

from likely.config import RunConfig
from likely.data.classes import listed
from likely.data.dataset import Dataset
from likely.data.test_part import LEAST
from likely.model.init_from_file import Start
from likely.model.transfer import in_old_labels
from likely.training.held_out_scores import LEAST_VAL
from likely.training.hold_out import MOST, SHARE
from likely.training.training_rows import Rows
from likely.training.watcher import Remarks


def with_old_labels(
    dataset: Dataset, targets: np.ndarray | None, start: Start, remarks: Remarks
) -> tuple[Dataset, np.ndarray | None]:
    """The data set in the labels of the start; what becomes of labels that only one of them has is said."""
    kept, targets = in_old_labels(dataset, targets, start)
    absent = [label for label in start.labels or () if label not in dataset.labels]
    if start.card is not None and absent and len(kept.labels) > len(dataset.labels):
        remarks.warn(
            f"No row has a label of {listed(absent)}, which {start.path} knows; they are kept and become less probable "
            "with every step. Try rows of all labels, or init_keep='parameters' to drop them"
        )
    elif start.card is not None and absent and len(absent) < len(start.labels or ()):
        remarks.warn(
            f"There are labels that {start.path} does not know, so the last layer is reinitialized: {listed(absent)}, "
            "which it knows, can no longer be predicted. Try rows of all labels"
        )
    elif start.card is not None and absent and start.network == "linear":  # it has no other layer
        remarks.warn(
            f"Nothing can be reused from {start.path}: it knows the labels {listed(absent)}, none of which is among "
            f"{listed(dataset.labels)}, and its only layer is reinitialized. Try the same labels, or another network"
        )
    return kept, targets


def rows_to_hold_out(
    start: Start, rows: Rows, chosen: np.ndarray | None, dataset: Dataset, config: RunConfig, remarks: Remarks
) -> tuple[np.ndarray | None, bool]:
    """Which rows to hold out, since the parameters have not seen them; None leaves it to chance.

    Args:
        start: the parameters.
        rows: all rows.
        chosen: indices of the rows of a val part, or None.
        dataset: where the rows come from.
        config: its seed draws the rows.
        remarks: take what is to be said.
    Returns:
        Indices or None, and whether rows can be held out at all.
    """
    seen, how = start.seen(rows.X, dataset.sha256 if start.data else "", dataset.equal_by_chance)
    if not seen.any():
        if how == "unknown":
            remarks.note(f"Held-out rows are assumed to be new to {start.path}, whose training rows are unknown")
        return chosen, True
    related = seen if rows.groups is None else np.isin(rows.groups, rows.groups[seen])
    chosen = _unseen_rows(related, chosen, start.n_held_out, config)
    note = f"{start.path} was trained on {seen.sum():,} of these {len(rows):,} rows"
    if how == "sketched":
        note = f"{start.path} was trained on some of these rows; its run folder, which says on which, is not beside it"
    if chosen is None:
        note = (
            f"{note}, and no other rows are left to hold out, so the model is not calibrated and has no guarantees. "
            "Try calibrate with new rows"
        )
    else:
        note = f"{note}; {len(chosen):,} that it has not seen are held out, and all guarantees rest on them"
    remarks.warn(note, note=True)
    if dataset.test is not None and (n := int(start.seen(dataset.test.X, "", dataset.equal_by_chance)[0].sum())):
        some = "some" if start.sketched else f"{n:,}"
        remarks.warn(f"{start.path} was trained on test rows ({some}): figures flatter it", note=True)
    return chosen, chosen is not None


def _unseen_rows(seen: np.ndarray, chosen: np.ndarray | None, n_held_out: int, config: RunConfig) -> np.ndarray | None:
    """Which rows to hold out where training begins with parameters that have seen some: indices, None for none.

    Those of a val part that are new, if they suffice. Else of all new rows: if they are no more than those that were
    held out from the parameters, all of them, so that they stay held out; else 4% of all rows for each purpose, 100 or
    more, and at most half of the new ones, since new rows are there to be learned from.

    Args:
        seen: which rows the parameters have seen, booleans (n,).
        chosen: indices of the rows of a val part, or None.
        n_held_out: how many rows were held out from the parameters.
        config: its seed draws the rows.
    """
    if chosen is not None:
        new = chosen[~seen[chosen]]
        if len(new) >= LEAST_VAL:
            return new
    new = np.flatnonzero(~seen)
    parts = 3 if config.early_stopping else 2
    if len(new) > n_held_out:
        most = parts * max(LEAST_VAL, min(MOST, round(SHARE * len(seen))))
        new = np.random.default_rng([config.seed, *b"new"]).permutation(new)[: min(most, len(new) // 2)]
    return np.sort(new) if len(new) >= parts * LEAST else None
