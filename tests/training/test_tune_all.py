"""--tune all: a backbone that learns with its head. A tiny one, of random weights, which have something to learn."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import likely
from likely import Classifier
from likely.config.registry import BACKBONES
from likely.engines.by_torch import fine_tuning
from likely.errors import ConfigError, DataError
from likely.export.onnx_predictor import open_onnx
from likely.model import ClassifierPredictor
from likely.model import file as model_file
from likely.model.card_view import card_facts
from likely.networks.efficientnet_layout import EfficientNetLayout
from likely.training import tune_all
from likely.training.resume.journal import Journal

NAME, LAYOUT, EPOCHS = "efficientnet-lite0", EfficientNetLayout(32, 0.2, 0.5), 10


@dataclass(frozen=True)
class Tiny:
    """In place of pretrained weights: known ones of a small network."""

    name: str = NAME
    layout: EfficientNetLayout = LAYOUT
    installed: bool = True

    def read(self) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(0)
        return {
            name: (rng.normal(size=shape) * np.sqrt(2 / max(1, np.prod(shape[1:])))).astype(np.float16)
            for name, shape in self.layout.shapes.items()
        }


@pytest.fixture(scope="module", autouse=True)
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BACKBONES, NAME, Tiny())
        patch.setattr(tune_all, "RATE", 1e-2)  # random weights have further to go than pretrained ones
        for name, value in {"_FALLS": 0.95, "_LEFT_OUT": 0.0, "_LEAST_PART": 0.8}.items():
            patch.setattr(fine_tuning, name, value)
        patch.setenv("LIKELY_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def images(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Stripes upright and across, of any colors: directions, which a head on random features hardly sees."""
    rng = np.random.default_rng(seed)
    stripes = np.where(np.sin(np.arange(32) * 0.8 + rng.uniform(0, 6, (n, 1))) > 0, 1.0, 0.0)[:, None, :, None]
    first, second = rng.uniform(0, 255, (2, n, 1, 1, 3))
    X = np.broadcast_to(first + stripes * (second - first), (n, 32, 32, 3)).copy()
    y = rng.integers(0, 2, n)
    X[y == 1] = X[y == 1].transpose(0, 2, 1, 3)
    return (X + rng.normal(0, 20, X.shape)).clip(0, 255).astype(np.uint8), np.array(["upright", "across"])[y]


X, Y = images(200)
NEW, NEW_Y = images(300, seed=1)


@pytest.fixture(scope="module")
def tuned() -> Classifier:
    return Classifier(network=NAME, tune="all", epochs=EPOCHS, random_state=0, verbose=False).fit(X, Y)


def test_all_layers_learn_where_held_out_images_say_so(tuned: Classifier) -> None:
    head = Classifier(network=NAME, random_state=0, verbose=False).fit(X, Y)
    model, card = tuned.predictor_, tuned.predictor_.card
    assert any("--tune all: all layers learned" in note for note in card.data.notes)
    assert tuned.score(NEW, NEW_Y) > head.score(NEW, NEW_Y) + 0.05
    assert model.preprocessor.backbone.sha256 != head.predictor_.preprocessor.backbone.sha256
    assert {a.dtype for a in model.preprocessor.backbone.weights.values()} == {np.dtype(np.float16)}


def test_a_fifth_is_held_out_and_guarantees_rest_on_a_half_of_it(tuned: Classifier) -> None:
    splits = tuned.predictor_.card.splits
    assert (splits.method, splits.train, splits.calibration, splits.thresholds) == ("held-out", 160, 20, 20)
    assert tuned.predict_set(NEW, 0.9) is not None
    assert len(tuned.familiarity(NEW)) == len(NEW)


def test_a_file_holds_what_was_learned(tuned: Classifier, tmp_path: Path) -> None:
    model = likely.load(tuned.predictor_.save(tmp_path / "model.likely"))
    assert isinstance(model, ClassifierPredictor)
    assert np.array_equal(model.predict_proba(NEW), tuned.predict_proba(NEW))
    assert "its weights are not the published ones" in dict(card_facts(model.card))["on features of"]
    exported = open_onnx(model.to_onnx(tmp_path / "model.onnx"))
    assert isinstance(exported, ClassifierPredictor)
    np.testing.assert_allclose(exported.predict_proba(NEW[:9]), model.predict_proba(NEW[:9]), rtol=0, atol=1e-3)
    assert model.explain(NEW[:1])[0].pixels.shape == (32, 32, 3)


def test_a_tuning_that_was_killed_ends_with_the_same_bytes(tuned: Classifier, tmp_path: Path) -> None:
    left, taken, keep = 0, 0, Journal.keep

    class Killed(BaseException):
        pass

    def killing(self: Journal, key: str, value: Any) -> None:
        nonlocal left, taken
        if "tuning" in value:
            left, taken = left - 1, value["taken"]
            keep(self, key, value)
        if not left:
            raise Killed

    def arrays(model: Classifier) -> dict[str, bytes]:
        path = model.predictor_.save(tmp_path / "model.likely")
        return {name: array.tobytes() for name, array in model_file.read(path)[0].items()}

    again = Classifier(network=NAME, tune="all", epochs=EPOCHS, random_state=0, verbose=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Journal, "keep", killing)
        patch.setattr(Journal, "due", True)
        for left in (13, 62):  # noqa: B007  # of ten steps in each epoch
            with pytest.raises(Killed):
                again.fit(X, Y, resume=tmp_path / "kept")
    assert taken == 13 + 62
    again.fit(X, Y, resume=tmp_path / "kept")
    assert arrays(again) == arrays(tuned)


def test_what_cannot_be_tuned_is_refused() -> None:
    with pytest.raises(DataError, match="at least 100 images that are not related; got 60"):
        Classifier(network=NAME, tune="all").fit(X[:60], Y[:60])
    with pytest.raises(DataError, match="needs images of uint8, 0 to 255; got rows of numbers"):
        Classifier(tune="all").fit(np.eye(200), Y)
    with pytest.raises(ConfigError, match="'efficientnet-lite0' or 'efficientnet-lite2'; got network='conv'"):
        Classifier(network="conv", tune="all").fit(X, Y)
    with pytest.raises(ConfigError, match=r"learning_rate must be omitted with tune='all'; got 0\.1"):
        Classifier(tune="all", learning_rate=0.1).fit(X, Y)


def test_training_goes_on_from_what_was_tuned(tuned: Classifier, tmp_path: Path) -> None:
    path = tuned.predictor_.save(tmp_path / "model.likely")
    more = Classifier(init_from=str(path), random_state=0, verbose=False).fit(*images(60, seed=2))
    assert more.predictor_.preprocessor.sha256 == tuned.predictor_.preprocessor.sha256
    assert more.score(NEW, NEW_Y) > tuned.score(NEW, NEW_Y) - 0.1
