"""The types of settings: what is refused, and which other ways to write a value are read."""

import csv
import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from likely.config.durations import parse_duration
from likely.config.former_names import current_augmentation
from likely.config.registry import ACTIVATIONS, BACKBONES, ENGINES, FROM_FOLDER, HEADS, LOSSES, NETWORKS, PRESETS, OneOf
from likely.errors import ConfigError


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _names(value: object, none: str = "") -> object:
    """The parts of a text such as `hflip,shift`, or of a list; the text `none` has no parts."""
    if isinstance(value, str):
        return () if value.strip() == none else tuple(part.strip() for part in value.split(","))
    return _tuple(value)


def _augmentations(value: object) -> object:
    parts = _names(value, none="none")
    return tuple(map(current_augmentation, parts)) if isinstance(parts, tuple) else parts


def _activation(value: object) -> object:
    if value == "heaviside":
        raise ConfigError(
            "activation must have a gradient that is not zero almost everywhere; got 'heaviside'. Its slope is 0 "
            "wherever it exists, so gradient descent would never move. Try 'sigmoid', a smooth version of it."
        )
    return value


def _network(value: object) -> object:
    """Refuse other people's pretrained networks with the reason."""
    if isinstance(value, str) and value not in NETWORKS and OTHER_NETWORKS.match(value):
        raise ConfigError(
            f"network must be one of {', '.join(map(repr, ('auto', *BACKBONES, *NETWORKS)))}, or hf:FOLDER; got "
            f"{value!r}. timm takes its weights from a hub, and needs torchvision, which has no CPU build beside this "
            "torch. Try 'efficientnet-lite2', hf: and a local folder that transformers wrote, or in Python a factory "
            "that makes your own module."
        )
    return value


def _quoted_names(value: object) -> object:
    """The parts of a text, in quotes where one holds a comma, as in CSV; or of a list."""
    if isinstance(value, str):
        return tuple(part.strip() for part in next(csv.reader([value], skipinitialspace=True), []))
    return _tuple(value)


def _share(value: object) -> object:
    """A number, also of a text such as `20%` or `0.2`; other texts as they are."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    try:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        return value


OTHER_NETWORKS = re.compile(
    r"(timm[/:]|(tf_)?efficientnet(v2)?_|resnet|resnext|wide_resnet|vit_|deit|swin|convnext|mobilenet|densenet|regnet"
    r"|vgg|inception|dino|beit|eva|clip|maxvit|coat|xception|mixer|nfnet|rexnet|ghostnet|hrnet|dpn|dla)"
)
"""How the names of timm's networks begin."""
Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(gt=0)]
Positive = Annotated[float, Field(gt=0)]
Epochs = Annotated[float, Field(gt=0, le=10**9)]
Seconds = Annotated[
    float, BeforeValidator(lambda value: parse_duration(value) if isinstance(value, str) else value), Field(gt=0)
]
Share = Annotated[float, BeforeValidator(_share), Field(ge=0, lt=1)]
Labels = Annotated[tuple[str, ...], BeforeValidator(_tuple), Field(min_length=1)]
Widths = Annotated[tuple[Count, ...], BeforeValidator(_tuple), Field(min_length=1)]
Columns = Annotated[tuple[str, ...], BeforeValidator(_quoted_names)]
Patterns = Annotated[tuple[Text, ...], BeforeValidator(_names)]
Augmentations = Annotated[
    tuple[Literal["hflip", "shift", "cutout", "crop", "color"], ...], BeforeValidator(_augmentations)
]
Activation = Annotated[str, BeforeValidator(_activation), OneOf(ACTIVATIONS, without=("heaviside",))]
PresetName = Annotated[str, OneOf(PRESETS)]
NetworkName = Annotated[
    str, BeforeValidator(_network), OneOf(NETWORKS, also=("auto", *BACKBONES, "mixture"), prefix=FROM_FOLDER)
]
EngineName = Annotated[str, OneOf(ENGINES, also=("auto",))]
HeadName = Annotated[str, OneOf(HEADS, without=("sigmoid", "identity"))]
LossName = Annotated[str, OneOf(LOSSES)]
