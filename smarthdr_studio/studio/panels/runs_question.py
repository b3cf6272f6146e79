"""A question about a run, asked over the list without stopping anything."""

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout

from smarthdr_studio.studio.panels.own_keys import takes_first
from smarthdr_studio.studio.panels.parts import button, caption
from smarthdr_studio.studio.state import StudioState


class RunsQuestion(QFrame):
    """Asks before runs are moved to the trash; Escape is no."""

    agreed = Signal()
    declined = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("notice")
        self.setProperty("tone", "warn")
        self._words = caption("")
        self._words.setWordWrap(True)
        self._yes = button("Move to the trash", tip="It can be restored from there (Enter)")
        self._no = button("Keep", tip="Nothing is changed (Esc)")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 5, 6, 5)
        row.addWidget(self._words, 1)
        row.addWidget(self._no)
        row.addWidget(self._yes)
        self._yes.clicked.connect(self.agreed)
        self._no.clicked.connect(self.declined)
        self.hide()

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Ask, or be gone."""
        asked = new.runs.question
        if old.runs.question == asked:
            return
        self._words.setText(asked)
        self.setVisible(bool(asked))
        if asked:
            self._no.setFocus(Qt.FocusReason.OtherFocusReason)

    def event(self, event: QEvent) -> bool:
        """Escape is an answer before it is a command of the window."""
        return takes_first(event, (Qt.Key.Key_Escape,)) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape keeps the run."""
        if event.key() == Qt.Key.Key_Escape:
            self.declined.emit()
        else:
            super().keyPressEvent(event)
