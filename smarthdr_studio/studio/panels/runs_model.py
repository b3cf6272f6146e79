"""The runs as Qt wants them: sorted by any figure, changed only where something is new."""

from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from smarthdr_studio.core.running.listing import RunRow
from smarthdr_studio.studio.panels import runs_words as words
from smarthdr_studio.studio.panels.runs_columns import COLUMNS, STARTED

Index = QModelIndex | QPersistentModelIndex

_NOWHERE: Final = QModelIndex()
_LEFT: Final = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class RunsModel(QAbstractTableModel):
    """A row a run; the latest first until somebody sorts."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._rows: list[RunRow] = []
        self.column, self.descending = STARTED, True

    def take(self, rows: Sequence[RunRow]) -> bool:
        """Show these runs; whether lines have come, gone or changed places."""
        wanted = self._sorted(rows)
        if [row.id for row in wanted] != [row.id for row in self._rows]:
            self.beginResetModel()
            self._rows = wanted
            self.endResetModel()
            return True
        before, self._rows = self._rows, wanted
        for place, (old, new) in enumerate(zip(before, wanted, strict=True)):
            if old != new:
                self.dataChanged.emit(self.index(place, 0), self.index(place, len(COLUMNS) - 1))
        return False

    def sort_by(self, column: int) -> None:
        """Sort by this column; once more reverses."""
        if column == self.column:
            self.descending = not self.descending
        else:
            self.column, self.descending = column, COLUMNS[column].largest_first
        self.beginResetModel()
        self._rows = self._sorted(self._rows)
        self.endResetModel()

    def run(self, place: int) -> RunRow:
        """The run in this line."""
        return self._rows[place]

    def place_of(self, run: str) -> int | None:
        """The line of a run."""
        return next((place for place, row in enumerate(self._rows) if row.id == run), None)

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """How many runs there are."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        """How many figures are told of each."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:  # noqa: ANN401 - as Qt has it
        """Names of the columns, what they mean, and on which side they stand."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        column = COLUMNS[section]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.title
            case Qt.ItemDataRole.ToolTipRole:
                return f"{column.tip}; a click sorts"
            case Qt.ItemDataRole.TextAlignmentRole:
                # The sign of the order stands at the right.
                left = column.side == Qt.AlignmentFlag.AlignLeft
                return int(_LEFT if left else Qt.AlignmentFlag.AlignCenter)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401
        """What a cell shows; the whole run for the mouse and for a screen reader."""
        row, column = self._rows[index.row()], COLUMNS[index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.text(row)
            case Qt.ItemDataRole.TextAlignmentRole:
                return int(column.side | Qt.AlignmentFlag.AlignVCenter)
            case Qt.ItemDataRole.ToolTipRole:
                return words.in_full(row)
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{column.title}: {column.text(row) or 'none'}"
        return None

    def _sorted(self, rows: Sequence[RunRow]) -> list[RunRow]:
        """By the chosen figure; among equals the latest first."""
        latest = sorted(rows, key=lambda row: row.id, reverse=True)
        return sorted(latest, key=COLUMNS[self.column].key, reverse=self.descending)
