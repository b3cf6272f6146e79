"""The project's SQLite file: its schema, the ladder of versions, and durable writing."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.journal import JournalEntry, Kind, Status
from smarthdr_studio.core.trust_files import masks_as_text, masks_from_text

_APPLICATION: Final = 0x53484452  # "SHDR", so that another program's file is told apart
_PATIENCE_SECONDS: Final = 30.0

_VERSION_1: Final = (
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE scenes (
        id TEXT PRIMARY KEY,
        under TEXT NOT NULL, reference TEXT NOT NULL, over TEXT NOT NULL,
        ev_under REAL NOT NULL, ev_reference REAL NOT NULL, ev_over REAL NOT NULL,
        height INTEGER NOT NULL, width INTEGER NOT NULL,
        split TEXT NOT NULL CHECK (split IN ('train', 'test')),
        ground_truth TEXT, ground_truth_gain REAL NOT NULL, layout TEXT NOT NULL
    )""",
    """CREATE TABLE journal (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        action TEXT NOT NULL, at TEXT NOT NULL, who TEXT NOT NULL, kind TEXT NOT NULL,
        scene TEXT REFERENCES scenes (id), before TEXT, after TEXT, masks TEXT,
        run TEXT, round INTEGER, checkpoint TEXT, label TEXT, note TEXT NOT NULL, undoes TEXT
    )""",
    """CREATE TRIGGER journal_is_never_changed BEFORE UPDATE ON journal
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
    """CREATE TRIGGER journal_is_never_cut BEFORE DELETE ON journal
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END""",
    f"PRAGMA application_id = {_APPLICATION}",
)
# Rung n turns version n into version n + 1; a new project climbs the whole ladder.
LADDER: tuple[tuple[str, ...], ...] = (_VERSION_1,)

_COLUMNS: Final = (
    "action, at, who, kind, scene, before, after, masks, "
    "run, round, checkpoint, label, note, undoes"
)


def create(path: Path) -> sqlite3.Connection:
    """A new, empty project file; the caller closes the connection. Raises ProjectError."""
    with told(path):
        connection = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None)
    return _prepared(connection, path, new=True)


def connect(path: Path) -> sqlite3.Connection:
    """An existing project file, brought up to this program's version.

    Raises ProjectError: no project, a foreign or damaged file, a newer version, not writable.
    """
    with told(path):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=_PATIENCE_SECONDS,
            isolation_level=None,
        )
    return _prepared(connection, path, new=False)


@contextmanager
def writing(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """One transaction that alone may write; durable when the block has ended, else undone."""
    with told(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what SQLite complains of into a ProjectError with the path and the remedy."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # a mistake in this program, such as the wrong thread
    except sqlite3.DatabaseError as error:
        raise ProjectError(f"{path}: {_remedy(str(error))}") from None


def append(connection: sqlite3.Connection, entries: Iterable[JournalEntry]) -> None:
    """Write entries at the end of the journal, in their order; inside `writing`."""
    marks = ", ".join("?" * (_COLUMNS.count(",") + 1))
    connection.executemany(
        f"INSERT INTO journal ({_COLUMNS}) VALUES ({marks})",
        [
            (
                *(e.group, e.at, e.who, e.kind, e.scene, e.before, e.after),
                None if e.masks is None else masks_as_text(e.masks),
                *(e.run, e.round, e.checkpoint, e.label, e.note, e.undoes),
            )
            for e in entries
        ],
    )


def entries_after(connection: sqlite3.Connection, seq: int) -> list[JournalEntry]:
    """The journal behind entry `seq`, oldest first."""
    rows = connection.execute(
        f"SELECT seq, {_COLUMNS} FROM journal WHERE seq > ? ORDER BY seq",
        (seq,),
    )
    return [
        JournalEntry(
            seq=row[0],
            group=row[1],
            at=row[2],
            who=row[3],
            kind=Kind(row[4]),
            scene=row[5],
            before=None if row[6] is None else Status(row[6]),
            after=None if row[7] is None else Status(row[7]),
            masks=None if row[8] is None else masks_from_text(row[8]),
            run=row[9],
            round=row[10],
            checkpoint=row[11],
            label=row[12],
            note=row[13],
            undoes=row[14],
        )
        for row in rows
    ]


def _prepared(connection: sqlite3.Connection, path: Path, *, new: bool) -> sqlite3.Connection:
    try:
        with told(path):
            if new:
                connection.execute("PRAGMA journal_mode = WAL")  # the file remembers it
            else:
                _refuse_foreign(connection, path)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA fullfsync = ON")  # macOS: through the drive's own cache
            connection.execute("PRAGMA foreign_keys = ON")
            _climb(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _climb(connection: sqlite3.Connection, path: Path) -> None:
    if _version(connection) == len(LADDER):
        return
    with writing(connection, path):
        # Asked again now that nobody else can be climbing.
        reached = _version(connection)
        for version, rung in enumerate(LADDER[reached:], reached + 1):
            for statement in rung:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version}")


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
        raise ProjectError(f"{path}: not a SmartHDR Studio project; choose a project folder")
    version = _version(connection)
    if version > len(LADDER):
        raise ProjectError(
            f"{path}: made by a newer version (format {version}, this one reads up to "
            f"{len(LADDER)}); update SmartHDR Studio"
        )


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _remedy(reason: str) -> str:
    if "not a database" in reason or "malformed" in reason:
        return f"damaged or not a project ({reason}); restore it from a copy"
    if "locked" in reason:
        return "another program is writing to it; try again in a moment"
    if "readonly" in reason or "unable to open" in reason:
        return "cannot be written; allow writing there or copy the project elsewhere"
    return f"cannot be used ({reason}); free some space or restore it from a copy"
