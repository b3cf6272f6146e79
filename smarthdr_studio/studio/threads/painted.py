"""What persons painted on the scenes of a project, counted once per mask and kept for later."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from smarthdr_studio.core.brush.painted import PaintedStatistics
from smarthdr_studio.core.errors import LabelError, StudioError
from smarthdr_studio.core.exr import read_layers
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.side_tables import Figure
from smarthdr_studio.studio.tasks import Report

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
    persons: Mapping[str, str],
    stamps: Mapping[str, float],
    known: Mapping[str, Counted],
) -> tuple[dict[str, Counted], tuple[str, ...]]:
    """The brush of every painted scene that has a pseudo-label; and what could not be counted.

    `persons` are the hashes of the masks by scene, `stamps` when statistics were written.
    """
    wanted = [scene for scene in persons if scene in stamps]
    found = {s: known[s] for s in wanted if s in known and known[s][:2] == (stamps[s], persons[s])}
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
    stamp: float,
    *,
    kept: Mapping[str, Figure],
    new: dict[str, Figure],
) -> Counted:
    """The brush of one scene as its project says it now, which may be newer than what was asked."""
    person = project.state(scene).person or ""
    name = f"{stamp} {person}"
    if scene in kept and kept[scene][0] == name:
        with suppress(ValueError):
            return Counted(stamp, person, PaintedStatistics.unpacked(kept[scene][1]))
    mask = project.person(scene)
    path = project.pseudo_path(scene)
    layers, _ = read_layers(path, only=("uncertainty.Y",))
    sigma = layers["uncertainty.Y"].astype(np.float32, copy=False)
    if mask is None:
        mask = np.zeros(sigma.shape, np.int8)
    if mask.shape != sigma.shape:
        raise LabelError(f"{path}: is of another size than what is painted; label the scene anew")
    statistics = PaintedStatistics.of(sigma, mask)
    new[scene] = name, statistics.packed()
    return Counted(stamp, person, statistics)
