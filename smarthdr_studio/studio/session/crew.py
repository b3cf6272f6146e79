"""Who is at work: every short thread, kept until it has ended."""

from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.studio.threads.task import Job, Task

_LONGEST_LOOK_MS: Final = 5000


class Crew(QObject):
    """Starts tasks and lets go of each only when its thread is over."""

    rested = Signal()
    busy_told = Signal(str, int, int)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._tasks: set[Task] = set()
        self._lasting: set[Task] = set()
        self._watching: set[Task] = set()
        self._ending = False

    @property
    def at_rest(self) -> bool:
        """Whether no thread is at work; those that only watch count when all is to end."""
        return not (self._tasks if self._ending else self._tasks - self._watching)

    def start(
        self,
        job: Job,
        *,
        answered: Callable[[Any], None],
        refused: Callable[[str], None],
        told: bool = False,
        lasting: bool = False,
        watching: bool = False,
    ) -> Task:
        """Run a job; `answered` and `refused` must be slots of objects of this thread.

        With `told` its progress is repeated as `busy_told`. A `lasting` one is not cancelled with
        the others: what it writes was decided. One that is `watching` comes again and again and is
        nobody's work.
        """
        task = Task(job, self)
        task.answered.connect(answered)
        task.refused.connect(refused)
        task.finished.connect(self._ended)
        if told:
            task.progressed.connect(self.busy_told)
        self._tasks.add(task)
        if lasting:
            self._lasting.add(task)
        if watching:
            self._watching.add(task)
        task.start(Task.Priority.LowPriority)
        return task

    def cancel(self) -> None:
        """All is to end: ask every task to stop at its next word, but for the lasting ones."""
        self._ending = True
        for task in self._tasks - self._lasting:
            task.requestInterruption()

    def wait_for_watchers(self) -> None:
        """Wait until nobody watches any more; each look takes a moment."""
        for task in self._watching:
            task.requestInterruption()
            task.wait(_LONGEST_LOOK_MS)

    @Slot()
    def _ended(self) -> None:
        for task in [task for task in self._tasks if task.isFinished()]:
            self._tasks.discard(task)
            self._lasting.discard(task)
            self._watching.discard(task)
            task.deleteLater()
        if self.at_rest:
            self.rested.emit()
