"""Continues a run as a new one: its plan in the editor, to be changed, from its best weights."""

from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.plan_desk import PlanDesk
from smarthdr_studio.studio.state import StudioState
from smarthdr_studio.studio.tasks import LatestTask, TaskRunner, plain
from smarthdr_studio.studio.threads.run_checkpoints import PlanToContinue, plan_to_continue

_START: Final = "network.start_from"


class RunsContinuing(QObject):
    """Types the plan of the run into the editor, once its book of presets has been read."""

    ready = Signal()  # the editor may be shown

    def __init__(self, keeper: Keeper, tasks: TaskRunner, plans: PlanDesk) -> None:
        super().__init__(keeper)
        self._keeper, self._plans = keeper, plans
        self._reading = LatestTask(tasks)
        self._found: PlanToContinue | None = None
        keeper.changed.connect(self._take_book)
        keeper.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        self._found = None

    def ask(self, run: str) -> None:
        """Bring the plan of this run into the editor."""
        if self._keeper.project is not None:
            folder: Path = self._keeper.project.runs_folder / run
            self._reading.start(plain(plan_to_continue, run=folder), self._read)

    def _read(self, found: PlanToContinue) -> None:
        self._found = found
        self.ready.emit()
        self._type()

    @Slot(object, object)
    def _take_book(self, old: StudioState, new: StudioState) -> None:
        if self._found is not None and old.planning.book is not new.planning.book:
            QTimer.singleShot(0, self._type)  # once everybody has heard of the book

    @Slot()
    def _type(self) -> None:
        book, found = self._keeper.state.planning.book, self._found
        if book is None or found is None or not book.values:
            return
        self._found = None
        preset = found.preset if found.preset in book.values else next(iter(book.values))
        self._plans.pick_preset(preset)
        self._plans.reset("")
        for key, text in found.texts.items():
            self._plans.set_text(key, text)
        if found.start_from is not None:
            self._plans.set_text(_START, str(found.start_from))
