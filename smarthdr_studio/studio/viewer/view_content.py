"""What one view shows: its own picture, or that and a partner side by side or in turn."""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from math import ceil, isfinite, isnan
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRect, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter

from smarthdr_studio.core.display import KeyEntry, Legend, Painted, Rgb8
from smarthdr_studio.studio.theme import Palette
from smarthdr_studio.studio.viewer import overlays
from smarthdr_studio.studio.viewer.overlays import (
    GRID_FROM,
    VALUES_FROM,
    Shown,
    caption_size,
    draw_caption,
    draw_key,
    draw_legend,
    key_size,
    legend_size,
    wipe_column,
)
from smarthdr_studio.studio.viewer.viewport import Box, Sight

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


class Mode(StrEnum):
    """How a partner is shown: right of the wipe's line, or instead of the view's own picture."""

    WIPE = "wipe"
    FLICKER = "flicker"


@dataclass(slots=True)
class Exhibit:
    """Pictures made ready, and the line of the wipe in image pixels from the left."""

    own: Shown = field(default_factory=lambda: Shown(Painted(rgb8=None, title="")))
    partner: Shown | None = None
    mode: Mode = Mode.WIPE
    line: float | None = None
    _overprint: Overprint = field(default_factory=Overprint)

    @property
    def wiping(self) -> bool:
        """Whether the two are side by side."""
        return self.partner is not None and self.mode is Mode.WIPE

    @property
    def alone(self) -> Shown:
        """What is shown where nothing is wiped: the picture itself, or its partner for now."""
        flickering = self.partner is not None and self.mode is Mode.FLICKER
        return self.partner if flickering and self.partner is not None else self.own

    @property
    def first_right(self) -> int:
        """The first column of the image whose middle shows the partner of a wipe."""
        return max(ceil((self.line or 0.0) - 0.5), 0)

    def show(self, painted: Painted) -> bool:
        """Take the view's own picture; False when it is the very one that is shown."""
        if painted is self.own.painted:
            return False
        self.own = Shown(painted, before=self.own)
        return True

    def show_partner(self, painted: Painted | None, *, mode: Mode) -> bool:
        """Take a partner, or let it go; False when nothing changes."""
        shown = self.partner.painted if self.partner else None
        if painted is shown and (painted is None or mode is self.mode):
            return False
        self.partner = None if painted is None else Shown(painted, before=self.partner)
        self.mode = mode
        return True

    def draw(self, painter: QPainter, sight: Sight, *, palette: Palette) -> bool:
        """The pixels in sight, with their numbers; False when there are only words instead."""
        if self.wiping:
            self._draw_wipe(painter, sight, palette=palette)
            return True
        painted = self.alone.painted
        if painted.rgb8 is None:
            place = QRect(0, 0, round(sight.width), round(sight.height))
            overlays.draw_words(painter, place, painted.why_empty, palette=palette)
            return False
        self.alone.draw(painter, sight)
        self._overprint.draw(painter, sight, left=painted, right=painted, edge=0)
        return True

    def draw_line(self, painter: QPainter, sight: Sight) -> None:
        """The line of the wipe, if there is one."""
        if self.wiping and self.line is not None:
            overlays.draw_wipe_line(painter, sight, self.line)

    def boxes(self, sight: Sight, metrics: QFontMetrics, *, minimap: QRectF | None) -> Boxes:
        """Everything that explains what is shown."""
        if self.partner is not None and self.mode is Mode.WIPE:
            pair = self.own.painted, self.partner.painted
            return boxes_of_two(pair, sight, metrics, line=self.line or 0.0, minimap=minimap)
        shown = self.alone
        caption = shown.painted.title if shown is self.partner else ""
        return boxes_of_one(shown.painted, sight, metrics, minimap=minimap, caption=caption)

    def _draw_wipe(self, painter: QPainter, sight: Sight, *, palette: Palette) -> None:
        assert self.partner is not None
        column = overlays.wipe_column(sight, self.line or 0.0)
        self.own.draw(painter, sight)
        right = QRectF(column / sight.ratio, 0, sight.width, sight.height)
        painter.fillRect(right, QColor(palette.canvas))
        self.partner.draw(painter, sight, from_column=column)
        self._overprint.draw(
            painter,
            sight,
            left=self.own.painted,
            right=self.partner.painted,
            edge=self.first_right,
        )
