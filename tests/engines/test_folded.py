"""The conv net as it answers: the numbers of the net that was trained, packed or not."""

import copy
import pickle

import numpy as np
import pytest
import torch

import likely
from likely.engines.by_torch import folded
from likely.engines.by_torch.folded import FoldedConvNet
from likely.networks.convnet import ConvModule, ConvNet


def _trained(
    side: int, channels: int, dtype: torch.dtype = torch.float32, **shape: int
) -> tuple[ConvModule, torch.Tensor]:
    """A net with statistics and biases of its own, and images for it."""
    rng = np.random.default_rng(side)
    x = rng.random((16, channels, side, side), np.float32)
    net = ConvNet(8, stem=4, **shape).build(3, x)
    with torch.no_grad():
        net.train()(torch.from_numpy(x) * 3)
        for name, value in net.named_parameters():
            if "norm" in name and name.endswith("bias"):
                value.copy_(torch.from_numpy(rng.normal(size=value.shape).astype(np.float32)))
    return net.to(dtype).eval(), torch.from_numpy(x).to(dtype).contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("packs", [True, False])
@pytest.mark.parametrize(
    ("side", "channels", "shape"),
    [
        (4, 1, {}),
        (8, 3, {}),
        (12, 1, {}),
        (28, 1, {}),
        (29, 1, {}),
        (40, 3, {}),
        (28, 1, {"stride": 1, "depth": 3}),
        (12, 3, {"depth": 4}),
        (28, 1, {"fine": 6}),
        (29, 3, {"fine": 4, "depth": 3}),
        (5, 1, {"fine": 2}),
    ],
)
def test_it_answers_as_the_net_does(
    side: int, channels: int, shape: dict[str, int], packs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not packs:
        monkeypatch.setattr(folded, "_packs", lambda sample: False)
    net, x = _trained(side, channels, **shape)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with torch.inference_mode():
        fast = FoldedConvNet(net, x[:2])
        for theirs, ours in zip(net.scores_and_features(x), fast.scores_and_features(x), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
        for n in (1, 2, 16):
            np.testing.assert_allclose(fast(x[:n]), net(x[:n]), rtol=1e-4, atol=1e-5)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_other_dtypes_are_answered_exactly() -> None:
    net, x = _trained(28, 1, torch.float64)
    with torch.inference_mode():
        np.testing.assert_allclose(FoldedConvNet(net, x)(x), net(x), rtol=1e-12, atol=1e-12)


def test_without_onednn_it_answers_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    net, x = _trained(28, 1)
    with torch.inference_mode():
        packed = FoldedConvNet(net, x)(x)
        monkeypatch.setattr(folded, "_convolve", None)
        np.testing.assert_allclose(FoldedConvNet(net, x)(x), packed, rtol=1e-4, atol=1e-5)


def test_no_rows_have_no_answers() -> None:
    net, x = _trained(28, 1)
    with torch.inference_mode():
        scores, features = FoldedConvNet(net, x).scores_and_features(x[:0])
    assert (scores.shape, len(features)) == ((0, 3), 0)


def test_an_estimator_that_has_answered_can_be_pickled_and_copied() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (60, 8, 8), dtype=np.uint8), np.arange(60) % 2
    clf = likely.Classifier(epochs=1, random_state=0).fit(X, y)
    expected = clf.predict_proba(X)
    for again in (pickle.loads(pickle.dumps(clf)), copy.deepcopy(clf)):
        np.testing.assert_array_equal(again.predict_proba(X), expected)
