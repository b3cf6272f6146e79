"""Arrow keys as the small steps of a hand on a chart that has the focus."""

from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

STEP: Final = 0.01
LARGE_STEP: Final = 0.1

_WAYS: Final = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Down: (0.0, -1.0),
    Qt.Key.Key_Up: (0.0, 1.0),
}


class ArrowKeys(QObject):
    """Watches a chart: a step for every press, and when the last key was let go.

    The chart is reached by the Tab key alone, so that a click leaves the arrows to the scenes;
    Escape gives them back.
    """

    stepped = Signal(float, float)  # to the right and upwards, in the units of the chart
    let_go = Signal()

    def __init__(self, chart: QWidget) -> None:
        super().__init__(chart)
        self._chart = chart
        self._on_the_way = False
        chart.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        chart.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Take the arrows before the window takes them for its own keys."""
        kind = event.type()
        if kind in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self._chart.update()
            self._end()
            return False
        if not isinstance(event, QKeyEvent) or event.key() not in (*_WAYS, Qt.Key.Key_Escape):
            return False
        if kind is QEvent.Type.ShortcutOverride:
            event.accept()
        elif kind is QEvent.Type.KeyPress:
            self._press(event)
        elif kind is QEvent.Type.KeyRelease and not event.isAutoRepeat():
            self._end()
        return True

    def _press(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._chart.clearFocus()
            return
        large = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        across, up = _WAYS[Qt.Key(event.key())]
        step = LARGE_STEP if large else STEP
        self._on_the_way = True
        self.stepped.emit(across * step, up * step)

    def _end(self) -> None:
        if self._on_the_way:
            self._on_the_way = False
            self.let_go.emit()


def stepped(value: float, step: float) -> float:
    """A share after a step, held within 0 to 1 and free of rounding's crumbs."""
    return round(min(max(value + step, 0.0), 1.0), 3)
