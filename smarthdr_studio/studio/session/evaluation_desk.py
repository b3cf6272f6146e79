"""Measures a checkpoint of the chosen run scene by scene, and shows what was measured before."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.project import Project
from smarthdr_studio.studio.session.crew import Crew
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.state import (
    SPLITS,
    WHICH,
    EvaluationFigures,
    EvaluationState,
    Notice,
    Split,
    Which,
)
from smarthdr_studio.studio.threads.evaluations import find_figures, measure_figures, put_figures
from smarthdr_studio.studio.threads.handover import Written
from smarthdr_studio.studio.threads.task import Job, Task


class EvaluationDesk(QObject):
    """One question at a time; a newer one takes the place of an older."""

    ended = Signal()

    def __init__(self, keeper: Keeper, crew: Crew) -> None:
        super().__init__(keeper)
        self._keeper, self._crew = keeper, crew
        self._project: Project | None = None
        self._task: Task | None = None
        self._next: Job | None = None

    def serve(self, project: Project | None) -> None:
        """Work for another project, or for none."""
        self.cancel()
        self._project = project

    @Slot(str)
    def look_at(self, run: str) -> None:
        """Show what is known of a run; "" of none."""
        if self._project is not None and (run != self._state.run or self._state.figures is None):
            self._ask(replace(self._state, run=run))

    @Slot(str)
    def choose_checkpoint(self, word: str) -> None:
        """The best checkpoint, or the last."""
        which: Which = next((each for each in WHICH if each == word), "best")
        self._ask(replace(self._state, which=which))

    @Slot(str)
    def choose_split(self, word: str) -> None:
        """Which scenes it is held against."""
        split: Split = next((each for each in SPLITS if each == word), "test")
        self._ask(replace(self._state, split=split))

    @Slot()
    def measure(self) -> None:
        """Measure every scene, also those that were measured before."""
        state = self._state
        if self._project is None or not state.run or state.at_work:
            return
        again = state.figures is not None
        self._become(replace(state, at_work=True, words="Measuring …"))
        self._start(self._job(measure_figures, again=again), told=True)

    @Slot()
    def cancel(self) -> None:
        """Give up what is being measured."""
        self._next = None
        if self._task is not None:
            self._task.requestInterruption()

    @Slot(object)
    def write_table(self, path: Path) -> None:
        """The figures as CSV."""
        if self._state.figures is not None:
            job = partial(put_figures, figures=self._state.figures, path=path)
            self._crew.start(job, answered=self._written, refused=self._keeper.complain)

    @property
    def _state(self) -> EvaluationState:
        return self._keeper.state.evaluation

    def _ask(self, wanted: EvaluationState) -> None:
        """Look up what is kept of this choice."""
        words = "" if wanted.run else "Choose one run in the list above."
        self._become(replace(wanted, figures=None, at_work=False, words=words))
        self.cancel()
        if wanted.run:
            self._start(self._job(find_figures), told=False)

    def _job(self, what: Callable[..., object], **how: object) -> Job:
        assert self._project is not None
        state = self._state
        asked = {"run": state.run, "which": state.which, "split": state.split}
        return partial(what, project=self._project.folder, **asked, **how)

    def _start(self, job: Job, *, told: bool) -> None:
        if self._task is not None:
            self._next = job
            return
        self._task = self._crew.start(
            job, answered=self._answered, refused=self._refused, told=told
        )
        self._task.given_up.connect(self._gave_up)

    @Slot(object)
    def _answered(self, found: EvaluationFigures | str) -> None:
        if self._over():
            return
        if isinstance(found, str):
            self._become(replace(self._state, figures=None, words=found, at_work=False))
        else:
            self._become(replace(self._state, figures=found, words="", at_work=False))
            if found.problems:
                first, *others = found.problems
                self._keeper.notice(Notice(text=first, tone="warn", details=tuple(others)))

    @Slot(str)
    def _refused(self, message: str) -> None:
        if not self._over():
            self._become(replace(self._state, words=message, at_work=False))

    @Slot()
    def _gave_up(self) -> None:
        if not self._over():
            self._become(replace(self._state, at_work=False, words="Not measured."))

    def _over(self) -> bool:
        """The task has ended; whether a newer question is asked instead."""
        self._task = None
        self.ended.emit()
        following, self._next = self._next, None
        if following is not None:
            self._start(following, told=False)
        return following is not None

    @Slot(object)
    def _written(self, written: Written) -> None:
        self._keeper.notice(Notice(text=written.words, opens=written.path))

    def _become(self, state: EvaluationState) -> None:
        self._keeper.become(evaluation=state)
