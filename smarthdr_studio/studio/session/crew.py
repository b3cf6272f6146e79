"""Who is at work: every short thread, kept until it has ended."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.studio.threads.task import Job, Task


class Crew(QObject):
    """Starts tasks and lets go of each only when its thread is over."""

    rested = Signal()
    busy_told = Signal(str, int, int)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._tasks: set[Task] = set()
        self._lasting: set[Task] = set()

    @property
    def at_rest(self) -> bool:
        """Whether no thread is at work."""
        return not self._tasks

    def start(
        self,
        job: Job,
        *,
        answered: Callable[[Any], None],
        refused: Callable[[str], None],
        told: bool = False,
        lasting: bool = False,
    ) -> Task:
        """Run a job; `answered` and `refused` must be slots of objects of this thread.

        With `told` its progress is repeated as `busy_told`. A `lasting` one is not cancelled with
        the others: what it writes was decided.
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
        task.start(Task.Priority.LowPriority)
        return task

    def cancel(self) -> None:
        """Ask every task to stop at its next word, but for the lasting ones."""
        for task in self._tasks - self._lasting:
            task.requestInterruption()

    @Slot()
    def _ended(self) -> None:
        for task in [task for task in self._tasks if task.isFinished()]:
            self._tasks.discard(task)
            self._lasting.discard(task)
            task.deleteLater()
        if not self._tasks:
            self.rested.emit()
