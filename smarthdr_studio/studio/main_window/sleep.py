"""When the computer goes to sleep and when it wakes, as logind says on the system bus of Linux."""

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import SLOT, QObject, Signal, Slot

if TYPE_CHECKING:
    from PySide6.QtDBus import QDBusConnection, QDBusPendingCallWatcher

_LOGIND: Final = ("org.freedesktop.login1", "/org/freedesktop/login1")
_MANAGER: Final = "org.freedesktop.login1.Manager"
_WHY: Final = ("sleep", "SmartHDR Studio", "the run at work is being saved", "delay")


class Sleep(QObject):
    """`begins` and `is_over`; sleep waits a moment until `let_it_sleep`, where the system allows.

    Where there is no such bus nothing is ever said.
    """

    begins = Signal()
    is_over = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._bus: QDBusConnection | None = None
        self._asked: QDBusPendingCallWatcher | None = None
        self._held: object = None  # what sleep waits for, as long as anybody has it

    @Slot()
    def listen(self) -> None:
        """Listen from now on; a bus that is not there is no fault."""
        if not sys.platform.startswith("linux"):
            return
        with suppress(ImportError):
            from PySide6.QtDBus import QDBusConnection  # noqa: PLC0415 - some systems have none

            bus = QDBusConnection.systemBus()
            if not bus.isConnected():
                return
            self._bus = bus
            slot = SLOT("prepare(bool)")
            bus.connect(*_LOGIND, _MANAGER, "PrepareForSleep", self, slot)  # type: ignore[call-overload]
            self._hold()

    @Slot(bool)
    def prepare(self, begins: object) -> None:
        """What logind says before the computer sleeps, and when it is awake again."""
        if begins:
            self.begins.emit()
        else:
            self._hold()
            self.is_over.emit()

    @Slot()
    def let_it_sleep(self) -> None:
        """All is saved."""
        self._held = None

    def _hold(self) -> None:
        """Ask that sleep may wait for us."""
        from PySide6.QtDBus import QDBusMessage, QDBusPendingCallWatcher  # noqa: PLC0415

        if self._bus is None:
            return
        call = QDBusMessage.createMethodCall(*_LOGIND, _MANAGER, "Inhibit")
        call.setArguments(list(_WHY))
        self._asked = QDBusPendingCallWatcher(self._bus.asyncCall(call), self)
        self._asked.finished.connect(self._may_delay)

    @Slot()
    def _may_delay(self) -> None:
        asked, self._asked = self._asked, None
        if asked is not None and not asked.isError():
            self._held = asked.reply()  # its file stays open while it is kept
        if asked is not None:
            asked.deleteLater()
