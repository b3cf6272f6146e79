"""What a doctor can find wrong with a project, and what can be done about it."""

from dataclasses import dataclass
from enum import StrEnum


class Trouble(StrEnum):
    """The kinds of things that can be wrong."""

    DATABASE = "database"
    JOURNAL = "journal"
    FILE_IN_USE = "file in use"
    OLDER_VERSION = "older version"
    PAINTING = "painted mask"
    UNACCOUNTED = "unaccounted file"
    LEFTOVER = "leftover"
    PSEUDO_LABEL = "pseudo-label"
    DATASET = "dataset"
    BACKUP = "backup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    `what` is a path relative to the project folder, a scene or the hash of a mask; `sentence` says
    what is wrong and `remedy` what a person can do. `mendable` says that a repair can put it right
    without losing anything; `checksum` is what a file should have.
    """

    trouble: Trouble
    what: str
    sentence: str
    remedy: str
    mendable: bool = False
    checksum: str | None = None
