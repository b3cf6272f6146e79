"""What every network of the studio is: a backbone that fuses a bracket, and a head for its σ."""

import math
from typing import Final, NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

SIGMA_MIN: Final = 1e-3
SIGMA_AT_START: Final = 0.05


class UncertaintyHead(nn.Module):
    """Three 3×3 convolutions C→C→C→1, skips around the first two, σ through a sigmoid (METHOD §2).

    σ is in μ-law values. Untrained it is about 0.05 everywhere, the size of the error of a network
    that has just begun: from a plain zero bias (σ = 0.5) the likelihood would first spend hundreds
    of steps on shrinking σ, and from a tiny one 1/(2σ²) would drown every other loss. Beyond the
    border it reads the border: of zeros it would learn to doubt the outermost pixels.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(features, features, 3, padding=1)
        self.second = nn.Conv2d(features, features, 3, padding=1)
        self.last = nn.Conv2d(features, 1, 3, padding=1)
        # Small weights: at the start the bias alone decides, not the scale of a foreign backbone.
        nn.init.normal_(self.last.weight, std=0.1 / math.sqrt(9 * features))
        repeat_borders(self)
        share = (SIGMA_AT_START - SIGMA_MIN) / (1 - SIGMA_MIN)
        nn.init.constant_(_initial_bias(self.last), math.log(share / (1 - share)))

    def forward(self, features: Tensor) -> Tensor:
        """σ in [1e-3, 1], B×1×H×W float32, from B×C×H×W features."""
        features = features + functional.leaky_relu(self.first(features), 0.01)
        features = features + functional.leaky_relu(self.second(features), 0.01)
        # In bf16 σ near 1e-3 would come in steps of 1 %: the sigmoid is taken in float32.
        doubt = torch.sigmoid(self.last(features).float())
        return SIGMA_MIN + (1 - SIGMA_MIN) * doubt


def repeat_borders(network: nn.Module) -> None:
    """Let every convolution read the border again beyond it, not zeros; weights stay what they are.

    A border of zeros is a bright or dark frame that no picture has: features at it are unlike all
    others, and a head that reads them calls the outermost pixels uncertain where they are not.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.padding_mode = "replicate"


def _initial_bias(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias


class Prediction(NamedTuple):
    """What a network answers for a bracket."""

    hdr: Tensor
    """B×3×H×W linear radiance in [0, 1], aligned to the reference frame."""
    sigma: Tensor
    """B×1×H×W uncertainty in μ-law values, in [σ_min, 1]."""


class FusedFeatures(NamedTuple):
    """What a backbone answers: the picture, and the features the uncertainty head reads."""

    hdr: Tensor
    """B×3×H×W linear radiance in [0, 1]."""
    features: Tensor
    """B×C×H×W features at image resolution."""


class Backbone(Protocol):
    """A network that fuses three B×6×H×W frames whose H and W are multiples of `multiple`.

    With `whole` it looks so far around that a tile would get another answer than the picture.
    """

    multiple: int
    feature_count: int
    whole: bool

    def __call__(self, under: Tensor, reference: Tensor, over: Tensor) -> FusedFeatures:
        """Fuse the frames."""
        ...


class FusionNetwork(nn.Module):
    """A backbone and an uncertainty head, for brackets of any size.

    `multiple` is what height and width are padded to before the backbone; repeating the border
    (not mirroring it) also serves a frame smaller than the padding. With `whole` a picture is not
    cut into tiles. Unless `judge_teaches_backbone`, what σ learns ends at the features it reads.
    """

    def __init__(self, backbone: Backbone, *, name: str) -> None:
        super().__init__()
        self.name = name
        self.multiple = backbone.multiple
        self.whole = backbone.whole
        self.backbone = backbone
        self.judge = UncertaintyHead(backbone.feature_count)
        self.judge_teaches_backbone = True

    def forward(self, under: Tensor, reference: Tensor, over: Tensor) -> Prediction:
        """Predict radiance and its uncertainty from three B×6×H×W frames (METHOD §1, §2)."""
        height, width = reference.shape[-2:]
        frames = [_padded(frame, multiple=self.multiple) for frame in (under, reference, over)]
        hdr, features = self.backbone(*frames)
        sigma = self.judge(features if self.judge_teaches_backbone else features.detach())
        return Prediction(hdr=hdr[..., :height, :width], sigma=sigma[..., :height, :width])


def _padded(frame: Tensor, *, multiple: int) -> Tensor:
    """The frame with its right and lower border repeated up to a multiple of `multiple`."""
    below, right = (-frame.shape[-2] % multiple, -frame.shape[-1] % multiple)
    if not below and not right:
        return frame
    return functional.pad(frame, (0, right, 0, below), mode="replicate")
