"""Knows every scene at a glance, and finds out what is missing while somebody looks."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from smarthdr_studio.core.curation.clue_records import ClueRecord
from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.history import RunHistory
from smarthdr_studio.core.journal import Status
from smarthdr_studio.core.project import Project
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.session.pool_desk import PoolDesk
from smarthdr_studio.studio.session.scene_lines import SceneLines
from smarthdr_studio.studio.tasks import How, Job, LatestTask, Priority, TaskRunner, plain
from smarthdr_studio.studio.threads.figures_of_scenes import (
    SceneFigures,
    Wanted,
    find_figures,
    read_kept,
)

_FEW: Final = 4  # scenes looked at between two answers
_IDLE_SHARE: Final = 8  # making lines may take one part in so many of the time
_QUICK_S: Final = 0.008
_LIST_AFTER_MS: Final = 60  # several answers are shown at once


class FactsDesk(QObject):
    """Makes the lines of all scenes; `became` says that it has shown lines with more in them.

    Whatever takes a look at files is found on a thread, a few scenes at a time.
    """

    became = Signal()

    def __init__(self, keeper: Keeper, tasks: TaskRunner, pool: PoolDesk) -> None:
        super().__init__(keeper)
        self._keeper, self._pool = keeper, pool
        self._lines = SceneLines()
        self._unseen: list[str] = []
        self._unmeasured: list[str] = []
        self._total = 0
        self._ready_at = 0.0
        self._finding = LatestTask(tasks, how=How(priority=Priority.BACKGROUND))
        self._watched, self._read_again, self._clues_wanted = False, False, False
        self._later = QTimer(self, singleShot=True)
        self._later.timeout.connect(self._list_again)
        keeper.switched.connect(self._switch)

    @property
    def records(self) -> Mapping[str, ClueRecord]:
        """What the frames say of the scenes that were looked at."""
        return self._lines.records

    @Slot()
    def _switch(self) -> None:
        project = self._keeper.project
        self._lines = SceneLines(project)
        self._unseen, self._unmeasured = [], []
        self._read_again = False
        self._watched = self._watched and project is not None
        self._ready_at = 0.0
        self._later.stop()
        if project is not None:
            self._lines.take_journal(project)
        self.read()

    def rest(self) -> None:
        """Make no more lines."""
        self._later.stop()

    def take_journal(self, project: Project) -> None:
        """The journal has been read: statuses, notes, tags, brushes and who looked at what."""
        if self._lines.take_journal(project):
            self.read()
        self._go_on()

    def take_history(self, history: RunHistory | None) -> None:
        """Rounds of the newest run are known."""
        self._lines.take_history(history)
        self._changed(())

    def read(self) -> None:
        """Read what was found before; new pseudo-labels are unmeasured then."""
        if self._keeper.project is None:
            return
        if self._finding.at_work:
            self._read_again = True
            return
        self._begin(plain(read_kept, folder=self._keeper.project.folder))

    def watch(self, *, seen: bool) -> None:
        """Whether somebody looks at figures: only then what is missing is found."""
        self._watched = seen
        self._go_on()

    def want_clues(self, *, wanted: bool) -> None:
        """Whether somebody ranks scenes, to whom frames that were not looked at are missing."""
        self._clues_wanted = wanted
        self._go_on()

    @property
    def looking(self) -> bool:
        """Whether more of what is missing is going to be found."""
        return (self._watched or self._clues_wanted) and (
            self._finding.at_work or bool(self._unseen)
        )

    @Slot()
    def give_up(self) -> None:
        """Find nothing more until somebody looks anew."""
        self._clues_wanted = False
        self.watch(seen=False)

    def rows(self, statuses: Mapping[str, Status]) -> tuple[SceneFacts, ...]:
        """Every scene's line in their order; the very same tuple where nothing is new.

        With ten thousand scenes a moving threshold changes them all: then lines follow at leisure.
        """
        now, lines = time.monotonic(), self._lines
        if now < self._ready_at and not lines.stale and len(statuses) == len(lines.rows):
            self._later.start(int(1000 * (self._ready_at - now)) + 1)
            return lines.rows
        rows = lines.made(statuses, *self._pool.trust_of_scenes())
        taken = time.monotonic() - now
        self._ready_at = now + (_IDLE_SHARE * taken if taken > _QUICK_S else 0.0)
        return rows

    def _changed(self, scenes: Iterable[str]) -> None:
        self._lines.touch(scenes)
        if self._lines.stale and not self._later.isActive():
            self._later.start(_LIST_AFTER_MS)

    @Slot()
    def _list_again(self) -> None:
        """Show what is known now."""
        scenes = self._keeper.state.scenes
        if scenes:
            self._keeper.become(scenes=self.rows({row.id: row.status for row in scenes}))
            self.became.emit()

    def _uncounted(self) -> tuple[str, ...]:
        lines = self._lines
        return tuple(
            name
            for name, state in lines.states.items()
            if state.person is not None and state.person not in lines.painted
        )

    def _go_on(self) -> None:
        """Ask for the next few scenes, if there is something to find and nobody is at it."""
        if self._keeper.project is None or self._finding.at_work:
            return
        wanted = Wanted(
            look=tuple(self._unseen[:_FEW]) if self._watched or self._clues_wanted else (),
            measure=tuple(self._unmeasured[:_FEW]) if self._watched else (),
            count=self._uncounted(),
        )
        if wanted == Wanted():
            self._tell("")
            return
        left = len(self._unseen) + (len(self._unmeasured) if self._watched else 0)
        self._total = max(self._total, left)
        if left and (wanted.look or wanted.measure):
            many = f"{len(self._unseen) or left} scenes to go"
            words = "motion and saturation" if self._unseen else "PSNR-μ"
            self._tell(f"looking for {words}, {many}", 1 - left / self._total)
        job = partial(find_figures, folder=self._keeper.project.folder, wanted=wanted)
        del self._unseen[: len(wanted.look)], self._unmeasured[: len(wanted.measure)]
        for name in wanted.count:  # whatever the answer, it is asked once
            self._lines.painted.setdefault(self._lines.states[name].person or "", 0.0)
        self._begin(job)

    def _begin(self, job: Job[SceneFigures]) -> None:
        self._finding.start(job, self._answered, self._refused)

    def _answered(self, found: SceneFigures) -> None:
        lines = self._lines
        lines.records.update(found.records)
        lines.psnr_mu.update(found.psnr_mu)
        lines.painted.update(found.painted)
        if found.unseen or found.unmeasured:
            self._unseen, self._unmeasured = list(found.unseen), list(found.unmeasured)
            self._total = 0
        brushed = (name for name, at in lines.states.items() if at.person in found.painted)
        self._changed((*found.records, *found.psnr_mu, *(brushed if found.painted else ())))
        self._next()

    def _refused(self, message: str) -> None:
        self._keeper.complain(message)
        self._tell("")

    def _next(self) -> None:
        if self._read_again:
            self._read_again = False
            self.read()
        else:
            self._go_on()

    def _tell(self, words: str, progress: float | None = None) -> None:
        if not words:
            self._total = 0
        table = replace(self._keeper.state.table, work=words, progress=progress)
        self._keeper.become(table=table)
