"""Tells what was decided, and how the project stood at moments of the past, while it is seen."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Slot

from smarthdr_studio.core.environment import garbage_collection_paused
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.imaging.bracket import Scene, reading_in_words
from smarthdr_studio.core.project.journal import (
    Change,
    ChangeKind,
    DecisionSummary,
    JournalEntry,
    Kind,
    Ledger,
    SceneState,
    Status,
    decision_history,
    ledger_at,
    ledger_differences,
)
from smarthdr_studio.core.project.project import JournalReading, Project
from smarthdr_studio.core.project.stale import stale_labels
from smarthdr_studio.core.words import counted, tau_words
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import JournalState, PastState, SceneStory, StoryLine
from smarthdr_studio.studio.tasks import Job, LatestTask, RepeatedTask, TaskRunner, plain
from smarthdr_studio.studio.widgets.controls import local_time, short_time

Moment = str | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What two moments add up to: scenes of each status then and later, and what differs.

    `before` and `after` are those of the question.
    """

    before: Moment
    after: Moment | None
    counts: tuple[tuple[Status, int, int], ...]
    changes: tuple[Change, ...]
    known: bool


def read_story(*, entries: Sequence[JournalEntry]) -> tuple[DecisionSummary, ...]:
    """Every decision of a journal, newest first."""
    with garbage_collection_paused():
        return decision_history(entries)


def look_back(
    *,
    entries: Sequence[JournalEntry],
    before: Moment,
    after: Moment | None,
) -> Past:
    """How the project stood at one moment and at a later one, None for now."""
    then = ledger_at(entries, before)
    later = ledger_at(entries, entries[-1].seq if after is None else after)
    return Past(
        before=before,
        after=after,
        counts=tuple(
            (status, was, now)
            for (status, was), now in zip(
                _counts(then).items(), _counts(later).values(), strict=True
            )
            if was or now
        ),
        changes=ledger_differences(then, later),
        known=bool(then.scenes),
    )


def _counts(ledger: Ledger) -> Mapping[Status, int]:
    found = dict.fromkeys(Status, 0)
    for state in ledger.scenes.values():
        found[state.status] += 1
    return found


class JournalController(QObject):
    """Reads the journal anew when it has grown, but only for someone who looks at it."""

    def __init__(self, store: Store, tasks: TaskRunner) -> None:
        super().__init__(store)
        self._store = store
        self._seen = self._stale = False
        self._length = 0  # of the journal when it was looked at last
        self._before: Moment | None = None
        self._after: Moment | None = None
        self._reading = RepeatedTask(tasks, self._to_read, self._told)
        self._looking = RepeatedTask(tasks, self._to_look_back, self._looked)
        store.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        self._before = None
        self._stale, self._length = True, 0
        self._store.become(journal=JournalState())
        self._refresh()

    @Slot(bool)
    def watch(self, seen: object) -> None:
        """Whether anybody looks at the journal."""
        self._seen = bool(seen)
        self._refresh()

    def take_journal(self, journal: JournalReading) -> None:
        """Somebody may have decided something."""
        length = len(journal.entries)
        self._stale = self._stale or length != self._length
        self._length = length
        self._refresh()

    @Slot(object)
    def choose(self, chosen: tuple[int, ...]) -> None:
        """Show how the project stood right after a decision, or what changed between two."""
        chosen = tuple(sorted(chosen))
        if chosen == self._journal.chosen:
            return
        self._become(chosen=chosen)
        if chosen:
            self._compare(chosen[0], chosen[-1] if len(chosen) > 1 else None)
        else:
            self._compare(None, None)

    @Slot(str)
    def go_back_to(self, moment: str) -> None:
        """Show how the project stood at a moment, UTC as in the journal."""
        self._become(chosen=())
        self._compare(moment, None)

    @property
    def _journal(self) -> JournalState:
        return self._store.state.journal

    def _compare(self, before: Moment | None, after: Moment | None) -> None:
        self._before, self._after = before, after
        if before is None:
            self._become(past=None)
        else:
            self._looking.ask()

    def _refresh(self) -> None:
        if self._store.project is not None and self._seen and self._stale:
            self._stale = False
            self._reading.ask()
            if self._before is not None:
                self._looking.ask()

    def _to_read(self) -> Job[tuple[DecisionSummary, ...]] | None:
        if self._store.project is None:
            return None
        try:
            entries = self._store.project.entries()
        except StudioError as error:
            self._store.complain(str(error))
            return None
        return plain(read_story, entries=entries)

    def _told(self, lines: tuple[DecisionSummary, ...]) -> None:
        self._become(lines=lines)

    def _to_look_back(self) -> Job[Past] | None:
        if self._store.project is None or self._before is None:
            return None
        return plain(
            look_back,
            entries=self._store.project.entries(),
            before=self._before,
            after=self._after,
        )

    def _looked(self, past: Past) -> None:
        if (past.before, past.after) == (self._before, self._after):
            self._become(
                past=PastState(
                    before=self._time_of(past.before),
                    after="" if past.after is None else self._time_of(past.after),
                    counts=past.counts,
                    changes=past.changes,
                    known=past.known,
                )
            )

    def _time_of(self, moment: Moment) -> str:
        if isinstance(moment, str):
            return moment
        return next((line.at for line in self._journal.lines if line.seq == moment), "")

    def _become(self, **changes: object) -> None:
        self._store.become(journal=replace(self._journal, **changes))  # type: ignore[arg-type]


def stale_words(*, folder: Path, scene: str) -> tuple[str, ...]:
    """What a scene has that was made of frames read otherwise; headers of its labels are read.

    Raises ProjectError.
    """
    with Project.open(folder) as project:
        return tuple(each.words for each in stale_labels(project, of=[scene]))


class StoryController(QObject):
    """Tells what was decided about the current scene, and soon after what of it is stale."""

    def __init__(self, store: Store, tasks: TaskRunner) -> None:
        super().__init__(store)
        self._store = store
        self._looking = LatestTask(tasks)
        self._stale: tuple[str, ...] = ()  # of the scene whose story is shown

    def take_journal(self, journal: JournalReading) -> None:
        """Another scene is the current one, or somebody has decided."""
        project, scene = self._store.project, self._store.state.current
        if project is None or scene is None:
            return
        told = self._store.state.story
        if told is None or told.scene != scene:
            self._stale = ()
        self._show(story_of(journal, scene), project.scene(scene))
        if any(entry.reading is not None or entry.three is not None for entry in journal.entries):
            job = plain(stale_words, folder=project.folder, scene=scene)
            self._looking.start(job, self._found)
        else:
            self._looking.cancel()

    def _found(self, stale: tuple[str, ...]) -> None:
        project, story = self._store.project, self._store.state.story
        if project is not None and story is not None:
            self._stale = stale
            self._show(story, project.scene(story.scene))

    def _show(self, story: SceneStory, scene: Scene) -> None:
        words = "; ".join(filter(None, (reading_in_words(scene), *self._stale)))
        self._store.become(story=replace(story, frames=words))


def story_of(journal: JournalReading, scene: str) -> SceneStory:
    """What was decided about a scene."""
    entries = [entry for entry in journal.entries if entry.scene == scene]
    state, in_words = journal.ledger.scenes[scene], journal.accounts.in_words
    lines = tuple(
        StoryLine(
            at=local_time(entry.at, seconds=False),
            who=entry.who,
            what=_told(entry, in_words(entry.group)),
        )
        for entry in reversed(entries)
    )
    return SceneStory(
        scene=scene,
        label=_label_in_words(state),
        thresholds=_thresholds(entries, state),
        lines=lines,
    )


def _told(entry: JournalEntry, words: str) -> str:
    """What was done, by the words that undo has for it."""
    match entry.kind:
        case Kind.UNDO | Kind.REDO:
            return f"{entry.kind}: {words}"
        case Kind.ANNOTATE:
            tags = f"tags {', '.join(entry.tags)}" if entry.tags else ""
            note = f"“{entry.note}”" if entry.note else ""
            return f"{words}: {', '.join(filter(None, (tags, note))) or 'nothing any more'}"
        case Kind.CREATED:
            return f"created as {entry.after}"
        case _:
            return f"{words}: {entry.note}" if entry.note else words


def _label_in_words(state: SceneState) -> str:
    if state.label is None:
        return ""
    number = state.label.rsplit("/", 1)[-1].partition(".")[0]
    return f"{number}, {'the whole picture' if state.whole else 'trusted pixels only'}"


def _thresholds(entries: Sequence[JournalEntry], state: SceneState) -> str:
    """Those in force when the label that counts was frozen: at the first entry that has it."""
    for entry in entries:
        if state.label is not None and entry.label == state.label and entry.masks is not None:
            masks = entry.masks
            made = f", round {entry.round}" if entry.round else ""
            return f"τ_pa {tau_words(masks.tau_patch)}, τ_pi {tau_words(masks.tau_pixel)}{made}"
    return ""


EXAMPLE: Final = "2026-11-22 14:00"
UNDONE: Final = "undone"

_FORMS: Final = (
    ("%Y-%m-%d %H:%M:%S", timedelta(seconds=1)),
    ("%Y-%m-%d %H:%M", timedelta(minutes=1)),
    ("%Y-%m-%d", timedelta(days=1)),
)
_CLOCK: Final = (("%H:%M:%S", timedelta(seconds=1)), ("%H:%M", timedelta(minutes=1)))
_MOST_NAMES: Final = 12
_TITLES: Final[Mapping[ChangeKind, str]] = {
    ChangeKind.STATUS: "Status",
    ChangeKind.LABEL: "Label",
    ChangeKind.WHOLE: "Whole picture",
    ChangeKind.TRUTH: "Ground truth",
    ChangeKind.BRUSH: "Brush",
    ChangeKind.FRAMES: "Frames chosen",
    ChangeKind.NOTE: "Note",
    ChangeKind.TAGS: "Tags",
    ChangeKind.THRESHOLDS: "Thresholds",
    ChangeKind.READING: "Frames are read",
}


def moment_of(text: str, *, today: datetime | None = None) -> str | None:
    """What a person typed, as UTC in the form of the journal; None where it is no moment.

    A day is meant to its end, a minute as well; a time without a day is of `today`.
    """
    typed = " ".join(text.replace("T", " ").split())
    day = (today or datetime.now().astimezone()).strftime("%Y-%m-%d")
    tries = [(typed, form, span) for form, span in _FORMS]
    tries += [(f"{day} {typed}", f"%Y-%m-%d {form}", span) for form, span in _CLOCK]
    for words, form, span in tries:
        try:
            begins = datetime.strptime(words, form).astimezone()
        except (ValueError, OverflowError):
            continue
        ends = begins.replace(tzinfo=None) + span - timedelta(milliseconds=1)
        return ends.astimezone().astimezone(UTC).isoformat(timespec="milliseconds")
    return None


def thresholds(line: DecisionSummary) -> str:
    """The thresholds in force after a decision."""
    if line.masks is None:
        return ""
    return f"{tau_words(line.masks.tau_patch)} · {tau_words(line.masks.tau_pixel)}"


def made_by(line: DecisionSummary) -> str:
    """Whose pseudo-label was frozen, short; the tooltip tells all of it."""
    if line.run is None:
        return ""
    parts = [line.run]
    if line.round:  # none of what a model made outside of a run
        parts.append(f"round {line.round}")
    if line.checkpoint:
        parts.append(line.checkpoint[:8])
    return " · ".join(parts)


def in_full(line: DecisionSummary) -> str:
    """Everything the journal says of a decision, one fact a line."""
    names = ", ".join(line.scenes[:_MOST_NAMES])
    if len(line.scenes) > _MOST_NAMES:
        names += f" and {len(line.scenes) - _MOST_NAMES} more"
    told = [
        f"{line.what} ({UNDONE})" if line.undone else line.what,
        f"{local_time(line.at)} by {line.who}",
        f"scenes: {names}" if len(line.scenes) > 1 else "",
        f"τ_pa and τ_pi: {thresholds(line)}" if line.masks is not None else "",
        f"run {made_by(line)}" if line.run else "",
        f"checkpoint {line.checkpoint}" if line.checkpoint else "",
        f"“{line.note}”" if line.note else "",
    ]
    return "\n".join(filter(None, told))


def title(past: PastState) -> str:
    """Which moments are held against each other."""
    before = short_time(past.before, seconds=True)
    if past.after:
        after = short_time(past.after, seconds=True)
        day, _, clock = after.rpartition(" ")
        return f"{before} → {clock if before.startswith(day) else after}"
    return f"As it was {before}"


def counts(past: PastState) -> str:
    """How many scenes had which status, and how many have it later."""
    told = (f"{status} {a}" if a == b else f"{status} {a} → {b}" for status, a, b in past.counts)
    return " · ".join(told)


def differences(past: PastState, *, most: int = 2000) -> str:
    """What differs, grouped by what it is about, one scene a line."""
    groups: dict[ChangeKind, list[Change]] = {}
    for change in past.changes:
        groups.setdefault(change.matter, []).append(change)
    lines: list[str] = []
    for matter in ChangeKind:
        if matter in groups:
            lines += [f"{_TITLES[matter]}{_many(groups[matter])}", *map(_one, groups[matter]), ""]
    left = len(lines) - most
    return "\n".join(
        lines[:most] + ([f"… and {counted(left, 'line')} more"] if left > 0 else [])
    ).strip()


def _many(changes: Iterable[Change]) -> str:
    scenes = sum(change.scene is not None for change in changes)
    return f" ({scenes})" if scenes > 1 else ""


def _one(change: Change) -> str:
    name = "" if change.scene is None else f"{change.scene}: "
    return f"  {name}{change.before or 'none'} → {change.after or 'none'}"
