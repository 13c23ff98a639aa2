"""The conv net: sizes, its whitening layer, identity starts, what learns, and arguments that do not fit."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from likely.config import RunConfig
from likely.engines import create_engine
from likely.engines.protocol import Optimizer
from likely.errors import ConfigError, ShapeError
from likely.networks import create_network
from likely.networks.convnet import ConvNet, block_widths, convolved, halved, whitening_filters
from likely.networks.network import Network, TorchNetwork
from likely.training.choose_plan import choose_plan
from likely.training.task import CLASSIFICATION


def smooth_images(n: int, channels: int, side: int, seed: int = 0) -> np.ndarray:
    """Noise whose neighboring pixels agree, like those of photographs."""
    noise = np.random.default_rng(seed).normal(size=(n, channels, side + 2, side + 2))
    windows = np.lib.stride_tricks.sliding_window_view(noise, (3, 3), axis=(2, 3))
    return windows.mean(axis=(-1, -2)).astype(np.float32)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [4, 8, 14, 28, 32, 64, 96, 224])
def test_images_of_many_sizes(side: int, channels: int) -> None:
    sample = smooth_images(2, channels, side)
    net = ConvNet(width=4, stem=8).build(5, sample)
    x = torch.from_numpy(sample)
    scores, features = net.eval().scores_and_features(x)
    *_, last = net._stages(x)
    assert features.shape == (2, 8 + sum(block_widths(4, side)) + last[0].numel())
    assert scores.shape == (2, 5)
    assert torch.isfinite(scores).all()
    torch.testing.assert_close(net(x), scores)


@pytest.mark.parametrize(("side", "stride", "blocks"), [(64, 4, 2), (96, 4, 3), (224, 8, 3)])
def test_larger_patches_make_large_images_small(side: int, stride: int, blocks: int) -> None:
    sample = smooth_images(4, 3, side)
    net = ConvNet(width=4, stem=8, stride=stride).build(5, sample)
    x = torch.from_numpy(sample)
    assert net.whiten(x).shape == (4, 8, side // stride, side // stride)
    assert len(net.blocks) == blocks
    assert net(x).shape == (4, 5)
    response = net.whiten(x)[:, 0]  # the direction of the largest variance, brought to 1
    assert 0.5 < float(response.var()) < 2


@pytest.mark.parametrize(
    ("shape", "stride"),
    [((8, 8), 2), ((28, 28), 2), ((56, 56, 3), 2), ((64, 64), 4), ((112, 112, 3), 4), ((224, 224, 3), 8),
     ((1000, 9), 4), ((1000, 5), 2), ((400, 500, 3), 16)],
)  # fmt: skip
def test_the_plan_has_patches_for_the_images(shape: tuple[int, ...], stride: int) -> None:
    plan = choose_plan(RunConfig(), row_shape=shape, n_rows=9_000, n_outputs=3, task=CLASSIFICATION, hflip=False)
    assert plan.network.settings["stride"] == stride
    engine = create_engine(
        "torch", plan.network, n_outputs=3, head="softmax", loss="cross_entropy", optimizer=Optimizer(), seed=0,
        sample=smooth_images(2, 3 if len(shape) == 3 else 1, max(shape))[:, :, : shape[0], : shape[1]],
    )  # fmt: skip
    assert engine.n_parameters > 0


@pytest.mark.parametrize(("side", "channels"), [(4, 1), (5, 1), (28, 1), (29, 3)])
def test_fine_patches_lie_beside_the_others(side: int, channels: int) -> None:
    sample = smooth_images(4, channels, side)
    network = ConvNet(width=4, stem=8, fine=6)
    net = network.build(5, sample).train(False)
    x = torch.from_numpy(sample)
    first = net.first_layer(x)
    assert first.shape == (4, 14, side // 2, side // 2)
    whitened = functional.conv2d(x, torch.from_numpy(whitening_filters(sample, 6, 1)), padding=1).relu()
    torch.testing.assert_close(first[:, 8:], functional.max_pool2d(whitened, 2))
    torch.testing.assert_close(first[:, :8], net.whiten(x).relu())
    assert {name: tuple(value.shape) for name, value in net.state_dict().items()} == network.shapes(
        5, (channels, side, side)
    )
    scores, features = net.scores_and_features(x)
    assert network.n_features((channels, side, side)) == (net.channels, features.shape[1] - net.channels)
    torch.testing.assert_close(net(x), scores)
    assert not net.whiten_fine.weight.requires_grad


def test_every_pixel_keeps_its_place_at_stride_one() -> None:
    """Three convolutions a block, what the first found added to what the last found; the mathematics by hand."""
    sample = smooth_images(4, 1, 28)
    network = ConvNet(width=4, stem=18, stride=1, depth=3)
    net = network.build(5, sample).train(False)
    x = torch.from_numpy(sample)
    *_, last = net._stages(x)
    assert net.whiten(x).shape == (4, 18, 28, 28)
    assert (len(net.blocks), last.shape) == (3, (4, 16, 3, 3))
    assert {name: tuple(value.shape) for name, value in net.state_dict().items()} == network.shapes(5, (1, 28, 28))
    assert network.n_features((1, 28, 28)) == (18 + 4 + 8 + 16, 16 * 9)
    block, h = net.blocks[0], nn.functional.relu(net.whiten(x))
    first = block.norm1(nn.functional.max_pool2d(block.conv1(h), 2)).relu()
    second = block.norm2(block.conv2(first)).relu()
    torch.testing.assert_close(block(h), (block.norm3(block.conv3(second)) + first).relu())


@pytest.mark.parametrize("sides", [(6, 6), (7, 7), (7, 4), (4, 9), (2, 3), (3, 2), (1, 5), (1, 1)])
def test_what_pooling_leaves_out_need_not_be_computed(sides: tuple[int, int]) -> None:
    x = torch.randn(5, 3, *sides, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    conv = nn.Conv2d(3, 4, 3, padding=1, bias=False).double()
    whole = conv(x)
    expected = functional.max_pool2d(whole, 2) if min(sides) > 1 else whole
    found = halved(convolved(conv, x))
    torch.testing.assert_close(found, expected)
    slopes = torch.randn(found.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    ours, theirs = (torch.autograd.grad(y, [x, conv.weight], slopes) for y in (found, expected))
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(
    ("shape", "stride", "stem"),
    [((28, 28), 1, 18), ((32, 32, 3), 1, 32), ((40, 40), 2, 32), ((64, 64, 3), 2, 32), ((224, 224, 3), 8, 32)],
)
def test_longer_presets_see_every_pixel_of_small_images(shape: tuple[int, ...], stride: int, stem: int) -> None:
    config = RunConfig(preset="balanced")
    plan = choose_plan(config, row_shape=shape, n_rows=9_000, n_outputs=3, task=CLASSIFICATION, hflip=False)
    assert plan.network.settings == {"width": 32, "stem": stem, "stride": stride, "depth": 3}


def test_images_need_not_be_square() -> None:
    sample = smooth_images(2, 1, 40)[:, :, :, :24]
    assert ConvNet(width=4, stem=8).build(3, sample)(torch.from_numpy(sample)).shape == (2, 3)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_number_of_parameters(channels: int) -> None:
    net = ConvNet(width=6, stem=8).build(10, smooth_images(4, channels, 28))
    stem = 8 * channels * 16
    convolutions = 9 * (8 * 6 + 6 * 6 + 6 * 12 + 12 * 12)
    norms = 2 * 2 * (6 + 12)
    assert sum(p.numel() for p in net.parameters()) == stem + convolutions + norms + 12 * 10
    groups = net.parameter_groups()
    learned = [sum(p.numel() for p in group["params"]) for group in groups]
    assert learned == [convolutions + 120, norms // 2]
    assert [group["rate"] for group in groups] == [1, 8]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_first_layer_whitens(channels: int) -> None:
    sample = smooth_images(64, channels, 16)
    n = 32 * channels
    filters = whitening_filters(sample, n)
    assert filters.shape == (n, channels, 4, 4)
    assert filters.dtype == np.float32
    np.testing.assert_array_equal(filters[n // 2 :], -filters[: n // 2])
    responses = nn.functional.conv2d(torch.from_numpy(sample), torch.from_numpy(filters[: n // 2]), stride=2)
    values = responses.transpose(0, 1).reshape(n // 2, -1).double().numpy()
    covariance = np.cov(values, bias=True)
    # Each filter's response has variance lambda / (lambda + epsilon), and no two agree.
    patches = np.lib.stride_tricks.sliding_window_view(sample, (4, 4), axis=(2, 3))[:, :, ::2, ::2]
    flat = patches.transpose(1, 4, 5, 0, 2, 3).reshape(n // 2, -1).astype(np.float64)
    variances = np.linalg.eigvalsh(np.cov(flat, bias=True))[::-1]
    np.testing.assert_allclose(covariance, np.diag(variances / (variances + 5e-4)), atol=2e-3)
    assert np.abs(np.cov(flat, bias=True) - np.diag(flat.var(axis=1))).max() > 0.02


def test_there_are_no_more_filters_than_directions() -> None:
    assert whitening_filters(smooth_images(8, 1, 8), 200).shape == (32, 1, 4, 4)
    assert ConvNet(width=4, stem=200).build(3, smooth_images(8, 1, 8))(torch.zeros(2, 1, 8, 8)).shape == (2, 3)


def test_images_of_one_color_make_finite_filters() -> None:
    assert np.isfinite(whitening_filters(np.zeros((2, 1, 8, 8), np.float32), 8)).all()


def test_convolutions_start_as_the_identity() -> None:
    net = ConvNet(width=8, stem=8).build(3, smooth_images(4, 1, 16))
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 8, 6, 6)).astype(np.float32))
    first, second = net.blocks
    torch.testing.assert_close(first.conv1(x), x)
    torch.testing.assert_close(first.conv2(x), x)
    # The second block widens: its first channels pass the incoming ones on, the others are random.
    wide = second.conv1(x)
    torch.testing.assert_close(wide[:, :8], x)
    assert wide.shape[1] == 16
    assert wide[:, 8:].std() > 0.1


def test_what_learns() -> None:
    sample = smooth_images(8, 1, 16)
    net = ConvNet(width=4, stem=8).build(3, sample)
    net(torch.from_numpy(sample)).square().sum().backward()
    fixed = {name for name, p in net.named_parameters() if not p.requires_grad}
    scales = {f"blocks.{b}.norm{i}.weight" for b in (0, 1) for i in (1, 2)}
    assert fixed == {"whiten.weight"} | scales
    for name, p in net.named_parameters():
        if p.requires_grad:
            assert p.grad is not None
            assert p.grad.abs().max() > 0, name


def test_the_same_seed_makes_the_same_module() -> None:
    sample = smooth_images(4, 1, 16)

    def state(seed: int) -> dict[str, np.ndarray]:
        engine = create_engine(
            "torch",
            ConvNet(width=4, stem=8),
            n_outputs=3,
            head="softmax",
            loss="cross_entropy",
            optimizer=Optimizer(),
            sample=sample,
            seed=seed,
            device="cpu",
        )
        return engine.state()

    first, again, other = state(1), state(1), state(2)
    for name, value in first.items():
        np.testing.assert_array_equal(value, again[name], err_msg=name)
    assert (first["classify.weight"] != other["classify.weight"]).any()
    np.testing.assert_array_equal(first["whiten.weight"], other["whiten.weight"])


def test_a_conv_net_is_its_name_and_settings() -> None:
    net = ConvNet(width=12, stem=6)
    again = create_network("conv", net.settings)
    assert again.settings == {"width": 12, "stem": 6, "stride": 2, "depth": 2}
    assert isinstance(again, TorchNetwork)
    assert not isinstance(again, Network)
    assert create_network("conv", ConvNet(fine=4).settings).settings["fine"] == 4


@pytest.mark.parametrize(
    "settings",
    [
        {"width": 0},
        {"stem": 0},
        {"stem": 7},
        {"stem": -2},
        {"stride": 0},
        {"stride": 3},
        {"depth": 1},
        {"fine": 3},
        {"fine": -2},
        {"fine": 2, "stride": 4},
        {"fine": 2, "stride": 1},
    ],
)
def test_settings_out_of_range(settings: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=r"stride=2|stem=24|depth=3|fine=16"):
        ConvNet(**settings)


@pytest.mark.parametrize("shape", [(2, 1, 3, 8), (2, 8, 8), (0, 1, 8, 8), (2, 64)])
def test_samples_that_are_no_images(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="at least 4 x 4"):
        ConvNet().build(3, np.zeros(shape, np.float32))
