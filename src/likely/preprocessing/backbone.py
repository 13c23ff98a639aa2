"""From images to the features of a frozen, pretrained network: the same numbers one by one and in any batch.

    uint8 image -> its own size, three channels -> (x - 127) / 128 -> network -> features (n, 1280)

ONNX Runtime computes them where it is installed, an image on each core; else torch does, within 1e-3.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image

from likely.config.registry import BACKBONES
from likely.networks.efficientnet_layout import MEAN, N_FEATURES, SCALE, EfficientNetLayout
from likely.preprocessing.conversion import resized
from likely.preprocessing.stored_rows import RowArray

_TOLD_EVERY = 16  # images

Compute = Callable[[np.ndarray], np.ndarray]
"""From one prepared image (1, 3, s, s) to its features (1, m)."""


@dataclass(frozen=True, eq=False)
class Backbone:
    """A pretrained network that does not learn.

    Args:
        name: a row of `BACKBONES`.
        weights: by the names of its layout, float16.
    """

    name: str
    weights: Mapping[str, np.ndarray]

    @classmethod
    def pretrained(cls, name: str) -> "Backbone":
        """The one of this name, with the weights of its package; errors as of `Pretrained.read`."""
        return cls(name, BACKBONES.named(name).read())

    @property
    def layout(self) -> EfficientNetLayout:
        """What it consists of."""
        return BACKBONES.named(self.name).layout

    @cached_property
    def sha256(self) -> str:
        """The hash of all weights."""
        digest = hashlib.sha256(self.name.encode())
        for name in sorted(self.weights):
            digest.update(np.ascontiguousarray(self.weights[name], "<f2").data)
        return digest.hexdigest()

    def features(self, X: RowArray, told: Callable[[int], None] | None = None) -> np.ndarray:
        """The features of images, float32 (n, m).

        Args:
            X: uint8 of shape (n, h, w) or (n, h, w, 3); they are resized to the backbone's own size, and gray gets
                three equal channels.
            told: told now and then how many are done.
        """
        n, (compute, workers) = len(X), self._compute
        found = np.empty((n, N_FEATURES), np.float32)

        def one(i: int) -> None:
            found[i] = compute(prepared(X[i], self.layout.side))[0]

        pool = ThreadPoolExecutor(workers)
        try:
            for done, _ in enumerate(pool.map(one, range(n)) if workers > 1 else map(one, range(n)), start=1):
                if told is not None and (done % _TOLD_EVERY == 0 or done == n):
                    told(done)
        finally:
            pool.shutdown(cancel_futures=True)
        return found

    @cached_property
    def _compute(self) -> tuple[Compute, int]:
        """What computes features, and how many images at a time: one on each core, or one on all of them."""
        try:
            return _by_onnx_runtime(self), threads()
        except ImportError:
            return _by_torch(self), 1

    def __getstate__(self) -> dict[str, Any]:
        """Without what only this process can call."""
        return {"name": self.name, "weights": dict(self.weights)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


def prepared(image: np.ndarray, side: int) -> np.ndarray:
    """One uint8 image (h, w) or (h, w, 3) as the network's input, float32 (1, 3, side, side).

    Example:
        >>> prepared(np.full((2, 4), 255, np.uint8), 2).ravel().tolist() == 12 * [1.0]
        True
    """
    if image.shape != (side, side, 3):
        image = resized(Image.fromarray(image), (side, side, 3))
    return (np.ascontiguousarray(image.transpose(2, 0, 1)[None], np.float32) - np.float32(MEAN)) / np.float32(SCALE)


def threads() -> int:
    """How many cores features may take: OMP_NUM_THREADS, as the libraries for matrices read it, or all."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdigit() and int(asked) > 0 else os.cpu_count() or 1


def _by_onnx_runtime(backbone: Backbone) -> Compute:
    import onnxruntime  # pyright: ignore[reportMissingTypeStubs]

    from likely.networks.efficientnet_onnx import onnx_features

    options = onnxruntime.SessionOptions()
    # One image is computed on one core: as fast as batches, and no answer depends on its neighbors.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        onnx_features(backbone.layout, backbone.weights), options, providers=["CPUExecutionProvider"]
    )
    return lambda x: np.asarray(session.run(None, {"images": x})[0])


def _by_torch(backbone: Backbone) -> Compute:
    from likely.networks.efficientnet_lite import answering

    return answering(backbone.layout, backbone.weights)
