"""What a fresh model knows of familiar rows: Gaussians and maps of its features, and held-out rows' OOD scores.

The Gaussians and the usual size of all parts of the score come from rows that the network was trained on, the p-values
from all held-out rows: what ranks them knows nothing of them. With cross-validation the score of a row is that of the
network that was trained without its fold, with the Gaussians and sizes of that network: approximate, since the model is
another one.
"""

import numpy as np

from likely.data.splits import folds
from likely.model.mixture_inference import MixtureInference
from likely.preprocessing.stored_rows import RowArray
from likely.training.held_out_scores import TrainingOutcome
from likely.training.trained import Trained
from likely.training.training_rows import Rows
from likely.trust.familiarity import Familiarity
from likely.trust.gaussians import Gaussians, rows_for_familiarity
from likely.trust.principal_space import PrincipalSpace

_NUMBERS = 2**24
"""Of features and maps together, so that maps of large images do not fill the memory."""
_MOST_FOLDS = 50
_PRODUCTS = 2e9
"""Of numbers, about, that all of them may take: a second at most."""


def fit_familiarity(outcome: TrainingOutcome, rows: Rows, seed: int) -> Familiarity:
    """What the trained network knows of familiar rows, with its held-out rows to rank new ones among."""
    familiarity = _familiar_rows(outcome.trained, rows, outcome.index)
    ood_scores: list[np.ndarray] = []
    for each in (outcome.calibration, outcome.thresholds):
        part = None if each is None else each.counted_by_weight(rows.weights, seed)
        if part is not None and part.ood_scores is not None:
            ood_scores = [part.ood_scores]  # out of fold: both parts are the same rows
        elif part is not None and part.features is not None:
            ood_scores.append(familiarity.ood_scores(part.features, rows.task.class_scores(part.scores)))
    return familiarity.with_held_out(*ood_scores)


def ood_scores_of_fold(trained: Trained, rows: Rows, fold: np.ndarray) -> np.ndarray:
    """The OOD scores of the rows of a fold, by a network that was trained on the others, shape (m,)."""
    if trained.map_begins is None:
        return _beside_others(trained, rows, fold, _MOST_FOLDS // 5, _PRODUCTS / 5, seed=0)
    familiarity = _familiar_rows(trained, rows, np.setdiff1d(np.arange(len(rows)), fold))
    scores, features = trained.scores_and_features(rows.take(fold)[0])
    return familiarity.ood_scores(features, rows.task.class_scores(scores))


def column_ood_scores(trained: Trained, rows: Rows, seed: int) -> np.ndarray:
    """The OOD scores of the columns of each row beside the other rows, shape (n,)."""
    return _beside_others(trained, rows, np.arange(len(rows)), _MOST_FOLDS, _PRODUCTS, seed)


def _beside_others(
    trained: Trained, rows: Rows, index: np.ndarray, most_parts: int, products: float, seed: int
) -> np.ndarray:
    """The OOD scores of the rows with this index, part by part beside all other rows, shape (m,).

    The fewer rows the Gaussians come from, the further away rows lie. With five parts, the folds, of 100 rows of 30
    columns 1.9% of new rows were called unfamiliar by a mixture where 5% were asked for, with 50 parts 3.4%; of
    Gaussians alone, with 600 rows of 60 columns, 4.0% and 4.9%.
    """
    X, Y, _ = rows.take(np.arange(len(rows)))
    scores, features = _scores_and_features(trained, X)
    of_classes = scores if isinstance(trained.inference, MixtureInference) else rows.task.class_scores(scores)
    groups = None if rows.groups is None else rows.groups[index]
    units, (n, d) = len(index) if groups is None else len(np.unique(groups)), features.shape
    least = 1 if len(index) < n else 5  # all rows need others to lie beside
    count = min(int(np.clip(products / (n * d * min(n, d)), least, most_parts)), units)
    parts = [np.arange(len(index))]
    if count > 1:
        parts = folds(np.zeros(len(index), np.int64), count, np.random.default_rng(seed), groups)
    classes, most, found = rows.task.classes(Y), rows_for_familiarity(d), np.empty(len(index))
    for part in parts:
        others = np.random.default_rng(0).permutation(np.delete(np.arange(n), index[part]))[:most]
        known = Familiarity.of(Gaussians.fit(features[others], classes[others]), features[others], of_classes[others])
        found[part] = known.ood_scores(features[index[part]], of_classes[index[part]])
    return found


def _familiar_rows(trained: Trained, rows: Rows, index: np.ndarray) -> Familiarity:
    """The Gaussians of a network's features and the usual size of its scores, over rows that it was trained on."""
    _, features = _scores_and_features(trained, rows.take(index[:1])[0])
    d = trained.map_begins or features.shape[1]
    most = min(rows_for_familiarity(d), _NUMBERS // features.shape[1])
    X, Y, _ = rows.take(np.random.default_rng(0).permutation(index)[:most])
    scores, features = _scores_and_features(trained, X)
    gaussians = Gaussians.fit(features[:, :d], rows.task.classes(Y))
    space = PrincipalSpace.fit(features[:, d:]) if features.shape[1] > d else None
    return Familiarity.of(gaussians, features, rows.task.class_scores(scores), space)


def _scores_and_features(trained: Trained, X: RowArray) -> tuple[np.ndarray, np.ndarray]:
    """What familiarity compares: of a mixture, whose scores are log-probabilities, the columns alone."""
    if isinstance(trained.inference, MixtureInference):
        return np.zeros((len(X), 1)), trained.inference.features(X)
    return trained.scores_and_features(X)
