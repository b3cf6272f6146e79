"""Runs of other processes are watched and steered by their files; the last one is remembered."""

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from runs_on_disk import Log, checked, round_of

from smarthdr_studio.core.training.run_lock import run_lock
from smarthdr_studio.core.training.steering import Pause, RefreshEvery, Stop, take_wishes
from smarthdr_studio.studio.state import Activity
from smarthdr_studio.studio.training import other_process


@pytest.fixture(autouse=True)
def looks_often(monkeypatch):
    monkeypatch.setattr(other_process, "_LOOK_EVERY_MS", 50)


@pytest.fixture
def log(fresh_project):
    return Log(fresh_project)


def phase(window):
    window.page.go_to_tab("training")
    return window.page.training._phase.whole


def button(window, text):
    window.page.go_to_tab("training")
    return next(
        b
        for b in window.page.training.findChildren(QPushButton)
        if b.text() == text and b.isVisible()
    )


def click(qtbot, window, text):
    qtbot.mouseClick(button(window, text), Qt.MouseButton.LeftButton)


def ended(log, outcome="done", message="trained"):
    log.begin()
    log.steps(*range(1, 11))
    log.say(checked(10, 31.5))
    log.end(outcome, message)


def test_the_last_run_is_shown_with_its_figures_and_its_curves(window, until, fresh_project, log):
    ended(log)
    read = []
    window.session.training.curves_read.connect(read.append)
    window.session.take(fresh_project)
    until(window.session, lambda s: s.training.activity is Activity.DONE)
    assert "no run yet" not in phase(window)
    assert phase(window).startswith("last run, quick of ")
    assert "PSNR-μ 31.5 dB" in window.page.training._left.text()
    assert list(read[0].series["total"][0]) == list(range(1, 11))
    assert not window.session.state.training.resumable


@pytest.mark.parametrize(
    ("outcome", "message", "activity"),
    [
        ("stopped", "stopped by the person; resume to go on", Activity.STOPPED),
        ("failed", "The disk is full: free some space and resume r1", Activity.FAILED),
    ],
)
def test_a_last_run_that_did_not_end_well_is_told_and_can_be_resumed(
    window, until, fresh_project, log, outcome, message, activity
):
    ended(log, outcome, message)
    window.session.take(fresh_project)
    until(window.session, lambda s: s.training.activity is activity)
    assert message in phase(window)
    assert window.session.state.training.resumable == log.name
    assert button(window, "Resume").isEnabled()
    assert window.session.state.notice is None  # it is no news


def test_a_run_whose_process_died_is_interrupted_and_can_be_resumed(
    window, until, fresh_project, log
):
    log.begin()
    log.steps(1, 2, 3)
    window.session.take(fresh_project)
    until(window.session, lambda s: s.training.activity is Activity.INTERRUPTED)
    assert "interrupted at step 3" in phase(window)
    assert "Resume" in phase(window)
    assert button(window, "Resume").isEnabled()


def test_a_run_at_work_elsewhere_is_followed_live_and_its_end_is_told(
    window, until, fresh_project, log
):
    log.begin()
    log.steps(1, 2)
    points = []
    window.session.training.points_came.connect(points.extend)
    with run_lock(log.folder):
        window.session.take(fresh_project)
        until(window.session, lambda s: s.training.in_other_process and s.training.step == 2)
        assert window.session.state.training.activity is Activity.RUNNING
        assert phase(window) == "another process: epoch 1 of 4: learning from labels"
        log.steps(3, 4, epoch=1)
        log.say(round_of(1, at=4))
        until(window.session, lambda s: s.training.step == 4 and s.training.round == 1)
        assert points
        log.end()
        until(window.session, lambda s: s.training.activity is Activity.DONE)
    until(window.session, lambda s: not s.training.busy)
    assert phase(window) == "another process: trained"


def test_a_run_elsewhere_that_dies_is_told_as_interrupted(window, until, fresh_project, log):
    log.begin()
    log.steps(1)
    with run_lock(log.folder):
        window.session.take(fresh_project)
        until(window.session, lambda s: s.training.in_other_process and s.training.busy)
    until(window.session, lambda s: s.training.activity is Activity.INTERRUPTED)
    assert window.session.state.training.resumable == log.name


def test_a_run_that_begins_while_the_project_is_open_appears(window, until, fresh_project):
    window.session.take(fresh_project)
    until(window.session, lambda s: s.shown == "001")
    assert "no run yet" in phase(window)
    log = Log(fresh_project)
    with run_lock(log.folder):
        log.begin()
        until(window.session, lambda s: s.training.run == log.name and s.training.busy)
        log.end()
        until(window.session, lambda s: s.training.activity is Activity.DONE)


def test_the_buttons_leave_wishes_with_a_run_elsewhere(window, qtbot, until, fresh_project, log):
    log.begin()
    log.steps(1)
    with run_lock(log.folder):
        window.session.take(fresh_project)
        until(window.session, lambda s: s.training.in_other_process and s.training.step == 1)
        click(qtbot, window, "Pause")
        assert "asked to pause" in phase(window)
        wishes = []
        qtbot.waitUntil(lambda: bool(wishes.extend(take_wishes(log.folder)) or wishes))
        assert wishes == [Pause()]
        window.session.running.steering.set_refresh(3)
        click(qtbot, window, "Stop (keep)")
        qtbot.waitUntil(lambda: wishes.extend(take_wishes(log.folder)) or len(wishes) == 3)
        assert set(wishes[1:]) == {RefreshEvery(epochs=3), Stop()}
        assert "asked to stop" in window.page.training._notes.whole
        log.end("stopped", "stopped by the person; resume to go on")
    until(window.session, lambda s: s.training.activity is Activity.STOPPED)


def test_discarding_a_run_elsewhere_stops_it_there_first(window, qtbot, until, fresh_project, log):
    log.begin()
    log.steps(1)
    with run_lock(log.folder):
        window.session.take(fresh_project)
        until(window.session, lambda s: s.training.in_other_process and s.training.step == 1)
        click(qtbot, window, "Discard…")
        assert log.folder.is_dir()
        click(qtbot, window, "Discard")
        qtbot.waitUntil(lambda: Stop() in take_wishes(log.folder))
        log.end("stopped", "stopped by the person; resume to go on")
    qtbot.waitUntil(lambda: not log.folder.exists(), timeout=20000)
    until(window.session, lambda s: s.notice is not None and "trash" in s.notice.text)
    until(window.session, lambda s: s.training.activity is Activity.IDLE)


def test_closing_the_window_leaves_a_run_elsewhere_alone(window, qtbot, until, fresh_project, log):
    log.begin()
    with run_lock(log.folder):
        window.session.take(fresh_project)
        until(window.session, lambda s: s.training.in_other_process)
        window.close()
        qtbot.waitUntil(lambda: not window.isVisible(), timeout=20000)
        assert take_wishes(log.folder) == ()


def test_a_discarded_run_comes_back_by_one_click(window, qtbot, until, fresh_project, log):
    ended(log, "stopped", "stopped by the person; resume to go on")
    window.session.take(fresh_project)
    until(window.session, lambda s: s.training.activity is Activity.STOPPED)
    click(qtbot, window, "Discard…")
    click(qtbot, window, "Keep")
    assert log.folder.is_dir()
    click(qtbot, window, "Discard…")
    click(qtbot, window, "Discard")
    qtbot.waitUntil(lambda: not log.folder.exists(), timeout=20000)
    until(window.session, lambda s: s.notice is not None and s.training.activity is Activity.IDLE)
    restore = next(b for b in window.notice.findChildren(QPushButton) if b.text() == "Restore")
    qtbot.mouseClick(restore, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(log.folder.is_dir, timeout=20000)
    until(window.session, lambda s: s.training.run == log.name)
    assert json.loads((log.folder / "events.jsonl").read_text().splitlines()[0])["run"] == log.name
