"""The past: everything as it was at a moment, what changed between two, and the story so far."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from smarthdr_studio.core.journal import (
    Accounts,
    JournalEntry,
    Kind,
    Ledger,
    SceneState,
    Status,
    add_up,
)
from smarthdr_studio.core.masking import PATCH_SIZE, Level, MaskSettings


class Matter(StrEnum):
    """What can differ between two moments."""

    STATUS = "status"
    LABEL = "label"
    WHOLE = "whole picture"
    TRUTH = "ground truth"
    BRUSH = "brush"
    NOTE = "note"
    TAGS = "tags"
    THRESHOLDS = "thresholds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that differs: of a scene, or of the project (`scene` is None).

    `before` and `after` are as a person reads them, "" for nothing.
    """

    scene: str | None
    matter: Matter
    before: str
    after: str

    @property
    def words(self) -> str:
        """The change in one line."""
        of = "" if self.scene is None else f"{self.scene}: "
        return f"{of}{self.matter} {self.before or 'none'} → {self.after or 'none'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One decision of the journal, a group: when (UTC), who, what in words, and how it was made.

    `scenes` are those it was about; `masks` the thresholds in force after it; run, round and
    checkpoint say whose pseudo-labels were promoted. `undone` is whether it does not stand now;
    `seq` is its last entry, the moment right after it.
    """

    group: str
    seq: int
    at: str
    who: str
    kind: Kind
    what: str
    scenes: tuple[str, ...]
    masks: MaskSettings | None
    run: str | None
    round: int | None
    checkpoint: str | None
    note: str
    undone: bool


def as_it_was(entries: Sequence[JournalEntry], at: str | int) -> Ledger:
    """What the journal added up to at a moment; a decision is never cut in two.

    `at` is the number of an entry, or UTC as in the journal, also shortened: "2026-03-01" is the
    end of that day. Where a clock was turned back, the order of the journal counts.
    """
    last = 0
    for index, entry in enumerate(entries, 1):
        known = entry.seq <= at if isinstance(at, int) else entry.at[: len(at)] <= at
        if known:
            last = index
    while 0 < last < len(entries) and entries[last].group == entries[last - 1].group:
        last += 1
    return add_up(entries[:last])


def differences(before: Ledger, after: Ledger) -> tuple[Change, ...]:
    """What changed from one moment to another, by scene; none where both are the same."""
    scenes = dict.fromkeys((*before.scenes, *after.scenes))
    nothing = dict.fromkeys(Matter, "")
    found = _between(None, {Matter.THRESHOLDS: _taus(before)}, {Matter.THRESHOLDS: _taus(after)})
    for scene in sorted(scenes):
        then, now = before.scenes.get(scene), after.scenes.get(scene)
        if then != now:
            told = [nothing if state is None else _told(state) for state in (then, now)]
            found += _between(scene, *told)
    return tuple(found)


def story(entries: Sequence[JournalEntry]) -> tuple[Line, ...]:
    """The journal as decisions, newest first; the making of the project is the last."""
    accounts = Accounts(entries)
    groups: dict[str, list[JournalEntry]] = {}
    for entry in entries:
        groups.setdefault(entry.group, []).append(entry)
    standing = {_root(group, groups) for group in accounts.ledger().undoable}
    return tuple(
        _line(members, accounts.in_words(group), stands=group in standing)
        for group, members in reversed(groups.items())
    )


def unlabelled_at_first(entries: Iterable[JournalEntry]) -> tuple[str, ...]:
    """The scenes that had no label when the project was made: what there was to choose from."""
    return tuple(
        entry.scene
        for entry in entries
        if entry.kind is Kind.CREATED and entry.scene and entry.after is Status.UNLABELLED
    )


def _line(members: Sequence[JournalEntry], words: str, *, stands: bool) -> Line:
    first = members[0]
    reverses = first.kind in {Kind.UNDO, Kind.REDO}
    return Line(
        group=first.group,
        seq=members[-1].seq,
        at=first.at,
        who=first.who,
        kind=first.kind,
        what=f"{first.kind}: {words}" if reverses else words,
        scenes=tuple(entry.scene for entry in members if entry.scene is not None),
        masks=first.masks,
        run=first.run,
        round=first.round,
        checkpoint=first.checkpoint,
        note=first.note,
        undone=not (stands or reverses or first.kind is Kind.CREATED),
    )


def _root(group: str, groups: dict[str, list[JournalEntry]]) -> str:
    """The decision that a chain of undo and redo is about."""
    while (undoes := groups[group][0].undoes) is not None:
        group = undoes
    return group


def _between(
    scene: str | None, before: dict[Matter, str], after: dict[Matter, str]
) -> list[Change]:
    return [
        Change(scene=scene, matter=matter, before=was, after=after[matter])
        for matter, was in before.items()
        if was != after[matter]
    ]


def _told(state: SceneState) -> dict[Matter, str]:
    """A state as words; what differs in the state differs in the words, but for checksums."""
    aside = "" if state.aside is None else f", was {state.aside.status}"
    was = None if state.aside is None else state.aside.label
    return {
        Matter.STATUS: f"{state.status}{aside}",
        Matter.LABEL: _version(state.label) or _version(was),
        Matter.WHOLE: "counted" if state.whole else "",
        Matter.TRUTH: "" if state.truth is None else PurePosixPath(state.truth).name,
        Matter.BRUSH: "" if state.person is None else f"mask {state.person[:8]}",
        Matter.NOTE: f"“{state.note}”" if state.note else "",
        Matter.TAGS: ", ".join(state.tags),
        Matter.THRESHOLDS: "",
    }


def _version(label: str | None) -> str:
    return "" if label is None else f"version {PurePosixPath(label).stem}"


def _taus(ledger: Ledger) -> str:
    masks = ledger.masks
    size = "" if masks.patch_size == PATCH_SIZE else f", patches of {masks.patch_size} pixels"
    return (
        f"τ_pa {masks.tau_patch:g} ({_level(masks.patches)}), "
        f"τ_pi {masks.tau_pixel:g} ({_level(masks.pixels)}){size}"
    )


def _level(level: Level) -> str:
    ends = f"{level.low_percentile:g} to {level.high_percentile:g}"
    how = "" if level.normalisation == "minmax" else f", percentiles {ends}"
    return f"over the {level.scope}{how}"
