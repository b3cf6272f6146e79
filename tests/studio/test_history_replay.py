"""The history panel: rounds are replayed by hand and by the clock, and an alarm is told."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QPushButton, QSlider

from smarthdr_studio.core.training.round_history import RunHistory
from smarthdr_studio.studio.plots.heat_strip import HeatStripChart
from smarthdr_studio.studio.state import HeatStrip as Shares
from smarthdr_studio.studio.state import StudioState, TrainingState
from smarthdr_studio.studio.trust.history import HistoryPanel, replay_in_words

LEFT = Qt.MouseButton.LeftButton
ROUNDS = (0, 1, 4)


def state(*, replay=None, alarm="", now=False):
    shares = np.full((2, len(ROUNDS)), 0.5)
    run = RunHistory(
        run="run-1",
        records=(),
        scenes=("a", "b"),
        shares=shares,
        replayable=frozenset({4}),
        psnr_mu=(),
        alarm=alarm,
    )
    heat = Shares(run="run-1", rounds=ROUNDS, scenes=("a", "b"), shares=shares, now=now)
    return StudioState(history=run, heat=heat, replay=replay, current="a")


@pytest.fixture
def panel(qtbot):
    panel, strip = HistoryPanel(), HeatStripChart()
    panel.place(strip, rounds=strip.round_picked, scenes=strip.scene_picked)
    qtbot.addWidget(panel)
    panel.resize(640, 220)
    panel.show()
    yield panel
    panel.hide()


@pytest.fixture
def told(panel):
    """Everything picked; the panel is shown each round it asks for, as the window would."""
    said = []

    def answer(number):
        said.append(number)
        panel.show_state(state(replay=number), state(replay=number))

    panel.round_picked.connect(answer)
    panel.scene_picked.connect(said.append)
    panel.kind_picked.connect(said.append)
    panel.show_state(StudioState(), state())
    return said


def labelled(panel, words):
    return next(
        b for b in panel.findChildren(QPushButton) if words in (b.text(), b.accessibleName())
    )


def texts(panel):
    return [label.text() for label in panel.findChildren(QLabel) if label.isVisible()]


def test_before_the_first_round_the_panel_says_so_and_offers_nothing(panel):
    panel.show_state(StudioState(), StudioState())
    assert "Known after the first round of training." in texts(panel)
    assert not any(button.isVisible() for button in panel.findChildren(QPushButton))


def test_the_slider_ends_at_now(panel, told, qtbot):
    slider = panel.findChild(QSlider)
    assert slider.value() == slider.maximum() == len(ROUNDS)
    for _ in range(2):
        qtbot.keyClick(slider, Qt.Key.Key_Left)
    qtbot.keyClick(slider, Qt.Key.Key_Home)
    qtbot.keyClick(slider, Qt.Key.Key_End)
    assert told == [4, 1, 0, None]


def test_a_drag_replays_the_rounds_it_crosses(panel, told, qtbot):
    slider = panel.findChild(QSlider)
    y = slider.height() // 2
    qtbot.mousePress(slider, LEFT, pos=QPoint(slider.width() - 8, y))
    for x in range(slider.width() - 8, 0, -5):
        qtbot.mouseMove(slider, QPoint(x, y))
    qtbot.mouseRelease(slider, LEFT, pos=QPoint(2, y))
    assert told == [4, 1, 0]


def test_a_round_set_from_elsewhere_is_shown_and_nobody_picked_it(panel, told):
    panel.show_state(state(), state(replay=1))
    assert panel.findChild(QSlider).value() == 1
    panel.show_state(state(replay=1), StudioState())
    assert told == []


def test_play_steps_through_all_rounds_to_now_and_stops(panel, told, qtbot):
    panel._clock.setInterval(5)
    qtbot.mouseClick(labelled(panel, "Play"), LEFT)
    assert labelled(panel, "Stop").isVisible()
    qtbot.waitUntil(lambda: told == [0, 1, 4, None], timeout=20000)
    assert not panel._clock.isActive()
    assert labelled(panel, "Play").isVisible()


def test_two_rounds_pass_each_second(panel):
    assert panel._clock.interval() == 500


@pytest.mark.parametrize("how", ["stop", "hide", "scrub"])
def test_a_replay_is_stopped_by_hand_or_when_nobody_looks(panel, told, qtbot, how):
    qtbot.mouseClick(labelled(panel, "Play"), LEFT)
    assert panel._clock.isActive()
    match how:
        case "stop":
            qtbot.mouseClick(labelled(panel, "Stop"), LEFT)
        case "hide":
            panel.hide()
        case _:
            qtbot.keyClick(panel.findChild(QSlider), Qt.Key.Key_Right)
    assert not panel._clock.isActive()


def test_back_to_now_is_offered_while_a_round_is_replayed(panel, told, qtbot):
    back = labelled(panel, "Back to now")
    assert not back.isEnabled()
    panel.show_state(state(), state(replay=4))
    qtbot.mouseClick(back, LEFT)
    assert told == [None]


def test_the_strip_in_the_panel_picks_rounds_and_scenes(panel, told, qtbot):
    strip = panel.findChild(HeatStripChart)
    strip.show_state(StudioState(), state())
    where = strip.plot.place_of(1.5, 1.5).toPoint()
    qtbot.mouseClick(strip.plot.viewport(), LEFT, pos=where)
    assert told == [1, "b"]


def test_whose_thresholds_count_is_picked_and_shown(panel, told, qtbot):
    qtbot.mouseClick(labelled(panel, "τ of now"), LEFT)
    qtbot.mouseClick(labelled(panel, "As used"), LEFT)
    assert told == ["now", "used"]
    panel.show_state(state(), state(now=True))
    assert labelled(panel, "τ of now").isChecked()
    assert not labelled(panel, "As used").isChecked()


def test_what_is_still_kept_of_a_round_is_said():
    assert "full maps are kept" in replay_in_words(state(replay=4))
    assert "only the patch mask is kept" in replay_in_words(state(replay=1))
    assert "now" in replay_in_words(state())
    assert replay_in_words(StudioState()) == ""


def test_rounds_of_another_run_than_the_one_that_is_told_of_say_so(panel):
    before = state(replay=4)
    run = replace(before, training=TrainingState(run="run-2"))
    panel.show_state(StudioState(), before)
    panel.show_state(before, run)
    assert "Round 4 of 4 of another run: full maps are kept" in texts(panel)
    assert "another" not in replay_in_words(replace(run, training=TrainingState(run="run-1")))


def test_a_label_of_another_run_says_so_on_the_screen(opened, until):
    session, said = opened.session, []
    session.screen.painted.connect(lambda _place, painted: said.append(painted.detail))
    for run, words in (("earlier", "round 3 · "), ("r2", "round 3 of another run · ")):
        said.clear()
        session.training.show_other(TrainingState(run=run))
        until(session, lambda _s, words=words: any(each.startswith(words) for each in said))


def test_an_alarm_is_told_with_a_sign_and_goes_when_its_reason_goes(panel, told):
    panel.show_state(state(), state(alarm="Retained share rose."))
    assert "⚠ Retained share rose." in texts(panel)
    panel.show_state(state(alarm="Retained share rose."), state())
    assert not any("⚠" in text for text in texts(panel))


def test_every_control_has_a_name_and_a_tip(panel, told):
    for kind in (QPushButton, QSlider):
        for part in panel.findChildren(kind):
            assert part.accessibleName()
            assert part.toolTip()
