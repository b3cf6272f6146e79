"""What a run's log adds up to for a list of runs, kept beside the log so that it is read once."""

import json
import uuid
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

from smarthdr_studio.core.event_lines import values_in
from smarthdr_studio.core.events import (
    CheckpointSaved,
    PhaseChanged,
    RoundFinished,
    RunFinished,
    RunStarted,
    TrainingEvent,
    Validated,
)
from smarthdr_studio.core.running.log import TimedEvent, timed
from smarthdr_studio.core.running.scanning import chunks, rare_lines
from smarthdr_studio.core.runs import RunFolder

_NAME: Final = "digest.json"
_FORMAT: Final = 1
_LAST_LINES: Final = 2**13  # bytes of a chunk whose steps and phases are read as well
_MARK: Final = 256  # bytes before `read_to` by which a log is known again


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check on held-out labels: decibels, and SSIM where it was measured."""

    step: int
    psnr_mu: float
    psnr_l: float
    ssim_mu: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTold:
    """A round, and the share of the pool it retained."""

    round: int
    step: int
    retained: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What the first `read_to` bytes of a log say; a value, every event makes another.

    Times are UTC, ISO 8601, "" where not known. `seconds` is the work of the sessions that have
    ended; the one that began at `begun` was heard last at `heard`. `outcome` is "" until the last
    word; `writes` counts what came to lie on disk, of which `disk_bytes` was measured at
    `disk_writes`.
    """

    read_to: int = 0
    mark: int = 0
    begun: str = ""
    heard: str = ""
    seconds: float = 0.0
    device: str = ""
    network: str = ""
    epochs: int = 0
    labelled: int = 0
    unlabelled: int = 0
    held_out: int = 0
    epoch: int = 0
    step: int = 0
    phase: str = ""
    checks: tuple[Check, ...] = ()
    rounds: tuple[RoundTold, ...] = ()
    outcome: str = ""
    message: str = ""
    remedies: tuple[dict[str, Any], ...] = ()
    writes: int = 0
    disk_writes: int = -1
    disk_bytes: int = 0

    @property
    def seconds_of_work(self) -> float:
        """All sessions together, the one under way as far as it was heard."""
        return self.seconds + _seconds(self.begun, self.heard)

    def heard_all(self, events: Iterable[TimedEvent]) -> Self:
        """The digest after these events, in their order."""
        digest = self
        for each in events:
            digest = digest._heard(each)
        return digest

    def _heard(self, timed_event: TimedEvent) -> Self:
        event, at = timed_event.event, timed_event.time.isoformat()
        if isinstance(event, RunStarted):
            return self._started(event, at)
        now = replace(
            self,
            heard=at,
            step=getattr(event, "step", self.step),
            epoch=getattr(event, "epoch", self.epoch),
            phase=event.phase if isinstance(event, PhaseChanged) else "",
        )
        return now._told(event)

    def _told(self, event: TrainingEvent) -> Self:
        match event:
            case Validated():
                check = Check(
                    step=event.step,
                    psnr_mu=event.psnr_mu,
                    psnr_l=event.psnr_l,
                    ssim_mu=event.ssim_mu,
                )
                return replace(self, checks=(*self.checks, check))
            case RoundFinished(round=number, step=step, retained=retained):
                told = RoundTold(round=number, step=step, retained=retained)
                return replace(self, rounds=(*self.rounds, told), writes=self.writes + 1)
            case CheckpointSaved():
                return replace(self, writes=self.writes + 1)
            case RunFinished():
                return replace(
                    self,
                    outcome=event.outcome,
                    message=event.message,
                    remedies=tuple(asdict(remedy) for remedy in event.remedies),
                    writes=self.writes + 1,
                )
            case _:
                return self

    def _started(self, event: RunStarted, at: str) -> Self:
        """Another session; what came after the step it goes on from is not part of the run."""
        return replace(
            self,
            begun=at,
            heard=at,
            seconds=self.seconds_of_work,
            device=event.device,
            network=event.network,
            epochs=event.total_epochs,
            labelled=len(event.labelled),
            unlabelled=len(event.unlabelled),
            held_out=len(event.held_out),
            step=event.step,
            phase="",
            checks=tuple(check for check in self.checks if check.step <= event.step),
            rounds=tuple(told for told in self.rounds if told.step <= event.step),
            outcome="",
            message="",
            remedies=(),
        )


def read_digest(run: RunFolder) -> Digest:
    """What the log of a run says now; only what is new since the digest was kept is read.

    A log that is not there, or cannot be read, says nothing.
    """
    kept = _kept(run.path / _NAME)
    try:
        size = run.events_path.stat().st_size
        if size < kept.read_to or (size != kept.read_to and not _is_marked(run, kept)):
            kept = Digest()
        if size > kept.read_to:
            kept = _read_on(run, kept)
    except OSError:
        return kept
    return kept


def keep_digest(run: RunFolder, digest: Digest) -> None:
    """Keep it beside the log; where nothing can be written the log is read again next time.

    A folder that was moved away meanwhile is not made anew.
    """
    values = json.dumps({"format": _FORMAT, **asdict(digest)}, ensure_ascii=False)
    draft = run.path / f".{uuid.uuid4().hex}.{_NAME}"
    try:
        draft.write_text(values, encoding="utf-8")
        draft.replace(run.path / _NAME)
    except OSError:
        with suppress(OSError):
            draft.unlink()


def _read_on(run: RunFolder, digest: Digest) -> Digest:
    for lines in chunks(run.events_path, start=digest.read_to):
        # Of steps and phases only the last ones count: they say how far the run has come.
        end = lines.rfind(b"\n", 0, max(0, len(lines) - _LAST_LINES)) + 1
        rare = [*rare_lines(lines[:end]), *lines[end:].splitlines()]
        digest = digest.heard_all(timed(values_in(b"\n".join(rare))))
        read_to = digest.read_to + len(lines)
        digest = replace(digest, read_to=read_to, mark=zlib.crc32(lines[-_MARK:]))
    return digest


def _is_marked(run: RunFolder, digest: Digest) -> bool:
    """Whether the log still has what was read of it, by the bytes where reading ended."""
    begin = max(0, digest.read_to - _MARK)
    with run.events_path.open("rb") as log:
        log.seek(begin)
        return zlib.crc32(log.read(digest.read_to - begin)) == digest.mark


def _kept(path: Path) -> Digest:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values.pop("format") != _FORMAT:
            return Digest()
        values["checks"] = tuple(Check(**each) for each in values["checks"])
        values["rounds"] = tuple(RoundTold(**each) for each in values["rounds"])
        values["remedies"] = tuple(values["remedies"])
        return Digest(**values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Digest()


def _seconds(begun: str, ended: str) -> float:
    if not begun or not ended:
        return 0.0
    passed = datetime.fromisoformat(ended) - datetime.fromisoformat(begun)
    return max(0.0, passed.total_seconds())
