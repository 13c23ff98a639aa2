"""From images to the standardized features of a frozen backbone."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from likely.arrays import Array, to_numpy
from likely.config.registry import BACKBONES
from likely.networks.transformers_layout import TransformersLayout
from likely.preprocessing.backbone import Backbone, Layout, layout_of
from likely.preprocessing.column_preprocessor import ColumnPreprocessor
from likely.preprocessing.image_preprocessor import ImagePreprocessor
from likely.preprocessing.stored_rows import RowArray


@dataclass(frozen=True)
class BackbonePreprocessor:
    """The features of images by a frozen backbone, standardized; a `Preprocessor`.

    Args:
        shape: of one stored image, (h, w) or (h, w, 3).
        name, sha256: of the backbone, and of its weights.
        features: how its features are standardized.
        layout: what it consists of.
        tuned: whether its weights are no longer the published ones.
        backbone: what computes them; None where only the description is needed.
    """

    shape: tuple[int, ...]
    name: str
    sha256: str
    features: ColumnPreprocessor
    layout: Layout
    tuned: bool = False
    backbone: Backbone | None = field(default=None, compare=False, repr=False)

    columns = None

    @property
    def dtype(self) -> str:
        """What the network on top computes in."""
        return self.features.dtype

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Of one input of the network on top."""
        return self.features.output_shape

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(h, w) or (h, w, 3) of the images."""
        return self.shape

    def __call__(self, x: Array) -> Array:
        """The standardized features of images that `check` accepts, as a NumPy array."""
        assert self.backbone is not None, "this preprocessor only describes"
        return self.features(self.backbone.features(to_numpy(x)))

    def check(self, X: Any) -> Any:
        """The images, unchanged, if they are like those learned from; errors as of `ImagePreprocessor.check`."""
        return ImagePreprocessor(self.shape).check(X)

    def too_large(self, rows: RowArray) -> np.ndarray:
        """No pixel is too large to compute with: False for each image, shape (n, 1)."""
        return np.zeros((len(rows), 1), np.bool_)

    def reads_like(self, other: object) -> bool:
        """Whether the other one takes the same images and gives features of the same meaning."""
        return isinstance(other, BackbonePreprocessor) and (self.shape, self.sha256) == (other.shape, other.sha256)

    def computed_by(self, backbone: Backbone) -> "BackbonePreprocessor":
        """The same one, able to compute; ValueError if these are other weights."""
        if backbone.sha256 != self.sha256:
            raise ValueError(f"the weights of {self.name} are not those that the features were learned with")
        return replace(self, backbone=backbone)

    def to_json(self) -> dict[str, Any]:
        """Plain values that `from_json` makes an equal one of."""
        values: dict[str, Any] = {"kind": "backbone", "dtype": self.dtype, "shape": list(self.shape)}
        if isinstance(self.layout, TransformersLayout):
            values["layout"] = self.layout.to_json()
        if self.tuned:
            values["tuned"] = True
        return values | {"backbone": self.name, "sha256": self.sha256, "features": self.features.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "BackbonePreprocessor":
        """The one that `to_json` gave the values of; raises ValueError, KeyError or TypeError for others."""
        shape, name = tuple(values["shape"]), values["backbone"]
        if not all(type(size) is int for size in shape):
            raise ValueError("a size that is not a whole number")
        if name in BACKBONES:
            layout: Layout = layout_of(name)
        else:
            layout = TransformersLayout.from_json(values["layout"])
            if name != layout.name:
                raise ValueError(f"backbone {name!r}")
        ImagePreprocessor(shape)  # refuses what is the shape of no image
        features = ColumnPreprocessor.from_json(values["features"])
        if features.shape != (layout.n_features,):
            raise ValueError(f"{features.shape[0]} features")
        return cls(shape, name, str(values["sha256"]), features, layout, tuned=bool(values.get("tuned")))
