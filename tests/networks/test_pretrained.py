"""Pretrained weights: the network that they were trained in, the one file that is opened, and one set of numbers."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from likely.errors import MissingExtraError, ModelFileError
from likely.networks import pretrained
from likely.networks.efficientnet_lite import EfficientNetLite
from likely.networks.efficientnet_onnx import onnx_features
from likely.networks.pretrained import EFFICIENTNET_LITE0, EFFICIENTNET_LITE2, Pretrained, folded, sha256_of

BOTH = (EFFICIENTNET_LITE0, EFFICIENTNET_LITE2)


@pytest.fixture(params=BOTH, ids=lambda known: known.name)
def known(request: pytest.FixtureRequest) -> Pretrained:
    if not request.param.installed:
        pytest.skip("needs the extra photographs")
    return request.param


def images(known: Pretrained) -> np.ndarray:
    levels = np.random.default_rng(0).integers(0, 256, (2, 3, known.layout.side, known.layout.side))
    return ((levels - 127.0) / 128.0).astype(np.float32)


def test_features_are_those_of_the_reference_code(known):
    reference = pytest.importorskip("efficientnet_lite_pytorch").EfficientNet.from_name(known.name)
    state = torch.load(known.path, weights_only=True)
    reference.load_state_dict(state)
    net = EfficientNetLite(known.layout, folded({name: value.numpy() for name, value in state.items()}, known.layout))
    x = torch.from_numpy(images(known))
    with torch.inference_mode():
        expected = reference.eval().extract_features(x).mean((2, 3))
        assert torch.allclose(net(x), expected, rtol=0, atol=1e-4)


def test_onnx_runtime_computes_the_features_of_torch(known):
    runtime = pytest.importorskip("onnxruntime")
    weights = known.read()
    assert {array.dtype for array in weights.values()} == {np.dtype(np.float16)}
    assert {name: array.shape for name, array in weights.items()} == known.layout.shapes
    model = onnx_features(known.layout, weights)
    assert model == onnx_features(known.layout, weights)
    session = runtime.InferenceSession(model, providers=["CPUExecutionProvider"])
    with torch.inference_mode():
        expected = EfficientNetLite(known.layout, weights)(torch.from_numpy(images(known)))
    [found] = session.run(None, {"images": images(known)})
    np.testing.assert_allclose(found, expected.numpy(), rtol=0, atol=1e-3)


def test_a_file_of_another_hash_is_never_opened(known, tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("opened"))
    monkeypatch.syspath_prepend(tmp_path)
    other = replace(known, package="other-weights", file="weights.pth")
    (tmp_path / "other_weights").mkdir()
    (tmp_path / "other_weights" / "__init__.py").write_text("raise AssertionError('run')")
    (tmp_path / "other_weights" / "weights.pth").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(ModelFileError, match=f"with SHA-256 {known.sha256}; got .* Other files are never opened"):
        other.read()


def test_prepared_weights_are_kept_and_damage_is_found(known, tmp_path, monkeypatch):
    monkeypatch.setenv("LIKELY_CACHE", str(tmp_path))
    pretrained._read.cache_clear()
    weights = known.read()
    [file] = tmp_path.iterdir()
    assert sha256_of(known.name, weights) == known.prepared
    with monkeypatch.context() as patched:
        patched.setattr(torch, "load", lambda *_, **__: pytest.fail("opened"))
        pretrained._read.cache_clear()
        assert sha256_of(known.name, known.read()) == known.prepared
    for damaged in (file.read_bytes()[:-1] + b"\0", b"", b"\xff" * 100):
        file.write_bytes(damaged)
        pretrained._read.cache_clear()
        assert sha256_of(known.name, known.read()) == known.prepared
    file.unlink()
    file.symlink_to(tmp_path / "elsewhere")
    pretrained._read.cache_clear()
    assert sha256_of(known.name, known.read()) == known.prepared
    assert not (tmp_path / "elsewhere").exists()


def test_without_the_package_the_pip_line_is_given():
    missing = replace(EFFICIENTNET_LITE0, package="no-such-package")
    assert not missing.installed
    with pytest.raises(MissingExtraError, match=r"network='efficientnet-lite0' needs .* pip install 'likely\[photo"):
        missing.read()
