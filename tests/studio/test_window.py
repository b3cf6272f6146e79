"""The window as a person uses it: keys, clicks, a whole training, and leaving in the middle."""

import gc
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QPushButton,
    QSlider,
)

from smarthdr_studio.core.display import ColourMap, Layer
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.studio import application
from smarthdr_studio.studio.app import refuse_without
from smarthdr_studio.studio.state import Workspace
from smarthdr_studio.studio.widgets import slider


def button(window, text):
    return next(b for b in window.findChildren(QPushButton) if b.text() == text and b.isVisible())


def click(qtbot, window, text):
    qtbot.mouseClick(button(window, text), Qt.MouseButton.LeftButton)


def press(qtbot, window, key, modifier=Qt.KeyboardModifier.NoModifier):
    qtbot.keyClick(window, key, modifier)


def test_a_click_in_the_list_shows_the_scene(opened, qtbot, until):
    view = opened.page.scenes._list
    place = view.visualRect(view.model().index(2, 0)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    until(opened.session, lambda s: s.shown == "003")


def test_thumbnails_come_by_themselves(opened, qtbot, places):
    qtbot.waitUntil(lambda: opened.page.desk.in_front("thresholds"))
    opened.page.go_to_tab("scenes")
    model = opened.page.scenes._model
    qtbot.waitUntil(lambda: "003" in model._thumbnails, timeout=60000)
    assert list(places.thumbnails.glob("*.jpg"))


def test_arrow_keys_change_the_scene_whatever_was_clicked(opened, qtbot, until):
    page = opened.page
    for clicked in (
        page.trust_side.reliability.patches._slider,
        page.scenes._list.viewport(),
        page.views.view(1).picture,
        button(opened, "Masks"),
    ):
        qtbot.mouseClick(clicked, Qt.MouseButton.LeftButton, pos=QPoint(30, 8))
        before = opened.session.state.current
        press(qtbot, opened, Qt.Key.Key_Right)
        until(opened.session, lambda s, before=before: s.current != before and s.shown == s.current)
        press(qtbot, opened, Qt.Key.Key_A)
        until(opened.session, lambda s, before=before: s.current == before)


def test_keys_of_exposure_and_maps_do_what_they_say(opened, qtbot):
    def shown():
        return opened.session.state.display

    press(qtbot, opened, Qt.Key.Key_E)
    press(qtbot, opened, Qt.Key.Key_BracketRight)
    assert shown().exposure_ev == 0.6
    press(qtbot, opened, Qt.Key.Key_E, Qt.KeyboardModifier.ShiftModifier)
    press(qtbot, opened, Qt.Key.Key_BracketLeft)
    assert shown().exposure_ev == 0.0
    press(qtbot, opened, Qt.Key.Key_E)
    press(qtbot, opened, Qt.Key.Key_R)
    assert shown().exposure_ev == 0.0
    press(qtbot, opened, Qt.Key.Key_G)
    assert shown().colour_map is tuple(ColourMap)[1]
    press(qtbot, opened, Qt.Key.Key_M)
    assert not shown().mask_visible


def test_a_digit_changes_the_layer_of_the_view_that_was_pointed_at(opened, qtbot):
    picture = opened.page.views.view(2).picture
    for place in (QPoint(5, 5), QPoint(40, 30)):  # a cursor that is there already does not move
        qtbot.mouseMove(picture, place)
    qtbot.waitUntil(lambda: opened.session.state.active == 2, timeout=20000)
    press(qtbot, opened, Qt.Key.Key_6)
    assert opened.session.state.views[2].layer is tuple(Layer)[5]


def test_promote_and_undo_by_keys(opened, qtbot, until, tiny_project):
    press(qtbot, opened, Qt.Key.Key_P)
    until(opened.session, lambda s: s.row("003").status is Status.PROMOTED and s.busy == "")
    press(qtbot, opened, Qt.Key.Key_P, Qt.KeyboardModifier.ShiftModifier)
    assert opened.session.state.row("003").status is Status.UNLABELLED
    press(qtbot, opened, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert opened.session.state.row("003").status is Status.PROMOTED
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    press(qtbot, opened, Qt.Key.Key_Z, both)
    assert opened.session.state.row("003").status is Status.UNLABELLED
    press(qtbot, opened, Qt.Key.Key_X)
    with Project.open(tiny_project) as project:
        assert project.statuses()["003"] is Status.EXCLUDED


def test_letters_typed_into_the_filter_are_not_commands(opened, qtbot):
    opened.page.scenes.start_search()
    box = opened.page.scenes._search
    qtbot.keyClicks(box, "excluded")
    assert opened.session.state.row("001").status is Status.GROUND_TRUTH
    assert opened.page.shelf.model.rowCount() == 0
    box.clear()
    qtbot.keyClicks(box, "unlabelled id:4")
    assert opened.page.shelf.model.rowCount() == 1
    box.clear()


def test_dragging_a_threshold_moves_masks_and_letting_go_keeps_them(opened, qtbot):
    slider = opened.page.trust_side.reliability.patches._slider
    before = opened.session.state.pool
    slider.setSliderDown(True)
    slider.setSliderPosition(10)
    assert opened.session.state.masks.tau_patch == 0.1
    assert opened.session.state.pool.patches_retained < before.patches_retained
    assert opened.session.state.undo is None
    slider.setSliderDown(False)
    assert "0.1" in opened.session.state.undo


def test_a_number_typed_is_the_threshold(opened, qtbot):
    number = opened.page.trust_side.reliability.pixels._number
    number.selectAll()
    qtbot.keyClicks(number, "0.25")
    qtbot.keyClick(number, Qt.Key.Key_Return)
    assert opened.session.state.masks.tau_pixel == 0.25
    assert opened.page.trust_side.reliability.pixels._slider.value() == 25


def test_what_is_typed_is_what_counts_and_what_is_told(opened, qtbot, until, monkeypatch):
    refused = []
    monkeypatch.setattr(slider.QToolTip, "showText", lambda _at, words, _by: refused.append(words))
    field = opened.page.trust_side.reliability.pixels._number
    field.selectAll()
    qtbot.keyClicks(field, ".305")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    until(opened.session, lambda s: s.masks.tau_pixel == 0.305)
    assert field.text() == "0.305"
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "1,7")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(refused) == 1, timeout=20000)
    assert field.hasFocus()  # what was refused is typed again, and no key is a command
    qtbot.keyClicks(field, "0.305")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert not field.hasFocus()
    assert opened.session.state.masks.tau_pixel == 0.305
    opened.session.screen.pick("004")
    until(opened.session, lambda s: s.shown == "004")
    words = opened.session.screen.painted_view(3).detail
    assert "τ_pi 0.305" in words


def test_the_histogram_line_is_a_handle_of_the_same_threshold(opened):
    opened.page.charts.patches.tau_dragged.emit(0.62)
    assert opened.session.state.masks.tau_patch == 0.62
    opened.page.charts.patches.tau_released.emit(0.62)
    assert opened.session.state.undo is not None
    opened.page.charts.map.released.emit(0.5, 0.7)
    assert opened.session.state.masks.tau_pixel == 0.7


def test_hovering_a_view_fills_the_status_bar(opened, until, qtbot):
    opened.page.scenes.step(1)
    until(opened.session, lambda s: s.shown == "004")
    opened.page.views.hovered.emit((3, 4))
    label, first = opened.readout._pixel, "(3, 4) · trusted"
    assert label.whole.startswith(f"{first} · S_pa ")
    for part in ("S_pi", "σ", "linear 0.250", "μ-law"):
        assert part in label.whole
    label.setFixedWidth(label.fontMetrics().horizontalAdvance(f"{first} · S_p"))
    qtbot.waitUntil(lambda: label.text() == f"{first} …", timeout=20000)  # and nothing of it cut


def test_side_panels_hide_and_come_back(opened, qtbot):
    press(qtbot, opened, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    assert not opened.page.scenes.isVisible()
    assert not opened.page.training.isVisible()
    press(qtbot, opened, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    assert opened.page.scenes.isVisible()


def test_every_control_has_a_name_and_a_tooltip(opened):
    for kind in (QPushButton, QComboBox, QDoubleSpinBox, QSlider, QLineEdit):
        for part in opened.findChildren(kind):
            inner = isinstance(part.parent(), (QDoubleSpinBox, QComboBox))
            if part.isVisible() and not inner:
                assert part.accessibleName(), part
                assert part.toolTip(), part.accessibleName()


def test_the_look_changes_at_once_and_is_remembered(opened, places):
    opened.set_look("light")
    assert opened.session.preferences.look == "light"
    opened.set_look("dark")
    assert '"dark"' in places.preferences.read_text()


def test_while_the_window_is_open_turns_are_short_and_only_it_collects_garbage(qapp, monkeypatch):
    from smarthdr_studio.studio import app

    class Shown(QObject):
        def exec(self):
            seen.append((sys.getswitchinterval(), gc.isenabled()))
            return 7

    seen, before = [], sys.getswitchinterval()
    monkeypatch.setattr(gc, "freeze", lambda: None)
    opened = Shown(qapp)
    monkeypatch.setattr(application, "shown", lambda _project: (opened, None))
    assert app.run() == 7
    opened.deleteLater()
    assert seen == [(pytest.approx(1e-4), False)]
    assert before > 1e-4
    assert sys.getswitchinterval() == before


def test_a_missing_display_or_library_is_one_sentence_with_the_remedy(monkeypatch):
    from smarthdr_studio.core.errors import DeviceError
    from smarthdr_studio.studio import app

    with pytest.raises(DeviceError, match="no display"):
        refuse_without({})
    monkeypatch.setattr(app, "_loads", lambda library: library != "libxcb-cursor.so.0")
    with pytest.raises(DeviceError, match=r"apt-get install -y libxcb-cursor0$"):
        refuse_without({"DISPLAY": ":1"})
    refuse_without({"QT_QPA_PLATFORM": "offscreen"})


def test_the_guide_ships_with_the_program(opened):
    from smarthdr_studio.core.environment import resource

    assert len(list(Path(resource("guide")).glob("*.md"))) >= 3


def test_the_scene_on_the_screen_is_named_in_every_workspace(opened, until, qtbot):
    named = opened.readout._scene
    until(opened.session, lambda s: s.shown is not None)
    for workspace in Workspace:
        opened.session.work_in(str(workspace))
        assert named.isVisible()
        assert named.text() == opened.session.state.shown
    opened.session.screen.pick("004")
    until(opened.session, lambda s: s.shown == "004")
    assert named.text() == "004"
    opened.session.close_project()
    assert named.isHidden()
