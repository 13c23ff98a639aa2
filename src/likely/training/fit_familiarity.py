"""What a fresh model knows of familiar rows: the Gaussians of its features, and the OOD scores of held-out rows.

The Gaussians and the usual size of both parts of the score come from rows that the network was trained on, the p-values
from all held-out rows: what ranks them knows nothing of them. With cross-validation the score of a row is that of the
network that was trained without its fold, with the Gaussians and sizes of that network: approximate, since the model is
another one.
"""

import numpy as np

from likely.preprocessing.stored_rows import take_rows
from likely.training.held_out_scores import Outcome, counted_by_weight
from likely.training.train import Rows, Trained
from likely.trust.familiarity import Familiarity
from likely.trust.gaussians import Gaussians, rows_for_familiarity


def fit_familiarity(rows: Rows, outcome: Outcome, seed: int) -> Familiarity:
    """What the trained network knows of familiar rows, with its held-out rows to rank new ones among."""
    familiarity = familiar_rows(outcome.trained, rows, outcome.index)
    ood_scores: list[np.ndarray] = []
    for each in (outcome.calibration, outcome.thresholds):
        part = counted_by_weight(each, rows.weights, seed)
        if part is not None and part.ood_scores is not None:
            ood_scores = [part.ood_scores]  # out of fold: both parts are the same rows
        elif part is not None and part.features is not None:
            scores = scores_of_classes(part.scores, rows.classifies)
            ood_scores.append(familiarity.ood_scores(part.features, scores))
    return familiarity.with_held_out(*ood_scores)


def familiar_rows(trained: Trained, rows: Rows, index: np.ndarray) -> Familiarity:
    """The Gaussians of a network's features and the usual size of its scores, over rows that it was trained on."""
    _, features = trained.scores_and_features(take_rows(rows.X, index[:1]))
    some = np.random.default_rng(0).permutation(index)[: rows_for_familiarity(features.shape[1])]
    scores, features = trained.scores_and_features(take_rows(rows.X, some))
    Y = rows.Y[some] if rows.classifies else np.ones((len(some), 1))
    return Familiarity.of(Gaussians.fit(features, Y), features, scores_of_classes(scores, rows.classifies))


def scores_of_classes(scores: np.ndarray, classifies: bool) -> np.ndarray:
    """The scores (n, k) of a classifier; for a regressor those of one class, all alike, so that the distance decides.

    Example:
        >>> scores_of_classes(np.array([[3.0, 4.0]]), classifies=False)
        array([[0.]])
    """
    return scores if classifies else np.zeros((len(scores), 1))
