"""The list of decisions, in which it stays in sight whether one was undone."""

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QTreeView

from smarthdr_studio.studio.panels.journal_model import DECISION, NOTE, WIDEST, JournalModel
from smarthdr_studio.studio.panels.parts import describe

_LEAST: Final = 0.88  # of what the words of a decision would like
_AROUND: Final = 14  # pixels beside the words of a cell


class JournalList(QTreeView):
    """Lines of one height; the words of a decision give way to what stands beside them."""

    def __init__(self, model: JournalModel) -> None:
        super().__init__()
        describe(self, name="Decisions", tip="")
        self.setModel(model)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        metrics = self.fontMetrics()
        self._widths = [metrics.horizontalAdvance(words) + _AROUND for words in WIDEST]

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width: what there is no room for beside the decision comes and goes."""
        super().resizeEvent(event)
        wanted, room = self._widths, self.viewport().width()
        least = {DECISION: round(_LEAST * wanted[DECISION]), NOTE: wanted[NOTE] // 2}
        taken = 0
        for column, width in enumerate(wanted):
            taken += least.get(column, width) if taken <= room else width
            self.setColumnHidden(column, column >= NOTE and taken > room)
        shown = [c for c in range(len(wanted)) if not self.isColumnHidden(c)]
        left = room - sum(wanted[c] for c in shown if c not in least)
        decision = min(wanted[DECISION], left - least[NOTE]) if NOTE in shown else left
        for column in shown:
            self.setColumnWidth(column, wanted[column])
        self.setColumnWidth(DECISION, decision)
        self.setColumnWidth(NOTE, left - decision)
