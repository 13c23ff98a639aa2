"""Labels, columns, values and events that a model file could not store are refused before anything is learned."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from likely import Classifier
from likely.config import RunConfig
from likely.data.check import check_source
from likely.data.sources import open_dataset
from likely.errors import ConfigError, DataError
from likely.training.fit import fit

ODD = os.fsdecode(b"h\xf4t")
X = np.arange(40.0).reshape(20, 2)
Y = ["a", "b"] * 10
OBJECTS = np.array([["q", 1.0], ["r", 2.0]] * 10, dtype=object)


@pytest.mark.parametrize(
    ("rows", "labels", "events", "what"),
    [
        (X, [ODD, "b"] * 10, None, "A label"),
        (X, Y, {ODD: ["a"]}, "The name of an event"),
        (pd.DataFrame(OBJECTS, columns=pd.Index(["x", ODD], dtype=object)), Y, None, "The name of a column"),
        (np.array([["q", 1.0], [ODD, 2.0]] * 10, dtype=object), Y, None, "Every value of column 'x0'"),
    ],
)
def test_estimators_refuse_it(rows: Any, labels: list[str], events: Any, what: str) -> None:
    with pytest.raises((DataError, ConfigError), match=rf"{what} must be text that UTF-8 can store; got 'h.udcf4t'"):
        Classifier(network="linear", events=events).fit(rows, labels)


def test_check_and_fit_refuse_it_alike(tmp_path: Path) -> None:
    path = tmp_path / "rows.npz"
    np.savez(path, X=X, y=np.array([ODD, "b"] * 10))
    with pytest.raises(DataError, match="A label must be text"):
        open_dataset(path)
    [finding] = check_source(str(path)).findings
    assert (finding.severity, "A label must be text" in finding.message) == ("error", True)
    with pytest.raises(DataError, match="A label must be text"):
        fit(RunConfig(data=str(path), network="linear"))
