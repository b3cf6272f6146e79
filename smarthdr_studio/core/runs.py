"""The folders of training runs, where their parts lie, and what is asked of their logs often."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite, isnan
from pathlib import Path
from statistics import median
from typing import Any, Final, Protocol, TypeVar

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.event_lines import values_in
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.project import Project

_TIME: Final = "%Y%m%d-%H%M%S"
_TAILS: Final = (2**16, 2**20, 2**24)  # bytes of events.jsonl to look through, if need be
_STEPS_OF_PACE: Final = 20

CHECKPOINT_FORMAT: Final = 1
CHECKPOINT_ABOUT: Final = "checkpoint.json"
CHECKPOINT_FILES: Final = ("student.safetensors", "teacher.safetensors", "state.pt")
_STEP: Final = "step-"  # begins the name of a checkpoint's folder, before its step


class Checked(Protocol):
    """Whatever was held against held-out labels, or was not."""

    @property
    def psnr_mu(self) -> float | None:
        """Mean PSNR-μ in dB; None where it was not checked, NaN where that gave no number."""


_Checked = TypeVar("_Checked", bound=Checked)


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedCheckpoint:
    """A checkpoint that is whole; `psnr_mu` (dB) of the check of its weights, if there was one."""

    step: int
    psnr_mu: float | None
    folder: Path


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


def new_run(project_folder: AnyPath, preset: str) -> RunFolder:
    """A new, empty run folder named by UTC time and preset. Raises ProjectError."""
    project_folder = Path(project_folder)
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


def run_folders(project: AnyPath) -> tuple[RunFolder, ...]:
    """The folder of every run of a project folder, the latest first."""
    project = Path(project)
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


def is_better(psnr_mu: float | None, *, than: float | None) -> bool:
    """Whether a check is the best so far, `than` (dB) being the best before it, None if none was.

    This is the one rule of what is best in a run: strictly higher wins, so that of equals the
    earliest stays the best, and what is no number (NaN or None) never is.
    """
    return psnr_mu is not None and not isnan(psnr_mu) and (than is None or psnr_mu > than)


def best_of(checked: Iterable[_Checked]) -> _Checked | None:
    """The best by `is_better`, of checks or checkpoints by rising step; None where none is."""
    best: _Checked | None = None
    for each in checked:
        if is_better(each.psnr_mu, than=None if best is None else best.psnr_mu):
            best = each
    return best


def checkpoints_of(run: AnyPath) -> list[Path]:
    """The complete checkpoints of a run folder, oldest first."""
    run = Path(run)
    found = sorted((run / "checkpoints").glob(f"{_STEP}*"))
    return [path for path in found if path.name[len(_STEP) :].isdecimal() and is_whole(path)]


def is_whole(checkpoint: AnyPath) -> bool:
    """Whether no file of a checkpoint is missing."""
    return all(
        (Path(checkpoint) / name).is_file() for name in (CHECKPOINT_ABOUT, *CHECKPOINT_FILES)
    )


def saved_checkpoints(run: AnyPath) -> tuple[SavedCheckpoint, ...]:
    """What the complete checkpoints of a run folder say of themselves, oldest first."""
    run = Path(run)
    return tuple(
        SavedCheckpoint(step=_step_of(path), psnr_mu=_psnr_mu(path), folder=path)
        for path in checkpoints_of(run)
    )


def best_checkpoint(run: AnyPath) -> Path | None:
    """The complete checkpoint with the highest PSNR-μ on held-out labels, the first of equals.

    The newest where none was checked, None where there is none.
    """
    run = Path(run)
    found = saved_checkpoints(run)
    best = best_of(found) or (found[-1] if found else None)
    return None if best is None else best.folder


def started_at(run: RunFolder) -> datetime:
    """When the run was first started (UTC), by its name; one renamed by hand, when last changed."""
    try:
        return datetime.strptime(run.id[:15], _TIME).replace(tzinfo=UTC)
    except ValueError:  # renamed by hand
        changed = run.path.stat().st_mtime if run.path.exists() else 0.0
        return datetime.fromtimestamp(changed, UTC)


def _step_of(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix(_STEP))


def _psnr_mu(checkpoint: Path) -> float | None:
    """PSNR-μ in dB; None where it was not checked, gave no number, or cannot be read."""
    try:
        about = json.loads((checkpoint / CHECKPOINT_ABOUT).read_text(encoding="utf-8"))
        score = about["metrics"].get("psnr_mu") if about["format"] <= CHECKPOINT_FORMAT else None
        return None if score is None or isnan(score) else float(score)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


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
