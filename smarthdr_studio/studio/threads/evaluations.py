"""Measuring a checkpoint scene by scene, finding what was measured before, and writing tables."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from smarthdr_studio.core.errors import ExportError, StudioError
from smarthdr_studio.core.events import PhaseChanged
from smarthdr_studio.core.files import replacing
from smarthdr_studio.studio.state import EvaluationFigures, SceneFigures, Split, Which
from smarthdr_studio.studio.tasks import Report
from smarthdr_studio.studio.threads.handover import Written
from smarthdr_studio.studio.threads.model_export import checkpoint_of

if TYPE_CHECKING:
    from smarthdr_studio.learning.kept_evaluations import Evaluation, SceneEvaluation

_COLUMNS = tuple(SceneFigures.__dataclass_fields__)


def find_figures(*, project: Path, run: str, which: Which, split: Split) -> EvaluationFigures | str:
    """What a run keeps of a checkpoint, if nothing has changed since; or why there is nothing."""
    from smarthdr_studio.learning.evaluation import kept_figures

    try:
        checkpoint = checkpoint_of(project / "runs" / run, which=which)
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

    checkpoint = checkpoint_of(project / "runs" / run, which=which)
    say = _Repeating(report)
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
    return Written(words=f"The figures of {len(figures.scenes)} scenes are in {path}", path=path)


class _Repeating:
    """Says the last words again between two tiles: that is where a job can be given up."""

    def __init__(self, report: Report) -> None:
        self._report, self._last = report, ("", 0, 0)

    def __call__(self, text: str, done: int, total: int) -> None:
        self._last = text, done, total
        self._report(*self._last)

    def again(self, _done: int, _total: int) -> None:
        self._report(*self._last)


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
    )
