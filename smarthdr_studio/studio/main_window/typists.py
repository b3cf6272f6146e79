"""Keys that belong to whoever types, although a command of the window has them too."""

from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
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

_TEXT: Final = (QLineEdit, QTextEdit, QPlainTextEdit, QAbstractSpinBox, QComboBox)
_KEYS: Final = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})


class TypistsKeys(QObject):
    """Keeps Return for the field that has the keyboard, before any shortcut takes it.

    Escape gives the keyboard back, which `left` tells; the next one is a command again.
    """

    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
        self._field: QWidget | None = None
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._focused)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Claim the key for the field; let everything else pass."""
        if not isinstance(event, QKeyEvent) or event.key() not in self._keys():
            return super().eventFilter(watched, event)
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:
            self.left.emit()
            return True
        return super().eventFilter(watched, event)

    def _keys(self) -> frozenset[Qt.Key]:
        """Return, and in a field of the window itself Escape; a dialog has its own use for it."""
        field = self._field
        inside = field is not None and field.window() is self._window.window()
        return _KEYS | {Qt.Key.Key_Escape} if inside else _KEYS

    @Slot(QWidget, QWidget)
    def _focused(self, _before: QWidget | None, now: QWidget | None) -> None:
        if self._field is not None and isValid(self._field):
            self._field.removeEventFilter(self)
        self._field = now if isinstance(now, _TEXT) else None
        if self._field is not None:
            self._field.installEventFilter(self)
