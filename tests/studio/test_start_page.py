"""The first page shows ways in, never an empty grey window."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFileDialog, QLabel, QPushButton

from smarthdr_studio.core.project.project import Project
from smarthdr_studio.studio.dataset.start_page import NewProjectDialog, why_not
from smarthdr_studio.studio.settings import Preferences
from smarthdr_studio.studio.widgets.file_dialogs import begin


def way_in(window, name):
    return next(b for b in window.start.findChildren(QPushButton) if b.accessibleName() == name)


def drop(window, folder):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(folder))])
    window.dropEvent(
        QDropEvent(
            QPointF(10, 10),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )


def files_of(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_new_person_sees_four_ways_in_and_a_click_makes_the_sample_which_is_made_only_once(
    window, qtbot, until, places
):
    assert window.start.isVisible()
    for name in (
        "Try the sample project",
        "Import brackets…",
        "Open a dataset folder…",
        "Open a project…",
    ):
        assert way_in(window, name).isVisible()
    qtbot.mouseClick(way_in(window, "Try the sample project"), Qt.MouseButton.LeftButton)
    until(window.session, lambda s: s.project == "sample" and len(s.scenes) == 3, timeout=60000)
    assert window.page.isVisible()
    assert window.session.state.busy == ""
    before = files_of(places.sample / "sample")
    window.session.close_project()
    until(window.session, lambda s: s.project != "sample")
    window.session.try_sample()
    until(window.session, lambda s: s.project == "sample")
    assert files_of(places.sample / "sample") == before


def test_generating_the_sample_can_be_given_up_and_begun_again(window, qtbot, until):
    window.session.try_sample()
    until(window.session, lambda s: s.progress is not None, timeout=60000)
    cancel = next(b for b in window.readout.findChildren(QPushButton) if b.text() == "Cancel")
    qtbot.mouseClick(cancel, Qt.MouseButton.LeftButton)
    until(window.session, lambda s: s.busy == "", timeout=60000)
    assert window.start.isVisible()
    window.session.try_sample()
    until(window.session, lambda s: s.project == "sample", timeout=60000)


def test_projects_opened_before_are_offered_again(window, qtbot, until, tiny_project):
    window.session.take(tiny_project)
    until(window.session, lambda s: s.project == "tiny")
    window.session.close_project()
    assert window.start.isVisible()
    assert window.session.state.recent == (tiny_project,)
    qtbot.waitUntil(lambda: way_in(window, "tiny").isVisible(), timeout=20000)


def test_a_project_that_is_gone_is_not_offered(tmp_path):
    kept = tmp_path / "window.json"
    Preferences(recent=(str(tmp_path / "gone.shdr"),)).write(kept)
    assert Preferences.read(kept).folders() == ()


def test_damaged_preferences_cost_nothing(tmp_path):
    kept = tmp_path / "window.json"
    kept.write_text('{"recent": 7')
    found = Preferences.read(kept)
    assert str(kept) in found.told
    assert replace(found, told="") == Preferences()


def test_a_dropped_dataset_becomes_a_project_beside_it_and_is_not_touched(
    window, qtbot, until, dataset
):
    before = files_of(dataset)
    drop(window, dataset)
    qtbot.waitUntil(lambda: window.findChild(NewProjectDialog) is not None, timeout=20000)
    dialog = window.findChild(NewProjectDialog)
    assert dialog.width() <= 1280
    create = next(b for b in dialog.findChildren(QPushButton) if b.text() == "Create project")
    qtbot.mouseClick(create, Qt.MouseButton.LeftButton)
    until(window.session, lambda s: s.project == "brackets" and s.shown is not None)
    assert window.session.state.folder == dataset.parent / "brackets.shdr"
    assert files_of(dataset) == before


def test_a_dropped_project_is_opened(window, until, tiny_project):
    drop(window, tiny_project)
    until(window.session, lambda s: s.project == "tiny")


def test_scenes_that_were_left_out_are_told_without_stopping_anyone(window, qtbot, until, dataset):
    (dataset / "Training" / "003" / "exposure.txt").write_text("not numbers\n")
    drop(window, dataset)
    qtbot.waitUntil(lambda: window.findChild(NewProjectDialog) is not None, timeout=20000)
    dialog = window.findChild(NewProjectDialog)
    assert any("1 folder left out" in label.text() for label in dialog.findChildren(QLabel))
    dialog.chosen.emit(dialog._catalogue, dataset.parent / "some.shdr")
    dialog.reject()
    until(window.session, lambda s: s.notice is not None and s.project == "some")
    notice = window.session.state.notice
    assert notice.tone == "warn"
    assert "003" in notice.details[0]
    assert window.notice.isVisible()


def test_what_is_odd_about_scenes_is_told_where_those_left_out_are(window, qtbot, until, dataset):
    (dataset / "Training" / "003" / "HDRImg.hdr").write_text("no picture\n")
    (dataset / "Training" / "002" / "exposure.txt").write_text("1\n4\n16\n")
    drop(window, dataset)
    qtbot.waitUntil(lambda: window.findChild(NewProjectDialog) is not None, timeout=20000)
    dialog = window.findChild(NewProjectDialog)
    told = [label.text() for label in dialog.findChildren(QLabel)]
    assert any("1 ground truth left out; something is odd about 1" in text for text in told)
    dialog.chosen.emit(dialog._catalogue, dataset.parent / "odd.shdr")
    dialog.reject()
    until(window.session, lambda s: s.notice is not None and s.project == "odd")
    notice = window.session.state.notice
    words = "1 ground truth was left out. Something is odd about 1 scene."
    assert (notice.tone, notice.text) == ("warn", words)
    assert "holds shutter times or ratios" in notice.details[0]
    assert "HDRImg.hdr: " in notice.details[1]


def test_a_folder_without_scenes_is_refused_in_words(window, until, tmp_path):
    (tmp_path / "empty").mkdir()
    window.session.take(tmp_path / "empty")
    until(window.session, lambda s: s.notice is not None)
    assert "empty" in window.session.state.notice.text
    assert window.start.isVisible()


def test_a_folder_that_is_no_project_is_refused_in_words(window, until, tmp_path):
    (tmp_path / "odd.shdr").mkdir()
    window.session.take(tmp_path / "odd.shdr")
    until(window.session, lambda s: s.notice is not None)
    assert "odd.shdr" in window.session.state.notice.text


def test_a_project_is_never_made_inside_a_dataset(dataset):
    assert "dataset" in why_not(dataset / "new.shdr", dataset)
    assert why_not(dataset.parent / "new.shdr", dataset) == ""
    assert ".shdr" in why_not(dataset.parent / "new", dataset)
    assert why_not(Path("new.shdr"), dataset)
    (dataset.parent / "there.shdr").mkdir()
    assert "already" in why_not(dataset.parent / "there.shdr", dataset)


def test_the_dataset_may_be_gone_and_the_project_still_opens(window, until, tiny_project, dataset):
    dataset.rename(dataset.with_name("moved"))
    window.session.take(tiny_project)
    until(window.session, lambda s: s.shown == "003" and s.notice is not None)
    assert len(window.session.state.scenes) == 7
    with Project.open(tiny_project) as project:
        assert len(project.scenes) == 7


def test_a_dropped_database_opens_the_project_it_lies_in(window, until, tiny_project):
    drop(window, tiny_project / "project.sqlite")
    until(window.session, lambda s: s.project == "tiny")


def test_a_model_that_is_opened_is_proposed_where_a_model_is_asked_for(window, until, tmp_path):
    model = tmp_path / "mine.shdrmodel"
    model.touch()
    drop(window, model)
    until(window.session, lambda s: s.notice is not None and model.name in s.notice.text)
    dialog = QFileDialog(window)
    begin(dialog, "model")
    assert dialog.selectedFiles() == [str(model)]
    dialog.deleteLater()
