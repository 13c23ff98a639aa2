"""A torch module as an ONNX model, by torch's own exporter, with what it says of operators that ONNX lacks."""

import contextlib
import io
import logging
import re
import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from likely.errors import EngineError

_OPERATOR = re.compile(r"(aten[.:]+[\w.]+|torch[.:]ops[.\w]+)")


def module_to_onnx(module: nn.Module, sample: torch.Tensor, outputs: Sequence[str], opset: int) -> bytes:
    """A model from "x", float32 (n, ...), to the outputs of the module, by these names.

    Args:
        module: in evaluation mode, on the CPU.
        sample: two inputs or more, float32.
        outputs: their names.
        opset: the version of ONNX's operators.
    Raises:
        EngineError: if torch cannot export the module; it names the operator where torch does.
    """
    for name in ("torch.onnx", "torch.fx"):  # they tell of other packages, and of what is raised anyway
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        quietly = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
        with torch.no_grad(), warnings.catch_warnings(), quietly[0], quietly[1]:
            warnings.simplefilter("ignore")
            program: Any = torch.onnx.export(
                module,
                (sample,),
                input_names=["x"],
                output_names=list(outputs),
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
