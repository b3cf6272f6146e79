"""The top line: menus, which project this is, and the decisions at hand."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QMenuBar, QPushButton, QWidget

from smarthdr_studio.core.journal import Status
from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.panels.parts import ElidedLabel, button, caption
from smarthdr_studio.studio.state import StudioState


class TopBar(QWidget):
    """Says which decision was pressed."""

    promote_asked = Signal()
    exclude_asked = Signal()
    undo_asked = Signal()
    redo_asked = Signal()

    def __init__(self, menus: QMenuBar) -> None:
        super().__init__()
        self._name, self._counts = caption("", role="title"), ElidedLabel(role="muted")
        self._promote = button("Promote  P", tip=by_id("promote").tip_with_key)
        self._exclude = button("Exclude  X", tip=by_id("exclude").tip_with_key)
        self._undo = button("Undo", tip=by_id("undo").tip_with_key)
        self._redo = button("Redo", tip=by_id("redo").tip_with_key)
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 4, 8, 2)
        row.setSpacing(6)
        row.addWidget(menus)
        row.addSpacing(10)
        row.addWidget(self._name)
        row.addWidget(self._counts, 1)
        for pressed in self._buttons():
            pressed.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row.addWidget(pressed)
        self._promote.clicked.connect(self.promote_asked)
        self._exclude.clicked.connect(self.exclude_asked)
        self._undo.clicked.connect(self.undo_asked)
        self._redo.clicked.connect(self.redo_asked)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the project and what can be decided."""
        if (old.folder, old.scenes) != (new.folder, new.scenes):
            self._name.setText(new.project)
            self._counts.tell(counts_in_words(new) if new.folder else "")
        for pressed in self._buttons():
            pressed.setVisible(new.folder is not None)
        self._undo.setEnabled(new.undo is not None)
        self._redo.setEnabled(new.redo is not None)
        self._undo.setToolTip(_with_words("undo", new.undo))
        self._redo.setToolTip(_with_words("redo", new.redo))

    def _buttons(self) -> tuple[QPushButton, ...]:
        return self._promote, self._exclude, self._undo, self._redo


def counts_in_words(state: StudioState) -> str:
    """How many scenes are what, in one line."""
    counts = state.counts()
    words = (
        (Status.GROUND_TRUTH, "labelled"),
        (Status.PROMOTED, "promoted"),
        (Status.UNLABELLED, "in the pool"),
        (Status.EXCLUDED, "excluded"),
        (Status.TEST, "test"),
    )
    return " · ".join(f"{counts[status]} {word}" for status, word in words if counts[status])


def _with_words(action: str, words: str | None) -> str:
    tip = by_id(action).tip_with_key
    return f"{tip}: {words}" if words else tip
