"""What is drawn over a picture to point into it: crosshair, pixel grid, region, and words."""

from typing import Final

from PySide6.QtCore import QLineF, QPoint, QPointF, QRect, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen, QPolygonF

from smarthdr_studio.core.regions import Region
from smarthdr_studio.studio.canvas.sight import Sight
from smarthdr_studio.studio.theme import Palette

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
