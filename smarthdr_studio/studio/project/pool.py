"""Knows what the thresholds retain of every scene and of the pool, from statistics alone."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.curation.project_facts import frozen_labels_of, frozen_shares
from smarthdr_studio.core.errors import LabelError, StudioError
from smarthdr_studio.core.imaging.bracket import Scene
from smarthdr_studio.core.imaging.image_files import read_layers
from smarthdr_studio.core.project.database import Figure
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.records import read_toml
from smarthdr_studio.core.training.run_folder import RunFolder, last_pace, runs_in
from smarthdr_studio.core.trust.masking import Level, MaskSettings
from smarthdr_studio.core.trust.patch_statistics import PaintedStatistics, SceneStatistics
from smarthdr_studio.core.trust.pool import PoolStatistics, Retention
from smarthdr_studio.core.trust.thresholds import (
    CropsOfPool,
    PatchLocation,
    WhatIf,
    least_trusted_patches,
    what_if,
)
from smarthdr_studio.core.words import counted
from smarthdr_studio.studio.project.scene_loader import modified
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import Notice, PoolCharts, PoolShares
from smarthdr_studio.studio.tasks import Job, RepeatedTask, Report, TaskRunner, plain
from smarthdr_studio.studio.widgets.controls import percent

_KIND: Final = "painted"


class Counted(NamedTuple):
    """Statistics of a brush, of which pseudo-label and of which mask they are."""

    stamp: float
    person: str
    statistics: PaintedStatistics


def read_painted(
    report: Report,
    *,
    folder: Path,
    manual_masks: Mapping[str, str],
    stamps: Mapping[str, tuple[float, int]],
    known: Mapping[str, Counted],
) -> tuple[dict[str, Counted], tuple[str, ...]]:
    """The brush of every painted scene that has a pseudo-label; and what could not be counted.

    `manual_masks` are the hashes of the masks by scene, `stamps` when statistics were written, and
    in patches of which side.
    """
    wanted = [scene for scene in manual_masks if scene in stamps]
    found = {
        s: known[s]
        for s in wanted
        if s in known and known[s][:2] == (stamps[s][0], manual_masks[s])
    }
    missing = [scene for scene in wanted if scene not in found]
    problems: list[str] = []
    if not missing:
        return found, ()
    with Project.open(folder) as project:
        kept, new = project.figures(_KIND), dict[str, Figure]()
        for done, scene in enumerate(missing):
            report("counting what is painted", done, len(missing))
            try:
                found[scene] = _counted(project, scene, stamps[scene], kept=kept, new=new)
            except (StudioError, ValueError) as error:
                problems.append(str(error))
        with suppress(StudioError):  # they can always be counted again
            if new and not project.read_only:
                project.keep_figures(_KIND, new)
    return found, tuple(problems)


def _counted(
    project: Project,
    scene: str,
    stamp: tuple[float, int],
    *,
    kept: Mapping[str, Figure],
    new: dict[str, Figure],
) -> Counted:
    """The brush of one scene as its project says it now, which may be newer than what was asked."""
    person = project.state(scene).person or ""
    written, size = stamp
    name = f"{written} {person} {size}"
    if scene in kept and kept[scene][0] == name:
        with suppress(ValueError):
            return Counted(written, person, PaintedStatistics.unpacked(kept[scene][1]))
    mask = project.person(scene)
    path = project.pseudo_path(scene)
    layers, _ = read_layers(path, only=("uncertainty.Y",))
    sigma = layers["uncertainty.Y"].astype(np.float32, copy=False)
    if mask is None:
        mask = np.zeros(sigma.shape, np.int8)
    if mask.shape != sigma.shape:
        raise LabelError(f"{path}: is of another size than what is painted; label the scene anew")
    statistics = PaintedStatistics.of(sigma, mask, size=size)
    new[scene] = name, statistics.packed()
    return Counted(written, person, statistics)


Sizes = Mapping[str, tuple[int, int]]
Known = Mapping[str, tuple[float, SceneStatistics]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PoolReading:
    """The pool as its files say; `known` remembers when each was written, to read it only once.

    `frozen` are label and trusted share of every promoted scene.

    `laid_out_for` are the levels both charts are made with,
    `first_retention` what the thresholds of that moment keep.
    """

    known: Known
    painted: Mapping[str, Counted]
    statistics: PoolStatistics
    patches: npt.NDArray[np.int64]
    map: npt.NDArray[np.float64]
    laid_out_for: tuple[Level, Level]
    crops: CropsOfPool
    seconds_per_crop: float | None
    most_crops: int | None
    sigma_means: dict[str, float]
    frozen: Mapping[str, tuple[str, float]]
    problems: tuple[str, ...]
    first_retention: tuple[MaskSettings, Retention]


def read_pool(  # noqa: PLR0913 - everything the thread may know of the project
    report: Report,
    *,
    scenes: Sequence[Scene],
    files: Mapping[str, Path],
    unlabelled: Collection[str],
    runs: Path,
    before: "PoolReading | None",
    manual_masks: Mapping[str, str],
    labels: Mapping[str, str],
    masks: MaskSettings,
) -> PoolReading:
    """Read what is new in `files` (by scene), and lay out the unlabelled scenes with their brush.

    `manual_masks` are the hashes of what is painted, `labels` what was frozen, by scene.
    """
    now, problems = _read_new(report, files=files, known=before.known if before else {})
    painted, uncounted = read_painted(
        report,
        folder=runs.parent,
        manual_masks=manual_masks,
        stamps={scene: (stamp, each.patch_size) for scene, (stamp, each) in now.items()},
        known=before.painted if before else {},
    )
    pool = PoolStatistics(
        {scene: now[scene][1] for scene in now if scene in unlabelled},
        {scene: counted.statistics for scene, counted in painted.items()},
        before=before.statistics if before else None,
    )
    sizes = {scene.id: (scene.width, scene.height) for scene in scenes}
    run = _newest(runs)
    frozen, unread = frozen_shares(runs.parent, labels, known=before.frozen if before else None)
    return PoolReading(
        known=now,
        painted=painted,
        statistics=pool,
        patches=pool.patch_histogram(masks),
        map=pool.retention_map(masks),
        laid_out_for=(masks.patches, masks.pixels),
        crops=_crops(run, {name: sizes[name] for name in pool.ids}, in_patches=pool.patch_sizes),
        seconds_per_crop=_seconds_per_unlabelled_crop(run),
        most_crops=_most_crops(run),
        sigma_means={scene: statistics.sigma_mean for scene, (_, statistics) in now.items()},
        frozen={scene: (labels[scene], share) for scene, share in frozen.items()},
        problems=(*problems, *uncounted, *unread),
        first_retention=(masks, pool.retention(masks)),
    )


def _read_new(
    report: Report, *, files: Mapping[str, Path], known: Known
) -> tuple[dict[str, tuple[float, SceneStatistics]], tuple[str, ...]]:
    """Statistics by scene, read only where a file is new; and what could not be read."""
    now: dict[str, tuple[float, SceneStatistics]] = {}
    problems: list[str] = []
    for done, (scene, path) in enumerate(files.items()):
        stamp = modified(path)
        if not stamp:
            continue
        if scene in known and known[scene][0] == stamp:
            now[scene] = known[scene]
            continue
        report("reading uncertainties", done, len(files))
        try:
            now[scene] = (stamp, SceneStatistics.load(path))
        except StudioError as error:
            problems.append(str(error))
    return now, tuple(problems)


def _crops(run: RunFolder | None, sizes: Sizes, *, in_patches: Sequence[int]) -> CropsOfPool:
    """How the newest run cuts the pool; the paper's crops of 128 at 64 before there is one."""
    batch = _batch(run)
    return CropsOfPool(sizes, crop=batch["crop"], stride=batch["stride"], patch_size=in_patches)


def _seconds_per_unlabelled_crop(run: RunFolder | None) -> float | None:
    """Labelled crops go along in every step, so they are part of the price."""
    pace = last_pace(run) if run is not None else None
    batch = _batch(run)
    if pace is None or not batch["unlabelled"]:
        return None
    return pace * (batch["labelled"] + batch["unlabelled"]) / batch["unlabelled"]


def _most_crops(run: RunFolder | None) -> int | None:
    """Unlabelled crops after which an epoch of the plan ends; None is one pass over all."""
    steps = _section(run, "schedule").get("steps_per_epoch")
    return steps * _batch(run)["unlabelled"] if isinstance(steps, int) else None


def _batch(run: RunFolder | None) -> dict[str, int]:
    first = {"crop": 128, "stride": 64, "labelled": 8, "unlabelled": 8}
    held = _section(run, "batch")
    try:
        return {name: int(held.get(name, value)) for name, value in first.items()}
    except (ValueError, TypeError):
        return first


def _section(run: RunFolder | None, name: str) -> Mapping[str, Any]:
    """A section of the plan of a run; empty where it cannot be read."""
    try:
        plan = read_toml(run.plan_path) if run else {}
    except (OSError, ValueError):
        return {}
    held = plan.get(name, {})
    return held if isinstance(held, dict) else {}


def _newest(runs: Path) -> RunFolder | None:
    """The run that was started last, if there is one."""
    return next(iter(runs_in(runs)), None)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Charted:
    """How many pixels have which score, what the next epoch would see, and shares by scene.

    `reading` is the pool that was asked about; `others` are its scenes that are not in the pool.
    """

    reading: PoolReading
    pixels: npt.NDArray[np.int64]
    what_if: WhatIf
    others: Mapping[str, float]


def chart(*, reading: PoolReading, masks: MaskSettings, kept: Retention) -> Charted:
    """All of it for these thresholds; `kept` is what they keep of the pool."""
    pool = reading.statistics
    inside = frozenset(pool.ids)
    others = {s: held for s, (_, held) in reading.known.items() if s not in inside}
    painted = {s: counted.statistics for s, counted in reading.painted.items()}
    return Charted(
        reading=reading,
        pixels=pool.pixel_histogram(masks),
        what_if=what_if(
            pool,
            reading.crops,
            masks,
            seconds_per_crop=reading.seconds_per_crop,
            most_crops=reading.most_crops,
            kept=kept,
        ),
        others={
            **pool.shares_outside(others, masks, painted=painted, kept=kept),
            **{scene: share for scene, (_, share) in reading.frozen.items()},
        },
    )


_LEAST_MOVED: Final = 0.05  # of the pool; less is seen and needs no word


def moved_by_members(before: PoolReading, now: PoolReading) -> str:
    """Says why the pool retains so much more or less, where only its scenes are others; else "".

    A decision about one scene moves the range of σ that scores are normalised over, and with it
    the trust in all others.
    """
    was, are = set(before.statistics.ids), set(now.statistics.ids)
    same = all(before.known[each] is now.known[each] for each in was & are)
    if was == are or not was or not are or not same:
        return ""
    masks, kept = now.first_retention
    share = before.statistics.retention(masks).retained
    if abs(share - kept.retained) < _LEAST_MOVED:
        return ""
    gone, come = sorted(was - are), sorted(are - was)
    named = come or gone
    which = named[0] if len(named) == 1 else counted(len(named), "scene")
    how = "With other scenes" if gone and come else f"{'With' if come else 'Without'} {which}"
    anew = "pool" in (masks.patches.scope, masks.pixels.scope)
    why = "scores are normalised anew: " if anew else ""
    return f"{how} {why}the pool retains {percent(kept.retained)}, before {percent(share)}."


CHARTED_AT_ONCE: Final = 200  # scenes; more are counted on a thread


class PoolController(QObject):
    """Reads the pool on a thread, answers questions about it in milliseconds."""

    read = Signal()
    charted = Signal(object, object)  # PoolCharts and WhatIf, None where there is no pool

    def __init__(self, store: Store, tasks: TaskRunner) -> None:
        super().__init__(store)
        self._store, self._tasks = store, tasks
        self._files: dict[str, Path] = {}  # of every scene: ten thousand paths take a while
        self._reading: PoolReading | None = None
        self._share: dict[str, float] = {}
        self._masks: MaskSettings | None = None  # those asked about last
        self._answer: tuple[PoolStatistics, MaskSettings, Retention] | None = None
        self._refreshing = RepeatedTask(tasks, self._to_read, self._answered)
        self._charting = RepeatedTask(tasks, self._to_chart, self._charts_came)
        store.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        project, self._reading, self._masks = self._store.project, None, None
        self._files = (
            {each.id: project.statistics_path(each.id) for each in project.scenes}
            if project is not None
            else {}
        )
        self._answer = None
        self._share.clear()

    def refresh(self) -> None:
        """Read what is new on disk; asking again while reading reads once more."""
        self._refreshing.ask()

    def _to_read(self) -> Job[PoolReading] | None:
        if self._store.project is None:
            return None
        ledger = self._store.project.ledger()
        return partial(
            read_pool,
            scenes=self._store.project.scenes,
            files=self._files,
            unlabelled=frozenset(
                s for s, state in ledger.scenes.items() if state.status is Status.UNLABELLED
            ),
            runs=self._store.project.runs_folder,
            before=self._reading,
            labels=frozen_labels_of(ledger),
            manual_masks={s: each.person for s, each in ledger.scenes.items() if each.person},
            masks=self._masks or ledger.masks,
        )

    @property
    def reading(self) -> PoolReading | None:
        """The pool as its files said last; not to be changed."""
        return self._reading

    def fitted(self, masks: MaskSettings) -> MaskSettings:
        """The same settings in the patches that the pool was counted in."""
        return masks if self._pool is None else self._pool.fitted(masks)

    def retention(self, masks: MaskSettings) -> Retention | None:
        """What both gates keep of the pool; None where there is no pseudo-label yet."""
        pool, self._masks = self._pool, masks
        if pool is None:
            return None
        if self._answer is not None and self._answer[:2] == (pool, masks):
            return self._answer[2]
        answer = pool.retention(masks)
        self._remember(masks, answer)
        return answer

    def _remember(self, masks: MaskSettings, answer: Retention) -> None:
        if self._pool is not None:
            self._answer = self._pool, masks, answer
            self._share.update({scene: share.retained for scene, share in answer.scenes.items()})

    def trust_of_scenes(self) -> tuple[Mapping[str, float], Mapping[str, float]]:
        """Retained share and mean σ of every scene that has a pseudo-label, by its id."""
        return self._share, self._reading.sigma_means if self._reading else {}

    def note_share(self, scene: str, retained: float) -> None:
        """The exact share of the scene on the screen, where the pool does not tell it."""
        if self._reading is None or scene not in self._reading.frozen:
            self._share[scene] = retained

    def counts(self, scene: str, person: str | None) -> bool:
        """Whether what is painted on a scene, by its hash, is in the pool's figures."""
        painted = self._reading.painted.get(scene) if self._reading else None
        return (painted.person if painted else None) == person

    def shares(
        self, retention: Retention | None, *, exact: tuple[str, float] | None = None
    ) -> PoolShares | None:
        """The pool as two figures; `exact` is the share of a scene that is known better."""
        if retention is None or self._reading is None or self._pool is None:
            return None
        retained = retention.retained
        if exact is not None and exact[0] in retention.scenes:
            scene, share = exact
            weight = self._reading.known[scene][1].pixels / self._pool.pixels
            retained += (share - retention.scenes[scene].retained) * weight
        return PoolShares(
            scenes=len(retention.scenes),
            retained=min(max(retained, 0.0), 1.0),
            patches_retained=retention.patches_retained,
        )

    def chart(self, masks: MaskSettings) -> None:
        """Count what the charts show, and the shares of scenes outside the pool.

        `charted` tells it: of a small pool at once, of a large one when a thread has counted.
        """
        self._masks = masks
        if self._reading is None or self._pool is None:
            self.charted.emit(None, None)
            return
        if self._reading.laid_out_for != (masks.patches, masks.pixels):
            self.refresh()  # other ranges: histograms and map follow from the thread
        self._charting.ask()

    def _to_chart(self) -> Job[Charted] | None:
        kept = self.retention(self._masks) if self._masks is not None else None
        if self._masks is None or kept is None or self._reading is None:
            return None
        if len(self._reading.known) > CHARTED_AT_ONCE:
            return plain(chart, reading=self._reading, masks=self._masks, kept=kept)
        self._show(chart(reading=self._reading, masks=self._masks, kept=kept))
        return None

    def _show(self, found: Charted) -> None:
        reading = found.reading
        self._share.update(found.others)
        charts = PoolCharts(patches=reading.patches, pixels=found.pixels, map=reading.map)
        self.charted.emit(charts, found.what_if)

    def share(self, masks: MaskSettings) -> float:
        """Which share of the pool these thresholds keep; 0 where there is none."""
        return self._pool.retention(masks).retained if self._pool is not None else 0.0

    def least_trusted(self) -> tuple[PatchLocation, ...]:
        """The least sure patch of every scene of the pool, the worst first."""
        if self._reading is None or self._pool is None:
            return ()
        return least_trusted_patches(
            {scene: self._reading.known[scene][1] for scene in self._pool.ids}
        )

    @property
    def _pool(self) -> PoolStatistics | None:
        if self._reading is None or len(self._reading.statistics) == 0:
            return None
        return self._reading.statistics

    def _answered(self, reading: PoolReading) -> None:
        moved = moved_by_members(self._reading, reading) if self._reading is not None else ""
        if moved and self._store.state.notice is None:
            self._store.notice(Notice(text=moved))
        self._reading = reading
        self._share = {s: kept for s, kept in self._share.items() if s in reading.known}
        self._remember(*reading.first_retention)
        self.read.emit()
        if reading.problems:
            self._tasks.refused.emit(reading.problems[0])

    def _charts_came(self, found: Charted) -> None:
        if found.reading is self._reading:  # else another is asked about already
            self._show(found)
