"""Knows the runs of a project while somebody looks, whoever started them, and which are chosen."""

from dataclasses import replace
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, QTimer, Slot

from smarthdr_studio.core.project import Project
from smarthdr_studio.studio.session.crew import Crew
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.runs_back import RunsBack
from smarthdr_studio.studio.session.runs_names import titles_of
from smarthdr_studio.studio.session.runs_telling import RunsTelling
from smarthdr_studio.studio.session.runs_trash import RunsTrash
from smarthdr_studio.studio.session.turns import Turns
from smarthdr_studio.studio.state import MOST_COMPARED, RunsState
from smarthdr_studio.studio.threads.runs import RunsSeen, look_at_runs
from smarthdr_studio.studio.threads.runs_notes import keep_note

_LOOK_EVERY_MS: Final = 700  # costs a few questions to the disk for each run


class RunsDesk(QObject):
    """Looks more than once a second; what is told of the chosen runs is `telling`'s."""

    def __init__(self, keeper: Keeper, crew: Crew) -> None:
        super().__init__(keeper)
        self._keeper, self._crew = keeper, crew
        self._project: Project | None = None
        self._seen, self._watched = RunsSeen(), False
        self._looking = Turns(self._look)
        self._clock = QTimer(self, interval=_LOOK_EVERY_MS)
        self._clock.timeout.connect(self.look)
        self.telling = RunsTelling(keeper, crew)
        self.trash = RunsTrash(keeper, crew)
        self.back = RunsBack(keeper, crew)
        self.trash.changed.connect(self.look)

    def serve(self, project: Project | None) -> None:
        """Work for another project, or for none."""
        self._project, self._seen = project, RunsSeen()
        self._looking.forget()
        self._keeper.become(runs=RunsState())
        for desk in (self.telling, self.trash, self.back):
            desk.serve(project)
        if project is None:
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
        if self._watched and self._project is not None:
            self._clock.start()
            self.look()
        else:
            self._clock.stop()

    @Slot()
    def look(self) -> None:
        """See what is new, now or when the look under way is over."""
        if self._project is not None and self._watched:
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
        if self._project is not None:
            job = partial(keep_note, runs=self._project.runs_folder, run=run, text=text)
            complain = self._keeper.complain
            self._crew.start(job, answered=self._kept, refused=complain, lasting=True)

    @property
    def _state(self) -> RunsState:
        return self._keeper.state.runs

    def _look(self) -> bool:
        if self._project is None:
            return False
        job = partial(look_at_runs, runs=self._project.runs_folder, known=self._seen)
        task = self._crew.start(job, answered=self._looked, refused=self._not_looked)
        task.given_up.connect(self._gave_up)
        return True

    @Slot(object)
    def _looked(self, seen: RunsSeen) -> None:
        if self._project is None or seen.folder != self._project.runs_folder:
            return  # of a project that was left
        new, self._seen = seen is not self._seen, seen
        if new or not self._state.looked:
            self._take(seen)
        self._looking.over()

    def _take(self, seen: RunsSeen) -> None:
        """Show the runs; of those that are gone none stays chosen, and something always is."""
        there = {row.id for row in seen.rows}
        chosen = tuple(run for run in self._state.chosen if run in there)
        if not chosen and seen.rows:
            chosen = (seen.rows[0].id,)
        titles = titles_of(seen.rows)
        self._become(rows=seen.rows, titles=titles, chosen=chosen, looked=True)
        self.telling.refresh()

    @Slot(str)
    def _not_looked(self, message: str) -> None:
        self._keeper.complain(message)
        self._looking.over()

    @Slot()
    def _gave_up(self) -> None:
        self._looking.over()

    @Slot(object)
    def _kept(self, _nothing: object) -> None:
        self.look()

    def _become(self, **changes: object) -> None:
        self._keeper.become(runs=replace(self._state, **changes))  # type: ignore[arg-type]
