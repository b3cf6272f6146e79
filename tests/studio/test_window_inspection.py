"""The inspection room as a person uses it: the mouse on lines, points and pictures, and keys."""

import numpy as np
import pytest
from hands import centre_of, point_at
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication, QImage

from smarthdr_studio.core.display import Layer
from smarthdr_studio.core.imaging.image_files import read_layers
from smarthdr_studio.studio.actions import ACTIONS
from smarthdr_studio.studio.state import CompareMode, Tool

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def press(qtbot, window, key, modifier=NONE):
    qtbot.keyClick(window, key, modifier)


def drag(qtbot, widget, start, end):
    qtbot.mousePress(widget, LEFT, pos=start)
    qtbot.mouseMove(widget, (start + end) / 2)
    qtbot.mouseMove(widget, end)
    qtbot.mouseRelease(widget, LEFT, pos=end)


def as_array(image):
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    flat = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    return flat[:, : rgb.width() * 3].reshape(rgb.height(), rgb.width(), 3).copy()


def test_every_action_has_a_command_and_every_command_an_action(opened):
    assert {action.id for action in ACTIONS} == set(opened.menus._actions)


def test_the_line_of_a_histogram_is_dragged_with_the_mouse(opened, qtbot):
    chart = opened.page.charts.patches.plot.viewport()
    middle = chart.height() // 3
    before = opened.session.state.masks.tau_patch
    drag(qtbot, chart, QPoint(chart.width() // 2, middle), QPoint(chart.width() // 4, middle))
    state = opened.session.state
    assert state.masks.tau_patch < before
    assert state.undo is not None
    assert state.masks == opened.session.curating._controller.masks


def test_the_point_of_the_map_is_dragged_with_the_mouse(opened, qtbot):
    chart = opened.page.charts.map.plot.viewport()
    start = QPoint(chart.width() // 2, chart.height() // 2)
    drag(qtbot, chart, start, QPoint(chart.width() - 30, 30))
    masks = opened.session.state.masks
    assert masks.tau_patch > 0.8
    assert masks.tau_pixel > 0.8


def test_keep_eighty_percent_keeps_eighty_percent(opened, qtbot, until):
    button = opened.page.trust_side.pool_map._keep[0.8]
    assert button.isEnabled()
    qtbot.mouseClick(button, LEFT)
    assert opened.session.state.pool.retained == pytest.approx(0.8, abs=0.03)


def test_a_rectangle_is_drawn_counted_and_let_go(opened, qtbot, until):
    press(qtbot, opened, Qt.Key.Key_S)
    assert opened.session.state.tool is Tool.RECTANGLE
    picture = opened.page.views.view(0).picture
    centre = QPoint(picture.width() // 2, picture.height() // 2)
    drag(qtbot, picture, centre - QPoint(30, 20), centre + QPoint(30, 20))
    until(opened.session, lambda s: s.report is not None)
    assert opened.session.state.region.kind == "rectangle"
    words = opened.page.trust_side.why._line.toolTip()
    assert opened.session.state.explanation.sentence in words
    press(qtbot, opened, Qt.Key.Key_Escape)
    assert opened.session.state.region is None


def test_the_story_from_the_worst_region_to_a_figure(opened, qtbot, until, tmp_path):
    opened.page.desk.bring("scene")
    press(qtbot, opened, Qt.Key.Key_T)
    until(opened.session, lambda s: s.report is not None)
    assert opened.page.desk.in_front("why")
    assert opened.session.state.shown == "006"
    left, top, right, bottom = opened.page.views.visible(0)
    assert left <= 64
    assert right >= 128
    assert top <= 0
    assert bottom >= 64
    qtbot.mouseClick(opened.page.trust_side.pool_map._keep[0.8], LEFT)
    assert opened.session.state.pool.retained == pytest.approx(0.8, abs=0.03)
    until(opened.session, lambda s: opened.session.at_rest)
    figure = tmp_path / "figure.png"
    opened._figure_commands.writer("export_sheet")(figure)
    until(opened.session, lambda s: s.notice is not None)
    assert "figure.png" in opened.session.state.notice.text
    assert QImage(str(figure)).width() > 200


def test_the_exported_view_is_the_picture_on_the_screen(opened, until, tmp_path):
    opened.session.inspection.viewing.activate(1)
    path = tmp_path / "view.png"
    opened._figure_commands.writer("export_view")(path)
    until(opened.session, lambda s: s.notice is not None)
    painted = opened.session.screen.painted_view(1)
    assert np.array_equal(as_array(QImage(str(path))), painted.rgb8)


def test_an_exported_layer_holds_the_numbers_themselves(opened, until, tmp_path):
    opened.session.inspection.viewing.activate(1)
    path = tmp_path / "sigma.exr"
    opened._figure_commands.writer("export_exr")(path)
    until(opened.session, lambda s: s.notice is not None)
    (values,) = read_layers(path)[0].values()
    assert np.array_equal(values, opened.session.screen.stage.material.sigma)


def test_a_place_that_cannot_be_written_is_one_sentence(opened, until, tmp_path):
    (tmp_path / "nowhere").write_text("a file where a folder should be")
    for kind in ("export_view", "export_png16", "export_exr"):
        opened._figure_commands.writer(kind)(tmp_path / "nowhere" / "x.png")
        until(opened.session, lambda s: s.notice is not None and s.notice.tone == "bad")
        assert "nowhere" in opened.session.state.notice.text
        opened.session.dismiss()


def test_a_copied_view_is_on_the_clipboard(opened, qtbot):
    opened.session.inspection.viewing.activate(0)
    press(qtbot, opened, Qt.Key.Key_C, CTRL)
    copied = as_array(QGuiApplication.clipboard().image())
    assert np.array_equal(copied, opened.session.screen.painted_view(0).rgb8)


def test_grids_layers_and_comparisons_answer_to_keys(opened, qtbot):
    state = lambda: opened.session.state  # noqa: E731
    press(qtbot, opened, Qt.Key.Key_6, CTRL | Qt.KeyboardModifier.AltModifier)
    assert len(state().views) == 6
    assert opened.page.views.count == 6
    opened.session.inspection.viewing.activate(0)  # whatever the real mouse points at
    press(qtbot, opened, Qt.Key.Key_V)
    assert state().active == 1
    press(qtbot, opened, Qt.Key.Key_U)
    assert state().views[1].layer is Layer.PSEUDO_LABEL
    press(qtbot, opened, Qt.Key.Key_W)
    assert state().compare.mode is CompareMode.WIPE
    press(qtbot, opened, Qt.Key.Key_W, SHIFT)
    assert state().compare.mode is CompareMode.DIFFERENCE
    press(qtbot, opened, Qt.Key.Key_Z)
    assert state().views[1].zebra
    press(qtbot, opened, Qt.Key.Key_4, CTRL | Qt.KeyboardModifier.AltModifier)
    assert len(state().views) == 4


def test_the_crosshair_walks_by_keys_and_the_inspector_with_it(opened, qtbot):
    opened.page.views.move_cursor(0, 0)
    before = opened.session.state.readout
    press(qtbot, opened, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    now = opened.session.state.readout
    assert (now.x, now.y) == (before.x + 1, before.y)


def test_the_status_bar_tells_of_a_pixel_only_where_pictures_are(opened, qtbot):
    picture = opened.page.views.view(0).picture
    point_at(picture, centre_of(picture))
    qtbot.waitUntil(lambda: opened.session.state.readout is not None)
    pixel = opened.readout._pixel.text()
    assert pixel
    for leave in (lambda: opened.session.work_in("Train"), lambda: toggle(opened, "show_runs")):
        leave()
        assert opened.readout._pixel.text() == ""
        opened.session.work_in("Inspect")
        assert opened.readout._pixel.text() == pixel


def toggle(window, command):
    window.menus._actions[command].trigger()


def test_thresholds_answer_to_keys_and_can_be_taken_back(opened, qtbot):
    press(qtbot, opened, Qt.Key.Key_BracketLeft, CTRL)
    assert opened.session.state.masks.tau_patch == 0.39
    press(qtbot, opened, Qt.Key.Key_Z, CTRL)
    assert opened.session.state.masks.tau_patch == 0.4


def test_panels_answer_to_keys_and_are_found_again_with_the_next_project(
    opened, qtbot, until, tiny_project
):
    desk = opened.page.desk
    press(qtbot, opened, Qt.Key.Key_F4)
    press(qtbot, opened, Qt.Key.Key_F6)
    qtbot.waitUntil(lambda: desk.in_front("evidence") and desk.in_front("history"))
    assert opened.page.history.isVisible()
    opened.session.close_project()
    until(opened.session, lambda s: opened.session.at_rest)
    opened.session.take(tiny_project)
    until(opened.session, lambda s: s.shown is not None)
    qtbot.waitUntil(lambda: desk.in_front("evidence") and desk.in_front("history"))
    assert not desk.in_front("thresholds")


def test_a_key_of_one_s_own_works_at_once_and_after_a_restart(opened, qtbot, until, places):
    opened._take_keys({"promote": ("Ctrl+U",)})
    assert opened.session.preferences.keys == {"promote": ("Ctrl+U",)}
    press(qtbot, opened, Qt.Key.Key_U, CTRL)
    until(opened.session, lambda s: s.row("003").status.value == "promoted")
    assert "Ctrl+U" in places.preferences.read_text()


def test_memory_for_caches_is_chosen_and_remembered(opened, places):
    opened.session.set_budget(2**29)
    assert opened.session.state.cache_budget == 2**29
    assert str(2**29) in places.preferences.read_text()


def test_holding_shift_over_a_view_shows_its_partner(opened, qtbot):
    shown = []
    opened.session.screen.partnered.connect(lambda *what: shown.append(what))
    opened.session.inspection.viewing.flicker(0, True)
    opened.session.inspection.viewing.flicker(0, False)
    (first, second) = shown
    assert first[0] == second[0] == 0
    assert first[1].title == "Reference frame"
    assert second[1] is None
