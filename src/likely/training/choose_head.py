"""Which network learns on features: each kind is trained as a whole, and rows that it has not seen choose."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from likely.training.blas_threads import one_blas_thread
from likely.training.cross_fitted import cross_fitted
from likely.training.held_out_scores import TrainingOutcome
from likely.training.job import Job
from likely.training.loop.descent import Record
from likely.training.loop.interrupt import SIGNALS
from likely.training.watcher import Watcher, of_all_runs


def choose_head(job: Job, kinds: Sequence[str], learn: Callable[[Job], TrainingOutcome]) -> TrainingOutcome:
    """The outcome of the kind whose held-out loss is least; of the first where nothing can be held out.

    A time limit is shared evenly. Each computes with one thread of BLAS: products of a batch of features are so small
    that threads wait for each other for longer than they compute, which takes up to 16 times the processor time where
    others use the processors, too.

    Args:
        job: what is to be trained.
        kinds: of networks, the simplest first.
        learn: trains one of them.
    """
    limit, watcher = job.config.time_limit, job.watcher
    best, least, losses, outcomes = None, float("inf"), list[str](), list[TrainingOutcome]()
    for number, kind in enumerate(kinds, start=1):
        config = job.config.replace(network=kind, time_limit=None if limit is None else limit / len(kinds))
        own = _OneOfSeveral(watcher, f"Head {kind}", number, len(kinds))
        with one_blas_thread():
            outcome = learn(Job(job.rows, config, job.hflip, job.overrides, own, journal=job.journal))
        outcomes.append(outcome)
        part, trained = outcome.calibration, outcome.trained
        loss = None if part is None else job.rows.task.held_out_loss(part, trained.plan.head)
        if loss is not None:
            losses.append(f"{kind} {loss:.4f}")
        if best is None or (loss is not None and loss < least):
            best, least = outcome, float("inf") if loss is None else loss
        if loss is None or trained.stopped in SIGNALS:
            break
    assert best is not None
    if len(losses) > 1:
        watcher.say(f"Head: {best.trained.plan.network.name}, by the held-out loss ({', '.join(losses)})")
    for record in best.trained.history:
        watcher.record(record)
    return replace(best, thresholds=cross_fitted(outcomes, best, job.rows.task))


@dataclass(frozen=True)
class _OneOfSeveral:
    """A watcher to whom each training looks like a part of a longer run, and none like the run itself."""

    watcher: Watcher
    name: str
    number: int
    runs: int

    def say(self, message: str) -> None:
        self.watcher.say(f"{self.name}: {message}")

    def loading(self, what: str, done: int, total: int | None) -> None:
        self.watcher.loading(what, done, total)

    def record(self, record: Record, fold: str = "") -> None:
        name = f"{self.name}, {fold[0].lower()}{fold[1:]}" if fold else self.name
        whole = record if fold else replace(record, progress=1.0, seconds_left=0.0)
        self.watcher.record(of_all_runs(whole, self.number, self.runs), name)
