"""Curves, histograms and the retention map, shown offscreen."""

import time

import numpy as np
import pytest
from hands import point_at
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage

from smarthdr_studio.studio.plots.axes import Axis, ticks, worded
from smarthdr_studio.studio.plots.curves import Curve
from smarthdr_studio.studio.plots.histogram import ThresholdHistogram
from smarthdr_studio.studio.plots.retention_map import RetentionMap
from smarthdr_studio.studio.plots.trace import LARGEST, Trace
from smarthdr_studio.studio.theme import DARK, LIGHT


def picture_of(widget):
    """The widget's pixels, H×W×3; copied, because Qt owns the others only while it lives."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def share_of(widget, colour):
    """Which share of the widget has this colour, but for the smoothing of edges."""
    away = np.abs(picture_of(widget).astype(int) - tuple(bytes.fromhex(colour[1:])))
    return (away.max(2) < 24).mean()


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=6000))
def test_a_trace_never_loses_its_extremes_and_never_draws_more_than_its_columns(values):
    one_by_one, at_once = Trace(), Trace()
    for x, y in enumerate(values):
        one_by_one.add(x, y)
    at_once.extend(np.arange(len(values)), np.array(values))
    for trace in (one_by_one, at_once):
        assert trace.span() == (0, len(values) - 1, min(values), max(values))
        assert trace.last == (len(values) - 1, values[-1])
        assert len(trace) == len(values)
        x, y = trace.outline()
        assert len(x) == len(y) <= 2 * LARGEST
        assert (np.diff(x) >= 0).all()


def test_many_points_at_once_draw_as_the_same_points_one_by_one():
    values = np.random.default_rng(0).normal(size=10_000)
    one_by_one, at_once = Trace(), Trace()
    for x, y in enumerate(values):
        one_by_one.add(x, y)
    at_once.extend(np.arange(7_001), values[:7_001])
    at_once.extend(np.arange(7_001, 10_000), values[7_001:])
    for first, second in zip(one_by_one.outline(), at_once.outline(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_values_that_are_no_numbers_are_left_out():
    trace = Trace()
    trace.add(0, float("nan"))
    assert trace.span() is None
    trace.extend(np.arange(3), np.array([1.0, np.inf, 2.0]))
    assert trace.last == (2, 2)
    assert trace.span() == (0, 2, 1, 2)


@given(st.floats(-1e5, 1e5), st.floats(1e-4, 1e6), st.integers(1, 12))
def test_ticks_are_few_and_inside(low, length, most):
    found = ticks(low, low + length, most=most)
    assert len(found) <= most + 1
    assert all(low - length * 1e-6 <= tick <= low + length * (1 + 1e-6) for tick in found)


def test_ticks_are_round():
    assert ticks(0, 1, most=5) == (0, 0.2, 0.4, 0.6, 0.8, 1.0)
    assert ticks(34.2, 44.9, most=3) == (35, 40)
    assert [worded(v) for v in (0.02, 40, 12_000, 0, 1.2e-5)] == [
        "0.02",
        "40",
        "12k",
        "0",
        "1.2e-05",
    ]


def test_an_axis_is_its_own_inverse_and_holds_what_is_beyond():
    axis = Axis(low=-1, high=3, first=200, last=40)
    assert axis.value(axis.at(0.7)) == pytest.approx(0.7)
    assert axis.value(1000) == -1


def test_a_curve_without_points_says_so_and_one_with_points_is_drawn(qtbot):
    curve = Curve("Loss", across="step")
    qtbot.addWidget(curve)
    curve.resize(260, 140)
    assert share_of(curve, DARK.accent) == 0
    for x in range(50):
        curve.add("supervised", x, 1 / (x + 1))
    assert share_of(curve, DARK.accent) > 0
    assert curve.now("supervised") == pytest.approx(0.02)
    curve.clear()
    assert share_of(curve, DARK.accent) == 0
    assert curve.now("supervised") is None


def test_several_series_differ_in_colour(qtbot):
    curve = Curve("Kept share", across="round")
    qtbot.addWidget(curve)
    curve.resize(260, 140)
    curve.set_palette_colours(LIGHT)
    for x in range(9):
        curve.add("pool", x, x)
        curve.add("scene", x, 2 * x)
    assert share_of(curve, LIGHT.accent) > 0
    assert share_of(curve, LIGHT.warn) > 0


def test_a_million_points_are_as_fast_to_draw_as_a_thousand(qtbot):
    def drawn_in(points):
        curve = Curve("Loss")
        qtbot.addWidget(curve)
        curve.resize(300, 140)
        curve.extend("loss", np.arange(points), np.sin(np.arange(points) / 300))
        picture_of(curve)
        started = time.process_time()
        picture_of(curve)
        return time.process_time() - started

    # The law is that cost does not follow the number of points; the factor forgives the machine.
    assert min(drawn_in(10**6) for _ in range(3)) < 20 * min(drawn_in(10**3) for _ in range(3))


def test_pointing_at_a_curve_reads_it_and_the_wheel_passes_through(qtbot):
    curve = Curve("PSNR-μ", "dB", across="round")
    qtbot.addWidget(curve)
    curve.resize(300, 140)
    curve.show()
    for x in range(11):
        curve.add("held out", x, 30 + x)
    before = picture_of(curve)
    point_at(curve, QPoint(150, 80))
    assert (picture_of(curve) != before).any()
    assert "wheelEvent" not in vars(Curve)


@pytest.fixture
def histogram(qtbot):
    histogram = ThresholdHistogram("τ_pa, patches")
    qtbot.addWidget(histogram)
    histogram.resize(316, 90)
    histogram.set_counts(np.linspace(0, 1, 65), np.arange(64, 0, -1))
    histogram.show()
    return histogram


def test_a_lower_threshold_keeps_less_of_the_histogram(histogram):
    kept = []
    for tau in (1.0, 0.7, 0.3, 0.0):
        histogram.set_tau(tau)
        kept.append(share_of(histogram, DARK.good))
    assert kept == sorted(kept, reverse=True)
    assert kept[0] > kept[-1] == 0


def test_dragging_the_line_says_where_the_hand_is_and_waits_to_be_told(histogram, qtbot):
    dragged, released = [], []
    histogram.tau_dragged.connect(dragged.append)
    histogram.tau_released.connect(released.append)
    qtbot.mousePress(histogram, Qt.MouseButton.LeftButton, pos=QPoint(158, 40))
    qtbot.mouseMove(histogram, QPoint(233, 40))
    qtbot.mouseMove(histogram, QPoint(900, 40))
    qtbot.mouseRelease(histogram, Qt.MouseButton.LeftButton, pos=QPoint(-50, 40))
    assert dragged == pytest.approx([0.5, 0.75, 1.0], abs=0.01)
    assert released == [0.0]
    assert histogram.tau == 0.4
    histogram.set_tau(0.25)
    assert "0.25" in histogram.accessibleName()


def test_counts_need_one_edge_more(histogram):
    with pytest.raises(ValueError, match="edges"):
        histogram.set_counts(np.linspace(0, 1, 4), np.ones(4))


def test_an_empty_histogram_is_still_drawn(histogram):
    histogram.set_counts(np.linspace(0, 1, 65), np.zeros(64, int))
    assert share_of(histogram, DARK.good) == 0


def shares():
    taus = np.linspace(0, 1, 21)
    return np.outer(taus, taus)  # kept = τ_pi · τ_pa


def test_the_map_reads_its_grid(qtbot):
    chart = RetentionMap()
    qtbot.addWidget(chart)
    assert chart.share_at(0.5, 0.5) is None
    chart.set_shares(shares())
    assert chart.share_at(0.6, 0.9) == pytest.approx(0.54, abs=0.01)
    chart.set_taus(1.0, 0.5)
    assert "50 %" in chart.accessibleName()
    chart.set_shares(None)
    assert "%" not in chart.accessibleName()


def test_the_map_is_lightest_where_most_is_kept(qtbot):
    chart = RetentionMap()
    qtbot.addWidget(chart)
    chart.resize(300, 280)
    chart.set_shares(shares())
    grey = picture_of(chart).astype(float).mean(2)
    assert grey[30, 270] > grey[150, 150] > grey[240, 60]


def test_dragging_the_point_picks_a_pair(qtbot):
    chart = RetentionMap()
    qtbot.addWidget(chart)
    chart.resize(300, 280)
    chart.set_shares(shares())
    chart.show()
    picked, released = [], []
    chart.picked.connect(lambda *pair: picked.append(pair))
    chart.released.connect(lambda *pair: released.append(pair))
    qtbot.mousePress(chart, Qt.MouseButton.LeftButton, pos=QPoint(0, 279))
    qtbot.mouseMove(chart, QPoint(299, 0))
    qtbot.mouseRelease(chart, Qt.MouseButton.LeftButton, pos=QPoint(299, 279))
    assert picked == [(0.0, 0.0), (1.0, 1.0)]
    assert released == [(1.0, 0.0)]


def test_arrow_keys_move_the_line_in_small_and_in_large_steps(histogram, qtbot):
    dragged, released = [], []
    histogram.tau_dragged.connect(dragged.append)
    histogram.tau_dragged.connect(histogram.set_tau)
    histogram.tau_released.connect(released.append)
    histogram.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(histogram, Qt.Key.Key_Right)
    qtbot.keyClick(histogram, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert dragged == [0.41, 0.31]
    assert released == dragged
    for _ in range(5):
        qtbot.keyClick(histogram, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert histogram.tau == 0


def test_a_key_held_down_settles_once_where_it_was_let_go(histogram, qtbot):
    released = []
    histogram.tau_dragged.connect(histogram.set_tau)
    histogram.tau_released.connect(released.append)
    histogram.setFocus(Qt.FocusReason.TabFocusReason)
    for _ in range(7):
        qtbot.keyPress(histogram, Qt.Key.Key_Right)
    assert released == []
    qtbot.keyRelease(histogram, Qt.Key.Key_Right)
    assert released == [0.47]
    qtbot.keyPress(histogram, Qt.Key.Key_Right)
    histogram.clearFocus()
    assert released == [0.47, 0.48]


def test_a_click_leaves_the_arrow_keys_to_the_window(histogram, qtbot):
    histogram.clearFocus()
    qtbot.mouseClick(histogram, Qt.MouseButton.LeftButton, pos=QPoint(100, 40))
    assert not histogram.hasFocus()
    histogram.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(histogram, Qt.Key.Key_Escape)
    assert not histogram.hasFocus()


def test_a_histogram_says_whose_scores_it_counts(histogram):
    histogram.set_name("S_pa of the region")
    assert "S_pa of the region" in histogram.accessibleName()
    assert "S_pa of the region" in histogram.toolTip()
