"""One chart of values that grow while a run goes on."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from smarthdr_studio.studio.plots.axes import Axis, comfortable, draw_frame, worded
from smarthdr_studio.studio.plots.trace import Trace
from smarthdr_studio.studio.theme import DARK, Palette

_DASHES: Final = (
    Qt.PenStyle.SolidLine,
    Qt.PenStyle.DashLine,
    Qt.PenStyle.DotLine,
    Qt.PenStyle.DashDotLine,
)
_MARGIN: Final = 8
_FEW: Final = 600


class Curve(QWidget):
    """Named series over one axis, the value now beside each name; the wheel passes through."""

    def __init__(self, title: str, unit: str = "", *, across: str = "step", tip: str = "") -> None:
        super().__init__()
        self._title, self._unit, self._across = title, unit, across
        self._series: dict[str, Trace] = {}
        self._palette = DARK
        self._pointed: float | None = None  # pixel under the cursor
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 84)
        self.setAccessibleName(f"Chart of {title}")
        self.setToolTip(tip or f"{title} over {across}; point at it to read a value")

    def add(self, series: str, x: float, y: float) -> None:
        """Append a point to a series, which begins with its first point; x never falls."""
        self._trace(series).add(x, y)
        self.update()

    def extend(self, series: str, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> None:
        """Append many points, as when a finished run is opened."""
        self._trace(series).extend(x, y)
        self.update()

    def clear(self) -> None:
        """Forget all series."""
        self._series.clear()
        self.update()

    def now(self, series: str) -> float | None:
        """The newest value of a series."""
        trace = self._series.get(series)
        return trace.last[1] if trace and trace.last else None

    def set_palette_colours(self, palette: Palette) -> None:
        """Dress the chart."""
        self._palette = palette
        self.update()

    def sizeHint(self) -> QSize:
        """Wide enough for five ticks."""
        return QSize(220, 130)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read the values under the cursor."""
        self._pointed = event.position().x()
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Back to the values now."""
        self._pointed = None
        self.update()
        super().leaveEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Words above, curves below."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        axes = self._axes(painter)
        if axes is None:
            self._draw_words(painter, at=None)
            painter.setPen(QColor(self._palette.muted))
            below = self.rect().adjusted(_MARGIN, painter.fontMetrics().height(), -_MARGIN, 0)
            centre = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(below, centre, "Nothing yet: it begins with a run")
            painter.end()
            return
        across, up, frame = axes
        at = None if self._pointed is None else across.value(self._pointed)
        self._draw_words(painter, at=at)
        draw_frame(painter, across, up, palette=self._palette, frame=frame)
        for index, trace in enumerate(self._series.values()):
            self._draw_trace(painter, trace, across, up, index=index)
        if at is not None:
            painter.setPen(QPen(QColor(self._palette.muted), 1))
            x = across.at(at)
            painter.drawLine(QPointF(x, frame.top()), QPointF(x, frame.bottom()))
        painter.end()

    def _trace(self, series: str) -> Trace:
        return self._series.setdefault(series, Trace())

    def _axes(self, painter: QPainter) -> tuple[Axis, Axis, QRectF] | None:
        spans = [span for trace in self._series.values() if (span := trace.span()) is not None]
        if not spans:
            return None
        starts, ends, lows, highs = zip(*spans, strict=True)
        line = painter.fontMetrics().height()
        gutter = painter.fontMetrics().horizontalAdvance("0.0000")
        words = line * 2
        frame = QRectF(self.rect()).adjusted(
            _MARGIN + gutter, _MARGIN + words + 4, -_MARGIN - 4, -line - 6
        )
        first, last = min(starts), max(ends)
        across = Axis(
            low=first,
            high=last if last > first else first + 1,
            first=frame.left(),
            last=frame.right(),
        )
        low, high = comfortable(min(lows), max(highs))
        up = Axis(low=low, high=high, first=frame.bottom(), last=frame.top())
        return across, up, frame

    def _draw_words(self, painter: QPainter, *, at: float | None) -> None:
        """Title in bold, then a line of values in the colours of their series."""
        line = QRectF(self.rect()).adjusted(_MARGIN, _MARGIN / 2, -_MARGIN, 0)
        line.setHeight(painter.fontMetrics().height())
        over = self._across if at is None else f"{self._across} {worded(round(at))}"
        bold, plain = QFont(painter.font()), painter.font()
        bold.setBold(True)
        painter.setFont(bold)
        rest = _put(painter, line, self._title, colour=self._palette.text)
        painter.setFont(plain)
        if painter.fontMetrics().horizontalAdvance(over) < rest.width():
            painter.setPen(QColor(self._palette.muted))
            painter.drawText(rest, Qt.AlignmentFlag.AlignRight, over)
        below = line.translated(0, line.height())
        if len(self._series) == 1:
            (trace,) = self._series.values()
            words = f"{_value(trace, at=at)} {self._unit}".strip()
            _put(painter, below, words, colour=self._colour(0))
        else:
            self._draw_names(painter, below, at=at)

    def _draw_names(self, painter: QPainter, line: QRectF, *, at: float | None) -> None:
        """Every series in its colour: value and name, or what matters more where room is short.

        That is the name, so that a colour can be told; under the cursor it is the value.
        """
        values = [_value(trace, at=at, digits=2) for trace in self._series.values()]
        words = [f"{value} {name}" for value, name in zip(values, self._series, strict=True)]
        if painter.fontMetrics().horizontalAdvance("  ".join(words)) > line.width():
            words = list(self._series) if at is None else values
        for index, each in enumerate(words):
            line = _put(painter, line, each, colour=self._colour(index))

    def _draw_trace(
        self, painter: QPainter, trace: Trace, across: Axis, up: Axis, *, index: int
    ) -> None:
        x, y = trace.outline()
        points = np.stack(
            (
                np.interp(x, (across.low, across.high), (across.first, across.last)),
                up.first + (y - up.low) / (up.high - up.low) * (up.last - up.first),
            ),
            1,
        )
        # Thousands of smooth, wide or dashed segments are what would make long runs slow.
        few = len(points) <= _FEW
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=few)
        style = _DASHES[index % len(_DASHES)] if few else Qt.PenStyle.SolidLine
        painter.setPen(QPen(QColor(self._colour(index)), 1.5 if few else 1.0, style))
        painter.drawPolyline(QPolygonF([QPointF(px, py) for px, py in points.tolist()]))
        end = QPointF(*points[-1])
        painter.setBrush(QColor(self._colour(index)))
        painter.drawEllipse(end, 2, 2)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _colour(self, index: int) -> str:
        p = self._palette
        return (p.accent, p.warn, p.good, p.bad, p.muted)[index % 5]


def _put(painter: QPainter, line: QRectF, words: str, *, colour: str) -> QRectF:
    """Write words at the start of a line, … where it ends, and answer the room that is left."""
    metrics = painter.fontMetrics()
    shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, max(int(line.width()), 0))
    painter.setPen(QColor(colour))
    painter.drawText(line, Qt.AlignmentFlag.AlignLeft, shown)
    taken = min(metrics.horizontalAdvance(shown) + 8.0, line.width())
    return line.adjusted(taken, 0, 0, 0)


def _value(trace: Trace, *, at: float | None, digits: int | None = None) -> str:
    """The value at a place, or the newest; in few digits where several share a line."""
    value = trace.near(at) if at is not None else trace.last[1] if trace.last else None
    if value is None:
        return "–"
    return worded(value) if digits is None else worded(float(f"{value:.{digits}g}"))
