"""Steering a run of the window: asked in place of its buttons, granted by it, told in words."""

import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton

from smarthdr_studio.core.errors import OutOfMemory, Remedy
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.events import PhaseChanged, RunStarted
from smarthdr_studio.core.training.run_index import list_rows
from smarthdr_studio.core.training.steering import LearningRate, RefreshEvery
from smarthdr_studio.studio.actions import by_id
from smarthdr_studio.studio.state import Activity

OVER = (Activity.DONE, Activity.STOPPED, Activity.FAILED)
PLAN = """
held_out = 1
[network]
name = "light"
[schedule]
epochs = {epochs}
warmup_epochs = 1
steps_per_epoch = 2
[batch]
crop = 32
stride = 32
labelled = 2
unlabelled = 2
[loss]
perceptual_weight = 0.0
"""
STARTED = RunStarted(
    run="r1", folder="/r1", device="cpu", network="light", total_steps=9, total_epochs=3
)
LEARNING = PhaseChanged(phase="learning", text="epoch 1 of 3: learning", step=0)


@pytest.fixture
def train(window, tmp_path, until, fresh_project):
    """Starts a run of seconds, or as long as asked, and waits for its first steps."""

    def start(*, epochs=300):
        path = tmp_path / "tiny.toml"
        path.write_text(PLAN.format(epochs=epochs))
        window.session.take(fresh_project)
        until(window.session, lambda s: s.shown == "001")
        window.page.go_to_tab("training")
        window.session.training.train(preset=str(path), device="cpu")
        until(window.session, lambda s: s.training.step > 1, timeout=400000)
        return window.session

    return start


class Deaf:
    """A thread that trains nothing and keeps what it is asked."""

    def __init__(self):
        self.asked, self.wishes = [], self

    def ask(self, wish):
        self.asked.append(wish)

    def pause(self):
        self.asked.append("pause")

    def go_on(self):
        self.asked.append("go on")

    def stop(self):
        self.asked.append("stop")

    def deleteLater(self):  # noqa: N802 - Qt's
        return


@pytest.fixture
def running(opened):
    """The window with a run that only listens; over at the end."""
    controller = opened.session.training
    opened.session.running.other_process.rest()
    controller._thread = Deaf()
    controller.take((STARTED, LEARNING))
    opened.page.go_to_tab("training")
    yield opened
    controller._ended()


def button(window, text):
    return next(
        b
        for b in window.page.training.findChildren(QPushButton)
        if b.text() == text and b.isVisible()
    )


def click(qtbot, window, text):
    qtbot.mouseClick(button(window, text), Qt.MouseButton.LeftButton)


def test_the_buttons_of_a_run_at_work_stand_where_those_of_the_next_one_stood(running, qtbot):
    panel = running.page.training
    shown = {b.text() for b in panel.findChildren(QPushButton) if b.isVisible()}
    assert {"Pause", "Stop (keep)", "Discard…", "Steer"} <= shown
    assert not {"Train", "Resume"} & shown
    running.session.training._ended()
    shown = {b.text() for b in panel.findChildren(QPushButton) if b.isVisible()}
    assert {"Train", "Resume", "Plan…"} <= shown
    assert "Pause" not in shown


def test_every_button_is_inside_the_smallest_window(running, qtbot):
    panel = running.page.training
    for row in (panel._at_work, panel._at_rest, panel._question):
        assert row.minimumSizeHint().width() <= panel._rows.width()


def test_charts_stay_where_they_are_while_words_about_the_run_come(running, qtbot):
    panel, board = running.page.training, running.page.training._board.geometry()
    running.page.training.rate_picked.emit(0.0003)
    assert "asked to learn" in panel._notes.whole
    panel.layout().activate()
    qtbot.wait(50)
    assert panel._board.geometry() == board


def test_a_learning_rate_is_asked_for_in_place_of_the_buttons(running, qtbot):
    for rate, text in ((0.0003, "0.0003"), (0.0004, "4e-4"), (0.0005, "0,0005")):
        running.page.training.ask_rate()
        field = running.page.training._question._field
        assert "from epoch 2 on" in running.page.training._question._rest.whole
        field.setText(text)
        qtbot.keyClick(field, Qt.Key.Key_Return)
        assert running.session.training._thread.asked[-1] == LearningRate(rate=rate)
        assert f"asked to learn at {rate:.4f}" in running.page.training._notes.whole
        assert button(running, "Pause").isVisible()
    assert len(running.session.training._thread.asked) == 3


def test_what_is_no_learning_rate_is_not_asked_for(running, qtbot):
    for text in ("", "fast", "0", "-1", "nan", "inf"):
        running.page.training.ask_rate()
        running.page.training._question._field.setText(text)
        click(qtbot, running, "Set")
        assert running.session.training._thread.asked == [], text
        assert "a number above 0" in running.page.training._question._rest.whole, text
        click(qtbot, running, "Cancel")
        assert button(running, "Pause").isVisible(), text


def test_epochs_between_rounds_are_asked_for_and_escape_asks_nothing(running, qtbot):
    running.page.training.ask_refresh()
    running.page.training._question._field.setText("4")
    qtbot.keyClick(running.page.training._question._field, Qt.Key.Key_Return)
    assert running.session.training._thread.asked == [RefreshEvery(epochs=4)]
    running.page.training.ask_refresh()
    qtbot.keyClick(running.page.training._question._field, Qt.Key.Key_Escape)
    assert button(running, "Pause").isVisible()
    assert running.session.training._thread.asked == [RefreshEvery(epochs=4)]


def test_no_arrow_key_is_caught_by_a_button_that_went(running, qtbot):
    click(qtbot, running, "Discard…")
    click(qtbot, running, "Keep")
    held = QApplication.focusWidget()
    assert held is None or not running.page.training.isAncestorOf(held)


def test_every_command_of_the_run_is_in_the_palette_and_brings_its_panel(running, qtbot):
    found = {action.objectName(): action for action in running.menus.actions_to_find}
    running.page.go_to_tab("history")
    for name in ("discard", "change_rate", "change_refresh"):
        found[name].trigger()
        assert running.page.training._question.isVisible()
        qtbot.waitUntil(lambda: running.page.desk.in_front("training"))
        running.page.training._show_row()
    for name in ("save_snapshot", "skip_to_round"):
        assert by_id(name).keys
        found[name].trigger()
    assert len(running.session.training._thread.asked) == 2


def test_what_no_run_can_hear_is_told(opened):
    opened.session.running.steering.snapshot()
    assert "No run is at work" in opened.session.state.notice.text


def test_a_run_that_could_not_begin_is_begun_with_one_click_on_its_remedy(
    window, until, fresh_project, tmp_path, monkeypatch
):
    session, path = window.session, tmp_path / "tiny.toml"
    path.write_text(PLAN.format(epochs=2).replace("_weight = 0.0", "_weight = 0.01"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    session.take(fresh_project)
    until(session, lambda s: s.folder is not None)
    session.training.train(preset=str(path), device="cpu")
    until(session, lambda s: s.training.activity is Activity.FAILED, timeout=60000)
    notice = session.state.notice
    assert "not on this machine" in notice.text
    assert [offer.text for offer in notice.offers] == [
        "Fetch the VGG-16 weights (528 MiB)",
        "Leave out the VGG-16 term",
    ]
    session.running.take_offer(notice.offers[1])
    until(session, lambda s: s.training.activity is Activity.DONE, timeout=120000)


def test_out_of_memory_offers_its_remedies_and_one_click_resumes_with_the_best(
    running, qtbot, monkeypatch
):
    remedies = (
        Remedy(text="Half the batch", changes={"batch.labelled": 4}),
        Remedy(text="Use bfloat16", changes={"precision": "bfloat16"}),
    )
    resumed = []
    controller = running.session.training
    monkeypatch.setattr(controller, "resume", lambda run, **how: resumed.append((run, how)))
    controller.fail(str(OutOfMemory("Out of memory.")), remedies)
    buttons = running.notice.findChildren(QPushButton)
    first, second = (next(b for b in buttons if b.text() == each.text) for each in remedies)
    qtbot.waitUntil(lambda: first.isVisible() and second.isVisible(), timeout=20000)
    assert first.x() < second.x()
    qtbot.mouseClick(first, Qt.MouseButton.LeftButton)
    assert resumed == [("r1", {"changes": {"batch.labelled": 4}})]
    assert running.session.state.notice is None


@pytest.mark.slow
def test_a_run_is_steered_while_it_goes(train, qtbot, until, window):
    session = train()
    session.running.steering.snapshot()
    until(session, lambda s: "a snapshot was saved" in s.training.told, timeout=300000)
    session.running.steering.set_learning_rate(0.0005)
    until(session, lambda s: s.training.learning_rate == 0.0005, timeout=300000)
    session.running.steering.pause_or_go_on()
    until(session, lambda s: s.training.activity is Activity.PAUSED and not s.training.asked)
    held = session.state.training.step
    session.running.steering.snapshot()
    until(session, lambda s: "a snapshot was saved" in s.training.told, timeout=300000)
    assert session.state.training.step == held
    session.running.steering.pause_or_go_on()
    until(session, lambda s: s.training.step > held, timeout=300000)
    before = session.state.training.round
    session.running.steering.skip_to_round()
    until(session, lambda s: s.training.round > before, timeout=300000)
    session.running.steering.stop()
    until(session, lambda s: s.training.activity is Activity.STOPPED, timeout=300000)


@pytest.mark.slow
def test_a_run_of_the_window_is_discarded_whole_and_restored(
    train, qtbot, until, window, fresh_project
):
    session = train()
    run = session.state.training.run
    click(qtbot, window, "Discard…")
    assert session.state.training.activity is Activity.RUNNING  # asking stops nothing
    click(qtbot, window, "Discard")
    until(session, lambda s: s.notice is not None and "trash" in s.notice.text, timeout=300000)
    with Project.open(fresh_project) as project:
        assert list_rows(project) == ()
    session.running.take_offer(session.state.notice.offers[0])
    until(session, lambda s: s.notice is not None and "is back" in s.notice.text, timeout=60000)
    until(session, lambda s: s.training.run == run, timeout=20000)
    assert session.state.training.resumable == run
    # It was discarded near its end: with more epochs there is time to see it run.
    session.training.resume(run, changes={"schedule.epochs": 500})
    until(session, lambda s: s.training.activity is Activity.RUNNING, timeout=300000)
    session.running.steering.stop()
    until(session, lambda s: s.training.activity in OVER, timeout=300000)


def test_a_plan_that_cannot_be_loaded_is_told(opened):
    session = opened.session
    session.training.train(preset="/nowhere/plan.toml", device="cpu")
    assert session.state.training.activity is Activity.FAILED
    assert "no such file" in session.state.training.message


def test_a_command_that_no_run_could_hear_says_so(opened):
    for name in ("pause", "stop", "change_rate", "change_refresh", "save_snapshot"):
        opened.session.dismiss()
        assert opened.session.state.notice is None
        opened.menus._actions[name].trigger()
        assert opened.session.state.notice.text.startswith("No run is at work"), name


def test_a_command_to_discard_says_so_where_there_is_nothing_to_discard(opened):
    opened.menus._actions["discard"].trigger()
    assert "All runs" in opened.session.state.notice.text
    assert not opened.page.training._question.isVisible()


def test_a_question_has_its_yes_at_the_right(running, qtbot):
    click(qtbot, running, "Discard…")
    assert button(running, "Keep").x() < button(running, "Discard").x()
