"""How the lines of a chart are drawn: raw and smoothed, the cursor, and a stretch marked out."""

from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from smarthdr_studio.studio.plots.axes import Axis
from smarthdr_studio.studio.plots.trace import Trace
from smarthdr_studio.studio.theme import Palette

Doubles = npt.NDArray[np.float64]

_FAINT: Final = 0.22
_DENSE: Final = 1.2  # points a pixel from which single segments are not seen any more


def draw_trace(
    painter: QPainter, trace: Trace, axes: tuple[Axis, Axis], *, pen: QPen, smooth: float
) -> None:
    """One line; with `smooth` (in steps) the raw one lies faintly behind."""
    across, up = axes
    sight, columns = (across.low, across.high), _columns(across)
    raw = placed(*trace.outline(sight, columns=columns), across, up)
    if not smooth:
        _draw(painter, raw, pen, dense=len(raw) > columns * _DENSE)
        return
    faint = QPen(pen)
    colour = pen.color()
    colour.setAlphaF(_FAINT)
    faint.setColor(colour)
    faint.setStyle(Qt.PenStyle.SolidLine)
    _draw(painter, raw, faint, dense=True)
    x, y = trace.outline(sight, columns=columns, smooth=smooth)
    if len(x) > columns * _DENSE:
        # Two points a column, least and greatest: the line runs between them.
        pairs = len(x) // 2 * 2
        x, y = x[:pairs:2], y[:pairs].reshape(-1, 2).mean(1)
    _draw(painter, placed(x, y, across, up), pen, dense=False)


def foot_of(painter: QPainter, x: float, words: str, *, frame: QRectF, lowest: float) -> QRectF:
    """Where the words at the foot of the cursor stand, above `lowest`."""
    metrics = painter.fontMetrics()
    wide = metrics.horizontalAdvance(words) + 8
    left = min(max(x - wide / 2, frame.left()), frame.right() - wide)
    top = min(frame.bottom() + 2, lowest - metrics.height())
    return QRectF(left, top, wide, metrics.height())


def draw_cursor(
    painter: QPainter, x: float, words: str, *, palette: Palette, frame: QRectF, box: QRectF
) -> None:
    """A line at a pixel, and words in a box at its foot."""
    painter.setPen(QPen(QColor(palette.muted), 1))
    painter.drawLine(QLineF(x, frame.top(), x, frame.bottom()))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(palette.raised))
    painter.drawRoundedRect(box, 3, 3)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QColor(palette.text))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)


def draw_dot(
    painter: QPainter, where: QPointF, colour: QColor, *, palette: Palette, radius: float
) -> None:
    """A point on a line, in its colour."""
    painter.setPen(QPen(QColor(palette.panel), 1))
    painter.setBrush(colour)
    painter.drawEllipse(where, radius, radius)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def draw_stretch(
    painter: QPainter, stretch: tuple[float, float], *, palette: Palette, frame: QRectF
) -> None:
    """What the hand is marking out, in pixels."""
    left = max(min(stretch), frame.left())
    right = min(max(stretch), frame.right())
    colour = QColor(palette.accent)
    painter.setPen(QPen(colour, 1))
    colour.setAlphaF(0.18)
    painter.setBrush(colour)
    painter.drawRect(QRectF(left, frame.top(), right - left, frame.height()))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def placed(x: Doubles, y: Doubles, across: Axis, up: Axis) -> Doubles:
    """Points in pixels, N×2; those a logarithm cannot show are left out."""
    if up.log:
        shown = y > 0
        x, y = x[shown], y[shown]
    return np.stack((across.spread(x), up.spread(y)), 1)


def _columns(across: Axis) -> int:
    return max(int(across.last - across.first), 1)


def _draw(painter: QPainter, points: Doubles, pen: QPen, *, dense: bool) -> None:
    """Smooth, wide and dashed where segments can be told apart; thousands would be slow."""
    if not len(points):
        return
    drawn = QPen(pen)
    if dense:
        drawn.setStyle(Qt.PenStyle.SolidLine)
        drawn.setWidthF(1.0)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=not dense)
    painter.setPen(drawn)
    painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in points.tolist()]))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
