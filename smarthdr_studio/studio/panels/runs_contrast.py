"""What several runs have in common and where they differ, one line a matter, one column a run."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QResizeEvent
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
from smarthdr_studio.studio.widgets.value_table import Column, ValueTableModel

BEST: Final = "best"
_HEAD: Final = "QHeaderView::section { padding-left: 3px; }"  # over the words of its cells
_NARROWEST, _WIDEST = 90, 320


class ContrastTable(QWidget):
    """A sentence over a table; where nothing differs the sentence is all there is."""

    def __init__(self, *, name: str, first: str) -> None:
        """`name` is for a screen reader, `first` heads the column of matters."""
        super().__init__()
        self._words = caption("", role="muted")
        self._words.setWordWrap(True)
        self._first, self._titles = first, tuple[str, ...]()
        self._rows: tuple[Contrast, ...] = ()
        self._model: ValueTableModel[Contrast] = ValueTableModel(
            [_matter(first)], ident=lambda row: row.name, parent=self
        )
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
        return self._rows

    def show_rows(self, titles: Sequence[str], rows: Sequence[Contrast], *, words: str) -> None:
        """These matters, a column for each title, under this sentence."""
        self._words.setText(words)
        self._words.setVisible(bool(words))
        self._table.setVisible(bool(rows))
        if (tuple(titles), tuple(rows)) != (self._titles, self._rows):
            self._titles, self._rows = tuple(titles), tuple(rows)
            runs = (_run(title, place) for place, title in enumerate(titles))
            self._model.show_columns([_matter(self._first), *runs])
            self._model.show_values(rows)
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


def _matter(title: str) -> Column[Contrast]:
    """The column that says what is compared."""
    return Column(
        title=title, text=lambda row: row.name, tooltip=lambda row: row.name, tone=lambda _: "muted"
    )


def _run(title: str, place: int) -> Column[Contrast]:
    """What it is to one run; the best value of a line is bold and says so."""

    def text(row: Contrast) -> str:
        return f"{row.values[place]}  ▲ {BEST}" if row.best == place else row.values[place]

    def font(row: Contrast) -> QFont | None:
        if row.best != place:
            return None
        bold = QFont(QApplication.font())
        bold.setWeight(QFont.Weight.DemiBold)
        return bold

    return Column(title=title, text=text, tooltip=text, font=font)
