"""What explains a picture: numbers in its pixels, colour bars, keys, warnings and the menu."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, QRectF, QSizeF
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QToolButton

from smarthdr_studio.core.display import KeyEntry, Layer, Legend, Painted, Viewport
from smarthdr_studio.studio.theme import DARK, LIGHT, dress
from smarthdr_studio.studio.viewer.legends import place
from smarthdr_studio.studio.viewer.overlays import minimap_box, short
from smarthdr_studio.studio.viewer.view_grid import ViewGrid
from smarthdr_studio.studio.viewer.view_header import GROUPS
from smarthdr_studio.studio.viewer.viewport import Sight

SIZE = (150, 100)
KEY = (
    KeyEntry(colour=(255, 96, 80), words="patch dropped", pattern="rising"),
    KeyEntry(colour=(255, 190, 60), words="pixel dropped", pattern="falling"),
)
BAR = Legend(bar=np.full((128, 10, 3), 77, np.uint8), low="0.004", high="≥ 0.31")


def grey(level=90, **changes):
    rgb8 = np.full((SIZE[1], SIZE[0], 3), level, np.uint8)
    return Painted(rgb8=rgb8, title="Uncertainty σ", **changes)


@pytest.fixture
def grid(qtbot, qapp):
    if not qapp.styleSheet():
        dress(qapp, DARK)
    grid = ViewGrid()
    qtbot.addWidget(grid)
    grid.resize(900, 700)
    grid.set_scene_size(*SIZE)
    for index in range(6):
        grid.show_painted(index, grey())
    grid.show()
    qtbot.waitExposed(grid)
    grid.set_pixel(None)
    QApplication.processEvents()
    return grid


def boxes_of(picture, **changes):
    return picture.exhibit.boxes(picture.sight, picture.fontMetrics(), minimap=picture.minimap)


def zoom_to(grid, scale):
    while grid.lens.scale < scale:
        grid.zoom_in()


def levels_in(picture, x, y):
    """Every grey level inside an image pixel on the screen, without its edge."""
    QApplication.processEvents()
    image = picture.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    inner = picture.sight.place(x, y, x + 1, y + 1).toRect().adjusted(3, 3, -3, -3)
    return {
        QColor(image.pixel(column, row)).red()
        for column in range(inner.left(), inner.right())
        for row in range(inner.top(), inner.bottom())
    }


@given(st.floats(allow_nan=True, allow_infinity=True, width=32))
def test_a_short_number_is_short_and_near(value):
    words = short(value)
    assert len(words) <= 6
    plain = words.replace("−", "-").replace("Inf", "inf")
    if math.isfinite(value):
        assert float(plain) == pytest.approx(value, rel=0.5, abs=5e-4)
    else:
        assert str(float(plain)) == str(value)


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (1, "1"), (65535, "65535"), (0.25, "0.250"), (0.0614, "0.061"), (12.34, "12.3"),
     (432.1, "432.1"), (1234.5, "1234"), (-0.5, "−0.500"), (0.00012, "1e−4"), (2.5e7, "2e7")],
)  # fmt: skip
def test_short_numbers_are_read_easily(value, words):
    assert short(float(value)) == words


@pytest.mark.parametrize(("level", "ink"), [(250, 0), (140, 0), (90, 255), (5, 255)])
def test_numbers_are_printed_from_32_times_in_black_or_white_whichever_stands_out(grid, level, ink):
    values = np.full(SIZE[::-1], 0.123, np.float32)
    grid.show_painted(0, grey(level, values=values))
    picture = grid.view(0).picture
    zoom_to(grid, 20)
    assert grid.lens.scale < 32
    assert levels_in(picture, 74, 48) == {level}
    zoom_to(grid, 32)
    printed = levels_in(picture, 74, 48)
    assert len(printed) > 1
    assert ink in range(max(min(printed) - 40, 0), 60) if ink == 0 else max(printed) > 200


def test_pixels_without_numbers_stay_clean(grid):
    zoom_to(grid, 32)
    assert levels_in(grid.view(0).picture, 74, 48) == {90}


def test_a_box_under_the_cursor_lets_the_picture_through(grid, qtbot):
    grid.show_painted(0, grey(legend=BAR, key=KEY))
    picture = grid.view(0).picture
    QApplication.processEvents()
    boxes = boxes_of(picture)
    (bar, _), (key, _) = boxes.legends[0], boxes.keys[0]
    plain = picture.grab().toImage()

    def changed():
        """Pixels that are otherwise than without a cursor: those of each box."""
        grid.set_pixel(None)  # the crosshair is seen through a plate
        grabbed, ratio = picture.grab().toImage(), picture.devicePixelRatioF()
        return [
            sum(
                grabbed.pixel(x, y) != plain.pixel(x, y)
                for x in range(round(box.left() * ratio), round(box.right() * ratio))
                for y in range(round(box.top() * ratio), round(box.bottom() * ratio))
            )
            for box in (bar, key)
        ]

    qtbot.mouseMove(picture, QPoint(1, 1))
    qtbot.mouseMove(picture, key.center().toPoint())
    under_bar, under_key = changed()
    assert under_bar == 0
    assert under_key > key.width() * key.height() / 2
    qtbot.mouseMove(picture, bar.center().toPoint())
    under_bar, under_key = changed()
    assert under_bar > bar.width() * bar.height() / 2
    assert under_key == 0
    QApplication.sendEvent(picture, QEvent(QEvent.Type.Leave))
    assert changed() == [0, 0]


def test_numbers_follow_the_picture_when_it_is_painted_anew(grid):
    values = np.full(SIZE[::-1], 0.123, np.float32)
    picture = grid.view(0).picture
    zoom_to(grid, 40)
    grid.show_painted(0, grey(values=values))
    QApplication.processEvents()
    first = picture.grab().toImage()
    grid.show_painted(0, grey(values=values * 2))
    QApplication.processEvents()
    assert picture.grab().toImage() != first


def test_right_of_the_wipe_stand_the_numbers_of_the_partner(grid):
    grid.show_partner(0, grey(values=np.full(SIZE[::-1], 0.5, np.float32)))
    zoom_to(grid, 40)
    picture = grid.view(0).picture
    picture.set_line(74.2)
    assert levels_in(picture, 73, 47) == {90}
    assert len(levels_in(picture, 76, 47)) > 1


def test_bar_and_key_have_their_corners_and_leave_most_of_the_picture_free(grid):
    grid.show_painted(1, grey(legend=BAR, key=KEY))
    picture = grid.view(1).picture
    boxes = boxes_of(picture)
    room = QRectF(picture.rect())
    (bar, legend), (key, entries) = boxes.legends[0], boxes.keys[0]
    assert (legend, entries) == (BAR, KEY)
    assert room.contains(bar)
    assert room.contains(key)
    assert not bar.intersects(key)
    covered = sum(box.width() * box.height() for box in (bar, key))
    assert covered < 0.2 * room.width() * room.height()


def test_bar_and_key_are_drawn_where_their_boxes_are(grid):
    grid.show_painted(1, grey(legend=BAR, key=KEY))
    picture = grid.view(1).picture
    QApplication.processEvents()
    image = picture.grab().toImage()
    (bar, _), (key, _) = boxes_of(picture).legends[0], boxes_of(picture).keys[0]
    middle = bar.center().toPoint()
    assert image.pixelColor(middle.x(), middle.y()).red() == 77
    colours = {
        image.pixelColor(x, y).getRgb()[:3]
        for x in range(round(key.left()) + 6, round(key.left()) + 26)
        for y in range(round(key.top()), round(key.bottom()))
    }
    assert {entry.colour for entry in KEY} <= colours


def test_in_a_small_view_neither_bar_nor_key_hides_the_picture(grid):
    grid.show_painted(1, grey(legend=BAR, key=KEY))
    grid.resize(240, 200)
    QApplication.processEvents()
    boxes = boxes_of(grid.view(1).picture)
    assert boxes.legends == boxes.keys == []


def test_bar_key_and_minimap_never_lie_on_one_another(grid):
    grid.show_painted(0, grey(legend=BAR, key=KEY))
    zoom_to(grid, 6)
    picture = grid.view(0).picture
    grid.set_active(0)
    boxes = boxes_of(picture)
    places = [picture.minimap, *(box for box, _ in (*boxes.legends, *boxes.keys))]
    assert len(places) == 3
    assert not any(a.intersects(b) for a in places for b in places if a is not b)


@pytest.mark.parametrize("lower", [0, 1, 3, 40])
def test_a_view_that_is_a_pixel_lower_than_a_fitted_one_needs_no_minimap(lower):
    lens = Viewport(x=300.0, y=200.0, scale=0.75)  # fits a view of 450 by 300
    sight = Sight(lens=lens, view=(450, 300 - lower), ratio=1.0, image=(600, 400))
    assert (minimap_box(sight) is None) == (lower <= 3)


def test_a_box_takes_the_first_free_corner_or_none():
    room, taken = QRectF(0, 0, 100, 60), []
    corners = ("bottom left", "top right")
    boxes = [place(QSizeF(30, 20), room=room, taken=taken, corners=corners) for _ in range(3)]
    assert boxes[0].bottomLeft().x() == 8
    assert boxes[1].right() == 92
    assert boxes[2] is None
    assert place(None, room=room, taken=taken, corners=corners) is None


def test_a_warning_stands_in_the_title_bar_in_words_and_with_a_sign(grid):
    detail = grid.view(0).header._detail
    before = detail.grab().toImage()
    grid.show_painted(0, grey(detail="0.004 … 0.31", warning="3 NaN, 1 Inf"))
    QApplication.processEvents()
    assert detail.toolTip() == "3 NaN, 1 Inf · 0.004 … 0.31"
    assert detail.accessibleName().startswith("Warning: 3 NaN")
    assert "3 NaN, 1 Inf" in grid.view(0).accessibleName()
    after = detail.grab().toImage()
    sign = {after.pixelColor(x, y).name() for x in range(15) for y in range(after.height())}
    assert DARK.warn in sign
    assert before != after


def test_a_narrow_title_bar_shortens_its_words_and_asks_for_no_more_width(grid):
    long = Painted(rgb8=grey().rgb8, title="Promoted label", detail="words " * 40, warning="1 NaN")
    for index in range(6):
        grid.show_painted(index, long)
    grid.set_grid(columns=6, count=6)
    grid.resize(720, 300)
    QApplication.processEvents()
    assert grid.minimumSizeHint().width() <= 720
    for index in range(6):
        title = grid.view(index).header._title
        assert title.text().endswith("… ▾")
        assert title.fontMetrics().horizontalAdvance(title.text()) <= title.width()
        assert "Promoted label" in title.toolTip()


def test_a_picture_of_the_same_layer_ticks_nothing_anew_but_what_a_click_took_away(grid):
    view = grid.view(2)
    menu = view.header.menu
    ticked = next(each for each in menu.actions() if each.isChecked())
    told = []
    for action in menu.actions():
        action.changed.connect(lambda action=action: told.append(action.data()))
    view.header.show_words(ticked.data(), "another picture of it")
    assert told == []
    ticked.trigger()  # the one that is ticked already, which takes its tick away
    assert not ticked.isChecked()
    view.header.show_words(ticked.data(), "another picture of it")
    assert ticked.isChecked()


def test_only_layers_that_came_or_went_are_greyed_anew(grid):
    menu = grid.view(2).header.menu
    told = []
    for action in (*menu._layers.actions(), *menu._others.actions()):
        action.changed.connect(lambda action=action: told.append(action.data()))
    none = {Layer.STUDENT: "No run"}
    menu.refuse(none)
    assert set(told) == {Layer.STUDENT.value}
    told.clear()
    menu.refuse(none)
    assert told == []
    menu.refuse({Layer.PROMOTED: "Not promoted"})
    assert set(told) == {Layer.STUDENT.value, Layer.PROMOTED.value}
    greyed = {action.data() for action in menu._layers.actions() if not action.isEnabled()}
    assert greyed == {Layer.PROMOTED.value}


def test_the_menu_lists_every_layer_once_in_groups_with_the_first_nine_keys(grid):
    menu = grid.view(2).header.menu
    actions = {action.data(): action for action in menu.actions() if action.data()}
    assert sorted(actions) == sorted(Layer)
    assert [layer for _, layers in GROUPS for layer in layers] == list(actions)
    for number, layer in enumerate(tuple(Layer)[:9], 1):
        assert actions[layer].text() == f"{layer}\t{number}"
    assert [layer for layer, action in actions.items() if action.isChecked()] == ["Uncertainty σ"]
    assert all(action.toolTip() == Layer(layer).tip for layer, action in actions.items())
    assert menu.sizeHint().height() < 700
    headings = [a.text() for a in menu.actions() if not a.isEnabled() and not a.isSeparator()]
    assert headings == [name.upper() for name, _ in GROUPS]


def test_a_layer_that_is_not_there_is_greyed_and_its_tip_says_why(grid):
    why = "This scene is not promoted — press P"
    grid.refuse_layers({Layer.PROMOTED: why})
    menu = grid.view(2).header.menu
    for actions in (menu.actions(), menu._partners.actions()):
        layers = {action.data(): action for action in actions if action.data()}
        assert [layer for layer, each in layers.items() if not each.isEnabled()] == [
            "Promoted label"
        ]
        assert layers[Layer.PROMOTED].toolTip() == f"{Layer.PROMOTED.tip} {why}."
    grid.refuse_layers({})
    assert all(action.isEnabled() for action in menu.actions() if action.data())
    assert {a.data(): a for a in menu.actions()}[Layer.PROMOTED].toolTip() == Layer.PROMOTED.tip


def test_the_menu_says_which_view_asked_for_what(grid):
    heard = []
    grid.layer_picked.connect(lambda index, layer: heard.append(("layer", index, layer)))
    grid.partner_picked.connect(lambda index, layer: heard.append(("partner", index, layer)))
    grid.zebra_asked.connect(lambda index: heard.append(("zebra", index)))
    menu = grid.view(2).header.menu
    for actions in (menu.actions(), menu._partners.actions()):
        next(action for action in actions if action.data() == "Ground truth").trigger()
    next(action for action in menu.actions() if action.text().startswith("Zebra")).trigger()
    assert heard == [("layer", 2, "Ground truth"), ("partner", 2, "Ground truth"), ("zebra", 2)]


def test_every_button_and_menu_has_a_name_and_a_tip_in_both_palettes(grid):
    for palette in (LIGHT, DARK):
        grid.set_palette_colours(palette)
        for button in grid.findChildren(QToolButton):
            assert button.accessibleName()
            assert button.toolTip()
        assert all(grid.view(index).header.menu.accessibleName() for index in range(6))
