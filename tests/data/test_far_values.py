"""A number that lies too far from all others is refused before training, by row and column."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from likely import Classifier, Regressor
from likely.cli.app import app
from likely.data.dataset import Dataset, Part
from likely.data.far_values import first_far, refuse_far
from likely.errors import DataError

RNG = np.random.default_rng(5)
X = RNG.normal(size=(300, 3))
Y = (X[:, 0] + X[:, 1] > 0).astype(int)
T = X @ [1.0, 2.0, 3.0]


@pytest.mark.parametrize("huge", [1e300, -1e300, 1e30, 1e18])
def test_features_are_refused_by_row_and_column(huge):
    rows = X.copy()
    rows[3, 1] = huge
    for make, y in ((Classifier, Y), (Regressor, T)):
        with pytest.raises(DataError, match=r"in column 1 at row 3\b"):
            make(network="linear").fit(rows, y)
    with pytest.raises(DataError, match=r"in column 'b' at row 3\b"):
        Classifier(network="linear").fit(pd.DataFrame(rows, columns=["a", "b", "c"]), Y)


def test_features_in_single_precision_are_refused():
    rows = X.astype(np.float32)
    rows[7, 2] = 1e30
    with pytest.raises(DataError, match=r"column 2 at row 7\b"):
        Classifier(network="linear").fit(rows, Y)


@pytest.mark.parametrize("huge", [1e300, -1e30])
def test_targets_are_refused_by_row(huge):
    with pytest.raises(DataError, match=r"as a target at row 0\b"):
        Regressor().fit(X, np.r_[huge, T[1:]])
    many = np.column_stack([T, T])
    many[4, 1] = huge
    with pytest.raises(DataError, match=r"in column 1 of the targets at row 4\b"):
        Regressor(network="linear").fit(X, many)


def test_rows_of_weight_zero_are_as_if_not_there():
    rows, weights = X.copy(), np.ones(len(X))
    rows[3, 1], weights[3], weights[0] = 1e300, 0, 0
    Regressor(network="linear").fit(rows, T, sample_weight=weights)
    rows[9, 1] = 1e300
    with pytest.raises(DataError, match=r"at row 9\b"):
        Regressor(network="linear").fit(rows, T, sample_weight=weights)


ACCEPTED = {
    "normal": X[:, 0],
    "nanoseconds": 1.7e18 + 1e9 * np.arange(300.0),
    "nanoseconds, some at 0": np.r_[0.0, -999.0, 1.7e18 + np.arange(298.0)],
    "money": np.exp(10 + 3 * X[:, 0]),
    "lognormal 5": np.exp(5 * X[:, 0]),
    "lognormal 10": np.exp(10 * X[:, 0]),
    "lognormal 30": np.exp(30 * X[:, 0]),
    "p-values": np.exp(-np.abs(100 * X[:, 0])),
    "sentinel": np.r_[-999.0, 1e10, X[2:, 0]],
    "sentinel in a constant": np.r_[1e10, np.zeros(299)],
    "two values": np.where(X[:, 0] > 1.5, 6e23, 0.0),
    "rounding alone": np.r_[1e3, 0.3 + 5e-17 * X[1:, 0]],
    "tiny": 1e-200 * X[:, 0],
    "large": 1e100 * X[:, 0],
    "missing": np.r_[np.nan, X[1:, 0]],
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_columns_that_people_have_are_accepted(name):
    column = ACCEPTED[name][:, None]
    assert first_far(column, column) is None


@pytest.mark.parametrize("name", ["normal", "money", "lognormal 5", "sentinel", "sentinel in a constant", "tiny"])
def test_one_more_value_that_ends_all_others_is_refused(name):
    column = np.r_[ACCEPTED[name], 1e60][:, None]
    assert first_far(column, column) == (300, 0)


def test_a_few_of_them_do_not_hide_each_other():
    column = X[:, :1].copy()
    column[10:60] = 1e300
    column[70] = 1e30
    assert first_far(column, column) == (10, 0)
    column[10:60] = 1e30
    assert first_far(column, column) == (10, 0)


def test_other_parts_are_judged_by_the_training_part():
    far = X[:5].copy()
    far[2, 0] = 1e30
    dataset = Dataset("some", "classification", Part(X, Y), labels=("a", "b"))
    for part in ("val", "test"):
        with pytest.raises(DataError, match=f"The {part} part of some .* column 0 at row 2"):
            refuse_far(replace(dataset, **{part: Part(far, Y[:5])}))


@pytest.mark.parametrize("column", ["b", "label"])
def test_the_command_line_names_row_and_column(tmp_path, column):
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(label=T)
    frame.loc[17, column] = 1e300
    frame.to_csv(tmp_path / "some.csv", index=False)
    out = tmp_path / "run"
    found = CliRunner().invoke(app, ["fit", str(tmp_path / "some.csv"), "--out", str(out), "--network", "linear"])
    assert found.exit_code != 0
    assert not (out / "model.likely").exists()
    error = " ".join((found.output + str(found.exception)).split())
    assert f"1e+300 in column '{column}' at row 17" in error
    assert "mistake" not in error
