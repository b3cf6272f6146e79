"""A hand that drags a threshold: what is shown already, or what nobody sees, is not done again."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from hands import Heard
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QWidget

from smarthdr_studio.core.trust.masking import Level
from smarthdr_studio.studio.project.store import WhileSeen
from smarthdr_studio.studio.state import StudioState
from smarthdr_studio.studio.widgets.controls import Choice, button, give_tip


@pytest.fixture
def side_by_side(opened, qtbot):
    """A window of usual size, its panels where they are at first."""
    opened.resize(1440, 900)
    opened.page.desk.reset()
    qtbot.wait(50)
    return opened


def drag(window, tau):
    screen = window.session.screen
    screen.move_masks(replace(window.session.state.masks, tau_patch=tau))
    QApplication.processEvents()


def bring(window, qtbot, name):
    window.page.desk.bring(name)
    qtbot.waitUntil(lambda: window.page.desk.in_front(name))
    qtbot.wait(50)


def test_a_panel_nobody_sees_is_told_at_last_what_it_missed():
    told = []
    panel = SimpleNamespace(
        SHOWS=frozenset({"busy"}), show_state=lambda old, new: told.append((old.busy, new.busy))
    )
    kept = WhileSeen(panel)
    assert kept.parts == panel.SHOWS
    states = [replace(StudioState(), busy=word) for word in ("a", "b", "c", "d", "e")]
    kept.show_state(states[0], states[1])
    kept.show_state(states[1], states[2])
    assert told == []
    kept.see(seen=True)
    kept.show_state(states[2], states[3])
    kept.see(seen=False)
    kept.see(seen=True)
    kept.see(seen=False)
    kept.show_state(states[3], states[4])
    assert told == [("a", "c"), ("c", "d")]


def test_thresholds_behind_a_tab_follow_once_they_come_out(side_by_side, qtbot):
    window, panel = side_by_side, side_by_side.page.trust_side.reliability
    assert window.page.charts.patches.plot.isVisible()
    bring(window, qtbot, "evidence")
    before = panel._scene.text(), panel.patches._number.value()
    heard = Heard(QEvent.Type.LayoutRequest, panel, panel._scene.parentWidget())
    for tau in (0.02, 0.1):
        drag(window, tau)
    assert (panel._scene.text(), panel.patches._number.value()) == before
    assert not heard.by
    bring(window, qtbot, "thresholds")
    assert panel.patches._number.value() == 0.1
    assert panel._scene.text() != before[0]
    assert window.page.charts.patches.line.value() == 0.1
    drag(window, 0.2)
    assert panel.patches._number.value() == 0.2


def test_the_card_of_a_scene_behind_a_tab_follows_once_it_comes_out(side_by_side, qtbot):
    window, card = side_by_side, side_by_side.page.trust_side.scene
    bring(window, qtbot, "why")
    before = card._name.whole
    window.session.screen.pick("004")
    qtbot.waitUntil(lambda: window.session.state.shown == "004")
    assert card._name.whole == before != "004"
    bring(window, qtbot, "scene")
    assert card._name.whole == "004"


def test_a_step_tells_no_tip_again(side_by_side, qtbot):
    bring(side_by_side, qtbot, "thresholds")
    drag(side_by_side, 0.1)
    parts = side_by_side.page.findChildren(QWidget)
    heard = Heard(QEvent.Type.ToolTipChange, *parts)
    drag(side_by_side, 0.12)
    words = [view.header._detail for view in side_by_side.page.views._views]
    assert [part for part in heard.by if part not in words] == []


def test_a_tip_that_is_new_is_told(qtbot):
    pressed = button("Promote", tip="old")
    qtbot.addWidget(pressed)
    heard = Heard(QEvent.Type.ToolTipChange, pressed)
    give_tip(pressed, "old")
    assert not heard.by
    give_tip(pressed, "new")
    assert pressed.toolTip() == "new"


def test_a_choice_marks_what_it_is_told_whatever_was_pressed(qtbot):
    choice = Choice({"pool": "", "scene": ""}, name="Scores of")
    qtbot.addWidget(choice)
    choice.show_word("pool")
    choice._buttons["scene"].click()  # a wish that may be refused
    choice.show_word("pool")
    assert [word for word, each in choice._buttons.items() if each.isChecked()] == ["pool"]
    choice.show_word("")
    assert not any(each.isChecked() for each in choice._buttons.values())


def test_a_level_is_shown_when_it_is_another(side_by_side, qtbot):
    bring(side_by_side, qtbot, "thresholds")
    shown = side_by_side.page.trust_side.reliability.patches._level
    heard = Heard(QEvent.Type.LayoutRequest, shown.parentWidget())
    drag(side_by_side, 0.12)
    assert shown.text() == "min–max · pool ▾"
    heard.by.clear()
    shown.show_level(Level())
    QApplication.processEvents()
    assert not heard.by
    shown.show_level(Level(normalisation="absolute"))
    assert shown.text() == "σ itself ▾"


class Painted(Heard):
    """Where a widget was painted."""

    def eventFilter(self, watched, event):
        if event.type() == self._kind:
            self.by += list(event.region())
        return False


def test_of_the_list_only_lines_with_another_share_are_painted(side_by_side, qtbot):
    session, view = side_by_side.session, side_by_side.page.scenes.list
    bring(side_by_side, qtbot, "scenes")
    qtbot.waitUntil(lambda: session.at_rest)
    qtbot.wait(100)
    scenes = list(session.state.scenes)
    heard = Painted(QEvent.Type.Paint, view.viewport())
    for line in (0, 2):
        scenes[line] = replace(scenes[line], retained=0.5)
    session._store.become(scenes=tuple(scenes))
    QApplication.processEvents()
    lines = [view.visualRect(view.model().index(line, 0)) for line in (0, 2)]
    inside = [line.intersected(view.viewport().rect()) for line in lines]
    assert heard.by == [line for line in inside if not line.isEmpty()]
    assert heard.by


def test_memory_is_weighed_once_for_many_pictures(opened, qtbot, monkeypatch):
    weighed, scenes = [], opened.session.screen.scenes
    qtbot.waitUntil(lambda: not opened.session.screen._weigh.isActive())
    monkeypatch.setattr(scenes, "make_room_beside", weighed.append)
    for tau in (0.1, 0.12, 0.14):
        drag(opened, tau)
    assert weighed == []
    qtbot.waitUntil(lambda: bool(weighed))
    assert len(weighed) == 1
    assert weighed[0] > 0


@pytest.mark.parametrize(("left", "comes"), [(-1, False), (0, True), (40, True), (100, False)])
def test_charts_that_are_almost_due_come_with_the_pictures(opened, monkeypatch, left, comes):
    charted, screen = [], opened.session.screen
    screen._rechart.stop()
    timer = SimpleNamespace(remainingTime=lambda: left, interval=lambda: 250, stop=lambda: None)
    monkeypatch.setattr(screen, "_rechart", timer)
    screen.charted.connect(lambda: charted.append(left))
    screen._paint()
    assert bool(charted) is comes
