"""EfficientNet-Lite as a torch module: images in, features out. What it consists of, its layout says."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from likely.networks.efficientnet_layout import Block, EfficientNetLayout
from likely.networks.forked import alone_after_fork


class EfficientNetLite(nn.Module):
    """Features (n, 1280) of images (n, 3, h, w) that were scaled by (x - 127) / 128.

    `weights` are those of the layout by name, normalizations folded in, of any float dtype; it computes in float32.

    Example:
        >>> from likely.networks.efficientnet_layout import LITE0
        >>> net = EfficientNetLite(LITE0, {name: np.zeros(shape, np.float16) for name, shape in LITE0.shapes.items()})
        >>> net(torch.zeros(2, 3, 64, 64)).shape
        torch.Size([2, 1280])
    """

    def __init__(self, layout: EfficientNetLayout, weights: Mapping[str, np.ndarray]) -> None:
        super().__init__()
        blocks = [_Block(block) for block in layout.blocks]
        self.blocks = nn.Sequential(*blocks)
        with torch.no_grad():
            for block in blocks:
                for name, conv in block.named_convolutions():
                    conv.weight.copy_(torch.from_numpy(weights[f"{name}.weight"].astype(np.float32)))
                    assert conv.bias is not None
                    conv.bias.copy_(torch.from_numpy(weights[f"{name}.bias"].astype(np.float32)))

    def weights(self) -> dict[str, np.ndarray]:
        """Its parameters by name, as the constructor takes them, float16."""
        return {
            f"{name}.{part}": value.detach().numpy().astype(np.float16)
            for block in self.blocks
            for name, conv in block.named_convolutions()  # pyright: ignore[reportCallIssue]  # each is a _Block
            for part, value in conv.named_parameters()
        }

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features (n, 1280)."""
        return self.blocks(x).mean((2, 3))


class _Block(nn.Module):
    def __init__(self, block: Block) -> None:
        super().__init__()
        self.layout = block
        self.convolutions = nn.ModuleList(
            nn.Conv2d(conv.n_in, conv.n_out, conv.kernel, conv.stride, groups=conv.groups)
            for conv in block.convolutions
        )

    def named_convolutions(self) -> list[tuple[str, nn.Conv2d]]:
        """Each with its name in the layout."""
        pairs = zip(self.layout.convolutions, self.convolutions, strict=True)
        return [(conv.name, module) for conv, module in pairs if isinstance(module, nn.Conv2d)]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = x
        for conv, module in zip(self.layout.convolutions, self.convolutions, strict=True):
            top, bottom = conv.padding(h.shape[2])
            left, right = conv.padding(h.shape[3])
            h = module(functional.pad(h, (left, right, top, bottom)) if top + bottom + left + right else h)
            if conv.relu6:
                h = functional.relu6(h)
        return x + h if self.layout.skip else h


def answering(layout: EfficientNetLayout, weights: Mapping[str, np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """The features of images as a function of arrays."""
    alone_after_fork()
    module = EfficientNetLite(layout, weights).eval()
    module.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]  # missing in its stub

    def features(x: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return module(torch.from_numpy(x).contiguous(memory_format=torch.channels_last)).numpy()

    return features
