"""What is drawn over a picture: crosshair, region, minimap, brush, and the numbers of pixels."""

from dataclasses import dataclass
from functools import lru_cache
from math import isfinite, isnan
from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QPoint, QPointF, QRect, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPen, QPolygonF

from smarthdr_studio.core.display import Painted, Rgb8
from smarthdr_studio.core.display.overlay import DISTRUST_HATCH, TRUST_HATCH
from smarthdr_studio.core.imaging.regions import Point, Region
from smarthdr_studio.core.trust.brush import Ink
from smarthdr_studio.studio.state import BrushShape, BrushState
from smarthdr_studio.studio.theme import Palette
from smarthdr_studio.studio.viewer.viewport import Box, Pixel, Sight

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


def draw_minimap_frame(painter: QPainter, box: QRectF, sight: Sight) -> None:
    """A frame around what is in sight, on the small picture."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    seen = _seen(box, sight)
    for pen in (QPen(PLATE, 3), QPen(QColor(255, 255, 255), 1)):
        painter.setPen(pen)
        painter.drawRect(seen)


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


_LONGEST: Final = "0.000"
# At this luminance black and white stand out alike, 4.6 to 1.
_EVEN: Final = 0.179


@lru_cache(maxsize=8192)
def short(value: float) -> str:
    """A number in at most five characters, or six where a sign or an exponent asks for it."""
    if isnan(value):
        return "NaN"
    if not isfinite(value):
        return "Inf" if value > 0 else "−Inf"
    size = abs(value)
    if value == int(value) and size < 1e5:
        words = f"{int(value)}"
    elif size >= 1e5 or size < 5e-4:
        mantissa, exponent = f"{value:.0e}".split("e")
        words = f"{mantissa}e{int(exponent)}"
    else:
        words = f"{value:.{3 if size < 9.9995 else 1 if size < 999.95 else 0}f}"
    return words.replace("-", "−")


def print_numbers(painter: QPainter, family: str, sight: Sight, painted: Painted, box: Box) -> None:
    """Print the numbers of the pixels inside a box, in the screen's own pixels.

    Black on light pixels and white on dark ones: each pixel is one colour, so all can be read.
    They are small images, made once per number.
    """
    if painted.values is None or painted.rgb8 is None:
        return
    left, top, right, bottom = box
    columns, rows = slice(left, right), slice(top, bottom)
    numbers = np.atleast_3d(painted.values[rows, columns]).tolist()
    light = _light(painted.rgb8[rows, columns]).tolist()
    side = sight.lens.scale
    lines = 1 if painted.values.ndim == 2 else painted.values.shape[2]
    size = _fitting(family, side=round(side), lines=lines)
    step = min(side / lines, size * 1.25)
    first = (side - step * (lines - 1)) / 2
    for y, (row, inks) in enumerate(zip(numbers, light, strict=False), top):
        for x, (values, ink) in enumerate(zip(row, inks, strict=False), left):
            across, down = sight.lens.to_screen((x, y), view=sight.view)
            across, down = across + side / 2, down + first
            for value in values:
                word = _word(short(value), family, size, dark_ink=ink)
                place = across - word.width() / 2, down - word.height() / 2
                painter.drawImage(round(place[0]), round(place[1]), word)
                down += step


@lru_cache(maxsize=8192)
def _word(word: str, family: str, size: int, *, dark_ink: bool) -> QImage:
    """A number in black or white on a clear ground."""
    font = QFont(family)
    font.setPixelSize(size)
    metrics = QFontMetrics(font)
    place = QRect(0, 0, max(metrics.horizontalAdvance(word), 1) + 2, metrics.height())
    image = QImage(place.size(), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setFont(font)
    painter.setPen(QColor(0, 0, 0) if dark_ink else QColor(255, 255, 255))
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, word)
    painter.end()
    return image


@lru_cache(maxsize=64)
def _fitting(family: str, *, side: int, lines: int) -> int:
    """The letters' height in a pixel of this side: as large as its width and its lines allow."""
    size = max(int(side / (3.4 if lines > 1 else 2.6)), 6)
    font = QFont(family)
    font.setPixelSize(size)
    wide = QFontMetrics(font).horizontalAdvance(_LONGEST)
    return size if wide <= side - 3 else max(int(size * (side - 3) / wide), 6)


def _light(rgb8: Rgb8) -> npt.NDArray[np.bool_]:
    """H×W, True where black stands out more than white: by relative luminance (WCAG 2.2)."""
    linear = (rgb8.astype(np.float32) / 255) ** 2.2
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    light: npt.NDArray[np.bool_] = luminance > _EVEN
    return light


_GRID = QColor(128, 128, 128, 90)


class Overprint:
    """Kept as one image until the lens or the pictures change: a moved crosshair prints nothing."""

    def __init__(self) -> None:
        self._causes: tuple[object, ...] = ()
        self._image: QImage | None = None

    def draw(
        self, painter: QPainter, sight: Sight, *, left: Painted, right: Painted, edge: int
    ) -> None:
        """Lines, and numbers of `left` in columns of pixels before `edge`, of `right` after it."""
        if sight.lens.scale < GRID_FROM:
            self._image = None
            return
        causes = (sight, left.rgb8, left.values, right.rgb8, right.values, edge)
        if self._image is None or not _same(causes, self._causes):
            self._causes = causes
            family = painter.font().family()
            self._image = _printed(family, sight, (left, right), edge)
        painter.drawImage(0, 0, self._image)


def _same(first: tuple[object, ...], second: tuple[object, ...]) -> bool:
    """Pictures by identity: to compare their pixels would cost more than to print."""
    return len(first) == len(second) and all(
        one is other or (not isinstance(one, np.ndarray) and one == other)
        for one, other in zip(first, second, strict=True)
    )


def _printed(family: str, sight: Sight, sides: tuple[Painted, Painted], edge: int) -> QImage:
    """Everything in sight on a clear ground, in the screen's own pixels."""
    image = QImage(*sight.view, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    _print_grid(painter, sight)
    if sight.lens.scale >= VALUES_FROM:
        left, top, right, bottom = sight.visible()
        middle = min(max(edge, left), right)
        boxes = (left, top, middle, bottom), (middle, top, right, bottom)
        for painted, box in zip(sides, boxes, strict=True):
            print_numbers(painter, family, sight, painted, box)
    painter.end()
    image.setDevicePixelRatio(sight.ratio)
    return image


def _print_grid(painter: QPainter, sight: Sight) -> None:
    """Strips on whole screen pixels: lines between them would be blended, and take longer."""
    left, top, right, bottom = sight.visible()
    across = [
        round(sight.lens.to_screen((x, 0), view=sight.view)[0]) for x in range(left, right + 1)
    ]
    down = [round(sight.lens.to_screen((0, y), view=sight.view)[1]) for y in range(top, bottom + 1)]
    thin = max(round(sight.ratio), 1)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
    for x in across:
        painter.fillRect(QRect(x, down[0], thin, down[-1] - down[0]), _GRID)
    for y in down:
        painter.fillRect(QRect(across[0], y, across[-1] - across[0], thin), _GRID)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
