"""A module that torch cannot export is refused, by its operator; `make prove PART=doors` exports those that it can."""

from typing import Any

import pytest
import torch
from torch import nn

from likely import Classifier
from likely.errors import EngineError


class Unusual(nn.Module):
    def __init__(self, n: int) -> None:
        super().__init__()
        self.last = nn.Linear(64, n)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.special.i1(x.flatten(1)))


@pytest.mark.filterwarnings("ignore")
def test_an_operator_without_a_counterpart_is_named(digits: Any, exported: Any) -> None:
    X, y = digits
    unusual = Classifier(network=Unusual, epochs=1, random_state=0).fit(X[:60], y[:60]).predictor_
    with pytest.raises(EngineError, match=r"that torch can export to ONNX; got the operator \S*bessel_i1"):
        exported(unusual)
