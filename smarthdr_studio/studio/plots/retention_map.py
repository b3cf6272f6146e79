"""Which share of the pool every pair of thresholds keeps, and the pair in use, to be dragged."""

from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from smarthdr_studio.core.display import ColourMap, sigma_rgb8
from smarthdr_studio.core.masking import Range
from smarthdr_studio.studio.plots.axes import Axis, draw_frame
from smarthdr_studio.studio.theme import DARK, Palette

_ISO: Final = 0.8
_SMOOTH: Final = 256  # pixels the map is drawn with before Qt scales it
_MARGIN: Final = 8


class RetentionMap(QWidget):
    """τ_pa to the right, τ_pi upwards, light where much is kept; a line where 80 % is.

    The point moves when `set_taus` says so: a drag only tells where the hand is.
    """

    picked = Signal(float, float)
    released = Signal(float, float)

    def __init__(self) -> None:
        super().__init__()
        self._shares: npt.NDArray[np.float32] | None = None
        self._image: QImage | None = None
        self._taus, self._held = (0.4, 0.4), False
        self._palette = DARK
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(140, 110)
        self.setToolTip("Kept share of the pool for τ_pa (→) and τ_pi (↑); drag the point")
        self._describe()

    def set_shares(self, shares: npt.NDArray[Any] | None) -> None:
        """Kept shares in [0, 1] as n×n, row k for the k-th τ_pi and column k for the k-th τ_pa.

        Both thresholds run evenly from 0 to 1. None says that nothing is known.
        """
        self._shares = None if shares is None else np.asarray(shares, np.float32)
        self._image = None if self._shares is None else _image(self._shares)
        self._describe()
        self.update()

    def set_taus(self, patch: float, pixel: float) -> None:
        """Put the point at a pair of thresholds in [0, 1]."""
        if (patch, pixel) != self._taus:
            self._taus = (patch, pixel)
            self._describe()
            self.update()

    def set_palette_colours(self, palette: Palette) -> None:
        """Dress the map."""
        self._palette = palette
        self.update()

    def share_at(self, patch: float, pixel: float) -> float | None:
        """The kept share of a pair of thresholds, between the grid's values bilinearly."""
        if self._shares is None:
            return None
        rows, columns = self._shares.shape
        x, y = np.float32(patch * (columns - 1)), np.float32(pixel * (rows - 1))
        found = cv2.remap(
            self._shares,
            np.full((1, 1), x, np.float32),
            np.full((1, 1), y, np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return float(found[0, 0])

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

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The map, its 80 % line and the point."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        across, up, frame = self._axes()
        if self._image is None or self._shares is None:
            painter.setPen(QColor(self._palette.muted))
            centre = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect(), centre, "Known once pseudo-labels exist")
            painter.end()
            return
        draw_frame(painter, across, up, palette=self._palette, frame=frame)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(frame, self._image)
        self._draw_iso(painter, across, up)
        self._draw_point(painter, QPointF(across.at(self._taus[0]), up.at(self._taus[1])), frame)
        painter.end()

    def _axes(self) -> tuple[Axis, Axis, QRectF]:
        metrics = self.fontMetrics()
        left, below = metrics.horizontalAdvance("0.0") + _MARGIN, metrics.height() + 4
        frame = QRectF(self.rect()).adjusted(left, metrics.height() / 2, -_MARGIN, -below)
        across = Axis(low=0.0, high=1.0, first=frame.left(), last=frame.right())
        up = Axis(low=0.0, high=1.0, first=frame.bottom(), last=frame.top())
        return across, up, frame

    def _under(self, event: QMouseEvent) -> tuple[float, float]:
        across, up, _ = self._axes()
        where = event.position()
        return round(across.value(where.x()), 3), round(up.value(where.y()), 3)

    def _draw_iso(self, painter: QPainter, across: Axis, up: Axis) -> None:
        assert self._shares is not None
        points = [QPointF(across.at(x), up.at(y)) for x, y in iso_line(self._shares, level=_ISO)]
        for colour, width in ((QColor(0, 0, 0, 140), 3.0), (QColor(255, 255, 255, 230), 1.3)):
            painter.setPen(QPen(colour, width))
            painter.drawPolyline(QPolygonF(points))
        if points:
            painter.drawText(points[-1] + QPointF(-44, -5), "80 %")

    def _draw_point(self, painter: QPainter, point: QPointF, frame: QRectF) -> None:
        painter.setPen(QPen(QColor("#000000"), 1.5))
        painter.setBrush(QColor("#ffffff"))
        painter.drawEllipse(point, 6, 6)
        share = self.share_at(*self._taus)
        words = "" if share is None else f"{100 * share:.0f} %"
        wide, line = painter.fontMetrics().horizontalAdvance(words) + 8, 18
        box = QRectF(point.x() + 10, point.y() - line / 2, wide, line)
        if box.right() > frame.right():
            box.moveRight(point.x() - 10)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 150))
        painter.drawRoundedRect(box, 3, 3)
        painter.setPen(QColor("#ffffff"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)

    def _describe(self) -> None:
        share = self.share_at(*self._taus)
        kept = "" if share is None else f", {share:.0%} kept"
        patch, pixel = self._taus
        self.setAccessibleName(f"Map of kept shares, τ_pa {patch:.2f}, τ_pi {pixel:.2f}{kept}")


def iso_line(shares: npt.NDArray[np.float32], *, level: float) -> list[tuple[float, float]]:
    """Where each column first reaches a share, as (τ_pa, τ_pi); columns that never do are left."""
    rows, columns = shares.shape
    taus = np.linspace(0, 1, rows)
    points = []
    for column, patch in zip(shares.T, np.linspace(0, 1, columns).tolist(), strict=True):
        rising = np.maximum.accumulate(column)
        if rising[-1] >= level:
            reached = int(np.argmax(rising >= level))
            pixel = taus[reached]
            if reached > 0:
                before, after = float(rising[reached - 1]), float(rising[reached])
                pixel -= (after - level) / (after - before) * taus[1]
            points.append((patch, float(pixel)))
    return points


def _image(shares: npt.NDArray[np.float32]) -> QImage:
    """The map upright and smooth: grid values lie on its edges, not inside them."""
    rows, columns = shares.shape
    where = np.linspace(0, 1, _SMOOTH, dtype=np.float32)
    x, y = np.meshgrid(where * (columns - 1), where[::-1] * (rows - 1))
    smooth = cv2.remap(shares, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    rgb8 = sigma_rgb8(smooth.view(np.float32), span=Range(0.0, 1.0), colour_map=ColourMap.TIDE)
    return QImage(rgb8.data, _SMOOTH, _SMOOTH, _SMOOTH * 3, QImage.Format.Format_RGB888).copy()
