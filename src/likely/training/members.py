"""A deep ensemble: the same training from several seeds, and the mean of what the networks answer.

Members differ by their first values, the order of rows and their augmentation. What holds rows out, calibrates and
promises sees one model: it is calibrated jointly.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from likely.config import RunConfig
from likely.data.free_memory import free_memory
from likely.data.test_part import SMALL
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
_COPIES = 4
"""Of every number of a member at the same time: as trained, as it answers, and in twice the precision. With 281,348
parameters and 2,272 features of 1,000 rows a member more took 29 MiB at most, by this 39."""


def train_members(
    train: Callable[..., Trained],
    plan: Plan,
    config: RunConfig,
    rows: Rows,
    index: np.ndarray,
    watcher: Watcher,
    how: dict[str, Any],
) -> Trained:
    """As many networks as the configuration asks for, trained one after the other, as one.

    Where a signal ends the run, the members that are complete answer.

    Args:
        train: trains one, by plan, configuration and how.
        plan: of each.
        config: whose seed is that of the first.
        rows: all rows; those beside `index` are held out.
        index: which of them to learn from.
        watcher: takes the records.
        how: of each, see `likely.training.train.train`; a time limit is shared.
    Raises:
        ConfigError: if they do not fit into memory together, before any is trained.
    """
    few = np.asarray(rows.take(index[:2])[0][:])
    _refuse_without_memory(plan, config, few.shape[1:], rows.Y.shape[1], len(rows) - len(index))
    count, limit = config.members, how.get("time_limit")
    states, last = list[Mapping[str, np.ndarray]](), None
    for number in range(count):

        def record(entry: Record, number: int = number) -> None:
            if number == count - 1:
                watcher.record(entry)
            else:
                watcher.record(of_all_runs(entry, number + 1, count), f"Member {number + 1} of {count}")

        own = {**how, "on_record": record, "time_limit": limit and limit / count}
        trained = train(plan, config.replace(seed=config.seed + number * _APART), **own)
        interrupted = trained.stopped in SIGNALS
        if interrupted and last is not None:
            last = replace(last, stopped=trained.stopped)
            break
        states.append(trained.engine.state())  # an engine keeps its training rows, too
        last = trained
        if interrupted:
            break
    assert last is not None
    return last if len(states) == 1 else _together(states, last, config, few)


def _together(states: Sequence[Mapping[str, np.ndarray]], last: Trained, config: RunConfig, few: np.ndarray) -> Trained:
    """Networks of one kind, of whose parameters the last one is one, as one that answers with their mean."""
    from likely.networks.convnet import ConvNet  # it loads torch

    plan, single = last.plan, last.plan.network
    assert isinstance(single, ConvNet)
    assert isinstance(last.inference, Inference)
    mean = "numbers" if plan.head == "identity" else "probabilities"
    network = ConvNet(single.width, single.stem, single.stride, single.depth, len(states), mean, single.fine)
    engine = create_engine(
        plan.engine,
        network,
        n_outputs=len(last.stated),
        head=plan.head,
        loss=plan.loss,
        optimizer=plan.optimizer,
        sample=np.asarray(last.inference.preprocessor(few)),
        seed=config.seed,
        dtype=config.dtype,
        device=config.device,
        precision=plan.precision,
    )
    engine.load_state({f"members.{m}.{name}": array for m, state in enumerate(states) for name, array in state.items()})
    inference = replace(last.inference, forward=engine.forward, scores_alone=engine.scores)
    return replace(last, plan=replace(plan, network=network), engine=engine, inference=inference)


def refuse_members(config: RunConfig, overrides: Overrides, rows: Rows, *, folds: bool) -> None:
    """Refuse several members where they cannot be trained; `folds` says whether all rows are held out once, in folds.

    Backbones refuse them before features are computed.

    Raises:
        ConfigError: naming the first thing that does not go together with them.
    """
    if config.members == 1:
        return

    def refused(where: str, why: str) -> ConfigError:
        return ConfigError(f"members must be 1 {where}; got {config.members}. {why}")

    only = "Only conv nets are trained as an ensemble."
    if overrides.network is not None:
        raise refused("with a custom network", f"{only} Try training it once per seed.")
    if len(rows.shape) == 1:
        raise refused(
            f"for a table (network {config.network!r})",
            "There the network 'auto' answers with the mean of the models of all folds. Try network='auto', and "
            "omitting members.",
        )
    if config.network not in ("auto", "conv"):
        raise refused(f"with the network {config.network!r}", f"{only} Try network='conv'.")
    if config.engine not in ("auto", "torch"):
        raise refused(f"with the engine {config.engine!r}", f"{only} They are trained by torch. Try omitting engine.")
    if overrides.start is not None:
        raise refused(
            "with init_from", "Members that begin with the same parameters differ little. Try omitting one of the two."
        )
    if config.head not in ("softmax", "identity"):
        raise refused(
            f"with the head {config.head!r}", "The mean is one of probabilities by softmax. Try head='softmax'."
        )
    if folds:
        raise refused(
            f"with fewer than {SMALL:,} training images and no val part",
            "Each of the five folds would be trained as often. Try a val part, more images, or omitting members.",
        )


def _refuse_without_memory(
    plan: Plan, config: RunConfig, shape: tuple[int, ...], n_outputs: int, held_out: int
) -> None:
    """Refuse more members than fit into memory: the parameters of each, and its features of the held-out rows."""
    from likely.networks.convnet import ConvNet

    assert isinstance(plan.network, ConvNet)
    height, width = (config.pad_to or side for side in shape[:2])
    image = (*shape[2:], height, width) if len(shape) > 2 else (1, height, width)
    numbers = sum(map(math.prod, plan.network.shapes(n_outputs, image).values()))
    each = _COPIES * 4 * (numbers + held_out * sum(plan.network.n_features(image)))
    count, free = config.members, free_memory()
    if count * each > free:
        fit = free // each
        way_out = f"Try members={fit}" if fit > 1 else "Try omitting members"
        raise ConfigError(
            f"members must fit into memory; got {count:,}, which take about {count * each / 2**30:,.1f} GiB where "
            f"{free / 2**30:,.1f} GiB are free. Each has its parameters, and its features of {held_out:,} held-out "
            f"images. {way_out}, or a machine with more memory."
        )
