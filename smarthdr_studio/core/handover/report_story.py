"""The decisions about one scene in words, newest first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from smarthdr_studio.core.curation.moments import Line, story
from smarthdr_studio.core.journal import JournalEntry, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One decision about one scene: when, who, what, how it was made, why, and if it stands."""

    at: str
    who: str
    what: str
    made_with: str
    note: str
    undone: bool


def deeds_by_scene(entries: Sequence[JournalEntry]) -> dict[str, tuple[Deed, ...]]:
    """What was decided about each scene, the latest first."""
    lines = {line.group: line for line in story(entries)}
    found: dict[str, list[Deed]] = {}
    for entry in reversed(entries):
        if entry.scene is not None:
            found.setdefault(entry.scene, []).append(_deed(entry, lines))
    return {scene: tuple(deeds) for scene, deeds in found.items()}


def time_words(at: str) -> str:
    """A time of the journal as people write it, to the minute, UTC."""
    return f"{at[:10]} {at[11:16]} UTC"


def _deed(entry: JournalEntry, lines: Mapping[str, Line]) -> Deed:
    line = lines[entry.group]
    return Deed(
        at=time_words(entry.at),
        who=entry.who,
        what=_what(entry, line),
        made_with=_made_with(entry),
        note=entry.note,
        undone=line.undone,
    )


def _what(entry: JournalEntry, line: Line) -> str:
    alone = len(line.scenes) == 1
    along = "" if alone else f" ({line.what})"
    match entry.kind:
        case Kind.CREATED:
            return f"began as {entry.after}"
        case Kind.PROMOTE:
            whole = ", the whole picture" if entry.whole else ""
            version = PurePosixPath(entry.label or "").stem
            return f"promoted as version {version}{whole}{along}"
        case Kind.ANNOTATE:
            return _joined(("noted", *(f"#{tag}" for tag in entry.tags)), between=" ")
        case Kind.PAINT:
            return "painted over the masks" if entry.person else "wiped the brush away"
        case Kind.UNDO | Kind.REDO:
            return f"{line.what}, so {entry.after}"
        case _:
            return f"{entry.kind}, so {entry.after}{along}"


def _made_with(entry: JournalEntry) -> str:
    if entry.kind is not Kind.PROMOTE:
        return ""
    masks = entry.masks
    return _joined(
        (
            f"τ_pa {masks.tau_patch:g}, τ_pi {masks.tau_pixel:g}" if masks else "",
            f"run {entry.run}" if entry.run else "",
            f"round {entry.round}" if entry.round is not None else "",
            f"checkpoint {entry.checkpoint[:12]}" if entry.checkpoint else "",
        ),
        between=" · ",
    )


def _joined(parts: Iterable[str], *, between: str) -> str:
    return between.join(part for part in parts if part)
