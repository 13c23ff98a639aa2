"""That a training will take hours is said at its start, once, as an estimate."""

from dataclasses import replace
from typing import Any

import pytest

import likely.training.hours_ahead as hours_ahead
from likely.config import RunConfig
from likely.data.sources import open_dataset
from likely.training.fit import learn
from likely.training.hours_ahead import HoursAhead
from likely.training.loop.descent import Record
from likely.training.watcher import Silent, of_all_runs

FIRST = Record(10, 0.05, 0.001, 2.3, 1e-3, 8.0, 320.0, 4 * 3600.0)


class Told(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)


def said(*records: Record, **settings: Any) -> list[str]:
    told = Told()
    ahead = HoursAhead(told, RunConfig(data="digits", **settings))
    for record in records:
        ahead.record(record)
    return told.said


def test_hours_are_said_once_with_what_is_shorter() -> None:
    [sentence] = said(replace(FIRST, seconds=0.3), FIRST, replace(FIRST, seconds=16.0), preset="best")
    assert "take about 4 h 0 min on this machine, an estimate from its first 8.0 s; --preset fast or" in sentence
    [sentence] = said(of_all_runs(FIRST, 1, 3))
    assert "about 12 h 0 min" in sentence
    assert "preset" not in sentence


def test_nothing_is_said_of_less_than_an_hour_or_under_a_limit() -> None:
    assert said(replace(FIRST, seconds_left=3000.0), FIRST) == []
    assert said(FIRST, time_limit=8 * 3600.0) == []


def test_a_run_says_it_before_its_second_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hours_ahead, "_MEASURED", 0.0)
    monkeypatch.setattr(hours_ahead, "_LONG", 0.0)
    data, told = open_dataset("digits"), Told()
    few = replace(data, train=data.train.take(range(100)), val=data.train.take(range(100, 200)))
    learn(few, RunConfig(data="digits", network="mlp", epochs=2, preset="best"), told)
    [sentence] = [sentence for sentence in told.said if "This training will take about" in sentence]
    assert "--preset fast" in sentence
