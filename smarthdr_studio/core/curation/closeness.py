"""How close pseudo-labels come to ground truths: measured once, and kept while both files stay."""

import struct
from typing import Final

import numpy as np

from smarthdr_studio.core.bracket import Scene
from smarthdr_studio.core.decibels import psnr
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.file_stamps import stamp_of
from smarthdr_studio.core.frames import decode_ground_truth
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.pseudo_label import read_pseudo_label
from smarthdr_studio.core.radiance import mu_law

PSNR: Final = "psnr"
_NUMBER: Final = struct.Struct("<d")


def kept_psnr(project: Project) -> tuple[dict[str, float | None], tuple[str, ...]]:
    """PSNR-μ in dB by scene, as it was measured before and is still true; and scenes to measure.

    Scenes without a pseudo-label or a ground truth are in neither.
    """
    kept = project.figures(PSNR)
    known: dict[str, float | None] = {}
    unmeasured = []
    for scene in project.scenes:
        stamp = _stamp(project, scene)
        if not stamp:
            continue
        was, data = kept.get(scene.id, ("", b""))
        if was == stamp and len(data) == _NUMBER.size:
            known[scene.id] = _NUMBER.unpack(data)[0]
        else:
            unmeasured.append(scene.id)
    return known, tuple(unmeasured)


def measure_psnr(project: Project, name: str) -> float | None:
    """PSNR-μ of the pseudo-label in dB, kept from now on; None where it cannot be told."""
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
    project.keep_figures(PSNR, {name: (stamp, _NUMBER.pack(found))})
    return found


def _stamp(project: Project, scene: Scene) -> str:
    """What changes when either file does; "" where one of them is missing."""
    if scene.ground_truth is None:
        return ""
    label, truth = stamp_of(project.pseudo_path(scene.id)), stamp_of(scene.ground_truth)
    return f"{label} {truth} {scene.ground_truth_gain}" if label and truth else ""
