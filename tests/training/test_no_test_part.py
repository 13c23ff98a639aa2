"""Tables without a test part: all rows teach, and figures come from models that had not seen the rows."""

import json
from pathlib import Path

import numpy as np
import pytest

from likely.config import RunConfig
from likely.data.dataset import Dataset, Part
from likely.data.test_part import share_to_draw
from likely.errors import ConfigError, DataError
from likely.model import load
from likely.report.run_report import report_folder, report_run
from likely.training.choose_learners import cross_fitted
from likely.training.fit import Run, fit, learn
from likely.training.fold_learner import FoldLearner


def table(path: Path, n: int, seed: int = 0, *, numbers: bool = False) -> Path:
    """Two informative columns of four, and a label or a number with noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    score = X[:, 0] + X[:, 1] + rng.normal(size=n)
    answers = [f"{value:.4f}" for value in score] if numbers else np.where(score > 0, "up", "down").tolist()
    lines = [",".join([*(f"{x:.4f}" for x in row), y]) for row, y in zip(X, answers, strict=True)]
    path.write_text("\n".join(["a,b,c,d,label", *lines]) + "\n")
    return path


def rows(n: int, task: str = "classification", seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    y = X[:, 0] + rng.normal(size=n)
    if task == "regression":
        return Dataset("numbers", "regression", Part(X, y))
    return Dataset("labels", "classification", Part(X, (y > 0).astype(int)), labels=("down", "up"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("whole")
    config = RunConfig(data=str(table(folder / "t.csv", 150)), network="linear", out=str(folder / "run"))
    return fit(config)


def test_every_row_teaches_and_is_judged_out_of_fold(run: Run) -> None:
    card = load(run.folder).card
    assert (card.splits.train, card.splits.test, card.splits.method) == (150, 0, "cross-validation")
    metrics = json.loads((run.folder / "metrics.json").read_text())
    assert (metrics["n"], metrics["rows"]) == (150, "out-of-fold")
    assert np.sum(metrics["confusion"]) == 150
    assert card.evaluation == run.evaluation
    assert "models that had not seen it" in run.evaluation.how
    # What the model itself says of the rows is better: it has learned from them.
    own = load(run.folder).predict_proba(run.evaluated.part.X)[np.arange(150), run.evaluated.part.y]
    assert -np.log(own).mean() < metrics["nll"]["value"]


def test_the_report_says_so_and_can_be_made_again(run: Run) -> None:
    first = report_run(run).read_text()
    assert "Of 150 out-of-fold rows, it named" in first
    assert "had not seen it" in first
    assert "test rows" not in first.replace("none to test", "")
    again = report_folder(run.folder).read_text()
    assert again.partition('<section id="origin">')[0] == first.partition('<section id="origin">')[0]
    (run.folder / "held_out.npz").rename(run.folder / "away.npz")
    with pytest.raises(DataError, match=r"held_out\.npz"):
        report_folder(run.folder)
    (run.folder / "away.npz").rename(run.folder / "held_out.npz")


@pytest.mark.parametrize(
    ("n", "asked", "share"), [(19, None, 0.2), (20, None, 0), (4_999, None, 0), (5_000, None, 0.2)]
)
def test_a_part_is_drawn_of_many_rows_and_of_too_few_for_folds(n: int, asked: float | None, share: float) -> None:
    assert share_to_draw(rows(n), asked) == share
    assert share_to_draw(rows(n), 0.3) == 0.3
    assert share_to_draw(rows(n), None, goes_on=True) == 0.2


def test_images_and_few_groups_have_a_test_part_as_ever() -> None:
    images = Part(np.zeros((60, 8, 8), np.uint8), np.arange(60) % 2)
    assert share_to_draw(Dataset("images", "classification", images, labels=("a", "b")), None) == 0.2
    X = np.random.default_rng(0).normal(size=(190, 3))
    grouped = Dataset("grouped", "regression", Part(X, X[:, 0], groups=np.arange(190) // 10))
    assert share_to_draw(grouped, None) == 0.2


def test_no_part_and_no_folds_are_refused() -> None:
    with pytest.raises(DataError, match="at least 20 rows"):
        share_to_draw(rows(12), 0.0)
    with pytest.raises(ConfigError, match="test_share must be above 0 with test_last"):
        RunConfig(data="t.csv", test_share=0, test_last="day")


def test_from_5000_rows_on_thresholds_rest_on_rows_that_teach_nobody_though_fewer_are_left(tmp_path: Path) -> None:
    data = str(table(tmp_path / "t.csv", 5_000))
    found = fit(RunConfig(data=data, network="linear", out=str(tmp_path / "run")))
    splits = found.predictor.card.splits
    assert (splits.method, splits.test, found.evaluation.rows) == ("held-out", 1_000, None)
    assert splits.train + splits.calibration + splits.thresholds == 4_000
    without = fit(RunConfig(data=data, network="linear", test_share=0, out=str(tmp_path / "without")))
    assert (without.evaluation.rows, without.evaluation.n) == ("held-out", without.predictor.card.splits.thresholds)


def test_a_number_has_intervals_that_were_fitted_to_other_folds(tmp_path: Path) -> None:
    config = RunConfig(
        data=str(table(tmp_path / "t.csv", 200, numbers=True)), network="linear", out=str(tmp_path / "run")
    )
    found = fit(config)
    assert (found.evaluation.n, found.evaluation.rows) == (200, "out-of-fold")
    assert found.evaluation.coverage is not None
    assert found.evaluation.coverage.low < 0.9 < found.evaluation.coverage.high
    assert "200 out-of-fold rows" in report_run(found).read_text()


def test_of_a_val_part_the_rows_for_thresholds_judge(tmp_path: Path) -> None:
    lines = table(tmp_path / "t.csv", 400).read_text().splitlines()
    split = ["split", *("val" if i % 2 else "train" for i in range(400))]
    (tmp_path / "t.csv").write_text("\n".join(f"{line},{part}" for line, part in zip(lines, split, strict=True)) + "\n")
    found = fit(RunConfig(data=str(tmp_path / "t.csv"), network="linear", out=str(tmp_path / "run")))
    assert (found.evaluation.rows, found.evaluation.n, found.predictor.card.splits.train) == ("held-out", 100, 200)


def test_no_label_or_number_of_a_fold_changes_what_is_answered_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that judges a fold is decided by the others: with its answers turned around the same is said of it."""
    seen: list[tuple[list[FoldLearner], list[FoldLearner]]] = []

    def watched(kept: list[FoldLearner], dropped: list[FoldLearner], costly: tuple[str, ...]) -> np.ndarray:
        seen.append((kept, dropped))
        return cross_fitted(kept, dropped, costly)

    monkeypatch.setattr("likely.training.mix.cross_fitted", watched)
    for data in (rows(60), rows(60, "regression")):
        learn(data, RunConfig(seed=1))
        kept, dropped = seen.pop()
        before, Y = cross_fitted(kept, dropped), kept[0].job.rows.Y.copy()
        for fold in kept[0].folds:
            turned = Y.copy()
            turned[fold] = Y[fold][:, ::-1] if Y.shape[1] > 1 else 10 - Y[fold]
            for learner in (*kept, *dropped):
                object.__setattr__(learner.job.rows, "Y", turned)
                learner._take(learner.trained, learner.seen)
                learner.__dict__.pop("limits", None)
            np.testing.assert_array_equal(cross_fitted(kept, dropped)[fold], before[fold])
