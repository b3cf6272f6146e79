"""Stripes where a picture is clipped, so that lost highlights and shadows are seen at once."""

from typing import NamedTuple

import cv2
import numpy as np

from smarthdr_studio.core.disagreement import saturated
from smarthdr_studio.core.display.hatch import HIGHLIGHT_HATCH, SHADOW_HATCH, Area, Mask
from smarthdr_studio.core.display.layers import KeyEntry
from smarthdr_studio.core.display.odd import Odd
from smarthdr_studio.core.display.tone import Rgb8
from smarthdr_studio.core.display.words import joined, percent
from smarthdr_studio.core.radiance import Frame

# A key lies on dark ground, where the black stripes of what is white would not be seen.
ZEBRA_KEY = (
    KeyEntry(colour=(255, 255, 255), words="clipped", pattern=HIGHLIGHT_HATCH.pattern),
    KeyEntry(colour=SHADOW_HATCH.colour, words="black", pattern=SHADOW_HATCH.pattern),
)


class Clipped(NamedTuple):
    """Where any channel is at its end, and where all are 0; H×W each."""

    highlights: Mask
    shadows: Mask

    @property
    def areas(self) -> tuple[Area, Area]:
        """Both, with their stripes."""
        return Area(self.highlights, HIGHLIGHT_HATCH), Area(self.shadows, SHADOW_HATCH)

    @property
    def words(self) -> str:
        """Both shares."""
        return joined(f"clipped {percent(self.highlights)}", f"black {percent(self.shadows)}")


def clipped_frame(frame: Frame) -> Clipped:
    """By camera values, H×W×3 uint16: from 0.98 of full scale on, and 0."""
    return Clipped(saturated(frame), _within(frame, 0, 0))


def clipped_screen(rgb8: Rgb8, odd: Odd) -> Clipped:
    """By what the screen shows, H×W×3: 255, and 0; the marker of odd values is neither."""
    highlights, shadows = ~_within(rgb8, 0, 254), _within(rgb8, 0, 0)
    if odd.where is not None:
        highlights, shadows = highlights & ~odd.where, shadows & ~odd.where
    return Clipped(highlights, shadows)


def _within(picture: Rgb8 | Frame, low: int, high: int) -> Mask:
    """H×W, True where all channels lie between both codes, both included."""
    inside = cv2.inRange(picture, (low,) * 3, (high,) * 3)
    mask: Mask = np.asarray(inside) != 0
    return mask
