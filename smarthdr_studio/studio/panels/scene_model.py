"""The scene list as Qt wants it: rows that ask for their thumbnail when they come into view."""

from enum import IntEnum
from typing import Final

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QImage, QPixmap

from smarthdr_studio.studio.panels.parts import percent, small
from smarthdr_studio.studio.state import SceneRow

_Index = QModelIndex | QPersistentModelIndex
_KEPT_THUMBNAILS: Final = 2000  # of 96×64 pixels: 50 MB at most


class Role(IntEnum):
    """What a delegate may ask of a row beyond Qt's own roles."""

    ROW = Qt.ItemDataRole.UserRole + 1


class SceneModel(QAbstractListModel):
    """The rows of the state, and the thumbnails that came in."""

    thumbnail_wanted = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._rows: tuple[SceneRow, ...] = ()
        self._thumbnails: dict[str, QPixmap] = {}
        self._asked: set[str] = set()

    def show_rows(self, rows: tuple[SceneRow, ...]) -> None:
        """Take these rows; the same scenes in the same order keep selection and scrolling."""
        same = [row.id for row in rows] == [row.id for row in self._rows]
        if not same:
            self.beginResetModel()
            self._rows = rows
            self._thumbnails.clear()
            self._asked.clear()
            self.endResetModel()
            return
        changed = [i for i, (a, b) in enumerate(zip(self._rows, rows, strict=True)) if a != b]
        self._rows = rows
        if changed:
            self.dataChanged.emit(self.index(changed[0]), self.index(changed[-1]))

    def take_thumbnail(self, scene: str, picture: QImage) -> None:
        """Keep a thumbnail and repaint its row."""
        if scene not in self._asked:
            return
        if len(self._thumbnails) >= _KEPT_THUMBNAILS:
            oldest = next(iter(self._thumbnails))
            del self._thumbnails[oldest]
            self._asked.discard(oldest)
        self._thumbnails[scene] = QPixmap.fromImage(picture)
        if (line := self.line_of(scene)) is not None:
            self.dataChanged.emit(self.index(line), self.index(line))

    def line_of(self, scene: str | None) -> int | None:
        """Where a scene stands."""
        return next((line for line, row in enumerate(self._rows) if row.id == scene), None)

    def rowCount(self, parent: _Index | None = None) -> int:
        """How many scenes there are."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """What is known of a row."""
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return row.id
            case Role.ROW:
                return row
            case Qt.ItemDataRole.DecorationRole:
                return self._thumbnail(row.id)
            case Qt.ItemDataRole.AccessibleTextRole | Qt.ItemDataRole.ToolTipRole:
                kept = f"{percent(row.retained)} kept, mean σ {small(row.sigma_mean)}"
                return f"{row.id}, {row.status}, {kept}"
        return None

    def _thumbnail(self, scene: str) -> QPixmap | None:
        if scene not in self._asked:
            self._asked.add(scene)
            self.thumbnail_wanted.emit(scene)
        return self._thumbnails.get(scene)


class SceneFilter(QSortFilterProxyModel):
    """Rows whose id or status contains every word typed."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._words: tuple[str, ...] = ()

    def look_for(self, text: str) -> None:
        """Show only rows with these words; "status:" before a word is allowed and ignored."""
        self.beginFilterChange()
        self._words = tuple(text.lower().replace("status:", "").split())
        self.endFilterChange()

    def filterAcceptsRow(self, source_row: int, source_parent: _Index) -> bool:  # noqa: N802
        """Whether a row has every word."""
        index = self.sourceModel().index(source_row, 0, source_parent)
        row: SceneRow = index.data(Role.ROW)
        told = f"{row.id} {row.status}".lower()
        return all(word in told for word in self._words)
