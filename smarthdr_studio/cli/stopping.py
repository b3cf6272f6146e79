"""How a run in a terminal hears that it should stop: Ctrl-C, SIGTERM, or the terminal gone."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

from smarthdr_studio.cli.output import note
from smarthdr_studio.core.processes import is_first_process

_HANG_UP: Final[signal.Signals | None] = getattr(signal, "SIGHUP", None)


class StopAsked:
    """The signals that asked to stop so far."""

    def __init__(self) -> None:
        self._heard: list[int] = []

    def __bool__(self) -> bool:
        return bool(self._heard)

    @property
    def hung_up(self) -> bool:
        """Whether the terminal is gone, so that nothing can be said any more."""
        return _HANG_UP in self._heard

    def hear(self, number: int, _: FrameType | None) -> None:
        """A handler for signals; a second one kills, as the last save is whole."""
        self._heard.append(number)
        signal.signal(number, signal.SIG_DFL)
        if is_first_process():
            with suppress(OSError):
                note("Stopping after this step and saving; once more kills.")


@contextmanager
def stop_asked() -> Iterator[StopAsked]:
    """Hears the signals that ask to stop while the block lasts; nohup is respected."""
    asked = StopAsked()
    numbers = [signal.SIGINT, signal.SIGTERM]
    if _HANG_UP is not None and signal.getsignal(_HANG_UP) != signal.SIG_IGN:
        numbers.append(_HANG_UP)
    before = {number: signal.signal(number, asked.hear) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def told_once() -> Iterator[None]:
    """Keeps threads quiet about files: what the log's thread stumbles over is raised here too."""
    tell = threading.excepthook

    def unless_files(failure: threading.ExceptHookArgs) -> None:
        if not issubclass(failure.exc_type, OSError):
            tell(failure)

    threading.excepthook = unless_files
    try:
        yield
    finally:
        threading.excepthook = tell
