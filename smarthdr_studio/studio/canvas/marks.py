"""What is drawn over a picture: crosshair, pixel grid, colour bar, and words in its place."""

from typing import Final, NamedTuple

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from smarthdr_studio.core.display import Legend, Lens
from smarthdr_studio.studio.theme import Palette

GRID_FROM: Final = 8.0  # screen pixels per image pixel

_LIGHT, _SHADE = QColor(255, 255, 255, 170), QColor(0, 0, 0, 110)
_GRID = QColor(128, 128, 128, 90)
_PLATE = QColor(0, 0, 0, 150)
_MARGIN = 8


class Seen(NamedTuple):
    """How a view looks at its image; sizes are in the screen's own pixels, `ratio` to Qt's."""

    lens: Lens
    view: tuple[int, int]
    ratio: float
    image: tuple[int, int]

    def at(self, x: float, y: float) -> QPointF:
        """Where an image point is on the widget."""
        across, down = self.lens.to_screen((x, y), view=self.view)
        return QPointF(across / self.ratio, down / self.ratio)


def draw_words(painter: QPainter, place: QRect, words: str, *, palette: Palette) -> None:
    """A sentence in the middle of an empty view."""
    painter.setPen(QColor(palette.text))
    inner = place.adjusted(16, 8, -16, -8)
    painter.drawText(inner, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, words)


def draw_cross(painter: QPainter, seen: Seen, pixel: tuple[int, int]) -> None:
    """Two thin lines through a pixel, light on a shade so that they show on anything."""
    middle = seen.at(pixel[0] + 0.5, pixel[1] + 0.5)
    x, y = round(middle.x()) + 0.5, round(middle.y()) + 0.5
    width, height = seen.view[0] / seen.ratio, seen.view[1] / seen.ratio
    for colour, shift in ((_SHADE, 1.0), (_LIGHT, 0.0)):
        painter.setPen(QPen(colour, 1))
        painter.drawLine(QLineF(0, y + shift, width, y + shift))
        painter.drawLine(QLineF(x + shift, 0, x + shift, height))
    if seen.lens.scale >= GRID_FROM:
        painter.setPen(QPen(_LIGHT, 1.5))
        painter.drawRect(QRectF(seen.at(*pixel), seen.at(pixel[0] + 1, pixel[1] + 1)))


def draw_grid(painter: QPainter, seen: Seen) -> None:
    """A line between pixels once each is large enough to be seen."""
    if seen.lens.scale < GRID_FROM:
        return
    near, far = (seen.lens.to_image(corner, view=seen.view) for corner in ((0, 0), seen.view))
    left, right = _edges(near[0], far[0], length=seen.image[0])
    top, bottom = _edges(near[1], far[1], length=seen.image[1])
    painter.setPen(QPen(_GRID, 1))
    lines = [QLineF(seen.at(x, top), seen.at(x, bottom)) for x in range(left, right + 1)]
    lines += [QLineF(seen.at(left, y), seen.at(right, y)) for y in range(top, bottom + 1)]
    painter.drawLines(lines)


def draw_legend(painter: QPainter, place: QRect, legend: Legend) -> None:
    """The colour bar with the values at its ends, at the right edge where there is room."""
    height, width = legend.bar.shape[:2]
    line = painter.fontMetrics().height()
    wide = max(painter.fontMetrics().horizontalAdvance(w) for w in (legend.low, legend.high))
    height = min(height, place.height() - 2 * (_MARGIN * 2 + line))
    if height < 2 * line or place.width() < 4 * wide:
        return
    plate = QRect(0, 0, max(wide, width) + 12, height + 2 * line + 8)
    plate.moveBottomRight(place.bottomRight() - QRect(0, 0, _MARGIN, _MARGIN).bottomRight())
    painter.fillRect(plate, _PLATE)
    pixels = np.ascontiguousarray(legend.bar)
    bar = QImage(pixels.data, width, len(pixels), width * 3, QImage.Format.Format_RGB888)
    painter.drawImage(
        QRect(plate.center().x() - width // 2, plate.top() + line + 4, width, height), bar
    )
    painter.setPen(_LIGHT)
    words = plate.adjusted(0, 2, 0, -2)
    centre = Qt.AlignmentFlag.AlignHCenter
    painter.drawText(words, centre | Qt.AlignmentFlag.AlignTop, legend.high)
    painter.drawText(words, centre | Qt.AlignmentFlag.AlignBottom, legend.low)


def _edges(near: float, far: float, *, length: int) -> tuple[int, int]:
    """The first and last edge between pixels in sight."""
    return max(int(near), 0), min(int(far) + 1, length)
