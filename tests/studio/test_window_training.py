"""A training in the window: started, held, stopped, resumed, failed, and left in the middle."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QPushButton

from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.events import Steered
from smarthdr_studio.core.training.run_index import list_rows
from smarthdr_studio.studio.state import Activity
from smarthdr_studio.studio.training import controller as training_module

OVER = (Activity.DONE, Activity.STOPPED, Activity.FAILED)

TINY_PLAN = """
[network]
name = "light"
[schedule]
epochs = {epochs}
warmup_epochs = 1
steps_per_epoch = 2
halve_at_epoch = 1
[batch]
crop = 32
stride = 32
labelled = 2
unlabelled = 2
[loss]
perceptual_weight = 0.0
"""


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """Makes every preset a plan of seconds, or as long as asked."""

    def shorten(*, epochs=2):
        path = tmp_path / "tiny.toml"
        path.write_text(TINY_PLAN.format(epochs=epochs) + "\n")
        path.write_text("held_out = 1\n" + path.read_text())
        load = training_module.load_preset

        def load_tiny(name, **changes):
            return load(name if name.endswith(".toml") else str(path), **changes)

        monkeypatch.setattr(training_module, "load_preset", load_tiny)

    return shorten


def button(window, text):
    window.page.go_to_tab("training")
    found = window.page.training.findChildren(QPushButton)
    return next(b for b in found if b.text() == text and b.isVisible())


def click(qtbot, window, text):
    qtbot.mouseClick(button(window, text), Qt.MouseButton.LeftButton)


def press(qtbot, window, key, modifier=Qt.KeyboardModifier.NoModifier):
    qtbot.keyClick(window, key, modifier)


@pytest.mark.slow
def test_a_whole_training_with_clicks(window, qtbot, until, fresh_project, plan):
    plan(epochs=3)
    window.session.take(fresh_project)
    until(window.session, lambda s: s.shown == "001")
    assert window.session.state.pool is None
    press(qtbot, window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    assert window.session.state.training.busy
    assert "starting" in window.page.training._phase.whole
    until(window.session, lambda s: s.training.activity in OVER, timeout=400000)
    assert window.session.state.training.activity is Activity.DONE
    until(window.session, lambda s: s.pool is not None and s.pool.scenes == 4)
    curves = window.page.run_pages.board.curves
    assert curves["likelihood"].now("total") is not None
    assert curves["fit"].now("Lₛʳ") is not None
    assert curves["psnr"].now("PSNR-μ") is not None
    assert curves["kept"].now("pixels") is not None
    qtbot.waitUntil(lambda: window.session.at_rest, timeout=20000)
    with Project.open(fresh_project) as project:
        assert project.pseudo_path("003").is_file()
        assert [run.status for run in list_rows(project)] == ["done"]


@pytest.mark.slow
def test_a_run_is_paused_stopped_and_resumed(window, qtbot, until, fresh_project, plan):
    plan(epochs=40)
    window.session.take(fresh_project)
    until(window.session, lambda s: s.shown == "001")
    click(qtbot, window, "Train")
    until(window.session, lambda s: s.training.step > 1, timeout=400000)
    click(qtbot, window, "Pause")
    assert window.session.state.training.activity is Activity.PAUSED
    window.session.curating.exclude(("006",))
    assert window.session.state.training.changes_wait
    assert "take effect in round" in window.readout._waits.text()
    click(qtbot, window, "Go on")
    click(qtbot, window, "Stop (keep)")
    until(window.session, lambda s: s.training.activity is Activity.STOPPED, timeout=300000)
    stopped_at = window.session.state.training.step
    assert window.session.state.training.resumable
    click(qtbot, window, "Resume")
    until(window.session, lambda s: s.training.step > stopped_at, timeout=300000)
    click(qtbot, window, "Stop (keep)")
    until(window.session, lambda s: s.training.activity is Activity.STOPPED, timeout=300000)
    with Project.open(fresh_project) as project:
        assert len(list_rows(project)) == 1


@pytest.mark.slow
def test_closing_during_a_run_asks_and_a_no_closes_nothing(
    window, qtbot, until, fresh_project, plan
):
    plan(epochs=40)
    window.session.take(fresh_project)
    until(window.session, lambda s: s.shown == "001")
    click(qtbot, window, "Train")
    until(window.session, lambda s: s.training.step > 1, timeout=400000)
    window.close()
    box = window.findChild(QMessageBox, "leave")
    cancel = next(b for b in box.buttons() if "Cancel" in b.text())
    qtbot.mouseClick(cancel, Qt.MouseButton.LeftButton)
    assert window.isVisible()
    assert window.session.state.training.activity is Activity.RUNNING
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "leave") is None, timeout=20000)
    window.close()
    box = window.findChild(QMessageBox, "leave")
    stop = next(b for b in box.buttons() if "Stop" in b.text())
    qtbot.mouseClick(stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=300000)
    with Project.open(fresh_project) as project:
        run = list_rows(project)[0]
        assert run.status == "stopped"
        assert list((run.folder / "checkpoints").iterdir())


@pytest.mark.slow
def test_the_question_leaves_with_the_run_it_asks_about(window, qtbot, until, fresh_project, plan):
    plan(epochs=40)
    window.session.take(fresh_project)
    until(window.session, lambda s: s.shown == "001")
    click(qtbot, window, "Train")
    until(window.session, lambda s: s.training.step > 1, timeout=400000)
    window.close()
    assert window.findChild(QMessageBox, "leave").isVisible()
    window.session.running.steering.stop()
    qtbot.waitUntil(lambda: window.findChild(QMessageBox, "leave") is None, timeout=300000)
    assert window.isVisible()  # nothing was answered


@pytest.mark.slow
def test_an_error_in_training_becomes_words_and_a_run_to_resume(
    window, qtbot, until, fresh_project, plan, monkeypatch
):
    from smarthdr_studio.learning.mean_teacher import MeanTeacher

    plan(epochs=4)
    steps = []
    honest = MeanTeacher.step

    def fragile(self, *args, **kwargs):
        steps.append(1)
        if len(steps) > 3:
            raise RuntimeError("CUDA out of memory")
        return honest(self, *args, **kwargs)

    monkeypatch.setattr(MeanTeacher, "step", fragile)
    window.session.take(fresh_project)
    until(window.session, lambda s: s.shown == "001")
    click(qtbot, window, "Train")
    until(window.session, lambda s: s.training.activity is Activity.FAILED, timeout=400000)
    until(window.session, lambda s: bool(s.training.resumable))
    assert "memory" in window.page.training._phase.whole
    qtbot.waitUntil(lambda: button(window, "Resume").isEnabled(), timeout=10000)
    monkeypatch.setattr(MeanTeacher, "step", honest)
    click(qtbot, window, "Resume")
    until(window.session, lambda s: s.training.activity is Activity.DONE, timeout=400000)


def test_a_plan_that_is_not_allowed_is_told_in_the_panel(opened, qtbot, monkeypatch, tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text("[schedule]\nepochs = 0\n")
    load = training_module.load_preset
    monkeypatch.setattr(
        training_module, "load_preset", lambda _, **changes: load(str(bad), **changes)
    )
    click(qtbot, opened, "Train")
    assert opened.session.state.training.activity is Activity.FAILED
    assert "schedule.epochs" in opened.page.training._phase.whole


def test_a_long_silence_is_told(opened, monkeypatch):
    controller = opened.session.training
    opened.page.go_to_tab("training")
    controller._become(replace(controller.state, activity=Activity.RUNNING, phase="learning"))
    monkeypatch.setattr(training_module.time, "monotonic", lambda: controller._heard_at + 61)
    controller._listen()
    assert "no event for 60 s" in opened.page.training._phase.whole
    controller._become(replace(controller.state, activity=Activity.IDLE, silent=False))


def test_a_step_is_worded_in_the_panel_only_while_somebody_sees_it(opened):
    controller, panel = opened.session.training, opened.page.training
    assert not panel.isVisible()
    before = panel._phase.whole
    controller._become(replace(controller.state, activity=Activity.RUNNING, phase="learning"))
    assert panel._phase.whole == before
    opened.page.go_to_tab("training")
    assert "learning" in panel._phase.whole != before
    controller._become(replace(controller.state, activity=Activity.IDLE))


def test_an_answer_of_the_run_stays_for_a_while_and_goes(opened, monkeypatch):
    controller = opened.session.training
    opened.page.go_to_tab("training")
    controller._become(replace(controller.state, activity=Activity.RUNNING))
    controller.take((Steered(step=1, epoch=0, text="epoch 1 ends here, round 1 is next"),))
    controller._listen()
    assert "round 1 is next" in opened.page.training._notes.whole
    monkeypatch.setattr(training_module.time, "monotonic", lambda: controller._told_at + 16)
    controller._listen()
    assert opened.page.training._notes.whole == ""
    controller._become(replace(controller.state, activity=Activity.IDLE))
