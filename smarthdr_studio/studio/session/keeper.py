"""Holds the state and says from which to which it changed."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.studio.state import Notice, StudioState


class Keeper(QObject):
    """The only place where a new state replaces the old one."""

    changed = Signal(object, object)

    def __init__(self, state: StudioState, parent: QObject) -> None:
        super().__init__(parent)
        self.state = state

    def become(self, **changes: Any) -> None:  # noqa: ANN401 - names and types are those of StudioState
        """Change some fields; nothing is said when nothing is new."""
        self.start_over(replace(self.state, **changes))

    def start_over(self, new: StudioState) -> None:
        """Take a whole new state."""
        old, self.state = self.state, new
        if new != old:
            self.changed.emit(old, new)

    @Slot(object)
    def notice(self, notice: Notice | None) -> None:
        """Tell something, or take it back."""
        self.become(notice=notice)

    @Slot(str)
    def complain(self, message: str) -> None:
        """Tell that something went wrong."""
        self.become(notice=Notice(text=message, tone="bad"))
