"""A benchmark on the screen: looks how it stands, starts a process of its own, and stops it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QIODeviceBase, QObject, QProcess, QTimer, Signal, Slot

from smarthdr_studio.core.environment import own_command
from smarthdr_studio.core.project.places import refuse_inside
from smarthdr_studio.core.records import open_plain
from smarthdr_studio.studio.project.store import Store
from smarthdr_studio.studio.state import BenchmarkState, Notice, Written, refused
from smarthdr_studio.studio.tasks import (
    How,
    Job,
    LatestTask,
    Priority,
    RepeatedTask,
    TaskRunner,
    plain,
)

if TYPE_CHECKING:
    from smarthdr_studio.core.training.benchmark import Metric
    from smarthdr_studio.core.training.benchmark_results import BenchmarkFolder
    from smarthdr_studio.core.training.benchmark_watch import BenchmarkStand

_LOOK_EVERY_MS: Final = 1500
_LONGEST_START_S: Final = 120.0  # importing torch on a busy machine
_LOG: Final = "log.txt"
_LATEST: Final = 4096  # bytes of the log in which its last line is looked for
_STOPPED: Final = "Stopped; Go on continues where each run was saved."


def look(
    plan: str, dataset: Path, into: Path, *, known: "BenchmarkStand | None" = None
) -> "BenchmarkStand":
    """How a benchmark stands. Raises StudioError."""
    from smarthdr_studio.core.training.benchmark_watch import look_at

    return look_at(plan, dataset, into, known=known)


def leave_stop(folder: "BenchmarkFolder") -> None:
    """Every process that runs it is to save and end. Raises ProjectError."""
    from smarthdr_studio.core.training.benchmark_watch import ask_to_stop

    ask_to_stop(folder)


def prepare_folder(*, stand: "BenchmarkStand") -> Path:
    """The folder is there, and its log is empty; answers the log. Raises ProjectError."""
    from smarthdr_studio.core.training.benchmark_results import open_folder

    folder = open_folder(stand.folder.path, data=stand.data)
    log = folder.path / _LOG
    log.write_bytes(b"")
    return log


def start_detached(command: Sequence[str], *, log: Path) -> bool:
    """Starts a program with its words as nobody's child; what it complains of goes to the log."""
    process = QProcess()
    process.setProgram(command[0])
    process.setArguments(command[1:])
    process.setStandardOutputFile(QProcess.nullDevice())
    process.setStandardErrorFile(str(log), QIODeviceBase.OpenModeFlag.Append)
    begun = process.startDetached()
    return bool(begun[0] if isinstance(begun, tuple) else begun)


def last_line(log: Path) -> str:
    """The last words of a process; "" where it said nothing."""
    try:
        with open_plain(log) as file:
            file.seek(max(0, log.stat().st_size - _LATEST))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""


def put_table(*, stand: "BenchmarkStand", path: Path) -> Written:
    """The table as its suffix says. Raises ExportError."""
    from smarthdr_studio.core.reporting.benchmark_table import write_table

    refuse_inside(stand.data.root, path)
    write_table(path, stand.benchmark, stand.rows, stand.verdicts)
    return Written(words=f"The table of {stand.benchmark.name} is in {path}", path=path)


def put_figure(*, stand: "BenchmarkStand", path: Path, metric: "Metric") -> Written:
    """Quality against labels as SVG or PDF. Raises ExportError."""
    from smarthdr_studio.core.reporting.benchmark_figure import write_figure

    refuse_inside(stand.data.root, path)
    write_figure(path, stand.rows, metric)
    return Written(words=f"The figure of {stand.benchmark.name} is in {path}", path=path)


class BenchmarkController(QObject):
    """The process is no child of the window: it goes on when that is closed, and is seen again.

    What is shown comes from the folder alone, so that it does not matter who runs the benchmark.
    """

    run_wanted = Signal(object, str)  # the project, and the run

    def __init__(self, store: Store, tasks: TaskRunner) -> None:
        super().__init__(store)
        self._store, self._tasks = store, tasks
        self._seen, self._started = False, 0.0
        self._log: Path | None = None  # of the process that was started here, while it is awaited
        quiet = How(priority=Priority.WATCHING)
        self._opening = LatestTask(tasks, how=How(shown=True), outlives_project=True)
        self._looking = RepeatedTask(tasks, self._question, self._looked, self._refused, how=quiet)
        self._clock = QTimer(self, interval=_LOOK_EVERY_MS)
        self._clock.timeout.connect(self._looking.ask)

    @Slot(str, object, object)
    def choose(self, plan: str, dataset: Path | None, into: Path | None) -> None:
        """Look at this benchmark from now on; at the one that is shown, with its plan read anew."""
        before = self._state
        same = (plan, dataset, into) == (before.plan, before.dataset, before.into)
        if same and (before.at_work or before.starting):
            return
        self._opening.cancel()
        self._looking.cancel()
        self._log = None
        missing = _missing(plan, dataset, into)
        words = missing or "Looking through the dataset …"
        stand = before.stand if same else None
        self._become(
            BenchmarkState(plan=plan, dataset=dataset, into=into, stand=stand, words=words)
        )
        if dataset is not None and into is not None and not missing:
            job = plain(look, plan, dataset, into)
            self._opening.start(job, self._opened, self._refused)

    @Slot(bool)
    def watch(self, seen: object) -> None:
        """Whether anybody looks."""
        self._seen = bool(seen)
        if self._seen:
            self._clock.start()
            self._looking.ask()
        else:
            self._clock.stop()

    def rest(self) -> None:
        """Look no more."""
        self._clock.stop()

    @Slot()
    def start(self) -> None:
        """Begin it or go on with it, in a process of its own."""
        state = self._state
        if state.stand is None or state.at_work or state.starting:
            return
        self._started = monotonic()
        self._become(replace(state, starting=True, stopping=False, words=""))
        job = plain(prepare_folder, stand=state.stand)
        self._opening.start(job, self._prepared, self._refused)

    @Slot()
    def stop(self) -> None:
        """Every run is saved; going on later loses nothing."""
        state = self._state
        if state.stand is not None and state.at_work:
            self._become(replace(state, stopping=True))
            job = plain(leave_stop, state.stand.folder)
            self._tasks.start(job, on_refused=self._refused, how=How(lasting=True))

    @Slot(str, int)
    def open_cell(self, row: str, seed: int) -> None:
        """Show the run of a cell, or say why there is none."""
        stand = self._state.stand
        cell = None if stand is None else stand.cells.get((row, seed))
        if cell is None:
            return
        if cell.project is not None:
            self.run_wanted.emit(cell.project, cell.run)
            return
        kept = "its result is kept, its run is not" if cell.status == "measured" else cell.status
        words = f"{row}, seed {seed}: there is no run to open ({cell.words or kept})."
        self._store.notice(refused(words))

    @Slot(object)
    def export_table(self, path: Path) -> None:
        """Write the table of now."""
        if self._state.stand is not None and self._store.may_write(path):
            self._tasks.start(plain(put_table, stand=self._state.stand, path=path), self._written)

    def export_figure(self, path: Path, metric: "Metric") -> None:
        """Write the figure of now."""
        if self._state.stand is not None and self._store.may_write(path):
            job = plain(put_figure, stand=self._state.stand, path=path, metric=metric)
            self._tasks.start(job, self._written)

    def beside(self) -> tuple[Path | None, Path | None]:
        """The dataset of the open project, and the benchmark's folder it lies in, if it does."""
        from smarthdr_studio.core.training.benchmark_results import is_benchmark_folder

        project = self._store.project
        if project is None:
            return None, None
        folder = project.folder.resolve().parent.parent
        return project.dataset, folder if is_benchmark_folder(folder) else None

    @property
    def _state(self) -> BenchmarkState:
        return self._store.state.benchmark

    def _question(self) -> "Job[BenchmarkStand] | None":
        state = self._state
        if not self._seen or state.stand is None or state.dataset is None or state.into is None:
            return None
        return plain(look, state.plan, state.dataset, state.into, known=state.stand)

    def _opened(self, stand: "BenchmarkStand") -> None:
        self._become(replace(self._state, stand=stand, words=""))

    def _looked(self, stand: "BenchmarkStand") -> None:
        state = self._state
        if state.stand is None or state.stand.plan_cells is not stand.plan_cells:
            return  # of what was looked at before
        late = monotonic() - self._started > _LONGEST_START_S
        starting = state.starting and not stand.at_work and not late
        words = "" if stand.at_work or starting else state.words
        ended = state.at_work or (state.starting and not starting)
        if ended and not stand.at_work:
            words = self._last_words(stand) or state.words
        stopping = state.stopping and stand.at_work
        self._become(replace(state, stand=stand, words=words, starting=starting, stopping=stopping))

    def _last_words(self, stand: "BenchmarkStand") -> str:
        """What to say once a process has ended; "" where all is measured or it was another's."""
        log, self._log = self._log, None
        if stand.measured == len(stand.cells):
            return ""
        if self._state.stopping:
            return _STOPPED
        return "" if log is None else last_line(log)

    def _prepared(self, log: Path) -> None:
        state, command = self._state, own_command()
        words = ("benchmark", state.plan, str(state.dataset), "--into", str(state.into))
        self._started, self._log = monotonic(), log
        if not start_detached([*command, *words], log=log):
            self._refused(f"{command[0]}: cannot be started; run the benchmark from a shell.")
        self._looking.ask()

    def _refused(self, message: str) -> None:
        self._become(replace(self._state, words=message, starting=False, stopping=False))

    def _written(self, written: Written) -> None:
        self._store.notice(Notice(text=written.words, opens=written.path))

    def _become(self, state: BenchmarkState) -> None:
        self._store.become(benchmark=state)


def _missing(plan: str, dataset: Path | None, into: Path | None) -> str:
    """What is still to be chosen, in words."""
    wanted = [
        name
        for name, there in (
            ("a plan", bool(plan)),
            ("the dataset", dataset is not None),
            ("a folder for its runs", into is not None),
        )
        if not there
    ]
    return f"Choose {' and '.join(wanted)}." if wanted else ""
