"""What every chart can do: wait to be made, be enlarged, and go out as picture, drawing, table."""

import csv
import subprocess
import sys

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QImage
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QFileDialog, QFrame, QMenu, QVBoxLayout

from smarthdr_studio.core.errors import ExportError
from smarthdr_studio.core.reporting.tables import write_columns
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
