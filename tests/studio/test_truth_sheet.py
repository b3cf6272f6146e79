"""Importing ground truth through the window: looked at, decided by a person, undone in one."""

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog

from smarthdr_studio.core.datasets.ground_truth import NO_FIX
from smarthdr_studio.core.imaging.bracket import decode_ground_truth
from smarthdr_studio.core.imaging.image_files import read_radiance, write_radiance_hdr
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.studio.dataset.ground_truth import TruthSheet

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def brought(tmp_path, dataset):
    """A file of scene 004: four times too bright, one pixel too far right."""
    radiance = read_radiance(dataset / "Training" / "004" / "HDRImg.hdr")
    path = tmp_path / "mine.hdr"
    write_radiance_hdr(path, np.roll(radiance * 4, 1, axis=1))
    return path


def drop(window, paths, at=None):
    """Drop files; whether the window would have them."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    place = QPointF(at or QPoint(600, 300))
    how = Qt.DropAction.CopyAction, mime, LEFT, Qt.KeyboardModifier.NoModifier
    enters = QDragEnterEvent(place.toPoint(), *how)
    window.dragEnterEvent(enters)
    if enters.isAccepted():
        window.dropEvent(QDropEvent(place, *how))
    return enters.isAccepted()


def sheet_of(window):
    return window.findChild(TruthSheet)


def looked_at(window, until):
    until(window.session, lambda s: s.truth is not None and not s.truth.at_work)
    return sheet_of(window)


def test_what_is_dropped_is_looked_at_and_nothing_is_decided_yet(
    opened, until, brought, tiny_project
):
    assert drop(opened, [brought])
    assert opened.session.state.truth.scene == "003"  # the scene on the screen
    sheet = looked_at(opened, until)
    assert sheet.isVisible()
    assert not sheet.isModal()
    assert "correlation" in sheet._summary.text()
    assert not sheet._use.isEnabled()
    assert sheet._use.toolTip().startswith("It cannot be used")
    assert sheet._anyway.isVisible()
    sheet.reject()
    assert opened.session.state.truth is None
    assert not sheet.isVisible()
    with Project.open(tiny_project) as project:
        assert project.state("003").truth is None


def test_another_scene_can_be_chosen_and_the_fixes_are_applied(
    opened, until, qtbot, brought, tiny_project, dataset
):
    before = brought.read_bytes()
    drop(opened, [brought])
    sheet = looked_at(opened, until)
    sheet._scene.setCurrentText("004")
    sheet._scene.activated.emit(sheet._scene.currentIndex())
    until(opened.session, lambda s: s.truth.scene == "004" and not s.truth.at_work)
    assert "multiplied by 0.25" in sheet._scale.text()
    assert "1 pixel to the left" in sheet._shift.text()
    assert sheet._use.isEnabled()
    sheet._note.setText("from the other camera")
    qtbot.mouseClick(sheet._use, LEFT)
    until(opened.session, lambda s: s.row("004").status is Status.GROUND_TRUTH)
    until(opened.session, lambda _: opened.session.curating.at_rest)
    assert opened.session.state.undo == "import the ground truth of 004"
    with Project.open(tiny_project) as project:
        truth = decode_ground_truth(project.scene("004"))
        assert project.entries()[-1].note == "from the other camera"
    expected = read_radiance(dataset / "Training" / "004" / "HDRImg.hdr")
    inside = np.s_[4:-4, 4:-4]
    np.testing.assert_allclose(truth[inside], expected[inside], rtol=0.05, atol=0.02)
    assert brought.read_bytes() == before
    opened.session.curating.undo()
    assert opened.session.state.row("004").status is Status.UNLABELLED


def test_a_fix_that_is_not_wanted_makes_it_against_all_advice(opened, until, brought, qtbot):
    opened.session.files.truths.look_at("004", (brought,))
    sheet = looked_at(opened, until)
    sheet._shift.setChecked(False)
    assert not sheet._use.isEnabled()
    assert "fits only once" in sheet._why_not.text()
    assert sheet._wished.shift == NO_FIX.shift
    assert sheet._wished.gain == pytest.approx(0.25, rel=0.02)
    sheet._shift.setChecked(True)
    assert sheet._use.isEnabled()
    assert not sheet._anyway.isVisible()
    sheet.close()
    assert opened.session.state.truth is None


def test_the_scene_on_the_screen_shows_its_new_ground_truth(opened, until, brought):
    opened.session.screen.pick("004")
    until(opened.session, lambda s: s.shown == "004")
    old = opened.session.screen.stage.material.ground_truth
    opened.session.files.truths.look_at("004", (brought,))
    sheet = looked_at(opened, until)
    sheet._take()
    until(opened.session, lambda s: s.row("004").status is Status.GROUND_TRUTH)
    until(opened.session, lambda _: opened.session.screen.stage.material.ground_truth is not old)


def test_a_line_of_the_list_takes_what_is_dropped_on_it(opened, until, brought, qtbot):
    opened.page.go_to_tab("scenes")
    view = opened.page.scenes._list
    index = next(
        view.model().index(row, 0)
        for row in range(view.model().rowCount())
        if view.model().index(row, 0).data() == "004"
    )
    view.scrollTo(index)
    place = view.viewport().mapTo(opened, view.visualRect(index).center())
    drop(opened, [brought], at=place)
    assert opened.session.state.truth.scene == "004"
    looked_at(opened, until).reject()


def test_a_file_of_another_size_cannot_be_forced(opened, until, tmp_path):
    path = tmp_path / "small.hdr"
    write_radiance_hdr(path, np.full((48, 64, 3), 0.5, np.float32))
    drop(opened, [path])
    sheet = looked_at(opened, until)
    assert "64×48" in sheet._summary.text()
    assert not sheet._anyway.isVisible()
    sheet.reject()


def test_a_file_that_cannot_be_read_is_said_in_the_sheet(opened, until, tmp_path):
    path = tmp_path / "torn.exr"
    path.write_bytes(b"torn")
    drop(opened, [path])
    sheet = looked_at(opened, until)
    assert "torn.exr" in sheet._summary.text()
    assert not sheet._use.isEnabled()
    sheet.reject()


def static_frames(folder, radiance):
    folder.mkdir()
    for number, stops in enumerate((0, 2, 4)):
        ldr = np.clip(radiance * 2.0**stops, 0, 1) ** (1 / 2.2)
        cv2.imwrite(
            str(folder / f"s{number}.tif"), np.rint(ldr * 65535).astype(np.uint16)[..., ::-1]
        )
    return sorted(folder.iterdir())


def test_a_static_bracket_is_merged_with_exposures_that_are_typed(
    opened, until, qtbot, tmp_path, dataset, tiny_project
):
    radiance = read_radiance(dataset / "Training" / "004" / "HDRImg.hdr")
    frames = static_frames(tmp_path / "still", radiance)
    opened.session.screen.pick("004")
    until(opened.session, lambda s: s.shown == "004")
    drop(opened, frames)
    sheet = looked_at(opened, until)
    assert sheet._evs_row.isVisible()
    # Nothing says how long they were exposed, so that was measured.
    measured = "measured by its pixels: 0, 2, 4 EV"
    assert measured in " ".join(opened.session.state.truth.findings.warnings)
    sheet._evs.setText("0, 2, 4")
    sheet._ask_again()
    until(
        opened.session,
        lambda s: s.truth.findings is not None and measured not in str(s.truth.findings.warnings),
    )
    assert sheet._use.isEnabled()
    sheet._take()
    until(opened.session, lambda s: s.row("004").status is Status.GROUND_TRUTH)
    with Project.open(tiny_project) as project:
        assert project.state("004").truth is not None


def test_folders_still_open_and_pictures_need_a_project(window, until, tiny_project, tmp_path):
    picture = tmp_path / "a.hdr"
    picture.write_bytes(b"")
    assert not drop(window, [picture])
    assert drop(window, [picture, tiny_project])
    until(window.session, lambda s: s.folder == tiny_project)
    assert not drop(window, [tmp_path / "a.txt"])


def test_the_action_asks_for_files(opened, until, brought, qtbot):
    qtbot.keyClick(opened, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    dialog = opened.findChild(QFileDialog)
    assert "003" in dialog.windowTitle()
    dialog.filesSelected.emit([str(brought)])
    dialog.close()
    looked_at(opened, until).reject()


def test_a_second_file_takes_the_place_of_the_first(opened, until, brought, tmp_path):
    torn = tmp_path / "torn.exr"
    torn.write_bytes(b"torn")
    opened.session.files.truths.look_at("004", (torn,))
    opened.session.files.truths.look_at("004", (brought,))
    sheet = looked_at(opened, until)
    assert opened.session.state.truth.files == (brought,)
    assert not opened.session.state.truth.fault
    opened.session.cancel()
    assert sheet.isVisible()  # there is nothing left to cancel
    opened.session.close_project()
    assert not sheet.isVisible()
