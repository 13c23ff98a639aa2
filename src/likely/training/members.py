"""A deep ensemble: the same training from several seeds, and the mean of what the networks answer.

Members differ by their first values, the order of rows and their augmentation. What holds rows out, calibrates and
promises sees one model: it is calibrated jointly.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from likely.config import RunConfig
from likely.engines import create_engine
from likely.errors import ConfigError
from likely.model.inference import Inference
from likely.training.loop.descent import Record
from likely.training.loop.interrupt import SIGNALS
from likely.training.plan import Overrides, Plan
from likely.training.trained import Trained
from likely.training.training_rows import Rows
from likely.training.watcher import Watcher, of_all_runs

_APART = 1_000_003
"""Between the seeds of two members, so that they are not those of another run's neighbors."""


def train_members(
    train: Callable[..., Trained], plan: Plan, config: RunConfig, watcher: Watcher, few: np.ndarray, how: dict[str, Any]
) -> Trained:
    """As many networks as the configuration asks for, trained one after the other, as one.

    Where a signal ends the run, the members that are complete answer.

    Args:
        train: trains one, by plan, configuration and how.
        plan: of each.
        config: whose seed is that of the first.
        watcher: takes the records.
        few: stored rows, of whose shape the inputs are.
        how: of each, see `likely.training.train.train`; a time limit is shared.
    """
    count, limit = config.members, how.get("time_limit")
    done = list[Trained]()
    for number in range(count):

        def record(entry: Record, number: int = number) -> None:
            if number == count - 1:
                watcher.record(entry)
            else:
                watcher.record(of_all_runs(entry, number + 1, count), f"Member {number + 1} of {count}")

        own = {**how, "on_record": record, "time_limit": limit and limit / count}
        trained = train(plan, config.replace(seed=config.seed + number * _APART), **own)
        interrupted = trained.stopped in SIGNALS
        if not (interrupted and done):
            done.append(trained)
        if interrupted:
            done[-1] = replace(done[-1], stopped=trained.stopped)
            break
    return done[0] if len(done) == 1 else _together(done, config, few)


def _together(members: list[Trained], config: RunConfig, few: np.ndarray) -> Trained:
    """Several networks of one kind as one that answers with their mean."""
    from likely.networks.convnet import ConvNet  # it loads torch

    last, first = members[-1], members[0]
    plan, single = last.plan, last.plan.network
    assert isinstance(single, ConvNet)
    assert isinstance(first.inference, Inference)
    mean = "numbers" if plan.head == "identity" else "probabilities"
    network = ConvNet(single.width, single.stem, single.stride, len(members), mean)
    engine = create_engine(
        plan.engine,
        network,
        n_outputs=len(first.stated),
        head=plan.head,
        loss=plan.loss,
        optimizer=plan.optimizer,
        sample=np.asarray(first.inference.preprocessor(few)),
        seed=config.seed,
        dtype=config.dtype,
        device=config.device,
        precision=plan.precision,
    )
    engine.load_state(
        {
            f"members.{number}.{name}": array
            for number, member in enumerate(members)
            for name, array in member.engine.state().items()
        }
    )
    inference = replace(first.inference, forward=engine.forward, scores_alone=engine.scores)
    return replace(last, plan=replace(plan, network=network), engine=engine, inference=inference)


def refuse_members(config: RunConfig, overrides: Overrides, rows: Rows, *, folds: bool) -> None:
    """Refuse several members where they cannot be trained; `folds` says whether all rows are held out once, in folds.

    Raises:
        ConfigError: naming what does not go together.
    """
    if config.members == 1:
        return

    def but(where: str) -> str:
        return f"members must be 1 {where}; got {config.members}."

    images = len(rows.shape) > 1 and rows.backbone is None
    by_torch = config.engine in ("auto", "torch")
    if overrides.network is not None or not (images and by_torch and config.network in ("auto", "conv")):
        network = "custom" if overrides.network is not None else config.network
        raise ConfigError(
            f"{but(f'with the network {network!r}')} Only conv nets are trained as an ensemble; of a table the models "
            "of all folds answer together anyway. Try network='conv' for images, or omitting members."
        )
    if overrides.start is not None:
        raise ConfigError(
            f"{but('with init_from')} Members that begin with the same parameters differ little. Try omitting one "
            "of the two."
        )
    if config.head not in ("softmax", "identity"):
        raise ConfigError(
            f"{but(f'with the head {config.head!r}')} The mean is one of probabilities by softmax. Try head='softmax'."
        )
    if folds:
        raise ConfigError(
            f"{but('with fewer than 5,000 training images and no val part')} Each fold would be trained as often. Try "
            "a val part, more images, or omitting members."
        )
