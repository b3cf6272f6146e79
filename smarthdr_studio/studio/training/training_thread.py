"""Training on its own thread: wishes are handed in, events come out, a stop closes it."""

import logging
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QThread, Signal

from smarthdr_studio.core.errors import OutOfMemory, Remedy, StudioError
from smarthdr_studio.core.training.events import StepReported, TrainingEvent
from smarthdr_studio.core.training.steering import GoOn, Pause, Wish, Wishes

if TYPE_CHECKING:
    from smarthdr_studio.core.training.plan import TrainingPlan

# Alive to the eye; what is drawn anew takes its part of a core from the steps.
_SECONDS_BETWEEN_STEP_REPORTS: Final = 0.4


class TrainingThread(QThread):
    """Runs train() and repeats its events as tuples; steps that come fast travel together.

    `wishes` are heard between two steps.
    """

    reported = Signal(object)
    failed = Signal(str, object)  # why, and the remedies one click away

    def __init__(
        self, plan: "TrainingPlan", project: Path, *, resume: str | None, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._plan, self._project, self._resume = plan, project, resume
        self.wishes = _Inbox()
        self._held: list[TrainingEvent] = []
        self._told_at = 0.0

    def run(self) -> None:
        """Train until done, stopped or failed; called by Qt on the new thread."""
        try:
            from smarthdr_studio.learning.trainer import train

            course = train(self._plan, self._project, resume=self._resume, wishes=self.wishes)
            with closing(course) as events:
                for event in events:
                    self._report(event)
                    if self.isInterruptionRequested():
                        break
        except Exception as error:  # the edge of the thread: tell, never swallow
            if not isinstance(error, StudioError):
                logging.getLogger(__name__).exception("a run failed")
            self._flush()
            self.failed.emit(_in_words(error), _remedies(error))
        finally:
            self._flush()
            _give_memory_back()

    def pause(self) -> None:
        """Hold the run before its next step; it holds its memory, and goes on listening."""
        self.wishes.ask(Pause())

    def go_on(self) -> None:
        """The end of a pause."""
        self.wishes.ask(GoOn())

    def stop(self) -> None:
        """Close the generator after the event at hand; it saves."""
        self.requestInterruption()

    def _report(self, event: TrainingEvent) -> None:
        self._held.append(event)
        due = time.monotonic() - self._told_at >= _SECONDS_BETWEEN_STEP_REPORTS
        if due or not isinstance(event, StepReported):
            self._flush()

    def _flush(self) -> None:
        if self._held:
            self.reported.emit(tuple(self._held))
            self._held.clear()
            self._told_at = time.monotonic()


class _Inbox(Wishes):
    """Hands out nothing beyond a pause: what ends it has to be heard while it lasts."""

    def take(self) -> tuple[Wish, ...]:
        """What was wished for since the last time, up to a pause."""
        held = super().take()
        pauses = [place for place, wish in enumerate(held) if isinstance(wish, Pause)]
        end = pauses[0] + 1 if pauses else len(held)
        with self._lock:
            self._held[:0] = held[end:]
        return held[:end]


def _in_words(error: Exception) -> str:
    if isinstance(error, StudioError):
        return str(error)
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return (
            "The device ran out of memory. Choose a smaller batch or tile in the plan, or another "
            "device, then resume from the last checkpoint."
        )
    return f"{type(error).__name__}: {error}"


def _remedies(error: Exception) -> tuple[Remedy, ...]:
    return error.remedies if isinstance(error, OutOfMemory) else ()


def _give_memory_back() -> None:
    """A device's memory belongs to other programs again once a run is over."""
    from smarthdr_studio.learning.compute import release_memory

    release_memory()
