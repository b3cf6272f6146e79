"""Is the database whole, of a known format, and does its journal add up?"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from smarthdr_studio.core import database
from smarthdr_studio.core.backups import backups, verified
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.journal import Accounts
from smarthdr_studio.core.opened import DATABASE, copy_to_look_at
from smarthdr_studio.core.safekeeping.findings import Finding, Trouble

_RESTORE = (
    "close every window on the project, then restore the newest backup with: "
    "smarthdr-studio doctor PROJECT --repair"
)


def lost_database(folder: AnyPath, *, sentence: str) -> Finding:
    """The database cannot be used; it can be restored where a backup opens."""
    folder = Path(folder)
    mendable = newest_good_backup(folder) is not None
    return Finding(
        trouble=Trouble.DATABASE,
        what=DATABASE,
        sentence=sentence,
        remedy=_RESTORE if mendable else "restore it from a copy of the project folder",
        mendable=mendable,
    )


def newest_good_backup(folder: AnyPath) -> Path | None:
    """The newest backup that opens, is whole, and whose journal adds up."""
    folder = Path(folder)
    for path in backups(folder):
        try:
            verified(path)
            with closing(copy_to_look_at(path)) as opened, database.told(path):
                if not _misfit(opened.connection):
                    return path
        except ProjectError:
            continue
    return None


def database_findings(connection: sqlite3.Connection, folder: AnyPath) -> Iterator[Finding]:
    """What is wrong inside a database that opens."""
    folder = Path(folder)
    try:
        complaints = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
    except sqlite3.DatabaseError as error:
        complaints = [str(error)]
    if complaints != ["ok"]:
        first = complaints[0].splitlines()[-1]
        yield lost_database(folder, sentence=f"{DATABASE} is damaged inside ({first})")
        return
    for table, row, _, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(1):
        odd = f"{DATABASE}: row {row} of {table} speaks of a scene that is not there"
        yield lost_database(folder, sentence=odd)
    for table in _differing_tables(connection):
        yield lost_database(folder, sentence=f"{DATABASE}: its {table} is not what this format has")


def journal_finding(connection: sqlite3.Connection, folder: AnyPath) -> Finding | None:
    """The first entry that does not fit those before it; a backup of the journal may fit."""
    folder = Path(folder)
    sentence = _misfit(connection)
    if not sentence:
        return None
    mendable = newest_good_backup(folder) is not None
    return Finding(
        trouble=Trouble.JOURNAL,
        what="journal",
        sentence=sentence,
        remedy=_RESTORE if mendable else "restore it from a copy of the project folder",
        mendable=mendable,
    )


def _misfit(connection: sqlite3.Connection) -> str:
    """Where the journal does not add up, "" where it does."""
    accounts, reached = Accounts(), 0
    try:
        for entry in database.each_entry_after(connection, 0):
            accounts.take([entry])
            reached = entry.seq
    except (KeyError, ValueError):
        return f"the entry after {reached} of the journal cannot be read or does not fit"
    scenes = {row[0] for row in connection.execute("SELECT id FROM scenes")}
    missing = scenes - set(accounts.ledger().scenes)
    return f"the journal says nothing of {len(missing)} scenes" if missing else ""


def _differing_tables(connection: sqlite3.Connection) -> list[str]:
    """Tables and triggers that are not as a climb of the whole ladder makes them."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        for rung in database.LADDER:
            for statement in rung:
                fresh.execute(statement)
        wanted = _schema(fresh)
    found = _schema(connection)
    return sorted(name for name in wanted if found.get(name) != wanted[name])


def _schema(connection: sqlite3.Connection) -> dict[str, object]:
    rows = connection.execute("SELECT name, type FROM sqlite_master WHERE sql IS NOT NULL")
    return {
        name: connection.execute(f"SELECT name, type FROM pragma_table_info('{name}')").fetchall()
        if kind == "table"
        else kind
        for name, kind in rows.fetchall()
    }
