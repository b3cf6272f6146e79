"""Tells what was decided, and how the project stood at moments of the past, while it is seen."""

from dataclasses import replace

from PySide6.QtCore import QObject, Slot

from smarthdr_studio.core.curation.moments import Line
from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.state import JournalState, PastState
from smarthdr_studio.studio.tasks import Job, RepeatedTask, TaskRunner, plain
from smarthdr_studio.studio.threads.journal import Moment, Past, look_back, read_story


class JournalDesk(QObject):
    """Reads the journal anew when it has grown, but only for someone who looks at it."""

    def __init__(self, keeper: Keeper, tasks: TaskRunner) -> None:
        super().__init__(keeper)
        self._keeper = keeper
        self._seen = self._stale = False
        self._length = 0  # of the journal when it was looked at last
        self._before: Moment | None = None
        self._after: Moment | None = None
        self._reading = RepeatedTask(tasks, self._to_read, self._told)
        self._looking = RepeatedTask(tasks, self._to_look_back, self._looked)
        keeper.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        self._before = None
        self._stale, self._length = True, 0
        self._keeper.become(journal=JournalState())
        self._refresh()

    @Slot(bool)
    def watch(self, seen: object) -> None:
        """Whether anybody looks at the journal."""
        self._seen = bool(seen)
        self._refresh()

    def has_grown(self) -> None:
        """Somebody may have decided something."""
        length = len(self._keeper.project.entries()) if self._keeper.project is not None else 0
        self._stale = self._stale or length != self._length
        self._length = length
        self._refresh()

    @Slot(object)
    def choose(self, chosen: tuple[int, ...]) -> None:
        """Show how the project stood right after a decision, or what changed between two."""
        chosen = tuple(sorted(chosen))
        if chosen == self._journal.chosen:
            return
        self._become(chosen=chosen)
        if chosen:
            self._compare(chosen[0], chosen[-1] if len(chosen) > 1 else None)
        else:
            self._compare(None, None)

    @Slot(str)
    def go_back_to(self, moment: str) -> None:
        """Show how the project stood at a moment, UTC as in the journal."""
        self._become(chosen=())
        self._compare(moment, None)

    @property
    def _journal(self) -> JournalState:
        return self._keeper.state.journal

    def _compare(self, before: Moment | None, after: Moment | None) -> None:
        self._before, self._after = before, after
        if before is None:
            self._become(past=None)
        else:
            self._looking.ask()

    def _refresh(self) -> None:
        if self._keeper.project is not None and self._seen and self._stale:
            self._stale = False
            self._reading.ask()
            if self._before is not None:
                self._looking.ask()

    def _to_read(self) -> Job[tuple[Line, ...]] | None:
        if self._keeper.project is None:
            return None
        try:
            entries = self._keeper.project.entries()
        except StudioError as error:
            self._keeper.complain(str(error))
            return None
        return plain(read_story, entries=entries)

    def _told(self, lines: tuple[Line, ...]) -> None:
        self._become(lines=lines)

    def _to_look_back(self) -> Job[Past] | None:
        if self._keeper.project is None or self._before is None:
            return None
        return plain(
            look_back,
            entries=self._keeper.project.entries(),
            before=self._before,
            after=self._after,
        )

    def _looked(self, past: Past) -> None:
        if (past.before, past.after) == (self._before, self._after):
            self._become(
                past=PastState(
                    before=self._time_of(past.before),
                    after="" if past.after is None else self._time_of(past.after),
                    counts=past.counts,
                    changes=past.changes,
                    known=past.known,
                )
            )

    def _time_of(self, moment: Moment) -> str:
        if isinstance(moment, str):
            return moment
        return next((line.at for line in self._journal.lines if line.seq == moment), "")

    def _become(self, **changes: object) -> None:
        self._keeper.become(journal=replace(self._journal, **changes))  # type: ignore[arg-type]
