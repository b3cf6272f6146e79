"""The list of runs: one line each, sorted by a click, several of them selectable."""

from typing import Final

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QFontMetricsF, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from smarthdr_studio.core.running.listing import RunRow
from smarthdr_studio.studio.panels.runs_columns import COLUMNS, STARTED
from smarthdr_studio.studio.state import StudioState
from smarthdr_studio.studio.theme import Palette
from smarthdr_studio.studio.widgets.value_table import SortedTable, SortedValues

_PAD: Final = 7.0


class RunsTable(SortedTable[RunRow]):
    """Says which runs are chosen, and asks for the menu and for the trash."""

    chosen = Signal(object)  # ids, the latest first
    menu_asked = Signal(QPoint)
    discard_asked = Signal()
    opened = Signal()

    def __init__(self, palette: Palette) -> None:
        super().__init__(COLUMNS, ident=lambda row: row.id, name="Runs")
        self._chosen: tuple[str, ...] = ()
        self._showing = False
        self._cells = _Cells(palette, self.rows, self)
        self._set_up()
        self._set_up_head()
        self.selectionModel().selectionChanged.connect(self._choose)
        self.activated.connect(self._open)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the runs, and which are chosen."""
        moved = False
        if old.runs.rows is not new.runs.rows:
            self._showing = True
            latest_first = sorted(new.runs.rows, key=lambda row: row.id, reverse=True)
            moved = self.rows.show_values(latest_first)
            self._showing = False
        if moved or self._chosen != new.runs.chosen:
            self._chosen = new.runs.chosen
            self._mark()

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        self._cells.colours = palette
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete asks for the trash."""
        if event.key() == Qt.Key.Key_Delete:
            self.discard_asked.emit()
        else:
            super().keyPressEvent(event)

    def _mark(self) -> None:
        """Select the lines of the chosen runs, and keep the keyboard at one of them."""
        flags, model = QItemSelectionModel.SelectionFlag, self.selectionModel()
        found = [index for run in self._chosen if (index := self.rows.index_of(run)).isValid()]
        if {index.row() for index in found} == {index.row() for index in model.selectedRows()}:
            return
        self._showing = True
        model.clearSelection()
        for index in found:
            model.select(index, flags.Select | flags.Rows)
        current = self.currentIndex()
        if found and current.row() not in {index.row() for index in found}:
            model.setCurrentIndex(found[0], flags.NoUpdate)
            self.scrollTo(found[0])
        self._showing = False

    @Slot(QItemSelection, QItemSelection)
    def _choose(self, _now: QItemSelection, _before: QItemSelection) -> None:
        if not self._showing:
            selected = self.selectionModel().selectedRows()
            ids = tuple(sorted((self.rows.value(index).id for index in selected), reverse=True))
            self.chosen.emit(ids)

    @Slot(QModelIndex)
    def _open(self, _index: QModelIndex) -> None:
        self.opened.emit()

    def _set_up(self) -> None:
        self.setItemDelegate(self._cells)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self.menu_asked)

    def _set_up_head(self) -> None:
        metrics, head = QFontMetricsF(self.font()), self.horizontalHeader()
        head.setSectionsMovable(True)
        head.setStretchLastSection(True)
        head.setAccessibleName("Columns: a click sorts")
        for place, column in enumerate(COLUMNS):
            words = max(metrics.horizontalAdvance(t) for t in (column.widest, column.title + " ▾▾"))
            head.resizeSection(place, int(words + 2 * _PAD) + 2)
        self.sort_by(STARTED, descending=True)


class _Cells(QStyledItemDelegate):
    """Paints a cell in the tone of its run."""

    def __init__(self, palette: Palette, rows: SortedValues[RunRow], parent: QWidget) -> None:
        super().__init__(parent)
        self.colours, self._rows = palette, rows

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint one cell."""
        p, box = self.colours, QRectF(option.rect)
        column, row = self._rows.columns[index.column()], self._rows.value(index)
        if option.state & QStyle.StateFlag.State_Selected:
            fill = QColor(p.accent)
            fill.setAlphaF(0.24)
            painter.fillRect(box, fill)
        elif index.row() % 2:
            painter.fillRect(box, QColor(p.window))
        words, tone = column.text(row), column.tone(row) if column.tone else ""
        ink = getattr(p, tone) if tone else p.muted if words == "–" else p.text
        painter.setPen(QColor(ink))
        painter.setFont(option.font)
        inner = box.adjusted(_PAD, 0, -_PAD, 0)
        metrics = QFontMetricsF(option.font)
        shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, inner.width())
        painter.drawText(inner, column.side | Qt.AlignmentFlag.AlignVCenter, shown)
