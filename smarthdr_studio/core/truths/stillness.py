"""Whether two exposures show the same light, and how many stops really lie between them."""

from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.radiance import GAMMA, Floats, Frame

Flags = npt.NDArray[np.bool_]
Plane = npt.NDArray[np.uint16]

APART: Final = 0.3  # stops, over a box; noise and rounding of still frames stay below

# log2 of linear radiance by camera value, and the camera values between which it is believed.
_LOG2: Final[Floats] = np.multiply(
    np.log2(np.maximum(np.arange(65536), 1) / 65535), GAMMA, dtype=np.float32
)
_DARKEST: Final = float(np.log2(0.08)) * GAMMA
_BRIGHTEST: Final = float(np.log2(0.92)) * GAMMA
_BOX: Final = 5
_LEAST_OVERLAP: Final = 1.0  # stops that both frames must see alike
_LEAST_SHARED: Final = 100  # pixels that are compared
_STEPS: Final = 16  # of brightness, in each of which the camera curve is measured
_MOST_SAMPLES: Final = 300_000


class Pair(NamedTuple):
    """Two frames compared; `stops` as measured, None where they hardly share a brightness.

    `apart` and `moved` are H×W, where they disagree: at all, and by more than a pixel's wobble of
    the camera explains.
    """

    stops: float | None
    apart: Flags
    moved: Flags


def compare(shorter: Frame, longer: Frame, *, stops: float) -> Pair:
    """Two frames of one size, `stops` apart as the exposures say.

    Both are brought to the exposure of the longer and clipped, channel by channel, to what both
    can hold. What they differ by as a function of brightness alone is the camera's curve or a
    wrong exposure; what else they differ by, averaged over 5×5 pixels, is a disagreement. It has
    moved where none of the eight neighbours explains it either.
    """
    held = _DARKEST + stops, _BRIGHTEST
    if held[1] - held[0] < _LEAST_OVERLAP:
        nothing = np.zeros(shorter.shape[:2], bool)
        return Pair(None, nothing, nothing)
    light = np.zeros(shorter.shape[:2], np.float32), np.zeros(shorter.shape[:2], np.float32)
    measured = []
    for channel in range(3):
        values, brighter = (np.ascontiguousarray(f[..., channel]) for f in (shorter, longer))
        lights, curve = _curve(values, brighter, stops=stops, held=held)
        measured.append(float(np.median(curve)) if len(curve) else None)
        table = _LOG2 + np.float32(stops)
        if len(curve):
            table = table + np.interp(table, lights, curve).astype(np.float32)
        for total, plane, known in ((light[0], values, table), (light[1], brighter, _LOG2)):
            total += cv2.LUT(plane, np.clip(known, *held)) / 3
    off = [each for each in measured if each is not None]
    return Pair(stops + sum(off) / len(off) if off else None, *_disagreements(*light))


def _curve(
    shorter: Plane, longer: Plane, *, stops: float, held: tuple[float, float]
) -> tuple[Floats, Floats]:
    """By how much the longer frame is brighter than it should be, at each of a few lights.

    Medians over pixels that both frames hold; empty where those are few.
    """
    every = max(1, -(-shorter.size // _MOST_SAMPLES))
    first, second = (_LOG2[plane.ravel()[::every]] for plane in (shorter, longer))
    first = first + np.float32(stops)
    shared = (np.minimum(first, second) > held[0]) & (np.maximum(first, second) < held[1])
    first, second = first[shared], second[shared]
    if len(first) < _LEAST_SHARED:
        return first[:0], first[:0]
    groups = np.array_split(np.argsort(first), _STEPS)
    lights = [np.median(first[group]) for group in groups]
    medians = [np.median(second[group] - first[group]) for group in groups]
    return np.array(lights, np.float32), np.array(medians, np.float32)


def _disagreements(first: Floats, second: Floats) -> tuple[Flags, Flags]:
    """Where two pictures in stops differ, and where not even a shift by a pixel explains it."""
    near = np.ones((3, 3), np.uint8)
    above = np.maximum(second - cv2.dilate(first, near), 0)
    below = np.maximum(cv2.erode(first, near) - second, 0)
    return _boxed(second - first), _boxed(above - below)


def _boxed(difference: Floats) -> Flags:
    boxed = cv2.blur(difference, (_BOX, _BOX), borderType=cv2.BORDER_REPLICATE)
    found: Flags = np.abs(boxed) > APART
    return found
