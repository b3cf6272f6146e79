"""Cells of a benchmark in processes of their own, a few at a time; stopped, each saves its run."""

import os
import signal
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.training.benchmark import BenchmarkData, Cell
from smarthdr_studio.core.training.benchmark_results import BenchmarkFolder

if TYPE_CHECKING:
    from smarthdr_studio.learning.benchmark_runs import CellProgress

_THREADS: Final = (
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
    "VECLIB_MAXIMUM_THREADS",
)
_LISTENING_S: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class CellJob:
    """What a process needs to know to measure a cell."""

    cell: Cell
    folder: BenchmarkFolder
    data: BenchmarkData
    threads: int
    keep_runs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CellStarted:
    """A process was started for a cell."""

    cell: Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class CellGoesOn:
    """How far a cell is."""

    cell: Cell
    progress: "CellProgress"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellEnded:
    """A cell was measured, stopped (`stopped`), or failed with a sentence (`error`)."""

    cell: Cell
    error: str = ""
    stopped: bool = False


CellEvent = CellStarted | CellGoesOn | CellEnded


def measure_cells(
    jobs: Sequence[CellJob], *, at_once: int, stop: Callable[[], bool]
) -> Generator[CellEvent, None, None]:
    """Measures cells, at most so many at once, and says how far they are.

    Where `stop` says so no further cell is begun, and those under way save their runs. So they do
    when the iterator is closed, or when this process is killed.
    """
    waiting = list(jobs)
    working: dict[Connection, _Worker] = {}
    try:
        while waiting or working:
            if stop():
                waiting.clear()
                _ask_to_stop(working)
            while waiting and len(working) < at_once:
                worker = _Worker(waiting.pop(0))
                working[worker.pipe] = worker
                yield CellStarted(cell=worker.cell)
            yield from _heard(working)
    finally:
        _ask_to_stop(working)
        for worker in working.values():
            worker.join()


def _ask_to_stop(working: "Mapping[Connection, _Worker]") -> None:
    for worker in working.values():
        worker.ask_to_stop()


def _heard(working: "dict[Connection, _Worker]") -> Iterator[CellEvent]:
    """What was said within a moment; who had the last word works no more."""
    for pipe in wait(list(working), timeout=_LISTENING_S):
        assert isinstance(pipe, Connection)
        event = working[pipe].hear()
        if isinstance(event, CellEnded):
            del working[pipe]
        yield event


class _Worker:
    """The process that measures one cell, seen from here."""

    def __init__(self, job: CellJob) -> None:
        self.cell = job.cell
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(target=_work, args=(job, theirs))
        with _ignored_signals():
            self._process.start()
        theirs.close()
        self._asked = False

    def ask_to_stop(self) -> None:
        """Once is enough."""
        if not self._asked:
            self._asked = True
            with suppress(OSError):  # it has ended already
                self.pipe.send("stop")

    def hear(self) -> "CellGoesOn | CellEnded":
        """What it says next; its last word too where it had none."""
        try:
            kind, said = self.pipe.recv()
        except (EOFError, OSError):
            self.join()
            code = self._process.exitcode
            said = f"{self.cell.title}: its process died (status {code}); call again to go on"
            return CellEnded(cell=self.cell, error=said)
        if kind == "progress":
            return CellGoesOn(cell=self.cell, progress=said)
        self.join()
        return CellEnded(cell=self.cell, error=said, stopped=kind == "stopped")

    def join(self) -> None:
        """Waits until it has ended."""
        self._process.join()
        self.pipe.close()


def thread_limits(count: int) -> dict[str, str]:
    """What to set in the environment before numpy and torch are loaded."""
    return dict.fromkeys(_THREADS, str(count))


@contextmanager
def _ignored_signals() -> Iterator[None]:
    """A process started meanwhile hears no Ctrl-C of the terminal: it is told to stop from here."""
    numbers = [signal.SIGINT, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Wish:
    """Whether this process shall stop: it was told to, terminated, or nobody listens any more."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._heard = False
        signal.signal(signal.SIGTERM, self._hear)

    def __bool__(self) -> bool:
        if not self._heard:
            with suppress(OSError):
                self._heard = self._pipe.poll()  # also at the end of the other side
        return self._heard

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        self._heard = True


def _work(job: CellJob, pipe: Connection) -> None:
    """What the process does: the cell, told through the pipe."""
    wish = _Wish(pipe)
    # Before torch and OpenBLAS are loaded, which look at it once.
    os.environ.update(thread_limits(job.threads))
    try:
        last = "done" if _measured(job, pipe, wish) else "stopped"
        _tell(pipe, last, "")
    except StudioError as error:
        _tell(pipe, "failed", str(error))
    except Exception as error:  # a fault of ours: its traceback is for whoever mends it
        _tell(pipe, "failed", f"{job.cell.title}: {type(error).__name__}: {error}")
        raise


def _measured(job: CellJob, pipe: Connection, wish: _Wish) -> bool:
    """Whether the cell came to its end."""
    from smarthdr_studio.learning.benchmark_runs import run_cell, use_threads

    use_threads(job.threads)
    steps = run_cell(job.cell, job.folder, job.data, keep_runs=job.keep_runs)
    with closing(steps) as events:
        for progress in events:
            if wish:
                return False
            _tell(pipe, "progress", progress)
    return True


def _tell(pipe: Connection, kind: str, said: Any) -> None:  # noqa: ANN401 - as the kind has it
    with suppress(OSError):  # nobody listens any more, which the wish hears
        pipe.send((kind, said))
