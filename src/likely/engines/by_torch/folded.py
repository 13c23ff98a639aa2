"""The conv net as it answers: the same scores up to rounding, sooner, and nothing that learns.

A normalization that learns no more is part of the convolution before it:

    (W * x - mean) s + bias = (s W) * x + (bias - s mean),    s = weight / sqrt(variance + epsilon)

Max-pooling between the two changes nothing for s > 0, which holds since the weights stay 1; and the ReLU may come
before the pooling, since it keeps the order of numbers. Where torch computes with oneDNN, the filters are laid out once
as its convolutions want them, and the ReLU is taken on the way out, where nothing is added before it.

Reference: Jacob et al. (2018), section 3.2 of arXiv 1712.05877 (folding a normalization into the convolution).
"""

import platform
from collections.abc import Iterable, Iterator
from typing import Any, Literal, cast

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from likely.networks.convnet import (
    ConvBlock,
    ConvModule,
    drops_last,
    framed,
    halved,
    largest_neighbors,
    scores_and_features,
)
from likely.networks.ensemble import EnsembleModule, Mean, joined, mean_scores

# One of torch's operators for compiled models, which takes packed filters.
_convolve: Any = getattr(torch.ops.mkldnn, "_convolution_pointwise", None)


class FoldedConvNet:
    """A function with the answers of a conv net in evaluation mode; no torch module, since calling those takes time.

    The module is left as it is; `sample` (n, c, h, w) has the shape of the inputs to come, but for n.

    Example:
        >>> from likely.networks.convnet import ConvNet
        >>> net = ConvNet(width=16).build(10, np.zeros((2, 1, 28, 28), np.float32)).eval()
        >>> x = torch.rand(5, 1, 28, 28)
        >>> with torch.inference_mode():
        ...     torch.allclose(FoldedConvNet(net, x)(x), net(x), atol=1e-5)
        True
    """

    def __init__(self, module: ConvModule, sample: torch.Tensor) -> None:
        self._stem = _Convolution(module.whiten, sample)
        self._fine = None if module.whiten_fine is None else _Convolution(module.whiten_fine, sample)
        x, self._blocks = self._first_layer(sample), list[_FoldedBlock]()
        for block in cast(Iterable[ConvBlock], module.blocks):
            self._blocks.append(_FoldedBlock(block, x))
            x = self._blocks[-1](x)
        self._classified = module.classified

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (n, k)."""
        for h in self._stages(x):
            x = h
        return self._classified(x)

    def scores_and_features(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores (n, k), and the mean of every channel after each stage with the last map (n, m)."""
        return scores_and_features(self._stages(x), self._classified)

    def _stages(self, x: torch.Tensor) -> Iterator[torch.Tensor]:
        x = self._first_layer(x)
        yield x
        for block in self._blocks:
            x = block(x)
            yield x

    def _first_layer(self, x: torch.Tensor) -> torch.Tensor:
        h = self._stem(x)
        return h if self._fine is None else torch.cat([h, largest_neighbors(self._fine(x))], dim=1)


class FoldedEnsemble:
    """The members of an ensemble of conv nets as they answer, and their mean."""

    def __init__(self, module: EnsembleModule, sample: torch.Tensor) -> None:
        self.members = [FoldedConvNet(cast(ConvModule, member), sample) for member in module.members]
        self.mean: Mean = module.mean
        self._channels = module.channels

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (n, k)."""
        return mean_scores([member(x) for member in self.members], self.mean)

    def scores_and_features(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores (n, k) and the features of all members."""
        return joined([member.scores_and_features(x) for member in self.members], self.mean, self._channels)


class _FoldedBlock:
    """A block whose normalizations are part of its convolutions."""

    def __init__(self, block: ConvBlock, x: torch.Tensor) -> None:
        self._convs = list[_Convolution]()
        self._framed = drops_last(x)
        for number, (conv, norm) in enumerate(block.pairs(), start=1):
            folded = fuse_conv_bn_eval(conv, norm)
            if number == 1 and self._framed:
                folded.padding, x = (0, 0), framed(x)
            adds = 2 < number == block.depth
            self._convs.append(_Convolution(folded, x, "none" if adds else "relu"))
            if number == 1:
                x = halved(self._convs[0](x))

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        first = h = halved(self._convs[0](framed(x) if self._framed else x))
        for conv in self._convs[1:]:
            h = conv(h)
        return h if len(self._convs) == 2 else functional.relu_(h.add_(first))


class _Convolution:
    """A convolution and the ReLU of it, or not, packed where that is possible."""

    def __init__(self, conv: nn.Conv2d, sample: torch.Tensor, then: Literal["relu", "none"] = "relu") -> None:
        weight, bias = conv.weight.detach(), None if conv.bias is None else conv.bias.detach()
        geometry: Any = (conv.padding, conv.stride, conv.dilation, conv.groups)
        self._packed = None
        if _packs(sample):
            filters = torch.ops.mkldnn._reorder_convolution_weight(weight.contiguous(), *geometry, list(sample.shape))
            self._packed = (filters, bias, *geometry, then, [], "")
        self._rectified = then == "relu"
        self._plain: Any = (weight.contiguous(memory_format=torch.channels_last), bias, conv.stride, conv.padding)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        if self._packed is None or not len(x):
            found = functional.conv2d(x, *self._plain)
            return functional.relu(found) if self._rectified else found
        return _convolve(x, *self._packed)


def _packs(sample: torch.Tensor) -> bool:
    """Whether torch has the operators for such inputs here."""
    return (
        sample.device.type == "cpu"
        and sample.dtype == torch.float32
        and platform.machine().lower() in ("x86_64", "amd64")
        and torch.backends.mkldnn.is_available()
        and _convolve is not None
        and hasattr(torch.ops.mkldnn, "_reorder_convolution_weight")
    )
