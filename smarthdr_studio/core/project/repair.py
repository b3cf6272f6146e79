"""Repairs what a checkup found, restores a damaged database, and empties the trash."""

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import (
    TRASH,
    AnyPath,
    move,
    move_to_trash,
    replacing,
    restore_from_trash,
    trash_contents,
)
from smarthdr_studio.core.project import database, formats
from smarthdr_studio.core.project.backups import verified
from smarthdr_studio.core.project.database import read_mask, write_mask
from smarthdr_studio.core.project.debris import QUIET_SECONDS, take_in
from smarthdr_studio.core.project.findings import Finding, FindingKind
from smarthdr_studio.core.project.integrity import (
    check_up,
    files_ever,
    files_in_use,
    mask_in_backups,
    newest_good_backup,
    unaccounted,
)
from smarthdr_studio.core.project.journal import Accounts, JournalEntry, Ledger
from smarthdr_studio.core.project.places import DATABASE_NAME, odd_in_entry
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.salvage import (
    DAMAGE,
    Salvage,
    differing_tables,
    salvage,
    write_beside,
    write_salvage,
)
from smarthdr_studio.core.words import counted

_PARTS = ("-wal", "-shm", "")  # the database last: without its log it is older, but still there


def restore_database(folder: AnyPath) -> str:
    """Put the newest good backup in the place of the database and add later entries; says so.

    The damaged database goes to the trash with its log. Entries are added as far as they can be
    read and fit those before them. Where more is left of the database itself, row by row, that
    takes its place, with what the backup knows; so without a good backup. Raises ProjectError or
    OSError: somebody has it open, nothing is left, or no room.
    """
    folder = Path(folder)
    backup, path = newest_good_backup(folder), folder / DATABASE_NAME
    _refuse_in_use(path)
    if backup is None:
        return _save_what_is_left(folder)
    with TemporaryDirectory(prefix="smarthdr-studio-") as place:
        damaged, restored = _copied(path, Path(place)), Path(place) / "restored.sqlite"
        shutil.copyfile(backup, restored)
        kept, (added, last) = verified(backup) or 0, _add_later(restored, damaged)
        left = _left_of(damaged, also=backup)
        if left is not None and len(left.entries) - left.begun > kept + added:
            return _put_what_is_left(folder, left, where=f" and {_as_seen(backup, folder)}")
        if left is not None:  # looked at since the backup was made
            with closing(database.connect(restored)) as it, database.writing(it, restored):
                write_beside(it, left)
        _put_away(folder)
        with replacing(path) as draft:
            shutil.copyfile(restored, draft)
    done = f"restored {DATABASE_NAME} from {_as_seen(backup, folder)} ({kept} entries)"
    if added:
        done += f" and added {added} that came later"
    if left is None or left.highest is None:
        return done if added else f"{done}; later ones, if there were any, could not be read"
    lost = left.highest - last
    if lost <= 0:
        return done
    return f"{done}; missing: {counted(lost, 'entry', more='entries')} (from {last + 1} on)"


def _as_seen(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _left_of(damaged: Path, *, also: Path | None = None) -> Salvage | None:
    """What is left of a copy of a damaged database, with what a backup knows; None for nothing."""
    with suppress(*DAMAGE), closing(sqlite3.connect(damaged)) as log:
        log.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # what a kill has left in the log
    try:
        found = salvage(damaged, also=also)
    except DAMAGE:
        return None
    return found if found.scenes else None


def _refuse_in_use(path: Path) -> None:
    """What another program decides would go into a file that lies in the trash."""
    if _is_open_elsewhere(path):
        raise ProjectError(
            f"{path}: another program has it open; close every window and training on the project, "
            "then repair it"
        )


_HELD_WHILE_OPEN: Final = (510, 0x40000002)  # bytes, from: SQLite's file format, "shared range"


def _is_open_elsewhere(path: Path) -> bool:
    """Whether another process has the database at `path` open, as far as the system can tell."""
    try:
        import fcntl  # noqa: PLC0415 - not on Windows, where a file in use cannot be moved at all

        with path.open("r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, *_HELD_WHILE_OPEN)
    except (BlockingIOError, PermissionError):
        return True
    except (ImportError, OSError):  # no such file, or no locks on this disk
        return False
    return False


def _save_what_is_left(folder: Path) -> str:
    path = folder / DATABASE_NAME
    with TemporaryDirectory(prefix="smarthdr-studio-") as place:
        found = _left_of(_copied(path, Path(place)))
    if found is None:
        raise ProjectError(f"{folder}: nothing of its {DATABASE_NAME} can be read; {_COPY}")
    return _put_what_is_left(folder, found, where=", as no backup is good")


def _put_what_is_left(folder: Path, found: Salvage, *, where: str) -> str:
    path = folder / DATABASE_NAME
    with database.as_project_error(path), replacing(path.with_name("saved.sqlite")) as draft:
        write_salvage(draft, found, beside=folder.parent)
    _put_away(folder)
    move(path.with_name("saved.sqlite"), path)
    entries = counted(len(found.entries), "entry", more="entries")
    missing = "; missing: " + ", ".join(found.missing) if found.missing else "; nothing is missing"
    return (
        f"saved {counted(len(found.scenes), 'scene')} and {entries} of {DATABASE_NAME}{where}"
        f"{missing}"
    )


_COPY = "restore the project from a copy"


def _put_away(folder: Path) -> None:
    """The damaged database with its log goes to the trash."""
    for part in _PARTS:
        each = folder / f"{DATABASE_NAME}{part}"
        if each.exists():
            move_to_trash(folder, each)


def _copied(path: Path, place: Path) -> Path:
    """The damaged database with its log, to be read where nothing more can happen to it."""
    for part in ("", "-wal"):
        each = path.with_name(f"{path.name}{part}")
        if each.exists():
            shutil.copyfile(each, place / each.name)
    return place / path.name


def _add_later(path: Path, damaged: Path) -> tuple[int, int]:
    """Add what the damaged database has beyond the backup: how many, and the last one's number."""
    with closing(database.connect(path)) as connection, database.writing(connection, path):
        old = database.entries_after(connection, 0)
        later, masks = _salvaged(damaged, old)
        fitting = list(_fitting(Accounts(old), later))
        database.append(connection, fitting)
        for name, runs in masks.items():
            if name in {entry.person for entry in fitting}:
                write_mask(connection, name, runs)
        return len(fitting), max((entry.seq for entry in (*old[-1:], *fitting)), default=0)


def _salvaged(
    damaged: Path, old: list[JournalEntry]
) -> tuple[list[JournalEntry], dict[str, bytes]]:
    """Entries behind the `old` ones that can still be read, and the masks they speak of."""
    later: list[JournalEntry] = []
    masks: dict[str, bytes] = {}
    last = old[-1].seq if old else 0
    try:
        with closing(sqlite3.connect(damaged, isolation_level=None)) as connection:
            newest = len(formats.MIGRATIONS)
            if database.version_of(connection) != newest and differing_tables(connection):
                return later, masks  # else its number alone is damaged
            # The same history, or none of it: a backup of another life must not be continued.
            if old and list(database.each_entry_after(connection, last - 1))[:1] != old[-1:]:
                return later, masks
            for entry in database.each_entry_after(connection, last):
                if entry.seq != last + len(later) + 1:
                    break  # what came in between is lost
                later.append(entry)
                runs = entry.person and read_mask(connection, entry.person)
                if entry.person and runs:
                    masks[entry.person] = runs
    except (sqlite3.DatabaseError, KeyError, ValueError):
        # Read as far as it went; of the group it broke off in, the rest may be missing.
        later = [entry for entry in later if entry.group != later[-1].group]
    return later, masks


def _fitting(accounts: Accounts, later: list[JournalEntry]) -> Iterator[JournalEntry]:
    """The entries up to the first that does not fit, or leads out; of a group all or none."""
    scenes = {*accounts.ledger().scenes, None}
    groups: dict[str, list[JournalEntry]] = {}
    for entry in later:
        groups.setdefault(entry.group, []).append(entry)
    for group in groups.values():
        try:
            accounts.take(group)
        except (KeyError, ValueError):
            return
        if not scenes.issuperset(entry.scene for entry in group):
            return
        if any(odd_in_entry(entry.scene, entry.label, entry.truth) for entry in group):
            return
        yield from group


@dataclass(frozen=True, slots=True, kw_only=True)
class FileGroup:
    """Files, and the bytes they take."""

    files: tuple[Path, ...]
    nbytes: int

    @classmethod
    def of(cls, files: Iterable[AnyPath]) -> "FileGroup":
        """These files as they are on disk now."""
        paths = tuple(Path(each) for each in files)
        return cls(files=paths, nbytes=sum(path.stat().st_size for path in paths))


def older_versions(project: Project) -> FileGroup:
    """Labels and ground truths that only undo and redo could need."""
    in_use = files_in_use(project)
    older = (path for path in files_ever(project.entries()) if path not in in_use)
    return FileGroup.of(p for p in (project.folder / path for path in older) if p.is_file())


def trashed_files(project: Project) -> FileGroup:
    """All that lies in the trash of the project."""
    return FileGroup.of(trash_contents(project.folder))


def trash_older_versions(project: Project) -> FileGroup:
    """Move older versions to the trash; undo and redo bring back what they need.

    Answers what was moved. Raises ProjectError: the project cannot be written.
    """
    moved: list[FileGroup] = []

    def move(_: Ledger) -> Sequence[JournalEntry]:
        moved.append(older_versions(project))
        for path in moved[0].files:
            move_to_trash(project.folder, path)
        return ()

    _exclusively(project, move)
    return moved[0]


def empty_trash(project: Project) -> FileGroup:
    """Delete the trash for good; an undo that needs a file of it is refused from then on.

    Answers what was deleted. Raises ProjectError: the project cannot be written.
    """
    deleted: list[FileGroup] = []

    def delete(_: Ledger) -> Sequence[JournalEntry]:
        deleted.append(trashed_files(project))
        if deleted[0].files:
            shutil.rmtree(project.folder / TRASH)
        return ()

    _exclusively(project, delete)
    return deleted[0]


def _exclusively(project: Project, work: Callable[[Ledger], Sequence[JournalEntry]]) -> None:
    """Nobody decides, undoes or redoes meanwhile."""
    try:
        project.record(work)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(
            f"{project.folder}: cannot be tidied ({reason}); allow writing there"
        ) from None


_LOST = (FindingKind.DATABASE, FindingKind.JOURNAL)
_STRAY = (FindingKind.UNACCOUNTED, FindingKind.LEFTOVER)


def repair(folder: AnyPath, *, quiet: float = QUIET_SECONDS) -> tuple[str, ...]:
    """Mend what can be mended in the project in `folder`; one sentence for each thing done.

    What is no plain file or no folder is moved out of the way first, as it may stand where the
    database's log belongs; then a database is restored, because only then the files can be looked
    over. Raises ProjectError: the project cannot be written.
    """
    folder = Path(folder).expanduser().resolve()
    done: list[str] = []
    findings = check_up(folder, quiet=quiet).findings
    if any(each.trouble is FindingKind.PLACE for each in findings):
        return ()  # first a person has to see what leads out of the project, and take it away
    try:
        for each in findings:
            if each.trouble is FindingKind.MISPLACED and each.mendable:
                move_to_trash(folder, folder / each.what)
                done.append(f"moved {each.what} to the trash")
        if done:
            findings = check_up(folder, quiet=quiet).findings
        if any(each.trouble in _LOST and each.mendable for each in findings):
            done.append(restore_database(folder))
            findings = check_up(folder, quiet=quiet).findings
        if any(each.trouble in _LOST for each in findings):
            return tuple(done)
        with Project.open(folder) as project:
            done += _mended(project, findings, quiet=quiet)
        # Opened anew, today's backup is made again if it was one of the bad ones.
        Project.open(folder).close()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProjectError(
            f"{folder}: cannot be repaired ({reason}); free some space or allow writing there"
        ) from None
    return tuple(done)


def _mended(project: Project, findings: Sequence[Finding], *, quiet: float) -> list[str]:
    done: list[str] = []

    def mend(_: Ledger) -> Sequence[JournalEntry]:
        # Nobody decides in between, so what is unaccounted for now belongs to nobody.
        strays = [*unaccounted(project, quiet=quiet)]
        rest = [each for each in findings if each.mendable and each.trouble not in _STRAY]
        done.extend(_mend(project, each) for each in (*rest, *strays))
        return ()

    masks = {
        each.what: runs
        for each in findings
        if each.trouble is FindingKind.PAINTING
        and (runs := mask_in_backups(project.folder, each.what)) is not None
    }
    project.record(mend, painted=lambda: masks)
    return done


def _mend(project: Project, finding: Finding) -> str:
    folder, what = project.folder, finding.what
    if Path(what).is_absolute():
        take_in(folder, what)
        return f"moved {what}, which was begun and never finished, to the trash"
    if finding.trouble is FindingKind.PAINTING:
        return f"brought back what was painted ({what[:12]}) from a backup"
    if finding.trouble is FindingKind.FILE_IN_USE:
        if (folder / what).exists():
            move_to_trash(folder, folder / what)
        restore_from_trash(folder, what, finding.checksum)
        return f"brought {what} back from the trash"
    move_to_trash(folder, folder / what)
    return f"moved {what} to the trash"
