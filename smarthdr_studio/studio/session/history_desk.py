"""Knows every round of the newest run, and puts past rounds on the screen."""

from functools import partial

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.history import RoundRecord, RunHistory
from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.state import HeatStrip, Notice
from smarthdr_studio.studio.tasks import Job, LatestTask, RepeatedTask, TaskRunner, plain
from smarthdr_studio.studio.threads.history import (
    Replay,
    read_replay,
    read_run_history,
    strip_of_now,
)


class HistoryDesk(QObject):
    """Reads records on a thread; `replayed` says which round is to be shown, None for now."""

    read = Signal()
    replayed = Signal(object, object)  # RoundRecord | None, Replay | None

    def __init__(self, keeper: Keeper, tasks: TaskRunner) -> None:
        super().__init__(keeper)
        self._keeper = keeper
        self._reading = RepeatedTask(tasks, self._question, self._answered)
        self._replaying, self._counting = LatestTask(tasks), LatestTask(tasks)
        self._told = ""  # the alarm that was told last
        keeper.switched.connect(self._switch)

    @property
    def records(self) -> tuple[RoundRecord, ...]:
        """Every round that is on record, oldest first."""
        history = self._keeper.state.history
        return history.records if history is not None else ()

    @property
    def as_used(self) -> bool:
        """Whether past rounds are shown with the thresholds they were used with."""
        heat = self._keeper.state.heat
        return heat is None or not heat.now

    @Slot()
    def _switch(self) -> None:
        self._told = ""
        self._keeper.become(history=None, heat=None, replay=None)
        self.refresh()

    def refresh(self) -> None:
        """Read what rounds have been added; asking again while reading reads once more."""
        self._reading.ask()

    def _question(self) -> Job[RunHistory | None] | None:
        if self._keeper.project is None:
            return None
        return partial(
            read_run_history, project=self._keeper.project.folder, known=self._keeper.state.history
        )

    @Slot(object)
    def pick(self, number: object) -> None:
        """Replay a round for the scene on the screen; None is now."""
        wanted = number if isinstance(number, int) else None
        self._keeper.become(replay=wanted)
        self.follow(self._keeper.state.shown)

    def step(self, rounds: int) -> None:
        """The round so many before or after; beyond the last is now."""
        numbers = [record.round for record in self.records]
        if not numbers:
            return
        now = self._keeper.state.replay
        place = (numbers.index(now) if now in numbers else len(numbers)) + rounds
        self.pick(numbers[max(place, 0)] if place < len(numbers) else None)

    def follow(self, scene: str | None) -> None:
        """Another scene is on the screen: the picked round of it is wanted now."""
        number = self._keeper.state.replay
        self._replaying.cancel()
        if number is None or scene is None or self._keeper.project is None:
            self.replayed.emit(None, None)
            return
        history = self._keeper.state.history
        if history is None or number not in history.replayable:
            self.replayed.emit(self._record(number), None)
            return
        folder = RunFolder(self._keeper.project.runs_folder / history.run)
        job = plain(read_replay, run_folder=folder, round=number, scene=scene)
        self._replaying.start(job, partial(self._replay_read, number))

    @Slot(str)
    def set_kind(self, kind: str) -> None:
        """Shares as they were used, or as the thresholds on the screen would have them."""
        history = self._keeper.state.history
        if history is None:
            return
        if kind != "now":
            self._keeper.become(heat=_as_used(history))
            self.follow(self._keeper.state.shown)
            return
        self._count_now(history, self._keeper.state.masks)

    def masks_settled(self) -> None:
        """Other thresholds: shares "as of now" follow."""
        state = self._keeper.state
        if state.history is not None and state.heat is not None and state.heat.now:
            self._count_now(state.history, state.masks)

    def _count_now(self, history: RunHistory, masks: MaskSettings) -> None:
        self._counting.start(partial(strip_of_now, history=history, masks=masks), self._counted)

    def _counted(self, heat: HeatStrip) -> None:
        history = self._keeper.state.history
        if history is not None and heat.run == history.run:
            self._keeper.become(heat=heat)
            self.follow(self._keeper.state.shown)

    def _answered(self, history: RunHistory | None) -> None:
        now = self._keeper.state.heat is not None and self._keeper.state.heat.now
        heat = None if history is None else _as_used(history)
        self._keeper.become(history=history, heat=heat)
        self._leave_vanished_round()
        self.read.emit()
        if history is not None:
            if now:
                self._count_now(history, self._keeper.state.masks)
            self._sound(history.alarm)

    def _leave_vanished_round(self) -> None:
        """A new run has fewer rounds than the one that was replayed: back to now."""
        number = self._keeper.state.replay
        if number is not None and self._record(number) is None:
            self.pick(None)

    def _replay_read(self, number: int, maps: Replay | None) -> None:
        self.replayed.emit(self._record(number), maps)

    def _record(self, number: int) -> RoundRecord | None:
        return next((record for record in self.records if record.round == number), None)

    def _sound(self, alarm: str) -> None:
        if alarm and alarm != self._told:
            self._keeper.notice(Notice(text=alarm, tone="warn"))
        self._told = alarm


def _as_used(history: RunHistory) -> HeatStrip:
    return HeatStrip(
        run=history.run,
        rounds=tuple(record.round for record in history.records),
        scenes=history.scenes,
        shares=history.shares,
    )
