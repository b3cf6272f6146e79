"""Views that zoom, pan and point together, shown offscreen."""

from dataclasses import replace

import numpy as np
import pytest
from hands import centre_of, colour_at, grid_of_four, painted, point_at
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QToolButton

from smarthdr_studio.core.display import Layer, Legend, Painted
from smarthdr_studio.studio.theme import DARK, LIGHT


@pytest.fixture
def grid(qtbot):
    return grid_of_four(qtbot)


def turn_wheel(picture, where, notches=1):
    event = QWheelEvent(
        QPointF(where), QPointF(picture.mapToGlobal(where)), QPoint(), QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase,
        False,
    )  # fmt: skip
    QApplication.sendEvent(picture, event)


def test_the_whole_scene_is_shown_at_first_and_when_the_window_grows(grid):
    before = grid.lens
    assert (before.x, before.y) == (75, 50)
    grid.resize(1400, 1000)
    QApplication.processEvents()
    assert grid.lens.scale > before.scale
    width, height = grid.view(0).picture.device_size
    assert grid.lens.scale == pytest.approx(min(width / 150, height / 100), rel=0.02)


def test_the_picture_on_the_screen_is_the_picture_that_was_painted(grid):
    picture = grid.view(2).picture
    assert colour_at(picture, picture.width() // 2 + 5, picture.height() // 2 + 5) == (10, 200, 30)


def test_the_wheel_zooms_all_views_about_the_cursor(grid):
    first, other = grid.view(0).picture, grid.view(3).picture
    where = QPoint(first.width() // 3, first.height() // 2)
    before = grid.lens.to_image((where.x(), where.y()), view=first.device_size)
    scale = grid.lens.scale
    turn_wheel(first, where)
    assert grid.lens.scale == pytest.approx(scale * 1.25)
    after = grid.lens.to_image((where.x(), where.y()), view=first.device_size)
    assert after == pytest.approx(before)
    assert other._lens is grid.lens


def test_dragging_pans_all_views_and_a_double_click_shows_one_alone(grid, qtbot):
    picture = grid.view(1).picture
    fitted = grid.lens
    where = centre_of(picture)
    qtbot.mousePress(picture, Qt.MouseButton.LeftButton, pos=where)
    qtbot.mouseMove(picture, where + QPoint(30, 12))
    qtbot.mouseRelease(picture, Qt.MouseButton.LeftButton, pos=where + QPoint(30, 12))
    assert grid.lens.x == pytest.approx(fitted.x - 30 / fitted.scale)
    assert grid.lens.y == pytest.approx(fitted.y - 12 / fitted.scale)
    qtbot.mouseDClick(picture, Qt.MouseButton.LeftButton, pos=where)
    assert grid.alone == 1
    qtbot.mouseDClick(picture, Qt.MouseButton.LeftButton, pos=where)
    assert grid.alone is None
    grid.fit()
    assert grid.lens.x == fitted.x


def test_the_picture_cannot_be_dragged_out_of_reach(grid, qtbot):
    picture = grid.view(1).picture
    for _ in range(5):
        qtbot.mousePress(picture, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
        qtbot.mouseMove(picture, QPoint(picture.width() - 5, picture.height() - 5))
        qtbot.mouseRelease(picture, Qt.MouseButton.LeftButton)
    assert (grid.lens.x, grid.lens.y) == (0, 0)


def test_one_to_one_is_one_screen_pixel_per_pixel(grid):
    grid.one_to_one()
    assert grid.lens.scale == 1
    grid.fit()
    assert grid.lens.scale > 1


def test_the_crosshair_is_on_the_same_pixel_in_every_view(grid):
    heard = []
    grid.hovered.connect(heard.append)
    picture = grid.view(0).picture
    point_at(picture, centre_of(picture) + QPoint(2, 2))
    assert heard[-1] == (75, 50)
    assert all(grid.view(index).picture.pixel == (75, 50) for index in range(4))
    lens, size = grid.lens, picture.device_size
    x, y = lens.to_screen((75.5, 50.5), view=size)
    other = grid.view(3).picture
    assert colour_at(other, round(x), 20) != colour_at(other, round(x) + 20, 20)
    assert colour_at(other, 20 + 60, round(y)) != colour_at(other, 20 + 60, round(y) + 20)


def test_beside_the_picture_there_is_no_pixel_but_the_crosshair_stays_fainter(grid):
    heard = []
    grid.hovered.connect(heard.append)
    picture, other = grid.view(0).picture, grid.view(2).picture
    point_at(picture, centre_of(picture) + QPoint(2, 2))
    x, y = (round(length) for length in grid.lens.to_screen((75.5, 50.5), view=other.device_size))
    plain, strong = colour_at(other, x + 40, y + 40), colour_at(other, x, y + 40)
    point_at(picture, QPoint(picture.width() // 2, 1))
    assert heard[-1] is None
    assert grid.pixel == other.pixel == (75, 50)
    faint = colour_at(other, x, y + 40)
    assert plain[0] < faint[0] < strong[0]


def test_the_crosshair_stays_when_the_mouse_leaves_and_goes_with_a_scene_of_another_size(grid):
    heard = []
    grid.hovered.connect(heard.append)
    picture = grid.view(0).picture
    point_at(picture, centre_of(picture) + QPoint(2, 2))
    QApplication.sendEvent(picture, QEvent(QEvent.Type.Leave))
    assert heard[-1] is None
    assert grid.pixel == (75, 50)
    grid.set_scene_size(60, 40)
    assert grid.pixel is None


def test_panning_and_zooming_never_make_a_picture_anew(grid):
    pyramid = grid.view(0).picture.exhibit.own._pyramid
    turn_wheel(grid.view(0).picture, QPoint(50, 50), notches=-2)
    grid.fit()
    assert grid.view(0).picture.exhibit.own._pyramid is pyramid


def test_other_words_for_the_same_pixels_keep_what_was_made_of_them(grid):
    shown = painted()
    grid.show_painted(0, shown)
    QApplication.processEvents()
    before = grid.view(0).picture.exhibit.own
    grid.show_painted(0, replace(shown, detail="other words"))
    after = grid.view(0).picture.exhibit.own
    assert after is not before
    assert after._pyramid is before._pyramid
    assert after._scaled is before._scaled


def test_the_picture_already_shown_is_not_painted_again(grid):
    shown = painted()
    grid.show_painted(0, shown)
    QApplication.processEvents()
    before = grid.view(0).picture.exhibit.own
    grid.show_painted(0, shown)
    assert grid.view(0).picture.exhibit.own is before


def test_an_empty_view_says_why_in_words(grid):
    empty = Painted(rgb8=None, title="Ground truth", why_empty="This scene has no ground truth")
    grid.show_painted(1, empty)
    picture = grid.view(1).picture
    background = np.array(colour_at(picture, 2, 2))
    assert tuple(background) == tuple(bytes.fromhex(DARK.canvas[1:]))
    image = picture.grab().toImage()
    line = [image.pixelColor(x, picture.height() // 2).lightness() for x in range(picture.width())]
    assert max(line) - min(line) > 60  # there are letters
    assert "no ground truth" in picture.accessibleName()


def test_one_view_fills_the_place_and_gives_it_back(grid, qtbot):
    heard = []
    grid.maximised.connect(heard.append)
    small = grid.view(3).picture.width()
    number = grid.view(3).findChildren(QToolButton)[-1]
    qtbot.mouseClick(number, Qt.MouseButton.LeftButton)
    QApplication.processEvents()
    assert grid.alone == 3
    assert grid.view(3).picture.width() > 1.5 * small
    assert not grid.view(0).isVisible()
    qtbot.mouseClick(number, Qt.MouseButton.LeftButton)
    assert grid.alone is None
    assert grid.view(0).isVisible()
    assert heard == [3, -1]


def test_pixels_are_told_apart_by_a_grid_when_they_are_large(grid):
    picture = grid.view(0).picture
    plain = np.unique(
        [colour_at(picture, x, picture.height() // 2 + 7) for x in range(99, 140)], axis=0
    )
    turn_wheel(picture, centre_of(picture), notches=9)
    assert grid.lens.scale > 8
    lined = np.unique(
        [colour_at(picture, x, picture.height() // 2 + 7) for x in range(99, 140)], axis=0
    )
    assert len(plain) == 1
    assert len(lined) > 1


def test_nothing_in_a_view_takes_the_arrow_keys(grid):
    for child in [grid, *grid.view(0).findChildren(QToolButton), grid.view(0).picture]:
        assert child.focusPolicy() in (Qt.FocusPolicy.NoFocus, Qt.FocusPolicy.TabFocus)


def test_everything_has_a_name_and_a_colour_in_both_palettes(grid):
    grid.set_pixel(None)
    legend = Legend(bar=np.zeros((64, 8, 3), np.uint8), low="0.004", high="≥ 0.31")
    grid.show_painted(1, painted(layer=Layer.UNCERTAINTY, detail="0.004 … 0.4", legend=legend))
    for palette in (LIGHT, DARK):
        grid.set_palette_colours(palette)
        corner = colour_at(grid.view(1).picture, 1, 1)
        assert corner == tuple(bytes.fromhex(palette.canvas[1:]))
    assert "0.004" in grid.view(1).accessibleName()
    for button in grid.view(1).findChildren(QToolButton):
        assert button.accessibleName()
        assert button.toolTip()
