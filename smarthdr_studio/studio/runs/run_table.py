"""The list of runs: how a run is told in words, one line each, sorted by a click."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar, Final

from PySide6.QtCore import (
    QEvent,
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
    QHBoxLayout,
    QMenu,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from smarthdr_studio.core.training.run_index import LabelCounts, RunRow
from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.state import StudioState
from smarthdr_studio.studio.theme import SELECTED, Palette
from smarthdr_studio.studio.widgets.controls import (
    ElidedLabel,
    button,
    caption,
    duration,
    percent,
    short_time,
    takes_first,
)
from smarthdr_studio.studio.widgets.tables import RIGHT, Column, SortedTable, SortedValues

# A sign beside the word, for those who do not see the colour: role of the palette, sign.
SIGNS: Final[dict[str, tuple[str, str]]] = {
    "running": ("accent", "►"),
    "paused": ("accent", "‖"),
    "interrupted": ("warn", "⚠"),
    "stopped": ("text", "■"),
    "failed": ("bad", "✕"),
    "done": ("good", "✓"),
}
_UNITS: Final = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))


_DAMAGED: Final = " · log damaged"


def status(row: RunRow) -> str:
    """How a run stands, with a sign; how far it has come unless done; whether its log is whole."""
    _, sign = SIGNS[row.status]
    far = "" if row.status == "done" or not row.epochs else f" {row.at_epoch}/{row.epochs}"
    mark = _DAMAGED if row.log_damage else ""
    return f"{sign} {row.status}{far}{mark}"


def labels(counts: LabelCounts) -> str:
    """What a run learns from, as short as a cell of a table wants it."""
    held = f", {counts.held_out} held out" if counts.held_out else ""
    if counts.material == "no label":
        return f"none{held}"
    if counts.promoted:
        return f"{counts.labelled} + {counts.promoted} promoted{held}"
    return f"{_many(counts.labelled, 'label')}{held}"


def labels_in_full(counts: LabelCounts) -> str:
    """The same in a sentence."""
    held = f"{counts.held_out} held out"
    if counts.material == "no label":
        return f"{_many(counts.brackets, 'bracket')}, no label, {held}"
    promoted = f" and {_many(counts.promoted, 'promoted label')}" if counts.promoted else ""
    labels = f"{_many(counts.labelled, 'ground truth')}{promoted}, {held}"
    return f"{labels}, {counts.brackets} unlabelled" if counts.brackets else labels


def best(row: RunRow) -> str:
    """The best check on held-out labels, and its step."""
    return "–" if row.best is None else f"{row.best.psnr_mu:.2f} · step {row.best.step:,}"


def decibels(value: float | None) -> str:
    """PSNR in dB with two decimals; a dash where there is none."""
    return "–" if value is None else f"{value:.2f}"


def disk(size: int) -> str:
    """How much of a disk something takes."""
    for unit, worth in _UNITS:
        if size >= worth:
            return f"{size / worth:.3g} {unit}"
    return f"{size} B"


def took(seconds: float) -> str:
    """How long a run has worked; a dash before it has."""
    return duration(seconds) if seconds > 0 else "–"


def started(row: RunRow) -> str:
    """When it was started, on the clock of this computer."""
    return moment(row.started)


def moment(at: datetime) -> str:
    """A moment on the clock of this computer, as short as it can be told."""
    return short_time(at.astimezone(UTC).isoformat(timespec="milliseconds"))


def note(row: RunRow) -> str:
    """The first line of the note."""
    return row.note.partition("\n")[0]


def in_full(row: RunRow) -> str:
    """Everything about a run, one line each, for a tooltip and a screen reader."""
    told = [
        row.id,
        f"{row.status}; epoch {row.at_epoch} of {row.epochs}, step {row.step:,}",
        f"{row.system}, {row.network or 'no network yet'} on {row.device or 'no device yet'}",
        labels_in_full(row.labels),
        row.message,
        row.log_damage and f"its log {row.log_damage}",
        row.note,
    ]
    return "\n".join(filter(None, told))


def how_many(rows: Sequence[RunRow]) -> str:
    """How many runs there are, and how many are at work."""
    working = sum(row.at_work for row in rows)
    at_work = f", {working} at work" if working else ""
    return f"{_many(len(rows), 'run')}{at_work}"


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


STARTED: Final = "Started"
_NOTHING: Final = float("-inf")
_URGENT_FIRST: Final = ("running", "paused", "interrupted", "failed", "stopped", "done")

_FIGURES: Final[tuple[Column[RunRow], ...]] = (
    Column(
        title="Status",
        tip="How the run stands; of one that is not done, the epoch it has reached",
        text=status,
        key=lambda row: _URGENT_FIRST.index(row.status),
        widest="⚠ interrupted 10/40",
        tone=lambda row: SIGNS[row.status][0],
    ),
    Column(
        title="Preset",
        tip="The preset its plan was made from",
        text=lambda row: row.preset,
        widest="mean-teacher",
    ),
    Column(
        title=STARTED,
        tip="On the clock of this computer",
        text=started,
        key=lambda row: row.id,
        widest="today 00:00",
        largest_first=True,
    ),
    Column(
        title="Labels",
        tip="Ground truths and promoted labels it began with, and those held out; its diary tells "
        "what came later",
        text=lambda row: labels(row.labels),
        key=lambda row: row.labels.learned,
        widest="5 + 2 promoted, 1 held out",
        largest_first=True,
    ),
    Column(
        title="Best PSNR-μ",
        tip="The best check on held-out labels in dB, and its step",
        text=best,
        key=lambda row: _NOTHING if row.best is None else row.best.psnr_mu,
        widest="00.00 · step 00,000",
        side=RIGHT,
        largest_first=True,
    ),
    Column(
        title="Last",
        tip="PSNR-μ of the last check on held-out labels in dB",
        text=lambda row: decibels(row.last_psnr_mu),
        key=lambda row: _NOTHING if row.last_psnr_mu is None else row.last_psnr_mu,
        widest="00.00",
        side=RIGHT,
        largest_first=True,
    ),
    Column(
        title="Last retained",
        tip="The share of the pool that its last round retained; of a run that came to its end "
        "nothing is learned from that round",
        text=lambda row: percent(row.retained),
        key=lambda row: _NOTHING if row.retained is None else row.retained,
        widest="< 00 %",
        side=RIGHT,
        largest_first=True,
    ),
    Column(
        title="Took",
        tip="The work of all its sessions together",
        text=lambda row: took(row.seconds),
        key=lambda row: row.seconds,
        widest="00 h 00 min",
        side=RIGHT,
        largest_first=True,
    ),
    Column(
        title="Disk",
        tip="What its folder takes on disk",
        text=lambda row: disk(row.disk_bytes),
        key=lambda row: row.disk_bytes,
        widest="0.00 MiB",
        side=RIGHT,
        largest_first=True,
    ),
    Column(
        title="Note",
        tip="What somebody wrote about it",
        text=note,
        key=lambda row: note(row).casefold(),
        widest="a note",
    ),
)
COLUMNS: Final = tuple(
    replace(column, tip=f"{column.tip}; a click sorts", tooltip=in_full, spoken=column.told)
    for column in _FIGURES
)


_PAD: Final = 7.0


class RunsTable(SortedTable[RunRow]):
    """Says which runs are chosen, and asks for the menu and for the trash."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"runs"})

    chosen = Signal(object)  # ids, the latest first
    menu_asked = Signal(QPoint)
    discard_asked = Signal()
    opened = Signal()

    def __init__(self, palette: Palette) -> None:
        super().__init__(COLUMNS, ident=lambda row: row.id, name="Runs")
        self._chosen: tuple[str, ...] = ()
        self._showing = False
        self._cells = _Cells(palette, self.rows, self)
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
            latest_first = sorted(new.runs.rows, key=lambda row: row.id, reverse=True)
            moved = self.rows.show_values(latest_first)
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
        found = [index for run in self._chosen if (index := self.rows.index_of(run)).isValid()]
        if {index.row() for index in found} == {index.row() for index in model.selectedRows()}:
            return
        self._showing = True
        model.clearSelection()
        for index in found:
            model.select(index, flags.Select | flags.Rows)
        current = self.currentIndex()
        if found and current.row() not in {index.row() for index in found}:
            model.setCurrentIndex(found[0], flags.NoUpdate)
            self.scrollTo(found[0])
        self._showing = False

    @Slot(QItemSelection, QItemSelection)
    def _choose(self, _now: QItemSelection, _before: QItemSelection) -> None:
        if not self._showing:
            selected = self.selectionModel().selectedRows()
            ids = tuple(sorted((self.rows.value(index).id for index in selected), reverse=True))
            self.chosen.emit(ids)

    @Slot(QModelIndex)
    def _open(self, _index: QModelIndex) -> None:
        self.opened.emit()

    def _set_up(self) -> None:
        self.setItemDelegate(self._cells)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self.menu_asked)

    def _set_up_head(self) -> None:
        metrics, head = QFontMetricsF(self.font()), self.horizontalHeader()
        head.setSectionsMovable(True)
        head.setStretchLastSection(True)
        head.setAccessibleName("Columns: a click sorts")
        for place, column in enumerate(COLUMNS):
            words = max(metrics.horizontalAdvance(t) for t in (column.widest, column.title + " ▾▾"))
            head.resizeSection(place, int(words + 2 * _PAD) + 2)
        self.sort_by(STARTED, descending=True)


class _Cells(QStyledItemDelegate):
    """Paints a cell in the tone of its run."""

    def __init__(self, palette: Palette, rows: SortedValues[RunRow], parent: QWidget) -> None:
        super().__init__(parent)
        self.colours, self._rows = palette, rows

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint one cell."""
        p, box = self.colours, QRectF(option.rect)
        column, row = self._rows.columns[index.column()], self._rows.value(index)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected:
            fill = QColor(p.accent)
            fill.setAlphaF(SELECTED)
            painter.fillRect(box, fill)
        elif index.row() % 2:
            painter.fillRect(box, QColor(p.window))
        words, tone = column.text(row), column.tone(row) if column.tone else ""
        # No tone can be read on the ground of a selected line; a sign is in its words.
        plain = p.text if selected or words != "–" else p.muted
        ink = getattr(p, tone) if tone and not selected else plain
        painter.setPen(QColor(ink))
        painter.setFont(option.font)
        inner = box.adjusted(_PAD, 0, -_PAD, 0)
        metrics = QFontMetricsF(option.font)
        shown = metrics.elidedText(words, Qt.TextElideMode.ElideRight, inner.width())
        painter.drawText(inner, column.side | Qt.AlignmentFlag.AlignVCenter, shown)


_BUTTONS: Final[Mapping[str, str]] = {
    "run_resume": "Resume",
    "run_continue": "Continue as new…",
    "run_go_back": "Go back…",
    "run_export": "Export…",
    "run_discard": "Discard…",
}
_MORE: Final = ("run_note", "run_folder", "run_copy", "run_restore")
_ONE: Final = frozenset({"run_continue", "run_go_back", "run_export", "run_note", "run_folder"})


class RunsBar(QWidget):
    """Says by its id which command is wanted; offers only what can be done."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"runs", "training", "folder"})

    asked = Signal(str)
    back_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._usable: dict[str, bool] = {}
        self._back = button("Back", tip="To what was here before the runs (Esc)", role="link")
        self._back.clicked.connect(self.back_asked)
        self._count = ElidedLabel(role="muted")
        self._buttons = {name: self._made(name, words) for name, words in _BUTTONS.items()}
        more = button("More", tip="Note, folder, command, discarded runs")
        self._menu = QMenu(more)
        more.setMenu(self._menu)
        self._fill(self._menu, _MORE)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._back)
        row.addWidget(caption("Runs", role="title"))
        row.addWidget(self._count, 1)
        for each in (*self._buttons.values(), more):
            row.addWidget(each)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Offer what can be done with the chosen runs now."""
        if (old.runs, old.training.busy) == (new.runs, new.training.busy) and self._usable:
            return
        count = how_many(new.runs.rows) if new.runs.looked else "looking for runs"
        self._count.tell(" · ".join(filter(None, (count, new.runs.work))))
        self._usable = usable(new)
        for name, each in self._buttons.items():
            each.setEnabled(self._usable[name])
        for made in self._menu.actions():
            made.setEnabled(self._usable[made.objectName()])

    def lead_back(self, *, leads: bool) -> None:
        """Whether the runs stand where something else was."""
        self._back.setVisible(leads)

    @Slot(QPoint)
    def pop_up(self, at: QPoint) -> None:
        """Everything that can be done, as a menu at a place of the screen."""
        menu = QMenu(self)
        self._fill(menu, (*_BUTTONS, *_MORE))
        for made in menu.actions():
            made.setEnabled(self._usable.get(made.objectName(), False))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at)

    def _made(self, name: str, words: str) -> QPushButton:
        role = "primary" if name == "run_resume" else ""
        made = button(words, tip=by_id(name).tip_with_key, role=role)
        made.clicked.connect(partial(self._ask, name))
        return made

    def _fill(self, menu: QMenu, names: tuple[str, ...]) -> None:
        menu.setToolTipsVisible(True)
        for name in names:
            made = menu.addAction(by_id(name).title)
            made.setObjectName(name)
            made.setToolTip(by_id(name).tip_with_key)
            made.triggered.connect(partial(self._ask, name))

    def _ask(self, name: str, *_: object) -> None:
        self.asked.emit(name)


def usable(state: StudioState) -> dict[str, bool]:
    """Which commands can be carried out, by id."""
    runs = state.runs
    rows = [row for run in runs.chosen if (row := runs.row(run)) is not None]
    one = rows[0] if len(rows) == 1 else None
    resumable = one is not None and one.resumable
    found = dict.fromkeys(_ONE, one is not None)
    return found | {
        "run_resume": resumable and not state.training.busy,
        "run_copy": resumable,
        "run_discard": bool(rows) and not any(row.at_work for row in rows),
        "run_restore": state.folder is not None,
    }


class RunsQuestion(QFrame):
    """Asks before runs are moved to the trash; Escape is no."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"runs"})

    agreed = Signal()
    declined = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("notice")
        self.setProperty("tone", "warn")
        self._words = caption("")
        self._words.setWordWrap(True)
        self._yes = button("Move to the trash", tip="It can be restored from there (Enter)")
        self._no = button("Keep", tip="Nothing is changed (Esc)")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 5, 6, 5)
        row.addWidget(self._words, 1)
        row.addWidget(self._no)
        row.addWidget(self._yes)
        self._yes.clicked.connect(self.agreed)
        self._no.clicked.connect(self.declined)
        self.hide()

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Ask, or be gone."""
        asked = new.runs.question
        if old.runs.question == asked:
            return
        self._words.setText(asked)
        self.setVisible(bool(asked))
        if asked:
            self._no.setFocus(Qt.FocusReason.OtherFocusReason)

    def event(self, event: QEvent) -> bool:
        """Escape is an answer before it is a command of the window."""
        return takes_first(event, (Qt.Key.Key_Escape,)) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape keeps the run."""
        if event.key() == Qt.Key.Key_Escape:
            self.declined.emit()
        else:
            super().keyPressEvent(event)
