"""Verified copies of a project's database: one for each day it was used, the last ten of them."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from smarthdr_studio.core.environment import utc_day
from smarthdr_studio.core.errors import ProjectError, StudioError
from smarthdr_studio.core.files import AnyPath, is_inside, place_in, replacing
from smarthdr_studio.core.project import database

BACKUPS_KEPT: Final = 10
FRESH_SECONDS: Final = 600.0

_FOLDER: Final = "backups"


def list_backups(folder: AnyPath) -> tuple[Path, ...]:
    """The backups of the project in `folder`, the newest day first, then those before a climb."""
    folder = Path(folder)
    daily = sorted((folder / _FOLDER).glob("project-*.sqlite"), reverse=True)
    climbs = sorted((folder / _FOLDER).glob("before-format-*.sqlite"), reverse=True)
    return tuple(path for path in (*daily, *climbs) if is_inside(folder, path))


def refresh(connection: sqlite3.Connection, path: AnyPath) -> str:
    """See to it that today's backup of the database at `path` is there and not old.

    Asks the disk for three times of change and does no more, while today's backup is younger than
    `FRESH_SECONDS` or nothing was written since. Answers with the sentence that says why it could
    not be made, "" when all is well: a project opens without its backup.
    """
    path = Path(path)
    backup = path.parent / _FOLDER / f"project-{utc_day()}.sqlite"
    try:
        place_in(path.parent, _FOLDER, backup.name)
        if not _is_due(backup, path):
            return ""
        back_up(connection, path, to=backup)
        for old in sorted(backup.parent.glob("project-*.sqlite"), reverse=True)[BACKUPS_KEPT:]:
            old.unlink(missing_ok=True)
    except (StudioError, OSError) as error:
        reason = str(error) if isinstance(error, StudioError) else f"{backup}: {error.strerror}"
        return f"today's backup could not be made: {reason}"
    return ""


def before_migration(connection: sqlite3.Connection, path: AnyPath, *, target: int) -> str:
    """A backup of the database as it is before it climbs to version `target`; answers likewise."""
    path = Path(path)
    backup = path.parent / _FOLDER / f"before-format-{target}-{utc_day()}.sqlite"
    try:
        place_in(path.parent, _FOLDER, backup.name)
        back_up(connection, path, to=backup)
    except (StudioError, OSError) as error:
        return f"no backup could be made before the project was brought up to date: {error}"
    return ""


def back_up(connection: sqlite3.Connection, path: AnyPath, *, to: AnyPath) -> None:
    """Copy one moment of the database at `path`, verify the copy, then let it take its place.

    Raises ProjectError or OSError: no room, or a database that is damaged; an older backup of that
    name stays then.
    """
    path = Path(path)
    to = Path(to)
    with database.as_project_error(path), replacing(to) as draft:
        # One reading transaction around both, so that they speak of the same moment.
        connection.execute("BEGIN")
        try:
            entries = _entries(connection)
            with closing(sqlite3.connect(draft, isolation_level=None)) as copy:
                copy.execute("PRAGMA synchronous = OFF")  # it is flushed whole at the end
                connection.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")  # one file, complete in itself
        finally:
            connection.execute("ROLLBACK")
        if verified(draft) != entries:
            raise ProjectError(f"{to}: its copy of the journal is not whole; open the project anew")


def verified(path: AnyPath) -> int:
    """How many entries a backup holds. Raises ProjectError: it does not open or is damaged."""
    path = Path(path)
    with database.as_project_error(path):
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as copy:
            if copy.execute("PRAGMA application_id").fetchone() != (database.APPLICATION,):
                raise ProjectError(f"{path}: no backup of a project; take another one")
            if copy.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise ProjectError(f"{path}: damaged; mend it with: smarthdr-studio doctor PROJECT")
            return _entries(copy)


def _is_due(backup: Path, path: Path) -> bool:
    try:
        made = backup.stat().st_mtime
    except FileNotFoundError:
        return True
    written = [path.stat().st_mtime]
    log = path.with_name(f"{path.name}-wal")
    if log.exists():
        written.append(log.stat().st_mtime)
    return max(written) >= made and not 0 <= time.time() - made < FRESH_SECONDS


def _entries(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM journal").fetchone()[0])
