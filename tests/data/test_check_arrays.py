"""What is found in data that can be opened: each fault is planted in clean data, and it alone is found."""

from dataclasses import replace

import numpy as np
import pytest

from likely.data.check import Finding, Findings, Place, check_dataset
from likely.data.dataset import Dataset, Part
from likely.data.sources import open_dataset

RNG = np.random.default_rng(0)


def images(n: int = 90) -> Dataset:
    """Noise in three classes, and a test part."""
    X = RNG.integers(0, 256, (n + 90, 12, 12), dtype=np.uint8)
    y = np.arange(n + 90) % 3
    return Dataset("noise", "classification", Part(X[:n], y[:n]), Part(X[n:], y[n:]), labels=("a", "b", "c"))


def table(n: int = 120) -> Dataset:
    """Three columns that tell something of two classes, but never all."""
    y = np.arange(n) % 2
    X = RNG.normal(size=(n, 3)) + y[:, None]
    return Dataset("t", "classification", Part(X, y), labels=("no", "yes"), features=("age", "fare", "size"))


def kinds(dataset: Dataset) -> list[str]:
    return [finding.kind for finding in check_dataset(dataset)]


def only(dataset: Dataset, kind: str) -> Finding:
    found = check_dataset(dataset)
    assert [finding.kind for finding in found] == [kind]
    return found[0]


def names(finding: Finding) -> list[list[str]]:
    return [[f"{place.part} {place.name}".strip() for place in group] for group in finding.groups]


def test_clean_data() -> None:
    assert kinds(images()) == []
    assert kinds(table()) == []
    assert kinds(open_dataset("digits")) == []
    assert kinds(open_dataset("breast-cancer")) == []
    assert kinds(open_dataset("diabetes")) == []


def test_the_same_in_training_and_test() -> None:
    data = images()
    data.test.X[4] = data.test.X[7] = data.train.X[1]  # type: ignore[union-attr]
    finding = only(data, "leak")
    assert names(finding) == [["train 1", "test 4", "test 7"]]
    assert finding.message.startswith("2 test images can also be found in another part")
    assert finding.severity == "warning"


def test_the_same_in_val_and_test() -> None:
    data = images()
    assert data.test is not None
    val = Part(data.test.X[:1], data.test.y[:1])
    finding = next(f for f in check_dataset(replace(data, val=val)) if f.kind == "leak")
    assert names(finding) == [["val 0", "test 0"]]


def test_the_same_under_two_labels_and_twice() -> None:
    data = images()
    data.train.X[1] = data.train.X[0]
    assert names(only(data, "conflict")) == [["train 0", "train 1"]]
    data = images()
    data.train.X[3] = data.train.X[0]
    assert names(only(data, "duplicates")) == [["train 0", "train 3"]]


def test_the_same_under_two_labels_in_two_parts_is_both() -> None:
    data = images()
    data.test.X[1] = data.train.X[0]  # type: ignore[union-attr]
    assert kinds(data) == ["leak", "conflict"]


def test_nearly_the_same() -> None:
    for target, kind in ((3, "near-duplicates"), (1, "near-conflict")):
        data = images()
        data.train.X[target] = np.clip(data.train.X[0].astype(int) + 2, 0, 255)
        assert names(only(data, kind)) == [["train 0", f"train {target}"]]
        assert [f.kind for f in check_dataset(data, quick=True)] == []
    data = images()
    data.test.X[0] = np.clip(data.train.X[0].astype(int) + 2, 0, 255)  # type: ignore[union-attr]
    assert names(only(data, "near-leak")) == [["train 0", "test 0"]]


def test_images_of_one_color() -> None:
    data = images()
    data.train.X[5] = 17
    data.test.X[6] = 0  # type: ignore[union-attr]
    assert names(only(data, "constant")) == [["train 5"], ["test 6"]]
    color = RNG.integers(0, 256, (60, 4, 4, 3), dtype=np.uint8)
    color[7] = (1, 2, 3)
    data = Dataset("c", "classification", Part(color, np.arange(60) % 2), labels=("a", "b"))
    assert names(only(data, "constant")) == [["train 7"]]


def test_few_examples_and_balance() -> None:
    data = images()
    y = np.where(np.arange(90) < 4, 2, np.arange(90) % 2)
    found = check_dataset(replace(data, train=Part(data.train.X, y), test=None))
    assert [f.kind for f in found] == ["few", "balance"]
    assert found[0].groups[0][0].detail == "4 examples"
    assert [place.name for place in found[1].groups[0]] == ["a", "c"]
    assert "always predicting 'a' is right for 4" in found[1].message


def test_frequencies_that_differ_between_parts() -> None:
    data = images()
    assert data.test is not None
    shifted = Part(data.test.X, np.where(np.arange(90) < 60, 0, data.test.y))
    finding = next(f for f in check_dataset(replace(data, test=shifted)) if f.kind == "drift")
    assert "a" in [group[0].name for group in finding.groups]
    assert "33.3% in train" in finding.groups[0][0].detail


def test_chance_is_no_drift() -> None:
    X = RNG.normal(size=(1000, 2))
    for seed in range(50):
        y = np.random.default_rng(seed).integers(0, 4, 1000)
        data = Dataset("c", "classification", Part(X[:700], y[:700]), Part(X[700:], y[700:]), labels=tuple("abcd"))
        assert "drift" not in kinds(data)


def test_few_to_judge_with() -> None:
    data = images()
    assert data.test is not None
    few = replace(data, test=data.test.take(np.arange(57)))
    assert len(only(few, "few-to-judge").groups) == 3


def test_missing_values_and_constant_columns() -> None:
    data = table()
    data.train.X[3:5, 1] = np.nan
    data.train.X[:, 2] = 4
    found = check_dataset(data)
    assert [f.kind for f in found] == ["missing", "constant-column"]
    assert found[0].groups[0][0] == Place("fare", "column", "train", detail="2 rows of training (1.7%)")
    assert found[1].groups[0][0].name == "size"


@pytest.mark.parametrize(
    "give_away",
    [lambda y: y * 7.0 + RNG.random(len(y)), lambda y: y + 2.0 * RNG.integers(0, 4, len(y))],
    ids=["by a threshold", "as a code"],
)
def test_a_column_that_gives_the_label_away(give_away: object) -> None:
    data = table()
    data.train.X[:, 1] = give_away(data.train.y)  # type: ignore[operator]
    assert names(only(data, "giveaway")) == [["train fare"]]


def test_a_column_that_gives_the_target_away() -> None:
    diabetes = open_dataset("diabetes")
    leaky = replace(
        diabetes, train=Part(np.c_[diabetes.train.X, 3 * diabetes.train.y + 1], diabetes.train.y), test=None
    )
    leaky = replace(leaky, features=(*(diabetes.features or ()), "score"))
    assert names(only(leaky, "giveaway")) == [["train score"]]


def test_rows_of_numbers_that_are_the_same() -> None:
    data = table()
    data.train.X[2] = data.train.X[0]
    assert only(data, "duplicates").severity == "note"
    data = table()
    data.train.X[1] = data.train.X[0]
    finding = only(data, "conflict")
    assert finding.severity == "note"
    assert [place.label for place in finding.groups[0]] == ["no", "yes"]


def test_missing_values_do_not_hide_copies() -> None:
    data = table()
    data.train.X[0, 1] = np.nan
    data.train.X[2] = data.train.X[0]
    assert kinds(data) == ["missing", "duplicates"] or kinds(data) == ["duplicates", "missing"]


def test_the_worst_comes_first_and_json_holds_everything() -> None:
    found = Findings(
        [
            Finding("balance", "note", "b"),
            Finding("leak", "warning", "l", "do", [[Place("7", "row", "test", 7, "boot")]]),
            Finding("unreadable", "error", "u", "", [[Place("a/1.png", "path", detail="empty")]]),
        ]
    )
    assert [finding.severity for finding in found] == ["error", "warning", "note"]
    assert not found.fit_would_work
    assert found.to_json()[1] == {
        "kind": "leak",
        "severity": "warning",
        "message": "l",
        "advice": "do",
        "count": 1,
        "groups": [[{"row": 7, "part": "test", "label": "boot"}]],
    }
    assert found.to_json()[0]["groups"] == [[{"path": "a/1.png", "detail": "empty"}]]


def test_fashion_mnist_has_no_exact_copies_and_few_that_look_alike(fashion: Dataset) -> None:
    found = check_dataset(fashion)
    assert [f.kind for f in found] == ["near-leak", "near-duplicates"]
    assert found[0].message.startswith("7 test images")
    assert names(found[0])[0] == ["train 6300", "train 19456", "test 6210"]
    assert len(found[1].groups) == 19
