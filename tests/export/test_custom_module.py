"""The module of a factory goes through torch's own exporter; one that it cannot export is refused with the operator."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from likely import Classifier
from likely.errors import EngineError


def convolution(n: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(), nn.Linear(144, n)
    )


class Unusual(nn.Module):
    def __init__(self, n: int) -> None:
        super().__init__()
        self.last = nn.Linear(64, n)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.special.i1(x.flatten(1)))


@pytest.mark.filterwarnings("ignore")
def test_modules_of_a_factory(digits: Any, exported: Any) -> None:
    X, y = digits
    settings: Any = {"epochs": 1, "random_state": 0}
    predictor = Classifier(network=convolution, **settings).fit(X[:200], y[:200]).predictor_
    answers = exported(predictor)({"images": X})
    examined = predictor.examine(X)
    np.testing.assert_allclose(answers["probabilities"], np.exp(examined.log_probs), atol=1e-5)
    np.testing.assert_allclose(answers["familiarity"], examined.familiarity, atol=0.02)
    unusual = Classifier(network=Unusual, **settings).fit(X[:60], y[:60]).predictor_
    with pytest.raises(EngineError, match=r"that torch can export to ONNX; got the operator \S*bessel_i1"):
        exported(unusual)
