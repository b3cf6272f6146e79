"""Runs that were discarded: moved whole to the trash, listed there, and brought back."""

from dataclasses import dataclass
from pathlib import Path

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import move
from smarthdr_studio.core.liveness import is_at_work
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.runs import RunFolder, find_run
from smarthdr_studio.core.trash import copies, put_away


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
            f"{run.path}: is at work; stop it first with: smarthdr-studio runs stop "
            f"{project.folder} {run.id}"
        )
    try:
        return _discarded(put_away(project.folder, run.path))
    except OSError as error:
        raise _cannot_be_moved(run.path, error) from None


def discarded_runs(project: Project) -> tuple[DiscardedRun, ...]:
    """Every run in the trash, the latest discarded first."""
    found = [path for path in copies(project.folder, "runs/*") if path.is_dir()]
    return tuple(_discarded(path) for path in found)


def restore_run(project: Project, run_id: str, *, day: str | None = None) -> RunFolder:
    """Bring a run back from the trash: the one discarded last, or that of a day.

    Raises ProjectError: none of that name is there, one of that name is among the runs, or the
    folder cannot be moved.
    """
    found = [each for each in discarded_runs(project) if each.id == run_id]
    found = [each for each in found if day in (None, each.day)]
    if not found:
        raise ProjectError(f"{project.folder}: its trash holds no run {run_id}; see: runs list")
    target = project.runs_folder / run_id
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
