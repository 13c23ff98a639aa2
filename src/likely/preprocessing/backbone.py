"""From images to the features of a frozen, pretrained network: the same numbers one by one and in any batch.

    uint8 image -> its own size, three channels -> (x - mean) / scale -> network -> features (n, m)

ONNX Runtime computes those of EfficientNet-Lite where it is installed, an image on each core; else torch does, within
1e-3. Networks of transformers are asked through torch.
"""

import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any, TypeAlias

import numpy as np
from PIL import Image

from likely.config.processors import threads
from likely.config.registry import BACKBONES, FROM_FOLDER
from likely.networks.efficientnet_layout import EfficientNetLayout
from likely.networks.pretrained import sha256_of
from likely.networks.transformers_layout import TransformersLayout
from likely.preprocessing.conversion import PHOTOGRAPH, create_conversion
from likely.preprocessing.stored_rows import RowArray

_TOLD_EVERY = 16  # images

Layout: TypeAlias = EfficientNetLayout | TransformersLayout
Compute = Callable[[np.ndarray], np.ndarray]
"""From one prepared image (1, 3, s, s) to its features (1, m)."""


@dataclass(frozen=True, eq=False)
class Backbone:
    """A pretrained network: what it answers, not how it learned.

    Args:
        name: a row of `BACKBONES`, or hf: and a family of transformers.
        weights: by the names of its layout.
        layout: what it consists of, and how its images are prepared.
        tuned: whether the weights are no longer the published ones.
    """

    name: str
    weights: Mapping[str, np.ndarray]
    layout: Layout
    tuned: bool = False

    @classmethod
    def pretrained(cls, name: str) -> "Backbone":
        """The one of this name, with the weights of its package, or of the folder that hf:FOLDER names.

        Raises:
            ConfigError, MissingExtraError, ModelFileError: as `Pretrained.read`, or `TransformersLayout.of_folder`.
        """
        layout = layout_of(name)
        if isinstance(layout, EfficientNetLayout):
            return cls(name, BACKBONES.named(name).read(), layout)
        from likely.networks.transformers_network import read_weights

        return cls(layout.name, read_weights(name.removeprefix(FROM_FOLDER), layout), layout)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of every weight by name."""
        if isinstance(self.layout, EfficientNetLayout):
            return self.layout.shapes
        from likely.networks import transformers_network

        return transformers_network.shapes(self.layout)

    @cached_property
    def sha256(self) -> str:
        """The hash of all weights, and of what a layout of its own says."""
        layout = self.layout
        own = json.dumps(layout.to_json(), sort_keys=True) if isinstance(layout, TransformersLayout) else ""
        return sha256_of(self.name, self.weights, own)

    @cached_property
    def computed_by(self) -> str:
        """The program that computes features here, with its version."""
        if isinstance(self.layout, TransformersLayout):
            return f"{_version('torch')}, {_version('transformers')}"
        by_onnx = all(find_spec(module) is not None for module in ("onnxruntime", "onnx"))
        return _version("onnxruntime" if by_onnx else "torch")

    def features(self, X: RowArray, told: Callable[[int], None] | None = None, *, flipped: bool = False) -> np.ndarray:
        """The features of images, float32 (n, m); with `flipped`, of the images flipped left to right.

        They are uint8 of shape (n, h, w) or (n, h, w, 3), and are resized to the backbone's own size; gray gets three
        equal channels. `told` is told now and then how many are done.
        """
        n, (compute, workers) = len(X), self._compute
        found = np.empty((n, self.layout.n_features), np.float32)

        def one(i: int) -> None:
            x = prepared(X[i], self.layout)
            found[i] = compute(np.ascontiguousarray(x[..., ::-1]) if flipped else x)[0]

        pool = ThreadPoolExecutor(workers)
        try:
            for done, _ in enumerate(pool.map(one, range(n)) if workers > 1 else map(one, range(n)), start=1):
                if told is not None and (done % _TOLD_EVERY == 0 or done == n):
                    told(done)
        finally:
            pool.shutdown(cancel_futures=True)
        return found

    @property
    def _compute(self) -> tuple[Compute, int]:
        """What computes features, and how many images at a time: one on each core, or one on all of them.

        It is made once, and again after a fork: its threads belong to the process that made it.
        """
        process, made = self.__dict__.get("_made", (None, None))
        if process != os.getpid() or made is None:
            made = self._made_here()
            self.__dict__["_made"] = os.getpid(), made
        return made

    def _made_here(self) -> tuple[Compute, int]:
        if isinstance(self.layout, TransformersLayout):
            from likely.networks import transformers_network

            return transformers_network.answering(self.layout, self.weights), 1
        try:
            return _by_onnx_runtime(self.layout, self.weights), threads()
        except ImportError:
            from likely.networks import efficientnet_lite

            return efficientnet_lite.answering(self.layout, self.weights), 1

    def __getstate__(self) -> dict[str, Any]:
        """Without what only this process can call."""
        return {"name": self.name, "weights": dict(self.weights), "layout": self.layout, "tuned": self.tuned}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


def layout_of(name: str) -> Layout:
    """What the backbone of this name consists of; of hf:FOLDER, what its folder says."""
    if name.startswith(FROM_FOLDER):
        return TransformersLayout.of_folder(name.removeprefix(FROM_FOLDER))
    return BACKBONES.named(name).layout


def conversion_for(layout: Layout) -> dict[str, Any]:
    """How photographs become images of its size."""
    return PHOTOGRAPH if isinstance(layout, EfficientNetLayout) else layout.conversion


def prepared(image: np.ndarray, layout: Layout) -> np.ndarray:
    """One uint8 image (h, w) or (h, w, 3) as the network's input, float32 (1, 3, side, side).

    One that already has the side is taken as it is.

    Example:
        >>> from likely.networks.efficientnet_layout import LITE0
        >>> np.unique(prepared(np.full((2, 4), 255, np.uint8), LITE0))
        array([1.], dtype=float32)
    """
    side = layout.side
    if image.shape[:2] != (side, side):
        image = create_conversion(conversion_for(layout))(Image.fromarray(image), (side, side, 3))
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    mean, scale = np.array([layout.mean, layout.scale], np.float32)[..., None, None]
    return (np.ascontiguousarray(image.transpose(2, 0, 1)[None], np.float32) - mean) / scale


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:  # under another name, such as onnxruntime-gpu
        return package


def _by_onnx_runtime(layout: EfficientNetLayout, weights: Mapping[str, np.ndarray]) -> Compute:
    import onnxruntime  # pyright: ignore[reportMissingTypeStubs]

    from likely.networks.efficientnet_onnx import onnx_features

    options = onnxruntime.SessionOptions()
    # One image is computed on one core: as fast as batches, and no answer depends on its neighbors.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx_features(layout, weights), options, providers=["CPUExecutionProvider"])
    return lambda x: np.asarray(session.run(None, {"images": x})[0])
