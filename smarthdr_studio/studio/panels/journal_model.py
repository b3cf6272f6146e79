"""The decisions of the journal as Qt wants them: what is not in view costs nothing."""

from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont, QPalette
from PySide6.QtWidgets import QApplication

from smarthdr_studio.core.curation.moments import Line
from smarthdr_studio.studio.panels.journal_words import (
    UNDONE,
    in_full,
    made_by,
    short_time,
    thresholds,
)

Index = QModelIndex | QPersistentModelIndex

_NOWHERE: Final = QModelIndex()
_COLUMNS: Final[tuple[tuple[str, str, Callable[[Line], str]], ...]] = (
    ("When", "On the clock of this computer", lambda line: short_time(line.at)),
    ("Decision", "What was decided", lambda line: line.what),
    ("", "Whether it was taken back", lambda line: UNDONE if line.undone else ""),
    ("Note", "Why it was decided", lambda line: line.note),
    ("τ_pa · τ_pi", "The thresholds in force after it", thresholds),
    ("Label from", "Run, round and checkpoint of a label that was frozen", made_by),
    ("Who", "User and computer", lambda line: line.who),
)
DECISION, NOTE = 1, 3
WIDEST: Final = (
    "today 00:00",
    "set the thresholds to 0.35 and 0.40",
    UNDONE,
    "what a note may say",
    "τ_pa · τ_pi",
    "20261125-101500 · round 12",
    "someone@somewhere",
)


class JournalModel(QAbstractTableModel):
    """Lines of the journal, or those about one scene."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._all: tuple[Line, ...] = ()
        self._lines: tuple[Line, ...] = ()
        self._scene: str | None = None
        self._struck = QFont(QApplication.font())
        self._struck.setStrikeOut(True)

    def show_lines(self, lines: tuple[Line, ...], *, scene: str | None) -> bool:
        """These lines, and of them those about `scene` unless it is None; whether that is new."""
        if lines is self._all and scene == self._scene:
            return False
        about = lines if scene is None else tuple(line for line in lines if scene in line.scenes)
        self.beginResetModel()
        self._all, self._scene, self._lines = lines, scene, about
        self.endResetModel()
        return True

    def line(self, row: int) -> Line:
        """The decision in this row."""
        return self._lines[row]

    def row_of(self, seq: int) -> int | None:
        """Where the decision with this number stands."""
        return next((row for row, line in enumerate(self._lines) if line.seq == seq), None)

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """How many decisions are shown."""
        return 0 if parent.isValid() else len(self._lines)

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        """What is told of each."""
        return 0 if parent.isValid() else len(_COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:  # noqa: ANN401 - as Qt has it
        """Names of the columns, and what they mean."""
        if orientation is Qt.Orientation.Horizontal:
            heading, tip, _ = _COLUMNS[section]
            if role == Qt.ItemDataRole.DisplayRole:
                return heading
            if role == Qt.ItemDataRole.ToolTipRole:
                return tip
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401
        """What a cell shows; undone decisions are struck through, muted, and say so."""
        line, column = self._lines[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return _COLUMNS[column][2](line)
            case Qt.ItemDataRole.ToolTipRole:
                return in_full(line)
            case Qt.ItemDataRole.AccessibleTextRole:
                return in_full(line) if column == DECISION else None
            case Qt.ItemDataRole.FontRole if line.undone and column == DECISION:
                return self._struck
            case Qt.ItemDataRole.ForegroundRole if line.undone:
                return QApplication.palette().brush(QPalette.ColorRole.PlaceholderText)
        return None
