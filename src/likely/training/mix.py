"""Out-of-fold loss decides among linear networks, MLPs and trees, and mixes them; the mean of all folds answers.

    folds -> each learner without each fold -> the length and the weight of each -> their mean

Below 5,000 rows all rows lie in the folds. What is said of a row out of fold comes from models that have not seen it,
at lengths and with weights that the other folds chose; guarantees that rest on it are approximate, since the mean of
all folds answers. From 5,000 rows up the rows for the temperature and for thresholds are drawn before anything is
fitted, and teach nobody: what is fitted to the mean's scores on them is exact. Nothing is trained again at the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from likely.data.splits import folds as split_into_folds
from likely.functional.convex_weights import mean_weights, mixed_log_probs, mixture_weights
from likely.learners.mixture import Mixture
from likely.metrics.scores import LOWEST_LOG_PROB
from likely.model.card import SplitsEntry
from likely.model.mixture_inference import Member, MixtureInference
from likely.preprocessing.preprocessor import fit_preprocessor
from likely.preprocessing.stored_rows import take_rows
from likely.training.fit_familiarity import column_ood_scores
from likely.training.fold_learner import FoldLearner
from likely.training.grow import BYTES_OF_NODE
from likely.training.held_out_scores import LEAST, HeldOutScores, TrainingOutcome
from likely.training.hold_out import held_out_parts, without_held_out
from likely.training.job import Job
from likely.training.loop.descent import Record
from likely.training.loop.interrupt import Interrupt
from likely.training.presets import SMALL
from likely.training.trained import Trained
from likely.training.training_rows import Rows

LEARNERS = ("linear", "mlp", "trees")
_FOLDS, _TRIED = 5, 2
"""Folds, and how many of them every learner is trained on before some are left out."""
_LEAST_WEIGHT = 0.05
"""Of a learner in the mixture; below it the others answer without it."""
_MOST_SECONDS, _MOST_BYTES = 30.0, 50e6
"""Of the trees of one fold, where the user sets no time limit; of those of all folds. Beyond that they are left out."""
_SHARES = 1.1 * _FOLDS * len(LEARNERS)
"""Trainings that a time limit must suffice for."""


@dataclass(frozen=True, eq=False)
class Choice:
    """How long each learner is trained, and how much it counts, in the order of the learners."""

    lengths: tuple[int, ...]
    weights: np.ndarray

    def answers(self, learners: Sequence[FoldLearner]) -> np.ndarray:
        """What they answer together to held-out rows: log P (n, k), or the numbers (n, m)."""
        answers = np.stack([learner.answers(length) for learner, length in zip(learners, self.lengths, strict=True)])
        if learners[0].job.rows.task.name == "regression":
            return np.einsum("m,mnk->nk", self.weights, answers)
        return mixed_log_probs(answers, self.weights)


def mix(job: Job, chosen: np.ndarray | None = None) -> TrainingOutcome:
    """Choose among learners out of fold, mix them, and let the mean of their folds' models answer.

    Args:
        job: what is to be trained, with the network "mixture".
        chosen: indices of the rows that were set aside by the makers of the data.
    Raises:
        KeyboardInterrupt: if Ctrl-C came: the mean of some folds is not what their rows say.
    """
    if job.rows.n_groups < LEAST:
        return without_held_out(_of_kind(job, "linear", job.rows))
    parts = held_out_parts(job, chosen) if chosen is not None or job.rows.n_groups >= SMALL else None
    index = np.arange(len(job.rows)) if parts is None else parts[-1]
    rows = _some(job.rows, index)
    folds = split_into_folds(rows.strata, _FOLDS, np.random.default_rng(job.config.seed), rows.groups)
    learners = [
        FoldLearner(kind, own, own.plan(len(rows)), folds) for kind in LEARNERS for own in [_of_kind(job, kind, rows)]
    ]
    limit = None if job.config.time_limit is None else job.config.time_limit / _SHARES
    runs = _FOLDS * len(learners)
    with Interrupt() as interrupt:
        for number, learner in enumerate(learners):
            own = _MOST_SECONDS if limit is None and learner.kind == "trees" else limit
            learner.train(_TRIED, number=_TRIED * number + 1, runs=runs, time_limit=own, interrupt=interrupt)
        left_out = _too_costly(learners, limit) or _left_out(learners)
        for number, learner in enumerate(learners):
            if learner.kind not in left_out:
                first = _TRIED * len(learners) + (_FOLDS - _TRIED) * number + 1
                learner.train(_FOLDS, number=first, runs=runs, time_limit=limit, interrupt=interrupt)
    whole = [learner for learner in learners if learner.kind not in left_out]
    everything = np.arange(len(rows))
    choice = choose(whole, everything)
    why = _why(whole, choice, list(left_out.values()))
    job.watcher.say(why)
    trained = _mean_of_folds(job, rows, whole, choice, why)
    if parts is not None:
        calibration, thresholds, *_ = parts
        splits = SplitsEntry(
            method="held-out",
            train=len(index),
            calibration=len(calibration),
            thresholds=len(thresholds),
            stopping=len(parts[2]),
            folds=_FOLDS,
        )
        first, second = job.held_out(trained, calibration), job.held_out(trained, thresholds)
        return TrainingOutcome(trained, index, splits, first, second)
    counted = rows.one_per_group(everything, np.random.default_rng([job.config.seed, _FOLDS]))
    n = len(counted)
    splits = SplitsEntry(method="cross-validation", train=len(rows), calibration=n, thresholds=n, folds=_FOLDS)
    held_out = HeldOutScores(
        cross_fitted(whole),
        rows.Y,
        rows.weights,
        everything,
        np.max([learner.stated for learner in whole], axis=0),
        ood_scores=column_ood_scores(trained, rows, folds),
    ).take(counted)
    return TrainingOutcome(trained, index, splits, held_out, held_out)


def choose(learners: Sequence[FoldLearner], rows: np.ndarray) -> Choice:
    """The length and the weight of each learner by which these held-out rows cost least.

    The best learner alone, unless the mixture is better by more than a standard error of the paired difference.
    """
    mixed = _mixed(learners, rows)
    every, counted = learners[0].job.rows, _weights(learners[0].job.rows, rows)
    losses = [learner.losses(length)[rows] for learner, length in zip(learners, mixed.lengths, strict=True)]
    best = int(np.argmin([np.average(loss, weights=counted) for loss in losses]))
    together, Y = mixed.answers(learners)[rows], every.Y[rows]
    if every.task.name == "regression":
        loss = np.square(together - Y).sum(axis=1)
    else:
        loss = -(Y * np.maximum(together, LOWEST_LOG_PROB)).sum(axis=1)
    gain, error = _mean_and_error(losses[best] - loss, counted)
    return mixed if gain > error else Choice(mixed.lengths, np.eye(len(learners))[best])


def _mixed(learners: Sequence[FoldLearner], rows: np.ndarray) -> Choice:
    """The best length of each learner, and the mixture of their answers by which these rows cost least."""
    lengths = tuple(learner.best_length(rows) for learner in learners)
    answers = np.stack([at.answers(length)[rows] for at, length in zip(learners, lengths, strict=True)])
    every = learners[0].job.rows
    lowest = mean_weights if every.task.name == "regression" else mixture_weights
    found = lowest(answers, every.Y[rows], _weights(every, rows))
    found = np.where(found < _LEAST_WEIGHT, 0.0, found)
    return Choice(lengths, found / found.sum())


def cross_fitted(learners: Sequence[FoldLearner]) -> np.ndarray:
    """What is answered to each row with lengths and weights that the other folds chose: (n, k)."""
    found = np.empty(learners[0].job.rows.Y.shape)
    for fold in learners[0].folds:
        others = np.setdiff1d(learners[0].rows, fold)
        found[fold] = choose(learners, others).answers(learners)[fold]
    return found


def _left_out(learners: Sequence[FoldLearner]) -> dict[str, str]:
    """The learners that no further fold is spent on, with the reason: the best mixture of the first folds does without
    them, and they cost more than the best learner by a standard error."""
    rows = learners[0].rows
    mixed, counted = _mixed(learners, rows), _weights(learners[0].job.rows, rows)
    losses = [at.losses(length)[rows] for at, length in zip(learners, mixed.lengths, strict=True)]
    best = int(np.argmin([np.average(loss, weights=counted) for loss in losses]))
    found: dict[str, str] = {}
    for number, learner in enumerate(learners):
        worse, error = _mean_and_error(losses[number] - losses[best], counted)
        if mixed.weights[number] == 0 and worse > error:
            found[learner.kind] = (
                f"{learner.kind} left out ({worse:.2g} behind {learners[best].kind} in {_TRIED} folds)"
            )
    return found


def _too_costly(learners: Sequence[FoldLearner], limit: float | None) -> dict[str, str]:
    """Trees that take more time or room than is theirs, with the reason: of k labels there are k in every round."""
    for learner in learners:
        size = _FOLDS * max(trained.engine.n_parameters for trained in learner.trained) * BYTES_OF_NODE
        slow = limit is None and any(trained.stopped == "time limit" for trained in learner.trained)
        if learner.kind == "trees" and (slow or size > _MOST_BYTES):
            cost = f"{_MOST_SECONDS:g} s of a fold" if slow else f"{_MOST_BYTES / 1e6:g} MB of all folds"
            return {learner.kind: f"{learner.kind} left out (they would take more than {cost})"}
    return {}


def _weights(rows: Rows, index: np.ndarray) -> np.ndarray | None:
    return None if rows.weights is None else rows.weights[index]


def _mean_and_error(differences: np.ndarray, weights: np.ndarray | None) -> tuple[float, float]:
    """The mean of paired differences, and its standard error."""
    shares = np.full(len(differences), 1 / len(differences)) if weights is None else weights / weights.sum()
    mean = float(shares @ differences)
    return mean, float(np.sqrt(np.square(shares) @ np.square(differences - mean)))


def _of_kind(job: Job, kind: str, rows: Rows) -> Job:
    return replace(job, rows=rows, config=job.config.replace(network=kind))


def _some(rows: Rows, index: np.ndarray) -> Rows:
    X, Y, weights = rows.take(index)
    return replace(rows, X=X, Y=Y, weights=weights, groups=None if rows.groups is None else rows.groups[index])


def _mean_of_folds(job: Job, rows: Rows, learners: Sequence[FoldLearner], choice: Choice, why: str) -> Trained:
    """The models of all folds at the lengths and with the weights of the choice, as one."""
    members, holders, history = list[Member](), list[Trained](), list[Record]()
    for learner, length, weight in zip(learners, choice.lengths, choice.weights.tolist(), strict=True):
        history += [trained.history[-1] for trained in learner.trained if trained.history]
        if not weight:
            continue
        learner.load(length)
        for trained, network in zip(learner.trained, learner.networks(), strict=True):
            share, temperature = weight / len(learner.trained), learner.temperature(length)
            inference = trained.inference
            assert not isinstance(inference, MixtureInference)
            members.append(
                Member(
                    network, inference, share, temperature, trained.stated, trained.target_mean, trained.target_scale
                )
            )
            holders.append(trained)
    first = max(zip(choice.weights.tolist(), range(len(learners)), strict=True))[1]
    targets = rows.task.targets(rows.Y, rows.weights, rows.class_weight, None)
    mixture = Mixture(members, [trained.engine for trained in holders], why)
    preprocessor = fit_preprocessor(take_rows(rows.X, np.arange(len(rows))), rows.columns, dtype=job.config.dtype)
    classifies = rows.task.name == "classification"
    inference = MixtureInference(preprocessor, members, classifies, targets.mean, targets.scale)
    seconds, steps = sum(record.seconds for record in history), sum(record.step for record in history)
    last = Record(steps, history[-1].epoch, 1.0, history[-1].loss, 1.0, seconds, 0.0, 0.0)
    job.watcher.record(last)
    plan = replace(learners[first].plan, network=mixture, engine="several", penalties=(), exact=False)
    return Trained(plan, mixture, inference, targets.mean, targets.scale, [last], "finished", rows.task.stated(rows.Y))


def _why(learners: Sequence[FoldLearner], choice: Choice, left_out: Sequence[str]) -> str:
    """Which learners answer, with which weights, and why."""
    rows = learners[0].job.rows
    unit = "mean squared error" if rows.task.name == "regression" else "nats"
    said = [
        f"{learner.kind} {np.average(learner.losses(length), weights=rows.weights):.4g} {unit}, {weight:.0%}"
        for learner, length, weight in zip(learners, choice.lengths, choice.weights.tolist(), strict=True)
    ]
    return f"Out-of-fold loss and weight of the models of {_FOLDS} folds: {'; '.join([*said, *left_out])}"
