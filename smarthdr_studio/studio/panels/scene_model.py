"""The listed scenes as Qt wants them: rows that ask for their thumbnail when they are painted."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSignalBlocker,
    Qt,
    Signal,
)
from PySide6.QtGui import QImage, QPixmap, QStandardItemModel

from smarthdr_studio.studio.panels.parts import percent, small
from smarthdr_studio.studio.panels.scene_columns import COLUMNS
from smarthdr_studio.studio.state import SceneFacts

Index = QModelIndex | QPersistentModelIndex

SMALL_WIDTH: Final = 144  # twice what lists show, for screens of 200 %
_KEPT_BYTES: Final = 96 * 2**20
_ASK_AGAIN_S: Final = 3.0  # what was scrolled out of sight may have been passed over
_NO_WORDS: Final[Mapping[str, str]] = {}


class Role(IntEnum):
    """What a delegate may ask of a row beyond Qt's own roles."""

    ROW = Qt.ItemDataRole.UserRole + 1
    WORDS = Qt.ItemDataRole.UserRole + 2  # why the scene stands where it stands


@dataclass(frozen=True, slots=True)
class _Thumbnail:
    large: QPixmap
    small: QPixmap

    @property
    def nbytes(self) -> int:
        return sum(4 * each.width() * each.height() for each in (self.large, self.small))


class SceneModel(QStandardItemModel):
    """The rows that are listed, in their order; one column for every figure of the table.

    Qt's own model counts lines and columns: a view asks for every line, one after the other, and
    ten thousand answers from Python would take a tenth of a second.
    """

    thumbnail_wanted = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(0, len(COLUMNS), parent)
        self._rows: Sequence[SceneFacts] = ()
        self._lines: dict[str, int] = {}
        self._words: Mapping[str, str] = _NO_WORDS
        self._thumbnails: dict[str, _Thumbnail] = {}
        self._bytes = 0
        self._asked: dict[str, float] = {}

    def show_rows(self, rows: Sequence[SceneFacts], words: Mapping[str, str] = _NO_WORDS) -> bool:
        """List these, with more words for some by id; whether others, or in another order.

        The same scenes in the same order keep selection and scrolling.
        """
        lines = {row.id: line for line, row in enumerate(rows)}
        before, moved = self._rows, list(lines) != list(self._lines)
        words_are_new = words != self._words
        if len(rows) != len(before):
            self.beginResetModel()
            self._rows, self._lines, self._words = rows, lines, words
            with QSignalBlocker(self):  # the reset says it all
                self.setRowCount(len(rows))
            self.endResetModel()
            return True
        self._rows, self._lines, self._words = rows, lines, words
        changed = [line for line, row in enumerate(rows) if row is not before[line]]
        if words_are_new and rows:
            changed = [0, len(rows) - 1]
        if changed:
            last = len(COLUMNS) - 1
            self.dataChanged.emit(self.index(changed[0], 0), self.index(changed[-1], last))
        return moved

    def forget(self) -> None:
        """Other scenes may have the same names from now on."""
        self._thumbnails.clear()
        self._asked.clear()
        self._bytes = 0

    def take_thumbnail(self, scene: str, picture: QImage) -> None:
        """Keep a thumbnail and repaint its row; the ones that came first leave when it is full."""
        if scene not in self._asked or picture.isNull():
            return
        self._drop(scene)
        self._asked[scene] = time.monotonic()
        smooth = Qt.TransformationMode.SmoothTransformation
        little = picture.scaledToWidth(min(SMALL_WIDTH, picture.width()), smooth)
        made = _Thumbnail(QPixmap.fromImage(picture), QPixmap.fromImage(little))
        self._thumbnails[scene] = made
        self._bytes += made.nbytes
        while self._bytes > _KEPT_BYTES and len(self._thumbnails) > 1:
            self._drop(next(iter(self._thumbnails)))
        if (line := self.line_of(scene)) is not None:
            self.dataChanged.emit(self.index(line, 0), self.index(line, 0))

    def line_of(self, scene: str | None) -> int | None:
        """Where a scene stands; None where it is not listed."""
        return None if scene is None else self._lines.get(scene)

    def row(self, line: int) -> SceneFacts:
        """What is known of the scene in a line."""
        return self._rows[line]

    @property
    def rows(self) -> Sequence[SceneFacts]:
        """The listed scenes in their order."""
        return self._rows

    def thumbnail(self, scene: str, *, large: bool = False) -> QPixmap | None:
        """The thumbnail of a scene that is being painted; asked for where it is not there."""
        known = self._thumbnails.get(scene)
        if known is not None:
            return known.large if large else known.small
        now = time.monotonic()
        if now - self._asked.get(scene, 0.0) > _ASK_AGAIN_S:
            self._asked[scene] = now
            self.thumbnail_wanted.emit(scene)
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        """The titles of the columns, and what they mean."""
        if orientation is not Qt.Orientation.Horizontal or section >= len(COLUMNS):
            return None
        column = COLUMNS[section]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.title
            case Qt.ItemDataRole.ToolTipRole:
                return f"{column.tip}; a click sorts, another one reverses"
            case Qt.ItemDataRole.TextAlignmentRole:
                return Qt.AlignmentFlag.AlignVCenter | column.side
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """What is known of a row; the first column stands for all of it."""
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return COLUMNS[index.column()].text(row) if index.column() else row.id
            case Role.ROW:
                return row
            case Role.WORDS:
                return self._words.get(row.id, "")
            case Qt.ItemDataRole.DecorationRole:
                return self.thumbnail(row.id) if index.column() == 0 else None
            case Qt.ItemDataRole.AccessibleTextRole | Qt.ItemDataRole.ToolTipRole:
                return self._told(row) if index.column() == 0 else COLUMNS[index.column()].told(row)
        return None

    def _told(self, row: SceneFacts) -> str:
        kept = f"{percent(row.retained)} kept, mean σ {small(row.sigma_mean)}"
        tags = f"tags {', '.join(row.tags)}" if row.tags else ""
        parts = (f"{row.id}, {row.status}, {kept}", tags, row.note, self._words.get(row.id, ""))
        return "\n".join(filter(None, parts))

    def _drop(self, scene: str) -> None:
        known = self._thumbnails.pop(scene, None)
        if known is not None:
            self._bytes -= known.nbytes


class RowSelection(QItemSelectionModel):
    """Selects whole lines, whichever view is asked, so that several views can share it."""

    def select(  # type: ignore[override]
        self, what: QItemSelection | QModelIndex, command: QItemSelectionModel.SelectionFlag
    ) -> None:
        """Select whole lines."""
        super().select(what, _whole_lines(command))

    def setCurrentIndex(self, index: Index, command: QItemSelectionModel.SelectionFlag) -> None:
        """The current line is known by its first column."""
        super().setCurrentIndex(index.sibling(index.row(), 0), _whole_lines(command))

    def lines(self) -> list[int]:
        """The selected lines, from the top."""
        ranges = [(each.top(), each.bottom()) for each in self.selection()]  # type: ignore[attr-defined]
        return sorted({line for top, bottom in ranges for line in range(top, bottom + 1)})


def _whole_lines(command: QItemSelectionModel.SelectionFlag) -> QItemSelectionModel.SelectionFlag:
    nothing = QItemSelectionModel.SelectionFlag.NoUpdate
    return command if command == nothing else command | QItemSelectionModel.SelectionFlag.Rows
