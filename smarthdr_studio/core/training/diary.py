"""The diary of a run in words: its rounds, its best checks, and what people asked of it."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.training.events import (
    CheckpointSaved,
    RoundFinished,
    RunFinished,
    RunStarted,
    Steered,
    StepSkipped,
    TrainingEvent,
    Validated,
)
from smarthdr_studio.core.training.run_folder import best_of, is_better
from smarthdr_studio.core.training.run_log import TimedEvent
from smarthdr_studio.core.words import percent

Tone = Literal["plain", "good", "warn", "bad"]

_TextAndTone = tuple[str, Tone]

TRUSTED_FROM: Final = 0.5
"""A scene counts as trusted where more than this share of it is retained."""

_LEAST_DB: Final = 0.05  # what one digit after the point can show


@dataclass(frozen=True, slots=True, kw_only=True)
class DiaryLine:
    """One line of a diary: where the run stood, when (UTC), and what happened, in words.

    `epoch` is counted from 1, as everywhere a person reads it: a check belongs to the epoch it
    ends, a round to the one that learns from it, the last of all to the last epoch.
    """

    step: int
    epoch: int
    time: datetime
    text: str
    tone: Tone = "plain"


class _Round(NamedTuple):
    """What the next round is told against: shares, scenes, and PSNR-μ of the newest check."""

    retained: float | None = None
    trusted: frozenset[str] = frozenset()
    psnr_mu: float | None = None


class Diary:
    """Tells a run as it goes; keeps only what the next line is held against.

    A scene is *newly trusted* in a round where its retained share rose above 50 % since the round
    before; of the first round, every scene above that. Paths inside the folder `project` are told
    from there on.
    """

    def __init__(self, *, project: AnyPath | None = None) -> None:
        self._folder = "" if project is None else f"{project}{os.sep}"
        self._epoch = 0
        self._rounds: dict[int, _Round] = {}  # one that is made again takes its own place
        self._checks: list[Validated] = []
        self._saved = 0  # how many epochs the newest checkpoint has behind it
        self._epochs = 0

    def take(self, timed: TimedEvent) -> DiaryLine | None:
        """The line an event is worth, None for one that goes without saying."""
        event = timed.event
        self._epoch = getattr(event, "epoch", self._epoch)
        told = self._told_of(event)
        if told is None:
            return None
        text, tone = told
        if self._folder:
            text = text.replace(self._folder, "")
        step, epoch = getattr(event, "step", 0), self._epoch + 1
        if self._epochs:
            epoch = min(epoch, self._epochs)
        return DiaryLine(step=step, epoch=epoch, time=timed.time, text=text, tone=tone)

    def _told_of(self, event: TrainingEvent) -> _TextAndTone | None:
        match event:
            case RunStarted():
                return self._begin(event), "plain"
            case RoundFinished():
                return self._round(event)
            case Validated():
                return self._check(event)
            case CheckpointSaved():
                return self._checkpoint(event)
            case _:
                return _plainly(event)

    def _begin(self, event: RunStarted) -> str:
        self._epochs = event.total_epochs
        learns = _material(event)
        told = "".join(f"; {each}" for each in (event.arithmetic, event.short_epochs) if each)
        if event.step == 0:
            return f"started on {event.device}: {event.network}, {learns}{told}"
        self._checks = [check for check in self._checks if check.step <= event.step]
        return f"resumed from step {event.step} on {event.device}: {learns}{told}"

    def _round(self, event: RoundFinished) -> _TextAndTone:
        before = self._rounds.get(event.round - 1, _Round())
        parts = [f"retained {percent(event.retained)}{_points(event.retained, before.retained)}"]
        trusted = frozenset(s.id for s in event.scenes if s.retained > TRUSTED_FROM)
        if new := len(trusted - before.trusted):
            parts.append(f"{_counted(new, 'scene')} newly trusted")
        if lost := len(before.trusted & {s.id for s in event.scenes} - trusted):
            parts.append(f"{lost} no longer")
        psnr_mu = self._checks[-1].psnr_mu if self._checks else None
        if psnr_mu is not None:
            parts.append(_gain(psnr_mu, since=before.psnr_mu, round_before=event.round - 1))
        self._rounds[event.round] = _Round(event.retained, trusted, psnr_mu)
        changes = f" · {'; '.join(event.changes)}" if event.changes else ""
        tone: Tone = "warn" if event.retained == 0 else "plain"
        return f"round {event.round}: {', '.join(parts)}{changes}", tone

    def _check(self, event: Validated) -> _TextAndTone | None:
        """Only a check that no other was better than; an older log does not say which that was."""
        best = best_of(self._checks)
        self._checks.append(event)
        if best is None or not is_better(event.psnr_mu, than=best.psnr_mu):
            return None
        gain = _told_change(event.psnr_mu, since=best.psnr_mu)
        more = f"{gain:.1f}" if gain >= _LEAST_DB else f"{event.psnr_mu - best.psnr_mu:.1g}"
        return f"best so far: PSNR-μ {event.psnr_mu:.1f} dB (+{more})", "good"

    def _checkpoint(self, event: CheckpointSaved) -> _TextAndTone | None:
        """One inside an epoch was asked for; that at its end goes without saying."""
        asked = event.epoch == self._saved < self._epochs
        self._saved = event.epoch
        return (f"checkpoint saved at step {event.step}", "plain") if asked else None


def _gain(now: float, *, since: float | None, round_before: int) -> str:
    """How PSNR-μ of the newest check stands against that of the round before this one."""
    if since is None:
        return f"PSNR-μ {now:.1f} dB before it"
    change = _told_change(now, since=since)
    signed = _signed(change, digits=1) if abs(change) >= _LEAST_DB else "±0"
    return f"PSNR-μ {signed} dB since round {round_before}"


def diary_of(
    events: Iterable[TimedEvent], *, project: AnyPath | None = None
) -> tuple[DiaryLine, ...]:
    """The diary of a run from its first event on (see `log.rare_events`)."""
    diary = Diary(project=project)
    return tuple(line for each in events if (line := diary.take(each)) is not None)


def _plainly(event: TrainingEvent) -> _TextAndTone | None:
    """What an event says by itself, whatever was before."""
    match event:
        case StepSkipped(why=why, count=count):
            return f"step skipped: {why}; {_counted(count, 'step')} skipped so far", "warn"
        case Steered(text=text):
            return text, "plain"
        case RunFinished():
            return _end(event)
        case _:
            return None


def _end(event: RunFinished) -> _TextAndTone:
    match event.outcome:
        case "done":
            return f"done: {event.message}", "good"
        case "stopped":
            return f"stopped at step {event.step}: {event.message}", "plain"
        case "failed":
            ways = " or ".join(remedy.text for remedy in event.remedies)
            help_ = f"; what helps: {ways}" if ways else ""
            return f"failed at step {event.step}: {event.message}{help_}", "bad"


def _points(share: float, before: float | None) -> str:
    if before is None:
        return ""
    change = round(100 * share) - round(100 * before)
    return f" ({_signed(change)})" if change else " (±0)"


def _told_change(now: float, *, since: float) -> float:
    """The difference of two PSNR in dB as they are told, so that it fits what is read elsewhere."""
    return round(now, 1) - round(since, 1)


def _signed(value: float, *, digits: int = 0) -> str:
    return f"{'+' if value >= 0 else '−'}{abs(value):.{digits}f}"


def _material(event: RunStarted) -> str:
    """What is learned from, in words."""
    labelled, unlabelled = len(event.labelled), len(event.unlabelled)
    held = f", {len(event.held_out)} held out" if event.held_out else ""
    match event.material:
        case "no label":
            return f"{_counted(labelled + unlabelled, 'bracket')}, no label"
        case "labels":
            return _counted(labelled, "label") + held
        case _:
            others = f"{held}, {unlabelled} unlabelled" if held else f" and {unlabelled} unlabelled"
            return _counted(labelled, "label") + others


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
