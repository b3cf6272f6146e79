"""AHDRNet, attention before dilated dense blocks (CVPR 2019): what most later networks build on."""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from smarthdr_studio.learning.networks.fusion_network import FusedFeatures

FEATURES: Final = 64
GROWTH: Final = 32
DENSE_LAYERS: Final = 6
BLOCKS: Final = 3


class DilatedLayer(nn.Module):
    """A 3×3 convolution of dilation 2, ReLU, and what it read beside what it answers."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, GROWTH, 3, padding=2, dilation=2)

    def forward(self, features: Tensor) -> Tensor:
        """B×C×H×W in, B×(C + 32)×H×W out."""
        return torch.cat([features, functional.relu(self.conv(features))], dim=1)


class DilatedDenseBlock(nn.Module):
    """Six dilated layers that each read all before them, brought back to 64 features and added."""

    def __init__(self) -> None:
        super().__init__()
        grown = [FEATURES + number * GROWTH for number in range(DENSE_LAYERS + 1)]
        self.dense_layers = nn.Sequential(*map(DilatedLayer, grown[:-1]))
        self.conv_1x1 = nn.Conv2d(grown[-1], FEATURES, 1)

    def forward(self, features: Tensor) -> Tensor:
        """B×64×H×W in and out."""
        deep: Tensor = self.conv_1x1(self.dense_layers(features))
        return features + deep


class Ahdrnet(nn.Module):
    """AHDRNet, 1,515,139 parameters; modules bear their published names.

    `attConv1` and `attConv3` stand in the published weights and are read by nothing: they are kept
    for the names' sake and never learn.
    """

    multiple: int = 8
    feature_count: int = FEATURES
    whole: bool = False

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(6, FEATURES, 3, padding=1)
        self.att11, self.att12 = _attention()
        self.attConv1 = nn.Conv2d(FEATURES, FEATURES, 3, padding=1).requires_grad_(
            requires_grad=False
        )
        self.att31, self.att32 = _attention()
        self.attConv3 = nn.Conv2d(FEATURES, FEATURES, 3, padding=1).requires_grad_(
            requires_grad=False
        )
        self.conv2 = nn.Conv2d(3 * FEATURES, FEATURES, 3, padding=1)
        self.RDB1, self.RDB2, self.RDB3 = (DilatedDenseBlock() for _ in range(BLOCKS))
        self.GFF_1x1 = nn.Conv2d(BLOCKS * FEATURES, FEATURES, 1)
        self.GFF_3x3 = nn.Conv2d(FEATURES, FEATURES, 3, padding=1)
        self.conv_up = nn.Conv2d(FEATURES, FEATURES, 3, padding=1)
        self.conv3 = nn.Conv2d(FEATURES, 3, 3, padding=1)

    def forward(self, under: Tensor, reference: Tensor, over: Tensor) -> FusedFeatures:
        """Fuse three B×6×H×W frames; the features are the attended ones, merged: B×64×H×W."""
        first, middle, third = (
            functional.leaky_relu(self.conv1(frame), 0.01) for frame in (under, reference, over)
        )
        first = first * self._attended(first, middle, self.att11, self.att12)
        third = third * self._attended(third, middle, self.att31, self.att32)
        merged = self.conv2(torch.cat([first, middle, third], dim=1))
        deep = [merged]
        for block in (self.RDB1, self.RDB2, self.RDB3):
            deep.append(block(deep[-1]))
        body = self.GFF_3x3(self.GFF_1x1(torch.cat(deep[1:], dim=1)))
        hdr = torch.sigmoid(self.conv3(self.conv_up(body + middle)).float())
        return FusedFeatures(hdr=hdr, features=merged)

    @staticmethod
    def _attended(features: Tensor, reference: Tensor, wide: nn.Conv2d, last: nn.Conv2d) -> Tensor:
        """The weight of each value of a frame's features, in [0, 1]."""
        both = torch.cat([features, reference], dim=1)
        return torch.sigmoid(last(functional.leaky_relu(wide(both), 0.01)))


def _attention() -> tuple[nn.Conv2d, nn.Conv2d]:
    return (
        nn.Conv2d(2 * FEATURES, 2 * FEATURES, 3, padding=1),
        nn.Conv2d(2 * FEATURES, FEATURES, 3, padding=1),
    )
