"""Writes a model of a run as one file, on a thread, and says what became of it."""

from functools import partial

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.project import Project
from smarthdr_studio.studio.session.crew import Crew
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.state import ModelWish, Notice
from smarthdr_studio.studio.threads.handover import Written
from smarthdr_studio.studio.threads.model_export import put_model
from smarthdr_studio.studio.threads.task import Task


class ExportModelDesk(QObject):
    """One model at a time; what is given up or fails leaves nothing half-written."""

    ended = Signal()

    def __init__(self, keeper: Keeper, crew: Crew) -> None:
        super().__init__(keeper)
        self._keeper, self._crew = keeper, crew
        self._project: Project | None = None
        self._task: Task | None = None

    def serve(self, project: Project | None) -> None:
        """Work for another project, or for none."""
        self.cancel()
        self._project = project

    @Slot(object)
    def export(self, wish: ModelWish) -> None:
        """Write a file as wished."""
        if self._task is not None:
            busy = "A model is being written already; wait for it, or cancel it below."
            self._keeper.notice(Notice(text=busy, tone="warn"))
        elif self._project is not None:
            job = partial(put_model, project=self._project.folder, wish=wish)
            self._task = self._crew.start(
                job, answered=self._written, refused=self._refused, told=True
            )
            self._task.given_up.connect(self._end)

    def cancel(self) -> None:
        """Give up what is being written."""
        if self._task is not None:
            self._task.requestInterruption()

    @Slot(object)
    def _written(self, written: Written) -> None:
        self._end()
        self._keeper.notice(Notice(text=written.words, opens=written.path.parent))

    @Slot(str)
    def _refused(self, message: str) -> None:
        self._end()
        self._keeper.complain(message)

    @Slot()
    def _end(self) -> None:
        self._task = None
        self.ended.emit()
