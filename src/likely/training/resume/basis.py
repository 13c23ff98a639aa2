"""What a run rests on: its data, its settings, and all of the machine that its bits depend on."""

import hashlib
import json
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from likely.config import RunConfig
from likely.config.processors import usable_cores
from likely.data.dataset import Dataset, Part
from likely.errors import ConfigError, DataError, ModelFileError
from likely.preprocessing.stored_rows import pieces
from likely.training.loop.by_clock import Lengths
from likely.training.plan import Overrides
from likely.training.provenance import hardware, versions
from likely.training.resume.call import key_of
from likely.training.resume.journal import Basis, Journal, read_basis

_OF_THE_FOLDER = ("out", "overwrite", "checkpoint_every")
"""Settings that no result depends on."""
_OF_ARITHMETIC = (
    "ATEN_CPU_CAPABILITY",
    "CUBLAS_WORKSPACE_CONFIG",
    "MKL_ENABLE_INSTRUCTIONS",
    "MKL_NUM_THREADS",
    "NPY_DISABLE_CPU_FEATURES",
    "ONEDNN_MAX_CPU_ISA",
    "OMP_NUM_THREADS",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_NUM_THREADS",
    "XLA_FLAGS",
)
"""Variables of the environment that choose instructions or threads."""


@dataclass(frozen=True)
class Resumption:
    """Where the checkpoints of a run are kept.

    Args:
        folder: where.
        resume: whether the run goes on from those that are there.
        anyway: even if it began in another environment.
    """

    folder: Path
    resume: bool = False
    anyway: bool = False


def settings_of(folder: Path) -> dict[str, Any]:
    """The settings of the training whose checkpoints are in this folder; none where there are none."""
    settings = (read_basis(folder) or {"settings": {}})["settings"]
    try:
        return {name: json.loads(value) for name, value in settings.items() if name in RunConfig.model_fields}
    except ValueError as error:
        raise ModelFileError(
            f"The checkpoints in {folder} must tell the settings of their run; got {error}. Another program "
            "wrote them. Try to remove them."
        ) from error


def basis_of(
    dataset: Dataset,
    config: RunConfig,
    overrides: Overrides,
    targets: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    lengths: Lengths | None = None,
) -> Basis:
    """What the run rests on, by kind ("data", "settings", "environment") and name."""
    data = {f"{name} part": _hash_of(part) for name, part in dataset.parts.items()}
    data["labels and columns"] = key_of(dataset.labels, dataset.columns, dataset.features, dataset.task)
    data["label distributions"], data["weights"] = key_of(targets), key_of(weights)
    own = {f"the user's {name}": key_of(getattr(overrides, name)) for name in vars(overrides)}
    repeated = {} if lengths is None else {"repeat": key_of(lengths)}
    return {"data": data, "settings": _texts(config) | own | repeated, "environment": _environment()}


def refuse_other_settings(folder: Path, before: RunConfig, now: RunConfig) -> None:
    """Refuse settings that are not those of the run in the folder, but for those that no result depends on.

    Raises:
        ConfigError: naming the first one that differs.
    """
    _refuse_other(folder, _texts(before), _texts(now))


def _texts(config: RunConfig) -> dict[str, str]:
    return {name: json.dumps(value) for name, value in config.to_json().items() if name not in _OF_THE_FOLDER}


def _refuse_other(folder: Path, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    for name in _differing(before, now)[:1]:
        was, given = before.get(name, "nothing"), now.get(name, "nothing")
        raise ConfigError(
            f"The settings must be those that the run in {folder} began with; got {name}={given}, which was {was}. "
            "Try without that setting, or a new run."
        )


def journal_of(
    how: Resumption | None,
    every: float | None,
    basis: Callable[[], Basis],
    say: Callable[[str], None],
    lengths: Lengths | None = None,
) -> Journal:
    """The journal of a run; what is there is taken up where it is to be resumed, if it rests on the same.

    In another environment the result would be as good, but not the same to the last bit.

    Raises:
        DataError: if the data are not those that the run began with.
        ConfigError: if the settings are not, or the environment.
    """
    if how is None:
        return Journal(lengths=lengths)
    folder, before = how.folder, read_basis(how.folder) if how.resume else None
    if before is None:
        return Journal(folder, every, basis, warn=say, lengths=lengths)
    now = basis()
    data, environment = (_differing(before[kind], now[kind]) for kind in ("data", "environment"))
    if data:
        raise DataError(
            f"The data must be those that the run in {folder} began with; got another {data[0]}. What it has learned "
            "so far came of the others. Try the same data, or start anew without resuming."
        )
    _refuse_other(folder, before["settings"], now["settings"])
    if environment and not how.anyway:
        changes = (
            f"{name} {before['environment'].get(name)}, now {now['environment'].get(name)}" for name in environment
        )
        raise ConfigError(
            f"A run must go on where it began, to come to the same bits; got another environment: {'; '.join(changes)}."
            " Try the former one, or --resume-anyway (resume_anyway=True) for a result as good, but not the same."
        )
    journal = Journal(folder, every, lambda: now, resume=True, warn=say, lengths=lengths)
    say(f"Going on with the run in {folder}: {journal}")
    return journal


def _differing(before: Any, now: Any) -> list[str]:
    return [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]


def _hash_of(part: Part) -> str:
    found = hashlib.sha256()
    for piece in pieces(part.X):
        found.update(np.ascontiguousarray(piece).tobytes())
    return f"{len(part):,} rows, {key_of(str(part.X.dtype), part.y, part.groups, found.hexdigest())}"


def _environment() -> dict[str, str]:
    chosen = {name: os.environ[name] for name in _OF_ARITHMETIC if name in os.environ}
    features: Any = getattr(getattr(np, "_core", None), "_multiarray_umath", None)
    enabled = sorted(name for name, on in getattr(features, "__cpu_features__", {}).items() if on)
    return {
        **versions(),
        **chosen,
        "processor": hardware()["cpu"],
        "machine": platform.machine(),
        "instructions": " ".join(enabled),
        "processors": str(usable_cores()),
    }
