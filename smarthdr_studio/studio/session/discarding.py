"""Takes runs to the trash, once nobody is at work on them, and brings them back."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.state import Notice, Offer
from smarthdr_studio.studio.tasks import How, TaskRunner, plain
from smarthdr_studio.studio.threads.discarding import discard, restore


class Discarding(QObject):
    """`changed` tells that another set of runs is in the project now."""

    changed = Signal()

    def __init__(self, keeper: Keeper, tasks: TaskRunner) -> None:
        super().__init__(keeper)
        self._keeper, self._tasks = keeper, tasks
        self._waiting: str | None = None  # the run that is to go once it has stopped
        keeper.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        self._waiting = None

    def discard(self, run: str) -> None:
        """Move a run that nobody trains to the trash."""
        self._start(discard, run, answered=self._discarded)

    def discard_once_stopped(self, run: str) -> None:
        """The same, when `has_stopped` says that it has; one just begun has no name yet."""
        self._waiting = run

    def has_stopped(self, run: str) -> None:
        """A run is at rest; if it is to go, it goes now."""
        wanted, self._waiting = self._waiting, None
        if run and wanted is not None and wanted in ("", run):
            self.discard(run)

    def restore(self, run: str) -> None:
        """Bring a run back from the trash."""
        self._start(restore, run, answered=self._restored)

    def _start(
        self, work: Callable[..., str], run: str, *, answered: Callable[[Any], None]
    ) -> None:
        if self._keeper.project is not None:
            job = plain(work, project=self._keeper.project, run=run)
            self._tasks.start(job, answered, self._refused, how=How(lasting=True))

    def _discarded(self, run: str) -> None:
        back = Offer(text="Restore", tip="Bring the run back", asks="restore_run", about=run)
        words = f"{run} was discarded; it lies in the trash of the project."
        self._keeper.notice(Notice(text=words, offers=(back,)))
        self.changed.emit()

    def _restored(self, run: str) -> None:
        self._keeper.notice(Notice(text=f"{run} is back among the runs."))
        self.changed.emit()

    def _refused(self, message: str) -> None:
        self._keeper.complain(message)
        self.changed.emit()
