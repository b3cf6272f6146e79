"""Reading the statistics of every pseudo-label, and laying the pool out for fast questions."""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.masking import Level, MaskSettings
from smarthdr_studio.core.retention import PoolStatistics, Retention
from smarthdr_studio.core.runs import RunFolder, last_pace
from smarthdr_studio.core.statistics import SceneStatistics
from smarthdr_studio.core.what_if import CropsOfPool
from smarthdr_studio.studio.tasks import Report
from smarthdr_studio.studio.threads.painted import Counted, read_painted
from smarthdr_studio.studio.threads.scenes import modified

Sizes = Mapping[str, tuple[int, int]]
Known = Mapping[str, tuple[float, SceneStatistics]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PoolReading:
    """The pool as its files say; `known` remembers when each was written, to read it only once.

    `laid_out_for` are the levels both charts are made with,
    `judged` what the thresholds of that moment keep.
    """

    known: Known
    painted: Mapping[str, Counted]
    statistics: PoolStatistics
    patches: npt.NDArray[np.int64]
    map: npt.NDArray[np.float64]
    laid_out_for: tuple[Level, Level]
    crops: CropsOfPool
    seconds_per_crop: float | None
    sigma_means: dict[str, float]
    problems: tuple[str, ...]
    judged: tuple[MaskSettings, Retention]


def read_pool(  # noqa: PLR0913 - everything the thread may know of the project
    report: Report,
    *,
    scenes: Sequence[Scene],
    files: Mapping[str, Path],
    unlabelled: Collection[str],
    runs: Path,
    before: "PoolReading | None",
    persons: Mapping[str, str],
    masks: MaskSettings,
) -> PoolReading:
    """Read what is new in `files` (by scene), and lay out the unlabelled scenes with their brush.

    `persons` are the hashes of what is painted, by scene.
    """
    now, problems = _read_new(report, files=files, known=before.known if before else {})
    painted, uncounted = read_painted(
        report,
        folder=runs.parent,
        persons=persons,
        stamps={scene: stamp for scene, (stamp, _) in now.items()},
        known=before.painted if before else {},
    )
    pool = PoolStatistics(
        {scene: now[scene][1] for scene in now if scene in unlabelled},
        {scene: counted.statistics for scene, counted in painted.items()},
        before=before.statistics if before else None,
    )
    sizes = {scene.id: (scene.width, scene.height) for scene in scenes}
    run = _newest(runs)
    return PoolReading(
        known=now,
        painted=painted,
        statistics=pool,
        patches=pool.patch_histogram(masks),
        map=pool.retention_map(masks),
        laid_out_for=(masks.patches, masks.pixels),
        crops=_crops(run, {name: sizes[name] for name in pool.ids}, patch_size=masks.patch_size),
        seconds_per_crop=_seconds_per_unlabelled_crop(run),
        sigma_means={scene: statistics.sigma_mean for scene, (_, statistics) in now.items()},
        problems=(*problems, *uncounted),
        judged=(masks, pool.retention(masks)),
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


def _crops(run: RunFolder | None, sizes: Sizes, *, patch_size: int) -> CropsOfPool:
    """How the newest run cuts the pool; the paper's crops of 128 at 64 before there is one."""
    batch = _batch(run)
    return CropsOfPool(sizes, crop=batch["crop"], stride=batch["stride"], patch_size=patch_size)


def _seconds_per_unlabelled_crop(run: RunFolder | None) -> float | None:
    """Labelled crops go along in every step, so they are part of the price."""
    pace = last_pace(run) if run is not None else None
    batch = _batch(run)
    if pace is None or not batch["unlabelled"]:
        return None
    return pace * (batch["labelled"] + batch["unlabelled"]) / batch["unlabelled"]


def _batch(run: RunFolder | None) -> dict[str, int]:
    first = {"crop": 128, "stride": 64, "labelled": 8, "unlabelled": 8}
    try:
        plan = tomllib.loads(run.plan_path.read_text(encoding="utf-8")) if run else {}
        held = plan.get("batch", {})
        return {name: int(held.get(name, value)) for name, value in first.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return first


def _newest(runs: Path) -> RunFolder | None:
    """The run that was started last, if there is one."""
    if not runs.is_dir():
        return None
    folders = sorted(path for path in runs.iterdir() if path.is_dir() and path.name[0] != ".")
    return RunFolder(folders[-1]) if folders else None
