"""Sheets beside the window: they follow what others decide, are open once, and leave with it."""

import shutil
from dataclasses import replace

import pytest
from made_truths import put_frames, view
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFileDialog

from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.imaging.bracket import FrameReading
from smarthdr_studio.core.imaging.response import ResponseCurve
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.run_folder import discard_run
from smarthdr_studio.studio.curation.proposal_sheet import ProposalSheet
from smarthdr_studio.studio.dataset.camera_curve import CurveSheet
from smarthdr_studio.studio.dataset.chosen_frames import FramesSheet
from smarthdr_studio.studio.dataset.ground_truth import TruthSheet
from smarthdr_studio.studio.dataset.import_export import DatasetSheet, SplitSheet
from smarthdr_studio.studio.dataset.problem_report import ProblemSheet
from smarthdr_studio.studio.dataset.relocate import RelocateSheet
from smarthdr_studio.studio.runs.model_export import ExportSheet
from smarthdr_studio.studio.runs.rollback import RollbackSheet
from smarthdr_studio.studio.runs.trash import RunTrashSheet
from smarthdr_studio.studio.state import Centre
from smarthdr_studio.studio.training.plan_editor import PlanEditor
from smarthdr_studio.studio.window.about import AboutSheet
from smarthdr_studio.studio.window.keys_dialog import KeysDialog

LEFT = Qt.MouseButton.LeftButton
CURVES = tuple(ResponseCurve(tables=((0.0, middle, 1.0),)) for middle in (0.2, 0.3))


@pytest.fixture
def five(window, until, tmp_path):
    """An open project of two scenes of five frames; answers its folder."""
    for name in ("s", "t"):
        put_frames(tmp_path / "d" / name, [view()] * 5, (0, 1, 2, 3, 4))
        (tmp_path / "d" / name / "exposure.txt").write_text("0 1 2 3 4")
    folder = tmp_path / "p.shdr"
    Project.create(folder, find_scenes(tmp_path / "d"), labelled=()).close()
    window.session.take(folder)
    until(window.session, lambda s: s.shown == "s")
    return folder


@pytest.fixture
def other_project(fresh_project, tmp_path):
    """Another project, to be opened after the first one."""
    return shutil.copytree(fresh_project, tmp_path / "other.shdr")


def trigger(window, *actions):
    for name in actions:
        window.menus._actions[name].trigger()


def shown(window, kind=QDialog):
    return [each for each in window.findChildren(kind) if each.isVisible()]


def elsewhere(folder, decide):
    """Another process decides something."""
    with Project.open(folder) as project:
        decide(Decisions(project))


def test_frames_follow_another_process_and_keep_what_was_picked(window, until, qtbot, five):
    trigger(window, "choose_frames")
    (sheet,) = shown(window, FramesSheet)
    elsewhere(five, lambda decisions: decisions.choose_frames("s", (0, 1, 4)))
    qtbot.waitUntil(lambda: sheet.three == (0, 1, 4))
    assert "f0.tif, f1.tif, f4.tif" in sheet.in_use.text()
    assert not sheet.use.isEnabled(), "they are used already"
    until(window.session, lambda s: s.shown == "s" and window.session._chosen != {})
    assert sheet.isVisible(), "the project was only read anew"
    sheet.boxes[1].setCurrentIndex(2)
    elsewhere(five, lambda decisions: decisions.choose_frames("s", (0, 3, 4)))
    qtbot.waitUntil(lambda: "f3.tif" in sheet.in_use.text())
    assert sheet.three == (0, 2, 4), "picked here and not taken yet"
    qtbot.mouseClick(sheet.use, LEFT)
    until(window.session, lambda _: window.session._chosen == {"s": (0, 2, 4)})
    assert not sheet.isVisible()


def test_frames_are_chosen_in_one_sheet_which_turns_to_the_scene_it_is_asked_for(
    window, until, five
):
    trigger(window, "choose_frames", "choose_frames")
    (sheet,) = shown(window, FramesSheet)
    window.session.screen.pick("t")
    until(window.session, lambda s: s.shown == "t")
    trigger(window, "choose_frames")
    assert shown(window, FramesSheet) == [sheet]
    assert sheet.windowTitle() == "Frames of t"
    sheet.close()
    assert window.session.state.frames is None


def test_the_curve_follows_another_process_and_keeps_what_was_wished(window, until, qtbot, five):
    trigger(window, "camera_curve", "camera_curve")
    until(window.session, lambda s: s.curve is not None and not s.curve.doing)
    (sheet,) = shown(window, CurveSheet)
    reading = [FrameReading(response=curve) for curve in CURVES]
    elsewhere(five, lambda decisions: decisions.read_frames(reading[0]))
    qtbot.waitUntil(lambda: reading[0].curve[:8] in sheet._now.text())
    until(window.session, lambda s: window.session._reading == reading[0] and s.shown == "s")
    assert sheet.isVisible(), "the project was only read anew"
    assert sheet.choice.other.isChecked()
    assert not sheet.use.isEnabled()
    qtbot.mouseClick(sheet.choice.gamma, LEFT)
    elsewhere(five, lambda decisions: decisions.read_frames(reading[1]))
    qtbot.waitUntil(lambda: reading[1].curve[:8] in sheet._now.text())
    assert sheet.choice.gamma.isChecked(), "wished here and not taken yet"
    qtbot.mouseClick(sheet.use, LEFT)
    until(window.session, lambda _: window.session._reading == FrameReading())


def test_a_curve_that_is_being_measured_is_measured_on_where_the_project_is_read_anew(
    window, until, five
):
    trigger(window, "camera_curve")
    assert window.session.state.curve.doing
    window.session._opened(window.session.project)
    until(window.session, lambda s: s.curve is not None and not s.curve.doing)
    window.session.files.curve.give_up()


def test_a_ground_truth_says_what_it_replaces_now_and_keeps_its_ticks(
    opened, until, qtbot, tiny_project
):
    scene = opened.session.project.scene("004")
    opened.session.files.truths.look_at("004", (scene.ground_truth,))
    until(opened.session, lambda s: s.truth is not None and s.truth.findings is not None)
    assert opened.session.state.truth.replaces == ""
    (sheet,) = shown(opened, TruthSheet)
    sheet._note.setText("why")
    elsewhere(tiny_project, lambda decisions: decisions.promote(("004",)))
    until(opened.session, lambda s: s.truth.replaces == "promoted")
    opened.session._opened(opened.session.project)  # as where frames are read otherwise
    until(opened.session, lambda s: s.truth is not None and s.truth.findings is not None)
    assert sheet.isVisible()
    assert sheet._note.text() == "why"
    sheet.reject()


def test_a_split_says_what_it_would_change_now(opened, until, qtbot, tiny_project, tmp_path):
    (tmp_path / "split.csv").write_text("003,excluded\n004,excluded\n")
    opened.session.files.handover.read_split(tmp_path / "split.csv")
    until(opened.session, lambda s: s.split is not None)
    (sheet,) = shown(opened, SplitSheet)
    assert "2 scenes change" in sheet._words.text()
    elsewhere(tiny_project, lambda decisions: decisions.exclude(("003",)))
    qtbot.waitUntil(lambda: "1 scene changes" in sheet._words.text())
    elsewhere(tiny_project, lambda decisions: decisions.exclude(("004",)))
    until(opened.session, lambda s: s.split is None)
    assert not sheet.isVisible()
    assert "every scene is what it says already" in opened.session.state.notice.text


def test_the_question_where_the_dataset_is_goes_where_another_process_answers_it(
    window, until, tiny_project, dataset
):
    moved = dataset.rename(dataset.with_name("moved"))
    hidden = moved.rename(moved.parents[1] / "far")
    window.session.take(tiny_project)
    until(window.session, lambda s: s.moved is not None)
    (sheet,) = shown(window, RelocateSheet)
    with Project.open(tiny_project) as project:
        project.move_dataset(hidden)
    until(window.session, lambda s: s.moved is None and s.shown is not None)
    assert not sheet.isVisible()
    assert window.session.project.dataset == hidden


def test_going_back_to_a_run_says_what_would_change_now(opened, until, qtbot, run_of_three):
    opened.session.running.runs.back.ask(run_of_three)
    until(opened.session, lambda s: s.notice is not None or s.runs.way_back is not None)
    opened.session.curating.exclude(("003",))
    until(opened.session, lambda s: s.row("003").status is Status.EXCLUDED)
    opened.session.running.runs.back.ask(run_of_three)
    until(opened.session, lambda s: s.runs.way_back is not None)
    (sheet,) = shown(opened, RollbackSheet)
    assert "1 scene would change" in sheet._words.text()
    elsewhere(opened.session.project.folder, lambda decisions: decisions.exclude(("004",)))
    qtbot.waitUntil(lambda: "2 scenes would change" in sheet._words.text())
    sheet.reject()


def test_the_trash_of_runs_shows_what_another_process_discards(opened, until, run_of_three):
    opened.session.inspection.table.show(Centre.RUNS)
    until(opened.session, lambda s: len(s.runs.rows) == 1)
    opened.session.running.runs.trash.look()
    until(opened.session, lambda s: s.runs.discarded == ())
    with Project.open(opened.session.project.folder) as project:
        discard_run(project, run_of_three)
    until(opened.session, lambda s: len(s.runs.discarded) == 1)
    (sheet,) = shown(opened, RunTrashSheet)
    sheet.reject()


def test_a_sheet_counts_the_scenes_of_now(opened, until, tiny_project, qtbot):
    trigger(opened, "export_dataset", "export_dataset")
    (sheet,) = shown(opened, DatasetSheet)
    assert "0 promoted" in sheet._counts.text()
    elsewhere(tiny_project, lambda decisions: decisions.promote(("003",)))
    qtbot.waitUntil(lambda: "1 promoted" in sheet._counts.text())
    sheet.reject()


def test_a_model_is_exported_from_one_sheet_that_goes_with_its_run(opened, until, run_of_three):
    opened.session.inspection.table.show(Centre.RUNS)
    until(opened.session, lambda s: len(s.runs.rows) == 1)
    trigger(opened, "run_export", "run_export")
    assert len(shown(opened, ExportSheet)) == 1
    with Project.open(opened.session.project.folder) as project:
        discard_run(project, run_of_three)
    until(opened.session, lambda s: s.runs.looked and not s.runs.rows)
    assert not shown(opened, ExportSheet)


ONCE = {"show_about": AboutSheet, "edit_keys": KeysDialog, "report_problem": ProblemSheet}


def test_a_sheet_that_is_open_comes_to_the_front(opened):
    trigger(opened, *ONCE, *ONCE)
    sheets = [sheet for kind in ONCE.values() for sheet in shown(opened, kind)]
    assert len(sheets) == len(ONCE)
    for sheet in sheets:
        sheet.close()


def test_no_sheet_of_a_project_outlives_it(opened, until, run_of_three, other_project):
    session = opened.session
    session.inspection.table.show(Centre.RUNS)
    until(session, lambda s: len(s.runs.rows) == 1)
    trigger(opened, "choose_frames", "camera_curve", "export_dataset", "report_problem")
    trigger(opened, "run_export", "propose", "plan_run")
    session.running.runs.trash.look()
    until(session, lambda s: s.runs.discarded is not None)
    assert {type(sheet) for sheet in shown(opened)} == {
        *(FramesSheet, CurveSheet, DatasetSheet, ProblemSheet, ExportSheet),
        *(ProposalSheet, PlanEditor, RunTrashSheet),
    }
    session.take(other_project)
    until(session, lambda s: s.folder == other_project and s.shown is not None)
    assert not shown(opened)


def test_what_was_typed_and_ticked_stays_where_the_project_is_read_anew(opened, until, qtbot):
    trigger(opened, "plan_run", "propose")
    until(opened.session, lambda s: s.planning.valid and s.proposal.found is not None)
    opened.session.running.plans.set_text("seed", "7")
    proposals = opened.session.recommendations.proposals
    proposals.set_rule(replace(opened.session.state.proposal.rule, rounds=1, share=0.01))
    opened.session._opened(opened.session.project)  # as where frames are read otherwise
    until(opened.session, lambda s: s.shown is not None and s.proposal.found is not None)
    assert opened.session.state.planning.typed == {"seed": "7"}
    assert opened.session.state.proposal.rule.rounds == 1
    assert {type(sheet) for sheet in shown(opened)} == {PlanEditor, ProposalSheet}
    for sheet in shown(opened):
        sheet.close()
    assert not shown(opened, QFileDialog)
