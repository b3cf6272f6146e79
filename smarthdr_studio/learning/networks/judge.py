"""How sure a network is of every pixel, read from the features it merged."""

import math
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

SIGMA_MIN: Final = 1e-3
SIGMA_AT_START: Final = 0.05


class Judge(nn.Module):
    """Three 3×3 convolutions C→C→C→1, skips around the first two, σ through a sigmoid (METHOD §2).

    σ is in μ-law values. Untrained it is about 0.05 everywhere, the size of the error of a network
    that has just begun: from a plain zero bias (σ = 0.5) the likelihood would first spend hundreds
    of steps on shrinking σ, and from a tiny one 1/(2σ²) would drown every other loss.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(features, features, 3, padding=1)
        self.second = nn.Conv2d(features, features, 3, padding=1)
        self.last = nn.Conv2d(features, 1, 3, padding=1)
        # Small weights: at the start the bias alone decides, not the scale of a foreign backbone.
        nn.init.normal_(self.last.weight, std=0.1 / math.sqrt(9 * features))
        share = (SIGMA_AT_START - SIGMA_MIN) / (1 - SIGMA_MIN)
        nn.init.constant_(_bias(self.last), math.log(share / (1 - share)))

    def forward(self, features: Tensor) -> Tensor:
        """σ in [1e-3, 1], B×1×H×W float32, from B×C×H×W features."""
        features = features + functional.leaky_relu(self.first(features), 0.01)
        features = features + functional.leaky_relu(self.second(features), 0.01)
        # In bf16 σ near 1e-3 would come in steps of 1 %: the sigmoid is taken in float32.
        doubt = torch.sigmoid(self.last(features).float())
        return SIGMA_MIN + (1 - SIGMA_MIN) * doubt


def _bias(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias
