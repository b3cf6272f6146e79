"""Hands splits, decisions, datasets and reports in and out, on a thread, and says what became."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Slot

from smarthdr_studio.core.journal import Status
from smarthdr_studio.studio.session.curating import Curating
from smarthdr_studio.studio.session.keeper import Keeper
from smarthdr_studio.studio.state import DatasetWish, Notice, SplitState
from smarthdr_studio.studio.tasks import How, Job, LatestTask, TaskRunner
from smarthdr_studio.studio.threads.handover import (
    Written,
    put_dataset,
    put_journal,
    put_report,
    put_split,
    take_split,
)


class HandoverDesk(QObject):
    """One thing at a time; what is given up or fails leaves nothing half-written."""

    def __init__(self, keeper: Keeper, tasks: TaskRunner, curating: Curating) -> None:
        super().__init__(keeper)
        self._keeper, self._curating = keeper, curating
        self._handing = LatestTask(tasks, how=How(shown=True))
        self._wanted: dict[str, Status] = {}

    @property
    def at_work(self) -> bool:
        """Whether something is being read or written."""
        return self._handing.at_work

    @Slot(object)
    def export_split(self, path: Path) -> None:
        """What every scene is now, as CSV or JSON."""
        self._write(put_split, path=path)

    @Slot(object)
    def export_journal(self, path: Path) -> None:
        """Every decision, as CSV or JSON."""
        self._write(put_journal, path=path)

    @Slot(object)
    def export_dataset(self, wish: DatasetWish) -> None:
        """The curated scenes as a dataset folder."""
        self._write(
            put_dataset,
            target=wish.folder,
            frames=wish.frames,
            labels=wish.labels,
            unlabelled=wish.unlabelled,
        )

    @Slot(object)
    def export_report(self, path: Path) -> None:
        """A page about every scene, to hand on."""
        self._write(put_report, path=path, settings=self._keeper.state.display)

    @Slot(object)
    def read_split(self, path: Path) -> None:
        """See what a split from a file would change."""
        if self._keeper.project is not None:
            job = partial(take_split, folder=self._keeper.project.folder, path=path)
            self._begin(job, self._read)

    @Slot()
    def import_split(self) -> None:
        """Decide it; one thing to undo."""
        split, wanted = self._keeper.state.split, self._wanted
        self.drop_split()
        if split is not None:
            note = f"from {split.file.name}"
            self._curating.decide(lambda decisions: decisions.import_split(wanted, note=note))

    @Slot()
    def drop_split(self) -> None:
        """Leave everything as it is."""
        self._wanted = {}
        self._keeper.become(split=None)

    def cancel(self) -> None:
        """Give up what is being written."""
        self._handing.cancel()

    def _write(self, write: Callable[..., Written], **how: object) -> None:
        if self._keeper.project is not None:
            self._begin(partial(write, folder=self._keeper.project.folder, **how), self._written)

    def _begin(self, job: Job[Any], answered: Callable[[Any], object]) -> None:
        if self._handing.at_work:
            busy = "Something is being written or read already; wait for it, or cancel it below."
            self._keeper.notice(Notice(text=busy, tone="warn"))
        else:
            self._handing.start(job, answered)

    def _written(self, written: Written) -> None:
        self._keeper.notice(Notice(text=written.words, opens=written.path, details=written.details))

    def _read(self, found: tuple[SplitState, dict[str, Status]]) -> None:
        split, self._wanted = found
        if split.count:
            self._keeper.become(split=split)
        else:
            words = f"{split.file.name}: every scene is what it says already."
            self._keeper.notice(Notice(text=words))
