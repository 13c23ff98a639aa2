"""Networks in folders that transformers wrote: its own features, its own preparation of images, and no other code."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import likely
from likely import Classifier
from likely.config import RunConfig
from likely.data.images.decode import read_image
from likely.data.images.feature_cache import cached_features
from likely.errors import ConfigError, MissingExtraError, ModelFileError
from likely.export.session import Session
from likely.networks import transformers_network
from likely.networks.transformers_layout import TransformersLayout
from likely.preprocessing.backbone import Backbone

transformers = pytest.importorskip("transformers")


def tiny(family: str):
    """A network of random weights and its processor."""
    t = transformers
    torch.manual_seed(0)
    size = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    if family == "dinov2":
        crop = {"size": {"shortest_edge": 34}, "crop_size": {"height": 28, "width": 28}}
        config = t.Dinov2Config(**size, image_size=42, patch_size=14)
        return t.Dinov2Model(config), t.BitImageProcessorPil(**crop, do_convert_rgb=True)
    if family == "vit":
        config = t.ViTConfig(**size, intermediate_size=32, image_size=32, patch_size=8)
        return t.ViTForImageClassification(config), t.ViTImageProcessorPil(size={"height": 32, "width": 32})
    edge = {"size": {"shortest_edge": 32}}
    if family == "convnextv2":
        config = t.ConvNextV2Config(hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1])
        return t.ConvNextV2ForImageClassification(config), t.ConvNextImageProcessorPil(**edge, crop_pct=0.9)
    config = t.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1])
    return t.ResNetModel(config), t.ConvNextImageProcessorPil(**edge)


FAMILIES = ("dinov2", "vit", "convnextv2", "resnet")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    found = {}
    for family in FAMILIES:
        found[family] = tmp_path_factory.mktemp(family)
        for part in tiny(family):
            part.save_pretrained(found[family])
    return found


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKELY_CACHE", str(tmp_path / "cache"))


def photographs() -> list[Image.Image]:
    """Upright and across, of several sizes."""
    rng = np.random.default_rng(0)
    return [
        Image.fromarray(rng.integers(0, 256, (h // 8, w // 8, 3), dtype=np.uint8)).resize((w, h))
        for h, w in ((64, 96), (81, 47), (40, 40))
    ]


@pytest.mark.parametrize("family", FAMILIES)
def test_features_are_those_of_transformers(folders, family):
    model, processor = tiny(family)
    x = torch.cat([processor(image, return_tensors="pt")["pixel_values"] for image in photographs()])
    base = getattr(model, "vit", getattr(model, "convnextv2", model)).eval()
    with torch.inference_mode():
        answer = base(x)
    expected = answer.last_hidden_state[:, 0] if family == "vit" else answer.pooler_output.flatten(1)
    backbone = Backbone.pretrained(f"hf:{folders[family]}")
    side, conversion = backbone.layout.side, backbone.layout.conversion
    rows = np.stack([read_image(image, shape=(side, side, 3), conversion=conversion) for image in photographs()])
    assert np.ptp(expected.numpy(), axis=0).max() > 1e-2  # that they say anything
    np.testing.assert_allclose(backbone.features(rows), expected.numpy(), rtol=0, atol=1e-3)
    assert backbone.shapes == {name: a.shape for name, a in backbone.weights.items()}
    assert TransformersLayout.from_json(json.loads(json.dumps(backbone.layout.to_json()))) == backbone.layout
    assert np.array_equal(cached_features(backbone, rows), backbone.features(rows))


def test_a_model_answers_without_the_folder_but_not_without_transformers(folders, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 128, (48, 32, 32, 3), dtype=np.uint8)
    y = np.arange(48) % 2
    X[y == 1, :, :, 0] += 100
    fitted = Classifier(network=f"hf:{folders['resnet']}", random_state=0, verbose=False).fit(X, y)
    path = fitted.predictor_.save(tmp_path / "model.likely")
    assert str(folders["resnet"]).encode() not in path.read_bytes()
    assert fitted.predictor_.card.normalization["backbone"] == "hf:resnet"
    monkeypatch.setattr(transformers_network, "read_weights", None)
    model = likely.load(path)
    assert np.array_equal(model.predict_proba(X), fitted.predict_proba(X))
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"network='hf:resnet' needs .* pip install 'likely\[transformers\]'"):
        likely.load(path)


def test_an_exported_model_cuts_out_the_middle_of_photographs_by_itself(folders, tmp_path):
    rng = np.random.default_rng(0)
    levels = [rng.integers(0, 128, (h, w, 3), dtype=np.uint8) for h, w in rng.integers(20, 60, (40, 2))]
    for image in levels[::2]:
        image[..., 0] += 100
    fitted = Classifier(network=f"hf:{folders['resnet']}", random_state=0, verbose=False).fit(
        [Image.fromarray(image) for image in levels], np.arange(40) % 2
    )
    assert fitted.predictor_.card.conversion == {"name": "resize-and-crop", "edge": 36, "resampling": "bicubic"}
    session = Session(str(fitted.predictor_.to_onnx(tmp_path / "model.onnx")))
    for image in levels[:5]:
        expected = fitted.predict_proba([Image.fromarray(image)])
        np.testing.assert_allclose(session({"images": image[None]})["probabilities"], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("file", "change", "says"),
    [
        ("config.json", {"model_type": "swin"}, "one of the families dinov2, vit, .* got model_type 'swin'"),
        ("config.json", {"image_size": 16}, "images of the side 16; got a crop of 32"),
        ("preprocessor_config.json", {"do_pad": True}, "got 'do_pad'"),
        ("preprocessor_config.json", {"size": {"longest_edge": 32}}, "square images; got .*longest_edge"),
        ("preprocessor_config.json", {"size": {"shortest_edge": 32}}, "a shortest edge without a crop"),
        ("preprocessor_config.json", {"do_resize": False}, "got do_resize false"),
        ("preprocessor_config.json", {"image_processor_type": "CLIPImageProcessor"}, "got 'CLIPImageProcessor'"),
        ("preprocessor_config.json", {"do_center_crop": True, "crop_size": 64}, "at least the crop of 64; got 32"),
    ],
)
def test_what_is_not_done_is_refused_by_name(folders, tmp_path, file, change, says):
    for source in folders["vit"].iterdir():
        (tmp_path / source.name).write_bytes(source.read_bytes())
    values = json.loads((tmp_path / file).read_text()) | change
    (tmp_path / file).write_text(json.dumps(values))
    with pytest.raises(ConfigError, match=says):
        Backbone.pretrained(f"hf:{tmp_path}")


def test_weights_that_are_missing_or_not_safetensors_are_refused(folders, tmp_path):
    for source in folders["vit"].glob("*.json"):
        (tmp_path / source.name).write_bytes(source.read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(ConfigError, match=r"hold its weights as model\.safetensors; got none"):
        Backbone.pretrained(f"hf:{tmp_path}")
    (tmp_path / "model.safetensors").write_bytes((folders["resnet"] / "model.safetensors").read_bytes())
    with pytest.raises(ModelFileError, match="all weights of hf:vit"):
        Backbone.pretrained(f"hf:{tmp_path}")
    with pytest.raises(ConfigError, match=r"hold config\.json"):
        Backbone.pretrained("hf:no-such-folder")
    with pytest.raises(ConfigError, match="timm takes its weights from a hub"):
        RunConfig(network="timm/vit_base_patch16_224")
