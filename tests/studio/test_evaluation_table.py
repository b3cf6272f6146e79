"""Figures of every scene: measured once, there again at once, sorted by a click."""

import csv
import threading

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFileDialog

from smarthdr_studio.studio.runs import evaluation
from smarthdr_studio.studio.runs.evaluation import COLUMNS, EvaluationTable, mean_of
from smarthdr_studio.studio.state import (
    EvaluationFigures,
    EvaluationState,
    SceneFigures,
    StudioState,
)
from smarthdr_studio.studio.theme import current_palette

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
def shown_alone(qtbot):
    """A table without a window, and how figures come into it."""
    table = EvaluationTable()
    qtbot.addWidget(table)
    table.resize(1100, 300)
    table.show()

    states = [StudioState()]

    def show(*scenes):
        figures = EvaluationFigures(run="r", step=1, split="test", scenes=scenes)
        states.append(StudioState(evaluation=EvaluationState(figures=figures if scenes else None)))
        table.show_state(*states[-2:])

    return table, show


def place_of(title):
    return [column.title for column in COLUMNS].index(title)


def click_head(qtbot, table, title):
    head = table._view.horizontalHeader()
    at = QPoint(head.sectionViewportPosition(place_of(title)) + 20, 8)
    qtbot.mouseClick(head.viewport(), LEFT, pos=at)


def names(table):
    return [figures.id for figures in table._view.rows.values()]


def test_the_mean_stays_last_whatever_is_sorted(shown_alone, qtbot):
    table, show = shown_alone
    show(*THREE)
    assert names(table) == ["a", "b", "c", "mean"]
    click_head(qtbot, table, "PSNR-μ")
    assert names(table) == ["c", "b", "a", "mean"]  # the worst first
    click_head(qtbot, table, "PSNR-μ")
    assert names(table) == ["a", "b", "c", "mean"]
    click_head(qtbot, table, "AUSE")
    assert names(table) == ["c", "a", "b", "mean"]
    click_head(qtbot, table, "Scene")
    click_head(qtbot, table, "Scene")
    assert names(table) == ["c", "b", "a", "mean"]
    show()
    assert names(table) == []


def test_what_is_no_number_is_a_dash_and_comes_last(shown_alone, qtbot):
    table, show = shown_alone
    show(figures_of("odd", ssim=NAN), figures_of("even"))
    for _ in range(2):
        click_head(qtbot, table, "SSIM-μ")
        assert names(table) == ["even", "odd", "mean"]
    assert table._view.rows.index(1, place_of("SSIM-μ")).data() == "–"


def test_differences_have_a_sign_and_what_is_worse_than_the_merge_a_colour(shown_alone):
    table, show = shown_alone
    show(figures_of("a", 40.0, 38.5), figures_of("b", 37.0, 38.5))
    better, worse = (table._view.rows.index(row, 2) for row in (0, 1))
    assert (better.data(), worse.data()) == ("+1.50", "−1.50")
    assert better.data(Qt.ItemDataRole.ForegroundRole) is None
    assert worse.data(Qt.ItemDataRole.ForegroundRole).name() == current_palette().bad
    assert mean_of((figures_of("a", 40.0), figures_of("b", 37.0))).psnr_mu == 38.5


def test_only_the_mean_is_bold(shown_alone):
    table, show = shown_alone
    show(*THREE)
    fonts = [table._view.rows.index(row, 1).data(Qt.ItemDataRole.FontRole) for row in range(4)]
    assert fonts[:3] == [None] * 3
    assert fonts[3].bold()


@pytest.fixture
def shown(run_of_three, opened, until):
    """The window with the evaluation of its one run in front."""
    opened.menus._actions["show_runs"].trigger()
    until(opened.session, lambda s: s.runs.chosen == (run_of_three,))
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
    assert names(table) == ["Test-007", "mean"]
    qtbot.mouseClick(table._which._buttons["last"], LEFT)
    until(shown.session, lambda s: s.evaluation.words == "Not measured yet.", timeout=60000)
    assert names(table) == []
    qtbot.mouseClick(table._which._buttons["best"], LEFT)
    assert repr(measured(shown, until)) == repr(found)  # NaN is NaN


def test_a_split_that_cannot_be_measured_says_why(shown, table, qtbot, until):
    qtbot.mouseClick(table._split._buttons["held-out"], LEFT)
    until(shown.session, lambda s: "choose another split" in s.evaluation.words, timeout=60000)


def test_a_click_on_a_line_shows_its_scene_and_on_a_title_sorts(shown, table, qtbot, until):
    assert shown.session.state.current != "Test-007"
    qtbot.mouseClick(table._measure, LEFT)
    measured(shown, until)
    view = table._view
    place = view.visualRect(table._view.rows.index(0, 0)).center()
    qtbot.mouseClick(view.viewport(), LEFT, pos=place)
    assert shown.session.state.current == "Test-007"
    click_head(qtbot, table, "PSNR-μ")
    assert view.horizontalHeader().sortIndicatorSection() == place_of("PSNR-μ")
    place = view.visualRect(table._view.rows.index(1, 0)).center()
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

    monkeypatch.setattr(evaluation, "measure_figures", slow)
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
