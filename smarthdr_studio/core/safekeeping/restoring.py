"""A damaged database replaced by its newest backup, and what the damaged one still yields."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from smarthdr_studio.core import database
from smarthdr_studio.core.backups import verified
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import AnyPath, replacing
from smarthdr_studio.core.journal import Accounts, JournalEntry
from smarthdr_studio.core.opened import DATABASE
from smarthdr_studio.core.safekeeping.database_checks import newest_good_backup
from smarthdr_studio.core.side_tables import read_mask, write_mask
from smarthdr_studio.core.trash import put_away

_PARTS = ("-wal", "-shm", "")  # the database last: without its log it is older, but still there


def restore_database(folder: AnyPath) -> str:
    """Put the newest backup in the place of the database and add later entries; says what it did.

    The damaged database goes to the trash with its log. Entries are added as far as they can be
    read and fit those before them. Raises ProjectError or OSError: no backup opens, or no room.
    """
    folder = Path(folder)
    backup, path = newest_good_backup(folder), folder / DATABASE
    if backup is None:
        raise ProjectError(f"{folder}: no backup opens; restore the project from a copy")
    with TemporaryDirectory(prefix="smarthdr-studio-") as place:
        damaged = _copied(path, Path(place))
        kept = verified(backup)
        for part in _PARTS:
            each = path.with_name(f"{path.name}{part}")
            if each.exists():
                put_away(folder, each)
        with replacing(path) as draft:
            shutil.copyfile(backup, draft)
        added = _add_later(path, damaged)
    relative = backup.relative_to(folder).as_posix()
    done = f"restored {DATABASE} from {relative} ({kept} entries)"
    if added:
        return f"{done} and added {added} that came later"
    return f"{done}; later ones, if there were any, could not be read"


def _copied(path: Path, place: Path) -> Path:
    """The damaged database with its log, to be read where nothing more can happen to it."""
    for part in ("", "-wal"):
        each = path.with_name(f"{path.name}{part}")
        if each.exists():
            shutil.copyfile(each, place / each.name)
    return place / path.name


def _add_later(path: Path, damaged: Path) -> int:
    """Add what the damaged database has beyond the backup; answers how many entries."""
    with closing(database.connect(path)) as connection, database.writing(connection, path):
        old = database.entries_after(connection, 0)
        later, masks = _salvaged(damaged, old)
        fitting = list(_fitting(Accounts(old), later))
        database.append(connection, fitting)
        for name, runs in masks.items():
            if name in {entry.person for entry in fitting}:
                write_mask(connection, name, runs)
        return len(fitting)


def _salvaged(
    damaged: Path, old: list[JournalEntry]
) -> tuple[list[JournalEntry], dict[str, bytes]]:
    """Entries behind the `old` ones that can still be read, and the masks they speak of."""
    later: list[JournalEntry] = []
    masks: dict[str, bytes] = {}
    last = old[-1].seq if old else 0
    try:
        with closing(sqlite3.connect(damaged, isolation_level=None)) as connection:
            if database.version_of(connection) != len(database.LADDER):
                return later, masks
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
    """The entries up to the first that does not fit; of a group all or none."""
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
        yield from group
