"""How one round of a film is painted: its picture, and below it how much was kept, and σ."""

from typing import Final

from PySide6.QtCore import (
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from smarthdr_studio.studio.panels.film_model import FilmModel
from smarthdr_studio.studio.panels.parts import percent, small
from smarthdr_studio.studio.state.watching import FilmFrame
from smarthdr_studio.studio.theme import Palette

_SHAPE: Final = 3 / 2
_PAD: Final = 5
_NARROWEST: Final = 92
_LOWEST: Final = 48  # a tile
_HIGHEST: Final = 128  # a picture: as large as it is kept
_ENLARGED: Final = 1.5
_LEFT: Final = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class FilmTiles(QStyledItemDelegate):
    """The replayed round has a frame, bold words and a sign."""

    def __init__(self, palette: Palette, frames: FilmModel, parent: QObject) -> None:
        super().__init__(parent)
        self.palette, self._frames, self._height = palette, frames, 96

    def fit(self, room: int, *, line: int) -> int:
        """Tiles as high as the room, or as pictures are; how many rows of them there can be.

        `line` is the height of a line of words.
        """
        whole = _HIGHEST + 2 * line + 2 * _PAD
        rows = max(room // whole, 1)
        self._height = max(min(room // rows, round(whole * _ENLARGED)), _LOWEST)
        return rows

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """As high as the strip, as wide as the picture."""
        del index
        high = self._height - self._lines(option) * option.fontMetrics.height() - 2 * _PAD
        return QSize(max(round(high * _SHAPE) + 2 * _PAD, _NARROWEST), self._height)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint one round."""
        frame, picture = self._frames.frame(index.row()), self._frames.picture(index.row())
        lines, line = self._lines(option), option.fontMetrics.height()
        # A list of one row makes its items as high as itself.
        tile = QRectF(option.rect)
        tile.setHeight(min(tile.height(), self._height))
        box = tile.adjusted(_PAD, _PAD, -_PAD, -_PAD)
        room = box.adjusted(0, 0, 0, -lines * line)
        replayed = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setFont(option.font)
        self._draw_picture(painter, room, picture)
        if replayed:
            painter.setPen(QPen(QColor(self.palette.accent), 2))
            painter.drawRect(tile.adjusted(1, 1, -1, -1))
        words = QRectF(box.left(), room.bottom(), box.width(), line)
        self._draw_words(painter, words, frame, replayed=replayed)
        if lines > 1:
            painter.setFont(option.font)
            painter.setPen(QColor(self.palette.muted))
            painter.drawText(words.translated(0, line), _LEFT, f"σ {small(frame.sigma)}")
        painter.restore()

    def _draw_picture(self, painter: QPainter, room: QRectF, picture: QPixmap | None) -> None:
        painter.fillRect(room, QColor(self.palette.canvas))
        if picture is None:
            return
        if picture.isNull():
            painter.setPen(QColor(self.palette.text))
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, "no picture")
            return
        size = picture.size().toSizeF()
        size.scale(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
        corner = room.center() - QPointF(size.width() / 2, size.height() / 2)
        painter.drawPixmap(QRectF(corner, size), picture, QRectF(picture.rect()))

    def _draw_words(
        self, painter: QPainter, room: QRectF, frame: FilmFrame, *, replayed: bool
    ) -> None:
        font = QFont(painter.font())
        font.setBold(replayed)
        painter.setFont(font)
        painter.setPen(QColor(self.palette.text))
        painter.drawText(room, _LEFT, f"{'▸ ' if replayed else ''}{frame.round}")
        painter.drawText(room, _RIGHT, percent(frame.retained))

    def _lines(self, option: QStyleOptionViewItem) -> int:
        """σ stands in a line of its own where the strip is high enough."""
        return 2 if self._height > 5 * option.fontMetrics.height() else 1
