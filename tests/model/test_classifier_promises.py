"""What a trained model promises: sets, abstention, familiarity, other priors, new rows; and what it refuses."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits, make_classification

import likely
from likely.config import RunConfig
from likely.data.dataset import Dataset, Part
from likely.errors import ConfigError, DataError, GuaranteeWarning, LikelyError, ProbabilityError, ShapeError
from likely.metrics import calibration_error
from likely.model import ClassifierPredictor
from likely.model.card_view import card_facts
from likely.probability.space import Event
from likely.training.fit import learn

CONFIG = RunConfig(network="mlp", epochs=12, events={"round": ("0", "6", "8", "9")})


def _digits(n: int, seed: int) -> Part:
    """Digits moved by a pixel and covered with noise: as many as one likes, all different."""
    rng = np.random.default_rng(seed)
    X, y = load_digits(return_X_y=True)
    index = rng.integers(len(X), size=n)
    images = X[index].reshape(-1, 8, 8) + rng.normal(0, 3, size=(n, 8, 8))
    steps = rng.integers(-1, 2, n)
    shifted = np.stack([np.roll(image, step, axis=1) for image, step in zip(images, steps, strict=True)])
    return Part(shifted.reshape(n, 64), y[index].astype(np.int64))


def _learned(part: Part, config: RunConfig = CONFIG, labels: tuple[str, ...] | None = None) -> ClassifierPredictor:
    labels = labels or tuple("0123456789")
    dataset = Dataset("rows", "classification", part, labels=labels, label_type="int" if labels[0] == "0" else "str")
    predictor = learn(dataset, config).predictor
    assert isinstance(predictor, ClassifierPredictor)
    return predictor


@pytest.fixture(scope="module")
def train() -> Part:
    return _digits(8000, seed=1)


@pytest.fixture(scope="module")
def new() -> Part:
    return _digits(4000, seed=2)


@pytest.fixture(scope="module")
def model(train: Part) -> ClassifierPredictor:
    """A model with held-out rows."""
    return _learned(train)


@pytest.fixture(scope="module")
def small() -> ClassifierPredictor:
    """A cross-validated model."""
    return _learned(_digits(600, seed=3))


@pytest.fixture(scope="module")
def tiny() -> ClassifierPredictor:
    """A model without held-out rows."""
    part = _digits(19, seed=4)
    return _learned(replace(part, y=np.arange(19) % 10))


def _covered(sets: list[Event], y: np.ndarray) -> float:
    return float(np.mean([label in event for event, label in zip(sets, y.tolist(), strict=False)]))


# Sets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [{}, {"method": "aps", "seed": 1}])
@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95, 0.99])
def test_sets_hold_the_truth_as_often_as_promised(
    model: ClassifierPredictor, new: Part, coverage: float, how: dict[str, object]
) -> None:
    low, high = model.coverage_interval(coverage)
    sets = model.predict_set(new.X, coverage, allow_empty=True, **how)  # pyright: ignore[reportArgumentType]
    error = 4 * np.sqrt(coverage * (1 - coverage) / len(new))
    assert low - error <= _covered(sets, new.y) <= high + error


@pytest.mark.parametrize("method", ["lac", "aps"])
def test_sets_grow_with_the_coverage_and_hold_the_mode(model: ClassifierPredictor, new: Part, method: str) -> None:
    before = [Event(model.space, np.zeros(10, bool))] * 200
    modes = model.distribution(new.X[:200]).mode()
    for coverage in (0.5, 0.8, 0.95, 0.99):
        sets = model.predict_set(new.X[:200], coverage, method=method)  # pyright: ignore[reportArgumentType]
        assert all(mode in event for mode, event in zip(modes, sets, strict=True))
        assert all(one <= other for one, other in zip(before, sets, strict=True))
        before = sets
    assert np.mean([len(event) for event in before]) > 1


def test_empty_sets_come_only_where_they_are_allowed(model: ClassifierPredictor, new: Part) -> None:
    assert min(len(event) for event in model.predict_set(new.X, 0.5)) == 1
    assert min(len(event) for event in model.predict_set(new.X, 0.5, allow_empty=True)) == 0


def test_sets_per_class(model: ClassifierPredictor, new: Part) -> None:
    sets = model.predict_set(new.X, 0.9, per_class=True)
    for c in range(10):
        rows = np.flatnonzero(new.y == c)
        assert _covered([sets[i] for i in rows], new.y[rows]) > 0.75
    with pytest.raises(DataError, match=r"at least 99 held-out rows of each; got \d\d of '\d'"):
        model.predict_set(new.X, 0.99, per_class=True)


def test_no_rows_have_no_sets(model: ClassifierPredictor) -> None:
    assert model.predict_set(np.empty((0, 64))) == []
    labels, answered = model.predict_or_abstain(np.empty((0, 64)), 0.2)
    assert len(labels) == len(answered) == len(model.familiarity(np.empty((0, 64)))) == 0


def test_what_cannot_be_asked(model: ClassifierPredictor, new: Part) -> None:
    with pytest.raises(DataError, match="at least 999 held-out rows; got 320"):
        model.predict_set(new.X[:1], 0.999)
    with pytest.raises(ConfigError, match="strictly between 0 and 1; got 95"):
        model.predict_set(new.X[:1], 95)
    with pytest.raises(ConfigError, match="Did you mean 'aps'"):
        model.predict_set(new.X[:1], method="apps")  # pyright: ignore[reportArgumentType]


# Abstention and decisions ---------------------------------------------------------------------------------------


def test_the_error_among_answers_is_within_the_promise(model: ClassifierPredictor, new: Part) -> None:
    for max_error in (0.05, 0.1):
        labels, answered = model.predict_or_abstain(new.X, max_error)
        np.testing.assert_array_equal(labels, model.predict(new.X))
        assert answered.any()
        assert (labels != new.y)[answered].mean() <= max_error
        promise = model.abstention(max_error)
        assert promise.n == 320
        assert answered.mean() == pytest.approx(promise.share, abs=0.1)


def test_an_error_that_cannot_be_promised_is_refused(model: ClassifierPredictor, new: Part) -> None:
    with pytest.raises(DataError, match=r"at most 0\.001 .* It takes 2995 answers .* about 0\."):
        model.predict_or_abstain(new.X, 0.001)


def test_a_threshold_for_an_event(model: ClassifierPredictor, new: Part) -> None:
    found = model.event_threshold("round", precision=0.8)
    inside = np.isin(new.y, [0, 6, 8, 9])
    probability = model.distribution(new.X)(model.event("round"))
    acted = probability >= found.threshold
    assert inside[acted].mean() == pytest.approx(found.precision, abs=0.08)
    assert inside[acted].sum() / inside.sum() == pytest.approx(found.recall, abs=0.08)
    assert found.n == 320
    for same in ({0, 6, 8, 9}, model.space.event(0, 6, 8, 9)):
        assert model.event_threshold(same, precision=0.8) == found
    assert model.event_threshold(3, cost=(1.0, 3.0)).cost is not None
    with pytest.raises(LikelyError, match=r"Did you mean|Choose from"):
        model.event_threshold("rund", precision=0.8)
    with pytest.raises(ConfigError, match="one goal"):
        model.event_threshold("round")


# Familiarity ----------------------------------------------------------------------------------------------------


def test_familiar_rows_raise_as_many_alarms_as_allowed(model: ClassifierPredictor, new: Part) -> None:
    p = model.familiarity(new.X)
    for a in (0.05, 0.2):
        error = np.sqrt(a * (1 - a)) * (3 / np.sqrt(len(new)) + 3 / np.sqrt(320))
        assert (p <= a).mean() == pytest.approx(a, abs=error)


def test_other_rows_are_unfamiliar(model: ClassifierPredictor) -> None:
    noise = np.random.default_rng(0).uniform(-100, 100, size=(200, 64))
    assert (model.familiarity(noise) <= 0.05).mean() > 0.95


def test_examining_says_what_the_methods_say(model: ClassifierPredictor, new: Part) -> None:
    examined = model.examine(new.X[:50])
    np.testing.assert_array_equal(examined.log_probs, model.predict_log_proba(new.X[:50]))
    np.testing.assert_array_equal(examined.familiarity, model.familiarity(new.X[:50]))


# Ties and files -------------------------------------------------------------------------------------------------


def _answers(model: ClassifierPredictor, X: np.ndarray) -> list[np.ndarray]:
    probs = model.predict_proba(X)
    return [
        probs,
        *(model.sets(probs, c, method=m, seed=s) for c in (0.5, 0.95) for m in ("lac", "aps") for s in (None, 3)),
        *model.predict_or_abstain(X, 0.2),
        model.familiarity(X),
    ]


def test_a_loaded_model_answers_bit_for_bit(model: ClassifierPredictor, new: Part, tmp_path: Path) -> None:
    again = _digits(400, seed=9)
    for number, one in enumerate((model, model.calibrate(again.X, again.y))):
        loaded = likely.load(one.save(tmp_path / f"{number}.likely"))
        assert isinstance(loaded, ClassifierPredictor)
        for before, after in zip(_answers(one, new.X[:500]), _answers(loaded, new.X[:500]), strict=True):
            np.testing.assert_array_equal(before, after)
        assert loaded.abstention(0.2) == one.abstention(0.2)
        assert loaded.event_threshold("round", recall=0.9) == one.event_threshold("round", recall=0.9)
        assert loaded.coverage_interval(0.9) == one.coverage_interval(0.9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_of_one_kind_get_one_answer_alone_and_among_others(dtype: str) -> None:
    """A table of categories has few different rows, whose scores tie: rounding must not part held-out from new rows."""
    rng = np.random.default_rng(0)
    kinds, chances = rng.normal(size=(8, 5)), rng.dirichlet(np.full(3, 0.7), 8)

    def draw(n: int) -> Part:
        kind = rng.integers(8, size=n)
        y = (chances[kind].cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
        return Part(kinds[kind].astype(dtype), y)

    config = RunConfig(network="mlp", epochs=3, dtype=dtype)
    model = _learned(draw(20_000), config, labels=("a", "b", "c"))
    new = draw(5000)
    for coverage in (0.6, 0.8, 0.9):
        sets = model.sets(model.predict_proba(new.X), coverage)
        assert sets[np.arange(5000), new.y].mean() >= model.coverage_interval(coverage)[0] - 0.01
        for kind in kinds.astype(dtype):
            alone = model.sets(model.predict_proba(kind[None]), coverage)
            among = sets[(kind == new.X).all(axis=1)]
            assert (among == alone).all()
    p = model.familiarity(new.X)
    for a in (0.05, 0.2, 0.4):
        assert (p <= a).mean() <= a + 0.06
    for kind in kinds.astype(dtype):
        assert set(p[(kind == new.X).all(axis=1)]) == set(model.familiarity(kind[None]))
    labels, answered = model.predict_or_abstain(new.X, 0.35)
    predicted = model.space.event(*labels)
    assert len(predicted) > 1
    assert answered.mean() > 0.2
    assert answered.mean() == pytest.approx(model.abstention(0.35).share, abs=0.05)


# Models with less to rest on ------------------------------------------------------------------------------------


def test_cross_validated_models_give_approximate_sets_and_no_bounds(small: ClassifierPredictor, new: Part) -> None:
    assert small.card.splits.method == "cross-validation"
    assert _covered(small.predict_set(new.X, 0.9), new.y) == pytest.approx(0.9, abs=0.06)
    assert small.familiarity(new.X[:5]).shape == (5,)
    with pytest.raises(DataError, match=r"out-of-fold scores of 5 networks.*Try calibrate\(X, y\) with new rows"):
        small.predict_or_abstain(new.X, 0.2)


def test_models_without_held_out_rows_refuse_with_the_way_out(tiny: ClassifierPredictor, new: Part) -> None:
    assert tiny.card.splits.method == "none"
    assert tiny.predict_proba(new.X[:5]).shape == (5, 10)
    for ask in (
        lambda: tiny.predict_set(new.X),
        lambda: tiny.predict_or_abstain(new.X),
        lambda: tiny.event_threshold("round", recall=0.9),
        lambda: tiny.coverage_interval(0.9),
    ):
        with pytest.raises(DataError, match=r"must rest on held-out rows; .* has none .*Try calibrate\(X, y\)"):
            ask()
    with pytest.raises(DataError, match=r"has none .*Try more rows to learn from"):
        tiny.familiarity(new.X)
    assert tiny.examine(new.X[:5]).familiarity is None


def test_calibration_gives_them_what_they_lack(
    small: ClassifierPredictor, tiny: ClassifierPredictor, new: Part
) -> None:
    rows = _digits(2000, seed=5)
    for lacking in (small, tiny):
        model = lacking.calibrate(rows.X, rows.y)
        assert model.card.splits.method == "held-out"
        low, high = model.coverage_interval(0.9)
        assert low - 0.015 <= _covered(model.predict_set(new.X, 0.9, allow_empty=True), new.y) <= high + 0.015
    labels, answered = small.calibrate(rows.X, rows.y).predict_or_abstain(new.X, 0.3)
    assert (labels != new.y)[answered].mean() <= 0.3
    with pytest.raises(DataError, match="A familiarity"):
        tiny.calibrate(rows.X, rows.y).familiarity(new.X)


# Other rows -----------------------------------------------------------------------------------------------------


def test_after_calibration_the_promises_rest_on_the_new_rows(model: ClassifierPredictor) -> None:
    rng = np.random.default_rng(0)
    field, later = (
        replace(part, X=part.X + rng.normal(0, 5, part.X.shape)) for part in (_digits(2000, 6), _digits(4000, 7))
    )
    assert _covered(model.predict_set(later.X, 0.9), later.y) < 0.87
    moved = model.calibrate(field.X, field.y)
    assert (moved.card.splits.calibration, moved.card.splits.thresholds) == (1000, 1000)
    assert moved.held_out is not None
    assert moved.held_out.probs.shape == (1000, 10)
    low, high = moved.coverage_interval(0.9)
    assert low - 0.015 <= _covered(moved.predict_set(later.X, 0.9, allow_empty=True), later.y) <= high + 0.015
    before, after = (calibration_error(m.predict_proba(later.X), later.y) for m in (model, moved))
    assert after < before
    # Where the noise moves some digits more than others, a bias per class may change which comes first.
    assert moved.score(later.X, later.y) > model.score(later.X, later.y) - 0.005
    assert model.card.splits.thresholds == 320
    assert model.card.biases is None


def test_soft_labels_calibrate_too(model: ClassifierPredictor) -> None:
    rows = _digits(2000, seed=8)
    votes = 0.9 * np.eye(10)[rows.y] + 0.01
    moved = model.calibrate(rows.X, votes)
    assert moved.card.temperature is not None
    assert moved.card.temperature > model.calibrate(rows.X, rows.y).card.temperature  # pyright: ignore
    assert moved.held_out is not None
    assert len(moved.held_out.labels) == 1000


def test_rows_that_were_trained_on_are_refused(model: ClassifierPredictor, train: Part, tmp_path: Path) -> None:
    assert model.trained_on is not None
    assert len(model.trained_on) == 2 * model.card.splits.train  # as they are, and rounded to float32
    fresh = _digits(400, seed=10)
    mixed = Part(np.concatenate([fresh.X, train.X[:50]]), np.concatenate([fresh.y, train.y[:50]]))
    model.save(tmp_path / "model.likely")
    alone = likely.load(tmp_path)
    np.save(tmp_path / "row_hashes.npy", model.trained_on)
    beside = likely.load(tmp_path)
    assert isinstance(alone, ClassifierPredictor)
    assert isinstance(beside, ClassifierPredictor)
    for one in (model, beside, model.with_prior(np.full(10, 0.1))):
        with pytest.raises(DataError, match=r"must be new to the network; got 4\d of 450 .* row 40\d first"):
            one.calibrate(mixed.X, mixed.y)
        one.calibrate(fresh.X, fresh.y)
    alone.calibrate(mixed.X, mixed.y)  # the file does not tell who was trained on
    (tmp_path / "row_hashes.npy").write_bytes(b"not an array")
    assert likely.load(tmp_path).trained_on is None


def test_a_run_folder_knows_its_rows(tmp_path: Path) -> None:
    run = likely.training.fit.fit(RunConfig(data="digits", network="linear", epochs=1, out=str(tmp_path / "run")))
    loaded = likely.load(tmp_path / "run")
    assert isinstance(loaded, ClassifierPredictor)
    with pytest.raises(DataError, match="must be new to the network"):
        loaded.calibrate(run.dataset.train.X, [loaded.labels[i] for i in run.dataset.train.y])
    test = run.dataset.test
    assert test is not None
    loaded.calibrate(test.X, [loaded.labels[i] for i in test.y])


def test_calibration_rows_must_fit(model: ClassifierPredictor) -> None:
    rows = _digits(300, seed=11)
    with pytest.raises(DataError, match="at least two rows; got 1"):
        model.calibrate(rows.X[:1], rows.y[:1])
    with pytest.raises(DataError, match="at least two rows; got 0"):
        model.calibrate(np.empty((0, 64)), np.empty(0, int))
    with pytest.raises(DataError, match=r"got '\d' in row 0\. Try y\.astype\(int\)"):
        model.calibrate(rows.X, rows.y.astype(str))
    with pytest.raises(DataError, match=r"got 11\. "):
        model.calibrate(rows.X, np.full(300, 11))
    with pytest.raises(ShapeError, match="299 for 300 rows"):
        model.calibrate(rows.X, rows.y[:-1])
    with pytest.raises(ProbabilityError, match="sum to 1"):
        model.calibrate(rows.X, np.full((300, 10), 0.2))
    with pytest.raises(ShapeError, match="64"):
        model.calibrate(rows.X[:, :60], rows.y)


def test_calibration_rows_need_not_hold_every_class(model: ClassifierPredictor, new: Part) -> None:
    rows = _digits(600, seed=12)
    kept = rows.y != 3
    with pytest.warns(GuaranteeWarning, match="No calibration row has a label of 3"):
        calibrated = model.calibrate(rows.X[kept], rows.y[kept])
    field = new.y != 3
    low, high = calibrated.coverage_interval(0.9)
    covered = _covered(calibrated.predict_set(new.X[field], 0.9, allow_empty=True), new.y[field])
    assert low - 0.02 <= covered <= high + 0.02
    with pytest.raises(DataError, match=r"at least 9 held-out rows of each; got 0 of '3'"):
        calibrated.predict_set(new.X, 0.9, per_class=True)
    with pytest.raises(DataError, match=r"at least 5 held-out rows in the event and as many outside; got 0 of \d+"):
        calibrated.event_threshold(3, recall=0.9)
    assert calibrated.event_threshold("round", recall=0.9).recall >= 0.9


# Other priors ---------------------------------------------------------------------------------------------------


def test_another_prior_multiplies_the_probabilities(model: ClassifierPredictor, new: Part) -> None:
    prior = np.random.default_rng(0).dirichlet(np.full(10, 2.0))
    shifted = model.with_prior(dict(zip(model.labels, prior.tolist(), strict=True)))
    weighted = model.predict_proba(new.X) * prior / np.array(model.card.class_frequencies)
    expected = weighted / weighted.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shifted.predict_proba(new.X), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(shifted.predict(new.X), expected.argmax(axis=1))
    np.testing.assert_allclose(shifted.distribution(new.X)({3, 5}), expected[:, [3, 5]].sum(axis=1), atol=1e-12)
    np.testing.assert_array_equal(
        shifted.with_prior(model.card.class_frequencies).card.prior, model.card.class_frequencies
    )
    back = shifted.with_prior(np.array(model.card.class_frequencies))
    np.testing.assert_allclose(back.predict_proba(new.X), model.predict_proba(new.X), atol=1e-12)
    assert model.card.prior is None


def test_a_class_that_never_comes_has_no_probability(model: ClassifierPredictor, new: Part) -> None:
    prior = {label: 0.2 if label < 5 else 0.0 for label in model.labels}
    probs = model.with_prior(prior).predict_proba(new.X[:50])
    assert (probs[:, 5:] == 0).all()
    np.testing.assert_allclose(probs.sum(axis=1), 1)


def test_bounds_and_familiarity_do_not_survive_another_prior(
    model: ClassifierPredictor, new: Part, tmp_path: Path
) -> None:
    shifted = model.with_prior(np.full(10, 0.1))
    loaded = likely.load(shifted.save(tmp_path / "shifted.likely"))
    assert isinstance(loaded, ClassifierPredictor)
    for one in (shifted, loaded):
        for ask in (
            lambda one=one: one.predict_or_abstain(new.X),
            lambda one=one: one.event_threshold("round", recall=0.9),
            lambda one=one: one.familiarity(new.X),
        ):
            with pytest.raises(DataError, match=r"another prior.*Try the model without with_prior, or calibrate"):
                ask()
        assert one.examine(new.X[:3]).familiarity is None
        np.testing.assert_array_equal(one.predict_proba(new.X), shifted.predict_proba(new.X))
    rows = _digits(400, seed=12)
    assert shifted.calibrate(rows.X, rows.y).predict_set(new.X[:1])


def test_sets_follow_another_prior(model: ClassifierPredictor, small: ClassifierPredictor, new: Part) -> None:
    prior = np.array([0.3, 0.02, 0.02, 0.2, 0.02, 0.02, 0.02, 0.2, 0.1, 0.1])
    chance = (prior / np.bincount(new.y, minlength=10))[new.y]
    rows = np.random.default_rng(1).choice(len(new), size=3_000, p=chance / chance.sum())
    X, y = new.X[rows], new.y[rows]
    shifted = model.with_prior(prior)
    for how in ({}, {"method": "aps", "seed": 1}, {"method": "aps"}):
        low, high = shifted.coverage_interval(0.9)
        covered = _covered(shifted.predict_set(X, 0.9, allow_empty=True, **how), y)  # pyright: ignore[reportArgumentType]
        assert low - 0.03 <= covered <= high + 0.03
    low, high = shifted.coverage_interval(0.9)
    assert high - low > np.subtract(*model.coverage_interval(0.9)[::-1])  # unequal weights count as fewer rows
    assert _covered(shifted.predict_set(X, 0.9, per_class=True), y) > 0.85
    counted = "the class frequencies of training are counted"
    assert (model.approximate_sets, shifted.approximate_sets) == ("", counted)
    assert model.with_prior(prior, training=np.full(10, 0.1)).approximate_sets == ""
    assert "estimated" in model.with_prior(model.estimate_prior(X[:500])).approximate_sets
    assert small.with_prior(prior).approximate_sets == f"the held-out scores come from cross-validation and {counted}"
    # Nearly all weight on one class of some 30 held-out rows.
    one = np.where(np.arange(10) == 4, 0.991, 0.001)
    with pytest.raises(DataError, match=r"at least 99 held-out rows; got 320 whose weights .* count as [23]\d\.\d"):
        model.with_prior(one).predict_set(X, 0.99)
    with pytest.raises(ProbabilityError, match="training must be positive for every label; got 0 for 3"):
        model.with_prior(prior, training=np.where(np.arange(10) == 3, 0.0, 1 / 9))


def test_calibration_goes_on_from_another_prior(model: ClassifierPredictor) -> None:
    prior = np.array([0.3, 0.02, 0.02, 0.2, 0.02, 0.02, 0.02, 0.2, 0.1, 0.1])
    pool = _digits(20_000, seed=21)
    rows = np.concatenate([np.flatnonzero(pool.y == c)[: round(5_000 * p)] for c, p in enumerate(prior)])
    rows = np.random.default_rng(2).permutation(rows)
    field, later = rows[:1_000], rows[1_000:]
    X, y = pool.X[later], pool.y[later]

    def nll(one: ClassifierPredictor) -> float:
        return float(-one.predict_log_proba(X)[np.arange(len(y)), y].mean())

    shifted = model.with_prior(prior)
    moved, plain = (one.calibrate(pool.X[field], pool.y[field]) for one in (shifted, model))
    assert moved.card.prior is None
    assert nll(moved) <= nll(shifted) + 0.01
    assert nll(plain) < nll(model)
    frequencies = np.bincount(y, minlength=10) / len(y)
    for one in (moved, plain):
        np.testing.assert_allclose(one.predict_proba(X).mean(axis=0), frequencies, atol=0.04)
        np.testing.assert_allclose(one.card.class_frequencies, frequencies, atol=0.04)
        assert min(one.card.class_frequencies) > 0
        assert one.familiarity(X).shape == y.shape
    # From there back to where it came from.
    back = moved.with_prior(np.full(10, 0.1))
    assert np.abs(back.predict_proba(X) - model.predict_proba(X)).mean() < 0.02
    # A class that the prior rules out and the rows show is not impossible any more.
    never = model.with_prior(np.where(np.arange(10) == 0, 0.0, 1 / 9)).calibrate(pool.X[field], pool.y[field])
    assert np.isfinite(nll(never))
    assert nll(never) < nll(shifted) + 0.1


@pytest.mark.parametrize(
    ("prior", "error", "message"),
    [
        ({**dict.fromkeys(range(10), 0.1), "3": 0.0}, DataError, r"got '3'\. Did you mean 3\?"),
        (dict.fromkeys(range(9), 1 / 9), DataError, r"none for 9\. Try 9: 0\.0 if it never occurs"),
        (dict.fromkeys(range(10), 0.2), ProbabilityError, "sum to 1"),
        (dict.fromkeys(range(10), 10), ProbabilityError, "prior"),
        (np.full(9, 1 / 9), ShapeError, "10 labels"),
        (np.full((2, 10), 0.1), ShapeError, "prior"),
    ],
)
def test_what_is_no_prior_is_refused(
    model: ClassifierPredictor, prior: object, error: type[LikelyError], message: str
) -> None:
    with pytest.raises(error, match=message):
        model.with_prior(prior)  # pyright: ignore[reportArgumentType]


def test_a_shifted_prior_is_found_and_helps(model: ClassifierPredictor, new: Part) -> None:
    rng = np.random.default_rng(0)
    field = np.array([0.3, 0.02, 0.02, 0.2, 0.02, 0.02, 0.02, 0.2, 0.1, 0.1])
    rows = rng.choice(
        len(new), size=3000, p=(field / np.bincount(new.y))[new.y] / np.sum((field / np.bincount(new.y))[new.y])
    )
    X, y = new.X[rows], new.y[rows]
    found = model.estimate_prior(X)
    actual = np.bincount(y, minlength=10) / len(y)
    inside = (found.low - 0.005 <= actual) & (actual <= found.high + 0.005)
    assert inside.sum() >= 9
    np.testing.assert_allclose(found.prior, field, atol=0.03)
    shifted = model.with_prior(found)
    plain_score, shifted_score = model.score(X, y), shifted.score(X, y)
    assert shifted_score > plain_score
    # What was estimated does not change when it is asked again.
    np.testing.assert_allclose(shifted.estimate_prior(X).prior, found.prior)


# Class weights --------------------------------------------------------------------------------------------------


def test_balanced_training_leaves_probabilities_true_to_the_data() -> None:
    X, y = make_classification(
        30_000, n_features=8, n_informative=6, weights=[0.95], flip_y=0.02, class_sep=0.7, random_state=0
    )
    rare = y.mean()
    part, new = Part(X[:15_000], y[:15_000].astype(np.int64)), Part(X[15_000:], y[15_000:])
    found: dict[object, ClassifierPredictor] = {}
    for weight in (None, "balanced", {"rare": 10.0}):
        config = RunConfig(network="mlp", epochs=6, class_weight=weight)
        model = found[str(weight)] = _learned(part, config, labels=("common", "rare"))
        probs = model.predict_proba(new.X)
        assert probs[:, 1].mean() == pytest.approx(rare, abs=0.02)
        assert calibration_error(probs, new.y) < 0.015
    balanced = found["balanced"]
    assert balanced.card.class_weight is not None
    assert found["None"].card.class_weight is None
    np.testing.assert_allclose(balanced.card.class_weight, 0.5 / np.array(balanced.card.class_frequencies))
    # Without the correction: what the network itself believes.
    weighted = balanced.predict_proba(new.X) * balanced.card.class_weight
    weighted /= weighted.sum(axis=1, keepdims=True)
    assert weighted[:, 1].mean() > 0.15
    assert calibration_error(weighted, new.y) > 0.05
    # Promises hold for what is answered.
    sets = balanced.sets(balanced.predict_proba(new.X), 0.95)
    low, high = balanced.coverage_interval(0.95)
    assert low - 0.01 <= sets[np.arange(15_000), new.y].mean() <= high + 0.01
    p = balanced.familiarity(new.X)
    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=0.03)


def test_the_card_tells_under_which_frequencies_it_answers(model: ClassifierPredictor) -> None:
    facts = dict(card_facts(model.card))
    assert "answers under" not in facts
    shifted = dict(card_facts(model.with_prior(np.full(10, 0.1)).card))
    assert shifted["answers under"].startswith("given class frequencies: 0 10.00%, 1 10.00%")


@pytest.mark.parametrize(("trained", "asked"), [(np.float64, np.float32), (np.float32, np.float64)])
def test_rows_that_were_trained_on_are_refused_in_another_precision(trained: type, asked: type, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 3))
    clf = likely.Classifier(network="linear", random_state=0).fit(X.astype(trained), (X[:, 0] > 0).astype(int))
    with pytest.raises(DataError, match="new to the network; got 300 of 300"):
        clf.predictor_.calibrate(X.astype(asked), (X[:, 0] > 0).astype(int))
    new = rng.normal(size=(100, 3))
    clf.predictor_.calibrate(new.astype(asked), (new[:, 0] > 0).astype(int))
    again = likely.Classifier(network="linear", init_from=str(clf.predictor_.save(tmp_path / "m.likely")), epochs=1)
    with pytest.warns(GuaranteeWarning, match="was trained on"):
        again.fit(X.astype(asked), (X[:, 0] > 0).astype(int))
