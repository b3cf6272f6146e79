"""A calm line that stays while a project can only be looked at."""

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout

from smarthdr_studio.studio.panels.parts import caption
from smarthdr_studio.studio.state import StudioState


class ReadOnlyNote(QFrame):
    """Says why nothing can be decided, and what still can be done."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("notice")
        self._why = caption("")
        self._why.setWordWrap(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 5, 12, 5)
        row.addWidget(caption("Read-only", role="title"))
        row.addWidget(self._why, 1)
        self.hide()

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the line, or nothing."""
        if old.read_only != new.read_only:
            self._why.setText(f"Looking works, deciding does not, because {new.read_only}.")
            self.setVisible(bool(new.read_only))
