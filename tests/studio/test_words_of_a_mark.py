"""Words of a marked step stand where no line runs, or not at all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QSizeF
from PySide6.QtWidgets import QApplication

from smarthdr_studio.studio.plots.axes import quiet_spot
from smarthdr_studio.studio.plots.curves import Curve
from smarthdr_studio.studio.plots.heading import Marks

FIELD, WORDS, FOOT = QSizeF(300, 150), QSizeF(100, 18), 8.0
SIGHT = (0.0, 300.0), (0.0, 150.0)  # so that values are pixels


def spot(*lines, at=120.0):
    known = [(np.array(x, float), np.array(y, float)) for x, y in lines]
    return quiet_spot(known, at=at, sight=SIGHT, field=FIELD, words=WORDS, foot=FOOT)


def test_words_stand_right_of_their_step_at_the_foot_where_nothing_is():
    assert spot() == (0, FOOT)
    assert spot(([0, 300], [100, 120])) == (0, FOOT)


def test_they_stand_left_where_the_right_is_too_narrow_and_not_at_all_without_room():
    assert spot(at=250.0) == (1, FOOT)
    narrow = QSizeF(150, 150)
    there = quiet_spot([], at=150.0, sight=SIGHT, field=narrow, words=WORDS, foot=FOOT)
    assert there is None


@pytest.mark.parametrize(
    ("sight", "wide"),
    [(((5.0, 5.0), (0.0, 1.0)), 300), (((0.0, 9.0), (2.0, 2.0)), 300), (SIGHT, 0)],
)
def test_where_nothing_can_be_seen_there_is_no_place(sight, wide):
    field = QSizeF(wide, 150)
    assert quiet_spot([], at=5.0, sight=sight, field=field, words=WORDS, foot=FOOT) is None


def test_they_stand_above_a_line_at_the_foot_and_between_two():
    (side, height) = spot(([0, 300], [10, 20]))
    assert side == 0
    assert height > 10 + (20 - 10) * 220 / 300
    (side, height) = spot(([0, 300], [15, 15]), ([0, 300], [60, 60]))
    assert (side, 15 < height < 60 - WORDS.height()) == (0, True)


def test_they_go_to_the_quiet_side_where_the_other_is_full_and_away_where_both_are():
    full = [120, 180, 181, 300], [0, 0, 150, 150]
    assert spot(full) == (1, FOOT)
    everywhere = [0, 100, 101, 180, 181, 300], [0, 0, 150, 150, 0, 0]
    assert spot(everywhere) is None


def test_a_line_that_begins_later_or_has_no_values_takes_no_place():
    assert spot(([230, 300], [10, 10])) == (0, FOOT)
    assert spot(([0, 300], [np.nan, np.nan])) == (0, FOOT)


@given(
    st.lists(st.tuples(st.floats(0, 150), st.floats(0, 150)), max_size=4),
    st.floats(1, 299),
)
def test_where_there_is_a_quiet_place_no_line_runs_through_the_words(ends, at):
    lines = [(np.linspace(0, 300, 31), np.linspace(low, high, 31)) for low, high in ends]
    found = quiet_spot(lines, at=at, sight=SIGHT, field=FIELD, words=WORDS, foot=FOOT)
    if found is None:
        return
    side, height = found
    left = at - side * WORDS.width()
    steps = np.linspace(left, left + WORDS.width(), 50)
    for x, y in lines:
        values = np.interp(steps, x, y)
        assert ((values < height) | (values > height + WORDS.height())).all()


@pytest.mark.parametrize("log", [False, True])
def test_no_line_of_a_chart_runs_through_its_words(qtbot, log):
    chart = Curve("Loss")
    qtbot.addWidget(chart)
    chart.resize(420, 260)
    steps = np.arange(301.0)
    chart.extend("L_s", steps, 0.02 + 0.2 * np.exp(-steps / 30))
    chart.extend("L_u", steps[120:], np.full(181, 0.012))
    chart.mark(Marks(begun=120.0))
    chart.show()
    assert chart.plot.isVisible()
    if log:
        chart.set_log(on=True)
    for _ in range(2):  # an axis knows how much room it needs once it was drawn
        chart.grab()
        chart.changed()
        QApplication.processEvents()
    words, plot = chart.begun_words, chart.plot
    corner = plot.place_of(words.x(), words.y())
    box = words.boundingRect().translated(corner)
    assert words.text == "pseudo-labels"
    assert plot.field.contains(box)
    for name in ("L_s", "L_u"):
        x, y = chart.line_of(name)
        inside = [
            point
            for point in (plot.place_of(*pair) for pair in zip(x, y, strict=True))
            if box.contains(point)
        ]
        assert inside == []
