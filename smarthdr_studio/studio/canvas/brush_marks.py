"""What is drawn over a picture while the brush is in the hand: its size, and lines that grow."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from smarthdr_studio.core.display.hatch import DISTRUST_HATCH, TRUST_HATCH
from smarthdr_studio.core.regions import Point
from smarthdr_studio.studio.canvas.marks import PLATE
from smarthdr_studio.studio.canvas.sight import Pixel, Sight
from smarthdr_studio.studio.state import BrushShape, BrushState, Ink

_INKS = {Ink.TRUST: TRUST_HATCH.colour, Ink.DISTRUST: DISTRUST_HATCH.colour}
_AIR = 4  # Qt's pixels around the ring for the width of its pen


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """A line under the hand, (x, y) in image pixels, that is to become an area."""

    points: tuple[Point, ...]
    ink: Ink
    corners: bool = False


@dataclass(slots=True)
class BrushMarks:
    """The brush in the hand, None without one, and the line under it."""

    brush: BrushState | None = None
    trail: Trail | None = None

    @property
    def ring(self) -> BrushState | None:
        """The brush, while it is a round one."""
        brush = self.brush
        return brush if brush is not None and brush.shape is BrushShape.DAB else None

    def area(self, sight: Sight, pixel: Pixel) -> QRect:
        """What the ring around a pixel may touch; empty without one."""
        if self.ring is None:
            return QRect()
        middle = sight.at(pixel[0] + 0.5, pixel[1] + 0.5)
        reach = _reach(self.ring.radius, sight) + _AIR
        corner = QPointF(reach, reach)
        return QRectF(middle - corner, middle + corner).toAlignedRect()

    def draw(self, painter: QPainter, sight: Sight, pixel: Pixel | None, *, faint: bool) -> None:
        """Ring and line, antialiased."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.trail is not None:
            _draw_trail(painter, sight, self.trail)
        if self.ring is not None and pixel is not None:
            painter.setOpacity(0.5 if faint else 1.0)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            _draw_ring(painter, sight, pixel, self.ring)
        painter.restore()


def ink_colour(ink: Ink) -> QColor:
    """The colour of what a stroke leaves behind; white takes away."""
    return QColor(*_INKS.get(ink, (255, 255, 255)))


def _draw_ring(painter: QPainter, sight: Sight, pixel: Pixel, brush: BrushState) -> None:
    """The true size, its rim in the ink's colour; inside, how far the brush paints solid."""
    middle = sight.at(pixel[0] + 0.5, pixel[1] + 0.5)
    rings = [(brush.radius, 1.75, Qt.PenStyle.SolidLine)]
    if brush.hardness < 1:
        rings.append((brush.radius * brush.hardness, 1.25, Qt.PenStyle.DotLine))
    for radius, width, style in rings:
        reach = _reach(radius, sight)
        for pen in (QPen(PLATE, width + 2), QPen(ink_colour(brush.ink), width, style)):
            painter.setPen(pen)
            painter.drawEllipse(middle, reach, reach)


def _draw_trail(painter: QPainter, sight: Sight, trail: Trail) -> None:
    """A lasso or a polygon in the ink's colour; a polygon shows its corners."""
    line = [sight.at(x, y) for x, y in trail.points]
    for pen in (QPen(PLATE, 3.5), QPen(ink_colour(trail.ink), 1.75)):
        painter.setPen(pen)
        painter.drawPolyline(QPolygonF(line))
        pen.setStyle(Qt.PenStyle.DotLine)
        painter.setPen(pen)
        painter.drawLine(line[-1], line[0])
    if trail.corners:
        painter.setPen(QPen(PLATE, 1))
        painter.setBrush(ink_colour(trail.ink))
        for corner in line:
            painter.drawRect(QRectF(corner - QPointF(3, 3), QSizeF(6, 6)))


def _reach(radius: float, sight: Sight) -> float:
    """A radius in Qt's pixels; the smallest can still be seen."""
    return max(radius * sight.lens.scale / sight.ratio, 1.5)
