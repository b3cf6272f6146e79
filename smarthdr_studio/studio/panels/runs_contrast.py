"""What several runs have in common and where they differ, one line a matter, one column a run."""

from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFrame,
    QHeaderView,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.studio.panels.parts import caption, describe
from smarthdr_studio.studio.state import Contrast

Index = QModelIndex | QPersistentModelIndex

BEST: Final = "best"
_NOWHERE: Final = QModelIndex()
_HEAD: Final = "QHeaderView::section { padding-left: 3px; }"  # over the words of its cells
_NARROWEST, _WIDEST = 90, 320


class ContrastTable(QWidget):
    """A sentence over a table; where nothing differs the sentence is all there is."""

    def __init__(self, *, name: str, first: str) -> None:
        """`name` is for a screen reader, `first` heads the column of matters."""
        super().__init__()
        self._words = caption("", role="muted")
        self._words.setWordWrap(True)
        self._model = _Model(first, self)
        self._table = QTableView()
        describe(self._table, name=name, tip="")
        self._set_up()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._words)
        column.addWidget(self._table, 1)

    @property
    def words(self) -> str:
        """The sentence over the table."""
        return self._words.text()

    @property
    def rows(self) -> tuple[Contrast, ...]:
        """What is shown."""
        return self._model.rows

    def show_rows(self, titles: Sequence[str], rows: Sequence[Contrast], *, words: str) -> None:
        """These matters, a column for each title, under this sentence."""
        self._words.setText(words)
        self._words.setVisible(bool(words))
        self._table.setVisible(bool(rows))
        if (tuple(titles), tuple(rows)) != (self._model.titles, self._model.rows):
            self._model.take(tuple(titles), tuple(rows))
            self._fit()

    def _fit(self) -> None:
        """Columns as wide as their words, within reason."""
        self._table.resizeColumnsToContents()
        for place in range(self._model.columnCount()):
            wanted = self._table.columnWidth(place) + 12
            self._table.setColumnWidth(place, min(max(wanted, _NARROWEST), _WIDEST))
        self._table.resizeRowsToContents()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width: words of the last column wrap otherwise."""
        super().resizeEvent(event)
        self._table.resizeRowsToContents()

    def _set_up(self) -> None:
        table = self._table
        table.setModel(self._model)
        table.setFrameShape(QFrame.Shape.NoFrame)
        table.setShowGrid(False)
        table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        table.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.setTabKeyNavigation(False)
        table.verticalHeader().hide()
        head = table.horizontalHeader()
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        head.setHighlightSections(False)
        head.setStretchLastSection(True)
        head.setStyleSheet(_HEAD)


class _Model(QAbstractTableModel):
    """Matters as lines, runs as columns."""

    def __init__(self, first: str, parent: QObject) -> None:
        super().__init__(parent)
        self._first = first
        self.titles: tuple[str, ...] = ()
        self.rows: tuple[Contrast, ...] = ()
        self._bold = QFont(QApplication.font())
        self._bold.setWeight(QFont.Weight.DemiBold)

    def take(self, titles: tuple[str, ...], rows: tuple[Contrast, ...]) -> None:
        """Show these from now on."""
        self.beginResetModel()
        self.titles, self.rows = titles, rows
        self.endResetModel()

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """How many matters there are."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        """The matter, and a column a run."""
        return 0 if parent.isValid() else 1 + len(self.titles)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:  # noqa: ANN401 - as Qt has it
        """What the columns are."""
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (self._first, *self.titles)[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401
        """A cell; the best value of a line is bold and says so."""
        row, place = self.rows[index.row()], index.column() - 1
        best = place >= 0 and place == row.best
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.ToolTipRole:
                value = row.name if place < 0 else row.values[place]
                return f"{value}  ▲ {BEST}" if best else value
            case Qt.ItemDataRole.FontRole if best:
                return self._bold
            case Qt.ItemDataRole.ForegroundRole if place < 0:
                return QApplication.palette().brush(QPalette.ColorRole.PlaceholderText)
        return None
