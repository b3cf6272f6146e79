"""Charts in rows that fill the room there is; what finds none is scrolled to sideways."""

import math
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from smarthdr_studio.studio.panels.parts import caption
from smarthdr_studio.studio.widgets.icons import IconButton, icon

LEAST: Final = QSize(164, 112)  # of a chart that can still be read
_GAP: Final = 6
_SHAPE: Final = 1.9  # width ÷ height that suits a curve best
_BUTTON: Final = QSize(24, 18)


class ChartGrid(QScrollArea):
    """Shows the named charts in the order of their names; says whose menu is wanted."""

    menu_asked = Signal(str, QPoint)

    def __init__(self) -> None:
        super().__init__()
        self._tiles: dict[str, _Tile] = {}
        self._shown: tuple[str, ...] = ()
        self._inside = QWidget()
        self._inside.setObjectName("inside")
        self._none = caption("No chart is picked: pick some at the left", role="muted")
        self._none.setParent(self._inside)
        self.setWidget(self._inside)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(60)
        self.setAccessibleName("Charts of the run")

    def place(self, name: str, chart: QWidget, *, title: str) -> None:
        """Take a chart in; it is shown once it is named by `show_names`."""
        tile = _Tile(chart, title=title)
        tile.setParent(self._inside)
        tile.hide()
        tile.more.clicked.connect(lambda: self._ask(name))
        self._tiles[name] = tile

    def show_names(self, names: Sequence[str]) -> None:
        """Show these charts and no others."""
        self._shown = tuple(name for name in self._tiles if name in set(names))
        for name, tile in self._tiles.items():
            tile.setVisible(name in self._shown)
        self._arrange()

    @property
    def shown(self) -> tuple[str, ...]:
        """The names of the charts that are shown."""
        return self._shown

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another room, other rows."""
        super().resizeEvent(event)
        self._arrange()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """There is only one way to scroll."""
        bar = self.horizontalScrollBar()
        turned = event.angleDelta().x() or event.angleDelta().y()
        if bar.maximum() and turned:
            bar.setValue(bar.value() - turned)
            event.accept()
        else:
            event.ignore()

    def _ask(self, name: str) -> None:
        more = self._tiles[name].more
        self.menu_asked.emit(name, more.mapToGlobal(QPoint(0, more.height())))

    def _arrange(self) -> None:
        room = self.maximumViewportSize()
        self._none.setVisible(not self._shown)
        self._none.move((room.width() - self._none.sizeHint().width()) // 2, room.height() // 3)
        if not self._shown:
            self._inside.resize(room)
            return
        rows, columns, across = arranged(len(self._shown), room)
        if columns > across:
            bar = self.horizontalScrollBar()
            taken = max(bar.sizeHint().height(), bar.height() if bar.isVisible() else 0)
            room.setHeight(room.height() - taken)
        wide = (room.width() - (across - 1) * _GAP) / across
        high = (room.height() - (rows - 1) * _GAP) / rows
        for place, name in enumerate(self._shown):
            row, column = divmod(place, columns)
            left, top = round(column * (wide + _GAP)), round(row * (high + _GAP))
            right, bottom = round(column * (wide + _GAP) + wide), round(row * (high + _GAP) + high)
            self._tiles[name].setGeometry(left, top, right - left, bottom - top)
        self._inside.resize(round(columns * (wide + _GAP) - _GAP), room.height())


def arranged(count: int, room: QSize) -> tuple[int, int, int]:
    """Rows, columns, and how many columns are in sight, so that charts are of a pleasant shape."""
    across = max((room.width() + _GAP) // (LEAST.width() + _GAP), 1)
    most = max((room.height() + _GAP) // (LEAST.height() + _GAP), 1)
    fitting = [rows for rows in range(1, most + 1) if -(-count // rows) <= across]
    if not fitting:
        columns = -(-count // min(most, count))
        return -(-count // columns), columns, across

    def away(rows: int) -> float:
        wide = room.width() / -(-count // rows)
        return abs(math.log(max(wide, 1) / max(room.height() / rows, 1) / _SHAPE))

    rows = min(fitting, key=away)
    columns = -(-count // rows)
    return -(-count // columns), columns, columns


class _Tile(QFrame):
    """A chart in its frame; the button for its menu comes with the mouse or the keyboard."""

    def __init__(self, chart: QWidget, *, title: str) -> None:
        super().__init__()
        self.setObjectName("tile")
        self.more = IconButton(icon("dots"), name=f"Menu of {title}", tip=f"More about {title}")
        self.more.setParent(self)
        self.more.setFixedSize(_BUTTON)
        self.more.setStyleSheet("padding: 0;")
        self.more.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the chart's own menu key does the same
        self.more.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.addWidget(chart)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The button stays in its corner."""
        super().resizeEvent(event)
        self.more.move(self.width() - _BUTTON.width() - 3, 3)

    def enterEvent(self, event: QEnterEvent) -> None:
        """The mouse comes."""
        super().enterEvent(event)
        self.more.show()
        self.more.raise_()

    def leaveEvent(self, event: QEvent) -> None:
        """The mouse goes."""
        super().leaveEvent(event)
        self.more.hide()
