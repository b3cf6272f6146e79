"""Keys that count while the mouse is at work in a picture, wherever the keyboard's focus is."""

from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)
from shiboken6 import isValid

_TEXT: Final = (QLineEdit, QTextEdit, QPlainTextEdit, QAbstractSpinBox)
_OTHERS: Final = (
    Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.MetaModifier
)


class ShiftHold(QObject):
    """Says over which view Shift alone is held down.

    Not while text is typed or a menu is open, and no longer once another key joins in: that is
    a shortcut. It ends when the key, the view or the window is left.
    """

    held = Signal(int, bool)  # index of the view

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._down = False
        self._over: int | None = None
        self._said: int | None = None
        self._watched: tuple[QObject, ...] = ()
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)
        application.focusWindowChanged.connect(self._window_left)

    def watch(self, window: QWidget) -> None:
        """Hear the keys of this window; what it hands on to its parts passes here first."""
        for watched in self._watched:
            if isValid(watched):
                watched.removeEventFilter(self)
        handle = window.windowHandle()
        self._watched = (window,) if handle is None else (window, handle)
        for watched in self._watched:
            watched.installEventFilter(self)

    def point_at(self, view: int | None) -> None:
        """The cursor is over this view now, or over none."""
        if view != self._over:
            self._over = view
            self._tell()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look at keys, and let everything pass."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if not event.isAutoRepeat():
                alone = event.key() == Qt.Key.Key_Shift and not event.modifiers() & _OTHERS
                self._become(down=alone and not _typing())
        elif event.type() == QEvent.Type.KeyRelease and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Shift and not event.isAutoRepeat():
                self._become(down=False)
        elif event.type() in (QEvent.Type.WindowDeactivate, QEvent.Type.Hide):
            self._become(down=False)
        return super().eventFilter(watched, event)

    @Slot()
    def _window_left(self) -> None:
        self._become(down=False)

    def _become(self, *, down: bool) -> None:
        if down != self._down:
            self._down = down
            self._tell()

    def _tell(self) -> None:
        wanted = self._over if self._down else None
        if wanted == self._said:
            return
        before, self._said = self._said, wanted
        if before is not None:
            self.held.emit(before, False)  # noqa: FBT003 - a signal has no keywords
        if wanted is not None:
            self.held.emit(wanted, True)  # noqa: FBT003


class EscapeWatch(QObject):
    """Takes the Escape key for itself while something can be cancelled, before any shortcut."""

    escaped = Signal()
    _keys = frozenset({Qt.Key.Key_Escape})

    def start(self) -> None:
        """From now on."""
        application = QApplication.instance()
        if application is not None:
            application.installEventFilter(self)

    def stop(self) -> None:
        """No longer."""
        application = QApplication.instance()
        if application is not None:
            application.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the keys that are watched, and let everything else pass."""
        kinds = QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress
        if event.type() not in kinds or not isinstance(event, QKeyEvent):
            return super().eventFilter(watched, event)
        if event.key() not in self._keys or event.modifiers() & _OTHERS or self._not_for_us():
            return super().eventFilter(watched, event)
        event.accept()
        if event.type() == QEvent.Type.KeyPress:
            self._pressed(event)
        return True

    def _not_for_us(self) -> bool:
        return False

    def _pressed(self, _event: QKeyEvent) -> None:
        self.escaped.emit()


class CornerKeys(EscapeWatch):
    """The keys of a polygon that grows; in a text field they stay the typist's."""

    stepped_back = Signal()
    closed = Signal(bool)  # with Shift
    _keys = frozenset(
        {Qt.Key.Key_Escape, Qt.Key.Key_Backspace, Qt.Key.Key_Return, Qt.Key.Key_Enter}
    )

    def _not_for_us(self) -> bool:
        return _typing()

    def _pressed(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Escape:
                self.escaped.emit()
            case Qt.Key.Key_Backspace:
                self.stepped_back.emit()
            case _:
                shifted = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
                self.closed.emit(bool(shifted))


def _typing() -> bool:
    """Whether Shift is for writing: a text field has the keyboard, or a menu is open."""
    focus = QApplication.focusWidget()
    editable = isinstance(focus, QComboBox) and focus.isEditable()
    return editable or isinstance(focus, _TEXT) or QApplication.activePopupWidget() is not None
