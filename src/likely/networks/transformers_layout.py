"""A pretrained network in a local folder of transformers, as data: its settings, and how its images are prepared.

    config.json                -> family and settings, of a closed list
    preprocessor_config.json   -> resize, crop, (x - mean) / scale; what is not done here is refused by name
    model.safetensors          -> weights, as they are

Nothing is downloaded, and no code of the folder is run.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from likely.config.registry import FROM_FOLDER
from likely.errors import ConfigError

_ATTENTION = [
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "hidden_act",
    "layer_norm_eps",
    "image_size",
    "patch_size",
    "num_channels",
]
FAMILIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "dinov2": ("Dinov2", (*_ATTENTION, "mlp_ratio", "qkv_bias", "layerscale_value", "use_swiglu_ffn")),
    "vit": ("ViT", (*_ATTENTION, "intermediate_size", "qkv_bias")),
    "convnextv2": (
        "ConvNextV2",
        ("num_channels", "patch_size", "num_stages", "hidden_sizes", "depths", "hidden_act", "layer_norm_eps"),
    ),
    "resnet": (
        "ResNet",
        (
            "num_channels",
            "embedding_size",
            "hidden_sizes",
            "depths",
            "layer_type",
            "hidden_act",
            "downsample_in_first_stage",
            "downsample_in_bottleneck",
        ),
    ),
}
"""By `model_type`: what its classes are called, and the settings that say which network it is."""

_PROCESSORS = {"BitImageProcessor": "shortest_edge", "ConvNextImageProcessor": "shortest_edge", "ViTImageProcessor": ""}
"""The processors that are understood, and what a size that is one number means to them; "" is both sides."""
_FILTERS = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}
_DONE = [
    "do_resize",
    "size",
    "resample",
    "do_center_crop",
    "crop_size",
    "crop_pct",
    "do_rescale",
    "rescale_factor",
    "do_normalize",
    "image_mean",
    "image_std",
    "do_convert_rgb",
]
_NO_MATTER = [
    "image_processor_type",
    "feature_extractor_type",
    "processor_class",
    "return_tensors",
    "data_format",
    "input_data_format",
    "device",
    "default_to_square",
]


@dataclass(frozen=True)
class TransformersLayout:
    """A network of transformers.

    Args:
        family: a key of `FAMILIES`.
        settings: what its configuration says of it.
        side: of its images, in pixels.
        mean, scale: a pixel x from 0 to 255 is given as (x - mean) / scale, for each channel.
        edge: what the shortest edge becomes before the middle is cropped; 0 resizes the whole image.
        resampling: the filter.
    """

    family: str
    settings: Mapping[str, Any] = field(hash=False)
    side: int
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    edge: int
    resampling: str

    def __post_init__(self) -> None:
        numbers: tuple[Any, ...] = (*self.mean, *self.scale)
        whole = type(self.side) is int and type(self.edge) is int and 0 < self.side <= 1024 and 0 <= self.edge <= 4096
        right = all(type(x) in (int, float) and abs(x) < 1e9 for x in numbers) and all(x > 0 for x in self.scale)
        if self.family not in FAMILIES or len(self.mean) != 3 or len(self.scale) != 3 or not whole or not right:
            raise ValueError("a network of transformers that does not exist")
        if not set(self.settings) <= set(FAMILIES[self.family][1]) or self.resampling not in _FILTERS.values():
            raise ValueError("settings that its family does not have")
        if self.family == "vit" and self.settings.get("image_size") != self.side:
            raise ValueError(f"images of the side {self.settings.get('image_size')} and a crop of {self.side}")

    @property
    def name(self) -> str:
        """As models call it: no folder."""
        return FROM_FOLDER + self.family

    @property
    def n_features(self) -> int:
        """How many features it makes of an image."""
        sizes = self.settings.get("hidden_sizes")
        return int(self.settings["hidden_size"] if sizes is None else sizes[-1])

    @property
    def conversion(self) -> dict[str, Any]:
        """How images become its inputs, as `likely.preprocessing.conversion` has it."""
        return {"name": "resize-and-crop", "edge": self.edge, "resampling": self.resampling}

    def to_json(self) -> dict[str, Any]:
        """Plain values that `from_json` makes an equal one of."""
        return asdict(self) | {"settings": dict(self.settings), "mean": list(self.mean), "scale": list(self.scale)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "TransformersLayout":
        """The one that `to_json` gave the values of; raises ValueError, KeyError or TypeError for others."""
        tuples: dict[str, Any] = {name: tuple(values[name]) for name in ("mean", "scale")}
        return cls(**(dict(values) | tuples))

    @classmethod
    def of_folder(cls, folder: str | Path) -> "TransformersLayout":
        """The network in a folder that transformers wrote.

        Raises:
            ConfigError: if there is none, it is of another family, or its images are prepared in a way unknown here.
        """
        folder = Path(folder)
        config, asked = _read(folder, "config.json"), _read(folder, "preprocessor_config.json")
        family = config.get("model_type")
        if family not in FAMILIES:
            raise _refused(folder, f"be of one of the families {', '.join(FAMILIES)}", f"model_type {family!r}")
        if not (folder / "model.safetensors").is_file():
            raise _refused(
                folder, "hold its weights as model.safetensors", "none", "Other formats can run code: never opened"
            )
        settings = {name: config[name] for name in FAMILIES[family][1] if name in config}
        if settings.get("num_channels", 3) != 3:
            raise _refused(folder, "see three channels", f"num_channels {settings['num_channels']}")
        try:
            prepared = _prepared_as(folder, asked)
            if family == "vit" and settings.get("image_size") != (side := prepared["side"]):
                raise _refused(folder, f"see images of the side {settings.get('image_size')}", f"a crop of {side}")
            layout = cls(family, settings, **prepared)
            _ = layout.n_features
        except (ValueError, KeyError, TypeError) as error:
            raise _refused(folder, "have a complete configuration", str(error)) from error
        return layout


def _prepared_as(folder: Path, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Side, mean, scale, edge and filter, as a processor's settings have them."""
    kind = str(asked.get("image_processor_type") or asked.get("feature_extractor_type") or "")
    kind = kind.removesuffix("Fast").removesuffix("Pil").replace("FeatureExtractor", "ImageProcessor")
    if kind not in _PROCESSORS:
        raise _refused(folder, f"have a processor of {', '.join(_PROCESSORS)}", repr(kind))
    others = [name for name, value in asked.items() if name not in (*_DONE, *_NO_MATTER) and value not in (None, False)]
    if others:
        raise _refused(folder, "have a processor that resizes, crops, rescales and normalizes", repr(others[0]))
    if not asked.get("do_resize", True):
        raise _refused(folder, "have a processor that resizes", "do_resize false")
    size = asked["size"]
    if not isinstance(size, Mapping):
        size = {_PROCESSORS[kind]: size} if _PROCESSORS[kind] else {"height": size, "width": size}
    edge = int(size.get("shortest_edge") or 0)
    crops = bool(asked.get("do_center_crop", kind == "BitImageProcessor"))
    if kind == "ConvNextImageProcessor":
        side, crops = edge, False
        edge = int(edge / asked.get("crop_pct", 224 / 256)) if edge < 384 else 0
    elif crops:
        crop = asked.get("crop_size", 224)
        side = _square(folder, crop if isinstance(crop, Mapping) else {"height": crop, "width": crop})
        edge = edge or _square(folder, size)
    elif edge:
        raise _refused(folder, "have a processor that makes all images of one size", "a shortest edge without a crop")
    else:
        side = _square(folder, size)
    if edge and edge < side:
        raise _refused(folder, f"have a processor that resizes to at least the crop of {side}", f"{edge}")
    factor = asked.get("rescale_factor", 1 / 255) if asked.get("do_rescale", True) else 1.0
    normalizes = asked.get("do_normalize", True)
    mean, std = (asked["image_mean"], asked["image_std"]) if normalizes else ([0.0] * 3, [1.0] * 3)
    return {
        "side": side,
        "mean": tuple(m / factor for m in mean),
        "scale": tuple(s / factor for s in std),
        "edge": edge,
        "resampling": _FILTERS[asked.get("resample", 2)],
    }


def _square(folder: Path, size: Mapping[str, Any]) -> int:
    if size.get("height") != size.get("width") or not size.get("height"):
        raise _refused(folder, "have a processor that makes square images", f"{dict(size)}")
    return int(size["height"])


def _read(folder: Path, name: str) -> dict[str, Any]:
    try:
        values = json.loads((folder / name).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _refused(folder, f"hold {name}, as transformers writes it", str(error)) from error
    if not isinstance(values, dict):
        raise _refused(folder, f"hold {name}, as transformers writes it", "no table of settings")
    return values


def _refused(folder: Path, rule: str, got: str, why: str = "") -> ConfigError:
    why = why and f"{why}. "
    return ConfigError(
        f"network={FROM_FOLDER + str(folder)!r} must {rule}; got {got}. {why}Try a folder that save_pretrained of the "
        "network and of its processor wrote, or network='efficientnet-lite2'."
    )
