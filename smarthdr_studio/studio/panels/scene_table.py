"""All scenes as a table: one line each, one column for every figure, sorted by a click."""

from collections.abc import Iterable
from typing import Final

from PySide6.QtCore import (
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QFontMetrics, QFontMetricsF, QPainter, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from smarthdr_studio.core.curation.sorting import SortKey
from smarthdr_studio.studio.panels.parts import describe
from smarthdr_studio.studio.panels.scene_columns import COLUMNS, SceneColumn
from smarthdr_studio.studio.panels.scene_painting import (
    BAR,
    paint_bar,
    paint_chip,
    paint_rounds,
    paint_thumbnail,
    status_colour,
)
from smarthdr_studio.studio.panels.scene_shelf import SceneShelf
from smarthdr_studio.studio.state import QueueKind, SceneFacts, StudioState
from smarthdr_studio.studio.theme import Palette

_THUMBNAIL: Final = QSize(48, 32)
_PAD: Final = 6.0


class SceneTable(QTableView):
    """Says by which figure to sort, and which scene's pictures are wanted."""

    sort_picked = Signal(str)
    opened = Signal()
    columns_changed = Signal()

    def __init__(self, palette: Palette, shelf: SceneShelf) -> None:
        super().__init__()
        self._shelf = shelf
        self._cells = _Cells(palette, shelf, self)
        describe(self, name="Table of scenes", tip="")
        self.setItemDelegate(self._cells)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_THUMBNAIL.height() + 8)
        self._set_up_head()
        self.activated.connect(self._open)

    @property
    def hidden_columns(self) -> list[str]:
        """The titles of the columns that are hidden."""
        return [each.title for place, each in enumerate(COLUMNS) if self.isColumnHidden(place)]

    def hide_columns(self, titles: Iterable[str]) -> None:
        """Hide these columns and show all others; the first stays."""
        hidden = set(titles)
        for place, column in enumerate(COLUMNS):
            self.setColumnHidden(place, place > 0 and column.title in hidden)

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        self._cells.palette = palette
        self.viewport().update()

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show by what the scenes are sorted."""
        if (old.table, old.queue.kind) == (new.table, new.queue.kind):
            return
        place = -1  # a queue has an order of its own
        if new.queue.kind is QueueKind.ALL:
            place = next((p for p, c in enumerate(COLUMNS) if c.sort == new.table.sort), -1)
        order = (
            Qt.SortOrder.DescendingOrder if new.table.descending else Qt.SortOrder.AscendingOrder
        )
        self.horizontalHeader().setSortIndicator(place, order)

    def showEvent(self, event: QShowEvent) -> None:
        """Take the scenes once they are to be seen, and go to the current one."""
        if self.model() is not self._shelf.model:
            self.setModel(self._shelf.model)
            self.setSelectionModel(self._shelf.selection)
            digit = QFontMetrics(self.font()).horizontalAdvance("0")
            for place, column in enumerate(COLUMNS):
                self.setColumnWidth(place, column.width * digit + int(2 * _PAD))
        super().showEvent(event)
        self.scrollTo(self.currentIndex())

    def moveCursor(
        self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier
    ) -> QModelIndex:
        """Home and End go to the first and the last scene, as in the list."""
        ends, column = QAbstractItemView.CursorAction, max(self.currentIndex().column(), 0)
        rows = self._shelf.model.rowCount()
        if rows and action in (ends.MoveHome, ends.MoveEnd):
            return self.model().index(0 if action is ends.MoveHome else rows - 1, column)
        return super().moveCursor(action, modifiers)

    def _set_up_head(self) -> None:
        head = self.horizontalHeader()
        head.setSectionsClickable(True)
        head.setSectionsMovable(True)
        head.setHighlightSections(False)
        head.setSortIndicatorShown(True)
        head.setSortIndicator(0, Qt.SortOrder.AscendingOrder)
        head.setMinimumSectionSize(36)
        head.setStretchLastSection(True)
        head.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        head.setAccessibleName("Columns: a click sorts, the context menu hides")
        head.sectionClicked.connect(self._sort)
        head.customContextMenuRequested.connect(self._choose_columns)

    @Slot(int)
    def _sort(self, place: int) -> None:
        self.sort_picked.emit(str(SortKey(COLUMNS[place].sort)))

    @Slot(QPoint)
    def _choose_columns(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for place, column in enumerate(COLUMNS[1:], 1):
            action = menu.addAction(column.title)
            action.setCheckable(True)
            action.setChecked(not self.isColumnHidden(place))
            action.setData(place)
        menu.triggered.connect(self._toggle_column)
        menu.popup(self.horizontalHeader().mapToGlobal(at))

    @Slot(object)
    def _toggle_column(self, action: object) -> None:
        place = action.data()  # type: ignore[attr-defined]
        self.setColumnHidden(place, not self.isColumnHidden(place))
        self.columns_changed.emit()

    @Slot(QModelIndex)
    def _open(self, _index: QModelIndex) -> None:
        self.opened.emit()


class _Cells(QStyledItemDelegate):
    """Paints a cell straight from what is known of its scene."""

    def __init__(self, palette: Palette, shelf: SceneShelf, parent: QObject) -> None:
        super().__init__(parent)
        self.palette, self._model = palette, shelf.model

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint one cell."""
        column, row = COLUMNS[index.column()], self._model.row(index.row())
        box = QRectF(option.rect)
        self._ground(painter, box, index.row(), state=option.state)
        inner = box.adjusted(_PAD, 0, -_PAD, 0)
        metrics = QFontMetricsF(option.font)
        painter.setFont(option.font)
        painter.setPen(QColor(self.palette.text))
        match column.look:
            case "name":
                self._name(painter, inner, row, metrics)
            case "status":
                colour = status_colour(row.status, self.palette)
                line = metrics.height() + 3
                chip = QRectF(inner.x(), inner.center().y() - line / 2, inner.width(), line)
                paint_chip(painter, chip, column.text(row), colour, metrics)
            case "bar":
                self._bar(painter, inner, column, row, metrics)
            case "rounds":
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                paint_rounds(painter, inner.adjusted(0, 8, 0, -8), row.rounds, self.palette)
            case _:
                self._text(painter, inner, column, row, metrics)

    def _ground(
        self, painter: QPainter, box: QRectF, line: int, *, state: QStyle.StateFlag
    ) -> None:
        if state & QStyle.StateFlag.State_Selected:
            fill = QColor(self.palette.accent)
            fill.setAlphaF(0.24)
            painter.fillRect(box, fill)
        elif line % 2:
            painter.fillRect(box, QColor(self.palette.window))

    def _name(
        self, painter: QPainter, box: QRectF, row: SceneFacts, metrics: QFontMetricsF
    ) -> None:
        size = _THUMBNAIL
        picture = QRectF(box.x(), box.center().y() - size.height() / 2, size.width(), size.height())
        paint_thumbnail(painter, picture, self._model.thumbnail(row.id), self.palette)
        room = box.adjusted(size.width() + 8, 0, 0, 0)
        name = metrics.elidedText(row.id, Qt.TextElideMode.ElideMiddle, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, name)

    def _bar(
        self,
        painter: QPainter,
        box: QRectF,
        column: SceneColumn,
        row: SceneFacts,
        metrics: QFontMetricsF,
    ) -> None:
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(box, right, column.text(row))
        room = metrics.horizontalAdvance("> 99 %") + 8
        bar = QRectF(box.x(), box.center().y() - BAR / 2, box.width() - room, BAR)
        paint_bar(painter, bar, row.retained, self.palette)

    def _text(
        self,
        painter: QPainter,
        box: QRectF,
        column: SceneColumn,
        row: SceneFacts,
        metrics: QFontMetricsF,
    ) -> None:
        words = column.text(row)
        if column.look == "trend" and row.trend is not None:
            falls = words.startswith("▼")
            rises = words.startswith("▲")
            p = self.palette
            painter.setPen(QColor(p.bad if falls else p.good if rises else p.muted))
        elif words == "–":
            painter.setPen(QColor(self.palette.muted))
        shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | column.side, shown)
