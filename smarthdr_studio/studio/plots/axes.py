"""Where values lie on a chart, at which round numbers it is marked, and its quiet frame."""

import math
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from smarthdr_studio.studio.theme import Palette

_GAP: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A stretch of values laid over a stretch of pixels; `first` is the pixel of `low`."""

    low: float
    high: float
    first: float
    last: float

    def at(self, value: float) -> float:
        """The pixel of a value."""
        return self.first + (value - self.low) / (self.high - self.low) * (self.last - self.first)

    def value(self, pixel: float) -> float:
        """The value under a pixel, held within the axis."""
        if self.first == self.last:
            return self.low
        share = (pixel - self.first) / (self.last - self.first)
        return self.low + min(max(share, 0.0), 1.0) * (self.high - self.low)


def ticks(low: float, high: float, *, most: int) -> tuple[float, ...]:
    """At most so many round values (1, 2 or 5 times a power of ten) within low to high."""
    if not high > low or most < 1:
        return ()
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * times for times in (1, 2, 5, 10, 20) if power * times >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return tuple(round(k * step, 12) for k in range(first, last + 1))


def worded(value: float) -> str:
    """A tick or a value as short as it can be said: 0.02, 40, 12k, 1.2e-05."""
    if value and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.2g}"
    if abs(value) >= 10_000:
        return f"{value / 1000:.4g}k"
    return f"{value:.4g}" if abs(value) >= 1 else f"{value:.3g}"


def comfortable(low: float, high: float) -> tuple[float, float]:
    """A little air above and below; a constant gets room of its own."""
    if high > low:
        air = (high - low) * 0.06
        return low - air, high + air
    air = abs(low) * 0.1 or 1.0
    return low - air, high + air


def draw_frame(
    painter: QPainter, across: Axis, up: Axis | None, *, palette: Palette, frame: QRectF
) -> None:
    """Faint lines at the round values of `up`, the words of both axes, a line at the bottom."""
    line = painter.fontMetrics().height()
    muted = QColor(palette.muted)
    faint = QColor(palette.border)
    faint.setAlphaF(0.55)
    if up is not None:
        most = max(int(frame.height() / (line * 1.3)), 1)
        for value in ticks(up.low, up.high, most=min(most, 5)):
            y = round(up.at(value)) + 0.5
            painter.setPen(QPen(faint, 1))
            painter.drawLine(QLineF(frame.left(), y, frame.right(), y))
            painter.setPen(muted)
            box = QRectF(0, y - line / 2, frame.left() - _GAP, line)
            end = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(box, end, worded(value))
    painter.setPen(QPen(QColor(palette.border), 1))
    bottom = round(frame.bottom()) + 0.5
    painter.drawLine(QLineF(frame.left(), bottom, frame.right(), bottom))
    painter.setPen(muted)
    wide = painter.fontMetrics().horizontalAdvance("000k")
    for value in ticks(across.low, across.high, most=max(int(frame.width() / (wide * 1.4)), 1)):
        box = QRectF(across.at(value) - wide, frame.bottom() + 2, wide * 2, line)
        painter.drawText(box, Qt.AlignmentFlag.AlignHCenter, worded(value))
