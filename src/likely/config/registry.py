"""Every name that a setting or a model file may use, and what it means: a new one is one file and one row here.

A row is the thing itself, or `module:name`, which is imported when it is first asked for. The names alone are what the
command line offers, what `RunConfig` accepts and what the docs list, so none of them needs to import anything heavy.
"""

import importlib
from collections import UserDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from likely.errors import ConfigError, EngineError, unknown_name

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

    from likely.data.dataset import Dataset
    from likely.data.readers import Reader
    from likely.engines.protocol import Engine
    from likely.functional.heads import Head
    from likely.functional.losses import Loss
    from likely.networks.activations import Activation
    from likely.networks.network import Network, TorchNetwork
    from likely.networks.pretrained import Pretrained
    from likely.networks.trees import Trees
    from likely.training.presets import Preset

Row = TypeVar("Row")


class Registry(UserDict[str, Row]):
    """What each name of a setting means, or the place of that; `named` raises `error` for a name that does not exist.

    Example:
        >>> sorted(HEADS), HEADS["l1"].probs.__name__
        (['identity', 'l1', 'sigmoid', 'softmax'], 'l1_normalize')
    """

    def __init__(self, what: str, rows: Mapping[str, Row | str], error: type[Exception] = ConfigError) -> None:
        self.what, self.error = what, error
        super().__init__(cast(Mapping[str, Row], rows))  # `__getitem__` turns places into rows

    def __getitem__(self, name: str) -> Row:
        row: Row | str = self.data[name]
        if isinstance(row, str):
            module, _, attribute = row.partition(":")
            row = self.data[name] = cast(Row, getattr(importlib.import_module(module), attribute))
        return row

    def named(self, name: str | Row) -> Row:
        """The row of this name; a row itself, such as a loss of the user's, is taken as it is.

        Raises:
            ConfigError or what `error` says: if there is none; it names the nearest.
        """
        if not isinstance(name, str):
            return name
        if name not in self.data:
            raise self.error(unknown_name(self.what, name, self))
        return self[name]


@dataclass(frozen=True, eq=False)
class OneOf:
    """Of a pydantic field of text: the names of a registry, as they are when a value is checked, and `also` others.

    What begins with `prefix` is no name, and taken as it is; "" is no prefix.
    """

    registry: Registry[Any]
    also: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    prefix: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All names that the field takes now."""
        return (*self.also, *(name for name in self.registry if name not in self.without))

    def __get_pydantic_core_schema__(self, source: object, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        from pydantic_core import core_schema

        def checked(value: str, info: core_schema.ValidationInfo) -> str:
            if value not in self.names and not (self.prefix and value.startswith(self.prefix)):
                raise ConfigError(unknown_name(info.field_name or self.registry.what, value, self.names))
            return value

        return core_schema.with_info_after_validator_function(checked, handler(source))


NETWORKS: "Registry[Callable[..., Network | TorchNetwork | Trees]]" = Registry(
    "network",
    {
        "conv": "likely.networks.convnet:ConvNet",
        "mlp": "likely.networks.mlp:MLP",
        "linear": "likely.networks.linear:Linear",
        "trees": "likely.networks.trees:Trees",
    },
)
"""Classes that settings in a model file rebuild: pure networks, builders of torch modules, or trees."""

BACKBONES: "Registry[Pretrained]" = Registry(
    "network",
    {
        "efficientnet-lite0": "likely.networks.pretrained:EFFICIENTNET_LITE0",
        "efficientnet-lite2": "likely.networks.pretrained:EFFICIENTNET_LITE2",
    },
)
"""Pretrained networks that stay as they are: images become their features, and a small head learns on these."""

FROM_FOLDER = "hf:"
"""Begins the name of a network in a local folder of transformers."""


def is_backbone(name: str) -> bool:
    """Whether a network of this name is pretrained and stays as it is."""
    return name in BACKBONES or name.startswith(FROM_FOLDER)


ACTIVATIONS: "Registry[Activation]" = Registry(
    "activation",
    {
        "sigmoid": "likely.networks.activations:SIGMOID",
        "relu": "likely.networks.activations:RELU",
        "tanh": "likely.networks.activations:TANH",
        "gelu": "likely.networks.activations:GELU",
        "heaviside": "likely.networks.activations:HEAVISIDE",
    },
)
"""Rows are `likely.networks.activations.Activation`; nothing learns through Heaviside's step."""

HEADS: "Registry[Head]" = Registry(
    "head",
    {
        "softmax": "likely.functional.heads:SOFTMAX",
        "l1": "likely.functional.heads:L1",
        "sigmoid": "likely.functional.heads:SIGMOID",
        "identity": "likely.functional.heads:IDENTITY",
    },
)
"""Rows are `likely.functional.heads.Head`. "identity" leaves the scores as they are, for regression; "sigmoid" puts
each between 0 and 1 by itself, which is no distribution over them: both are for the squared error."""

LOSSES: "Registry[Loss]" = Registry(
    "loss",
    {
        "cross_entropy": "likely.functional.losses:CROSS_ENTROPY",
        "squared_error": "likely.functional.losses:SQUARED_ERROR",
    },
)
"""Rows are `likely.functional.losses.Loss`."""

ENGINES: "Registry[Callable[..., Engine]]" = Registry(
    "engine",
    {
        "numpy": "likely.engines.by_hand:ByHand",
        "jax": "likely.engines.by_jax:ByJax",
        "torch": "likely.engines.by_torch.torch_engine:ByTorch",
    },
    EngineError,
)
"""Classes with the methods of `likely.engines.protocol.Engine`."""

PRESETS: "Registry[Preset]" = Registry(
    "preset",
    {
        "fast": "likely.training.presets:FAST",
        "balanced": "likely.training.presets:BALANCED",
        "best": "likely.training.presets:BEST",
    },
)
"""Rows are `likely.training.presets.Preset`."""

READERS: "Registry[Reader]" = Registry(
    "reader",
    {
        "idx folder": "likely.data.readers:IDX_FOLDER",
        "class folder": "likely.data.readers:CLASS_FOLDER",
        "table": "likely.data.readers:TABLE",
        "npz": "likely.data.readers:NPZ",
    },
)
"""Rows are `likely.data.readers.Reader`; the first that reads a path opens it."""

DATA_SETS: "Registry[Callable[..., Dataset]]" = Registry(
    "data",
    {
        "fashion-mnist": "likely.data.images.fashion_mnist:open_named",
        **dict.fromkeys(("digits", "wine", "iris", "breast-cancer", "diabetes"), "likely.data.bundled:load_bundled"),
    },
)
"""Functions of (name, folder of its files or None, progress) that open a data set."""
