"""The journal of decisions, and what it adds up to; pure functions over append-only entries.

Entries written in one go share a group: a group is what one undo takes back. An undo is a group
of its own that names the group it undoes, and a redo names the undo, so nothing is ever erased.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from smarthdr_studio.core.masking import MaskSettings


class Status(StrEnum):
    """What a scene is to training."""

    GROUND_TRUTH = "ground truth"
    PROMOTED = "promoted"
    UNLABELLED = "unlabelled"
    EXCLUDED = "excluded"
    TEST = "test"


class Kind(StrEnum):
    """What was done."""

    CREATED = "created"
    PROMOTE = "promote"
    DEMOTE = "demote"
    EXCLUDE = "exclude"
    RESTORE = "restore"
    USE_GROUND_TRUTH = "use ground truth"
    SET_MASKS = "set thresholds"
    UNDO = "undo"
    REDO = "redo"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One line of the journal: one scene, or the thresholds of the project (`scene` is None).

    `masks` are the thresholds in force after the entry. `label` is the promoted label the scene
    has after it, relative to the project folder; `run`, `round` and `checkpoint` say who made it.
    """

    group: str
    at: str  # UTC, ISO 8601 with milliseconds
    who: str  # user@host
    kind: Kind
    scene: str | None = None
    before: Status | None = None
    after: Status | None = None
    masks: MaskSettings | None = None
    run: str | None = None
    round: int | None = None
    checkpoint: str | None = None
    label: str | None = None
    note: str = ""
    undoes: str | None = None
    seq: int = 0  # given by the project when the entry is written


class SceneState(NamedTuple):
    """Status, promoted label, and for an excluded scene what it was before."""

    status: Status
    label: str | None = None
    aside: "SceneState | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What a journal adds up to; both stacks hold groups, the latest last."""

    scenes: Mapping[str, SceneState]
    masks: MaskSettings
    undoable: tuple[str, ...]
    redoable: tuple[str, ...]


_PHRASES: Final[Mapping[Kind, str]] = {
    Kind.CREATED: "create {}",
    Kind.PROMOTE: "promote {}",
    Kind.DEMOTE: "demote {}",
    Kind.EXCLUDE: "exclude {}",
    Kind.RESTORE: "restore {}",
    Kind.USE_GROUND_TRUTH: "use the ground truth of {}",
}


def add_up(entries: Sequence[JournalEntry]) -> Ledger:
    """State of every scene, thresholds and both stacks after these entries, in their order."""
    scenes: dict[str, SceneState] = {}
    masks = MaskSettings()
    scenes_before: dict[tuple[str, str], SceneState] = {}
    masks_before: dict[str, MaskSettings] = {}
    for entry in entries:
        if entry.scene is None:
            masks_before[entry.group] = masks
            masks = masks_before[entry.undoes] if entry.undoes else entry.masks or masks
            continue
        now = scenes.get(entry.scene)
        if now is not None:
            scenes_before[entry.group, entry.scene] = now
        if entry.undoes:
            # The whole earlier state returns, with what an excluded scene once was.
            scenes[entry.scene] = scenes_before[entry.undoes, entry.scene]
        elif entry.after is not None:
            aside = now if entry.kind is Kind.EXCLUDE else None
            scenes[entry.scene] = SceneState(entry.after, entry.label, aside)
    undoable, redoable = _stacks(entries)
    return Ledger(scenes=scenes, masks=masks, undoable=undoable, redoable=redoable)


def inverse(
    entries: Sequence[JournalEntry], group: str, *, kind: Kind, at: str, who: str, new_group: str
) -> tuple[JournalEntry, ...]:
    """Entries that take `group` back: each scene, or the thresholds, as before it."""
    first = next(index for index, entry in enumerate(entries) if entry.group == group)
    earlier, masks_now = add_up(entries[:first]), add_up(entries).masks
    return tuple(
        JournalEntry(
            group=new_group,
            at=at,
            who=who,
            kind=kind,
            scene=entry.scene,
            before=entry.after,
            after=entry.before,
            masks=earlier.masks if entry.scene is None else masks_now,
            label=None if entry.scene is None else earlier.scenes[entry.scene].label,
            undoes=group,
        )
        for entry in entries[first:]
        if entry.group == group
    )


def in_words(entries: Sequence[JournalEntry], group: str) -> str:
    """What a group did ("promote 3 scenes"); of an undo or redo, what it was about."""
    members = [entry for entry in entries if entry.group == group]
    first = members[0]
    if first.undoes is not None:
        return in_words(entries, first.undoes)
    if first.masks is not None and first.scene is None:
        return f"set the thresholds to {first.masks.tau_patch:g} and {first.masks.tau_pixel:g}"
    about = str(first.scene) if len(members) == 1 else f"{len(members)} scenes"
    return _PHRASES[first.kind].format(about)


def _stacks(entries: Sequence[JournalEntry]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    undoable: list[str] = []
    redoable: list[str] = []
    last = None
    for entry in entries:
        if entry.group == last or entry.kind is Kind.CREATED:
            continue
        last = entry.group
        if entry.undoes is None:
            undoable.append(entry.group)
            redoable.clear()
        elif entry.kind is Kind.UNDO:
            undoable.remove(entry.undoes)
            redoable.append(entry.group)
        else:
            redoable.remove(entry.undoes)
            undoable.append(entry.group)
    return tuple(undoable), tuple(redoable)
