"""The id and the split of a scene, from the folders it lies in."""

import re
from collections.abc import Sequence
from typing import Final

from smarthdr_studio.core.bracket import Split

_TRAIN: Final = re.compile(r"train(ing)?(\d*|[_\- ].*)", re.IGNORECASE)
_TEST: Final = re.compile(r"(test(ing)?|val(id(ation)?)?)(\d*|[_\- ].*)", re.IGNORECASE)
_TEST_SCENE: Final = re.compile(r"test_?set_\d+", re.IGNORECASE)
_UNSAFE: Final = re.compile(r"[^\w.\-+]+")
# Hu 2020 numbers its scenes through: 001-085 train, 086-100 test.
_HU_LAST_TRAINING: Final = 85


def natural_key(name: str) -> tuple[tuple[int, int | str], ...]:
    """Sorts "scene 9" before "scene 10", whatever the case."""
    pieces = re.split(r"(\d+)", name.casefold())
    return tuple((0, int(each)) if each.isdecimal() else (1, each) for each in pieces)


def split_of(parts: Sequence[str], *, layout: str) -> Split:
    """Train or test, from the folders named so, or from Hu's numbers where there are none."""
    for part in parts[:-1]:
        if _TEST.fullmatch(part):
            return "test"
        if _TRAIN.fullmatch(part):
            return "train"
    last = parts[-1] if parts else ""
    if _TEST_SCENE.fullmatch(last):
        return "test"
    if layout == "hu" and last.isdecimal() and int(last) > _HU_LAST_TRAINING:
        return "test"
    return "train"


def scene_ids(scenes: Sequence[Sequence[str]], *, root_name: str) -> list[str]:
    """One id per scene: its folders joined by "-", without a leading training folder.

    Ids are safe as file names and differ even where a disk ignores case; a scene that is the
    dataset folder itself takes its name.
    """
    short = [_joined(_without_training(parts)) or _joined((root_name,)) for parts in scenes]
    counts = _counted(short)
    whole = [
        name if counts[name.casefold()] == 1 else _joined(parts) or name
        for name, parts in zip(short, scenes, strict=True)
    ]
    return _numbered(whole)


def _without_training(parts: Sequence[str]) -> Sequence[str]:
    return parts[1:] if len(parts) > 1 and _TRAIN.fullmatch(parts[0]) else parts


def _joined(parts: Sequence[str]) -> str:
    return _UNSAFE.sub("_", "-".join(parts)).strip(".") or "scene" if parts else ""


def _counted(names: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name.casefold()] = counts.get(name.casefold(), 0) + 1
    return counts


def _numbered(names: Sequence[str]) -> list[str]:
    taken: set[str] = set()
    ids = []
    for name in names:
        candidate, again = name, 2
        while candidate.casefold() in taken:
            candidate, again = f"{name}-{again}", again + 1
        taken.add(candidate.casefold())
        ids.append(candidate)
    return ids
