"""The system's wish that the program should end, heard by the event loop: a clean stop."""

import signal
import socket
from types import FrameType
from typing import Final

from PySide6.QtCore import QObject, QSocketNotifier, Signal, Slot

_NAMES: Final = ("SIGINT", "SIGTERM", "SIGHUP")  # the last is said when a terminal is closed


class EndSignals(QObject):
    """While it lives, `asked` tells of every such signal; the handlers of before come back after.

    Make it on the main thread: Python allows nobody else to hear signals.
    """

    asked = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.settimeout(0)
        self._woken_before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
        self._before = {number: signal.signal(number, _heard) for number in self._numbers}
        # The byte that Python writes wakes the loop, which would sleep through the signal itself.
        kind = QSocketNotifier.Type.Read
        self._notifier = QSocketNotifier(self._reader.fileno(), kind, self)
        self._notifier.activated.connect(self._read)

    def let_go(self) -> None:
        """Signals mean again what they meant before."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._woken_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._reader.close()
        self._writer.close()

    @Slot()
    def _read(self) -> None:
        numbers = self._reader.recv(4096)
        if any(number in self._numbers for number in numbers):
            self.asked.emit()


def _heard(_number: int, _frame: FrameType | None) -> None:
    """Nothing more than to be there: without a handler the process would die."""
