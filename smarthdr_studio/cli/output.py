"""How the verbs speak: answers on stdout, everything else on stderr."""

import json
import math
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Any, Final

import typer
from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from smarthdr_studio.core.errors import harmless
from smarthdr_studio.core.words import percent as in_percent


class NobodyHears(Exception):
    """The answer cannot be written, to a full disk perhaps; the message says why.

    What the verb did is done. A closed pipe stays a BrokenPipeError.
    """


@contextmanager
def _heard() -> Iterator[None]:
    """Answers are given at once, so that none is lost after everything went well."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise NobodyHears(error.strerror or type(error).__name__) from None


Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def print_error(sentence: str) -> None:
    """One sentence on stderr; a message of several lines becomes one."""
    sys.stderr.write(" ".join(harmless(sentence).split()) + "\n")


def print_note(sentence: str) -> None:
    """Something worth knowing, on stderr."""
    sys.stderr.write(_lines(sentence) + "\n")
    sys.stderr.flush()


def print_line(sentence: str) -> None:
    """A line of the answer, on stdout."""
    with _heard():
        sys.stdout.write(_lines(sentence) + "\n")


def _lines(text: str) -> str:
    """A text with its own line breaks, none of which a terminal takes for an order."""
    return "\n".join(map(harmless, text.split("\n")))


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object on one line; figures that are not finite become null."""
    with _heard():
        sys.stdout.write(json.dumps(_finite(value), allow_nan=False) + "\n")


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str, words: int = 1
) -> None:
    """A small table on stdout; the first `words` columns hold words, the rest figures."""
    table = Table(box=box.SIMPLE_HEAD)
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index < words else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(_lines, row))
    # A pipe has no width of its own; paths and figures must not be folded at 80 columns there.
    width = None if sys.stdout.isatty() else 160
    console = Console(highlight=False, markup=False, width=width)
    with _heard():
        console.print(_lines(title), style="bold", soft_wrap=True)
        if table.row_count:
            console.print(table)


LINE_EVERY: Final = 5.0
"""Seconds of work between two lines about it where there is no bar."""


class _Told(Progress):
    """A bar that, where there is none, says a line every few seconds of work.

    Of work that takes long in one piece, as a library's, a thread says that it goes on.
    """

    def __init__(self, *columns: ProgressColumn, lines: bool, console: Console) -> None:
        super().__init__(*columns, console=console, disable=not console.is_terminal, transient=True)
        self._lines = lines and self.disable
        self._last = self._heard = self._begun = time.monotonic()  # _begun: what is said now
        self._said = ""
        self._over = threading.Event()
        self._going_on = threading.Thread(target=self._say_it_goes_on, daemon=True)

    def start(self) -> None:
        super().start()
        if self._lines:
            self._going_on.start()

    def stop(self) -> None:
        self._over.set()
        if self._going_on.is_alive():
            self._going_on.join()
        super().stop()

    def _say_it_goes_on(self) -> None:
        while not self._over.wait(LINE_EVERY / 5):
            with self._lock:
                now, tasks = time.monotonic(), list(self._tasks.values())
                silent = now - max(self._last, self._heard) >= LINE_EVERY
                if tasks and silent:
                    self._last = now
                    print_note(f"{self._words_of(tasks[-1])}, {now - self._begun:.0f} s so far")

    def update(self, task_id: TaskID, **changes: Any) -> None:  # noqa: ANN401 - as rich has it
        super().update(task_id, **changes)
        self._tell(task_id)

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        super().advance(task_id, advance)
        self._tell(task_id)

    def _tell(self, task_id: TaskID) -> None:
        with self._lock:
            now = self._heard = time.monotonic()
            if self._tasks[task_id].description != self._said:
                self._begun, self._said = now, self._tasks[task_id].description
            if not self._lines or now - self._last < LINE_EVERY:
                return
            self._last = now
            print_note(self._words_of(self._tasks[task_id]))

    @staticmethod
    def _words_of(task: Task) -> str:
        of = f"{task.completed:,.0f} of {task.total:,.0f}" if task.total else ""
        counts_itself = not of or f" of {task.total:,.0f}" in task.description
        return task.description if counts_itself else f"{task.description}, {of}"


class _TimeLeft(TimeRemainingColumn):
    """What is left as the work itself estimates it, else by how fast the bar has grown.

    A run knows of rounds and checks to come, which no bar of steps can foresee.
    """

    def render(self, task: Task) -> Text:
        """H:MM:SS of the field `seconds_left`, where a task has it."""
        if "seconds_left" not in task.fields:
            return super().render(task)
        left = task.fields["seconds_left"]
        told = "-:--:--" if left is None else str(timedelta(seconds=round(left)))
        return Text(told, style="progress.remaining")


def progress(*, lines: bool = True) -> Progress:
    """A bar on stderr while it is a terminal, and in a pipe a line every few seconds of work.

    Without `lines`, for a verb that has lines of its own, a pipe hears nothing.
    """
    return _Told(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        _TimeLeft(),
        console=Console(stderr=True),
        lines=lines,
    )


def print_left_out(left_out: Mapping[str, str]) -> None:
    """Why scenes were left out, by their ids, in a line each on stderr."""
    for why in left_out.values():
        print_note(f"left out: {why}")


def left_out_as_json(left_out: Mapping[str, str]) -> list[dict[str, str]]:
    """The same as every verb's JSON has it."""
    return [{"id": name, "why": why} for name, why in left_out.items()]


def percent(share: float) -> str:
    """A share in [0, 1] as a percentage for people."""
    return in_percent(share, decimals=1)


def duration(seconds: float) -> str:
    """A time as a person reads it: "45 s", "12 min", "3 h 05 min"."""
    if seconds < 100:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


def _finite(value: object) -> object:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {str(key): _finite(part) for key, part in value.items()}
        case list() | tuple():
            return [_finite(part) for part in value]
        case _:
            return value
