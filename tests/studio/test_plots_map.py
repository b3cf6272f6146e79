"""The retention map: reading it, its lines of equal shares, and the hand on it."""

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMainWindow

from smarthdr_studio.core.display import ColourMap, colour_table
from smarthdr_studio.studio.plots import retention_map
from smarthdr_studio.studio.plots.axes import Places, place_for
from smarthdr_studio.studio.plots.plot import RoundAxis
from smarthdr_studio.studio.plots.retention_map import (
    LEVELS,
    RetentionMap,
    contour,
    nearest_on_iso,
    share_at,
)

TAUS = np.linspace(0, 1, 21)
FINE = np.linspace(0, 1, 161)


def plain_share(shares, patch, pixel):
    """Bilinear, by the textbook."""
    n = len(shares) - 1
    x, y = patch * n, pixel * n
    left, low = min(int(x), n - 1), min(int(y), n - 1)
    u, v = x - left, y - low
    return (
        shares[low, left] * (1 - u) * (1 - v)
        + shares[low, left + 1] * u * (1 - v)
        + shares[low + 1, left] * (1 - u) * v
        + shares[low + 1, left + 1] * u * v
    )


def product():
    return np.outer(TAUS, TAUS)


def hump():
    """Opening τ_pa widens the range of pixels, so the share falls again: nothing is monotone."""
    pixel, patch = np.meshgrid(TAUS, TAUS, indexing="ij")
    return pixel * (0.6 + 0.5 * np.sin(np.pi * patch)) * (1 - 0.3 * patch)


def island():
    pixel, patch = np.meshgrid(TAUS, TAUS, indexing="ij")
    return 0.95 - 2.5 * ((patch - 0.5) ** 2 + (pixel - 0.45) ** 2)


MAPS = {"product": product(), "hump": hump(), "island": island()}


@functools.cache
def changes_of_side(name, level):
    """Where neighbours of a fine grid lie on different sides, as K×2."""
    inside = np.array([[plain_share(MAPS[name], x, y) >= level for x in FINE] for y in FINE])
    changes = np.zeros_like(inside)
    changes[:, :-1] |= inside[:, :-1] != inside[:, 1:]
    changes[:-1] |= inside[:-1] != inside[1:]
    y, x = np.nonzero(changes)
    return np.stack((FINE[x], FINE[y]), 1)


@given(arrays(float, (5, 5), elements=st.floats(0, 1)), st.floats(0, 1), st.floats(0, 1))
def test_a_share_between_the_grid_is_bilinear(shares, patch, pixel):
    assert share_at(shares, patch, pixel) == pytest.approx(plain_share(shares, patch, pixel))


@given(arrays(float, (4, 4), elements=st.floats(0, 1)), st.sampled_from(LEVELS))
def test_every_vertex_of_every_line_has_the_level(shares, level):
    lines = contour(shares, level)
    for line in lines:
        for patch, pixel in line:
            assert plain_share(shares, patch, pixel) == pytest.approx(level, abs=1e-6)
    reached = shares.min() < level <= shares.max()
    assert bool(lines) == reached


@given(arrays(float, (4, 4), elements=st.floats(0, 1)), st.sampled_from(LEVELS))
def test_a_line_ends_at_the_border_or_where_it_began(shares, level):
    for line in contour(shares, level):
        closed = np.array_equal(line[0], line[-1])
        at_border = [np.isclose(end, (0, 1)[k]).any() for end in line[[0, -1]] for k in (0, 1)]
        assert closed or (any(at_border[:2]) and any(at_border[2:]))


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("level", [0.5, 0.7, 0.9])
def test_the_nearest_pair_is_the_nearest_of_all(name, level):
    around = changes_of_side(name, level)
    for taus in [(0.4, 0.4), (0.0, 1.0), (0.93, 0.12), (0.5, 0.45)]:
        pair = nearest_on_iso(MAPS[name], level, taus)
        assert (pair is None) == (len(around) == 0)
        if pair is not None:
            assert plain_share(MAPS[name], *pair) == pytest.approx(level, abs=2e-3)
            expected = np.hypot(*(around - taus).T).min()
            assert np.hypot(pair[0] - taus[0], pair[1] - taus[1]) == pytest.approx(
                expected, abs=0.008
            )


def test_a_level_that_nothing_reaches_has_no_line_and_no_pair():
    assert contour(product() * 0.5, 0.8) == []
    assert nearest_on_iso(product() * 0.5, 0.8, (0.4, 0.4)) is None


def test_an_island_is_ringed_by_one_closed_line():
    (ring,) = contour(island(), 0.8)
    np.testing.assert_array_equal(ring[0], ring[-1])


def test_a_share_that_falls_again_is_met_on_both_sides():
    crossings = [
        patch for line in contour(hump(), 0.9) for patch, pixel in line if abs(pixel - 0.97) < 0.01
    ]
    assert min(crossings) < 0.35 < 0.5 < max(crossings)


def test_numbers_keep_off_what_is_taken():
    line = np.array([[0.0, 50.0], [200.0, 50.0]])
    frame = QRectF(0, 0, 200, 100)
    first = place_for([line], size=(40, 16), frame=frame, taken=[])
    second = place_for([line], size=(40, 16), frame=frame, taken=[first])
    assert frame.contains(first)
    assert frame.contains(second)
    assert not first.intersects(second)
    assert place_for([line], size=(40, 16), frame=frame, taken=[frame]) is None
    others = np.array([[x, 50.0] for x in range(201)])
    apart = place_for([line], size=(40, 16), frame=frame, taken=[], apart=others)
    assert apart.bottom() <= 50 or apart.top() >= 50


@given(st.lists(st.tuples(st.integers(0, 160), st.integers(0, 90)), max_size=6), st.booleans())
def test_a_box_has_the_first_place_that_is_free_whatever_is_taken(corners, wavy):
    across = np.linspace(5, 195, 60)
    line = np.stack((across, 50 + 30 * wavy * np.sin(across / 20)), 1)
    frame, half = QRectF(2, 2, 196, 96), np.array((20.0, 8.0))
    apart = np.stack((across, 60 - 30 * np.cos(across / 30)), 1)
    places = Places([line], size=(40, 16), frame=frame, apart=apart)
    taken = [QRectF(x, y, 30, 20) for x, y in corners]
    boxes = (QRectF(*(middle - half), 40, 16) for middle in places._middles)
    first = next(
        (
            box
            for box in boxes
            if not any(box.intersects(other) for other in taken)
            and not any(box.contains(QPointF(*point)) for point in apart)
        ),
        None,
    )
    assert places.first(taken=taken) == first
    assert places.first(taken=taken) == first  # asked again


@pytest.fixture
def chart(qtbot):
    chart = RetentionMap()
    qtbot.addWidget(chart)
    chart.resize(300, 280)
    chart.set_shares(product())
    chart.set_taus(0.9, 0.6)
    chart.show()
    assert chart.plot.isVisible()
    return chart


def heard(signal):
    pairs = []
    signal.connect(lambda *pair: pairs.append(pair))
    return pairs


def place_of(chart, patch, pixel):
    return chart.plot.place_of(patch, pixel).toPoint()


def test_the_map_lies_with_its_grid_values_on_its_edges_and_the_first_row_lowest(chart):
    image = chart.image.image
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    table = colour_table(ColourMap.TIDE).astype(int)
    for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1), (170, 85)):
        y, x = np.array((row, column)) % 256 / 255
        away = np.abs(image[row, column].astype(int) - table[round(x * y * 255)])
        assert away.max() <= 4
    bounds = chart.image.mapRectToParent(chart.image.boundingRect())
    assert bounds == QRectF(0, 0, 1, 1)
    assert chart.plot.place_of(0, 1).y() < chart.plot.place_of(0, 0).y()


def test_lines_of_equal_shares_are_drawn_where_the_share_is(chart):
    for level in LEVELS:
        x, y = chart.lines[level].getData()
        known = np.isfinite(x)
        assert known.sum() > 10
        shares = [plain_share(product(), *pair) for pair in zip(x[known], y[known], strict=True)]
        np.testing.assert_allclose(shares, level, atol=1e-6)
    chart.set_shares(product() * 0.5)
    assert not np.isfinite(chart.lines[0.8].getData()[0]).any()
    assert not chart.numbers[0.8].isVisible()


def test_the_point_is_where_the_thresholds_are_and_its_words_stay_in_the_map(chart):
    for taus in ((0.9, 0.6), (1.0, 1.0), (0.0, 0.0)):
        chart.set_taus(*taus)
        assert (chart.point.pos().x(), chart.point.pos().y()) == taus
        words = chart.words.boundingRect().translated(chart.plot.place_of(*taus))
        assert chart.plot.field.adjusted(-1, -1, 1, 1).contains(words)
    assert chart.words.text == "0 %"


def test_asking_to_keep_a_share_moves_to_the_nearest_pair_that_does(chart):
    released = heard(chart.released)
    chart.keep(0.8)
    (pair,) = released
    assert pair == pytest.approx(nearest_on_iso(product(), 0.8, (0.9, 0.6)), abs=6e-4)
    assert pair[0] * pair[1] == pytest.approx(0.8, abs=0.002)
    chart.set_shares(product() * 0.5)
    chart.keep(0.8)
    chart.set_shares(None)
    chart.keep(0.8)
    assert len(released) == 1


def test_a_double_click_on_a_line_takes_the_point_exactly_onto_it(chart, qtbot):
    released = heard(chart.released)
    beside = place_of(chart, 0.9, 0.8 / 0.9) + QPoint(4, 0)
    qtbot.mouseDClick(chart.plot.viewport(), Qt.MouseButton.LeftButton, pos=beside)
    assert released
    assert np.prod(released[-1]) == pytest.approx(0.8, abs=0.002)


def test_a_double_click_away_from_every_line_moves_nothing_further(chart, qtbot):
    chart.set_shares(product() * 0.1)
    released = heard(chart.released)
    hand = chart.plot.viewport()
    qtbot.mouseDClick(hand, Qt.MouseButton.LeftButton, pos=place_of(chart, 0.3, 0.3))
    assert all(pair == pytest.approx((0.3, 0.3), abs=0.01) for pair in released)


def test_arrow_keys_move_the_point(chart, qtbot):
    picked, released = heard(chart.picked), heard(chart.released)
    chart.picked.connect(chart.set_taus)
    chart.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(chart, Qt.Key.Key_Up)
    qtbot.keyClick(chart, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(chart, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert picked == [(0.9, 0.61), (1.0, 0.61), (1.0, 0.61)]
    assert released == picked


def test_with_the_focus_the_arrows_are_the_charts_and_without_it_the_windows(qtbot):
    window, chart = QMainWindow(), RetentionMap()
    chart.set_taus(0.9, 0.6)
    qtbot.addWidget(window)
    window.setCentralWidget(chart)
    stepped, picked = [], heard(chart.picked)
    action = QAction(window)
    action.setShortcut("Right")
    action.triggered.connect(lambda: stepped.append(1))
    window.addAction(action)
    with qtbot.waitActive(window, timeout=20000):
        window.show()
    chart.clearFocus()
    qtbot.keyClick(window, Qt.Key.Key_Right)
    assert (len(stepped), picked) == (1, [])
    chart.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    assert (len(stepped), picked) == (1, [(0.91, 0.6)])


def test_the_exact_share_is_told_where_it_is_known(chart):
    assert "54 %" in chart.accessibleName()
    chart.set_taus(0.9, 0.6, kept=0.617)
    assert "62 %" in chart.accessibleName()


def test_a_point_that_moves_works_out_nothing_of_the_lines_and_the_axes_anew(chart, monkeypatch):
    for patch in (0.3, 0.4):  # an axis knows how much room it needs once it was drawn
        chart.set_taus(patch, 0.6)
        chart.grab()
    places, worked_out = dict(chart._places), []
    monkeypatch.setattr(RoundAxis, "generateDrawSpecs", lambda axis, _p: worked_out.append(axis))
    for step in range(5):
        chart.set_taus(0.5 + step / 50, 0.6)
        chart.grab()
    assert chart._places == places
    assert not worked_out
    chart.resize(320, 280)
    chart.grab()
    assert chart._places != places
    assert worked_out


def test_lines_of_a_map_that_nobody_sees_are_not_looked_for(chart, monkeypatch):
    looked = []
    monkeypatch.setattr(retention_map, "contour", lambda *of: looked.append(of[1]) or contour(*of))
    chart.hide()
    chart.set_shares(island())
    assert not looked
    chart.show()
    assert looked == list(LEVELS)
    chart.resize(340, 280)
    chart.grab()
    assert looked == list(LEVELS)


def test_pairs_set_aside_are_marked_where_they_lie(chart):
    chart.set_marks((("A", 0.25, 0.75), ("B", 0.5, 0.5)))
    told = [(mark.text, mark.pos().x(), mark.pos().y()) for mark in chart.marked]
    assert told == [("A", 0.25, 0.75), ("B", 0.5, 0.5)]
    chart.set_marks((("B", 0.5, 0.5),))
    assert [mark.text for mark in chart.marked] == ["B"]


def test_ctrl_and_the_wheel_zoom_into_the_map_and_the_menu_shows_all_again(chart, qtbot):
    where = chart.plot.place_of(0.4, 0.6)
    chart.plot.turned.emit(2.0, QPointF(0.4, 0.6))
    (left, right), (low, high) = chart.plot.sight
    assert right - left == pytest.approx(0.64)
    assert high - low == pytest.approx(0.64)
    assert (chart.plot.place_of(0.4, 0.6) - where).manhattanLength() < 1
    menu = chart.make_menu()
    next(line for line in menu.actions() if line.text() == "View all").trigger()
    assert chart.plot.sight == ((0, 1), (0, 1))
    menu.deleteLater()


def test_the_table_of_a_map_holds_every_pair_of_its_grid(chart):
    table = chart.table()
    shares = [plain_share(product(), *pair) for pair in zip(*list(table.values())[:2], strict=True)]
    np.testing.assert_allclose(table["retained"], shares, atol=1e-6)
    assert len(table["retained"]) == 21 * 21
