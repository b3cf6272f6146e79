"""The Qt application around the window, and what ends it: the system's signals and sleep."""

import gc
import logging
import signal
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import (
    SLOT,
    QMessageLogContext,
    QObject,
    QSocketNotifier,
    Qt,
    QTimer,
    QtMsgType,
    Signal,
    Slot,
    qInstallMessageHandler,
)
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from smarthdr_studio.core.environment import resource
from smarthdr_studio.core.logbook import BEAT_S, Logbook
from smarthdr_studio.core.remedies import speak_in_window
from smarthdr_studio.studio.settings import Places, Preferences
from smarthdr_studio.studio.state import Notice
from smarthdr_studio.studio.theme import dress, palette_for, tint
from smarthdr_studio.studio.window.main_window import MainWindow

if TYPE_CHECKING:
    from PySide6.QtDBus import QDBusConnection, QDBusPendingCallWatcher

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
            from PySide6.QtDBus import QDBusConnection

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
        from PySide6.QtDBus import QDBusMessage, QDBusPendingCallWatcher

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


_LISTENS_AFTER_MS: Final = 2000  # the window comes first


class Shutdown(QObject):
    """Ends the window cleanly when asked to, and lets the computer sleep once a run is saved."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._running = window.session.running
        self._falling_asleep = False
        self.signals, self.sleep = EndSignals(self), Sleep(self)
        self.signals.asked.connect(window.end)
        self.sleep.begins.connect(self._fall_asleep)
        self.sleep.is_over.connect(self._wake)
        self._running.run_ended.connect(self._run_ended)
        soon = QTimer(self, singleShot=True, interval=_LISTENS_AFTER_MS)
        soon.timeout.connect(self.sleep.listen)
        soon.start()

    @Slot()
    def _fall_asleep(self) -> None:
        self._falling_asleep = True
        self._running.training.stop_for_sleep()
        self._run_ended()

    @Slot()
    def _wake(self) -> None:
        self._falling_asleep = False
        self._running.training.has_woken()

    @Slot()
    def _run_ended(self) -> None:
        if self._falling_asleep and self._running.at_rest:
            self.sleep.let_it_sleep()


_LOOKS_EVERY_MS: Final = 250
_EACH_MIDDLE: Final = 10  # young collections, after which a few older objects are looked through
_EACH_FULL: Final = 100
_GROWN: Final = 1.25  # less than that is not worth to look through all that is old
_LONGEST_WAIT_S: Final = 1.0
_MANY_MODULES: Final = 200  # torch is a thousand, what trains some hundreds more


class GarbageCollector(QObject):
    """Looks for garbage on its own thread alone, which is to be the GUI's.

    Python itself does so on whichever thread makes the next object. What Qt draws dies with its
    garbage, and a chart that dies on another thread than the one that paints takes the program
    with it. As Python does, young objects are looked through often and all of them seldom.

    With `spares_modules` what has come with many modules, such as torch, is not looked through
    again once no more of them come: a quarter of a million objects that stay until the end.
    """

    _asked = Signal(object)  # threading.Event, set when it is done

    def __init__(self, parent: QObject, *, spares_modules: bool = False) -> None:
        super().__init__(parent)
        self._thread = threading.get_ident()
        self._young, self._old = 0, 0
        self._spares = spares_modules
        self._modules = self._spared = len(sys.modules)  # when it was looked last, and spared last
        self._asked.connect(self._collect_for)
        timer = QTimer(self, interval=_LOOKS_EVERY_MS)
        timer.timeout.connect(self._look)
        timer.start()

    def collect(self) -> None:
        """Look through everything now; another thread waits for it, but not for ever."""
        if threading.get_ident() == self._thread:
            self._collect_all()
        elif isValid(self):
            done = threading.Event()
            self._asked.emit(done)
            done.wait(_LONGEST_WAIT_S)

    @Slot(object)
    def _collect_for(self, done: threading.Event) -> None:
        self._collect_all()
        done.set()

    def _spare(self) -> None:
        now = len(sys.modules)
        if now == self._modules and now - self._spared >= _MANY_MODULES:
            gc.freeze()
            self._spared, self._old = now, 0
        self._modules = now

    @Slot()
    def _look(self) -> None:
        if self._spares:
            self._spare()
        if gc.get_count()[0] <= gc.get_threshold()[0]:
            return
        self._young += 1
        if self._young % _EACH_FULL == 0 and self._count() > _GROWN * self._old:
            self._collect_all()
        else:
            gc.collect(1 if self._young % _EACH_MIDDLE == 0 else 0)

    def _collect_all(self) -> None:
        gc.collect()
        self._old = self._count()

    @staticmethod
    def _count() -> int:
        return len(gc.get_objects(generation=2))


_QT_LEVELS: Final = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
_QT_LOG: Final = logging.getLogger("smarthdr_studio.qt")


_CRASHED: Final = (
    "The program broke off last time; every decision is kept. What it was doing is noted: "
    "Help ▸ Report a problem… collects it, and sends nothing."
)


def keep_qt_message(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    """What Qt has to say goes to the log, and to the terminal as before."""
    category = str(getattr(context, "category", None) or "default")
    _QT_LOG.log(_QT_LEVELS.get(kind, logging.WARNING), "%s: %s", category, message)
    if sys.stderr is not None and kind is not QtMsgType.QtDebugMsg:
        sys.stderr.write(f"{message}\n")


def shown(project: Path | None) -> tuple[QApplication, MainWindow]:
    """The application and its window, on the screen, with a project being opened or none."""
    speak_in_window()
    places = Places.of_this_person()
    # Until the process ends: what happens while Qt goes down is kept too.
    logbook = Logbook(places.logs)
    qInstallMessageHandler(keep_qt_message)
    application = QApplication(sys.argv[:1])
    application.setApplicationName("SmartHDR Studio")
    application.setDesktopFileName("smarthdr-studio")  # whose entry and icon a desktop looks for
    application.setWindowIcon(QIcon(str(resource("icons", "studio.svg"))))
    palette = palette_for(Preferences.read(places.preferences).look)
    tint(application, palette)
    window = MainWindow(places=places)
    Shutdown(window)
    dress(application, palette)
    window.show()
    watch = QTimer(window, interval=round(1000 * BEAT_S), timerType=Qt.TimerType.VeryCoarseTimer)
    watch.timeout.connect(logbook.beat)
    watch.start()
    application.aboutToQuit.connect(logbook.rest)
    if logbook.crashed:
        window.session.tell_until_read(Notice(text=_CRASHED, tone="warn"))
    if project is not None:
        window.session.take(project)
    else:
        window.load_torch_when_idle()
    return application, window
