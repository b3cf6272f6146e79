"""Streams from a hand that moves: beside a run on the processor they are followed less often."""

from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import QObject, QTimer, Slot

from smarthdr_studio.studio.state import TrainingState

_BESIDE_A_RUN_MS: Final = 160  # a mouse moves every 8 to 16; each step followed stops the run


def least_gap_ms(run: TrainingState) -> int:
    """How far apart what follows a moving hand is, so that the run loses little by it.

    A graphics card is not kept from its work by a window that paints.
    """
    return _BESIDE_A_RUN_MS if run.busy and run.device in ("", "cpu") else 0


class Pace(QObject):
    """Hands on the newest of many values: the first at once, the next ones with a gap between."""

    def __init__(self, hand_on: Callable[[Any], object], parent: QObject) -> None:
        super().__init__(parent)
        self._hand_on = hand_on
        self._waiting: list[object] = []  # the newest, if one waits
        self._gap = QTimer(self, singleShot=True)
        self._gap.timeout.connect(self._go_on)

    def take(self, value: object, *, gap_ms: int) -> None:
        """Hand it on now, or after the gap unless a newer one comes; without a gap all of them."""
        if gap_ms and self._gap.isActive():
            self._waiting = [value]
            return
        self._waiting = []
        if gap_ms:
            self._gap.start(gap_ms)
        self._hand_on(value)

    def forget(self) -> None:
        """Something else was decided: what waits is not handed on any more."""
        self._waiting = []

    def rest(self) -> None:
        """Hand on no more."""
        self.forget()
        self._gap.stop()

    @Slot()
    def _go_on(self) -> None:
        for newest in self._waiting:
            self.take(newest, gap_ms=self._gap.interval())
