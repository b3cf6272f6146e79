"""Asks before runs are moved to the trash, moves them, and knows which lie there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Final

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.run_folder import (
    DiscardedRun,
    discard_run,
    discarded_runs,
    restore_run,
)
from smarthdr_studio.core.training.run_index import RunRow
from smarthdr_studio.core.words import counted
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import Notice, Offer, RunsState, StudioState, refused
from smarthdr_studio.studio.tasks import How, LatestTask, TaskRunner, plain
from smarthdr_studio.studio.widgets.controls import button, caption, describe


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarded:
    """The runs that lie in the trash now, and why another one does not."""

    runs: tuple[str, ...]
    refusal: str = ""


def discard_runs(*, folder: Path, runs: Sequence[str]) -> Discarded:
    """Move these runs to the trash, up to the first that cannot be moved."""
    gone: list[str] = []
    with Project.open(folder) as project:
        for run in runs:
            try:
                gone.append(discard_run(project, run).id)
            except ProjectError as error:
                return Discarded(runs=tuple(gone), refusal=str(error))
    return Discarded(runs=tuple(gone))


def list_discarded(*, folder: Path) -> tuple[DiscardedRun, ...]:
    """Every run in the trash, the latest discarded first."""
    with Project.open(folder) as project:
        return discarded_runs(project)


def bring_runs_back(*, folder: Path, runs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Runs, by id and day, are among the runs again. Raises ProjectError at the first that is not.

    Answers their names.
    """
    with Project.open(folder) as project:
        for run, day in runs:
            restore_run(project, run, day=day)
    return tuple(run for run, _ in runs)


_MOST_OFFERS: Final = 3


class RunTrashController(QObject):
    """`changed` tells that another set of runs is in the project now."""

    changed = Signal()

    def __init__(self, store: Store, tasks: TaskRunner) -> None:
        super().__init__(store)
        self._store, self._tasks = store, tasks
        self._listing = LatestTask(tasks)

    @Slot()
    def ask(self) -> None:
        """Ask whether the chosen runs are to go; one that is at work is not."""
        rows = [row for run in self._state.chosen if (row := self._state.row(run)) is not None]
        working = [row for row in rows if row.at_work]
        if working:
            told = f"{working[0].id} is at work; stop it first (Ctrl+.), then discard it."
            self._store.notice(refused(told))
        elif rows:
            self._become(question=_question(rows, self._state))

    @Slot()
    def decline(self) -> None:
        """Keep them."""
        self._become(question="")

    @Slot()
    def agree(self) -> None:
        """Move the chosen runs to the trash."""
        if self._store.project is not None and self._state.question:
            runs = self._state.chosen
            self._become(question="")
            job = plain(discard_runs, folder=self._store.project.folder, runs=runs)
            self._tasks.start(job, self._discarded, self._refused, how=How(lasting=True))

    @Slot()
    def look(self) -> None:
        """Find out which runs lie in the trash."""
        if self._store.project is not None:
            self._listing.start(
                plain(list_discarded, folder=self._store.project.folder), self._listed
            )

    @Slot()
    def close(self) -> None:
        """Nobody looks at the trash any more."""
        self._become(discarded=None)

    @Slot(object)
    def restore(self, runs: tuple[tuple[str, str], ...]) -> None:
        """Bring runs back, each given by its id and the day it was discarded."""
        if self._store.project is not None and runs:
            job = plain(bring_runs_back, folder=self._store.project.folder, runs=runs)
            self._tasks.start(job, self._restored, self._refused, how=How(lasting=True))

    @property
    def _state(self) -> RunsState:
        return self._store.state.runs

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
            self._store.notice(Notice(text=words, offers=offers))
        if gone.refusal:
            self._store.complain(gone.refusal)
        self.changed.emit()

    def _listed(self, found: object) -> None:
        self._become(discarded=found)

    def _restored(self, runs: tuple[str, ...]) -> None:
        what = f"{runs[0]} is" if len(runs) == 1 else f"{len(runs)} runs are"
        self._store.notice(Notice(text=f"{what} back among the runs."))
        if self._state.discarded is not None:
            self.look()
        self.changed.emit()

    def _refused(self, message: str) -> None:
        self._store.complain(message)
        self.changed.emit()

    def _become(self, **changes: object) -> None:
        self._store.become(runs=replace(self._state, **changes))  # type: ignore[arg-type]


def _question(rows: Sequence[RunRow], state: RunsState) -> str:
    size = sum(row.disk_bytes for row in rows) / 2**20
    if len(rows) == 1:
        what = f"{state.titles.get(rows[0].id, rows[0].id)} ({rows[0].id})"
    else:
        what = f"these {counted(len(rows), 'run')}"
    return (
        f"Discard {what}? {size:,.0f} MiB move to the trash of the project and can be restored; "
        "labels that were promoted stay."
    )


def discard(*, project: Project, run: str) -> str:
    """The run is in the trash; answers its name. Raises ProjectError."""
    return discard_run(project, run).id


def restore(*, project: Project, run: str) -> str:
    """The run is among the runs again; answers its name. Raises ProjectError."""
    return restore_run(project, run).id


class DiscardController(QObject):
    """`changed` tells that another set of runs is in the project now."""

    changed = Signal()

    def __init__(self, store: Store, tasks: TaskRunner) -> None:
        super().__init__(store)
        self._store, self._tasks = store, tasks
        self._waiting: str | None = None  # the run that is to go once it has stopped
        store.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        self._waiting = None

    def discard(self, run: str) -> None:
        """Move a run that nobody trains to the trash."""
        self._start(discard, run, answered=self._discarded)

    def discard_once_stopped(self, run: str) -> None:
        """The same, when `has_stopped` says that it has; one just begun has no name yet."""
        self._waiting = run

    def has_stopped(self, run: str) -> None:
        """A run is at rest; if it is to go, it goes now."""
        wanted, self._waiting = self._waiting, None
        if run and wanted is not None and wanted in ("", run):
            self.discard(run)

    def restore(self, run: str) -> None:
        """Bring a run back from the trash."""
        self._start(restore, run, answered=self._restored)

    def _start(
        self, work: Callable[..., str], run: str, *, answered: Callable[[Any], None]
    ) -> None:
        if self._store.project is not None:
            job = plain(work, project=self._store.project, run=run)
            self._tasks.start(job, answered, self._refused, how=How(lasting=True))

    def _discarded(self, run: str) -> None:
        back = Offer(text="Restore", tip="Bring the run back", asks="restore_run", about=run)
        words = f"{run} was discarded; it lies in the trash of the project."
        self._store.notice(Notice(text=words, offers=(back,)))
        self.changed.emit()

    def _restored(self, run: str) -> None:
        self._store.notice(Notice(text=f"{run} is back among the runs."))
        self.changed.emit()

    def _refused(self, message: str) -> None:
        self._store.complain(message)
        self.changed.emit()


_SIZE: Final = (520, 340)


class RunTrashSheet(QDialog):
    """Not modal; says which runs are wanted back, each by its id and its day."""

    SHOWS: ClassVar[frozenset[str]] = frozenset({"runs"})

    restore_asked = Signal(object)
    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Discarded runs")
        self._shown: tuple[DiscardedRun, ...] | None = None
        self._words = caption("", role="muted")
        self._list = QListWidget()
        describe(self._list, name="Discarded runs", tip="Several can be selected")
        self._list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._restore = button("Restore", tip="Back among the runs (Enter)", role="primary")
        self._restore.setDefault(True)
        self._close = button("Close", tip="Leave the trash as it is (Esc)")
        self._close.setAutoDefault(False)
        last = QHBoxLayout()
        last.addStretch(1)
        last.addWidget(self._close)
        last.addWidget(self._restore)
        column = QVBoxLayout(self)
        column.addWidget(self._words)
        column.addWidget(self._list, 1)
        column.addLayout(last)
        self.resize(*_SIZE)
        self._list.itemSelectionChanged.connect(self._offer)
        self._list.itemDoubleClicked.connect(self._ask)
        self._restore.clicked.connect(self._ask)
        self._close.clicked.connect(self.reject)

    @Slot(object, object)
    def show_state(self, _old: StudioState, new: StudioState) -> None:
        """Show what lies in the trash, or go."""
        found = new.runs.discarded
        if found is self._shown:
            return
        first, self._shown = self._shown is None, found
        if found is None:
            self.hide()
            return
        self._fill(found)
        if first:
            self.show()
            self.activateWindow()

    def reject(self) -> None:
        """Escape leaves the trash."""
        self.closed.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """So does closing the sheet."""
        super().closeEvent(event)
        if self._shown is not None:
            self.closed.emit()

    def _fill(self, found: tuple[DiscardedRun, ...]) -> None:
        self._list.clear()
        for each in found:
            item = QListWidgetItem(f"{each.id}   discarded {_day(each.day)}")
            item.setData(Qt.ItemDataRole.UserRole, (each.id, each.day))
            item.setToolTip(str(each.folder))
            self._list.addItem(item)
        many = "1 run lies" if len(found) == 1 else f"{len(found)} runs lie"
        self._words.setText(f"{many} in the trash." if found else "No run lies in the trash.")
        if found:
            self._list.setCurrentRow(0)
        self._offer()

    @Slot()
    def _offer(self) -> None:
        self._restore.setEnabled(bool(self._list.selectedItems()))

    @Slot()
    def _ask(self) -> None:
        wanted = tuple(
            tuple(item.data(Qt.ItemDataRole.UserRole)) for item in self._list.selectedItems()
        )
        if wanted:
            self.restore_asked.emit(wanted)


def _day(day: str) -> str:
    """20261125 as 2026-11-25; what follows a second one of that day stays."""
    return f"{day[:4]}-{day[4:6]}-{day[6:]}" if day[:8].isdecimal() else day
