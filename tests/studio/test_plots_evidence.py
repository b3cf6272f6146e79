"""Sparsification and calibration, drawn and dragged."""

import math

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from smarthdr_studio.core.trust.reliability import Evidence
from smarthdr_studio.studio.plots.axes import log_ticks
from smarthdr_studio.studio.plots.uncertainty import Calibration, Sparsification, known_bins
from smarthdr_studio.studio.theme import DARK, LIGHT

CURVE = np.linspace(1, 0, 11)


def some(**changes):
    known = {
        "pixels": 1000,
        "error": 0.01,
        "by_sigma": CURVE,
        "oracle": CURVE**2,
        "random": np.ones(11),
        "ause": 0.1,
        "aurg": 0.4,
        "spearman": 0.5,
        "auroc": 0.8,
        "ence": 0.2,
        "coverage": (0.6, 0.9, 0.98),
        "predicted": np.array([0.01, 0.02, 0.04]),
        "observed": np.array([0.02, 0.02, 0.03]),
    }
    return Evidence(**(known | changes))


@pytest.fixture
def chart(qtbot):
    chart = Sparsification()
    qtbot.addWidget(chart)
    chart.resize(300, 160)
    chart.set_evidence(some())
    chart.set_point((0.2, 0.8))
    chart.show()
    assert chart.plot.isVisible()
    return chart


def at_share(chart, share):
    return chart.plot.place_of(share, 0.5).toPoint()


def test_the_point_is_dragged_by_its_dropped_share_and_waits_to_be_told(chart, qtbot):
    dragged, released = [], []
    chart.drop_dragged.connect(dragged.append)
    chart.drop_released.connect(released.append)
    hand = chart.plot.viewport()
    qtbot.mousePress(hand, Qt.MouseButton.LeftButton, pos=at_share(chart, 0.2))
    qtbot.mouseMove(hand, at_share(chart, 0.35))
    qtbot.mouseRelease(hand, Qt.MouseButton.LeftButton, pos=at_share(chart, 0.5))
    assert dragged == pytest.approx([0.2, 0.35], abs=0.005)
    assert released == pytest.approx([0.5], abs=0.005)
    assert (chart.point.pos().x(), chart.point.pos().y()) == (0.2, 0.8)
    assert chart.plumb.value() == 0.2
    assert "20 %" in chart.accessibleName()


def test_arrow_keys_drop_a_little_more_or_less(chart, qtbot):
    dragged, released = [], []
    chart.drop_dragged.connect(dragged.append)
    chart.drop_released.connect(released.append)
    chart.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    qtbot.keyClick(chart, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert dragged == released == [0.21, 0.1]


def test_without_evidence_nothing_can_be_dragged(chart, qtbot):
    chart.set_evidence(None)
    heard = []
    chart.drop_dragged.connect(heard.append)
    chart.drop_released.connect(heard.append)
    assert not chart.plot.isVisible()
    qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=QPoint(100, 60))
    assert heard == []
    assert "none yet" in chart.accessibleName()


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_each_curve_is_drawn_in_a_colour_and_a_dash_of_its_own_and_the_area_is_hatched(
    chart, palette
):
    chart.set_palette_colours(palette)
    shown = {"by σ": CURVE, "oracle": CURVE**2, "random": np.ones(11)}
    for name, curve in shown.items():
        x, y = chart.curves[name].getData()
        np.testing.assert_allclose(x, np.linspace(0, 1, 11))
        np.testing.assert_allclose(y, curve)
        assert chart.names[name].isVisible()
    pens = [chart.curves[name].opts["pen"] for name in shown]
    assert [pen.color().name() for pen in pens] == [palette.accent, palette.good, palette.muted]
    assert len({pen.style() for pen in pens}) == 3
    assert chart.hatch.brush().style() is Qt.BrushStyle.FDiagPattern
    # AUSE: the area between both curves, here by the trapezoids of eleven points.
    corners = np.array([(p.x(), p.y()) for p in chart.hatch.path().toFillPolygon()])
    x, y = corners.T
    area = abs((x[:-1] * y[1:] - x[1:] * y[:-1]).sum()) / 2
    assert area == pytest.approx(np.trapezoid(CURVE - CURVE**2, dx=0.1))


def test_names_of_curves_cover_neither_one_another_nor_the_point(chart):
    words = [
        each.boundingRect().translated(chart.plot.place_of(each.pos().x(), each.pos().y()))
        for each in (*chart.names.values(), chart.words)
    ]
    for k, one in enumerate(words):
        assert chart.plot.rect().toRectF().contains(one)
        assert not any(one.adjusted(2, 2, -2, -2).intersects(other) for other in words[k + 1 :])


@pytest.mark.parametrize("height", [84, 100, 130, 160, 400])
def test_words_of_the_thresholds_stand_above_every_curve(chart, height):
    chart.resize(300, height)
    x, y = chart.words.pos().x(), chart.words.pos().y()
    words = chart.words.boundingRect().translated(chart.plot.place_of(x, y))
    assert words.bottom() <= chart.plot.place_of(0, 1.0).y() + 1
    assert words.top() >= 0


def test_curves_that_are_no_numbers_are_left_out(chart):
    nothing = np.full(11, math.nan)
    chart.set_evidence(some(by_sigma=nothing, oracle=nothing, random=nothing))
    chart.set_point((math.nan, math.nan))
    assert chart.nothing()
    half = np.where(np.arange(11) < 6, CURVE, math.nan)
    chart.set_evidence(some(by_sigma=half))
    assert len(chart.curves["by σ"].getData()[0]) == 6
    assert not chart.point.isVisible()


@pytest.fixture
def calibration(qtbot):
    chart = Calibration()
    qtbot.addWidget(chart)
    chart.resize(300, 160)
    chart.show()
    return chart


def test_calibration_counts_bins_that_err_more_than_they_say(calibration):
    assert calibration.nothing()
    calibration.set_evidence(some())
    assert calibration.plot.isVisible()
    x, y = calibration.bins.getData()
    np.testing.assert_allclose(10**x, [0.01, 0.02, 0.04])
    np.testing.assert_allclose(10**y, [0.02, 0.02, 0.03])
    assert "1 of 3" in calibration.accessibleName()
    calibration.set_log(on=False)
    np.testing.assert_allclose(calibration.bins.getData()[0], [0.01, 0.02, 0.04])
    calibration.set_evidence(None)
    assert "nothing known" in calibration.accessibleName()


def test_both_axes_of_the_calibration_are_alike_and_tell_values(calibration):
    calibration.set_evidence(some(predicted=np.array([0.002, 0.3]), observed=np.array([0.01, 0.1])))
    plot = calibration.plot
    assert plot.sight[0] == plot.sight[1]
    for axis in (plot.left, plot.bottom):
        ((_, values),) = axis.tickValues(*plot.sight[0], 120)
        assert "0.01" in axis.tickStrings(values, 1, 1)


def test_no_bin_lies_under_the_words_that_say_which_side_is_which(calibration):
    rising = np.geomspace(0.004, 0.02, 8)
    calibration.set_evidence(some(predicted=np.full(8, 0.05), observed=rising))
    plot, under = calibration.plot, calibration.sides[1]
    place = plot.place_of(under.pos().x(), under.pos().y())
    box = under.boundingRect().translated(place)
    dots = plot.places_of(calibration._values())
    assert plot.field.adjusted(-2, -2, 2, 2).contains(box)
    assert not any(box.contains(*dot) for dot in dots.tolist())


def test_bins_that_a_logarithm_cannot_show_are_left_out():
    predicted = np.array([0.01, 0.0, 0.02, math.nan, 0.03])
    observed = np.array([0.02, 0.01, 0.0, 0.02, 0.01])
    np.testing.assert_array_equal(known_bins(predicted, observed), [[0.01, 0.02], [0.03, 0.01]])


def test_one_bin_alone_is_drawn(calibration):
    calibration.set_evidence(some(predicted=np.array([0.02]), observed=np.array([0.02])))
    assert calibration.plot.isVisible()
    (low, high), up = calibration.plot.sight
    assert low < math.log10(0.02) < high
    assert (low, high) == up


def test_the_tables_hold_what_is_drawn(chart, calibration):
    table = chart.table()
    np.testing.assert_allclose(table["dropped"], np.linspace(0, 1, 11))
    np.testing.assert_allclose(table["oracle"], CURVE**2)
    calibration.set_evidence(some())
    np.testing.assert_allclose(calibration.table()["RMS error observed"], [0.02, 0.02, 0.03])


@pytest.mark.parametrize("most", [1, 2, 3, 6, 12])
@pytest.mark.parametrize(("low", "high"), [(-3.2, -1.1), (-2.4, -2.1), (-6, 0)])
def test_round_values_of_a_logarithm_are_few_and_inside(low, high, most):
    found = log_ticks(low, high, most=most)
    assert len(found) <= most
    assert all(low <= math.log10(value) <= high for value in found)
