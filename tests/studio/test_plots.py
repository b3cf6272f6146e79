"""Curves, histograms and the retention map, shown offscreen."""

import numpy as np
import pytest
from hands import point_at
from hypothesis import example, given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QImage
from PySide6.QtWidgets import QApplication, QWidget

from smarthdr_studio.studio.plots.axes import ticks, worded
from smarthdr_studio.studio.plots.curves import Curve
from smarthdr_studio.studio.plots.histogram import ThresholdHistogram
from smarthdr_studio.studio.plots.plot import Plot
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


@given(st.floats(-1e5, 1e5), st.floats(1e-4, 1e6), st.integers(1, 12))
@example(1e-9, 1e-4, 1)
def test_whole_ticks_are_whole_few_and_inside(low, length, most):
    found = ticks(low, low + length, most=most, whole=True)
    assert all(tick == round(tick) for tick in found)
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


@pytest.fixture
def curve(qtbot):
    curve = Curve("Loss", "dB", across="round")
    qtbot.addWidget(curve)
    curve.resize(300, 180)
    curve.show()
    return curve


def test_a_curve_without_points_says_so_and_makes_no_plot(curve):
    curve.grab()
    assert curve.nothing() == "Nothing measured yet"
    assert curve._plot is None


def test_a_curve_with_points_draws_them_all_where_there_is_room(curve):
    for x in range(50):
        curve.add("supervised", x, 1 / (x + 1))
    assert curve.plot.isVisible()
    x, y = curve.line_of("supervised")
    np.testing.assert_array_equal(x, np.arange(50))
    np.testing.assert_allclose(y, 1 / np.arange(1, 51))
    assert curve.plot.sight[0] == (0, 49)
    assert curve.now("supervised") == pytest.approx(0.02)
    curve.clear()
    assert not curve.plot.isVisible()
    assert curve.now("supervised") is None


def test_several_series_differ_in_colour_and_in_dashes_in_every_theme(curve):
    for x in range(9):
        curve.add("pool", x, x)
        curve.add("scene", x, 2 * x)
    curve.plot.show()
    for palette in (LIGHT, DARK):
        curve.set_palette_colours(palette)
        pens = [curve._drawn[name].line.opts["pen"] for name in ("pool", "scene")]
        assert [pen.color().name() for pen in pens] == [palette.accent, palette.warn]
        assert pens[0].style() != pens[1].style()
        assert share_of(curve, palette.accent) > 0
        axis = curve.plot.left
        assert axis.textPen().color().name() == palette.muted


def test_a_million_points_are_drawn_as_two_for_each_column_and_the_newest_is_among_them(curve):
    steps = np.arange(10.0**6)
    curve.extend("loss", steps, np.sin(steps / 300))
    curve.plot.show()
    curve.add("loss", 10**6, 7.0)
    x, y = curve.line_of("loss")
    assert len(x) <= 2 * curve.plot.columns + 2
    assert (y.min(), y.max()) == (pytest.approx(-1, abs=1e-4), 7.0)
    assert x[-1] > 10**6 * (1 - 2 / curve.plot.columns)


def test_pointing_at_a_curve_reads_it_and_leaving_reads_the_newest(curve):
    for x in range(11):
        curve.add("held out", x, 30 + x)
    plot = curve.plot
    point_at(plot.viewport(), plot.place_of(4.2, 35).toPoint())
    assert curve.reading.isVisible()
    assert curve.reading.value() == 4
    assert curve.step.text == "round 4"
    assert curve.heading().placed[0].words == "34.0 dB"
    (dot,) = curve.dots.points()
    assert (dot.pos().x(), dot.pos().y()) == (4, 34)  # where it was measured
    hand = plot.viewport()
    where = plot.place_of(4.2, 35).toPoint()
    menu = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, where, hand.mapToGlobal(where))
    QApplication.sendEvent(hand, menu)  # over which the mouse leaves unheard
    assert not curve.reading.isVisible()
    assert not curve.step.isVisible()
    point_at(hand, where)
    assert curve.step.isVisible()
    plot.hovered.emit(None)
    assert not curve.reading.isVisible()
    assert curve.heading().placed[0].words == "40.0 dB"


@pytest.fixture
def histogram(qtbot):
    histogram = ThresholdHistogram("τ_pa, patches")
    qtbot.addWidget(histogram)
    histogram.resize(316, 90)
    histogram.set_counts(np.linspace(0, 1, 65), np.arange(64, 0, -1))
    histogram.show()
    assert histogram.plot.isVisible()
    return histogram


def area_of(item):
    edges, heights = item.getOriginalDataset()
    return (np.diff(edges) * heights).sum()


def test_a_threshold_cuts_the_bars_and_what_is_beyond_is_hatched(histogram):
    counts = np.log1p(np.arange(64, 0, -1))
    for tau in (1.0, 0.7, 0.3, 0.0):
        histogram.set_tau(tau)
        shares = np.clip(tau * 64 - np.arange(64), 0, 1)  # of each bar
        assert area_of(histogram.kept) == pytest.approx((shares * counts).sum() / 64)
        assert area_of(histogram.beyond) == pytest.approx(((1 - shares) * counts).sum() / 64)
        assert histogram.hatch.path().boundingRect().left() == pytest.approx(tau)
        assert histogram.line.value() == tau
    assert histogram.hatch.brush().style() is Qt.BrushStyle.BDiagPattern
    assert share_of(histogram, DARK.good) == 0


def test_counts_may_be_shown_as_they_are(histogram):
    histogram.set_tau(1.0)
    histogram.set_log(on=False)
    assert area_of(histogram.kept) == pytest.approx(np.arange(65).sum() / 64)


def at_score(histogram, score):
    return histogram.plot.place_of(score, 1).toPoint()


def test_dragging_the_line_says_where_the_hand_is_and_waits_to_be_told(histogram, qtbot):
    dragged, released = [], []
    histogram.tau_dragged.connect(dragged.append)
    histogram.tau_released.connect(released.append)
    hand = histogram.plot.viewport()
    qtbot.mousePress(hand, Qt.MouseButton.LeftButton, pos=at_score(histogram, 0.5))
    qtbot.mouseMove(hand, at_score(histogram, 0.75))
    qtbot.mouseMove(hand, QPoint(900, 40))
    qtbot.mouseRelease(hand, Qt.MouseButton.LeftButton, pos=QPoint(-50, 40))
    assert dragged == pytest.approx([0.5, 0.75, 1.0], abs=0.01)
    assert released == [0.0]
    assert histogram.tau == 0.4
    histogram.set_tau(0.25)
    assert "0.25" in histogram.accessibleName()


def test_counts_need_one_edge_more(histogram):
    with pytest.raises(ValueError, match="edges"):
        histogram.set_counts(np.linspace(0, 1, 4), np.ones(4))


def test_an_empty_histogram_says_so(histogram):
    histogram.set_counts(np.linspace(0, 1, 65), np.zeros(64, int))
    assert not histogram.plot.isVisible()
    assert histogram.nothing() == "No scores yet"


def shares():
    taus = np.linspace(0, 1, 21)
    return np.outer(taus, taus)  # kept = τ_pi · τ_pa


def test_the_map_reads_its_grid(qtbot):
    chart = RetentionMap()
    qtbot.addWidget(chart)
    assert chart.share_at(0.5, 0.5) is None
    chart.set_shares(shares())
    assert chart.share_at(0.6, 0.9) == pytest.approx(0.54, abs=0.01)
    chart.show()
    chart.set_taus(1.0, 0.5)
    assert "50 %" in chart.accessibleName()
    chart.set_shares(None)
    assert "%" not in chart.accessibleName()


def test_dragging_the_point_picks_a_pair(qtbot):
    chart = RetentionMap()
    qtbot.addWidget(chart)
    chart.resize(300, 280)
    chart.set_shares(shares())
    chart.show()
    picked, released = [], []
    chart.picked.connect(lambda *pair: picked.append(pair))
    chart.released.connect(lambda *pair: released.append(pair))
    hand = chart.plot.viewport()
    half = chart.plot.place_of(0.5, 0.5).toPoint()
    qtbot.mousePress(hand, Qt.MouseButton.LeftButton, pos=half)
    qtbot.mouseMove(hand, QPoint(299, 0))
    qtbot.mouseRelease(hand, Qt.MouseButton.LeftButton, pos=QPoint(299, 279))
    assert picked == [pytest.approx((0.5, 0.5), abs=0.01), (1.0, 1.0)]
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
    qtbot.mouseClick(histogram.plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(100, 40))
    assert not histogram.hasFocus()
    histogram.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(histogram, Qt.Key.Key_Escape)
    assert not histogram.hasFocus()


def test_a_histogram_says_whose_scores_it_counts(histogram):
    histogram.set_name("S_pa of the region")
    assert "S_pa of the region" in histogram.accessibleName()
    assert "S_pa of the region" in histogram.toolTip()


@pytest.mark.parametrize("wide", [200, 240, 330])
@pytest.mark.parametrize("last", [0.0501, 0.1001, 1000.5])
def test_values_at_either_end_of_an_axis_are_whole(qtbot, wide, last):
    plot = Plot(margins=(0, 0, 0, 0))
    qtbot.addWidget(plot)
    plot.resize(wide, 120)
    plot.dress(DARK, plot.font())
    plot.set_logarithmic(across=True, up=True)
    plot.keep_gutter("0.00")
    plot.show_range((np.log10(0.001), np.log10(last)), (np.log10(0.001), np.log10(last)))
    plot.show()
    qtbot.waitExposed(plot)
    for axis in (plot.bottom, plot.left):
        axis.picture = None
        plot.grab()
        _line, _marks, texts = axis._worked_out
        assert len(texts) > 1
        for box, _flags, text in texts:
            assert plot.rect().toRectF().contains(axis.mapRectToScene(box)), text


def test_a_low_axis_still_has_two_values(qtbot):
    plot = Plot()
    qtbot.addWidget(plot)
    plot.resize(200, 70)
    plot.dress(DARK, plot.font())
    plot.keep_gutter("0.0000")
    for low in np.linspace(0.9, 0.96, 30):
        plot.show_range((0, 1), (low, low + 0.012))
        ((_, values),) = plot.left.tickValues(low, low + 0.012, 40.0)
        assert len(values) > 1


def test_bars_are_zoomed_across_and_stand_whole(qtbot):
    histogram = ThresholdHistogram("S_pa")
    qtbot.addWidget(histogram)
    histogram.resize(300, 90)
    histogram.set_counts(np.linspace(0, 1, 4), np.array([5, 80, 9]))
    histogram.show()
    qtbot.waitExposed(histogram)
    whole = histogram.seen
    histogram._turn(3.0, QPointF(0.5, 1.0))
    (left, right), up = histogram.seen
    assert right - left < 0.9
    assert up == whole[1]


@pytest.mark.parametrize("span", [(0.00664, 0.00696), (34.10, 34.12), (0.0, 1.0), (-12000, 900)])
def test_long_values_get_the_room_they_need_and_short_ones_begin_alike(qtbot, span):
    plot = Plot()
    qtbot.addWidget(plot)
    plot.resize(430, 110)
    plot.dress(DARK, plot.font())
    plot.keep_gutter("0.0000")
    plot.show_range((0, 1), (0.2, 0.4))
    plot.show()
    qtbot.waitExposed(plot)
    begins = plot.field.left()
    plot.show_range((0, 240), span)
    plot.grab()
    qtbot.waitUntil(lambda: len(plot.left._worked_out[2]) > 1 or plot.grab() is None)
    boxes = [plot.left.mapRectToScene(box) for box, *_ in plot.left._worked_out[2]]
    assert not any("-" in words for *_, words in plot.left._worked_out[2])  # a hyphen, no minus
    assert all(box.left() >= 0 and box.right() <= plot.field.left() for box in boxes)
    plot.show_range((0, 1), (0.2, 0.4))
    plot.grab()
    qtbot.waitUntil(lambda: plot.field.left() == begins)


@pytest.mark.parametrize("value", [0.00681, 34.7, 0.0, -3.1e-4, 1.0])
def test_a_single_value_has_an_axis_of_its_own(curve, qtbot, value):
    curve.look_at(None, extent=(0, 210))
    curve.add("gap", 181, value)
    qtbot.waitUntil(lambda: curve._plot is not None)
    curve.grab()
    (low, high) = curve._plot.sight[1]
    assert low < value < high
    assert high - low >= 0.1 * abs(value)
    ((_, shown),) = curve._plot.left.tickValues(low, high, curve._plot.vb.height())
    words = curve._plot.left.tickStrings(shown, 1.0, 0.0)
    assert len(set(words)) == len(words) > 1


@pytest.fixture
def tabbed(qtbot):
    """A histogram in a place beside which it can stand unseen, as behind a tab."""
    place = QWidget()
    qtbot.addWidget(place)
    place.resize(300, 100)
    histogram = ThresholdHistogram("S_pa")
    histogram.setParent(place)
    histogram.resize(300, 100)
    histogram.set_counts(np.linspace(0, 1, 5), np.arange(4))
    place.show()
    assert histogram.plot.isVisible()
    yield histogram
    place.close()


def test_a_chart_behind_a_tab_is_filled_when_it_comes_out(tabbed):
    tabbed.set_tau(0.3)
    assert tabbed.line.value() == 0.3
    tabbed.move(-900, 0)  # where Qt has what is behind a tab
    tabbed.set_tau(0.6)
    tabbed.set_tau(0.7)
    assert (tabbed.isVisible(), tabbed.line.value()) == (True, 0.3)
    tabbed.move(0, 0)
    QApplication.processEvents()
    assert tabbed.line.value() == 0.7


def test_the_same_counts_again_are_not_drawn_again(tabbed, monkeypatch):
    drawn = []
    monkeypatch.setattr(ThresholdHistogram, "draw", lambda *_: drawn.append(1))
    tabbed.set_counts(np.linspace(0, 1, 5), np.arange(4))
    assert not drawn
    tabbed.set_counts(np.linspace(0, 1, 5), np.arange(1, 5))
    assert drawn
