"""Tells what the journal says of the scene that is looked at, the latest decision first."""

from collections.abc import Sequence
from datetime import datetime

from smarthdr_studio.core.journal import JournalEntry, Kind, SceneState
from smarthdr_studio.core.project import Project
from smarthdr_studio.studio.state import SceneStory, StoryLine


def story_of(project: Project, scene: str) -> SceneStory:
    """What was decided about a scene; Raises ProjectError where the journal cannot be read."""
    entries = [entry for entry in project.entries() if entry.scene == scene]
    state = project.state(scene)
    accounts = project.accounts()
    lines = tuple(
        StoryLine(
            at=_local(entry.at), who=entry.who, what=_told(entry, accounts.in_words(entry.group))
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
    return f"{words}: {entry.note}" if entry.note else words


def _label_in_words(state: SceneState) -> str:
    if state.label is None:
        return ""
    number = state.label.rsplit("/", 1)[-1].partition(".")[0]
    return f"{number}, {'the whole picture' if state.whole else 'trusted pixels only'}"


def _thresholds(entries: Sequence[JournalEntry], state: SceneState) -> str:
    """Those in force when the label that counts was frozen."""
    for entry in reversed(entries):
        if state.label is not None and entry.label == state.label and entry.masks is not None:
            masks = entry.masks
            made = f", round {entry.round}" if entry.round is not None else ""
            return f"τ_pa {masks.tau_patch:.2f}, τ_pi {masks.tau_pixel:.2f}{made}"
    return ""


def _local(at: str) -> str:
    """A moment of the journal, UTC, on the clock of this person."""
    try:
        moment = datetime.fromisoformat(at.replace("Z", "+00:00"))
    except ValueError:
        return at
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")
