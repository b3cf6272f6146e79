"""Looks a whole project over and says what is wrong; changes nothing."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from smarthdr_studio.core import database
from smarthdr_studio.core.backups import backups, verified
from smarthdr_studio.core.errors import DamagedProject, ProjectError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.opened import DATABASE, OpenedDatabase, copy_to_look_at, lost_words
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.safekeeping.database_checks import (
    database_findings,
    journal_finding,
    lost_database,
)
from smarthdr_studio.core.safekeeping.file_checks import (
    QUIET_SECONDS,
    label_findings,
    unaccounted,
)
from smarthdr_studio.core.safekeeping.findings import Finding, Trouble
from smarthdr_studio.core.safekeeping.moved_dataset import missing_dataset
from smarthdr_studio.core.safekeeping.painting_checks import painting_findings
from smarthdr_studio.core.safekeeping.pseudo_checks import pseudo_findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup of the database; `entries` is None where it does not open."""

    path: Path
    entries: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """What was found; `entries` and `scenes` are 0 where the database does not open."""

    findings: tuple[Finding, ...]
    backups: tuple[Backup, ...]
    entries: int = 0
    scenes: int = 0


def check_up(folder: AnyPath, *, quiet: float = QUIET_SECONDS) -> Checkup:
    """Everything that is wrong with the project in `folder`.

    Looks at a copy of the database, so that a project on a read-only disk, of an older format or
    in use by a window can be looked over as well. Files younger than `quiet` seconds that nothing
    speaks of may be in the making and are left out. Raises ProjectError: no project at all.
    """
    folder = Path(folder).expanduser().resolve()
    kept = tuple(Backup(path=path, entries=_entries(path)) for path in backups(folder))
    findings = [_bad_backup(folder, each.path) for each in kept if each.entries is None]
    lost_how = lost_words(folder)
    if lost_how:
        if not kept:
            raise ProjectError(
                f"{folder}: not a project ({DATABASE} {lost_how}); choose a project folder"
            )
        gone = lost_database(folder, sentence=f"{DATABASE} {lost_how}")
        return Checkup(findings=(gone, *findings), backups=kept)
    path = folder / DATABASE
    try:
        with closing(copy_to_look_at(path)) as opened, database.told(path):
            return _inside(folder, opened, findings=findings, kept=kept, quiet=quiet)
    except DamagedProject as error:
        lost = lost_database(folder, sentence=str(error).partition(";")[0])
        return Checkup(findings=(lost, *findings), backups=kept)


def _inside(
    folder: Path,
    opened: OpenedDatabase,
    *,
    findings: Sequence[Finding],
    kept: tuple[Backup, ...],
    quiet: float,
) -> Checkup:
    """What is wrong where the database opens: first in itself, then with the files."""
    inside = [*database_findings(opened.connection, folder)]
    if not inside:
        inside = [*filter(None, [journal_finding(opened.connection, folder)])]
    if inside:
        return Checkup(findings=(*inside, *findings), backups=kept)
    project = Project(folder, opened)
    return Checkup(
        findings=(*_of_files(project, opened, quiet=quiet), *findings),
        backups=kept,
        entries=len(project.entries()),
        scenes=len(project.scenes),
    )


def _of_files(project: Project, opened: OpenedDatabase, *, quiet: float) -> Iterator[Finding]:
    """What is wrong with the files of a project whose database is well."""
    yield from label_findings(project)
    yield from painting_findings(project, opened.connection)
    yield from unaccounted(project, quiet=quiet)
    yield from pseudo_findings(project)
    missing = missing_dataset(project)
    if missing is not None:
        what, _, remedy = missing.sentence.partition("; ")
        yield Finding(trouble=Trouble.DATASET, what=str(missing.root), sentence=what, remedy=remedy)


def _entries(path: Path) -> int | None:
    try:
        return verified(path)
    except ProjectError:
        return None


def _bad_backup(folder: Path, path: Path) -> Finding:
    relative = path.relative_to(folder).as_posix()
    return Finding(
        trouble=Trouble.BACKUP,
        what=relative,
        sentence=f"{relative} does not open",
        remedy="move it to the trash with: smarthdr-studio doctor PROJECT --repair",
        mendable=True,
    )
