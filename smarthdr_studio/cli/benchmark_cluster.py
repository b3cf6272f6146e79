"""Cells of a benchmark as jobs of a cluster; one that is preempted is saved and goes on."""

import os
import signal
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

from smarthdr_studio.cli.benchmark_pool import (
    CellEnded,
    CellEvent,
    CellJob,
    CellStarted,
    thread_limits,
)
from smarthdr_studio.core.environment import pip_install
from smarthdr_studio.core.errors import PlanError, StudioError
from smarthdr_studio.core.training.benchmark_results import BenchmarkFolder
from smarthdr_studio.core.training.benchmark_watch import ask_to_stop, is_asked_to_stop

_LOOK_EVERY_S: Final = 0.5
_LONGEST_MIN: Final = 240
# What clusters send before they take a job away.
_WARNINGS: Final = tuple(
    getattr(signal, name) for name in ("SIGUSR1", "SIGUSR2", "SIGTERM") if hasattr(signal, name)
)


def executor_for(folder: BenchmarkFolder, *, cluster: str, settings: Sequence[str]) -> Any:  # noqa: ANN401 - of a package that need not be there
    """What hands jobs to a cluster: "slurm", "local" for processes here, or "auto".

    `settings` are KEY=VALUE of submitit, as timeout_min=600 or slurm_partition=gpu. Its files lie
    in the folder. Raises StudioError where submitit is missing or refuses a setting.
    """
    try:
        import submitit
    except ImportError:
        raise StudioError(
            "Jobs on a cluster need submitit, not installed here; "
            f"install with: {pip_install('cluster')}"
        ) from None
    wanted = dict(map(_setting, settings))
    try:
        made = submitit.AutoExecutor(
            folder=folder.path / "cluster", cluster=None if cluster == "auto" else cluster
        )
        made.update_parameters(**{"timeout_min": _LONGEST_MIN, "name": "smarthdr", **wanted})
    except (RuntimeError, ValueError, TypeError, NameError) as error:
        raise PlanError(f"cluster {cluster}: {error}; change --cluster or --cluster-set") from None
    return made


def _setting(text: str) -> tuple[str, str | int | float]:
    key, found, value = text.partition("=")
    if not key or not found:
        raise PlanError(f"--cluster-set {text}: write KEY=VALUE, as timeout_min=600")
    for kind in (int, float):
        with suppress(ValueError):
            return key, kind(value)
    return key, value


def measure_on_cluster(
    jobs: Sequence[CellJob],
    executor: Any,  # noqa: ANN401 - of a package that need not be there
    *,
    at_once: int,
    stop: Callable[[], bool],
) -> Generator[CellEvent, None, None]:
    """Hands in cells, at most so many at once, and says when each began and how it ended.

    Where `stop` says so nothing more is handed in, and jobs under way save their runs and end. So
    they do when the iterator is closed.
    """
    waiting = list(jobs)
    working: dict[Any, CellJob] = {}
    begun: set[Any] = set()
    try:
        while waiting or working:
            if stop():
                waiting.clear()
                for job in working.values():
                    ask_to_stop(job.folder)
            while waiting and len(working) < at_once:
                job = waiting.pop(0)
                working[executor.submit(ClusterCell(job=job))] = job
            yield from _heard(working, begun)
            time.sleep(_LOOK_EVERY_S)
    finally:
        for job in working.values():
            ask_to_stop(job.folder)


def _heard(working: dict[Any, CellJob], begun: set[Any]) -> Iterator[CellEvent]:
    """What is new of the jobs; one that has ended works no more."""
    for handed_in, job in list(working.items()):
        done = handed_in.done()
        if handed_in not in begun and (done or handed_in.state == "RUNNING"):
            begun.add(handed_in)
            yield CellStarted(cell=job.cell)
        if done:
            del working[handed_in]
            yield _ended(handed_in, job)


def _ended(handed_in: Any, job: CellJob) -> CellEnded:  # noqa: ANN401 - a job of submitit
    try:
        kind, said = handed_in.result()
    except Exception as error:  # noqa: BLE001 - whatever became of a job of another machine
        last = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        where = handed_in.paths.stderr
        said = f"{job.cell.title}: its job failed ({last}); look into {where}, then call again"
        return CellEnded(cell=job.cell, error=said)
    return CellEnded(cell=job.cell, error=said, stopped=kind == "stopped")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterCell:
    """What a job does: measure one cell; taken away, it is handed in again and goes on."""

    job: CellJob

    def __call__(self) -> tuple[str, str]:
        """Answers "done", "stopped", or "failed" with a sentence."""
        os.environ.update(thread_limits(self.job.threads))
        from smarthdr_studio.learning.benchmark_runs import run_cell, use_threads

        use_threads(self.job.threads)
        job = self.job
        steps = run_cell(job.cell, job.folder, job.data, keep_runs=job.keep_runs)
        with heard_warnings() as warned:
            try:
                with closing(steps) as events:
                    for _ in events:
                        if warned:
                            break
                        if is_asked_to_stop(job.folder):
                            return "stopped", ""
                    else:
                        return "done", ""
            except StudioError as error:
                return "failed", str(error)
            warned.pass_on()
        return "stopped", ""  # nobody wanted it handed in again

    def checkpoint(self) -> Any:  # noqa: ANN401 - of submitit
        """The same job again: the run is saved, and is gone on with to the bit."""
        import submitit

        return submitit.helpers.DelayedSubmission(self)


Handler = Callable[[int, FrameType | None], Any]


class Warnings:
    """Whether this job is to be taken away, and who hands it in again."""

    def __init__(self, before: Mapping[int, Any]) -> None:
        self._before = before
        self._number: int | None = None

    def __bool__(self) -> bool:
        return self._number is not None

    def hear(self, number: int, _frame: FrameType | None) -> None:
        """A signal came; the step under way is finished first."""
        self._number = number

    def pass_on(self) -> None:
        """Let submitit hand the job in again, now that its run is saved; it ends this process."""
        number = self._number
        requeues = [self._before.get(each) for each in _WARNINGS if each != signal.SIGTERM]
        if number != signal.SIGTERM:
            requeues.insert(0, self._before.get(number or 0))
        for handler in requeues:
            if callable(handler) and number is not None:
                handler(number, None)


@contextmanager
def heard_warnings() -> Iterator[Warnings]:
    """Signals of the cluster do not break into a step, but are heard after it."""
    before = {number: signal.getsignal(number) for number in _WARNINGS}
    warned = Warnings(before)
    for number in _WARNINGS:
        signal.signal(number, warned.hear)
    try:
        yield warned
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
