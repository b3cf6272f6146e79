"""Figures of scenes that take a look at their files: motion, saturation, PSNR, what is painted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from smarthdr_studio.core.curation.closeness import kept_psnr, measure_psnr
from smarthdr_studio.core.curation.clue_records import ClueRecord
from smarthdr_studio.core.curation.record_keeping import kept_records, look_at
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.project import Project
from smarthdr_studio.studio.tasks import Report


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SceneFigures:
    """Figures by scene: records of frames, PSNR-μ in dB, and painted shares by a mask's hash.

    `unseen` and `unmeasured` are scenes that still have to
    be looked at, or held against their ground truth, in the order of the project.
    """

    records: Mapping[str, ClueRecord] = field(default_factory=dict)
    psnr_mu: Mapping[str, float | None] = field(default_factory=dict)
    painted: Mapping[str, float] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    unmeasured: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which scenes to look at, to hold against their ground truth, and to count the brush of."""

    look: tuple[str, ...] = ()
    measure: tuple[str, ...] = ()
    count: tuple[str, ...] = ()


def read_kept(*, folder: Path) -> SceneFigures:
    """What was found before and is still true, and which scenes lack it."""
    with Project.open(folder) as project:
        records = kept_records(project)
        measured, unmeasured = kept_psnr(project)
        unseen = tuple(scene.id for scene in project.scenes if scene.id not in records)
    return SceneFigures(records=records, psnr_mu=measured, unseen=unseen, unmeasured=unmeasured)


def find_figures(report: Report, *, folder: Path, wanted: Wanted) -> SceneFigures:
    """Find figures of a few scenes and keep them; scenes that cannot be read are left out."""
    with Project.open(folder) as project:
        painted = _counted(project, wanted.count)
        measured: dict[str, float | None] = {}
        for name in wanted.measure:
            report("", 0, 0)
            measured[name] = measure_psnr(project, name)
        records, _ = look_at(
            project, map(project.scene, wanted.look), seen=lambda _: report("", 0, 0)
        )
    return SceneFigures(records=records, psnr_mu=measured, painted=painted)


def _counted(project: Project, scenes: tuple[str, ...]) -> dict[str, float]:
    """The share of pixels a person's brush decides, by the hash of the mask."""
    shares = {}
    for name in scenes:
        mask = project.state(name).person
        try:
            person = project.person(name)
        except StudioError:
            continue
        if mask is not None and person is not None:
            shares[mask] = float(np.count_nonzero(person) / person.size)
    return shares
