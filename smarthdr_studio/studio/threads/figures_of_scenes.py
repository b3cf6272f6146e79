"""Figures of scenes that take a look at their files: motion, saturation, PSNR, what is painted."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.curation.clue_records import ClueRecord
from smarthdr_studio.core.curation.record_keeping import kept_records, look_at
from smarthdr_studio.core.decibels import psnr
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.frames import decode_ground_truth
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.pseudo_label import read_pseudo_label
from smarthdr_studio.core.radiance import mu_law
from smarthdr_studio.studio.threads.scenes import stamp_of
from smarthdr_studio.studio.threads.task import Tell

PSNR: Final = "psnr"
_NUMBER: Final = struct.Struct("<d")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SceneFigures:
    """Figures by scene: records of frames, PSNR-μ in dB, and painted shares by a mask's hash.

    `serial` is the number of the question. `unseen` and `unmeasured` are scenes that still have to
    be looked at, or held against their ground truth, in the order of the project.
    """

    serial: int
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


def read_kept(tell: Tell, *, serial: int, folder: Path) -> SceneFigures:
    """What was found before and is still true, and which scenes lack it."""
    tell("reading figures", 0, 0)
    with Project.open(folder) as project:
        records = kept_records(project)
        measured, unmeasured = _kept_psnr(tell, project)
        unseen = tuple(scene.id for scene in project.scenes if scene.id not in records)
    return SceneFigures(
        serial=serial, records=records, psnr_mu=measured, unseen=unseen, unmeasured=unmeasured
    )


def find_figures(tell: Tell, *, serial: int, folder: Path, wanted: Wanted) -> SceneFigures:
    """Find figures of a few scenes and keep them; scenes that cannot be read are left out."""
    with Project.open(folder) as project:
        painted = _counted(project, wanted.count)
        measured: dict[str, float | None] = {}
        for name in wanted.measure:
            tell("", 0, 0)
            measured[name] = _measured(project, name)
        records, _ = look_at(
            project, map(project.scene, wanted.look), seen=lambda _: tell("", 0, 0)
        )
    return SceneFigures(serial=serial, records=records, psnr_mu=measured, painted=painted)


def _kept_psnr(tell: Tell, project: Project) -> tuple[dict[str, float | None], tuple[str, ...]]:
    kept = project.figures(PSNR)
    known: dict[str, float | None] = {}
    unmeasured = []
    for scene in project.scenes:
        stamp = _stamp(project, scene)
        if not stamp:
            continue
        tell("reading figures", 0, 0)
        was, data = kept.get(scene.id, ("", b""))
        if was == stamp and len(data) == _NUMBER.size:
            known[scene.id] = _NUMBER.unpack(data)[0]
        else:
            unmeasured.append(scene.id)
    return known, tuple(unmeasured)


def _stamp(project: Project, scene: Scene) -> str:
    """What changes when either file does; "" where one of them is missing."""
    if scene.ground_truth is None:
        return ""
    label, truth = stamp_of(project.pseudo_path(scene.id)), stamp_of(scene.ground_truth)
    return f"{label} {truth} {scene.ground_truth_gain}" if label and truth else ""


def _measured(project: Project, name: str) -> float | None:
    """PSNR-μ of the pseudo-label in dB; None where it cannot be told."""
    scene = project.scene(name)
    stamp = _stamp(project, scene)
    try:
        label = read_pseudo_label(project.pseudo_path(name), expect=(scene.height, scene.width))
        truth = decode_ground_truth(scene)
    except (StudioError, OSError):
        return None  # opening the scene tells what is wrong with its files
    if label.hdr.shape != truth.shape:
        return None
    found = psnr(*(mu_law(each.astype(np.float32)) for each in (label.hdr, truth)))
    if not project.read_only:
        project.keep_figures(PSNR, {name: (stamp, _NUMBER.pack(found))})
    return found


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
