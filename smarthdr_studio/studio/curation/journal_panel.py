"""The journal: every decision as a line, and beside it how the project stood."""

from typing import ClassVar, Final

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QFont, QGuiApplication, QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QSplitter,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.project.journal import DecisionSummary
from smarthdr_studio.studio.curation.journal import (
    EXAMPLE,
    UNDONE,
    counts,
    differences,
    in_full,
    made_by,
    moment_of,
    thresholds,
    title,
)
from smarthdr_studio.studio.state import JournalState, PastState, StudioState
from smarthdr_studio.studio.widgets.controls import (
    Choice,
    ElidedLabel,
    caption,
    card,
    describe,
    give_role,
    short_time,
)
from smarthdr_studio.studio.widgets.tables import Column, ValueTableModel

_LEAST: Final = 0.88  # of what the words of a decision would like
_AROUND: Final = 14  # pixels beside the words of a cell


def _undone(line: DecisionSummary) -> str:
    return "muted" if line.undone else ""


def _struck(line: DecisionSummary) -> QFont | None:
    """What was undone is struck through."""
    if not line.undone:
        return None
    font = QFont(QApplication.font())
    font.setStrikeOut(True)
    return font


_DECISION: Final[Column[DecisionSummary]] = Column(
    title="Decision",
    tip="What was decided",
    text=lambda line: line.what,
    widest="set the thresholds to 0.487 and 0.404",
    tooltip=in_full,
    spoken=in_full,
    tone=_undone,
    font=_struck,
)
_NOTE: Final[Column[DecisionSummary]] = Column(
    title="Note",
    tip="Why it was decided",
    text=lambda line: line.note,
    widest="what a note may say",
    tooltip=in_full,
    tone=_undone,
)
COLUMNS: Final[tuple[Column[DecisionSummary], ...]] = (
    Column(
        title="When",
        tip="On the clock of this computer",
        text=lambda line: short_time(line.at),
        widest="today 00:00",
        tooltip=in_full,
        tone=_undone,
    ),
    _DECISION,
    Column(
        title="",
        tip="Whether it was taken back",
        text=lambda line: UNDONE if line.undone else "",
        widest=UNDONE,
        tooltip=in_full,
        tone=_undone,
    ),
    _NOTE,
    Column(
        title="τ_pa · τ_pi",
        tip="The thresholds in force after it",
        text=thresholds,
        widest="τ_pa · τ_pi",
        tooltip=in_full,
        tone=_undone,
    ),
    Column(
        title="Label from",
        tip="Run, round and checkpoint of a label that was frozen",
        text=made_by,
        widest="20261125-101500 · round 12",
        tooltip=in_full,
        tone=_undone,
    ),
    Column(
        title="Who",
        tip="User and computer",
        text=lambda line: line.who,
        widest="someone@somewhere",
        tooltip=in_full,
        tone=_undone,
    ),
)


class JournalList(QTreeView):
    """Lines of one height; the words of a decision give way to what stands beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: ValueTableModel[DecisionSummary] = ValueTableModel(
            COLUMNS, ident=lambda line: line.seq, parent=self
        )
        describe(self, name="Decisions", tip="")
        self.setModel(self.rows)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        metrics = self.fontMetrics()
        self._widths = [metrics.horizontalAdvance(each.widest) + _AROUND for each in COLUMNS]

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width: what there is no room for beside the decision comes and goes."""
        super().resizeEvent(event)
        wanted, room = self._widths, self.viewport().width()
        decision, note = COLUMNS.index(_DECISION), COLUMNS.index(_NOTE)
        least = {decision: round(_LEAST * wanted[decision]), note: wanted[note] // 2}
        taken = 0
        for place, width in enumerate(wanted):
            taken += least.get(place, width) if taken <= room else width
            self.setColumnHidden(place, place >= note and taken > room)
        shown = [place for place in range(len(wanted)) if not self.isColumnHidden(place)]
        left = room - sum(wanted[place] for place in shown if place not in least)
        for_decision = min(wanted[decision], left - least[note]) if note in shown else left
        for place in shown:
            self.setColumnWidth(place, wanted[place])
        self.setColumnWidth(decision, for_decision)
        self.setColumnWidth(note, left - for_decision)


_HOW = "Choose a decision to see how the project stood after it, or two (Ctrl+click) to compare."
_SAME = "Nothing differs."


class JournalPast(QWidget):
    """Says which moment was typed; shows the past it is given."""

    moment_asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._typed = QLineEdit(placeholderText=EXAMPLE, clearButtonEnabled=True)
        describe(
            self._typed,
            name="As it was on",
            tip=f"A day, a time or both, as in {EXAMPLE}; Enter shows the project as it was",
        )
        self._title = ElidedLabel(role="title")
        self._counts = caption("", role="muted")
        self._fault = ElidedLabel(role="warn")
        self._text = QPlainTextEdit(readOnly=True)
        describe(self._text, name="Differences", tip="")
        self._lay_out()
        self._typed.returnPressed.connect(self._ask)
        self._typed.textEdited.connect(self._forgive)
        self.show_past(None)

    def show_past(self, past: PastState | None) -> None:
        """Show a moment, or how to choose one."""
        self._title.tell("" if past is None else title(past))
        self._title.setVisible(past is not None)
        self._counts.setText("" if past is None else counts(past))
        self._counts.setVisible(past is not None and bool(past.counts) and past.known)
        self._text.setPlainText(_HOW if past is None else _words(past))

    def go(self) -> None:
        """Put the cursor where a moment is typed."""
        self._typed.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._typed.selectAll()

    def _lay_out(self) -> None:
        self._counts.setWordWrap(True)
        self._fault.hide()
        self._text.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        row = QHBoxLayout()
        row.addWidget(caption("As it was on"))
        row.addWidget(self._typed, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        for part in (self._fault, self._title, self._counts):
            column.addWidget(part)
        column.addWidget(self._text, 1)

    @Slot()
    def _ask(self) -> None:
        text = self._typed.text().strip()
        moment = moment_of(text) if text else None
        if moment is not None:
            self.moment_asked.emit(moment)
        elif text:
            self._fault.tell(f"“{text}” is no moment; type it as in {EXAMPLE}")
            give_role(self._fault, role="warn")
            self._fault.show()

    @Slot()
    def _forgive(self) -> None:
        self._fault.hide()


def _words(past: PastState) -> str:
    if not past.known:
        return "That was before the project was made."
    later = "then" if past.after else "now"
    return differences(past) or f"{_SAME[:-1]} between that moment and {later}."


ALL, THIS = "all", "this scene"

_HALVES: Final = (510, 270)
_COLUMN: Final = 520  # pixels; a narrower place is a column at a side


class JournalPanel(QWidget):
    """Says which decisions were chosen, which scene was picked, and whether anybody looks.

    A click on the line of one scene shows that scene; arrow keys only choose, Return goes there.
    """

    SHOWS: ClassVar[frozenset[str]] = frozenset({"journal", "current"})

    chosen = Signal(object)
    scene_picked = Signal(str)
    moment_asked = Signal(str)
    seen = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._journal, self._scene = JournalState(), ""
        self._showing, self._only = False, ALL
        self._shown: tuple[object, str | None] = ((), None)
        self._list, self._past = JournalList(), JournalPast()
        self._which = Choice(
            {ALL: "Every decision", THIS: "Decisions about the scene on the screen"}, name="Journal"
        )
        self._which.show_word(self._only)
        self._count = ElidedLabel(role="muted")
        self._halves = QSplitter(Qt.Orientation.Horizontal)
        self._lay_out()
        self._which.picked.connect(self._filter)
        self._list.selectionModel().selectionChanged.connect(self._choose)
        self._list.clicked.connect(self._clicked)
        self._list.activated.connect(self._go)
        self._past.moment_asked.connect(self.moment_asked)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the journal; of the past only what is new."""
        self._journal, self._scene = new.journal, new.current or ""
        if old.journal.lines is not new.journal.lines or old.current != new.current:
            self._show_lines()
        if old.journal.chosen != new.journal.chosen:
            self._mark()
        if old.journal.past is not new.journal.past:
            self._past.show_past(new.journal.past)

    def showEvent(self, event: QShowEvent) -> None:
        """Somebody looks."""
        super().showEvent(event)
        self._tell_seen(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks any more."""
        super().hideEvent(event)
        self._tell_seen(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a column the past stands below the decisions: beside them neither could be read."""
        super().resizeEvent(event)
        column = self.width() < _COLUMN
        way = Qt.Orientation.Vertical if column else Qt.Orientation.Horizontal
        if way is not self._halves.orientation():
            self._halves.setOrientation(way)
            self._halves.setSizes(_HALVES)

    def _tell_seen(self, event: QEvent) -> None:
        self.seen.emit(event.type() == QEvent.Type.Show)

    def ask_moment(self) -> None:
        """Let a person type a moment."""
        self._past.go()

    def _show_lines(self) -> None:
        lines, scene = self._journal.lines, self._scene if self._only == THIS else None
        if self._shown[0] is lines and self._shown[1] == scene:
            return
        about = lines if scene is None else [line for line in lines if scene in line.scenes]
        self._showing = True
        self._list.rows.show_values(about)
        self._shown, self._showing = (lines, scene), False
        shown, known = len(about), len(lines)
        words = "1 decision" if known == 1 else f"{known:,} decisions"
        self._count.tell(words if shown == known else f"{shown:,} of {words}")
        self._mark()

    def _mark(self) -> None:
        """Select the lines whose moments are shown."""
        model, flags = self._list.selectionModel(), QItemSelectionModel.SelectionFlag
        found = {self._list.rows.row_of(seq) for seq in self._journal.chosen} - {-1}
        if found == {index.row() for index in model.selectedRows()}:
            return
        self._showing = True
        model.clearSelection()
        for row in found:
            model.setCurrentIndex(self._list.rows.index(row, 0), flags.Select | flags.Rows)
        self._showing = False

    @Slot(str)
    def _filter(self, word: str) -> None:
        self._only = word
        self._which.show_word(word)
        self._show_lines()

    @Slot(QItemSelection, QItemSelection)
    def _choose(self, _now: QItemSelection, _before: QItemSelection) -> None:
        if self._showing:
            return
        rows = sorted(self._list.selectionModel().selectedRows(), key=lambda index: index.row())
        ends = rows if len(rows) < 3 else [rows[0], rows[-1]]
        self.chosen.emit(tuple(self._list.rows.value(index.row()).seq for index in ends))

    @Slot(QModelIndex)
    def _clicked(self, index: QModelIndex) -> None:
        if QGuiApplication.keyboardModifiers() == Qt.KeyboardModifier.NoModifier:
            self._go(index)

    @Slot(QModelIndex)
    def _go(self, index: QModelIndex) -> None:
        scenes = self._list.rows.value(index.row()).scenes
        if len(scenes) == 1 and scenes[0] != self._scene:
            self.scene_picked.emit(scenes[0])

    def _lay_out(self) -> None:
        frame, column = card(name="Journal")
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(caption("Journal", role="title"))
        head.addWidget(self._count, 1)
        head.addWidget(self._which)
        left = QWidget()
        lines = QVBoxLayout(left)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(4)
        lines.addLayout(head)
        lines.addWidget(self._list, 1)
        halves = self._halves
        halves.setChildrenCollapsible(False)
        halves.setHandleWidth(12)
        halves.addWidget(left)
        halves.addWidget(self._past)
        halves.setSizes(_HALVES)
        halves.setStretchFactor(0, 3)
        halves.setStretchFactor(1, 2)
        column.addWidget(halves, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
