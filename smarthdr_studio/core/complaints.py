"""What SQLite complains of, as one sentence with the path and the remedy."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smarthdr_studio.core.errors import DamagedProject, ProjectError, UnwritableProject
from smarthdr_studio.core.files import AnyPath


@contextmanager
def told(path: AnyPath) -> Iterator[None]:
    """Turn what SQLite complains of into a ProjectError with the path and the remedy."""
    path = Path(path)
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # a mistake in this program, such as the wrong thread
    except sqlite3.DatabaseError as error:
        raise _said(path, error) from None
    except UnicodeDecodeError as error:  # text that is none, as soon as SQLite hands it over
        raise _damaged(path, error) from None


def code_of(error: sqlite3.Error) -> int:
    """The primary code of an error; extended ones add details above it."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _damaged(path: Path, error: Exception) -> DamagedProject:
    reason = " ".join(str(error).split())
    return DamagedProject(
        f"{path}: damaged or not a project ({reason}); mend it with: smarthdr-studio doctor "
        "PROJECT --repair"
    )


def _said(path: Path, error: sqlite3.DatabaseError) -> ProjectError:
    """What SQLite complains of, with the path and the remedy."""
    match code_of(error):
        case sqlite3.SQLITE_FULL:
            why, remedy = "its disk is full", "free some space and try again"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            why = "it cannot be written"
            remedy = "allow writing there or copy the project elsewhere"
        case sqlite3.SQLITE_IOERR:
            why = "its disk fails or is full"
            remedy = "see to the disk, then open the project again to see what was kept"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return ProjectError(f"{path}: another program is writing to it; try again in a moment")
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return _damaged(path, error)
        case _ if "decode to UTF-8" in str(error):
            return _damaged(path, error)
        case _:
            return ProjectError(
                f"{path}: cannot be used ({error}); look at it with: smarthdr-studio doctor PROJECT"
            )
    sentence = f"{path}: {why} ({error}); {remedy}"
    return UnwritableProject(sentence, why=why, doubtful=code_of(error) == sqlite3.SQLITE_IOERR)
