"""Learn conditional probabilities P(label | picture), and act on them.

Every public name is loaded when it is first used, so that `import likely` is quick.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_WHERE = {
    "Classifier": "likely.estimators",
    "Distribution": "likely.probability.distribution",
    "Event": "likely.probability.space",
    "Linear": "likely.networks.linear",
    "MLP": "likely.networks.mlp",
    "Objective": "likely.objective",
    "Regressor": "likely.estimators",
    "SampleSpace": "likely.probability.space",
    "cross_entropy": "likely.probability.information",
    "entropy": "likely.probability.information",
    "gradient": "likely.engines.gradient",
    "gradient_descent": "likely.learning.gradient_descent",
    "heaviside": "likely.networks.activations",
    "kl_divergence": "likely.probability.information",
    "l1_normalize": "likely.heads",
    "least_squares": "likely.learning.least_squares",
    "load": "likely.predictor",
    "open_dataset": "likely.data.sources",
    "sigmoid": "likely.networks.activations",
    "softmax": "likely.heads",
    "softmax_cross_entropy": "likely.losses",
    "squared_error": "likely.losses",
}

__all__ = [
    "Classifier",
    "Distribution",
    "Event",
    "Linear",
    "MLP",
    "Objective",
    "Regressor",
    "SampleSpace",
    "cross_entropy",
    "entropy",
    "errors",
    "gradient",
    "gradient_descent",
    "heaviside",
    "kl_divergence",
    "l1_normalize",
    "least_squares",
    "load",
    "metrics",
    "open_dataset",
    "sigmoid",
    "softmax",
    "softmax_cross_entropy",
    "squared_error",
]


def __getattr__(name: str) -> Any:
    if name in ("errors", "metrics"):
        return importlib.import_module(f"likely.{name}")
    if name not in _WHERE:
        raise AttributeError(f"module 'likely' has no attribute {name!r}")
    value = getattr(importlib.import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
