"""What is drawn over a picture: crosshair, region, colour bar, key, minimap, and the brush."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QPoint, QPointF, QRect, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPainterPath, QPen, QPolygonF

from smarthdr_studio.core.display import KeyEntry, Legend, Painted, Pyramid, Rgb8, Viewport
from smarthdr_studio.core.display.overlay import (
    DISTRUST_HATCH,
    KEY_GROUND,
    TRUST_HATCH,
    key_swatch,
)
from smarthdr_studio.core.imaging.regions import Point, Region
from smarthdr_studio.core.trust.brush import Ink
from smarthdr_studio.studio.state import BrushShape, BrushState
from smarthdr_studio.studio.theme import Palette
from smarthdr_studio.studio.viewer.viewport import Pixel, Sight

GRID_FROM: Final = 8.0  # screen pixels per image pixel
VALUES_FROM: Final = 32.0

PLATE: Final = QColor(20, 20, 20, 205)
INK: Final = QColor(255, 255, 255, 235)

_LIGHT, _SHADE = QColor(255, 255, 255, 170), QColor(0, 0, 0, 110)
_FAINT, _FAINT_SHADE = QColor(255, 255, 255, 80), QColor(0, 0, 0, 60)
_DASHES = (5.0, 4.0)


def draw_words(painter: QPainter, place: QRect, words: str, *, palette: Palette) -> None:
    """A sentence in the middle of an empty view."""
    painter.setPen(QColor(palette.text))
    inner = place.adjusted(16, 8, -16, -8)
    painter.drawText(inner, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, words)


def draw_cross(painter: QPainter, sight: Sight, pixel: tuple[int, int], *, faint: bool) -> None:
    """Two thin lines through a pixel, light on a shade so that they show on anything.

    Faint once the mouse is gone, and where the pixels hold numbers that a line would cross out.
    """
    middle = sight.at(pixel[0] + 0.5, pixel[1] + 0.5)
    x, y = round(middle.x()) + 0.5, round(middle.y()) + 0.5
    quiet = faint or sight.lens.scale >= VALUES_FROM
    pens = ((_FAINT_SHADE, 1.0), (_FAINT, 0.0)) if quiet else ((_SHADE, 1.0), (_LIGHT, 0.0))
    for colour, shift in pens:
        painter.setPen(QPen(colour, 1))
        painter.drawLine(QLineF(0, y + shift, sight.width, y + shift))
        painter.drawLine(QLineF(x + shift, 0, x + shift, sight.height))
    if sight.lens.scale >= GRID_FROM:
        painter.setPen(QPen(_FAINT if faint else _LIGHT, 1.5))
        painter.drawRect(sight.place(*pixel, pixel[0] + 1, pixel[1] + 1))


def cross_areas(sight: Sight, pixel: tuple[int, int]) -> tuple[QRect, QRect]:
    """What `draw_cross` may touch: one band across the view and one down."""
    middle = sight.at(pixel[0] + 0.5, pixel[1] + 0.5)
    at = QPoint(int(middle.x()), int(middle.y()))
    reach = int(sight.lens.scale / sight.ratio) // 2 + 3
    width, height = round(sight.width), round(sight.height)
    across = QRect(0, at.y() - reach, width, 2 * reach)
    return across, QRect(at.x() - reach, 0, 2 * reach, height)


def draw_region(painter: QPainter, sight: Sight, region: Region) -> None:
    """The outline of a region: light dashes on a shade, which show on anything."""
    corners = [sight.at(x, y) for x, y in region.points]
    outline = QPolygonF([*corners, corners[0]])
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, region.kind == "lasso")
    painter.setPen(QPen(PLATE, 3))
    painter.drawPolyline(outline)
    dashed = QPen(QColor(255, 255, 255), 1)
    dashed.setDashPattern(_DASHES)
    painter.setPen(dashed)
    painter.drawPolyline(outline)
    painter.restore()


def caption_size(metrics: QFontMetrics, words: str) -> QSizeF:
    """How much room a caption takes."""
    return QSizeF(metrics.horizontalAdvance(words) + 14, metrics.height() + 6)


def draw_caption(painter: QPainter, place: QRectF, words: str) -> None:
    """One line of light words on a dark plate, shortened to its place."""
    draw_plate(painter, place)
    painter.setPen(INK)
    room = place.adjusted(7, 0, -5, 0)
    shown = painter.fontMetrics().elidedText(
        words, Qt.TextElideMode.ElideRight, round(room.width())
    )
    painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, shown)


def draw_plate(painter: QPainter, place: QRectF) -> None:
    """A dark ground on which light words can be read, whatever the picture."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(PLATE)
    painter.drawRoundedRect(place, 4, 4)
    painter.restore()


def draw_wipe_line(painter: QPainter, sight: Sight, line: float) -> None:
    """The line between a picture and its partner, with a handle in the middle."""
    x = wipe_column(sight, line) / sight.ratio
    for colour, width in ((PLATE, 3), (QColor(255, 255, 255), 1)):
        painter.setPen(QPen(colour, width))
        painter.drawLine(QLineF(x, 0, x, sight.height))
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(PLATE, 1))
    painter.setBrush(QColor(255, 255, 255))
    y = sight.height / 2
    for way in (-1, 1):
        tip, base = QPointF(x + way * 10, y), x + way * 4
        painter.drawPolygon(QPolygonF([tip, QPointF(base, y - 5), QPointF(base, y + 5)]))
    painter.restore()


def wipe_column(sight: Sight, line: float) -> int:
    """The first column of the screen's own pixels that shows the partner."""
    return round(sight.lens.to_screen((line, 0), view=sight.view)[0])


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
            lens = Viewport.fitting(self.size, view=(width, height))
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

    def _seen(self, lens: Viewport, *, view: tuple[int, int], ratio: float) -> Scaled | None:
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


_PAD: Final = 6.0
_LARGEST_SHARE: Final = 0.45  # of the view's width and height


def legend_size(metrics: QFontMetrics, legend: Legend, *, room: QRectF) -> QSizeF | None:
    """How large the colour bar's box is in a view; None where the view is too small for it."""
    line = metrics.height()
    height = min(float(len(legend.bar)), room.height() * _LARGEST_SHARE - 2 * line)
    wide = max(metrics.horizontalAdvance(words) for words in (legend.low, legend.high))
    if height < 2 * line or wide > room.width() * _LARGEST_SHARE:
        return None
    return QSizeF(max(wide, legend.bar.shape[1]) + 2 * _PAD, height + 2 * line + 2 * _PAD)


def draw_legend(painter: QPainter, box: QRectF, legend: Legend) -> None:
    """The colour bar between the values at its ends."""
    line, width = painter.fontMetrics().height(), legend.bar.shape[1]
    draw_plate(painter, box)
    bar = QRectF(0, box.top() + line + _PAD, width, box.height() - 2 * (line + _PAD))
    bar.moveLeft(round(box.center().x() - width / 2))
    painter.drawImage(bar, image_of(legend.bar))
    painter.setPen(INK)
    words = box.adjusted(0, 3, 0, -3)
    centre = Qt.AlignmentFlag.AlignHCenter
    painter.drawText(words, centre | Qt.AlignmentFlag.AlignTop, legend.high)
    painter.drawText(words, centre | Qt.AlignmentFlag.AlignBottom, legend.low)


def key_size(metrics: QFontMetrics, key: tuple[KeyEntry, ...], *, room: QRectF) -> QSizeF | None:
    """How large the key's box is in a view; None where it would cover too much of it."""
    line = metrics.height()
    wide = max((metrics.horizontalAdvance(entry.words) for entry in key), default=0)
    size = QSizeF(wide + swatch_width(line) + 3 * _PAD, len(key) * (line + 2) + 2 * _PAD - 2)
    share = QSizeF(room.width() * 0.7, room.height() * _LARGEST_SHARE)
    if not key or size.width() > share.width() or size.height() > share.height():
        return None
    return size


def draw_key(painter: QPainter, box: QRectF, key: Iterable[KeyEntry]) -> None:
    """Every kind of area: a swatch of its colour and pattern, then its words."""
    draw_plate(painter, box)
    line = painter.fontMetrics().height()
    corner = box.topLeft() + QPointF(_PAD, _PAD)
    painter.setPen(INK)
    for entry in key:
        draw_entry(painter, corner, entry)
        corner += QPointF(0, line + 2)


def draw_entry(painter: QPainter, corner: QPointF, entry: KeyEntry, *, drawn: bool = False) -> None:
    """One line of a key in the pen's colour; with `drawn`, by lines and areas alone."""
    line = painter.fontMetrics().height()
    width, height = swatch_width(line), round(line * 0.7)
    box = QRectF(corner.x(), corner.y() + (line - height) / 2, width, height)
    if drawn:
        _draw_swatch(painter, box, entry)
    else:
        ratio = painter.device().devicePixelRatioF()
        painter.drawImage(box, _swatch(entry, round(width * ratio), round(height * ratio)))
    words = QPointF(corner.x() + width + _PAD, corner.y() + painter.fontMetrics().ascent())
    painter.drawText(words, entry.words)


def swatch_width(line: int) -> int:
    """Of a swatch beside a line of this height."""
    return round(line * 1.4)


@lru_cache(maxsize=64)
def _swatch(entry: KeyEntry, width: int, height: int) -> QImage:
    return image_of(key_swatch(entry.colour, entry.pattern, width=width, height=height))


_FINER: Final = 4  # steps of a slanted edge for each pixel of the swatch that is painted


def _draw_swatch(painter: QPainter, box: QRectF, entry: KeyEntry) -> None:
    """The same sample as areas: its ground, and the ink where a finer one has it."""
    width, height = round(box.width()) * _FINER, round(box.height()) * _FINER
    ink = key_swatch((255, 255, 255), entry.pattern, width=width, height=height)[..., 0] == 255
    path = QPainterPath()
    for row, changes in enumerate(np.diff(np.pad(ink, ((0, 0), (1, 1))).astype(np.int8))):
        starts, ends = np.flatnonzero(changes == 1), np.flatnonzero(changes == -1)
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            path.addRect(start, row, end - start, 1)
    painter.fillRect(box, QColor(*KEY_GROUND))
    painter.save()
    painter.translate(box.topLeft())
    painter.scale(1 / _FINER, 1 / _FINER)
    painter.fillPath(path.simplified(), QColor(*entry.colour))
    painter.restore()


_MARGIN: Final = 8.0
_SHARE: Final = 0.26
_LARGEST: Final = 170.0
_SMALLEST_VIEW: Final = 200.0


def minimap_box(sight: Sight) -> QRectF | None:
    """Where the small picture lies, bottom left; None where all is in sight or no room is."""
    if sight.holds_all() or min(sight.width, sight.height * 1.4) < _SMALLEST_VIEW:
        return None
    most = min(sight.width * _SHARE, _LARGEST), min(sight.height * _SHARE, _LARGEST)
    scale = min(most[0] / sight.image[0], most[1] / sight.image[1])
    width, height = (max(round(length * scale), 6) for length in sight.image)
    return QRectF(_MARGIN, round(sight.height - _MARGIN - height), width, height)


def draw_minimap(painter: QPainter, box: QRectF, shown: Shown, sight: Sight) -> None:
    """The small picture, framed, and a frame around what is in sight."""
    ratio = sight.ratio
    painter.fillRect(box.adjusted(-2, -2, 2, 2), PLATE)
    width, height = round(box.width() * ratio), round(box.height() * ratio)
    small = shown.small(width, height, ratio=ratio)
    if small is not None:
        painter.drawImage(box.topLeft() + small.corner, small.image)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    seen = _seen(box, sight)
    for pen in (QPen(PLATE, 3), QPen(QColor(255, 255, 255), 1)):
        painter.setPen(pen)
        painter.drawRect(seen)


def lens_at(place: QPointF, box: QRectF, sight: Sight) -> Viewport:
    """The lens with its middle where a point of the small picture is, also held outside of it."""
    x = (place.x() - box.left()) / box.width() * sight.image[0]
    y = (place.y() - box.top()) / box.height() * sight.image[1]
    return Viewport(x=x, y=y, scale=sight.lens.scale).within(sight.image)


def _seen(box: QRectF, sight: Sight) -> QRectF:
    """The frame of what is in sight, never too small to be found."""
    left, top, right, bottom = sight.visible()
    across, down = box.width() / sight.image[0], box.height() / sight.image[1]
    seen = QRectF(0, 0, max((right - left) * across, 4.0), max((bottom - top) * down, 4.0))
    seen.moveCenter(
        QPointF(
            box.left() + (left + right) / 2 * across,
            box.top() + (top + bottom) / 2 * down,
        )
    )
    return seen


_INKS = {Ink.TRUST: TRUST_HATCH.colour, Ink.DISTRUST: DISTRUST_HATCH.colour}
_AIR = 4  # Qt's pixels around the ring for the width of its pen


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """A line under the hand, (x, y) in image pixels, that is to become an area."""

    points: tuple[Point, ...]
    ink: Ink
    corners: bool = False


@dataclass(slots=True)
class BrushMarks:
    """The brush in the hand, None without one, and the line under it."""

    brush: BrushState | None = None
    trail: Trail | None = None

    @property
    def ring(self) -> BrushState | None:
        """The brush, while it is a round one."""
        brush = self.brush
        return brush if brush is not None and brush.shape is BrushShape.DAB else None

    def area(self, sight: Sight, pixel: Pixel) -> QRect:
        """What the ring around a pixel may touch; empty without one."""
        if self.ring is None:
            return QRect()
        middle = sight.at(pixel[0] + 0.5, pixel[1] + 0.5)
        reach = _reach(self.ring.radius, sight) + _AIR
        corner = QPointF(reach, reach)
        return QRectF(middle - corner, middle + corner).toAlignedRect()

    def draw(self, painter: QPainter, sight: Sight, pixel: Pixel | None, *, faint: bool) -> None:
        """Ring and line, antialiased."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.trail is not None:
            _draw_trail(painter, sight, self.trail)
        if self.ring is not None and pixel is not None:
            painter.setOpacity(0.5 if faint else 1.0)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            _draw_ring(painter, sight, pixel, self.ring)
        painter.restore()


def ink_colour(ink: Ink) -> QColor:
    """The colour of what a stroke leaves behind; white takes away."""
    return QColor(*_INKS.get(ink, (255, 255, 255)))


def _draw_ring(painter: QPainter, sight: Sight, pixel: Pixel, brush: BrushState) -> None:
    """The true size, its rim in the ink's colour; inside, how far the brush paints solid."""
    middle = sight.at(pixel[0] + 0.5, pixel[1] + 0.5)
    rings = [(brush.radius, 1.75, Qt.PenStyle.SolidLine)]
    if brush.hardness < 1:
        rings.append((brush.radius * brush.hardness, 1.25, Qt.PenStyle.DotLine))
    for radius, width, style in rings:
        reach = _reach(radius, sight)
        for pen in (QPen(PLATE, width + 2), QPen(ink_colour(brush.ink), width, style)):
            painter.setPen(pen)
            painter.drawEllipse(middle, reach, reach)


def _draw_trail(painter: QPainter, sight: Sight, trail: Trail) -> None:
    """A lasso or a polygon in the ink's colour; a polygon shows its corners."""
    line = [sight.at(x, y) for x, y in trail.points]
    for pen in (QPen(PLATE, 3.5), QPen(ink_colour(trail.ink), 1.75)):
        painter.setPen(pen)
        painter.drawPolyline(QPolygonF(line))
        pen.setStyle(Qt.PenStyle.DotLine)
        painter.setPen(pen)
        painter.drawLine(line[-1], line[0])
    if trail.corners:
        painter.setPen(QPen(PLATE, 1))
        painter.setBrush(ink_colour(trail.ink))
        for corner in line:
            painter.drawRect(QRectF(corner - QPointF(3, 3), QSizeF(6, 6)))


def _reach(radius: float, sight: Sight) -> float:
    """A radius in Qt's pixels; the smallest can still be seen."""
    return max(radius * sight.lens.scale / sight.ratio, 1.5)
