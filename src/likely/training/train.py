"""One network, trained on some of the rows: preprocessing from those rows, an engine, the loop, and how it ended."""

import math
import signal
import threading
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from types import FrameType

import numpy as np

from likely.config import RunConfig
from likely.engines import create_engine
from likely.engines.protocol import Engine
from likely.errors import DivergenceError, RankWarning
from likely.functional.least_squares import least_squares
from likely.metrics.scores import FLOOR
from likely.model.inference import Inference
from likely.model.transfer import begun
from likely.preprocessing.augment import make_augmentation
from likely.preprocessing.columns import Column, input_width
from likely.preprocessing.preprocessor import fit_preprocessor
from likely.preprocessing.standardize import mean_and_scale
from likely.preprocessing.stored_rows import RowArray, take_rows
from likely.registry import HEADS, LOSSES
from likely.training.descent import Record, descend, planned_steps
from likely.training.failure import check_training, cost_of_knowing_nothing
from likely.training.pace import Stopwatch
from likely.training.penalties import walk_penalties
from likely.training.plan import Plan
from likely.training.schedule import Schedule
from likely.trust.temperature import at_best_temperature
from likely.trust.unseen import unseen_probabilities, with_unseen

UNFINISHED = "unfinished"
"""How a training ended that was given up."""

_TIE = 5e-4
"""Nats: held-out rows do not tell penalties apart that differ by less, and the weaker one is nearer the optimum."""
_FEW_PARAMETERS = 5e-3
"""Nats: with p parameters and n rows a maximum of the likelihood loses about p / (2 n) on new rows (Akaike 1974), which
is all that a penalty can win back. Where that is less, a few hundred held-out rows that favor a strong penalty are
believed only beyond two standard errors: on three Gaussians of 90, 7 and 3% their noise cost 0.008 nats."""
_SAMPLE = 2_000
_SCORED = 250  # rows
_FEW = 200  # rows that are answered before and after training, to see whether it went wrong
_SAMPLE_NUMBERS = 2_000 * 32 * 32 * 3  # of the sample at most, so that large images take no more memory


@dataclass(frozen=True)
class Rows:
    """What is learned from.

    Args:
        X: stored rows, such as uint8 images.
        Y: label distributions (n, k), or targets (n, m).
        weights: one non-negative number per row, or None.
        classifies: whether Y holds distributions.
        class_weight: how much each class counts in training, shape (k,), or None.
        columns: what the columns of X are, where they are more than plain numbers.
        groups: integers (n,), equal for rows that are related and must not be parted, or None.
    """

    X: RowArray
    Y: np.ndarray
    weights: np.ndarray | None
    classifies: bool
    class_weight: np.ndarray | None = None
    columns: tuple[Column, ...] | None = None
    groups: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.Y)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one row as the network meets it: an image's, or the number of inputs of a table's columns."""
        return self.X.shape[1:] if self.columns is None else (input_width(self.columns),)

    @property
    def n_groups(self) -> int:
        """How many rows there are of which no two are related."""
        return len(self) if self.groups is None else len(np.unique(self.groups))

    @property
    def strata(self) -> np.ndarray:
        """The most probable class of each row; all the same for regression."""
        return self.Y.argmax(axis=1) if self.classifies else np.zeros(len(self), np.int64)


@dataclass(frozen=True)
class Trained:
    """A network that was trained, what it takes to ask it, and how its training went.

    A regression network answers in standardized targets: target = target_mean + target_scale * score. For
    classification the scale is 1 and the mean -log w, with the weights w that classes had in training (0 without).
    `stated` (k,) is the probability of each label that its rows lack, 0 for the others.
    `penalty` is that of a convex problem that was solved.
    """

    plan: Plan
    engine: Engine
    inference: Inference
    target_mean: np.ndarray
    target_scale: np.ndarray
    history: list[Record]
    stopped: str
    stated: np.ndarray
    penalty: float | None = None

    def scores_and_features(self, X: RowArray) -> tuple[np.ndarray, np.ndarray]:
        """Scores (n, k), for regression in the targets' own unit, and hidden features (n, d)."""
        scores, features = self.inference(X)
        return scores * self.target_scale + self.target_mean, features

    def scores(self, X: RowArray) -> np.ndarray:
        """Scores (n, k); for regression in the targets' own unit."""
        return self.inference.scores(X) * self.target_scale + self.target_mean


@dataclass(frozen=True)
class Checkpoints:
    """Held-out rows to look at the network with while it is trained.

    Args:
        X: stored rows.
        Y: their label distributions or targets.
        weights: how much each counts, or None.
        most: how often to look at most, evenly over the run; None looks after every epoch.
        patience: stop after so many looks without improvement and keep the best; None never stops.
        keep: takes (progress, scores) at each look.
        keep_best: whether the run ends with the best state that was looked at, not with the last one.
    """

    X: RowArray
    Y: np.ndarray
    weights: np.ndarray | None = None
    most: int | None = None
    patience: int | None = None
    keep: Callable[[float, np.ndarray], None] | None = None
    keep_best: bool = False


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
    interrupt: "Interrupt | None" = None,
) -> Trained:
    """Train a network on the rows with these indices.

    Ctrl-C ends the run cleanly: the better of the present state and the best one seen is kept.

    Args:
        plan: what to train and how.
        rows: all rows.
        index: which of them to learn from.
        config: head, loss, seed, dtype and device.
        checkpoints: held-out rows to look at on the way.
        stop_at: end the run at this progress, at the learning rate that the full run would have there.
        average_recent: look at, and end with, the mean of the states of the latest epoch. A state in the middle of a
            run is one of many that the noise of its steps could have led to: where looks choose a length, the best of
            them was lucky, and another run that ends there is not. A longer mean than an epoch's would mix networks
            that are far apart.
        time_limit: seconds of training, until the network can be asked.
        watch: what counts them, if not a new `Stopwatch`.
        scored_later: how many rows will be scored after the training within `time_limit`.
        give_up: asked after every step; True leaves the run unfinished.
        on_record: takes each record.
        interrupt: that of a caller with several runs; None listens for Ctrl-C during this run.
    Raises:
        DivergenceError: if the loss became NaN before there was a state worth keeping, or ended above its beginning
            and above the cost of knowing nothing.
    """
    watch = watch or Stopwatch()
    began = watch()
    X, Y = take_rows(rows.X, index), rows.Y[index]
    weights = None if rows.weights is None else rows.weights[index]
    preprocessor = fit_preprocessor(
        X,
        rows.columns,
        pad_to=config.pad_to,
        layout=plan.layout,
        dtype=config.dtype,
        power_transform=plan.power_transform,
    )
    if plan.start is not None:
        preprocessor = plan.start.preprocessor(preprocessor)
    mean, scale = np.zeros(Y.shape[1], Y.dtype), np.ones(Y.shape[1], Y.dtype)
    if rows.class_weight is not None:
        # -sum_k w_k y_k log q_k is the cross-entropy of y' = w y / sum(w y), counted sum(w y) times.
        mean = -np.log(rows.class_weight).astype(Y.dtype)
        Y = Y * rows.class_weight.astype(Y.dtype)
        counted = Y.sum(axis=1)
        Y = Y / counted[:, None]
        weights = counted if weights is None else weights * counted
    if not rows.classifies:
        # In double precision: targets may be large beside their spread.
        Y = Y.astype(np.float64, copy=False)
        mean, scale = mean_and_scale(Y)
        if plan.start is not None and plan.start.card is not None and len(plan.start.card.target_mean) == len(mean):
            mean, scale = np.array(plan.start.card.target_mean), np.array(plan.start.card.target_scale)
        Y = (Y - mean) / scale
    engine = create_engine(
        plan.engine,
        plan.network,
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
    peak = plan.learning_rate or engine.learning_rate or 1.0
    plan = replace(plan, learning_rate=peak)
    if plan.start is not None:
        engine.load_state(begun(engine.state(), plan.start, engine.last_layer))
    inference = Inference(preprocessor, engine.forward, engine.scores, plan.hflip, plan.tta_threshold, plan.head)
    stated = unseen_probabilities(rows.Y[index].sum(axis=0)) if rows.classifies else np.zeros(Y.shape[1])
    if plan.start is not None and plan.start.card is not None and not plan.start.new_head:
        stated = np.zeros_like(stated)  # the labels that these rows lack were learned before
    trained = Trained(plan, engine, inference, mean, scale, [], "finished", stated)
    average_recent = average_recent and not plan.penalties  # a minimum is no state on the way
    recent = _LatestEpoch()
    judge = _Judge(trained, checkpoints, rows.classifies, recent if average_recent else None)
    if plan.exact:
        with warnings.catch_warnings():
            # Columns that depend on each other leave theta open but not what it predicts.
            warnings.simplefilter("ignore", RankWarning)
            theta = least_squares(preprocessor(X[:]), Y, weights=weights)
        engine.load_state({"layer0": theta.astype(config.dtype)})
        judge(1.0)
        return trained

    parts = (*(("hflip",) if plan.hflip else ()), *plan.augment)
    augmentation = make_augmentation(parts, len(X), config.seed)
    n_checkpoints = (checkpoints.most if checkpoints else None) or math.inf
    tail = _Mean()
    last = math.ceil((min(stop_at, 1.0) - 1e-9) * planned_steps(len(X), plan.epochs, plan.batch_size))
    given_up = False
    stopped = "finished"
    listener = interrupt or Interrupt()

    def stop() -> bool:
        nonlocal given_up
        given_up = give_up is not None and give_up()
        return given_up or listener.asked or judge.waited_enough

    if time_limit is not None:
        if scored_later:
            time_limit -= _later(trained, X, scored_later, time_limit, watch)
        # What is left after the preparations, but not less than it takes to notice.
        time_limit = max(time_limit - (watch() - began), 0.1 * time_limit)

    if plan.penalties:

        def keep(record: Record) -> None:
            trained.history.append(record)
            if on_record is not None:
                on_record(record)

        judge.few_parameters = engine.n_parameters * (1 - 1 / Y.shape[1]) < 2 * _FEW_PARAMETERS * len(X)
        with nullcontext() if interrupt else listener:
            path = walk_penalties(
                engine,
                preprocessor(X[:]),
                Y,
                weights,
                penalties=plan.penalties,
                passes=plan.passes,
                judge=judge if checkpoints else None,
                stop_at=stop_at,
                time_limit=time_limit,
                watch=watch,
                stop=lambda: stop() or judge.overfits,
                on_record=keep,
            )
        penalty = path.penalties[-1]
        if judge.best_state is not None and checkpoints is not None and checkpoints.keep_best:
            engine.load_state(judge.best_state)
            penalty = path.penalties[judge.best_checkpoint]
        stopped = "time limit" if path.out_of_time else "finished"
        stopped = UNFINISHED if given_up else "early stopping" if judge.waited_enough else stopped
        return replace(trained, stopped="interrupted" if listener.asked else stopped, penalty=penalty)

    few = _few(X, _FEW)
    first = _mean_loss(engine.scores(preprocessor(X[few])), Y[few], plan)
    engine.place(X, Y, weights, prepare=preprocessor, augment=augmentation)
    with nullcontext() if interrupt else listener:
        try:
            for record in descend(
                engine,
                len(X),
                epochs=plan.epochs,
                batch_size=plan.batch_size,
                learning_rate=Schedule(peak, plan.warmup),
                seed=config.seed,
                augmentation=augmentation,
                judge=judge if checkpoints else None,
                judge_every=max(1, round(plan.epochs / n_checkpoints)),
                time_limit=time_limit,
                watch=watch,
                stop_at=stop_at,
                stop=stop,
            ):
                if record.held_out is not None and not all(map(math.isfinite, record.held_out.values())):
                    raise DivergenceError(
                        f"Held-out scores must stay finite; got NaN or infinity after step {record.step}. The steps "
                        f"were too long for this data. Try a learning rate of {peak / 10:.1g}.",
                        record.step,
                    )
                trained.history.append(record)
                if average_recent:
                    if record.held_out is None:  # at a look the judge has added it
                        recent.add(engine.state())
                    if abs(record.epoch - round(record.epoch)) < 1e-9:
                        recent.end()
                elif plan.average_fraction and record.progress > 1 - plan.average_fraction:
                    tail.add(engine.state())
                if on_record is not None:
                    on_record(record)
                if record.step < last and record.progress >= min(stop_at, 1.0) - 1e-9:
                    stopped = "time limit"
        except DivergenceError as error:
            if judge.best_state is None:
                raise
            stopped = f"diverged at step {error.step}"
    if given_up:
        stopped = UNFINISHED
    if listener.asked:
        stopped = "interrupted"
    elif judge.waited_enough:
        stopped = "early stopping"
    keep_best = stopped not in ("finished", "time limit") or (checkpoints is not None and checkpoints.keep_best)
    if keep_best and judge.best_state is not None:
        engine.load_state(judge.best_state)
    elif recent:
        engine.load_state(recent.state)
    elif tail.count:
        engine.load_state(tail.state)
    if stopped in ("finished", "time limit", "early stopping"):
        # Where the best state that was looked at is kept, the looks say how good it is.
        last = judge.best if keep_best and judge.best_state is not None else _last_loss(trained.history)
        with np.errstate(over="ignore", invalid="ignore"):
            answers = engine.scores(preprocessor(X[few]))
        check_training(
            first,
            [(record.step, record.loss) for record in trained.history],
            last if np.isfinite(answers).any(axis=1).all() else math.inf,
            cost_of_knowing_nothing(Y, weights, plan.loss),
            rate=peak,
            usual=plan.usual_rate,
            answers_alike=len(few) > 1 and _alike(answers) and not _alike(np.asarray(X[few]).reshape(len(few), -1)),
        )
    return replace(trained, stopped=stopped)


def _later(trained: Trained, X: RowArray, n_rows: int, time_limit: float, watch: Callable[[], float]) -> float:
    """Seconds to leave for scoring so many rows, as far as `overtime` does not cover them; some are scored to see."""
    some = X[: min(_SCORED, len(X))]
    trained.scores_and_features(some[:1])
    before = watch()
    trained.scores_and_features(some)
    seconds = (watch() - before) * n_rows / len(some)
    return min(max(0.0, seconds - overtime(time_limit)), 0.5 * time_limit)


def overtime(time_limit: float) -> float:
    """Seconds that a limit may be exceeded by: what is promised is a tenth and three seconds; this is half of it."""
    return 0.05 * time_limit + 1.5


def _last_loss(history: list[Record]) -> float:
    """The mean loss over the last epoch, or over all records of a shorter run."""
    last = [record.loss for record in history if record.epoch > history[-1].epoch - 1]
    return float(np.mean(last))


def _mean_loss(scores: np.ndarray, Y: np.ndarray, plan: Plan) -> float:
    with np.errstate(over="ignore", invalid="ignore"):
        value = float(np.mean(LOSSES[plan.loss].values(plan.head, Y.astype(scores.dtype), scores)))
    return value if math.isfinite(value) else 0.0  # says nothing, so that no loss counts as larger because of it


def _alike(rows: np.ndarray) -> bool:
    """Whether all rows are the same but for rounding."""
    low, high = rows.min(axis=0).astype(np.float64), rows.max(axis=0).astype(np.float64)
    return bool(((high == low) | (high - low <= 1e-6 * np.maximum(np.abs(high), np.abs(low)))).all())


def _sample(X: RowArray) -> np.ndarray:
    """Some of the rows, from all of them: class folders come class by class."""
    return X[_few(X, min(_SAMPLE, _SAMPLE_NUMBERS // math.prod(X.shape[1:])))]


def _few(X: RowArray, most: int) -> np.ndarray:
    """Indices of some of the rows, evenly over all of them."""
    return np.linspace(0, len(X) - 1, max(1, min(most, len(X)))).round().astype(np.int64)


def held_out_figures(
    scores: np.ndarray,
    Y: np.ndarray,
    head: str,
    classifies: bool,
    weights: np.ndarray | None = None,
    stated: np.ndarray | None = None,
) -> dict[str, float]:
    """What is said of held-out rows on the way: accuracy and NLL in nats, or the mean squared error.

    Labels that the network was never shown have their `stated` probability, (k,) or (n, k).
    """
    if not classifies:
        return {"mse": float(np.average(np.square(scores - Y).sum(axis=1), weights=weights))}
    log_probs = np.asarray(HEADS[head].log_probs(scores))
    if stated is not None:
        log_probs = with_unseen(log_probs, stated)
    right = log_probs.argmax(axis=1) == Y.argmax(axis=1)
    # A label that the network masks as impossible costs much when it comes, but no infinity that would hide the rest.
    floored = np.maximum(log_probs, math.log(FLOOR))
    return {
        "accuracy": float(np.average(right, weights=weights)),
        "nll": float(-np.average((Y * floored).sum(axis=1), weights=weights)),
    }


def _calibrated_losses(scores: np.ndarray, Y: np.ndarray, weights: np.ndarray | None, stated: np.ndarray) -> np.ndarray:
    """The NLL of each row under the best temperature, since one will be fitted: penalties differ most in how sure they
    let a network be."""
    calibrated = at_best_temperature(scores, Y, weights, stated)
    return -(Y * np.maximum(calibrated, math.log(FLOOR))).sum(axis=1)


def _plainly_larger(losses: np.ndarray, others: np.ndarray, weights: np.ndarray | None) -> bool:
    """Whether the mean difference of losses of the same rows is more than two standard errors."""
    shares = np.full(len(losses), 1 / len(losses)) if weights is None else weights / weights.sum()
    difference = losses - others
    mean = float(shares @ difference)
    return mean > 2 * math.sqrt(float(np.square(shares) @ np.square(difference - mean)))


class _Mean:
    """The mean of the states that a run passed, parameters and statistics alike.

    Reference: Izmailov et al. (2018), Averaging weights leads to wider optima, arXiv 1803.05407.
    """

    def __init__(self) -> None:
        self.count = 0
        self._sums: dict[str, np.ndarray] = {}
        self._dtypes: dict[str, np.dtype] = {}

    def add(self, state: dict[str, np.ndarray]) -> None:
        self.count += 1
        for name, value in state.items():
            if self.count == 1:
                self._dtypes[name], self._sums[name] = value.dtype, value.astype(np.float64)
            else:
                self._sums[name] += value

    @property
    def state(self) -> dict[str, np.ndarray]:
        return {name: (total / self.count).astype(self._dtypes[name]) for name, total in self._sums.items()}


class _LatestEpoch:
    """The mean of the states of the latest epoch of a run, or of as much of it as has passed."""

    def __init__(self) -> None:
        self._mean, self._ended = _Mean(), False

    def __bool__(self) -> bool:
        return self._mean.count > 0

    @property
    def state(self) -> dict[str, np.ndarray]:
        return self._mean.state

    def add(self, state: dict[str, np.ndarray]) -> None:
        """Take the next state; the first one of an epoch begins anew."""
        if self._ended:
            self._mean, self._ended = _Mean(), False
        self._mean.add(state)

    def end(self) -> None:
        """Take note that the epoch has ended."""
        self._ended = True


class _Judge:
    """Looks at the network through the checkpoints and remembers the best state seen."""

    def __init__(
        self, trained: Trained, checkpoints: Checkpoints | None, classifies: bool, recent: _LatestEpoch | None
    ) -> None:
        self.trained, self.checkpoints, self.classifies, self.recent = trained, checkpoints, classifies, recent
        self.best_state: dict[str, np.ndarray] | None = None
        self.best = math.inf
        self.waited = 0
        self.overfits = False
        self.few_parameters = False
        self.best_checkpoint, self._checkpoints_seen = 0, 0
        self._least: np.ndarray | None = None

    @property
    def waited_enough(self) -> bool:
        patience = self.checkpoints.patience if self.checkpoints else None
        return patience is not None and self.waited >= patience

    def __call__(self, progress: float) -> dict[str, float]:
        if self.recent is None:
            return self._at_checkpoint(progress)
        engine = self.trained.engine
        state = engine.state()
        self.recent.add(state)
        engine.load_state(self.recent.state)
        try:
            return self._at_checkpoint(progress)
        finally:
            engine.load_state(state)

    def _at_checkpoint(self, progress: float) -> dict[str, float]:
        checkpoints = self.checkpoints
        if checkpoints is None:
            return {}
        # A network that diverged gives no figures; the loop is told by their being NaN.
        with np.errstate(over="ignore", invalid="ignore"):
            scores = self.trained.scores(checkpoints.X)
            figures = held_out_figures(
                scores,
                checkpoints.Y,
                self.trained.plan.head,
                self.classifies,
                checkpoints.weights,
                self.trained.stated,
            )
        loss = figures["nll" if self.classifies else "mse"]
        as_good = loss < self.best
        masked = scores == -np.inf if self.classifies else np.zeros(scores.shape, np.bool_)
        if not (np.isfinite(scores) | masked).all() or masked.all(axis=1).any() or not math.isfinite(loss):
            return {"nll" if self.classifies else "mse": math.nan}
        if self.trained.plan.penalties:
            losses = _calibrated_losses(scores, checkpoints.Y, checkpoints.weights, self.trained.stated)
            loss = float(np.average(losses, weights=checkpoints.weights))
            self.overfits = self._least is not None and _plainly_larger(losses, self._least, checkpoints.weights)
            self._least = losses if loss < self.best else self._least
            as_good = loss < self.best + _TIE or (self.few_parameters and not self.overfits)
        self.waited += 1
        self._checkpoints_seen += 1
        if as_good:
            self.best, self.waited, self.best_state = min(loss, self.best), 0, self.trained.engine.state()
            self.best_checkpoint = self._checkpoints_seen - 1
        if checkpoints.keep is not None:
            checkpoints.keep(progress, scores)
        return figures


class Interrupt:
    """Turns the first Ctrl-C into a question that the loop asks; a second one interrupts as usual."""

    def __init__(self) -> None:
        self.asked = False
        self._in_main_thread = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> "Interrupt":
        if self._in_main_thread:
            self._previous = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        if self._in_main_thread:
            signal.signal(signal.SIGINT, self._previous)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
