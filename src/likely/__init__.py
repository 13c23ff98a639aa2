"""Learn conditional probabilities P(label | image), and act on them.

Every public name is loaded when it is first used, so that `import likely` is quick.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from likely import errors as errors
    from likely import metrics as metrics
    from likely import trust as trust
    from likely.data.sources import open_dataset as open_dataset
    from likely.engines.gradient import gradient as gradient
    from likely.engines.gradient_descent import gradient_descent as gradient_descent
    from likely.estimators import Classifier as Classifier
    from likely.estimators import Regressor as Regressor
    from likely.functional.heads import l1_normalize as l1_normalize
    from likely.functional.heads import softmax as softmax
    from likely.functional.least_squares import least_squares as least_squares
    from likely.functional.losses import softmax_cross_entropy as softmax_cross_entropy
    from likely.functional.losses import squared_error as squared_error
    from likely.functional.objective import Objective as Objective
    from likely.model import load as load
    from likely.networks.activations import heaviside as heaviside
    from likely.networks.activations import sigmoid as sigmoid
    from likely.networks.linear import Linear as Linear
    from likely.networks.mlp import MLP as MLP
    from likely.probability.distribution import Distribution as Distribution
    from likely.probability.information import cross_entropy as cross_entropy
    from likely.probability.information import entropy as entropy
    from likely.probability.information import kl_divergence as kl_divergence
    from likely.probability.space import Event as Event
    from likely.probability.space import SampleSpace as SampleSpace
    from likely.trust.wrong_labels import label_issues as label_issues

__version__ = "0.1.0"

_HOMES = {
    "Classifier": "likely.estimators",
    "Distribution": "likely.probability.distribution",
    "Event": "likely.probability.space",
    "Linear": "likely.networks.linear",
    "MLP": "likely.networks.mlp",
    "Objective": "likely.functional.objective",
    "Regressor": "likely.estimators",
    "SampleSpace": "likely.probability.space",
    "cross_entropy": "likely.probability.information",
    "entropy": "likely.probability.information",
    "errors": "likely.errors",
    "gradient": "likely.engines.gradient",
    "gradient_descent": "likely.engines.gradient_descent",
    "heaviside": "likely.networks.activations",
    "kl_divergence": "likely.probability.information",
    "l1_normalize": "likely.functional.heads",
    "label_issues": "likely.trust.wrong_labels",
    "least_squares": "likely.functional.least_squares",
    "load": "likely.model",
    "metrics": "likely.metrics",
    "open_dataset": "likely.data.sources",
    "sigmoid": "likely.networks.activations",
    "softmax": "likely.functional.heads",
    "softmax_cross_entropy": "likely.functional.losses",
    "squared_error": "likely.functional.losses",
    "trust": "likely.trust",
}
"""Every public name, with the module that holds it; the imports above say the same to type checkers."""

__all__ = sorted(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'likely' has no attribute {name!r}")
    module = importlib.import_module(_HOMES[name])
    value = module if module.__name__ == f"likely.{name}" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
