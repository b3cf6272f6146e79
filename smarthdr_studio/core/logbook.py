"""What went wrong, kept in a person's own log files: exceptions, warnings, crashes and hangs."""

import faulthandler
import logging
import os
import platform
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import IO, Final

import platformdirs

from smarthdr_studio import __version__

LOG_NAME: Final = "studio.log"
CRASHES_NAME: Final = "crashes.log"
_MOST_BYTES: Final = 10**6  # of one file; so many files before it are kept
_OLDER: Final = 3
_LONGEST_WAIT_S: Final = 1.0  # for another program to have written its line
BEAT_S: Final = 2.0
"""How often whoever is watched says that it goes on."""
_HUNG_S: Final = 10.0  # without a word of it
_HUNG_LOOKS: Final = 5  # in that time

_LOG: Final = logging.getLogger("smarthdr_studio")
_LOG.addHandler(logging.NullHandler())  # without a log file nothing is told on the terminal


def state_folder() -> Path:
    """Where the system wants what a program remembers of its own doings."""
    return platformdirs.user_state_path("smarthdr-studio", appauthor=False)


def log_files(folder: str | os.PathLike[str]) -> tuple[Path, ...]:
    """The log files that are there, the newest first, and what was kept of crashes."""
    folder = Path(folder)
    numbers = ("", *(f".{number}" for number in range(1, _OLDER + 1)))
    names = [LOG_NAME + number for number in numbers] + [CRASHES_NAME, f"{CRASHES_NAME}.1"]
    return tuple(folder / name for name in names if (folder / name).is_file())


class _Quiet(RotatingFileHandler):
    """A disk that cannot be written to costs the log, not the work, and nothing is said of it.

    Several programs may write to it: one line is written at a time, to the file that has the name.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Where another program does not let go of the log, the line stands in it all the same."""
        with _alone_at(Path(f"{self.baseFilename}.lock")) as alone:
            if alone:
                with suppress(OSError):
                    self._follow()
                super().emit(record)
            else:
                logging.FileHandler.emit(self, record)  # nothing is turned over

    def _follow(self) -> None:
        """Another program may have turned the log over since the last line."""
        if self.stream is None:
            return  # opened with the next line
        opened, path = os.fstat(self.stream.fileno()), Path(self.baseFilename)
        named = path.stat() if path.exists() else None
        if named is None or (named.st_dev, named.st_ino) != (opened.st_dev, opened.st_ino):
            self.stream.close()
            self.stream = self._open()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Do without."""


@contextmanager
def _alone_at(path: Path) -> Iterator[bool]:
    """Whether no other program is within; one that was stopped there is not waited for long."""
    if sys.platform == "win32":  # there a log that another program has open cannot be turned over
        yield True
        return
    import fcntl  # noqa: PLC0415 - not on Windows

    try:
        file = path.open("a")
    except OSError:
        yield True
        return
    with file:
        until = time.monotonic() + _LONGEST_WAIT_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    yield False
                    return
                time.sleep(0.001)
            except OSError:  # a disk that knows no locks
                break
            else:
                break
        try:
            yield True
        finally:
            with suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_UN)


class Logbook:
    """Open from the start of the window to its end: what nobody catches is written down.

    What Python does with it besides, such as telling it on the terminal, stays as it was.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Where the folder cannot be written to, nothing is kept and nothing fails."""
        folder = Path(folder)
        self.crashed = _has_crashed(folder)
        """Whether it crashed the last time it was at work, before this log was opened."""
        self._handler = _handler(folder)
        self._crashes = _crash_file(folder)
        self._heard, self._looks = 0.0, 0
        self._rests = threading.Event()
        self._watcher: threading.Thread | None = None
        self._before = sys.excepthook, threading.excepthook, sys.unraisablehook
        if self._handler is not None:
            logging.getLogger().addHandler(self._handler)
            _LOG.setLevel(logging.INFO)
        if self._crashes is not None:
            faulthandler.enable(self._crashes, all_threads=True)
        sys.excepthook = self._main_thread
        threading.excepthook = self._other_thread
        sys.unraisablehook = self._nobody
        _LOG.info(
            "SmartHDR Studio %s begins: Python %s, %s, process %d",
            __version__, platform.python_version(), sys.platform, os.getpid(),
        )  # fmt: skip

    def beat(self) -> None:
        """The event loop goes on; where it does not for ten seconds, it is kept what all do.

        Said every `BEAT_S` seconds. A word about it stands in the log once the loop goes on.
        """
        if self._crashes is None:
            return
        now = time.monotonic()
        silent, self._heard = now - self._heard if self._heard else 0.0, now
        looks, self._looks = self._looks, 0
        if looks >= _HUNG_LOOKS:
            _LOG.warning("stood still for %.0f s; what it did is in %s", silent, CRASHES_NAME)
        if self._watcher is None:
            self._rests.clear()
            self._watcher = threading.Thread(target=self._watch, name="watch", daemon=True)
            self._watcher.start()

    def _watch(self) -> None:
        # Looks are counted, not seconds: a program that was stopped or asleep did not hang. And
        # stacks are read holding Python's lock: faulthandler's own timer does not, which kills a
        # program that happens to be running.
        while not self._rests.wait(_HUNG_S / _HUNG_LOOKS):
            self._looks += 1
            if self._looks == _HUNG_LOOKS and self._crashes is not None:
                with suppress(OSError, ValueError):
                    when = time.strftime("%Y-%m-%d %H:%M:%S%z")
                    self._crashes.write(f"{when} stands still for {_HUNG_S:.0f} s:\n")
                    self._crashes.flush()
                    faulthandler.dump_traceback(self._crashes, all_threads=True)

    def rest(self) -> None:
        """The event loop ends; nobody waits for its word."""
        self._rests.set()
        if self._watcher is not None:
            self._watcher.join()
            self._watcher = None
        self._heard, self._looks = 0.0, 0

    def close(self) -> None:
        """Hooks are as before, and the files closed."""
        self.rest()
        sys.excepthook, threading.excepthook, sys.unraisablehook = self._before
        if self._handler is not None:
            logging.getLogger().removeHandler(self._handler)
            self._handler.close()
        if self._crashes is not None:
            faulthandler.disable()
            self._crashes.close()

    def _main_thread(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, Exception):
            _LOG.critical("nobody caught", exc_info=(kind, error, trace))
        self._before[0](kind, error, trace)

    def _other_thread(self, told: threading.ExceptHookArgs) -> None:
        if told.exc_value is not None and issubclass(told.exc_type, Exception):
            name = told.thread.name if told.thread else "?"
            caught = told.exc_type, told.exc_value, told.exc_traceback
            _LOG.critical("nobody caught, in the thread %s", name, exc_info=caught)
        self._before[1](told)

    def _nobody(self, told: "sys.UnraisableHookArgs") -> None:
        if told.exc_value is not None:
            caught = told.exc_type, told.exc_value, told.exc_traceback
            _LOG.error("could not be raised: %s", told.err_msg or told.object, exc_info=caught)
        self._before[2](told)


@contextmanager
def crashes_kept(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Within, a crash of a verb leaves what its threads were doing, as one of the window does."""
    # Whoever has asked Python for it before is answered on the terminal.
    crashes = None if faulthandler.is_enabled() else _crash_file(Path(folder))
    if crashes is None:
        yield
        return
    with crashes:
        faulthandler.enable(crashes, all_threads=True)
        try:
            yield
        finally:
            faulthandler.disable()


def keep_traceback(
    folder: str | os.PathLike[str], error: BaseException, *, words: str
) -> Path | None:
    """Write down what ended a verb, and say in which file; None where that cannot be written."""
    folder = Path(folder)
    handler = _handler(folder)
    if handler is None:
        return None
    caught = type(error), error, error.__traceback__
    handler.emit(_LOG.makeRecord(_LOG.name, logging.CRITICAL, "", 0, words, (), caught))
    handler.close()
    return folder / LOG_NAME


def _handler(folder: Path) -> RotatingFileHandler | None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = _Quiet(
            folder / LOG_NAME,
            maxBytes=_MOST_BYTES,
            backupCount=_OLDER,
            encoding="utf-8",
            errors="backslashreplace",
        )
    except OSError:
        return None
    # Times in full, with their distance from UTC: reports are read elsewhere.
    layout = "%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"
    handler.setFormatter(logging.Formatter(layout, datefmt="%Y-%m-%d %H:%M:%S%z"))
    return handler


def _has_crashed(folder: Path) -> bool:
    """Whether a stack was kept after the last line of the log; the next line comes after both."""
    crashes, log = folder / CRASHES_NAME, folder / LOG_NAME
    try:
        seen = crashes.stat()
        return seen.st_size > 0 and (not log.is_file() or log.stat().st_mtime <= seen.st_mtime)
    except OSError:
        return False


def _crash_file(folder: Path) -> IO[str] | None:
    """Open as long as the program lives, since nothing can be opened in a crash."""
    path = folder / CRASHES_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.stat().st_size > _MOST_BYTES:
            path.replace(path.with_name(f"{CRASHES_NAME}.1"))
        return path.open("a", encoding="utf-8")
    except OSError:
        return None
