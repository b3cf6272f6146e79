"""Colours with patterns for areas of a picture, so that no area is told by its hue alone."""

from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.display.tone import Rgb8
from smarthdr_studio.core.reasons import Reason

Mask = npt.NDArray[np.bool_]
Pattern = Literal[
    "even", "rising", "falling", "vertical", "horizontal", "dots", "grid", "checks", "rings"
]

_LEAST_PERIOD = 12  # pixels of the picture
_PERIODS_ACROSS = 72


class Hatch(NamedTuple):
    """Colour in 8-bit RGB, its pattern, and what lies between: the picture in shade, or plain."""

    colour: tuple[int, int, int]
    pattern: Pattern
    ground: Literal["shade", "picture"] = "shade"


class Area(NamedTuple):
    """Where a hatch lies, H×W."""

    mask: Mask
    hatch: Hatch


PATCH_HATCH = Hatch((255, 96, 80), "rising")
PIXEL_HATCH = Hatch((255, 190, 60), "falling")
SHUT = Hatch((92, 40, 32), "even")
DISTRUST_HATCH = Hatch((190, 130, 255), "grid")
TRUST_HATCH = Hatch((70, 225, 190), "dots", "picture")
HIGHLIGHT_HATCH = Hatch((16, 16, 16), "rising", "picture")
SHADOW_HATCH = Hatch((80, 140, 255), "horizontal", "picture")

REASON_HATCHES = {
    Reason.SATURATED: Hatch((245, 225, 70), "vertical"),
    Reason.MOVING: Hatch((255, 110, 50), "checks"),
    Reason.DARK: Hatch((80, 150, 255), "horizontal"),
    Reason.DISPUTED: Hatch((60, 215, 175), "rings"),
    Reason.UNEXPLAINED: Hatch((215, 215, 215), "dots"),
    Reason.PERSON: DISTRUST_HATCH,
}


def key_swatch(colour: tuple[int, int, int], pattern: Pattern, *, width: int, height: int) -> Rgb8:
    """A small sample of a hatch for a key, height×width×3, on a dark ground."""
    swatch = np.full((height, width, 3), 40, np.uint8)
    swatch[pattern_mask(pattern, rows=height, width=width, period=max(height // 2, 6))] = colour
    return swatch


def period_of(width: int) -> int:
    """After how many pixels, across and down, the patterns on a picture repeat."""
    return max(width // _PERIODS_ACROSS, _LEAST_PERIOD)


@lru_cache(maxsize=32)
def pattern_mask(pattern: Pattern, *, rows: int, width: int, period: int) -> Mask:
    """Where the pattern has ink, rows×width; about half of it, and it starts at the corner."""
    row, column = np.ogrid[:rows, :width]
    ink = np.array(np.broadcast_to(_ink_at(pattern, row, column, period=period), (rows, width)))
    ink.flags.writeable = False
    return ink


@lru_cache(maxsize=16)
def ink_of(hatch: Hatch, *, strength: float, rows: int, width: int, period: int) -> Rgb8:
    """The colour a hatch adds to the shade, rows×width×3; nothing where its pattern is clear."""
    colour = np.rint(np.array(hatch.colour) * (0.7 * strength)).astype(np.uint8)
    ink = np.zeros((rows, width, 3), np.uint8)
    ink[pattern_mask(hatch.pattern, rows=rows, width=width, period=period)] = colour
    ink.flags.writeable = False
    return ink


def _ink_at(
    pattern: Pattern, row: npt.NDArray[np.intp], column: npt.NDArray[np.intp], *, period: int
) -> npt.NDArray[np.bool_]:
    half = period // 2
    if pattern in ("dots", "rings"):
        # Twice the squared distance from the middle of a cell, in half pixels.
        reach = np.square(2 * (row % period) + 1 - period) + np.square(
            2 * (column % period) + 1 - period
        )
        disc: npt.NDArray[np.bool_] = reach <= (0.64 * period) ** 2
        return disc if pattern == "dots" else disc & (reach > (0.34 * period) ** 2)
    down, across = row % period < half, column % period < half
    lines = {
        "even": np.ones((1, 1), bool),
        "rising": (row + column) % period < half,
        "falling": (column - row) % period < half,
        "vertical": across,
        "horizontal": down,
        "grid": (row % period < period // 4) | (column % period < period // 4),
        "checks": down ^ across,
    }
    return lines[pattern]
