"""One run at a glance: facts, its last word with what helps, checkpoints, and a note."""

from functools import partial
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from smarthdr_studio.core.errors import Remedy
from smarthdr_studio.core.explanation import Fact
from smarthdr_studio.core.running.listing import RunRow
from smarthdr_studio.studio.panels.fact_table import FactTable
from smarthdr_studio.studio.panels.parts import button, caption, clear, give_role
from smarthdr_studio.studio.panels.runs_note import RunsNote
from smarthdr_studio.studio.panels.runs_words import labels_in_full
from smarthdr_studio.studio.state import StudioState

_TONES: Final = {"failed": "bad", "interrupted": "warn", "done": ""}
_INTERRUPTED: Final = (
    "Its process ended without a last word; Resume goes on from the last checkpoint."
)


class RunsOverview(QWidget):
    """Says which remedy was picked, and what was written."""

    remedy_picked = Signal(str, object)  # run, changes of its plan by dotted key

    def __init__(self) -> None:
        super().__init__()
        self._row: RunRow | None = None
        self._facts = FactTable(name="About the run")
        self._message, self._checkpoints = caption(""), caption("")
        self._remedies = QVBoxLayout()
        self.note = RunsNote()
        self._lay_out()

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Show the run, if it is one."""
        runs = new.runs
        row = runs.row(runs.chosen[0]) if len(runs.chosen) == 1 else None
        if row is not None:
            self.note.show_note(row.id, row.note)
        told = runs.told if runs.told is not None and runs.told.runs == runs.chosen else None
        facts = told.facts if told is not None else ()
        if row is not None and facts:
            labels = Fact(name="learns from", value=labels_in_full(row.labels))
            self._facts.show_facts((*facts, labels))
        self._checkpoints.setText("\n".join(told.checkpoints) or "None yet" if told else "")
        if row is not None and row != self._row:
            self._tell_last_word(row)
        self._row = row

    def _tell_last_word(self, row: RunRow) -> None:
        words = _INTERRUPTED if row.status == "interrupted" else row.message
        self._message.setText(words or ("At work" if row.at_work else "It has not said why."))
        give_role(self._message, role=_TONES.get(row.status, ""))
        clear(self._remedies)
        for remedy in row.remedies if row.resumable else ():
            self._remedies.addWidget(self._offer(row.id, remedy))

    def _offer(self, run: str, remedy: Remedy) -> QWidget:
        made = button(remedy.text, tip="Resume with this change of the plan")
        made.clicked.connect(partial(self._pick, run, remedy))
        return made

    def _pick(self, run: str, remedy: Remedy, *_: object) -> None:
        self.remedy_picked.emit(run, dict(remedy.changes))

    def _lay_out(self) -> None:
        for label in (self._message, self._checkpoints):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 6, 0, 0)
        row.setSpacing(20)
        self._remedies.setSpacing(4)
        left = _column(caption("About the run", role="title"), self._facts)
        right = _column(caption("Last word", role="title"), self._message)
        right.addLayout(self._remedies)
        right.addSpacing(6)
        right.addWidget(caption("Checkpoints", role="title"))
        right.addWidget(self._checkpoints)
        for column, stretch in ((left, 4), (right, 3)):
            column.addStretch(1)
            row.addWidget(_scrolled(column), stretch)
        row.addWidget(self.note, 3)


def _column(*parts: QWidget) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setContentsMargins(0, 0, 6, 0)
    column.setSpacing(4)
    for part in parts:
        column.addWidget(part)
    return column


def _scrolled(column: QVBoxLayout) -> QScrollArea:
    inside, area = QWidget(), QScrollArea()
    inside.setObjectName("inside")
    inside.setLayout(column)
    area.setWidget(inside)
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return area
