"""What a notebook shows, in a real kernel."""

import io
from dataclasses import replace
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline

import likely
from likely.estimators.progress_bar import LineBar, watcher
from likely.training.loop.descent import Record
from likely.training.watcher import MonotonicProgress, of_all_runs

CELLS = """
import likely
from sklearn.datasets import load_iris
X, y = load_iris(return_X_y=True)
clf = likely.Classifier(network="linear", random_state=0)
clf
---
_ = clf.fit(X, y)
---
clf
---
clf.distribution(X[:2])
---
likely.Classifier(network="linear", random_state=0, verbose=False).fit(X, y).predictor_
"""


@pytest.fixture(scope="module")
def shown() -> list[list[dict[str, Any]]]:
    """The outputs of each cell."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell.strip()) for cell in CELLS.split("---")])
    kernel = NotebookClient(
        notebook, timeout=120, kernel_name="python3", extra_arguments=["--IPKernelApp.ip=127.0.0.1"]
    )
    kernel.execute()
    return [cell.outputs for cell in notebook.cells]


def html(outputs: list[dict[str, Any]]) -> str:
    return "".join(output["data"]["text/html"] for output in outputs if "data" in output)


def test_an_unfitted_estimator_is_scikit_learns_diagram(shown: Any) -> None:
    assert "sk-container" in html(shown[0])


def test_fit_shows_one_bar_which_ends_full(shown: Any) -> None:
    # Without ipywidgets it is a line that is written over.
    assert {(output.output_type, output.get("name")) for output in shown[1]} == {("stream", "stderr")}
    lines = "".join(output["text"] for output in shown[1]).strip().split("\n")
    assert len(lines) == 1
    last = lines[0].split("\r")[-1]
    assert last.startswith("100%")
    assert "loss" in last


def test_a_fitted_classifier_is_its_card(shown: Any) -> None:
    for outputs in (shown[2], shown[4]):
        assert "P(label | x) over 3 labels" in html(outputs)
        assert "temperature" in html(outputs)
        assert "sk-container" not in html(outputs)


def test_a_distribution_is_bars(shown: Any) -> None:
    assert html(shown[3]).count("steelblue") == 6


def test_verbose_false_shows_nothing(shown: Any) -> None:
    assert len(shown[4]) == 1


def test_names_are_escaped() -> None:
    X, y = load_iris(return_X_y=True)
    names = np.array(["<script>", "b & c", "d"])
    clf = likely.Classifier(network="linear", epochs=1, random_state=0).fit(X, names[y])
    for text in (clf.predictor_._repr_html_(), clf._repr_html_(), clf.distribution(X[:1])._repr_html_()):
        assert "<script>" not in text
        assert "&lt;script&gt;" in text


def test_pipelines_keep_their_diagram() -> None:
    X, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(likely.Classifier(network="linear", epochs=1, random_state=0)).fit(X, y)
    assert "sk-container" in pipeline._repr_html_()


def test_outside_a_notebook_fit_is_silent_unless_asked(capsys: pytest.CaptureFixture[str]) -> None:
    X, y = load_iris(return_X_y=True)
    likely.Classifier(network="linear", epochs=1, random_state=0).fit(X, y)
    assert capsys.readouterr() == ("", "")
    likely.Regressor(network="linear", epochs=1, random_state=0, verbose=True).fit(X, y)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Fold 1 of 5: training without 30 rows" in err
    assert type(watcher("auto")).__name__ == "Silent"


def record(progress: float, epoch: float) -> Record:
    return Record(1, epoch, progress, 0.5, 1e-3, 1.0, 100.0, 2.0 * (1 - progress), {"accuracy": 0.9, "nll": 0.25})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_one_line_that_is_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    terminal = Terminal()
    bar = LineBar(terminal)
    bar.record(record(0.5, 1.0))
    bar.record(record(1.0, 2.0))
    lines = terminal.getvalue().split("\r")
    assert lines[1].startswith("[###############...............] Training  epoch 1.0")
    assert lines[2].startswith("[##############################] Training  epoch 2.0")
    assert "done in 1.0 s" in lines[2]
    assert lines[2].endswith("\n")


@pytest.mark.parametrize("columns", [20, 60, 80, 132])
def test_a_line_is_never_longer_than_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    terminal = Terminal()
    bar = LineBar(terminal)
    bar.record(record(0.5, 1.0), "Fold 3 of 5")
    bar.record(record(1.0, 2.0))
    lines = terminal.getvalue().replace("\n", "").split("\r")[1:]
    assert all(0 < len(line) < columns for line in lines)


def test_a_cross_validation_is_one_course_from_0_to_1() -> None:
    progress_so_far, shares = MonotonicProgress(), []
    for fold in range(1, 6):
        for progress in (0.3, 1.0):
            share, held_out = progress_so_far(of_all_runs(record(progress, 1.0), fold, 6), f"Fold {fold} of 5")
            shares.append(share)
            assert held_out == {"accuracy": 0.9, "nll": 0.25}
    last = [replace(record(progress, 1.0), held_out=None) for progress in (0.1, 0.4)]
    last.append(replace(last[-1], seconds_left=0.0))  # it ends where the folds said that it should
    for entry in last:
        share, held_out = progress_so_far(entry, "")
        shares.append(share)
        assert held_out is None  # it has no rows held out
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert shares[-2] < 1.0


def test_a_file_gets_a_line_per_epoch() -> None:
    file = io.StringIO()
    bar = LineBar(file)
    for epoch in (0.5, 0.9, 1.0, 1.2, 2.0):
        bar.record(record(epoch / 2, epoch))
    assert file.getvalue().count("\n") == 3
    assert "\r" not in file.getvalue()
