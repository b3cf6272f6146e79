"""The charts of a run, or of several runs laid over one another, on one board."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

from PySide6.QtCore import QPoint, Signal, Slot
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QVBoxLayout, QWidget

from smarthdr_studio.studio.panels.board_rail import CurveTools
from smarthdr_studio.studio.panels.chart_grid import ChartGrid
from smarthdr_studio.studio.panels.chart_menu import ChartMenu
from smarthdr_studio.studio.plots.curves import Curve
from smarthdr_studio.studio.plots.line_styles import LineStyles
from smarthdr_studio.studio.plots.linked_curves import LinkedCurves
from smarthdr_studio.studio.state.charted import CHARTS, Place, Run, place_of
from smarthdr_studio.studio.theme import Palette

FIRST_SMOOTHING: Final = 30.0  # steps

_FIRST: Final = ("fit", "likelihood", "psnr", "kept", "sigma")
_FIRST_COMPARED: Final = ("likelihood/total", "psnr/PSNR-μ", "kept/pixels", "sigma/mean σ")
_FIGURE: Final = (640, 360)  # of one chart, before it is made twice as fine
_ACROSS: Final = 2  # charts beside one another in the figure of all
_GAP: Final = 8

Points = Iterable[tuple[str, str, float, float]]  # chart, line, step, value


class RunBoard(QWidget):
    """Fed with points while a run goes on, or with the curves of several; draws what is seen.

    With `comparing` every line has a chart of its own, in which every run is a line.
    """

    rearranged = Signal()
    export_asked = Signal(str, object)  # "png" or "csv", names of charts

    def __init__(self, *, comparing: bool = False) -> None:
        super().__init__()
        self._comparing = comparing
        self._runs = LineStyles()
        self.curves = _one_for_each_line() if comparing else _one_for_each_chart()
        self._linked = LinkedCurves(self.curves, self)
        self._grid = ChartGrid()
        self.tools = CurveTools({name: curve.title for name, curve in self.curves.items()})
        for name, curve in self.curves.items():
            self._grid.place(name, curve, title=curve.title)
            curve.menu_asked.connect(partial(self._open_menu, name))
            curve.switched.connect(self.rearranged)
        self._grid.menu_asked.connect(self._open_menu)
        self.tools.charts_picked.connect(self._pick_charts)
        self.tools.smoothing_picked.connect(self._smooth_all)
        self.tools.export_asked.connect(self._export_all)
        self.arrange({})
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._grid)

    def take_points(self, points: Points) -> None:
        """Append to the curves of the run that goes on."""
        curves = self.curves
        for chart, line, x, y in points:
            curves[chart].lines.take(line, x, y)
        self._linked.soon()

    def show_past(self, curves: Mapping[Place, Run]) -> None:
        """What a run measured before the points that were taken."""
        for (chart, line), (x, y) in curves.items():
            self.curves[chart].lines.put_before(line, x, y)
        self._linked.redraw()

    def show_curves(self, runs: Mapping[str, Mapping[str, Run]]) -> None:
        """Lay runs over one another: by title, the curves by series as `read_curves` names them.

        A run keeps its colour and its dashes while it comes and goes.
        """
        laid: dict[str, dict[str, Run]] = {name: {} for name in self.curves}
        for title, series in runs.items():
            self._runs.of(title)
            for each, curve in series.items():
                name = "/".join(place_of(each)) if self._comparing else place_of(each)[0]
                if name in laid:
                    laid[name][title] = curve
        for name, chart in self.curves.items():
            chart.show_series(laid[name], styles=self._runs)
        self._linked.redraw()

    def clear(self) -> None:
        """Another run begins."""
        self._linked.clear()

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        self._linked.dress(palette)

    @property
    def arrangement(self) -> dict[str, Any]:
        """Which charts are shown, and how, as plain values."""
        curves = self.curves.items()
        return {
            "charts": list(self._grid.shown),
            "log": [name for name, curve in curves if curve.log],
            "smoothing": {name: curve.smooth for name, curve in curves},
            "off": {name: sorted(off) for name, c in curves if (off := c.lines.hidden)},
        }

    def arrange(self, held: Mapping[str, Any]) -> None:
        """Show charts as they were; what is missing stays as a new project has it."""
        first = _FIRST_COMPARED if self._comparing else _FIRST
        logs, steps, off = held.get("log", ()), held.get("smoothing", {}), held.get("off", {})
        for name, curve in self.curves.items():
            curve.set_log(on=name in logs)
            curve.set_smoothing(float(steps.get(name, FIRST_SMOOTHING)))
            curve.lines.switch_off(map(str, off.get(name, ())))
        self._show_charts(tuple(map(str, held.get("charts", first))))

    def figure(self, names: tuple[str, ...]) -> QImage:
        """Charts as one picture, twice as fine as on a screen."""
        figures = [self.curves[name].figure(*_FIGURE) for name in names]
        return figures[0] if len(figures) == 1 else _sheet(figures)

    def series(self, names: tuple[str, ...]) -> dict[str, Run]:
        """Every point of these charts, by chart and line; copies."""
        found: dict[str, Run] = {}
        for name in names:
            curve = self.curves[name]
            for line, trace in curve.lines.traces.items():
                x, y = trace.points
                unit = f" ({curve.unit})" if curve.unit else ""
                found[f"{curve.title}: {line}{unit}"] = x.copy(), y.copy()
        return found

    @Slot(str, QPoint)
    def _open_menu(self, name: str, where: QPoint) -> None:
        curve = self.curves[name]
        menu = ChartMenu(curve.title, self)
        menu.log_picked.connect(lambda on: self._change(partial(curve.set_log, on=on)))
        menu.smoothing_picked.connect(lambda n: self._change(partial(curve.set_smoothing, n)))
        menu.line_switched.connect(lambda line: self._change(partial(curve.lines.switch, line)))
        menu.zoom_out_asked.connect(partial(self._linked.look_at, None))
        menu.export_asked.connect(lambda kind: self.export_asked.emit(kind, (name,)))
        menu.hide_asked.connect(partial(self._hide, name))
        menu.offer(
            log=curve.log,
            smooth=curve.smooth,
            lines={line: line not in curve.lines.hidden for line in curve.lines.traces},
            where=where,
            about=curve.accessibleDescription(),
        )

    def _change(self, change: Callable[[], None]) -> None:
        change()
        self._linked.redraw()
        self.rearranged.emit()

    def _hide(self, name: str) -> None:
        self._pick_charts(tuple(each for each in self._grid.shown if each != name))

    @Slot(object)
    def _pick_charts(self, names: tuple[str, ...]) -> None:
        self._show_charts(names)
        self.rearranged.emit()

    def _show_charts(self, names: tuple[str, ...]) -> None:
        self._grid.show_names(names)
        self.tools.show_charts(self._grid.shown)
        self.tools.show_smoothing(next(iter(self.curves.values())).smooth)

    @Slot(float)
    def _smooth_all(self, steps: float) -> None:
        for curve in self.curves.values():
            curve.set_smoothing(steps)
        self.tools.show_smoothing(steps)
        self.rearranged.emit()

    @Slot(str)
    def _export_all(self, kind: str) -> None:
        self.export_asked.emit(kind, self._grid.shown)


def _one_for_each_chart() -> dict[str, Curve]:
    return {
        name: Curve(kind.title, kind.unit, tip=kind.tip, lines=kind.lines)
        for name, kind in CHARTS.items()
    }


def _one_for_each_line() -> dict[str, Curve]:
    return {
        f"{name}/{line}": Curve(
            line if len(kind.lines) > 1 and name != "kept" else f"{kind.title}: {line}",
            kind.unit,
            tip=kind.tip,
        )
        for name, kind in CHARTS.items()
        for line in kind.lines
    }


def _sheet(figures: list[QImage]) -> QImage:
    """Figures side by side on one ground."""
    wide, high = _FIGURE
    rows = -(-len(figures) // _ACROSS)
    density = figures[0].devicePixelRatio()
    across, down = _ACROSS * (wide + _GAP) - _GAP, rows * (high + _GAP) - _GAP
    sheet = QImage(int(across * density), int(down * density), QImage.Format.Format_RGB32)
    sheet.setDevicePixelRatio(density)
    sheet.fill(figures[0].pixelColor(0, 0))
    painter = QPainter(sheet)
    for place, figure in enumerate(figures):
        row, column = divmod(place, _ACROSS)
        painter.drawImage(QPoint(column * (wide + _GAP), row * (high + _GAP)), figure)
    painter.end()
    return sheet
