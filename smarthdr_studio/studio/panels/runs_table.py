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
    QFrame,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from smarthdr_studio.studio.panels.parts import describe
from smarthdr_studio.studio.panels.runs_columns import COLUMNS
from smarthdr_studio.studio.panels.runs_model import RunsModel
from smarthdr_studio.studio.panels.runs_words import SIGNS
from smarthdr_studio.studio.state import StudioState
from smarthdr_studio.studio.theme import Palette

_PAD: Final = 7.0
_AIR: Final = 8  # pixels between two lines of text


class RunsTable(QTableView):
    """Says which runs are chosen, and asks for the menu and for the trash."""

    chosen = Signal(object)  # ids, the latest first
    menu_asked = Signal(QPoint)
    discard_asked = Signal()
    opened = Signal()

    def __init__(self, palette: Palette) -> None:
        super().__init__()
        self._model, self._showing = RunsModel(self), False
        self._chosen: tuple[str, ...] = ()
        self._cells = _Cells(palette, self)
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
            moved = self._model.take(new.runs.rows)
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
        places = [p for run in self._chosen if (p := self._model.place_of(run)) is not None]
        if sorted(places) == sorted(index.row() for index in model.selectedRows()):
            return
        self._showing = True
        model.clearSelection()
        for place in places:
            model.select(self._model.index(place, 0), flags.Select | flags.Rows)
        current = self.currentIndex()
        if places and (not current.isValid() or current.row() not in places):
            model.setCurrentIndex(self._model.index(places[0], 0), flags.NoUpdate)
            self.scrollTo(self._model.index(places[0], 0))
        self._showing = False

    @Slot(QItemSelection, QItemSelection)
    def _choose(self, _now: QItemSelection, _before: QItemSelection) -> None:
        if not self._showing:
            rows = (index.row() for index in self.selectionModel().selectedRows())
            ids = tuple(sorted((self._model.run(row).id for row in rows), reverse=True))
            self.chosen.emit(ids)

    @Slot(int)
    def _sort(self, column: int) -> None:
        self._showing = True
        self._model.sort_by(column)
        self._showing = False
        self._show_order()
        self._mark()

    @Slot(QModelIndex)
    def _open(self, _index: QModelIndex) -> None:
        self.opened.emit()

    def _show_order(self) -> None:
        order = Qt.SortOrder
        down = order.DescendingOrder if self._model.descending else order.AscendingOrder
        self.horizontalHeader().setSortIndicator(self._model.column, down)

    def _set_up(self) -> None:
        describe(self, name="Runs", tip="")
        self.setModel(self._model)
        self.setItemDelegate(self._cells)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self.menu_asked)

    def _set_up_head(self) -> None:
        metrics = QFontMetricsF(self.font())
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(int(metrics.height()) + _AIR)
        head = self.horizontalHeader()
        head.setSectionsClickable(True)
        head.setSectionsMovable(True)
        head.setHighlightSections(False)
        head.setSortIndicatorShown(True)
        head.setStretchLastSection(True)
        head.setAccessibleName("Columns: a click sorts")
        for place, column in enumerate(COLUMNS):
            words = max(metrics.horizontalAdvance(t) for t in (column.widest, column.title + " ▾▾"))
            head.resizeSection(place, int(words + 2 * _PAD) + 2)
        head.sectionClicked.connect(self._sort)
        self._show_order()


class _Cells(QStyledItemDelegate):
    """Paints a cell in the tone of its run."""

    def __init__(self, palette: Palette, parent: QWidget) -> None:
        super().__init__(parent)
        self.colours = palette

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint one cell."""
        model, p, box = index.model(), self.colours, QRectF(option.rect)
        assert isinstance(model, RunsModel)
        if option.state & QStyle.StateFlag.State_Selected:
            fill = QColor(p.accent)
            fill.setAlphaF(0.24)
            painter.fillRect(box, fill)
        elif index.row() % 2:
            painter.fillRect(box, QColor(p.window))
        words = str(index.data())
        colour = p.muted if words == "–" else p.text
        if index.column() == 0:
            role, _ = SIGNS[model.run(index.row()).status]
            colour = str(getattr(p, role))
        painter.setPen(QColor(colour))
        painter.setFont(option.font)
        inner = box.adjusted(_PAD, 0, -_PAD, 0)
        metrics = QFontMetricsF(option.font)
        shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, inner.width())
        side = COLUMNS[index.column()].side | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(inner, side, shown)
