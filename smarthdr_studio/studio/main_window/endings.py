"""What ends a run from outside the window: signals of the system, and a computer that sleeps."""

from typing import Final

from PySide6.QtCore import QObject, QTimer, Slot

from smarthdr_studio.studio.main_window.signals import EndSignals
from smarthdr_studio.studio.main_window.sleep import Sleep
from smarthdr_studio.studio.main_window.window import MainWindow

_LISTENS_AFTER_MS: Final = 2000  # the window comes first


class Endings(QObject):
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
        self._running.stop_for_sleep()
        self._run_ended()

    @Slot()
    def _wake(self) -> None:
        self._falling_asleep = False
        self._running.has_woken()

    @Slot()
    def _run_ended(self) -> None:
        if self._falling_asleep and self._running.at_rest:
            self.sleep.let_it_sleep()
