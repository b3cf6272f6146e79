"""A dataset that has moved is asked for once; a project that is only looked at says so calmly."""

import shutil
import sqlite3

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt

from smarthdr_studio.core.errors import UnwritableProject
from smarthdr_studio.core.project import project as opening
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.project.stamps import CHANGED_TAG
from smarthdr_studio.studio.dataset.relocate import RelocateSheet
from smarthdr_studio.studio.state import MovedState

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def moved(tiny_project, dataset, tmp_path):
    """Where the dataset of the tiny project lies now, out of reach of a guess."""
    place = tmp_path / "far" / "away" / "under" / "another name"
    place.parent.mkdir(parents=True)
    shutil.move(dataset, place)
    return place


def _told(state):
    """All that the bar of notices says."""
    return "" if state.notice is None else "\n".join((state.notice.text, *state.notice.details))


@pytest.fixture
def asked(window, until, tiny_project, moved):
    """The window asks where the dataset is."""
    window.session.take(tiny_project)
    until(window.session, lambda s: s.moved is not None)
    return window.findChild(RelocateSheet)


def test_a_dataset_that_is_gone_is_asked_for_and_found_again(asked, window, until, qtbot, moved):
    assert asked.isVisible()
    assert not asked.isModal()
    asked._path.clear()
    assert not asked._use.isEnabled()
    asked._path.setText(str(moved))
    qtbot.mouseClick(asked._use, LEFT)
    until(window.session, lambda s: s.moved is None and s.notice is not None)
    assert not asked.isVisible()
    assert "7 of 7 scenes" in window.session.state.notice.text
    until(window.session, lambda s: s.shown is not None)
    until(window.session, lambda _: window.session.screen.stage.material.bracket is not None)


def test_a_folder_that_holds_something_else_is_refused_in_the_sheet(
    asked, window, until, qtbot, tmp_path, moved
):
    (tmp_path / "empty").mkdir()
    asked._path.setText(str(tmp_path / "empty"))
    qtbot.mouseClick(asked._use, LEFT)
    until(window.session, lambda s: s.moved is not None and bool(s.moved.fault))
    assert "0 of the 7 scenes" in asked._fault.text()
    assert asked._use.isEnabled()
    asked.reject()


def test_not_now_leaves_the_pseudo_labels_and_does_not_ask_again(
    asked, window, until, qtbot, tiny_project
):
    qtbot.mouseClick(asked._later, LEFT)
    assert window.session.state.moved is None
    window.session.screen.pick("003")
    until(window.session, lambda s: s.shown == "003" and s.pool is not None)
    assert window.session.screen.stage.material.hdr is not None
    window.session.curating.promote(("003",))
    until(window.session, lambda s: s.row("003").status is Status.PROMOTED)
    assert window.session.state.moved is None
    window.menus._actions["find_dataset"].trigger()
    until(window.session, lambda s: s.moved is not None)
    asked.close()
    assert window.session.state.moved is None


def test_the_guess_is_offered(window, until, tiny_project, dataset, tmp_path):
    place = tmp_path / "disk" / dataset.name
    place.parent.mkdir()
    shutil.move(dataset, place)
    window.session.take(tiny_project)
    until(window.session, lambda s: s.moved is not None)
    sheet = window.findChild(RelocateSheet)
    assert sheet._path.text() == str(place)
    assert "seem to lie here" in sheet._guessed.text()
    sheet._path.setText("/elsewhere")
    assert "seem" not in sheet._guessed.text()
    sheet.reject()


def test_a_dataset_that_is_there_is_never_asked_for(opened, until):
    assert opened.session.state.moved is None
    opened.menus._actions["find_dataset"].trigger()
    until(opened.session, lambda s: s.notice is not None)
    assert "lies where" in opened.session.state.notice.text
    opened.session.files.care.relocate("/somewhere", False)  # nobody asked
    assert opened.session.state.moved is None


@pytest.fixture
def only_looked_at(monkeypatch):
    """Projects whose files may not be written, as whoever is root cannot arrange them."""
    connect = opening.database.connect

    def refused(path, **how):
        if path.parent.suffix == ".shdr":
            raise UnwritableProject(f"{path}: it cannot be written", why="it cannot be written")
        return connect(path, **how)

    monkeypatch.setattr(opening.database, "connect", refused)


def test_a_project_that_cannot_be_written_is_looked_at_and_says_so(
    window, until, only_looked_at, tiny_project
):
    window.session.take(tiny_project)
    until(window.session, lambda s: s.shown == "003" and s.pool is not None)
    assert window.session.state.read_only
    note = window._read_only
    assert note.isVisible()
    assert "Looking works, deciding does not" in note._why.text()
    for decide in (
        lambda: window.session.curating.promote(("003",)),
        lambda: window.session.curating.exclude(("003",)),
        lambda: window.session.curating.write_note(("003",), "a note"),
    ):
        window.session.dismiss()
        decide()
        assert "nothing can be decided" in window.session.state.notice.text
        assert window.session.curating.at_rest
    window.session.close_project()
    assert not note.isVisible()


def test_what_opening_a_project_warned_of_is_told_once(window, until, tiny_project, monkeypatch):
    full = opening.backups.Refreshed(warning="no backup: the disk is full")
    monkeypatch.setattr(opening.backups, "refresh", lambda *_: full)
    window.session.take(tiny_project)
    until(window.session, lambda s: s.shown == "003")
    assert window.session.state.notice.text == "no backup: the disk is full"
    assert window.session.state.notice.tone == "warn"
    window.session.dismiss()
    window.session.curating.exclude(("003",))
    assert window.session.state.notice is None


def test_a_read_only_project_finds_its_dataset_until_it_is_closed(
    window, until, qtbot, only_looked_at, tiny_project, moved
):
    window.session.take(tiny_project)
    until(window.session, lambda s: s.moved is not None)
    sheet = window.findChild(RelocateSheet)
    sheet._path.setText(str(moved))
    qtbot.mouseClick(sheet._use, LEFT)
    until(window.session, lambda s: s.moved is None and s.shown is not None)
    told = window.session.state.notice.text
    assert "forgotten when the project is closed, because it cannot be written" in told
    until(window.session, lambda _: window.session.screen.stage.material.bracket is not None)
    with sqlite3.connect(tiny_project / "project.sqlite") as connection:
        assert str(moved) not in str(connection.execute("SELECT * FROM facts").fetchall())
    connection.close()


def test_a_question_is_the_same_only_while_nothing_of_it_changed(tmp_path):
    first = MovedState(root=tmp_path)
    assert first == MovedState(root=tmp_path)
    assert first != MovedState(root=tmp_path, at_work=True)


def test_the_project_opens_whatever_became_of_its_dataset(tiny_project, moved):
    with Project.open(tiny_project) as project:
        assert len(project.scenes) == 7


@pytest.fixture
def swapped(tiny_project):
    """The project with 003 promoted, and other frames in the place of those of 003 and 004."""
    with Project.open(tiny_project) as project:
        Decisions(project).promote(["003"])
        for name in ("003", "004"):
            path = project.scene(name).frames[0]
            pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            cv2.imwrite(str(path), np.iinfo(pixels.dtype).max - pixels)
    return tiny_project


def test_other_pictures_are_told_when_a_project_is_opened_and_nobody_is_stopped(
    window, until, swapped
):
    window.session.take(swapped)
    until(window.session, lambda s: s.notice is not None and s.notice.tone == "warn")
    notice = window.session.state.notice
    assert "other pictures than the project knows of 2 of 7 scenes (003, 004)" in notice.text
    assert "File ▸ Accept changed pictures…" in notice.text
    assert "File ▸ Where is the dataset?" in notice.text
    assert [line.partition(":")[0] for line in notice.details] == ["003", "004"]
    assert window.session.state.moved is None


def test_a_picture_that_is_gone_is_told_and_nothing_is_offered_in_its_place(
    window, until, tiny_project
):
    with Project.open(tiny_project) as project:
        project.compare_pictures()
        lost = project.scene("003").frames[0]
    away = lost.rename(lost.with_suffix(".away"))
    window.session.take(tiny_project)
    # The view that reads the picture may tell of it too: which of both comes last is chance.
    until(window.session, lambda s: "003 lacks" in _told(s))
    assert window.session.state.notice.tone in ("warn", "bad")
    assert "File ▸ Where is the dataset?" in _told(window.session.state)
    window.session.dismiss()
    window.menus._actions["accept_pictures"].trigger()
    until(window.session, lambda s: "003 lacks" in _told(s))
    assert window.session.state.moved is None
    away.rename(lost)
    window.menus._actions["accept_pictures"].trigger()
    until(window.session, lambda s: "with the pictures it knows" in s.notice.text)


@pytest.mark.parametrize("same", [False, True])
def test_other_pictures_are_taken_in_the_sheet_and_old_labels_are_tagged(
    window, until, qtbot, swapped, same
):
    window.session.take(swapped)
    until(window.session, lambda s: s.notice is not None and s.notice.tone == "warn")
    window.menus._actions["accept_pictures"].trigger()
    until(window.session, lambda s: s.moved is not None)
    sheet = window.findChild(RelocateSheet)
    assert sheet.isVisible()
    assert sheet._accept.isVisible()
    assert "2 of 7 scenes" in sheet._gone.text()
    assert not sheet._use.isEnabled()  # no other folder was given
    sheet._same.setChecked(same)
    qtbot.mouseClick(sheet._accept, LEFT)
    until(window.session, lambda s: s.moved is None and s.notice is not None)
    assert "2 scenes are taken as they are now" in window.session.state.notice.text
    until(window.session, lambda s: s.row("003") is not None)
    assert window.session.state.row("003").tags == (() if same else (CHANGED_TAG,))
    window.menus._actions["find_dataset"].trigger()
    until(window.session, lambda s: s.notice is not None and "lies where" in s.notice.text)
    assert window.session.state.moved is None


def test_that_they_show_the_same_is_asked_anew_each_time(window, until, qtbot, swapped):
    window.session.take(swapped)
    until(window.session, lambda s: s.notice is not None and s.notice.tone == "warn")
    for _ in range(2):
        window.menus._actions["accept_pictures"].trigger()
        until(window.session, lambda s: s.moved is not None)
        sheet = window.findChild(RelocateSheet)
        assert sheet.windowTitle() == "Changed pictures"
        assert not sheet._same.isChecked()
        sheet._same.setChecked(True)
        qtbot.mouseClick(sheet._later, LEFT)
        until(window.session, lambda s: s.moved is None)


def test_the_right_folder_can_be_given_where_another_of_its_names_was_found(
    window, until, qtbot, swapped, made
):
    window.session.take(swapped)
    until(window.session, lambda s: s.notice is not None and s.notice.tone == "warn")
    window.menus._actions["find_dataset"].trigger()
    until(window.session, lambda s: s.moved is not None)
    sheet = window.findChild(RelocateSheet)
    sheet._path.setText(str(made / "brackets"))
    qtbot.mouseClick(sheet._use, LEFT)
    until(window.session, lambda s: s.moved is None and s.shown is not None)
    assert "7 of 7 scenes" in window.session.state.notice.text
    with Project.open(swapped) as project:
        assert project.compare_pictures().changed == {}
        assert project.state("003").tags == ()


def test_a_dataset_that_is_gone_offers_no_pictures_to_take(asked):
    assert not asked._accept.isVisible()
    assert not asked._same.isVisible()
    asked.reject()


def test_a_project_of_before_stamps_says_so_quietly(window, until, tiny_project):
    with sqlite3.connect(tiny_project / "project.sqlite") as connection:
        connection.execute("DROP TABLE stamps")
        connection.execute("ALTER TABLE journal DROP COLUMN reading")
        connection.execute("PRAGMA user_version = 5")
    connection.close()
    window.session.take(tiny_project)
    until(window.session, lambda s: s.notice is not None)
    assert "are told from now on" in window.session.state.notice.text
    assert window.session.state.notice.tone == "plain"
