"""Knows the runs of a project while somebody looks, whoever started them, and which are chosen."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QTimer, Slot

from smarthdr_studio.core.training.run_folder import RunFolder, runs_in, write_note
from smarthdr_studio.core.training.run_index import RunRow, row_of
from smarthdr_studio.core.training.run_lock import is_at_work
from smarthdr_studio.studio.project.decisions import CurationController
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.runs.comparison import ComparisonController
from smarthdr_studio.studio.runs.rollback import RollbackController
from smarthdr_studio.studio.runs.trash import RunTrashController
from smarthdr_studio.studio.state import MOST_COMPARED, RunsState
from smarthdr_studio.studio.tasks import How, Job, Priority, RepeatedTask, Report, TaskRunner, plain


def titles_of(rows: Sequence[RunRow]) -> dict[str, str]:
    """A name of each run by its id: preset and time on the clock here, as short as tells all apart.

    Runs whose names are alike whatever is told are called by their ids.
    """
    days = {row.started.astimezone().date() for row in rows}
    day = "%d %b " if len(days) > 1 else ""
    titles: dict[str, str] = {}
    for clock in ("%H:%M", "%H:%M:%S"):
        titles = {row.id: f"{row.preset} {row.started.astimezone():{day}{clock}}" for row in rows}
        if len(set(titles.values())) == len(titles):
            return titles
    counts = Counter(titles.values())
    return {run: title if counts[title] == 1 else run for run, title in titles.items()}


Mark = tuple[object, ...]

_TELLING: Final = ("events.jsonl", "plan.toml", "note.txt", "start.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsSeen:
    """Every run of a folder, the latest first, and by what each is known again."""

    folder: Path | None = None
    rows: tuple[RunRow, ...] = ()
    marks: Mapping[str, Mark] = field(default_factory=dict)


def look_at_runs(report: Report, *, runs: Path, known: RunsSeen) -> RunsSeen:
    """The runs in a folder; only those are read of which a file or the lock is otherwise.

    Where nothing is new, `known` itself is the answer.
    """
    marks = {run.id: _mark(run) for run in runs_in(runs)}
    if known.folder == runs and marks == known.marks:
        return known
    before = {row.id: row for row in known.rows} if known.folder == runs else {}
    rows = []
    for done, (name, mark) in enumerate(marks.items()):
        report("", done, len(marks))
        same = name in before and known.marks.get(name) == mark
        rows.append(before[name] if same else row_of(RunFolder(runs / name)))
    return RunsSeen(folder=runs, rows=tuple(rows), marks=marks)


def _mark(run: RunFolder) -> Mark:
    """What is otherwise as soon as a run has something new to tell."""
    stamps: list[object] = []
    for name in _TELLING:
        try:
            about = (run.path / name).stat()
        except OSError:
            stamps.append(None)
        else:
            stamps.append((about.st_ino, about.st_size, about.st_mtime_ns))
    return (_is_held(run.path), *stamps)


def _is_held(run: Path) -> bool:
    # Whoever lets go of a run empties the file: most runs need no more than this look.
    try:
        return (run / "at-work.json").stat().st_size > 0 and is_at_work(run)
    except OSError:
        return False


def keep_note(*, runs: Path, run: str, text: str) -> None:
    """The note is in the folder of the run. Raises ProjectError."""
    write_note(RunFolder(runs / run), text)


_LOOK_EVERY_MS: Final = 700  # costs a few questions to the disk for each run
_UNASKED: Final = How(priority=Priority.BACKGROUND)


class RunListController(QObject):
    """Looks more than once a second; what is told of the chosen runs is `telling`'s."""

    def __init__(self, store: Store, tasks: TaskRunner, curating: CurationController) -> None:
        super().__init__(store)
        self._store, self._tasks = store, tasks
        self._seen, self._watched = RunsSeen(), False
        self._looking = RepeatedTask(tasks, self._question, self._looked, how=_UNASKED)
        self._clock = QTimer(self, interval=_LOOK_EVERY_MS)
        self._clock.timeout.connect(self.look)
        self.telling = ComparisonController(store, tasks)
        self.trash = RunTrashController(store, tasks)
        self.back = RollbackController(store, tasks, curating)
        self.trash.changed.connect(self.look)
        store.switched.connect(self._switch)

    @Slot()
    def _switch(self) -> None:
        self._seen = RunsSeen()
        self._store.become(runs=RunsState())
        if self._store.project is None:
            self._clock.stop()
        elif self._watched:
            self._clock.start()
            self.look()

    def rest(self) -> None:
        """Look no more."""
        self._clock.stop()

    @Slot(bool)
    def watch(self, seen: object) -> None:
        """Whether anybody looks at the runs."""
        self._watched = bool(seen)
        self.telling.watch(seen)
        if self._watched and self._store.project is not None:
            self._clock.start()
            self.look()
        else:
            self._clock.stop()

    @Slot()
    def look(self) -> None:
        """See what is new, now or when the look under way is over."""
        if self._store.project is not None and self._watched:
            self._looking.ask()

    @Slot(object)
    def choose(self, runs: tuple[str, ...]) -> None:
        """Look at these runs: one, or several beside each other, at most six."""
        runs = runs[:MOST_COMPARED]
        if runs != self._state.chosen:
            self._become(chosen=runs, question="")
            self.telling.refresh()

    @Slot(str, str)
    def write_note(self, run: str, text: str) -> None:
        """Keep what was written about a run."""
        if self._store.project is not None:
            job = plain(keep_note, runs=self._store.project.runs_folder, run=run, text=text)
            self._tasks.start(job, lambda _kept: self.look(), how=How(lasting=True))

    @property
    def _state(self) -> RunsState:
        return self._store.state.runs

    def _question(self) -> Job[RunsSeen] | None:
        if self._store.project is None:
            return None
        return partial(look_at_runs, runs=self._store.project.runs_folder, known=self._seen)

    def _looked(self, seen: RunsSeen) -> None:
        new, self._seen = seen is not self._seen, seen
        if new or not self._state.looked:
            self._take(seen)

    def _take(self, seen: RunsSeen) -> None:
        """Show the runs; of those that are gone none stays chosen, and something always is."""
        there = {row.id for row in seen.rows}
        chosen = tuple(run for run in self._state.chosen if run in there)
        if not chosen and seen.rows:
            chosen = (seen.rows[0].id,)
        titles = titles_of(seen.rows)
        others = bool(self._state.rows) and there != {row.id for row in self._state.rows}
        self._become(rows=seen.rows, titles=titles, chosen=chosen, looked=True)
        self.telling.refresh()
        if others and self._state.discarded is not None:
            self.trash.look()  # another process may have discarded a run, or brought one back

    def _become(self, **changes: object) -> None:
        self._store.become(runs=replace(self._state, **changes))  # type: ignore[arg-type]
