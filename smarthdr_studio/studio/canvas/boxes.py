"""Which boxes lie over a picture and where: captions, colour bars, keys, and the minimap."""

from dataclasses import dataclass, field
from typing import Final

from PySide6.QtCore import QRectF
from PySide6.QtGui import QFontMetrics, QPainter

from smarthdr_studio.core.display import KeyEntry, Legend, Painted
from smarthdr_studio.studio.canvas.legend import draw_key, draw_legend, key_size, legend_size
from smarthdr_studio.studio.canvas.marks import caption_size, draw_caption, wipe_column
from smarthdr_studio.studio.canvas.placing import Corner, place
from smarthdr_studio.studio.canvas.sight import Sight

_MARGIN: Final = 8.0
_LEAST_CAPTION: Final = 44.0
_RIGHT: Final[tuple[Corner, ...]] = ("bottom right", "top right")
_LEFT: Final[tuple[Corner, ...]] = ("bottom left", "top left")


@dataclass(slots=True)
class Boxes:
    """Every box with what it holds; nothing overlaps, and what has no room is left out."""

    captions: list[tuple[QRectF, str]] = field(default_factory=list)
    legends: list[tuple[QRectF, Legend]] = field(default_factory=list)
    keys: list[tuple[QRectF, tuple[KeyEntry, ...]]] = field(default_factory=list)

    def draw(self, painter: QPainter) -> None:
        """All boxes with their words."""
        for box, words in self.captions:
            draw_caption(painter, box, words)
        for box, legend in self.legends:
            draw_legend(painter, box, legend)
        for box, key in self.keys:
            draw_key(painter, box, key)


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
