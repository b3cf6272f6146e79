"""A folder of brackets becomes a project step by step, and nothing is made before the last."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from brackets import write_dataset
from made_curves import photograph, shot
from made_shots import START, put_brackets, put_png
from made_truths import view
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QPushButton

from smarthdr_studio.core.datasets.scan import find_scenes, labelled_by_default
from smarthdr_studio.core.imaging.bracket import TRUTH_ODD, SceneNote
from smarthdr_studio.core.imaging.response import GAMMA_2_2
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.studio.dataset.import_pages import TruthsPage
from smarthdr_studio.studio.dataset.start_page import NewProjectDialog
from smarthdr_studio.studio.plots.response import ResponseChart
from smarthdr_studio.studio.state.dataset import ImportState

LATER = START + timedelta(hours=1)
VIEWS = [view(seed) for seed in (1, 2, 3)]


@pytest.fixture
def camera(tmp_path):
    """Three brackets of three JPEGs and one more picture, as they come off a card."""
    put_brackets(tmp_path / "DCIM", VIEWS)
    put_brackets(tmp_path / "DCIM", VIEWS[:1], stops=(2,), first=10, at=LATER)
    return tmp_path / "DCIM"


@pytest.fixture
def sheet(window, qtbot):
    """The import as it opens from the start page."""
    ways = window.start.findChildren(QPushButton)
    entry = next(way for way in ways if way.accessibleName() == "Import brackets…")
    qtbot.mouseClick(entry, Qt.MouseButton.LeftButton)
    sheet = window._open_commands._importing
    assert sheet.isVisible()
    return sheet


def look_into(sheet, qtbot, folder):
    sheet.folder.path.setFocus()
    qtbot.keyClicks(sheet.folder.path, str(folder))
    qtbot.keyClick(sheet.folder.path, Qt.Key.Key_Return)


def press(qtbot, button):
    assert button.isEnabled(), button.text()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def at(step):
    return lambda state: state.bringing is not None and state.bringing.step == step


def checked(state):
    return state.bringing.catalogue is not None and not state.bringing.doing


def rows(listing):
    return [listing.item(row).text() for row in range(listing.count())]


def test_pictures_off_a_camera_become_a_project_by_enter_alone(
    window, sheet, qtbot, until, camera, tmp_path
):
    before = {path: path.stat().st_mtime_ns for path in camera.rglob("*")}
    look_into(sheet, qtbot, camera)
    until(window.session, at("brackets"))
    assert rows(sheet.brackets.brackets) == [
        "IMG_0001\n3 frames", "IMG_0004\n3 frames", "IMG_0007\n3 frames", "Left out\n1 picture",
    ]  # fmt: skip
    qtbot.waitUntil(lambda: "1/240 s · −2 EV" in rows(sheet.brackets.frames)[1], timeout=10000)
    assert not sheet.brackets.frames.item(0).icon().isNull()
    for step in ("exposures", "truths", "project"):
        qtbot.keyClick(sheet, Qt.Key.Key_Return)
        until(window.session, at(step))
        until(window.session, checked)
    assert [sheet.exposures.table.item(0, column).text() for column in (0, 2, 3, 4)] == [
        "IMG_0001", "IMG_0002.JPG", "IMG_0001.JPG", "IMG_0003.JPG",
    ]  # fmt: skip
    assert "IMG_0010.JPG: stands alone" in sheet.exposures.odd.toPlainText()
    assert not (tmp_path / "DCIM.shdr").exists()
    qtbot.keyClick(sheet, Qt.Key.Key_Return)
    until(window.session, lambda state: state.project == "DCIM")
    assert not sheet.isVisible()
    with Project.open(tmp_path / "DCIM.shdr") as project:
        assert [scene.id for scene in project.scenes] == ["IMG_0001", "IMG_0004", "IMG_0007"]
    assert {path: path.stat().st_mtime_ns for path in camera.rglob("*")} == before


def test_a_folder_without_brackets_is_refused_where_it_was_given(
    window, sheet, qtbot, until, tmp_path
):
    (tmp_path / "empty").mkdir()
    look_into(sheet, qtbot, tmp_path / "empty")
    until(window.session, lambda state: bool(state.bringing.fault))
    assert window.session.state.bringing.step == "folder"
    assert "holds no scene" in sheet._fault.accessibleName()
    assert sheet._fault.isVisible()


def test_brackets_are_split_joined_and_given_a_reference_by_hand(
    window, sheet, qtbot, until, camera
):
    look_into(sheet, qtbot, camera)
    until(window.session, at("brackets"))
    page = sheet.brackets
    page.brackets.setCurrentRow(1)
    page.frames.setCurrentRow(1)
    press(qtbot, page.refer)
    assert "reference" in rows(page.frames)[1]
    page.brackets.setCurrentRow(0)
    press(qtbot, page.join_next)
    assert rows(page.brackets)[0] == "IMG_0001\n6 frames"
    page.frames.setCurrentRow(3)
    press(qtbot, page.split_here)
    assert rows(page.brackets)[:2] == ["IMG_0001\n3 frames", "IMG_0004\n3 frames"]
    page.brackets.setCurrentRow(2)
    press(qtbot, page.drop_bracket)
    assert rows(page.brackets)[-1] == "Left out\n4 pictures"
    page.brackets.setCurrentRow(2)
    shown = [name.partition("\n")[0] for name in rows(page.frames)]
    page.frames.setCurrentRow(shown.index("IMG_0007.JPG"))
    page._target.setCurrentText("IMG_0004")
    press(qtbot, page.add_to)
    assert rows(page.brackets)[1] == "IMG_0004\n4 frames"


def test_each_step_can_be_gone_back_and_what_was_corrected_is_measured_again(
    window, sheet, qtbot, until, camera
):
    look_into(sheet, qtbot, camera)
    until(window.session, at("brackets"))
    press(qtbot, sheet.next)
    until(window.session, checked)
    assert sheet.exposures.table.rowCount() == 3
    press(qtbot, sheet.back)
    sheet.brackets.brackets.setCurrentRow(0)
    press(qtbot, sheet.brackets.drop_bracket)
    assert window.session.state.bringing.catalogue is None
    press(qtbot, sheet.next)
    until(window.session, checked)
    assert sheet.exposures.table.rowCount() == 2
    press(qtbot, sheet.exposures.by_hand)
    sheet.exposures.step.setValue(1.9)
    sheet.exposures.step.editingFinished.emit()
    until(window.session, lambda state: checked(state) and state.bringing.ev_step == 1.9)
    assert sheet.exposures.table.item(0, 1).text() == "+0  +1.9  +3.8"


def test_a_place_that_was_free_when_it_was_proposed_may_be_taken_by_now(
    window, sheet, qtbot, until, camera, tmp_path
):
    look_into(sheet, qtbot, camera)
    until(window.session, at("brackets"))
    (tmp_path / "DCIM.shdr").mkdir()
    for step in ("exposures", "truths", "project"):
        press(qtbot, sheet.next)
        until(window.session, at(step))
        until(window.session, checked)
    assert not sheet.next.isEnabled()
    assert "There is such a folder already" in sheet.place._why_not.text()


def test_another_import_begins_with_nothing_ticked(window, sheet, qtbot, until, camera):
    def exposures():
        look_into(sheet, qtbot, camera)
        until(window.session, at("brackets"))
        press(qtbot, sheet.next)
        until(window.session, checked)
        return sheet.exposures

    page = exposures()
    press(qtbot, page.hand_held)
    press(qtbot, page.by_hand)
    until(window.session, lambda state: checked(state) and state.bringing.ev_step is not None)
    assert window.session.state.bringing.aligned
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    window.session.bringing.begin()
    page = exposures()
    assert not page.hand_held.isChecked()
    assert not page.by_hand.isChecked()
    assert not page.step.isEnabled()
    assert not window.session.state.bringing.aligned


def test_a_project_in_the_dataset_cannot_be_asked_for(window, sheet, qtbot, until, camera):
    look_into(sheet, qtbot, camera)
    until(window.session, at("brackets"))
    for step in ("exposures", "truths", "project"):
        press(qtbot, sheet.next)
        until(window.session, at(step))
        until(window.session, checked)
    sheet.place.path.setText(str(camera / "inside.shdr"))
    assert not sheet.next.isEnabled()
    assert "ever written into a dataset" in sheet.place._why_not.text()


def test_work_can_be_cancelled_and_begun_again(window, sheet, qtbot, until, tmp_path):
    for number in range(12):
        for index in range(3):
            put_png(tmp_path / "many" / f"s{number:02}" / f"{index}.png", VIEWS[0], 2 * index)
    look_into(sheet, qtbot, tmp_path / "many")
    until(window.session, at("brackets"))
    press(qtbot, sheet.next)
    press(qtbot, sheet.cancel)
    assert (window.session.state.bringing.doing, sheet.cancel.isVisible()) == ("", False)
    assert not sheet.next.isEnabled()
    press(qtbot, sheet.back)
    press(qtbot, sheet.next)
    until(window.session, checked)
    assert sheet.exposures.table.rowCount() == 12


def test_escape_gives_it_up_and_nothing_was_made(window, sheet, qtbot, until, camera, tmp_path):
    look_into(sheet, qtbot, camera)
    until(window.session, at("brackets"))
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert window.session.state.bringing is None
    assert not sheet.isVisible()
    assert not list(Path(tmp_path).glob("*.shdr"))


def test_an_import_outlives_the_opening_of_a_project(
    window, sheet, qtbot, until, camera, tiny_project
):
    look_into(sheet, qtbot, camera)
    until(window.session, at("brackets"))
    window.session.take(tiny_project)
    until(window.session, lambda s: s.folder is not None)
    assert window.session.state.bringing.step == "brackets"
    assert rows(sheet.brackets.brackets)[-1] == "Left out\n1 picture"
    assert sheet.isVisible()


def test_the_sheet_fits_a_small_screen_and_every_control_has_a_name(sheet):
    assert sheet.width() <= 1000
    assert sheet.height() <= 620
    for part in sheet.findChildren(QPushButton):
        assert part.accessibleName(), part


def test_frames_are_aligned_if_wished_and_the_file_menu_stops_it(
    window, sheet, qtbot, until, camera, tmp_path
):
    look_into(sheet, qtbot, camera)
    until(window.session, at("brackets"))
    press(qtbot, sheet.next)
    until(window.session, checked)
    press(qtbot, sheet.exposures.hand_held)
    for step in ("truths", "project"):
        press(qtbot, sheet.next)
        until(window.session, at(step))
    press(qtbot, sheet.next)
    until(window.session, lambda state: state.project == "DCIM" and state.shown is not None)
    project = window.session._store.project
    assert project.reading.aligned
    assert all(scene.reading.aligned for scene in project.scenes)
    window.session.align_frames()
    until(
        window.session,
        lambda state: state.notice is not None and "as they were" in state.notice.text,
    )
    assert not project.reading.aligned
    until(window.session, lambda state: state.shown is not None)


def test_a_dropped_folder_can_be_looked_at_before_it_becomes_a_project(
    window, qtbot, until, camera, tmp_path
):
    window.session.take(camera)
    qtbot.waitUntil(lambda: bool(window.findChildren(NewProjectDialog)), timeout=20000)
    (dialog,) = window.findChildren(NewProjectDialog)
    buttons = {each.text(): each for each in dialog.findChildren(QPushButton)}
    press(qtbot, buttons["Look at the brackets…"])
    until(window.session, at("brackets"))
    sheet = window._open_commands._importing
    assert sheet.isVisible()
    assert sheet.folder.path.text() == str(camera)
    assert rows(sheet.brackets.brackets)[-1] == "Left out\n1 picture"
    assert not (tmp_path / "DCIM.shdr").exists()
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)


def s_shaped(light, stops):
    return shot(light, stops, "S-shaped", full_well=70_000, read=14, seed=int(stops))


@pytest.fixture
def curved(tmp_path):
    """Two brackets of a camera whose curve is not gamma 2.2."""
    views = [photograph(seed) for seed in range(2)]
    put_brackets(tmp_path / "DCIM", views, camera=s_shaped)
    return tmp_path / "DCIM"


def at_exposures(window, sheet, qtbot, until, folder):
    look_into(sheet, qtbot, folder)
    until(window.session, at("brackets"))
    press(qtbot, sheet.next)
    until(window.session, checked)
    return sheet.exposures


def test_a_curve_that_fits_clearly_better_is_shown_and_used_once_one_goes_on(
    window, sheet, qtbot, until, curved
):
    page = at_exposures(window, sheet, qtbot, until, curved)
    assert page.curve.measured.isChecked()
    assert "under the measured curve" in page.curve.words.text()
    assert "clearly better" in page.curve.words.text()
    assert "curve" not in page.odd.toPlainText()
    chart = page.curve.chart
    assert chart.table()["stops, measured"][128] != chart.table()["stops, gamma 2.2"][128]
    for step in ("truths", "project"):
        press(qtbot, sheet.next)
        until(window.session, at(step))
    press(qtbot, sheet.next)
    until(window.session, lambda state: state.project == "DCIM" and state.shown is not None)
    project = window.session._store.project
    measured = project.reading.response
    assert measured is not None
    window.session.curating.undo()
    until(window.session, lambda state: project.reading.response is None)
    until(window.session, lambda state: state.shown is not None and state.redo is not None)
    assert all(scene.reading.response is None for scene in project.scenes)
    window.session.curating.redo()
    until(window.session, lambda state: project.reading.response == measured)


def test_the_curve_leaves_as_its_menu_says_before_there_is_a_project(
    window, sheet, qtbot, until, curved, tmp_path
):
    look_into(sheet, qtbot, curved)
    until(window.session, at("brackets"))
    press(qtbot, sheet.next)
    until(window.session, checked)
    sheet.exposures.curve.chart.export_asked.emit("csv")
    dialog = sheet.findChild(QFileDialog)
    assert Path(dialog.selectedFiles()[0]).name == "response.csv"
    dialog.fileSelected.emit(str(tmp_path / "curve.csv"))
    dialog.close()
    until(window.session, lambda _: (tmp_path / "curve.csv").is_file())
    assert "gamma 2.2" in (tmp_path / "curve.csv").read_text(encoding="utf-8")


def test_gamma_2_2_may_be_chosen_all_the_same(window, sheet, qtbot, until, curved):
    page = at_exposures(window, sheet, qtbot, until, curved)
    press(qtbot, page.curve.gamma)
    until(window.session, lambda state: checked(state) and state.bringing.response is None)
    assert page.curve.gamma.isChecked()
    assert "curve is not gamma 2.2" in page.odd.toPlainText()
    press(qtbot, page.curve.measured)
    until(window.session, lambda state: checked(state) and state.bringing.response is not None)


def test_where_gamma_2_2_fits_it_is_kept(window, sheet, qtbot, until, tmp_path):
    views = [photograph(seed) for seed in range(2)]
    put_brackets(tmp_path / "DCIM", views)
    page = at_exposures(window, sheet, qtbot, until, tmp_path / "DCIM")
    assert page.curve.gamma.isChecked()
    assert "no better than gamma 2.2" in page.curve.words.text()
    assert window.session.state.bringing.response is None


def test_the_chart_draws_both_curves_and_says_so_where_nothing_is_known(qtbot):
    chart = ResponseChart()
    qtbot.addWidget(chart)
    assert "nothing known" in chart.accessibleName()
    assert chart.nothing() == "Not measured yet"
    chart.set_curve(None, known=True)
    assert chart.nothing() == "No curve can be measured"
    chart.set_curve(GAMMA_2_2, known=True)
    assert not chart.nothing()
    chart.show()
    across, stops = chart.plot and chart.measured.getData()
    assert stops[-1] == pytest.approx(0, abs=1e-6)
    assert (across[0], across[-1]) == (8 / 256, 1)


def test_a_ground_truth_that_is_warned_of_is_not_said_to_fit(qapp, tmp_path):
    write_dataset(tmp_path / "set", train=3, size=(16, 24))
    odd = SceneNote(scene="002", topic=TRUTH_ODD, text="It looks mirrored.")
    catalogue = replace(find_scenes(tmp_path / "set"), notes=(odd,))
    page = TruthsPage()
    page.show_state(ImportState(catalogue=catalogue, labelled=labelled_by_default(catalogue)))
    told = page.list.toPlainText().splitlines()
    assert told[0] == "002, no label yet: It looks mirrored."
    assert not [line for line in told if line.startswith("002: ")]
    assert "; 1 warned of; 2 scenes start labelled." in page._found.text()
