"""One to six views in any arrangement, and which of them is the active one."""

from dataclasses import replace

import pytest
from hands import Heard, centre_of, colour_at, grid_of_four, painted, point_at
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtWidgets import QApplication

from smarthdr_studio.studio.theme import DARK


@pytest.fixture
def grid(qtbot):
    return grid_of_four(qtbot)


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


def test_words_that_follow_the_hand_are_painted_without_what_lies_under_them(grid):
    view, shown = grid.view(1), painted(detail="54 % retained")
    grid.show_painted(1, shown)
    QApplication.processEvents()
    below = view, view.header, grid, view.picture
    heard = Heard(QEvent.Type.Paint, view.header._detail, *below)
    grid.show_painted(1, replace(shown, detail="55 % retained"))
    QApplication.processEvents()
    assert set(heard.by) == {view.header._detail, view.picture}
    ground = view.header._detail.grab().toImage().pixelColor(0, 0)
    assert ground == view.grab().toImage().pixelColor(view.header._detail.geometry().bottomRight())


def test_a_picture_that_is_shown_already_is_not_described_again(grid):
    shown = painted(detail="54 % retained")
    grid.show_painted(1, shown)
    view = grid.view(1)
    view.setAccessibleName("as it was")
    grid.show_painted(1, shown)
    assert view.accessibleName() == "as it was"
    grid.show_painted(1, painted(detail="55 % retained"))
    assert "55 % retained" in view.accessibleName()


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


def test_the_active_view_is_told_by_its_frame_its_filled_button_and_its_name(grid):
    grid.set_active(1)
    frame = [grid.view(index).grab().toImage().pixelColor(200, 1).name() for index in range(3)]
    assert frame[1] != frame[0] == frame[2]
    filled = grid.view(1).header._larger.grab().toImage().pixelColor(2, 12).name()
    assert filled == DARK.accent
    assert "(active)" in grid.view(1).accessibleName()
    assert "(active)" not in grid.view(0).accessibleName()
