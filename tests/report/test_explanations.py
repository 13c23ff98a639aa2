"""Why, and which columns matter, on the page of a run."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from likely.config import RunConfig
from likely.report.run_report import report_run
from likely.training.fit import Run, fit


def sections(page: str) -> dict[str, str]:
    """The text of each section by its id."""
    return {part.partition('"')[0]: part for part in page.split('<section id="')[1:]}


def test_at_most_six_images_are_explained_unless_all_are_asked_for(digits_run: Run) -> None:
    usual = sections(report_run(digits_run).read_text())["why"]
    assert 1 <= usual.count('class="why"') <= 6
    assert "This shows what the model looks at, not what is the cause" in usual
    assert usual.count("data:image/png") == 2 * usual.count('class="why"')
    every = sections(report_run(digits_run, explain=True).read_text())["why"]
    assert every.count('class="why"') > 6
    assert report_run(digits_run).read_text().count('class="why"') == usual.count('class="why"')


@pytest.mark.parametrize("label", ["kind", "amount"])
def test_the_columns_of_a_table_that_matter_are_named(tmp_path: Path, label: str) -> None:
    rng, n = np.random.default_rng(0), 400
    size, color = rng.normal(size=n).round(4), rng.choice(["red", "blue"], n)
    amount = (3 * size + (color == "red") + 0.1 * rng.normal(size=n)).round(3)
    frame = pd.DataFrame({"size": size, "twice": 2 * size, "color": color, "noise": rng.normal(size=n)})
    frame[label] = amount if label == "amount" else np.where(amount > 0, "yes", "no")
    frame.to_csv(tmp_path / "table.csv", index=False)
    run = fit(
        RunConfig(
            data=str(tmp_path / "table.csv"), label=label, network="linear", test_share=0.2, out=str(tmp_path / "run")
        )
    )
    page = sections(report_run(run).read_text())
    loss = "NLL" if label == "kind" else "mean absolute error"
    assert (
        f"The model relies most on size and twice: shuffling them among the test rows raises the {loss}"
        in (page["importance"])
    )
    assert "not what causes the answer" in page["importance"]
    assert page["importance"].index("size and twice") < page["importance"].index(">color<")
    assert 3 <= page["why"].count('class="why"') <= 6
    assert "size and twice = " in page["why"]
