"""A small convolutional network that learns fast on a CPU, and a deeper one at full resolution of the same parts.

    images (n, c, h, w)
      -> 4x4 convolution, stride 2, fixed: it whitens patches, in both signs     -> ReLU
         beside it, if asked for, the same of 3x3 patches at every pixel, the largest of 2x2 neighbors
         (stride 1 for long trainings: 3x3 patches, and every pixel keeps its place;
         large images: larger patches with larger strides, so that at most 28 x 28 of them remain)
      -> blocks of [3x3 conv, max-pool 2, norm, ReLU, 3x3 conv, norm, ReLU], widening
         (depth 3: [.., h = ReLU, 3x3 conv, norm, ReLU, 3x3 conv, norm, + h, ReLU])
      -> the largest value of each channel
      -> linear, without bias                                                    = scores (n, k)

What makes it fast to train: the first layer needs no gradient, since the statistics of the patches say what it should
be; convolutions start as the identity (Dirac), so that the gradient reaches every layer at once; the normalization
scales are fixed, only its biases learn, at a higher rate.

Reference: K. Jordan, 94% on CIFAR-10 in 3.29 seconds on a single GPU, arXiv 2404.00498 (whitening, Dirac, biases);
D. Page, How to train your ResNet (2018), myrtle.ai (frozen scales, max-pool before the normalization).
"""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from likely.errors import ConfigError, ShapeError
from likely.networks.ensemble import EnsembleModule, Mean
from likely.networks.patches import padding_of, patch_side, patches_along
from likely.networks.small_maps import convolve

_MOST_WHOLE = 1_000
_WHITENING_EPSILON = 5e-4
_BIAS_RATE = 8.0
_FEATURE_SCALE = 0.125
_OF_NORM = ("weight", "bias", "running_mean", "running_var")


class ConvNet:
    """The settings of a small conv net; `build` makes its torch module.

    Args:
        width: channels of the first block; the second block has twice as many, further ones four times.
        stem: channels of the fixed first layer, an even number; half of them are the other half negated. At most 32
            for each channel of images in patches of 4 x 4, 18 in patches of 3 x 3: a patch has no more directions.
        stride: pixels from patch to patch, 1 or an even number; a patch is twice as wide and high, for 1 it has 3 x 3.
        fine: channels that the first layer has besides, an even number: of whitened patches of 3 x 3 around every
            pixel, the largest value of 2 x 2 neighbors. They need a stride of 2, and cost little, since nothing of
            them learns. 0 for none; at most 18 for each channel of images.
        depth: convolutions of each block, at least 2; from 3 on what the first one found is added to what the last one
            found, so that the gradient has a short way.
        members: of how many such nets the mean answers, see `likely.networks.ensemble`.
        mean: of what.
    Raises:
        ConfigError: if a setting is out of range.
    Example:
        >>> net = ConvNet(width=16).build(10, np.zeros((2, 1, 28, 28), np.float32))
        >>> net(torch.zeros(5, 1, 28, 28)).shape
        torch.Size([5, 10])
    """

    name = "conv"

    def __init__(
        self,
        width: int = 48,
        stem: int = 24,
        stride: int = 2,
        depth: int = 2,
        members: int = 1,
        mean: Mean = "probabilities",
        fine: int = 0,
    ) -> None:
        if stride != 1 and (stride < 2 or stride % 2):
            raise ConfigError(f"stride must be 1, or even and positive; got {stride}. Try stride=2.")
        if depth < 2:
            raise ConfigError(f"depth must be at least 2; got {depth}. Try depth=3.")
        if width < 1 or stem < 2 or stem % 2:
            raise ConfigError(
                f"width must be positive and stem even and positive; got width {width} and stem {stem}. "
                "Filters come in pairs of both signs. Try width=48, stem=24."
            )
        if fine < 0 or fine % 2 or (fine and stride != 2):
            raise ConfigError(
                f"fine must be 0, or even and positive with a stride of 2; got {fine} with a stride of {stride}. "
                "Filters come in pairs of both signs. Try fine=16, stride=2."
            )
        if members < 1:
            raise ConfigError(f"members must be positive; got {members}. Try members=5.")
        self.width, self.stem, self.stride, self.depth, self.fine = width, stem, stride, depth, fine
        self.members: int = members
        self.mean: Mean = mean

    @property
    def settings(self) -> dict[str, object]:
        """What the constructor took."""
        own: dict[str, object] = {"width": self.width, "stem": self.stem, "stride": self.stride, "depth": self.depth}
        own |= {"fine": self.fine} if self.fine else {}
        return own if self.members == 1 else {**own, "members": self.members, "mean": self.mean}

    def shapes(self, n_classes: int, image: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """The shape of every number that its module keeps, by name, for images (c, h, w); nothing is allocated."""
        channels, *sides = image
        widths = block_widths(self.width, 2 * min(sides) // self.stride)
        found: dict[str, tuple[int, ...]] = {
            "whiten.weight": (self.stem, channels, *2 * (patch_side(self.stride),)),
            "classify.weight": (n_classes, widths[-1]),
        }
        if self.fine:
            found["whiten_fine.weight"] = (self.fine, channels, *2 * (patch_side(1),))
        for i, (n_in, n_out) in enumerate(zip((self.stem + self.fine, *widths), widths, strict=False)):
            for j, n in enumerate((n_in, *(self.depth - 1) * (n_out,)), start=1):
                found[f"blocks.{i}.conv{j}.weight"] = (n_out, n, 3, 3)
                found |= {f"blocks.{i}.norm{j}.{name}": (n_out,) for name in _OF_NORM}
                found[f"blocks.{i}.norm{j}.num_batches_tracked"] = ()
        if self.members == 1:
            return found
        return {f"members.{m}.{name}": shape for m in range(self.members) for name, shape in found.items()}

    def n_features(self, image: tuple[int, ...]) -> tuple[int, int]:
        """How many hidden features it makes of images (c, h, w): means of channels, and numbers of the last maps."""
        widths = block_widths(self.width, 2 * min(image[1:]) // self.stride)
        height, width = (patches_along(side, self.stride) for side in image[1:])
        for _ in widths:
            if min(height, width) > 1:
                height, width = height // 2, width // 2
        return self.members * (self.stem + self.fine + sum(widths)), self.members * widths[-1] * height * width

    def build(self, n_classes: int, sample: np.ndarray) -> "ConvModule | EnsembleModule":
        """The module for images like `sample` (n, c, h, w), whose patches set the first layer, or a ShapeError."""
        patch = patch_side(self.stride)
        if sample.ndim != 4 or 0 in sample.shape or min(sample.shape[2:]) < patch:
            raise ShapeError(
                f"sample must hold images (n, c, h, w) of at least {patch} x {patch} pixels; got shape {sample.shape}. "
                "The first layer uses patches of that size. Try network='mlp' for other data."
            )
        _, channels, height, width = sample.shape
        filters = whitening_filters(sample, self.stem, self.stride)
        fine = whitening_filters(sample, self.fine, 1) if self.fine else None
        widths = block_widths(self.width, 2 * min(height, width) // self.stride)
        made = [ConvModule(filters, widths, n_classes, channels, self.depth, fine) for _ in range(self.members)]
        return made[0] if self.members == 1 else EnsembleModule(made, self.mean)


def block_widths(width: int, side: int) -> tuple[int, ...]:
    """The channels of each block for a first layer of stride 2 over images whose shorter side is `side` pixels.

    Each block halves the side; two blocks up to about 40 pixels, one more for every doubling.

    Example:
        >>> block_widths(48, 28), block_widths(48, 56)
        ((48, 96), (48, 96, 192))
    """
    n_blocks = max(2, round(math.log2(max(side, 1) / 7)))
    return tuple(width * min(2**i, 4) for i in range(n_blocks))


def whitening_filters(sample: np.ndarray, n_filters: int, stride: int = 2) -> np.ndarray:
    """Filters (n_filters, c, p, p) that make the values of neighboring pixels uncorrelated, in both signs.

    Patches have p pixels a side, see `patch_side`. With the patch covariance C = V diag(lambda) V^T, filter i is
    v_i / sqrt(lambda_i + epsilon), largest lambda first.
    """
    channels, size = sample.shape[1], patch_side(stride)
    windows = np.lib.stride_tricks.sliding_window_view(sample, (size, size), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride].transpose(0, 2, 3, 1, 4, 5)
    patches = windows.reshape(-1, channels * size * size).astype(np.float64)
    patches -= patches.mean(axis=0)
    variances, directions = _largest(patches.T @ patches / len(patches), n_filters // 2)
    # An eigenvector's sign is arbitrary; fixing it makes the filters the same on every machine.
    directions = directions * np.where(directions.sum(axis=0) < 0, -1.0, 1.0)
    filters = (directions / np.sqrt(np.maximum(variances, 0) + _WHITENING_EPSILON)).T[::-1]
    half = filters[: n_filters // 2].reshape(-1, channels, size, size)
    return np.concatenate([half, -half]).astype(np.float32)


def _largest(covariance: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues in rising order, and their eigenvectors: of a large matrix only the last ones, in half the time."""
    if len(covariance) <= _MOST_WHOLE:
        return np.linalg.eigh(covariance)
    from scipy import linalg

    return linalg.eigh(covariance, subset_by_index=[len(covariance) - count, len(covariance) - 1])


class ConvBlock(nn.Module):
    """Convolutions conv1 to conv<depth> with their normalizations; the first halves the side."""

    def __init__(self, n_in: int, n_out: int, depth: int) -> None:
        super().__init__()
        self.depth = depth
        for number in range(1, depth + 1):
            conv = nn.Conv2d(n_in if number == 1 else n_out, n_out, 3, padding=1, bias=False)
            # The channels beyond the incoming ones keep their random values.
            nn.init.dirac_(conv.weight.data[: conv.in_channels])
            norm = nn.BatchNorm2d(n_out, momentum=0.4)
            norm.weight.requires_grad_(False)
            self.add_module(f"conv{number}", conv)
            self.add_module(f"norm{number}", norm)

    def pairs(self) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d]]:
        """Each convolution with its normalization."""
        for number in range(1, self.depth + 1):
            yield getattr(self, f"conv{number}"), getattr(self, f"norm{number}")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The maps (n, n_out, h/2, w/2) of x (n, n_in, h, w)."""
        (conv, norm), *further = self.pairs()
        first = h = functional.relu(norm(halved(convolved(conv, x))))
        for number, (conv, norm) in enumerate(further, start=2):
            h = norm(convolve(conv, h))
            h = functional.relu(h + first if 2 < number == self.depth else h)
        return h


def convolved(conv: nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
    """conv(x), without a last row or column that halving leaves out."""
    return functional.conv2d(framed(x), conv.weight) if drops_last(x) else conv(x)


def halved(x: torch.Tensor) -> torch.Tensor:
    """Max-pooled to half the side; a side of one pixel cannot be halved."""
    return functional.max_pool2d(x, 2) if min(x.shape[2:]) > 1 else x


def largest_neighbors(x: torch.Tensor) -> torch.Tensor:
    """The largest values of 2 x 2 neighbors, as `halved` has them, sooner where nothing before it learns.

    Example:
        >>> x = torch.rand(2, 3, 5, 4)
        >>> torch.equal(largest_neighbors(x), halved(x))
        True
    """
    height, width = (side // 2 * 2 for side in x.shape[2:])
    rows = torch.maximum(x[:, :, 0:height:2, :width], x[:, :, 1:height:2, :width])
    return torch.maximum(rows[..., ::2], rows[..., 1::2])


def drops_last(x: torch.Tensor) -> bool:
    """Whether halving leaves out the last row or column of maps (n, c, h, w): that of an odd side."""
    height, width = x.shape[2:]
    return min(height, width) > 1 and (height % 2 or width % 2) == 1


def framed(x: torch.Tensor) -> torch.Tensor:
    """Zeros around maps, as a 3x3 convolution wants them that computes nothing that halving leaves out."""
    height, width = x.shape[2:]
    return functional.pad(x, (1, 1 - width % 2, 1, 1 - height % 2))


def scores_and_features(
    stages: Iterable[torch.Tensor], classified: Callable[[torch.Tensor], torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores (n, k) from the last of the stages, and features (n, m): the mean of every channel after each of them, and
    the last map itself."""
    means: list[torch.Tensor] = []
    last = torch.empty(0)
    for h in stages:
        means.append(h.mean((2, 3)))
        last = h
    return classified(last), torch.cat([*means, last.flatten(1)], dim=1)


class ConvModule(nn.Module):
    """The torch module. Its features are the mean of every channel after the first layer and after each block, and the
    last feature map: what tells strange images from familiar ones lies in early layers as much as in the last, and in
    what is seen as much as in where."""

    def __init__(
        self,
        filters: np.ndarray,
        widths: tuple[int, ...],
        n_classes: int,
        channels: int,
        depth: int = 2,
        fine: np.ndarray | None = None,
    ) -> None:
        super().__init__()
        self.whiten = _fixed(filters, channels)
        self.whiten_fine = None if fine is None else _fixed(fine, channels)
        n_first = len(filters) + (0 if fine is None else len(fine))
        self.blocks = nn.Sequential(*[ConvBlock(a, b, depth) for a, b in zip((n_first, *widths), widths, strict=False)])
        self.classify = nn.Linear(widths[-1], n_classes, bias=False)
        self.channels = n_first + sum(widths)  # of all stages

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (n, k)."""
        return self.classified(self.blocks(self.first_layer(x)))

    def first_layer(self, x: torch.Tensor) -> torch.Tensor:
        """The maps (n, stem + fine, h, w) that the blocks begin with."""
        h = functional.relu(self.whiten(x))
        if self.whiten_fine is None:
            return h
        return torch.cat([h, functional.relu(largest_neighbors(self.whiten_fine(x)))], dim=1)

    def scores_and_features(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores (n, k), and the mean of every channel after each stage with the last map (n, m)."""
        return scores_and_features(self._stages(x), self.classified)

    def _stages(self, x: torch.Tensor) -> Iterator[torch.Tensor]:
        h = self.first_layer(x)
        yield h
        for block in self.blocks:
            h = block(h)
            yield h

    def classified(self, h: torch.Tensor) -> torch.Tensor:
        """Scores (n, k) from the last feature map."""
        return self.classify(h.amax((2, 3)) * _FEATURE_SCALE)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """What learns, and how fast: the biases of the normalization learn at 8 times the rate."""
        biases = [p for name, p in self.named_parameters() if "norm" in name and name.endswith("bias")]
        fast = {id(p) for p in biases}
        others = [p for p in self.parameters() if p.requires_grad and id(p) not in fast]
        return [{"params": others, "rate": 1.0}, {"params": biases, "rate": _BIAS_RATE}]


def _fixed(filters: np.ndarray, channels: int) -> nn.Conv2d:
    """A convolution that does not learn, of patches as `whitening_filters` takes them."""
    side = filters.shape[-1]
    stride = side // 2
    conv = nn.Conv2d(channels, len(filters), side, stride, padding_of(stride), bias=False)
    conv.weight.data = torch.from_numpy(filters.copy())
    conv.weight.requires_grad_(False)
    return conv
