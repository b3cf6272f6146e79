"""The list of a project's runs, from digests of their logs that are kept beside them."""

import json
import os
import uuid
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, Self

from smarthdr_studio.core.environment import moment_in
from smarthdr_studio.core.errors import PlanError, Remedy
from smarthdr_studio.core.files import AnyPath, is_file
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.records import (
    is_of_its_types,
    open_plain,
    read_json,
    read_toml,
    why_shut,
)
from smarthdr_studio.core.training.events import (
    CheckpointSaved,
    Material,
    PhaseChanged,
    RoundFinished,
    RunFinished,
    RunStarted,
    TrainingEvent,
    Validated,
    values_in,
)
from smarthdr_studio.core.training.run_folder import (
    RunFolder,
    best_of,
    read_note,
    run_folders,
    saved_checkpoints,
    started_at,
)
from smarthdr_studio.core.training.run_lock import is_at_work
from smarthdr_studio.core.training.run_log import TimedEvent, chunks, rare_lines, timed
from smarthdr_studio.core.words import counted

_NAME: Final = "digest.json"
_FORMAT: Final = 3
_LAST_LINES: Final = 2**13  # bytes of a chunk whose steps and phases are read as well
_TIME_AT: Final = len(b'{"time": "')  # where the time of a line begins
_MARK: Final = 256  # bytes before `read_to` by which a log is known again


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check on held-out labels: decibels, and SSIM where it was measured."""

    step: int
    psnr_mu: float
    psnr_l: float
    ssim_mu: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundSummary:
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
    `disk_writes`. `odd` lines could not be read, `undated` ones say no time; the log was last
    changed at `changed_ns` when it was read.
    """

    read_to: int = 0
    mark: int = 0
    changed_ns: int = 0
    odd: int = 0
    undated: int = 0
    begun: str = ""
    heard: str = ""
    seconds: float = 0.0
    device: str = ""
    network: str = ""
    epochs: int = 0
    labelled: int = 0
    unlabelled: int = 0
    held_out: int = 0
    material: Material = "labels and others"
    epoch: int = 0
    step: int = 0
    phase: str = ""
    checks: tuple[Check, ...] = ()
    rounds: tuple[RoundSummary, ...] = ()
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
                told = RoundSummary(round=number, step=step, retained=retained)
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
            material=event.material,
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
    return _read_further(run, _kept(run.path / _NAME))


def _read_further(run: RunFolder, kept: Digest) -> Digest:
    try:
        about = run.events_path.stat()
        size, changed_ns = about.st_size, about.st_mtime_ns
        if size == kept.read_to and changed_ns == kept.changed_ns:
            return kept
        # A log only grows: what changed it otherwise has changed what was read of it.
        if size <= kept.read_to or not _is_marked(run, kept):
            kept = Digest()
        return replace(_read_on(run, kept), changed_ns=changed_ns)
    except OSError:
        return kept


def digest_anew(run: RunFolder) -> Digest:
    """The same, read whole once more: a disk that rots changes no date."""
    return _read_further(run, Digest())


def lost_plan(run: RunFolder) -> str:
    """What is wrong with the plan of a run, in a clause; "" where nothing is, or none has begun."""
    try:
        return "" if read_toml(run.plan_path) else "is empty"
    except FileNotFoundError:
        return "is missing" if is_file(run.events_path) else ""
    except OSError as error:
        return f"cannot be read ({error.strerror or type(error).__name__})"
    except ValueError:
        return "is damaged"


def lost_of_log(run: RunFolder, digest: Digest) -> str:
    """What a log no longer tells, in a clause; "" where it is whole as far as can be seen."""
    if reason := why_shut(run.events_path):
        return f"cannot be read ({reason}); {_WITHOUT_LINES}"
    if digest.odd:
        return f"has {counted(digest.odd, 'line')} that cannot be read; {_WITHOUT_LINES}"
    saved = saved_checkpoints(run.path)
    if saved and not is_at_work(run.path) and saved[-1].step > digest.step:
        at = f"step {saved[-1].step}, at which a checkpoint was saved"
        return f"ends before {at}: steps are gone; {_WITHOUT_LINES}"
    if digest.undated:
        lines = counted(digest.undated, "line")
        return f"has {lines} without a time; how long the run worked is not known to the minute"
    return ""


_WITHOUT_LINES: Final = "charts, diary and figures of the run lack them"


def _lines_that_are_odd(lines: bytes) -> tuple[int, int]:
    """How many lines of a log cannot be read, and how many others say no time."""
    odd = undated = 0
    for line in lines.splitlines():
        if not (line.startswith(b"{") and line.endswith(b"}")):
            odd += 1
        elif (
            moment_in(line[_TIME_AT : line.find(b'"', _TIME_AT)].decode("ascii", "replace")) is None
        ):
            undated += 1
    return odd, undated


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
        odd, undated = _lines_that_are_odd(lines)
        digest = replace(
            digest,
            read_to=digest.read_to + len(lines),
            mark=zlib.crc32(lines[-_MARK:]),
            odd=digest.odd + odd,
            undated=digest.undated + undated,
        )
    return digest


def _is_marked(run: RunFolder, digest: Digest) -> bool:
    """Whether the log still has what was read of it, by the bytes where reading ended."""
    begin = max(0, digest.read_to - _MARK)
    with open_plain(run.events_path) as log:
        log.seek(begin)
        return zlib.crc32(log.read(digest.read_to - begin)) == digest.mark


def _kept(path: Path) -> Digest:
    try:
        values = read_json(path)
        if values.pop("format") != _FORMAT:
            return Digest()
        values["checks"] = tuple(Check(**each) for each in values["checks"])
        values["rounds"] = tuple(RoundSummary(**each) for each in values["rounds"])
        values["remedies"] = tuple(values["remedies"])
        digest = Digest(**values)
        remedies = [Remedy(**each) for each in digest.remedies]
        sound = all(map(is_of_its_types, (digest, *digest.checks, *digest.rounds, *remedies)))
        return digest if sound else Digest()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Digest()


def _seconds(begun: str, ended: str) -> float:
    since, until = moment_in(begun), moment_in(ended)
    return 0.0 if since is None or until is None else max(0.0, (until - since).total_seconds())


RunStatus = Literal["running", "paused", "interrupted", "stopped", "failed", "done"]

_RESUMABLE: Final = frozenset({"interrupted", "stopped", "failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCounts:
    """What the scenes were to a run, and what of them it learns from."""

    labelled: int = 0
    promoted: int = 0
    unlabelled: int = 0
    held_out: int = 0
    material: Material = "labels and others"

    @property
    def learned(self) -> int:
        """How many labels it learns from."""
        return 0 if self.material == "no label" else self.labelled + self.promoted

    @property
    def brackets(self) -> int:
        """How many scenes it learns from without asking for their label."""
        match self.material:
            case "no label":
                return self.labelled + self.promoted + self.unlabelled
            case "labels":
                return 0
            case _:
                return self.unlabelled


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One line of a list of runs.

    `started` is UTC; `seconds` the work of all sessions; `epoch`, `step` and `rounds` how far the
    run has come, of `epochs`; `best` the best check on held-out labels, `last_psnr_mu` (dB) the
    last one; `retained` the share of the pool in the last round. A run without a last word on
    which no process is at work is "interrupted". `message` and `remedies` are its last word;
    `log_damage` is what its log no longer tells, in the doctor's words, "" where it is whole.
    """

    id: str
    folder: Path
    status: RunStatus
    preset: str
    system: str
    network: str
    started: datetime
    seconds: float
    epoch: int
    epochs: int
    step: int
    rounds: int
    best: Check | None
    last_psnr_mu: float | None
    retained: float | None
    labels: LabelCounts
    disk_bytes: int
    device: str
    note: str
    resumable: bool
    message: str
    remedies: tuple[Remedy, ...]
    log_damage: str

    @property
    def at_epoch(self) -> int:
        """The epoch it is in, or was in last, counted from 1."""
        return min(self.epoch + 1, self.epochs) if self.epochs else self.epoch

    @property
    def at_work(self) -> bool:
        """Whether a process has the run now."""
        return self.status in ("running", "paused")


def list_rows(project: Project) -> tuple[RunRow, ...]:
    """Every run of a project, the latest first; a damaged one still has its row."""
    return tuple(row_of(run) for run in run_folders(project.folder))


def newest_resumable(project: AnyPath) -> RunRow | None:
    """The run of a project folder that was started last of those that can be gone on with.

    Raises PlanError where one was started later that only lacks its plan: it is not passed over in
    silence.
    """
    for run in run_folders(project):
        row = row_of(run)
        if row.resumable:
            return row
        if row.status in _RESUMABLE and (lost := lost_plan(run)):
            raise PlanError(
                f"{run.plan_path}: {lost}, so run {run.id} cannot be resumed; bring it back from a "
                "copy of the project folder or allow reading it, or name another run"
            )
    return None


def row_of(run: RunFolder) -> RunRow:
    """The row of one run, wherever its folder lies; never raises."""
    digest, plan = _digest(run), _plan(run)
    status = _status(run, digest)
    best = best_of(digest.checks)
    return RunRow(
        id=run.id,
        folder=run.path,
        status=status,
        preset=str(plan.get("preset", run.id[16:])),
        system=str(plan.get("system", "smarthdr")),
        network=digest.network or str(_section(plan, "network").get("name", "")),
        started=started_at(run),
        seconds=digest.seconds_of_work,
        epoch=digest.epoch,
        epochs=digest.epochs or _planned_epochs(plan),
        step=digest.step,
        rounds=digest.rounds[-1].round if digest.rounds else 0,
        best=best,
        last_psnr_mu=digest.checks[-1].psnr_mu if digest.checks else None,
        retained=digest.rounds[-1].retained if digest.rounds else None,
        labels=_labels(run, digest),
        disk_bytes=digest.disk_bytes,
        device=digest.device,
        note=read_note(run),
        resumable=status in _RESUMABLE and bool(plan),
        message=digest.message,
        remedies=tuple(Remedy(**each) for each in digest.remedies),
        log_damage=lost_of_log(run, digest),
    )


def _digest(run: RunFolder) -> Digest:
    """The digest with the size on disk, kept for the next time where anything is new."""
    kept = _kept(run.path / _NAME)
    digest = _read_further(run, kept)
    touched = digest.changed_ns != kept.changed_ns and digest.read_to == kept.read_to
    if digest.disk_writes != digest.writes or touched:
        known = kept.disk_writes == digest.writes
        disk = kept.disk_bytes if known else disk_bytes(run.path)
        digest = replace(digest, disk_bytes=disk, disk_writes=digest.writes)
        keep_digest(run, digest)
    return digest


def disk_bytes(folder: AnyPath) -> int:
    """What a folder takes on disk, all files below it together."""
    folder = Path(folder)
    total = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    total += disk_bytes(Path(entry.path))
                else:
                    total += entry.stat(follow_symlinks=False).st_size
    except OSError:  # something of it went while it was looked at
        return total
    return total


def _status(run: RunFolder, digest: Digest) -> RunStatus:
    # One that has said its last word only puts its memory away.
    if digest.outcome != "done" and is_at_work(run.path):
        return "paused" if digest.phase == "paused" else "running"
    match digest.outcome:
        case "done" | "stopped" | "failed" as outcome:
            return outcome
        case _:
            return "interrupted"


def _labels(run: RunFolder, digest: Digest) -> LabelCounts:
    promoted = 0
    try:
        told = read_json(run.start_path)
        promoted = len(told["promoted"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # an older run does not say which of its labels were promoted
    return LabelCounts(
        labelled=max(0, digest.labelled - promoted),
        promoted=promoted,
        unlabelled=digest.unlabelled,
        held_out=digest.held_out,
        material=digest.material,
    )


def _plan(run: RunFolder) -> Mapping[str, Any]:
    try:
        return read_toml(run.plan_path)
    except (OSError, ValueError):
        return {}


def _planned_epochs(plan: Mapping[str, Any]) -> int:
    epochs = _section(plan, "schedule").get("epochs")
    return epochs if isinstance(epochs, int) else 0


def _section(plan: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = plan.get(name)
    return found if isinstance(found, Mapping) else {}
