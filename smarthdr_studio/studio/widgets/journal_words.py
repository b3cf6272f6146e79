"""Moments and decisions of the journal as a person reads and types them, on the local clock."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from smarthdr_studio.core.project.journal import Change, ChangeKind, DecisionSummary
from smarthdr_studio.studio.state import PastState

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
    ChangeKind.NOTE: "Note",
    ChangeKind.TAGS: "Tags",
    ChangeKind.THRESHOLDS: "Thresholds",
}


def local_time(at: str) -> str:
    """A moment of the journal, UTC, on the clock of this person, whole."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return at
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def short_time(at: str, *, seconds: bool = False, now: datetime | None = None) -> str:
    """The same as short as it can be told: without today's date or this year's number."""
    whole, day = local_time(at), (now or datetime.now().astimezone()).strftime("%Y-%m-%d")
    ends = 19 if seconds else 16
    if whole.startswith(day):
        return f"today {whole[11:ends]}"
    return whole[5:ends] if whole.startswith(day[:5]) else whole[:ends]


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
    return "" if line.masks is None else f"{line.masks.tau_patch:.2f} · {line.masks.tau_pixel:.2f}"


def made_by(line: DecisionSummary) -> str:
    """Whose pseudo-label was frozen, short; the tooltip tells all of it."""
    if line.run is None:
        return ""
    parts = [line.run]
    if line.round is not None:
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
    return "\n".join(lines[:most] + ([f"… and {left} lines more"] if left > 0 else [])).strip()


def _many(changes: Iterable[Change]) -> str:
    scenes = sum(change.scene is not None for change in changes)
    return f" ({scenes})" if scenes > 1 else ""


def _one(change: Change) -> str:
    name = "" if change.scene is None else f"{change.scene}: "
    return f"  {name}{change.before or 'none'} → {change.after or 'none'}"
