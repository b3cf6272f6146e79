"""All scenes as tiles: a picture with its words below, or beside it where the room is low."""

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import (
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QFontMetrics, QFontMetricsF, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.studio.curation.scene_listing import (
    BAR,
    paint_bar,
    paint_chip,
    paint_frame,
    paint_thumbnail,
    status_colour,
)
from smarthdr_studio.studio.curation.scene_model import SMALL_WIDTH, SceneShelf
from smarthdr_studio.studio.curation.steady_lines import SteadyLines
from smarthdr_studio.studio.theme import Palette, on_selection
from smarthdr_studio.studio.widgets.controls import describe, percent

WIDTHS: Final = (120, 320)  # of a picture, in pixels of the screen's own size
FIRST_WIDTH: Final = 184
_SHAPE: Final = 2 / 3
_RIGHT: Final = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
_GAP, _PAD = 4, 6  # between two frames' halves, between a frame and what is in it
_AROUND: Final = 2 * (_GAP + _PAD)
_LINE: Final = 14  # letters of a line of words beside a picture, at the least


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a tile lies in its room: its own size, its picture's width, and where its words are."""

    tile: QSize
    picture: int
    beside: bool


def _shape_of_tiles(room: QSize, wanted: int, metrics: QFontMetrics) -> _Shape:
    """As many to a line as there is room for, a little wider to fill it, and each to be seen whole.

    Where a picture so wide with its words below would be cut at the lower end of the room, the
    words are beside it, and it is no higher than the room.
    """
    words = 3 * (metrics.height() + 4)
    many = max(room.width() // (wanted + _AROUND), 1)
    width = max(room.width() // many - _AROUND, 1)
    height = round(width * _SHAPE) + words + 2 + _AROUND
    if height <= room.height():
        return _Shape(QSize(width + _AROUND, height), width, beside=False)
    high = max(min(round(wanted * _SHAPE), room.height() - _AROUND), words)
    picture = round(high / _SHAPE)
    least = picture + _PAD + _LINE * metrics.averageCharWidth() + _AROUND
    many = max(room.width() // least, 1)
    return _Shape(QSize(room.width() // many, high + _AROUND), picture, beside=True)


class SceneGallery(SteadyLines, QListView):
    """Tiles in rows; says when the scene's pictures are wanted in full."""

    opened = Signal()

    def __init__(self, palette: Palette, shelf: SceneShelf) -> None:
        super().__init__()
        self._shelf = shelf
        self._wanted = FIRST_WIDTH
        self._tiles = _Tiles(palette, shelf, self)
        describe(self, name="Gallery of scenes", tip="")
        shelf.begun.connect(self.scrollToTop)
        self.setItemDelegate(self._tiles)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.activated.connect(self._open)

    @Slot(int)
    def set_width_of_pictures(self, width: int) -> None:
        """Show pictures so wide, or as wide as a low room lets them be."""
        self._wanted = min(max(width, WIDTHS[0]), WIDTHS[1])
        self.fill_room()

    def fill_room(self) -> None:
        """Give the tiles the shape that fits the room there is now."""
        room = self.viewport().size() - QSize(1, 0)
        shape = _shape_of_tiles(room, self._wanted, self.fontMetrics())
        if shape != self._tiles.shape:
            self._tiles.shape = shape
            self.scheduleDelayedItemsLayout()

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        self._tiles.palette = palette
        self.viewport().update()

    @Slot(QModelIndex)
    def _open(self, _index: QModelIndex) -> None:
        self.opened.emit()


class _Tiles(QStyledItemDelegate):
    """A picture with its name, its status in words, and the retained share as bar and number."""

    def __init__(self, palette: Palette, shelf: SceneShelf, parent: QObject) -> None:
        super().__init__(parent)
        self.palette, self._model = palette, shelf.model
        self.shape = _Shape(QSize(FIRST_WIDTH, FIRST_WIDTH), FIRST_WIDTH, beside=False)
        self._inks = palette

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Every tile has the same."""
        del option, index
        return self.shape.tile

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint one scene."""
        row = self._model.row(index.row())
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(option.font)
        box = QRectF(option.rect).adjusted(_GAP, _GAP, -_GAP, -_GAP)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        paint_frame(painter, box, self.palette, selected=selected)
        self._inks = on_selection(self.palette, selected=selected)
        inner = box.adjusted(_PAD, _PAD, -_PAD, -_PAD)
        wide = self.shape.picture
        picture = QRectF(inner.x(), inner.y(), wide, wide * _SHAPE)
        pixmap = self._model.thumbnail(row.id, large=wide > SMALL_WIDTH)
        paint_thumbnail(painter, picture, pixmap, self.palette)
        if self.shape.beside:
            words = inner.adjusted(wide + _PAD, 0, 0, 0)
        else:
            words = inner.adjusted(0, picture.height() + 2, 0, 0)
        self._words(painter, words, row, QFontMetricsF(option.font))
        painter.restore()

    def _words(
        self, painter: QPainter, box: QRectF, row: SceneFacts, metrics: QFontMetricsF
    ) -> None:
        """Three lines: the name and its share, the share as a bar, the status."""
        line = metrics.height() + 4
        first = QRectF(box.x(), box.y(), box.width(), line)
        self._name(painter, first, row, metrics)
        bar = QRectF(box.x(), first.bottom() + line / 4, box.width(), BAR)
        paint_bar(painter, bar, row.retained, self.palette)
        last = QRectF(box.x(), first.bottom() + line / 2 + 4, box.width(), line)
        self._status(painter, last, row, metrics)

    def _name(
        self, painter: QPainter, box: QRectF, row: SceneFacts, metrics: QFontMetricsF
    ) -> None:
        kept = percent(row.retained)
        room = box.width() - metrics.horizontalAdvance(kept) - 8
        name = metrics.elidedText(row.id, Qt.TextElideMode.ElideMiddle, room)
        painter.setPen(QColor(self.palette.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, name)
        painter.setPen(QColor(self._inks.muted))
        painter.drawText(box, _RIGHT, kept)

    def _status(
        self, painter: QPainter, box: QRectF, row: SceneFacts, metrics: QFontMetricsF
    ) -> None:
        colour = status_colour(row.status, self.palette)
        taken = paint_chip(painter, box, row.status, colour, ink=self._inks.text)
        room = box.width() - taken - 8
        words = " ".join((*(f"#{tag}" for tag in row.tags), *(("✎",) if row.note else ())))
        if words and room > 2 * metrics.averageCharWidth():
            painter.setPen(QColor(self._inks.muted))
            shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, room)
            painter.drawText(box, _RIGHT, shown)
