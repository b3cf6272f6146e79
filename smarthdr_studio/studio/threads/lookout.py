"""Which run of a project is at work in another process and what it says, or how the last ended."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from smarthdr_studio.core.events import PhaseChanged, StepReported, TrainingEvent
from smarthdr_studio.core.liveness import is_at_work
from smarthdr_studio.core.running.curves import RunCurves, read_curves
from smarthdr_studio.core.running.log import RunTail, rare_events
from smarthdr_studio.core.runs import RunFolder
from smarthdr_studio.studio.tasks import Report

_LATEST: Final = 2**16  # bytes of the log in which the newest step is looked for


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sighting:
    """What a look found: `events` are those since the last look.

    The first of a run come with its `curves`, and are all but the steps those are made of. Without
    a `run` there is none.
    """

    run: str = ""
    at_work: bool = False
    events: tuple[TrainingEvent, ...] = ()
    curves: RunCurves | None = None


class Lookout:
    """Looks at the runs of one project; asked by one thread at a time."""

    def __init__(self, project: Path) -> None:
        self._runs = project / "runs"
        self._tail: RunTail | None = None
        self._last = Sighting()

    def look(self, report: Report, *, known: str) -> Sighting | None:
        """What is new; None where nothing is. Of the run `known` only what comes from now on."""
        names = self._names()
        run = next((name for name in names if self._is_at_work(name)), "")
        at_work = bool(run)
        run = run or (known if known in names else next(iter(names), ""))
        if run != known or (at_work and self._tail is None):
            return self._first(report, run, at_work=at_work)
        if not at_work and not self._last.at_work:
            return None
        # Once more after it ended: the last words come before the lock is dropped.
        events = tuple(each.event for each in self._tail.read()) if self._tail else ()
        was, self._last = self._last, Sighting(run=run, at_work=at_work, events=events)
        if not at_work:
            self._tail = None
        return self._last if events or was.at_work != at_work else None

    def _first(self, report: Report, run: str, *, at_work: bool) -> Sighting:
        self._last = Sighting(run=run, at_work=at_work)
        self._tail = None
        if not run:
            return self._last
        folder = RunFolder(self._runs / run)
        curves = read_curves(folder, tell=lambda done, total: report("", done, total))
        self._tail = RunTail(folder, start=curves.read_to) if at_work else None
        events = tuple(_worth_telling(folder, until=curves.read_to))
        return Sighting(run=run, at_work=at_work, events=events, curves=curves)

    def _names(self) -> list[str]:
        try:
            found = [path.name for path in self._runs.iterdir() if not path.name.startswith(".")]
        except OSError:
            return []
        return sorted(found, reverse=True)

    def _is_at_work(self, run: str) -> bool:
        # A run lets go of a file it has emptied: most need no more than this look.
        path = self._runs / run
        try:
            return (path / "at-work.json").stat().st_size > 0 and is_at_work(path)
        except OSError:
            return False


def _worth_telling(folder: RunFolder, *, until: int) -> Iterator[TrainingEvent]:
    """All rare events, with the newest step and the newest phase where they belong."""
    start = max(0, until - _LATEST)
    newest = {
        type(each.event): each
        for each in RunTail(folder, start=start).read()
        if isinstance(each.event, StepReported | PhaseChanged)
    }
    every = (*rare_events(folder), *newest.values())
    return (each.event for each in sorted(every, key=lambda each: each.time))
