"""The formats of a project's database: the statements that lead from each to the next."""

import sqlite3
from typing import Final

from smarthdr_studio.core.project.stamps import STAMPS_TABLE

APPLICATION: Final = 0x53484452  # "SHDR", so that another program's file is told apart

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
# NTIRE keeps the camera value of its reference frame as ground truth, which is radiance only once
# it is raised to a power.
_VERSION_4: Final = ("ALTER TABLE scenes ADD COLUMN ground_truth_gamma REAL NOT NULL DEFAULT 1",)
# Brackets of two frames, or of more than three: [[path, EV], …] by rising exposure, else NULL.
_VERSION_5: Final = ("ALTER TABLE scenes ADD COLUMN bracket TEXT",)
_VERSION_6: Final = (STAMPS_TABLE,)
# How frames are read is a decision, in the journal; before, alignment was a fact without a past.
_VERSION_7: Final = (
    "ALTER TABLE journal ADD COLUMN reading TEXT",
    """INSERT INTO journal (action, at, who, kind, note, reading)
        SELECT lower(hex(randomblob(16))), strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'),
               'an older version', 'read frames', '', '{"aligned":true,"response":null}'
        FROM facts WHERE name = 'frames_aligned' AND value = 'yes'""",
    "DELETE FROM facts WHERE name = 'frames_aligned'",
)
# No table changes, but the journal may say "choose frames", which version 7 cannot add up.
_VERSION_8: Final[tuple[str, ...]] = ()
# Rung n turns version n into version n + 1; a new project climbs the whole ladder.
_Rung = tuple[str, ...]
MIGRATIONS: tuple[_Rung, ...] = (
    *(_VERSION_1, _VERSION_2, _VERSION_3),
    *(_VERSION_4, _VERSION_5, _VERSION_6, _VERSION_7, _VERSION_8),
)


def holds_our_tables(connection: sqlite3.Connection) -> bool:
    """Whether it is a project, whatever its mark says."""
    ours = ("facts", "scenes", "journal", "person_masks")
    marks = ", ".join("?" * len(ours))
    asked = f"SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ({marks})"
    return bool(connection.execute(asked, ours).fetchone()[0] == len(ours))
