"""The listed scenes as Qt wants them: columns, rows, and which are selected in all views."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, Literal

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSignalBlocker,
    Qt,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import (
    QGuiApplication,
    QImage,
    QPixmap,
    QStandardItemModel,
)

from smarthdr_studio.core.curation.scene_facts import SceneFacts, SortKey, sorted_scenes
from smarthdr_studio.studio.state import QueueKind, StudioState
from smarthdr_studio.studio.widgets.controls import percent, small
from smarthdr_studio.studio.widgets.tables import RIGHT, Column

Look = Literal["name", "status", "bar", "text", "trend", "rounds"]

_STEADY: Final = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneColumn(Column[SceneFacts]):
    """A figure of every scene.

    `sort` is its order, which the list keeps; `look` is how a cell is painted, `width` in digits.
    """

    sort: SortKey
    width: int
    look: Look = "text"


def trend_in_words(trend: float | None) -> str:
    """By how many points the retained share rose or fell, with an arrow."""
    if trend is None:
        return "–"
    if abs(trend) < _STEADY:
        return "► 0"
    return f"{'▲' if trend > 0 else '▼'} {abs(trend) * 100:.0f}"


def decibels(value: float | None) -> str:
    """A ratio in dB with one decimal; a dash where there is none."""
    return "–" if value is None else f"{value:.1f}"


COLUMNS: Final[tuple[SceneColumn, ...]] = (
    SceneColumn(
        title="Scene",
        tip="Its id",
        sort=SortKey.ID,
        text=lambda facts: facts.id,
        width=12,
        look="name",
    ),
    SceneColumn(
        title="Status",
        tip="What it is to training",
        sort=SortKey.STATUS,
        text=lambda facts: f"{facts.status}, whole" if facts.whole else str(facts.status),
        width=11,
        look="status",
    ),
    SceneColumn(
        title="Retained",
        tip="Share of its pixels that is trusted; of a promoted scene, that of its frozen label",
        sort=SortKey.RETAINED,
        text=lambda facts: percent(facts.retained),
        width=11,
        look="bar",
        side=RIGHT,
    ),
    SceneColumn(
        title="Trend",
        tip="By how many points the retained share rose over the last three rounds",
        sort=SortKey.TREND,
        text=lambda facts: trend_in_words(facts.trend),
        width=5,
        look="trend",
        side=RIGHT,
    ),
    SceneColumn(
        title="Rounds",
        tip="The retained share in every round of the newest run; sorted by its trend",
        sort=SortKey.TREND,
        text=lambda facts: " ".join(percent(share) for share in facts.rounds[-8:]),
        width=8,
        look="rounds",
    ),
    SceneColumn(
        title="σ",
        tip="Mean uncertainty of its pseudo-label",
        sort=SortKey.SIGMA,
        text=lambda facts: small(facts.sigma_mean),
        width=6,
        side=RIGHT,
    ),
    SceneColumn(
        title="Motion",
        tip="Share of its pixels that move",
        sort=SortKey.MOTION,
        text=lambda facts: percent(facts.motion),
        width=6,
        side=RIGHT,
    ),
    SceneColumn(
        title="Saturated",
        tip="Share of its pixels that are saturated in the reference",
        sort=SortKey.SATURATION,
        text=lambda facts: percent(facts.saturation),
        width=8,
        side=RIGHT,
    ),
    SceneColumn(
        title="PSNR-μ",
        tip="Its pseudo-label against its ground truth, in dB",
        sort=SortKey.PSNR,
        text=lambda facts: decibels(facts.psnr_mu),
        width=7,
        side=RIGHT,
    ),
    SceneColumn(
        title="Painted",
        tip="Share of its pixels that the brush decides",
        sort=SortKey.PAINTED,
        text=lambda facts: percent(facts.painted) if facts.painted else "–",
        width=7,
        side=RIGHT,
    ),
    SceneColumn(
        title="Tags",
        tip="Words of your own",
        sort=SortKey.TAGS,
        text=lambda facts: ", ".join(facts.tags),
        width=14,
    ),
    SceneColumn(
        title="Note",
        tip="What was written about it",
        sort=SortKey.NOTE,
        text=lambda facts: " ".join(facts.note.split()),
        width=24,
    ),
)


Index = QModelIndex | QPersistentModelIndex

SMALL_WIDTH: Final = 144  # twice what lists show, for screens of 200 %
_KEPT_BYTES: Final = 96 * 2**20
_ASK_AGAIN_S: Final = 3.0  # what was scrolled out of sight may have been passed over
_PAINTED_ALONE: Final = 32  # lines; of more at once nearly all of those in sight are
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
        if words_are_new:
            changed = [*range(len(rows))]
        last = len(COLUMNS) - 1
        many = len(changed) > _PAINTED_ALONE
        for top, bottom in [(changed[0], changed[-1])] if many else _runs(changed):
            self.dataChanged.emit(self.index(top, 0), self.index(bottom, last))
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
            case _:
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
            case _:
                return None

    def _told(self, row: SceneFacts) -> str:
        retained = f"{percent(row.retained)} retained, mean σ {small(row.sigma_mean)}"
        tags = f"tags {', '.join(row.tags)}" if row.tags else ""
        parts = (f"{row.id}, {row.status}, {retained}", tags, row.note, self._words.get(row.id, ""))
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


_GATHER_MS: Final = 30
_MOST_WANTED: Final = 200  # thumbnails asked for at once; what was scrolled past comes last
_PICK: Final = QItemSelectionModel.SelectionFlag.ClearAndSelect


class SceneShelf(QObject):
    """Keeps one model and one selection for list, table and gallery."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"folder", "scenes", "current", "table", "queue"})

    scene_picked = Signal(str)
    selection_changed = Signal(object)  # ids in the order of the list
    thumbnails_wanted = Signal(object)
    listed = Signal()
    begun = Signal()  # another order, in which the scene that is shown has no place

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.model = SceneModel(self)
        self.selection = RowSelection(self.model, self)
        self._shown: str | None = None
        self._settling, self._reordered = False, False
        self._held = False
        self._late: tuple[StudioState, StudioState] | None = None
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

    def hold(self) -> None:
        """A scene is pressed: no line moves away from under the mouse until it is let go.

        What is picked may take a line out of a queue, and Qt would select what comes in its place.
        """
        self._held = True

    @property
    def _is_held(self) -> bool:
        """Whether a button is still down: what hides a view may keep from it that it was let go."""
        return self._held and bool(QGuiApplication.mouseButtons() & Qt.MouseButton.LeftButton)

    def let_go(self) -> None:
        """List what has been waiting."""
        self._held, late = False, self._late
        self._late = None
        if late is not None:
            self.show_state(*late)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """List the scenes of the state, and mark the current one; later, while one is pressed."""
        if self._late is not None:
            old, self._late = self._late[0], None
        if self._is_held and old.folder == new.folder and _lists_other(old, new):
            self._late, self._shown = (old, new), new.current
        else:
            self._show(old, new)

    def _show(self, old: StudioState, new: StudioState) -> None:
        if old.folder != new.folder:
            self.model.forget()
        keep = None
        if _lists_other(old, new):
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
            self._lead_to_start(old, new)
        elif old.current != new.current:
            self._mark_current()

    @Slot(str, QImage)
    def take_thumbnail(self, scene: str, picture: QImage) -> None:
        """Show a thumbnail that was made."""
        self.model.take_thumbnail(scene, picture)

    def _lead_to_start(self, old: StudioState, new: StudioState) -> None:
        """Another order is looked at from its start, unless the scene that is shown is in it."""
        self._reordered |= _order(old) != _order(new)
        if self._reordered and self.model.line_of(self._shown) is None:
            self.begun.emit()
        self._reordered = self._reordered and new.queue.preliminary

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


def _order(state: StudioState) -> tuple[object, ...]:
    table = state.table
    return (state.queue.kind, table.found, table.sort, table.descending)


def _lists_other(old: StudioState, new: StudioState) -> bool:
    return _what_is_listed(old) != _what_is_listed(new)


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
