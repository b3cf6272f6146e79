"""Which share of the pool every pair of thresholds keeps, and the pair in use, to be dragged."""

from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from smarthdr_studio.core.display import ColourMap, sigma_rgb8
from smarthdr_studio.core.masking import Range
from smarthdr_studio.studio.plots.arrow_keys import ArrowKeys, stepped
from smarthdr_studio.studio.plots.axes import Axis, draw_frame
from smarthdr_studio.studio.plots.contours import Pair, nearest_on_iso, share_at
from smarthdr_studio.studio.plots.iso_lines import LEVELS, IsoLines
from smarthdr_studio.studio.theme import DARK, Palette

Marks = tuple[tuple[str, float, float], ...]

_SMOOTH: Final = 256  # pixels the map is drawn with before Qt scales it
_MARGIN: Final = 8
_ON_LINE: Final = 10.0  # pixels a double click may lie beside an iso-line
_MARK: Final = 16.0
_WHITE, _BLACK = QColor("#ffffff"), QColor("#000000")


class RetentionMap(QWidget):
    """τ_pa to the right, τ_pi upwards, light where much is kept; lines of equal shares.

    The point moves when `set_taus` says so: a drag only tells where the hand is.
    """

    picked = Signal(float, float)
    released = Signal(float, float)

    def __init__(self) -> None:
        super().__init__()
        self._shares: npt.NDArray[np.float32] | None = None
        self._image: QImage | None = None
        self._lines: IsoLines | None = None
        self._ground: QPixmap | None = None
        self._taus, self._wish = (0.4, 0.4), (0.4, 0.4)
        self._kept: float | None = None
        self._marks: Marks = ()
        self._held = False
        self._palette = DARK
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(140, 165)
        self.setToolTip(
            "Kept share of the pool for τ_pa (→) and τ_pi (↑). Drag the point, or double-click a"
            " line to keep exactly its share. Arrow keys move the point by 0.01, with Shift by 0.1"
            " (Tab reaches it, Esc leaves it)"
        )
        self._keys = ArrowKeys(self)
        self._keys.stepped.connect(self._step)
        self._keys.let_go.connect(self._let_go)
        self._describe()

    def set_shares(self, shares: npt.NDArray[Any] | None) -> None:
        """Kept shares in [0, 1] as n×n, row k for the k-th τ_pi and column k for the k-th τ_pa.

        Both thresholds run evenly from 0 to 1. None says that nothing is known.
        """
        self._shares = None if shares is None else np.asarray(shares, np.float32)
        self._image = None if self._shares is None else _image(self._shares)
        self._lines = None if self._shares is None else IsoLines(self._shares)
        self._ground = None
        self._describe()
        self.update()

    def set_taus(self, patch: float, pixel: float, *, kept: float | None = None) -> None:
        """Put the point at a pair of thresholds in [0, 1]; `kept` is its exact share, if known."""
        if (patch, pixel, kept) != (*self._taus, self._kept):
            self._taus, self._kept = (patch, pixel), kept
            self._describe()
            self.update()

    def set_marks(self, marks: Marks) -> None:
        """Pairs set aside, as (letter, τ_pa, τ_pi)."""
        if marks != self._marks:
            self._marks = marks
            self.update()

    def set_palette_colours(self, palette: Palette) -> None:
        """Dress the map."""
        self._palette, self._ground = palette, None
        self.update()

    def share_at(self, patch: float, pixel: float) -> float | None:
        """The kept share of a pair of thresholds, between the grid's values bilinearly."""
        return None if self._shares is None else share_at(self._shares, patch, pixel)

    @Slot(float)
    def keep(self, level: float) -> None:
        """Take the point to the nearest pair that keeps a share in [0, 1], where there is one."""
        if (pair := self._nearest(level, self._taus)) is not None:
            self.released.emit(*pair)

    def sizeHint(self) -> QSize:
        """About a square."""
        return QSize(240, 220)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the point to the hand."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._held = True
            self.picked.emit(*self._under(event))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """The point follows."""
        if self._held:
            self.picked.emit(*self._under(event))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The hand let go here."""
        if self._held:
            self._held = False
            self.released.emit(*self._under(event))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """On a line: take the point exactly onto it."""
        here = self._under(event)
        across, up, _ = self._axes()
        near = []
        for level in LEVELS:
            if (pair := self._nearest(level, here)) is not None:
                away = QPointF(across.at(pair[0]), up.at(pair[1])) - event.position()
                near.append((float(np.hypot(away.x(), away.y())), pair))
        if near and min(near)[0] <= _ON_LINE:
            self.released.emit(*min(near)[1])

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The map, its lines, the pairs set aside and the point."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        across, up, frame = self._axes()
        if self._image is None or self._lines is None:
            painter.setPen(QColor(self._palette.muted))
            centre = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect(), centre, "Known once pseudo-labels exist")
            painter.end()
            return
        painter.drawPixmap(0, 0, self._ground_under(self._image, self._lines))
        point = QPointF(across.at(self._taus[0]), up.at(self._taus[1]))
        words = self._words()
        label = _label_box(painter, point, words, frame)
        marks = [_box_around(across.at(x), up.at(y)) for _, x, y in self._marks]
        words_of_axes = _axis_boxes(painter, frame)
        taken = [label, _box_around(point.x(), point.y()), *marks, *words_of_axes.values()]
        self._lines.draw_numbers(painter, taken=taken)
        painter.setPen(QColor(255, 255, 255, 200))
        for axis, box in words_of_axes.items():
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, axis)
        for (name, _, _), box in zip(self._marks, marks, strict=True):
            _draw_mark(painter, name, box)
        _draw_point(painter, point, accent=self._palette.accent if self.hasFocus() else None)
        _draw_label(painter, words, label)
        painter.end()

    def _ground_under(self, image: QImage, lines: IsoLines) -> QPixmap:
        """Map, axes and lines, which a moving point does not change."""
        ratio = self.devicePixelRatioF()
        if self._ground is None or self._ground.size() != self.size() * ratio:
            across, up, frame = self._axes()
            ground = QPixmap(self.size() * ratio)
            ground.setDevicePixelRatio(ratio)
            ground.fill(Qt.GlobalColor.transparent)
            painter = QPainter(ground)
            painter.setFont(self.font())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            draw_frame(painter, across, up, palette=self._palette, frame=frame)
            painter.drawImage(frame, image)
            lines.draw_lines(painter, across=across, up=up, frame=frame)
            painter.end()
            self._ground = ground
        return self._ground

    def _axes(self) -> tuple[Axis, Axis, QRectF]:
        metrics = self.fontMetrics()
        left, below = metrics.horizontalAdvance("0.0") + _MARGIN, metrics.height() + 4
        frame = QRectF(self.rect()).adjusted(left, metrics.height() / 2, -_MARGIN, -below)
        across = Axis(low=0.0, high=1.0, first=frame.left(), last=frame.right())
        up = Axis(low=0.0, high=1.0, first=frame.bottom(), last=frame.top())
        return across, up, frame

    def _under(self, event: QMouseEvent) -> Pair:
        across, up, _ = self._axes()
        where = event.position()
        return round(across.value(where.x()), 3), round(up.value(where.y()), 3)

    def _nearest(self, level: float, taus: Pair) -> Pair | None:
        pair = None if self._shares is None else nearest_on_iso(self._shares, level, taus)
        return None if pair is None else (round(pair[0], 3), round(pair[1], 3))

    @Slot(float, float)
    def _step(self, across: float, up: float) -> None:
        self._wish = stepped(self._taus[0], across), stepped(self._taus[1], up)
        self.picked.emit(*self._wish)

    @Slot()
    def _let_go(self) -> None:
        self.released.emit(*self._wish)

    def _words(self) -> str:
        share = self._kept if self._kept is not None else self.share_at(*self._taus)
        return "" if share is None else f"{100 * share:.0f} %"

    def _describe(self) -> None:
        words = self._words()
        kept = f", {words} kept" if words else ""
        patch, pixel = self._taus
        self.setAccessibleName(f"Map of kept shares, τ_pa {patch:.2f}, τ_pi {pixel:.2f}{kept}")


def _box_around(x: float, y: float) -> QRectF:
    return QRectF(x - _MARK / 2, y - _MARK / 2, _MARK, _MARK)


def _label_box(painter: QPainter, point: QPointF, words: str, frame: QRectF) -> QRectF:
    """Beside the point, on the side that has room."""
    wide, line = painter.fontMetrics().horizontalAdvance(words) + 8, 18
    box = QRectF(point.x() + 10, point.y() - line / 2, wide, line)
    if box.right() > frame.right():
        box.moveRight(point.x() - 10)
    box.moveTop(min(max(box.top(), frame.top()), frame.bottom() - line))
    return box


def _draw_label(painter: QPainter, words: str, box: QRectF) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(0, 0, 0, 165))
    painter.drawRoundedRect(box, 3, 3)
    painter.setPen(_WHITE)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)


def _draw_point(painter: QPainter, point: QPointF, *, accent: str | None) -> None:
    """White with a dark rim; with the focus a ring around it as well."""
    if accent is not None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in ((_BLACK, 5.0), (QColor(accent), 2.5)):
            painter.setPen(QPen(colour, width))
            painter.drawEllipse(point, 10, 10)
    painter.setPen(QPen(_BLACK, 1.5))
    painter.setBrush(_WHITE)
    painter.drawEllipse(point, 6, 6)


def _axis_boxes(painter: QPainter, frame: QRectF) -> dict[str, QRectF]:
    """Which threshold runs which way, and where to say so; the map is dark in both corners."""
    metrics = painter.fontMetrics()
    size = metrics.horizontalAdvance("τ_pa →") + 6, metrics.height()
    return {
        "τ_pi ↑": QRectF(frame.left() + 2, frame.top() + 2, *size),
        "τ_pa →": QRectF(frame.right() - size[0] - 2, frame.bottom() - size[1] - 1, *size),
    }


def _draw_mark(painter: QPainter, name: str, box: QRectF) -> None:
    """A dark square with a letter, so that nobody takes it for the point."""
    painter.setPen(QPen(_WHITE, 1))
    painter.setBrush(QColor(0, 0, 0, 190))
    painter.drawRoundedRect(box, 3, 3)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, name)


def _image(shares: npt.NDArray[np.float32]) -> QImage:
    """The map upright and smooth: grid values lie on its edges, not inside them."""
    rows, columns = shares.shape
    where = np.linspace(0, 1, _SMOOTH, dtype=np.float32)
    x, y = np.meshgrid(where * (columns - 1), where[::-1] * (rows - 1))
    smooth = cv2.remap(shares, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    rgb8 = sigma_rgb8(smooth.view(np.float32), span=Range(0.0, 1.0), colour_map=ColourMap.TIDE)
    return QImage(rgb8.data, _SMOOTH, _SMOOTH, _SMOOTH * 3, QImage.Format.Format_RGB888).copy()
