"""One network, trained on some of the rows: preprocessing from those rows, an engine, and what lowers the loss."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from likely.config import RunConfig
from likely.engines import create_engine
from likely.learners.boosting import BoostedTrees, Boosting
from likely.learners.mixture import Mixture
from likely.model.inference import Inference
from likely.model.transfer import begun
from likely.networks import with_inputs
from likely.networks.trees import Trees
from likely.preprocessing.column_preprocessor import ColumnPreprocessor
from likely.preprocessing.preprocessor import Preprocessor, fit_preprocessor
from likely.preprocessing.stored_rows import RowArray
from likely.training.encoded_rows import encoded
from likely.training.grow_trees import Growth
from likely.training.loop.averaging import AveragedEpoch
from likely.training.loop.by_clock import ByClock
from likely.training.loop.checkpoints import Checkpoints, Evaluator
from likely.training.loop.descent import Record
from likely.training.loop.interrupt import Interrupt
from likely.training.loop.minimize import Minimization, evenly
from likely.training.loop.pace import Stopwatch, overtime
from likely.training.plan import Plan
from likely.training.resume.call import Call, key_of
from likely.training.resume.journal import Journal
from likely.training.task import Targets, Task
from likely.training.trained import Trained
from likely.training.training_rows import Rows

_SAMPLE = 2_000  # rows, from which an engine may set its first values
_SAMPLE_NUMBERS = 2_000 * 32 * 32 * 3  # of the sample at most, so that large images take no more memory
_SCORED = 250  # rows whose scoring is timed
_INPUTS_AT_ONCE = 2**22  # numbers that are prepared for trees, 16 MB


def train(
    plan: Plan,
    rows: Rows,
    index: np.ndarray,
    config: RunConfig,
    *,
    checkpoints: Checkpoints | None = None,
    stop_at: float = 1.0,
    average_recent: bool = False,
    time_limit: float | None = None,
    watch: Callable[[], float] | None = None,
    scored_later: int = 0,
    give_up: Callable[[], bool] | None = None,
    on_record: Callable[[Record], None] | None = None,
    interrupt: Interrupt | None = None,
    journal: Journal | None = None,
) -> Trained:
    """Train a network on the rows with these indices.

    Ctrl-C ends the run cleanly: the better of the present state and the best one seen is kept.

    Args:
        plan: what to train and how.
        rows: all rows.
        index: which of them to learn from.
        config: head, loss, seed, dtype and device.
        checkpoints: held-out rows to evaluate the network on on the way.
        stop_at: end the run at this progress, at the learning rate that the full run would have there.
        average_recent: evaluate, and end with, the mean of the states of the latest epoch. A state in the middle of a
            run is one of many that the noise of its steps could have led to: where checkpoints choose a length, the
            best of them was lucky, and another run that ends there is not. A longer mean than an epoch's would mix
            networks that are far apart.
        time_limit: seconds of training, until the network can be asked.
        watch: what counts them, if not a new `Stopwatch`.
        scored_later: how many rows will be scored after the training within `time_limit`.
        give_up: asked after every step; True leaves the run unfinished.
        on_record: takes each record.
        interrupt: that of a caller with several runs; None listens for Ctrl-C during this run.
        journal: what knows finished trainings, and where this one was cut short.
    Raises:
        DivergenceError: if the loss became NaN before there was a state worth keeping, or ended above its beginning
            and above the cost of knowing nothing.
    """
    watch = watch or Stopwatch()
    began = watch()
    X, Y, weights = rows.with_flipped(index) if plan.flipped else rows.take(index)
    journal = journal or Journal()
    looks_at = checkpoints and replace(checkpoints, X=np.empty(0), keep=None)
    key = key_of(plan, index, config.seed, looks_at, stop_at, average_recent)
    call = Call(journal, key, watch, on_record)
    checkpoints = call.seeing(checkpoints)
    targets = rows.task.targets(Y, weights, rows.class_weight, plan.start)
    encoding, X = encoded(plan, rows, index, X, targets, config.seed) if plan.encoded else (None, X)
    preprocessor = fit_preprocessor(
        X,
        rows.columns,
        pad_to=config.pad_to,
        layout=plan.layout,
        # Trees compare columns in float32, whatever door they come through.
        dtype="float32" if isinstance(plan.network, Boosting) else config.dtype,
        power_transform=plan.power_transform,
        least_scale=plan.least_scale,
        bins=plan.bins,
        off=plan.off,
        encoding=encoding,
        root=plan.root,
    )
    if plan.start is not None:
        preprocessor = plan.start.preprocessor(preprocessor)
    stated = rows.task.stated(Y)
    if isinstance(plan.network, Boosting):
        growth = _growth(plan, preprocessor, X, targets, stated, rows.task, config.seed, call.by_clock)
        growth = replace(growth, checkpoints=checkpoints, on_record=on_record, interrupt=interrupt)
        return call.finished(growth.trained) or call.finish(
            growth.run(stop_at=stop_at, time_limit=time_limit, watch=watch, give_up=give_up)
        )
    network = plan.network
    assert not isinstance(network, Trees | Mixture)
    if plan.bins or plan.off or plan.encoded:
        network = with_inputs(network, preprocessor.output_shape[0])
        plan = replace(plan, network=network)
    engine = create_engine(
        plan.engine,
        network,
        n_outputs=Y.shape[1],
        head=plan.head,
        loss=plan.loss,
        optimizer=plan.optimizer,
        sample=preprocessor(_sample(X)),
        seed=config.seed,
        dtype=config.dtype,
        device=config.device,
        precision=plan.precision,
        freeze=plan.freeze,
    )
    plan = replace(plan, learning_rate=plan.learning_rate or engine.learning_rate or 1.0)
    if plan.start is not None:
        engine.load_state(begun(engine.state(), plan.start, engine.last_layer))
        if plan.start.card is not None and not plan.start.new_head:
            stated = np.zeros_like(stated)  # the labels that these rows lack were learned before
    inference = Inference(preprocessor, engine.forward, engine.scores, plan.hflip, plan.tta_threshold, plan.head)
    trained = Trained(plan, engine, inference, targets.mean, targets.scale, [], "finished", stated)
    if (finished := call.finished(trained)) is not None:
        return finished
    # A minimum is no state on the way.
    recent = AveragedEpoch() if average_recent and not (plan.penalties or plan.exact) else None
    minimization = Minimization(
        trained,
        engine,
        X,
        targets,
        config.seed,
        Evaluator(trained, checkpoints, rows.task, recent),
        stop_at=min(stop_at, 1.0),
        watch=watch,
        memory=call,
        by_clock=call.by_clock,
        give_up=give_up,
        on_record=on_record,
        caller=interrupt,
    )
    if plan.exact:
        return call.finish(minimization.solve())
    if time_limit is not None:
        if scored_later:
            time_limit -= _seconds_to_score(trained, X, scored_later, time_limit, watch)
        # What is left after the preparations, but not less than it takes to notice.
        time_limit = max(time_limit - (watch() - began), 0.1 * time_limit)
    return call.finish(minimization.walk(time_limit) if plan.penalties else minimization.descend(time_limit))


def _growth(
    plan: Plan,
    preprocessor: Preprocessor,
    X: RowArray,
    targets: Targets,
    stated: np.ndarray,
    task: Task,
    seed: int,
    by_clock: ByClock,
) -> Growth:
    """Trees of no round yet, for rows of a table."""
    assert isinstance(plan.network, Boosting)
    assert isinstance(preprocessor, ColumnPreprocessor)
    groups, (n_inputs,) = preprocessor.groups, preprocessor.output_shape
    # Trees see one number of a column of thousands of categories, but there is an input for each.
    size = max(1, _INPUTS_AT_ONCE // n_inputs)
    parts = (np.asarray(X[start : start + size]) for start in range(0, len(X), size))
    columns = np.concatenate([groups.columns(preprocessor(part)) for part in parts])
    trees = BoostedTrees(
        plan.network,
        groups,
        columns,
        targets.Y,
        targets.weights,
        n_inputs=n_inputs,
        learning_rate=plan.learning_rate or 1.0,
        classifies=plan.head == "softmax",
        seed=seed,
    )
    inference = Inference(preprocessor, trees.forward, trees.scores, head=plan.head)
    trained = Trained(plan, trees, inference, targets.mean, targets.scale, [], "finished", stated)
    return Growth(trained, trees, X, targets, task, by_clock)


def _sample(X: RowArray) -> np.ndarray:
    """Some of the rows, from all of them: class folders come class by class."""
    return X[evenly(X, min(_SAMPLE, _SAMPLE_NUMBERS // math.prod(X.shape[1:])))]


def _seconds_to_score(
    trained: Trained, X: RowArray, n_rows: int, time_limit: float, watch: Callable[[], float]
) -> float:
    """Seconds to leave for scoring so many rows, as far as `overtime` does not cover them; some are scored to see."""
    some = X[: min(_SCORED, len(X))]
    trained.scores_and_features(some[:1])
    before = watch()
    trained.scores_and_features(some)
    seconds = (watch() - before) * n_rows / len(some)
    return min(max(0.0, seconds - overtime(time_limit)), 0.5 * time_limit)
