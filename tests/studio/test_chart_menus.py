"""What every chart can do: wait to be made, be enlarged, and go out as picture, drawing, table."""

import csv
import subprocess
import sys

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QImage
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QFileDialog, QFrame, QMenu, QVBoxLayout

from smarthdr_studio.core.errors import ExportError
from smarthdr_studio.core.reporting.tables import write_columns
from smarthdr_studio.core.trust.reliability import Evidence
from smarthdr_studio.studio.plots.chart import Enlarged
from smarthdr_studio.studio.plots.histogram import ThresholdHistogram


def filled(name="S_pa"):
    chart = ThresholdHistogram(name)
    chart.set_counts(np.linspace(0, 1, 5), np.array([1, 2, 3, 4]))
    return chart


@pytest.fixture
def at_home(qtbot):
    """A chart between two others, in a frame."""
    home = QFrame()
    column = QVBoxLayout(home)
    chart = filled()
    for each in (ThresholdHistogram("above"), chart, ThresholdHistogram("below")):
        column.addWidget(each)
    qtbot.addWidget(home)
    home.resize(400, 400)
    with qtbot.waitExposed(home):
        home.show()
    return home, column, chart


def test_the_window_is_made_without_the_library_of_charts():
    code = (
        "import sys; import smarthdr_studio.studio.window; "
        "sys.exit(any(name.split('.')[0] == 'pyqtgraph' for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_chart_is_made_once_it_is_seen_and_only_where_it_has_something_to_show(qtbot, at_home):
    home, _, chart = at_home
    qtbot.waitUntil(lambda: chart._plot is not None, timeout=20000)
    assert chart.kept.getOriginalDataset()[0] is not None
    empty = home.findChildren(ThresholdHistogram)[0]
    assert empty._plot is None


def test_what_changed_while_nobody_looked_is_shown_when_somebody_does(at_home):
    _, _, chart = at_home
    assert chart.plot.isVisible()
    chart.hide()
    chart.set_tau(0.9)
    assert chart.line.value() == 0.4  # nothing is drawn for nobody
    chart.show()
    assert chart.line.value() == 0.9


def test_the_right_button_opens_the_menu_of_the_chart(at_home, monkeypatch):
    _, _, chart = at_home
    opened = []
    monkeypatch.setattr(QMenu, "popup", lambda menu, _at: opened.append(menu))
    hand = chart.plot.viewport()
    where = QPoint(30, 20)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, where, hand.mapToGlobal(where))
    QApplication.sendEvent(hand, event)
    (menu,) = opened
    words = [line.text() for line in menu.actions() if line.text()]
    assert words == [
        "View all",
        "Logarithmic counts",
        "Grid",
        "Enlarge",
        "Export as PNG…",
        "Export as SVG…",
        "Export as CSV…",
    ]
    next(line for line in menu.actions() if line.text() == "Grid").trigger()
    assert chart.plot.bottom.grid
    menu.deleteLater()


def test_an_enlarged_chart_is_alive_and_comes_back_to_its_place(at_home, qtbot):
    home, column, chart = at_home
    chart.enlarge()
    window = chart.window()
    assert isinstance(window, Enlarged)
    assert chart.width() > 500
    assert column.indexOf(chart) == -1
    chart.set_tau(0.7)
    assert chart.line.value() == 0.7
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert chart.window() is home
    assert column.indexOf(chart) == 1
    assert chart.isVisible()
    chart.enlarge()
    chart.enlarge()  # "Back to its place"
    assert column.indexOf(chart) == 1


def test_escape_closes_an_enlarged_chart_though_that_has_the_keyboard(at_home, qtbot):
    home, _, chart = at_home
    chart.enlarge()
    window = chart.window()
    with qtbot.waitActive(window, timeout=20000):
        window.activateWindow()
    chart.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(chart.hasFocus, timeout=20000)
    qtbot.keyClick(chart, Qt.Key.Key_Escape)
    assert chart.window() is home
    with qtbot.waitActive(home, timeout=20000):
        home.activateWindow()
    chart.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(chart.hasFocus, timeout=20000)
    qtbot.keyClick(chart, Qt.Key.Key_Escape)
    assert not chart.hasFocus()  # at home it gives the keyboard back


@pytest.mark.parametrize("place", [0.25, 0.8])
def test_a_double_click_shows_all_again_and_leaves_the_threshold(at_home, qtbot, place):
    _, _, chart = at_home
    chart.set_tau(0.4)
    dragged, released = [], []
    chart.tau_dragged.connect(chart.set_tau)
    chart.tau_dragged.connect(dragged.append)
    chart.tau_released.connect(released.append)
    plot = chart.plot
    chart._turn(3, plot.value_at(plot.field.center()))
    assert chart.seen != chart.span()
    field = plot.field
    where = QPoint(round(field.left() + place * field.width()), round(field.center().y()))
    qtbot.mouseDClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert chart.seen == chart.span()
    assert chart.tau == 0.4
    assert released == []
    qtbot.wait(2 * QApplication.doubleClickInterval())
    assert released == []
    qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert chart.tau == dragged[-1] != 0.4
    qtbot.waitUntil(lambda: released == [chart.tau], timeout=20000)


def test_every_zoomed_chart_shows_all_again_by_a_double_click_and_nothing_is_decided(
    opened, qtbot, until, monkeypatch
):
    session, charts = opened.session, opened.page.charts
    until(session, lambda s: s.charts is not None)
    settled = []
    monkeypatch.setattr(session.curating, "settle_masks", settled.append)
    ramp = np.linspace(1, 0, 21)
    shown = Evidence(
        pixels=9, error=0.1, by_sigma=ramp, oracle=ramp**2, random=np.ones(21),
        ause=0.1, aurg=0.1, spearman=0.5, auroc=0.8, ence=0.1, coverage=(0.7, 0.9, 1.0),
        predicted=np.linspace(0.01, 0.1, 10), observed=np.linspace(0.02, 0.1, 10),
    )  # fmt: skip
    before, entries = session.state.masks, len(session.project.entries())
    for chart in (charts.patches, charts.pixels, charts.map, charts.sparsification):
        chart.enlarge()
        charts.sparsification.set_evidence(shown)
        hand, plot = chart.plot.viewport(), chart.plot
        chart._turn(3, plot.value_at(plot.field.center()))
        assert chart.seen != chart.span()
        where = (plot.field.center() + QPointF(20, 10)).toPoint()
        qtbot.mouseDClick(hand, Qt.MouseButton.LeftButton, pos=where)
        assert chart.seen == chart.span()
        assert session.state.masks == before
        chart.go_home()
    qtbot.wait(2 * QApplication.doubleClickInterval())
    assert session.state.masks == before
    assert len(session.project.entries()) == entries


def test_every_chart_of_the_window_goes_out_as_picture_drawing_and_table(
    opened, qtbot, until, tmp_path
):
    exporting = opened.page.trust_side.exporting
    charts = [chart for chart in opened.page.charts.all if not chart.nothing()]
    assert len(charts) >= 3  # both histograms and the map
    for chart in charts:
        for kind in ("png", "svg", "csv"):
            path = tmp_path / f"{chart.file_name()}.{kind}"
            exporting.export(chart, kind)
            dialog = opened.findChild(QFileDialog)
            assert dialog.selectedFiles()[0].endswith(f"{chart.file_name()}.{kind}")
            dialog.fileSelected.emit(str(path))
            until(
                opened.session, lambda s, path=path: bool(s.notice and str(path) in s.notice.text)
            )
            dialog.close()
            dialog.setParent(None)
            dialog.deleteLater()
        assert not QImage(str(tmp_path / f"{chart.file_name()}.png")).isNull()
        assert QSvgRenderer(str(tmp_path / f"{chart.file_name()}.svg")).isValid()
        with (tmp_path / f"{chart.file_name()}.csv").open(encoding="utf-8-sig", newline="") as file:
            head, *lines = list(csv.reader(file))
        table = chart.table()
        assert head == list(table)
        assert len(lines) == len(next(iter(table.values())))


def test_columns_leave_out_what_is_no_number_and_need_some_value(tmp_path):
    path = tmp_path / "t.csv"
    write_columns(path, {"scene": ("a", "=b"), "round 0": np.array([0.25, np.nan])})
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [["scene", "round 0"], ["a", "0.25"], ["'=b", ""]]
    with pytest.raises(ExportError, match="no values"):
        write_columns(path, {"scene": (), "round 0": np.zeros(0)})
