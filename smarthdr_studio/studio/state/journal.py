"""The journal as it is shown: its decisions, and how the project stood at moments of the past."""

from dataclasses import dataclass

from smarthdr_studio.core.curation.moments import Change, Line
from smarthdr_studio.core.journal import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class PastState:
    """The project at a moment of the past, held against a later one.

    `before` and `after` are UTC as in the journal; `after` is "" for now. `counts` says for each
    status how many scenes had it then and how many later. `known` is False where the moment lies
    before the project was made.
    """

    before: str
    after: str = ""
    counts: tuple[tuple[Status, int, int], ...] = ()
    changes: tuple[Change, ...] = ()
    known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalState:
    """The decisions, newest first; `chosen` are the numbers of those whose moments are shown."""

    lines: tuple[Line, ...] = ()
    chosen: tuple[int, ...] = ()
    past: PastState | None = None
