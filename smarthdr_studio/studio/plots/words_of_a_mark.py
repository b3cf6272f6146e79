"""Where the words of a marked step stand in a chart, so that no line runs through them."""

from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QSizeF

from smarthdr_studio.studio.plots.axes import Doubles

_AIR = 3.0  # pixels between words and a line

Span = tuple[float, float]
Line = tuple[Doubles, Doubles]


def quiet_spot(
    lines: Iterable[Line],
    *,
    at: float,
    sight: tuple[Span, Span],
    field: QSizeF,
    words: QSizeF,
    foot: float,
) -> tuple[int, float] | None:
    """On which side of their step the words stand, 0 right and 1 left, and how high, in pixels.

    `lines` and `sight`, first and last value across and up, are in the units of the plot; the
    sizes of its `field` and of the words with the air beside them in pixels. They stand right and
    at the lowest place above `foot` that no line crosses, else left. None where lines are
    everywhere, or the words are too wide for either side.
    """
    (first, last), (low, high) = sight
    if not (last > first and high > low and field.width() > 0):
        return None
    per_pixel = (last - first) / field.width()
    before = (at - first) / per_pixel
    sides = [
        side for side, room in ((0, field.width() - before), (1, before)) if words.width() <= room
    ]
    known = list(lines)
    for side in sides:
        left = at - side * words.width() * per_pixel
        across = left, left + words.width() * per_pixel
        taken = (_heights(line, across) for line in known)
        pixels = [_in_pixels(each, sight[1], field.height()) for each in taken if each is not None]
        free = _lowest_free(pixels, foot=foot, tall=words.height(), high=field.height())
        if free is not None:
            return side, free
    return None


def _heights(line: Line, across: Span) -> Span | None:
    """The least and the greatest value of a line between two steps; None where it is not there."""
    x, y = line
    known = np.isfinite(y)
    x, y = x[known], y[known]
    if not len(x) or x[0] > across[1] or x[-1] < across[0]:
        return None
    inside = y[(x >= across[0]) & (x <= across[1])]
    ends = np.interp(np.clip(across, x[0], x[-1]), x, y)
    values = np.append(inside, ends)
    return float(values.min()), float(values.max())


def _in_pixels(heights: Span, up: Span, high: float) -> Span:
    """From the foot of the field on."""
    low, scale = up[0], high / (up[1] - up[0])
    return (heights[0] - low) * scale - _AIR, (heights[1] - low) * scale + _AIR


def _lowest_free(taken: Iterable[Span], *, foot: float, tall: float, high: float) -> float | None:
    """The lowest place for something so tall that nothing takes, between a foot and the top."""
    place = foot
    for low, top in sorted(taken):
        if place + tall <= low:
            break
        place = max(place, top)
    return place if place + tall <= high else None
