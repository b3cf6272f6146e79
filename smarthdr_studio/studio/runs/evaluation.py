"""How good a checkpoint of the chosen run is, scene by scene: measured, kept, and as a table."""

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, ClassVar, Final

from PySide6.QtCore import QModelIndex, QObject, Qt, Signal, Slot
from PySide6.QtGui import QFont, QFontMetrics, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

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
    StudioState,
    Which,
    Written,
)
from smarthdr_studio.studio.tasks import How, Job, LatestTask, Repeating, Report, TaskRunner, plain
from smarthdr_studio.studio.widgets.controls import Choice, ElidedLabel, button, caption, rename
from smarthdr_studio.studio.widgets.tables import RIGHT, Column, SortedTable

if TYPE_CHECKING:
    from smarthdr_studio.learning.evaluation import Evaluation, SceneEvaluation

_FIELDS = tuple(SceneFigures.__dataclass_fields__)


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
            table.writerow(("scene", *_FIELDS[1:]))
            for scene in figures.scenes:
                table.writerow([getattr(scene, name) for name in _FIELDS])
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
        self._wanted = ""  # the run that is to be measured where nothing is known of it

    @Slot(str)
    def look_at(self, run: str) -> None:
        """Show what is known of a run; "" of none. What is being measured goes on."""
        state = self._state
        known = run == state.run and (state.at_work or state.figures is not None)
        if self._store.project is not None and not known:
            self._wanted = self._wanted if run == self._wanted else ""
            self._ask(replace(state, run=run))

    def measure_unless_known(self, run: str) -> None:
        """Show what is known of a run, and measure it where nothing is."""
        self._wanted = run
        self.look_at(run)

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
        wanted, self._wanted = self._wanted, ""
        if isinstance(found, str):
            unknown = replace(self._state, figures=None, words=found, at_work=False)
            self._become(unknown)
            if wanted and wanted == unknown.run:
                self.measure()
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


SCENE: Final = "Scene"
MEAN: Final = "mean"
_OF_SOME: Final = ("psnr_pu", "saturated", "moving", "static")
_SORTS: Final = "; a click here sorts"
_BETTER: Final = {
    "psnr_mu": "How many dB of PSNR-μ it is better than the exposure-weighted merge",
    "psnr_l": "How many dB of PSNR-l it is better than the exposure-weighted merge",
    "ssim_mu": "How much SSIM-μ is better than that of the exposure-weighted merge",
    "ssim_l": "How much SSIM-l is better than that of the exposure-weighted merge",
}


def mean_of(rows: Sequence[SceneFigures]) -> SceneFigures:
    """The mean over scenes of every figure; of the last four over those scenes that have it."""
    names = [each.name for each in fields(SceneFigures) if each.name != "id"]
    columns = {name: [float(getattr(row, name)) for row in rows] for name in names}
    for name in _OF_SOME:
        columns[name] = [value for value in columns[name] if not math.isnan(value)]
    means = {name: fmean(values) if values else math.nan for name, values in columns.items()}
    return SceneFigures(id=MEAN, **means)


def _figure(
    title: str, name: str, tip: str, *, form: str, more_is_better: bool = True
) -> Column[SceneFigures]:
    """A figure as it is; the first click sorts the worst first."""

    def value(row: SceneFigures) -> float:
        return float(getattr(row, name))

    return _number(title, tip, value, form=form, largest_first=not more_is_better)


def _difference(name: str, *, form: str) -> Column[SceneFigures]:
    """How much better than the plain merge; what is worse has a colour as well as its sign."""

    def value(row: SceneFigures) -> float:
        return float(getattr(row, name) - getattr(row, f"merge_{name}"))

    return _number(
        "− merge", _BETTER[name], value, form=form, tone=lambda row: "bad" if value(row) < 0 else ""
    )


def _number(
    title: str,
    tip: str,
    value: Callable[[SceneFigures], float],
    *,
    form: str,
    largest_first: bool = False,
    tone: Callable[[SceneFigures], str] | None = None,
) -> Column[SceneFigures]:
    """A number printed by `form`, a dash where it is none."""

    def key(row: SceneFigures) -> float | None:
        found = value(row)
        return found if math.isfinite(found) else None

    def text(row: SceneFigures) -> str:
        found = key(row)
        return "–" if found is None else form.format(found).replace("-", "−")

    return Column(
        title=title,
        tip=tip + _SORTS,
        text=text,
        key=key,
        side=RIGHT,
        largest_first=largest_first,
        tone=tone,
        font=_bold_mean,
    )


def _bold_mean(row: SceneFigures) -> QFont | None:
    """Only for the mean."""
    if row.id != MEAN:
        return None
    font = QFont()
    font.setBold(True)
    return font


COLUMNS: Final[tuple[Column[SceneFigures], ...]] = (
    Column(
        title=SCENE,
        tip="A click on a line shows the scene" + _SORTS,
        text=lambda row: row.id,
        font=_bold_mean,
    ),
    _figure("PSNR-μ", "psnr_mu", "dB on μ-law values", form="{:.2f}"),
    _difference("psnr_mu", form="{:+.2f}"),
    _figure("PSNR-l", "psnr_l", "dB on linear radiance", form="{:.2f}"),
    _difference("psnr_l", form="{:+.2f}"),
    _figure("SSIM-μ", "ssim_mu", "Similarity on μ-law values", form="{:.4f}"),
    _difference("ssim_mu", form="{:+.4f}"),
    _figure("SSIM-l", "ssim_l", "Similarity on linear radiance", form="{:.4f}"),
    _difference("ssim_l", form="{:+.4f}"),
    _figure(
        "AUSE",
        "ause",
        "Whether σ says where the absolute error is (|error| on the μ-law, mean over channels):"
        " area between its curve and the oracle's, 0 is best",
        form="{:.3f}",
        more_is_better=False,
    ),
    _figure(
        "ρ",
        "spearman",
        "Rank correlation of σ and the absolute error (|error| on the μ-law, mean over"
        " channels), 1 is best",
        form="{:.3f}",
    ),
    _figure(
        "PSNR-PU",
        "psnr_pu",
        "PU21-PSNR in dB, peak 256, with radiance 1 shown at 1000 cd/m²",
        form="{:.2f}",
    ),
    _figure("Saturated", "saturated", "PSNR-μ where the reference frame clips", form="{:.2f}"),
    _figure("Moving", "moving", "PSNR-μ where aligned frames disagree", form="{:.2f}"),
    _figure("Static", "static", "PSNR-μ where it neither clips nor moves", form="{:.2f}"),
)


_PAD: Final = 14
_WHICH: Final = {
    "best": "The checkpoint with the highest PSNR-μ on held-out labels",
    "last": "The newest checkpoint",
}
_SPLITS: Final = {
    "test": "Test scenes",
    "held-out": "Labels that this run never learned from",
    "unlabelled": "Unlabelled scenes whose ground truth is known",
}


class EvaluationTable(QWidget):
    """Says which figures are wanted, and which scene was clicked."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"runs", "evaluation"})

    looked_at = Signal(str)  # a run, or "" where none or several are chosen
    checkpoint_picked = Signal(str)
    split_picked = Signal(str)
    measure_asked = Signal()
    cancel_asked = Signal()
    table_asked = Signal()
    scene_picked = Signal(str)

    _looked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._run = ""
        self._which, self._split = Choice(_WHICH, name="Checkpoint"), Choice(_SPLITS, name="Scenes")
        self._measure = button("Evaluate", tip="Measure every scene", role="primary")
        self._cancel = button("Cancel", tip="Measure no further; nothing is kept")
        self._write = button("CSV…", tip="Write the table as CSV")
        self._title, self._words = ElidedLabel(role="muted"), caption("", role="muted")
        self._view: SortedTable[SceneFigures] = SortedTable(
            COLUMNS, ident=lambda row: row.id, name="Figures of every scene"
        )
        self._view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._view.sort_by(SCENE)
        self._stack = QStackedLayout()
        self._lay_out()
        # Asked while the window is shown a state: the answer is to come after it.
        self._looked.connect(self._look, Qt.ConnectionType.QueuedConnection)
        self._which.picked.connect(self.checkpoint_picked)
        self._split.picked.connect(self.split_picked)
        self._measure.clicked.connect(self.measure_asked)
        self._cancel.clicked.connect(self.cancel_asked)
        self._write.clicked.connect(self.table_asked)
        self._view.horizontalHeader().sortIndicatorChanged.connect(self._fit)
        self._view.clicked.connect(self._pick)
        self._view.activated.connect(self._pick)

    @Slot(object, object)
    def show_state(self, old: StudioState, new: StudioState) -> None:
        """Show the figures of the chosen run, if somebody looks."""
        chosen = new.runs.chosen
        run = chosen[0] if len(chosen) == 1 else ""
        if run != self._run:
            self._run = run
            self._looked.emit()
        if old.evaluation is not new.evaluation:
            self._show(new.evaluation, old.evaluation)

    def showEvent(self, event: QShowEvent) -> None:
        """Somebody looks: find what is known."""
        super().showEvent(event)
        self._looked.emit()

    @Slot()
    def _look(self) -> None:
        if self.isVisible():
            self.looked_at.emit(self._run)

    def _show(self, now: EvaluationState, before: EvaluationState) -> None:
        self._which.show_word(now.which)
        self._split.show_word(now.split)
        figures = now.figures
        if before.figures is not figures:
            scenes = sorted(figures.scenes, key=lambda row: row.id) if figures else []
            self._view.rows.show_values(scenes, last=mean_of(scenes) if scenes else None)
            self._fit()
        title = ""
        if figures is not None:
            count = len(figures.scenes)
            how_many = "1 scene" if count == 1 else f"{count} scenes"
            title = f"teacher of {figures.run}, step {figures.step} · {how_many}"
        self._title.tell(title)
        self._words.setText(now.words)
        self._stack.setCurrentIndex(0 if figures is not None and not now.at_work else 1)
        rename(self._measure, "Evaluate again" if figures is not None else "Evaluate")
        self._measure.setVisible(not now.at_work)
        self._measure.setEnabled(bool(now.run))
        self._cancel.setVisible(now.at_work)
        self._write.setEnabled(figures is not None)

    @Slot(QModelIndex)
    def _pick(self, index: QModelIndex) -> None:
        figures = self._view.rows.value(index)
        if figures.id != MEAN:
            self.scene_picked.emit(figures.id)

    @Slot()
    def _fit(self) -> None:
        """Each column as wide as its widest word, the sign of the order among the sorted one's."""
        bold = QFont(self._view.font())
        bold.setBold(True)
        metrics, rows = QFontMetrics(bold), self._view.rows
        shown, by = rows.values(), self._view.horizontalHeader().sortIndicatorSection()
        for place, column in enumerate(rows.columns):
            title = column.title + (" ▾" if place == by else "")
            words = [title, *map(column.text, shown)]
            self._view.setColumnWidth(place, max(map(metrics.horizontalAdvance, words)) + _PAD)

    def _lay_out(self) -> None:
        row, below = QHBoxLayout(), QWidget()
        row.setSpacing(6)
        row.addWidget(self._which)
        row.addSpacing(6)
        row.addWidget(self._split)
        row.addWidget(self._title, 1)
        for each in (self._write, self._cancel, self._measure):
            row.addWidget(each)
        self._words.setWordWrap(True)
        self._words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        below.setLayout(self._stack)
        self._stack.addWidget(self._view)
        self._stack.addWidget(self._words)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.addLayout(row)
        column.addWidget(below, 1)
        self._show(EvaluationState(), EvaluationState())
