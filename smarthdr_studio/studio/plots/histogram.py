"""How scores are spread, and the threshold that cuts them, to be dragged."""

from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QBrush, QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from smarthdr_studio.studio.plots.axes import ArrowKeys, Axis, draw_frame, stepped
from smarthdr_studio.studio.theme import DARK, Palette

_MARGIN: Final = 8


class ThresholdHistogram(QWidget):
    """Bars by the logarithm of their counts; what is beyond the threshold has a hatch as well.

    The line moves when `set_tau` says so: a drag only tells where the hand is.
    """

    tau_dragged = Signal(float)
    tau_released = Signal(float)

    def __init__(self, name: str, *, dropped: Literal["bad", "warn"] = "bad") -> None:
        super().__init__()
        self._counts = np.zeros(0, np.int64)
        self._edges = np.linspace(0, 1, 2)
        self._tau, self._wish, self._held = 0.4, 0.4, False
        self._dropped = dropped
        self._palette = DARK
        self._name = name
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 52)
        self._keys = ArrowKeys(self)
        self._keys.stepped.connect(self._step)
        self._keys.let_go.connect(self._let_go)
        self._describe()

    @property
    def tau(self) -> float:
        """Where the line is, in [0, 1]."""
        return self._tau

    def set_counts(self, edges: npt.NDArray[Any], counts: npt.NDArray[Any]) -> None:
        """N counts between n + 1 rising edges of scores in [0, 1]."""
        if len(edges) != len(counts) + 1:
            raise ValueError(f"{len(counts)} counts lie between {len(counts) + 1} edges")
        self._edges = np.asarray(edges, np.float64)
        self._counts = np.asarray(counts, np.int64)
        self.update()

    def set_tau(self, tau: float) -> None:
        """Put the line at a threshold in [0, 1]."""
        if tau != self._tau:
            self._tau = tau
            self._describe()
            self.update()

    def set_name(self, name: str) -> None:
        """Say whose scores these are."""
        if name != self._name:
            self._name = name
            self._describe()

    def set_palette_colours(self, palette: Palette) -> None:
        """Dress the histogram."""
        self._palette = palette
        self.update()

    def sizeHint(self) -> QSize:
        """Low and wide."""
        return QSize(240, 72)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the line to the hand."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._held = True
            self.tau_dragged.emit(self._under(event))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The line follows."""
        if self._held:
            self.tau_dragged.emit(self._under(event))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The hand let go here."""
        if self._held:
            self._held = False
            self.tau_released.emit(self._under(event))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Bars in two parts, then the line."""
        painter = QPainter(self)
        across, frame = self._axis()
        draw_frame(painter, across, None, palette=self._palette, frame=frame)
        if self._counts.any():
            line = across.at(self._tau)
            bars = self._bars(across, frame)
            self._draw_part(painter, bars, self._left_of(frame, line), kept=True)
            self._draw_part(painter, bars, self._right_of(frame, line), kept=False)
            self._draw_line(painter, line, frame)
        else:
            painter.setPen(QColor(self._palette.muted))
            painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, "No scores yet")
        painter.end()

    def _axis(self) -> tuple[Axis, QRectF]:
        below = self.fontMetrics().height() + 4
        frame = QRectF(self.rect()).adjusted(_MARGIN, 4, -_MARGIN, -below)
        return Axis(low=0.0, high=1.0, first=frame.left(), last=frame.right()), frame

    def _under(self, event: QMouseEvent) -> float:
        return round(self._axis()[0].value(event.position().x()), 3)

    def _bars(self, across: Axis, frame: QRectF) -> list[QRectF]:
        heights = np.log1p(self._counts) / np.log1p(self._counts.max()) * frame.height()
        sides = [across.at(edge) for edge in self._edges.tolist()]
        return [
            QRectF(left, frame.bottom() - height, right - left, height)
            for left, right, height in zip(sides[:-1], sides[1:], heights.tolist(), strict=True)
            if height > 0
        ]

    def _draw_part(
        self, painter: QPainter, bars: list[QRectF], part: QRectF, *, kept: bool
    ) -> None:
        p = self._palette
        colour = QColor(p.good if kept else p.bad if self._dropped == "bad" else p.warn)
        painter.save()
        painter.setClipRect(part)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRects(bars)
        if not kept:
            painter.setBrush(QBrush(QColor(p.panel), Qt.BrushStyle.BDiagPattern))
            painter.drawRects(bars)
        painter.restore()

    def _draw_line(self, painter: QPainter, line: float, frame: QRectF) -> None:
        """The threshold; with the focus it wears a handle."""
        p, focused = self._palette, self.hasFocus()
        painter.setPen(QPen(QColor(p.accent if focused else p.text), 3 if focused else 2))
        painter.drawLine(QPointF(line, frame.top() - 3), QPointF(line, frame.bottom() + 2))
        if focused:
            painter.setBrush(QColor(p.accent))
            painter.drawEllipse(QPointF(line, frame.center().y()), 4, 4)

    @Slot(float, float)
    def _step(self, across: float, up: float) -> None:
        self._wish = stepped(self._tau, across + up)
        self.tau_dragged.emit(self._wish)

    @Slot()
    def _let_go(self) -> None:
        self.tau_released.emit(self._wish)

    @staticmethod
    def _left_of(frame: QRectF, line: float) -> QRectF:
        return QRectF(frame.left(), frame.top(), line - frame.left(), frame.height())

    @staticmethod
    def _right_of(frame: QRectF, line: float) -> QRectF:
        return QRectF(line, frame.top(), frame.right() - line, frame.height())

    def _describe(self) -> None:
        self.setAccessibleName(f"Histogram of {self._name}, threshold {self._tau:.2f}")
        self.setToolTip(
            f"{self._name}: how many have which score, by the logarithm of their count. Drag the"
            " line; arrow keys move it by 0.01, with Shift by 0.1 (Tab reaches it, Esc leaves it)"
        )
