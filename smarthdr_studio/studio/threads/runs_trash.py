"""Moving runs to the trash and back; a run is many files, and disks answer when they like."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.running.discarded import (
    DiscardedRun,
    discard_run,
    discarded_runs,
    restore_run,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarded:
    """The runs that lie in the trash now, and why another one does not."""

    runs: tuple[str, ...]
    refusal: str = ""


def discard_runs(*, folder: Path, runs: Sequence[str]) -> Discarded:
    """Move these runs to the trash, up to the first that cannot be moved."""
    gone: list[str] = []
    with Project.open(folder) as project:
        for run in runs:
            try:
                gone.append(discard_run(project, run).id)
            except ProjectError as error:
                return Discarded(runs=tuple(gone), refusal=str(error))
    return Discarded(runs=tuple(gone))


def list_discarded(*, folder: Path) -> tuple[DiscardedRun, ...]:
    """Every run in the trash, the latest discarded first."""
    with Project.open(folder) as project:
        return discarded_runs(project)


def bring_runs_back(*, folder: Path, runs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Runs, by id and day, are among the runs again. Raises ProjectError at the first that is not.

    Answers their names.
    """
    with Project.open(folder) as project:
        for run, day in runs:
            restore_run(project, run, day=day)
    return tuple(run for run, _ in runs)
