"""One scene in every round: shown, followed, scrolled back, picked, pinned, and let go."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from smarthdr_studio.core.curation.scene_facts import SceneFacts
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.rounds import (
    RECORDED_BINS,
    RoundRecord,
    history_path,
    write_record,
)
from smarthdr_studio.core.trust.masking import MaskSettings, Range
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.studio.state import Activity, StudioState, TrainingState
from smarthdr_studio.studio.state.training import FilmFrame, FilmState
from smarthdr_studio.studio.theme import DARK
from smarthdr_studio.studio.training import film_strip
from smarthdr_studio.studio.training.film_strip import (
    FilmModel,
    FilmStrip,
    frame_in_words,
    instead_of_picture,
    read_previews,
)

SCENES = ("003", "004")
_AIR = 5  # pixels around the words of a tile


def film(rounds, *, scene="003", run="r1"):
    frames = tuple(FilmFrame(round=k, retained=k / 100, sigma=0.02) for k in range(1, rounds + 1))
    return FilmState(run=run, scene=scene, frames=frames)


def write_round(run, number, *, scenes=SCENES, picture=True):
    """The record of a round as training leaves it, and its small pictures."""
    sigma = np.full((96, 128), 0.01 * number, np.float32)
    statistics = {scene: SceneStatistics.of(sigma).coarser(RECORDED_BINS) for scene in scenes}
    record = RoundRecord(
        round=number,
        step=10 * number,
        epoch=number,
        masks=MaskSettings(),
        patch_range=Range(0.01, 0.2),
        pixel_range=Range(0.01, 0.2),
        statistics=statistics,
        retained=dict.fromkeys(scenes, number / 10),
        columns=dict.fromkeys(scenes, 2),
    )
    write_record(history_path(run, number), record)
    folder = run / "previews" / f"{number:05d}"
    folder.mkdir(parents=True)
    for scene in scenes if picture else ():
        cv2.imwrite(str(folder / f"{scene}.jpg"), np.full((20, 30, 3), 40 * number, np.uint8))


@pytest.fixture
def strip(qtbot):
    strip = FilmStrip(DARK)
    qtbot.addWidget(strip)
    strip.resize(420, 150)
    with qtbot.waitExposed(strip):
        strip.show()
    return strip


def show(strip, before, after, *, replay=None):
    strip.show_state(StudioState(film=before), StudioState(film=after, replay=replay))


def test_the_newest_round_is_followed_until_one_scrolls_back(strip):
    bar = strip.horizontalScrollBar()
    show(strip, FilmState(), film(20))
    assert bar.value() == bar.maximum() > 0
    show(strip, film(20), film(21))
    assert bar.value() == bar.maximum()
    bar.setValue(50)
    show(strip, film(21), film(22))
    assert bar.value() == 50
    strip.go_to_newest()
    assert bar.value() == bar.maximum()


@pytest.mark.parametrize("width", [420, 900, 1190])
def test_none_of_the_rounds_in_sight_is_cut_while_the_newest_is_followed(strip, width):
    strip.resize(width, 170)
    show(strip, FilmState(), film(30))
    boxes = [strip.visualRect(strip.frames.index(row)) for row in range(30)]
    room = strip.viewport().width()
    cut = [box for box in boxes if box.left() < 0 <= box.right() - _AIR or box.right() >= room]
    assert not cut
    assert strip.visualRect(strip.frames.index(29)).right() >= room - _AIR


def test_only_the_pictures_in_sight_are_asked_for_and_each_of_them_once(strip, qtbot):
    asked = []
    strip.frames.pictures_wanted.connect(asked.append)
    show(strip, FilmState(), film(40))
    qtbot.waitUntil(lambda: bool(asked), timeout=20000)
    strip.viewport().repaint()
    qtbot.wait(80)
    wanted = [number for rounds in asked for number in rounds]
    assert len(wanted) == len(set(wanted)) < 20
    assert 40 in wanted


def test_a_click_picks_a_round_and_the_arrows_go_on_from_it(strip, qtbot):
    picked = []
    strip.round_picked.connect(picked.append)
    show(strip, FilmState(), film(3))
    index = strip.frames.index(1)
    qtbot.mouseClick(
        strip.viewport(), Qt.MouseButton.LeftButton, pos=strip.visualRect(index).center()
    )
    assert picked == [2]
    strip.show_state(StudioState(film=film(3)), StudioState(film=film(3), replay=2))
    strip.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert picked == [2, 3]


def test_a_high_strip_has_several_rows(strip, qtbot):
    show(strip, FilmState(), film(30))
    assert not strip.isWrapping()
    strip.resize(420, 520)
    qtbot.waitUntil(strip.isWrapping, timeout=20000)
    assert strip.verticalScrollBar().value() == strip.verticalScrollBar().maximum()


def test_without_rounds_it_says_so_and_with_a_scene_that_took_no_part_too(strip):
    assert strip.frames.rowCount() == 0
    empty = strip.grab().toImage()
    show(strip, FilmState(), FilmState(run="r1", scene="003"))
    assert strip.grab().toImage() != empty
    assert frame_in_words(FilmFrame(round=4)) == "Round 4: took no part"
    assert instead_of_picture(FilmFrame(round=4)) == "took no part"
    assert instead_of_picture(FilmFrame(round=4, retained=0.5, sigma=0.02)) == "no picture"
    assert frame_in_words(FilmFrame(round=4, retained=0.5, sigma=0.02)) == (
        "Round 4: retained 50 %, σ 0.020"
    )


def test_a_film_of_a_run_before_is_not_shown_under_the_run_at_work(strip):
    ours = TrainingState(activity=Activity.RUNNING, run="r2")
    before = StudioState(film=film(3))
    strip.show_state(StudioState(), before)
    assert strip.frames.rowCount() == 3
    started = StudioState(film=film(3), training=ours)
    strip.show_state(before, started)
    assert strip.frames.rowCount() == 0
    assert "No round of this run yet" in strip._words
    promoted = replace(started, scenes=(SceneFacts(id="003", status=Status.PROMOTED),))
    strip.show_state(started, promoted)
    assert "only unlabelled scenes have one" in strip._words
    nothing = StudioState(film=replace(film(3), frames=()))
    strip.show_state(started, nothing)
    assert strip._words == "No film of 003 yet: it begins with the first round of training."
    for status, told in ((Status.TEST, "is for testing"), (Status.GROUND_TRUTH, "is labelled")):
        strip.show_state(nothing, replace(nothing, scenes=(SceneFacts(id="003", status=status),)))
        assert told in strip._words
    first = StudioState(film=film(1, run="r2"), training=ours)
    strip.show_state(started, first)
    assert strip.frames.rowCount() == 1


def test_pictures_seen_longest_ago_are_let_go_and_asked_for_anew(qapp, monkeypatch, qtbot):
    monkeypatch.setattr(film_strip, "_KEPT", 3)
    model = FilmModel(qapp)
    model.show_film(film(5))
    picture = QImage(4, 4, QImage.Format.Format_RGB32)
    model.take_pictures("r1", "003", dict.fromkeys((1, 2, 3), picture))
    assert model.picture(0) is not None
    model.take_pictures("r1", "003", {4: picture})
    assert model.picture(0) is not None
    assert model.picture(1) is None
    model.take_pictures("r1", "other", {2: picture})
    assert model.picture(1) is None
    asked = []
    model.pictures_wanted.connect(asked.append)
    qtbot.waitUntil(lambda: asked == [(2,)], timeout=20000)
    model.deleteLater()


def test_a_picture_that_is_not_there_or_damaged_is_a_null_picture(tmp_path):
    write_round(tmp_path, 1)
    write_round(tmp_path, 2, picture=False)
    (tmp_path / "previews" / "00002" / "003.jpg").write_bytes(b"no picture")
    said = []
    found = read_previews(
        lambda *words: said.append(words), run=tmp_path, scene="003", rounds=(1, 2, 3)
    )
    assert [found[k].isNull() for k in (1, 2, 3)] == [False, True, True]
    assert len(said) == 3


@pytest.fixture
def filmed(tiny_project):
    """A project whose only run made two rounds."""
    with Project.open(tiny_project) as project:
        run = project.runs_folder / "20260101-000000-quick"
    run.mkdir(parents=True)
    for number in (1, 2):
        write_round(run, number)
    return tiny_project


def test_the_film_follows_the_scene_on_the_screen_unless_it_is_pinned(
    session, until, filmed, qtbot
):
    came = []
    session.film_and_diary.film.pictures_came.connect(lambda *told: came.append(told))
    session.take(filmed)
    until(session, lambda s: s.shown == "003" and len(s.film.frames) == 2)
    shown = session.state.film
    assert shown.scene == "003"
    assert [frame.retained for frame in shown.frames] == [0.1, 0.2]
    assert shown.frames[1].sigma == pytest.approx(0.02)
    session.film_and_diary.film.want((1, 2))
    qtbot.waitUntil(lambda: bool(came), timeout=20000)
    assert came[0][:2] == (shown.run, "003")
    session.film_and_diary.film.pin(True)
    session.screen.pick("004")
    assert session.state.film.scene == "003"
    session.film_and_diary.film.pin(False)
    assert session.state.film.scene == "004"
    session.screen.pick("005")
    assert session.state.film.frames == ()  # it took no part in any round


def test_rounds_of_another_run_than_the_one_whose_charts_are_shown_say_so(opened):
    store, pages = opened.session._store, opened.page.run_pages
    earlier = "20261129-211119-quick"
    store.become(film=film(2, run=earlier), training=TrainingState(run=earlier))
    assert not pages.whose.isVisibleTo(pages.film.parentWidget())
    store.become(training=TrainingState(run="20261129-212451-quick_selfhdr"))
    assert pages.whose.isVisibleTo(pages.film.parentWidget())
    assert pages.whose.whole.startswith("Of quick of ")
    assert pages.whose.whole.endswith("the last run with rounds")
