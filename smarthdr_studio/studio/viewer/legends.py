"""The boxes that explain a picture, in its corners: captions, colour bars and keys."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPainterPath

from smarthdr_studio.core.display import KeyEntry, Legend, Painted, Rgb8
from smarthdr_studio.core.display.overlay import KEY_GROUND, key_swatch
from smarthdr_studio.studio.viewer.overlays import INK, PLATE, wipe_column
from smarthdr_studio.studio.viewer.viewport import Sight

Corner = Literal["top left", "top right", "bottom left", "bottom right"]
_BOX_MARGIN = 8.0


def place(
    size: QSizeF | None, *, room: QRectF, taken: list[QRectF], corners: tuple[Corner, ...]
) -> QRectF | None:
    """The first corner with room for a box of this size, which is then taken; None without any."""
    if size is None:
        return None
    for corner in corners:
        box = _in_corner(
            size, room.adjusted(_BOX_MARGIN, _BOX_MARGIN, -_BOX_MARGIN, -_BOX_MARGIN), corner
        )
        inside = room.contains(box)
        if inside and not any(box.adjusted(-4, -4, 4, 4).intersects(other) for other in taken):
            taken.append(box)
            return box
    return None


def _in_corner(size: QSizeF, room: QRectF, corner: Corner) -> QRectF:
    left = room.left() if corner.endswith("left") else room.right() - size.width()
    top = room.top() if corner.startswith("top") else room.bottom() - size.height()
    return QRectF(round(left), round(top), size.width(), size.height())


_MARGIN: Final = 8.0
_LEAST_CAPTION: Final = 44.0
_VEILED: Final = 0.15  # of the opacity of a box under the cursor
_RIGHT: Final[tuple[Corner, ...]] = ("bottom right", "top right")
_LEFT: Final[tuple[Corner, ...]] = ("bottom left", "top left")


@dataclass(slots=True)
class Boxes:
    """Every box with what it holds; nothing overlaps, and what has no room is left out."""

    captions: list[tuple[QRectF, str]] = field(default_factory=list)
    legends: list[tuple[QRectF, Legend]] = field(default_factory=list)
    keys: list[tuple[QRectF, tuple[KeyEntry, ...]]] = field(default_factory=list)

    @property
    def places(self) -> tuple[QRectF, ...]:
        """Where they all lie."""
        return tuple(box for held in (self.captions, self.legends, self.keys) for box, _ in held)

    def at(self, place: QPointF | None) -> QRectF | None:
        """The box that lies there."""
        if place is None:
            return None
        return next((box for box in self.places if box.contains(place)), None)

    def draw(self, painter: QPainter, *, veiled: QRectF | None = None) -> None:
        """All boxes with their words; of one no more than a breath, so that the picture is seen."""
        opacity = painter.opacity()

        def come_to(box: QRectF) -> None:
            painter.setOpacity(opacity * (_VEILED if box == veiled else 1))

        for box, words in self.captions:
            come_to(box)
            draw_caption(painter, box, words)
        for box, legend in self.legends:
            come_to(box)
            draw_legend(painter, box, legend)
        for box, key in self.keys:
            come_to(box)
            draw_key(painter, box, key)
        painter.setOpacity(opacity)


def boxes_of_one(
    painted: Painted, sight: Sight, metrics: QFontMetrics, *, minimap: QRectF | None, caption: str
) -> Boxes:
    """The boxes over a picture that is shown alone."""
    boxes, room = Boxes(), QRectF(0, 0, sight.width, sight.height)
    taken = [] if minimap is None else [minimap]
    if caption:
        size = caption_size(metrics, caption)
        box = QRectF(_MARGIN, _MARGIN, min(size.width(), room.width() - 2 * _MARGIN), size.height())
        taken.append(box)
        boxes.captions.append((box, caption))
    _explain(boxes, painted, metrics, room=room, taken=taken, corners=(*_RIGHT, *_LEFT))
    return boxes


def boxes_of_two(
    pair: tuple[Painted, Painted],
    sight: Sight,
    metrics: QFontMetrics,
    *,
    line: float,
    minimap: QRectF | None,
) -> Boxes:
    """The boxes over a wipe: each picture is named beside the line and explained on its side."""
    boxes, room = Boxes(), QRectF(0, 0, sight.width, sight.height)
    x = wipe_column(sight, line) / sight.ratio
    _name(boxes, pair[0], metrics, left=_MARGIN, right=x - _MARGIN, at_right=True)
    _name(boxes, pair[1], metrics, left=x + _MARGIN, right=room.width() - _MARGIN, at_right=False)
    taken = [box for box, _ in boxes.captions] + ([] if minimap is None else [minimap])
    sides = QRectF(0, 0, x, room.height()), QRectF(x, 0, room.width() - x, room.height())
    for painted, side, corners in zip(pair, sides, (_LEFT, _RIGHT), strict=True):
        _explain(boxes, painted, metrics, room=side, taken=taken, corners=corners)
    return boxes


def _explain(
    boxes: Boxes,
    painted: Painted,
    metrics: QFontMetrics,
    *,
    room: QRectF,
    taken: list[QRectF],
    corners: tuple[Corner, ...],
) -> None:
    """The colour bar first, then the key where room is left."""
    if painted.rgb8 is None:
        return
    if painted.legend is not None:
        size = legend_size(metrics, painted.legend, room=room)
        box = place(size, room=room, taken=taken, corners=corners)
        if box is not None:
            boxes.legends.append((box, painted.legend))
    size = key_size(metrics, painted.key, room=room)
    box = place(size, room=room, taken=taken, corners=_other_side_first(corners))
    if box is not None:
        boxes.keys.append((box, painted.key))


def _other_side_first(corners: tuple[Corner, ...]) -> tuple[Corner, ...]:
    """A key prefers the bottom left, which bars leave free, where it may go there at all."""
    return tuple(sorted(corners, key=lambda corner: corner != "bottom left"))


def _name(
    boxes: Boxes,
    painted: Painted,
    metrics: QFontMetrics,
    *,
    left: float,
    right: float,
    at_right: bool,
) -> None:
    """A caption between two places, at the right or left of them; none where nothing fits."""
    words = painted.title if painted.rgb8 is not None else f"{painted.title}: {painted.why_empty}"
    size = caption_size(metrics, words)
    width = min(size.width(), right - left)
    if width >= _LEAST_CAPTION:
        start = right - width if at_right else left
        boxes.captions.append((QRectF(start, _MARGIN, width, size.height()), words))


def image_of(rgb8: Rgb8) -> QImage:
    """H×W×3 8-bit RGB as an image that owns its memory."""
    pixels = np.ascontiguousarray(rgb8)
    height, width = pixels.shape[:2]
    return QImage(pixels.data, width, height, width * 3, QImage.Format.Format_RGB888).copy()


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
