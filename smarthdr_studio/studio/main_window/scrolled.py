"""Room for panels that may be higher than the window: they shrink first and are scrolled last."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget


class Scrolled(QScrollArea):
    """As wide as its place, as high as it, or as the least its panels need.

    Qt's own way gives panels with wrapped words the height they would like to have instead.
    """

    def __init__(self, inside: QWidget) -> None:
        super().__init__()
        self._inside = inside
        self.setWidget(inside)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside.installEventFilter(self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another place."""
        super().resizeEvent(event)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The panels want another height."""
        if event.type() is QEvent.Type.LayoutRequest:
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        layout, room = self._inside.layout(), self.viewport().size()
        if layout is None:
            return
        wrapped = layout.hasHeightForWidth()
        least = layout.minimumHeightForWidth(room.width()) if wrapped else 0
        least = max(least, layout.minimumSize().height())
        self._inside.resize(room.width(), max(room.height(), least))
