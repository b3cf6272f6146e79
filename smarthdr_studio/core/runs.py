"""The folders of training runs, and what a list of them shows."""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from statistics import median
from typing import Any, Final, Literal

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.events import Outcome
from smarthdr_studio.core.project import Project

_TIME: Final = "%Y%m%d-%H%M%S"
_TAILS: Final = (2**16, 2**20, 2**24)  # bytes of events.jsonl to look through, if need be
_STEPS_OF_PACE: Final = 20


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where the parts of one run lie."""

    path: Path

    @property
    def id(self) -> str:
        """The run's name, which sorts by time."""
        return self.path.name

    @property
    def plan_path(self) -> Path:
        """The plan the run was started with."""
        return self.path / "plan.toml"

    @property
    def events_path(self) -> Path:
        """Every event, one JSON object a line."""
        return self.path / "events.jsonl"

    @property
    def tensorboard(self) -> Path:
        """Where TensorBoard's event files lie."""
        return self.path / "tensorboard"

    @property
    def checkpoints(self) -> Path:
        """Where the checkpoints lie."""
        return self.path / "checkpoints"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInfo:
    """One line of a list of runs; `started` is UTC, `last_psnr_mu` decibels of the last check.

    A run that has not said its last word is "interrupted", also while it is still running.
    """

    id: str
    folder: Path
    started: datetime
    outcome: Outcome | Literal["interrupted"]
    epochs: int
    last_psnr_mu: float | None
    preset: str


def new_run(project_folder: Path, preset: str) -> RunFolder:
    """A new, empty run folder named by UTC time and preset. Raises ProjectError."""
    name = f"{datetime.now(UTC):{_TIME}}-{re.sub(r'[^A-Za-z0-9_]+', '_', preset) or 'run'}"
    runs = project_folder / "runs"
    try:
        runs.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, 1000):
            path = runs / (name if attempt == 1 else f"{name}-{attempt}")
            try:
                path.mkdir()  # fails where another run was quicker
            except FileExistsError:
                continue
            return RunFolder(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(f"{runs}: cannot be written ({reason}); allow writing there") from None
    raise ProjectError(f"{runs}: holds a thousand runs of this second; wait a moment")


def list_runs(project: Project) -> tuple[RunInfo, ...]:
    """Every run of a project, the latest first; a damaged one still has its line."""
    if not project.runs_folder.is_dir():
        return ()
    folders = sorted((p for p in project.runs_folder.iterdir() if p.is_dir()), reverse=True)
    return tuple(_info(RunFolder(path)) for path in folders if not path.name.startswith("."))


def last_pace(run: RunFolder) -> float | None:
    """Seconds per crop over the newest steps, labelled and unlabelled crops alike.

    None before the first step.
    """
    steps = [
        float(event.get("images_per_second", 0))
        for event in _last_events(run.events_path, until="StepReported")
        if event["event"] == "StepReported"
    ]
    paces = [1 / speed for speed in steps[-_STEPS_OF_PACE:] if speed > 0 and isfinite(speed)]
    return median(paces) if paces else None


def held_out_psnr(run: RunFolder) -> tuple[tuple[int, float], ...]:
    """(step, mean PSNR-μ in dB on held-out labels) of every check, by rising step.

    A resumed run says again what came after its checkpoint: only what was said last counts.
    """
    found: dict[int, float] = {}
    try:
        with run.events_path.open("rb") as log:
            # Nearly every line is a step: only the rare others are worth parsing.
            lines = [line for line in log if b'"Validated"' in line or b'"RunStarted"' in line]
    except OSError:
        return ()
    for event in _readable(b"".join(lines)):
        if event["event"] == "RunStarted":
            begun = int(event.get("step", 0))
            found = {step: psnr for step, psnr in found.items() if step <= begun}
        elif event["event"] == "Validated":
            found[int(event.get("step", 0))] = float(event.get("psnr_mu", "nan"))
    return tuple(sorted(found.items()))


def _info(run: RunFolder) -> RunInfo:
    outcome: Outcome | Literal["interrupted"] = "interrupted"
    epochs, psnr = 0, None
    for event in _last_events(run.events_path):
        epochs = max(epochs, int(event.get("epoch", 0)))
        if event["event"] == "RunStarted":  # also said when a stopped run is resumed
            outcome = "interrupted"
        elif event["event"] == "RunFinished":
            outcome = event.get("outcome", outcome)
        elif event["event"] == "Validated":
            psnr = event.get("psnr_mu", psnr)
    return RunInfo(
        id=run.id,
        folder=run.path,
        started=_started(run),
        outcome=outcome,
        epochs=epochs,
        last_psnr_mu=psnr,
        preset=_preset(run),
    )


def _last_events(path: Path, *, until: str = "Validated") -> list[dict[str, Any]]:
    """The end of the log, as far back as it takes to see an event of that name."""
    events: list[dict[str, Any]] = []
    if not path.is_file():
        return events
    with path.open("rb") as log:
        end = log.seek(0, 2)
        for size in _TAILS:
            log.seek(max(0, end - size))
            events = list(_readable(log.read(size)))
            if end <= size or any(event["event"] == until for event in events):
                break
    return events


def _readable(lines: bytes) -> Iterator[dict[str, Any]]:
    # The first line may be cut by us, the last by a kill.
    for line in lines.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and "event" in event:
            yield event


def _started(run: RunFolder) -> datetime:
    try:
        return datetime.strptime(run.id[:15], _TIME).replace(tzinfo=UTC)
    except ValueError:  # renamed by hand
        return datetime.fromtimestamp(run.path.stat().st_mtime, UTC)


def _preset(run: RunFolder) -> str:
    try:
        plan = tomllib.loads(run.plan_path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return run.id[16:]
    return str(plan.get("preset", run.id[16:]))
