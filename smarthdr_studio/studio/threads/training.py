"""Training on its own thread, paused and stopped between two events."""

import gc
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThread, Signal

from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.events import StepReported, TrainingEvent

if TYPE_CHECKING:
    from smarthdr_studio.core.plan import TrainingPlan

_SECONDS_BETWEEN_STEP_REPORTS = 0.05  # 20 Hz: smooth to the eye, nothing to the event loop


class TrainingThread(QThread):
    """Runs train() and repeats its events as tuples; steps that come fast travel together."""

    reported = Signal(object)
    failed = Signal(str)

    def __init__(
        self, plan: "TrainingPlan", project: Path, *, resume: str | None, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._plan, self._project, self._resume = plan, project, resume
        self._go = threading.Event()
        self._go.set()
        self._held: list[TrainingEvent] = []
        self._told_at = 0.0

    def run(self) -> None:
        """Train until done, stopped or failed; called by Qt on the new thread."""
        try:
            from smarthdr_studio.learning.training import train

            with closing(train(self._plan, self._project, resume=self._resume)) as events:
                for event in events:
                    self._report(event)
                    self._go.wait()
                    if self.isInterruptionRequested():
                        break
        except Exception as error:  # the edge of the thread: tell, never swallow
            self.failed.emit(_in_words(error))
        finally:
            self._flush()
            _give_memory_back()

    def pause(self) -> None:
        """Ask for no further event."""
        self._go.clear()

    def resume(self) -> None:
        """Ask for events again."""
        self._go.set()

    def stop(self) -> None:
        """Close the generator after the event at hand; it saves."""
        self.requestInterruption()
        self._go.set()

    def _report(self, event: TrainingEvent) -> None:
        self._held.append(event)
        due = time.monotonic() - self._told_at >= _SECONDS_BETWEEN_STEP_REPORTS
        if due or not isinstance(event, StepReported) or not self._go.is_set():
            self._flush()

    def _flush(self) -> None:
        if self._held:
            self.reported.emit(tuple(self._held))
            self._held.clear()
            self._told_at = time.monotonic()


def _in_words(error: Exception) -> str:
    if isinstance(error, StudioError):
        return str(error)
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return (
            "The device ran out of memory. Choose a smaller batch or tile in the plan, or another "
            "device, then resume from the last checkpoint."
        )
    return f"{type(error).__name__}: {error}"


def _give_memory_back() -> None:
    """A device's memory belongs to other programs again once a run is over."""
    from smarthdr_studio.learning.runtime import give_memory_back

    gc.collect()
    give_memory_back()
