"""Knows the runs of a project while somebody looks, whoever started them, and which are chosen."""

from dataclasses import replace
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, QTimer, Slot

from smarthdr_studio.studio.session.curating import Curating
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.runs_back import RunsBack
from smarthdr_studio.studio.session.runs_names import titles_of
from smarthdr_studio.studio.session.runs_telling import RunsTelling
from smarthdr_studio.studio.session.runs_trash import RunsTrash
from smarthdr_studio.studio.state import MOST_COMPARED, RunsState
from smarthdr_studio.studio.tasks import How, Job, Priority, RepeatedTask, TaskRunner, plain
from smarthdr_studio.studio.threads.runs import RunsSeen, look_at_runs
from smarthdr_studio.studio.threads.runs_notes import keep_note

_LOOK_EVERY_MS: Final = 700  # costs a few questions to the disk for each run
_UNASKED: Final = How(priority=Priority.BACKGROUND)


class RunsDesk(QObject):
    """Looks more than once a second; what is told of the chosen runs is `telling`'s."""

    def __init__(self, keeper: Keeper, tasks: TaskRunner, curating: Curating) -> None:
        super().__init__(keeper)
        self._keeper, self._tasks = keeper, tasks
        self._seen, self._watched = RunsSeen(), False
        self._looking = RepeatedTask(tasks, self._question, self._looked, how=_UNASKED)
        self._clock = QTimer(self, interval=_LOOK_EVERY_MS)
        self._clock.timeout.connect(self.look)
        self.telling = RunsTelling(keeper, tasks)
        self.trash = RunsTrash(keeper, tasks)
        self.back = RunsBack(keeper, tasks, curating)
        self.trash.changed.connect(self.look)
        keeper.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        self._seen = RunsSeen()
        self._keeper.become(runs=RunsState())
        if self._keeper.project is None:
            self._clock.stop()
        elif self._watched:
            self._clock.start()
            self.look()

    def rest(self) -> None:
        """Look no more."""
        self._clock.stop()

    @Slot(bool)
    def watch(self, seen: object) -> None:
        """Whether anybody looks at the runs."""
        self._watched = bool(seen)
        self.telling.watch(seen)
        if self._watched and self._keeper.project is not None:
            self._clock.start()
            self.look()
        else:
            self._clock.stop()

    @Slot()
    def look(self) -> None:
        """See what is new, now or when the look under way is over."""
        if self._keeper.project is not None and self._watched:
            self._looking.ask()

    @Slot(object)
    def choose(self, runs: tuple[str, ...]) -> None:
        """Look at these runs: one, or several beside each other, at most six."""
        runs = runs[:MOST_COMPARED]
        if runs != self._state.chosen:
            self._become(chosen=runs, question="")
            self.telling.refresh()

    @Slot(str, str)
    def write_note(self, run: str, text: str) -> None:
        """Keep what was written about a run."""
        if self._keeper.project is not None:
            job = plain(keep_note, runs=self._keeper.project.runs_folder, run=run, text=text)
            self._tasks.start(job, lambda _kept: self.look(), how=How(lasting=True))

    @property
    def _state(self) -> RunsState:
        return self._keeper.state.runs

    def _question(self) -> Job[RunsSeen] | None:
        if self._keeper.project is None:
            return None
        return partial(look_at_runs, runs=self._keeper.project.runs_folder, known=self._seen)

    def _looked(self, seen: RunsSeen) -> None:
        new, self._seen = seen is not self._seen, seen
        if new or not self._state.looked:
            self._take(seen)

    def _take(self, seen: RunsSeen) -> None:
        """Show the runs; of those that are gone none stays chosen, and something always is."""
        there = {row.id for row in seen.rows}
        chosen = tuple(run for run in self._state.chosen if run in there)
        if not chosen and seen.rows:
            chosen = (seen.rows[0].id,)
        titles = titles_of(seen.rows)
        self._become(rows=seen.rows, titles=titles, chosen=chosen, looked=True)
        self.telling.refresh()

    def _become(self, **changes: object) -> None:
        self._keeper.become(runs=replace(self._state, **changes))  # type: ignore[arg-type]
