"""A model of images gives its predictor's answers through ONNX Runtime, whatever is asked of it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image

from likely.config import RunConfig
from likely.data.images.decode import read_image
from likely.errors import EngineError, OutputError
from likely.export import parity
from likely.export.export_onnx import export_onnx
from likely.export.graph.builder import Graph
from likely.export.graph.resizing import resized_images
from likely.export.session import Session
from likely.model import ClassifierPredictor
from likely.model.card import Card
from likely.preprocessing.conversion import ResizeAndCrop
from likely.training.fit import fit


def masks(predictor: ClassifierPredictor, X: np.ndarray, coverage: float) -> np.ndarray:
    return np.array([event.mask for event in predictor.predict_set(X, coverage)])


def test_every_answer_is_the_predictors(calibrated: ClassifierPredictor, digits: Any, exported: Any) -> None:
    X, _ = digits
    session: Session = exported(calibrated)
    examined = calibrated.examine(X)
    assert examined.familiarity is not None
    answers = session({"images": X}, coverage=0.9, max_error=0.2)
    assert list(answers) == ["label", "probabilities", "set", "abstained", "familiarity", "round", "P(set)"]
    np.testing.assert_allclose(answers["probabilities"], np.exp(examined.log_probs), atol=1e-5)
    assert answers["probabilities"].dtype == np.float32
    assert answers["label"].tolist() == calibrated.predict(X).tolist()
    assert (answers["set"] == masks(calibrated, X, 0.9)).all()
    assert (answers["abstained"] != calibrated.predict_or_abstain(X, 0.2)[1]).all()
    np.testing.assert_allclose(answers["familiarity"], examined.familiarity, atol=2 / (calibrated.familiar_rows + 1))
    P = calibrated.distribution(X)
    np.testing.assert_allclose(answers["round"], P(calibrated.event("round")), atol=1e-5)
    np.testing.assert_allclose(answers["P(set)"], P(calibrated.event("set")), atol=1e-5)
    assert (session({"images": X})["set"] == masks(calibrated, X, 0.95)).all()
    assert len(session({"images": X[:0]})["label"]) == 0


@pytest.mark.parametrize(
    "settings",
    [
        {"network": "linear", "head": "l1", "loss": "squared_error"},
        {"network": "mlp", "hidden": (16,), "activation": "gelu", "dtype": "float64"},
        {"network": "mlp", "hidden": (16, 8), "activation": "relu", "class_weight": "balanced"},
        {"network": "mlp", "hidden": (8,), "activation": "tanh", "engine": "torch"},
    ],
    ids=lambda settings: "-".join(str(value) for value in settings.values()),
)
def test_networks_heads_and_activations(settings: Any, digits: Any, tmp_path: Path, exported: Any) -> None:
    predictor = fit(RunConfig(data="digits", epochs=1, out=str(tmp_path / "run"), **settings)).predictor
    X, _ = digits
    answers = exported(predictor)({"images": X})
    np.testing.assert_allclose(answers["probabilities"], predictor.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("preset", ["fast", "balanced"])
def test_the_feature_map_of_a_conv_net_counts(preset: Any, digits: Any, tmp_path: Path, exported: Any) -> None:
    out = str(tmp_path / "run")
    predictor = fit(RunConfig(data="digits", network="conv", preset=preset, epochs=0.5, out=out)).predictor
    X = np.concatenate([digits[0][:50], digits[0][:50, ::-1]])
    assert "familiarity.space" in predictor.arrays
    m = predictor.familiar_rows
    np.testing.assert_allclose(exported(predictor)({"images": X})["familiarity"], predictor.familiarity(X), atol=2 / m)


@pytest.mark.parametrize("threshold", [1.0, 0.9, 0.01])
def test_both_looks_at_an_image(threshold: float, conv: ClassifierPredictor, digits: Any, exported: Any) -> None:
    card = conv.card.model_copy(update={"hflip": True, "tta_threshold": threshold})
    predictor, (X, _) = ClassifierPredictor(card, conv.arrays), digits
    session: Session = exported(predictor)
    for some in (X, X[:1], X[:0]):
        answers, examined = session({"images": some}), predictor.examine(some)
        np.testing.assert_allclose(answers["probabilities"], np.exp(examined.log_probs), atol=1e-5)
        np.testing.assert_allclose(answers["familiarity"], examined.familiarity, atol=2 / predictor.familiar_rows)


def test_images_of_any_size_and_mode_are_resized_like_by_the_gate(
    calibrated: ClassifierPredictor, exported: Any
) -> None:
    session, rng = exported(calibrated), np.random.default_rng(0)
    for mode, size in (("L", (8, 8)), ("L", (61, 40)), ("RGB", (5, 90)), ("RGBA", (300, 9)), ("L", (1, 1))):
        levels = rng.integers(0, 256, (*size, len(mode)), dtype=np.uint8)
        image = Image.fromarray(levels[..., 0] if mode == "L" else levels)
        whole = read_image(image, shape=size)  # decoded, at its own size
        expected = calibrated.predict_proba([image])
        np.testing.assert_allclose(session({"images": whole[None]})["probabilities"], expected, atol=1e-5)


@pytest.mark.parametrize(("edge", "resampling"), [(0, "bilinear"), (24, "bicubic"), (33, "bilinear"), (0, "bicubic")])
def test_the_middle_is_cut_out_bit_for_bit(edge: int, resampling: str) -> None:
    how, g = ResizeAndCrop(edge, resampling), Graph(["images", "out"])
    x = g.input("images", np.uint8, ("n", 3, "h", "w"))
    g.output("out", resized_images(g, x, (24, 24), how), np.float32, ("n", 3, 24, 24))
    session, rng = Session(g.model("middle", {}).SerializeToString()), np.random.default_rng(0)
    for height, width in ((24, 25), (90, 31), (7, 200), (1, 1), (333, 60), (25, 24)):
        image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        found = session({"images": image.transpose(2, 0, 1)[None]})["out"][0].transpose(1, 2, 0)
        np.testing.assert_array_equal(found, how(Image.fromarray(image), (24, 24, 3)))


def test_what_the_file_says_of_itself(calibrated: ClassifierPredictor, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    assert calibrated.to_onnx(path) == path
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version <= 10
    assert {entry.domain: entry.version for entry in model.opset_import} == {"": 18, "ai.onnx.ml": 3}
    said = Session(str(path)).metadata
    assert json.loads(said["labels"]) == list(range(10))
    assert json.loads(said["events"]) == {"round": ["0", "6", "8", "9"], "set": ["1", "7"]}
    card = Card.from_json(json.loads(said["card"]), path)
    assert card.temperature == calibrated.card.temperature
    assert (card.data.found_at, card.training.command, card.hardware) == ("", "", {})
    saved = calibrated.save(tmp_path / "model.likely")
    assert said["model_sha256"] == hashlib.sha256(saved.read_bytes()).hexdigest()
    with pytest.raises(OutputError, match="already exists"):
        calibrated.to_onnx(path)


def test_what_a_model_cannot_promise_is_left_out_and_said(conv: ClassifierPredictor, exported: Any) -> None:
    session: Session = exported(conv)  # its held-out scores come from five networks
    assert session.outputs == ("label", "probabilities", "set", "familiarity")
    assert "out-of-fold scores" in json.loads(session.metadata["missing"])["abstained"]
    frequencies = dict(zip(conv.labels, np.arange(1, 11) / 55, strict=True))
    under = conv.with_prior(frequencies)
    assert exported(under).outputs == ("label", "probabilities", "set")


def test_nothing_is_written_where_answers_differ(
    conv: ClassifierPredictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parity, "ROUNDING", -1.0)
    with pytest.raises(EngineError, match=r"probability of a label of row 0 must be .* Nothing was written"):
        export_onnx(conv, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
