"""Panels behind tabs, and room to scroll what is higher than the window."""

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)


class Tabs(QWidget):
    """Shows one panel at a time; says which one came to the front."""

    turned = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        self._bar, self._stack = QTabBar(), QStackedWidget()
        self._names: list[str] = []
        self._bar.setDrawBase(False)
        self._bar.setExpanding(False)
        self._bar.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._bar.setAccessibleName(name)
        self._bar.currentChanged.connect(self._turn)
        self._head = QHBoxLayout()
        self._head.addWidget(self._bar)
        self._head.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(self._head)
        column.addWidget(self._stack, 1)

    def add(self, name: str, title: str, panel: QWidget, *, tip: str) -> None:
        """One more panel behind a tab; `name` is how commands call it."""
        self._names.append(name)
        self._stack.addWidget(panel)
        self._bar.setTabToolTip(self._bar.addTab(title), tip)

    def add_corner(self, button: QWidget) -> None:
        """Something beside the tabs, at the far end."""
        self._head.addWidget(button)

    @property
    def current(self) -> str:
        """The name of the panel in front."""
        return self._names[self._stack.currentIndex()]

    def has(self, name: str) -> bool:
        """Whether a panel of that name is among these."""
        return name in self._names

    def go(self, name: str) -> None:
        """Bring a panel to the front."""
        if name in self._names:
            self._bar.setCurrentIndex(self._names.index(name))

    @Slot(int)
    def _turn(self, place: int) -> None:
        self._stack.setCurrentIndex(place)
        self.turned.emit(self._names[place])


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
