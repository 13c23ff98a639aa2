"""The gradient of any function of torch tensors, by backpropagation."""

from collections.abc import Callable

import numpy as np
import torch

from likely.arrays import Array, to_numpy


def gradient_of(objective: Callable[..., torch.Tensor], theta: Array, *data: Array) -> Array:
    """dL/dtheta as NumPy arrays, with the structure of theta: an array, or a dict of arrays."""
    named = theta if isinstance(theta, dict) else {"": theta}
    # A leaf of the graph: backward() leaves its gradient here.
    leaves = {name: torch.from_numpy(to_numpy(value).copy()).requires_grad_() for name, value in named.items()}
    arrays = [torch.from_numpy(np.asarray(x)) for x in data]
    objective(leaves if isinstance(theta, dict) else leaves[""], *arrays).backward()
    slopes = {name: torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for name, leaf in leaves.items()}
    found = {name: to_numpy(slope) for name, slope in slopes.items()}
    return found if isinstance(theta, dict) else found[""]
