"""The whole picture, small, and on it what is in sight; to find one's way when zoomed in."""

from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from smarthdr_studio.core.display import Lens
from smarthdr_studio.studio.canvas.marks import PLATE
from smarthdr_studio.studio.canvas.shown import Shown
from smarthdr_studio.studio.canvas.sight import Sight

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


def lens_at(place: QPointF, box: QRectF, sight: Sight) -> Lens:
    """The lens with its middle where a point of the small picture is, also held outside of it."""
    x = (place.x() - box.left()) / box.width() * sight.image[0]
    y = (place.y() - box.top()) / box.height() * sight.image[1]
    return Lens(x=x, y=y, scale=sight.lens.scale).within(sight.image)


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
