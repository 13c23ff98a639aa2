"""What a fresh model knows of familiar rows: the Gaussians of its features, and how strange held-out rows are.

The Gaussians and the usual size of both scores come from rows that the network was trained on, the p-values from all
held-out rows: what ranks them knows nothing of them. With cross-validation every row is judged by the network that was
trained without its fold, with the Gaussians and sizes of that network: approximate, since the model is another one.
"""

import numpy as np

from likely.model.held_out_arrays import FAMILIARITY, UNFAMILIARITY
from likely.preprocessing.stored_rows import take_rows
from likely.training.train import Rows, Trained
from likely.trust.familiarity import fit_familiarity, rows_for_familiarity, with_reference


def familiar_rows(trained: Trained, rows: Rows, index: np.ndarray) -> dict[str, np.ndarray]:
    """The Gaussians of a network's features and the usual size of its scores, over rows that it was trained on."""
    _, features = trained.scores_and_features(take_rows(rows.X, index[:1]))
    some = np.random.default_rng(0).permutation(index)[: rows_for_familiarity(features.shape[1])]
    scores, features = trained.scores_and_features(take_rows(rows.X, some))
    Y = rows.Y[some] if rows.classifies else np.ones((len(some), 1))
    return with_reference(fit_familiarity(features, Y), features, scores_of_classes(scores, rows.classifies))


def scores_of_classes(scores: np.ndarray, classifies: bool) -> np.ndarray:
    """The scores (n, k) of a classifier; for a regressor those of one class, all alike, so that the distance decides.

    Example:
        >>> scores_of_classes(np.array([[3.0, 4.0]]), classifies=False)
        array([[0.]])
    """
    return scores if classifies else np.zeros((len(scores), 1))


def familiarity_arrays(stats: dict[str, np.ndarray], strangeness: list[np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays by which a model knows familiar rows, by their names in its file.

    Args:
        stats: of the model's own network, from `familiar_rows`.
        strangeness: of held-out rows.
    """
    found = {FAMILIARITY + name: value for name, value in stats.items()}
    return {UNFAMILIARITY: np.sort(np.concatenate(strangeness)), **found}
