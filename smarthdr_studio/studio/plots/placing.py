"""Where a number or a name fits beside the line it belongs to."""

from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF

Doubles = npt.NDArray[np.float64]

NOWHERE: Final[Doubles] = np.zeros((0, 2))
_SPACING: Final = 6.0  # pixels between the places tried
# On the line, or else above, below, right or left of it, in widths and heights of the words.
CLOSE: Final = ((0.0, 0.0), (0.0, -0.65), (0.0, 0.65), (0.6, 0.0), (-0.6, 0.0))
# For sloping lines, whose words must keep away from the line itself.
LOOSE: Final = (*CLOSE, (0.0, -1.0), (0.0, 1.0), (0.0, -1.4), (0.0, 1.4))


def place_for(
    lines: list[Doubles],
    *,
    size: tuple[float, float],
    frame: QRectF,
    taken: list[QRectF],
    apart: Doubles = NOWHERE,
    beside: tuple[tuple[float, float], ...] = CLOSE,
) -> QRectF | None:
    """A box of this width and height on the longest line, in pixels; its right end comes first.

    It lies inside the frame, over nothing taken, and over none of the points `apart`, N×2.
    """
    if not lines:
        return None
    wide, tall = size
    line = max(lines, key=len)
    places = _spaced(line if line[0, 0] <= line[-1, 0] else line[::-1])[::-1]
    shifts = np.array(beside) * (wide, tall)
    for x, y in (places + shifts[:, None]).reshape(-1, 2).tolist():
        box = QRectF(x - wide / 2, y - tall / 2, wide, tall)
        away = np.abs(apart - np.array((x, y)))
        covers = bool(((away[:, 0] < wide / 2) & (away[:, 1] < tall / 2)).any())
        free = frame.contains(box) and not any(box.intersects(other) for other in taken)
        if free and not covers:
            return box
    return None


def _spaced(line: Doubles) -> Doubles:
    """Places along a line, evenly apart."""
    steps = np.hypot(*np.diff(line, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    where = np.arange(0.0, along[-1] + 1e-9, _SPACING)
    return np.stack([np.interp(where, along, part) for part in line.T], 1)
