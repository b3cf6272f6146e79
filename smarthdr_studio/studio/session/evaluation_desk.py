"""Measures a checkpoint of the chosen run scene by scene, and shows what was measured before."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Slot

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
from smarthdr_studio.studio.tasks import How, Job, LatestTask, TaskRunner, plain
from smarthdr_studio.studio.threads.evaluations import find_figures, measure_figures, put_figures
from smarthdr_studio.studio.threads.handover import Written


class EvaluationDesk(QObject):
    """One question at a time; a newer one takes the place of an older."""

    def __init__(self, keeper: Keeper, tasks: TaskRunner) -> None:
        super().__init__(keeper)
        self._keeper, self._tasks = keeper, tasks
        self._asking = LatestTask(tasks, how=How(shown=True))

    @Slot(str)
    def look_at(self, run: str) -> None:
        """Show what is known of a run; "" of none."""
        if self._keeper.project is not None and (
            run != self._state.run or self._state.figures is None
        ):
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
        if self._keeper.project is None or not state.run or state.at_work:
            return
        again = state.figures is not None
        self._become(replace(state, at_work=True, words="Measuring …"))
        self._start(partial(measure_figures, again=again, **self._asked))

    @Slot()
    def cancel(self) -> None:
        """Give up what is being measured."""
        if self._state.at_work:
            self._become(replace(self._state, at_work=False, words="Not measured."))
        self._asking.cancel()

    @Slot(object)
    def write_table(self, path: Path) -> None:
        """The figures as CSV."""
        if self._state.figures is not None:
            job = plain(put_figures, figures=self._state.figures, path=path)
            self._tasks.start(job, self._written)

    @property
    def _state(self) -> EvaluationState:
        return self._keeper.state.evaluation

    def _ask(self, wanted: EvaluationState) -> None:
        """Look up what is kept of this choice."""
        words = "" if wanted.run else "Choose one run in the list above."
        self._become(replace(wanted, figures=None, at_work=False, words=words))
        self._asking.cancel()
        if wanted.run:
            self._start(plain(find_figures, **self._asked))

    @property
    def _asked(self) -> dict[str, Any]:
        assert self._keeper.project is not None
        state, folder = self._state, self._keeper.project.folder
        return {"project": folder, "run": state.run, "which": state.which, "split": state.split}

    def _start(self, job: Job[EvaluationFigures] | Job[EvaluationFigures | str]) -> None:
        self._asking.start(job, self._answered, self._refused)

    def _answered(self, found: EvaluationFigures | str) -> None:
        if isinstance(found, str):
            self._become(replace(self._state, figures=None, words=found, at_work=False))
        else:
            self._become(replace(self._state, figures=found, words="", at_work=False))
            if found.problems:
                first, *others = found.problems
                self._keeper.notice(Notice(text=first, tone="warn", details=tuple(others)))

    def _refused(self, message: str) -> None:
        self._become(replace(self._state, words=message, at_work=False))

    def _written(self, written: Written) -> None:
        self._keeper.notice(Notice(text=written.words, opens=written.path))

    def _become(self, state: EvaluationState) -> None:
        self._keeper.become(evaluation=state)
