"""Writes a model of a run as one file, on a thread, and says what became of it."""

from functools import partial

from PySide6.QtCore import QObject, Slot

from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.state import ModelWish, Notice
from smarthdr_studio.studio.tasks import How, LatestTask, TaskRunner
from smarthdr_studio.studio.threads.handover import Written
from smarthdr_studio.studio.threads.model_export import put_model


class ExportModelDesk(QObject):
    """One model at a time; what is given up or fails leaves nothing half-written."""

    def __init__(self, keeper: Keeper, tasks: TaskRunner) -> None:
        super().__init__(keeper)
        self._keeper = keeper
        self._writing = LatestTask(tasks, how=How(shown=True))

    @Slot(object)
    def export(self, wish: ModelWish) -> None:
        """Write a file as wished."""
        if self._writing.at_work:
            busy = "A model is being written already; wait for it, or cancel it below."
            self._keeper.notice(Notice(text=busy, tone="warn"))
        elif self._keeper.project is not None:
            job = partial(put_model, project=self._keeper.project.folder, wish=wish)
            self._writing.start(job, self._written)

    def cancel(self) -> None:
        """Give up what is being written."""
        self._writing.cancel()

    def _written(self, written: Written) -> None:
        self._keeper.notice(Notice(text=written.words, opens=written.path.parent))
