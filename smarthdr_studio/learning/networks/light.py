"""Light, a small network of GFHDR's family that trains on a CPU in minutes."""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from smarthdr_studio.learning.networks.fusion_network import FusedFeatures, repeat_borders
from smarthdr_studio.learning.networks.transformer import (
    WINDOW,
    ContextAwareGroup,
    SpatialAttention,
    initialise_linear_layers,
)
from smarthdr_studio.learning.radiometry import inverse_mu_law, merge_weights, mu_law

HALVED: Final = 2
FRAME_FEATURES: Final = 16
FEATURES: Final = 32
HEADS: Final = 2
BLOCKS: Final = 2
# The merge gives some frames no weight at all; with this to spare a gain can still choose them.
SPARE: Final = 0.01
# How far the weight of a frame can be moved: up and down by e^8, from no say to all of it.
LEVER: Final = 8.0


class Light(nn.Module):
    """GFHDR's plan at half the resolution, answering a correction to the exposure-weighted merge.

    As in GFHDR, spatial attention weighs under and over against the reference, and a group of
    context-aware blocks (one group of two, 32 features, 2 heads) looks around. Three things differ.
    Frames are read as T(H) beside L, so that the same radiance gives the same number in all three
    and motion is a difference. Pictures are folded 2×2 into channels, a quarter of the positions.
    And the answer is not drawn from nothing: per pixel the network shifts the weights of the merge
    between the frames (a ghost goes by trusting the reference alone) and adds a small correction in
    μ-law values (cf. SAFNet, ECCV 2024). It begins
    close to the plain merge.
    """

    multiple: int = HALVED * WINDOW
    feature_count: int = FEATURES // HALVED**2
    whole: bool = False

    def __init__(self) -> None:
        super().__init__()
        folded = 6 * HALVED**2
        self.read_under = nn.Conv2d(folded, FRAME_FEATURES, 3, padding=1)
        self.read_reference = nn.Conv2d(folded, FRAME_FEATURES, 3, padding=1)
        self.read_over = nn.Conv2d(folded, FRAME_FEATURES, 3, padding=1)
        self.weigh_under = SpatialAttention(FRAME_FEATURES)
        self.weigh_over = SpatialAttention(FRAME_FEATURES)
        self.merge_features = nn.Conv2d(3 * FRAME_FEATURES, FEATURES, 3, padding=1)
        self.context = ContextAwareGroup(FEATURES, heads=HEADS, drops=(0.0,) * BLOCKS)
        self.answer = nn.Conv2d(FEATURES, 6 * HALVED**2, 3, padding=1)
        repeat_borders(self)
        initialise_linear_layers(self)
        nn.init.normal_(self.answer.weight, std=0.003)
        nn.init.zeros_(self.answer.bias)  # type: ignore[arg-type]

    def forward(self, under: Tensor, reference: Tensor, over: Tensor) -> FusedFeatures:
        """Fuse three B×6×H×W frames; the features are the merged ones, unfolded: B×8×H×W."""
        frames = (under, reference, over)
        readers = (self.read_under, self.read_reference, self.read_over)
        first, middle, third = (
            functional.leaky_relu(read(_folded(frame)), 0.01)
            for read, frame in zip(readers, frames, strict=True)
        )
        attended = [self.weigh_under(first, middle), middle, self.weigh_over(third, middle)]
        merged = self.merge_features(torch.cat(attended, dim=1))
        deep = self.context(merged.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        shift, residual = functional.pixel_shuffle(self.answer(deep).float(), HALVED).chunk(
            2, dim=1
        )
        hdr = _corrected_merge(frames, shift=shift, residual=residual)
        return FusedFeatures(hdr=hdr, features=functional.pixel_shuffle(merged, HALVED))


def _folded(frame: Tensor) -> Tensor:
    """T(H) and L of a B×6×H×W frame, each 2×2 pixels in the channels of one position."""
    read = torch.cat([mu_law(frame[:, :3]), frame[:, 3:]], dim=1)
    return functional.pixel_unshuffle(read, HALVED)


def _corrected_merge(frames: Sequence[Tensor], *, shift: Tensor, residual: Tensor) -> Tensor:
    """The merge with its weights shifted per frame and its μ-law values corrected; linear."""
    gains = torch.exp(LEVER * shift.clamp(-1, 1)).chunk(3, dim=1)
    first, second, third = (
        (weight + SPARE) * gain
        for weight, gain in zip(merge_weights(frames[1][:, 3:]), gains, strict=True)
    )
    under, reference, over = (frame[:, :3] for frame in frames)
    chosen = first * under + second * reference + third * over
    corrected = mu_law(chosen / (first + second + third)) + residual
    # A clamp stops the gradient of what it cuts off, and such a pixel could never come back. The
    # values are cut, the gradient is not.
    inside = corrected + (corrected.clamp(0, 1) - corrected).detach()
    return inverse_mu_law(inside)
