"""The list of decisions, in which it stays in sight whether one was undone."""

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication, QFrame, QTreeView

from smarthdr_studio.core.curation.moments import Line
from smarthdr_studio.studio.panels.journal_words import (
    UNDONE,
    in_full,
    made_by,
    short_time,
    thresholds,
)
from smarthdr_studio.studio.panels.parts import describe
from smarthdr_studio.studio.widgets.value_table import Column, ValueTableModel

_LEAST: Final = 0.88  # of what the words of a decision would like
_AROUND: Final = 14  # pixels beside the words of a cell


def _undone(line: Line) -> str:
    return "muted" if line.undone else ""


def _struck(line: Line) -> QFont | None:
    """What was undone is struck through."""
    if not line.undone:
        return None
    font = QFont(QApplication.font())
    font.setStrikeOut(True)
    return font


_DECISION: Final[Column[Line]] = Column(
    title="Decision",
    tip="What was decided",
    text=lambda line: line.what,
    widest="set the thresholds to 0.35 and 0.40",
    tooltip=in_full,
    spoken=in_full,
    tone=_undone,
    font=_struck,
)
_NOTE: Final[Column[Line]] = Column(
    title="Note",
    tip="Why it was decided",
    text=lambda line: line.note,
    widest="what a note may say",
    tooltip=in_full,
    tone=_undone,
)
COLUMNS: Final[tuple[Column[Line], ...]] = (
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
        self.rows: ValueTableModel[Line] = ValueTableModel(
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
