"""The diary of the run that is watched: read from its log once, then written as it goes."""

from datetime import UTC, datetime

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.events import PhaseChanged, StepReported, TrainingEvent
from smarthdr_studio.core.running.diary import Diary
from smarthdr_studio.core.running.log import TimedEvent
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.state import TrainingState
from smarthdr_studio.studio.tasks import LatestTask, TaskRunner, plain
from smarthdr_studio.studio.threads.diaries import read_rare_events


class DiaryDesk(QObject):
    """Says when another diary begins, and every line of it."""

    began = Signal()
    wrote = Signal(object)  # tuple of DiaryLine

    def __init__(self, keeper: Keeper, tasks: TaskRunner) -> None:
        super().__init__(keeper)
        self._keeper = keeper
        self._reading = LatestTask(tasks)
        self._run, self._diary = "", Diary()
        self._held: list[TimedEvent] | None = None  # what is said while the log is being read
        keeper.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        self._turn_to("")

    @Slot(object)
    def follow(self, training: TrainingState) -> None:
        """Turn to the run that is watched."""
        if training.run != self._run:
            self._turn_to(training.run)

    @Slot(object)
    def hear(self, events: tuple[TrainingEvent, ...]) -> None:
        """What the run has said since the last time; it was just said."""
        rare = [each for each in events if not isinstance(each, StepReported | PhaseChanged)]
        if not rare:
            return
        now = datetime.now(UTC)
        timed = [TimedEvent(time=now, event=event) for event in rare]
        if self._held is not None:
            self._held += timed
        else:
            self._write(timed)

    def _turn_to(self, run: str) -> None:
        self._run, self._diary, self._held = run, Diary(), None
        self._reading.cancel()
        self.began.emit()
        if run and self._keeper.project is not None:
            self._held = []
            folder = RunFolder(self._keeper.project.runs_folder / run)
            self._reading.start(plain(read_rare_events, run=folder), self._read, self._unreadable)

    def _read(self, told: tuple[TimedEvent, ...]) -> None:
        held, self._held = self._held or [], None
        # What was said meanwhile may be in the log already.
        known = [each.event for each in told[-len(held) - 8 :]] if held else []
        self._write([*told, *(each for each in held if each.event not in known)])

    def _unreadable(self, _message: str) -> None:
        held, self._held = self._held or [], None
        self._write(held)

    def _write(self, events: list[TimedEvent]) -> None:
        lines = tuple(line for each in events if (line := self._diary.take(each)) is not None)
        if lines:
            self.wrote.emit(lines)
