"""Tells of the chosen runs: facts and differences, their curves, and pictures of one scene."""

from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from smarthdr_studio.core.running.listing import RunRow
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.state import RunPicture, RunsState, RunsTold
from smarthdr_studio.studio.tasks import Job, RepeatedTask, TaskRunner, plain
from smarthdr_studio.studio.threads.run_curves import CurvesRead, read_run_curves
from smarthdr_studio.studio.threads.run_pictures import read_run_pictures
from smarthdr_studio.studio.threads.runs_told import tell_of_runs

CURVES, PICTURES = "curves", "pictures"

_LEAST_S: Final = 1.0
_MANY_STEPS: Final = 50_000  # whose curves take a moment to read
_REST: Final = 4.0  # times as long as reading took: a run may write faster than one wants to read


class RunsTelling(QObject):
    """Reads anew what has changed, but only what somebody looks at, and never all the time."""

    curves_came = Signal(object)  # {title: {name of the curve: (x, y)}}
    pictures_came = Signal(object)  # RunPicture of each, in their order

    def __init__(self, keeper: Keeper, tasks: TaskRunner) -> None:
        super().__init__(keeper)
        self._keeper = keeper
        self._seen, self._part = False, ""
        self._told_of: tuple[RunRow, ...] = ()
        self._read: CurvesRead | None = None
        self._charted_ids: tuple[str, ...] = ()  # of the runs whose curves are being read
        self._shown: object = None  # what the pictures on the screen answer
        self._begun = self._not_before = 0.0
        self._telling = RepeatedTask(tasks, self._to_tell, self._told, self._refused)
        self._charting = RepeatedTask(tasks, self._to_chart, self._charted, self._refused)
        self._looking = RepeatedTask(tasks, self._to_look, self.pictures_came.emit)
        self._later = QTimer(self, singleShot=True)
        self._later.timeout.connect(self.refresh)
        keeper.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        self._told_of, self._read, self._shown = (), None, None
        self._later.stop()

    @Slot(bool)
    def watch(self, seen: object) -> None:
        """Whether anybody looks at the runs."""
        self._seen = bool(seen)
        if self._seen:
            self.refresh()
        else:
            self._later.stop()

    @Slot(str)
    def turn_to(self, part: str) -> None:
        """What of the runs is looked at: curves and pictures are read for nobody else."""
        self._part = part
        self.refresh()

    @Slot(bool)
    def set_common(self, common: object) -> None:
        """Pictures after the same round of all, or after the last of each."""
        self._become(common=bool(common))
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Ask for what is new; of the same runs not more often than reading them is worth."""
        rows = self._rows
        if self._keeper.project is None or not self._seen or not rows:
            return
        stale = rows != self._told_of
        charts = self._part == CURVES and (self._read is None or rows != self._read.rows)
        if (stale or charts) and self._may_read(rows, charts=charts):
            if stale:
                self._told_of = rows
                self._telling.ask()
            if charts:
                self._drop_other_charts()
                self._charting.ask()
        if self._part == PICTURES and self._wanted != self._shown:
            self._looking.ask()

    def _may_read(self, rows: tuple[RunRow, ...], *, charts: bool) -> bool:
        """Other runs are read at once; the same ones again when it is time, which is seen to."""
        wait = self._not_before - monotonic()
        before = self._read.rows if charts and self._read is not None else self._told_of
        others = [row.id for row in rows] != [row.id for row in before]
        if others or wait <= 0 or (charts and self._read is None):
            return True
        if not self._later.isActive():
            self._later.start(int(1000 * wait) + 1)
        return False

    @property
    def _state(self) -> RunsState:
        return self._keeper.state.runs

    @property
    def _rows(self) -> tuple[RunRow, ...]:
        rows = (self._state.row(run) for run in self._state.chosen)
        return tuple(row for row in rows if row is not None)

    @property
    def _wanted(self) -> object:
        """What pictures are to be of: anything new of it, and they are read again."""
        state = self._keeper.state
        rounds = tuple((row.id, row.rounds) for row in self._rows)
        return rounds, state.current, state.display, state.runs.common

    def _to_tell(self) -> Job[RunsTold] | None:
        rows = self._rows
        if self._keeper.project is None or not rows:
            return None
        self._begun = monotonic()
        return plain(tell_of_runs, folder=self._keeper.project.folder, rows=rows)

    def _told(self, told: RunsTold) -> None:
        self._rest()
        if told.runs == self._state.chosen:
            self._become(told=told)

    def _refused(self, message: str) -> None:
        self._rest()
        self._become(work="")
        self._keeper.complain(message)

    def _rest(self) -> None:
        taken = monotonic() - self._begun
        self._not_before = monotonic() + max(_LEAST_S, _REST * taken)

    def _to_chart(self) -> Job[CurvesRead] | None:
        rows = self._rows
        if self._keeper.project is None or not rows or self._part != CURVES:
            return None
        self._begun = monotonic()
        self._charted_ids = tuple(row.id for row in rows)
        known = self._read.curves if self._read is not None else {}
        if sum(row.step for row in rows if row.id not in known) > _MANY_STEPS:
            self._become(work="reading curves …")
        return partial(read_run_curves, rows=rows, known=self._read)

    def _drop_other_charts(self) -> None:
        """Nobody waits for the curves of runs that are not chosen any more."""
        if self._charting.at_work and self._charted_ids != self._state.chosen:
            self._charting.cancel()
            self._become(work="")

    def _charted(self, read: CurvesRead) -> None:
        self._rest()
        self._read = read
        if tuple(row.id for row in read.rows) == self._state.chosen:
            titles = self._state.titles
            self.curves_came.emit(
                {titles.get(run, run): curves.series for run, curves in read.curves.items()}
            )
        self._become(work="")

    def _to_look(self) -> Job[tuple[RunPicture, ...]] | None:
        rows, state = self._rows, self._keeper.state
        if (
            self._keeper.project is None
            or not rows
            or state.current is None
            or self._part != PICTURES
        ):
            return None
        self._shown = self._wanted
        return partial(
            read_run_pictures,
            runs=tuple(row.folder for row in rows),
            scene=state.current,
            display=state.display,
            common=state.runs.common,
        )

    def _become(self, **changes: object) -> None:
        self._keeper.become(runs=replace(self._state, **changes))  # type: ignore[arg-type]
