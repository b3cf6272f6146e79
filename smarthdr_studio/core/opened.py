"""A project's database as it could be opened: to decide in, or a copy that is only looked at."""

import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from smarthdr_studio.core import backups, database
from smarthdr_studio.core.errors import ProjectError, UnwritableProject
from smarthdr_studio.core.files import AnyPath

DATABASE: Final = "project.sqlite"

_ATTEMPTS: Final = 5
_OTHERWISE: Final = {"is gone": f"no {DATABASE}", "is empty": f"its {DATABASE} is empty"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedDatabase:
    """A connection, and what is to be known of it.

    `read_only` says why nothing can be decided ("" where it can); the connection is then to a
    copy, and nobody sees what is written to it. `warnings` are sentences.
    """

    connection: sqlite3.Connection
    read_only: str = ""
    warnings: tuple[str, ...] = ()
    copy: "TemporaryDirectory[str] | None" = None

    def close(self) -> None:
        """Let go of the file, and remove a copy."""
        self.connection.close()
        if self.copy is not None:
            self.copy.cleanup()


def open_database(folder: AnyPath) -> OpenedDatabase:
    """The database of the project in `folder`, backed up; where it cannot be written, a copy.

    Raises ProjectError: no project, foreign, damaged or too new.
    """
    folder = Path(folder)
    path = folder / DATABASE
    lost = lost_words(folder)
    if lost:
        raise ProjectError(_missing(folder, lost))
    warnings: list[str] = []
    try:
        connection = database.connect(
            path,
            before_climb=lambda old, target: warnings.append(
                backups.before_climb(old, path, target=target)
            ),
        )
    except UnwritableProject as error:
        return copy_to_look_at(path, refused=error)
    warnings.append(backups.refresh(connection, path))
    return OpenedDatabase(connection=connection, warnings=tuple(filter(None, warnings)))


def copy_to_look_at(path: AnyPath, *, refused: UnwritableProject | None = None) -> OpenedDatabase:
    """A copy of the database at `path` as it is now, brought up to this program's version.

    Nothing is written beside it. `refused` says why it could not be opened itself. Raises
    ProjectError: damaged, foreign, too new, not readable, or no room for the copy.
    """
    path = Path(path)
    try:
        copy = TemporaryDirectory(prefix="smarthdr-studio-", ignore_cleanup_errors=True)
    except OSError as error:
        raise refused or _unreadable(path, error) from None
    try:
        connection = database.connect(_copied(path, Path(copy.name)))
    except OSError as error:
        copy.cleanup()
        raise _unreadable(path, error) from None
    except ProjectError as error:
        copy.cleanup()
        raise _about(error, copy.name, path, refused) from None
    except BaseException:
        copy.cleanup()
        raise
    why = "it is only looked at" if refused is None else refused.why
    return OpenedDatabase(connection=connection, read_only=why, copy=copy)


def _about(
    error: ProjectError, place: str, path: Path, refused: UnwritableProject | None
) -> ProjectError:
    """The same sentence about the file itself, not about its copy."""
    if refused is not None and isinstance(error, UnwritableProject):
        return refused
    return type(error)(str(error).replace(f"{place}/", f"{path.parent}/"))


def _unreadable(path: Path, error: OSError) -> ProjectError:
    reason = error.strerror or type(error).__name__
    return ProjectError(f"{path}: cannot be read ({reason}); allow reading it")


def lost_words(folder: AnyPath) -> str:
    """Whether the database in `folder` "is gone" or "is empty"; "" where it is neither."""
    folder = Path(folder)
    path = folder / DATABASE
    if not path.is_file():
        return "is gone"
    log = path.with_name(f"{path.name}-wal")
    written = path.stat().st_size or (log.is_file() and log.stat().st_size)
    return "" if written else "is empty"


def _missing(folder: Path, lost: str) -> str:
    if backups.backups(folder):
        return (
            f"{folder}: its {DATABASE} {lost}; bring it back from the backups with: "
            f"smarthdr-studio doctor {folder} --repair"
        )
    return (
        f"{folder}: not a project ({_OTHERWISE[lost]}); create one with: "
        f"smarthdr-studio new {folder} DATASET"
    )


def _copied(path: Path, place: Path) -> Path:
    """The database as it is at one moment, in another folder."""
    if path.with_name(f"{path.name}-shm").exists():
        # In use: what counts as decided is known to those who use it, not to its files alone.
        with suppress(sqlite3.Error):
            return _live(path, place / path.name)
    return _at_rest(path, place)


def _live(path: Path, copy: Path) -> Path:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as live, closing(sqlite3.connect(copy)) as target:
        live.backup(target)
    return copy


def _at_rest(path: Path, place: Path) -> Path:
    """The files of a database that nobody has open, and its log where a kill has left one."""
    log = path.with_name(f"{path.name}-wal")
    for _ in range(_ATTEMPTS):
        before = _stamps(path, log)
        for each in (path, log):
            copied = place / each.name
            copied.unlink(missing_ok=True)
            if each.exists():
                shutil.copyfile(each, copied)
        if _stamps(path, log) == before:
            return place / path.name
    raise ProjectError(f"{path}: another program is writing to it; try again in a moment")


def _stamps(*paths: Path) -> list[tuple[int, int] | None]:
    found = [path.stat() if path.exists() else None for path in paths]
    return [each and (each.st_size, each.st_mtime_ns) for each in found]
