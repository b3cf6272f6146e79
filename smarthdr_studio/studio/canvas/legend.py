"""The two small boxes that explain a picture's colours: the colour bar and the key of areas."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFontMetrics, QImage, QPainter

from smarthdr_studio.core.display import KeyEntry, Legend
from smarthdr_studio.core.display.hatch import key_swatch
from smarthdr_studio.studio.canvas.marks import INK, draw_plate
from smarthdr_studio.studio.canvas.shown import image_of

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


def draw_entry(painter: QPainter, corner: QPointF, entry: KeyEntry) -> None:
    """One line of a key in the pen's colour."""
    line = painter.fontMetrics().height()
    width, height = swatch_width(line), round(line * 0.7)
    ratio = painter.device().devicePixelRatioF()
    swatch = _swatch(entry, round(width * ratio), round(height * ratio))
    painter.drawImage(QRectF(corner.x(), corner.y() + (line - height) / 2, width, height), swatch)
    words = QPointF(corner.x() + width + _PAD, corner.y() + painter.fontMetrics().ascent())
    painter.drawText(words, entry.words)


def swatch_width(line: int) -> int:
    """Of a swatch beside a line of this height."""
    return round(line * 1.4)


@lru_cache(maxsize=64)
def _swatch(entry: KeyEntry, width: int, height: int) -> QImage:
    return image_of(key_swatch(entry.colour, entry.pattern, width=width, height=height))
