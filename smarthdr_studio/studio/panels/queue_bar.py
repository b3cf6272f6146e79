"""In which order scenes come: all of them, the safest first, or the most worth labelling."""

from typing import Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.panels.choice import Choice
from smarthdr_studio.studio.state import QueueKind, StudioState

_KINDS: Final = {
    "All": (QueueKind.ALL, "queue_all"),
    "Safest": (QueueKind.SAFEST, "queue_safest"),
    "Most worth": (QueueKind.WORTH, "queue_worth"),
}


class QueueBar(QWidget):
    """Three words over the list; says which one was picked."""

    kind_picked = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        tips = {word: by_id(action).tip_with_key for word, (_, action) in _KINDS.items()}
        self._choice = Choice(tips, name="Order of scenes")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._choice)
        self._choice.picked.connect(self._pick)
        self.show_kind(QueueKind.ALL)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show which queue is walked."""
        if old.queue.kind is not new.queue.kind:
            self.show_kind(new.queue.kind)

    def show_kind(self, kind: QueueKind) -> None:
        """Mark the word of this order."""
        self._choice.show_word(next(word for word, (k, _) in _KINDS.items() if k is kind))

    @Slot(str)
    def _pick(self, word: str) -> None:
        self.kind_picked.emit(_KINDS[word][0])
