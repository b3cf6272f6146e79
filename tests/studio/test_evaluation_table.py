"""Figures of every scene: measured once, there again at once, sorted by a click."""

import csv
import threading

import pytest
from made_models import make_checkpoint
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFileDialog
from runs_on_disk import Log

from smarthdr_studio.core.plan import load_preset
from smarthdr_studio.studio.panels.evaluation_columns import COLUMNS, mean_of
from smarthdr_studio.studio.panels.evaluation_model import EvaluationModel
from smarthdr_studio.studio.session import evaluation_desk
from smarthdr_studio.studio.state import EvaluationFigures, SceneFigures

LEFT = Qt.MouseButton.LeftButton
NAN = float("nan")


def figures_of(name, psnr=40.0, merge=38.0, *, ssim=0.9, ause=0.2):
    return SceneFigures(
        id=name,
        psnr_mu=psnr,
        psnr_l=psnr + 1,
        ssim_mu=ssim,
        ssim_l=ssim,
        merge_psnr_mu=merge,
        merge_psnr_l=merge,
        merge_ssim_mu=0.8,
        merge_ssim_l=0.8,
        ause=ause,
        spearman=0.5,
    )


THREE = (figures_of("b", 39.0), figures_of("a", 41.0), figures_of("c", 36.0, ause=0.4))


@pytest.fixture
def model(qapp):
    model = EvaluationModel(qapp)
    yield model
    model.deleteLater()


def names(model):
    return [model.index(line, 0).data() for line in range(model.rowCount())]


def test_the_mean_stays_last_whatever_is_sorted(model):
    model.take(THREE)
    assert names(model) == ["a", "b", "c", "mean"]
    model.sort_by(1)
    assert names(model) == ["c", "b", "a", "mean"]  # the worst first
    model.sort_by(1)
    assert names(model) == ["a", "b", "c", "mean"]
    model.sort_by(1 + [column.title for column in COLUMNS].index("AUSE"))
    assert names(model)[0] == "c"
    model.take(())
    assert model.rowCount() == 0


def test_what_is_no_number_is_a_dash_and_comes_last(model):
    model.take((figures_of("odd", ssim=NAN), figures_of("even")))
    ssim = 1 + [column.title for column in COLUMNS].index("SSIM-μ")
    for _ in range(2):
        model.sort_by(ssim)
        assert names(model) == ["even", "odd", "mean"]
    assert model.index(1, ssim).data() == "–"


def test_differences_have_a_sign_and_what_is_worse_than_the_merge_a_colour(model):
    model.take((figures_of("a", 40.0, 38.5), figures_of("b", 37.0, 38.5)))
    better, worse = model.index(0, 2), model.index(1, 2)
    assert (better.data(), worse.data()) == ("+1.50", "−1.50")
    assert better.data(Qt.ItemDataRole.ForegroundRole) is None
    assert worse.data(Qt.ItemDataRole.ForegroundRole) is not None
    assert mean_of((figures_of("a", 40.0), figures_of("b", 37.0))).psnr_mu == 38.5


@pytest.fixture
def run(tiny_project):
    log = Log(tiny_project)
    log.begin()
    log.end()
    plan = load_preset("quick", changes={"tile": 96, "device": "cpu"})
    for step, psnr_mu in ((10, 30.0), (20, 34.0), (30, 33.0)):
        make_checkpoint(log.folder, plan, step=step, psnr_mu=psnr_mu)
    return log.name


@pytest.fixture
def shown(run, opened, until):
    """The window with the evaluation of its one run in front."""
    opened.menus._actions["show_runs"].trigger()
    until(opened.session, lambda s: s.runs.chosen == (run,))
    opened.page.browsing.runs.tabs.go("evaluation")
    until(opened.session, lambda s: s.evaluation.words == "Not measured yet.", timeout=60000)
    return opened


@pytest.fixture
def table(shown):
    return shown.page.browsing.runs.evaluation


def measured(window, until):
    until(window.session, lambda s: s.evaluation.figures is not None, timeout=60000)
    return window.session.state.evaluation.figures


def test_a_click_measures_and_what_was_measured_is_there_again(shown, table, qtbot, until):
    qtbot.mouseClick(table._measure, LEFT)
    found = measured(shown, until)
    assert [scene.id for scene in found.scenes] == ["Test-007"]
    assert found.step == 20
    assert names(table._model) == ["Test-007", "mean"]
    qtbot.mouseClick(table._which._buttons["last"], LEFT)
    until(shown.session, lambda s: s.evaluation.words == "Not measured yet.", timeout=60000)
    assert table._model.rowCount() == 0
    qtbot.mouseClick(table._which._buttons["best"], LEFT)
    assert measured(shown, until) == found


def test_a_split_that_cannot_be_measured_says_why(shown, table, qtbot, until):
    qtbot.mouseClick(table._split._buttons["held-out"], LEFT)
    until(shown.session, lambda s: "choose another split" in s.evaluation.words, timeout=60000)


def test_a_click_on_a_line_shows_its_scene_and_on_a_title_sorts(shown, table, qtbot, until):
    assert shown.session.state.current != "Test-007"
    qtbot.mouseClick(table._measure, LEFT)
    measured(shown, until)
    view, head = table._view, table._view.horizontalHeader()
    place = view.visualRect(table._model.index(0, 0)).center()
    qtbot.mouseClick(view.viewport(), LEFT, pos=place)
    assert shown.session.state.current == "Test-007"
    qtbot.mouseClick(head.viewport(), LEFT, pos=QPoint(head.sectionPosition(1) + 20, 8))
    assert table._model.column == 1
    place = view.visualRect(table._model.index(1, 0)).center()
    qtbot.mouseClick(view.viewport(), LEFT, pos=place)  # the mean is no scene
    assert shown.session.state.current == "Test-007"


def test_the_table_is_written_as_csv(shown, table, qtbot, until, tmp_path):
    qtbot.mouseClick(table._measure, LEFT)
    found = measured(shown, until)
    qtbot.mouseClick(table._write, LEFT)
    dialog = shown.findChild(QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "figures.csv"))
    dialog.done(0)
    dialog.setParent(None)
    until(shown.session, lambda s: s.notice is not None and s.notice.opens is not None)
    with (tmp_path / "figures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["scene"] for row in rows] == ["Test-007"]
    assert float(rows[0]["psnr_mu"]) == found.scenes[0].psnr_mu


def test_measuring_can_be_cancelled_and_a_newer_choice_takes_its_place(
    shown, table, qtbot, until, monkeypatch
):
    go = threading.Event()

    def slow(tell, *, which, **_how):
        while not go.wait(0.01):
            tell("evaluating scene 1 of 9", 0, 9)
        return EvaluationFigures(run="r", step=1, split="test", scenes=THREE)

    monkeypatch.setattr(evaluation_desk, "measure_figures", slow)
    qtbot.mouseClick(table._measure, LEFT)
    until(shown.session, lambda s: s.busy != "")
    assert table._cancel.isVisible()
    qtbot.mouseClick(table._cancel, LEFT)
    until(shown.session, lambda s: s.evaluation.words == "Not measured." and s.busy == "")
    qtbot.mouseClick(table._measure, LEFT)
    until(shown.session, lambda s: s.busy != "")
    qtbot.mouseClick(table._which._buttons["last"], LEFT)
    until(shown.session, lambda s: s.evaluation.words == "Not measured yet.", timeout=60000)
    go.set()
    assert shown.session.state.evaluation.figures is None
    until(shown.session, lambda s: shown.session.at_rest)
