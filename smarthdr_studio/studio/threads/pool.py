"""Reading the statistics of every pseudo-label, and laying the pool out for fast questions."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.core.retention import PoolStatistics
from smarthdr_studio.core.statistics import SceneStatistics
from smarthdr_studio.studio.threads.scenes import modified
from smarthdr_studio.studio.threads.task import Tell

Known = Mapping[str, tuple[float, SceneStatistics]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PoolReading:
    """The pool as its files say; `known` remembers when each was written, to read it only once.

    `serial` is the number of the question.
    """

    serial: int
    known: Known
    statistics: PoolStatistics
    patches: npt.NDArray[np.int64]
    map: npt.NDArray[np.float64]
    sigma_means: dict[str, float]
    problems: tuple[str, ...]


def read_pool(
    tell: Tell,
    *,
    serial: int,
    files: Mapping[str, Path],
    unlabelled: Collection[str],
    known: Known,
    masks: MaskSettings,
) -> PoolReading:
    """Read what is new in `files` (by scene), and lay out the unlabelled scenes."""
    now: dict[str, tuple[float, SceneStatistics]] = {}
    problems: list[str] = []
    for done, (scene, path) in enumerate(files.items()):
        stamp = modified(path)
        if not stamp:
            continue
        if scene in known and known[scene][0] == stamp:
            now[scene] = known[scene]
            continue
        tell("reading uncertainties", done, len(files))
        try:
            now[scene] = (stamp, SceneStatistics.load(path))
        except StudioError as error:
            problems.append(str(error))
    pool = PoolStatistics({scene: now[scene][1] for scene in now if scene in unlabelled})
    return PoolReading(
        serial=serial,
        known=now,
        statistics=pool,
        patches=pool.patch_histogram(masks),
        map=pool.retention_map(masks),
        sigma_means={scene: statistics.sigma_mean for scene, (_, statistics) in now.items()},
        problems=tuple(problems),
    )
