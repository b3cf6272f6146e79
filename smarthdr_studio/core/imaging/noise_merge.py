"""A plain merge of any number of exposures, each counted by how well it knows the light."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np

from smarthdr_studio.core.imaging.alignment import FULL_WELL, READ_NOISE
from smarthdr_studio.core.imaging.radiometry import Floats, Frame, linear_radiance, unit_ldr

# Camera values between which a frame begins to count, and between which it ceases to.
_RISES: Final = (0.02, 0.08)
_FALLS: Final = (0.9, 0.98)
_LEAST_WEIGHT: Final = 1e-12  # so that what no frame knows well is told by the shortest


class Weighed(NamedTuple):
    """One frame's part in a merge, both H×W×3: its weight, and its weight times its light."""

    weight: Floats
    light: Floats


def weighed(frame: Frame, *, stops: float, shortest: bool, longest: bool) -> Weighed:
    """An H×W×3 uint16 frame `stops` above the shortest, by the inverse variance of its radiance.

    Shot and read noise are those of a plain camera. The shortest frame never ceases to count as it
    clips, and the longest never as it darkens.
    """
    values = unit_ldr(np.arange(65536, dtype=np.uint16))
    light = linear_radiance(values, stops=0)
    variance = (light / FULL_WELL + (READ_NOISE / FULL_WELL) ** 2) * 4.0**-stops
    weight = 1 / variance
    if not longest:
        weight *= np.interp(values, _RISES, (0, 1))
    if not shortest:
        weight *= np.interp(values, _FALLS, (1, 0))
    weight = (weight / FULL_WELL + _LEAST_WEIGHT * shortest).astype(np.float32)
    lights = weight * linear_radiance(values, stops=stops)
    return Weighed(cv2.LUT(frame, weight).view(np.float32), cv2.LUT(frame, lights).view(np.float32))


def merge_by_noise(frames: Sequence[Frame], *, stops: Sequence[float]) -> Floats:
    """H×W×3 linear radiance, 1 where the shortest clips, of frames by rising exposure.

    No alignment, so what moves leaves a ghost.
    """
    total = np.zeros(frames[0].shape, np.float32)
    weight = np.zeros(frames[0].shape, np.float32)
    for index, (frame, stop) in enumerate(zip(frames, stops, strict=True)):
        part = weighed(frame, stops=stop, shortest=index == 0, longest=index == len(frames) - 1)
        total += part.light
        weight += part.weight
    total /= weight
    return total
