"""scikit-learn's trees, loaded as late as here, and without what they import and do not use."""

import importlib
import sys
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any

import numpy as np

_POSTPONED = ("scipy.stats", "scipy.interpolate", "scipy.integrate")
"""What other parts of scikit-learn use; most of its time goes into putting together docstrings."""


def ensemble() -> Any:
    """scikit-learn's `ensemble`, which would take two and a half times as long to load with all that it imports.

    While no other thread is there to miss it, pandas, which it imports if it can, is hidden. In the command's own
    process, where nobody else uses scikit-learn, some of SciPy is loaded when it is used.
    """
    with ExitStack() as stack:
        if threading.active_count() == 1:
            stack.enter_context(_instead("pandas", None))
            for name in _POSTPONED if "likely.cli" in sys.modules else ():
                stack.enter_context(_instead(name, _Postponed(name)))
        return importlib.import_module("sklearn.ensemble")


@contextmanager
def _instead(name: str, other: ModuleType | None) -> Generator[None]:
    """Who imports the module with this name meanwhile, if nobody did before, gets another one, or none."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = other  # pyright: ignore[reportArgumentType]
    try:
        yield
    finally:
        del sys.modules[name]


class _Postponed(ModuleType):
    """A module that is loaded when something of it is used, but for what trees begin with."""

    @staticmethod
    def gmean(a: np.ndarray, axis: int = 0) -> np.ndarray:
        return np.exp(np.log(a).mean(axis=axis))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Member(self.__name__, name)


class _Member:
    """What a postponed module will have by a name."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def __call__(self, *args: Any, **named: Any) -> Any:
        return self._loaded(*args, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loaded, name)

    @property
    def _loaded(self) -> Any:
        return getattr(importlib.import_module(self._module), self._name)
