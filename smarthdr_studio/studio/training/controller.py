"""The run of this window: starts and stops it on its own thread, and keeps how a run stands."""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from PySide6.QtCore import QObject, QThread, QTimer, Signal, Slot

from smarthdr_studio.core.environment import give_way
from smarthdr_studio.core.errors import Remedy, StudioError
from smarthdr_studio.core.training.events import (
    RoundFinished,
    RunFinished,
    StepReported,
    TrainingEvent,
    Validated,
)
from smarthdr_studio.core.training.run_folder import best_of, run_of
from smarthdr_studio.core.training.steering import GoOn, Pause, Wish, Wishes
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import Activity, Asks, Notice, Offer, TrainingState
from smarthdr_studio.studio.state.chart_names import points
from smarthdr_studio.studio.state.training import BUSY_ACTIVITIES, GO_ON, PAUSE, after
from smarthdr_studio.studio.tasks import TaskRunner, plain
from smarthdr_studio.studio.training.plan import Devices, PlanController, find_devices, load_preset

if TYPE_CHECKING:
    from smarthdr_studio.core.training.plan import TrainingPlan

# Alive to the eye; what is drawn anew takes its part of a core from the steps.
_SECONDS_BETWEEN_STEP_REPORTS: Final = 0.8
_NICER_BY: Final = 6  # than the window; what a person waits for lies between


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
        give_way(by=_NICER_BY)
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
            self.failed.emit(_in_words(error), _remedies_of(error))
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


_Wish = tuple[str, Mapping[str, Any], str | None]  # preset, changes, the run to go on with


def _remedies_of(error: Exception) -> tuple[Remedy, ...]:
    return error.remedies if isinstance(error, StudioError) else ()


def _give_memory_back() -> None:
    """A device's memory belongs to other programs again once a run is over."""
    from smarthdr_studio.learning.compute import release_memory

    release_memory()


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
_MOST_REMEDIES: Final = 3
_NEXT: Final[tuple[tuple[str, str, Asks], ...]] = (
    ("Evaluate", "How good each scene came out", "evaluate"),
    ("Review", "The queue: the safest pseudo-labels first", "review"),
    ("Export…", "The model, student or teacher, as a file", "export"),
)


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
    rested = Signal()

    def __init__(self, store: Store, tasks: TaskRunner, plans: PlanController) -> None:
        super().__init__(store)
        self.state = TrainingState()
        self._store, self._tasks, self._plans = store, tasks, plans
        self._remedies: tuple[Remedy, ...] = ()  # what one click can do about a run that failed
        self._wish: _Wish | None = None  # what was to begin last
        self._slept = ""  # the run that was stopped because the computer went to sleep
        self._thread: TrainingThread | None = None
        self._waiting: Callable[[], TrainingThread] | None = None
        self._devices_asked, self._devices_known = False, False
        self._heard_at, self._told_at, self._eta = 0.0, 0.0, Eta()
        self._watch = QTimer(self, interval=1000)
        self._watch.timeout.connect(self._listen)
        store.switched.connect(self.forget)

    @property
    def at_rest(self) -> bool:
        """Whether no training thread is at work."""
        return self._thread is None

    @property
    def is_ours(self) -> bool:
        """Whether a run of this window is at work or about to begin."""
        return self._thread is not None or self._waiting is not None

    def train(self, *, preset: str, device: str) -> None:
        """Start a run by a preset, or by the plan in the editor (EDITED)."""
        if self._store.project is not None:
            self._forget_fault()
            name, changes = self._plans.wish_for(preset, device=device)
            self._begin(self._store.project.folder, name, changes, resume=None)

    def resume(
        self,
        run: str | None = None,
        *,
        device: str | None = None,
        changes: Mapping[str, Any] | None = None,
    ) -> None:
        """Go on with a run, or the last one, with changes of its plan by dotted key.

        Without a device it goes on where its plan says.
        """
        name = run or self.state.resumable
        if self._store.project is None or not name:
            return
        self._forget_fault()
        folder = self._store.project.folder
        wishes = {**(changes or {}), **({"device": device} if device else {})}
        self._begin(folder, str(run_of(folder, name).plan_path), wishes, resume=name)

    def try_again(self, *, changes: Mapping[str, Any]) -> None:
        """Begin what could not begin, with changes of its plan by dotted key."""
        if self._store.project is not None and self._wish is not None:
            self._forget_fault()
            preset, before, resume = self._wish
            folder = self._store.project.folder
            self._begin(folder, preset, {**before, **changes}, resume=resume)

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
        before, self._wish = self.state, (preset, changes, resume)
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
            self._become(
                replace(
                    self.state,
                    run=resume,
                    round=before.round,
                    epoch=before.epoch,
                    total_epochs=before.total_epochs,
                    checks=before.checks,
                    validating=before.validating,
                )
            )
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

    @Slot()
    def stop_for_sleep(self) -> None:
        """The computer goes to sleep: the run of this window is stopped and kept."""
        if self.is_ours:
            self._slept = self.state.run
            self.stop()

    @Slot()
    def has_woken(self) -> None:
        """Say that a run was stopped meanwhile, and offer to go on."""
        run, self._slept = self._slept, ""
        if run:
            go_on = Offer(text="Resume", tip="Go on where it stopped", asks="resume", about=run)
            words = f"{run} was stopped because the computer went to sleep; Resume goes on."
            self._store.notice(Notice(text=words, tone="warn", offers=(go_on,)))

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
        self._remedies = remedies or self._remedies
        self._become(replace(self.state, activity=Activity.FAILED, message=message, asked=""))

    @Slot(object)
    def take(self, events: tuple[TrainingEvent, ...]) -> None:
        """What the run has said since the last time."""
        self._heard_at = time.monotonic()
        state = self.state
        for event in events:
            state = after(state, event)
            if isinstance(event, RunFinished) and event.remedies:
                self._remedies = event.remedies
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
            words = f"stopped at step {self.state.step}; saved, and Resume goes on"
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
        if state == self.state:
            return
        self.state, before = state, self._store.state.training.activity
        self._store.become(training=state)
        # One line of the panel may be too short for the reason and the remedy.
        if state.activity is Activity.FAILED and not state.past and before is not Activity.FAILED:
            self._tell_failure()
        done = state.activity is Activity.DONE and not state.past
        if done and before in BUSY_ACTIVITIES and state.run:
            self._tell_what_next()
        self.became.emit(state)

    def _tell_what_next(self) -> None:
        """A run came to its end: what is done with it next, each one click away."""
        best = best_of(self.state.checks)
        told = f", best {best.psnr_mu:.1f} dB at epoch {best.epoch + 1}" if best is not None else ""
        offers = tuple(
            Offer(text=text, tip=tip, asks=asks, about=self.state.run) for text, tip, asks in _NEXT
        )
        self._store.notice(Notice(text=f"Trained{told}. What next?", offers=offers))

    def _tell_failure(self) -> None:
        begun = bool(self.state.run)
        offers = tuple(
            Offer(
                text=remedy.text,
                tip="Go on from the last step with this change of the plan"
                if begun
                else "Begin with this change of the plan",
                asks="resume" if begun else "try_again",
                about=self.state.run,
                changes=remedy.changes,
            )
            for remedy in self._remedies[:_MOST_REMEDIES]
        )
        self._store.notice(Notice(text=self.state.message, tone="bad", offers=offers))

    def _forget_fault(self) -> None:
        """Another run begins: what was told about the last one is over."""
        self._remedies = ()
        notice = self._store.state.notice
        if notice is not None and notice.offers:
            self._store.notice(None)
