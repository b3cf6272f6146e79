"""Tells when widgets have been painted."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget


class Paints(QObject):
    """Says `done` once each of some widgets has been painted since `arm`, and the frame is out."""

    done = Signal()

    def __init__(self, widgets: Sequence[QWidget]) -> None:
        super().__init__()
        self._widgets = list(widgets)
        self._left: list[QWidget] = []
        for widget in widgets:
            widget.installEventFilter(self)

    def arm(self) -> None:
        """Only what is painted from now on counts."""
        self._left = list(self._widgets)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Nothing is kept from anybody."""
        if event.type() is QEvent.Type.Paint and watched in self._left:
            self._left.remove(watched)
            if not self._left:
                # One more turn of the loop: Qt hands the frame to the screen after its last part.
                QTimer.singleShot(0, self.done.emit)
        return False
