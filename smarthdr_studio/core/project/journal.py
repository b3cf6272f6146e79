"""The journal of decisions, and what it adds up to; pure functions over append-only entries.

Entries written in one go share a group: a group is what one undo takes back. An undo is a group
of its own that names the group it undoes, and a redo names the undo, so nothing is ever erased.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from smarthdr_studio.core.imaging.bracket import FrameReading, Three
from smarthdr_studio.core.trust.masking import PATCH_SIZE, MaskSettings
from smarthdr_studio.core.words import counted


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
    IMPORT_TRUTH = "bring ground truth"
    PAINT = "paint"
    CHOOSE_FRAMES = "choose frames"
    ANNOTATE = "annotate"
    SPLIT = "import a split"
    SET_MASKS = "set thresholds"
    GO_BACK = "go back to a run"
    READ_FRAMES = "read frames"
    UNDO = "undo"
    REDO = "redo"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One line of the journal: one scene, or thresholds or reading of the project (no `scene`).

    `masks` are the thresholds in force after the entry. `label` is the promoted label the scene
    has after it, relative to the project folder, and `whole` says whether the loss counts the whole
    picture; `run`, `round` and `checkpoint` say who made it. `truth` is a ground truth that was
    brought. `checksum` is the SHA-256 of the file that came with the entry, label or truth.
    `person` is the hash of the mask a person has painted so far, None with nothing painted. `note`
    is why it was decided; of an annotation it is the scene's note, and `tags` are its tags. `three`
    are the frames a person chose for the scene, None where the program does.
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
    whole: bool = False
    checksum: str | None = None
    truth: str | None = None
    person: str | None = None
    tags: tuple[str, ...] = ()
    note: str = ""
    undoes: str | None = None
    reading: FrameReading | None = None  # how frames are read after the entry, where it says so
    three: Three | None = None
    seq: int = 0  # given by the project when the entry is written


class SceneState(NamedTuple):
    """What a scene is now; of an excluded scene `aside` is what it was before.

    Paths are relative to the project folder; the fields are those of `JournalEntry`.
    """

    status: Status
    label: str | None = None
    aside: "SceneState | None" = None
    whole: bool = False
    checksum: str | None = None  # of the label file
    truth: str | None = None
    truth_checksum: str | None = None
    person: str | None = None
    three: Three | None = None
    note: str = ""
    tags: tuple[str, ...] = ()

    def files(self) -> dict[str, str | None]:
        """The files a scene in this state needs, with their checksums where known."""
        needed = {} if self.aside is None else self.aside.files()
        own = (self.label, self.checksum), (self.truth, self.truth_checksum)
        return needed | {path: checksum for path, checksum in own if path is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What a journal adds up to; both stacks hold groups, the latest last."""

    scenes: Mapping[str, SceneState]
    masks: MaskSettings
    reading: FrameReading
    undoable: tuple[str, ...]
    redoable: tuple[str, ...]


_PHRASES: Final[Mapping[Kind, str]] = {
    Kind.CREATED: "create {}",
    Kind.PROMOTE: "promote {}",
    Kind.DEMOTE: "demote {}",
    Kind.EXCLUDE: "exclude {}",
    Kind.RESTORE: "restore {}",
    Kind.USE_GROUND_TRUTH: "use the ground truth of {}",
    Kind.IMPORT_TRUTH: "import the ground truth of {}",
    Kind.PAINT: "paint on {}",
    Kind.CHOOSE_FRAMES: "choose the frames of {}",
    Kind.ANNOTATE: "note on {}",
    Kind.SPLIT: "import a split of {}",
    Kind.GO_BACK: "set {} back to a run",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionSubject:
    """What a decision was about: scenes in the order they were decided, or settings of all.

    `masks` are the thresholds it set, `reading` is how it lets frames be read; else None.
    """

    kind: Kind
    scenes: tuple[str, ...] = ()
    masks: MaskSettings | None = None
    reading: FrameReading | None = None

    @property
    def words(self) -> str:
        """In words as undo has for it: "promote 3 scenes"."""
        if self.reading is not None:
            return f"read frames {self.reading.words}"
        if self.masks is not None:
            return f"set the thresholds to {self.masks.tau_patch:g} and {self.masks.tau_pixel:g}"
        about = self.scenes[0] if len(self.scenes) == 1 else f"{len(self.scenes)} scenes"
        return _PHRASES[self.kind].format(about)


class Accounts:
    """A journal added up entry by entry, so that one more decision costs no more than the first."""

    def __init__(self, entries: Iterable[JournalEntry] = ()) -> None:
        self._scenes: dict[str, SceneState] = {}
        self._masks = MaskSettings()
        self._reading = FrameReading()
        self._scenes_before: dict[tuple[str, str], SceneState] = {}
        self._masks_before: dict[str, MaskSettings] = {}
        self._readings_before: dict[str, FrameReading] = {}
        self._members: dict[str, list[JournalEntry]] = {}
        self._undoable: list[str] = []
        self._redoable: list[str] = []
        self._truths: dict[str | None, str | None] = {}  # checksums of those that were imported
        self._ledger: Ledger | None = None
        self.take(entries)

    def take(self, entries: Iterable[JournalEntry]) -> None:
        """Add the entries that follow, in their order."""
        for entry in entries:
            self._ledger = None
            self._stack(entry)
            if entry.scene is None:
                self._take_settings(entry)
            else:
                self._take_scene(entry, entry.scene)

    @property
    def reading(self) -> FrameReading:
        """How frames are read by now."""
        return self._reading

    def state(self, scene: str) -> SceneState:
        """What is known of one scene by now; a ledger of all of them costs a copy of each."""
        return self._scenes[scene]

    def ledger(self) -> Ledger:
        """What all entries so far add up to."""
        if self._ledger is None:
            self._ledger = Ledger(
                scenes=dict(self._scenes),
                masks=self._masks,
                reading=self._reading,
                undoable=tuple(self._undoable),
                redoable=tuple(self._redoable),
            )
        return self._ledger

    def inverse(
        self, group: str, *, kind: Kind, at: str, who: str, new_group: str
    ) -> tuple[JournalEntry, ...]:
        """Entries that take `group` back: each scene, or the settings, as before it."""
        return tuple(
            self._undone(
                entry, JournalEntry(group=new_group, at=at, who=who, kind=kind, undoes=group)
            )
            for entry in self._members[group]
        )

    def states_before(self, group: str) -> tuple[SceneState, ...]:
        """What the scenes of a group were before it, and would be again without it."""
        scenes = (entry.scene for entry in self._members[group])
        return tuple(self._scenes_before[group, name] for name in scenes if name is not None)

    def subject(self, group: str) -> DecisionSubject:
        """What a group did; of an undo or redo, what it was about."""
        members = self._members[group]
        first = members[0]
        if first.undoes is not None:
            return self.subject(first.undoes)
        return DecisionSubject(
            kind=first.kind,
            scenes=tuple(entry.scene for entry in members if entry.scene is not None),
            masks=first.masks if first.scene is None and first.reading is None else None,
            reading=first.reading,
        )

    def in_words(self, group: str) -> str:
        """The same in words."""
        return self.subject(group).words

    def _undone(self, entry: JournalEntry, draft: JournalEntry) -> JournalEntry:
        if entry.scene is None:
            was = None if entry.reading is None else self._readings_before[entry.group]
            return replace(draft, masks=self._masks_before[entry.group], reading=was)
        earlier = self._scenes_before[entry.group, entry.scene]
        return replace(
            draft,
            scene=entry.scene,
            before=entry.after,
            after=entry.before,
            masks=self._masks_before.get(entry.group, self._masks),
            label=earlier.label,
            whole=earlier.whole,
            truth=earlier.truth,
            person=earlier.person,
            tags=earlier.tags,
            checksum=earlier.checksum,
            three=earlier.three,
        )

    def _take_settings(self, entry: JournalEntry) -> None:
        self._readings_before[entry.group] = self._reading
        self._reading = entry.reading or self._reading
        self._masks_before[entry.group] = self._masks
        self._masks = (
            self._masks_before[entry.undoes] if entry.undoes else entry.masks or self._masks
        )

    def _take_scene(self, entry: JournalEntry, scene: str) -> None:
        now = self._scenes.get(scene)
        if now is not None:
            self._scenes_before[entry.group, scene] = now
        if entry.undoes:
            # The whole earlier state returns, with what an excluded scene once was.
            self._scenes[scene] = self._scenes_before[entry.undoes, scene]
        elif entry.after is not None:
            then = _after(entry, now or SceneState(entry.after))
            if entry.kind is Kind.IMPORT_TRUTH:
                self._truths[entry.truth] = entry.checksum
            elif entry.kind is Kind.GO_BACK:
                then = then._replace(truth_checksum=self._truths.get(then.truth))
            self._scenes[scene] = then

    def _stack(self, entry: JournalEntry) -> None:
        """Put a new group on the stack of what can be undone, or move it between the two."""
        if entry.group in self._members:
            self._members[entry.group].append(entry)
            return
        self._members[entry.group] = [entry]
        if entry.kind is Kind.CREATED:
            return
        if entry.undoes is None:
            self._undoable.append(entry.group)
            self._redoable.clear()
        elif entry.kind is Kind.UNDO:
            self._undoable.remove(entry.undoes)
            self._redoable.append(entry.group)
        else:
            self._redoable.remove(entry.undoes)
            self._undoable.append(entry.group)


def add_up(entries: Iterable[JournalEntry]) -> Ledger:
    """State of every scene, thresholds and both stacks after these entries, in their order."""
    return Accounts(entries).ledger()


def in_words(entries: Iterable[JournalEntry], group: str) -> str:
    """What a group of a journal did; see `Accounts.in_words`."""
    return Accounts(entries).in_words(group)


def _after(entry: JournalEntry, now: SceneState) -> SceneState:
    """The state of a scene after a decision about it that undoes nothing."""
    status = entry.after or now.status
    plain = now._replace(status=status, label=None, whole=False, checksum=None, aside=None)
    match entry.kind:
        case Kind.PROMOTE:
            then = plain._replace(label=entry.label, whole=entry.whole, checksum=entry.checksum)
        case Kind.EXCLUDE | Kind.SPLIT | Kind.GO_BACK if status is Status.EXCLUDED:
            then = plain._replace(aside=now.aside if now.status is status else now)
        case Kind.RESTORE:
            was = now.aside or plain
            then = plain._replace(label=was.label, whole=was.whole, checksum=was.checksum)
        case Kind.IMPORT_TRUTH:
            then = plain._replace(truth=entry.truth, truth_checksum=entry.checksum)
        case Kind.GO_BACK:
            then = plain._replace(
                label=entry.label,
                whole=entry.whole,
                checksum=entry.checksum,
                truth=entry.truth,
                person=entry.person,
                three=entry.three,
            )
        case Kind.PAINT | Kind.ANNOTATE | Kind.CHOOSE_FRAMES:
            then = _about_scene(entry, now)
        case _:
            then = plain
    return then


def _about_scene(entry: JournalEntry, now: SceneState) -> SceneState:
    """The state after a decision that leaves the status of a scene alone."""
    match entry.kind:
        case Kind.PAINT:
            return now._replace(person=entry.person)
        case Kind.CHOOSE_FRAMES:
            return now._replace(three=entry.three)
        case _:
            return now._replace(note=entry.note, tags=entry.tags)


class ChangeKind(StrEnum):
    """What can differ between two moments."""

    STATUS = "status"
    LABEL = "label"
    WHOLE = "whole picture"
    TRUTH = "ground truth"
    BRUSH = "brush"
    FRAMES = "frames"
    NOTE = "note"
    TAGS = "tags"
    THRESHOLDS = "thresholds"
    READING = "frames are read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that differs: of a scene, or of the project (`scene` is None).

    `before` and `after` are as a person reads them, "" for nothing.
    """

    scene: str | None
    matter: ChangeKind
    before: str
    after: str

    @property
    def words(self) -> str:
        """The change in one line."""
        of = "" if self.scene is None else f"{self.scene}: "
        return f"{of}{self.matter} {self.before or 'none'} → {self.after or 'none'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionSummary:
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


def ledger_at(entries: Sequence[JournalEntry], at: str | int) -> Ledger:
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


def ledger_differences(before: Ledger, after: Ledger) -> tuple[Change, ...]:
    """What changed from one moment to another, by scene; none where both are the same."""
    scenes = dict.fromkeys((*before.scenes, *after.scenes))
    nothing = dict.fromkeys(ChangeKind, "")
    found = _between(None, _settings_in_words(before), _settings_in_words(after))
    for scene in sorted(scenes):
        then, now = before.scenes.get(scene), after.scenes.get(scene)
        if then != now:
            told = [nothing if state is None else _state_in_words(state) for state in (then, now)]
            found += _between(scene, *told)
    return tuple(found)


def decision_history(entries: Sequence[JournalEntry]) -> tuple[DecisionSummary, ...]:
    """The journal as decisions, newest first; the making of the project is the last."""
    accounts = Accounts(entries)
    groups: dict[str, list[JournalEntry]] = {}
    for entry in entries:
        groups.setdefault(entry.group, []).append(entry)
    standing = {_root(group, groups) for group in accounts.ledger().undoable}
    return tuple(
        _summary(members, accounts.in_words(group), stands=group in standing)
        for group, members in reversed(groups.items())
    )


def initially_unlabelled(entries: Iterable[JournalEntry]) -> tuple[str, ...]:
    """The scenes that had no label when the project was made: what there was to choose from."""
    return tuple(
        entry.scene
        for entry in entries
        if entry.kind is Kind.CREATED and entry.scene and entry.after is Status.UNLABELLED
    )


def _summary(members: Sequence[JournalEntry], words: str, *, stands: bool) -> DecisionSummary:
    first = members[0]
    reverses = first.kind in {Kind.UNDO, Kind.REDO}
    return DecisionSummary(
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
        note=_note(members),
        undone=not (stands or reverses or first.kind is Kind.CREATED),
    )


def _note(members: Sequence[JournalEntry]) -> str:
    """Why it was decided; of a new project what was odd about the first such scene."""
    first = members[0]
    notes = [entry.note for entry in members if entry.note]
    if first.kind is not Kind.CREATED or len(notes) < 2:
        return notes[0] if notes else ""
    more = counted(len(notes) - 1, "scene")
    return f"{notes[0]} Something is odd about {more} more."


def _root(group: str, groups: dict[str, list[JournalEntry]]) -> str:
    """The decision that a chain of undo and redo is about."""
    while (undoes := groups[group][0].undoes) is not None:
        group = undoes
    return group


def _between(
    scene: str | None, before: dict[ChangeKind, str], after: dict[ChangeKind, str]
) -> list[Change]:
    return [
        Change(scene=scene, matter=matter, before=was, after=after[matter])
        for matter, was in before.items()
        if was != after[matter]
    ]


def _state_in_words(state: SceneState) -> dict[ChangeKind, str]:
    """A state as words; what differs in the state differs in the words, but for checksums."""
    aside = "" if state.aside is None else f", was {state.aside.status}"
    was = None if state.aside is None else state.aside.label
    return {
        ChangeKind.STATUS: f"{state.status}{aside}",
        ChangeKind.LABEL: _version(state.label) or _version(was),
        ChangeKind.WHOLE: "counted" if state.whole else "",
        ChangeKind.TRUTH: "" if state.truth is None else PurePosixPath(state.truth).name,
        ChangeKind.BRUSH: "" if state.person is None else f"mask {state.person[:8]}",
        ChangeKind.FRAMES: three_in_words(state.three),
        ChangeKind.NOTE: f"“{state.note}”" if state.note else "",
        ChangeKind.TAGS: ", ".join(state.tags),
        ChangeKind.THRESHOLDS: "",
        ChangeKind.READING: "",
    }


def three_in_words(three: Three | None) -> str:
    """Which frames of its bracket were chosen, counted from 1 by rising exposure; "" for none."""
    return "" if three is None else f"{three[0] + 1}, {three[1] + 1} and {three[2] + 1}"


def _version(label: str | None) -> str:
    return "" if label is None else f"version {PurePosixPath(label).stem}"


def _settings_in_words(ledger: Ledger) -> dict[ChangeKind, str]:
    return {ChangeKind.THRESHOLDS: _taus(ledger), ChangeKind.READING: ledger.reading.words}


def _taus(ledger: Ledger) -> str:
    masks = ledger.masks
    size = "" if masks.patch_size == PATCH_SIZE else f", patches of {masks.patch_size} pixels"
    return (
        f"τ_pa {masks.tau_patch:g} ({masks.patches.words}), "
        f"τ_pi {masks.tau_pixel:g} ({masks.pixels.words}){size}"
    )


def differing_scenes(now: Ledger, then: Ledger) -> tuple[str, ...]:
    """The scenes from which training would learn otherwise now than then, sorted.

    Notes and tags do not count, nor what an excluded scene was before it was excluded.
    """
    known = now.scenes.keys() & then.scenes.keys()
    return tuple(sorted(n for n in known if _counts(now.scenes[n]) != _counts(then.scenes[n])))


def reverting_entry(draft: JournalEntry, now: SceneState, then: SceneState) -> JournalEntry:
    """The entry with which a scene becomes again what it was then."""
    return replace(
        draft,
        before=now.status,
        after=then.status,
        label=then.label,
        whole=then.whole,
        checksum=then.checksum,
        truth=then.truth,
        person=then.person,
        three=then.three,
    )


def _counts(state: SceneState) -> tuple[object, ...]:
    if state.status is Status.EXCLUDED:
        return (state.status,)
    return state.status, state.label, state.whole, state.truth, state.person, state.three
