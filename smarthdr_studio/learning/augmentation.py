"""One random augmentation per crop, and what the student's frames alone suffer beside it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from smarthdr_studio.core.imaging.radiometry import GAMMA
from smarthdr_studio.core.training.plan_sections import StudentPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """What happens to a crop: channels change places, then flips, then quarter turns (METHOD §5).

    The default leaves everything where it is.
    """

    channels: tuple[int, int, int] = (0, 1, 2)
    flip_horizontal: bool = False
    flip_vertical: bool = False
    quarter_turns: int = 0

    def of_colours(self, pixels: Tensor) -> Tensor:
        """Moves …×H×W×3 of any dtype: frames and labels."""
        if self.channels != (0, 1, 2):
            pixels = torch.stack([pixels[..., channel] for channel in self.channels], dim=-1)
        return self._moved(pixels, rows=-3, columns=-2)

    def of_values(self, values: Tensor) -> Tensor:
        """Moves …×H×W of any dtype: σ and masks."""
        return self._moved(values, rows=-2, columns=-1)

    def _moved(self, pixels: Tensor, *, rows: int, columns: int) -> Tensor:
        if self.flip_horizontal:
            pixels = pixels.flip(columns)
        if self.flip_vertical:
            pixels = pixels.flip(rows)
        if self.quarter_turns:
            pixels = torch.rot90(pixels, self.quarter_turns, (rows, columns))
        return pixels


def weak_augmentation(generator: torch.Generator) -> Augmentation:
    """A vertical flip and quarter turns: for labelled crops."""
    flipped, turns = _flip_and_turns(generator)
    return Augmentation(flip_vertical=flipped, quarter_turns=turns)


def strong_augmentation(generator: torch.Generator) -> Augmentation:
    """A shuffle of R, G and B, a horizontal flip and quarter turns: for unlabelled crops."""
    flipped, turns = _flip_and_turns(generator)
    red, green, blue = torch.randperm(3, generator=generator).tolist()
    return Augmentation(channels=(red, green, blue), flip_horizontal=flipped, quarter_turns=turns)


def _flip_and_turns(generator: torch.Generator) -> tuple[bool, int]:
    drawn = int(torch.randint(8, (), generator=generator))
    return bool(drawn % 2), drawn // 2


class Corruption(NamedTuple):
    """What the frames of one crop suffer; all of it follows from these few numbers."""

    gains: tuple[float, float, float]
    """How many times the radiance of R, G and B is raised, 1 or more; the label rises alike."""
    noise: float
    """Standard deviation of noise on camera values."""
    patch: tuple[int, int, int, int] | None
    """Top, bottom, left, right of a piece of another crop laid into under and over."""
    seed: int
    """Of the noise."""


def draw_corruption(plan: StudentPlan, *, crop: int, generator: torch.Generator) -> Corruption:
    """As much as the plan allows, drawn for a crop of so many pixels a side."""
    drawn: list[float] = torch.rand(10, generator=generator, dtype=torch.float64).tolist()
    common = plan.brighten * drawn[0]
    red, green, blue = (2.0 ** (common + plan.tint * each) for each in drawn[1:4])
    patch = None
    if drawn[4] < plan.swap:
        tall, wide = (max(1, round(crop * (0.15 + 0.6 * share))) for share in drawn[5:7])
        top, left = (
            math.floor(share * (crop - side + 1))
            for share, side in zip(drawn[7:9], (tall, wide), strict=True)
        )
        patch = (top, top + tall, left, left + wide)
    seed = int(torch.randint(2**62, (), generator=generator))
    return Corruption((red, green, blue), plan.noise * drawn[9], patch, seed)


def suffers(plan: StudentPlan) -> bool:
    """Whether the plan asks for anything at all."""
    return max(plan.noise, plan.swap, plan.brighten, plan.tint) > 0


def corrupted(
    frames: Sequence[Tensor], hdr: Tensor, *, stops: Tensor, suffered: Sequence[Corruption]
) -> tuple[list[Tensor], Tensor]:
    """Frames (three of B×6×H×W: radiance, camera values) and label B×3×H×W, both changed.

    In this order: the scene becomes brighter (frames and label clip at 1 as a sensor would); under
    and over get a piece of the crop before in the batch, which is not in the label; noise falls on
    the camera values, and not on the label. `stops`, B×3, is how much longer than the shortest
    each frame was exposed.
    """
    gains = _gains(hdr, suffered)
    changed = []
    for number, frame in enumerate(frames):
        longer = torch.exp2(stops[:, number].to(hdr.dtype)).reshape(-1, 1, 1, 1)
        radiance = torch.minimum(frame[:, :3] * gains, 1 / longer)
        if number != 1:
            radiance = _with_pieces(radiance, suffered, brightest=1 / longer)
        camera = (radiance * longer).clamp(0, 1).pow(1 / GAMMA)
        if any(each.noise for each in suffered):
            camera = _noisy(camera, suffered, number=number)
        changed.append(torch.cat([camera.pow(GAMMA) / longer, camera], dim=1))
    return changed, brightened(hdr, suffered)


def brightened(hdr: Tensor, suffered: Sequence[Corruption]) -> Tensor:
    """B×3×H×W radiance as the scene became brighter, clipped at 1."""
    return (hdr * _gains(hdr, suffered)).clamp(max=1)


def _gains(hdr: Tensor, suffered: Sequence[Corruption]) -> Tensor:
    return hdr.new_tensor([each.gains for each in suffered])[:, :, None, None]


def _with_pieces(radiance: Tensor, suffered: Sequence[Corruption], *, brightest: Tensor) -> Tensor:
    laid = radiance.clone()
    for place, each in enumerate(suffered):
        if each.patch is not None:
            top, bottom, left, right = each.patch
            piece = radiance[place - 1, :, top:bottom, left:right]
            laid[place, :, top:bottom, left:right] = torch.minimum(piece, brightest[place])
    return laid


def _noisy(camera: Tensor, suffered: Sequence[Corruption], *, number: int) -> Tensor:
    noise = torch.stack(
        [
            each.noise
            * torch.randn(
                camera.shape[1:], generator=torch.Generator().manual_seed(each.seed + number)
            )
            for each in suffered
        ]
    )
    return (camera + noise.to(camera.device)).clamp(0, 1)
