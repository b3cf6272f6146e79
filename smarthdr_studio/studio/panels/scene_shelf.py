"""The scenes that are listed, in their order, and which are selected; shared by all their views."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import QImage

from smarthdr_studio.core.curation.sorting import SortKey, sorted_scenes
from smarthdr_studio.studio.panels.scene_model import RowSelection, SceneModel
from smarthdr_studio.studio.state import QueueKind, SceneFacts, StudioState

_GATHER_MS: Final = 30
_MOST_WANTED: Final = 200  # thumbnails asked for at once; what was scrolled past comes last
_PICK: Final = QItemSelectionModel.SelectionFlag.ClearAndSelect


class SceneShelf(QObject):
    """Keeps one model and one selection for list, table and gallery."""

    scene_picked = Signal(str)
    selection_changed = Signal(object)  # ids in the order of the list
    thumbnails_wanted = Signal(object)
    listed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.model = SceneModel(self)
        self.selection = RowSelection(self.model, self)
        self._shown: str | None = None
        self._settling = False
        self._wanted: dict[str, None] = {}
        self._gather = QTimer(self, singleShot=True, interval=_GATHER_MS)
        self._gather.timeout.connect(self._ask_for_thumbnails)
        self.model.thumbnail_wanted.connect(self._want)
        self.selection.currentChanged.connect(self._picked)
        self.selection.selectionChanged.connect(self._selected)

    @property
    def marked(self) -> tuple[str, ...]:
        """The ids of the selected scenes in the order of the list; none where none is listed."""
        return tuple(self.model.row(line).id for line in self.selection.lines())

    def selected(self) -> tuple[str, ...]:
        """The marked scenes; where there are none the one that is shown."""
        return self.marked or ((self._shown,) if self._shown is not None else ())

    def step(self, by: int) -> None:
        """Show the scene that stands this many lines further down."""
        rows = self.model.rowCount()
        if rows:
            current = self.selection.currentIndex()
            line = min(max((current.row() if current.isValid() else -1) + by, 0), rows - 1)
            self.selection.setCurrentIndex(self.model.index(line, 0), _PICK)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """List the scenes of the state, and mark the current one."""
        if old.folder != new.folder:
            self.model.forget()
        keep = None
        if _what_is_listed(old) != _what_is_listed(new):
            keep = {self.model.row(line).id for line in self.selection.lines()}
            rows = listed_scenes(new)
            words = dict(zip(new.queue.scenes, new.queue.reasons, strict=False))
            self._settling = True
            if not self.model.show_rows(rows, words):
                keep = None
            self._settling = False
            self.listed.emit()
        self._shown = new.current
        if keep is not None:
            self._settling = True
            self._mark_again(keep)
            self._settling = False
            self.selection_changed.emit(self.selected())
        elif old.current != new.current:
            self._mark_current()

    @Slot(str, QImage)
    def take_thumbnail(self, scene: str, picture: QImage) -> None:
        """Show a thumbnail that was made."""
        self.model.take_thumbnail(scene, picture)

    def _mark_current(self) -> None:
        """The current scene alone, unless it is the current line already."""
        line, current = self.model.line_of(self._shown), self.selection.currentIndex()
        if line is None:
            self.selection.clear()
        elif not current.isValid() or current.row() != line:
            self.selection.setCurrentIndex(self.model.index(line, 0), _PICK)

    def _mark_again(self, keep: set[str]) -> None:
        """In another order those scenes stay selected that were, as far as they are listed."""
        line = self.model.line_of(self._shown)
        if len(keep) < 2 or not self._select(keep):
            self.selection.clear()
            self._mark_current()
        elif line is None:
            self.selection.clearCurrentIndex()
        else:
            none = QItemSelectionModel.SelectionFlag.NoUpdate
            self.selection.setCurrentIndex(self.model.index(line, 0), none)

    def _select(self, ids: set[str]) -> bool:
        """Select those of these scenes that are listed; whether there are any."""
        found = QItemSelection()
        lines = sorted(line for name in ids if (line := self.model.line_of(name)) is not None)
        for first, last in _runs(lines):
            found.select(self.model.index(first, 0), self.model.index(last, 0))
        self.selection.select(found, _PICK)
        return bool(lines)

    @Slot(QModelIndex, QModelIndex)
    def _picked(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if current.isValid() and not self._settling:
            scene = self.model.row(current.row()).id
            if scene != self._shown:
                self.scene_picked.emit(scene)

    @Slot(QItemSelection, QItemSelection)
    def _selected(self, _now: QItemSelection, _before: QItemSelection) -> None:
        if not self._settling:
            self.selection_changed.emit(self.selected())

    @Slot(str)
    def _want(self, scene: str) -> None:
        self._wanted.pop(scene, None)
        self._wanted[scene] = None
        self._gather.start()

    @Slot()
    def _ask_for_thumbnails(self) -> None:
        wanted, self._wanted = tuple(self._wanted)[-_MOST_WANTED:], {}
        self.thumbnails_wanted.emit(wanted)


def listed_scenes(state: StudioState) -> Sequence[SceneFacts]:
    """The scenes that match the query line, in the order of the queue or as they are sorted."""
    table, queue = state.table, state.queue
    found: Sequence[SceneFacts] = state.scenes
    if table.found is not None:
        found = tuple(row for row in found if row.id in table.found)
    if queue.kind is not QueueKind.ALL:
        by_id = {row.id: row for row in found}
        return tuple(by_id[name] for name in queue.scenes if name in by_id)
    if table.sort == SortKey.ID and not table.descending:
        return found  # as the project has them
    return sorted_scenes(found, SortKey(table.sort), descending=table.descending)


def _what_is_listed(state: StudioState) -> tuple[object, ...]:
    table, queue = state.table, state.queue
    return (
        id(state.scenes),
        table.found,
        table.sort,
        table.descending,
        queue.kind,
        queue.scenes,
        queue.reasons,
    )


def _runs(lines: Sequence[int]) -> list[tuple[int, int]]:
    """Lines that follow one another, as first and last."""
    runs: list[tuple[int, int]] = []
    for line in lines:
        if runs and runs[-1][1] == line - 1:
            runs[-1] = runs[-1][0], line
        else:
            runs.append((line, line))
    return runs
