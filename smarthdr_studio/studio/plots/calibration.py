"""Whether σ is as large as the RMS error: predicted, observed, and the line of agreement."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from smarthdr_studio.core.evidence import Evidence
from smarthdr_studio.studio.plots.axes import Axis, log_ticks, worded
from smarthdr_studio.studio.theme import DARK, Palette

Doubles = npt.NDArray[np.float64]

_MARGIN: Final = 8
_NONE: Final[Doubles] = np.zeros((0, 2))


class Calibration(QWidget):
    """One dot for each bin of equally many pixels, both axes logarithmic and alike."""

    def __init__(self) -> None:
        super().__init__()
        self._evidence: Evidence | None = None
        self._bins = _NONE
        self._palette = DARK
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(140, 84)
        self.setToolTip(
            "Predicted σ (→) against observed RMS error (↑), the root of the mean over channels of"
            " the squared error on the μ-law: root mean squares of bins of equally many pixels,"
            " both logarithmic. Above the line σ promises too much, below it too little"
        )
        self.setAccessibleName("Calibration of σ, nothing known")

    def set_evidence(self, shown: Evidence | None) -> None:
        """Show the bins of this evidence, or that nothing is known."""
        if shown is self._evidence:
            return
        self._evidence = shown
        self._bins = _NONE if shown is None else known_bins(shown.predicted, shown.observed)
        above = int((self._bins[:, 1] > self._bins[:, 0]).sum())
        words = f"{above} of {len(self._bins)} bins err more than σ says"
        self.setAccessibleName(f"Calibration of σ, {words if len(self._bins) else 'nothing known'}")
        self.update()

    def set_palette_colours(self, palette: Palette) -> None:
        """Dress the chart."""
        self._palette = palette
        self.update()

    def sizeHint(self) -> QSize:
        """Wider than high."""
        return QSize(260, 140)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The frame, the line of agreement, the bins."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not len(self._bins):
            painter.setPen(QColor(self._palette.muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "No errors known yet")
            painter.end()
            return
        across, up, frame = self._axes()
        self._draw_frame(painter, across, up, frame)
        painter.setPen(QPen(QColor(self._palette.muted), 1.4, Qt.PenStyle.DashLine))
        painter.drawLine(frame.bottomLeft(), frame.topRight())
        self._draw_words(painter, frame)
        points = [
            QPointF(across.at(math.log10(x)), up.at(math.log10(y))) for x, y in self._bins.tolist()
        ]
        accent = QColor(self._palette.accent)
        painter.setPen(QPen(accent, 1.5))
        painter.drawPolyline(QPolygonF(points))
        painter.setBrush(accent)
        painter.setPen(QPen(QColor(self._palette.panel), 1))
        for point in points:
            painter.drawEllipse(point, 3.5, 3.5)
        painter.end()

    def _axes(self) -> tuple[Axis, Axis, QRectF]:
        metrics = self.fontMetrics()
        left, below = metrics.horizontalAdvance("0.000") + _MARGIN, metrics.height() + 4
        frame = QRectF(self.rect()).adjusted(left, 4, -_MARGIN, -below)
        low, high = math.log10(self._bins.min()), math.log10(self._bins.max())
        air = max((high - low) * 0.08, 0.05)
        low, high = low - air, high + air
        across = Axis(low=low, high=high, first=frame.left(), last=frame.right())
        return across, Axis(low=low, high=high, first=frame.bottom(), last=frame.top()), frame

    def _draw_frame(self, painter: QPainter, across: Axis, up: Axis, frame: QRectF) -> None:
        """Faint lines and round values; alike on both axes but for the room there is."""
        metrics = painter.fontMetrics()
        line, wide = metrics.height(), metrics.horizontalAdvance("0.000")
        faint, muted = QColor(self._palette.border), QColor(self._palette.muted)
        faint.setAlphaF(0.55)
        for value in log_ticks(up.low, up.high, most=int(frame.height() / (line * 1.2))):
            y = round(up.at(math.log10(value))) + 0.5
            painter.setPen(QPen(faint, 1))
            painter.drawLine(QLineF(frame.left(), y, frame.right(), y))
            painter.setPen(muted)
            end = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, y - line / 2, frame.left() - 4, line), end, worded(value))
        painter.setPen(QPen(QColor(self._palette.border), 1))
        painter.drawLine(frame.bottomLeft(), frame.bottomRight())
        painter.setPen(muted)
        for value in log_ticks(across.low, across.high, most=int(frame.width() / (wide * 1.3))):
            box = QRectF(across.at(math.log10(value)) - wide, frame.bottom() + 2, wide * 2, line)
            painter.drawText(box, Qt.AlignmentFlag.AlignHCenter, worded(value))

    def _draw_words(self, painter: QPainter, frame: QRectF) -> None:
        painter.setPen(QColor(self._palette.muted))
        inside = frame.adjusted(6, 2, -6, -3)
        top = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
        bottom = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom
        painter.drawText(inside, top, "too sure")
        painter.drawText(inside, bottom, "too timid")


def known_bins(predicted: Doubles, observed: Doubles) -> Doubles:
    """The bins a logarithm can show, K×2 of (predicted, observed)."""
    pairs = np.stack((predicted, observed), 1).astype(np.float64)
    return pairs[np.isfinite(pairs).all(1) & (pairs > 0).all(1)]
