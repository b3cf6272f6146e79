"""What scenes were to runs when those were started, of one run or held against each other."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.running.listing import RunRow
from smarthdr_studio.core.running.stand import Stand, stand_in
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.studio.state import Contrast

Told = tuple[tuple[Contrast, ...], str]

_MOST: Final = 300  # lines: more than anybody reads
_MOST_NAMES: Final = 80
_PARTS: Final = ("ground truth", "promoted", "held out", "unlabelled")
_NOTHING: Final = "–"


def label_contrasts(project: Project, rows: Sequence[RunRow]) -> Told:
    """The scenes that were not the same to all of these runs, and thresholds that differ."""
    stands = [stand_in(project, RunFolder(row.folder)) for row in rows]
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
        return (), f"The same label set and thresholds, {_scenes(same)}."
    differ = "differs" if len(found) == 1 else "differ"
    words = f"{_scenes(len(found))} {differ}, {same} are the same."
    if len(found) > _MOST:
        words = f"{words[:-1]}; the first {_MOST} are listed."
    return (*thresholds, *found[:_MOST]), words


def checked_alike(project: Project, rows: Sequence[RunRow]) -> str:
    """A warning where runs were checked on different pictures, "" where on the same."""
    held_out = {
        frozenset(stand_in(project, RunFolder(row.folder)).held_out)
        for row in rows
        if row.best is not None
    }
    if len(held_out) < 2:
        return ""
    return "⚠ Not all of them were checked on the same held-out labels; PSNR may mislead."


def label_lists(project: Project, row: RunRow) -> Told:
    """Which scenes were what to one run, and its thresholds."""
    stand = stand_in(project, RunFolder(row.folder))
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
        told = f"τ_pa {masks.tau_patch:.2f}, τ_pi {masks.tau_pixel:.2f}"
        lists.insert(0, Contrast(name="thresholds", values=("", told)))
    words = "" if lists else "This run has not said yet what it learns from."
    return tuple(lists), words


def _parts(stand: Stand) -> Mapping[str, str]:
    """What each scene was, in words; of a promoted one the version of its label."""
    found = dict.fromkeys(stand.unlabelled, "unlabelled")
    found |= dict.fromkeys(stand.labelled, "ground truth")
    found |= {
        scene: f"promoted ({PurePosixPath(label).stem})" for scene, label in stand.promoted.items()
    }
    return found | dict.fromkeys(stand.held_out, "held out")


def _thresholds(masks: Sequence[MaskSettings | None]) -> list[Contrast]:
    if all(each == masks[0] for each in masks):
        return []
    found = []
    for name, field in (("τ_pa", "tau_patch"), ("τ_pi", "tau_pixel")):
        values = [None if each is None else float(getattr(each, field)) for each in masks]
        if any(value != values[0] for value in values):
            words = tuple(_NOTHING if value is None else f"{value:.2f}" for value in values)
            found.append(Contrast(name=f"threshold {name}", values=words))
    return found


def _names(scenes: Sequence[str]) -> str:
    left = len(scenes) - _MOST_NAMES
    return ", ".join(scenes[:_MOST_NAMES]) + (f" … and {left} more" if left > 0 else "")


def _scenes(count: int) -> str:
    return "1 scene" if count == 1 else f"{count} scenes"
