"""Arrays of any library through one standard: the only module that knows array-api-compat.

Functions that take arrays call `namespace(x)` and use the Python array API standard, so that the same body runs on
NumPy, JAX and PyTorch. Reference: https://data-apis.org/array-api/.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = Any
"""An array of a library that follows the standard: `numpy.ndarray`, `jax.Array` or `torch.Tensor`."""

Params: TypeAlias = Mapping[str, Array]
"""Parameters by name, such as `{"layer0": (d_in + 1, d_out), ...}`; row 0 of each layer is its bias."""

Weights: TypeAlias = np.ndarray | None
"""How much each row counts, shape (n,), not negative; None counts all alike."""


def namespace(*arrays: Array) -> Any:
    """The array API namespace that the arrays share; Python numbers and lists count as NumPy.

    Example:
        >>> namespace(np.zeros(3)).__name__
        'numpy'
    """
    # NumPy follows the standard by itself, and asking costs as much as a small operation.
    if all(type(a) is np.ndarray for a in arrays):
        return np
    import array_api_compat

    real = [a for a in arrays if array_api_compat.is_array_api_obj(a)]
    if all(isinstance(a, (np.ndarray, np.generic)) for a in real):
        return np
    return array_api_compat.array_namespace(*real)


def to_numpy(x: Array) -> np.ndarray:
    """The same values as a NumPy array: on the CPU, without a gradient, without a copy where possible."""
    if hasattr(x, "detach"):
        x = x.detach().cpu()
    return np.asarray(x)


def one_hot(labels: np.ndarray, n_classes: int, dtype: Any = np.float64) -> np.ndarray:
    """Labels 0..k-1 of shape (n,) as distributions that are certain, of shape (n, k).

    Example:
        >>> one_hot(np.array([1, 0]), 3)
        array([[0., 1., 0.],
               [1., 0., 0.]])
    """
    out = np.zeros((len(labels), n_classes), dtype=dtype)
    out[np.arange(len(labels)), labels] = 1
    return out
