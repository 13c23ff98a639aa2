"""Where a model comes from: its card, with versions and hardware."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from likely.config import RunConfig
from likely.config.registry import LOSSES
from likely.data.dataset import Dataset, without_folders
from likely.data.time_order import time_like
from likely.engines.protocol import Optimizer
from likely.model.card import Card, DataEntry, NetworkEntry, TrainingEntry
from likely.model.stand_ins import StandIns
from likely.networks.custom import name_of
from likely.preprocessing.columns import Column
from likely.preprocessing.stored_rows import RowArray
from likely.training.held_out_scores import TrainingOutcome
from likely.training.task import Calibrated
from likely.training.trained import Trained
from likely.training.training_rows import Rows


def make_card(
    dataset: Dataset, config: RunConfig, outcome: TrainingOutcome, calibrated: Calibrated, command: str, rows: Rows
) -> Card:
    """The card of a network that has just been trained, still without test figures."""
    trained, splits, calibration = outcome.trained, outcome.splits, calibrated.calibration
    plan, last = trained.plan, trained.history[-1] if trained.history else None
    card = Card(
        task=dataset.task,
        labels=dataset.labels,
        label_type=dataset.label_type,
        features=dataset.features,
        network=NetworkEntry(
            name=plan.network.name,
            settings=plan.network.settings,
            parameters=trained.engine.n_parameters,
            outputs=len(trained.target_mean),
        ),
        head=plan.head,
        loss=LOSSES.named(plan.loss).name,
        normalization=rows.from_stored(trained.inference.preprocessor).to_json(),
        conversion=dataset.conversion,
        hflip=plan.hflip,
        tta_threshold=plan.tta_threshold,
        temperature=None if calibration is None else calibration.temperature,
        biases=None if calibration is None or calibration.biases is None else tuple(calibration.biases.tolist()),
        events=config.events,
        unseen={label: float(p) for label, p in zip(dataset.labels, trained.stated, strict=False) if p > 0},
        class_weight=None if rows.class_weight is None else tuple(rows.class_weight.tolist()),
        data=DataEntry(
            name=without_folders(dataset.name),
            sha256=dataset.sha256,
            found_at=without_folders(dataset.found_at),
            rows=len(dataset.train),
            label=dataset.label,
            label_reading=None if dataset.label_reading is None else dataset.label_reading.to_json(),
            image=dataset.image,
            test_last=dataset.test_last,
            latest=_latest(dataset),
            group=dataset.group,
            group_by_folder=dataset.group_by_folder,
            left_out=dataset.left_out,
            equal_by_chance=dataset.equal_by_chance,
            notes=tuple(note.replace(dataset.found_at, without_folders(dataset.found_at)) for note in dataset.notes),
        ),
        splits=splits.model_copy(
            update={
                "test": 0 if dataset.test is None else len(dataset.test),
                "groups": 0 if rows.groups is None else rows.n_groups,
            }
        ),
        training=TrainingEntry(
            seed=config.seed,
            epochs=trained.passes,
            steps=last.step if last else 0,
            seconds=round(last.seconds, 3) if last else 0,
            stopped=trained.stopped,
            preset=config.preset,
            engine="closed form" if plan.exact else plan.engine,
            dtype=config.dtype,
            precision=trained.engine.precision,
            device=trained.engine.device,
            threads=trained.engine.threads,
            optimizer=_optimizer(trained),
            penalty=trained.penalty,
            learning_rate=1.0 if trained.penalty is not None else plan.learning_rate or 0.0,
            batch_size=splits.train
            if trained.penalty is not None or trained.engine.name == "trees"
            else plan.batch_size,
            augment=(
                *(("hflip",) if plan.hflip or plan.flipped else ()),
                *(part if isinstance(part, str) else name_of(part) for part in plan.augment),
            ),
            init_from=None if plan.start is None else plan.start.path,
            freeze=plan.freeze,
            command=command,
        ),
        held_out=calibrated.figures,
        versions=versions(),
        hardware=hardware(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return card.model_copy(update=rows.task.card_entries(trained, rows.Y, rows.weights))


def stand_in_arrays(dataset: Dataset, X: RowArray) -> dict[str, np.ndarray]:
    """What stands in for values that are missing in new rows only, for a model file; X: the rows trained on."""
    columns = dataset.columns
    if columns is None and dataset.features is not None:
        columns = tuple(Column(name) for name in dataset.features)
    return {} if columns is None or X.ndim != 2 else StandIns.fit(np.asarray(X), columns).arrays()


def _latest(dataset: Dataset) -> dict[str, float]:
    """The greatest number of each column of a table that looks like a time, or that tells which rows are later."""
    if dataset.columns is None:
        return {}
    X = np.asarray(dataset.train.X)
    return {
        column.name: float(np.nanmax(X[:, j]))
        for j, column in enumerate(dataset.columns)
        if column.categories is None and (column.name == dataset.test_last or time_like(X[:, j]))
    }


def _optimizer(trained: Trained) -> str:
    """What lowered the loss, by name."""
    if trained.penalty is not None:
        return "l-bfgs"
    if trained.engine.name == "trees":
        return "gradient boosting"
    rule = trained.plan.optimizer
    return rule.name if isinstance(rule, Optimizer) else name_of(rule)


def hardware() -> dict[str, Any]:
    """The processor, its cores and the operating system; no name that tells one machine from others."""
    return {"cpu": _cpu(), "cores": os.cpu_count(), "system": f"{platform.system()} {platform.machine()}"}


def versions() -> dict[str, str]:
    """Of Python and of the packages that compute."""
    found = {"python": platform.python_version()}
    for package in ("likely", "torch", "numpy", "scikit-learn", "jax", "onnxruntime"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
