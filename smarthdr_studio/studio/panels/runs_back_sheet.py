"""What going back to the start of a run would change, before it is decided."""

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.studio.panels.parts import button, caption, describe
from smarthdr_studio.studio.state import StudioState, WayBack

_SIZE: Final = (580, 420)
_MOST: Final = 1000  # lines


class RunsBackSheet(QDialog):
    """Not modal; the decision is one, which one undo takes back."""

    accepted_way = Signal(bool)  # whether the views as well
    dropped = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Go back to the state of a run")
        self._way: WayBack | None = None
        self._words = caption("", role="title")
        self._words.setWordWrap(True)
        self._list = QPlainTextEdit(readOnly=True)
        describe(self._list, name="What changes", tip="")
        self._layout = QCheckBox("Views, display and sizes as they were")
        describe(self._layout, name="Views as well", tip="Undo does not take this part back")
        self._go = button("Go back", tip="One undo takes the decision back (Enter)", role="primary")
        self._go.setDefault(True)
        self._cancel = button("Cancel", tip="Nothing is changed (Esc)")
        self._cancel.setAutoDefault(False)
        last = QHBoxLayout()
        last.addWidget(self._layout, 1)
        last.addWidget(self._cancel)
        last.addWidget(self._go)
        column = QVBoxLayout(self)
        column.addWidget(self._words)
        column.addWidget(self._list, 1)
        column.addLayout(last)
        self.resize(*_SIZE)
        self._go.clicked.connect(self._accept)
        self._cancel.clicked.connect(self.reject)

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Show the way back that waits for a word, or go."""
        way = new.runs.way_back
        if way is self._way:
            return
        self._way = way
        if way is None:
            self.hide()
            return
        self._words.setText(heading(way, new.runs.titles))
        self._list.setPlainText(in_words(way))
        self._layout.setEnabled(way.layout)
        self._layout.setChecked(way.layout)
        if not way.layout:
            self._layout.setToolTip("How the project was looked at was not kept with this run")
        self.show()
        self.activateWindow()

    def reject(self) -> None:
        """Escape leaves everything as it is."""
        self.dropped.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """So does closing the sheet."""
        super().closeEvent(event)
        if self._way is not None:
            self.dropped.emit()

    @Slot()
    def _accept(self) -> None:
        self.accepted_way.emit(self._layout.isChecked())


def heading(way: WayBack, titles: Mapping[str, str]) -> str:
    """Whose start this is, and how much changes."""
    name = titles.get(way.run, way.run)
    if way.empty:
        return f"Labels and thresholds are as when {name} was started; only the views differ."
    scenes = sum(len(lines) for _, lines in way.changes)
    parts = [f"{scenes} scene{'' if scenes == 1 else 's'}"] if scenes else []
    parts += ["the thresholds"] if way.thresholds else []
    return f"As when {name} was started: {' and '.join(parts)} would change."


def in_words(way: WayBack) -> str:
    """Thresholds, then every scene under what it becomes."""
    lines = [f"Thresholds: {way.thresholds}", ""] if way.thresholds else []
    for what, scenes in way.changes:
        many = f"1 scene {what}" if len(scenes) == 1 else f"{len(scenes)} scenes, each {what}"
        lines += [f"{many}:", *(f"  {scene}" for scene in scenes), ""]
    left = len(lines) - _MOST
    return "\n".join(lines[:_MOST] + ([f"… and {left} lines more"] if left > 0 else [])).strip()
