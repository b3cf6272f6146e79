"""The journal as decisions, and the past of a project; long journals take a moment to add up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from smarthdr_studio.core.curation.moments import Change, Line, as_it_was, differences, story
from smarthdr_studio.core.journal import JournalEntry, Ledger, Status
from smarthdr_studio.core.many import many_objects

Moment = str | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What two moments add up to: scenes of each status then and later, and what differs.

    `before` and `after` are those of the question.
    """

    before: Moment
    after: Moment | None
    counts: tuple[tuple[Status, int, int], ...]
    changes: tuple[Change, ...]
    known: bool


def read_story(*, entries: Sequence[JournalEntry]) -> tuple[Line, ...]:
    """Every decision of a journal, newest first."""
    with many_objects():
        return story(entries)


def look_back(
    *,
    entries: Sequence[JournalEntry],
    before: Moment,
    after: Moment | None,
) -> Past:
    """How the project stood at one moment and at a later one, None for now."""
    then = as_it_was(entries, before)
    later = as_it_was(entries, entries[-1].seq if after is None else after)
    return Past(
        before=before,
        after=after,
        counts=tuple(
            (status, was, now)
            for (status, was), now in zip(
                _counts(then).items(), _counts(later).values(), strict=True
            )
            if was or now
        ),
        changes=differences(then, later),
        known=bool(then.scenes),
    )


def _counts(ledger: Ledger) -> Mapping[Status, int]:
    found = dict.fromkeys(Status, 0)
    for state in ledger.scenes.values():
        found[state.status] += 1
    return found
