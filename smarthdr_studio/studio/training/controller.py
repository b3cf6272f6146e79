"""Drives the run of this window, and keeps how it, or one of another process, stands."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from smarthdr_studio.core.errors import Remedy, StudioError
from smarthdr_studio.core.training.events import (
    RoundFinished,
    RunFinished,
    StepReported,
    TrainingEvent,
    Validated,
)
from smarthdr_studio.core.training.run_folder import run_of
from smarthdr_studio.core.training.steering import (
    GoOn,
    LearningRate,
    NextRound,
    Pause,
    RefreshEvery,
    Snapshot,
    Stop,
    Wish,
    leave_wish,
)
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import Activity, Notice, TrainingState
from smarthdr_studio.studio.state.training import GO_ON, PAUSE, SNAPSHOT, STOP
from smarthdr_studio.studio.tasks import How, TaskRunner, plain
from smarthdr_studio.studio.training.plan import Devices, find_devices, load_preset
from smarthdr_studio.studio.training.run_state import after, points
from smarthdr_studio.studio.training.training_thread import TrainingThread

_SETTLED_AFTER: Final = (5, 8.0)  # steps and seconds since the first of them
_FOLLOWS_IN_S: Final = 20.0  # how slowly the told end follows the expected one
_JUMPS_BEYOND: Final = 0.5  # of what is left: a change of plans, not of weather


@dataclass(frozen=True, slots=True, kw_only=True)
class Eta:
    """When a run is expected to end; times are seconds of one clock that never goes back."""

    first: float | None = None
    heard: float = 0.0
    steps: int = 0
    end: float = 0.0

    def after(self, seconds_left: float, *, now: float) -> Self:
        """The expectation after one more step said how much is left."""
        expected = now + seconds_left
        if self.first is None:
            return replace(self, first=now, heard=now, steps=1, end=expected)
        left = max(self.end - now, 1.0)
        share = min(1.0, (now - self.heard) / _FOLLOWS_IN_S)
        if not self._settled(now) or abs(expected - self.end) > max(_JUMPS_BEYOND * left, 10.0):
            share = 1.0
        end = self.end + share * (expected - self.end)
        return replace(self, heard=now, steps=self.steps + 1, end=end)

    def left(self, *, now: float) -> float | None:
        """Seconds left; None while too little is known to tell anybody."""
        return max(0.0, self.end - now) if self._settled(now) else None

    def _settled(self, now: float) -> bool:
        steps, seconds = _SETTLED_AFTER
        return self.first is not None and self.steps >= steps and now - self.first >= seconds


# Half a step is at most 6 % of what is told in it, or 10 s.
_STEPS: Final = ((95.0, 10.0), (500.0, 20.0), (5400.0, 60.0))


def coarse(seconds: float) -> float:
    """Seconds as anybody needs to know them: to the next of ever longer steps, 10 s at first."""
    step = next((step for below, step in _STEPS if seconds < below), 600.0)
    return max(step, round(seconds / step) * step)


_SILENT_AFTER_S: Final = 60.0
_TOLD_FOR_S: Final = 15.0  # an answer of the run stays on the screen


class TrainingController(QObject):
    """Starts, holds and stops the training thread; says how it stands and what it reported."""

    became = Signal(object)
    heard = Signal(object)  # events, once the state is after them
    points_came = Signal(object)
    curves_cleared = Signal()
    curves_read = Signal(object)  # RunCurves of a run whose steps are not told one by one
    round_finished = Signal()
    checked = Signal()  # the teacher on held-out labels
    devices_found = Signal(object)
    remedies_found = Signal(object)  # what one click can do about a run that failed
    rested = Signal()

    def __init__(self, tasks: TaskRunner, parent: QObject) -> None:
        super().__init__(parent)
        self.state = TrainingState()
        self._tasks = tasks
        self._thread: TrainingThread | None = None
        self._waiting: Callable[[], TrainingThread] | None = None
        self._devices_asked, self._devices_known = False, False
        self._heard_at, self._told_at, self._eta = 0.0, 0.0, Eta()
        self._watch = QTimer(self, interval=1000)
        self._watch.timeout.connect(self._listen)

    @property
    def at_rest(self) -> bool:
        """Whether no training thread is at work."""
        return self._thread is None

    @property
    def is_ours(self) -> bool:
        """Whether a run of this window is at work or about to begin."""
        return self._thread is not None or self._waiting is not None

    def start(self, folder: Path, *, preset: str, changes: Mapping[str, Any]) -> None:
        """Train by a preset, or a plan in a file, with changes by dotted key."""
        self._begin(folder, preset, changes, resume=None)

    def resume(self, folder: Path, *, run: str, changes: Mapping[str, Any]) -> None:
        """Go on with a run, with changes of its plan by dotted key."""
        plan = run_of(folder, run).plan_path
        self._begin(folder, str(plan), changes, resume=run)

    def want_devices(self) -> None:
        """Look for devices, once; that loads torch and sets memory up for training."""
        if not self._devices_asked:
            self._devices_asked = True
            self._tasks.start(plain(find_devices), self._found_devices, self._no_devices)

    def _begin(
        self, folder: Path, preset: str, changes: Mapping[str, Any], *, resume: str | None
    ) -> None:
        if self.state.busy:
            return
        before = self.state
        self._become(TrainingState(activity=Activity.STARTING, resumable=before.resumable))
        try:
            plan = load_preset(preset, changes=changes)
        except StudioError as error:
            self.fail(str(error))
            return
        # Curves of the run that is gone on with are on the screen already.
        if resume is None or resume != before.run:
            self.curves_cleared.emit()
        else:
            self._become(replace(self.state, run=resume, round=before.round))
        self._eta = Eta()
        self._waiting = partial(TrainingThread, plan, folder, resume=resume, parent=self)
        self.want_devices()
        if self._devices_known:
            self._start_waiting()

    def _start_waiting(self) -> None:
        # A run that has said its last word may still be putting its memory away.
        if self._waiting is None or self._thread is not None:
            return
        self._thread, self._waiting = self._waiting(), None
        self._thread.reported.connect(self._reported)
        self._thread.failed.connect(self.fail)
        self._thread.finished.connect(self._ended)
        self._heard_at = time.monotonic()
        self._watch.start()
        self._thread.start(TrainingThread.Priority.LowPriority)

    @Slot()
    def pause_or_go_on(self) -> None:
        """Hold the run of this window between two steps, or let it go on."""
        if self._thread is None:
            return
        if self.state.activity is Activity.PAUSED:
            self._heard_at = time.monotonic()
            self._thread.go_on()
            self._become(replace(self.state, activity=Activity.RUNNING, asked=GO_ON))
        elif self.state.activity is Activity.RUNNING:
            self._thread.pause()
            self._become(replace(self.state, activity=Activity.PAUSED, asked=PAUSE))

    @Slot()
    def stop(self) -> None:
        """Let the step at hand of the run of this window end, save and stop."""
        if self._waiting is not None:
            self._waiting = None
            self._become(replace(self.state, activity=Activity.STOPPED, message="not started"))
        elif self._thread is not None:
            self._thread.stop()
            if self.state.busy:
                self._become(replace(self.state, activity=Activity.STOPPING, asked=""))

    def wish(self, wish: Wish) -> None:
        """Ask something of the run of this window; it is heard between two steps."""
        if self._thread is not None:
            self._thread.wishes.ask(wish)

    def ask(self, words: str) -> None:
        """Say what is asked of the run, until it answers."""
        self._become(replace(self.state, asked=words, told=""))

    def changes_wait(self) -> None:
        """A person decided something that the run will use in its next round."""
        if self.state.busy:
            late = self.state.making_round
            self._become(replace(self.state, changes_wait=True, late=late))

    @Slot()
    def forget(self) -> None:
        """Another project: no run yet."""
        self.show_other(TrainingState())

    def show_other(self, state: TrainingState) -> None:
        """How a run stands that is not of this window; its curves follow."""
        self._become(state)
        self.curves_cleared.emit()
        self._eta = Eta()
        self._heard_at = time.monotonic()
        if state.busy:
            self._watch.start()
        else:
            self._watch.stop()

    def end_other(self, state: TrainingState) -> None:
        """How a run that is not of this window has ended."""
        self._become(state)
        self._watch.stop()
        self.rested.emit()

    @Slot(str, object)
    def fail(self, message: str, remedies: tuple[Remedy, ...] = ()) -> None:
        """Show why there is no run, or why it ended."""
        if remedies:
            self.remedies_found.emit(remedies)
        self._become(replace(self.state, activity=Activity.FAILED, message=message, asked=""))

    @Slot(object)
    def take(self, events: tuple[TrainingEvent, ...]) -> None:
        """What the run has said since the last time."""
        self._heard_at = time.monotonic()
        state = self.state
        for event in events:
            state = after(state, event)
            if isinstance(event, RunFinished) and event.remedies:
                self.remedies_found.emit(event.remedies)
        steps = [event for event in events if isinstance(event, StepReported)]
        if steps:
            self._eta = self._eta.after(steps[-1].seconds_left, now=self._heard_at)
        if state.told != self.state.told:
            self._told_at = self._heard_at
        self._become(self._timed(state))
        self.heard.emit(events)
        self.points_came.emit(tuple(point for event in events for point in points(event)))
        if any(isinstance(event, RoundFinished) for event in events):
            self.round_finished.emit()
        elif any(isinstance(event, Validated) for event in events):
            self.checked.emit()

    def _timed(self, state: TrainingState) -> TrainingState:
        left = self._eta.left(now=time.monotonic()) if state.busy else None
        return replace(state, seconds_left=None if left is None else coarse(left))

    def _found_devices(self, devices: Devices) -> None:
        self._devices_known = True
        self.devices_found.emit(devices)
        self._start_waiting()

    def _no_devices(self, message: str) -> None:
        self._devices_asked = False
        if self._waiting is not None:
            self._waiting = None
            self.fail(message)

    @Slot(object)
    def _reported(self, events: tuple[TrainingEvent, ...]) -> None:
        self.take(events)

    @Slot()
    def _ended(self) -> None:
        thread, self._thread = self._thread, None
        self._watch.stop()
        if thread is not None:
            thread.deleteLater()
        if self._waiting is not None:
            self._start_waiting()
        elif self.state.busy:
            words = f"stopped after epoch {self.state.epoch + 1}; saved, and Resume goes on"
            self._become(
                replace(self.state, activity=Activity.STOPPED, message=words, asked="", waiting=())
            )
        self._find_resumable()
        self.rested.emit()

    def _find_resumable(self) -> None:
        """Whether the run that ended can be gone on with."""
        if self.state.run and not self.state.busy:
            left = "" if self.state.activity is Activity.DONE else self.state.run
            self._become(replace(self.state, resumable=left))

    @Slot()
    def _listen(self) -> None:
        quiet = time.monotonic() - self._heard_at > _SILENT_AFTER_S
        waiting = self.state.activity in (Activity.STARTING, Activity.RUNNING, Activity.STOPPING)
        told = "" if time.monotonic() - self._told_at > _TOLD_FOR_S else self.state.told
        self._become(replace(self._timed(self.state), silent=quiet and waiting, told=told))

    def _become(self, state: TrainingState) -> None:
        if state != self.state:
            self.state = state
            self.became.emit(state)


def leave(*, run: Path, wish: Wish) -> None:
    """Leave it in the folder of the run. Raises ProjectError (see `core.steering`)."""
    leave_wish(run, wish)


_LISTENING: Final = frozenset({Activity.RUNNING, Activity.PAUSED})


class RunSteering(QObject):
    """Hands wishes to the thread of this window, or leaves them in the folder of the run."""

    def __init__(self, store: Store, tasks: TaskRunner, training: TrainingController) -> None:
        super().__init__(store)
        self._store, self._tasks, self._training = store, tasks, training

    @Slot()
    def pause_or_go_on(self) -> None:
        """Hold the run between two steps, or let it go on."""
        state = self._training.state
        if not state.in_other_process:
            self._training.pause_or_go_on()
        elif state.activity is Activity.PAUSED:
            self._ask(GoOn(), GO_ON)
        else:
            self._ask(Pause(), PAUSE)

    @Slot()
    def stop(self) -> None:
        """Let the step at hand end, save and stop."""
        if self._training.state.in_other_process and self._training.state.busy:
            self._ask(Stop(), STOP)
        else:
            self._training.stop()

    @Slot()
    def snapshot(self) -> None:
        """A checkpoint now."""
        self._ask(Snapshot(), SNAPSHOT)

    @Slot()
    def skip_to_round(self) -> None:
        """End the epoch here, and begin the next with a new round."""
        self._ask(NextRound(), "begin the next round")

    @Slot(float)
    def set_learning_rate(self, rate: float) -> None:
        """Another learning rate from the next epoch on."""
        self._ask(LearningRate(rate=rate), f"learn at {rate:g}")

    @Slot(int)
    def set_refresh(self, epochs: int) -> None:
        """So many epochs between two rounds from the next epoch on."""
        self._ask(
            RefreshEvery(epochs=epochs),
            "make a round every " + ("epoch" if epochs == 1 else f"{epochs} epochs"),
        )

    def _ask(self, wish: Wish, words: str) -> None:
        state = self._training.state
        if not (state.in_other_process and state.busy) and state.activity not in _LISTENING:
            told = "No run is at work that could hear this; start one (Ctrl+T)."
            self._store.notice(Notice(text=told, tone="warn"))
            return
        self._training.ask(words)
        if state.in_other_process and self._store.project is not None:
            # The run answers in its own time, by an event.
            job = plain(leave, run=self._store.project.runs_folder / state.run, wish=wish)
            self._tasks.start(job, on_refused=self._not_left, how=How(lasting=True))
        else:
            self._training.wish(wish)

    def _not_left(self, message: str) -> None:
        self._training.ask("")
        self._store.complain(message)
