"""The window fits its screen, is found again where it stood, and damaged memory is no trap."""

import json
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow
from shiboken6 import isValid

from smarthdr_studio.studio.settings import Preferences
from smarthdr_studio.studio.window import window_place
from smarthdr_studio.studio.window.window_place import WindowPlace, first_place, put_in_place

LEFT_SCREEN, RIGHT_SCREEN = QRect(0, 0, 1280, 720), QRect(1280, 0, 2560, 1440)


@pytest.fixture
def start(qtbot, build_window):
    """Makes a window as a start of the program does, and closes it at the end."""
    made = []

    def make():
        window = build_window()
        made.append(window)
        window.show()
        return window

    yield make
    for window in filter(isValid, made):
        leave(window, qtbot)


def leave(window, qtbot):
    window.session.shut_down()
    qtbot.waitUntil(lambda: window.session.at_rest, timeout=20000)
    window.close()
    window.deleteLater()


def remember(places, window):
    places.preferences.parent.mkdir(parents=True, exist_ok=True)
    values = {"recent": [], "look": "dark", "keys": {}, "budget": 2**30, "window": window}
    places.preferences.write_text(json.dumps(values), encoding="utf-8")


def inside(window):
    return QGuiApplication.primaryScreen().availableGeometry().contains(window.geometry())


def test_the_window_opens_within_its_screen_however_small_that_is(start):
    window = start()
    assert QGuiApplication.primaryScreen().size().width() < 1024
    assert inside(window)


@pytest.mark.parametrize(
    "held",
    [
        {"box": [0, 0, 9_000, 9_000], "title": 30},
        {"box": [-4_000, 2_000, 700, 650], "title": 30},
        {"box": [10**30, 0, 700, 650], "title": 0},
        {"box": ["left", None, 1, 2], "title": 0},
        {"box": [0, 0, float("inf"), 650], "title": 0},
        {"box": [0, 0, -5, 0], "title": 0, "maximised": "yes"},
        {"box": 7},
        [1, 2, 3],
        "nonsense",
        None,
    ],
)
def test_absurd_or_damaged_memory_still_gives_a_window_within_the_screen(start, places, held):
    remember(places, held)
    window = start()
    assert inside(window)
    assert not window.isFullScreen()


def test_size_and_place_are_found_again(start, places, qtbot):
    first = start()
    first.setWindowState(Qt.WindowState.WindowNoState)
    first.setGeometry(0, 57, 800, 650)
    leave(first, qtbot)
    again = start()
    assert again.geometry() == QRect(0, 57, 800, 650)
    assert not again.isMaximized()


@pytest.mark.parametrize("state", [Qt.WindowState.WindowMaximized, Qt.WindowState.WindowFullScreen])
def test_maximised_and_full_screen_are_found_again_and_so_is_the_size_beneath(start, qtbot, state):
    first = start()
    first.setWindowState(Qt.WindowState.WindowNoState)
    first.setGeometry(0, 60, 800, 645)
    first.setWindowState(state)
    leave(first, qtbot)
    again = start()
    assert again.windowState() & state
    assert again.normalGeometry() == QRect(0, 60, 800, 645)


def press_f11(window, qtbot):
    with qtbot.waitActive(window, timeout=20000):
        window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_F11)


def as_saved(places):
    if not places.preferences.is_file():
        return {}
    return json.loads(places.preferences.read_text(encoding="utf-8"))["window"]


def test_a_desktop_that_forgets_what_lay_beneath_full_screen_is_told(start, qtbot):
    first = start()
    first.setWindowState(Qt.WindowState.WindowNoState)
    first.setGeometry(0, 60, 800, 700)
    press_f11(first, qtbot)
    leave(first, qtbot)
    again = start()
    assert again.isFullScreen()
    press_f11(again, qtbot)
    again.resize(again.minimumSize())  # as a desktop does that knows no better
    assert again.height() < 700
    qtbot.waitUntil(lambda: again.size() == QSize(800, 700), timeout=20000)


def test_a_window_that_was_maximised_before_it_filled_the_screen_is_so_again(start, qtbot):
    first = start()
    first.setWindowState(Qt.WindowState.WindowNoState)
    first.setGeometry(0, 60, 800, 645)
    first.setWindowState(Qt.WindowState.WindowMaximized)
    press_f11(first, qtbot)
    first.setWindowState(Qt.WindowState.WindowFullScreen)  # desktops tell of one state at a time
    leave(first, qtbot)
    again = start()
    again.setWindowState(Qt.WindowState.WindowFullScreen)
    press_f11(again, qtbot)
    assert again.isMaximized()
    again.setWindowState(Qt.WindowState.WindowNoState)
    qtbot.waitUntil(lambda: again.size() == QSize(800, 645), timeout=20000)


def test_the_place_is_kept_as_soon_as_the_window_rests_so_that_a_kill_loses_nothing(
    start, places, qtbot
):
    window = start()
    window.setWindowState(Qt.WindowState.WindowNoState)
    window.setGeometry(0, 57, 800, 650)
    qtbot.waitUntil(lambda: as_saved(places).get("box", [])[2:] == [800, 650], timeout=20000)
    box = as_saved(places)["box"]
    press_f11(window, qtbot)
    qtbot.waitUntil(lambda: as_saved(places)["full screen"], timeout=20000)
    assert as_saved(places)["box"] == box


def test_nothing_is_written_where_nothing_changed(start, places, qtbot, monkeypatch):
    window = start()
    qtbot.waitUntil(lambda: places.preferences.is_file(), timeout=20000)
    assert as_saved(places)
    written = []
    monkeypatch.setattr(Preferences, "write", lambda *_: written.append(1))
    window.page.rearranged.emit({})
    assert window._keeping.isActive()
    qtbot.waitUntil(lambda: not window._keeping.isActive(), timeout=20000)
    assert written == []


def test_one_key_fills_the_screen_and_brings_the_window_back(window, qtbot):
    qtbot.keyClick(window, Qt.Key.Key_F11)
    assert window.isFullScreen()
    qtbot.keyClick(window, Qt.Key.Key_F11)
    assert not window.isFullScreen()


def test_escape_leaves_the_full_screen_once_nothing_else_is_left_to_leave(opened, qtbot):
    window = opened
    qtbot.keyClick(window, Qt.Key.Key_F11)
    qtbot.keyClick(window, Qt.Key.Key_F12)
    assert window._alone
    for alone, full in ((False, True), (False, False), (False, False)):
        qtbot.keyClick(window, Qt.Key.Key_Escape)
        assert (window._alone, window.isFullScreen()) == (alone, full)


def test_a_window_stays_on_the_screen_it_lay_in_most():
    place = WindowPlace(box=QRect(1200, 100, 1000, 700))
    assert place.within([LEFT_SCREEN, RIGHT_SCREEN]).box == QRect(1280, 100, 1000, 700)


def test_a_window_on_a_screen_that_is_gone_comes_to_the_one_there_is():
    place = WindowPlace(box=QRect(3000, 900, 1440, 900), title=30, maximised=True)
    moved = place.within([LEFT_SCREEN])
    assert moved.box == QRect(0, 30, 1280, 690)
    assert moved.maximised


def test_the_bar_of_the_desktop_stays_on_the_screen_too():
    place = WindowPlace(box=QRect(0, -500, 800, 600), title=28).within([LEFT_SCREEN])
    assert place.box == QRect(0, 28, 800, 600)


def test_the_first_window_is_in_the_middle_or_fills_a_small_screen():
    large = first_place(RIGHT_SCREEN, title=30)
    assert large.box.size() == QSize(1440, 900)
    assert large.box.center() == RIGHT_SCREEN.center()
    assert not large.maximised
    small = first_place(LEFT_SCREEN, title=30)
    assert small.box.size() == QSize(1280, 690)
    assert small.maximised


def test_a_screen_as_small_as_the_window_has_room_for_the_bar_of_the_desktop(qtbot, monkeypatch):
    small = SimpleNamespace(availableGeometry=lambda: QRect(0, 0, 1024, 640))
    monkeypatch.setattr(window_place, "_screens", lambda: [small])
    window = QMainWindow()
    qtbot.addWidget(window)
    put_in_place(window, WindowPlace(box=QRect(0, 0, 1024, 640), title=30).held())
    assert window.minimumSize() == QSize(1024, 610)
    assert window.geometry() == QRect(0, 30, 1024, 610)


def test_preferences_of_an_earlier_version_have_no_place(tmp_path):
    path = tmp_path / "window.json"
    path.write_text('{"recent": [], "look": "light", "keys": {}, "budget": 1073741824}')
    assert Preferences.read(path).window == {}
    assert Preferences.read(path).look == "light"
