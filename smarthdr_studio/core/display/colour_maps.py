"""Colours for maps of one number per pixel, made so that lightness alone tells the order.

Every map is drawn by us in OKLab (Ottosson 2020) between a few anchors whose lightness rises
evenly, so it reads the same to colour-blind eyes and in a grey print.
"""

import math
from enum import StrEnum
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.display.tone import Rgb8, srgb_curve, strips
from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.core.trust.masking import Range

Doubles = npt.NDArray[np.float64]

ENTRIES = 256

_OKLAB_TO_CUBE_ROOTS = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_CONES_TO_LINEAR_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


class ColourMap(StrEnum):
    """The maps to choose from; the values are the words on the screen."""

    EMBER = "ember"
    TIDE = "tide"
    GREY = "grey"


class HeatScale(StrEnum):
    """How a value is spread over the colours."""

    LINEAR = "linear"
    LOG = "logarithmic"


# OKLab lightness, chroma and hue in degrees; lightness rises, so order survives any eye.
_ANCHORS = {
    ColourMap.EMBER: (
        (0.12, 0.02, 295.0),
        (0.32, 0.13, 305.0),
        (0.50, 0.20, 350.0),
        (0.66, 0.20, 32.0),
        (0.82, 0.15, 72.0),
        (0.97, 0.07, 102.0),
    ),
    ColourMap.TIDE: (
        (0.12, 0.03, 270.0),
        (0.34, 0.11, 262.0),
        (0.54, 0.11, 225.0),
        (0.74, 0.13, 172.0),
        (0.96, 0.10, 115.0),
    ),
    ColourMap.GREY: ((0.10, 0.0, 0.0), (0.98, 0.0, 0.0)),
}


@lru_cache
def colour_table(colour_map: ColourMap) -> Rgb8:
    """The map as 256×3 8-bit RGB, least value first; lightness rises by equal steps."""
    lightness, chroma, hue = np.array(_ANCHORS[colour_map]).T
    steps = np.linspace(lightness[0], lightness[-1], ENTRIES)
    across = chroma * np.cos(np.deg2rad(hue)), chroma * np.sin(np.deg2rad(hue))
    a, b = (np.interp(steps, lightness, axis) for axis in across)
    table = np.rint(srgb_curve(_inside_gamut(steps, a, b)) * 255).astype(np.uint8)
    table.flags.writeable = False
    return table


def sigma_rgb8(
    sigma: Floats,
    *,
    span: Range,
    colour_map: ColourMap = ColourMap.EMBER,
    scale: HeatScale = HeatScale.LINEAR,
) -> Rgb8:
    """A map of one number per pixel, H×W float32, as contiguous H×W×3 8-bit RGB.

    `span.low` takes the first colour and `span.high` the last; values beyond are held there.
    A constant map takes the first colour. NaN takes the last: what is unknown is not sure.
    """
    rgb8 = np.empty((*sigma.shape, 3), np.uint8)
    for rows in strips(*sigma.shape):
        codes = _codes(sigma[rows], span=span, scale=scale)
        rgb8[rows] = coloured(codes, colour_map)
    return rgb8


def coloured(codes: Rgb8, colour_map: ColourMap) -> Rgb8:
    """H×W codes, 0 to 255, as the colours of the map, H×W×3."""
    table = colour_table(colour_map).reshape(ENTRIES, 1, 3)
    return np.ascontiguousarray(cv2.applyColorMap(codes, table), dtype=np.uint8)


def colour_bar(colour_map: ColourMap, *, width: int, height: int) -> Rgb8:
    """The map as a bar, height×width×3, the highest value on top."""
    rows = np.rint(np.linspace(ENTRIES - 1, 0, height)).astype(np.intp)
    return np.repeat(colour_table(colour_map)[rows][:, None], width, axis=1)


def lowest_shown(span: Range, scale: HeatScale) -> float:
    """The value at and below which everything takes the first colour: a logarithm has no 0."""
    return span.low if scale is HeatScale.LINEAR else max(span.low, span.high * 1e-4, 1e-30)


def _codes(sigma: Floats, *, span: Range, scale: HeatScale) -> Rgb8:
    """Which of the 256 colours each value takes."""
    values, low, high = sigma, span.low, span.high
    if scale is HeatScale.LOG:
        floor = lowest_shown(span, scale)
        values = np.log(np.maximum(sigma, np.float32(floor)))
        low, high = math.log(floor), math.log(max(high, floor))
    if not high > low:
        flat = np.zeros(sigma.shape, np.uint8)
        flat[np.isnan(sigma)] = ENTRIES - 1
        return flat
    unit: Floats = values - np.float32(low)
    unit *= np.float32((ENTRIES - 1) / (high - low))
    # fmin takes the number when the other is NaN, so NaN ends at the last colour.
    np.maximum(np.fmin(unit, ENTRIES - 1, out=unit), 0, out=unit)
    return np.ascontiguousarray(cv2.convertScaleAbs(unit), dtype=np.uint8)


def _inside_gamut(lightness: Doubles, a: Doubles, b: Doubles) -> Floats:
    """Linear sRGB of OKLab colours; chroma gives way where the screen cannot follow."""
    rgb = np.zeros((len(lightness), 3))
    found = np.zeros(len(lightness), bool)
    for keep in np.linspace(1, 0, 101):
        candidate = _linear_rgb(lightness, a * keep, b * keep)
        fits = ~found & (candidate.min(1) >= -1e-6) & (candidate.max(1) <= 1 + 1e-6)
        rgb[fits] = candidate[fits]
        found |= fits
        if found.all():
            break
    return np.clip(rgb, 0, 1).astype(np.float32)


def _linear_rgb(lightness: Doubles, a: Doubles, b: Doubles) -> Doubles:
    cones = (np.stack((lightness, a, b), 1) @ _OKLAB_TO_CUBE_ROOTS.T) ** 3
    rgb: Doubles = cones @ _CONES_TO_LINEAR_RGB.T
    return rgb
