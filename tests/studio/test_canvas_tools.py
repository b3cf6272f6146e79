"""Regions drawn by hand, the minimap, and keys instead of the mouse."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from smarthdr_studio.core.display import Painted
from smarthdr_studio.core.imaging.regions import Region
from smarthdr_studio.studio.viewer.view_grid import ViewGrid

SIZE = (600, 400)
LEFT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton
PLAIN, ALT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.AltModifier


@pytest.fixture
def grid(qtbot):
    grid = ViewGrid()
    qtbot.addWidget(grid)
    grid.resize(900, 700)
    grid.set_scene_size(*SIZE)
    rgb8 = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    for index in range(6):
        grid.show_painted(index, Painted(rgb8=rgb8, title=f"Layer {index}"))
    grid.show()
    qtbot.waitExposed(grid)
    QApplication.processEvents()
    return grid


@pytest.fixture
def regions(grid):
    heard = []
    grid.region_drawn.connect(heard.append)
    return heard


def drag(picture, *places, button=LEFT, modifiers=PLAIN, let_go=True):
    QTest.mousePress(picture, button, modifiers, places[0])
    for place in places[1:]:
        QTest.mouseMove(picture, place)
        QApplication.processEvents()
    if let_go:
        QTest.mouseRelease(picture, button, modifiers, places[-1])


def pixels_of(widget):
    QApplication.processEvents()
    image = widget.grab().toImage()
    return np.array(
        [[image.pixel(x, y) & 0xFFFFFF for x in range(image.width())] for y in range(0, 300, 10)]
    )


def test_a_dragged_rectangle_is_a_region_of_the_image(grid, regions):
    grid.set_tool("rectangle")
    picture = grid.view(1).picture
    lens = grid.lens
    first, last = QPoint(200, 150), QPoint(120, 90)
    drag(picture, first, QPoint(160, 100), last)
    corners = [picture.sight.under(QPointF(place)) for place in (last, first)]
    (left, top), (right, bottom) = corners
    assert len(regions) == 1
    assert regions[0].kind == "rectangle"
    assert np.allclose(
        regions[0].points, [(left, top), (right, top), (right, bottom), (left, bottom)]
    )
    assert grid.lens == lens


def test_a_rectangle_ends_where_the_image_ends(grid, regions):
    grid.set_tool("rectangle")
    picture = grid.view(0).picture
    drag(picture, QPoint(100, 100), QPoint(picture.width() - 2, picture.height() + 300))
    assert max(x for x, _ in regions[0].points) <= SIZE[0]
    assert max(y for _, y in regions[0].points) == SIZE[1]


def test_a_lasso_keeps_the_way_of_the_hand(grid, regions):
    grid.set_tool("lasso")
    picture = grid.view(0).picture
    way = [QPoint(100, 100), QPoint(180, 110), QPoint(170, 170), QPoint(110, 160)]
    drag(picture, *way)
    assert regions[0].kind == "lasso"
    assert np.allclose(regions[0].points, [picture.sight.under(QPointF(place)) for place in way])


@pytest.mark.parametrize("tool", ["rectangle", "lasso"])
def test_a_click_takes_the_region_away(grid, regions, tool):
    grid.set_tool(tool)
    drag(grid.view(0).picture, QPoint(100, 100), QPoint(102, 101))
    assert regions == [None]


def test_the_growing_region_is_seen_in_every_view_and_gone_when_it_is_over(grid):
    grid.set_tool("rectangle")
    grid.set_pixel(None)
    other = grid.view(3).picture
    before = pixels_of(other)
    drag(grid.view(0).picture, QPoint(80, 80), QPoint(300, 200), let_go=False)
    grid.set_pixel(None)
    assert not np.array_equal(pixels_of(other), before)
    QTest.mouseRelease(grid.view(0).picture, LEFT, PLAIN, QPoint(300, 200))
    grid.set_pixel(None)
    assert np.array_equal(pixels_of(other), before)  # until set_region says otherwise


def test_escape_forgets_the_sketch_and_keeps_the_region_before_any_shortcut(grid, regions):
    taken = []
    shortcut = QShortcut(QKeySequence("Esc"), grid)
    shortcut.activated.connect(lambda: taken.append("shortcut"))
    kept = Region.rectangle((10, 10), (60, 50))
    grid.set_region(kept)
    grid.set_tool("rectangle")
    picture = grid.view(0).picture
    drag(picture, QPoint(80, 80), QPoint(300, 200), let_go=False)
    assert grid.view(1).picture._region != kept
    QTest.keyClick(grid.windowHandle(), Qt.Key.Key_Escape)
    QTest.mouseRelease(picture, LEFT, PLAIN, QPoint(300, 200))
    assert regions == []
    assert taken == []
    assert all(grid.view(index).picture._region == kept for index in range(4))
    QTest.keyClick(grid.windowHandle(), Qt.Key.Key_Escape)
    assert taken == ["shortcut"]


@pytest.mark.parametrize(("button", "modifiers"), [(MIDDLE, PLAIN), (LEFT, ALT)])
def test_the_middle_button_and_alt_pan_whatever_the_tool(grid, regions, button, modifiers):
    grid.set_tool("lasso")
    lens = grid.lens
    drag(
        grid.view(0).picture, QPoint(100, 100), QPoint(140, 90), button=button, modifiers=modifiers
    )
    assert grid.lens.x == pytest.approx(lens.x - 40 / lens.scale)
    assert grid.lens.y == pytest.approx(lens.y + 10 / lens.scale)
    assert regions == []


def test_a_set_region_is_outlined_in_light_and_shade_in_every_view(grid):
    grid.set_pixel(None)
    region = Region.rectangle((150, 100), (450, 300))
    grid.set_region(region)
    for index in range(4):
        picture = grid.view(index).picture
        at = picture.sight.at(150, 200)
        image = picture.grab().toImage()
        column = [
            image.pixelColor(round(at.x()) + dx, round(at.y()) + dy).lightness()
            for dx in (-2, -1, 0, 1, 2)
            for dy in range(12)
        ]
        assert max(column) > 230
        assert min(column) < 60
    grid.set_region(None)
    assert len(np.unique(pixels_of(grid.view(0).picture)[8:])) == 1


def test_every_tool_has_its_own_cursor(grid):
    shapes = set()
    for tool in ("hand", "rectangle", "lasso"):
        grid.set_tool(tool)
        shapes.add(grid.view(0).picture.cursor().shape())
    assert len(shapes) == 3


def test_the_hand_closes_while_it_pans(grid):
    picture = grid.view(0).picture
    drag(picture, QPoint(100, 100), QPoint(120, 100), let_go=False)
    assert picture.cursor().shape() == Qt.CursorShape.ClosedHandCursor
    QTest.mouseRelease(picture, LEFT, PLAIN, QPoint(120, 100))
    assert picture.cursor().shape() == Qt.CursorShape.OpenHandCursor


def test_only_the_active_view_has_a_minimap_and_only_while_not_all_is_in_sight(grid):
    assert grid.view(0).picture.minimap is None
    grid.one_to_one()
    assert [grid.view(index).picture.minimap is not None for index in range(3)] == [1, 0, 0]
    grid.set_active(2)
    assert [grid.view(index).picture.minimap is not None for index in range(3)] == [0, 0, 1]
    grid.fit()
    assert grid.view(2).picture.minimap is None


def test_pressing_and_dragging_in_the_minimap_moves_the_sight(grid, regions):
    grid.set_tool("rectangle")  # the minimap comes before any tool
    grid.one_to_one()
    picture = grid.view(0).picture
    box = picture.minimap
    heard = []
    grid.hovered.connect(heard.append)
    middle = box.center().toPoint()
    drag(picture, middle, let_go=False)
    share = (middle.x() - box.left()) / box.width(), (middle.y() - box.top()) / box.height()
    assert grid.lens.x == pytest.approx(share[0] * SIZE[0])
    assert grid.lens.y == pytest.approx(share[1] * SIZE[1])
    QTest.mouseMove(picture, QPoint(round(box.left()) + 1, round(box.top()) - 60))
    QTest.mouseRelease(picture, LEFT, PLAIN, QPoint(5, 5))
    assert grid.lens.x < 20
    assert grid.lens.y == 0
    assert grid.lens.scale == 1
    assert set(heard) <= {None}  # another view may have been left
    assert regions == []
    assert picture.minimap == box


def test_keys_zoom_about_the_crosshair_and_back(grid):
    grid.set_pixel((420, 130))
    before = grid.lens
    view = grid.view(0).picture.device_size
    at = before.to_screen((420.5, 130.5), view=view)
    grid.zoom_in()
    assert grid.lens.scale > before.scale
    assert grid.lens.to_screen((420.5, 130.5), view=view) == pytest.approx(at)
    grid.zoom_out()
    assert grid.lens.scale == pytest.approx(before.scale)
    assert (grid.lens.x, grid.lens.y) == pytest.approx((before.x, before.y))


def test_nudging_looks_a_share_of_the_view_further(grid):
    grid.one_to_one()
    before, (width, height) = grid.lens, grid.view(0).picture.device_size
    grid.nudge(0.1, -0.25)
    assert grid.lens.x == pytest.approx(before.x + 0.1 * width)
    assert grid.lens.y == pytest.approx(before.y - 0.25 * height)


def test_the_crosshair_walks_by_pixels_says_so_and_stops_at_the_edge(grid):
    heard = []
    grid.hovered.connect(heard.append)
    grid.set_pixel((3, 5))
    grid.move_cursor(1, 0)
    grid.move_cursor(-10, -2)
    assert heard == [(4, 5), (0, 3)]
    assert grid.view(2).picture.pixel == (0, 3)


def test_the_picture_scrolls_when_the_crosshair_walks_out_of_sight(grid):
    grid.one_to_one()
    _, _, right, bottom = grid.visible(0)
    grid.set_pixel((right - 2, bottom - 2))
    scale = grid.lens.scale
    for _ in range(5):
        grid.move_cursor(3, 3)
        seen = grid.visible(0)
        assert seen[0] <= grid.pixel[0] < seen[2]
        assert seen[1] <= grid.pixel[1] < seen[3]
    assert grid.visible(0)[2] > right
    assert grid.lens.scale == scale


def test_what_is_visible_is_what_the_corners_of_the_view_see(grid):
    assert grid.visible(0) == (0, 0, *SIZE)
    grid.one_to_one()
    sight = grid.view(0).picture.sight
    near = sight.under(QPointF(0, 0))
    far = sight.under(QPointF(sight.width, sight.height))
    assert grid.visible(0) == (*np.floor(near).astype(int), *np.ceil(far).astype(int))


@pytest.mark.parametrize("corner", [(300, 200), (5, 390)])
def test_looking_at_a_region_brings_it_near_with_all_around_it(grid, corner):
    region = Region.rectangle(corner, (corner[0] + 64, corner[1] - 64))
    fitted = grid.lens.scale
    grid.look_at(region)
    left, top, right, bottom = grid.visible(0)
    assert left <= corner[0] < corner[0] + 64 <= right
    assert top <= corner[1] - 64 < corner[1] <= bottom
    assert fitted < grid.lens.scale <= 8


def test_looking_at_the_whole_scene_shows_it_whole_and_at_a_point_not_too_near(grid):
    grid.look_at(Region.rectangle((0, 0), SIZE))
    assert grid.visible(0) == (0, 0, *SIZE)
    grid.look_at(Region.rectangle((40, 40), (40, 40)))
    assert grid.lens.scale == 8
