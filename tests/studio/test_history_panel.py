"""The strip of scenes and rounds, and the panel that replays them."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt

from smarthdr_studio.core.display import ColourMap, colour_table
from smarthdr_studio.core.training.round_history import RunHistory
from smarthdr_studio.core.training.rounds import RoundRecord
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.studio.plots.heat_strip import (
    HeatStripChart,
    RoundLines,
    mean_shares,
)
from smarthdr_studio.studio.state import HeatStrip as Shares
from smarthdr_studio.studio.state import StudioState

LEFT = Qt.MouseButton.LeftButton
ROUNDS = (0, 1, 2, 5)  # records of two rounds are lost
SCENES = ("001", "002", "003")
NAN = float("nan")
TABLE = np.array([[0.1, 0.2, 0.3, 0.4], [NAN, 0.5, 0.6, 0.7], [0.8, 0.9, 1.0, NAN]])


def record(number, *, step):
    return RoundRecord(
        round=number,
        step=step,
        epoch=number,
        masks=MaskSettings(),
        patch_range=None,
        pixel_range=None,
        statistics={},
        retained={},
    )


def history(*, alarm="", replayable=(5,)):
    return RunHistory(
        run="run-1",
        records=tuple(record(number, step=100 * number) for number in ROUNDS),
        scenes=SCENES,
        shares=TABLE,
        replayable=frozenset(replayable),
        psnr_mu=((50, 30.0), (150, 31.0), (450, 32.5)),
        alarm=alarm,
    )


def state(*, shares=TABLE, rounds=ROUNDS, scenes=SCENES, **changes):
    heat = Shares(run="run-1", rounds=rounds, scenes=scenes, shares=shares)
    return StudioState(**{"history": history(), "heat": heat, "current": scenes[0], **changes})


@pytest.fixture
def strip(qtbot):
    strip = HeatStripChart()
    qtbot.addWidget(strip)
    strip.resize(420, 200)
    strip.show()
    strip.show_state(StudioState(), state())
    assert strip.plot.isVisible()
    return strip


@pytest.fixture
def told(strip):
    said = []
    strip.round_picked.connect(said.append)
    strip.scene_picked.connect(said.append)
    return said


def middle(strip, row, column):
    return strip.plot.place_of(column + 0.5, row + 0.5).toPoint()


def test_the_mean_of_a_round_counts_only_scenes_that_took_part():
    slow = [np.mean([v for v in column if v == v]) for column in TABLE.T]
    np.testing.assert_allclose(mean_shares(TABLE), slow)
    assert np.isnan(mean_shares(np.full((2, 1), NAN))).all()


def test_a_check_stands_over_the_round_it_is_told_of_and_the_newest_at_the_right_edge():
    lines = RoundLines.of(history())
    # The first of four rounds has no check before it, and none comes after the last.
    np.testing.assert_allclose(lines.places, [1.5, 2.5, 3.5])
    np.testing.assert_array_equal(lines.decibels, [30, 31, 32.5])
    after = replace(history(), psnr_mu=(*history().psnr_mu, (900, 33.0)))
    np.testing.assert_allclose(RoundLines.of(after).places, [1.5, 2.5, 3.5, 4])
    np.testing.assert_array_equal(RoundLines.of(after).decibels, [30, 31, 32.5, 33])
    assert len(RoundLines.of(None).places) == 0


def test_a_replayed_round_has_the_check_before_it_as_the_diary_tells_it(strip):
    newest = np.nanmean(TABLE[:, -1])
    np.testing.assert_allclose(strip.values(), [32.5, newest])
    for number, decibels in zip(ROUNDS, (NAN, 30, 31, 32.5), strict=True):
        strip.show_state(state(), state(replay=number))
        kept = np.nanmean(TABLE[:, ROUNDS.index(number)])
        np.testing.assert_allclose(strip.values(), [decibels, kept])
    at_once = replace(history(), psnr_mu=((0, 29.0), (200, 33.0)))
    assert RoundLines.of(at_once).made_at.tolist() == [29, 29, 33, 33]


def test_every_cell_has_the_colour_of_its_share_and_unknown_ones_none(strip):
    picture, table = strip.image.image, colour_table(ColourMap.TIDE)
    assert picture.shape == (*TABLE.shape, 4)
    for row, column in np.ndindex(TABLE.shape):
        share = TABLE[row, column]
        if np.isnan(share):
            assert picture[row, column, 3] == 0
        else:
            np.testing.assert_array_equal(picture[row, column, :3], table[round(share * 255)])
    bounds = strip.image.mapRectToParent(strip.image.boundingRect())
    assert bounds == QRectF(0, 0, 4, 3)


@given(st.integers(1, 300), st.integers(60, 400), st.floats(0, 1), st.floats(0, 1))
@example(rows=1, height=60, across=1.0, down=0.0)
@example(rows=1, height=61, across=1.0, down=1.0)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_point_is_in_the_cell_it_is_found_in(strip, rows, height, across, down):
    scenes = tuple(f"{n:04}" for n in range(rows))
    shares = np.linspace(0, 1, rows * 4).reshape(rows, 4)
    strip.resize(420, 100 + height)
    strip.show_state(StudioState(), state(shares=shares, scenes=scenes))
    field = strip.plot.field
    point = QPointF(
        field.left() + across * (field.width() - 1), field.top() + down * (field.height() - 1)
    )
    words = strip.words_at(point.toPoint())
    where = strip.plot.value_at(QPointF(point.toPoint()))
    if where.y() >= rows:
        assert "PSNR" in words
    else:
        # The last pixel is held within what is shown, at its very edge.
        row, column = int(where.y()), min(int(where.x()), len(ROUNDS) - 1)
        assert row in strip.rows_in_sight
        assert words.startswith(f"{scenes[row]} · round {ROUNDS[column]} · ")


def test_what_is_known_is_drawn_in_its_colour_and_what_is_not_in_stripes(strip):
    picture = strip.grab().toImage()
    at = strip.plot.pos()
    spot = at + middle(strip, 1, 2)
    expected = colour_table(ColourMap.TIDE)[round(0.6 * 255)].tolist()
    assert picture.pixelColor(spot).getRgb()[:3] == tuple(expected)
    hatched = at + middle(strip, 1, 0)
    around = [picture.pixelColor(hatched + QPoint(x, 0)).rgb() for x in range(-8, 8)]
    assert len(set(around)) >= 2
    assert strip.stripes.brush().style() is Qt.BrushStyle.BDiagPattern


def test_names_and_rounds_are_told_and_the_marks_framed(strip):
    strip.set_marks(2, "002")
    told = dict(strip.plot.left._tickLevels[0])
    assert told[1.5] == "▸002"
    assert {words.lstrip("▸") for words in told.values()} <= set(SCENES)
    assert [words for _, words in strip.plot.bottom._tickLevels[0]] == ["0", "1", "2", "5"]
    dark_row, _, dark_column, _ = strip.frames
    assert dark_row.rect() == QRectF(0, 1, 4, 1)
    assert dark_column.rect() == QRectF(2, 0, 1, 3)


def test_both_lines_run_from_their_least_to_their_greatest_value(strip):
    x, y = strip.decibels.getData()
    np.testing.assert_allclose(x, [1.5, 2.5, 3.5])
    np.testing.assert_allclose(y, [0, 0.4, 1])
    x, y = strip.kept.getData()
    np.testing.assert_allclose(x, [0.5, 1.5, 2.5, 3.5])
    means = np.array([0.45, 1.6 / 3, 1.9 / 3, 0.55])
    np.testing.assert_allclose(y, (means - means.min()) / (means.max() - means.min()))
    assert strip.below.sight[0] == strip.plot.sight[0]


def test_the_table_of_a_strip_has_a_line_for_every_scene(strip):
    table = strip.table()
    assert table["scene"] == SCENES
    np.testing.assert_array_equal(table["round 5"], TABLE[:, 3])


def test_pointing_reads_scene_round_and_share(strip):
    assert strip.words_at(middle(strip, 2, 1)) == "003 · round 1 · 90.0 % retained"
    assert strip.words_at(middle(strip, 2, 3)) == "003 · round 5 · took no part"
    assert "PSNR" in strip.words_at(QPoint(200, strip.plot.height() - 2))


def test_a_click_picks_a_round_and_a_scene(strip, told, qtbot):
    qtbot.mouseClick(strip.plot.viewport(), LEFT, pos=middle(strip, 1, 3))
    assert told == [5, "002"]


def test_a_drag_picks_every_round_it_crosses_and_only_the_last_scene(strip, told, qtbot):
    view = strip.plot.viewport()
    qtbot.mousePress(view, LEFT, pos=middle(strip, 0, 0))
    qtbot.mouseMove(view, middle(strip, 1, 1))
    qtbot.mouseMove(view, QPoint(5000, 60))
    qtbot.mouseRelease(view, LEFT, pos=QPoint(5000, 5000))
    assert told == [0, 1, 5, "003"]


def test_a_click_beside_the_cells_picks_nothing(strip, told, qtbot):
    qtbot.mouseClick(strip.plot.viewport(), LEFT, pos=QPoint(4, 60))
    qtbot.mouseClick(strip.below.viewport(), LEFT, pos=QPoint(200, 10))
    assert told == []


def test_what_is_marked_already_is_not_picked_again(strip, told, qtbot):
    strip.set_marks(2, "002")
    qtbot.mouseClick(strip.plot.viewport(), LEFT, pos=middle(strip, 1, 2))
    assert told == []
    assert "round 2: 60 % retained" in strip.accessibleName()


def test_arrow_keys_step_from_the_marks_and_stop_at_the_ends(strip, told, qtbot):
    for at_round, scene, key in (
        (None, "001", Qt.Key.Key_Left),  # from now to the last round
        (2, "001", Qt.Key.Key_Right),
        (0, "001", Qt.Key.Key_Left),
        (0, "001", Qt.Key.Key_Down),
        (0, "001", Qt.Key.Key_Up),
    ):
        strip.set_marks(at_round, scene)
        qtbot.keyClick(strip, key)
    assert told == [5, 5, "002"]


def test_many_scenes_are_scrolled_to_the_current_one(strip, told, qtbot):
    scenes = tuple(f"{n:04}" for n in range(1000))
    shares = np.random.default_rng(0).random((1000, 200))
    many = state(shares=shares, scenes=scenes, rounds=tuple(range(200)), current="0500")
    strip.show_state(state(), many)
    strip.set_marks(None, "0900")
    assert 900 in strip.rows_in_sight
    assert 500 not in strip.rows_in_sight
    qtbot.mouseClick(strip.plot.viewport(), LEFT, pos=middle(strip, 898, 150))
    assert told == [150, "0898"]


def test_the_first_strip_of_a_run_shows_the_current_scene(strip):
    scenes = tuple(f"{n:04}" for n in range(400))
    later = state(shares=np.ones((400, 4)), scenes=scenes, current="0390")
    strip.show_state(state(), StudioState(current="0390"))
    strip.show_state(StudioState(current="0390"), later)
    assert 390 in strip.rows_in_sight


def test_a_thousand_scenes_and_two_hundred_rounds_are_painted_quickly(strip):
    def fastest(shares):
        scenes = tuple(f"{n:04}" for n in range(len(shares)))
        rounds = tuple(range(shares.shape[1]))
        strip.show_state(StudioState(), state(shares=shares, scenes=scenes, rounds=rounds))
        strip.grab()
        times = []
        for _ in range(5):
            started = time.process_time()
            strip.grab()
            times.append(time.process_time() - started)
        return min(times)

    rng = np.random.default_rng(0)
    # Cost follows the pixels of the strip, not its cells; the factor forgives the machine.
    assert fastest(rng.random((1000, 200))) < 10 * fastest(rng.random((60, 20)))


def test_without_rounds_the_strip_says_when_there_will_be_some(strip, told, qtbot):
    strip.show_state(state(), StudioState())
    assert not strip.plot.isVisible()
    qtbot.mouseClick(strip, LEFT, pos=QPoint(200, 50))
    qtbot.keyClick(strip, Qt.Key.Key_Left)
    assert told == []
    assert "rounds" not in strip.accessibleName()
