"""Lines of equal share over a map, each with its number where there is room for it."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen, QPolygonF

from smarthdr_studio.studio.plots.axes import Axis
from smarthdr_studio.studio.plots.contours import contour
from smarthdr_studio.studio.plots.placing import NOWHERE, place_for

STRONG: Final = 0.8
LEVELS: Final = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
# Where room is short, the first of these get their number.
_BY_WEIGHT: Final = (0.8, 0.9, 0.5, 0.95, 0.7, 0.6)
_HALO: Final = QColor(0, 0, 0, 140)


class IsoLines:
    """The contours of one map, found once; laid out once for each size they are drawn at."""

    def __init__(self, shares: npt.NDArray[Any]) -> None:
        self._contours = {level: contour(shares, level) for level in LEVELS}
        self._frame = QRectF()
        self._polygons: dict[float, list[QPolygonF]] = {}
        self._numbers: dict[float, QRectF] = {}

    def draw_lines(self, painter: QPainter, *, across: Axis, up: Axis, frame: QRectF) -> None:
        """Draw every line inside the frame."""
        if frame != self._frame:
            self._frame = frame
            self._lay_out(painter.font(), across, up)
        painter.save()
        painter.setClipRect(frame)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for level, polygons in self._polygons.items():
            _draw_lines(painter, polygons, strong=level == STRONG)
        painter.restore()

    def draw_numbers(self, painter: QPainter, *, taken: list[QRectF]) -> None:
        """Draw the numbers of the lines drawn last that cover no place `taken`."""
        for level, box in self._numbers.items():
            if not any(box.intersects(other) for other in taken):
                _draw_number(painter, level, box)

    def _lay_out(self, font: QFont, across: Axis, up: Axis) -> None:
        corner = np.array((across.at(0.0), up.at(0.0)))
        scale = np.array((across.at(1.0), up.at(1.0))) - corner
        lines = {
            level: [corner + scale * line for line in found]
            for level, found in self._contours.items()
        }
        self._polygons = {
            level: [QPolygonF([QPointF(x, y) for x, y in each.tolist()]) for each in found]
            for level, found in lines.items()
        }
        self._numbers = {}
        for level in _BY_WEIGHT:
            metrics = QFontMetricsF(_font(font, level))
            size = (metrics.horizontalAdvance(_words(level)) + 4, metrics.ascent() + 2)
            # The chief number stands wherever it has room, even over another line.
            others = [
                line for other, found in lines.items() if STRONG != level != other for line in found
            ]
            box = place_for(
                lines[level],
                size=size,
                frame=self._frame,
                taken=list(self._numbers.values()),
                apart=np.concatenate(others or [NOWHERE]),
            )
            if box is not None:
                self._numbers[level] = box


def _font(font: QFont, level: float) -> QFont:
    font = QFont(font)
    font.setBold(level == STRONG)
    return font


def _words(level: float) -> str:
    return f"{100 * level:.0f} %"


def _draw_lines(painter: QPainter, polygons: list[QPolygonF], *, strong: bool) -> None:
    halo, line = (3.2, 1.7) if strong else (2.0, 0.8)
    white = QColor(255, 255, 255, 235 if strong else 200)
    for colour, width in ((_HALO, halo), (white, line)):
        painter.setPen(QPen(colour, width))
        for polygon in polygons:
            painter.drawPolyline(polygon)


def _draw_number(painter: QPainter, level: float, box: QRectF) -> None:
    path = QPainterPath()
    path.addText(box.left() + 2, box.bottom() - 2, _font(painter.font(), level), _words(level))
    painter.strokePath(path, QPen(_HALO, 3.0))
    painter.fillPath(path, QColor("#ffffff"))
