"""A custom module, with its features, as an ONNX model: for networks of a factory, which only torch knows."""

from typing import Any

import torch
from torch import nn

from likely.engines.by_torch.features import LastInput, narrow
from likely.networks.module_to_onnx import module_to_onnx


def onnx_module(module: nn.Module, last_input: LastInput | None, sample: torch.Tensor, opset: int) -> bytes:
    """A model from "x", float32 (n, ...), to "scores" (n, k) and "features" (n, m); errors as `module_to_onnx`.

    Args:
        module: in evaluation mode.
        last_input: what finds its features, if the module does not offer any.
        sample: two inputs or more.
        opset: the version of ONNX's operators.
    """
    asked = _WithFeatures(module, last_input).to("cpu", torch.float32).eval()
    return module_to_onnx(asked, sample.to("cpu", torch.float32), ["scores", "features"], opset)


class _WithFeatures(nn.Module):
    def __init__(self, module: nn.Module, last_input: LastInput | None) -> None:
        super().__init__()
        self.module, self._last_input = module, last_input

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        module: Any = self.module
        if hasattr(module, "scores_and_features"):
            return module.scores_and_features(x)
        scores = module(x)
        seen = None if self._last_input is None else self._last_input.seen()
        # The number of rows is not asked about: that would fix it in the graph.
        return scores, scores if seen is None or seen.ndim < 2 else narrow(seen)
