"""A 3x3 convolution of maps of a few pixels, whose filters get their gradient in half the time.

With y[n, o] = sum over i of W[o, i] * x[n, i], where * correlates maps, and G = dJ/dy,

    dJ/dW[o, i] = sum over n of G[n, o] * x[n, i]

This is a convolution again, in which images and channels have changed places: it sums over the images of a batch. A
processor convolves quickly where it sums over many channels, and of small maps a batch has more images than pixels.

Reference: V. Dumoulin, F. Visin, A guide to convolution arithmetic for deep learning, arXiv 1603.07285 (which
convolutions the gradients are).
"""

from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.nn.grad import conv2d_input

_MOST_PIXELS = 9
"""Of a map: on larger ones torch's own way is as fast."""


def convolve(conv: nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
    """conv(x), for a 3x3 convolution without bias that keeps the side.

    Example:
        >>> conv, x = nn.Conv2d(4, 2, 3, padding=1, bias=False), torch.rand(5, 4, 3, 3)
        >>> torch.equal(convolve(conv, x), conv(x))
        True
    """
    small = x.shape[2] * x.shape[3] <= _MOST_PIXELS
    if not (small and x.device.type == "cpu" and conv.weight.requires_grad and torch.is_grad_enabled()):
        return conv(x)
    weight = conv.weight
    if torch.is_autocast_enabled("cpu"):
        x, weight = (each.to(torch.get_autocast_dtype("cpu")) for each in (x, weight))
    return _OfSmallMaps.apply(x, weight)


class _OfSmallMaps(torch.autograd.Function):
    """The convolution, and its gradients with respect to maps and filters."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x, weight)
        return functional.conv2d(x, weight, padding=1)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor]:
        (G,), (x, weight) = grad_outputs, ctx.saved_tensors
        of_maps = conv2d_input(x.shape, weight, G, padding=1) if ctx.needs_input_grad[0] else None
        return of_maps, functional.conv2d(_images_as_channels(x), _images_as_channels(G), padding=1).transpose(0, 1)


def _images_as_channels(maps: torch.Tensor) -> torch.Tensor:
    """Maps (n, c, h, w) as (c, n, h, w), the images side by side in memory."""
    return maps.transpose(0, 1).contiguous(memory_format=torch.channels_last)
