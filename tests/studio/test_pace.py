"""Beside a run on the processor a moving hand is followed with a gap, and its last wish is met."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QObject, QPointF

from smarthdr_studio.studio.plots.histogram import ThresholdHistogram
from smarthdr_studio.studio.plots.retention_map import RetentionMap
from smarthdr_studio.studio.state import Activity, TrainingState
from smarthdr_studio.studio.widgets.pace import Pace, least_gap_ms

AT_WORK = TrainingState(activity=Activity.RUNNING, device="cpu")


@pytest.fixture
def paced(qapp):
    """A pace, and what it has handed on."""
    found, parent = [], QObject()
    pace = Pace(found.append, parent)
    yield pace, found, parent
    pace.rest()


def test_the_first_comes_at_once_and_of_many_the_newest_follows(paced, qtbot):
    pace, found, _ = paced
    for value in range(20):
        pace.take(value, gap_ms=40)
    assert found == [0]
    qtbot.waitUntil(lambda: found == [0, 19])
    qtbot.wait(60)
    assert found == [0, 19]
    pace.take(20, gap_ms=40)
    assert found == [0, 19, 20]


def test_without_a_gap_every_value_is_handed_on_and_none_comes_late(paced, qtbot):
    pace, found, _ = paced
    pace.take(0, gap_ms=40)
    pace.take(1, gap_ms=40)
    for value in range(2, 9):
        pace.take(value, gap_ms=0)
    qtbot.wait(60)
    assert found == [0, *range(2, 9)]


def test_what_waits_is_forgotten_where_something_else_was_decided(paced, qtbot):
    pace, found, _ = paced
    pace.take(0, gap_ms=20)
    pace.take(1, gap_ms=20)
    pace.forget()
    qtbot.wait(40)
    assert found == [0]


def test_only_a_run_on_the_processor_is_given_way_to():
    assert least_gap_ms(AT_WORK) > 0
    assert least_gap_ms(replace(AT_WORK, device="")) > 0
    assert least_gap_ms(replace(AT_WORK, device="cuda:0")) == 0
    assert least_gap_ms(replace(AT_WORK, activity=Activity.DONE)) == 0


@pytest.fixture
def beside(opened):
    """The session of the window, beside a run on the processor; no thread is needed for it."""
    training = opened.session.training
    training._become(replace(training.state, activity=Activity.RUNNING, device="cpu"))
    yield opened.session
    training._become(replace(training.state, activity=Activity.IDLE))


def tried(session, tau):
    return replace(session.state.masks, tau_patch=tau)


def test_a_drag_is_followed_a_few_times_a_second_and_ends_where_the_hand_is(beside, until, qtbot):
    told = []
    beside.changed.connect(lambda old, new: told.append(new.masks.tau_patch))
    for step in range(30):
        beside.screen.follow_masks(tried(beside, 0.3 + step / 100))
    assert beside.state.masks.tau_patch == 0.3
    until(beside, lambda s: s.masks.tau_patch == pytest.approx(0.59))
    assert len(set(told)) == 2


def test_what_is_decided_stays_whatever_the_hand_had_tried_before(beside, qtbot):
    gap = least_gap_ms(beside.state.training)
    beside.screen.follow_masks(tried(beside, 0.3))
    beside.screen.follow_masks(tried(beside, 0.35))
    beside.curating.settle_masks(tried(beside, 0.6))
    qtbot.wait(2 * gap)
    assert beside.state.masks.tau_patch == 0.6


def test_a_pool_that_is_read_meanwhile_does_not_lose_what_the_hand_tries(beside, until):
    beside.screen.follow_masks(tried(beside, 0.3))
    beside.screen.follow_masks(tried(beside, 0.7))
    beside.screen.update_trust()
    assert beside.state.masks.tau_patch == 0.3
    until(beside, lambda s: s.masks.tau_patch == 0.7)


def test_thresholds_paint_nothing_anew_where_no_picture_heeds_them(opened, until, qtbot):
    session, painted = opened.session, []
    session.screen.pick("001")  # it has a ground truth, and no pseudo-label
    until(session, lambda s: s.shown == "001" and s.clues_known)
    qtbot.waitUntil(lambda: session.at_rest and not session.screen._repaint.isActive())
    qtbot.wait(100)
    session.screen.painted.connect(lambda view, _painted: painted.append(view))
    session.screen.follow_masks(tried(session, 0.3))
    qtbot.wait(50)
    assert (painted, session.state.masks.tau_patch) == ([], 0.3)
    session.screen.pick("003")
    until(session, lambda s: s.shown == "003")
    qtbot.waitUntil(lambda: len(painted) >= 4)
    painted.clear()
    session.screen.follow_masks(tried(session, 0.5))
    qtbot.waitUntil(lambda: len(painted) == 4)


def test_beside_a_run_the_pixel_under_the_mouse_is_read_with_a_gap(beside, qtbot, until):
    inspector, read = beside.inspection.inspector, []
    beside.changed.connect(lambda old, new: read.append((new.readout.x, new.readout.y)))
    for x in range(30):
        inspector.hover((x, 7))
    assert set(read) == {(0, 7)}
    until(beside, lambda s: s.readout.x == 29)
    assert set(read) == {(0, 7), (29, 7)}


def test_beside_a_run_charts_point_where_the_hand_is_with_a_gap(beside, opened, qtbot):
    board = opened.page.run_pages.board
    first, second = list(board.curves.values())[:2]
    for curve in (first, second):
        curve.extend(next(iter(curve.lines.shown), "a"), np.arange(50), np.arange(50.0))
    for x in range(30):
        first._hover(QPointF(x, 0))
    assert (first._cursor, second._cursor) == (0, 0)
    qtbot.waitUntil(lambda: (first._cursor, second._cursor) == (29, 29))
    first._hover(None)
    qtbot.waitUntil(lambda: first._cursor is None and second._cursor is None)


def test_pictures_follow_with_a_gap_but_a_brush_at_once(beside, qtbot):
    screen, painted = beside.screen, []
    qtbot.wait(3 * least_gap_ms(beside.state.training))
    screen.painted.connect(lambda view, _painted: painted.append(view))
    screen.repaint()
    qtbot.waitUntil(lambda: len(painted) == 4)
    screen.repaint()
    qtbot.wait(20)
    assert len(painted) == 4  # the next ones have to wait
    screen.preview(None, None)
    qtbot.wait(20)
    assert len(painted) == 8


def test_a_slider_beside_a_run_stays_under_the_hand_and_ends_where_it_was_left(
    beside, opened, qtbot
):
    control = opened.page.trust_side.reliability.patches
    slider, number = control._slider, control._number
    slider.setSliderDown(True)
    for step in (31, 32, 36):
        slider.setValue(step)
        assert (slider.value(), number.value()) == (step, step / 100)
    qtbot.wait(2 * least_gap_ms(beside.state.training))
    assert (slider.value(), beside.state.masks.tau_patch) == (36, 0.36)
    for step in (40, 42, 45):
        slider.setValue(step)
    assert beside.state.masks.tau_patch < 0.45
    slider.setSliderDown(False)
    assert (slider.value(), beside.state.masks.tau_patch) == (45, 0.45)
    qtbot.wait(2 * least_gap_ms(beside.state.training))
    assert (slider.value(), beside.state.masks.tau_patch) == (45, 0.45)


@pytest.mark.parametrize("after", [0.45, 0.2])
def test_keys_go_on_from_their_own_step_while_the_line_comes_later(qtbot, after):
    chart = ThresholdHistogram("S_pa", dropped="bad")
    qtbot.addWidget(chart)
    dragged, released = [], []
    chart.tau_dragged.connect(dragged.append)
    chart.tau_released.connect(released.append)
    for _ in range(5):
        chart._keys.stepped.emit(0.01, 0.0)
    chart._keys.let_go.emit()
    assert dragged == [0.41, 0.42, 0.43, 0.44, 0.45]
    assert released == [0.45]
    chart.set_tau(after)
    chart._keys.stepped.emit(0.01, 0.0)
    assert dragged[-1] == pytest.approx(after + 0.01)


def test_keys_on_the_map_go_on_from_their_own_step_too(qtbot):
    chart = RetentionMap()
    qtbot.addWidget(chart)
    picked, released = [], []
    chart.picked.connect(lambda *pair: picked.append(pair))
    chart.released.connect(lambda *pair: released.append(pair))
    for _ in range(2):
        chart._keys.stepped.emit(0.01, 0.0)
        chart._keys.stepped.emit(0.0, 0.01)
    chart._keys.let_go.emit()
    assert picked[-1] == released[0] == (0.42, 0.42)
