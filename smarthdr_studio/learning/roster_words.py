"""What changed from one round to the next, in words: by a person's will or by damage."""

from collections.abc import Iterator, Mapping
from typing import Final

from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.learning.roster import LabelFile, Roster

_HELD_AGAINST: Final[Mapping[str, str]] = {
    "ground truth": "learns from",
    "held out": "is validated against",
}


def changes(before: Roster, after: Roster) -> tuple[str, ...]:
    """What a person changed in between and what became damaged, one sentence each."""
    said = [
        f"{name}: {what}"
        for name in sorted(_all(before) | _all(after))
        for what in _changes_of(name, before, after)
    ]
    return (*said, *_mask_changes(before.masks, after.masks))


def _changes_of(name: str, before: Roster, after: Roster) -> Iterator[str]:
    if name in after.damaged:
        if before.damaged.get(name) != after.damaged[name]:
            yield f"is left out from this round on, because {after.damaged[name]}"
        return
    old, new = _part(before, name), _part(after, name)
    if old != new:
        yield f"was {old}, is {new} from this round on"
    if new == "promoted":
        yield from _promotion_changes(before.promoted.get(name), after.promoted[name])
    if new in _HELD_AGAINST and before.truths.get(name) != after.truths.get(name):
        brought = name in after.truths
        which = "a ground truth that was brought" if brought else "the dataset's ground truth"
        yield f"{_HELD_AGAINST[new]} {which} from this round on"
    if old == new == "unlabelled" and before.brushes.get(name) != after.brushes.get(name):
        painted = name in after.brushes
        yield f"the brush is {'new' if painted else 'gone'} from this round on"


def _promotion_changes(before: LabelFile | None, after: LabelFile) -> Iterator[str]:
    if before is not None and before.path != after.path:
        yield "has a new promoted label from this round on"
    if after.whole and not (before and before.whole):
        yield "every pixel of its label counts from this round on"
    elif before and before.whole and not after.whole:
        yield "only trusted pixels of its label count from this round on"


def _mask_changes(old: MaskSettings, new: MaskSettings) -> tuple[str, ...]:
    said = [
        f"{name} is {after:g}, was {before:g}"
        for name, before, after in (
            ("τ_pa", old.tau_patch, new.tau_patch),
            ("τ_pi", old.tau_pixel, new.tau_pixel),
            ("patch size", old.patch_size, new.patch_size),
        )
        if before != after
    ]
    if (old.patches, old.pixels) != (new.patches, new.pixels):
        said.append("scores are normalised in a new way")
    return tuple(said)


def _all(roster: Roster) -> set[str]:
    parts = (roster.labelled, roster.promoted, roster.unlabelled, roster.held_out, roster.damaged)
    return {name for part in parts for name in part}


def _part(roster: Roster, name: str) -> str:
    if name in roster.damaged:
        return "left out"
    parts = {
        "promoted": roster.promoted,
        "ground truth": roster.labelled,
        "unlabelled": roster.unlabelled,
        "held out": roster.held_out,
    }
    return next((part for part, names in parts.items() if name in names), "left out")
