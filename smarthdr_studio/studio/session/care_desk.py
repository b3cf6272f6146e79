"""Takes care that a project can be worked with: where its dataset is, and what opening it told."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.state import MovedState, Notice
from smarthdr_studio.studio.tasks import How, LatestTask, TaskRunner
from smarthdr_studio.studio.threads.relocation import (
    FoundAgain,
    Whereabouts,
    look_for_dataset,
    move_dataset,
)

_ALL_THERE = "The dataset lies where the project knows it: "


class CareDesk(QObject):
    """Asks once where a dataset that is gone lies now; "not now" leaves the project as it is."""

    moved = Signal()  # the dataset lies elsewhere now: everything is to be read again

    def __init__(self, keeper: Keeper, tasks: TaskRunner) -> None:
        super().__init__(keeper)
        self._keeper = keeper
        self._looking, self._moving = LatestTask(tasks), LatestTask(tasks, how=How(shown=True))
        self._asked = False  # by a person, who wants an answer also when nothing is missing
        self._found_for: Path | None = None  # the project whose dataset was found just now
        keeper.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        project, self._asked = self._keeper.project, False
        self._keeper.become(moved=None, read_only=project.read_only if project else "")
        if project is None:
            return
        if project.folder != self._found_for:  # else one that is only looked at would ask again
            self._look()
        self._found_for = None
        if project.warnings:
            first, *others = project.warnings
            self._keeper.notice(Notice(text=first, tone="warn", details=tuple(others)))

    @Slot()
    def ask_again(self) -> None:
        """Look once more whether the dataset is where it was."""
        self._asked = True
        self._look()

    @Slot(object, bool)
    def relocate(self, root: Path, even_partly: object) -> None:
        """The dataset lies there now; believed once its scenes were found."""
        moved, project = self._keeper.state.moved, self._keeper.project
        if project is None or moved is None or moved.at_work:
            return
        self._keeper.become(moved=replace(moved, at_work=True, fault=""))
        job = partial(move_dataset, folder=project.folder, root=root, even_partly=bool(even_partly))
        self._moving.start(job, self._found, self._not_found)

    @Slot()
    def not_now(self) -> None:
        """Work without frames for now."""
        self._keeper.become(moved=None)

    def _look(self) -> None:
        if self._keeper.project is not None:
            self._looking.start(
                partial(look_for_dataset, folder=self._keeper.project.folder), self._looked
            )

    def _looked(self, found: Whereabouts) -> None:
        asked, self._asked = self._asked, False
        missing = found.missing
        if missing is not None:
            self._keeper.become(
                moved=MovedState(root=missing.root, partly=bool(missing.found), guess=found.guess)
            )
        elif asked and self._keeper.project is not None:
            self._keeper.notice(Notice(text=f"{_ALL_THERE}{self._keeper.project.dataset}"))

    def _found(self, found: FoundAgain) -> None:
        if self._keeper.project is None:
            return
        try:
            self._keeper.project.move_dataset(found.root)
        except StudioError as error:
            self._keeper.complain(str(error))
            return
        self._keeper.become(moved=None)
        self._found_for = found.folder
        self.moved.emit()
        words = f"The dataset is found again: {found.found} of {found.scenes} scenes lie in "
        self._keeper.notice(Notice(text=f"{words}{found.root}"))

    def _not_found(self, message: str) -> None:
        moved = self._keeper.state.moved
        if moved is not None:
            self._keeper.become(moved=replace(moved, at_work=False, fault=message))
