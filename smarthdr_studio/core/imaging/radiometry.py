"""From camera values to linear radiance, and on to the μ-law the eye and the loss use."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Frame = npt.NDArray[np.uint16]

MU = 5000.0
GAMMA = 2.2


def unit_ldr(frame: npt.NDArray[np.integer]) -> Floats:
    """Camera values in [0, 1], any shape; 8-bit divides by 255, 16-bit by 65535 (METHOD §1)."""
    unit: Floats = np.multiply(frame, 1.0 / np.iinfo(frame.dtype).max, dtype=np.float32)
    return unit


def linear_radiance(ldr: Floats, *, stops: float) -> Floats:
    """Linear radiance L^2.2 / 2^stops of camera values L in [0, 1], of the same shape.

    `stops` are those of the frame above the shortest.
    """
    return np.power(ldr, GAMMA, dtype=np.float32) * np.float32(2.0**-stops)


def mu_law(linear: npt.NDArray[np.floating], *, mu: float = MU) -> Floats:
    """T(h) = log(1 + μh) / log(1 + μ) of linear radiance in [0, 1], any shape."""
    compressed: Floats = np.log1p(linear * np.float32(mu), dtype=np.float32)
    return compressed / np.float32(np.log1p(mu))


def inverse_mu_law(compressed: npt.NDArray[np.floating], *, mu: float = MU) -> Floats:
    """Linear radiance from μ-law values in [0, 1], any shape."""
    scaled: Floats = np.expm1(compressed * np.float32(np.log1p(mu)), dtype=np.float32)
    return scaled / np.float32(mu)


def stops_above_shortest(evs: Sequence[float]) -> tuple[float, ...]:
    """Exposure values counted from the shortest frame, so the first is 0 (METHOD §1)."""
    shortest = min(evs)
    return tuple(ev - shortest for ev in evs)


def merge_weights(reference_ldr: Floats) -> tuple[Floats, Floats, Floats]:
    """How much under, reference and over count, from the reference's camera values l in [0, 1].

    under max(0, 2l − 1), reference 1 − |2l − 1|, over max(0, 1 − 2l), per channel and of
    the same shape: they add up to 1 (Kalantari 2017, also SAFNet 2024 with open masks).
    """
    signed = reference_ldr * 2 - 1
    under = np.maximum(signed, 0)
    over = np.maximum(-signed, 0)
    return under, 1 - under - over, over


def exposure_weighted_merge(frames: Sequence[Frame], *, stops: Sequence[float]) -> Floats:
    """The plain merge, H×W×3 linear in [0, 1]: no alignment, so what moves leaves a ghost."""
    ldr = [unit_ldr(frame) for frame in frames]
    merged = np.zeros_like(ldr[1])
    for weight, values, stop in zip(merge_weights(ldr[1]), ldr, stops, strict=True):
        merged += weight * linear_radiance(values, stops=stop)
    return merged
