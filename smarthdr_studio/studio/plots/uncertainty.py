"""Whether σ is as large as the error: calibration, and sparsification with both thresholds."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QBrush, QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from smarthdr_studio.core.trust.reliability import Evidence
from smarthdr_studio.studio.plots.axes import (
    LOOSE,
    ArrowKeys,
    Axis,
    draw_frame,
    log_ticks,
    place_for,
    stepped,
    worded,
)
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
        painter.drawText(inside, top, "overconfident")
        painter.drawText(inside, bottom, "underconfident")


def known_bins(predicted: Doubles, observed: Doubles) -> Doubles:
    """The bins a logarithm can show, K×2 of (predicted, observed)."""
    pairs = np.stack((predicted, observed), 1).astype(np.float64)
    return pairs[np.isfinite(pairs).all(1) & (pairs > 0).all(1)]


_STYLES: Final = {
    "by σ": (Qt.PenStyle.SolidLine, 2.0),
    "oracle": (Qt.PenStyle.DashLine, 1.6),
    "random": (Qt.PenStyle.DotLine, 1.6),
}
_HATCH: Final = Qt.BrushStyle.FDiagPattern
_TIP: Final = (
    "Absolute error (|error| on the μ-law, mean over channels) of the pixels that are left, divided"
    " by that of all, while the least sure are dropped: by σ, by the true error (oracle) and at"
    " random. The shaded area is AUSE. Drag the point to move the thresholds; arrow keys move it by"
    " 0.01, with Shift by 0.1 (Tab reaches it, Esc leaves it)"
)


class Sparsification(QWidget):
    """Three named curves over the dropped share; says where the hand drags the point.

    The point moves when `set_point` says so.
    """

    drop_dragged = Signal(float)
    drop_released = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self._evidence: Evidence | None = None
        self._curves: dict[str, Doubles] = {}
        self._point: tuple[float, float] | None = None
        self._held, self._wish = False, 0.0
        self._palette = DARK
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(140, 84)
        self.setToolTip(_TIP)
        self._keys = ArrowKeys(self)
        self._keys.stepped.connect(self._step)
        self._keys.let_go.connect(self._let_go)
        self._describe()

    def set_evidence(self, shown: Evidence | None) -> None:
        """Show these curves, or that nothing is known."""
        if shown is self._evidence:
            return
        self._evidence = shown
        curves = {} if shown is None else dict(zip(_STYLES, _three(shown), strict=True))
        self._curves = {name: points for name, points in curves.items() if len(points)}
        self._describe()
        self.update()

    def set_point(self, point: tuple[float, float] | None) -> None:
        """Where the thresholds stand: (dropped share, error of the rest ÷ error of all)."""
        if point != self._point:
            self._point = point
            self._describe()
            self.update()

    def set_palette_colours(self, palette: Palette) -> None:
        """Dress the chart."""
        self._palette = palette
        self.update()

    def sizeHint(self) -> QSize:
        """Wider than high."""
        return QSize(260, 150)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the point to the hand."""
        if event.button() == Qt.MouseButton.LeftButton and self._curves:
            self._held = True
            self.drop_dragged.emit(self._under(event))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The point follows."""
        if self._held:
            self.drop_dragged.emit(self._under(event))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The hand let go here."""
        if self._held:
            self._held = False
            self.drop_released.emit(self._under(event))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The area between, the curves with their names, the point."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self._curves:
            painter.setPen(QColor(self._palette.muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "No errors known yet")
            painter.end()
            return
        across, up, frame = self._axes()
        draw_frame(painter, across, up, palette=self._palette, frame=frame)
        placed = {name: _placed(points, across, up) for name, points in self._curves.items()}
        self._draw_area(painter, placed)
        for name, points in placed.items():
            style, width = _STYLES[name]
            painter.setPen(QPen(QColor(self._colour(name)), width, style))
            painter.drawPolyline(_polygon(points))
        taken = self._draw_point(painter, across, up, frame)
        self._draw_names(painter, placed, frame=frame, taken=taken)
        painter.end()

    def _axes(self) -> tuple[Axis, Axis, QRectF]:
        metrics = self.fontMetrics()
        left, below = metrics.horizontalAdvance("0.0") + _MARGIN, metrics.height() + 4
        frame = QRectF(self.rect()).adjusted(left, 4, -_MARGIN, -below)
        most = max((float(points[:, 1].max()) for points in self._curves.values()), default=1.0)
        across = Axis(low=0.0, high=1.0, first=frame.left(), last=frame.right())
        up = Axis(low=0.0, high=max(most, 1.0) * 1.2, first=frame.bottom(), last=frame.top())
        return across, up, frame

    def _under(self, event: QMouseEvent) -> float:
        return round(self._axes()[0].value(event.position().x()), 3)

    def _draw_area(self, painter: QPainter, placed: dict[str, Doubles]) -> None:
        if "by σ" not in placed or "oracle" not in placed:
            return
        between = _polygon(np.concatenate([placed["by σ"], placed["oracle"][::-1]]))
        tint = QColor(self._palette.accent)
        painter.setPen(Qt.PenStyle.NoPen)
        for alpha, pattern in ((0.16, Qt.BrushStyle.SolidPattern), (0.5, _HATCH)):
            tint.setAlphaF(alpha)
            painter.setBrush(QBrush(tint, pattern))
            painter.drawPolygon(between)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _draw_names(
        self, painter: QPainter, placed: dict[str, Doubles], *, frame: QRectF, taken: list[QRectF]
    ) -> None:
        every = np.concatenate([_dense(points) for points in placed.values()])
        metrics = painter.fontMetrics()
        for name, points in reversed(placed.items()):
            size = (metrics.horizontalAdvance(name) + 4.0, metrics.height() - 2.0)
            box = place_for(
                [points], size=size, frame=frame, taken=taken, apart=every, beside=LOOSE
            )
            if box is not None:
                taken.append(box)
                painter.setPen(QColor(self._colour(name)))
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)

    def _draw_point(self, painter: QPainter, across: Axis, up: Axis, frame: QRectF) -> list[QRectF]:
        """The point on its plumb line, with its words; answers the places they take."""
        if self._point is None or not np.isfinite(self._point).all():
            return []
        p, focused = self._palette, self.hasFocus()
        at = QPointF(across.at(self._point[0]), up.at(min(self._point[1], up.high)))
        painter.setPen(QPen(QColor(p.accent if focused else p.text), 2 if focused else 1))
        painter.drawLine(QPointF(at.x(), frame.top()), QPointF(at.x(), frame.bottom()))
        painter.setPen(QPen(QColor(p.panel), 1.5))
        painter.setBrush(QColor(p.accent if focused else p.text))
        painter.drawEllipse(at, 6, 6)
        metrics = painter.fontMetrics()
        words = f"{100 * self._point[0]:.0f} % dropped"
        box = QRectF(
            at.x() + 6, frame.top(), metrics.horizontalAdvance(words) + 4, metrics.height()
        )
        if box.right() > frame.right():
            box.moveRight(at.x() - 6)
        painter.setPen(QColor(p.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
        plumb = QRectF(at.x() - 2, frame.top(), 4, frame.height())
        return [box, plumb, QRectF(at.x() - 8, at.y() - 8, 16, 16)]

    def _colour(self, name: str) -> str:
        p = self._palette
        return {"by σ": p.accent, "oracle": p.good}.get(name, p.muted)

    @Slot(float, float)
    def _step(self, across: float, _up: float) -> None:
        if self._point is not None and across:
            self._wish = stepped(self._point[0], across)
            self.drop_dragged.emit(self._wish)

    @Slot()
    def _let_go(self) -> None:
        if self._point is not None:
            self.drop_released.emit(self._wish)

    def _describe(self) -> None:
        words = "Sparsification curves"
        if self._point is not None:
            dropped, rest = self._point
            words += (
                f", thresholds drop {dropped:.0%}, absolute error of the rest {rest:.2f} of all"
            )
        self.setAccessibleName(words if self._curves else "Sparsification curves, none yet")


def _three(shown: Evidence) -> tuple[Doubles, ...]:
    """Each curve as K×2 of (dropped share, error of the rest ÷ error of all), where known."""
    pairs = (
        np.stack((np.linspace(0, 1, len(curve)), curve), 1)
        for curve in (shown.by_sigma, shown.oracle, shown.random)
    )
    return tuple(points[np.isfinite(points).all(1)] for points in pairs)


def _placed(points: Doubles, across: Axis, up: Axis) -> Doubles:
    corner = np.array((across.at(0.0), up.at(0.0)))
    placed: Doubles = corner + points * (np.array((across.at(1.0), up.at(1.0))) - corner)
    return placed


def _polygon(points: Doubles) -> QPolygonF:
    return QPolygonF([QPointF(x, y) for x, y in points.tolist()])


def _dense(points: Doubles) -> Doubles:
    """Enough points of a line that no word slips between two of them."""
    where = np.linspace(0, len(points) - 1, 8 * len(points))
    return np.stack([np.interp(where, np.arange(len(points)), part) for part in points.T], 1)
