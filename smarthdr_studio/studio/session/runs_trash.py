"""Asks before runs are moved to the trash, moves them, and knows which lie there."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.running.listing import RunRow
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.state import Notice, Offer, RunsState
from smarthdr_studio.studio.tasks import How, LatestTask, TaskRunner, plain
from smarthdr_studio.studio.threads.runs_trash import (
    Discarded,
    bring_runs_back,
    discard_runs,
    list_discarded,
)

_MOST_OFFERS: Final = 3


class RunsTrash(QObject):
    """`changed` tells that another set of runs is in the project now."""

    changed = Signal()

    def __init__(self, keeper: Keeper, tasks: TaskRunner) -> None:
        super().__init__(keeper)
        self._keeper, self._tasks = keeper, tasks
        self._listing = LatestTask(tasks)

    @Slot()
    def ask(self) -> None:
        """Ask whether the chosen runs are to go; one that is at work is not."""
        rows = [row for run in self._state.chosen if (row := self._state.row(run)) is not None]
        working = [row for row in rows if row.at_work]
        if working:
            told = f"{working[0].id} is at work; stop it first (Ctrl+.), then discard it."
            self._keeper.notice(Notice(text=told, tone="warn"))
        elif rows:
            self._become(question=_question(rows, self._state))

    @Slot()
    def decline(self) -> None:
        """Keep them."""
        self._become(question="")

    @Slot()
    def agree(self) -> None:
        """Move the chosen runs to the trash."""
        if self._keeper.project is not None and self._state.question:
            runs = self._state.chosen
            self._become(question="")
            job = plain(discard_runs, folder=self._keeper.project.folder, runs=runs)
            self._tasks.start(job, self._discarded, self._refused, how=How(lasting=True))

    @Slot()
    def look(self) -> None:
        """Find out which runs lie in the trash."""
        if self._keeper.project is not None:
            self._listing.start(
                plain(list_discarded, folder=self._keeper.project.folder), self._listed
            )

    @Slot()
    def close(self) -> None:
        """Nobody looks at the trash any more."""
        self._become(discarded=None)

    @Slot(object)
    def restore(self, runs: tuple[tuple[str, str], ...]) -> None:
        """Bring runs back, each given by its id and the day it was discarded."""
        if self._keeper.project is not None and runs:
            job = plain(bring_runs_back, folder=self._keeper.project.folder, runs=runs)
            self._tasks.start(job, self._restored, self._refused, how=How(lasting=True))

    @property
    def _state(self) -> RunsState:
        return self._keeper.state.runs

    def _discarded(self, gone: Discarded) -> None:
        names = self._state.titles
        offers = tuple(
            Offer(
                text="Restore" if len(gone.runs) == 1 else f"Restore {names.get(run, run)}",
                tip=f"Bring {run} back",
                asks="restore_run",
                about=run,
            )
            for run in gone.runs[:_MOST_OFFERS]
        )
        if gone.runs:
            what = gone.runs[0] if len(gone.runs) == 1 else f"{len(gone.runs)} runs"
            was = "was" if len(gone.runs) == 1 else "were"
            words = f"{what} {was} moved to the trash of the project."
            self._keeper.notice(Notice(text=words, offers=offers))
        if gone.refusal:
            self._keeper.complain(gone.refusal)
        self.changed.emit()

    def _listed(self, found: object) -> None:
        self._become(discarded=found)

    def _restored(self, runs: tuple[str, ...]) -> None:
        what = f"{runs[0]} is" if len(runs) == 1 else f"{len(runs)} runs are"
        self._keeper.notice(Notice(text=f"{what} back among the runs."))
        if self._state.discarded is not None:
            self.look()
        self.changed.emit()

    def _refused(self, message: str) -> None:
        self._keeper.complain(message)
        self.changed.emit()

    def _become(self, **changes: object) -> None:
        self._keeper.become(runs=replace(self._state, **changes))  # type: ignore[arg-type]


def _question(rows: Sequence[RunRow], state: RunsState) -> str:
    size = sum(row.disk_bytes for row in rows) / 2**20
    if len(rows) == 1:
        what = f"{state.titles.get(rows[0].id, rows[0].id)} ({rows[0].id})"
    else:
        what = f"these {len(rows)} runs"
    return (
        f"Discard {what}? {size:,.0f} MiB move to the trash of the project and can be restored; "
        "labels that were promoted stay."
    )
