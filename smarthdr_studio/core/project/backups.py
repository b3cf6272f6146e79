"""Verified copies of a project's database: several of a day, the last ten days of use."""

import re
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from smarthdr_studio.core.environment import garbage_collection_paused, utc_day
from smarthdr_studio.core.errors import ProjectError, StudioError
from smarthdr_studio.core.files import AnyPath, disk_time, is_file, is_inside, place_in, replacing
from smarthdr_studio.core.project import database, formats
from smarthdr_studio.core.project.journal import Accounts, JournalEntry
from smarthdr_studio.core.remedies import LOOK_OVER, MEND
from smarthdr_studio.core.words import counted

BACKUPS_KEPT: Final = 10
"""Days of use, the newest ones."""
GENERATIONS_KEPT: Final = 4
"""Backups of today: its first, and the newest ones. Of a day before, the last one stays."""
FRESH_SECONDS: Final = 600.0

_FOLDER: Final = "backups"
_NAME: Final = re.compile(r"project-(\d{8})(?:-(\d+))?\.sqlite")


def list_backups(folder: AnyPath) -> tuple[Path, ...]:
    """The backups of the project in `folder`, the newest first, then those before a climb."""
    folder = Path(folder)
    climbs = sorted((folder / _FOLDER).glob("before-format-*.sqlite"), reverse=True)
    found = (*_daily(folder), *filter(is_file, climbs))
    return tuple(path for path in found if is_inside(folder, path))


def _daily(folder: Path) -> list[Path]:
    """Those of days of use, the newest first; a pipe of such a name is none, and not waited for."""
    found = (folder / _FOLDER).glob("project-*.sqlite")
    named = (path for path in found if _NAME.fullmatch(path.name) and is_file(path))
    return sorted(named, key=_age, reverse=True)


def _age(backup: Path) -> tuple[str, int]:
    """The day of a backup, and which of that day it is."""
    named = _NAME.fullmatch(backup.name)
    return ("", 0) if named is None else (named[1], int(named[2] or 1))


def some_are_to_come(folder: AnyPath) -> bool:
    """Whether a backup is of a day after today: a clock was wrong, and names tell no order."""
    return any(_age(backup)[0] > utc_day() for backup in _daily(Path(folder)))


def is_due(path: AnyPath) -> bool:
    """Whether the database at `path` needs a backup; asks the disk for names and three times."""
    path = Path(path)
    today = _of_today(path.parent)
    return not today or _is_outdated(today[0], path)


def _of_today(folder: Path) -> list[Path]:
    day = utc_day()
    return [backup for backup in _daily(folder) if _age(backup)[0] == day]


class KnownJournal(NamedTuple):
    """A journal as a backup has it, with what it adds up to."""

    entries: list[JournalEntry]
    accounts: Accounts


class Refreshed(NamedTuple):
    """What came of a look at the backups.

    `warning` says what is wrong, "" when all is well. `journal` is what was read of a database
    for a new backup, so that whoever opens it need not read it again; None where none was made.
    """

    warning: str = ""
    journal: KnownJournal | None = None


def refresh(connection: sqlite3.Connection, path: AnyPath) -> Refreshed:
    """See to it that there is a backup of today of the database at `path`, and that it is not old.

    Does no more than `is_due` while the newest backup is younger than `FRESH_SECONDS` or nothing
    was written since. A new one is put beside those there are, and never in the place of one.
    A project opens without its backup.
    """
    path = Path(path)
    folder = path.parent / _FOLDER
    try:
        place_in(path.parent, _FOLDER)
        if not is_due(path):
            return Refreshed()
        today = _of_today(path.parent)
        before = next(iter(today or _daily(path.parent)), None)
        number = _age(today[0])[1] + 1 if today else 1
        name = f"project-{utc_day()}{'' if number == 1 else f'-{number}'}.sqlite"
        journal = back_up(connection, path, to=place_in(path.parent, _FOLDER, name))
        _drop_older(path.parent)
    except (StudioError, OSError) as error:
        reason = str(error) if isinstance(error, StudioError) else f"{folder}: {error.strerror}"
        return Refreshed(f"today's backup could not be made: {reason}")
    if before is not None and before.exists() and not _continues(folder / name, before):
        return Refreshed(
            f"{path}: does not go on from {_FOLDER}/{before.name}; both backups are kept, and what "
            f"is wrong tells: {LOOK_OVER.of(PROJECT=path.parent)}",
            journal,
        )
    return Refreshed("", journal)


def _drop_older(folder: Path) -> None:
    """Thin out what newer backups know as well, and forget all but the newest days of use.

    Days that are yet to come, by a clock that was wrong then or is now, come after those that were:
    they never cost today's backup.
    """
    days: dict[str, list[Path]] = {}
    for backup in _daily(folder):
        days.setdefault(_age(backup)[0], []).append(backup)
    were = sorted(days.items(), key=lambda one: one[0] > utc_day())
    for number, (day, backups) in enumerate(were):
        if number >= BACKUPS_KEPT:
            for old in backups:
                old.unlink(missing_ok=True)
        else:
            today = day == utc_day()
            _thin_out(backups, keep=GENERATIONS_KEPT if today else 1, keep_first=today)


def _thin_out(newest_first: Sequence[Path], *, keep: int, keep_first: bool) -> None:
    """Drop backups of one day down to `keep`, the oldest first, but none that alone knows a thing.

    The first of the day is left with `keep_first`.
    """
    oldest_first = list(reversed(newest_first))
    spare = [*pairwise(oldest_first)][1 if keep_first else 0 :]
    for old, newer in spare:
        if len(oldest_first) <= keep:
            return
        if _continues(newer, old):
            old.unlink(missing_ok=True)
            oldest_first.remove(old)


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


def back_up(connection: sqlite3.Connection, path: AnyPath, *, to: AnyPath) -> KnownJournal:
    """Copy one moment of the database at `path`, verify the copy, then let it take its place.

    Answers the journal of that moment. Raises ProjectError or OSError: no room, or a database that
    is not whole; an older backup of that name stays then.
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
        try:
            known = _verified(draft)
        except ProjectError as error:
            raise type(error)(str(error).replace(str(draft), str(path))) from None
        if len(known.entries) != entries:
            raise ProjectError(f"{to}: its copy of the journal is not whole; open the project anew")
    return known


def verified(path: AnyPath) -> int:
    """How many entries a backup holds, after all of it was read: pages, rows and their sum.

    Raises ProjectError: it does not open, is damaged, or its journal does not add up.
    """
    return len(_verified(Path(path)).entries)


def _verified(path: Path) -> KnownJournal:
    with (
        garbage_collection_paused(),
        database.as_project_error(path),
        closing(_opened(path)) as copy,
    ):
        if copy.execute("PRAGMA application_id").fetchone() != (formats.APPLICATION,):
            raise ProjectError(f"{path}: no backup of a project; take another one")
        if copy.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
            raise ProjectError(f"{path}: damaged; mend it with: {MEND}")
        if not 0 < database.version_of(copy) <= len(formats.MIGRATIONS):
            raise ProjectError(
                f"{path}: of format {database.version_of(copy)}; mend it with: {MEND}"
            )
        if database.version_of(copy) == len(formats.MIGRATIONS):
            return _read_whole(copy, path)
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as climbed:
            copy.backup(climbed)
            database.bring_up_to_date(climbed, path)
            return _read_whole(climbed, path)


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def _read_whole(connection: sqlite3.Connection, path: Path) -> KnownJournal:
    """The journal, every row of every table having been decoded."""
    odd, journal = _added_up(connection)
    if odd:
        raise ProjectError(f"{path}: {odd}; mend it with: {MEND}")
    for table in ("facts", "scenes", "person_masks", "figures", "reviews", "stamps"):
        for _ in connection.execute(f"SELECT * FROM {table}"):
            pass
    if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise ProjectError(f"{path}: speaks of a scene that is not there; mend it with: {MEND}")
    if not database.knows_dataset(connection):
        raise ProjectError(f"{path}: does not say where its dataset is; mend it with: {MEND}")
    return journal


def what_does_not_fit(connection: sqlite3.Connection) -> str:
    """Where the journal does not add up, in a clause; "" where it does."""
    return _added_up(connection)[0]


def _added_up(connection: sqlite3.Connection) -> tuple[str, KnownJournal]:
    """The same, and the journal as far as it adds up."""
    accounts, entries = Accounts(), list[JournalEntry]()
    try:
        for entry in database.each_entry_after(connection, 0):
            accounts.take([entry])
            entries.append(entry)
    except (KeyError, ValueError, TypeError, AttributeError):
        reached = entries[-1].seq if entries else 0
        odd = f"the entry after {reached} of the journal cannot be read or does not fit"
        return odd, KnownJournal(entries, accounts)
    scenes = {row[0] for row in connection.execute("SELECT id FROM scenes")}
    missing = scenes - set(accounts.ledger().scenes)
    odd = f"the journal says nothing of {counted(len(missing), 'scene')}" if missing else ""
    return odd, KnownJournal(entries, accounts)


# What must be known of the rows of a table once it was: in every format, and what newer ones added.
_KEYS: Final = {"journal": "seq", "scenes": "id", "person_masks": "hash"}
_SINCE_EVER: Final = {
    "journal": ("seq", "action", "at", "who", "kind", "scene", "before", "after", "label", "note"),
    "scenes": ("id", "under", "reference", "over", "height", "width", "split", "ground_truth"),
}


def _continues(newer: Path, older: Path) -> bool:
    """Whether a backup knows all that an older one does; no when one of them cannot be read."""
    try:
        with closing(_opened(newer)) as now:
            now.execute("ATTACH ? AS older", (f"{older.absolute().as_uri()}?mode=ro&immutable=1",))
            formats = [
                now.execute(f"PRAGMA {each}.user_version").fetchone() for each in ("main", "older")
            ]
            return not any(
                _forgets(now, table, columns)
                for table, columns in _compared(now, same=formats[0] == formats[1]).items()
            )
    except (sqlite3.DatabaseError, OSError):
        return False


def _compared(now: sqlite3.Connection, *, same: bool) -> dict[str, Sequence[str]]:
    """The columns to compare, by table: all of them in the same format."""
    if not same:
        return dict(_SINCE_EVER)
    return {
        table: [row[0] for row in now.execute(f"SELECT name FROM pragma_table_info('{table}')")]
        for table in _KEYS
    }


def _forgets(now: sqlite3.Connection, table: str, columns: Sequence[str]) -> bool:
    """Whether a row of the older one is missing or was changed; SQLite compares the raw bytes."""
    key = _KEYS[table]
    differs = " OR ".join(f"was.{column} IS NOT is_now.{column}" for column in columns)
    lost = now.execute(
        f"SELECT 1 FROM older.{table} was LEFT JOIN main.{table} is_now "
        f"ON is_now.{key} = was.{key} WHERE {differs} LIMIT 1"
    )
    return lost.fetchone() is not None


def _is_outdated(backup: Path, path: Path) -> bool:
    try:
        made = backup.stat().st_mtime
    except FileNotFoundError:
        return True
    written = [path.stat().st_mtime]
    log = path.with_name(f"{path.name}-wal")
    if log.exists():
        written.append(log.stat().st_mtime)
    if max(written) < made:
        return False
    return not 0 <= disk_time(backup.parent) - made < FRESH_SECONDS


def _entries(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM journal").fetchone()[0])


_ATTEMPTS: Final = 5


def copy_of_now(path: AnyPath, place: AnyPath) -> Path:
    """The database as it is at one moment, in another folder. Raises OSError and ProjectError."""
    path, place = Path(path), Path(place)
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
