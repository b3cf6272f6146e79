"""How a heat strip is drawn: cells, names of scenes, marks, rounds and the lines below."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetrics, QImage, QPainter, QPen, QPolygonF

from smarthdr_studio.studio.plots.axes import ticks
from smarthdr_studio.studio.plots.heat_cells import Cells, RoundLines, mean_shares
from smarthdr_studio.studio.state import HeatStrip
from smarthdr_studio.studio.theme import Palette

EDGE: Final = 6
_WIDEST_NAME: Final = 96
_AIR: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeatView:
    """What is drawn and where; `row` is the current scene's and `column` the replayed round's."""

    shares: HeatStrip
    cells: Cells
    row: int | None
    column: int | None
    palette: Palette


def gutter(metrics: QFontMetrics, scenes: tuple[str, ...]) -> int:
    """The room at the left: for names, and for the values of the lines."""
    longest = max(scenes, key=len, default="")
    names = min(metrics.horizontalAdvance(longest), _WIDEST_NAME)
    return max(names, metrics.horizontalAdvance("00.0 dB")) + 2 * EDGE


def footer(metrics: QFontMetrics) -> int:
    """The room below: for the rounds, and for two lines with their values."""
    return metrics.height() * 3 + 3 * _AIR


def draw_cells(painter: QPainter, view: HeatView, image: QImage) -> None:
    """One pixel of the image per cell; stripes show through where nothing is known."""
    cells, sight = view.cells, view.cells.rows_in_sight()
    painter.save()
    painter.setClipRect(cells.shown)
    stripes = QBrush(QColor(view.palette.muted), Qt.BrushStyle.BDiagPattern)
    painter.fillRect(cells.shown, stripes)
    high = len(sight) * cells.row_height
    target = QRectF(cells.frame.left(), cells.top(sight.start), cells.frame.width(), high)
    painter.drawImage(target, image, QRectF(0, sight.start, cells.columns, len(sight)))
    painter.restore()


def draw_names(painter: QPainter, view: HeatView) -> None:
    """As many names as fit; that of the current scene always, and bold."""
    cells, line = view.cells, painter.fontMetrics().height()
    every = max(math.ceil(line / cells.row_height), 1)
    painter.save()
    painter.setClipRect(QRectF(0, 0, cells.frame.left(), cells.frame.bottom() + line / 2))
    for row in cells.rows_in_sight():
        if row % every == 0 and (view.row is None or abs(row - view.row) >= every):
            _draw_name(painter, view, row)
    if view.row is not None and view.row in cells.rows_in_sight():
        bold = painter.font()
        bold.setBold(True)
        painter.setFont(bold)
        _draw_name(painter, view, view.row)
    painter.restore()


def draw_marks(painter: QPainter, view: HeatView) -> None:
    """A frame around the scene and one around the round, legible on any colour."""
    cells, boxes = view.cells, []
    if view.row is not None:
        top, wide = cells.top(view.row), cells.frame.width()
        boxes.append(QRectF(cells.frame.left(), top, wide, cells.row_height))
    if view.column is not None:
        left, wide = cells.left(view.column), cells.column_width
        boxes.append(QRectF(left, cells.frame.top(), wide, cells.shown.height()))
        _draw_flag(painter, QPointF(left + wide / 2, cells.frame.top() - 1), view.palette)
    painter.save()
    painter.setClipRect(cells.shown.adjusted(-2, -2, 2, 2))
    for colour, thick in ((QColor(0, 0, 0, 200), 3.0), (QColor(255, 255, 255), 1.2)):
        painter.setPen(QPen(colour, thick))
        for box in boxes:
            painter.drawRect(box)
    painter.restore()


def draw_rounds(painter: QPainter, view: HeatView) -> None:
    """The numbers of some rounds under their columns."""
    cells, metrics = view.cells, painter.fontMetrics()
    rounds = view.shares.rounds
    wide = metrics.horizontalAdvance("0000")
    most = max(int(cells.frame.width() / wide), 1)
    painter.setPen(QColor(view.palette.muted))
    marks = {round(tick) for tick in ticks(rounds[0], max(rounds[-1], rounds[0] + 1), most=most)}
    for column, number in enumerate(rounds):
        if number in marks:
            middle = cells.left(column + 0.5)
            box = QRectF(middle - wide, cells.shown.bottom() + 1, 2 * wide, metrics.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignHCenter, str(number))


def draw_lines(painter: QPainter, view: HeatView, lines: RoundLines) -> None:
    """PSNR-μ in full strokes, the mean share of the scenes in dashes; their values at the left."""
    cells, line = view.cells, painter.fontMetrics().height()
    top = cells.shown.bottom() + line + 2 * _AIR
    kept = mean_shares(view.shares.shares)
    middles = np.arange(len(kept)) + 0.5
    upto = cells.columns if view.column is None else view.column + 1
    strip = QRectF(cells.frame.left(), top, cells.frame.width(), 2 * line)
    rows = (
        (lines.places, lines.decibels, "{:.1f} dB", view.palette.accent, Qt.PenStyle.SolidLine),
        (middles, 100 * kept, "{:.0f} %", view.palette.warn, Qt.PenStyle.DashLine),
    )
    for place, (across, values, form, colour, style) in enumerate(rows):
        known = np.isfinite(values)
        if not known.any():
            continue
        painter.setPen(QPen(QColor(colour), 1.5, style))
        _draw_line(painter, strip, across[known] / cells.columns, values[known])
        before = values[known & (across <= upto)]
        box = QRectF(0, top + place * line, cells.frame.left() - EDGE, line)
        words = form.format(before[-1]) if before.size else "–"
        painter.drawText(box, Qt.AlignmentFlag.AlignRight, words)


def _draw_line(
    painter: QPainter,
    frame: QRectF,
    across: npt.NDArray[np.float64],
    values: npt.NDArray[np.float64],
) -> None:
    """Values over shares of the width, as high as there is room; a single one is a dot."""
    low, high = float(values.min()), float(values.max())
    up = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
    points = [
        QPointF(frame.left() + x * frame.width(), frame.bottom() - 2 - y * (frame.height() - 4))
        for x, y in zip(across.tolist(), up.tolist(), strict=True)
    ]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.drawPolyline(QPolygonF(points))
    painter.drawLine(QLineF(points[-1], points[-1] + QPointF(0.1, 0)))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)


def _draw_name(painter: QPainter, view: HeatView, row: int) -> None:
    metrics, wide = painter.fontMetrics(), view.cells.frame.left() - 2 * EDGE
    y = view.cells.top(row + 0.5) - metrics.height() / 2
    colour = view.palette.text if row == view.row else view.palette.muted
    painter.setPen(QColor(colour))
    short = metrics.elidedText(view.shares.scenes[row], Qt.TextElideMode.ElideMiddle, int(wide))
    box = QRectF(EDGE, y, wide, metrics.height())
    painter.drawText(box, Qt.AlignmentFlag.AlignRight, short)


def _draw_flag(painter: QPainter, tip: QPointF, palette: Palette) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(palette.text))
    painter.drawPolygon(QPolygonF([tip, tip + QPointF(-5, -7), tip + QPointF(5, -7)]))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
