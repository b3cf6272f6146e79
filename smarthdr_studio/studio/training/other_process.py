"""Watches the runs of a project that other processes train, and knows how the last one ended."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QTimer, Slot

from smarthdr_studio.core.training.events import PhaseChanged, StepReported, TrainingEvent
from smarthdr_studio.core.training.run_folder import RunFolder, runs_in
from smarthdr_studio.core.training.run_lock import is_at_work
from smarthdr_studio.core.training.run_log import RunCurves, RunTail, rare_events, read_curves
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import Activity, TrainingState
from smarthdr_studio.studio.state.training import after
from smarthdr_studio.studio.tasks import How, LatestTask, Priority, Report, TaskRunner
from smarthdr_studio.studio.training.controller import TrainingController

_LATEST: Final = 2**16  # bytes of the log in which the newest step is looked for


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sighting:
    """What a look found: `events` are those since the last look.

    The first of a run come with its `curves`, and are all but the steps those are made of. Without
    a `run` there is none.
    """

    run: str = ""
    at_work: bool = False
    events: tuple[TrainingEvent, ...] = ()
    curves: RunCurves | None = None


class RunMonitor:
    """Looks at the runs of one project; asked by one thread at a time."""

    def __init__(self, project: Path) -> None:
        self._runs = project / "runs"
        self._tail: RunTail | None = None
        self._last = Sighting()

    def look(self, report: Report, *, known: str) -> Sighting | None:
        """What is new; None where nothing is. Of the run `known` only what comes from now on."""
        names = self._names()
        run = next((name for name in names if self._is_at_work(name)), "")
        at_work = bool(run)
        run = run or (known if known in names else next(iter(names), ""))
        if run != known or (at_work and self._tail is None):
            return self._first(report, run, at_work=at_work)
        if not at_work and not self._last.at_work:
            return None
        # Once more after it ended: the last words come before the lock is dropped.
        events = tuple(each.event for each in self._tail.read()) if self._tail else ()
        was, self._last = self._last, Sighting(run=run, at_work=at_work, events=events)
        if not at_work:
            self._tail = None
        return self._last if events or was.at_work != at_work else None

    def _first(self, report: Report, run: str, *, at_work: bool) -> Sighting:
        self._last = Sighting(run=run, at_work=at_work)
        self._tail = None
        if not run:
            return self._last
        folder = RunFolder(self._runs / run)
        curves = read_curves(folder, tell=lambda done, total: report("", done, total))
        self._tail = RunTail(folder, start=curves.read_to) if at_work else None
        events = tuple(_worth_telling(folder, until=curves.read_to))
        return Sighting(run=run, at_work=at_work, events=events, curves=curves)

    def _names(self) -> list[str]:
        return [run.id for run in runs_in(self._runs)]

    def _is_at_work(self, run: str) -> bool:
        # A run lets go of a file it has emptied: most need no more than this look.
        path = self._runs / run
        try:
            return (path / "at-work.json").stat().st_size > 0 and is_at_work(path)
        except OSError:
            return False


def _worth_telling(folder: RunFolder, *, until: int) -> Iterator[TrainingEvent]:
    """All rare events, with the newest step and the newest phase where they belong."""
    start = max(0, until - _LATEST)
    newest = {
        type(each.event): each
        for each in RunTail(folder, start=start).read()
        if isinstance(each.event, StepReported | PhaseChanged)
    }
    every = (*rare_events(folder), *newest.values())
    return (each.event for each in sorted(every, key=lambda each: each.time))


_LOOK_EVERY_MS: Final = 1000


class OtherProcess(QObject):
    """Looks once a second while no run of this window is at work; shows what it finds."""

    def __init__(self, store: Store, tasks: TaskRunner, training: TrainingController) -> None:
        super().__init__(store)
        self._store, self._training = store, training
        self._looking = LatestTask(tasks, how=How(priority=Priority.WATCHING))
        self._lookout: RunMonitor | None = None
        self._clock = QTimer(self, interval=_LOOK_EVERY_MS)
        self._clock.timeout.connect(self.look)
        store.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        project = self._store.project
        self._lookout = None if project is None else RunMonitor(project.folder)
        if project is None:
            self._clock.stop()
        else:
            self._clock.start()
            self.look()

    def rest(self) -> None:
        """Look no more."""
        self._clock.stop()
        self._looking.cancel()
        self._lookout = None

    @Slot()
    def look(self) -> None:
        """Look now, unless somebody is looking or a run of this window is at work."""
        if self._lookout is None or self._looking.at_work or self._training.is_ours:
            return
        job = partial(self._lookout.look, known=self._training.state.run)
        self._looking.start(job, self._seen, _not_seen)

    def _seen(self, sighting: Sighting | None) -> None:
        if sighting is None or self._training.is_ours:
            return
        if sighting.curves is not None or not sighting.run:
            self._show(sighting)
        elif sighting.run == self._training.state.run:
            if sighting.events:
                self._training.take(sighting.events)
            self._say_how_it_is(sighting)

    def _show(self, sighting: Sighting) -> None:
        """Another run than before: how it stands, and its curves."""
        state = TrainingState(run=sighting.run)
        for event in sighting.events:
            state = after(state, event)
        if sighting.at_work:
            state = _at_work(replace(state, in_other_process=True))
        elif sighting.run:
            state = _over(replace(state, past=True, seconds_left=None, silent=False))
        self._training.show_other(state)
        if sighting.curves is not None:
            self._training.curves_read.emit(sighting.curves)

    def _say_how_it_is(self, sighting: Sighting) -> None:
        state = self._training.state
        if sighting.at_work:
            return
        if state.in_other_process:
            self._training.end_other(_over(replace(state, asked="")))


def _not_seen(_message: str) -> None:
    """The disk does not answer; what is on the screen stays, and the next look may tell more."""


def _at_work(state: TrainingState) -> TrainingState:
    """A run that somebody trains is not over, although it may have ended before."""
    if state.busy:
        return state
    return replace(state, activity=Activity.STARTING, message="")


def _over(state: TrainingState) -> TrainingState:
    """A run that nobody trains: one without a last word was interrupted."""
    if state.busy or state.activity is Activity.IDLE:
        state = replace(state, activity=Activity.INTERRUPTED)
    left = state.run if state.activity is not Activity.DONE else ""
    return replace(state, resumable=left, seconds_left=None, waiting=())
