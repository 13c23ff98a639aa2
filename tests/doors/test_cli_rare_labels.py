"""Labels of few rows on the command line, and what is said where an answer is missing."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

import likely as library
from likely.errors import DataError, GuaranteeWarning
from likely.model import ClassifierPredictor

Likely = Callable[..., Result]
QUICK = ("--network", "linear", "--epochs", 30)


def write_parts(path: Path, rare: list[str], wrong: int = 12) -> list[int]:
    """300 rows of three kinds that are told apart easily, with wrong labels and rare ones; the rows of both."""
    rng = np.random.default_rng(5)
    kinds = rng.integers(3, size=300)
    points = np.array([[0.0, 0.0], [4.0, 1.0], [8.0, -1.0]])[kinds] + rng.normal(0, 0.5, (300, 2))
    labels = np.array(["a", "b", "c"], dtype=object)[kinds]
    changed = rng.permutation(300)[: wrong + len(rare)]
    for row in changed[:wrong]:
        labels[row] = "abc"[(kinds[row] + 1) % 3]
    labels[changed[wrong:]] = rare
    lines = [f"{x:.2f},{y:.2f},{label}" for (x, y), label in zip(points, labels, strict=True)]
    path.write_text("width,height,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return sorted(changed.tolist())


@pytest.mark.parametrize("rare", [["zz"], ["zz", "zz"], ["y", "zz", "zz", "zz"]])
def test_rare_labels_do_not_stop_the_search_for_wrong_ones(likely: Likely, tmp_path: Path, rare: list[str]) -> None:
    changed = write_parts(tmp_path / "parts.csv", rare)
    result = likely("check", tmp_path / "parts.csv", "--labels", "--json", *QUICK)
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert set(changed) <= {entry["row"] for entry in found}
    assert len(found) <= len(changed) + 12
    single = [label for label in set(rare) if rare.count(label) == 1]
    assert ("Labels with a single row" in result.stderr) == bool(single)
    assert all(repr(label) in result.stderr for label in single)


def test_fit_of_a_table_with_rare_labels_promises_what_it_can(likely: Likely, tmp_path: Path) -> None:
    write_parts(tmp_path / "parts.csv", ["y", "zz", "zz"], wrong=0)
    result = likely("fit", tmp_path / "parts.csv", *QUICK, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.stderr
    assert re.search(r"Temperature \d\.\d+", result.stderr)
    assert "sets hold the truth: 95.0%" in result.stdout
    assert "called unfamiliar" in result.stdout
    model = library.load(tmp_path / "run")
    assert isinstance(model, ClassifierPredictor)
    came = zip(model.card.labels, model.card.class_frequencies, strict=True)
    left = {label for label, share in came if share == 0}
    assert set(model.card.unseen) == left
    for label in left:
        assert repr(label) in result.stderr
        column = list(model.card.labels).index(label)
        probs = model.predict_proba(np.array([[0.0, 0.0], [8.0, -1.0]]))[:, column]
        np.testing.assert_allclose(probs, model.card.unseen[label])


def write_halves(path: Path, n: int) -> Path:
    """Rows of two kinds, as many of each."""
    rng, kinds = np.random.default_rng(n), np.arange(n) % 2
    points = rng.normal(size=(n, 2)) + 4 * kinds[:, None]
    lines = [f"{x:.3f},{y:.3f},{('down', 'up')[kind]}" for (x, y), kind in zip(points, kinds, strict=True)]
    path.write_text("width,height,label\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def few(likely: Likely, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A model of 48 rows: sets at 95%, but never a p-value of 1%."""
    folder = tmp_path_factory.mktemp("few")
    result = likely(
        "fit", write_halves(folder / "halves.csv", 60), "--test-share", "20%", *QUICK, "--out", folder / "run"
    )
    assert result.exit_code == 0, result.stderr
    return folder / "run", result


def test_unfamiliar_that_can_never_be_said_is_told_and_no_figure_is_shown(
    likely: Likely, few: tuple[Path, Result], said: Callable[[str], str]
) -> None:
    run, fitted = few
    never = "No row can be called unfamiliar: with 48 held-out rows"
    assert never in said(fitted.stderr)
    assert "unfamiliar" not in fitted.stdout
    assert "familiarity" not in json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    report = (run / "report.html").read_text(encoding="utf-8")
    assert never in report
    assert "are called unfamiliar" not in report
    # With 99 rows it can be said.
    more = likely("fit", write_halves(run.parent / "more.csv", 124), *QUICK, "--out", run.parent / "more")
    assert "No row can be called unfamiliar" not in said(more.stderr)
    assert "called unfamiliar" in more.stdout


def test_predict_says_why_an_answer_is_missing(
    likely: Likely, few: tuple[Path, Result], tmp_path: Path, said: Callable[[str], str]
) -> None:
    run, _ = few
    model = library.load(run)
    assert isinstance(model, ClassifierPredictor)
    with pytest.raises(DataError, match=r"coverage of 0\.99 must rest on at least 99 held-out rows; got 48"):
        model.predict_set(np.zeros((1, 2)), 0.99)
    table = write_halves(tmp_path / "new.csv", 2)
    refused = likely("predict", run, table, "--coverage", "0.99")
    assert refused.exit_code == 1
    assert "coverage of 0.99 must rest on at least 99 held-out rows; got 48" in said(refused.stderr)
    answers = json.loads(likely("predict", run, table, "--json").stdout)
    for answer in answers:
        assert answer["set"]
        assert answer["familiarity"] >= 1 / 49
        assert list(answer["missing"]) == ["abstained", "familiarity"]
        assert answer["missing"]["familiarity"].startswith("No row can be called unfamiliar: with 48 held-out rows")
    plain = likely("predict", run, table)
    assert "No row can be called unfamiliar" in said(plain.stderr)
    listed = said(likely("predict", run, table, "--csv").stderr)
    assert "No bound on the error at 1%: An error bound must rest on held-out rows" in listed
    assert "No familiarity: No row can be called unfamiliar" in listed


def test_python_warns_as_the_command_line_does() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(19, 2)), np.arange(19) % 2
    with pytest.warns(
        GuaranteeWarning, match=r"19 rows are too few to hold any out \(at least 20 are needed\)"
    ) as told:
        model = library.Classifier(network="linear", epochs=2, random_state=0).fit(X, y)
    assert told[0].filename == __file__
    with pytest.raises(DataError, match=r"has none \(trained on 19 rows\)\. A coverage of 0\.8 needs 4\."):
        model.predict_set(X, 0.8)
    with pytest.warns(GuaranteeWarning, match="No row can be called unfamiliar: with 40 held-out rows"):
        library.Classifier(network="linear", epochs=2, random_state=0).fit(rng.normal(size=(40, 2)), np.arange(40) % 2)
