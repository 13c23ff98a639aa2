"""Small models of images and tables, and what ONNX Runtime makes of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest

from likely.export.export_onnx import export_onnx
from likely.export.session import Session
from likely.model import Predictor, load

DATA = Path(__file__).parents[1] / "model" / "data"
Exported: TypeAlias = Callable[[Predictor], Session]


@pytest.fixture
def exported(tmp_path: Path) -> Exported:
    """A session with the file that a predictor is exported to."""

    def export(predictor: Predictor) -> Session:
        path = tmp_path / f"model{len(list(tmp_path.iterdir()))}.onnx"
        export_onnx(predictor, path)
        return Session(str(path))

    return export


@pytest.fixture(scope="session")
def conv() -> Predictor:
    """A tiny conv net on digits, which looks twice; its held-out scores come from cross-validation."""
    return load(DATA / "recent_conv.likely")


@pytest.fixture(scope="session")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of digits."""
    from likely.data.sources import open_dataset

    test = open_dataset("digits").test
    assert test is not None
    return test.X, test.y


@pytest.fixture(scope="session")
def calibrated(conv: Any, digits: tuple[np.ndarray, np.ndarray]) -> Predictor:
    """The same whose guarantees rest on rows of their own; with an event, and one that is called like an output."""
    events = {"round": ("0", "6", "8", "9"), "set": ("1", "7")}
    return conv.calibrate(*digits)._changed(events=events)
