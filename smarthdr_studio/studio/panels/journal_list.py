"""The list of decisions, in which it stays in sight whether one was undone."""

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QTreeView

from smarthdr_studio.studio.panels.journal_model import DECISION, WIDEST, JournalModel
from smarthdr_studio.studio.panels.parts import describe

_LEAST: Final = 120
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
        metrics = self.fontMetrics()
        widths = [metrics.horizontalAdvance(words) + _AROUND for words in WIDEST]
        self._widest = widths[DECISION]
        for column, width in enumerate(widths):
            self.setColumnWidth(column, width)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width."""
        super().resizeEvent(event)
        beside = self.columnWidth(DECISION - 1) + self.columnWidth(DECISION + 1)
        room = self.viewport().width() - beside
        self.setColumnWidth(DECISION, min(self._widest, max(room, _LEAST)))
