"""What can be wrong with a project, and what of it lies in a wrong place or cannot be reached."""

import os
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Final

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.files import TRASH, AnyPath, outward_links, shown_name
from smarthdr_studio.core.project import database
from smarthdr_studio.core.project.places import DATABASE_NAME, misplaced
from smarthdr_studio.core.remedies import MEND


class FindingKind(StrEnum):
    """The kinds of things that can be wrong."""

    DATABASE = "database"
    JOURNAL = "journal"
    DATE = "odd date"
    FILE_IN_USE = "file in use"
    OLDER_VERSION = "older version"
    PAINTING = "painted mask"
    UNACCOUNTED = "unaccounted file"
    LEFTOVER = "leftover"
    PSEUDO_LABEL = "pseudo-label"
    STALE = "stale label"
    STALE_RUN = "stale run"
    RUN = "damaged run"
    DATASET = "dataset"
    BACKUP = "backup"
    PLACE = "odd place"
    MISPLACED = "misplaced"
    UNREADABLE = "unreadable folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    `what` is a path relative to the project folder, a scene or the hash of a mask; `sentence` says
    what is wrong and `remedy` what a person can do. `mendable` says that a repair can put it right
    without losing anything that could still be read; `checksum` is what a file should have.
    """

    trouble: FindingKind
    what: str
    sentence: str
    remedy: str
    mendable: bool = False
    checksum: str | None = None


_ODD_REMEDY = "do not use it; get a copy from somebody you trust"


def odd_findings(connection: sqlite3.Connection, folder: AnyPath) -> Iterator[Finding]:
    """What of a database leads out of the project, so that the project is not opened."""
    for odd in database.odd_places(connection, seen_from=folder):
        yield Finding(
            trouble=FindingKind.PLACE,
            what=DATABASE_NAME,
            sentence=f"{DATABASE_NAME} leads out of where it belongs: {odd}",
            remedy=_ODD_REMEDY,
        )


def link_findings(folder: AnyPath) -> Iterator[Finding]:
    """Symbolic links in the project folder that lead out of it; nothing behind them is touched."""
    folder = Path(folder)
    for link in outward_links(folder):
        relative = link.relative_to(folder).as_posix()
        yield Finding(
            trouble=FindingKind.PLACE,
            what=relative,
            sentence=f"{shown_name(relative)} is a link that leads out of the project, to "
            f"{shown_name(str(link.readlink()))}",
            remedy="take the link away, and put there what belongs to the project",
        )


def misplaced_findings(folder: AnyPath) -> Iterator[Finding]:
    """Pipes and devices in a project, files where folders belong, and the reverse."""
    folder = Path(folder)
    for path, what in misplaced(folder):
        relative = path.relative_to(folder).as_posix()
        mendable = relative != TRASH
        yield Finding(
            trouble=FindingKind.MISPLACED,
            what=relative,
            sentence=f"{shown_name(relative)} {what}",
            remedy=f"move it to the trash with: {MEND}" if mendable else "take it away",
            mendable=mendable,
        )


def unreadable(folder: AnyPath) -> Iterator[Finding]:
    """Folders of the project that may not be looked into; the rest of it works without them."""
    folder = Path(folder)
    for name in _LOOKED_INTO:
        for place in _shut(folder / name, below=name != TRASH):
            yield _shut_folder(folder, place)


def refuse_shut(folder: AnyPath, *names: str, below: bool = False) -> None:
    """Raises ProjectError where a folder of a project may not be looked into: not "none".

    `below` asks for those in it as well.
    """
    folder = Path(folder)
    for name in names:
        for place in islice(_shut(folder / name, below=below), 1):
            found = _shut_folder(folder, place)
            raise ProjectError(f"{folder}: {found.sentence}; {found.remedy}")


_LOOKED_INTO: Final = ("backups", "labels", "pseudo", "runs", TRASH)


def _shut_folder(folder: Path, place: Path) -> Finding:
    name = place.relative_to(folder).as_posix()
    return Finding(
        trouble=FindingKind.UNREADABLE,
        what=name,
        sentence=f"{name} cannot be looked into (permission denied)",
        remedy=f"allow reading it with: chmod u+rwx {shlex.quote(str(place.absolute()))}",
    )


def _shut(place: Path, *, below: bool) -> Iterator[Path]:
    """The folder itself, or those below it, behind no link, that may not be looked into."""
    if not can_be_looked_into(place):
        yield place
        return
    with suppress(OSError):
        for each in sorted(os.scandir(place), key=lambda entry: entry.name) if below else ():
            if each.is_dir(follow_symlinks=False):
                yield from _shut(Path(each.path), below=True)


def can_be_looked_into(place: AnyPath) -> bool:
    """Whether a folder may be listed and what lies in it be reached; so one that is not there."""
    place = Path(place)
    try:
        next(place.iterdir(), None)
        (place / "any").lstat()  # may be listed and not be reached
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return True
