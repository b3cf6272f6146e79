"""A run's folder: where its parts lie, notes, discarding."""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite, isnan
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import (
    TRASH,
    AnyPath,
    found_in,
    is_file,
    is_inside,
    is_plain_name,
    move,
    move_to_trash,
    place_in,
    save_text,
    trashed_copies,
)
from smarthdr_studio.core.project.findings import refuse_shut
from smarthdr_studio.core.project.places import misplaced_in_run
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.records import open_plain, read_bytes, read_json
from smarthdr_studio.core.remedies import LIST_DISCARDED, MEND, STOP_RUN
from smarthdr_studio.core.training.events import values_in
from smarthdr_studio.core.training.run_lock import is_at_work

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
    """A new, empty run folder named by UTC time and preset; the latest of all by its name.

    Raises ProjectError.
    """
    project_folder = Path(project_folder)
    begun = _after_all(run_folders(project_folder))
    name = f"{begun:{_TIME}}-{re.sub(r'[^A-Za-z0-9_]+', '_', preset) or 'run'}"
    runs = place_in(project_folder, "runs")
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


def _after_all(runs: Iterable[RunFolder]) -> datetime:
    """Now; where a clock was set back since, a second after the latest run there is."""
    now = datetime.now(UTC)
    latest = max(filter(None, map(_time_in_name, runs)), default=now)
    if latest <= now:
        return now
    with suppress(OverflowError):  # after the last second a calendar has comes none
        latest += timedelta(seconds=1)
    return latest


def _time_in_name(run: RunFolder) -> datetime | None:
    try:
        return datetime.strptime(run.id[:15], _TIME).replace(tzinfo=UTC)
    except ValueError:  # renamed by hand
        return None


def run_folders(project: AnyPath) -> tuple[RunFolder, ...]:
    """The folder of every run of a project folder, the latest first; see `runs_in`."""
    return runs_in(Path(project) / "runs")


def runs_in(folder: AnyPath) -> tuple[RunFolder, ...]:
    """Every run in a project's folder of runs, the latest first; none where that cannot be read.

    A link that leads out of the project is no run of it.
    """
    folder = Path(folder)
    project = folder.parent
    try:
        found = [
            path
            for path in folder.iterdir()
            if not path.name.startswith(".") and path.is_dir() and is_inside(project, path)
        ]
    except OSError:
        return ()
    return tuple(map(RunFolder, sorted(found, key=lambda path: path.name, reverse=True)))


def run_of(project: AnyPath, run_id: object) -> RunFolder:
    """The folder of a run by its name, whether it is there or not. Raises ForeignPlace."""
    return RunFolder(place_in(project, "runs", run_id))


def find_run(project: Project, run_id: str) -> RunFolder:
    """A run by its name. Raises ProjectError where there is none."""
    named = is_plain_name(run_id) and run_id.strip(".")
    run = run_of(project.folder, run_id) if named else None
    if run is None or not run.path.is_dir():
        raise ProjectError(
            f"{project.folder}: has no run {run_id}; its runs are in {project.runs_folder}"
        )
    return run


def refuse_odd_run(project: AnyPath, run_id: str) -> None:
    """Raises ProjectError where what lies in a run cannot be read or is waited for, as of a pipe.

    Else a checkpoint that may not be seen would be one that never was, and the run begin anew.
    """
    project = Path(project)
    refuse_shut(project, f"runs/{run_id}", below=True)
    for path, what in misplaced_in_run(run_of(project, run_id).path):
        raise ProjectError(
            f"{path}: {what}; move it away, or mend the project with: {MEND.of(PROJECT=project)}"
        )


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


class Check(NamedTuple):
    """The teacher on held-out labels after a step: PSNR-μ in dB, and the mean of e²/σ².

    `epoch` is the one that the check ended, counted from 0.
    """

    step: int
    psnr_mu: float
    calibration: float | None = None
    """None in a log of before 2026-12."""
    epoch: int = 0


def held_out_checks(run: RunFolder) -> tuple[Check, ...]:
    """Every check of a run, by rising step.

    A resumed run says again what came after its checkpoint: only what was said last counts.
    """
    found: dict[int, Check] = {}
    if not is_file(run.events_path):  # nor is a pipe of that name waited for
        return ()
    try:
        with open_plain(run.events_path) as log:
            # Nearly every line is a step: only the rare others are worth parsing.
            lines = [line for line in log if b'"Validated"' in line or b'"RunStarted"' in line]
    except OSError:
        return ()
    for event in values_in(b"".join(lines)):
        if event["event"] == "RunStarted":
            begun = int(event.get("step", 0))
            found = {step: check for step, check in found.items() if step <= begun}
        elif event["event"] == "Validated":
            step, calibration = int(event.get("step", 0)), event.get("calibration")
            found[step] = Check(
                step,
                float(event.get("psnr_mu", "nan")),
                None if calibration is None else float(calibration),
                int(event.get("epoch", 0)),
            )
    return tuple(found[step] for step in sorted(found))


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
    """The complete checkpoints of a run folder, oldest first; none where it is shut."""
    run = Path(run)
    found = found_in(run / "checkpoints", f"{_STEP}*")
    return [path for path in found if path.name[len(_STEP) :].isdecimal() and is_whole(path)]


def is_whole(checkpoint: AnyPath) -> bool:
    """Whether no file of a checkpoint is missing."""
    return all(is_file(Path(checkpoint, name)) for name in (CHECKPOINT_ABOUT, *CHECKPOINT_FILES))


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
    named = _time_in_name(run)
    if named is not None:
        return named
    changed = run.path.stat().st_mtime if run.path.exists() else 0.0
    return datetime.fromtimestamp(changed, UTC)


def _step_of(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix(_STEP))


def _psnr_mu(checkpoint: Path) -> float | None:
    """PSNR-μ in dB; None where it was not checked, gave no number, or cannot be read."""
    try:
        about = read_json(checkpoint / CHECKPOINT_ABOUT)
        score = about["metrics"].get("psnr_mu") if about["format"] <= CHECKPOINT_FORMAT else None
        return None if score is None or isnan(score) else float(score)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _last_events(path: Path, *, until: str) -> list[dict[str, Any]]:
    """The end of the log, as far back as it takes to see an event of that name."""
    events: list[dict[str, Any]] = []
    if not is_file(path):
        return events
    with open_plain(path) as log:
        end = log.seek(0, 2)
        for size in _TAILS:
            log.seek(max(0, end - size))
            events = list(values_in(log.read(size)))
            if end <= size or any(event["event"] == until for event in events):
                break
    return events


_NAME: Final = "note.txt"
_LONGEST_NOTE: Final = 2**20


def read_note(run: RunFolder) -> str:
    """The note of a run, "" where nobody wrote one."""
    path = run.path / _NAME
    try:
        # Of somebody else's run it may lead anywhere, and a note is handed on.
        if not is_inside(run.path, path):
            return ""
        return read_bytes(path, most=_LONGEST_NOTE).decode(errors="replace").strip()
    except (OSError, ValueError):
        return ""


def write_note(run: RunFolder, text: str) -> None:
    """Give a run this note in place of its own, durably; "" takes it away.

    Of two processes the later one counts, whole. Raises ProjectError: no such run, or its folder
    cannot be written.
    """
    if not run.path.is_dir():
        raise ProjectError(f"{run.path}: there is no such run; see the runs folder for names")
    path = run.path / _NAME
    if text.strip():
        save_text(path, text.strip() + "\n")
        return
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(
            f"{path}: cannot be written ({reason}); free some space or allow writing there"
        ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardedRun:
    """A run in the trash; `day` is the part of the trash it lies in, as YYYYMMDD."""

    id: str
    day: str
    folder: Path


def discard_run(project: Project, run_id: str) -> DiscardedRun:
    """Move a run to the trash, whole: checkpoints, curves, note and all.

    Its promoted labels stay, as they are copies. Raises ProjectError: no such run, a process is at
    work on it, or the folder cannot be moved.
    """
    run = find_run(project, run_id)
    if is_at_work(run.path):
        raise ProjectError(
            f"{run.path}: is at work; stop it first with: "
            f"{STOP_RUN.of(PROJECT=project.folder, RUN=run.id)}"
        )
    try:
        return _discarded(move_to_trash(project.folder, run.path))
    except OSError as error:
        raise _cannot_be_moved(run.path, error) from None


def discarded_runs(project: Project) -> tuple[DiscardedRun, ...]:
    """Every run in the trash, the latest discarded first."""
    names = {path.name for path in place_in(project.folder, TRASH).glob("*/runs/*")}
    found = [each for name in names for each in trashed_copies(project.folder, f"runs/{name}")]
    return tuple(_discarded(path) for path in sorted(found, reverse=True) if path.is_dir())


def restore_run(project: Project, run_id: str, *, day: str | None = None) -> RunFolder:
    """Bring a run back from the trash: the one discarded last, or that of a day.

    Raises ProjectError: none of that name is there, one of that name is among the runs, or the
    folder cannot be moved.
    """
    found = [each for each in discarded_runs(project) if each.id == run_id]
    found = [each for each in found if day in (None, each.day)]
    if not found:
        raise ProjectError(
            f"{project.folder}: its trash holds no run {run_id}; see: "
            f"{LIST_DISCARDED.of(PROJECT=project.folder)}"
        )
    target = run_of(project.folder, run_id).path
    if target.exists():
        raise ProjectError(f"{target}: is there already; discard that run first")
    try:
        move(found[0].folder, target)
    except OSError as error:
        raise _cannot_be_moved(found[0].folder, error) from None
    return RunFolder(target)


def _discarded(path: Path) -> DiscardedRun:
    return DiscardedRun(id=path.name, day=path.parents[1].name, folder=path)


def _cannot_be_moved(path: Path, error: OSError) -> ProjectError:
    reason = error.strerror or type(error).__name__
    return ProjectError(
        f"{path}: cannot be moved ({reason}); close what has a file of it open, or allow writing "
        "there"
    )
