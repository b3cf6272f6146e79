"""What a hand does on a chart of curves: points, marks out a stretch, turns the wheel."""

from typing import Final

from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

_LEAST: Final = 5.0  # pixels; less is a click that shook
_PER_NOTCH: Final = 0.8
_NOTCH: Final = 120.0


class CurveHand(QObject):
    """Watches a chart; without Ctrl the wheel passes through to whatever scrolls around it."""

    pointed = Signal(object)  # QPointF | None
    clicked = Signal(QPointF)
    dragging = Signal(object)  # (from, to) in pixels | None
    dragged = Signal(float, float)  # pixels, rising
    turned = Signal(float, float)  # how much of what is seen is to be seen, about which pixel
    went_back = Signal()

    def __init__(self, chart: QWidget) -> None:
        super().__init__(chart)
        self._from: float | None = None
        chart.setMouseTracking(True)
        chart.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Take what is meant for curves."""
        if isinstance(event, QWheelEvent):
            return self._turn(event)
        if event.type() is QEvent.Type.Leave:
            self.pointed.emit(None)
        return isinstance(event, QMouseEvent) and self._mouse(event)

    def _mouse(self, event: QMouseEvent) -> bool:
        kind, where = event.type(), event.position()
        if kind is QEvent.Type.MouseMove:
            self._move(where)
            return True
        if event.button() != Qt.MouseButton.LeftButton:
            return False
        if kind is QEvent.Type.MouseButtonPress:
            self._from = where.x()
        elif kind is QEvent.Type.MouseButtonDblClick:
            self._from = None
            self.went_back.emit()
        elif kind is QEvent.Type.MouseButtonRelease and self._from is not None:
            self._let_go(where)
        return True

    def _move(self, where: QPointF) -> None:
        self.pointed.emit(where)
        if self._from is not None and abs(where.x() - self._from) >= _LEAST:
            self.dragging.emit((self._from, where.x()))

    def _let_go(self, where: QPointF) -> None:
        begin, self._from = self._from, None
        self.dragging.emit(None)
        if begin is None or abs(where.x() - begin) < _LEAST:
            self.clicked.emit(where)
        else:
            self.dragged.emit(min(begin, where.x()), max(begin, where.x()))

    def _turn(self, event: QWheelEvent) -> bool:
        notches = event.angleDelta().y() / _NOTCH
        if not event.modifiers() & Qt.KeyboardModifier.ControlModifier or not notches:
            return False
        self.turned.emit(_PER_NOTCH**notches, event.position().x())
        event.accept()
        return True
