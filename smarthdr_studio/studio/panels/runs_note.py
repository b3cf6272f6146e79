"""The note of a run: written in place, kept when the cursor leaves it or after a pause."""

from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from smarthdr_studio.studio.panels.parts import caption, describe

_PAUSE_MS: Final = 1200  # without a key, and what was written is saved


class RunsNote(QWidget):
    """Never loses a word: another run, leaving the field or closing the window saves first."""

    written = Signal(str, str)  # run, text

    def __init__(self) -> None:
        super().__init__()
        self._run, self._sent = "", ""
        self._filling = self._dirty = False
        self._field, self._told = QPlainTextEdit(), caption("", role="muted")
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        describe(self._field, name="Note on the run", tip="Saved when you pause or leave it")
        self._field.setPlaceholderText("What to remember about this run")
        self._field.setTabChangesFocus(True)
        self._field.setMinimumHeight(56)
        self._field.installEventFilter(self)
        self._field.textChanged.connect(self._changed)
        self._pause.timeout.connect(self.save)
        head = QHBoxLayout()
        head.addWidget(caption("Note", role="title"))
        head.addStretch(1)
        head.addWidget(self._told)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self._field, 1)

    def show_note(self, run: str, text: str) -> None:
        """The note of this run as it is kept; what is being written about it is left alone."""
        if run != self._run:
            self.save()
            self._run, self._dirty = run, False
        if self._dirty and self._field.toPlainText().strip() == text.strip():
            self._dirty = False
            self._told.setText("Saved")
        if not self._dirty and self._field.toPlainText().strip() != text.strip():
            self._filling = True
            self._field.setPlainText(text)
            self._filling = False
            self._told.setText("")

    def write(self) -> None:
        """Put the cursor into the note."""
        self._field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    @Slot()
    def save(self) -> None:
        """Keep what was written, if anything was."""
        self._pause.stop()
        text = self._field.toPlainText()
        if self._dirty and self._run and text != self._sent:
            self._sent = text
            self.written.emit(self._run, text)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The cursor leaves the note."""
        if watched is self._field and event.type() is QEvent.Type.FocusOut:
            self.save()
        return super().eventFilter(watched, event)

    @Slot()
    def _changed(self) -> None:
        if not self._filling:
            self._dirty, self._sent = True, ""
            self._told.setText("Being written")
            self._pause.start()
