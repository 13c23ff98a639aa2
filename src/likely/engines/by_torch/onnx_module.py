"""A torch module as an ONNX model, by torch's own exporter: for networks of a factory, which only torch knows."""

import contextlib
import io
import logging
import re
import warnings
from typing import Any

import torch
from torch import nn

from likely.engines.by_torch.features import LastInput, narrow
from likely.errors import EngineError

_OPERATOR = re.compile(r"(aten[.:]+[\w.]+|torch[.:]ops[.\w]+)")


def onnx_module(module: nn.Module, last_input: LastInput | None, sample: torch.Tensor, opset: int) -> bytes:
    """A model from "x", float32 (n, ...), to "scores" (n, k) and "features" (n, m).

    Args:
        module: in evaluation mode.
        last_input: what finds its features, if the module does not offer any.
        sample: two inputs or more.
        opset: the version of ONNX's operators.
    Raises:
        EngineError: if torch cannot export the module; it names the operator where torch does.
    """
    asked = _WithFeatures(module, last_input).to("cpu", torch.float32).eval()
    sample = sample.to("cpu", torch.float32)
    for name in ("torch.onnx", "torch.fx"):  # they tell of other packages, and of what is raised anyway
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        quietly = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
        with torch.no_grad(), warnings.catch_warnings(), quietly[0], quietly[1]:
            warnings.simplefilter("ignore")
            program: Any = torch.onnx.export(
                asked,
                (sample,),
                input_names=["x"],
                output_names=["scores", "features"],
                dynamic_shapes=({0: torch.export.Dim("n")},),
                opset_version=opset,
                dynamo=True,
                verbose=False,
            )
            return program.model_proto.SerializeToString()
    except Exception as error:
        raise EngineError(
            f"The network must be one that torch can export to ONNX; got {why(error)}. Try common layers in its place."
        ) from error


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


def why(error: BaseException) -> str:
    """The operator that has no counterpart, or what torch says first."""
    reasons = list[str]()
    at: BaseException | None = error
    while at is not None:
        reasons.append(str(at))
        at = at.__cause__ or at.__context__
    for reason in reversed(reasons):
        if found := _OPERATOR.search(reason):
            return f"the operator {found[1]}"
    lines = [line for line in reasons[-1].splitlines() if line.strip()] or [type(error).__name__]
    return f"{type(error).__name__}: {lines[0]}"
