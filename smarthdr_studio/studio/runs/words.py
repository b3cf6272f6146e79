"""Runs as a person reads them: how each stands, what it learned from, and what it came to."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from smarthdr_studio.core.training.run_index import LabelCounts, RunRow
from smarthdr_studio.studio.widgets.controls import duration
from smarthdr_studio.studio.widgets.journal_words import short_time

# A sign beside the word, for those who do not see the colour: role of the palette, sign.
SIGNS: Final[dict[str, tuple[str, str]]] = {
    "running": ("accent", "►"),
    "paused": ("accent", "‖"),
    "interrupted": ("warn", "⚠"),
    "stopped": ("text", "■"),
    "failed": ("bad", "✕"),
    "done": ("good", "✓"),
}
_UNITS: Final = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))


def status(row: RunRow) -> str:
    """How a run stands, with a sign, and how far it has come unless it is done."""
    _, sign = SIGNS[row.status]
    far = "" if row.status == "done" or not row.epochs else f" {row.epoch}/{row.epochs}"
    return f"{sign} {row.status}{far}"


def labels(counts: LabelCounts) -> str:
    """What a run learns from, as short as a cell of a table wants it."""
    held = f", {counts.held_out} held out" if counts.held_out else ""
    if counts.promoted:
        return f"{counts.labelled} + {counts.promoted} promoted{held}"
    return f"{_many(counts.labelled, 'label')}{held}"


def labels_in_full(counts: LabelCounts) -> str:
    """The same in a sentence."""
    promoted = f" and {_many(counts.promoted, 'promoted label')}" if counts.promoted else ""
    return (
        f"{_many(counts.labelled, 'ground truth')}{promoted}, "
        f"{counts.held_out} held out, {counts.unlabelled} unlabelled"
    )


def best(row: RunRow) -> str:
    """The best check on held-out labels, and its step."""
    return "–" if row.best is None else f"{row.best.psnr_mu:.2f} ({row.best.step:,})"


def decibels(value: float | None) -> str:
    """PSNR in dB with two decimals; a dash where there is none."""
    return "–" if value is None else f"{value:.2f}"


def disk(size: int) -> str:
    """How much of a disk something takes."""
    for unit, worth in _UNITS:
        if size >= worth:
            return f"{size / worth:.3g} {unit}"
    return f"{size} B"


def took(seconds: float) -> str:
    """How long a run has worked; a dash before it has."""
    return duration(seconds) if seconds > 0 else "–"


def started(row: RunRow) -> str:
    """When it was started, on the clock of this computer."""
    return moment(row.started)


def moment(at: datetime) -> str:
    """A moment on the clock of this computer, as short as it can be told."""
    return short_time(at.astimezone(UTC).isoformat(timespec="milliseconds"))


def note(row: RunRow) -> str:
    """The first line of the note."""
    return row.note.partition("\n")[0]


def in_full(row: RunRow) -> str:
    """Everything about a run, one line each, for a tooltip and a screen reader."""
    told = [
        row.id,
        f"{row.status}; {row.epoch} of {row.epochs} epochs, step {row.step:,}",
        f"{row.system}, {row.network or 'no network yet'} on {row.device or 'no device yet'}",
        labels_in_full(row.labels),
        row.message,
        row.note,
    ]
    return "\n".join(filter(None, told))


def how_many(rows: Sequence[RunRow]) -> str:
    """How many runs there are, and how many are at work."""
    working = sum(row.at_work for row in rows)
    at_work = f", {working} at work" if working else ""
    return f"{_many(len(rows), 'run')}{at_work}"


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
