"""Holds the state and says from which to which it changed."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.project.project import Project
from smarthdr_studio.studio.state import Notice, StudioState


class Store(QObject):
    """The only place where a new state replaces the old one."""

    changed = Signal(object, object)
    switched = Signal()  # another project is open, or none

    def __init__(self, state: StudioState, parent: QObject) -> None:
        super().__init__(parent)
        self.state = state
        self.project: Project | None = None  # the one that is open

    def switch_to(self, project: Project | None) -> None:
        """Everybody turns to another project, or to none, in the order they were made."""
        self.project = project
        self.switched.emit()

    def become(self, **changes: Any) -> None:  # noqa: ANN401 - names and types are those of StudioState
        """Change some fields; nothing is said when nothing is new."""
        self.start_over(replace(self.state, **changes))

    def start_over(self, new: StudioState) -> None:
        """Take a whole new state."""
        old, self.state = self.state, new
        if new != old:
            self.changed.emit(old, new)

    def forget_project(self) -> None:
        """Only what outlives projects stays; no late answer fits what comes after."""
        old = self.state
        self.start_over(
            StudioState(
                recent=old.recent, cache_budget=old.cache_budget, generation=old.generation + 1
            )
        )

    @Slot(str, int, int)
    def busy(self, text: str, done: int, total: int) -> None:
        """Something takes its time."""
        self.become(busy=text, progress=done / total if total else None)

    @Slot()
    def not_busy(self) -> None:
        """It is over."""
        self.become(busy="", progress=None)

    @Slot(object)
    def notice(self, notice: Notice | None) -> None:
        """Tell something, or take it back."""
        self.become(notice=notice)

    @Slot(str)
    def complain(self, message: str) -> None:
        """Tell that something went wrong."""
        self.become(notice=Notice(text=message, tone="bad"))
