"""One to six views in any arrangement, and which of them is the active one."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from smarthdr_studio.core.display import Layer, Painted
from smarthdr_studio.studio.canvas.grid import ViewGrid
from smarthdr_studio.studio.theme import DARK

SIZE = (150, 100)


def painted(colour=(10, 200, 30), layer=Layer.PSEUDO_LABEL, **changes):
    rgb8 = np.full((SIZE[1], SIZE[0], 3), colour, np.uint8)
    return Painted(rgb8=rgb8, title=layer.value, **changes)


@pytest.fixture
def grid(qtbot):
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


@pytest.mark.parametrize("count", range(1, 7))
@pytest.mark.parametrize("columns", [1, 2, 3, 6])
def test_any_grid_shows_its_views_side_by_side_and_equally_large(grid, columns, count):
    grid.set_grid(columns=columns, count=count)
    grid.resize(1500, 1200)
    QApplication.processEvents()
    shown = [grid.view(index) for index in range(6) if grid.view(index).isVisible()]
    assert shown == [grid.view(index) for index in range(count)]
    for first in shown:
        assert abs(first.width() - shown[0].width()) <= 1
        assert abs(first.height() - shown[0].height()) <= 1
        others = [view.geometry() for view in shown if view is not first]
        assert not any(first.geometry().intersects(other) for other in others)
    tops = {view.y() for view in shown}
    assert len(tops) == -(-count // min(columns, count))
    assert max(view.geometry().bottom() for view in shown) > 1100


def test_rearranging_loses_no_picture_no_lens_and_no_crosshair(grid):
    pictures = [painted(colour=(index, 2, 3)) for index in range(6)]
    for index, shown in enumerate(pictures):
        grid.show_painted(index, shown)
    grid.one_to_one()
    grid.set_pixel((30, 40))
    grid.set_grid(columns=1, count=1)
    grid.set_grid(columns=3, count=6)
    QApplication.processEvents()
    assert [grid.view(index).painted for index in range(6)] == pictures
    assert grid.lens.scale == 1
    assert all(grid.view(index).picture.pixel == (30, 40) for index in range(6))
    picture = grid.view(5).picture
    assert colour_at(picture, *centre_of(picture).toTuple())[1:] == (2, 3)


def test_a_maximised_view_that_leaves_the_grid_gives_the_place_back(grid):
    heard = []
    grid.maximised.connect(heard.append)
    grid.toggle_maximised(3)
    grid.set_grid(columns=2, count=2)
    assert grid.alone is None
    assert heard == [3, -1]
    assert grid.view(0).isVisible()
    assert not grid.view(3).isVisible()


def test_pointing_at_a_view_or_clicking_its_title_bar_asks_for_it_once(grid, qtbot):
    heard = []
    grid.activated.connect(heard.append)
    picture = grid.view(2).picture
    for step in range(3):
        point_at(picture, centre_of(picture) + QPoint(step, 0))
    assert heard == [2]
    grid.set_active(2)
    point_at(picture, centre_of(picture))
    assert heard == [2]
    qtbot.mouseClick(grid.view(1).header, Qt.MouseButton.LeftButton)
    assert heard == [2, 1]


def test_the_active_view_is_told_by_its_frame_its_filled_number_and_its_name(grid):
    grid.set_active(1)
    frame = [grid.view(index).grab().toImage().pixelColor(200, 1).name() for index in range(3)]
    assert frame[1] != frame[0] == frame[2]
    bold = [grid.view(i).header._number.font().bold() for i in range(3)]
    assert bold == [False, True, False]
    filled = grid.view(1).header._number.grab().toImage().pixelColor(4, 12).name()
    assert filled == DARK.accent
    assert "(active)" in grid.view(1).accessibleName()
    assert "(active)" not in grid.view(0).accessibleName()
