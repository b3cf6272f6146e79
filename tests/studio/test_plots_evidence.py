"""Sparsification and calibration, drawn and dragged."""

import math

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage

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


def picture(widget):
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def colour_share(widget, colour):
    away = np.abs(picture(widget).astype(int) - tuple(bytes.fromhex(colour[1:])))
    return (away.max(2) < 24).mean()


@pytest.fixture
def chart(qtbot):
    chart = Sparsification()
    qtbot.addWidget(chart)
    chart.resize(300, 160)
    chart.set_evidence(some())
    chart.set_point((0.2, 0.8))
    chart.show()
    return chart


def at_share(chart, share):
    return QPoint(round(chart._axes()[0].at(share)), 60)


def test_the_point_is_dragged_by_its_dropped_share_and_waits_to_be_told(chart, qtbot):
    dragged, released = [], []
    chart.drop_dragged.connect(dragged.append)
    chart.drop_released.connect(released.append)
    qtbot.mousePress(chart, Qt.MouseButton.LeftButton, pos=at_share(chart, 0.2))
    qtbot.mouseMove(chart, at_share(chart, 0.35))
    qtbot.mouseRelease(chart, Qt.MouseButton.LeftButton, pos=at_share(chart, 0.5))
    assert dragged == pytest.approx([0.2, 0.35], abs=0.005)
    assert released == pytest.approx([0.5], abs=0.005)
    assert "20%" in chart.accessibleName()


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
    qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=QPoint(100, 60))
    assert heard == []
    assert "none yet" in chart.accessibleName()


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=["dark", "light"])
def test_curves_and_the_area_between_are_drawn(chart, palette):
    chart.set_palette_colours(palette)
    with_area = colour_share(chart, palette.accent)
    assert colour_share(chart, palette.good) > 0
    chart.set_evidence(some(oracle=CURVE))
    assert colour_share(chart, palette.accent) < with_area


def test_curves_that_are_no_numbers_are_left_out(chart):
    nothing = np.full(11, math.nan)
    chart.set_evidence(some(by_sigma=nothing, oracle=nothing, random=nothing))
    chart.set_point((math.nan, math.nan))
    assert colour_share(chart, DARK.accent) == 0
    half = np.where(np.arange(11) < 6, CURVE, math.nan)
    chart.set_evidence(some(by_sigma=half))
    assert colour_share(chart, DARK.accent) > 0


def test_calibration_counts_bins_that_err_more_than_they_say(qtbot):
    chart = Calibration()
    qtbot.addWidget(chart)
    chart.resize(300, 160)
    assert colour_share(chart, DARK.accent) == 0
    chart.set_evidence(some())
    assert colour_share(chart, DARK.accent) > 0
    assert "1 of 3" in chart.accessibleName()
    chart.set_evidence(None)
    assert "nothing known" in chart.accessibleName()


def test_bins_that_a_logarithm_cannot_show_are_left_out():
    predicted = np.array([0.01, 0.0, 0.02, math.nan, 0.03])
    observed = np.array([0.02, 0.01, 0.0, 0.02, 0.01])
    np.testing.assert_array_equal(known_bins(predicted, observed), [[0.01, 0.02], [0.03, 0.01]])


def test_one_bin_alone_is_drawn(qtbot):
    chart = Calibration()
    qtbot.addWidget(chart)
    chart.resize(300, 160)
    chart.set_evidence(some(predicted=np.array([0.02]), observed=np.array([0.02])))
    assert colour_share(chart, DARK.accent) > 0


@pytest.mark.parametrize("most", [1, 2, 3, 6, 12])
@pytest.mark.parametrize(("low", "high"), [(-3.2, -1.1), (-2.4, -2.1), (-6, 0)])
def test_round_values_of_a_logarithm_are_few_and_inside(low, high, most):
    found = log_ticks(low, high, most=most)
    assert len(found) <= most
    assert all(low <= math.log10(value) <= high for value in found)
