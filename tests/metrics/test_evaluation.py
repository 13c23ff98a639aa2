"""An evaluation as a value: to JSON and back, in this version and the first, and one table for all its figures."""

import dataclasses
import json
import math

import numpy as np
import pytest

from likely.metrics import Estimate
from likely.metrics.catalog import FIGURES
from likely.metrics.classification import evaluate_classification
from likely.metrics.evaluation import (
    AbstentionFigures,
    EmptySets,
    Evaluation,
    FalseAlarms,
    Range,
    RiskCurve,
    Seen,
    Selective,
    SetFigures,
)
from likely.metrics.events import evaluate_event
from likely.metrics.regression import evaluate_regression

FIGURE = Estimate(0.5, 0.25, 0.75)


def _everything() -> Evaluation:
    rng = np.random.default_rng(0)
    probs, labels = rng.dirichlet(np.ones(3), size=60), rng.integers(2, size=60)
    return dataclasses.replace(
        evaluate_classification(probs, labels, ["a", "b", "never"]),
        selective=Selective(0.1, {0.8: 0.05, 0.9: 0.07}, RiskCurve((0.5, 1.0), (0.0, 0.1))),
        sets=(SetFigures(0.9, Range(0.85, 0.95), FIGURE, FIGURE, (0, 50, 10), EmptySets(0.1, FIGURE)),),
        abstention=(AbstentionFigures(0.01, 0.98, FIGURE, Estimate(math.nan, math.nan, math.nan)),),
        familiarity=FalseAlarms(0.01, FIGURE),
        events={"first": evaluate_event(probs[:, 0], labels == 0, ("a",))},
        seen=Seen(60, None),
    )


@pytest.mark.parametrize(
    "found",
    [
        _everything(),
        evaluate_regression(np.arange(9.0), np.arange(9.0)[::-1], np.full(9, -1.0), np.full(9, 5.0)),
        Evaluation(n=2, seen=Seen(1, Evaluation(n=1, accuracy=FIGURE))),
    ],
    ids=["classification", "regression", "seen"],
)
def test_json_and_back_is_the_same(found: Evaluation) -> None:
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    again = Evaluation.from_json(document)
    assert again.to_json() == found.to_json() == document
    assert repr(again) == repr(found)


def test_what_does_not_apply_is_left_out_and_what_is_none_is_null() -> None:
    assert Evaluation(n=3, outside_range=0, seen=Seen(3, None)).to_json() == {
        "n": 3,
        "outside_range": 0,
        "seen": {"n": 3, "without": None},
    }
    document = _everything().to_json()
    assert document["per_class"][2] == {
        "label": "never",
        "precision": 0.0,
        "recall": None,
        "f1": 0.0,
        "support": 0,
        "too_few": True,
    }
    assert document["selective"]["error_at"] == {"0.8": 0.05, "0.9": 0.07}
    assert document["abstention"][0]["error"] == {"value": None, "low": None, "high": None}


def test_figures_of_the_first_version_are_read() -> None:
    figure = FIGURE.to_json()
    event = {"labels": ["a"], "n": 4, **dict.fromkeys(("frequency", "nll", "brier", "ece", "ece_floor"), figure)}
    sets = {"coverage": 0.9, "expected": {"low": 0.8, "high": 1.0}, "covered": figure, "size": figure, "sizes": [0, 4]}
    found = Evaluation.from_json({"n": 4, "ece": figure, "events": {"e": event}, "sets": [sets], "set size": figure})
    assert found.ece == FIGURE
    assert found.events["e"].calibration_p is None
    assert found.sets[0].empty is None
    assert [figure.name for figure, _ in found.figures()] == ["ece"]


def test_every_figure_of_an_evaluation_stands_in_the_table_in_its_order() -> None:
    fields = [field.name for field in dataclasses.fields(Evaluation)]
    first, last = fields.index("accuracy"), fields.index("coverage")
    assert list(FIGURES)[: last - first + 1] == fields[first : last + 1]
    assert {figure.better for figure in FIGURES.values()} == {"lower", "higher"}
