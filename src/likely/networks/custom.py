"""A custom network: whatever a factory makes that maps a batch to scores.

A factory is a function `factory(n_classes)` or `factory(n_classes, sample)`, such as the class of a module, or an
object with `build(n_classes, sample)`. A model file keeps its name for people to read; nothing is ever imported because
a file says so, which is why `likely.load` must be given the factory again.
"""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from likely.errors import ConfigError

CUSTOM = "custom"
"""The name of every such network in a card."""


class CustomNetwork:
    """A factory as a `TorchNetwork`: it makes a new module with every call.

    Raises:
        ConfigError: if it is no factory; it says what to pass instead.
    Example:
        >>> def perceptron(n_classes, sample):
        ...     return torch.nn.Linear(sample.shape[1], n_classes)
        >>> CustomNetwork(perceptron).settings
        {'factory': 'perceptron'}
    """

    name = CUSTOM

    def __init__(self, factory: object) -> None:
        called = f"{name_of(factory)!r}" if callable(factory) else f"a {type(factory).__name__}"
        what = f"network must be a name or a factory that makes a torch module; got {called}."
        if not isinstance(factory, type) and hasattr(factory, "state_dict"):
            raise ConfigError(
                f"{what} Every fold and every loaded model needs a new module. Try network=lambda n_classes: "
                "Module(n_classes)."
            )
        if not callable(_maker(factory)):
            raise ConfigError(f"{what} Try a function of n_classes that returns a torch.nn.Module.")
        if _wants(factory) is None:
            raise ConfigError(
                f"{what} It cannot be called with the number of scores. Try def factory(n_classes): ..., or "
                "def factory(n_classes, sample): ... if it looks at prepared rows."
            )
        self.factory = factory

    @property
    def settings(self) -> dict[str, object]:
        """The factory's name, for people."""
        return {"factory": name_of(self.factory)}

    def build(self, n_classes: int, sample: np.ndarray) -> Any:
        """What the factory makes; the engine checks that it is a module, and of how many scores."""
        given = (n_classes, sample)[: _wants(self.factory)]
        return _maker(self.factory)(*given)


def name_of(thing: object) -> str:
    """What a function, a class or an object is called, for people.

    Example:
        >>> from functools import partial
        >>> name_of(name_of), name_of(partial(name_of)), name_of(3)
        ('name_of', 'name_of', 'int')
    """
    thing = getattr(thing, "func", thing)  # of a functools.partial
    return str(getattr(thing, "__qualname__", type(thing).__qualname__))


def _maker(factory: Any) -> Callable[..., Any]:
    """`factory.build` of an object, or the factory itself."""
    return factory if isinstance(factory, type) else getattr(factory, "build", factory)


def _wants(factory: object) -> int | None:
    """How many of (n_classes, sample) the factory takes; None if it takes neither alone nor both.

    A second argument with a default is an option of the factory, unless it is called `sample`.
    """
    try:
        signature = inspect.signature(_maker(factory))
    except (TypeError, ValueError):
        return 1  # written in C: what it takes shows when it is called
    sample = signature.parameters.get("sample")
    named = sample is not None and sample.kind is sample.POSITIONAL_OR_KEYWORD
    for n in (2, 1) if named else (1, 2):
        try:
            signature.bind(*range(n))
        except TypeError:
            continue
        return n
    return None
