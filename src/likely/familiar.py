"""What a fresh model knows of familiar rows: the Gaussians of its features, and how strange held-out rows are.

The Gaussians and the usual size of both scores come from rows that the network was trained on, the p-values from all
held-out rows: what ranks them knows nothing of them. With cross-validation all rows were trained on; then every fold is
judged by Gaussians of the others and by its out-of-fold scores: approximate.
"""

import numpy as np

from likely.data.split import folds
from likely.held_out import Outcome
from likely.predictor.arrays import FAMILIARITY, UNFAMILIARITY
from likely.stored_rows import take_rows
from likely.training import Rows
from likely.trust.familiarity import (
    REFERENCE,
    combined,
    distance,
    energy,
    fit_familiarity,
    unfamiliarity,
    usual_size,
    with_reference,
)

_FOLDS = 5


def familiarity_arrays(rows: Rows, outcome: Outcome) -> dict[str, np.ndarray]:
    """The arrays by which a model knows familiar rows, by their names in its file."""
    index = np.random.default_rng(0).permutation(outcome.index)[:REFERENCE]
    scores, features = outcome.trained.scores_and_features(take_rows(rows.X, index))
    stats = fit_familiarity(features, rows.Y[index])
    held_out = [part for part in (outcome.calibration, outcome.thresholds) if part is not None]
    if all(part.features is not None for part in held_out):
        stats = with_reference(stats, features, scores)
        strangeness = [
            unfamiliarity(stats, part.features, part.scores) for part in held_out if part.features is not None
        ]
    else:
        distances = np.empty(len(index))
        for fold in folds(rows.strata[index], min(_FOLDS, len(index)), np.random.default_rng(0)):
            others = np.setdiff1d(np.arange(len(index)), fold)
            distances[fold] = distance(fit_familiarity(features[others], rows.Y[index[others]]), features[fold])
        energies = energy(held_out[0].scores[index])  # out of fold, in the order of the rows
        stats = {**stats, **usual_size(distances, energies)}
        strangeness = [combined(stats, distances, energies)]
    found = {FAMILIARITY + name: value for name, value in stats.items()}
    return {UNFAMILIARITY: np.sort(np.concatenate(strangeness)), **found}
