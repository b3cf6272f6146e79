"""Where the boxes over a picture lie: in corners, one beside the other, never one over another."""

from typing import Literal

from PySide6.QtCore import QRectF, QSizeF

Corner = Literal["top left", "top right", "bottom left", "bottom right"]

_MARGIN = 8.0


def place(
    size: QSizeF | None, *, room: QRectF, taken: list[QRectF], corners: tuple[Corner, ...]
) -> QRectF | None:
    """The first corner with room for a box of this size, which is then taken; None without any."""
    if size is None:
        return None
    for corner in corners:
        box = _in_corner(size, room.adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN), corner)
        inside = room.contains(box)
        if inside and not any(box.adjusted(-4, -4, 4, 4).intersects(other) for other in taken):
            taken.append(box)
            return box
    return None


def _in_corner(size: QSizeF, room: QRectF, corner: Corner) -> QRectF:
    left = room.left() if corner.endswith("left") else room.right() - size.width()
    top = room.top() if corner.startswith("top") else room.bottom() - size.height()
    return QRectF(round(left), round(top), size.width(), size.height())
