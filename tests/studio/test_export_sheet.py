"""A model leaves the window as one file, and the window looks through such a file."""

import threading

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from smarthdr_studio.core.display import Layer
from smarthdr_studio.learning.model_files import read_card
from smarthdr_studio.studio.runs import model_export
from smarthdr_studio.studio.runs.model_export import ExportSheet
from smarthdr_studio.studio.state import ModelWish

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def runs(run_of_three, opened, until):
    """The page of runs, with the run chosen."""
    opened.menus._actions["show_runs"].trigger()
    until(opened.session, lambda s: s.runs.chosen == (run_of_three,))
    return opened


@pytest.fixture
def sheet(runs):
    runs.menus._actions["run_export"].trigger()
    sheet = runs.findChild(ExportSheet)
    yield sheet
    if shiboken6.isValid(sheet):  # it goes when it is accepted
        sheet.close()


def pick(qtbot, choice, word):
    qtbot.mouseClick(choice._buttons[word], LEFT)


def said(window, until, words):
    until(window.session, lambda s: s.notice is not None and words in s.notice.text, timeout=60000)
    return window.session.state.notice


def test_the_sheet_stops_nobody_and_proposes_a_name_that_follows_the_choice(
    qtbot, sheet, run_of_three
):
    assert sheet.isVisible()
    assert not sheet.isModal()
    assert sheet._path.text().endswith(f"{run_of_three}-best-teacher.shdrmodel")
    pick(qtbot, sheet._parts, "student")
    pick(qtbot, sheet._whiches, "last")
    pick(qtbot, sheet._forms, "ONNX")
    assert sheet._path.text().endswith(f"{run_of_three}-last-student.onnx")
    assert "smarthdr-studio[onnx]" in sheet._about.text()


def test_a_name_that_was_typed_stays_and_only_its_ending_follows(qtbot, sheet, tmp_path):
    sheet._path.setText(str(tmp_path / "mine.shdrmodel"))
    pick(qtbot, sheet._forms, "TorchScript")
    assert sheet._path.text() == str(tmp_path / "mine.pt")
    assert sheet._export.isEnabled()
    for wrong in ("mine.pt", str(tmp_path / "mine.exr"), ""):
        sheet._path.setText(wrong)
        assert not sheet._export.isEnabled()


def test_the_best_teacher_is_on_disk_and_its_place_can_be_opened(
    qtbot, runs, until, sheet, tmp_path
):
    sheet._path.setText(str(tmp_path / "mine.shdrmodel"))
    qtbot.mouseClick(sheet._export, LEFT)
    notice = said(runs, until, "is in")
    card = read_card(tmp_path / "mine.shdrmodel")
    assert (card.part, card.step) == ("teacher", 20)
    assert "step 20" in notice.text
    assert "bit by bit" in notice.text
    assert notice.opens == tmp_path
    assert runs.session.state.busy == ""


def test_what_cannot_be_written_is_one_sentence(runs, until, run_of_three, tmp_path):
    (tmp_path / "file").touch()
    controller = runs.session.files.models
    controller.export(ModelWish(run=run_of_three, file=tmp_path / "file" / "a.shdrmodel"))
    said(runs, until, "cannot be written")
    controller.export(ModelWish(run="nobody", file=tmp_path / "a.shdrmodel"))
    said(runs, until, "has no checkpoint yet")
    controller.export(ModelWish(run=run_of_three, file=tmp_path / "a.exr"))
    said(runs, until, "name it a.shdrmodel")


def test_writing_can_be_cancelled(runs, until, run_of_three, tmp_path, monkeypatch):
    go = threading.Event()

    def slow(tell, *, project, wish):
        while not go.wait(0.01):
            tell("writing", 1, 2)

    monkeypatch.setattr(model_export, "put_model", slow)
    controller = runs.session.files.models
    controller.export(ModelWish(run=run_of_three, file=tmp_path / "a.shdrmodel"))
    until(runs.session, lambda s: s.busy == "writing")
    controller.export(ModelWish(run=run_of_three, file=tmp_path / "b.shdrmodel"))
    assert "already" in runs.session.state.notice.text
    runs.session.cancel()
    until(runs.session, lambda s: s.busy == "" and runs.session.at_rest)


def look_through(window, path):
    window.menus._actions["look_through_file"].trigger()
    dialog = window.findChild(QFileDialog)
    dialog.fileSelected.emit(str(path))
    dialog.done(0)
    dialog.setParent(None)


def student_of(window):
    return window.session.screen.stage.material.student


def test_a_scene_is_looked_at_through_a_model_file_and_through_the_newest_again(
    opened, until, qtbot, run_of_three, tmp_path, tiny_project
):
    session, path = opened.session, tmp_path / "mine.shdrmodel"
    session.files.models.export(ModelWish(run=run_of_three, file=path))
    said(opened, until, "is in")
    look_through(opened, path)
    assert "step 20" in said(opened, until, "mine.shdrmodel is looked through").text
    qtbot.waitUntil(lambda: student_of(opened) is not None, timeout=60000)
    assert session.state.views[session.state.active].layer is Layer.STUDENT
    painted = session.screen.painted_view(session.state.active)
    assert "mine.shdrmodel" in painted.detail
    through = student_of(opened)
    opened.menus._actions["look_through_newest"].trigger()
    qtbot.waitUntil(lambda: student_of(opened) is not None, timeout=60000)
    assert "mine" not in session.screen.painted_view(session.state.active).detail
    assert not np.array_equal(student_of(opened), through)  # the student of step 30
    until(session, lambda s: session.at_rest)


def test_a_file_that_is_no_model_is_said_and_nothing_else_changes(opened, until, tmp_path):
    path = tmp_path / "odd.shdrmodel"
    path.write_text("no model")
    before = opened.session.state.views
    look_through(opened, path)
    assert said(opened, until, "no whole model file").tone == "bad"
    until(opened.session, lambda s: s.busy == "" and opened.session.at_rest)
    assert opened.session.state.views == before
