"""Tells of the chosen runs: facts and differences, their curves, and pictures of one scene."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isnan
from pathlib import Path, PurePosixPath
from time import monotonic
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.diary import diary_of
from smarthdr_studio.core.training.run_folder import (
    RunFolder,
    SavedCheckpoint,
    best_of,
    saved_checkpoints,
)
from smarthdr_studio.core.training.run_index import RunRow
from smarthdr_studio.core.training.run_log import RunCurves, rare_events, read_curves
from smarthdr_studio.core.training.run_start import StartState, start_state_in
from smarthdr_studio.core.trust.explanation import Fact
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.core.words import tau_words
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.runs.pictures import read_run_pictures
from smarthdr_studio.studio.state import Contrast, RunPicture, RunsState, RunsTold
from smarthdr_studio.studio.tasks import Job, RepeatedTask, Report, TaskRunner, plain
from smarthdr_studio.studio.widgets.controls import percent


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CurvesRead:
    """The curves of each run, and its row when they were read."""

    rows: tuple[RunRow, ...]
    curves: Mapping[str, RunCurves]


def read_run_curves(
    report: Report, *, rows: Sequence[RunRow], known: CurvesRead | None
) -> CurvesRead:
    """Every curve of these runs; of those in `known` only what is new is read."""
    before = {} if known is None else dict(known.curves)
    curves = {}
    for row in rows:
        words = f"reading the curves of {row.id}"
        curves[row.id] = read_curves(
            RunFolder(row.folder),
            known=before.get(row.id),
            tell=partial(report, words),
        )
    return CurvesRead(rows=tuple(rows), curves=curves)


_NOTHING: Final = "–"

_Value = float | None
# Name, value, how it is written, and whether more (1) or less (−1) is better; 0 is neither.
_FIGURES: Final[tuple[tuple[str, Callable[[RunRow], _Value], str, int], ...]] = (
    ("best PSNR-μ", lambda row: row.best.psnr_mu if row.best else None, "{:.2f} dB", 1),
    ("PSNR-l then", lambda row: row.best.psnr_l if row.best else None, "{:.2f} dB", 1),
    ("SSIM-μ then", lambda row: row.best.ssim_mu if row.best else None, "{:.4f}", 1),
    ("found at step", lambda row: row.best.step if row.best else None, "{:,.0f}", 0),
    ("last PSNR-μ", lambda row: row.last_psnr_mu, "{:.2f} dB", 1),
    ("last retained", lambda row: row.retained, "{:.0%}", 0),
    ("labels", lambda row: row.labels.learned, "{:.0f}", 0),
    ("held out", lambda row: row.labels.held_out, "{:.0f}", 0),
    ("epochs", lambda row: row.at_epoch, "{:.0f}", 0),
    ("steps", lambda row: row.step, "{:,.0f}", 0),
    ("rounds", lambda row: row.rounds, "{:.0f}", 0),
    ("took", lambda row: row.seconds / 60, "{:.1f} min", 0),
    ("disk", lambda row: row.disk_bytes / 2**20, "{:.0f} MiB", 0),
)


def figures_of(rows: Sequence[RunRow]) -> tuple[Contrast, ...]:
    """Every figure of these runs; the best one is told where one is better than all others."""
    return tuple(
        _figure(name, [value(row) for row in rows], form, sign)
        for name, value, form, sign in _FIGURES
        if any(value(row) is not None for row in rows)
    )


def _written(form: str, value: float) -> str:
    """A share is told as in every other place, any other figure by its form."""
    return percent(value) if form.endswith("%}") else form.format(value)


def facts_of(row: RunRow) -> tuple[Fact, ...]:
    """One run in a few lines."""
    best, far = (
        row.best,
        f"epoch {row.at_epoch} of {row.epochs}" if row.epochs else _NOTHING,
    )
    told = [
        Fact(name="run", value=row.id),
        Fact(name="method", value=f"{row.system}, {row.network or _NOTHING}"),
        Fact(name="on", value=row.device or _NOTHING),
        Fact(name="has come to", value=far, beside=f"step {row.step:,}, round {row.rounds}"),
    ]
    if best is not None:
        ssim = "" if best.ssim_mu is None else f", SSIM-μ {best.ssim_mu:.4f}"
        beside = f"PSNR-l {best.psnr_l:.2f} dB{ssim}, step {best.step:,}"
        told.append(Fact(name="best PSNR-μ", value=f"{best.psnr_mu:.2f} dB", beside=beside))
    if row.last_psnr_mu is not None:
        told.append(Fact(name="last PSNR-μ", value=f"{row.last_psnr_mu:.2f} dB"))
    if row.retained is not None:
        told.append(Fact(name="last retained", value=percent(row.retained)))
    return tuple(told)


def checkpoints_of(row: RunRow) -> tuple[str, ...]:
    """Every checkpoint of a run in words, the latest first; the best one is told."""
    found = saved_checkpoints(row.folder)
    best = best_of(found)
    return tuple(_checkpoint(each, is_best=each is best) for each in reversed(found))


def _checkpoint(saved: SavedCheckpoint, *, is_best: bool) -> str:
    words = f"step {saved.step:,}"
    if saved.psnr_mu is not None:
        words += f" · {saved.psnr_mu:.2f} dB"
    return f"{words} ▲ best" if is_best else words


def _figure(name: str, values: Sequence[_Value], form: str, sign: int) -> Contrast:
    words = [_NOTHING if value is None else _written(form, value) for value in values]
    best = None
    scored = [
        (sign * value, place)
        for place, value in enumerate(values)
        if value is not None and not isnan(value)
    ]
    if sign and len(scored) > 1:
        place = max(scored)[1]
        # No winner where the figures read the same.
        if [words[at] for _, at in scored].count(words[place]) == 1:
            best = place
    return Contrast(name=name, values=tuple(words), best=best)


Told = tuple[tuple[Contrast, ...], str]

_MOST: Final = 300  # lines: more than anybody reads
_MOST_NAMES: Final = 80
_MASK_NAMES: Final = (
    "threshold τ_pa",
    "threshold τ_pi",
    "scores S_pa",
    "scores S_pi",
    "patches",
    "pixels above τ_pi",
    "τ_pi, dark to saturated",
)
_PARTS: Final = ("ground truth", "promoted", "held out", "unlabelled")


def label_contrasts(project: Project, rows: Sequence[RunRow]) -> Told:
    """The scenes that were not the same to all of these runs, and thresholds that differ."""
    stands = [start_state_in(project, RunFolder(row.folder)) for row in rows]
    parts = [_parts(stand) for stand in stands]
    scenes = sorted({scene for each in parts for scene in each})
    found = []
    for scene in scenes:
        values = tuple(each.get(scene, _NOTHING) for each in parts)
        if any(value != values[0] for value in values):
            found.append(Contrast(name=scene, values=values))
    same = len(scenes) - len(found)
    thresholds = _thresholds([stand.masks for stand in stands])
    if not found and not thresholds:
        return (), f"The same label set and thresholds as they began, {_scenes(same)}."
    if not found:
        return tuple(thresholds), f"Only masks differ; {_scenes(same)} are the same, as they began."
    differ = "differs" if len(found) == 1 else "differ"
    words = f"{_scenes(len(found))} {differ}, {same} are the same, as they began."
    if len(found) > _MOST:
        words = f"{words[:-1]}; the first {_MOST} are listed."
    return (*thresholds, *found[:_MOST]), words


def checked_alike(project: Project, rows: Sequence[RunRow]) -> str:
    """A warning where runs were checked on different pictures, "" where on the same."""
    held_out = {
        frozenset(start_state_in(project, RunFolder(row.folder)).held_out)
        for row in rows
        if row.best is not None
    }
    if len(held_out) < 2:
        return ""
    return "⚠ Not all of them were checked on the same held-out labels; PSNR may mislead."


def label_lists(project: Project, row: RunRow) -> Told:
    """Which scenes were what to one run, and its thresholds."""
    stand = start_state_in(project, RunFolder(row.folder))
    by_part: dict[str, list[str]] = {}
    for scene, part in sorted(_parts(stand).items()):
        kind = next(known for known in _PARTS if part.startswith(known))
        by_part.setdefault(kind, []).append(scene + part.removeprefix(kind))
    lists = [
        Contrast(name=part, values=(str(len(by_part[part])), _names(by_part[part])))
        for part in _PARTS
        if part in by_part
    ]
    masks = stand.masks
    if masks is not None:
        told = f"τ_pa {tau_words(masks.tau_patch)}, τ_pi {tau_words(masks.tau_pixel)}"
        scores = f"S_pa {masks.patches.words}, S_pi {masks.pixels.words}"
        lists[:0] = [
            Contrast(name="thresholds", values=("", told)),
            Contrast(name="scores", values=("", scores)),
        ]
    words = "" if lists else "This run has not said yet what it learns from."
    return tuple(lists), words


def _parts(stand: StartState) -> Mapping[str, str]:
    """What each scene was, in words; of a promoted one the version of its label."""
    found = dict.fromkeys(stand.unlabelled, "unlabelled")
    if stand.material == "no label":  # whatever the project had
        found |= dict.fromkeys((*stand.labelled, *stand.promoted), "unlabelled")
        return found | dict.fromkeys(stand.held_out, "held out")
    found |= dict.fromkeys(stand.labelled, "ground truth")
    found |= {
        scene: f"promoted ({PurePosixPath(label).stem})" for scene, label in stand.promoted.items()
    }
    return found | dict.fromkeys(stand.held_out, "held out")


def _thresholds(masks: Sequence[MaskSettings | None]) -> list[Contrast]:
    """What of the masks was not the same to all runs; of one that has not said, only that."""
    told = [{} if each is None else _masks_in_words(each) for each in masks]
    found = []
    for name in _MASK_NAMES:
        known = {each[name] for each in told if each}
        untold = {} in told and any(told) and name in _MASK_NAMES[:2]
        if len(known) > 1 or untold:
            values = tuple(each.get(name, _NOTHING) for each in told)
            found.append(Contrast(name=name, values=values))
    return found


def _masks_in_words(masks: MaskSettings) -> dict[str, str]:
    words = (
        tau_words(masks.tau_patch),
        tau_words(masks.tau_pixel),
        masks.patches.words,
        masks.pixels.words,
        f"{masks.patch_size} px",
        "weighed" if masks.soft is not None else "dropped",
        "none" if masks.tau_exposure is None else ", ".join(map(tau_words, masks.tau_exposure)),
    )
    return dict(zip(_MASK_NAMES, words, strict=True))


def _names(scenes: Sequence[str]) -> str:
    left = len(scenes) - _MOST_NAMES
    return ", ".join(scenes[:_MOST_NAMES]) + (f" … and {left} more" if left > 0 else "")


def _scenes(count: int) -> str:
    return "1 scene" if count == 1 else f"{count} scenes"


def tell_of_runs(*, folder: Path, rows: Sequence[RunRow]) -> RunsTold:
    """Everything worth telling of these runs."""
    from smarthdr_studio.studio.runs.plan_differences import against_preset, plan_contrasts

    runs = tuple(row.id for row in rows)
    with Project.open(folder) as project:
        if len(rows) > 1:
            plans, plan_words = plan_contrasts(rows)
            labels, label_words = label_contrasts(project, rows)
            return RunsTold(
                runs=runs,
                figures=figures_of(rows),
                figure_words=checked_alike(project, rows),
                plans=plans,
                plan_words=plan_words,
                labels=labels,
                label_words=label_words,
            )
        row = rows[0]
        plans, plan_words = against_preset(row)
        labels, label_words = label_lists(project, row)
    return RunsTold(
        runs=runs,
        facts=facts_of(row),
        checkpoints=checkpoints_of(row),
        plans=plans,
        plan_words=plan_words,
        labels=labels,
        label_words=label_words,
        diary=diary_of(rare_events(RunFolder(row.folder)), project=folder),
    )


CURVES, PICTURES = "curves", "pictures"

_LEAST_S: Final = 1.0
_MANY_STEPS: Final = 50_000  # whose curves take a moment to read
_REST: Final = 4.0  # times as long as reading took: a run may write faster than one wants to read


class ComparisonController(QObject):
    """Reads anew what has changed, but only what somebody looks at, and never all the time."""

    curves_came = Signal(object)  # {title: {name of the curve: (x, y)}}
    pictures_came = Signal(object)  # RunPicture of each, in their order

    def __init__(self, store: Store, tasks: TaskRunner) -> None:
        super().__init__(store)
        self._store = store
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
        store.switched.connect(self._switch)

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
        if self._store.project is None or not self._seen or not rows:
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
        return self._store.state.runs

    @property
    def _rows(self) -> tuple[RunRow, ...]:
        rows = (self._state.row(run) for run in self._state.chosen)
        return tuple(row for row in rows if row is not None)

    @property
    def _wanted(self) -> object:
        """What pictures are to be of: anything new of it, and they are read again."""
        state = self._store.state
        rounds = tuple((row.id, row.rounds) for row in self._rows)
        return rounds, state.current, state.display, state.runs.common

    def _to_tell(self) -> Job[RunsTold] | None:
        rows = self._rows
        if self._store.project is None or not rows:
            return None
        self._begun = monotonic()
        return plain(tell_of_runs, folder=self._store.project.folder, rows=rows)

    def _told(self, told: RunsTold) -> None:
        self._rest()
        if told.runs == self._state.chosen:
            self._become(told=told)

    def _refused(self, message: str) -> None:
        self._rest()
        self._become(work="")
        self._store.complain(message)

    def _rest(self) -> None:
        taken = monotonic() - self._begun
        self._not_before = monotonic() + max(_LEAST_S, _REST * taken)

    def _to_chart(self) -> Job[CurvesRead] | None:
        rows = self._rows
        if self._store.project is None or not rows or self._part != CURVES:
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
        rows, state = self._rows, self._store.state
        if (
            self._store.project is None
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
        self._store.become(runs=replace(self._state, **changes))  # type: ignore[arg-type]
