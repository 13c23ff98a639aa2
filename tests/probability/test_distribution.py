import copy
import pickle
import sys
import warnings
from collections import Counter
from html.parser import HTMLParser

import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import torch

from likely.errors import (
    ConfigError,
    ImpossibleEventError,
    ImprobableConditionWarning,
    MissingExtraError,
    ProbabilityError,
    ShapeError,
    SpaceMismatchError,
    UnknownOutcomeError,
)
from likely.probability.distribution import Distribution
from likely.probability.space import SampleSpace

CLOTHES = SampleSpace(
    ["T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
)
COIN = Distribution(["heads", "tails"], [0.5, 0.5])
WEATHER = Distribution(["rain", "sun", "wind", "cloud"], [0.1, 0.5, 0.2, 0.2])
SKY = Distribution(SampleSpace.product(["rain", "dry"], ["cloud", "clear"]), [0.1, 0.0, 0.1, 0.8])
BATCH = Distribution(["a", "b", "c"], [[0.2, 0.3, 0.5], [0.0, 0.0, 1.0], [0.6, 0.4, 0.0]])


def softmax_rows(n, k, dtype, seed=0):
    scores = np.random.default_rng(seed).normal(0, 3, (n, k)).astype(dtype)
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


@pytest.fixture
def plt(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


# What P answers


def test_every_way_to_name_an_event():
    assert COIN("heads") == 0.5
    assert COIN(COIN.space.event("heads")) == 0.5
    assert COIN({"heads"}) == COIN(["heads"]) == 0.5
    assert COIN(lambda side: side == "heads") == 0.5
    assert COIN({"heads", "tails"}) == 1.0
    assert COIN([]) == 0.0
    assert isinstance(COIN("heads"), float)


def test_heads_and_tails_never_occur_together():
    heads, tails = COIN.space.event("heads"), COIN.space.event("tails")
    assert COIN(heads & tails) == 0.0
    assert COIN(heads | tails) == 1.0


def test_rain_and_clouds_of_the_product_space():
    rain, cloud = SKY.space.where(0, "rain"), SKY.space.where(1, "cloud")
    assert SKY(rain) == pytest.approx(0.1)
    assert SKY(cloud) == pytest.approx(0.2)
    assert SKY(rain & cloud) == pytest.approx(0.1)
    assert SKY(rain, given=cloud) == pytest.approx(0.5)
    assert SKY(("rain", "cloud")) == 0.1
    assert not SKY.independent(rain, cloud)


def test_ten_tenths_are_one():
    assert Distribution(range(10), [0.1] * 10)(range(10)) == 1.0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("size", range(11))
def test_a_batch_answers_like_its_rows(dtype, size):
    P = Distribution(CLOTHES, softmax_rows(50, 10, np.float64).astype(dtype))
    event = CLOTHES.outcomes[:size]
    answer = P(event)
    assert answer.shape == (50,)
    assert answer.dtype == dtype
    np.testing.assert_allclose(
        answer.astype(float), [row(event) for row in P], atol=4 * float(np.finfo(dtype).eps), rtol=0
    )
    assert (answer >= 0).all()
    assert (answer <= 1).all()


@pytest.mark.parametrize("layout", [np.asfortranarray, lambda x: np.repeat(x, 2, axis=1)[:, ::2], lambda x: x[::-1]])
def test_any_memory_layout(layout):
    rows = layout(softmax_rows(20, 10, np.float32))
    P = Distribution(CLOTHES, rows)
    np.testing.assert_allclose(P(CLOTHES.outcomes[:5]), rows[:, :5].sum(axis=1), rtol=1e-5)


def test_conditioning_on_one_distribution():
    assert WEATHER("rain", given={"rain", "cloud"}) == pytest.approx(1 / 3)
    assert WEATHER("sun", given={"rain", "cloud"}) == 0.0
    assert WEATHER({"rain", "cloud"}, given={"rain", "cloud"}) == 1.0
    wet = WEATHER.given({"rain", "cloud"})
    assert wet.space == WEATHER.space
    np.testing.assert_allclose(wet.probs, [1 / 3, 0, 0, 2 / 3])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_conditioning_a_batch(dtype):
    P = Distribution(CLOTHES, softmax_rows(40, 10, dtype))
    upper, knit = CLOTHES.event("T-shirt", "Pullover", "Coat", "Shirt"), CLOTHES.event("Pullover", "Dress")
    conditional = P(knit, given=upper)
    assert conditional.dtype == dtype
    np.testing.assert_allclose(conditional, P("Pullover") / P(upper), rtol=1e-5)
    np.testing.assert_allclose(P.given(upper)(knit), conditional, rtol=1e-5)
    assert P.given(upper).probs.dtype == dtype
    Distribution(CLOTHES, P.given(upper).probs)


def test_conditioning_on_the_impossible():
    with pytest.raises(ImpossibleEventError, match=r"got 0 for Event\({\(rain, clear\)}\)\. P\(E given F\) divides"):
        SKY.given(("rain", "clear"))
    with pytest.raises(ImpossibleEventError, match=r"Event\({}\)"):
        COIN("heads", given=[])
    with pytest.raises(ImpossibleEventError, match=r"Event\({a, b}\) in row 1\. .* other rows"):
        BATCH("a", given={"a", "b"})
    with pytest.raises(ImpossibleEventError, match=r"in row 0 \(2 of 3 rows\)"):
        Distribution(["a", "b"], [[0, 1], [1, 0], [0, 1]]).given("a")


def test_conditioning_on_the_improbable_warns_at_the_caller():
    P = Distribution(["likely", "hardly"], [1 - 1e-9, 1e-9])
    with pytest.warns(ImprobableConditionWarning, match=r"got 1e-09 for Event\({hardly}\)\.") as caught:
        assert P("hardly", given="hardly") == 1.0
    assert caught[0].filename == __file__
    with pytest.warns(ImprobableConditionWarning) as caught:
        P.given("hardly")
    assert caught[0].filename == __file__
    batch = Distribution(["likely", "hardly"], [[0.5, 0.5], [1 - 1e-9, 1e-9]])
    with pytest.warns(ImprobableConditionWarning, match="in row 1"):
        batch.given("hardly")


def test_conditioning_on_an_event_at_the_threshold_is_quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Distribution(["x", "y"], [1e-6, 1 - 1e-6])("x", given="x") == 1.0


def test_an_impossible_row_is_named_before_an_improbable_one():
    P = Distribution(["x", "y"], [[1e-9, 1 - 1e-9], [0, 1]])
    with pytest.raises(ImpossibleEventError, match="in row 1"):
        P.given("x")


def test_unknown_outcomes_and_other_spaces():
    P = Distribution(CLOTHES, np.full(10, 0.1))
    with pytest.raises(UnknownOutcomeError, match="Did you mean 'Shirt'"):
        P("Shrt")
    with pytest.raises(UnknownOutcomeError, match="Did you mean 'Coat'"):
        P("Shirt", given={"Shirt", "Caot"})
    with pytest.raises(SpaceMismatchError, match="10 and 2 outcomes"):
        P(COIN.space.event("heads"))


# What is accepted and what is kept


@pytest.mark.parametrize(
    "probs",
    [
        [0.5, 0.5],
        (0.5, 0.5),
        np.array([0.5, 0.5]),
        torch.tensor([0.5, 0.5]),
        torch.tensor([0.5, 0.5], requires_grad=True),
        jnp.array([0.5, 0.5]),
        pd.Series([0.5, 0.5]),
        COIN,
    ],
)
def test_any_array_library(probs):
    P = Distribution(COIN.space, probs)
    assert isinstance(P.probs, np.ndarray)
    assert P == COIN


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_keep_their_dtype_and_others_become_float64(dtype):
    assert Distribution(COIN.space, np.array([0.5, 0.5], dtype)).probs.dtype == dtype
    assert Distribution(COIN.space, np.array([1, 0])).probs.dtype == np.float64
    assert Distribution(COIN.space, [True, False])("heads") == 1.0


@pytest.mark.parametrize("make", [np.array, torch.tensor])
def test_a_distribution_does_not_follow_the_array_it_was_made_from(make):
    array = make([0.5, 0.5])
    P = Distribution(COIN.space, array)
    array[0] = 0.9
    assert P("heads") == 0.5
    with pytest.raises(ValueError, match="read-only"):
        P.probs[0] = 0.9


def test_a_read_only_array_is_not_copied():
    array = np.array([0.5, 0.5])
    array.flags.writeable = False
    assert np.shares_memory(Distribution(COIN.space, array).probs, array)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("k", [2, 10, 1000])
def test_softmax_rows_are_distributions(dtype, k):
    rows = softmax_rows(200, k, np.float32 if dtype == np.float16 else dtype).astype(dtype)
    space = SampleSpace(range(k))
    assert len(Distribution(space, rows)) == 200
    if dtype == np.float32:
        assert len(Distribution(space, rows.astype(np.float64))) == 200


def test_rounding_beyond_the_edge_is_moved_to_it():
    P = Distribution(["x", "y", "z"], [0.9, 0.1, 1 - 0.9 - 0.1])
    assert P("z") == 0.0
    assert P.probs.min() == 0.0
    assert Distribution(["x", "y"], [1 + 2e-16, 0.0])("x") == 1.0


@pytest.mark.parametrize(
    ("probs", "error", "message"),
    [
        ([0.5, 0.4], ProbabilityError, r"^probs must sum to 1 within 1e-05; got 0.9, 0.1 too little\. Try"),
        ([[0.5, 0.5], [0.5, 0.75]], ProbabilityError, r"^Each row of probs .* got 1.25 in row 1, 0.25 too much\. Try"),
        ([[0.1, 0.1], [0.5, 0.5], [0, 0]], ProbabilityError, r"got 0.2 in row 0, 0.8 too little \(2 of 3 rows"),
        ([1.5, -0.5], ProbabilityError, r"in \[0, 1\]; got 1.5 for 'heads', 0.5 above 1"),
        ([[0.5, 0.5], [1.25, -0.25]], ProbabilityError, r"got 1.25 for 'heads' in row 1, 0.25 above 1"),
        (
            [[0.5, 0.5], [-0.25, 1.0]],
            ProbabilityError,
            r"got -0.25 for 'heads' in row 1, 0.25 below 0\. Try likely.soft",
        ),
        ([np.nan, 1.0], ProbabilityError, r"finite; got nan for 'heads'\."),
        ([[0.5, 0.5], [0.5, np.inf]], ProbabilityError, r"finite; got inf for 'tails' in row 1"),
        ([0.5, 0.25, 0.25], ShapeError, r"got shape \(3,\) for 2 outcomes"),
        (0.5, ShapeError, r"got shape \(\)"),
        (np.ones((1, 1, 2)), ShapeError, r"got shape \(1, 1, 2\)"),
        ([], ShapeError, r"got shape \(0,\)"),
        ([[0.5, 0.5], [1.0]], ShapeError, "unequal length"),
        (["0.5", "0.5"], ProbabilityError, "real numbers; got dtype <U3"),
        ([None, None], ProbabilityError, "real numbers; got dtype object"),
        (np.array([1j, 0]), ProbabilityError, "real numbers; got dtype complex128"),
    ],
)
def test_numbers_that_are_not_probabilities(probs, error, message):
    with pytest.raises(error, match=message):
        Distribution(COIN.space, probs)


def test_messages_never_print_an_array():
    rows = np.full((1000, 10), 0.1)
    rows[700, 3] = 0.4
    with pytest.raises(ProbabilityError, match=r"got 1\.3 in row 700, 0\.3 too much") as caught:
        Distribution(CLOTHES, rows)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("names", [["heads", "heads"], {"heads", "tails"}, "ht"])
def test_outcomes_are_checked_too(names):
    with pytest.raises(ProbabilityError, match="Outcomes must"):
        Distribution(names, [0.5, 0.5])


# From counts and mappings


def test_from_counts():
    assert Distribution.from_counts(COIN.space, [3, 1]).probs.tolist() == [0.75, 0.25]
    assert Distribution.from_counts(["a", "b", "c"], Counter("abba")).probs.tolist() == [0.5, 0.5, 0.0]
    assert Distribution.from_counts(COIN.space, [[3, 1], [0, 2]])("tails").tolist() == [0.25, 1.0]
    columns = {"heads": np.array([3, 0]), "tails": np.array([1, 2])}
    assert Distribution.from_counts(COIN.space, columns)("tails").tolist() == [0.25, 1.0]
    assert Distribution.from_counts(COIN.space, np.array([3, 1], np.float32)).probs.dtype == np.float32
    assert Distribution.from_counts(COIN.space, np.array([3, 1], np.float16)).probs.dtype == np.float16
    Distribution(range(7), Distribution.from_counts(range(7), np.arange(7) ** 5).probs)


@pytest.mark.parametrize(
    ("counts", "error", "message"),
    [
        ([0, 0], ProbabilityError, "only zeros in the whole space"),
        ([[1, 0], [0, 0]], ProbabilityError, "only zeros in row 1"),
        ({}, ProbabilityError, "only zeros"),
        ([[1, 2], [3, -4]], ProbabilityError, "got -4 for 'tails' in row 1"),
        ([1, np.nan], ProbabilityError, "got nan for 'tails'"),
        ([np.inf, 1], ProbabilityError, "got inf for 'heads'"),
        ([1e308, 1e308], ProbabilityError, "finite sum; got more than float64 holds"),
        ([1, 2, 3], ShapeError, "for 2 outcomes"),
        ({"heads": 1, "tials": 2}, UnknownOutcomeError, "Did you mean 'tails'"),
        ({"heads": [1, 2], "tails": [1, 2, 3]}, ShapeError, "several lengths"),
    ],
)
def test_counts_that_tell_nothing(counts, error, message):
    with pytest.raises(error, match=message):
        Distribution.from_counts(COIN.space, counts)


def test_from_mapping():
    assert Distribution.from_mapping({"heads": 0.5, "tails": 0.5}) == COIN
    partial = Distribution.from_mapping({("rain", "cloud"): 0.25, ("dry", "clear"): 0.75}, SKY.space)
    assert partial.probs.tolist() == [0.25, 0.0, 0.0, 0.75]
    batch = Distribution.from_mapping({"heads": np.array([0.5, 0.25], np.float32), "tails": np.float32([0.5, 0.75])})
    assert batch("tails").tolist() == [0.5, 0.75]
    assert batch.probs.dtype == np.float32
    with pytest.raises(ProbabilityError, match=r"0\.1 too little"):
        Distribution.from_mapping({"heads": 0.5, "tails": 0.4})
    with pytest.raises(UnknownOutcomeError):
        Distribution.from_mapping({"edge": 1.0}, COIN.space)


# Summaries


def test_mode_and_top():
    assert WEATHER.mode() == "sun"
    assert COIN.mode() == "heads"
    assert BATCH.mode() == ["c", "c", "a"]
    assert WEATHER.top(2) == [("sun", 0.5), ("wind", 0.2)]
    assert [name for name, _ in WEATHER.top()] == ["sun", "wind", "cloud"]
    assert len(COIN.top(5)) == 2
    assert BATCH.top(1) == [[("c", 0.5)], [("c", 1.0)], [("a", 0.6)]]
    assert BATCH[:0].top() == []
    assert BATCH[:0].mode() == []
    assert all(type(p) is float for _, p in Distribution(COIN.space, np.float32([0.5, 0.5])).top())
    with pytest.raises(ProbabilityError, match="at least 1; got 0"):
        COIN.top(0)


def test_entropy():
    assert COIN.entropy() == pytest.approx(np.log(2))
    assert isinstance(COIN.entropy(), float)
    assert str(Distribution(["x"], [1.0]).entropy()) == "0.0"
    assert Distribution(COIN.space, [[1, 0], [0.5, 0.5]]).entropy().tolist() == [0.0, pytest.approx(np.log(2))]
    assert Distribution(COIN.space, np.float32([[0.5, 0.5]])).entropy().dtype == np.float32


def test_what_is_made_from_distributions_is_not_judged_again():
    # Each is within the tolerance of a sum of 1, the joint of three is not.
    P = Distribution(COIN.space, [0.5, 0.500008])
    assert P.joint(P, P).entropy() == pytest.approx(3 * np.log(2), abs=1e-4)
    assert len(pickle.loads(pickle.dumps(P.joint(P, P)))) == 1


def test_sample_shapes_and_seeds():
    assert WEATHER.sample() in WEATHER.space
    assert len(WEATHER.sample(7)) == 7
    assert WEATHER.sample(0) == []
    assert len(BATCH.sample()) == 3
    assert [len(row) for row in BATCH.sample(4)] == [4, 4, 4]
    assert WEATHER.sample(50) != WEATHER.sample(50)  # equal by accident with probability below 1e-15
    assert WEATHER.sample(50, seed=0) == WEATHER.sample(50, seed=0)
    assert BATCH.sample(50, seed=0) == BATCH.sample(50, seed=0) != BATCH.sample(50)
    assert WEATHER.sample(50, seed=1) != WEATHER.sample(50, seed=2)
    generator = np.random.default_rng(0)
    assert WEATHER.sample(50, seed=generator) != WEATHER.sample(50, seed=generator)
    with pytest.raises(ProbabilityError, match="at least 0; got -1"):
        WEATHER.sample(-1)


def test_samples_come_as_often_as_they_should():
    n = 20_000
    counts = Counter(WEATHER.sample(n, seed=3))
    for outcome, p in zip(WEATHER.space, WEATHER.probs, strict=True):
        assert abs(counts[outcome] / n - p) < 5 * np.sqrt(p * (1 - p) / n)


def test_impossible_outcomes_are_never_drawn():
    class Extremes(np.random.Generator):
        def random(self, size):
            draws = np.zeros(size)
            draws[:, 1:] = np.nextafter(1.0, 0.0)
            return draws

    P = Distribution(["never", "a", "b", "nor"], [[0.0, 0.5, 0.5, 0.0], [0.0, 0.1, 0.9, 0.0]])
    assert P.sample(2, seed=Extremes(np.random.PCG64(0))) == [["a", "b"], ["a", "b"]]


def test_to_frame():
    frame = BATCH.to_frame()
    assert list(frame.columns) == ["a", "b", "c"]
    np.testing.assert_array_equal(frame.to_numpy(), BATCH.probs)
    assert COIN.to_frame().shape == (1, 2)
    assert list(SKY.to_frame().columns) == list(SKY.space)


def test_to_frame_without_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'likely\[tables\]'"):
        COIN.to_frame()


# Rows


def test_rows_of_a_batch():
    assert len(BATCH) == 3
    assert BATCH[1] == Distribution(["a", "b", "c"], [0.0, 0.0, 1.0])
    assert BATCH[-1].mode() == "a"
    assert len(BATCH[:2]) == 2
    assert BATCH[[2, 0]].mode() == ["a", "c"]
    assert BATCH[np.array([True, False, True])].mode() == ["c", "a"]
    assert len(BATCH[[]]) == 0
    assert [row.mode() for row in BATCH] == BATCH.mode()
    assert BATCH[np.int64(1)] == BATCH[1]
    assert not BATCH[1].probs.flags.writeable
    assert not BATCH[[1]].probs.flags.writeable
    with pytest.raises(IndexError):
        BATCH[3]


def test_a_single_distribution_counts_as_a_batch_of_one():
    assert len(COIN) == 1
    assert COIN[0] == COIN
    assert list(COIN) == [COIN]
    assert COIN[[0, 0]]("heads").tolist() == [0.5, 0.5]
    with pytest.raises(IndexError):
        COIN[1]


@pytest.mark.parametrize("index", ["heads", 1.0, None, (0, 1), True, [[0]]])
def test_what_is_not_a_row(index):
    with pytest.raises(ProbabilityError, match="a row, a slice or an array of rows"):
        BATCH[index]


def test_an_empty_batch_answers_with_nothing():
    none = Distribution(CLOTHES, np.zeros((0, 10), np.float32))
    assert none("Coat").shape == (0,)
    assert none("Coat", given={"Coat", "Bag"}).shape == (0,)
    assert none.joint(none)(("Coat", "Bag")).shape == (0,)
    assert none.entropy().shape == (0,)
    assert none.sample() == []


def test_equality_hash_copy_pickle_and_array():
    assert Distribution(["heads", "tails"], np.float32([0.5, 0.5])) == COIN
    assert hash(COIN) == hash(Distribution(["heads", "tails"], np.float32([0.5, 0.5])))
    assert Distribution(["heads", "tails"], [0.4, 0.6]) != COIN
    assert Distribution(["heads", "edge"], [0.5, 0.5]) != COIN
    assert COIN != "coin"
    for duplicate in (copy.deepcopy(BATCH), pickle.loads(pickle.dumps(BATCH))):
        assert duplicate == BATCH
        assert not duplicate.probs.flags.writeable
    np.testing.assert_array_equal(np.asarray(BATCH), BATCH.probs)
    assert np.asarray(BATCH, dtype=np.float32).dtype == np.float32


# Product spaces


def test_joint_of_independent_experiments():
    dice = Distribution(range(1, 7), np.full(6, 1 / 6))
    both = COIN.joint(dice)
    assert both == Distribution.joint(COIN, dice)
    assert both.space == SampleSpace.product(COIN.space, dice.space)
    assert both(("heads", 6)) == pytest.approx(1 / 12)
    assert both.independent(both.space.where(0, "heads"), both.space.where(1, {5, 6}))
    assert COIN.joint() == Distribution([("heads",), ("tails",)], [0.5, 0.5])


def test_joint_of_batches():
    two = BATCH.joint(BATCH)
    np.testing.assert_allclose(two.probs[2], np.outer(BATCH.probs[2], BATCH.probs[2]).ravel())
    with_coin = COIN.joint(BATCH)
    assert with_coin.probs.shape == (3, 6)
    np.testing.assert_allclose(with_coin(("tails", "c")), BATCH("c") / 2)
    np.testing.assert_allclose(BATCH.joint(COIN).marginal(0).probs, BATCH.probs)
    with pytest.raises(ShapeError, match="got 2 and 3"):
        BATCH.joint(BATCH[:2])


def test_marginals():
    assert SKY.marginal(0).space == SampleSpace(["rain", "dry"])
    np.testing.assert_allclose(SKY.marginal(0).probs, [0.1, 0.9])
    np.testing.assert_allclose(SKY.marginal(SKY.space.factors[1]).probs, [0.2, 0.8])
    np.testing.assert_allclose(SKY.marginal(1, 0).probs, [0.1, 0.1, 0.0, 0.8])
    assert SKY.marginal(1, 0).space == SampleSpace.product(["cloud", "clear"], ["rain", "dry"])
    assert SKY.marginal(0, 1) == SKY


def test_marginals_of_three_factors_in_any_order():
    table = np.random.default_rng(0).dirichlet(np.ones(24), size=5).reshape(5, 2, 3, 4)
    P = Distribution(SampleSpace.product(["a", "b"], [1, 2, 3], list("wxyz")), table.reshape(5, -1))
    np.testing.assert_allclose(P.marginal(2, 0).probs, np.einsum("nabc->nca", table).reshape(5, -1))
    np.testing.assert_allclose(P.marginal(-1).probs, table.sum(axis=(1, 2)))
    np.testing.assert_allclose(P.marginal(2, 0, 1).probs, table.transpose(0, 3, 1, 2).reshape(5, -1))


@pytest.mark.parametrize("factors", [(), (0, 0), (0, -2), (2,)])
def test_marginals_that_make_no_sense(factors):
    with pytest.raises(ProbabilityError, match="factor"):
        SKY.marginal(*factors)
    with pytest.raises(ProbabilityError, match=r"factor|product"):
        COIN.marginal(*factors)


def test_independence_of_a_batch_and_its_tolerance():
    P = Distribution(SKY.space, [[0.25, 0.25, 0.25, 0.25], [0.1, 0.0, 0.1, 0.8]])
    rain, cloud = SKY.space.where(0, "rain"), SKY.space.where(1, "cloud")
    assert P.independent(rain, cloud).tolist() == [True, False]
    assert P.independent(rain, cloud, tolerance=0.1).tolist() == [True, True]
    assert COIN.independent("heads", "tails") is False
    # Disjoint events that can occur are dependent; events that overlap need not be.
    assert COIN.independent("heads", [])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("p", [1e-2, 5e-4, 1e-6, 1e-12])
def test_independence_of_rare_events_is_told_by_ratio(dtype, p):
    if dtype == np.float16 and p < 5e-4:
        return  # p * p is no number of this dtype: nothing could tell
    rare = Distribution(["flood", "quake", "both", "neither"], np.array([p, p, 0, 1 - 2 * p], dtype))
    flood, quake = rare.space.event("flood", "both"), rare.space.event("quake", "both")
    for first, second in ((flood, quake), (flood, ~quake), (~flood, quake), (~flood, ~quake)):
        assert rare.independent(first, second) is False
    # Rare events that are independent, and events that come together twice as often as those.
    coin = Distribution([True, False], np.array([p, 1 - p], dtype))
    two = coin.joint(coin)
    assert two.independent(two.space.where(0, True), two.space.where(1, True))
    if dtype == np.float64:
        together = Distribution(two.space, [2 * p * p, p - 2 * p * p, p - 2 * p * p, 1 - 2 * p + 2 * p * p])
        assert not together.independent(two.space.where(0, True), two.space.where(1, True))


def test_a_sum_that_is_one_but_for_rounding_makes_no_dependence():
    P = Distribution(COIN.space, [0.5, 0.500008])
    two = P.joint(P)
    assert two.independent(two.space.where(0, "heads"), two.space.where(1, "heads"))
    assert two.independent(two.space.where(0, "heads"), two.space.all)


# How it looks


def test_repr_of_one():
    assert repr(COIN) == "Distribution({heads: 0.5, tails: 0.5})"
    assert repr(SKY).startswith("Distribution({(rain, cloud): 0.1, ")
    peaked = Distribution(range(50), np.r_[np.full(49, 0.01), 0.51])
    assert repr(peaked) == "Distribution({49: 0.51, 0: 0.01, 1: 0.01, 2: 0.01, 3: 0.01, and 45 more})"


def test_repr_of_a_batch():
    assert repr(BATCH).splitlines() == [
        "Distribution(3 rows over 3 outcomes)",
        "  0  c 0.5, b 0.3, a 0.2",
        "  1  c 1, a 0, b 0",
        "  2  a 0.6, b 0.4, c 0",
    ]
    assert repr(Distribution(CLOTHES, softmax_rows(1000, 10, np.float32))).endswith("  and 995 more")
    assert repr(BATCH[:0]) == "Distribution(0 rows over 3 outcomes)"


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.texts, self.widths = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.widths += [part[6:] for part in (dict(attrs).get("style") or "").split(";") if part.startswith("width:")]

    def handle_data(self, data):
        self.texts.append(data)


def read(html):
    reader = Reader()
    reader.feed(html)
    return reader


def test_html_bars():
    page = read(Distribution(["<script>alert(1)</script>", "a & b"], [0.25, 0.75])._repr_html_())
    assert "script" not in page.tags
    assert page.texts == ["a & b", "0.75", "<script>alert(1)</script>", "0.25"]
    assert page.widths == ["75.00%", "25.00%"]


def test_html_of_a_batch_and_of_many_outcomes():
    assert read(Distribution(CLOTHES, softmax_rows(9, 10, np.float32))._repr_html_()).texts[-1] == "and 4 more rows"
    many = read(Distribution(range(50), np.full(50, 0.02))._repr_html_())
    assert many.texts[-1] == "and 38 more"
    assert len(many.widths) == 12


def lengths(ax, side):
    return [getattr(bar, f"get_{side}")() for bar in ax.patches]


def test_plot_the_rooms_in_a_rental_unit(plt):
    rooms = Distribution([1, 2, 3, 4, 5, 6, "7+"], [0.12, 0.27, 0.31, 0.17, 0.08, 0.03, 0.02])
    ax = rooms.plot()
    ax.figure.draw_without_rendering()
    assert lengths(ax, "height") == rooms.probs.tolist()
    assert [text.get_text() for text in ax.get_xticklabels()] == ["1", "2", "3", "4", "5", "6", "7+"]
    assert ax.get_ylim()[0] == 0
    assert ax.get_ylim()[1] > 0.31


def test_plot_on_given_axes_and_with_long_names(plt):
    _, ax = plt.subplots()
    P = Distribution(
        ["$5 to $9", "a name that is much too long to stand beside a bar", "Kapuzenpullover"], [0.2, 0.3, 0.5]
    )
    assert P.plot(ax=ax) is ax
    ax.figure.draw_without_rendering()
    assert lengths(ax, "width") == [0.2, 0.3, 0.5]
    texts = [text.get_text() for text in ax.get_yticklabels()]
    assert texts[0] == r"\$5 to \$9"
    assert texts[1] == "a name that is much too…"
    assert ax.yaxis_inverted()


@pytest.mark.parametrize("with_images", [False, True])
def test_plot_a_batch(plt, with_images):
    P = Distribution(CLOTHES, softmax_rows(4, 10, np.float32))
    images = np.zeros((4, 28, 28), np.uint8) if with_images else None
    axes = P.plot(images=images)
    figure = axes[0].figure
    figure.draw_without_rendering()
    assert len(figure.axes) == (8 if with_images else 4)
    for ax, row in zip(axes, P.probs, strict=True):
        np.testing.assert_allclose(lengths(ax, "width"), row)
        assert ax.get_xlim()[1] > P.probs.max()
    assert P[:1].plot()[0].patches
    own = plt.subplots(1, 4)[1]
    assert P.plot(ax=own) == list(own)


def test_plots_that_cannot_be_drawn(plt):
    P = Distribution(CLOTHES, softmax_rows(30, 10, np.float32))
    with pytest.raises(ShapeError, match="1 to 24 rows; got 30"):
        P.plot()
    with pytest.raises(ShapeError, match="1 to 24 rows; got 0"):
        P[:0].plot()
    with pytest.raises(ShapeError, match="one per row; got 2 for 3"):
        P[:3].plot(images=np.zeros((2, 28, 28)))
    with pytest.raises(ShapeError, match="ax must be one per row; got 1 for 3 rows"):
        P[:3].plot(ax=plt.subplots()[1])
    with pytest.raises(ConfigError, match="Only one of ax and images"):
        P[0].plot(ax=plt.subplots()[1], images=np.zeros((1, 28, 28)))
