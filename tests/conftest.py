"""Models that several tests ask: trained once, on real data, quickly."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from likely.config import RunConfig
from likely.data.dataset import Dataset
from likely.data.sources import open_dataset
from likely.training.fit import Run, fit

# What JAX compiles for one test, others load; workers of one run share it.
_COMPILED = tempfile.TemporaryDirectory(prefix="likely-jax-")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", _COMPILED.name)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

# What holds must hold on a busy machine, too.
settings.register_profile("likely", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("likely")


@pytest.fixture(scope="session")
def fashion() -> Dataset:
    """The real Fashion-MNIST."""
    return open_dataset("fashion-mnist")


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A linear network on digits."""
    return fit(
        RunConfig(data="digits", network="linear", epochs=10, out=str(tmp_path_factory.mktemp("digits") / "run"))
    )


@pytest.fixture(scope="session")
def conv_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A conv net on digits, with few epochs."""
    return fit(RunConfig(data="digits", epochs=3, out=str(tmp_path_factory.mktemp("conv") / "run")))


@pytest.fixture(scope="session")
def model_path(digits_run: Run) -> Path:
    """The file of the linear model."""
    return digits_run.folder / "model.likely"
