"""A camera: lens glare, exposure, shot and read noise, 16-bit gamma-coded frames."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from smarthdr_studio.core.radiance import GAMMA, Floats, Frame
from smarthdr_studio.core.sample.resample import blurred, resized, smeared


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """Noise of a sensor whose white is 1: electrons at white, and read noise in electrons."""

    full_well: float = 9000.0
    read_noise: float = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone:
    """Radiance to sensor: a scale, and a contrast about the radiance that clips the over frame."""

    scale: float
    contrast: float
    pivot: float

    def applied(self, radiance: Floats) -> Floats:
        """Scaled radiance, H×W×3; hues stay, as the contrast acts on the brightest channel."""
        scaled = radiance * np.float32(self.scale)
        if self.contrast == 1:
            return scaled
        bright = np.maximum(scaled.max(axis=2, keepdims=True), np.float32(1e-7))
        gain = np.power(bright / np.float32(self.pivot), np.float32(self.contrast - 1))
        return np.asarray(scaled * gain, np.float32)


def tone_of(
    reference: Floats, *, stops: Sequence[float], bend: Literal["contrast", "none"]
) -> Tone:
    """The tone that clips about a fifth of the over frame and a twentieth of the reference.

    With `bend="none"` the scale alone has to serve both: the geometric middle of the two wishes.
    """
    bright = reference.max(axis=2)
    dark, at_over, at_reference, top = (
        max(float(q), 1e-9) for q in np.quantile(bright, (1e-4, 0.80, 0.955, 0.9999))
    )
    clip_over, clip_reference = 2.0 ** -stops[2], 2.0 ** -stops[1]
    contrast = 1.0
    if bend == "contrast":
        span = max(float(np.log2(at_reference / at_over)), 0.3)
        range_ = max(float(np.log2(top / dark)), 4.0)
        contrast = float(np.clip(max((stops[2] - stops[1]) / span, 13.8 / range_), 0.85, 1.6))
    wishes = (
        clip_over ** (1 / contrast) / at_over,
        clip_reference ** (1 / contrast) / at_reference,
    )
    # s·q raised to the contrast about the pivot: s = pivot^(1 − 1/c) · clip^(1/c) / q.
    scale = clip_over ** (1 - 1 / contrast) * float(np.sqrt(wishes[0] * wishes[1]))
    return Tone(scale=scale, contrast=contrast, pivot=clip_over)


def through_lens(radiance: Floats) -> Floats:
    """Scaled radiance (1 clips the under frame) with the glare of bright spots, still linear."""
    height, width = radiance.shape[:2]
    quarter = (max(1, width // 4), max(1, height // 4))
    small = resized(np.minimum(radiance, 4), quarter, kind=cv2.INTER_AREA)
    veil = smeared(smeared(small, (61, 61)), (61, 61))
    glare = 0.009 * blurred(small, 2.5) + 0.005 * blurred(small, 9) + 0.001 * veil
    spread = resized(glare, (width, height), kind=cv2.INTER_CUBIC)
    return np.asarray(np.maximum(radiance * np.float32(0.985) + spread, 0), np.float32)


def exposed(radiance: Floats, *, stops: float, sensor: Sensor, rng: np.random.Generator) -> Frame:
    """One frame: clip(X·2^stops + noise, 0, 1)^(1/2.2) in 16 bits (METHOD §1), H×W×3 RGB.

    Shot noise is the Gaussian limit of Poisson: variance signal / full well (white = 1).
    """
    signal = radiance * np.float32(2.0**stops)
    variance = np.minimum(signal, 1) / np.float32(sensor.full_well)
    variance += np.float32((sensor.read_noise / sensor.full_well) ** 2)
    signal += np.sqrt(variance) * rng.standard_normal(signal.shape, dtype=np.float32)
    coded = np.power(np.clip(signal, 0, 1), np.float32(1 / GAMMA))
    return np.asarray(np.round(coded * np.float32(65535)), np.uint16)
