"""Measures a checkpoint of the chosen run scene by scene, and shows what was measured before."""

import csv
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Slot

from smarthdr_studio.core.errors import ExportError, StudioError
from smarthdr_studio.core.files import replacing
from smarthdr_studio.core.training.events import PhaseChanged
from smarthdr_studio.core.training.run_folder import run_of
from smarthdr_studio.core.words import counted
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.runs.model_export import checkpoint_of
from smarthdr_studio.studio.state import (
    SPLITS,
    WHICH,
    EvaluationFigures,
    EvaluationState,
    Notice,
    SceneFigures,
    Split,
    Which,
    Written,
)
from smarthdr_studio.studio.tasks import How, Job, LatestTask, Repeating, Report, TaskRunner, plain

if TYPE_CHECKING:
    from smarthdr_studio.learning.evaluation import Evaluation, SceneEvaluation

_COLUMNS = tuple(SceneFigures.__dataclass_fields__)


def find_figures(*, project: Path, run: str, which: Which, split: Split) -> EvaluationFigures | str:
    """What a run keeps of a checkpoint, if nothing has changed since; or why there is nothing."""
    from smarthdr_studio.learning.evaluation import kept_figures

    try:
        checkpoint = checkpoint_of(run_of(project, run).path, which=which)
        found = kept_figures(project, checkpoint, split=split)
    except StudioError as error:
        return str(error)
    return "Not measured yet." if found is None else _figures(found, split)


def measure_figures(
    report: Report, *, project: Path, run: str, which: Which, split: Split, again: bool
) -> EvaluationFigures:
    """Measures every scene of a split; gives up between two tiles. Raises StudioError."""
    report("loading the teacher", 0, 0)
    from smarthdr_studio.learning.evaluation import evaluate

    checkpoint = checkpoint_of(run_of(project, run).path, which=which)
    say = Repeating(report)
    for event in evaluate(
        project,
        model=checkpoint,
        split=split,
        again=again,
        said=say.again,
    ):
        if isinstance(event, PhaseChanged):
            say(event.text, event.done, event.total)
        else:
            return _figures(event, split)
    raise ExportError(f"{checkpoint}: nothing was measured; measure again")


def put_figures(*, figures: EvaluationFigures, path: Path) -> Written:
    """The table as CSV, one line a scene. Raises ExportError."""
    try:
        with replacing(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(("scene", *_COLUMNS[1:]))
            for scene in figures.scenes:
                table.writerow([getattr(scene, name) for name in _COLUMNS])
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ExportError(
            f"{path}: cannot be written ({reason}); free some space or choose another place"
        ) from None
    return Written(
        words=f"The figures of {counted(len(figures.scenes), 'scene')} are in {path}", path=path
    )


def _figures(found: "Evaluation", split: Split) -> EvaluationFigures:
    return EvaluationFigures(
        run=found.run,
        step=found.step,
        split=split,
        scenes=tuple(map(_scene, found.scenes)),
        problems=found.problems,
    )


def _scene(found: "SceneEvaluation") -> SceneFigures:
    ours, merge = found.teacher, found.merge
    return SceneFigures(
        id=found.id,
        psnr_mu=ours.psnr_mu,
        psnr_l=ours.psnr_l,
        ssim_mu=ours.ssim_mu,
        ssim_l=ours.ssim_l,
        merge_psnr_mu=merge.psnr_mu,
        merge_psnr_l=merge.psnr_l,
        merge_ssim_mu=merge.ssim_mu,
        merge_ssim_l=merge.ssim_l,
        ause=found.reliability.ause,
        spearman=found.reliability.spearman,
        psnr_pu=found.psnr_pu,
        **{name: part.psnr_mu for name, part in found.parts.items()},
    )


class EvaluationController(QObject):
    """One question at a time; a newer one takes the place of an older."""

    def __init__(self, store: Store, tasks: TaskRunner) -> None:
        super().__init__(store)
        self._store, self._tasks = store, tasks
        self._asking = LatestTask(tasks, how=How(shown=True))

    @Slot(str)
    def look_at(self, run: str) -> None:
        """Show what is known of a run; "" of none."""
        if self._store.project is not None and (
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
        if self._store.project is None or not state.run or state.at_work:
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
        if self._state.figures is not None and self._store.may_write(path):
            job = plain(put_figures, figures=self._state.figures, path=path)
            self._tasks.start(job, self._written)

    @property
    def _state(self) -> EvaluationState:
        return self._store.state.evaluation

    def _ask(self, wanted: EvaluationState) -> None:
        """Look up what is kept of this choice."""
        words = "" if wanted.run else "Choose one run in the list above."
        self._become(replace(wanted, figures=None, at_work=False, words=words))
        self._asking.cancel()
        if wanted.run:
            self._start(plain(find_figures, **self._asked))

    @property
    def _asked(self) -> dict[str, Any]:
        assert self._store.project is not None
        state, folder = self._state, self._store.project.folder
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
                self._store.notice(Notice(text=first, tone="warn", details=tuple(others)))

    def _refused(self, message: str) -> None:
        self._become(replace(self._state, words=message, at_work=False))

    def _written(self, written: Written) -> None:
        self._store.notice(Notice(text=written.words, opens=written.path))

    def _become(self, state: EvaluationState) -> None:
        self._store.become(evaluation=state)
