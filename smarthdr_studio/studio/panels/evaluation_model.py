"""Figures of scenes as Qt wants them: sorted by any of them, the mean in the last line."""

import math
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QFont

from smarthdr_studio.studio.panels.evaluation_columns import COLUMNS, mean_of
from smarthdr_studio.studio.state import SceneFigures

Index = QModelIndex | QPersistentModelIndex

_NOWHERE: Final = QModelIndex()


class EvaluationModel(QAbstractTableModel):
    """Scenes sorted by any figure; the mean stays in the last line."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._rows: list[SceneFigures] = []
        self._mean: SceneFigures | None = None
        self.worse = QColor()  # of what the plain merge does better
        self.column, self.descending = 0, False

    def take(self, rows: tuple[SceneFigures, ...]) -> None:
        """Show these scenes, in the order that is set."""
        self.beginResetModel()
        self._rows = list(rows)
        self._mean = mean_of(rows) if rows else None
        self._sort()
        self.endResetModel()

    def sort_by(self, column: int) -> None:
        """Sort by this column, the worst scenes first; once more reverses."""
        if column == self.column:
            self.descending = not self.descending
        else:
            self.column = column
            self.descending = column > 0 and not COLUMNS[column - 1].more_is_better
        self.beginResetModel()
        self._sort()
        self.endResetModel()

    def scene(self, line: int) -> str:
        """The scene of a line, "" of the mean's."""
        return self._rows[line].id if line < len(self._rows) else ""

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """Every scene, and the mean."""
        return 0 if parent.isValid() or self._mean is None else len(self._rows) + 1

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        """The scene's name and its figures."""
        return 0 if parent.isValid() else len(COLUMNS) + 1

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:  # noqa: ANN401 - as Qt has it
        """Names of the columns and what they mean."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._title(section)
            case Qt.ItemDataRole.ToolTipRole:
                about = COLUMNS[section - 1].tip if section else "A click on a line shows the scene"
                return f"{about}; a click here sorts"
            case Qt.ItemDataRole.TextAlignmentRole:
                return _side(section)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401
        """What a cell says; the mean in bold."""
        is_mean = index.row() == len(self._rows)
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._text(index.row(), index.column())
            case Qt.ItemDataRole.TextAlignmentRole:
                return _side(index.column())
            case Qt.ItemDataRole.FontRole if is_mean:
                font = QFont()
                font.setBold(True)
                return font
            case Qt.ItemDataRole.ForegroundRole if self._is_worse(index.row(), index.column()):
                return self.worse
        return None

    def _title(self, column: int) -> str:
        """With the sign of the order: the header's own would lie over a title on the right."""
        sign = (" ▾" if self.descending else " ▴") if column == self.column else ""
        return (COLUMNS[column - 1].title if column else "Scene") + sign

    def _figures(self, line: int) -> SceneFigures:
        if line < len(self._rows):
            return self._rows[line]
        assert self._mean is not None
        return self._mean

    def _text(self, line: int, column: int) -> str:
        figures = self._figures(line)
        if column == 0:
            return figures.id
        value = COLUMNS[column - 1].value(figures)
        if not math.isfinite(value):
            return "–"
        return COLUMNS[column - 1].form.format(value).replace("-", "−")

    def _is_worse(self, line: int, column: int) -> bool:
        """Whether the plain merge does better; the sign says it as well."""
        if column == 0 or not COLUMNS[column - 1].of_difference:
            return False
        return COLUMNS[column - 1].value(self._figures(line)) < 0

    def _sort(self) -> None:
        self._rows.sort(key=lambda row: row.id)
        if self.column:
            value = COLUMNS[self.column - 1].value
            # What is no number comes last, whichever way.
            odd = [row for row in self._rows if not math.isfinite(value(row))]
            rows = [row for row in self._rows if math.isfinite(value(row))]
            self._rows = sorted(rows, key=value, reverse=self.descending) + odd
        elif self.descending:
            self._rows.reverse()


def _side(column: int) -> int:
    across = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
    return int(across | Qt.AlignmentFlag.AlignVCenter)
