"""The list of a project's runs: how each stands, what it came to, and whether it can be resumed."""

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from smarthdr_studio.core.errors import Remedy
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.liveness import is_at_work
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.running.digest import Check, Digest, keep_digest, read_digest
from smarthdr_studio.core.running.notes import read_note
from smarthdr_studio.core.runs import RunFolder, best_of, run_folders, started_at

RunStatus = Literal["running", "paused", "interrupted", "stopped", "failed", "done"]

_RESUMABLE: Final = frozenset({"interrupted", "stopped", "failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCounts:
    """How many scenes a run learns from, or holds out."""

    labelled: int = 0
    promoted: int = 0
    unlabelled: int = 0
    held_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One line of a list of runs.

    `started` is UTC; `seconds` the work of all sessions; `epoch`, `step` and `rounds` how far the
    run has come, of `epochs`; `best` the best check on held-out labels, `last_psnr_mu` (dB) the
    last one; `retained` the share of the pool in the last round. A run without a last word on
    which no process is at work is "interrupted". `message` and `remedies` are its last word.
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

    @property
    def at_work(self) -> bool:
        """Whether a process has the run now."""
        return self.status in ("running", "paused")


def list_rows(project: Project) -> tuple[RunRow, ...]:
    """Every run of a project, the latest first; a damaged one still has its row."""
    return tuple(row_of(run) for run in run_folders(project.folder))


def newest_resumable(project: AnyPath) -> RunRow | None:
    """The run of a project folder that was started last of those that can be gone on with."""
    return next((row for run in run_folders(project) if (row := row_of(run)).resumable), None)


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
    )


def _digest(run: RunFolder) -> Digest:
    """The digest with the size on disk, kept for the next time where anything is new."""
    digest = read_digest(run)
    if digest.disk_writes != digest.writes:
        digest = replace(digest, disk_bytes=disk_bytes(run.path), disk_writes=digest.writes)
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
    if is_at_work(run.path):
        return "paused" if digest.phase == "paused" else "running"
    match digest.outcome:
        case "done" | "stopped" | "failed" as outcome:
            return outcome
        case _:
            return "interrupted"


def _labels(run: RunFolder, digest: Digest) -> LabelCounts:
    promoted = 0
    try:
        told = json.loads(run.start_path.read_text(encoding="utf-8"))
        promoted = len(told["promoted"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # an older run does not say which of its labels were promoted
    return LabelCounts(
        labelled=max(0, digest.labelled - promoted),
        promoted=promoted,
        unlabelled=digest.unlabelled,
        held_out=digest.held_out,
    )


def _plan(run: RunFolder) -> Mapping[str, Any]:
    try:
        return tomllib.loads(run.plan_path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _planned_epochs(plan: Mapping[str, Any]) -> int:
    epochs = _section(plan, "schedule").get("epochs")
    return epochs if isinstance(epochs, int) else 0


def _section(plan: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = plan.get(name)
    return found if isinstance(found, Mapping) else {}
