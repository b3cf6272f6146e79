"""The board of charts: fed, laid out, arranged, compared, and handed on as picture and table."""

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu

from smarthdr_studio.core.errors import ExportError
from smarthdr_studio.core.reporting.tables import write_curves
from smarthdr_studio.core.training.run_log import RunCurves
from smarthdr_studio.studio.plots.run_charts import RunBoard, arranged
from smarthdr_studio.studio.state.chart_names import CHARTS, GIB, charted

STEPS = np.arange(10.0)


def run(**series):
    return {name: (STEPS, np.asarray(values, float)) for name, values in series.items()}


@pytest.fixture
def board(qtbot):
    board = RunBoard()
    qtbot.addWidget(board)
    board.resize(820, 130)
    with qtbot.waitExposed(board):
        board.show()
    yield board
    board.clear()


@given(st.integers(1, 14), st.integers(100, 2400), st.integers(60, 1400))
def test_every_chart_has_a_place_and_no_more_columns_are_in_sight_than_there_are(
    count, width, height
):
    rows, columns, across = arranged(count, QSize(width, height))
    assert rows * columns >= count
    assert (rows - 1) * columns < count
    assert 1 <= across <= columns or count < across


def test_a_low_board_has_one_row_and_a_high_one_several(board, qtbot):
    tiles = board._grid._tiles
    assert len({tiles[name].y() for name in board._grid.shown}) == 1
    board.resize(820, 420)
    qtbot.waitUntil(lambda: len({tiles[n].y() for n in board._grid.shown}) > 1, timeout=20000)


def test_a_chart_that_is_hidden_is_no_longer_enlarged(board, qtbot, monkeypatch):
    board.take_points([("fit", "Lₛʳ", step, 0.5) for step in STEPS])
    opened = []
    monkeypatch.setattr(QMenu, "popup", lambda menu, _at: opened.append(menu))
    curve = board.curves["fit"]
    curve.enlarge()
    window = curve.window()
    assert window is not board.window()
    curve.menu_asked.emit(QPoint(0, 0))
    (menu,) = opened
    next(line for line in menu.actions() if line.text() == "Hide this chart").trigger()
    menu.deleteLater()
    assert "fit" not in board._grid.shown
    assert not window.isVisible()
    assert curve.window() is board.window()
    board.arrange({})
    assert curve.isVisible()


def test_points_come_to_their_charts_and_what_was_before_is_put_before_them(board):
    board.take_points([("fit", "Lₛʳ", 20.0, 0.5), ("likelihood", "some new term", 20.0, 1.0)])
    board.show_past(charted(run(labelled_reconstruction=STEPS, memory_bytes=[GIB] * 10)))
    assert board.curves["fit"].now("Lₛʳ") == 0.5
    assert board.curves["fit"].lines.span == (0, 20)
    assert board.curves["memory"].now("memory") == 1
    assert board.curves["likelihood"].now("some new term") == 1


def test_the_share_of_the_person_is_what_the_gates_do_not_explain():
    placed = charted(run(retained=[0.5] * 10, gates_retained=[0.4] * 10))
    steps, share = placed["kept", "person"]
    np.testing.assert_array_equal(steps, STEPS)
    np.testing.assert_allclose(share, 10.0)  # per cent


def test_everything_a_log_measures_has_a_chart():
    known = {line for kind in CHARTS.values() for line in kind.lines}
    names = RunCurves.__doc__ or ""
    told = [name for name in ("psnr_l", "ssim_mu", "ause", "distance", "skipped") if name in names]
    assert len(told) == 5
    assert {line for _, line in charted(run(**dict.fromkeys(told, STEPS)))} <= known


def test_charts_are_as_they_were_left(board, qtbot):
    board.curves["fit"].set_log(on=True)
    board.curves["kept"].set_smoothing(300)
    board.curves["kept"].lines.switch("person")
    board._pick_charts(("fit", "memory"))
    held = board.arrangement
    other = RunBoard()
    qtbot.addWidget(other)
    other.arrange(held)
    assert other.arrangement == held
    assert other.arrangement["charts"] == ["fit", "memory"]
    other.arrange({"charts": ["no such chart", "psnr"]})
    assert other.arrangement["charts"] == ["psnr"]


def test_compared_runs_have_a_line_each_in_a_chart_for_every_series_and_keep_their_styles(qtbot):
    board = RunBoard(comparing=True)
    qtbot.addWidget(board)
    one, two = run(psnr_mu=STEPS, total=STEPS), run(psnr_mu=STEPS + 1)
    board.show_curves({"one": one, "two": two})
    chart = board.curves["psnr/PSNR-μ"]
    assert list(chart.lines.traces) == ["one", "two"]
    assert list(board.curves["likelihood/total"].lines.traces) == ["one"]
    assert board.curves["likelihood/total"].title == "Total loss"
    style = chart.lines.style("two")
    board.show_curves({"two": two})
    assert list(chart.lines.traces) == ["two"]
    assert chart.lines.style("two") == style


def test_compared_runs_are_charted_in_the_unit_that_the_chart_names(qtbot):
    board = RunBoard(comparing=True)
    qtbot.addWidget(board)
    log = run(retained=STEPS / 100, memory_bytes=STEPS * GIB)
    board.show_curves({"one": log})
    for name, unit in (("kept/pixels", "%"), ("memory/memory", "GiB")):
        assert board.curves[name].unit == unit
        (points,) = (trace.points[1] for trace in board.curves[name].lines.traces.values())
        assert points.tolist() == pytest.approx(STEPS.tolist())


def test_the_menu_of_a_chart_is_no_wider_than_a_menu_and_says_whole_what_the_chart_means(
    board, monkeypatch
):
    monkeypatch.setattr(QMenu, "popup", lambda *_: None)  # the offscreen platform grumbles
    board._open_menu("fit", QPoint(0, 0))
    menu = next(m for m in board.findChildren(QMenu) if m.accessibleName() == "Menu of Loss")
    assert menu.sizeHint().width() < 450
    about = menu.actions()[0].defaultWidget()
    assert about.text() == board.curves["fit"].accessibleDescription()
    assert about.sizeHint().height() >= about.heightForWidth(about.width())
    menu.deleteLater()


def test_the_menu_of_a_chart_switches_its_axis_its_lines_and_itself(board, monkeypatch):
    monkeypatch.setattr(QMenu, "popup", lambda *_: None)  # the offscreen platform grumbles
    board.show_past(
        charted(run(labelled_reconstruction=STEPS + 1, unlabelled_reconstruction=STEPS))
    )
    changed = []
    board.rearranged.connect(lambda: changed.append(1))
    board._open_menu("fit", QPoint(0, 0))
    menu = next(m for m in board.findChildren(QMenu) if m.accessibleName() == "Menu of Loss")
    lines = {line.text(): line for line in menu.actions()}
    lines["Logarithmic axis"].trigger()
    lines["Lᵤʳ"].trigger()
    lines["Hide this chart"].trigger()
    assert board.curves["fit"].log
    assert board.curves["fit"].lines.hidden == {"Lᵤʳ"}
    assert "fit" not in board.arrangement["charts"]
    assert len(changed) == 3
    menu.deleteLater()


def test_a_table_has_a_line_for_every_step_and_gaps_where_a_curve_has_none(tmp_path):
    path = tmp_path / "curves.csv"
    write_curves(
        path,
        {
            "Loss: Lₛʳ": (np.arange(25_000.0), np.arange(25_000.0) / 3),
            "PSNR: PSNR-μ (dB)": (np.array([9.0, 24_999.0]), np.array([30.5, 31.0])),
            "nothing": (np.zeros(0), np.zeros(0)),
        },
    )
    with path.open(encoding="utf-8-sig", newline="") as file:
        head, *lines = list(csv.reader(file))
    assert head == ["step", "Loss: Lₛʳ", "PSNR: PSNR-μ (dB)"]
    assert len(lines) == 25_000
    assert lines[9] == ["9", "3", "30.5"]
    assert lines[10][2] == ""
    assert lines[-1][2] == "31"
    with pytest.raises(ExportError, match="no values"):
        write_curves(path, {})
    assert path.stat().st_size > 100_000


def test_curves_are_exported_from_the_window_as_picture_and_as_table(opened, until, tmp_path):
    pages = opened.page.run_pages
    pages.exporting.export("csv", ("fit",))
    assert "no values" in opened.session.state.notice.text
    pages.board.show_past(charted(run(labelled_reconstruction=STEPS, psnr_mu=STEPS)))
    for kind, names in (
        ("csv", ("fit", "psnr")),
        ("png", ("fit",)),
        ("png", ("fit", "psnr")),
        ("svg", ("fit", "psnr")),
    ):
        path = tmp_path / f"{len(names)}.{kind}"
        pages.exporting.export(kind, names)
        dialog = opened.findChild(QFileDialog)
        dialog.fileSelected.emit(str(path))
        until(opened.session, lambda s, path=path: bool(s.notice and str(path) in s.notice.text))
        dialog.close()
        dialog.setParent(None)
        dialog.deleteLater()
        assert path.stat().st_size > 50


def test_the_view_that_is_watched_comes_back_with_the_project(opened, qtbot, until, tiny_project):
    pages = opened.page.run_pages
    qtbot.mouseClick(pages._rail._buttons["Diary"], Qt.MouseButton.LeftButton)
    assert pages._views.currentWidget() is pages.pages["Diary"]
    assert opened.session.panes["watching"]["view"] == "Diary"
    opened.session.close_project()
    until(opened.session, lambda s: s.folder is None)
    pages.arrange({})
    opened.session.take(tiny_project)
    until(opened.session, lambda s: s.shown is not None)
    assert pages._views.currentWidget() is pages.pages["Diary"]


@pytest.mark.parametrize("comparing", [False, True])
def test_what_validation_measured_is_never_smoothed(qtbot, comparing):
    board = RunBoard(comparing=comparing)
    qtbot.addWidget(board)
    board._smooth_all(100)
    smoothed = {name.split("/")[0] for name, curve in board.curves.items() if curve.smooth}
    assert smoothed.isdisjoint({"psnr", "ssim", "ause", "calibration"})
    assert smoothed.isdisjoint({"kept", "sigma", "gap"})  # of each round
    assert {"fit", "likelihood", "speed"} <= smoothed
    board.arrange({"smoothing": dict.fromkeys(board.curves, 300)})
    assert not any(c.smooth for n, c in board.curves.items() if n.split("/")[0] == "psnr")


def test_charts_mark_the_best_check_and_where_pseudo_labels_began(board):
    steps = np.array([10.0, 20.0, 30.0, 40.0])
    board.show_past(
        {
            ("psnr", "PSNR-μ"): (steps, np.array([30.0, 34.0, 34.0, 33.0])),
            ("kept", "pixels"): (steps[1:], np.array([0.5, 0.6, 0.7])),
        }
    )
    marks = board.curves["psnr"].marks
    assert (marks.begun, marks.best) == (20, 20)  # of equals the first
    assert marks.rounds == (20, 30, 40)
    chart = board.curves["psnr"]
    assert chart.plot.isVisible()
    assert chart.begun.value() == 20
    assert (list(chart.rounds.xvals), list(chart.best.xvals)) == ([20, 30, 40], [20])
    (ring,) = chart.rings.points()
    assert (ring.pos().x(), ring.pos().y()) == (20, 34)
    board.take_points([("psnr", "PSNR-μ", 50.0, 34.5)])
    assert board.curves["ause"].marks.best == 50
    board.clear()
    assert chart.marks == type(marks)()


def test_charts_fill_the_last_row_as_well(board, qtbot):
    """With five charts in two rows the place of a sixth would be empty."""
    board.resize(1200, 700)
    grid = board._grid
    rows = lambda: sorted({grid._tiles[name].y() for name in grid.shown})  # noqa: E731
    qtbot.waitUntil(lambda: len(rows()) > 1, timeout=20000)
    ends = {
        max(grid._tiles[n].geometry().right() for n in grid.shown if grid._tiles[n].y() == row)
        for row in rows()
    }
    assert len(grid.shown) % len(rows()), "else every row is full anyway"
    assert max(ends) - min(ends) <= 1


def test_charts_of_a_run_nobody_saw_begin_and_end_at_the_same_steps(board, qtbot):
    board.hide()
    board.take_points([("fit", "Lₛʳ", step, 0.5) for step in STEPS])
    board.take_points([("psnr", "PSNR-μ", 4.0, 33.0), ("psnr", "PSNR-μ", 8.0, 34.0)])
    board.show()
    fit, psnr = board.curves["fit"], board.curves["psnr"]
    assert fit.plot.isVisible()
    assert psnr.plot.isVisible()
    QApplication.processEvents()
    assert fit.scale.across == psnr.scale.across == (0, 9)
