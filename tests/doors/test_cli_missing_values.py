"""Values that are missing in new rows only: `predict` and `evaluate` answer, and say so once with the count."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from likely.errors import GuaranteeWarning
from likely.model import load

N = 300


def rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"size": rng.normal(size=N).round(3), "town": rng.choice(["Oslo", "Rome", "Turin"], N)})
    cost = 3 * frame["size"] + (frame["town"] == "Rome") + rng.normal(size=N) / 2
    return frame.assign(label=np.where(cost > 0.3, "yes", "no"), cost=cost.round(4))


@pytest.fixture(scope="module")
def runs(likely: Callable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for name, target in (("classes", "label"), ("numbers", "cost")):
        rows()[["size", "town", target]].to_csv(folder / f"{name}.csv", index=False)
        args = ("--label", target, "--network", "linear", "--out", folder / name)
        assert likely("fit", folder / f"{name}.csv", *args).exit_code == 0
    frame = rows().head(20)
    frame.loc[[1, 3], "town"] = None
    frame.loc[5, "size"] = np.nan
    frame.to_csv(folder / "new.csv", index=False)
    return folder


def test_rows_are_answered_without_a_guarantee_and_that_is_said_once(likely: Callable, runs: Path) -> None:
    result = likely("predict", runs / "classes", runs / "new.csv", "--json")
    assert result.exit_code == 0
    assert result.stderr.count("'town' has no known value in 2 of 20 rows") == 1
    assert result.stderr.count("'size' has no known value in 1 of 20 rows") == 1
    answers = json.loads(result.stdout)
    for row, answer in enumerate(answers):
        assert (answer["set"] is None) == (answer["familiarity"] is None) == (row in (1, 3, 5))
        assert ("nothing is guaranteed" in str(answer.get("missing", {}).get("set"))) == (row in (1, 3, 5))
    with pytest.warns(GuaranteeWarning):
        probs = load(runs / "classes").predict_proba(pd.read_csv(runs / "new.csv"))
    np.testing.assert_allclose([list(answer["probabilities"].values()) for answer in answers], probs, rtol=1e-5)
    assert likely("predict", runs / "classes", runs / "new.csv").stdout.count("a value is missing: no guarantee") == 3
    csv = likely("predict", runs / "classes", runs / "new.csv", "--csv").stdout.splitlines()
    assert csv[2].startswith(f"1,{answers[1]['label']},{answers[1]['probability']!r},,,,")


def test_intervals_are_left_out(likely: Callable, runs: Path) -> None:
    answers = json.loads(likely("predict", runs / "numbers", runs / "new.csv", "--json").stdout)
    for row, answer in enumerate(answers):
        assert (answer["low"] is None) == (answer["high"] is None) == (row in (1, 3, 5))
        assert np.isfinite(answer["prediction"])
    assert "no guarantee" in likely("predict", runs / "numbers", runs / "new.csv").stdout.splitlines()[5]


@pytest.mark.parametrize("run", ["classes", "numbers"])
def test_figures_count_the_rows(likely: Callable, runs: Path, run: str) -> None:
    label = ("--label", "label" if run == "classes" else "cost")
    result = likely("evaluate", runs / run, runs / "new.csv", *label, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["n"] == 20
    assert result.stderr.count("'town' has no known value in 2 of 20 rows") == 1


def test_as_many_rows_as_training_had_may_have_gaps_too(likely: Callable, runs: Path) -> None:
    frame = rows()
    frame.loc[7, "size"] = np.nan
    frame.to_csv(runs / "as_many.csv", index=False)
    result = likely("evaluate", runs / "classes", runs / "as_many.csv", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["n"] == N
    assert result.stderr.count("'size' has no known value in 1 of 300 rows") == 1


def test_comparing_says_it_of_both_models(likely: Callable, runs: Path) -> None:
    result = likely("compare", runs / "classes", runs / "classes", runs / "new.csv", "--json")
    assert result.exit_code == 0, result.stderr
    for which in ("first", "second"):
        assert result.stderr.count(f"The {which} model: Column 'town' has no known value in 2 of 20 rows") == 1
