"""From labeled data to the labels that are probably wrong: k networks, each asked about rows that it has not seen.

rows -> k folds -> probabilities out of fold -> label issues
"""

from dataclasses import dataclass, replace

import numpy as np

from likely.arrays import one_hot
from likely.config import RunConfig
from likely.config.registry import HEADS
from likely.data.classes import listed
from likely.data.copies import find_copies
from likely.data.corrections import Correction, row_names
from likely.data.dataset import Dataset
from likely.data.splits import folds as split_into_folds
from likely.errors import ConfigError, DataError
from likely.training.backbone_rows import with_features
from likely.training.job import Job
from likely.training.loop.interrupt import SIGNALS, Interrupted
from likely.training.out_of_fold import train_folds
from likely.training.task import CLASSIFICATION
from likely.training.training_rows import Rows
from likely.training.watcher import Remarks, Silent, Watcher
from likely.trust.temperature import at_best_temperature
from likely.trust.wrong_labels import LabelIssues, Which, label_issues


@dataclass(frozen=True)
class Doubt:
    """One row in doubt, for people.

    Args:
        row: its number in the training part.
        name: its file, relative to the folder of the data, or its number as text.
        given: the label that it has.
        suggested: the label that it seems to have.
        p_given: the probability of the given one, out of fold.
        p_suggested: that of the suggested one.
        score: how well the given label fits, from 0 to 1.
    """

    row: int
    name: str
    given: str
    suggested: str
    p_given: float
    p_suggested: float
    score: float


@dataclass(frozen=True)
class LabelCheck:
    """Labels in doubt, the most doubtful first, and what the models that had not seen them say.

    Args:
        dataset: what was checked: its training part.
        issues: the rows of that part in doubt, ranked.
        probabilities: of every row of that part, out of fold, shape (n, k).
        folds: how many networks were trained.
        rare: the labels with a single row there, and that row. Where it was held out the network had never been shown
            the label, so that the row is listed without having been compared with another one.
    """

    dataset: Dataset
    issues: LabelIssues
    probabilities: np.ndarray
    folds: int
    rare: tuple[tuple[str, int], ...] = ()

    @property
    def column(self) -> str:
        """What names a row: "path" or "row"."""
        return row_names(self.dataset)[0]

    def first(self, most: int) -> "LabelCheck":
        """Only the most doubtful ones."""
        found = self.issues
        kept = LabelIssues(found.index[:most], found.given[:most], found.suggested[:most], found.score[:most])
        return replace(self, issues=kept)

    def doubts(self, most: int | None = None) -> list[Doubt]:
        """The rows in doubt with their names and probabilities, at most so many."""
        names, labels, found = row_names(self.dataset)[1], self.dataset.labels, self.issues
        rows = zip(found.index.tolist(), found.given.tolist(), found.suggested.tolist(), found.score, strict=True)
        return [
            Doubt(
                row,
                names[row],
                labels[given],
                labels[suggested],
                float(self.probabilities[row, given]),
                float(self.probabilities[row, suggested]),
                float(score),
            )
            for row, given, suggested, score in list(rows)[:most]
        ]

    def corrections(self, *, accept: bool = False) -> list[Correction]:
        """One line per doubtful row for the table of corrections: `use` holds the given label or the suggested one."""
        found = self.issues
        return [
            Correction(row, given, suggested, suggested if accept else given)
            for row, given, suggested in zip(
                found.index.tolist(), found.given.tolist(), found.suggested.tolist(), strict=True
            )
        ]


def check_labels(
    dataset: Dataset,
    config: RunConfig,
    *,
    folds: int = 5,
    which: Which = "disagree",
    watcher: Watcher | None = None,
) -> LabelCheck:
    """The labels of the training part that are probably wrong; its test part is not used.

    Args:
        dataset: classes, not numbers.
        config: how each network is trained: network, preset, epochs, seed, device and so on.
        folds: how many networks; each is trained without a k-th of the rows, and asked about those.
        which: which rows are listed, as in `label_issues`. "disagree" misses fewer: of 3% flipped labels of
            Fashion-MNIST (conv net, one epoch, 3 folds) its first 5% hold 96%, "confident" lists 77% in all.
        watcher: sees messages and records.
    Raises:
        DataError: if the data are for regression, or there are fewer rows than folds.
        ConfigError: if there are fewer than two folds.
    """
    probabilities = out_of_fold(dataset, config, folds=folds, watcher=watcher)
    issues = label_issues(dataset.train.y, probabilities, which=which)
    y = dataset.train.y
    single = np.flatnonzero(np.bincount(y, minlength=len(dataset.labels)) == 1)
    rare = tuple((dataset.labels[label], int(np.flatnonzero(y == label)[0])) for label in single)
    if rare:
        watcher = watcher or Silent()
        watcher.say(f"Labels with a single row, listed without a comparison: {listed([label for label, _ in rare])}")
    return LabelCheck(dataset, issues, probabilities, folds, rare)


def out_of_fold(dataset: Dataset, config: RunConfig, *, folds: int = 5, watcher: Watcher | None = None) -> np.ndarray:
    """P(label | row) of every training row from a network that was trained without it and its copies, shape (n, k).

    One temperature, fitted to all rows together, is shared by the k networks. It knows the labels, but one number
    cannot learn any of them. A label that a fold's training rows lack, since its only row is held out, has the stated
    probability of `likely.trust.unseen` there.

    Raises:
        DataError, ConfigError: as `check_labels`.
    """
    watcher = watcher or Silent()
    _check(dataset, folds)
    y, n_labels = dataset.train.y, len(dataset.labels)
    # A network that has learned a copy of a row knows its label.
    groups = dataset.train.groups
    related = find_copies(dataset.train.X, dataset.columns).groups if groups is None else groups
    rows = Rows(dataset.train.X, one_hot(y, n_labels, config.dtype), None, CLASSIFICATION, columns=dataset.columns)
    rows = with_features(rows, config, sum(map(len, dataset.parts.values())), Remarks(watcher))
    if rows.backbone is not None:
        config = config.replace(network="linear")
    job = Job(rows, config, dataset.hflip, watcher=watcher)
    log_probs, stated = np.empty((len(rows), n_labels)), np.empty((len(rows), n_labels))
    share = None if config.time_limit is None else config.time_limit / folds
    plan = job.plan(len(rows) - len(rows) // folds, share)
    parts = split_into_folds(y, folds, np.random.default_rng(config.seed), related)
    for run in train_folds(job, plan, parts, runs=folds, time_limit=share):
        if run.trained.stopped in SIGNALS:
            raise Interrupted(SIGNALS[run.trained.stopped])  # half of the folds say nothing of the other rows
        log_probs[run.fold] = HEADS[plan.head].log_probs(run.trained.scores(rows.take(run.fold)[0]))
        stated[run.fold] = run.trained.stated
    return np.exp(at_best_temperature(log_probs, y, stated=stated))


def _check(dataset: Dataset, folds: int) -> None:
    if dataset.task != "classification":
        raise DataError(
            f"{dataset.name} must have labels to be checked; got numeric targets. Try a data set with classes."
        )
    if folds < 2:
        raise ConfigError(
            f"folds must be at least 2; got {folds}. Each row is scored by a network that has not seen it. Try 5."
        )
    if len(dataset.train) < folds:
        raise DataError(
            f"There must be at least as many rows as folds, {folds}; got {len(dataset.train)}. Try fewer folds, or "
            "more rows."
        )
