"""What a fresh model knows of familiar rows: Gaussians and maps of its features, and held-out rows' OOD scores.

The Gaussians and the usual size of all parts of the score come from rows that the network was trained on, the p-values
from all held-out rows: what ranks them knows nothing of them. With cross-validation the score of a row is that of the
network that was trained without its fold, for as long as the model is, with the Gaussians of that network: approximate,
since the model is another one.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from likely.data.splits import folds
from likely.model.mixture_inference import MixtureInference
from likely.networks.linear import Linear
from likely.networks.trees import Trees
from likely.preprocessing.stored_rows import RowArray
from likely.training.held_out_scores import TrainingOutcome
from likely.training.trained import Trained
from likely.training.training_rows import Rows
from likely.trust.familiarity import Familiarity, UsualSize, energy
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
            familiarity = familiarity if part.usual is None else replace(familiarity, usual=part.usual)
        elif part is not None and part.features is not None:
            ood_scores.append(familiarity.ood_scores(part.features, rows.task.class_scores(part.scores)))
    return familiarity.with_held_out(*ood_scores)


def ood_scores_of_folds(runs: Sequence[tuple[Trained, np.ndarray]], rows: Rows) -> tuple[np.ndarray, UsualSize | None]:
    """The OOD scores of all rows (n,), each by the network that was trained without its fold, and their usual size.

    How much distances and energies vary among rows that were learned from differs from one network to the next, by how
    well each fits them; among held-out rows it does not. So the usual size is theirs, the same for all networks and for
    the one that answers. Of feature maps, whose scale is each network's own, it is that of rows trained on: None.

    Args:
        runs: each network, and the rows that it has not seen.
        rows: all of them.
    """
    order = np.argsort(np.concatenate([fold for _, fold in runs]))
    known = [_familiar_rows(trained, rows, np.setdiff1d(np.arange(len(rows)), fold)) for trained, fold in runs]
    found = [_parts_of_fold(familiar, *run, rows) for familiar, run in zip(known, runs, strict=True)]
    if _learns_features(runs[0][0]) and runs[0][0].map_begins is None:
        return _pooled(*(np.concatenate(part)[order] for part in zip(*found, strict=True)))
    each = [familiar.usual.combined(*parts) for familiar, parts in zip(known, found, strict=True)]
    return np.concatenate(each)[order], None


def ood_scores_of_columns(trained: Trained, rows: Rows, seed: int) -> tuple[np.ndarray, UsualSize]:
    """The OOD scores of the columns of each row (n,), part by part beside all other rows, and their usual size."""
    scores, features = _scores_and_features(trained, rows.take(np.arange(len(rows)))[0])
    everything = np.arange(len(rows))
    return _pooled(_beside_others(features, rows, everything, _MOST_FOLDS, _PRODUCTS, seed), energy(scores))


def _pooled(*parts: np.ndarray) -> tuple[np.ndarray, UsualSize]:
    usual = UsualSize.of(*parts)
    return usual.combined(*parts), usual


def _parts_of_fold(known: Familiarity, trained: Trained, fold: np.ndarray, rows: Rows) -> tuple[np.ndarray, ...]:
    """The parts of the OOD scores of rows that the network has not seen, but knows others.

    Features that were learned fit the rows that they were learned from: only these may say what is familiar, as they do
    when the model answers. Columns may lie beside any other row.
    """
    if _learns_features(trained):
        scores, features = trained.scores_and_features(rows.take(fold)[0])
        return known.parts(features, rows.task.class_scores(scores))
    scores, features = trained.scores_and_features(rows.take(np.arange(len(rows)))[0])
    distances = _beside_others(features, rows, fold, _MOST_FOLDS // 5, _PRODUCTS / 5, seed=0)
    return distances, energy(rows.task.class_scores(scores[fold]))


def _learns_features(trained: Trained) -> bool:
    return not isinstance(trained.plan.network, Linear | Trees)


def _beside_others(
    features: np.ndarray, rows: Rows, index: np.ndarray, most_parts: int, products: float, seed: int
) -> np.ndarray:
    """The distances of the rows with this index, part by part from the Gaussians of all other rows, shape (m,).

    The fewer rows the Gaussians come from, the further away rows lie. With five parts, the folds, of 100 rows of 30
    columns 1.9% of new rows were called unfamiliar by a mixture where 5% were asked for, with 50 parts 3.4%; of
    Gaussians alone, with 600 rows of 60 columns, 4.0% and 4.9%.
    """
    groups = None if rows.groups is None else rows.groups[index]
    units, (n, d) = len(index) if groups is None else len(np.unique(groups)), features.shape
    least = 1 if len(index) < n else 5  # all rows need others to lie beside
    count = min(int(np.clip(products / (n * d * min(n, d)), least, most_parts)), units)
    parts = [np.arange(len(index))]
    if count > 1:
        parts = folds(np.zeros(len(index), np.int64), count, np.random.default_rng(seed), groups)
    classes, most, found = rows.task.classes(rows.Y), rows_for_familiarity(d), np.empty(len(index))
    for part in parts:
        others = np.random.default_rng(0).permutation(np.delete(np.arange(n), index[part]))[:most]
        found[part] = Gaussians.fit(features[others], classes[others]).distance(features[index[part]])
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
