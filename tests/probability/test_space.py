import copy
import operator
import pickle

import numpy as np
import pytest
import torch

from likely.errors import ProbabilityError, ShapeError, SpaceMismatchError, UnknownOutcomeError
from likely.probability.space import Event, SampleSpace

CLOTHES = SampleSpace(
    ["T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
)
COIN = SampleSpace(["heads", "tails"])
SKY = SampleSpace.product(["rain", "dry"], ["cloud", "clear"])


def test_a_space_keeps_its_order_and_knows_its_outcomes():
    assert list(COIN) == ["heads", "tails"]
    assert COIN.outcomes == ("heads", "tails")
    assert len(CLOTHES) == 10
    assert CLOTHES.index("Coat") == 4
    assert "Coat" in CLOTHES
    assert "coat" not in CLOTHES
    assert ["unhashable"] not in CLOTHES


def test_spaces_are_equal_by_outcomes_in_order():
    assert SampleSpace(("heads", "tails")) == COIN
    assert hash(SampleSpace(("heads", "tails"))) == hash(COIN)
    assert SampleSpace(["tails", "heads"]) != COIN
    assert COIN != ["heads", "tails"]
    assert SampleSpace([("rain", "cloud"), ("rain", "clear"), ("dry", "cloud"), ("dry", "clear")]) == SKY


def test_a_space_cannot_be_changed():
    with pytest.raises(AttributeError):
        COIN.outcomes = ("edge",)
    with pytest.raises(AttributeError):
        COIN.color = "gold"


def test_any_hashable_is_an_outcome():
    space = SampleSpace([None, 3, 2.5, "x", ("a", 1), frozenset({1}), str])
    assert space.index(None) == 0
    assert space.event(str).outcomes == (str,)
    assert space.event(frozenset({1})).outcomes == (frozenset({1}),)


@pytest.mark.parametrize("names", [np.array(["a", "b"]), torch.tensor([3, 4]), np.array([0.5, 1.5]), range(2)])
def test_arrays_of_names_become_plain_values(names):
    space = SampleSpace(names)
    assert {type(outcome) for outcome in space} <= {str, int, float}
    assert all(outcome in space for outcome in np.asarray(names))


def test_product_outcomes_are_tuples_and_factors_are_kept():
    assert list(SKY) == [("rain", "cloud"), ("rain", "clear"), ("dry", "cloud"), ("dry", "clear")]
    assert SKY.factors == (SampleSpace(["rain", "dry"]), SampleSpace(["cloud", "clear"]))
    assert COIN.factors == ()
    three = SampleSpace.product(COIN, [1, 2, 3], COIN)
    assert len(three) == 12
    assert three.outcomes[7] == ("tails", 1, "tails")


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_where_picks_by_one_factor(axis):
    space = SampleSpace.product(["a", "b"], [1, 2, 3], ["x", "y"])
    wanted = space.factors[axis].outcomes[1]
    assert space.where(axis, wanted) == space.event(lambda outcome: outcome[axis] == wanted)


def test_where_takes_a_factor_by_itself_and_whatever_makes_an_event():
    eyes = SampleSpace([1, 2, 3])
    space = SampleSpace.product(COIN, eyes)
    assert space.where(eyes, lambda n: n > 1) == space.where(1, {2, 3}) == space.where(1, 2, 3)


def test_an_argument_is_an_outcome_first_then_a_collection():
    nested = SampleSpace(["a", "b", ("a", "b")])
    assert nested.event(("a", "b")).outcomes == (("a", "b"),)
    assert nested.event(["a", "b"]).outcomes == ("a", "b")
    assert SKY.event(("rain", "cloud")).outcomes == (("rain", "cloud"),)
    assert len(SKY.event([("rain", "cloud"), ("dry", "cloud")])) == 2
    assert len(SKY.event((("rain", "cloud"), ("dry", "cloud")))) == 2


def test_event_reads_unions_predicates_generators_arrays_and_events():
    footwear = CLOTHES.event("Sandal", "Sneaker", "Ankle boot")
    assert CLOTHES.event({"Ankle boot", "Sneaker", "Sandal"}) == footwear
    assert CLOTHES.event(np.array(["Sandal", "Sneaker", "Ankle boot"])) == footwear
    assert CLOTHES.event(name for name in footwear) == footwear
    assert CLOTHES.event({"Sandal": 1, "Sneaker": 2}, "Ankle boot") == footwear
    assert CLOTHES.event(footwear) == footwear
    assert CLOTHES.event(lambda name: name.startswith("S")).outcomes == ("Sandal", "Shirt", "Sneaker")
    assert CLOTHES.event(lambda name: False) == CLOTHES.event() == CLOTHES.event([]) == CLOTHES.empty


def test_event_operators():
    feet = CLOTHES.event("Sandal", "Sneaker", "Ankle boot")
    summer = CLOTHES.event("Sandal", "T-shirt")
    assert (feet | summer).outcomes == ("T-shirt", "Sandal", "Sneaker", "Ankle boot")
    assert (feet & summer).outcomes == ("Sandal",)
    assert (feet - summer).outcomes == ("Sneaker", "Ankle boot")
    assert (feet ^ summer).outcomes == ("T-shirt", "Sneaker", "Ankle boot")
    assert ~CLOTHES.empty == CLOTHES.all
    assert len(~feet) == 7
    assert feet & summer <= feet
    assert feet & summer < feet
    assert feet >= feet & summer
    assert not feet < feet
    assert not feet <= summer
    assert summer.issubset({"Sandal", "T-shirt", "Bag"})
    assert feet.isdisjoint("Bag")
    assert not feet.isdisjoint(summer)
    assert COIN.event("heads").isdisjoint(COIN.event("tails"))


def test_event_is_a_frozen_ordered_subset():
    event = CLOTHES.event("Sneaker", "Sandal")
    assert list(event) == ["Sandal", "Sneaker"]
    assert "Sandal" in event
    assert "Bag" not in event
    assert "no such thing" not in event
    assert event
    assert not CLOTHES.empty
    assert event.space is CLOTHES
    assert event.mask.dtype == bool
    assert event.mask.tolist() == [name in ("Sandal", "Sneaker") for name in CLOTHES]
    with pytest.raises(ValueError, match="read-only"):
        event.mask[0] = True


def test_an_event_does_not_follow_the_mask_it_was_made_from():
    mask = np.array([True, False])
    event = Event(COIN, mask)
    mask[:] = True
    assert event == COIN.event("heads")


def test_event_equality_and_hash():
    assert COIN.event("heads") == SampleSpace(["heads", "tails"]).event({"heads"})
    assert len({COIN.event("heads"), COIN.event(["heads"]), COIN.event("tails")}) == 2
    assert COIN.event("heads") != SampleSpace(["heads", "edge"]).event("heads")
    assert COIN.event("heads") != {"heads"}


def test_reprs():
    assert repr(CLOTHES.event("Sneaker", "Sandal")) == "Event({Sandal, Sneaker})"
    assert repr(COIN.empty) == "Event({})"
    assert repr(COIN) == "SampleSpace(['heads', 'tails'])"
    assert repr(SKY.event(("rain", "cloud"))) == "Event({(rain, cloud)})"
    assert repr(SampleSpace(["", "\n", "a b"]).all) == "Event({'', '\\n', a b})"
    many = SampleSpace(range(100))
    assert repr(many).endswith("11, and 88 more])")
    assert repr(many.all).endswith("11, and 88 more})")


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_and_pickles_are_equal(duplicate):
    space, event = duplicate((SKY, SKY.where(0, "rain")))
    assert space == SKY
    assert space.factors == SKY.factors
    assert event == SKY.where(0, "rain")
    assert event.mask.flags.writeable is False


@pytest.mark.parametrize(
    ("outcomes", "message"),
    [
        ([], "at least one outcome"),
        (["Coat", "Bag", "Coat"], r"unique; got 'Coat' at positions 0 and 2"),
        ([1, True], "unique; got True at positions 0 and 1"),
        (["Coat", ["Bag"]], r"hashable; got \['Bag'\] at position 1"),
        (np.zeros((3, 2)), r"hashable; got ndarray of shape \(2,\) at position 0"),
        ("heads", r"got the text 'heads'. .* Try SampleSpace\(\['heads'\]\)"),
        ({"heads", "tails"}, "order; got a set of 2"),
        (3, "collection; got 3"),
        ([1.0, float("nan")], "equal itself; got nan at position 1"),
    ],
)
def test_outcomes_that_make_no_space(outcomes, message):
    with pytest.raises(ProbabilityError, match=message):
        SampleSpace(outcomes)


@pytest.mark.parametrize("argument", ["Shrt", {"Shrt"}, ["Coat", "Shrt"]])
def test_unknown_outcomes_name_the_nearest(argument):
    with pytest.raises(UnknownOutcomeError, match=r"got 'Shrt'\. Did you mean 'Shirt'"):
        CLOTHES.event(argument)


def test_unknown_outcomes_of_other_kinds():
    with pytest.raises(UnknownOutcomeError, match=r"got 3\. Choose from 'heads', 'tails'"):
        COIN.event(3)
    with pytest.raises(UnknownOutcomeError, match=r"got ndarray of shape \(2,\)"):
        COIN.event([np.zeros(2)])
    with pytest.raises(UnknownOutcomeError, match=r"got \('rian', 'cloud'\). Did you mean \('rain', 'cloud'\)"):
        SKY.event(("rian", "cloud"))
    with pytest.raises(UnknownOutcomeError, match=r"outcome of factor 1. Try space.where\(1, 'clear'\)"):
        SKY.event("clear")
    with pytest.raises(UnknownOutcomeError, match="Did you mean 'heads'"):
        COIN.index("Heads")


def test_events_of_another_space():
    other = SampleSpace(["heads", "edge"])
    for combine in (lambda a, b: a | b, lambda a, b: a & b, lambda a, b: a - b, lambda a, b: a <= b):
        with pytest.raises(SpaceMismatchError, match="'tails' and 'edge' at position 1"):
            combine(COIN.event("heads"), other.event("heads"))
    with pytest.raises(SpaceMismatchError, match="10 and 2 outcomes"):
        CLOTHES.event(COIN.all)
    with pytest.raises(SpaceMismatchError):
        COIN.event("heads").isdisjoint(other.event("edge"))


@pytest.mark.parametrize("combine", [operator.or_, operator.and_, operator.sub, operator.xor, operator.lt, operator.le])
def test_operators_want_events(combine):
    with pytest.raises(TypeError, match="support"):
        combine(COIN.event("heads"), "heads")


@pytest.mark.parametrize("mask", [np.zeros(3, bool), np.zeros(2), [[True, False]]])
def test_masks_that_do_not_fit(mask):
    with pytest.raises(ShapeError, match="A mask must be 2 booleans"):
        Event(COIN, mask)


def test_factors_that_are_not_there():
    with pytest.raises(ProbabilityError, match="at least one factor"):
        SampleSpace.product()
    with pytest.raises(ProbabilityError, match="must be a product"):
        COIN.where(0, "heads")
    with pytest.raises(ProbabilityError, match="from 0 to 1; got 2"):
        SKY.where(2, "rain")
    with pytest.raises(SpaceMismatchError, match="a factor of the product"):
        SKY.factor_index(COIN)
    with pytest.raises(ProbabilityError, match="which is 2 of its 2 factors"):
        SampleSpace.product(COIN, COIN).factor_index(COIN)
    with pytest.raises(UnknownOutcomeError, match="Did you mean 'rain'"):
        SKY.where(0, "rainy")
