"""Deep ensembles: the mean of what members answer alone, through every door, and what they cannot do."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import likely
from likely.cli.app import app
from likely.config import RunConfig
from likely.data.dataset import Part
from likely.data.sources import open_dataset
from likely.errors import ConfigError, DataError
from likely.model.classifier_predictor import ClassifierPredictor
from likely.probability.information import entropy
from likely.report.disagreement_section import disagreement_section, doubt_of
from likely.report.report import render
from likely.report.report_data import ReportData
from likely.training.evaluate import evaluate
from likely.training.fit import learn
from likely.training.loop.descent import Record
from likely.training.watcher import Silent
from likely.trust.mutual_information import Doubt


class Told(Silent):
    """Remembers which training each record is of."""

    def __init__(self) -> None:
        self.folds: list[str] = []

    def record(self, record: Record, fold: str = "") -> None:
        self.folds.append(fold)


def digits(n_train: int = 300) -> Any:
    """Digits with a val part, so that few of them make no folds."""
    data = open_dataset("digits")
    rest = np.arange(n_train, n_train + 150)
    return replace(data, train=data.train.take(np.arange(n_train)), val=data.train.take(rest))


@pytest.fixture(scope="module")
def ensemble() -> tuple[ClassifierPredictor, Told]:
    told = Told()
    found = learn(digits(), RunConfig(data="digits", network="conv", epochs=2, members=3, seed=5), told).predictor
    assert isinstance(found, ClassifierPredictor)
    return found, told


def test_the_answer_is_the_mean_of_what_members_answer(ensemble: Any, tmp_path: Path) -> None:
    predictor, told = ensemble
    assert set(told.folds) == {"Member 1 of 3", "Member 2 of 3", ""}
    X = digits().test.X[:80]
    each, weights = predictor._inference.of_members(X)
    alone = np.exp(each - np.logaddexp.reduce(each, axis=2, keepdims=True)).astype(np.float64)
    assert np.abs(alone[0] - alone[1]).max() > 0.01
    np.testing.assert_allclose(weights, 1 / 3)
    np.testing.assert_allclose(np.exp(predictor.scores(X)), alone.mean(axis=0), atol=1e-5)
    predictor.save(tmp_path / "model.likely")
    again = likely.load(tmp_path / "model.likely")
    np.testing.assert_array_equal(again.predict_proba(X), predictor.predict_proba(X))
    np.testing.assert_array_equal(again.familiarity(X), predictor.familiarity(X))
    assert "members" in str(again.card.network.settings)


def test_the_first_member_is_the_network_of_a_run_with_one(ensemble: Any) -> None:
    predictor, _ = ensemble
    alone = learn(digits(), RunConfig(data="digits", network="conv", epochs=2, seed=5)).predictor
    own = {name: a for name, a in predictor.arrays.items() if name.startswith("theta.members.0.")}
    assert own
    for name, a in own.items():
        np.testing.assert_array_equal(a, alone.arrays[name.replace("members.0.", "")])


def test_disagreement_is_larger_for_what_no_member_has_seen(ensemble: Any) -> None:
    predictor, _ = ensemble
    X = digits().test.X
    noise = np.random.default_rng(0).integers(0, 256, X.shape, dtype=np.uint8)
    usual, new = predictor.disagreement(X), predictor.disagreement(noise)
    assert (usual >= 0).all()
    assert (new <= np.log(3)).all()
    assert np.median(new) > 1.5 * np.median(usual)


def test_the_report_splits_the_doubt(ensemble: Any) -> None:
    predictor, _ = ensemble
    test = digits().test
    found = evaluate(predictor, test)
    doubt = doubt_of(predictor, found)
    assert doubt is not None
    np.testing.assert_allclose(sum(doubt), entropy(predictor.predict_proba(test.X)), atol=1e-6)
    np.testing.assert_array_equal(doubt.disagreement, predictor.disagreement(test.X))
    labels, images = predictor.card.labels, test.X
    data = ReportData("d", predictor.card, [], found.evaluation, labels, test.y, found.answers, images, None)
    assert disagreement_section(data) == []
    [section] = disagreement_section(replace(data, doubt=doubt))
    [block] = section.blocks
    most, total = np.argmax(doubt.disagreement), doubt.of_each + doubt.disagreement
    assert block.cards[0].note == f"{doubt.disagreement[most]:.3f} of {total[most]:.3f} nats"
    assert f"leave {total.mean():.3f} nats of doubt about a test image" in block.finding
    assert f"{doubt.disagreement.mean():.3f} (" in block.finding
    assert 'id="disagreement"' in render(replace(data, doubt=doubt))
    gaps = Doubt(doubt.of_each, np.full(len(test), np.nan))
    assert disagreement_section(replace(data, doubt=gaps)) == []


def test_one_network_cannot_disagree() -> None:
    alone = learn(digits(), RunConfig(data="digits", network="linear")).predictor
    with pytest.raises(DataError, match="members=5"):
        alone.disagreement(digits().test.X[:2])


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"network": "mlp"}, "network 'mlp'.*Only conv nets"),
        ({"network": "trees"}, "network 'trees'.*Only conv nets"),
        ({"network": "conv", "head": "l1"}, "softmax"),
        ({"network": "auto", "engine": "jax"}, "engine 'jax'.*omitting engine"),
        ({"network": "conv", "engine": "numpy"}, "engine 'numpy'"),
    ],
)
def test_what_cannot_have_members_is_refused_by_name(settings: Any, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        learn(digits(), RunConfig(data="digits", members=2, **settings))


def test_more_members_than_memory_are_refused_before_any_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("likely.training.members.free_memory", lambda: 2**26)
    told = Told()
    with pytest.raises(ConfigError, match=r"got 1,000, which take .* GiB where 0\.1 GiB are free") as refused:
        learn(digits(), RunConfig(data="digits", network="conv", members=1_000), told)
    assert told.folds == []
    fit = int(str(refused.value).split("Try members=")[1].split(",")[0])
    learn(digits(), RunConfig(data="digits", network="conv", members=min(fit, 2), epochs=1))
    monkeypatch.setattr("likely.training.members.free_memory", lambda: 0)
    with pytest.raises(ConfigError, match="Try omitting members"):
        learn(digits(), RunConfig(data="digits", network="conv", members=2))


def test_few_images_without_a_val_part_are_refused() -> None:
    with pytest.raises(ConfigError, match="val part"):
        learn(replace(digits(), val=None), RunConfig(data="digits", network="conv", members=2))


def test_tables_answer_with_several_models_anyway() -> None:
    X = np.random.default_rng(0).normal(size=(60, 2))
    with pytest.raises(ConfigError, match="folds"):
        likely.Classifier(members=2).fit(X, X[:, 0] > 0)
    for network in ("linear", "mlp", "trees"):
        with pytest.raises(ConfigError, match=f"for a table .network '{network}'"):
            likely.Classifier(members=2, network=network).fit(X, X[:, 0] > 0)
    clf = likely.Classifier(random_state=0).fit(X, X[:, 0] > 0)
    assert (clf.disagreement(X) >= 0).all()
    np.testing.assert_allclose(sum(clf.predictor_.doubt_in_parts(X)), entropy(clf.predict_proba(X)), atol=1e-6)
    # Each row has taught all models but one: a report says so, in place of too small a disagreement.
    part = Part(X, (X[:, 0] > 0).astype(int))
    known = replace(evaluate(clf.predictor_, part), index=np.arange(60))
    evaluation = replace(known.evaluation, rows="out-of-fold")
    assert doubt_of(clf.predictor_, replace(known, evaluation=evaluation)) is None
    data = ReportData("t", clf.predictor_.card, [], evaluation, ("False", "True"), part.y, known.answers, None, None)
    [section] = disagreement_section(data)
    assert "--test-share 20%" in section.blocks[0].finding


def test_the_exported_ensemble_answers_alike(ensemble: Any, tmp_path: Path) -> None:
    predictor, _ = ensemble
    predictor.to_onnx(tmp_path / "model.onnx")  # which compares every answer before it writes
    assert (tmp_path / "model.onnx").stat().st_size > 10_000


def test_the_command_line_says_how_much_they_disagree(ensemble: Any, tmp_path: Path) -> None:
    predictor, _ = ensemble
    predictor.save(tmp_path / "model.likely")
    X = digits().test.X[:2]
    for number, image in enumerate(X):
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    names = [str(tmp_path / f"{number}.png") for number in range(2)]
    asked = CliRunner().invoke(app, ["predict", str(tmp_path / "model.likely"), *names, "--json"])
    found = [answer["disagreement"] for answer in json.loads(asked.stdout)]
    np.testing.assert_allclose(found, predictor.disagreement(X), atol=1e-9)
