"""The charts of a run, or of several runs laid over one another, on one board."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal, Slot
from PySide6.QtGui import QEnterEvent, QImage, QResizeEvent, QShowEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QMenu, QScrollArea, QVBoxLayout, QWidget, QWidgetAction

from smarthdr_studio.studio.plots.chart import picture_of, svg_of
from smarthdr_studio.studio.plots.chart_tools import CurveTools, SmoothingMenu
from smarthdr_studio.studio.plots.curves import Curve, LinkedCurves
from smarthdr_studio.studio.plots.heading import LineStyles, Marks
from smarthdr_studio.studio.state.chart_names import CHARTS, ChartKind, Place, Run, charted
from smarthdr_studio.studio.theme import Palette
from smarthdr_studio.studio.widgets.controls import caption
from smarthdr_studio.studio.widgets.icons import IconButton, icon

LEAST: Final = QSize(164, 96)  # of a chart that can still be read
_GRID_GAP: Final = 6
_SHAPE: Final = 1.9  # width ÷ height that suits a curve best
_BUTTON: Final = QSize(24, 18)


class ChartGrid(QScrollArea):
    """Shows the named charts in the order of their names; says whose menu is wanted."""

    menu_asked = Signal(str, QPoint)

    def __init__(self) -> None:
        super().__init__()
        self._tiles: dict[str, _Tile] = {}
        self._shown: tuple[str, ...] = ()
        self._inside = QWidget()
        self._inside.setObjectName("inside")
        self._none = caption("No chart is picked: pick some at the left", role="muted")
        self._none.setParent(self._inside)
        self.setWidget(self._inside)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(60)
        self.setAccessibleName("Charts of the run")

    def place(self, name: str, chart: QWidget, *, title: str) -> None:
        """Take a chart in; it is shown once it is named by `show_names`."""
        tile = _Tile(chart, title=title)
        tile.setParent(self._inside)
        tile.hide()
        tile.more.clicked.connect(lambda: self._ask(name))
        self._tiles[name] = tile

    def show_names(self, names: Sequence[str]) -> None:
        """Show these charts and no others."""
        self._shown = tuple(name for name in self._tiles if name in set(names))
        for name, tile in self._tiles.items():
            tile.setVisible(name in self._shown)
        self._arrange()

    @property
    def shown(self) -> tuple[str, ...]:
        """The names of the charts that are shown."""
        return self._shown

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another room, other rows."""
        super().resizeEvent(event)
        self._arrange()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """There is only one way to scroll."""
        bar = self.horizontalScrollBar()
        turned = event.angleDelta().x() or event.angleDelta().y()
        if bar.maximum() and turned:
            bar.setValue(bar.value() - turned)
            event.accept()
        else:
            event.ignore()

    def _ask(self, name: str) -> None:
        more = self._tiles[name].more
        self.menu_asked.emit(name, more.mapToGlobal(QPoint(0, more.height())))

    def _arrange(self) -> None:
        room = self.maximumViewportSize()
        self._none.setVisible(not self._shown)
        self._none.move((room.width() - self._none.sizeHint().width()) // 2, room.height() // 3)
        if not self._shown:
            self._inside.resize(room)
            return
        rows, columns, across = arranged(len(self._shown), room)
        if columns > across:
            bar = self.horizontalScrollBar()
            taken = max(bar.sizeHint().height(), bar.height() if bar.isVisible() else 0)
            room.setHeight(room.height() - taken)
        wide = (room.width() - (across - 1) * _GRID_GAP) / across
        whole = columns * (wide + _GRID_GAP) - _GRID_GAP
        high = (room.height() - (rows - 1) * _GRID_GAP) / rows
        for place, name in enumerate(self._shown):
            row, column = divmod(place, columns)
            beside = min(columns, len(self._shown) - row * columns)  # fewer in the last row
            wide = (whole - (beside - 1) * _GRID_GAP) / beside
            left, top = round(column * (wide + _GRID_GAP)), round(row * (high + _GRID_GAP))
            right, bottom = (
                round(column * (wide + _GRID_GAP) + wide),
                round(row * (high + _GRID_GAP) + high),
            )
            self._tiles[name].setGeometry(left, top, right - left, bottom - top)
        self._inside.resize(round(whole), room.height())


def arranged(count: int, room: QSize) -> tuple[int, int, int]:
    """Rows, columns, and how many columns are in sight, so that charts are of a pleasant shape."""
    across = max((room.width() + _GRID_GAP) // (LEAST.width() + _GRID_GAP), 1)
    most = max((room.height() + _GRID_GAP) // (LEAST.height() + _GRID_GAP), 1)
    fitting = [rows for rows in range(1, most + 1) if -(-count // rows) <= across]
    if not fitting:
        columns = -(-count // min(most, count))
        return -(-count // columns), columns, across

    def away(rows: int) -> float:
        wide = room.width() / -(-count // rows)
        return abs(math.log(max(wide, 1) / max(room.height() / rows, 1) / _SHAPE))

    rows = min(fitting, key=away)
    columns = -(-count // rows)
    return -(-count // columns), columns, columns


class _Tile(QFrame):
    """A chart in its frame; the button for its menu comes with the mouse or the keyboard."""

    def __init__(self, chart: QWidget, *, title: str) -> None:
        super().__init__()
        self.setObjectName("tile")
        self.more = IconButton(icon("dots"), name=f"Menu of {title}", tip=f"More about {title}")
        self.more.setParent(self)
        self.more.setFixedSize(_BUTTON)
        self.more.setStyleSheet("padding: 0;")
        self.more.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the chart's own menu key does the same
        self.more.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.addWidget(chart)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The button stays in its corner."""
        super().resizeEvent(event)
        self.more.move(self.width() - _BUTTON.width() - 3, 3)

    def enterEvent(self, event: QEnterEvent) -> None:
        """The mouse comes."""
        super().enterEvent(event)
        self.more.show()
        self.more.raise_()

    def leaveEvent(self, event: QEvent) -> None:
        """The mouse goes."""
        super().leaveEvent(event)
        self.more.hide()


FIRST_SMOOTHING: Final = 30.0  # steps

_MARKED_BY: Final = ("kept", "psnr")  # charts
_MARKS: Final = (
    "A dashed line is where pseudo-labels began; strokes below are rounds, one above the best check"
)
_RING: Final = f"{_MARKS}, with a ring"
_ABOUT_WIDTH: Final = 340  # pixels, of the words that head the menu of a chart
_FIRST: Final = ("fit", "psnr", "kept", "calibration", "gap")
_FIRST_COMPARED: Final = ("likelihood/total", "psnr/PSNR-μ", "kept/pixels", "sigma/mean σ")

Points = Iterable[tuple[str, str, float, float]]  # chart, line, step, value


class RunBoard(QWidget):
    """Fed with points while a run goes on, or with the curves of several; draws what is seen.

    With `comparing` every line has a chart of its own, in which every run is a line.
    """

    rearranged = Signal()
    export_asked = Signal(str, object)  # "png", "svg" or "csv", names of charts

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
            curve.rearranged.connect(self._linked.redraw)
            curve.rearranged.connect(self.rearranged)
            curve.export_asked.connect(partial(self._export_one, name))
        self._grid.menu_asked.connect(self._open_menu)
        self.tools.charts_picked.connect(self._pick_charts)
        self.tools.smoothing_picked.connect(self._smooth_all)
        self.tools.export_asked.connect(self._export_all)
        self.arrange({})
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._grid)

    def showEvent(self, event: QShowEvent) -> None:
        """Charts that nobody saw were not told of one another's steps."""
        super().showEvent(event)
        self._linked.redraw()

    def pace_by(self, gap_ms: Callable[[], int]) -> None:
        """Follow a hand with a gap of so many milliseconds."""
        self._linked.hand_gap_ms = gap_ms

    def take_points(self, points: Points) -> None:
        """Append to the curves of the run that goes on."""
        curves, seen = self.curves, set[str]()
        for chart, line, x, y in points:
            curves[chart].lines.take(line, x, y)
            seen.add(chart)
        if not seen.isdisjoint(_MARKED_BY):
            self._mark()
        self._linked.soon()

    def show_past(self, curves: Mapping[Place, Run]) -> None:
        """What a run measured before the points that were taken."""
        for (chart, line), (x, y) in curves.items():
            self.curves[chart].lines.put_before(line, x, y)
        self._mark()
        self._linked.redraw()

    def show_curves(self, runs: Mapping[str, Mapping[str, Run]]) -> None:
        """Lay runs over one another: by title, the curves by series as `read_curves` names them.

        A run keeps its colour and its dashes while it comes and goes.
        """
        laid: dict[str, dict[str, Run]] = {name: {} for name in self.curves}
        for title, series in runs.items():
            self._runs.of(title)
            for place, curve in charted(series).items():
                name = "/".join(place) if self._comparing else place[0]
                if name in laid:
                    laid[name][title] = curve
        for name, chart in self.curves.items():
            chart.show_series(laid[name], styles=self._runs)
        self._linked.redraw()

    def _mark(self) -> None:
        """Where pseudo-labels began, every round, and the best check, the first of equals."""
        rounds = self.curves["kept"].lines.traces.get("pixels")
        checks = self.curves["psnr"].lines.traces.get("PSNR-μ")
        begins = tuple(rounds.points[0].tolist()) if rounds else ()
        best = None
        if checks:
            steps, values = checks.points
            best = float(steps[int(values.argmax())])
        for curve in self.curves.values():
            curve.mark(Marks(begun=begins[0] if begins else None, best=best, rounds=begins))

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
            "grid": [name for name, curve in curves if curve.across_grid],
            "smoothing": {name: curve.smooth for name, curve in curves},
            "off": {name: sorted(off) for name, c in curves if (off := c.lines.hidden)},
        }

    def arrange(self, held: Mapping[str, Any]) -> None:
        """Show charts as they were; what is missing stays as a new project has it."""
        first = _FIRST_COMPARED if self._comparing else _FIRST
        logs, steps, off = held.get("log", ()), held.get("smoothing", {}), held.get("off", {})
        for name, curve in self.curves.items():
            curve.set_log(on=name in logs)
            curve.set_grid(on=name in held.get("grid", ()))
            curve.set_smoothing(float(steps.get(name, FIRST_SMOOTHING)))
            curve.lines.switch_off(map(str, off.get(name, ())))
        self._show_charts(tuple(map(str, held.get("charts", first))))

    def figure(self, names: tuple[str, ...]) -> QImage:
        """Charts as one picture, twice as fine as on a screen."""
        return picture_of([self.curves[name] for name in names])

    def svg(self, names: tuple[str, ...]) -> bytes:
        """Charts as lines and letters."""
        return svg_of([self.curves[name] for name in names])

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
        menu = curve.make_menu()
        first = menu.actions()[0]
        menu.insertAction(first, _about(curve, menu))
        menu.insertSeparator(first)
        if not curve.as_measured:
            smoothing = SmoothingMenu("Smoothing", menu)
            smoothing.show_steps(curve.smooth)
            smoothing.picked.connect(lambda n: self._change(partial(curve.set_smoothing, n)))
            menu.insertMenu(first, smoothing)
        self._offer_lines(menu, curve)
        menu.addSeparator()
        menu.addAction("Hide this chart", partial(self._hide, name))
        menu.popup(where)

    def _offer_lines(self, menu: QMenu, curve: Curve) -> None:
        if len(curve.lines.traces) < 2:
            return
        menu.addSeparator()
        for name in curve.lines.traces:
            line = menu.addAction(name)
            line.setCheckable(True)
            line.setChecked(name not in curve.lines.hidden)
            switch = partial(curve.lines.switch, name)
            line.toggled.connect(lambda _on, switch=switch: self._change(switch))

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
        for name in set(self._grid.shown) - set(names):
            self.curves[name].go_home()
        self._grid.show_names(names)
        self.tools.show_charts(self._grid.shown)
        self.tools.show_smoothing(next(iter(self.curves.values())).smooth)

    @Slot(float)
    def _smooth_all(self, steps: float) -> None:
        for curve in self.curves.values():
            curve.set_smoothing(steps)
        self.tools.show_smoothing(steps)
        self.rearranged.emit()

    def _export_one(self, name: str, kind: str) -> None:
        self.export_asked.emit(kind, (name,))

    @Slot(str)
    def _export_all(self, kind: str) -> None:
        self.export_asked.emit(kind, self._grid.shown)


def _about(curve: Curve, menu: QMenu) -> QWidgetAction:
    """What a chart means, in as many lines as that takes: a line of a menu has no end otherwise."""
    words = caption(curve.accessibleDescription(), role="muted")
    words.setWordWrap(True)
    words.setFixedWidth(_ABOUT_WIDTH)
    words.setContentsMargins(12, 4, 12, 4)
    about = QWidgetAction(menu)
    about.setText(curve.accessibleDescription())
    about.setDefaultWidget(words)
    about.setEnabled(False)
    return about


def _one_for_each_chart() -> dict[str, Curve]:
    made = {}
    for name, kind in CHARTS.items():
        tip = f"{kind.tip}. {_RING if kind.of_checks else _MARKS}"
        made[name] = Curve(kind.title, kind.unit, tip=tip, lines=kind.lines)
        _show_as_measured(made[name], kind)
    return made


def _one_for_each_line() -> dict[str, Curve]:
    made = {}
    for name, kind in CHARTS.items():
        for line in kind.lines:
            alone = len(kind.lines) > 1 and name != "kept"
            title = line if alone else f"{kind.title}: {line}"
            if line.casefold() == kind.title.casefold():
                title = kind.title
            title = "Total loss" if line == "total" else title
            made[f"{name}/{line}"] = curve = Curve(title, kind.unit, tip=kind.tip)
            _show_as_measured(curve, kind)
    return made


def _show_as_measured(curve: Curve, kind: ChartKind) -> None:
    curve.as_measured, curve.rings_best = kind.of_checks or kind.of_rounds, kind.of_checks
