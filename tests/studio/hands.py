"""What tests of the canvas and the charts do with a mouse, and what they show."""

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from smarthdr_studio.core.display import Layer, Painted
from smarthdr_studio.studio.viewer.view_grid import ViewGrid

SIZE = (150, 100)


def painted(colour=(10, 200, 30), layer=Layer.PSEUDO_LABEL, **changes):
    rgb8 = np.full((SIZE[1], SIZE[0], 3), colour, np.uint8)
    return Painted(rgb8=rgb8, title=layer.value, **changes)


def centre_of(picture):
    return QPoint(picture.width() // 2, picture.height() // 2)


def colour_at(picture, x, y):
    """The colour on the screen of an image pixel."""
    return picture.grab().toImage().pixelColor(x, y).getRgb()[:3]


def point_at(widget, where):
    """Move the mouse there without a button, whatever the platform thinks of the cursor."""
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(where),
        QPointF(widget.mapToGlobal(where)),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(widget, event)


class Heard(QObject):
    """Which of some objects were told of events of one kind, each as often as it was."""

    def __init__(self, kind, *watched):
        super().__init__()
        self.by, self._kind = [], kind
        for each in watched:
            each.installEventFilter(self)

    def eventFilter(self, watched, event):
        if event.type() == self._kind:
            self.by.append(watched)
        return False


def grid_of_four(qtbot):
    """Four views of one picture on the screen."""
    grid = ViewGrid()
    qtbot.addWidget(grid)
    grid.resize(900, 700)
    grid.set_scene_size(*SIZE)
    for index in range(4):
        grid.show_painted(index, painted())
    grid.show()
    qtbot.waitExposed(grid)
    QApplication.processEvents()
    return grid
