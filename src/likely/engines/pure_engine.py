"""What the engines of pure networks share: they hold theta and compute on the CPU."""

import math

import numpy as np

from likely.arrays import Array
from likely.config.processors import usable_cores
from likely.engines.protocol import EngineSettings
from likely.networks.network import Network


class PureEngine:
    """The part of an `Engine` that follows from a pure network."""

    device = "cpu"
    learning_rate = None  # custom optimizers are torch's
    threads = usable_cores()  # as many as products of matrices may take
    _network: Network

    def __init__(self, settings: EngineSettings) -> None:
        assert isinstance(settings.network, Network)
        self._network, self._head, self._loss = settings.network, settings.head, settings.loss
        self._dtype = np.dtype(settings.dtype)

    @property
    def precision(self) -> str:
        return self._dtype.name

    @property
    def n_parameters(self) -> int:
        return sum(math.prod(shape) for shape in self._network.shapes.values())

    @property
    def last_layer(self) -> tuple[str, ...]:
        return tuple(self._network.shapes)[-1:]


def as_it_is(x: Array) -> Array:
    """The rows, which were prepared when they were placed."""
    return x
