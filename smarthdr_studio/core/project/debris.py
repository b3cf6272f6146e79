"""Drafts that a kill has left in a project or beside it, told from those somebody is writing."""

import os
import re
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from smarthdr_studio.core.environment import utc_day
from smarthdr_studio.core.errors import ForeignPlace
from smarthdr_studio.core.files import (
    TRASH,
    AnyPath,
    disk_time,
    is_inside,
    move,
    move_to_trash,
    place_in,
)

QUIET_SECONDS: Final = 600.0
"""A file younger than this may be in the making."""
ABANDONED_SECONDS: Final = 86400.0
"""What an export has begun so long ago is deleted by the next one; a machine may have slept."""

_DRAFT: Final = re.compile(r"\..+\.[0-9a-f]{32}(\.[\w-]+)?|draft-[0-9a-f]{32}\.exr")
_SWEPT_AT_OPEN: Final = ("", "backups", "pseudo")  # and below the labels of every scene


def is_draft(path: AnyPath) -> bool:
    """Whether a file or folder is named as one that is whole only when it gets its own name."""
    return _DRAFT.fullmatch(Path(path).name) is not None


def left_alone(paths: Iterable[AnyPath], *, seconds: float) -> list[Path]:
    """Those of these files and folders that nobody has written to for so long.

    By the clock of the disk the first of them lies on, which is asked once.
    """
    found = [Path(path) for path in paths]
    now = disk_time(found[0].parent) if found else 0.0
    return [path for path in found if _age(path, now=now) >= seconds]


def _age(path: Path, *, now: float) -> float:
    """Seconds since anybody wrote to a file, or to anything in a folder; 0 where that is unknown.

    A clock that was turned back makes files of the future, which are young.
    """
    newest = 0.0
    try:
        for each in (path, *(path.rglob("*") if path.is_dir() and not path.is_symlink() else ())):
            newest = max(newest, each.lstat().st_mtime)
    except OSError:
        return 0.0
    return max(now - newest, 0.0)


def drafts_left(paths: Iterable[AnyPath], *, quiet: float = QUIET_SECONDS) -> list[Path]:
    """The drafts among these paths that a kill has left; none while one of them is young.

    Whoever promotes many scenes writes draft after draft: while the newest is young, the oldest is
    in use as well.
    """
    drafts = [Path(path) for path in paths if is_draft(path)]
    return drafts if left_alone(drafts, seconds=quiet) == drafts else []


def sweep(connection: sqlite3.Connection, folder: AnyPath, *, quiet: float = QUIET_SECONDS) -> None:
    """Move drafts of labels, pseudo-labels and backups to the trash, if nobody is at work.

    Nobody is while the database's lock is free and no draft is young. So go those that exports
    and new projects have left beside the project under its name. What cannot be moved stays.
    """
    folder = Path(folder)
    if not _is_free(connection):
        return
    try:
        for draft in drafts_left(_in_sight(folder), quiet=quiet):
            with suppress(OSError, ForeignPlace):
                move_to_trash(folder, draft)
        for draft in drafts_beside(folder, quiet=quiet):
            with suppress(OSError, ForeignPlace):
                take_in(folder, draft)
    finally:
        connection.execute("ROLLBACK")


def _in_sight(folder: Path) -> Iterator[Path]:
    """The drafts of a project that one glance finds; names alone, of ten thousands of files."""
    labels = Path(folder, "labels")
    scenes = [labels / name for name in _names(labels)]
    for place in (*(folder / each for each in _SWEPT_AT_OPEN), *scenes):
        for name in _names(place):
            if _DRAFT.fullmatch(name):
                yield place / name


def _names(place: Path) -> list[str]:
    try:
        return [entry.name for entry in os.scandir(place)]
    except OSError:  # no such folder, no folder, or one that is shut
        return []


def _is_free(connection: sqlite3.Connection) -> bool:
    """Take the database's lock unless somebody decides at this moment."""
    (patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    finally:
        connection.execute(f"PRAGMA busy_timeout = {patience}")
    return True


def drafts_beside(target: AnyPath, *, quiet: float = QUIET_SECONDS) -> list[Path]:
    """What a kill has left beside a file or folder that was to have this name, or `NAME-curated`.

    An export of another name is swept when it is exported again.
    """
    target = Path(target)
    names = {target.stem, target.name, f"{target.name.removesuffix('.shdr')}-curated"}
    try:
        found = [path for path in target.parent.iterdir() if is_draft(path)]
    except OSError:
        return []
    mine = [path for path in found if re.split(r"\.[0-9a-f]{32}", path.name[1:])[0] in names]
    return left_alone((path for path in mine if not path.is_symlink()), seconds=quiet)


def take_in(folder: AnyPath, draft: AnyPath) -> None:
    """Move a draft from beside the project into its trash, file or folder.

    Raises OSError and ForeignPlace.
    """
    draft = Path(draft)
    move(draft, place_in(folder, TRASH, utc_day(), draft.name))


def sweep_beside(target: AnyPath) -> None:
    """Delete those of an export that somebody has begun a day ago, as far as they can be."""
    for draft in drafts_beside(target, quiet=ABANDONED_SECONDS):
        if draft.is_dir():
            shutil.rmtree(draft, ignore_errors=True)
        else:
            with suppress(OSError):
                draft.unlink()


def files_of(folder: AnyPath) -> Iterator[Path]:
    """Every file of a project but those in the trash and behind links that lead out of it."""
    folder = Path(folder)
    for path in sorted(folder.rglob("*")):
        with suppress(OSError):  # a folder that cannot be read is told by the doctor
            outward = path.is_symlink() and not is_inside(folder, path)
            if path.relative_to(folder).parts[0] != TRASH and not outward and path.is_file():
                yield path
