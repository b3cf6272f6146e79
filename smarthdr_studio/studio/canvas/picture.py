"""One picture seen through a lens: pans, zooms, and shows where the cursor is.

A plain widget instead of a plotting library's scene: the four views share one lens by value,
the picture is scaled once per lens with proper means below 1:1, and a moving crosshair repaints
two thin lines.
"""

from typing import Any, Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from smarthdr_studio.core.display import Legend, Lens, Pyramid, Rgb8
from smarthdr_studio.studio.canvas import marks
from smarthdr_studio.studio.theme import DARK, Palette

Pixel = tuple[int, int]

_NOTCH: Final = 120
_ZOOM_PER_NOTCH: Final = 1.25


class Scaled(NamedTuple):
    """An image at screen size, where it goes, and its memory, which Qt only borrows."""

    image: QImage
    corner: QPointF
    pixels: npt.NDArray[Any]


class Picture(QWidget):
    """Shows finished 8-bit RGB; says which lens the hand asks for and which pixel is under it."""

    lens_asked = Signal(object)  # Lens
    fit_asked = Signal()
    hovered = Signal(object)  # (x, y) in image pixels, or None
    resized = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._pyramid: Pyramid | None = None
        self._legend: Legend | None = None
        self._why_empty = ""
        self._lens, self._size = Lens(), (1, 1)
        self._pixel: Pixel | None = None
        self._grip: QPointF | None = None
        self._palette = DARK
        self._scaled: Scaled | None = None
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(80, 60)

    @property
    def device_size(self) -> tuple[int, int]:
        """Width and height in the screen's own pixels: a 1:1 picture is 1:1 at any scaling."""
        ratio = self.devicePixelRatioF()
        return round(self.width() * ratio), round(self.height() * ratio)

    @property
    def pixel(self) -> Pixel | None:
        """Where the crosshair is, in image pixels."""
        return self._pixel

    def show_picture(
        self, rgb8: Rgb8 | None, *, legend: Legend | None = None, why_empty: str = ""
    ) -> None:
        """Show H×W×3 8-bit RGB, or the sentence that says why there is none.

        The very picture that is shown already costs nothing.
        """
        shown = self._pyramid.level(0)[0] if self._pyramid else None
        if rgb8 is shown and (legend, why_empty) == (self._legend, self._why_empty):
            return
        if rgb8 is not shown:
            self._pyramid = None if rgb8 is None else Pyramid(rgb8)
            self._scaled = None
        self._legend, self._why_empty = legend, why_empty
        self.update()

    def set_lens(self, lens: Lens, *, size: tuple[int, int]) -> None:
        """Look at another part of a scene of this width and height."""
        if (lens, size) != (self._lens, self._size):
            self._lens, self._size = lens, size
            self._scaled = None
            self.update()

    def set_pixel(self, pixel: Pixel | None) -> None:
        """Put the crosshair on an image pixel; only its two lines are painted again."""
        if pixel != self._pixel:
            self._update_cross()
            self._pixel = pixel
            self._update_cross()

    def set_palette_colours(self, palette: Palette) -> None:
        """The surround and the words follow the window."""
        self._palette = palette
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The part of the picture under the lens, then everything that is drawn over it."""
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(self._palette.canvas))
        if self._pyramid is None:
            marks.draw_words(painter, self.rect(), self._why_empty, palette=self._palette)
            painter.end()
            return
        scaled = self._scaled = self._scaled or self._scale(self._pyramid)
        if scaled is not None:
            painter.drawImage(scaled.corner, scaled.image)
        ratio = self.devicePixelRatioF()
        seen = marks.Seen(lens=self._lens, view=self.device_size, ratio=ratio, image=self._size)
        marks.draw_grid(painter, seen)
        if self._pixel is not None:
            marks.draw_cross(painter, seen, self._pixel)
        if self._legend is not None:
            marks.draw_legend(painter, self.rect(), self._legend)
        painter.end()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the cursor."""
        factor = _ZOOM_PER_NOTCH ** (event.angleDelta().y() / _NOTCH)
        about = self._device(event.position())
        self._ask(self._lens.zoomed(factor, about=about, view=self.device_size))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the picture."""
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._grip = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pan while held; always say which pixel is under the cursor."""
        if self._grip is not None:
            moved = event.position() - self._grip
            self._grip = event.position()
            ratio = self.devicePixelRatioF()
            self._ask(self._lens.moved(moved.x() * ratio, moved.y() * ratio))
        x, y = self._lens.to_image(self._device(event.position()), view=self.device_size)
        inside = 0 <= x < self._size[0] and 0 <= y < self._size[1]
        self.hovered.emit((int(x), int(y)) if inside else None)

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """Let go."""
        self._grip = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show the whole picture again."""
        self.fit_asked.emit()
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        """No pixel is under the cursor any more."""
        self.hovered.emit(None)
        super().leaveEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another part of the picture comes into view."""
        self._scaled = None
        self.resized.emit()
        super().resizeEvent(event)

    def _ask(self, lens: Lens) -> None:
        self.lens_asked.emit(lens.within(self._size))

    def _device(self, point: QPointF) -> tuple[float, float]:
        ratio = self.devicePixelRatioF()
        return point.x() * ratio, point.y() * ratio

    def _scale(self, pyramid: Pyramid) -> Scaled | None:
        """The part under the lens at screen size, and where it goes; None when all is outside."""
        seen = pyramid.seen(self._lens, view=self.device_size)
        if seen is None:
            return None
        # Four bytes a pixel is the one layout Qt copies to the screen without converting.
        pixels = np.ascontiguousarray(cv2.cvtColor(seen.rgb8, cv2.COLOR_RGB2BGRA))
        height, width = pixels.shape[:2]
        ratio = self.devicePixelRatioF()
        image = QImage(pixels.data, width, height, width * 4, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        return Scaled(image, QPointF(seen.left / ratio, seen.top / ratio), pixels)

    def _update_cross(self) -> None:
        if self._pixel is None:
            return
        middle = (self._pixel[0] + 0.5, self._pixel[1] + 0.5)
        x, y = self._lens.to_screen(middle, view=self.device_size)
        ratio = self.devicePixelRatioF()
        reach = int(self._lens.scale / ratio) // 2 + 3
        at = QPoint(int(x / ratio), int(y / ratio))
        self.update(QRect(0, at.y() - reach, self.width(), 2 * reach))
        self.update(QRect(at.x() - reach, 0, 2 * reach, self.height()))
