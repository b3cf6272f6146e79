"""Slow work off the GUI thread: plain functions go in, answers and refusals come back on it.

A job is a function of one argument, `report(text, done, total)`: calling it tells how far the work
has come, and raises Cancelled once nobody wants the answer. Whoever asks chooses how:

    TaskRunner.start    every answer is wanted
    LatestTask          only the newest answer is wanted: asking again gives up the one before
    RepeatedTask        every answer is worth showing, but one question at a time is enough
    TaskQueue           all of it happens, one after the other, in the order asked

All handlers are called on the GUI thread. A refusal without a handler of its own goes to
`TaskRunner.refused`, the one place that tells a person.
"""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from threading import Event
from typing import Any, Final, Generic, NoReturn, ParamSpec, TypeAlias, TypeVar

from PySide6.QtCore import QObject, QThread, QThreadPool, Signal, Slot

from smarthdr_studio.core.environment import give_way
from smarthdr_studio.core.errors import StudioError

_LOG: Final = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")
_Arguments = ParamSpec("_Arguments")

Report: TypeAlias = Callable[[str, int, int], None]
Job: TypeAlias = Callable[[Report], _Answer]

_THREADS: Final = 12  # more than a person waits for at once; most of them wait for a disk
_LAST_WAIT_MS: Final = 5000
_NICER_BY: Final = 3  # than the window; a run is nicer still


class Cancelled(Exception):
    """Raised inside a job when nobody wants its answer any more."""


class Priority(IntEnum):
    """Who waits for an answer: of jobs that wait for a thread, a person's comes first."""

    WATCHING = 0  # comes again and again; it is nobody's work
    BACKGROUND = 1
    PERSON = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How a job is run.

    A `shown` one reports to `TaskRunner.busy`. A `lasting` one is not cancelled when all is to
    end: what it writes was decided.
    """

    priority: Priority = Priority.PERSON
    shown: bool = False
    lasting: bool = False


def plain(
    work: Callable[_Arguments, _Answer], *args: _Arguments.args, **kwargs: _Arguments.kwargs
) -> Job[_Answer]:
    """A job that reports nothing, and can be given up only before it begins."""
    return lambda _report: work(*args, **kwargs)


class Repeating:
    """Says the last words again between two tiles: that is where a job can be given up."""

    def __init__(self, report: Report) -> None:
        self._report, self._last = report, ("", 0, 0)

    def __call__(self, text: str, done: int, total: int) -> None:
        """Report, and remember it."""
        self._last = text, done, total
        self._report(*self._last)

    def again(self, _done: int, _total: int) -> None:
        """The same once more; what a tile says of itself is too small to be told."""
        self._report(*self._last)


def _ignore(*_answer: object) -> None:
    """Nobody waits for it."""


def _over(_report: Report) -> NoReturn:
    """A job that is over."""
    raise Cancelled


@dataclass(eq=False, slots=True, kw_only=True)
class Task(Generic[_Answer]):
    """A job under way, who hears of it, and what became of it."""

    job: Job[_Answer]
    how: How
    on_done: Callable[[_Answer], object] = _ignore
    on_refused: Callable[[str], object] = _ignore
    on_progress: Callable[[str, int, int], object] = _ignore
    on_ended: Callable[[], object] = _ignore  # whatever became of it, before anything else
    on_given_up: Callable[[], object] = _ignore
    outcome: Callable[[], object] = _ignore  # what is to be called of those above
    given_up: Event = field(default_factory=Event)

    def run(self, report: Report) -> None:
        """Do the job; called on a thread of the pool."""
        try:
            if self.given_up.is_set():
                return
            answer = self.job(report)
        except Cancelled:
            self.given_up.set()
        except StudioError as error:
            self._refuse(str(error))
        except Exception as error:
            _LOG.exception("a job failed")
            self._refuse(f"{type(error).__name__}: {error}")
        else:
            self.outcome = partial(self.on_done, answer)

    def _refuse(self, message: str) -> None:
        self.outcome = partial(self.on_refused, message)

    def tell(self) -> None:
        """Call whoever waits; called on the GUI thread."""
        self.on_ended()
        if self.given_up.is_set():
            self.on_given_up()
        else:
            self.outcome()

    def let_go(self) -> None:
        """Forget who waited: the thread may hold the task a moment longer than anybody else.

        What a widget is part of must not die with it there.
        """
        self.job = _over
        self.on_done = self.on_refused = self.on_progress = _ignore
        self.on_ended = self.on_given_up = self.outcome = _ignore


class TaskRunner(QObject):
    """Runs jobs on one pool of threads, and knows whether any is at work."""

    busy = Signal(str, int, int)  # what a shown job reports
    idle = Signal()  # a shown job is over
    refused = Signal(str)
    forgotten = Signal()  # the project is left
    rested = Signal()
    _progressed = Signal(object, str, int, int)
    _ended = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(_THREADS)
        self._pool.setThreadPriority(QThread.Priority.LowPriority)
        self._tasks: set[Task[Any]] = set()
        self._ending = False
        self._progressed.connect(self._tell_progress)
        self._ended.connect(self._tell_end)

    @property
    def at_rest(self) -> bool:
        """Whether no job is at work; those that only watch count when all is to end."""
        return not any(self._ending or _is_work(task) for task in self._tasks)

    def start(
        self,
        job: Job[_Answer],
        on_done: Callable[[_Answer], object] = _ignore,
        on_refused: Callable[[str], object] | None = None,
        *,
        how: How | None = None,
    ) -> None:
        """Run a job; its answer is told even after the project was left."""
        refused = on_refused or self.refused.emit
        self.run(Task(job=job, how=how or How(), on_done=on_done, on_refused=refused))

    def run(self, task: Task[Any]) -> None:
        """Run a task as it says; once all is to end only lasting ones begin."""
        if self._ending and not task.how.lasting:
            task.given_up.set()
            return
        self._tasks.add(task)
        self._pool.start(lambda: self._run(task), int(task.how.priority))

    def cancel(self, task: Task[Any]) -> None:
        """Nobody wants this answer: the job stops at its next report, and nothing more is told."""
        if not task.given_up.is_set():
            task.given_up.set()
            if task.how.shown:
                self.idle.emit()

    def forget(self) -> None:
        """The project is left: no late answer fits the next one."""
        self.forgotten.emit()

    def shut_down(self) -> None:
        """All is to end: cancel everything but lasting jobs; `rested` tells when it has ended."""
        self._ending = True
        for task in tuple(self._tasks):
            if not task.how.lasting:
                self.cancel(task)

    def close(self) -> None:
        """Wait for the threads; what they still say is not heard."""
        self._ending = True
        for task in tuple(self._tasks):
            self.cancel(task)
        self._pool.waitForDone(_LAST_WAIT_MS)

    def _run(self, task: Task[Any]) -> None:
        give_way(by=_NICER_BY)

        def report(text: str, done: int, total: int) -> None:
            if task.given_up.is_set():
                raise Cancelled
            self._progressed.emit(task, text, done, total)

        task.run(report)
        self._ended.emit(task)

    @Slot(object, str, int, int)
    def _tell_progress(self, task: Task[Any], text: str, done: int, total: int) -> None:
        if not task.given_up.is_set():
            task.on_progress(text, done, total)
            if task.how.shown:
                self.busy.emit(text, done, total)

    @Slot(object)
    def _tell_end(self, task: Task[Any]) -> None:
        try:
            if task.how.shown and not task.given_up.is_set():
                self.idle.emit()
            task.tell()
        finally:
            task.let_go()
            self._tasks.discard(task)
            if self.at_rest:
                self.rested.emit()


def _is_work(task: Task[Any]) -> bool:
    return task.how.priority is not Priority.WATCHING


class LatestTask(QObject):
    """Starts jobs of which only the newest matters.

    The one before is cancelled and never heard again; two are never at work at once, so the newest
    begins when the one before has left its thread. All is forgotten with the project, unless it
    is said to outlive it.
    """

    def __init__(
        self, runner: TaskRunner, *, how: How | None = None, outlives_project: bool = False
    ) -> None:
        super().__init__(runner)
        self._runner, self._how = runner, how or How()
        self._task: Task[Any] | None = None  # on its thread, wanted or not
        self._next: Task[Any] | None = None
        if not outlives_project:
            runner.forgotten.connect(self.cancel)

    @property
    def at_work(self) -> bool:
        """Whether an answer will come."""
        newest = self._next or self._task
        return newest is not None and not newest.given_up.is_set()

    def start(
        self,
        job: Job[_Answer],
        on_done: Callable[[_Answer], object],
        on_refused: Callable[[str], object] | None = None,
        *,
        on_progress: Callable[[str, int, int], object] = _ignore,
        on_given_up: Callable[[], object] = _ignore,
    ) -> None:
        """Ask this in place of whatever was asked before.

        `on_given_up` tells that a job that was cancelled has left its thread.
        """
        self.cancel()
        task = Task(
            job=job,
            how=self._how,
            on_done=on_done,
            on_refused=on_refused or self._runner.refused.emit,
            on_progress=on_progress,
            on_ended=self._over,
            on_given_up=on_given_up,
        )
        if self._task is None:
            self._begin(task)
        else:
            self._next = task

    @Slot()
    def cancel(self) -> None:
        """The answer is not wanted any more."""
        self._next = None
        if self._task is not None:
            self._runner.cancel(self._task)

    def _begin(self, task: Task[Any]) -> None:
        self._task = task
        self._runner.run(task)

    def _over(self) -> None:
        self._task = None
        task, self._next = self._next, None
        if task is not None:
            self._begin(task)


class RepeatedTask(QObject):
    """Keeps a slow question from being asked twice at once, and from being forgotten.

    Asked again before the answer is there, it tells that answer and asks once more. What is under
    way is forgotten with the project.
    """

    def __init__(
        self,
        runner: TaskRunner,
        question: Callable[[], Job[_Answer] | None],
        on_done: Callable[[_Answer], object],
        on_refused: Callable[[str], object] | None = None,
        *,
        how: How | None = None,
    ) -> None:
        """`question` makes the job when it is asked; None where there is nothing to ask."""
        super().__init__(runner)
        self._runner, self._question, self._how = runner, question, how or How()
        self._on_done, self._on_refused = on_done, on_refused or runner.refused.emit
        self._task: Task[Any] | None = None
        self._again = False
        runner.forgotten.connect(self.cancel)

    @property
    def at_work(self) -> bool:
        """Whether an answer will come."""
        coming = self._task is not None and not self._task.given_up.is_set()
        return coming or self._again

    def ask(self) -> None:
        """Ask now, or once more when the answer under way has come."""
        if self._task is not None:
            self._again = True
            return
        job = self._question()
        if job is not None:
            self._task = Task(
                job=job,
                how=self._how,
                on_done=partial(self._tell, self._on_done),
                on_refused=partial(self._tell, self._on_refused),
                on_given_up=self._over,
            )
            self._runner.run(self._task)

    @Slot()
    def cancel(self) -> None:
        """Nobody waits for an answer any more."""
        self._again = False
        if self._task is not None:
            self._runner.cancel(self._task)

    def _tell(self, handler: Callable[[Any], object], what: object) -> None:
        try:
            handler(what)
        finally:
            self._over()

    def _over(self) -> None:
        self._task = None
        if self._again:
            self._again = False
            self.ask()


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What takes its time when its turn in a queue has come: a job, and who hears of it."""

    job: Job[Any]
    on_done: Callable[[Any], object]
    on_refused: Callable[[str], object]


class TaskQueue(QObject):
    """Does one thing after the other; what is asked meanwhile waits, and nothing is forgotten.

    Its jobs are shown and lasting: what they write was decided.
    """

    def __init__(self, runner: TaskRunner) -> None:
        super().__init__(runner)
        self._runner = runner
        self._waiting: deque[Callable[[], Work | None]] = deque()
        self._afterwards: deque[Callable[[], object]] = deque()
        self._at_work = self._going = False

    @property
    def at_rest(self) -> bool:
        """Whether everything that was asked is done."""
        return not (self._waiting or self._at_work or self._going)

    def take(self, begin: Callable[[], Work | None]) -> None:
        """Call `begin` when its turn has come, be it now; what follows waits for its work."""
        self._waiting.append(begin)
        self._go_on()

    def call(self, quick: Callable[[], object]) -> None:
        """Call this on the GUI thread when its turn has come."""
        self.take(lambda: _done(quick()))

    def afterwards(self, call: Callable[[], object]) -> None:
        """Call this as soon as nothing waits any more, be it now."""
        self._afterwards.append(call)
        self._say_all_is_done()

    def _go_on(self) -> None:
        if self._going:
            return
        self._going = True
        try:
            while self._waiting and not self._at_work:
                self._begin(self._waiting.popleft()())
        finally:
            self._going = False
        self._say_all_is_done()

    def _begin(self, work: Work | None) -> None:
        if work is None:
            return
        self._at_work = True
        self._runner.run(
            Task(
                job=work.job,
                how=How(shown=True, lasting=True),
                on_done=partial(self._tell, work.on_done),
                on_refused=partial(self._tell, work.on_refused),
            )
        )

    def _tell(self, handler: Callable[[Any], object], what: object) -> None:
        try:
            handler(what)
        finally:
            self._at_work = False
            self._go_on()

    def _say_all_is_done(self) -> None:
        while self._afterwards and self.at_rest:
            self._afterwards.popleft()()


def _done(_result: object) -> None:
    """Whatever a quick call answered, nothing of it is under way."""
