"""One finished picture made ready for the screen, resampled only when it is seen anew."""

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter

from smarthdr_studio.core.display import Lens, Painted, Pyramid, Rgb8
from smarthdr_studio.studio.canvas.sight import Sight


class Scaled(NamedTuple):
    """An image at screen size, where it goes, and its memory, which Qt only borrows.

    `left` is in the screen's own pixels, `corner` in Qt's.
    """

    image: QImage
    left: int
    corner: QPointF
    pixels: npt.NDArray[Any]


class Shown:
    """A painted picture with its halves; the same lens again costs nothing."""

    def __init__(self, painted: Painted, *, before: "Shown | None" = None) -> None:
        """Take over from the picture shown `before` what the same pixels make worth keeping."""
        self.painted = painted
        self._pyramid: Pyramid | None = None
        self._scaled: tuple[Sight, Scaled | None] | None = None
        self._small: tuple[tuple[int, int], Scaled | None] | None = None
        if before is not None and painted.rgb8 is before.painted.rgb8:
            self._pyramid = before._pyramid
            self._scaled, self._small = before._scaled, before._small
        elif painted.rgb8 is not None:
            self._pyramid = Pyramid(painted.rgb8)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._pyramid.size if self._pyramid else (0, 0)

    def scaled(self, sight: Sight) -> Scaled | None:
        """The part in sight at screen size; None when there is none."""
        if self._scaled is None or self._scaled[0] != sight:
            self._scaled = sight, self._seen(sight.lens, view=sight.view, ratio=sight.ratio)
        return self._scaled[1]

    def small(self, width: int, height: int, *, ratio: float) -> Scaled | None:
        """The whole picture within width×height of the screen's own pixels."""
        if self._small is None or self._small[0] != (width, height):
            lens = Lens.fitting(self.size, view=(width, height))
            self._small = (width, height), self._seen(lens, view=(width, height), ratio=ratio)
        return self._small[1]

    def draw(self, painter: QPainter, sight: Sight, *, from_column: int = 0) -> None:
        """The part in sight, right of a column of the screen's own pixels.

        Pixels are copied one to one, never cut by a clip, so the edge is exact at any scaling.
        """
        scaled = self.scaled(sight)
        if scaled is None:
            return
        skipped = max(from_column - scaled.left, 0)
        left = scaled.image.width() - skipped
        if left <= 0:
            return
        corner = scaled.corner + QPointF(skipped / sight.ratio, 0)
        size = left / sight.ratio, scaled.image.height() / sight.ratio
        part = QRectF(skipped, 0, left, scaled.image.height())
        painter.drawImage(QRectF(corner.x(), corner.y(), *size), scaled.image, part)

    def _seen(self, lens: Lens, *, view: tuple[int, int], ratio: float) -> Scaled | None:
        seen = self._pyramid.seen(lens, view=view) if self._pyramid else None
        if seen is None:
            return None
        pixels = screen_pixels(seen.rgb8)
        height, width = pixels.shape[:2]
        image = QImage(pixels.data, width, height, width * 4, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        return Scaled(image, seen.left, QPointF(seen.left / ratio, seen.top / ratio), pixels)


def screen_pixels(rgb8: Rgb8) -> npt.NDArray[Any]:
    """H×W×3 8-bit RGB in four bytes a pixel: what Qt copies to the screen without converting."""
    return np.ascontiguousarray(cv2.cvtColor(rgb8, cv2.COLOR_RGB2BGRA))


def image_of(rgb8: Rgb8) -> QImage:
    """H×W×3 8-bit RGB as an image that owns its memory."""
    pixels = np.ascontiguousarray(rgb8)
    height, width = pixels.shape[:2]
    return QImage(pixels.data, width, height, width * 3, QImage.Format.Format_RGB888).copy()
