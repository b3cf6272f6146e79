"""One slow job on its own thread: it answers, or says in one sentence why it could not."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QThread, Signal

from smarthdr_studio.core.errors import StudioError

Tell = Callable[[str, int, int], None]
Job = Callable[[Tell], object]


class Cancelled(Exception):
    """Raised inside a job when nobody wants its answer any more."""


class Task(QThread):
    """Runs `job(tell)`; `tell(text, done, total)` reports progress and raises when cancelled."""

    answered = Signal(object)
    refused = Signal(str)
    progressed = Signal(str, int, int)
    given_up = Signal()

    def __init__(self, job: Job, parent: QObject) -> None:
        super().__init__(parent)
        self._job = job

    def run(self) -> None:
        """Do the job; called by Qt on the new thread."""
        try:
            self.answered.emit(self._job(self._tell))
        except Cancelled:
            self.given_up.emit()
        except StudioError as error:
            self.refused.emit(str(error))
        except Exception as error:  # the edge of the thread: tell, never swallow
            self.refused.emit(f"{type(error).__name__}: {error}")

    def _tell(self, text: str, done: int, total: int) -> None:
        if self.isInterruptionRequested():
            raise Cancelled
        self.progressed.emit(text, done, total)
