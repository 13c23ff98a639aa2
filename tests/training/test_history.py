"""`history.jsonl` is what docs/history.md says."""

import json
import re
from pathlib import Path

import pytest

from likely.config import RunConfig
from likely.training.fit import fit
from likely.training.loop.descent import Record

DOCUMENTED = dict(
    re.findall(r"^\| `(\w+)` \| ([\w ]+) \|", Path("docs/history.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
)
TYPES = {"integer": (int,), "number": (int, float), "object or null": (dict, type(None))}


def test_every_field_is_documented() -> None:
    assert list(DOCUMENTED) == list(Record.__dataclass_fields__)


@pytest.mark.parametrize(("data", "figures"), [("digits", {"accuracy", "nll"}), ("diabetes", {"mse"})])
def test_every_line_of_a_run_keeps_to_the_schema(data: str, figures: set[str], tmp_path: Path) -> None:
    run = fit(RunConfig(data=data, network="mlp", epochs=2, out=str(tmp_path / "run")))
    lines = [json.loads(line) for line in (run.folder / "history.jsonl").read_text().splitlines()]
    assert lines
    for line in lines:
        assert list(line) == list(DOCUMENTED)
        for name, value in line.items():
            assert isinstance(value, TYPES[DOCUMENTED[name]])
            assert not isinstance(value, bool)
        assert line["held_out"] is None or set(line["held_out"]) == figures
        assert 0 < line["progress"] <= 1
        assert min(line["seconds"], line["seconds_left"]) >= 0
    steps = [line["step"] for line in lines]
    assert steps == sorted(set(steps))
    assert lines[-1]["seconds_left"] == 0
