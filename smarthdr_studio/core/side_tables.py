"""What a project keeps beside its journal: painted masks, figures found once, scenes looked at."""

import sqlite3
from collections.abc import Iterable, Mapping

from smarthdr_studio.core.authorship import now, person

Figure = tuple[str, bytes]
"""The stamp of the files a figure was found in, and the figure itself."""


def write_mask(connection: sqlite3.Connection, name: str, runs: bytes) -> None:
    """Keep the runs of a painted mask under their hash; inside `database.writing`."""
    connection.execute("INSERT OR REPLACE INTO person_masks VALUES (?, ?)", (name, runs))


def read_mask(connection: sqlite3.Connection, name: str) -> bytes | None:
    """The runs of a painted mask, None where they are not there."""
    row = connection.execute("SELECT runs FROM person_masks WHERE hash = ?", (name,)).fetchone()
    return None if row is None else bytes(row[0])


def write_figures(connection: sqlite3.Connection, kind: str, figures: Mapping[str, Figure]) -> None:
    """Keep figures of scenes, newer ones in place of older; inside `database.writing`."""
    connection.executemany(
        "INSERT OR REPLACE INTO figures VALUES (?, ?, ?, ?)",
        [(kind, scene, stamp, data) for scene, (stamp, data) in figures.items()],
    )


def read_figures(connection: sqlite3.Connection, kind: str) -> dict[str, Figure]:
    """Every figure of one kind, by scene."""
    rows = connection.execute("SELECT scene, stamp, data FROM figures WHERE kind = ?", (kind,))
    return {scene: (stamp, bytes(data)) for scene, stamp, data in rows}


def write_reviews(connection: sqlite3.Connection, scenes: Iterable[str]) -> None:
    """Remember that a person has looked at scenes; inside `database.writing`."""
    at, who = now(), person()
    connection.executemany(
        "INSERT OR REPLACE INTO reviews VALUES (?, ?, ?)", [(scene, at, who) for scene in scenes]
    )


def read_reviews(connection: sqlite3.Connection) -> dict[str, str]:
    """When each scene was looked at last, UTC."""
    return dict(connection.execute("SELECT scene, at FROM reviews").fetchall())
