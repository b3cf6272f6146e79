"""The folders of training runs, where their parts lie, and what is asked of their logs often."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from statistics import median
from typing import Any, Final

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.event_lines import values_in
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

    @property
    def start_path(self) -> Path:
        """How the project stood when the run was started."""
        return self.path / "start.json"

    @property
    def window_path(self) -> Path:
        """How the project was looked at when the run was started."""
        return self.path / "window.json"


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


def run_folders(project: Path) -> tuple[RunFolder, ...]:
    """The folder of every run of a project folder, the latest first."""
    try:
        found = [path for path in (project / "runs").iterdir() if path.is_dir()]
    except OSError:
        return ()
    found.sort(key=lambda path: path.name, reverse=True)
    return tuple(RunFolder(path) for path in found if not path.name.startswith("."))


def find_run(project: Project, run_id: str) -> RunFolder:
    """A run by its name. Raises ProjectError where there is none."""
    run = RunFolder(project.runs_folder / run_id)
    if run.path.parent != project.runs_folder or not run_id.strip(".") or not run.path.is_dir():
        raise ProjectError(
            f"{project.folder}: has no run {run_id}; its runs are in {project.runs_folder}"
        )
    return run


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
    for event in values_in(b"".join(lines)):
        if event["event"] == "RunStarted":
            begun = int(event.get("step", 0))
            found = {step: psnr for step, psnr in found.items() if step <= begun}
        elif event["event"] == "Validated":
            found[int(event.get("step", 0))] = float(event.get("psnr_mu", "nan"))
    return tuple(sorted(found.items()))


def started_at(run: RunFolder) -> datetime:
    """When the run was first started (UTC), by its name; one renamed by hand, when last changed."""
    try:
        return datetime.strptime(run.id[:15], _TIME).replace(tzinfo=UTC)
    except ValueError:  # renamed by hand
        changed = run.path.stat().st_mtime if run.path.exists() else 0.0
        return datetime.fromtimestamp(changed, UTC)


def _last_events(path: Path, *, until: str) -> list[dict[str, Any]]:
    """The end of the log, as far back as it takes to see an event of that name."""
    events: list[dict[str, Any]] = []
    if not path.is_file():
        return events
    with path.open("rb") as log:
        end = log.seek(0, 2)
        for size in _TAILS:
            log.seek(max(0, end - size))
            events = list(values_in(log.read(size)))
            if end <= size or any(event["event"] == until for event in events):
                break
    return events
