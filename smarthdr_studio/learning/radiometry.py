"""The radiometry of `core.imaging.radiometry` on tensors, so that gradients pass."""

import math
from typing import Final

import torch
from torch import Tensor

from smarthdr_studio.core.imaging.radiometry import GAMMA, MU

_DARK: Final = (1 / 255) ** GAMMA  # linear light


def mu_law(linear: Tensor, *, mu: float = MU) -> Tensor:
    """T(h) = log(1 + μh) / log(1 + μ) of linear radiance in [0, 1], any shape (METHOD §1)."""
    return torch.log1p(linear * mu) / math.log1p(mu)


def inverse_mu_law(compressed: Tensor, *, mu: float = MU) -> Tensor:
    """Linear radiance from μ-law values in [0, 1], any shape."""
    return torch.expm1(compressed * math.log1p(mu)) / mu


def unit_ldr(frame: Tensor) -> Tensor:
    """Camera values in [0, 1], same shape, float32: bytes ÷ 255, wider integers ÷ 65535.

    What is already floating point is taken to lie in [0, 1].
    """
    if frame.is_floating_point():
        return frame
    return frame.to(torch.float32) * (1.0 / (255 if frame.dtype == torch.uint8 else 65535))


def six_channels(frame: Tensor, *, stops: Tensor | float) -> Tensor:
    """What a network reads of one frame: linear radiance, then camera values (METHOD §1).

    Args:
        frame: B×3×H×W RGB, 8- or 16-bit values in an integer type, or camera values in [0, 1].
        stops: exposure above the shortest frame of its bracket, one number or one per item.

    Returns:
        B×6×H×W: L^2.2 / 2^stops, then L.
    """
    ldr = unit_ldr(frame)
    gain = torch.exp2(-torch.as_tensor(stops, dtype=ldr.dtype, device=ldr.device))
    return torch.cat([ldr.pow(GAMMA) * gain.reshape(-1, 1, 1, 1), ldr], dim=1)


def exposed(radiance: Tensor, *, stops: Tensor) -> Tensor:
    """Camera values in [0, 1] of B×3×H×W linear radiance as a frame of so many stops, B of them.

    clip(h · 2^stops)^(1/2.2); below 1/255 a straight line to 0, where the slope would have no end.
    Black has the slope of that line: clamp gives 0 there from torch 2.15 on, and black would stay.
    """
    light = radiance * torch.exp2(stops.to(radiance.dtype)).reshape(-1, 1, 1, 1)
    light = torch.where(light < 0, 0, light).clamp(max=1)
    dark = light * (_DARK ** (1 / GAMMA) / _DARK)
    return torch.where(light < _DARK, dark, light.clamp(min=_DARK).pow(1 / GAMMA))


def merge_weights(reference_ldr: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """How much under, reference and over count, from the reference's camera values l in [0, 1].

    `core.imaging.radiometry.merge_weights` for tensors, of the same shape each: max(0, 2l − 1),
    1 − |2l − 1|, max(0, 1 − 2l).
    """
    signed = reference_ldr * 2 - 1
    under, over = signed.clamp(min=0), (-signed).clamp(min=0)
    return under, 1 - under - over, over


def merge(under: Tensor, reference: Tensor, over: Tensor) -> Tensor:
    """The exposure-weighted merge of three B×6×H×W frames: B×3×H×W linear radiance in [0, 1]."""
    weights = merge_weights(reference[:, 3:])
    first, second, third = (
        weight * frame[:, :3]
        for weight, frame in zip(weights, (under, reference, over), strict=True)
    )
    return first + second + third
