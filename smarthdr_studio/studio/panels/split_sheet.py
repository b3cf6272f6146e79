"""What a split from a file would change, before it is decided."""

from typing import Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from smarthdr_studio.studio.panels.parts import button, caption, describe
from smarthdr_studio.studio.state import SplitState, StudioState

_SIZE: Final = (560, 420)
_MOST: Final = 1000  # lines


class SplitSheet(QDialog):
    """Not modal; one undo takes an import back."""

    accepted_split = Signal()
    dropped = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Import split")
        self._split: SplitState | None = None
        self._words = caption("", role="title")
        self._list = QPlainTextEdit(readOnly=True)
        describe(self._list, name="What changes", tip="")
        self._import = button("Import", tip="One undo takes it back (Enter)")
        self._import.setProperty("role", "primary")
        self._import.setDefault(True)
        self._cancel = button("Cancel", tip="Nothing is changed (Esc)")
        self._cancel.setAutoDefault(False)
        last = QHBoxLayout()
        last.addStretch(1)
        last.addWidget(self._cancel)
        last.addWidget(self._import)
        column = QVBoxLayout(self)
        column.addWidget(self._words)
        column.addWidget(self._list, 1)
        column.addLayout(last)
        self.resize(*_SIZE)
        self._import.clicked.connect(self.accepted_split)
        self._cancel.clicked.connect(self.reject)

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Show the split that waits, or go."""
        if new.split is self._split:
            return
        self._split = new.split
        if new.split is None:
            self.hide()
            return
        scenes = "1 scene changes" if new.split.count == 1 else f"{new.split.count} scenes change"
        self._words.setText(f"{new.split.file.name}: {scenes}")
        self._list.setPlainText(in_words(new.split))
        self.show()

    def reject(self) -> None:
        """Escape leaves everything as it is."""
        self.dropped.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """So does closing the sheet."""
        super().closeEvent(event)
        if self._split is not None:
            self.dropped.emit()


def in_words(split: SplitState) -> str:
    """Every scene that changes under the status it gets."""
    lines: list[str] = []
    for status, scenes in split.changes:
        many = "1 scene becomes" if len(scenes) == 1 else f"{len(scenes)} scenes become"
        lines.append(f"{many} {status}:")
        lines += [f"  {name} (was {was})" for name, was in scenes]
        lines.append("")
    left = len(lines) - _MOST
    return "\n".join(lines[:_MOST] + ([f"… and {left} lines more"] if left > 0 else [])).strip()
