"""A pretrained backbone that learns together with the head on its features, in small steps.

    uint8 images -> a random part of each -> backbone -> standardized features, some of them left out -> head -> loss

Normalizations are folded into the convolutions, so they stay as they are. A step of Adam moves each number of a weight
W by about rate rms(W), since after folding weights differ in size, and a head on 1,280 numbers must move slowly. The
rate falls from the head to the first layer. Products are in float32 unless bfloat16 is asked for: it makes the way
forward three times as fast, and the way back so much slower that nothing is gained (docs/performance.md).
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from likely.arrays import Params
from likely.config.registry import LOSSES
from likely.engines.by_torch.modules import PureModule
from likely.engines.by_torch.optimizers import UpdateRule
from likely.engines.protocol import Precision
from likely.networks.efficientnet_layout import EfficientNetLayout
from likely.networks.efficientnet_lite import EfficientNetLite
from likely.networks.network import Network
from likely.preprocessing.backbone import Backbone, prepared
from likely.preprocessing.column_preprocessor import ColumnPreprocessor
from likely.preprocessing.stored_rows import RowArray

BATCH = 16
"""Images of a step: 224 x 224 pixels of each take about 50 MB until the gradient is known."""
_FALLS = 0.85
"""From a block to the one before it, the rate."""
_LEAST_PART = 0.4
"""Of an image's area that a step sees."""
_LEFT_OUT = 0.4
"""Of the features in a step (dropout). After two epochs of 718 pieces of clip art, 82 others had 1.06 nats with parts
of 40% or more, flips and dropout, 1.10 with parts of 60% or more alone, and 1.13 before."""
_WARMUP = 0.1
"""Of all steps, in which the rate rises."""


class _AllLayers(nn.Module):
    def __init__(self, backbone: EfficientNetLite, head: PureModule) -> None:
        super().__init__()
        self.backbone, self.head = backbone, head

    def parameter_groups(self) -> list[dict[str, Any]]:
        """All weights, each with the rate that it has beside the head's: its size, and less before deeper blocks."""
        groups: list[dict[str, Any]] = []
        for depth, block in enumerate([self.head, *reversed(list(self.backbone.blocks))]):
            for weight in block.parameters():
                size = float(weight.detach().square().mean().sqrt())
                groups.append({"params": [weight], "rate": _FALLS**depth * size})
        return groups


class FineTuning:
    """A backbone and a head, as they learn.

    Args:
        backbone: of EfficientNet-Lite, where it begins.
        features: how its features are standardized; it stays.
        network, theta: the head, and where it begins.
        head, loss: by name; what is lowered.
        hflip: whether images may be flipped.
        seed: of the order of images and of their parts.
        precision: of products on the way to features.
    """

    def __init__(
        self,
        backbone: Backbone,
        features: ColumnPreprocessor,
        network: Network,
        theta: Params,
        *,
        head: str,
        loss: str,
        hflip: bool,
        seed: int,
        precision: Precision,
    ) -> None:
        assert isinstance(backbone.layout, EfficientNetLayout)
        self._begun, self._standardized, self._head, self._loss = backbone, features, head, LOSSES.named(loss)
        self._hflip, self._seed, self._low = hflip, seed, precision == "bfloat16"
        lite = EfficientNetLite(backbone.layout, backbone.weights)
        lite.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]  # missing in its stub
        tensors = {name: torch.from_numpy(np.array(value, np.float32)) for name, value in theta.items()}
        self._module = _AllLayers(lite, PureModule(network, tensors))
        self._rule = UpdateRule(self._module, torch.optim.Adam)

    def step_seconds(self, X: RowArray, Y: np.ndarray) -> float:
        """Seconds of a step, the shorter of two; nothing is learned."""
        some = np.arange(min(BATCH, len(X)))
        seconds: list[float] = []
        for _ in range(2):
            began = time.perf_counter()
            self._mean_loss(X, Y, None, some, np.random.default_rng(0)).backward()
            seconds.append(time.perf_counter() - began)
        return min(seconds) * BATCH / len(some)

    def steps(
        self, X: RowArray, Y: np.ndarray, weights: np.ndarray | None, *, epochs: int, rate: float, taken: int = 0
    ) -> Iterator[float]:
        """Learn from images and label distributions: the mean loss of each step.

        Args:
            X, Y, weights: uint8 images, label distributions (n, k), and what each counts.
            epochs: passes over the images.
            rate: of the head, as a share of the size of its weights in a step; it rises and falls on the way.
            taken: steps that were taken before.
        """
        per_epoch = -(-len(X) // BATCH)
        for step in range(taken, epochs * per_epoch):
            epoch, start = step // per_epoch, step % per_epoch * BATCH
            order = np.random.default_rng([self._seed, *b"fine-tuning", epoch]).permutation(len(X))
            rng = np.random.default_rng([self._seed, *b"fine-tuning", epoch, start])
            at = (epoch + (start + BATCH / 2) / len(X)) / epochs
            loss = self._mean_loss(X, Y, weights, order[start : start + BATCH], rng)
            self._rule.step(loss, rate * min(1.0, at / _WARMUP) * max(1 - at, 0.0))
            yield float(loss.detach())

    def snapshot(self) -> dict[str, Any]:
        """All that it takes to go on."""
        values = {name: value.detach().numpy().copy() for name, value in self._module.named_parameters()}
        return {"values": values, "rule": self._rule.snapshot()}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Go on from `snapshot()`."""
        with torch.no_grad():
            for name, value in self._module.named_parameters():
                value.copy_(torch.from_numpy(kept["values"][name]))
        self._rule.restore(kept["rule"])

    def backbone(self) -> Backbone:
        """The backbone as it is now, rounded to float16 like the one that it began with."""
        return Backbone(self._begun.name, self._module.backbone.weights(), self._begun.layout, tuned=True)

    def theta(self) -> dict[str, np.ndarray]:
        """The head as it is now."""
        return {name: value.detach().numpy().copy() for name, value in self._module.head.named_parameters()}

    def _mean_loss(
        self, X: RowArray, Y: np.ndarray, weights: np.ndarray | None, some: np.ndarray, rng: np.random.Generator
    ) -> torch.Tensor:
        x = torch.from_numpy(np.concatenate([prepared(X[i], self._begun.layout) for i in some.tolist()]))
        x = torch.cat([self._part(image[None], rng) for image in x]).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=self._low):
            features = self._module.backbone(x)
        features = self._standardized(features.float())
        kept = torch.from_numpy(rng.random(features.shape, np.float32)) >= _LEFT_OUT
        scores = self._module.head(features * kept / (1 - _LEFT_OUT))
        losses = self._loss.values(self._head, torch.from_numpy(Y[some]), scores)
        return losses.mean() if weights is None else (losses * torch.from_numpy(weights[some])).mean()

    def _part(self, x: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """A random square of the image at its side, perhaps flipped."""
        side = x.shape[-1]
        part = round(side * float(np.sqrt(rng.uniform(_LEAST_PART, 1.0))))
        top, left = rng.integers(0, side - part + 1, 2).tolist()
        flips = bool(rng.integers(2)) and self._hflip
        x = x[..., top : top + part, left : left + part]
        x = torch.nn.functional.interpolate(x, (side, side), mode="bilinear", align_corners=False)
        return x.flip(-1) if flips else x
