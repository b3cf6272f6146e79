"""Two layers in one view: side by side along a line that follows the mouse, or in turn."""

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget

from smarthdr_studio.core.display import KeyEntry, Legend, Painted
from smarthdr_studio.studio.viewer.view_grid import ViewGrid

SIZE = (150, 100)
RNG = np.random.default_rng(3)


def noisy(title, **changes):
    """A picture in which no two columns are alike."""
    rgb8 = RNG.integers(0, 256, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
    return Painted(rgb8=rgb8, title=title, **changes)


OWN, PARTNER = noisy("Pseudo-label"), noisy("Reference frame")


@pytest.fixture
def window(qtbot):
    """A grid beside a text field, in one window."""
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    window.grid, window.field = ViewGrid(), QLineEdit()
    column.addWidget(window.field)
    column.addWidget(window.grid)
    window.resize(900, 700)
    window.grid.set_scene_size(*SIZE)
    for index in range(4):
        window.grid.show_painted(index, OWN)
    with qtbot.waitActive(window, timeout=20000):
        window.show()
        window.activateWindow()
    window.grid.setFocus()
    QApplication.processEvents()
    return window


@pytest.fixture
def grid(window):
    return window.grid


def screen(picture):
    """Height×width×3 of what is on the screen."""
    QApplication.processEvents()
    image = picture.grab().toImage().convertToFormat(picture.grab().toImage().Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)
    return cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB)


def middle_of(picture, dx=0, dy=0):
    return QPoint(picture.width() // 2 + dx, picture.height() // 2 + dy)


def go_to(picture, dx=0, dy=0):
    place = middle_of(picture, dx, dy)
    QTest.mouseMove(picture, QPoint(1, 1))  # a cursor that is there already does not move
    QTest.mouseMove(picture, place)
    there = picture.sight.pixel(QPointF(place))
    for _ in range(200):  # a real cursor arrives when the X server says so
        QApplication.processEvents()
        if there is None or picture.pixel == there:
            break
        QTest.qWait(5)


def line_on_screen(picture):
    return picture.sight.at(picture.exhibit.line, 0).x()


def shown_alone(grid, painted):
    """What the first view looks like with this picture only, without any marks."""
    grid.show_partner(0, None)
    grid.show_painted(0, painted)
    grid.set_pixel(None)
    pixels = screen(grid.view(0).picture)
    grid.show_painted(0, OWN)
    return pixels


@pytest.mark.parametrize("zoom", [-3, 0, 4])
@pytest.mark.parametrize("dx", [-90, 3, 71])
def test_left_of_the_line_is_the_own_picture_and_right_of_it_the_partner(grid, zoom, dx):
    picture = grid.view(0).picture
    for _ in range(abs(zoom)):
        grid.zoom_in() if zoom > 0 else grid.zoom_out()
    own, partner = shown_alone(grid, OWN), shown_alone(grid, PARTNER)
    grid.show_partner(0, PARTNER)
    go_to(picture, dx)
    grid.set_pixel(None)
    both = screen(picture)
    x = round(line_on_screen(picture))
    below = slice(40, None)  # of the captions
    assert np.array_equal(both[below, : x - 11], own[below, : x - 11])
    assert np.array_equal(both[below, x + 11 :], partner[below, x + 11 :])
    # Away from the handle the line itself is three pixels wide.
    low = slice(-20, None)
    assert np.array_equal(both[low, : x - 2], own[low, : x - 2])
    assert np.array_equal(both[low, x + 2 :], partner[low, x + 2 :])


def test_the_line_follows_the_mouse_in_its_view_alone(grid):
    picture, other = grid.view(0).picture, grid.view(1).picture
    grid.show_partner(0, PARTNER)
    go_to(picture, 60)
    assert line_on_screen(picture) == pytest.approx(middle_of(picture, 60).x())
    before = picture.exhibit.line
    go_to(other, -30)
    assert picture.exhibit.line == before


def test_the_line_stays_in_the_image_when_it_is_zoomed_and_when_the_mouse_leaves(grid, window):
    picture = grid.view(0).picture
    grid.show_partner(0, PARTNER)
    go_to(picture, 40)
    before = picture.exhibit.line
    QTest.mouseMove(window.field)
    grid.zoom_in()
    grid.nudge(0.1, 0)
    QApplication.processEvents()
    assert picture.exhibit.line == before
    assert picture.sight.under(picture.sight.at(before, 0))[0] == pytest.approx(before)


def test_dragging_with_alt_moves_the_line_and_never_the_picture(grid):
    picture = grid.view(0).picture
    grid.show_partner(0, PARTNER)
    lens = grid.lens
    alt = Qt.KeyboardModifier.AltModifier
    QTest.mousePress(picture, Qt.MouseButton.LeftButton, alt, middle_of(picture))
    go_to(picture, -50, 10)
    QTest.mouseRelease(picture, Qt.MouseButton.LeftButton, alt, middle_of(picture, -50, 10))
    assert grid.lens == lens
    assert line_on_screen(picture) == pytest.approx(middle_of(picture, -50).x())


def test_dragging_without_alt_pans_and_the_line_keeps_its_pixel_under_the_hand(grid):
    picture = grid.view(0).picture
    grid.show_partner(0, PARTNER)
    go_to(picture)
    lens, line = grid.lens, picture.exhibit.line
    QTest.mousePress(picture, Qt.MouseButton.LeftButton, pos=middle_of(picture))
    go_to(picture, 33)
    QTest.mouseRelease(picture, Qt.MouseButton.LeftButton, pos=middle_of(picture, 33))
    assert grid.lens.x < lens.x
    assert picture.exhibit.line == pytest.approx(line)


def test_both_layers_are_named_beside_the_line_and_explained_on_their_side(grid):
    bar = Legend(bar=np.zeros((64, 8, 3), np.uint8), low="0", high="1")
    key = (KeyEntry(colour=(255, 0, 0), words="dropped"),)
    grid.show_painted(0, noisy("Uncertainty σ", legend=bar))
    grid.show_partner(0, noisy("Patch mask", key=key))
    picture = grid.view(0).picture
    go_to(picture, 20)
    boxes = picture.exhibit.boxes(picture.sight, picture.fontMetrics(), minimap=None)
    line = line_on_screen(picture)
    (left, own), (right, partner) = boxes.captions
    assert (own, partner) == ("Uncertainty σ", "Patch mask")
    assert left.right() < line < right.left()
    assert boxes.legends[0][0].right() < line < boxes.keys[0][0].left()
    places = [box for box, _ in (*boxes.captions, *boxes.legends, *boxes.keys)]
    assert not any(a.intersects(b) for a in places for b in places if a is not b)
    picture.set_line(149)  # hardly anything of the partner is left to be explained
    boxes = picture.exhibit.boxes(picture.sight, picture.fontMetrics(), minimap=None)
    assert boxes.keys == []
    assert "compared with Patch mask" in grid.view(0).accessibleName()


def test_taking_the_partner_away_restores_the_picture(grid):
    before = shown_alone(grid, OWN)
    for mode in ("wipe", "flicker"):
        grid.show_partner(0, PARTNER, mode=mode)
        assert not np.array_equal(screen(grid.view(0).picture), before)
        grid.show_partner(0, None)
        assert np.array_equal(screen(grid.view(0).picture), before)


def test_a_flicker_shows_the_partner_alone_with_its_name(grid):
    partner = shown_alone(grid, PARTNER)
    grid.show_partner(0, PARTNER, mode="flicker")
    picture = grid.view(0).picture
    assert np.array_equal(screen(picture)[40:], partner[40:])
    boxes = picture.exhibit.boxes(picture.sight, picture.fontMetrics(), minimap=None)
    assert [words for _, words in boxes.captions] == ["Reference frame"]


def test_a_partner_without_a_picture_says_why(grid):
    empty = Painted(rgb8=None, title="Student", why_empty="No student yet")
    grid.show_partner(0, empty)
    picture = grid.view(0).picture
    go_to(picture, -60)
    boxes = picture.exhibit.boxes(picture.sight, picture.fontMetrics(), minimap=None)
    assert boxes.captions[-1][1] == "Student: No student yet"
    own = shown_alone(grid, OWN)
    grid.show_partner(0, empty)
    grid.set_pixel(None)
    pixels, x = screen(picture), round(line_on_screen(picture))
    assert np.array_equal(pixels[40:, : x - 11], own[40:, : x - 11])
    assert len(np.unique(pixels[40:, x + 11 :].reshape(-1, 3), axis=0)) == 1


@pytest.fixture
def flickers(grid):
    heard = []
    grid.flicker_held.connect(lambda index, held: heard.append((index, held)))
    return heard


def key(window, how, which, modifiers=Qt.KeyboardModifier.NoModifier):
    how(window.windowHandle(), which, modifiers)
    QApplication.processEvents()


SHIFT, CONTROL = Qt.Key.Key_Shift, Qt.Key.Key_Control


def test_shift_held_over_a_view_asks_for_a_flicker_until_it_is_let_go(window, grid, flickers):
    go_to(grid.view(2).picture)
    key(window, QTest.keyPress, SHIFT)
    assert flickers == [(2, True)]
    key(window, QTest.keyRelease, SHIFT)
    assert flickers == [(2, True), (2, False)]


def test_the_flicker_goes_where_the_cursor_goes_and_ends_beside_the_views(window, grid, flickers):
    go_to(grid.view(0).picture)
    key(window, QTest.keyPress, SHIFT)
    go_to(grid.view(1).picture)
    assert flickers == [(0, True), (0, False), (1, True)]
    QTest.mouseMove(window.field)
    QApplication.processEvents()
    assert flickers[3:] == [(1, False)]
    key(window, QTest.keyRelease, SHIFT)
    assert flickers[4:] == []


def test_shift_without_a_view_under_the_cursor_does_nothing(window, flickers):
    QTest.mouseMove(window.field)
    key(window, QTest.keyPress, SHIFT)
    key(window, QTest.keyRelease, SHIFT)
    assert flickers == []


def test_control_and_shift_is_a_shortcut_and_no_flicker(window, grid, flickers):
    go_to(grid.view(0).picture)
    key(window, QTest.keyPress, CONTROL)
    key(window, QTest.keyPress, SHIFT, Qt.KeyboardModifier.ControlModifier)
    key(window, QTest.keyRelease, SHIFT, Qt.KeyboardModifier.ControlModifier)
    key(window, QTest.keyRelease, CONTROL)
    assert flickers == []


def test_a_key_that_joins_in_ends_the_flicker(window, grid, flickers):
    go_to(grid.view(0).picture)
    key(window, QTest.keyPress, SHIFT)
    key(window, QTest.keyPress, Qt.Key.Key_E, Qt.KeyboardModifier.ShiftModifier)
    assert flickers == [(0, True), (0, False)]


def test_writing_capitals_never_flickers(window, grid, flickers):
    window.activateWindow()
    window.field.setFocus()
    QApplication.processEvents()
    assert QApplication.focusWidget() is window.field
    go_to(grid.view(0).picture)
    key(window, QTest.keyPress, SHIFT)
    key(window, QTest.keyClick, Qt.Key.Key_A, Qt.KeyboardModifier.ShiftModifier)
    key(window, QTest.keyRelease, SHIFT)
    assert flickers == []
    assert window.field.text().lower() == "a"


def test_the_flicker_ends_when_the_window_loses_the_keyboard(window, grid, flickers, qtbot):
    go_to(grid.view(3).picture)
    key(window, QTest.keyPress, SHIFT)
    other = QWidget()
    qtbot.addWidget(other)
    other.show()
    other.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is other, timeout=20000)
    assert flickers == [(3, True), (3, False)]
