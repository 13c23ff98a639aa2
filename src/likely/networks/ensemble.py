"""Several networks of one kind, trained apart, whose mean answers: a deep ensemble as one module.

    P(label | x) = 1/M sum_m softmax(z_m(x))         as scores: log P
    f(x)         = 1/M sum_m z_m(x)                  for numbers

Reference: Lakshminarayanan, Pritzel and Blundell (2017), Simple and scalable predictive uncertainty estimation using
deep ensembles, arXiv 1612.01474.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import torch
from torch import nn

Mean = Literal["probabilities", "numbers"]
"""What is averaged: the probabilities of labels, or scores that are numbers."""


class EnsembleModule(nn.Module):
    """Members with `scores_and_features`, and the mean of their answers as scores.

    Its features are those of all members: first what lies before the last feature map of each, then these maps.

    Args:
        members: modules of one kind, each with `channels`, the number of features before its last map.
        mean: what is averaged.
    """

    def __init__(self, members: Iterable[nn.Module], mean: Mean = "probabilities") -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.mean: Mean = mean
        each: Any = self.members
        self.channels: int = sum(member.channels for member in each)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (n, k)."""
        return mean_scores([member(x) for member in self.members], self.mean)

    def scores_and_features(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores (n, k) and features (n, m)."""
        each: Any = self.members
        return joined([member.scores_and_features(x) for member in each], self.mean, self.channels)


def joined(
    answers: Sequence[tuple[torch.Tensor, torch.Tensor]], mean: Mean, channels: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean of members' scores, and their features, `channels` of which lie before the maps."""
    own = channels // len(answers)
    parts = [features[:, :own] for _, features in answers] + [features[:, own:] for _, features in answers]
    return mean_scores([scores for scores, _ in answers], mean), torch.cat(parts, dim=1)


def mean_scores(scores: Sequence[torch.Tensor], mean: Mean) -> torch.Tensor:
    """The scores (n, k) that answer with the mean of what the scores of each member answer with.

    Example:
        >>> one, other = torch.tensor([[0.0, 0.0]]), torch.log(torch.tensor([[0.9, 0.1]]))
        >>> mean_scores([one, other], "probabilities").exp()
        tensor([[0.7000, 0.3000]])
    """
    stacked = torch.stack(list(scores))
    if mean == "numbers":
        return stacked.mean(dim=0)
    return stacked.log_softmax(dim=2).logsumexp(dim=0) - math.log(len(stacked))
