"""All scenes as pictures, large enough to be told apart at a glance."""

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
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from smarthdr_studio.studio.panels.parts import describe, percent
from smarthdr_studio.studio.panels.scene_model import SMALL_WIDTH
from smarthdr_studio.studio.panels.scene_painting import (
    BAR,
    paint_bar,
    paint_chip,
    paint_frame,
    paint_thumbnail,
    status_colour,
)
from smarthdr_studio.studio.panels.scene_shelf import SceneShelf
from smarthdr_studio.studio.state import SceneFacts
from smarthdr_studio.studio.theme import Palette

WIDTHS: Final = (120, 320)  # of a picture, in pixels of the screen's own size
FIRST_WIDTH: Final = 184
_SHAPE: Final = 2 / 3
_RIGHT: Final = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
_PAD: Final = 6
MARGIN: Final = 2 * _PAD + 8  # around a picture


class SceneGallery(QListView):
    """Pictures in rows; says when the scene's pictures are wanted in full."""

    opened = Signal()

    def __init__(self, palette: Palette, shelf: SceneShelf) -> None:
        super().__init__()
        self._shelf = shelf
        self._wanted = FIRST_WIDTH
        self._tiles = _Tiles(palette, shelf, self)
        describe(self, name="Gallery of scenes", tip="")
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
        """Show pictures so wide."""
        self._wanted = min(max(width, WIDTHS[0]), WIDTHS[1])
        self._fill_lines()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As many pictures to a line as there is room for, a little wider to fill it."""
        super().resizeEvent(event)
        self._fill_lines()

    def _fill_lines(self) -> None:
        room = self.viewport().width() - 1
        many = max(room // (self._wanted + MARGIN), 1)
        width = room // many - MARGIN
        if width > 0 and width != self._tiles.width:
            self._tiles.width = width
            self.scheduleDelayedItemsLayout()

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        self._tiles.palette = palette
        self.viewport().update()

    def showEvent(self, event: QShowEvent) -> None:
        """Take the scenes once they are to be seen, and go to the current one."""
        if self.model() is not self._shelf.model:
            self.setModel(self._shelf.model)
            self.setSelectionModel(self._shelf.selection)
        super().showEvent(event)
        self.scrollTo(self.currentIndex())

    @Slot(QModelIndex)
    def _open(self, _index: QModelIndex) -> None:
        self.opened.emit()


class _Tiles(QStyledItemDelegate):
    """A picture with its name, its status in words, and the kept share as a bar and a number."""

    def __init__(self, palette: Palette, shelf: SceneShelf, parent: QObject) -> None:
        super().__init__(parent)
        self.palette, self._model, self.width = palette, shelf.model, FIRST_WIDTH

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """The picture, and three lines of words below."""
        del index
        words = 3 * (option.fontMetrics.height() + 4)
        return QSize(self.width + MARGIN, round(self.width * _SHAPE) + words + 2 * _PAD + 10)

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
        metrics = QFontMetricsF(option.font)
        box = QRectF(option.rect).adjusted(4, 4, -4, -4)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        paint_frame(painter, box, self.palette, selected=selected)
        inner = box.adjusted(_PAD, _PAD, -_PAD, -_PAD)
        picture = QRectF(inner.x(), inner.y(), inner.width(), inner.width() * _SHAPE)
        pixmap = self._model.thumbnail(row.id, large=self.width > SMALL_WIDTH)
        paint_thumbnail(painter, picture, pixmap, self.palette)
        line = metrics.height() + 4
        first = QRectF(inner.x(), picture.bottom() + 2, inner.width(), line)
        self._name(painter, first, row, metrics)
        bar = QRectF(inner.x(), first.bottom() + line / 4, inner.width(), BAR)
        paint_bar(painter, bar, row.retained, self.palette)
        last = QRectF(inner.x(), first.bottom() + line / 2 + 4, inner.width(), line)
        self._status(painter, last, row, metrics)
        painter.restore()

    def _name(
        self, painter: QPainter, box: QRectF, row: SceneFacts, metrics: QFontMetricsF
    ) -> None:
        kept = percent(row.retained)
        room = box.width() - metrics.horizontalAdvance(kept) - 8
        name = metrics.elidedText(row.id, Qt.TextElideMode.ElideMiddle, room)
        painter.setPen(QColor(self.palette.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, name)
        painter.setPen(QColor(self.palette.muted))
        painter.drawText(box, _RIGHT, kept)

    def _status(
        self, painter: QPainter, box: QRectF, row: SceneFacts, metrics: QFontMetricsF
    ) -> None:
        colour = status_colour(row.status, self.palette)
        room = box.width() - paint_chip(painter, box, row.status, colour, metrics) - 8
        words = " ".join((*(f"#{tag}" for tag in row.tags), *(("✎",) if row.note else ())))
        if words and room > 2 * metrics.averageCharWidth():
            painter.setPen(QColor(self.palette.muted))
            shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, room)
            painter.drawText(box, _RIGHT, shown)
