"""Three workspaces with panels a person arranges: what each shows, keeps, and gives back."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fitting import faults_of
from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTabBar,
    QTableWidget,
    QWidget,
)

from smarthdr_studio.core.display import Layer
from smarthdr_studio.studio.settings import Layout, Preferences
from smarthdr_studio.studio.state import Centre, Workspace
from smarthdr_studio.studio.window import MainWindow
from smarthdr_studio.studio.window.desk import Desk
from smarthdr_studio.studio.window.first_arrangement import first_arrangement

CTRL = Qt.KeyboardModifier.ControlModifier
SIZES = [(1024, 640), (1280, 720), (1440, 900), (2560, 1440)]


def press(qtbot, window, key, modifier=Qt.KeyboardModifier.NoModifier):
    qtbot.keyClick(window, key, modifier)


def turn(qtbot, window, workspace):
    press(qtbot, window, getattr(Qt.Key, f"Key_{list(Workspace).index(workspace) + 1}"), CTRL)
    assert window.session.state.workspace is workspace
    qtbot.wait(30)


def in_front(window):
    return {name for name in window.page.desk.names if window.page.desk.in_front(name)}


def test_inspect_gives_two_thirds_of_the_window_to_four_views_with_thresholds_and_why(
    opened, qtbot
):
    opened.resize(1440, 900)
    opened.page.desk.reset()
    qtbot.wait(50)
    views = opened.page.views
    assert views.count == 4
    assert views.width() * views.height() >= 0.65 * 1440 * 900
    assert {"thresholds", "why"} <= in_front(opened)
    assert opened.page.trust_side.reliability.isVisible()


def test_each_workspace_shows_what_it_is_about(opened, qtbot):
    turn(qtbot, opened, Workspace.CURATE)
    assert {"scenes", "overview"} <= in_front(opened)
    assert opened.page.browsing.table.isVisible()
    assert opened.page.views.isVisible()
    assert opened.page.views.count == 2
    turn(qtbot, opened, Workspace.TRAIN)
    assert opened.page.training.isVisible()
    assert opened.page.run_pages.board.isVisible()
    assert opened.page.run_pages.film.isVisible()
    assert opened.page.run_pages.diary.isVisible()
    assert not opened.page.views.isVisible()
    turn(qtbot, opened, Workspace.INSPECT)
    assert opened.page.views.isVisible()
    assert not opened.page.training.isVisible()


def test_scene_thresholds_and_zoom_stay_from_workspace_to_workspace(opened, qtbot, until):
    press(qtbot, opened, Qt.Key.Key_Right)
    until(opened.session, lambda s: s.shown == "004")
    opened.session.inspection.thresholds.nudge("tau_patch", -0.1)
    opened.page.views.one_to_one()
    lens, masks = opened.page.views.lens, opened.session.state.masks
    for workspace in (Workspace.CURATE, Workspace.TRAIN, Workspace.INSPECT):
        turn(qtbot, opened, workspace)
        state = opened.session.state
        assert (state.shown, state.masks) == ("004", masks)
        assert opened.page.views.lens == lens


def test_curating_has_views_of_its_own_and_both_sets_are_found_again(
    opened, qtbot, until, tiny_project
):
    inspected = [view.layer for view in opened.session.state.views]
    turn(qtbot, opened, Workspace.CURATE)
    assert [view.layer for view in opened.session.state.views] == [
        Layer.PSEUDO_LABEL,
        Layer.TRUSTED,
    ]
    opened.session.inspection.viewing.set_layer(1, Layer.REASONS)
    opened.session.close_project()
    until(opened.session, lambda s: s.folder is None)
    assert Layout.read(tiny_project).workspace is Workspace.CURATE
    opened.session.take(tiny_project)
    until(opened.session, lambda s: s.shown is not None)
    assert opened.session.state.workspace is Workspace.CURATE
    assert opened.session.state.views[1].layer is Layer.REASONS
    turn(qtbot, opened, Workspace.INSPECT)
    assert [view.layer for view in opened.session.state.views] == inspected


def test_a_click_on_the_switch_does_what_its_key_does(opened, qtbot):
    train = next(b for b in opened.bar.findChildren(QPushButton) if b.text() == "Train")
    assert "Ctrl+3" in train.toolTip()
    qtbot.mouseClick(train, Qt.MouseButton.LeftButton)
    assert opened.session.state.workspace is Workspace.TRAIN
    assert train.isChecked()


def test_a_layout_of_one_s_own_is_kept_for_its_workspace_and_after_a_restart(
    opened, qtbot, places, until, tiny_project
):
    desk = opened.page.desk
    desk.put_away("why")
    press(qtbot, opened, Qt.Key.Key_F6)
    qtbot.waitUntil(lambda: desk.in_front("history"))
    turn(qtbot, opened, Workspace.CURATE)
    assert not desk.has("history")
    turn(qtbot, opened, Workspace.INSPECT)
    assert desk.in_front("history")
    assert not desk.has("why")
    opened.session.shut_down()
    qtbot.waitUntil(lambda: opened.session.at_rest, timeout=20000)
    opened.close()
    again = MainWindow(places=places)
    again.resize(1280, 720)
    again.show()
    again.session.take(tiny_project)
    until(again.session, lambda s: s.shown is not None)
    qtbot.waitUntil(lambda: again.page.desk.in_front("history"))
    assert not again.page.desk.has("why")
    again.session.shut_down()
    qtbot.waitUntil(lambda: again.session.at_rest, timeout=20000)
    again.close()
    again.deleteLater()


def at_left(window):
    """Panels that stand in the left column."""
    desk = window.page.desk
    left = Qt.DockWidgetArea.LeftDockWidgetArea
    return {
        name
        for name in desk.names
        if desk.has(name) and desk.dockWidgetArea(desk.dock(name)) is left
    }


def test_panels_that_nobody_moved_are_arranged_for_the_size_the_window_gets(opened, qtbot):
    opened.resize(1440, 900)
    qtbot.wait(30)
    opened.page.desk.dock("evidence").raise_()
    assert at_left(opened) == set()
    opened.resize(1900, 1100)
    qtbot.waitUntil(lambda: at_left(opened) == {"scenes"})
    assert opened.page.desk.in_front("evidence")
    turn(qtbot, opened, Workspace.CURATE)
    opened.resize(1280, 720)
    turn(qtbot, opened, Workspace.INSPECT)
    qtbot.waitUntil(lambda: at_left(opened) == set())


def test_panels_that_nobody_moved_are_arranged_anew_when_they_come_back_into_sight(opened, qtbot):
    opened.resize(1440, 900)
    qtbot.wait(30)
    press(qtbot, opened, Qt.Key.Key_B, CTRL)
    opened.resize(1900, 1100)
    qtbot.wait(30)
    press(qtbot, opened, Qt.Key.Key_B, CTRL)
    qtbot.waitUntil(lambda: at_left(opened) == {"scenes"})


def test_panels_that_a_person_changed_stay_as_they_are_in_a_window_of_any_size(opened, qtbot):
    opened.resize(1440, 900)
    qtbot.wait(30)
    desk = opened.page.desk
    side = desk.dock("why").geometry()
    width, free = side.width(), (QPoint(x, side.center().y()) for x in range(side.x(), 0, -1))
    between = next(at for at in free if desk.childAt(at) is None)
    aside, left = between - QPoint(60, 0), Qt.MouseButton.LeftButton
    qtbot.mousePress(desk, left, pos=between)
    moved = (QEvent.Type.MouseMove, QPointF(aside), QPointF(desk.mapToGlobal(aside)))
    QApplication.sendEvent(desk, QMouseEvent(*moved, left, left, Qt.KeyboardModifier.NoModifier))
    qtbot.wait(30)
    qtbot.mouseRelease(desk, left, pos=aside)
    qtbot.wait(30)
    assert desk.dock("why").width() == width + 60
    opened.resize(1900, 1100)
    qtbot.wait(60)
    assert at_left(opened) == set()
    desk.reset()
    qtbot.waitUntil(lambda: at_left(opened) == {"scenes"})


def test_what_nobody_changed_is_arranged_for_the_window_of_the_next_start(qtbot):
    def a_desk(size, layouts):
        desk = Desk(QWidget())
        qtbot.addWidget(desk)
        for name in ("scenes", "thresholds", "evidence", "why", "scene"):
            desk.add(name, name, QLabel(name))
        desk.take_layouts(layouts)
        desk.resize(*size)
        desk.show()
        desk.turn_to(Workspace.INSPECT)
        qtbot.waitUntil(lambda: desk.in_front("why"))
        return desk

    def beside(desk):
        return desk.dockWidgetArea(desk.dock("scenes")) is Qt.DockWidgetArea.LeftDockWidgetArea

    first = a_desk((1440, 900), {})
    larger = a_desk((1900, 1100), first.layouts)
    assert (beside(first), beside(larger)) == (False, True)
    first.put_away("evidence")
    changed = a_desk((1900, 1100), first.layouts)
    assert not beside(changed)
    assert not changed.has("evidence")


def test_charts_of_thresholds_are_seen_whole_in_a_window_of_usual_height(opened, qtbot):
    opened.resize(1440, 900)
    for workspace in (Workspace.INSPECT, Workspace.TRAIN):
        turn(qtbot, opened, workspace)
        opened.page.desk.reset()
        press(qtbot, opened, Qt.Key.Key_F2)
        charts = opened.page.charts
        qtbot.waitUntil(charts.map.isVisible, timeout=20000)
        qtbot.wait(50)
        for chart in (charts.patches, charts.pixels, charts.map):
            assert chart.visibleRegion().boundingRect().size() == chart.size(), chart.title


def test_the_layout_can_be_reset(opened, qtbot):
    desk = opened.page.desk
    qtbot.wait(30)
    before = in_front(opened)
    desk.put_away("thresholds")
    desk.bring("journal")
    desk.dock("why").setFloating(True)
    next(a for a in opened.menus.actions_to_find if a.objectName() == "reset_layout").trigger()
    qtbot.waitUntil(lambda: in_front(opened) == before)
    assert not desk.dock("why").isFloating()


def test_of_two_bars_with_the_same_tabs_only_the_one_at_its_panels_is_shown(opened, qtbot):
    """Qt may leave the bar of an earlier arrangement on the screen."""
    desk = opened.page.desk
    turn(qtbot, opened, Workspace.TRAIN)
    bar = next(
        each
        for each in desk.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
        if each.isVisible() and each.tabText(0) == "Film strip"
    )
    stray = QTabBar(desk)
    for place in range(bar.count()):
        stray.addTab(bar.tabText(place))
    stray.setGeometry(bar.geometry().translated(0, 17))
    stray.show()
    assert any("lie over a panel" in each for each in faults_of(opened))
    desk._show_tabs()
    assert bar.isVisible()
    assert not stray.isVisible()
    assert not any("lie over a panel" in each for each in faults_of(opened))


@pytest.mark.parametrize("damaged", ["nonsense", "AAAA", "//8AAAD/", ""])
def test_a_damaged_layout_is_as_if_there_had_never_been_one(qtbot, damaged):
    desk = Desk(QWidget())
    qtbot.addWidget(desk)
    for name in ("scenes", "thresholds", "evidence", "why", "scene"):
        desk.add(name, name, QLabel(name))
    desk.resize(1440, 900)
    desk.take_layouts({"Inspect": damaged})
    desk.show()
    desk.turn_to(Workspace.INSPECT)
    qtbot.waitUntil(lambda: desk.in_front("thresholds") and desk.in_front("why"))


def test_layouts_that_are_no_words_are_not_read(tmp_path):
    path = tmp_path / "window.json"
    path.write_text('{"keys": {}, "budget": 1, "layouts": [3]}', encoding="utf-8")
    assert Preferences.read(path).layouts == {}


def test_ctrl_b_hides_every_panel_and_brings_back_what_was_there(opened, qtbot):
    qtbot.wait(30)
    before = in_front(opened)
    press(qtbot, opened, Qt.Key.Key_B, CTRL)
    assert not any(map(opened.page.desk.has, opened.page.desk.names))
    press(qtbot, opened, Qt.Key.Key_B, CTRL)
    qtbot.waitUntil(lambda: in_front(opened) == before)


def test_hidden_panels_stay_hidden_in_their_workspace_and_in_no_other(opened, qtbot, places):
    desk = opened.page.desk
    qtbot.wait(30)
    before = in_front(opened)
    press(qtbot, opened, Qt.Key.Key_B, CTRL)
    turn(qtbot, opened, Workspace.CURATE)
    assert {"scenes", "overview"} <= in_front(opened)
    turn(qtbot, opened, Workspace.INSPECT)
    assert not any(map(desk.has, desk.names))
    for key in (Qt.Key.Key_F12, Qt.Key.Key_F12):
        press(qtbot, opened, key)
        assert not any(map(desk.has, desk.names))
    assert opened.page.display.isVisible()
    again = Desk(QWidget())
    qtbot.addWidget(again)
    for name in desk.names:
        again.add(name, name)
    again.take_layouts(desk.layouts)
    again.turn_to(Workspace.INSPECT)
    assert not any(map(again.has, again.names))  # after a restart too
    again.toggle()
    assert {name for name in again.names if again.has(name)} >= before
    press(qtbot, opened, Qt.Key.Key_B, CTRL)
    qtbot.waitUntil(lambda: in_front(opened) == before)


def test_a_panel_that_is_asked_for_where_all_are_hidden_comes_with_the_others(opened, qtbot):
    qtbot.wait(30)
    before = in_front(opened)
    press(qtbot, opened, Qt.Key.Key_F12)
    press(qtbot, opened, Qt.Key.Key_F6)
    qtbot.waitUntil(lambda: in_front(opened) == before | {"history"})
    assert opened.bar.isVisible()
    assert opened.page.display.isVisible()


def test_pictures_alone_lead_back_to_where_the_key_was_pressed(opened, qtbot):
    opened.resize(1440, 900)
    turn(qtbot, opened, Workspace.TRAIN)
    for centre in (Centre.PICTURES, Centre.RUNS):
        for back in (Qt.Key.Key_F12, Qt.Key.Key_Escape):
            opened.session.inspection.table.show(str(centre))
            qtbot.wait(30)
            before = in_front(opened)
            press(qtbot, opened, Qt.Key.Key_F12)
            qtbot.wait(30)
            assert opened.page.views.isVisible()
            press(qtbot, opened, back)
            state = opened.session.state
            assert (state.workspace, state.centre) == (Workspace.TRAIN, centre)
            qtbot.waitUntil(lambda: in_front(opened) == before)  # noqa: B023 - it is waited for here
            assert opened.bar.isVisible()


def test_another_workspace_ends_the_pictures_alone(opened, qtbot):
    turn(qtbot, opened, Workspace.TRAIN)
    press(qtbot, opened, Qt.Key.Key_F12)
    turn(qtbot, opened, Workspace.CURATE)
    assert opened.bar.isVisible()
    assert {"scenes", "overview"} <= in_front(opened)


def test_panels_and_views_are_kept_before_anybody_quits(opened, qtbot, places, tiny_project):
    press(qtbot, opened, Qt.Key.Key_I)
    assert "why" not in in_front(opened)
    opened.session.inspection.viewing.set_layer(0, Layer.REASONS)

    def kept():
        layouts = Preferences.read(places.preferences).layouts
        views = Layout.read(tiny_project).views
        return layouts == opened.page.desk.layouts and views[0].layer is Layer.REASONS

    qtbot.waitUntil(kept, timeout=20000)
    row = opened.page.desk.dock("thresholds")
    opened.page.desk.resizeDocks([row], [row.width() + 60], Qt.Orientation.Horizontal)
    assert not kept()
    qtbot.waitUntil(kept, timeout=20000)


def test_one_key_shows_the_pictures_alone_and_escape_brings_all_back(opened, qtbot):
    turn(qtbot, opened, Workspace.TRAIN)
    press(qtbot, opened, Qt.Key.Key_F12)
    qtbot.wait(30)
    views = opened.page.views
    assert views.isVisible()
    assert views.width() * views.height() > 0.95 * opened.width() * opened.height()
    press(qtbot, opened, Qt.Key.Key_Escape)
    assert opened.bar.isVisible()
    assert opened.page.training.isVisible()
    qtbot.waitUntil(lambda: "film" in in_front(opened))
    turn(qtbot, opened, Workspace.INSPECT)
    assert opened.page.display.isVisible()
    qtbot.waitUntil(lambda: "thresholds" in in_front(opened))


def test_table_and_gallery_fill_the_middle_where_they_have_no_panel(opened, qtbot):
    press(qtbot, opened, Qt.Key.Key_F7)
    assert opened.page.browsing.table.isVisible()
    assert not opened.page.views.isVisible()
    turn(qtbot, opened, Workspace.CURATE)
    assert opened.session.state.centre is Centre.PICTURES
    press(qtbot, opened, Qt.Key.Key_F8)
    assert opened.page.browsing.gallery.isVisible()
    assert opened.page.views.isVisible()


def test_no_key_is_swallowed_by_a_field_when_a_workspace_comes(opened, qtbot):
    for workspace in (Workspace.TRAIN, Workspace.CURATE):
        turn(qtbot, opened, workspace)
        before = opened.session.state.current
        press(qtbot, opened, Qt.Key.Key_Right)
        assert opened.session.state.current > before


def test_the_training_keys_lead_to_the_run_wherever_it_stands(opened, qtbot):
    press(qtbot, opened, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: opened.page.desk.in_front("training"))
    assert opened.page.training.isVisible()
    turn(qtbot, opened, Workspace.TRAIN)
    press(qtbot, opened, Qt.Key.Key_F7)
    assert not opened.page.training.isVisible()
    press(qtbot, opened, Qt.Key.Key_F5)
    assert opened.page.training.isVisible()


def test_the_menu_on_a_tab_hides_its_panel(opened, qtbot):
    desk = opened.page.desk
    qtbot.wait(30)
    desk._menu_of("evidence").actions()[0].trigger()
    assert not desk.has("evidence")
    desk._switch("evidence")
    assert desk.has("evidence")


def test_every_panel_has_a_place_in_every_workspace_and_size():
    for workspace in Workspace:
        for size in SIZES:
            sides = first_arrangement(workspace, QSize(*size))
            placed = [name for side in sides for group in side.groups for name in group]
            assert len(placed) == len(set(placed))
            assert all(len(side.shares) in (1, len(side.groups)) for side in sides)


def test_nothing_is_clipped_or_covered_in_any_workspace_and_middle(opened, qtbot):
    faults = []
    for size in SIZES:
        opened.resize(*size)
        for workspace in Workspace:
            opened.session.work_in(str(workspace))
            opened.page.desk.reset()
            qtbot.wait(60)
            assert (opened.width(), opened.height()) == size
            for name in opened.page.desk.names:
                if opened.page.desk.has(name):
                    opened.page.desk.bring(name)
                    found = waited_for_faults(qtbot, opened)
                    faults += [f"{size}, {workspace}, {name}: {fault}" for fault in found]
        for workspace in (Workspace.INSPECT, Workspace.CURATE):
            opened.session.work_in(str(workspace))
            opened.page.desk.reset()
            for centre in Centre:
                opened.session.inspection.table.show(str(centre))
                qtbot.wait(60)
                found = waited_for_faults(qtbot, opened)
                faults += [f"{size}, {workspace}, {centre}: {fault}" for fault in found]
            opened.session.inspection.table.show(str(Centre.PICTURES))
    assert not faults, "\n".join(faults)


DIALOGS = (
    *("propose", "edit_keys", "show_help", "show_keys", "show_about"),
    *("report_problem", "import_brackets", "ask_moment", "export_dataset"),
)


@pytest.mark.parametrize("look", ["dark", "contrast"])
def test_nothing_is_clipped_or_covered_in_a_dialog_and_each_fits_its_window(opened, qtbot, look):
    opened.set_look(look)
    faults = []
    for size, dialogs in (((1024, 640), DIALOGS), ((1280, 720), ("plan_run",))):
        opened.resize(*size)
        for name in dialogs:
            opened.menus._actions[name].trigger()
            qtbot.wait(60)
            sheets = [each for each in opened.findChildren(QDialog) if each.isVisible()]
            for sheet in sheets:
                found = waited_for_faults(qtbot, sheet)
                faults += [f"{name}: {fault}" for fault in found]
                if sheet.width() > size[0] or sheet.height() > size[1]:
                    faults.append(f"{name}: is {sheet.width()}×{sheet.height()}")
                sheet.close()
            qtbot.wait(20)
    opened.set_look("dark")
    assert not faults, "\n".join(faults)


def test_nothing_is_clipped_or_covered_on_the_start_page(window, qtbot):
    for size in SIZES:
        window.resize(*size)
        assert waited_for_faults(qtbot, window) == []


def waited_for_faults(qtbot, window):
    """Those that are still there once the last words are laid out."""
    for _ in range(20):
        qtbot.wait(40)
        found = faults_of(window)
        if not found:
            break
    return found


def test_no_tab_of_another_workspace_is_left_over_when_one_comes_back(opened, qtbot):
    opened.resize(1280, 720)
    faults = []
    for _ in range(3):
        for workspace in Workspace:
            opened.session.work_in(str(workspace))
            qtbot.wait(60)
            for name in first_names(workspace, opened.size()):
                opened.page.desk.bring(name)
                qtbot.wait(20)
            qtbot.wait(60)
            titles = [opened.page.desk.dock(name).windowTitle() for name in shown_on_tabs(opened)]
            faults += [f"{workspace}: {fault}" for fault in faults_of(opened) if "tab" in fault]
            for bar in visible_bars(opened):
                tabs = {bar.tabText(place) for place in range(bar.count())}
                faults += [f"{workspace}: {tabs} is left"] if not tabs <= set(titles) else []
    assert not faults, "\n".join(faults)


def first_names(workspace, size):
    return [n for side in first_arrangement(workspace, size) for g in side.groups for n in g]


def shown_on_tabs(window):
    return [name for name in window.page.desk.names if window.page.desk.has(name)]


def visible_bars(window):
    direct = Qt.FindChildOption.FindDirectChildrenOnly
    return [b for b in window.page.desk.findChildren(QTabBar, options=direct) if b.isVisible()]


def test_the_walk_sees_what_is_cut_covered_or_outside(qtbot):
    whole = QWidget()
    qtbot.addWidget(whole)
    row = QHBoxLayout(whole)
    row.addWidget(QLabel("a label with room"))
    whole.resize(600, 80)
    whole.show()
    assert faults_of(whole) == []
    for text, box in (
        ("cut in its width", (10, 40, 30, 30)),
        ("out of the window", (560, 40, 200, 30)),
        ("cut in its height", (300, 40, 200, 5)),
    ):
        label = QLabel(text, whole)
        label.setGeometry(*box)
        label.show()
        assert any(text in fault for fault in faults_of(whole))
        label.setParent(None)
    over, under = QPushButton("over", whole), QPushButton("under", whole)
    for button, at in ((over, 300), (under, 330)):
        button.setGeometry(at, 40, 80, 30)
        button.show()
    assert any("lies over" in fault for fault in faults_of(whole))
    for button in (over, under):
        button.setParent(None)
    table = QTableWidget(1, 2, whole)
    table.setHorizontalHeaderLabels(["a long head over a column", "b"])
    table.setGeometry(10, 40, 400, 40)
    table.show()
    table.setColumnWidth(0, 300)
    assert faults_of(whole) == []
    table.setColumnWidth(0, 60)
    assert any("“a long head over a column” over a column" in each for each in faults_of(whole))


_AT_200 = """
import sys
sys.path[:0] = [{tests!r}]
from pathlib import Path
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
app = QApplication([])
from fitting import faults_of
from smarthdr_studio.studio.settings import Places
from smarthdr_studio.studio.state import Workspace
from smarthdr_studio.studio.theme import DARK, dress, tint
from smarthdr_studio.studio.window import MainWindow
import time
tint(app, DARK)
home = Path({home!r})
window = MainWindow(places=Places.under(config=home, cache=home, data=home))
dress(app, DARK)
window.setWindowState(Qt.WindowState.WindowNoState)
window.setMinimumSize(1, 1)
window.resize(1280, 720)
window.show()
window.session.take(Path({project!r}))
def wait(done):
    end = time.monotonic() + 60
    while not done() and time.monotonic() < end:
        app.processEvents()
wait(lambda: window.session.state.charts is not None)
faults = [str(window.devicePixelRatioF())]
for workspace in Workspace:
    window.session.work_in(str(workspace))
    until = time.monotonic() + 0.3
    wait(lambda: time.monotonic() > until)
    wait(lambda: not faults_of(window) or time.monotonic() > until + 1)
    faults += faults_of(window)
print(faults)
window.session.shut_down()
wait(lambda: window.session.at_rest)
window.close()
"""


def test_nothing_is_clipped_at_twice_the_scale(tmp_path, tiny_project):
    """A screen of 2560×1440 at 200 % leaves 1280×720 to the window."""
    code = _AT_200.format(
        tests=str(Path(__file__).parent), home=str(tmp_path / "home"), project=str(tiny_project)
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "QT_SCALE_FACTOR": "2", "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert told.stdout.strip() == "['2.0']", told.stdout + told.stderr[-2000:]


def test_right_clicks_on_the_title_of_a_panel_find_that_panel(opened, qtbot):
    desk = opened.page.desk
    opened.session.work_in("Curate")
    qtbot.wait(60)
    dock = desk.dock("scenes")
    assert desk._named_at(dock.pos() + QPoint(20, 6)) == "scenes"
    assert desk._named_at(dock.geometry().center()) is None


def test_a_layout_of_a_large_window_waits_until_there_is_room_for_it(opened, qtbot):
    desk = opened.page.desk

    def stand():
        return {name: desk.dockWidgetArea(desk.dock(name)) for name in desk.names if desk.has(name)}

    for workspace in Workspace:
        opened.resize(2560, 1440)
        opened.session.work_in(str(workspace))
        desk.reset()
        assert waited_for_faults(qtbot, opened) == []
        large = stand()
        wide = {name: desk.dock(name).width() for name in large if desk.in_front(name)}
        opened.resize(1024, 640)
        assert waited_for_faults(qtbot, opened) == []
        assert (opened.width(), opened.height()) == (1024, 640)
        opened.resize(2560, 1440)
        qtbot.wait(60)
        assert stand() == large
        assert {name: desk.dock(name).width() for name in wide} == pytest.approx(wide, abs=8)
        assert waited_for_faults(qtbot, opened) == []


def test_a_layout_remembered_of_a_large_window_opens_well_in_a_small_one(opened, qtbot):
    desk = opened.page.desk
    opened.resize(2560, 1440)
    turn(qtbot, opened, Workspace.CURATE)
    desk.reset()
    turn(qtbot, opened, Workspace.INSPECT)
    opened.resize(1024, 640)
    turn(qtbot, opened, Workspace.CURATE)
    assert waited_for_faults(qtbot, opened) == []
    desk.put_away("overview")
    assert not desk.has("overview")
    opened.resize(2560, 1440)
    qtbot.wait(60)
    assert not desk.has("overview"), "what a hand has arranged in the small window stays"


def test_a_view_that_goes_while_the_mouse_is_over_it_is_not_the_one_keys_act_upon(opened, qtbot):
    last = opened.page.views.view(3)
    last.pointed.emit()
    assert opened.session.state.active == 3
    turn(qtbot, opened, Workspace.CURATE)
    last.pointed.emit()  # as the window system tells it late
    assert opened.session.state.active == 0


def test_charts_of_evidence_can_be_read_in_a_small_window(opened, qtbot):
    opened.resize(1024, 640)
    opened.page.desk.reset()
    opened.page.desk.bring("evidence")
    charts = opened.page.charts
    for chart in (charts.sparsification, charts.calibration):
        qtbot.waitUntil(lambda chart=chart: chart.isVisible() and chart.height() >= 100)


@pytest.mark.parametrize("size", [(1024, 640), (1280, 720), (1440, 900)])
def test_panels_are_as_large_as_before_once_all_runs_are_left(opened, qtbot, size):
    opened.resize(*size)
    opened.session.work_in("Train")
    opened.page.desk.reset()
    qtbot.wait(100)
    desk, board = opened.page.desk, opened.page.run_pages.board
    before = (
        board.size(),
        {name: desk.dock(name).size() for name in desk.names if desk.in_front(name)},
    )
    show = opened.session.inspection.table.show
    for _ in range(2):
        show(str(Centre.RUNS))
        qtbot.wait(100)
        assert board.size() != before[0] or not board.isVisible() or desk.has("runs")
        show(str(Centre.PICTURES))
        qtbot.wait(100)
    after = (
        board.size(),
        {name: desk.dock(name).size() for name in desk.names if desk.in_front(name)},
    )
    assert after == before


def test_panels_that_come_back_as_tabs_have_no_more_room_than_before(qtbot):
    desk = Desk(QWidget())
    qtbot.addWidget(desk)
    for name in ("film", "diary", "history", "thresholds", "evidence", "scenes", "why", "scene"):
        desk.add(name, name, QWidget())
    desk.resize(1280, 632)
    desk.show()
    desk.turn_to(Workspace.TRAIN)
    qtbot.wait(50)
    film, behind = desk.dock("film"), desk.dock("history")
    before = film.height()
    assert film.widget().height() == before, "its tab says the name"
    behind.widget().setMinimumHeight(before)  # with a bar over it more than there is
    for _ in range(2):
        desk.clear("runs", cleared=True)
        qtbot.wait(50)
        desk.clear("runs", cleared=False)
        qtbot.wait(50)
        assert film.height() == before
    desk.turn_to(Workspace.INSPECT)
    desk.turn_to(Workspace.TRAIN)
    qtbot.wait(50)
    assert film.height() == before
