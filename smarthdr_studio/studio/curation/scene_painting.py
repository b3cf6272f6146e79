"""How parts of a scene's line are painted: thumbnail, bar, chip, frame and the run of rounds."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.studio.theme import Palette

BAR: Final = 4.0
_MOST_ROUNDS: Final = 60  # more do not fit a cell


def status_colour(status: Status, palette: Palette) -> str:
    """The colour beside the word of a status."""
    return {
        Status.GROUND_TRUTH: palette.good,
        Status.PROMOTED: palette.accent,
        Status.UNLABELLED: palette.muted,
        Status.EXCLUDED: palette.bad,
        Status.TEST: palette.warn,
    }[status]


def paint_frame(painter: QPainter, box: QRectF, palette: Palette, *, selected: bool) -> None:
    """The rounded box of one scene."""
    fill = QColor(palette.accent if selected else palette.raised)
    fill.setAlphaF(0.22 if selected else 0.45)
    painter.setPen(QColor(palette.accent if selected else palette.border))
    painter.setBrush(fill)
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)


def paint_thumbnail(
    painter: QPainter, box: QRectF, pixmap: QPixmap | None, palette: Palette
) -> None:
    """The picture fills its box; what does not fit is cut off evenly."""
    clip = QPainterPath()
    clip.addRoundedRect(box, 3, 3)
    painter.save()
    painter.setClipPath(clip)
    painter.fillRect(box, QColor(palette.canvas))
    if pixmap is not None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        scale = max(box.width() / pixmap.width(), box.height() / pixmap.height())
        size = QPointF(box.width() / scale, box.height() / scale)
        corner = QPointF((pixmap.width() - size.x()) / 2, (pixmap.height() - size.y()) / 2)
        painter.drawPixmap(box, pixmap, QRectF(corner.x(), corner.y(), size.x(), size.y()))
    painter.restore()


def paint_bar(painter: QPainter, bar: QRectF, share: float | None, palette: Palette) -> None:
    """A share in [0, 1] as the filled part of a bar."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(palette.border))
    painter.drawRoundedRect(bar, BAR / 2, BAR / 2)
    if share is not None:
        filled = QRectF(bar)
        filled.setWidth(max(BAR, bar.width() * share))
        painter.setBrush(QColor(palette.accent))
        painter.drawRoundedRect(filled, BAR / 2, BAR / 2)


def paint_chip(
    painter: QPainter, box: QRectF, words: str, colour: str, metrics: QFontMetricsF
) -> float:
    """Words in a rounded outline, at the left of the box; how wide it has become."""
    width = min(metrics.horizontalAdvance(words) + 14, box.width())
    chip = QRectF(box.x(), box.y() + 1, width, box.height() - 1)
    line = QColor(colour)
    fill = QColor(colour)
    fill.setAlphaF(0.16)
    painter.setPen(line)
    painter.setBrush(fill)
    painter.drawRoundedRect(chip, chip.height() / 2, chip.height() / 2)
    shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, width - 10)
    painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, shown)
    return width


def paint_rounds(painter: QPainter, box: QRectF, shares: Sequence[float], palette: Palette) -> None:
    """The kept share round by round as a line from 0 to 1, the last round as a dot."""
    shown = shares[-_MOST_ROUNDS:]
    if not shown:
        return
    step = box.width() / max(len(shown) - 1, 1)
    points = [
        QPointF(box.x() + place * step, box.bottom() - share * box.height())
        for place, share in enumerate(shown)
    ]
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QColor(palette.border))
    painter.drawLine(box.bottomLeft(), box.bottomRight())
    painter.setPen(QPen(QColor(palette.accent), 1.5))
    painter.drawPolyline(QPolygonF(points))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(palette.accent))
    painter.drawEllipse(points[-1], 2.5, 2.5)
