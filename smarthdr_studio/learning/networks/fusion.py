"""What every network of the studio is: a backbone that fuses a bracket, and a judge beside it."""

from typing import NamedTuple, Protocol

from torch import Tensor, nn
from torch.nn import functional

from smarthdr_studio.learning.networks.judge import Judge


class Prediction(NamedTuple):
    """What a network answers for a bracket."""

    hdr: Tensor
    """B×3×H×W linear radiance in [0, 1], aligned to the reference frame."""
    sigma: Tensor
    """B×1×H×W uncertainty in μ-law values, in [σ_min, 1]."""


class Fused(NamedTuple):
    """What a backbone answers: the picture, and the features the judge looks at."""

    hdr: Tensor
    """B×3×H×W linear radiance in [0, 1]."""
    features: Tensor
    """B×C×H×W features at image resolution."""


class Backbone(Protocol):
    """A network that fuses three B×6×H×W frames whose H and W are multiples of `multiple`."""

    multiple: int
    feature_count: int

    def __call__(self, under: Tensor, reference: Tensor, over: Tensor) -> Fused:
        """Fuse the frames."""
        ...


class FusionNetwork(nn.Module):
    """A backbone and a judge, for brackets of any size.

    `multiple` is what height and width are padded to before the backbone; repeating the border
    (not mirroring it) also serves a frame smaller than the padding.
    """

    def __init__(self, backbone: Backbone, *, name: str) -> None:
        super().__init__()
        self.name = name
        self.multiple = backbone.multiple
        self.backbone = backbone
        self.judge = Judge(backbone.feature_count)

    def forward(self, under: Tensor, reference: Tensor, over: Tensor) -> Prediction:
        """Predict radiance and its uncertainty from three B×6×H×W frames (METHOD §1, §2)."""
        height, width = reference.shape[-2:]
        frames = [_padded(frame, multiple=self.multiple) for frame in (under, reference, over)]
        hdr, features = self.backbone(*frames)
        sigma = self.judge(features)
        return Prediction(hdr=hdr[..., :height, :width], sigma=sigma[..., :height, :width])


def _padded(frame: Tensor, *, multiple: int) -> Tensor:
    """The frame with its right and lower border repeated up to a multiple of `multiple`."""
    below, right = (-frame.shape[-2] % multiple, -frame.shape[-1] % multiple)
    if not below and not right:
        return frame
    return functional.pad(frame, (0, right, 0, below), mode="replicate")
