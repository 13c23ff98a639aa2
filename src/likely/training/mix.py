"""Out-of-fold loss decides among linear networks, MLPs and trees, and mixes them; the mean of all folds answers.

    folds -> each learner without each fold -> the length and the weight of each -> their mean

Below 5,000 rows all rows lie in the folds. What is said of a row out of fold comes from models that have not seen it,
at lengths and with weights that the other folds chose; guarantees that rest on it are approximate, since the mean of
all folds answers. From 5,000 rows up the rows for the temperature and for thresholds are drawn before anything is
fitted, and teach nobody: what is fitted to the mean's scores on them is exact. Nothing is trained again at the end.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from likely.data.splits import folds as split_into_folds
from likely.data.test_part import LEAST, SMALL
from likely.learners.mixture import Mixture
from likely.model.card import SplitsEntry
from likely.model.mixture_inference import Member, MixtureInference
from likely.preprocessing.preprocessor import fit_preprocessor
from likely.preprocessing.stored_rows import take_rows
from likely.training.as_sure import as_sure_as_each_fold
from likely.training.choose_learners import Choice, choose, cross_fitted, falls_short, left_out
from likely.training.fit_familiarity import ood_scores_of_columns
from likely.training.fold_learner import FoldLearner
from likely.training.freer_plans import AS_WELL, AT_ALL, ENOUGH_TO_TELL
from likely.training.grow_trees import BYTES_OF_NODE
from likely.training.held_out_scores import HeldOutScores, TrainingOutcome, fold_numbers
from likely.training.hold_out import held_out_outcome, held_out_parts, without_held_out
from likely.training.job import Job
from likely.training.little_used import little_used
from likely.training.loop.descent import Record
from likely.training.loop.interrupt import Interrupt
from likely.training.one_fold import best_of_first_fold
from likely.training.plan import Plan
from likely.training.refuse_for_tables import MANY_COLUMNS
from likely.training.trained import Trained
from likely.training.training_rows import Rows

LEARNERS = ("linear", "mlp", "trees")
_FOLDS = 5
_MOST_SECONDS, _MOST_BYTES = 30.0, 50e6
"""Of the trees of one fold, where the user sets no time limit; of those of all folds. Beyond that they are left out."""
_MANY_LABELS = 4
"""Of more labels there are as many trees as of so many, in fewer rounds of up to 1.5 times the rate, and with many rows
they must be ahead by a standard error in the first fold: the time of a round is that of a tree for each label."""
_ENOUGH_TO_COST = 1_000
"""Rows."""
_LEAST_ROUNDS = 10
_RIDGES = (1e3, 1e2, 1e1, 1e0, 1e-1, 1e-2, 1e-3, 1e-5)
"""Of linear regression: 1 is scikit-learn's `Ridge()` for standardized inputs, the last one next to no penalty."""


def mix(job: Job, chosen: np.ndarray | None = None) -> TrainingOutcome:
    """Choose among learners out of fold, mix them, and let the mean of their folds' models answer.

    Where Ctrl-C ends the run, the model of one fold answers, and the fold, which it has not seen, calibrates it.

    Args:
        job: what is to be trained, with the network "mixture".
        chosen: indices of the rows that were set aside by the makers of the data.
    """
    if job.rows.n_groups < LEAST:
        return without_held_out(_of_kind(job, "linear", job.rows))
    n_folds, last = folds_of(job.rows)
    parts = held_out_parts(job, chosen) if chosen is not None or last < n_folds else None
    index = np.arange(len(job.rows)) if parts is None else parts[-1]
    rows = _some(job.rows, index)
    folds = mixture_folds(rows, job.config.seed)
    limit = None if job.config.time_limit is None else job.config.time_limit / (1.1 * last * len(LEARNERS))
    learners, without = _learners(job, rows, folds, limit)
    kept, first_decides = list(learners), len(folds[0]) >= ENOUGH_TO_TELL
    with Interrupt() as interrupt:
        for upto in sorted({1, 2, last}):
            for learner in kept:
                begun = sum(len(each.trained) for each in learners)
                runs = begun + sum(last - len(each.trained) for each in kept)
                own = _MOST_SECONDS if limit is None and learner.kind == "trees" and upto == 1 else limit
                if learner.kind == "mlp":  # its hidden layers bend what a line need not, and from many rows anything
                    learner.pieces = last > 2 and any(each.plan.bins for each in learners)
                rivals = [each for each in kept if each.kind not in _costly(rows)]

                def hopeless(
                    scores: np.ndarray, learner: FoldLearner = learner, rivals: list[FoldLearner] = rivals
                ) -> bool:
                    return learner not in rivals and falls_short(scores, learner, rivals)

                learner.train(upto, number=begun + 1, runs=runs, time_limit=own, interrupt=interrupt, hopeless=hopeless)
                if interrupt.asked:
                    return best_of_first_fold(job, learners, index, parts, interrupted=interrupt.how)
            if upto == 1 and (trees := learners[-1]).kind == "trees" and (off := little_used(trees)):
                first_decides = True
                for learner in kept[:-1]:
                    learner.switch_off(off, limit, interrupt)
                if interrupt.asked:
                    return best_of_first_fold(job, learners, index, parts, interrupted=interrupt.how)
            if upto == 2 or (upto < last and first_decides):
                without |= _too_costly(kept, limit) or left_out(kept, _costly(rows))
                kept = [learner for learner in kept if learner.kind not in without]
    choice = choose(kept, kept[0].rows)
    why = _why(kept, choice, list(without.values()))
    job.watcher.say(why)
    trained = _mean_of_folds(job, rows, kept, choice, why)
    if parts is not None:
        return held_out_outcome(job, trained, index, parts, folds=len(kept[0].trained))
    everything = np.arange(len(rows))
    counted = rows.one_per_group(everything, np.random.default_rng([job.config.seed, n_folds]))
    n = len(counted)
    splits = SplitsEntry(method="cross-validation", train=len(rows), calibration=n, thresholds=n, folds=n_folds)
    dropped = [learner for learner in learners if learner.kind in without and not _too_costly([learner], limit)]
    ood_scores, usual = ood_scores_of_columns(trained, rows, job.config.seed)
    held_out = HeldOutScores(
        cross_fitted(kept, dropped, _costly(rows)),
        rows.Y,
        rows.weights,
        everything,
        np.max([learner.stated for learner in kept], axis=0),
        ood_scores=ood_scores,
        usual=usual,
        folds=fold_numbers(folds, first_decides=first_decides),
    ).take(counted)
    return TrainingOutcome(trained, index, splits, held_out, held_out)


def folds_of(rows: Rows) -> tuple[int, int]:
    """How many folds there are, and how many of them learners are trained without.

    All of five with fewer than 5,000 rows. Of more, two or three of ten are enough to choose, and their models have
    seen nine rows of ten.
    """
    return (_FOLDS, _FOLDS) if rows.are_few else (2 * _FOLDS, 3 if rows.n_groups < 2 * SMALL else 2)


def mixture_folds(rows: Rows, seed: int) -> list[np.ndarray]:
    """The folds of a mixture: balanced where they only decide, at random where their rows judge as well.

    What is the most frequent label of four balanced folds is that of the fifth: of 120 rows of three labels that have
    nothing to do with the columns, accuracy was told 4.5 points too high, and 80% sets held 77.6%; with random folds,
    which answer new rows no worse, 1.3 points (0.8 of error) and 85%.
    """
    strata = np.zeros(len(rows), np.int64) if rows.are_few else rows.strata
    return split_into_folds(strata, folds_of(rows)[0], np.random.default_rng(seed), rows.groups)


def _learners(
    job: Job, rows: Rows, folds: list[np.ndarray], limit: float | None
) -> tuple[list[FoldLearner], dict[str, str]]:
    """What is to be trained, and what is not, with the reason."""
    found, without = list[FoldLearner](), dict[str, str]()
    for kind in LEARNERS:
        own = _of_kind(job, kind, rows)
        plan = own.plan(len(rows), limit)
        plan = replace(plan, ridges=_RIDGES if plan.exact else ())
        if kind == "trees" and rows.task.name == "classification" and rows.Y.shape[1] > _MANY_LABELS:
            plan = _fewer_rounds(plan, rows.Y.shape[1])
            if plan.epochs < _LEAST_ROUNDS or rows.X.shape[1] > MANY_COLUMNS:
                without[kind] = f"{kind} left out (of {rows.Y.shape[1]} labels there are as many in every round)"
                continue
        at_most = AS_WELL if len(folds) == _FOLDS else AT_ALL
        found.append(FoldLearner(kind, own, plan, folds, at_most, pieces=kind == "linear"))
    return found, without


def _costly(rows: Rows) -> tuple[str, ...]:
    """The learners that take much time for what they bring."""
    many = rows.task.name == "classification" and rows.Y.shape[1] > _MANY_LABELS and len(rows) >= _ENOUGH_TO_COST
    return ("trees",) if many else ()


def _fewer_rounds(plan: Plan, n_outputs: int) -> Plan:
    share = _MANY_LABELS / n_outputs
    return replace(plan, epochs=plan.epochs * share, learning_rate=(plan.learning_rate or 1.0) * min(1.5, 1 / share))


def _too_costly(learners: Sequence[FoldLearner], limit: float | None) -> dict[str, str]:
    """Trees that take more time or room than is theirs, with the reason: of k labels there are k in every round."""
    for learner in learners:
        size = len(learner.folds) * max(trained.engine.n_parameters for trained in learner.trained) * BYTES_OF_NODE
        slow = limit is None and any(trained.stopped == "time limit" for trained in learner.trained)
        if learner.kind == "trees" and (slow or size > _MOST_BYTES):
            cost = f"{_MOST_SECONDS:g} s of a fold" if slow else f"{_MOST_BYTES / 1e6:g} MB of all folds"
            return {learner.kind: f"{learner.kind} left out (they would take more than {cost})"}
    return {}


def _of_kind(job: Job, kind: str, rows: Rows) -> Job:
    """The job for one learner; what descends in noisy steps does so in float32, which takes half of the time."""
    dtype = "float32" if kind == "mlp" else job.config.dtype
    return replace(job, rows=rows, config=job.config.replace(network=kind, dtype=dtype))


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
    classifies = rows.task.name == "classification"
    if classifies and rows.are_few:  # of more rows some are held out for the temperature of the mean
        members = as_sure_as_each_fold(members, len(learners[0].trained), rows.X)
    first = max(zip(choice.weights.tolist(), range(len(learners)), strict=True))[1]
    targets = rows.task.targets(rows.Y, rows.weights, rows.class_weight, None)
    limits = learners[0].limits
    mixture = Mixture(members, [trained.engine for trained in holders], why, limits)
    preprocessor = fit_preprocessor(take_rows(rows.X, np.arange(len(rows))), rows.columns, dtype=job.config.dtype)
    inference = MixtureInference(preprocessor, members, classifies, targets.mean, targets.scale, limits)
    seconds, steps = sum(record.seconds for record in history), sum(record.step for record in history)
    epoch, loss = (history[-1].epoch, history[-1].loss) if history else (0.0, 0.0)  # none in closed form
    last = Record(steps, epoch, 1.0, loss, 1.0, seconds, 0.0, 0.0)
    job.watcher.record(last)
    plan = replace(learners[first].plan, network=mixture, engine="several", penalties=(), exact=False)
    return Trained(plan, mixture, inference, targets.mean, targets.scale, [last], "finished", rows.task.stated(rows.Y))


def _why(learners: Sequence[FoldLearner], choice: Choice, left_out: Sequence[str]) -> str:
    """Which learners answer, with which weights, and why."""
    rows = learners[0].job.rows
    unit = "mean squared error" if rows.task.name == "regression" else "nats"
    said = [
        f"{learner.kind}{' of pieces' if learner.plan.bins else ''}"
        f"{', target encoding,' if learner.plan.encoded else ''}"
        f"{f' without {len(off)} columns' if (off := learner.plan.off) else ''} "
        f"{learner.mean_loss(length, learner.rows):.4g} {unit}, {weight:.0%}"
        for learner, length, weight in zip(learners, choice.lengths, choice.weights.tolist(), strict=True)
    ]
    n_folds = len(learners[0].trained)
    return f"Out-of-fold loss and weight of the models of {n_folds} folds: {'; '.join([*said, *left_out])}"
