"""Panels behind tabs, each with a name and a key."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget


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
