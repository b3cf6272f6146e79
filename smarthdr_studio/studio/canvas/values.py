"""The numbers of a picture, printed inside its pixels."""

from functools import lru_cache
from math import isfinite, isnan
from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter

from smarthdr_studio.core.display import Painted, Rgb8
from smarthdr_studio.studio.canvas.sight import Box, Sight

_LONGEST: Final = "0.000"
# At this luminance black and white stand out alike, 4.6 to 1.
_EVEN: Final = 0.179


@lru_cache(maxsize=8192)
def short(value: float) -> str:
    """A number in at most five characters, or six where a sign or an exponent asks for it."""
    if isnan(value):
        return "NaN"
    if not isfinite(value):
        return "Inf" if value > 0 else "−Inf"
    size = abs(value)
    if value == int(value) and size < 1e5:
        words = f"{int(value)}"
    elif size >= 1e5 or size < 5e-4:
        mantissa, exponent = f"{value:.0e}".split("e")
        words = f"{mantissa}e{int(exponent)}"
    else:
        words = f"{value:.{3 if size < 9.9995 else 1 if size < 999.95 else 0}f}"
    return words.replace("-", "−")


def print_numbers(painter: QPainter, family: str, sight: Sight, painted: Painted, box: Box) -> None:
    """Print the numbers of the pixels inside a box, in the screen's own pixels.

    Black on light pixels and white on dark ones: each pixel is one colour, so all can be read.
    They are small images, made once per number.
    """
    if painted.values is None or painted.rgb8 is None:
        return
    left, top, right, bottom = box
    columns, rows = slice(left, right), slice(top, bottom)
    numbers = np.atleast_3d(painted.values[rows, columns]).tolist()
    light = _light(painted.rgb8[rows, columns]).tolist()
    side = sight.lens.scale
    lines = 1 if painted.values.ndim == 2 else painted.values.shape[2]
    size = _fitting(family, side=round(side), lines=lines)
    step = min(side / lines, size * 1.25)
    first = (side - step * (lines - 1)) / 2
    for y, (row, inks) in enumerate(zip(numbers, light, strict=False), top):
        for x, (values, ink) in enumerate(zip(row, inks, strict=False), left):
            across, down = sight.lens.to_screen((x, y), view=sight.view)
            across, down = across + side / 2, down + first
            for value in values:
                word = _word(short(value), family, size, dark_ink=ink)
                place = across - word.width() / 2, down - word.height() / 2
                painter.drawImage(round(place[0]), round(place[1]), word)
                down += step


@lru_cache(maxsize=8192)
def _word(word: str, family: str, size: int, *, dark_ink: bool) -> QImage:
    """A number in black or white on a clear ground."""
    font = QFont(family)
    font.setPixelSize(size)
    metrics = QFontMetrics(font)
    place = QRect(0, 0, max(metrics.horizontalAdvance(word), 1) + 2, metrics.height())
    image = QImage(place.size(), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setFont(font)
    painter.setPen(QColor(0, 0, 0) if dark_ink else QColor(255, 255, 255))
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, word)
    painter.end()
    return image


@lru_cache(maxsize=64)
def _fitting(family: str, *, side: int, lines: int) -> int:
    """The letters' height in a pixel of this side: as large as its width and its lines allow."""
    size = max(int(side / (3.4 if lines > 1 else 2.6)), 6)
    font = QFont(family)
    font.setPixelSize(size)
    wide = QFontMetrics(font).horizontalAdvance(_LONGEST)
    return size if wide <= side - 3 else max(int(size * (side - 3) / wide), 6)


def _light(rgb8: Rgb8) -> npt.NDArray[np.bool_]:
    """H×W, True where black stands out more than white: by relative luminance (WCAG 2.2)."""
    linear = (rgb8.astype(np.float32) / 255) ** 2.2
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    light: npt.NDArray[np.bool_] = luminance > _EVEN
    return light
