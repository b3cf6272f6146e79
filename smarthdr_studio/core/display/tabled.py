"""The formulas of radiance as look-ups, for pictures that are made while someone waits.

A 16-bit value has 65536 possible results; looking them up takes a tenth of the time.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np

from smarthdr_studio.core.bracket import Bracket, Half
from smarthdr_studio.core.display.strips import strips
from smarthdr_studio.core.radiance import (
    Floats,
    Frame,
    linear_radiance,
    merge_weights,
    mu_law,
    unit_ldr,
)


class Coded(NamedTuple):
    """A picture, H×W×3 of 16 bits, and the μ-law value that each of the 65536 codes stands for."""

    codes: Frame
    table: Floats


def coded_radiance(picture: Half) -> Coded:
    """Linear radiance in halves."""
    return Coded(np.ascontiguousarray(picture).view(np.uint16), _mu_table())


def coded_frame(frame: Frame, *, stops: float) -> Coded:
    """A camera frame, by the linear radiance it stands for."""
    return Coded(frame, _frame_mu_table(stops))


def tabled_merge(bracket: Bracket) -> Half:
    """What `exposure_weighted_merge` answers, H×W×3 linear, as halves."""
    every = unit_ldr(_every_code())
    weights = merge_weights(every)
    linear = [linear_radiance(every, stops=stops) for stops in bracket.stops]
    height, width = bracket.reference.shape[:2]
    merged = np.empty(bracket.reference.shape, np.float16)
    for rows in strips(height, width):
        total = np.zeros_like(merged[rows], np.float32)
        for weight, frame, radiance in zip(weights, bracket.frames, linear, strict=True):
            total += _looked_up(bracket.reference[rows], weight) * _looked_up(frame[rows], radiance)
        merged[rows] = total
    return merged


def tabled_radiance(frame: Frame, *, stops: float) -> Floats:
    """What `linear_radiance` answers for a camera frame, H×W×3."""
    return _looked_up(frame, linear_radiance(unit_ldr(_every_code()), stops=stops))


def tabled_difference(first: Coded, second: Coded) -> Floats:
    """|T − T| of two pictures of one size, channel mean, H×W."""
    height, width = first.codes.shape[:2]
    error = np.empty((height, width), np.float32)
    mean = np.full((1, 3), 1 / 3, np.float32)
    for rows in strips(height, width):
        here, there = (_looked_up(one.codes[rows], one.table) for one in (first, second))
        error[rows] = cv2.transform(cv2.absdiff(here, there), mean)
    return error


def tabled_error(picture: Half, truth: Half) -> Floats:
    """What `error_map` answers for halves, the absolute error: |T − T|, channel mean, H×W."""
    return tabled_difference(coded_radiance(picture), coded_radiance(truth))


def tabled_squares(picture: Half, truth: Half) -> Floats:
    """What `squared_error_map` answers for halves: (T − T)², channel mean, H×W.

    PSNR-μ averages it, and σ² is trained to be it.
    """
    first, second = coded_radiance(picture), coded_radiance(truth)
    height, width = picture.shape[:2]
    squares = np.empty((height, width), np.float32)
    mean = np.full((1, 3), 1 / 3, np.float32)
    for rows in strips(height, width):
        gap = _looked_up(first.codes[rows], first.table) - _looked_up(
            second.codes[rows], second.table
        )
        squares[rows] = cv2.transform(np.square(gap, out=gap), mean)
    return squares


def _every_code() -> Frame:
    return np.arange(65536, dtype=np.uint16)


@lru_cache(maxsize=1)
def _mu_table() -> Floats:
    halves = _every_code().view(np.float16).astype(np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        return mu_law(halves)


@lru_cache(maxsize=8)
def _frame_mu_table(stops: float) -> Floats:
    return mu_law(linear_radiance(unit_ldr(_every_code()), stops=stops))


def _looked_up(values: Frame, table: Floats) -> Floats:
    return _floats(cv2.LUT(np.ascontiguousarray(values), table))


def _floats(image: np.ndarray[Any, Any]) -> Floats:
    """OpenCV's answer, which is typed as any array."""
    return image.view(np.float32)
