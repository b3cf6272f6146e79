"""The journal: every decision as a line, and beside it how the project stood."""

from typing import Final

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.studio.panels.choice import Choice
from smarthdr_studio.studio.panels.journal_list import JournalList
from smarthdr_studio.studio.panels.journal_past import JournalPast
from smarthdr_studio.studio.panels.parts import ElidedLabel, caption, card
from smarthdr_studio.studio.state import JournalState, StudioState

ALL, THIS = "all", "this scene"

_HALVES: Final = (510, 270)


class JournalPanel(QWidget):
    """Says which decisions were chosen, which scene was picked, and whether anybody looks.

    A click on the line of one scene shows that scene; arrow keys only choose, Return goes there.
    """

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
        halves = QSplitter(Qt.Orientation.Horizontal)
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
