"""Watches the runs of a project that other processes train, and knows how the last one ended."""

from dataclasses import replace
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, QTimer, Slot

from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.standing import after
from smarthdr_studio.studio.session.training_desk import TrainingDesk
from smarthdr_studio.studio.state import Activity, TrainingState
from smarthdr_studio.studio.tasks import How, LatestTask, Priority, TaskRunner
from smarthdr_studio.studio.threads.lookout import Lookout, Sighting

_LOOK_EVERY_MS: Final = 1000


class Elsewhere(QObject):
    """Looks once a second while no run of this window is at work; shows what it finds."""

    def __init__(self, keeper: Keeper, tasks: TaskRunner, training: TrainingDesk) -> None:
        super().__init__(keeper)
        self._keeper, self._training = keeper, training
        self._looking = LatestTask(tasks, how=How(priority=Priority.WATCHING))
        self._lookout: Lookout | None = None
        self._clock = QTimer(self, interval=_LOOK_EVERY_MS)
        self._clock.timeout.connect(self.look)
        keeper.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        project = self._keeper.project
        self._lookout = None if project is None else Lookout(project.folder)
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
            state = _at_work(replace(state, elsewhere=True))
        elif sighting.run:
            state = _over(replace(state, past=True, seconds_left=None, silent=False))
        self._training.show_other(state)
        if sighting.curves is not None:
            self._training.curves_read.emit(sighting.curves)

    def _say_how_it_is(self, sighting: Sighting) -> None:
        state = self._training.state
        if sighting.at_work:
            return
        if state.elsewhere:
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
