"""The signs on the tools beside the charts, the film and the diary."""

from itertools import pairwise

from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QPainter, QPainterPath, QPolygonF


def tiles(painter: QPainter) -> None:
    """Four charts."""
    for x in (1.5, 9.0):
        for y in (2.5, 9.5):
            painter.drawRect(QRectF(x, y, 5.5, 4.5))


def wave(painter: QPainter) -> None:
    """A line that is jagged first and smooth then."""
    jagged = (QPointF(1, 10), QPointF(3, 5), QPointF(5, 11), QPointF(7, 6))
    for begin, end in pairwise(jagged):
        painter.drawLine(QLineF(begin, end))
    smooth = QPainterPath(QPointF(7, 6))
    smooth.cubicTo(9, 3.5, 11, 12, 15, 8)
    painter.drawPath(smooth)


def pin(painter: QPainter) -> None:
    """A pin, stuck in."""
    painter.setBrush(painter.pen().color())
    painter.drawRect(QRectF(5.5, 1.5, 5, 6))
    painter.drawLine(QLineF(3.5, 8.5, 12.5, 8.5))
    painter.drawLine(QLineF(8, 8.5, 8, 14.5))


def to_end(painter: QPainter) -> None:
    """An arrow to a wall at the right."""
    painter.drawLine(QLineF(1.5, 8, 10.5, 8))
    painter.drawPolyline(QPolygonF([QPointF(7.5, 4.5), QPointF(11, 8), QPointF(7.5, 11.5)]))
    painter.drawLine(QLineF(13.5, 2.5, 13.5, 13.5))


def back(painter: QPainter) -> None:
    """An arrow that turns back."""
    way = QPainterPath(QPointF(13.5, 12.5))
    way.cubicTo(14.5, 5, 9, 4.5, 3, 5.5)
    painter.drawPath(way)
    painter.drawPolyline(QPolygonF([QPointF(6, 2), QPointF(2.5, 5.5), QPointF(6, 9)]))


def sheets(painter: QPainter) -> None:
    """Two sheets, one over the other."""
    painter.drawRect(QRectF(5.5, 1.5, 8, 10))
    painter.drawPolyline(QPolygonF([QPointF(3, 4.5), QPointF(3, 14), QPointF(10.5, 14)]))
