"""The project's SQLite file: its schema, the ladder of versions, and durable writing."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from smarthdr_studio.core.complaints import code_of, told
from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.journal import JournalEntry, Kind, Status
from smarthdr_studio.core.many import many_objects
from smarthdr_studio.core.trust_files import masks_as_text, masks_from_text

APPLICATION: Final = 0x53484452  # "SHDR", so that another program's file is told apart
_PATIENCE_SECONDS: Final = 30.0

__all__ = [
    "APPLICATION",
    "LADDER",
    "append",
    "connect",
    "create",
    "each_entry_after",
    "entries_after",
    "told",
    "version_of",
    "writing",
]

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
    f"PRAGMA application_id = {APPLICATION}",
)
_VERSION_2: Final = (
    "ALTER TABLE journal ADD COLUMN whole INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE journal ADD COLUMN checksum TEXT",
    "ALTER TABLE journal ADD COLUMN truth TEXT",
    "ALTER TABLE journal ADD COLUMN person TEXT",
    "ALTER TABLE journal ADD COLUMN tags TEXT NOT NULL DEFAULT '[]'",
    # Masks that people painted, by the hash of their runs; the journal says which one is in force.
    "CREATE TABLE person_masks (hash TEXT PRIMARY KEY, runs BLOB NOT NULL) WITHOUT ROWID",
    # Figures that take a while to find, with the stamp of the files they were found in.
    """CREATE TABLE figures (
        kind TEXT NOT NULL, scene TEXT NOT NULL REFERENCES scenes (id),
        stamp TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (kind, scene)
    ) WITHOUT ROWID""",
    """CREATE TABLE reviews (
        scene TEXT PRIMARY KEY REFERENCES scenes (id), at TEXT NOT NULL, who TEXT NOT NULL
    ) WITHOUT ROWID""",
)
# No table changes, but the journal may say "go back to a run", which version 2 cannot add up.
_VERSION_3: Final[tuple[str, ...]] = ()
# Rung n turns version n into version n + 1; a new project climbs the whole ladder.
LADDER: tuple[tuple[str, ...], ...] = (_VERSION_1, _VERSION_2, _VERSION_3)

# Asked ten thousand times at a time, where calling the enumeration would take twice as long.
_KINDS: Final = {kind.value: kind for kind in Kind}
_STATUSES: Final = {status.value: status for status in Status}
_COLUMNS: Final = (
    "action, at, who, kind, scene, before, after, masks, run, round, checkpoint, label, note, "
    "undoes, whole, checksum, truth, person, tags"
)


_Climb = Callable[[sqlite3.Connection, int], None]


def create(path: AnyPath) -> sqlite3.Connection:
    """A new, empty project file; the caller closes the connection. Raises ProjectError."""
    path = Path(path)
    with told(path):
        connection = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None)
    return _prepared(connection, path, new=True)


def connect(path: AnyPath, *, before_climb: _Climb | None = None) -> sqlite3.Connection:
    """An existing project file, brought up to this program's version.

    `before_climb` is called with the connection and the version to be reached, if that is higher.
    Raises ProjectError: no project, a foreign or damaged file, a newer version; UnwritableProject:
    nothing can be written there.
    """
    path = Path(path)
    with told(path):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=_PATIENCE_SECONDS,
            isolation_level=None,
        )
    return _prepared(connection, path, new=False, before_climb=before_climb)


@contextmanager
def writing(connection: sqlite3.Connection, path: AnyPath) -> Iterator[None]:
    """One transaction that alone may write; durable when the block has ended, else undone."""
    path = Path(path)
    with told(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise


def append(connection: sqlite3.Connection, entries: Iterable[JournalEntry]) -> None:
    """Write entries at the end of the journal, in their order; inside `writing`."""
    marks = ", ".join("?" * (_COLUMNS.count(",") + 1))
    connection.executemany(
        f"INSERT INTO journal ({_COLUMNS}) VALUES ({marks})",
        [
            (
                *(e.group, e.at, e.who, e.kind, e.scene, e.before, e.after),
                None if e.masks is None else _masks_as_text(e.masks),
                *(e.run, e.round, e.checkpoint, e.label, e.note, e.undoes),
                *(int(e.whole), e.checksum, e.truth, e.person, _tags_as_text(e.tags)),
            )
            for e in entries
        ],
    )


def entries_after(connection: sqlite3.Connection, seq: int) -> list[JournalEntry]:
    """The journal behind entry `seq`, oldest first."""
    with many_objects():
        return list(each_entry_after(connection, seq))


def each_entry_after(connection: sqlite3.Connection, seq: int) -> Iterator[JournalEntry]:
    """The same, one by one, as far as a damaged file can be read."""
    rows = connection.execute(
        f"SELECT seq, {_COLUMNS} FROM journal WHERE seq > ? ORDER BY seq", (seq,)
    )
    return map(_entry, rows)


def _entry(row: Sequence[Any]) -> JournalEntry:
    return JournalEntry(
        seq=row[0],
        group=row[1],
        at=row[2],
        who=row[3],
        kind=_KINDS[row[4]],
        scene=row[5],
        before=None if row[6] is None else _STATUSES[row[6]],
        after=None if row[7] is None else _STATUSES[row[7]],
        masks=None if row[8] is None else _masks(row[8]),
        run=row[9],
        round=row[10],
        checkpoint=row[11],
        label=row[12],
        note=row[13],
        undoes=row[14],
        whole=bool(row[15]),
        checksum=row[16],
        truth=row[17],
        person=row[18],
        tags=_tags_from_text(row[19]),
    )


_masks = lru_cache(maxsize=256)(masks_from_text)
_masks_as_text = lru_cache(maxsize=256)(masks_as_text)


@lru_cache(maxsize=256)
def _tags_as_text(tags: tuple[str, ...]) -> str:
    return json.dumps(list(tags), ensure_ascii=False)


@lru_cache(maxsize=256)
def _tags_from_text(text: str) -> tuple[str, ...]:
    return () if text == "[]" else tuple(json.loads(text))


def _prepared(
    connection: sqlite3.Connection, path: Path, *, new: bool, before_climb: _Climb | None = None
) -> sqlite3.Connection:
    try:
        with told(path):
            if not new:
                _refuse_foreign(connection, path)
                _refuse_unwritable(connection)
            _use_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA fullfsync = ON")  # macOS: through the drive's own cache
            connection.execute("PRAGMA foreign_keys = ON")
            if before_climb is not None and version_of(connection) < len(LADDER):
                before_climb(connection, len(LADDER))
            _climb(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _climb(connection: sqlite3.Connection, path: Path) -> None:
    if version_of(connection) == len(LADDER):
        return
    with writing(connection, path):
        # Asked again now that nobody else can be climbing.
        reached = version_of(connection)
        for version, rung in enumerate(LADDER[reached:], reached + 1):
            for statement in rung:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version}")


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise ProjectError(f"{path}: not a SmartHDR Studio project; choose a project folder")
    version = version_of(connection)
    if version > len(LADDER):
        raise ProjectError(
            f"{path}: made by a newer version (format {version}, this one reads up to "
            f"{len(LADDER)}); update SmartHDR Studio"
        )


def version_of(connection: sqlite3.Connection) -> int:
    """The version of the format that a project file has."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _refuse_unwritable(connection: sqlite3.Connection) -> None:
    # SQLite opens what it may not write all the same, and says so only when asked to write.
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if code_of(error) != sqlite3.SQLITE_BUSY:  # somebody is writing, so it can be written
            raise
    finally:
        connection.execute(f"PRAGMA busy_timeout = {round(_PATIENCE_SECONDS * 1000)}")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Readers and a writer at once; the file remembers it, but a restored backup has none."""
    if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if code_of(error) != sqlite3.SQLITE_BUSY:  # the next one to open it will
                raise
