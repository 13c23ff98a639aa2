"""Dated tables on the command line: the latest rows as the test part, and rows that are later than all others."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from typer.testing import Result

from likely.model import read_card

Likely: TypeAlias = Callable[..., Result]


DATED = "when,a,label\n" + "".join(
    f"2024-{1 + i // 28 % 12:02}-{1 + i % 28:02},{(-1) ** i * (1 + i % 5)},{'up' if i % 2 else 'down'}\n"
    for i in range(200)
)


def test_the_latest_rows_are_the_test_part_and_the_report_says_so(likely: Likely, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(DATED, encoding="utf-8")
    out = tmp_path / "r"
    done = likely("fit", tmp_path / "t.csv", "--network", "linear", "--test-last", "when", "--out", out)
    assert done.exit_code == 0, done.output
    assert "the latest by column 'when'" in done.stderr
    assert "On the latest rows by when, which training never saw" in done.stdout
    assert read_card(out).data.test_last == "when"
    assert "The test rows are the latest by column" in (out / "report.html").read_text(encoding="utf-8")
    assert "--test-last when" in read_card(out).training.command
    # The same rows again.
    figures = json.loads(likely("evaluate", out, tmp_path / "t.csv", "--json").stdout)
    assert figures == json.loads((out / "metrics.json").read_text(encoding="utf-8"))


def test_fit_names_what_looks_like_a_time_and_predict_what_lies_beyond(likely: Likely, tmp_path: Path) -> None:
    rows = [(1_700_000_000 + 977 * i * i, (-1) ** i * (1 + i % 5), "up" if i % 2 else "down") for i in range(200)]
    (tmp_path / "t.csv").write_text("t,a,label\n" + "".join(f"{t},{a},{y}\n" for t, a, y in rows), encoding="utf-8")
    (tmp_path / "new.csv").write_text("t,a\n1700000100,1\n1800000000,-1\n1900000000,2\n", encoding="utf-8")
    done = likely("fit", tmp_path / "t.csv", "--network", "linear", "--out", tmp_path / "r")
    assert (
        "Column 't' counts seconds since 1970: rows to hold out and to evaluate on are drawn at random" in done.stderr
    )
    answered = likely("predict", tmp_path / "r", tmp_path / "new.csv")
    assert "Column 't' is later than all training rows in 2 of 3 rows" in answered.stderr
    again = likely("evaluate", tmp_path / "r", tmp_path / "t.csv", "--part", "train")
    assert "later than all training rows" not in again.stderr
