"""The runs that were discarded, to be brought back."""

from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.running.discarded import DiscardedRun
from smarthdr_studio.studio.panels.parts import button, caption, describe
from smarthdr_studio.studio.state import StudioState

_SIZE: Final = (520, 340)


class RunsBinSheet(QDialog):
    """Not modal; says which runs are wanted back, each by its id and its day."""

    restore_asked = Signal(object)
    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Discarded runs")
        self._shown: tuple[DiscardedRun, ...] | None = None
        self._words = caption("", role="muted")
        self._list = QListWidget()
        describe(self._list, name="Discarded runs", tip="Several can be selected")
        self._list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._restore = button("Restore", tip="Back among the runs (Enter)", role="primary")
        self._restore.setDefault(True)
        self._close = button("Close", tip="Leave the trash as it is (Esc)")
        self._close.setAutoDefault(False)
        last = QHBoxLayout()
        last.addStretch(1)
        last.addWidget(self._close)
        last.addWidget(self._restore)
        column = QVBoxLayout(self)
        column.addWidget(self._words)
        column.addWidget(self._list, 1)
        column.addLayout(last)
        self.resize(*_SIZE)
        self._list.itemSelectionChanged.connect(self._offer)
        self._list.itemDoubleClicked.connect(self._ask)
        self._restore.clicked.connect(self._ask)
        self._close.clicked.connect(self.reject)

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Show what lies in the trash, or go."""
        found = new.runs.discarded
        if found is self._shown:
            return
        first, self._shown = self._shown is None, found
        if found is None:
            self.hide()
            return
        self._fill(found)
        if first:
            self.show()
            self.activateWindow()

    def reject(self) -> None:
        """Escape leaves the trash."""
        self.closed.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """So does closing the sheet."""
        super().closeEvent(event)
        if self._shown is not None:
            self.closed.emit()

    def _fill(self, found: tuple[DiscardedRun, ...]) -> None:
        self._list.clear()
        for each in found:
            item = QListWidgetItem(f"{each.id}   discarded {_day(each.day)}")
            item.setData(Qt.ItemDataRole.UserRole, (each.id, each.day))
            item.setToolTip(str(each.folder))
            self._list.addItem(item)
        many = "1 run lies" if len(found) == 1 else f"{len(found)} runs lie"
        self._words.setText(f"{many} in the trash." if found else "No run lies in the trash.")
        if found:
            self._list.setCurrentRow(0)
        self._offer()

    @Slot()
    def _offer(self) -> None:
        self._restore.setEnabled(bool(self._list.selectedItems()))

    @Slot()
    def _ask(self) -> None:
        wanted = tuple(
            tuple(item.data(Qt.ItemDataRole.UserRole)) for item in self._list.selectedItems()
        )
        if wanted:
            self.restore_asked.emit(wanted)


def _day(day: str) -> str:
    """20261125 as 2026-11-25; what follows a second one of that day stays."""
    return f"{day[:4]}-{day[4:6]}-{day[6:]}" if day[:8].isdecimal() else day
