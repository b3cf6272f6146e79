"""Charts of a run: zoomed, pointed at, smoothed, logarithmic, switched off, and copied out."""

import math
import time

import numpy as np
import pytest
from hands import point_at
from hypothesis import example, given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter, QWheelEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from smarthdr_studio.studio.plots.axes import log_ticks, worded
from smarthdr_studio.studio.plots.curve_lines import (
    BELOW_ZERO,
    NOTHING_POSITIVE,
    cut,
    scaled,
    zoomed,
)
from smarthdr_studio.studio.plots.curves import PERIOD_MS, Curve, LinkedCurves, mapped
from smarthdr_studio.studio.plots.heading import Entry, LineStyles, Marks, lay_out
from smarthdr_studio.studio.plots.trace import Peaks, Trace, exponential_means
from smarthdr_studio.studio.theme import CONTRAST, DARK, LIGHT, contrast

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400)


def trace_of(x, y):
    trace = Trace()
    trace.extend(np.asarray(x, float), np.asarray(y, float))
    return trace


@pytest.fixture
def chart(qtbot):
    chart = Curve("Fit", lines=("a", "b"))
    qtbot.addWidget(chart)
    chart.resize(360, 220)
    with qtbot.waitExposed(chart):
        chart.show()
    return chart


def turn_wheel(widget, where, *, notches, ctrl):
    modifier = Qt.KeyboardModifier.ControlModifier if ctrl else Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        QPointF(where),
        QPointF(widget.mapToGlobal(where)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


@given(VALUES, st.floats(0.5, 500))
def test_smoothed_values_lie_within_those_so_far_and_are_the_same_bit_by_bit(values, span):
    y = np.array(values)
    gaps = np.ones(len(y))
    gaps[0] = 0
    whole, _ = exponential_means(gaps, y, span=span)
    lows, highs = np.minimum.accumulate(y), np.maximum.accumulate(y)
    room = 1e-9 * (1 + np.abs(y).max())
    assert (whole >= lows - room).all()
    assert (whole <= highs + room).all()
    middle = len(y) // 2
    if middle:
        first, carry = exponential_means(gaps[:middle], y[:middle], span=span)
        second, _ = exponential_means(gaps[middle:], y[middle:], span=span, carry=carry)
        np.testing.assert_allclose(np.concatenate((first, second)), whole, atol=room, rtol=1e-9)


def test_smoothing_goes_by_steps_so_that_rare_values_stay_what_they_are():
    often = trace_of(range(100), [0, 1] * 50)
    rare = trace_of([0, 1000, 2000], [0, 1, 0])
    assert often.near(99, smooth=30) == pytest.approx(0.5, abs=0.02)
    assert rare.near(2000, smooth=30) == pytest.approx(0)
    assert often.near(99) == 1


@given(st.integers(1, 3000), st.integers(1, 60), st.data())
def test_no_peak_in_sight_is_lost_however_few_columns_there_are(count, columns, data):
    y = np.zeros(count)
    peak = data.draw(st.integers(0, count - 1))
    y[peak] = 5.0
    first = data.draw(st.integers(0, peak))
    last = data.draw(st.integers(peak, count - 1))
    x, seen = trace_of(range(count), y).outline((first, last), columns=columns)
    assert seen.max() == 5.0
    assert len(x) <= 2 * columns + 2
    assert (np.diff(x) >= 0).all()


def test_zooming_into_a_long_run_shows_every_single_value():
    y = np.random.default_rng(0).normal(size=500_000)
    trace = trace_of(range(500_000), y)
    x, seen = trace.outline((250_000, 250_099), columns=300)
    np.testing.assert_array_equal(x, np.arange(249_999, 250_101))
    np.testing.assert_array_equal(seen, y[249_999:250_101])


@given(VALUES, st.integers(1, 12))
@example([*[0.0] * 12, 1.0], 2)  # the last stretch is short, and its neighbour ends in a block
def test_peaks_of_any_stretches_hold_the_greatest_and_the_least(values, pieces):
    y = np.repeat(np.array(values), 40)
    peaks = Peaks()
    peaks.follow(y)
    starts = np.unique(np.linspace(0, len(y) - 1, pieces).astype(np.intp))
    low, high = peaks.of(y, starts, len(y))
    for k, (begin, end) in enumerate(zip(starts, [*starts[1:], len(y)], strict=True)):
        assert low[k] <= y[begin:end].min()
        assert high[k] >= y[begin:end].max()
    assert (low.min(), high.max()) == (y.min(), y.max())


def test_a_run_that_goes_on_from_a_checkpoint_takes_back_what_came_after_it():
    trace = trace_of(range(300), range(300))
    trace.near(299, smooth=10)
    trace.add(200, -1)
    assert trace.last == (200, -1)
    assert len(trace) == 201
    assert trace.near(199) == 199
    again = trace_of([*range(200), 200], [*range(200), -1])
    assert trace.near(200, smooth=10) == pytest.approx(again.near(200, smooth=10))


def test_what_was_known_before_is_put_before_and_what_is_here_wins():
    trace = trace_of([5, 6], [50, 60])
    trace.put_before(np.arange(8), np.zeros(8))
    x, y = trace.points
    assert x.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert y.tolist() == [0, 0, 0, 0, 0, 50, 60]


def test_a_logarithmic_axis_tells_values_and_makes_equal_factors_equally_high(chart):
    chart.extend("a", np.arange(5), 10.0 ** np.arange(-2, 3))
    chart.set_log(on=True)
    plot = chart.plot
    high = [plot.place_of(0, power).y() for power in (-1, 0, 1)]
    assert high[0] - high[1] == pytest.approx(high[1] - high[2])
    np.testing.assert_allclose(chart.line_of("a")[1], [-2, -1, 0, 1, 2])
    assert plot.left.tickStrings([-1.0, 0.0, 2.0], 1, 1) == ["0.1", "1", "100"]
    assert set(log_ticks(-2, 2, most=5)) == {0.01, 0.1, 1, 10, 100}
    assert worded(3_400_000) == "3.4M"


def test_a_logarithm_is_refused_in_words_where_values_lie_below_zero_and_leaves_out_zeros(chart):
    above = scaled([trace_of([0, 1], [0, 10])], (0, 1), columns=99, log=True)
    assert above.log
    assert not above.fault
    below = scaled([trace_of([0, 1], [-1, 10])], (0, 1), columns=99, log=True)
    assert (below.log, below.fault) == (False, BELOW_ZERO)
    zeros = scaled([trace_of([0, 1], [0, 0])], (0, 1), columns=99, log=True)
    assert (zeros.log, zeros.fault) == (False, NOTHING_POSITIVE)
    chart.extend("a", np.arange(2), np.array([-1.0, 10.0]))
    chart.set_log(on=True)
    assert chart.plot.isVisible()
    assert chart.fault.toPlainText() == BELOW_ZERO
    np.testing.assert_array_equal(chart.line_of("a")[1], [-1, 10])


def test_a_drag_shows_a_stretch_and_a_double_click_all_of_it_again(chart, qtbot):
    chart.extend("a", np.arange(1001), np.arange(1001))
    seen = []
    chart.zoomed.connect(seen.append)
    hand, left = chart.plot.viewport(), Qt.MouseButton.LeftButton
    first, last = (chart.plot.place_of(step, 500).toPoint() for step in (300, 600))
    qtbot.mousePress(hand, left, pos=first)
    qtbot.mouseMove(hand, last)
    assert chart.stretch.isVisible()
    assert chart.stretch.getRegion() == pytest.approx((300, 600), abs=3)
    qtbot.mouseRelease(hand, left, pos=last)
    assert not chart.stretch.isVisible()
    assert seen == [pytest.approx((300, 600), abs=3)]
    assert chart.plot.sight[0] == seen[0]
    low, high = chart.plot.sight[1]
    assert 270 < low < seen[0][0] < seen[0][1] < high < 630  # as high as what is seen
    qtbot.mouseDClick(hand, left, pos=first)
    assert seen[-1] is None
    assert chart.plot.sight[0] == (0, 1000)


def test_a_click_that_shook_zooms_nothing(chart, qtbot):
    chart.extend("a", np.arange(1001), np.arange(1001))
    where = chart.plot.place_of(300, 500).toPoint()
    qtbot.mousePress(chart.plot.viewport(), Qt.MouseButton.LeftButton, pos=where)
    qtbot.mouseRelease(chart.plot.viewport(), Qt.MouseButton.LeftButton, pos=where + QPoint(2, 1))
    assert chart.plot.sight[0] == (0, 1000)


def test_the_wheel_zooms_about_the_cursor_and_back_to_all(chart):
    chart.extend("a", np.arange(1001), np.arange(1001))
    seen = []
    chart.zoomed.connect(seen.append)
    hand, where = chart.plot.viewport(), chart.plot.place_of(400, 500).toPoint()
    about = chart.plot.value_at(QPointF(where)).x()
    assert turn_wheel(hand, where, notches=1, ctrl=False)
    assert chart.plot.sight[0] != (0, 1000)
    assert chart.plot.value_at(QPointF(where)).x() == pytest.approx(about, abs=1)
    for _ in range(3):
        turn_wheel(hand, where, notches=-1, ctrl=False)
    assert seen[-1] is None
    assert chart.plot.sight[0] == (0, 1000)


def test_zooming_never_leaves_what_there_is_and_never_shows_less_than_a_step():
    assert zoomed((0, 100), about=50, share=0.5, within=(0, 100)) == (25, 75)
    assert zoomed((25, 75), about=30, share=8, within=(0, 100)) is None
    assert zoomed((10, 11), about=10.5, share=0.5, within=(0, 100)) == (10, 11)


def test_a_click_on_a_name_switches_its_line_off_and_its_style_stays(chart, qtbot):
    for name in ("b", "a"):
        chart.extend(name, np.arange(9), np.arange(9))
    style = chart.lines.style("b")
    switched = []
    chart.switched.connect(lambda: switched.append(chart.lines.hidden))
    spot = next(each.box for each in chart.heading().placed if each.entry.name == "a")
    qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=spot.center().toPoint())
    assert switched == [{"a"}]
    assert set(chart.lines.shown) == {"b"}
    assert chart.plot.isVisible()
    assert set(chart._drawn) == {"b"}
    chart.clear()
    chart.show_series({"b": (np.arange(3), np.arange(3))})
    assert chart.lines.style("b") == style


def test_styles_of_runs_differ_in_colour_and_in_dashes_and_can_be_seen():
    styles = LineStyles()
    made = [styles.of(f"run {k}") for k in range(5)]
    assert len({each.dash for each in made}) == 5
    more = [styles.of(f"run {k}") for k in range(12)]
    for palette in (DARK, LIGHT, CONTRAST):
        assert len({each.colour(palette).name() for each in made}) == 5
        # Names and values are written in the colour of their line.
        for colour in (each.colour(palette).name() for each in more):
            assert (
                min(contrast(colour, ground) for ground in (palette.panel, palette.window)) >= 4.5
            )


def test_pointing_at_one_chart_reads_the_same_step_in_all(qtbot):
    curves = {name: Curve(name) for name in ("one", "two")}
    for curve in curves.values():
        qtbot.addWidget(curve)
        curve.resize(300, 200)
        curve.extend("line", np.arange(100), np.arange(100))
        with qtbot.waitExposed(curve):
            curve.show()
        assert curve.plot.isVisible()
    linked = LinkedCurves(curves, curves["one"])
    linked.redraw()
    plot = curves["one"].plot
    point_at(plot.viewport(), plot.place_of(50, 50).toPoint())
    assert curves["two"].reading.value() == curves["one"].reading.value()
    assert curves["two"].reading.value() == pytest.approx(50, abs=1)
    linked.look_at((10, 20))
    assert curves["two"].plot.sight[0] == (10, 20)
    linked.clear()


def test_charts_are_drawn_a_few_times_a_second_however_fast_values_come(qtbot):
    curve = Curve("fast")
    qtbot.addWidget(curve)
    linked = LinkedCurves({"fast": curve}, curve)
    linked.soon()
    assert not linked._due.isActive()  # nobody sees it
    with qtbot.waitExposed(curve):
        curve.show()
    paints = []
    linked._due.timeout.connect(lambda: paints.append(1))
    begun = time.monotonic()
    for step in range(200):
        curve.lines.take("line", step, step)
        linked.soon()
        qtbot.wait(2)
    qtbot.waitUntil(lambda: bool(paints), timeout=60000)
    assert len(paints) <= 1 + (time.monotonic() - begun) * 1000 / PERIOD_MS
    linked.clear()


def test_a_figure_is_twice_as_fine_as_the_screen_and_shows_no_cursor(chart):
    chart.extend("a", np.arange(50), np.sin(np.arange(50)))
    plain = chart.figure(QSize(320, 200))
    assert (plain.width(), plain.height()) == (640, 400)
    chart.point_at(20)
    assert chart.figure(QSize(320, 200)) == plain


def test_the_dot_on_the_last_value_is_whole_in_a_figure(chart):
    chart.as_measured = True
    chart.extend("a", np.array([0, 5, 10]), np.array([1.0, 2.0, 1.5]))
    plot, ground = chart.plot, chart.ground
    image = QImage(plot.viewport().size(), QImage.Format.Format_RGB32)
    image.fill(ground)
    painter = QPainter(image)
    plot.draw_on(painter, QRectF(plot.viewport().rect()), ground)
    painter.end()
    last = plot.place_of(10, 1.5)
    assert last.x() == pytest.approx(plot.field.right(), abs=1)
    beside = image.pixelColor(round(last.x()) + 1, round(last.y()))
    assert beside.name() != ground.name()


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_an_svg_is_lines_and_letters_in_the_colours_of_the_screen(chart, palette):
    chart.set_palette_colours(palette)
    chart.extend("a", np.arange(50), np.sin(np.arange(50)) * 40)
    chart.look_at((10, 30))
    drawing = QSvgRenderer(chart.svg(QSize(320, 200)))
    assert drawing.isValid()
    assert drawing.viewBox().size() == QSize(320, 200)
    image = QImage(320, 200, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    drawing.render(painter)
    painter.end()
    assert image.pixelColor(1, 100).name() == palette.panel
    pixels = {image.pixelColor(x, y).name() for x in range(60, 300) for y in range(30, 170)}
    assert palette.accent in pixels
    assert "#000000" not in pixels
    # Values beyond what is seen stay inside of the field.
    edge = {image.pixelColor(x, y).name() for x in range(314, 320) for y in range(165)}
    assert edge == {palette.panel}
    words = chart.svg(QSize(320, 200)).decode()
    assert ">Fit</text>" in words
    assert ">20</text>" in words


def test_the_value_under_the_cursor_is_that_of_the_line_as_drawn(chart):
    chart.extend("a", np.arange(100), np.arange(100))
    (entry,) = chart.lines.entries(40.4, smooth=0)
    assert entry.value == 40
    (now,) = chart.lines.entries(None, smooth=0)
    assert now.value == 99
    assert math.isclose(chart.now("a"), 99)


def test_the_dot_under_the_cursor_stands_on_the_line_where_a_run_has_few_steps(chart):
    chart.extend("a", np.array([0, 4, 8]), np.array([10.0, 30.0, 20.0]))
    assert chart.plot.isVisible()
    chart.point_at(6.0)
    (dot,) = chart.dots.points()
    assert (dot.pos().x(), dot.pos().y()) == (4, 30)
    chart.point_at(None)
    (dot,) = chart.dots.points()
    assert (dot.pos().x(), dot.pos().y()) == (8, 20)


def test_the_words_under_the_cursor_name_the_step_of_the_dot(chart):
    chart.extend("a", np.arange(40), np.arange(40.0))
    chart.extend("b", np.array([0, 20]), np.array([1.0, 2.0]))
    assert chart.plot.isVisible()
    chart.point_at(26.7)
    assert max(dot.pos().x() for dot in chart.dots.points()) == 26
    assert (chart.step.text, chart.reading.value()) == ("step 26", 26)
    chart.lines.switch("a")
    chart.changed()
    assert [dot.pos().x() for dot in chart.dots.points()] == [20]
    assert (chart.step.text, chart.reading.value()) == ("step 20", 20)
    chart.look_at((22, 30))
    assert not chart.reading.isVisible()  # it lies before what is seen
    assert chart.step.isVisible()
    chart.look_at(None)
    chart.lines.switch("a")
    chart.lines.switch("b")  # whose dots lie at the foot
    chart.mark(Marks(begun=10))
    chart.point_at(12)
    assert not chart.begun_words.isVisible()  # the words under the cursor would cover it
    chart.point_at(39)
    assert chart.begun_words.isVisible()
    assert chart.begun_words.text
    chart.hide()
    chart.show()
    assert not chart.step.isVisible()  # no cursor is over what was away


def test_the_words_under_the_cursor_cover_no_dot_where_there_is_room_beside_them(chart):
    chart.extend("a", np.arange(41), np.abs(np.arange(41) - 20.0))
    chart.resize(chart.width(), 110)
    assert chart.plot.isVisible()
    for step in (0, 10, 20, 30, 40):
        chart.point_at(step)
        box = chart.step.boundingRect().translated(chart.dots.mapToScene(chart.step.pos()))
        (dot,) = chart.dots.points()
        assert not box.contains(chart.dots.mapToScene(dot.pos())), step


@pytest.mark.parametrize("begun", [10, 50, 90])
def test_the_words_of_a_mark_and_the_last_step_are_whole(chart, begun):
    chart.extend("a", np.arange(101.0), np.linspace(1, 0, 101))
    chart.mark(Marks(begun=float(begun)))
    plot, words = chart.plot, chart.begun_words
    for _ in range(2):  # an axis knows how much room it needs once it was drawn
        chart.grab()
        chart.changed()
        QApplication.processEvents()
    box = words.boundingRect().translated(plot.place_of(begun, 0.0))  # it is in pixels
    assert words.text == "pseudo-labels"
    assert plot.field.left() - 1 <= box.left()
    assert box.right() <= plot.sceneRect().right()
    half = chart.fontMetrics().horizontalAdvance("100") // 2
    assert plot.sceneRect().right() - plot.field.right() >= half


def test_the_unit_of_several_lines_stands_behind_the_title_where_all_of_them_have_room(qapp):
    styles = LineStyles()
    entries = [
        Entry(name=name, value=value, style=styles.of(name))
        for name, value in (("PSNR-μ", 34.0), ("PSNR-l", 29.6))
    ]

    def laid_out(width, height=180, *, of=entries):
        room = QRectF(0, 0, width, height)
        return lay_out("PSNR", "dB", of, room=room, font=qapp.font(), pointed=False)

    wide = laid_out(600)
    assert wide.title == "PSNR, dB"
    assert [each.words for each in wide.placed] == ["34.0 PSNR-μ", "29.6 PSNR-l"]
    alone = laid_out(600, of=entries[:1])
    assert (alone.title, alone.placed[0].words) == ("PSNR", "34.0 dB")
    widths = [width for width in range(100, 600) if not laid_out(width, 90).left_out]
    tight = laid_out(widths[0], 90)
    assert tight.title == "PSNR"
    assert len(tight.placed) == 2
    metrics = QFontMetricsF(qapp.font())
    for width in range(100, 400):
        found = laid_out(width, 90)
        if found.left_out and found.placed:
            rest = metrics.horizontalAdvance(f"+{found.left_out}")
            assert found.placed[-1].box.right() + rest < width, "how many more is not cut"


@pytest.mark.parametrize("steps", [(0, 1), (1, 2, 3), (7, 9)])
def test_between_two_steps_the_axis_names_nothing(chart, steps):
    chart.extend("a", np.array(steps), np.arange(len(steps)))
    chart.grab()
    axis = chart.plot.bottom
    ((_, found),) = axis.tickValues(*chart.plot.sight[0], axis.width())
    assert found
    assert all(value == round(value) for value in found)


@given(
    st.lists(st.floats(0.01, 1e4), min_size=4, max_size=60),
    st.floats(0, 1),
    st.floats(0.05, 1),
    st.sampled_from([0.0, 3.0, 30.0]),
    st.booleans(),
)
@example([1.0, 50.0, 2.0, 3.0, 4.0], 0.0, 0.3, 0.0, False)
def test_a_line_enters_and_leaves_within_what_is_seen(values, begin, wide, smooth, log):
    last = len(values) - 1
    sight = begin * (last - 1), min(begin * (last - 1) + max(wide * last, 1.0), last)
    trace = trace_of(range(last + 1), values)
    scale = scaled([trace], sight, columns=300, log=log, smooth=smooth)
    low, high = scale.powers
    for mean in {0.0, smooth}:
        x, y = mapped(*trace.outline(scale.across, columns=300, smooth=mean), scale)
        _, drawn = cut(x, y, scale.across)
        assert low <= drawn.min()
        assert drawn.max() <= high


@pytest.mark.parametrize("height", [100, 112, 130, 200])
def test_numbers_up_the_axis_never_touch(chart, height):
    chart.extend("a", np.arange(41.0), np.linspace(84.2, 98.4, 41))
    chart.resize(300, height)
    assert chart.plot.isVisible()
    for _ in range(2):
        chart.grab()
        chart.changed()
        QApplication.processEvents()
    axis, (low, high) = chart.plot.left, chart.plot.sight[1]
    size = chart.plot.field.height()
    ((_, values),) = axis.tickValues(low, high, size)
    assert len(values) >= 2
    apart = np.diff(values) * size / (high - low)
    assert apart.min() >= chart.plot.fontMetrics().height() - 1
