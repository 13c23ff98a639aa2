"""A model that answers: its numbers, its file, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.special import log_softmax as scipy_log_softmax

import likely
from likely.config import RunConfig
from likely.errors import DataError, ModelFileError, ShapeError
from likely.model import ClassifierPredictor, RegressorPredictor, read_card
from likely.model import file as model_file
from likely.model.card import Card
from likely.training.evaluate import evaluate
from likely.training.fit import Run, fit


@pytest.mark.parametrize("run_name", ["digits_run", "conv_run"])
def test_a_loaded_model_answers_with_the_numbers_of_training(run_name: str, request: pytest.FixtureRequest) -> None:
    run: Run = request.getfixturevalue(run_name)
    loaded = likely.load(run.folder / "model.likely")
    assert run.dataset.test is not None
    found = evaluate(loaded, run.dataset.test)
    assert found.evaluation == run.evaluation
    assert run.evaluation.to_json() == json.loads((run.folder / "metrics.json").read_text())
    np.testing.assert_array_equal(found.answers, run.answers)
    assert loaded.card.metrics == run.evaluation.to_json()
    assert loaded.card.evaluation == run.evaluation


def test_the_answer_is_the_formula(digits_run: Run) -> None:
    test = digits_run.dataset.test
    assert test is not None
    arrays, document = model_file.read(digits_run.folder / "model.likely")
    theta = arrays["theta.layer0"].astype(np.float64)
    x = test.X.reshape(len(test), -1) / 255
    scores = theta[0] + x @ theta[1:]
    biases = document["biases"] or np.zeros(10)
    expected = scipy_log_softmax(scores / document["temperature"] + biases, axis=1)
    np.testing.assert_allclose(digits_run.predictor.predict_log_proba(test.X), expected, atol=2e-5)


def test_the_methods_agree(digits_run: Run) -> None:
    predictor, test = digits_run.predictor, digits_run.dataset.test
    assert isinstance(predictor, ClassifierPredictor)
    assert test is not None
    probs = predictor.predict_proba(test.X)
    np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(np.log(probs), predictor.predict_log_proba(test.X), atol=1e-6)
    distribution = predictor.distribution(test.X)
    np.testing.assert_allclose(distribution(3), probs[:, 3])
    np.testing.assert_allclose(distribution({3, 8}), probs[:, 3] + probs[:, 8], rtol=1e-6)
    labels = predictor.predict(test.X)
    assert list(labels[:20]) == distribution.mode()[:20]
    truth = [predictor.labels[i] for i in test.y]
    assert predictor.score(test.X, truth) == pytest.approx(digits_run.evaluation.accuracy.value)
    assert predictor.predict_proba(test.X[:0]).shape == (0, 10)


def test_images_come_through_the_gate(digits_run: Run, tmp_path: Path) -> None:
    predictor, test = digits_run.predictor, digits_run.dataset.test
    assert isinstance(predictor, ClassifierPredictor)
    assert test is not None
    path = tmp_path / "seven.png"
    Image.fromarray(test.X[0]).save(path)
    expected = predictor.predict_proba(test.X[:1])
    for images in ([path], [str(path)], [path.read_bytes()], [Image.open(path)]):
        np.testing.assert_array_equal(predictor.predict_proba(images), expected)


def test_rows_unlike_those_of_training_are_refused(digits_run: Run) -> None:
    with pytest.raises(ShapeError, match="uint8"):
        digits_run.predictor.rows(np.zeros((1, 8, 8)))
    with pytest.raises(ShapeError, match="shape"):
        digits_run.predictor.rows(np.zeros((1, 28, 28), np.uint8))


def test_the_card_is_read_without_the_weights(digits_run: Run) -> None:
    card = read_card(digits_run.folder)
    assert card == digits_run.predictor.card
    assert card.network.parameters == 65 * 10
    assert card.labels == tuple("0123456789")
    assert card.splits.train + card.splits.test == 1797


def test_saving_twice_gives_the_same_bytes(digits_run: Run, tmp_path: Path) -> None:
    digits_run.predictor.save(tmp_path / "a.likely")
    likely.load(tmp_path / "a.likely").save(tmp_path / "b.likely")
    assert (tmp_path / "a.likely").read_bytes() == (tmp_path / "b.likely").read_bytes()


def _rewritten(model_path: Path, path: Path, **changes: object) -> Path:
    arrays, document = model_file.read(model_path)
    for name, value in changes.items():
        if isinstance(value, np.ndarray):
            arrays[name.replace("__", ".")] = value
        elif name.startswith("drop_"):
            arrays.pop(str(value))
        else:
            document[name] = value
    model_file.write(path, arrays, document)
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"drop_theta": "theta.layer0"}, "layer0"),
        ({"theta__layer9": np.zeros((2, 2), np.float32)}, "layer9"),
        ({"theta__layer0": np.zeros((3, 10), np.float32)}, "shape"),
        ({"network": {"name": "os.system", "settings": {}, "parameters": 1, "outputs": 10}}, "os.system"),
        ({"network": {"name": "linear", "settings": {"n": 1}, "parameters": 1, "outputs": 10}}, "n"),
        ({"temperature": "hot"}, "temperature"),
        ({"surprise": 1}, "surprise"),
        ({"head": "hardmax"}, "head"),
        ({"temperature": -1.0}, "temperature"),
        ({"biases": [0.5] * 9}, "'biases' is wrong: .* one number for each of 10 labels"),
        ({"errors__knots": np.zeros((1, 5))}, "errors"),
    ],
)
def test_a_file_that_describes_no_model_is_refused(
    model_path: Path, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    path = _rewritten(model_path, tmp_path / "other.likely", **changes)
    with pytest.raises(ModelFileError, match=message):
        likely.load(path)


def test_a_flipped_byte_anywhere_is_refused(model_path: Path, tmp_path: Path) -> None:
    content = bytearray(model_path.read_bytes())
    rng = np.random.default_rng(0)
    path = tmp_path / "flipped.likely"
    for position in rng.integers(0, len(content), 60):
        content[position] ^= 1 << rng.integers(8)
        path.write_bytes(content)
        with pytest.raises(ModelFileError, match=r"flipped\.likely"):
            likely.load(path)
        content = bytearray(model_path.read_bytes())


def test_a_card_survives_json(digits_run: Run) -> None:
    card = digits_run.predictor.card
    assert Card.from_json(json.loads(json.dumps(card.to_json())), "x") == card


def test_a_regression_model(tmp_path: Path) -> None:
    run = fit(RunConfig(data="diabetes", network="linear", out=str(tmp_path / "run")))
    loaded = likely.load(run.folder)
    assert isinstance(loaded, RegressorPredictor)
    assert run.dataset.test is not None
    X = run.dataset.test.X
    np.testing.assert_array_equal(loaded.predict(X), run.predictor.predict(X))
    interval = loaded.predict_interval(X, coverage=0.8)
    assert (interval[:, 0] < loaded.predict(X)).all()
    np.testing.assert_allclose(interval.mean(axis=1), loaded.predict(X))
    np.testing.assert_array_equal(interval, run.predictor.predict_interval(X, coverage=0.8))
    with pytest.raises(DataError, match="rows"):
        loaded.predict_interval(X, coverage=0.99999)
