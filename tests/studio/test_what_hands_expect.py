"""What a hand that knows other programs tries first: right and double clicks, recent files, F1."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu, QPushButton, QTextBrowser

from smarthdr_studio import __version__
from smarthdr_studio.core.display import Layer
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.training.plan_fields import ELSEWHERE
from smarthdr_studio.core.training.plan_schema import plan_fields
from smarthdr_studio.studio.dataset.import_sheet import FolderPage
from smarthdr_studio.studio.runs import evaluation
from smarthdr_studio.studio.state import (
    Activity,
    Centre,
    EvaluationFigures,
    Notice,
    QueueKind,
    Workspace,
)
from smarthdr_studio.studio.theme import CONTRAST, contrast, current_palette, palette_for
from smarthdr_studio.studio.widgets.file_dialogs import begin, use_folders
from smarthdr_studio.studio.window.about import AboutSheet, about_as_markdown, in_short
from smarthdr_studio.studio.window.keys_dialog import HelpSheet

LEFT = Qt.MouseButton.LeftButton
# What the offscreen platform says of every menu that is opened.
pytestmark = pytest.mark.qt_log_ignore("does not support raise", "grabbing the keyboard")


def right_click(widget, at):
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, widget.mapToGlobal(at))
    QApplication.sendEvent(widget, event)


def open_menu(qtbot):
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    return QApplication.activePopupWidget()


def line(menu, title):
    return next(each for each in menu.actions() if each.text().startswith(title))


def test_a_double_click_makes_a_view_fill_the_place_and_brings_all_back(opened, qtbot):
    picture = opened.page.views.view(1).picture
    for alone in (1, None):
        qtbot.mouseDClick(picture, LEFT, pos=QPoint(40, 40))
        assert opened.page.views.alone == alone


def test_the_button_of_a_view_is_no_number_that_looks_like_a_key(opened):
    for place in range(4):
        button = opened.page.views.view(place).header._larger
        assert button.text() == ""
        assert not button.icon().isNull()
        assert "Ctrl+Return" in button.toolTip()


def test_a_right_click_on_a_picture_changes_its_layer_or_its_view(opened, qtbot):
    picture = opened.page.views.view(2).picture
    right_click(picture, QPoint(30, 30))
    menu = open_menu(qtbot)
    layers = line(menu, "Layer").menu()
    line(layers, str(Layer.MERGE)).trigger()
    assert opened.session.state.views[2].layer is Layer.MERGE
    line(menu, "Maximise").trigger()
    assert opened.page.views.alone == 2
    menu.close()


def test_a_right_click_while_painting_opens_no_menu(opened, qtbot):
    opened.session.inspection.painting.toggle()
    right_click(opened.page.views.view(0).picture, QPoint(30, 30))
    assert QApplication.activePopupWidget() is None


def test_a_right_click_on_a_scene_decides_about_it(opened, qtbot, until):
    for line_of, where in ((3, "list"), (4, "table"), (5, "gallery")):
        if where == "list":
            opened.page.go_to_tab("scenes")
            scenes = opened.page.scenes.list
        else:
            opened.session.inspection.table.show(str(Centre[where.upper()]))
            scenes = getattr(opened.page.browsing, where)
        at = scenes.model().index(line_of, 0)
        qtbot.waitUntil(lambda view=scenes, at=at: not view.visualRect(at).isEmpty(), timeout=20000)
        place = scenes.visualRect(at).center()
        qtbot.mouseClick(scenes.viewport(), Qt.MouseButton.RightButton, pos=place)
        right_click(scenes.viewport(), place)
        menu = open_menu(qtbot)
        line(menu, "Exclude").trigger()
        menu.close()
        decided = f"{line_of + 1:03}"
        until(opened.session, lambda s, decided=decided: s.row(decided).status is Status.EXCLUDED)


def test_recent_projects_are_in_the_file_menu(opened, until, fresh_project, tmp_path, tiny_project):
    other = tiny_project.with_name("other.shdr")
    shutil.copytree(tiny_project, other)
    opened.session.take(other)
    until(opened.session, lambda s: s.project == "other" and s.shown is not None)
    recent = opened.menus._recent.actions()
    assert [each.text().split("\t")[0] for each in recent] == [tiny_project.stem]
    assert recent[0].toolTip() == str(tiny_project)
    recent[0].trigger()
    until(opened.session, lambda s: s.folder == tiny_project)


def test_f1_opens_the_first_steps_and_a_question_mark_the_keys(window, qtbot):
    qtbot.keyClick(window, Qt.Key.Key_F1)
    sheet = window.findChild(HelpSheet)
    text = sheet.findChild(QTextBrowser)
    assert text.toPlainText().startswith("First steps")
    sheet._list.setCurrentRow(3)
    window.show_help()
    assert sheet._list.currentRow() == 3
    window.show_keys()
    assert text.toPlainText().startswith("Keys")
    sheet.close()


def test_about_tells_version_libraries_and_licences(window):
    told = about_as_markdown()
    assert f"Version {__version__}" in told
    for name, licence in (("pyqtgraph", "MIT"), ("numpy", "BSD-3-Clause"), ("OpenEXR", "BSD")):
        assert licence in next(row for row in told.splitlines() if row.startswith(f"| {name}"))
    assert all(row.count("|") == 5 for row in told.splitlines() if row.startswith("|"))
    window.show_about()
    sheet = window.findChild(AboutSheet)
    assert sheet.isVisible()
    assert not sheet.isModal()
    sheet.close()


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("lr", "schedule.learning_rate"),
        ("EMA", "teacher.ema"),
        ("patience", "schedule.early_stop"),
        ("batch_size", "batch.labelled"),
        ("grad_accum", "compute.accumulate"),
        ("lambda_u", "loss.unlabelled_weight"),
    ],
)
def test_a_setting_is_found_by_what_it_is_called_elsewhere(query, key):
    assert key in {field.key for field in plan_fields() if field.found_by(query)}


def test_other_names_of_settings_are_names_of_settings_there_are_and_found_only_whole():
    fields = {field.key: field for field in plan_fields()}
    assert set(ELSEWHERE) <= set(fields)
    assert not fields["teacher.ema"].found_by("polya")


def test_a_notice_moves_nothing_and_lies_wholly_in_the_window(opened, qtbot):
    before = opened.page.views.mapTo(opened, QPoint(0, 0)), opened.page.views.size()
    words = "A sentence that has to be told and that is long enough to be wrapped. " * 6
    opened.session.tell(Notice(text=words, tone="warn", details=("one", "two")))
    qtbot.wait(30)
    assert opened.notice.isVisible()
    assert (opened.page.views.mapTo(opened, QPoint(0, 0)), opened.page.views.size()) == before
    corner = opened.notice.mapTo(opened, opened.notice.rect().bottomRight())
    assert opened.rect().contains(corner)
    assert opened.notice._text.height() >= opened.notice._text.heightForWidth(
        opened.notice._text.width()
    )
    opened.notice._more.click()
    qtbot.wait(30)
    assert opened.notice._details.isVisible()
    assert opened.rect().contains(opened.notice.mapTo(opened, opened.notice.rect().bottomRight()))
    opened.notice._close.click()
    assert not opened.notice.isVisible()


def test_after_training_the_next_steps_are_offered_and_the_queue_is_one_click_away(
    run_of_three, opened, qtbot, until, monkeypatch
):
    running, state = opened.session.running, opened.session.state.training
    running.training._become(
        replace(state, activity=Activity.RUNNING, run=run_of_three, past=False)
    )
    running.training._become(replace(state, activity=Activity.DONE, run=run_of_three, past=False))
    notice = opened.session.state.notice
    assert [offer.asks for offer in notice.offers] == ["evaluate", "review", "export"]
    assert QApplication.activeModalWidget() is None
    running.take_offer(notice.offers[1])
    assert opened.session.state.workspace is Workspace.CURATE
    assert opened.session.state.queue.kind is QueueKind.SAFEST
    assert opened.session.state.notice is None
    asked, found = [], EvaluationFigures(run=run_of_three, step=1, split="test", scenes=())
    monkeypatch.setattr(evaluation, "find_figures", lambda **_: "Nothing is measured yet.")
    monkeypatch.setattr(
        evaluation, "measure_figures", lambda _report, **how: asked.append(how) or found
    )
    running.take_offer(notice.offers[0])
    assert opened.session.state.centre is Centre.RUNS
    assert opened.page.browsing.runs.tabs.current == "evaluation"
    until(opened.session, lambda s: s.evaluation.figures is found)
    assert [how["run"] for how in asked] == [run_of_three]
    opened.page.browsing.runs.tabs.go("overview")
    opened.page.browsing.runs.tabs.go("evaluation")
    running.take_offer(notice.offers[0])
    until(opened.session, lambda _: opened.session.at_rest)
    assert len(asked) == 1  # what is known is shown


def test_a_run_that_ended_before_the_window_was_opened_offers_nothing(opened):
    running, state = opened.session.running, opened.session.state.training
    running.training._become(replace(state, activity=Activity.DONE, run="r", past=True))
    assert opened.session.state.notice is None


def test_a_file_dialog_starts_where_the_person_last_was_for_that_purpose(window, tmp_path, qtbot):
    kept = []
    use_folders({}, keep=kept.append)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.csv").write_text("")
        first = QFileDialog(window)
        qtbot.addWidget(first)
        begin(first, folder)
        first.filesSelected.emit([str(tmp_path / folder / "x.csv")])
    for folder in ("one", "two"):
        again = QFileDialog(window)
        qtbot.addWidget(again)
        begin(again, folder)
        assert Path(again.directory().absolutePath()) == tmp_path / folder
    assert kept[-1] == {folder: str(tmp_path / folder) for folder in ("one", "two")}


def test_brackets_are_looked_for_where_the_last_ones_were(window, tmp_path, qtbot):
    use_folders({"import brackets": str(tmp_path)})
    page = FolderPage()
    qtbot.addWidget(page)
    page._browse()
    dialog = page.findChild(QFileDialog)
    assert Path(dialog.directory().absolutePath()) == tmp_path
    dialog.done(0)


def test_folders_of_dialogs_outlive_the_window_and_one_that_is_gone_is_no_trap(
    window, tmp_path, places, qtbot
):
    dialog = QFileDialog(window)
    qtbot.addWidget(dialog)
    begin(dialog, "pictures")
    gone = tmp_path / "gone"
    dialog.filesSelected.emit([str(gone / "x.png")])
    assert str(gone) in places.preferences.read_text()
    again = QFileDialog(window)
    qtbot.addWidget(again)
    before = again.directory().absolutePath()
    begin(again, "pictures")
    assert again.directory().absolutePath() == before


def test_whether_exposures_are_linked_is_seen_by_shape_not_by_colour_alone(opened):
    link = opened.page.display._link
    linked = link._icon
    opened.session.inspection.viewing.link_exposure(False)
    assert link._icon != linked
    opened.session.inspection.viewing.link_exposure(True)
    assert link._icon == linked


def test_high_contrast_can_be_picked_and_every_ink_stands_out(opened, places):
    opened.set_look("contrast")
    assert palette_for("contrast") is CONTRAST
    assert current_palette() is CONTRAST
    assert '"contrast"' in places.preferences.read_text()
    for ground in ("window", "panel", "raised"):
        for ink in ("text", "muted", "accent", "good", "warn", "bad"):
            assert contrast(getattr(CONTRAST, ink), getattr(CONTRAST, ground)) >= 7
    assert contrast(CONTRAST.border, CONTRAST.panel) >= 7
    opened.set_look("dark")


@pytest.mark.parametrize(
    ("whole", "short"),
    [
        ("MIT", "MIT"),
        (
            "BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0",
            "BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0",
        ),
        (
            "Apache-2.0 AND Apache-2.0 WITH LLVM-exception AND BSD-2-Clause AND MIT",
            "Apache-2.0 AND Apache-2.0 WITH LLVM-exception and 2 more",
        ),
    ],
)
def test_no_licence_is_cut_in_its_middle(whole, short):
    assert in_short(whole) == short


def test_the_titles_of_the_guide_are_read_whole(window, qtbot):
    window.show_help()
    titles = window._help._list
    qtbot.waitUntil(titles.isVisible)
    for row in range(titles.count()):
        item = titles.item(row)
        box = titles.visualItemRect(item).adjusted(12, 7, -12, -7)
        needed = titles.fontMetrics().boundingRect(box, Qt.TextFlag.TextWordWrap, item.text())
        assert needed.height() <= box.height(), item.text()
    window._help.close()


def test_the_colours_in_force_are_ticked_in_the_menu(opened):
    def ticked():
        names = ("system", "dark", "light", "contrast")
        return [n for n in names if opened.menus._actions[f"look_{n}"].isChecked()]

    assert ticked() == ["system"]
    for name in ("light", "light", "contrast", "system"):
        opened.menus._actions[f"look_{name}"].trigger()
        assert ticked() == [name]


def test_pictures_keep_their_size_when_work_begins_and_ends(opened, qtbot):
    qtbot.wait(30)
    before = opened.page.views.size()
    state = opened.session.state
    opened.readout.show_state(state, replace(state, busy="looking for motion", progress=0.4))
    assert any(b.isVisible() for b in opened.readout.findChildren(QPushButton))
    qtbot.wait(30)
    assert opened.page.views.size() == before
