"""The page of runs in the window: found, compared, noted, discarded, gone back to, resumed."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QFileDialog
from run_folders import checked, fabricate, over, preview, round_told, say, stepped

from smarthdr_studio.core.display import Layer
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.run_folder import CHECKPOINT_FILES, RunFolder, read_note
from smarthdr_studio.core.training.run_lock import run_lock
from smarthdr_studio.studio.settings import Layout
from smarthdr_studio.studio.state import Centre, StudioState, ViewSetup

CURVES = ("psnr/PSNR-μ",)
EARLY, LATE = "20261124-100000-quick", "20261125-100000-quick"


def last_entry(project):
    with Project.open(project) as opened:
        return opened.entries()[-1].seq


@pytest.fixture
def project(tiny_project):
    """A project with a run that is done, and a later one that was interrupted."""
    told = (stepped(1), round_told(1, 2), stepped(3), checked(4, 31.0))
    early = fabricate(tiny_project, EARLY, *told, over(EARLY), journal=last_entry(tiny_project))
    late = fabricate(tiny_project, LATE, *told, epochs=9, journal=last_entry(tiny_project))
    for run, grey in ((early, 60), (late, 160)):
        preview(run, 1, "003", grey)
    return tiny_project


@pytest.fixture
def window(show, project):
    """The window with that project."""
    return show(project)


@pytest.fixture
def runs(window, until, qtbot):
    """The page of runs, with both of them read."""
    until(window.session, lambda s: s.shown == "003" and s.charts is not None)
    keys = (Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(QApplication.focusWidget() or window, *keys)
    assert window.session.state.centre is Centre.RUNS
    until(window.session, lambda s: s.runs.told is not None)
    return window.page.browsing.runs


def choose(window, until, *ids):
    window.session.running.runs.choose(ids)
    until(window.session, lambda s: s.runs.told is not None and s.runs.told.runs == ids)


def test_runs_fill_the_middle_in_train_where_charts_would_be_too_low_and_lead_back(
    window, runs, until, qtbot
):
    for size in ((1280, 720), (1440, 900)):
        window.resize(*size)
        _runs_fill_the_middle_and_lead_back(window, runs, until, qtbot)


def _runs_fill_the_middle_and_lead_back(window, runs, until, qtbot):
    window.session.work_in("Train")
    assert not window.page.desk.has("runs")
    window.page.training.all_runs.click()
    assert window.session.state.centre is Centre.RUNS
    choose(window, until, LATE, EARLY)
    runs.tabs.go("curves")
    qtbot.waitUntil(lambda: runs.board.curves["psnr/PSNR-μ"].height() >= 150)
    assert runs.table.viewport().height() >= 3 * runs.table.rowHeight(0)
    runs.bar._back.click()
    assert window.session.state.centre is Centre.PICTURES
    assert window.page.training.isVisible()
    window.page.training.all_runs.click()
    qtbot.mouseClick(window.bar._workspaces._buttons["Train"], Qt.MouseButton.LeftButton)
    assert window.session.state.centre is Centre.PICTURES
    assert window.page.training.isVisible()


def test_runs_in_a_low_panel_are_scrolled_and_their_charts_can_be_read(window, runs, until, qtbot):
    window.resize(1280, 720)
    window.session.work_in("Train")
    window.page.desk.bring("runs")
    choose(window, until, LATE, EARLY)
    runs.tabs.go("curves")
    qtbot.waitUntil(lambda: runs.board.curves["psnr/PSNR-μ"].height() >= 100)
    assert runs.table.viewport().height() >= 3 * runs.table.rowHeight(0)
    assert not runs.bar._back.isVisible()


def test_the_page_has_room_commands_about_its_runs_and_escape_leads_back_to_the_pictures(
    window, runs, until, qtbot, project, monkeypatch
):
    assert runs.isVisible()
    assert not window.page.desk.has("thresholds")
    assert [row.id for row in window.session.state.runs.rows] == [LATE, EARLY]
    assert window.session.state.runs.chosen == (LATE,)
    # The command that resumes goes to the clipboard.
    choose(window, until, LATE)
    window._runs._calls["run_copy"]()
    command = QGuiApplication.clipboard().text()
    assert command == f"smarthdr-studio train {project} --resume {LATE}"
    # A command about one run lets one be chosen first.
    choose(window, until, LATE, EARLY)
    window._runs._calls["run_go_back"]()
    assert "Choose one run" in window.session.state.notice.text
    # Where nothing has changed since, there is no way to go back.
    window.session._store.notice(None)
    choose(window, until, EARLY)
    window._runs._calls["run_go_back"]()
    until(window.session, lambda s: s.notice is not None)
    assert window.session.state.runs.way_back is None
    # Any run that can be resumed is.
    asked = []
    monkeypatch.setattr(window.session.training, "resume", lambda run, **how: asked.append(run))
    choose(window, until, LATE)
    runs.bar._buttons["run_resume"].click()
    choose(window, until, EARLY)
    window._runs._calls["run_resume"]()
    assert asked == [LATE]
    assert "nothing to resume" in window.session.state.notice.text
    # And Escape leads back.
    qtbot.keyClick(runs.table, Qt.Key.Key_Escape)
    assert window.session.state.centre is Centre.PICTURES
    assert window.page.desk.has("thresholds")


def test_a_run_of_another_process_appears_changes_and_is_recognised_as_dead(
    window, runs, until, project
):
    session = window.session
    run = fabricate(project, "20261126-100000-paper")
    with run_lock(run):
        until(session, lambda s: s.runs.rows[0].status == "running")
        say(run, stepped(1), round_told(1, 2), checked(2, 40.0))
        until(session, lambda s: s.runs.rows[0].last_psnr_mu == 40.0)
        assert "1 at work" in runs.bar._count.whole
        choose(window, until, "20261126-100000-paper")
        assert not runs.bar._buttons["run_discard"].isEnabled()
        assert not runs.bar._buttons["run_resume"].isEnabled()
    until(session, lambda s: s.runs.rows[0].status == "interrupted")
    until(session, lambda s: not s.training.busy)  # the training panel has seen it too
    assert runs.bar._buttons["run_resume"].isEnabled()


def test_nobody_looks_at_the_disk_while_the_page_is_not_seen(window, runs, until, qtbot, project):
    window.session.inspection.table.show(str(Centre.PICTURES))
    qtbot.waitUntil(lambda: window.session.at_rest, timeout=20000)
    fabricate(project, "20261126-100000-paper")
    controller = window.session.running.runs
    assert not controller._clock.isActive()
    controller.look()
    assert len(window.session.state.runs.rows) == 2
    window.session.inspection.table.show(str(Centre.RUNS))
    until(window.session, lambda s: len(s.runs.rows) == 3)


def test_two_runs_are_held_against_each_other(window, runs, until, qtbot):
    choose(window, until, LATE, EARLY)
    titles = window.session.state.runs.titles
    assert [line.name for line in runs.details.plans.rows] == ["Schedule: Epochs"]
    curves = []
    window.session.running.runs.telling.curves_came.connect(curves.append)
    runs.tabs.go("curves")
    qtbot.waitUntil(lambda: bool(curves), timeout=20000)
    assert set(curves[-1]) == {titles[LATE], titles[EARLY]}
    assert list(curves[-1][titles[EARLY]]["total"][0]) == [1, 3]
    runs.tabs.go("pictures")
    frames = runs.pictures._frames
    qtbot.waitUntil(lambda: frames[1].isVisible(), timeout=20000)
    shown = [frame._view._image.pixelColor(4, 4).red() for frame in frames[:2]]
    assert np.allclose(shown, [160, 60], atol=2)
    window.session.screen.pick("001")
    qtbot.waitUntil(lambda: frames[0]._view._image.isNull(), timeout=20000)


def test_a_note_is_on_disk_once_the_keyboard_is_elsewhere(window, runs, until, qtbot, project):
    choose(window, until, EARLY)
    runs.write_note()
    qtbot.keyClicks(QApplication.focusWidget(), "the good one")
    runs.table.setFocus()
    until(window.session, lambda s: s.runs.row(EARLY).note == "the good one")
    assert read_note(RunFolder(project / "runs" / EARLY)) == "the good one"


def test_a_note_that_is_being_written_outlives_the_window(window, runs, until, qtbot, project):
    choose(window, until, EARLY)
    runs.write_note()
    qtbot.keyClicks(QApplication.focusWidget(), "in a hurry")
    window.close()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=30000)
    assert read_note(RunFolder(project / "runs" / EARLY)) == "in a hurry"


def test_a_run_is_discarded_when_asked_and_restored_by_the_notice(
    window, runs, until, qtbot, project
):
    choose(window, until, EARLY)
    qtbot.keyClick(runs.table, Qt.Key.Key_Delete)
    assert runs.question.isVisible()
    qtbot.keyClick(runs.question._no, Qt.Key.Key_Escape)
    assert not runs.question.isVisible()
    assert window.session.state.centre is Centre.RUNS
    assert (project / "runs" / EARLY).is_dir()
    qtbot.keyClick(runs.table, Qt.Key.Key_Delete)
    runs.question._yes.click()
    until(window.session, lambda s: [row.id for row in s.runs.rows] == [LATE])
    assert window.session.state.runs.chosen == (LATE,)
    offer = window.session.state.notice.offers[0]
    window.session.running.take_offer(offer)
    until(window.session, lambda s: s.runs.row(EARLY) is not None)


def test_discarded_runs_are_found_again_later(window, runs, until, project):
    choose(window, until, LATE, EARLY)
    trash = window.session.running.runs.trash
    trash.ask()
    assert "2 runs" in window.session.state.runs.question
    trash.agree()
    until(window.session, lambda s: s.runs.rows == () and s.runs.looked)
    window._runs._calls["run_restore"]()
    until(window.session, lambda s: s.runs.discarded is not None)
    trash.restore(tuple((each.id, each.day) for each in window.session.state.runs.discarded))
    until(window.session, lambda s: len(s.runs.rows) == 2 and s.runs.discarded == ())
    trash.close()


def test_going_back_is_one_decision_and_brings_the_views_back(window, runs, until, qtbot, project):
    session = window.session
    views = (ViewSetup(layer=Layer.REFERENCE), ViewSetup(layer=Layer.UNCERTAINTY))
    Layout.of(StudioState(views=views, columns=2, current="004"), {}).write(
        project / "runs" / EARLY
    )
    session.curating.promote(("003",))
    until(session, lambda s: s.row("003").status is Status.PROMOTED)
    choose(window, until, EARLY)
    window._runs._calls["run_go_back"]()
    until(session, lambda s: s.runs.way_back is not None)
    assert window._runs._back.isVisible()
    window._runs._back._go.click()
    until(session, lambda s: s.row("003").status is Status.UNLABELLED)
    assert session.state.views == views
    assert session.state.current == "004"
    assert not window._runs._back.isVisible()
    qtbot.waitUntil(lambda: session.curating.at_rest, timeout=20000)
    session.curating.undo()
    until(session, lambda s: s.row("003").status is Status.PROMOTED)
    with Project.open(project) as opened:
        assert Decisions(opened).next_undo.words == "promote 003"


def test_the_plan_of_a_run_is_in_the_editor_to_be_changed(window, runs, until, qtbot, project):
    checkpoint = project / "runs" / LATE / "checkpoints" / "step-4"
    checkpoint.mkdir(parents=True)
    (checkpoint / "checkpoint.json").write_text('{"step": 4, "metrics": {"psnr_mu": 31.0}}')
    for name in CHECKPOINT_FILES:
        (checkpoint / name).write_bytes(b"")
    weights = checkpoint / "teacher.safetensors"
    choose(window, until, LATE)
    window._runs._calls["run_continue"]()
    until(window.session, lambda s: "network.start_from" in s.planning.typed)
    typed = window.session.state.planning.typed
    assert typed["network.start_from"] == str(weights)
    assert typed["schedule.epochs"] == "9"
    assert window.session.state.planning.preset == "quick"
    window._plan_commands.editor.close()


def test_another_project_shows_none_of_these_runs(window, runs, until):
    window.session.close_project()
    until(window.session, lambda s: s.folder is None)
    assert window.session.state.runs.rows == ()
    assert not window.session.running.runs._clock.isActive()


def test_exported_curves_are_called_after_the_chosen_runs(window, runs, until):
    of_two = f"{window.session.state.project}-2-runs"
    for chosen, name in (((EARLY,), EARLY), ((LATE, EARLY), of_two)):
        choose(window, until, *chosen)
        runs.tabs.go("curves")
        until(window.session, lambda _: any(len(x) for x, _ in runs.board.series(CURVES).values()))
        runs.board.export_asked.emit("csv", CURVES)
        dialog = window.findChild(QFileDialog)
        assert Path(dialog.selectedFiles()[0]).name.startswith(f"{name}-")
        dialog.close()
        dialog.setParent(None)
        dialog.deleteLater()
