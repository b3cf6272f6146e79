"""SAFNet and SAFNet-S (ECCV 2024): flows and selection masks, then a merge that is refined."""

from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from smarthdr_studio.learning.networks.fusion_network import FusedFeatures
from smarthdr_studio.learning.radiometry import merge_weights

LEVELS: Final = 4
PYRAMID: Final = 40
DECODED: Final = 120
GROUPS: Final = 3
# Flows reach some tens of pixels; the refinement reads them in the size of its other inputs.
FLOW_UNIT: Final = 20.0
DILATIONS: Final = (1, 2, 4, 2, 1)


class Alignment(NamedTuple):
    """Where under and over are looked up for each pixel of the reference, and how far believed."""

    flow_under: Tensor
    """B×2×H×W pixels, right and down."""
    flow_over: Tensor
    mask_under: Tensor
    """B×1×H×W in [0, 1]."""
    mask_over: Tensor


class Encoder(nn.Module):
    """Four levels of features, each half the size of the one before, shared by all frames."""

    def __init__(self) -> None:
        super().__init__()
        self.pyramid1, self.pyramid2, self.pyramid3, self.pyramid4 = (
            nn.Sequential(_bent(read, PYRAMID, stride=2), _bent(PYRAMID, PYRAMID))
            for read in (6, *(PYRAMID,) * (LEVELS - 1))
        )

    def forward(self, frame: Tensor) -> list[Tensor]:
        """Features B×40×h×w of a B×6×H×W frame, from half its size down to a sixteenth."""
        levels = [frame]
        for level in (self.pyramid1, self.pyramid2, self.pyramid3, self.pyramid4):
            levels.append(level(levels[-1]))
        return levels[1:]


class Decoder(nn.Module):
    """What one level of the pyramid adds to the flows and masks; the same weights on all levels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _bent(3 * PYRAMID + 6, DECODED)
        self.conv2, self.conv3, self.conv4 = (
            _bent(DECODED, DECODED, groups=GROUPS) for _ in range(3)
        )
        self.conv5 = _bent(DECODED, DECODED)
        self.conv6 = nn.ConvTranspose2d(DECODED, 6, 4, stride=2, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Twice as large, B×6×2h×2w, of B×126×h×w: two flows and two masks before the sigmoid."""
        deep = self.conv1(features)
        for grouped in (self.conv2, self.conv3, self.conv4):
            deep = _shuffled(grouped(deep))
        answer: Tensor = self.conv6(self.conv5(deep))
        return answer


class ResidualBlock(nn.Module):
    """Two dilated convolutions and the input added, each followed by a PReLU."""

    def __init__(self, features: int, *, dilation: int) -> None:
        super().__init__()
        self.conv1 = _bent(features, features, dilation=dilation)
        self.conv2 = nn.Conv2d(features, features, 3, padding=dilation, dilation=dilation)
        self.prelu = nn.PReLU(features)

    def forward(self, features: Tensor) -> Tensor:
        """B×C×H×W in and out."""
        answer: Tensor = self.prelu(features + self.conv2(self.conv1(features)))
        return answer


class Refinement(nn.Module):
    """SAFNet's: frames are read before they are warped; five residual blocks of 80 features."""

    feature_count: int = 80

    def __init__(self) -> None:
        super().__init__()
        self.conv0 = nn.Sequential(_bent(6, 20), _bent(20, 20))
        self.conv1 = nn.Sequential(_bent(15, 40), _bent(40, 40))
        self.conv2 = nn.Sequential(_bent(6, 20), _bent(20, 20))
        (
            self.resblock1,
            self.resblock2,
            self.resblock3,
            self.resblock4,
            self.resblock5,
        ) = (ResidualBlock(self.feature_count, dilation=wide) for wide in DILATIONS)
        self.conv3 = nn.Conv2d(self.feature_count, 3, 3, padding=1)

    def forward(
        self, frames: tuple[Tensor, Tensor, Tensor], at: Alignment, merged: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The residual B×3×H×W of three B×6×H×W frames, and the features B×80×H×W it is read of."""
        under, reference, over = frames
        about = torch.cat([reference, *_readable(at), merged], dim=1)
        read = [
            warped(self.conv0(under), at.flow_under),
            self.conv1(about),
            warped(self.conv2(over), at.flow_over),
        ]
        features = torch.cat(read, dim=1)
        for block in (
            self.resblock1,
            self.resblock2,
            self.resblock3,
            self.resblock4,
            self.resblock5,
        ):
            features = block(features)
        return self.conv3(features), features


class SmallRefinement(nn.Module):
    """SAFNet-S's: the warped frames are read at once; six convolutions of 32 features."""

    feature_count: int = 32

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _bent(27, self.feature_count)
        self.conv2, self.conv3, self.conv4, self.conv5, self.conv6 = (
            _bent(self.feature_count, self.feature_count, dilation=wide) for wide in DILATIONS
        )
        self.conv7 = nn.Conv2d(self.feature_count, 3, 3, padding=1)

    def forward(
        self, frames: tuple[Tensor, Tensor, Tensor], at: Alignment, merged: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The residual B×3×H×W of three B×6×H×W frames, and the features B×32×H×W it is read of."""
        under, reference, over = frames
        read = [
            warped(under, at.flow_under),
            reference,
            warped(over, at.flow_over),
            *_readable(at),
            merged,
        ]
        features = torch.cat(read, dim=1)
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4, self.conv5, self.conv6):
            features = layer(features)
        return self.conv7(features), features


class Safnet(nn.Module):
    """SAFNet, 1,120,849 parameters, or with the small refinement SAFNet-S, 566,713.

    Modules bear their published names. Flows and masks are found at half the size, over a pyramid
    that looks some hundred pixels around: a tile would find others, so pictures are read whole. A
    picture whose sides are no multiples of 32 is padded, where the published code stretches it.
    """

    multiple: int = 2 * 2**LEVELS
    whole: bool = True

    def __init__(self, refinement: Refinement | SmallRefinement | None = None) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()
        self.refinenet = refinement or Refinement()
        self.feature_count = self.refinenet.feature_count

    def forward(self, under: Tensor, reference: Tensor, over: Tensor) -> FusedFeatures:
        """Fuse three B×6×H×W frames; the features are those the refinement ends with."""
        at = self.aligned(under, reference, over)
        merged = selective_merge(under, reference, over, at)
        residual, features = self.refinenet((under, reference, over), at, merged)
        return FusedFeatures(hdr=(merged + residual.float()).clamp(0, 1), features=features)

    def aligned(self, under: Tensor, reference: Tensor, over: Tensor) -> Alignment:
        """Flows and masks for three B×6×H×W frames, at their size."""
        pyramids = [
            self.encoder(functional.interpolate(frame, scale_factor=0.5, mode="bilinear"))
            for frame in (under, reference, over)
        ]
        found = torch.zeros_like(pyramids[1][-1][:, :6]).float()
        for first, middle, third in zip(*(reversed(levels) for levels in pyramids), strict=True):
            features = [
                warped(first, found[:, 0:2]),
                middle,
                warped(third, found[:, 2:4]),
                found,
            ]
            # Flows add up over the levels: in half the digits they would come in whole pixels.
            found = _enlarged(found) + self.decoder(torch.cat(features, dim=1)).float()
        found = _enlarged(found)
        masks = torch.sigmoid(found[:, 4:6])
        return Alignment(found[:, 0:2], found[:, 2:4], masks[:, 0:1], masks[:, 1:2])


def safnet_s() -> Safnet:
    """SAFNet-S: the same search for flows and masks, and a small refinement."""
    return Safnet(SmallRefinement())


def warped(picture: Tensor, flow: Tensor) -> Tensor:
    """B×C×H×W looked up where B×2×H×W points (pixels, right and down); the border goes on."""
    height, width = picture.shape[-2:]
    across = torch.arange(width, device=flow.device, dtype=flow.dtype) + flow[:, 0]
    down = torch.arange(height, device=flow.device, dtype=flow.dtype)[:, None] + flow[:, 1]
    # The deepest level of a small picture is a single pixel.
    last_x, last_y = max(width - 1, 1), max(height - 1, 1)
    grid = torch.stack([2 * across / last_x - 1, 2 * down / last_y - 1], dim=-1)
    return functional.grid_sample(
        picture.float(), grid, mode="bilinear", padding_mode="border", align_corners=True
    )


def selective_merge(under: Tensor, reference: Tensor, over: Tensor, at: Alignment) -> Tensor:
    """The merge B×3×H×W of warped radiance; what a mask does not believe goes to the reference.

    The frames are B×6×H×W each.
    """
    low, middle, high = merge_weights(reference[:, 3:])
    first, third = low * at.mask_under, high * at.mask_over
    second = middle + (low - first) + (high - third)
    together = (
        first * warped(under[:, :3], at.flow_under)
        + second * reference[:, :3]
        + third * warped(over[:, :3], at.flow_over)
    )
    return together / (first + second + third + 1e-9)


def _bent(
    channels: int, answered: int, *, stride: int = 1, dilation: int = 1, groups: int = 1
) -> nn.Sequential:
    """A 3×3 convolution and a PReLU with a slope for each channel."""
    layer = nn.Conv2d(
        channels, answered, 3, stride=stride, padding=dilation, dilation=dilation, groups=groups
    )
    return nn.Sequential(layer, nn.PReLU(answered))


def _shuffled(features: Tensor) -> Tensor:
    """Channels of B×C×H×W dealt out, so that each group hears all three groups next time."""
    return functional.channel_shuffle(features, GROUPS)


def _enlarged(found: Tensor) -> Tensor:
    """Flows (four channels, in pixels) and masks (two) at twice the size: B×6×2H×2W."""
    larger = functional.interpolate(found, scale_factor=2.0, mode="bilinear")
    return torch.cat([2 * larger[:, :4], larger[:, 4:]], dim=1)


def _readable(at: Alignment) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Flows and masks as the refinement reads them."""
    return at.flow_under / FLOW_UNIT, at.flow_over / FLOW_UNIT, at.mask_under, at.mask_over
