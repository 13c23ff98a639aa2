"""What a model of numbers says beside its number: intervals, familiarity, and what it extrapolates."""

from pathlib import Path

import numpy as np
import pytest

import likely
from likely.errors import DataError, ModelFileError
from likely.model import RegressorPredictor, load
from likely.model import file as model_file

rng = np.random.default_rng(0)
X = rng.random((400, 3))
Y = 4 * X[:, 1] + (0.1 + X[:, 0]) * rng.normal(size=400)
NEW = np.random.default_rng(1).random((2_000, 3))


@pytest.fixture(scope="module", params=["linear", "mlp"])
def model(request: pytest.FixtureRequest) -> RegressorPredictor:
    return likely.Regressor(network=request.param, epochs=20, random_state=0).fit(X, Y).predictor_


def test_intervals_are_wide_where_errors_are_large(model: RegressorPredictor) -> None:
    width = np.diff(model.predict_interval(NEW, 0.9), axis=1)[:, 0]
    assert width[NEW[:, 0] > 0.9].mean() > 2 * width[NEW[:, 0] < 0.1].mean()
    np.testing.assert_allclose(model.predict_interval(NEW).mean(axis=1), model.predict(NEW))


def test_one_pass_says_what_the_single_questions_say(model: RegressorPredictor) -> None:
    found = model.examine(NEW, coverage=0.8)
    np.testing.assert_array_equal(found.predictions, model.predict(NEW))
    assert found.intervals is not None
    np.testing.assert_array_equal(found.intervals, model.predict_interval(NEW, 0.8))
    np.testing.assert_array_equal(found.familiarity, model.familiarity(NEW))
    np.testing.assert_array_equal(found.outside, model.outside_range(NEW))
    assert model.examine(NEW).intervals is None


def test_what_is_far_from_training_is_unfamiliar_and_what_is_not_seldom(model: RegressorPredictor) -> None:
    assert (model.familiarity(NEW) <= 0.05).mean() < 0.1
    assert (model.familiarity(20 * NEW - 10) <= 0.01).mean() > 0.95


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu", "gelu"])
def test_every_activation_tells_what_lies_far_away(activation: str) -> None:
    reg = likely.Regressor(hidden=(32,), activation=activation, epochs=20, random_state=0).fit(X, Y)
    far = 20 * NEW - 10
    assert (reg.familiarity(far) <= 0.01).mean() > 0.9


def test_an_answer_beyond_the_training_targets_is_marked_and_not_changed(model: RegressorPredictor) -> None:
    far = 20 * NEW - 10
    answers, card = model.predict(far), model.card
    expected = (answers < card.target_low[0]) | (answers > card.target_high[0])
    np.testing.assert_array_equal(model.outside_range(far), expected)
    assert expected.mean() > 0.1
    assert card.target_low[0] == Y.min()
    assert card.target_high[0] == Y.max()


def test_rounding_does_not_leave_the_range() -> None:
    steps = np.repeat([0.0, 1.0], 50)[:, None]
    reg = likely.Regressor(network="linear", dtype="float32", random_state=0).fit(steps, 3 + 5.1 * steps[:, 0])
    assert not reg.outside_range(steps).any()
    assert reg.outside_range([[1.01], [-0.01]]).all()


def test_several_targets_have_familiarity_and_a_range_but_no_intervals() -> None:
    reg = likely.Regressor(network="linear", random_state=0).fit(X, np.stack([Y, X[:, 2]], axis=1))
    assert reg.outside_range([[0.5, 0.5, 0.5], [0.5, 0.5, 5.0]]).tolist() == [False, True]
    assert reg.familiarity(NEW).shape == (2_000,)
    with pytest.raises(DataError, match="one target"):
        reg.predict_interval(NEW)


def test_a_model_file_keeps_it_all(model: RegressorPredictor, tmp_path: Path) -> None:
    loaded = load(model.save(tmp_path / "m.likely"))
    assert isinstance(loaded, RegressorPredictor)
    for name in ("predict_interval", "familiarity", "outside_range"):
        np.testing.assert_array_equal(getattr(loaded, name)(NEW), getattr(model, name)(NEW))


def as_of_the_first_version(model: RegressorPredictor, path: Path) -> np.ndarray:
    """The file of a model before scales, familiarity and ranges: absolute residuals alone, which are returned."""
    arrays, document = model_file.read(model.save(path))
    kept = {name: a for name, a in arrays.items() if name.startswith("theta")}
    residuals = np.sort(np.abs(Y - model.predict(X)))
    document = {name: value for name, value in document.items() if name not in ("target_low", "target_high")}
    model_file.write(path, {**kept, "held_out.residuals": residuals}, document)
    return residuals


def test_a_file_of_the_first_version_gives_the_same_intervals(model: RegressorPredictor, tmp_path: Path) -> None:
    residuals = as_of_the_first_version(model, tmp_path / "old.likely")
    old = load(tmp_path / "old.likely")
    assert isinstance(old, RegressorPredictor)
    half = residuals[361 - 1]  # ceil(401 * 0.9)
    low, high = old.predict_interval(NEW, 0.9).T
    np.testing.assert_array_equal(low, model.predict(NEW) - half)
    np.testing.assert_array_equal(high, model.predict(NEW) + half)
    found = old.examine(NEW, 0.9)
    assert found.familiarity is None
    assert found.outside is None
    with pytest.raises(DataError, match="older version"):
        old.outside_range(NEW)
    with pytest.raises(DataError, match="held-out rows"):
        old.familiarity(NEW)


@pytest.mark.parametrize("name", ["errors.weights", "errors.range", "held_out.residuals", "familiarity.shift"])
def test_arrays_that_do_not_fit_are_refused(model: RegressorPredictor, name: str, tmp_path: Path) -> None:
    arrays, document = model_file.read(model.save(tmp_path / "m.likely"))
    for wrong in ({**arrays, name: np.zeros((2, 2))}, {n: a for n, a in arrays.items() if n != name}):
        if name == "held_out.residuals" and name not in wrong:
            continue  # a model without intervals, but with a scale: refused below
        model_file.write(tmp_path / "wrong.likely", wrong, document)
        with pytest.raises(ModelFileError):
            load(tmp_path / "wrong.likely")
