"""Quality against the number of labels: a point for every seed, a line through the means."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor

from smarthdr_studio.core.reporting.benchmark_figure import Curves, Point
from smarthdr_studio.core.reporting.benchmark_table import METRIC_WORDS, with_unit
from smarthdr_studio.studio.plots.axes import Doubles, comfortable, place_for
from smarthdr_studio.studio.plots.chart import Chart, Column, Stretch
from smarthdr_studio.studio.theme import Palette

if TYPE_CHECKING:
    from smarthdr_studio.studio.plots.plot import Plot

_NOTHING: Final = "Known after the first run of a row that names its labels"
_DASHES: Final = (
    Qt.PenStyle.SolidLine,
    Qt.PenStyle.DashLine,
    Qt.PenStyle.DotLine,
    Qt.PenStyle.DashDotLine,
    Qt.PenStyle.DashDotDotLine,
)
_SYMBOLS: Final = ("o", "s", "t", "d", "x")
_AIR: Final = 0.35  # of a column, left of the first and right of the last
# Right, left, above and below of the last point, in widths and heights of the words.
_BESIDE: Final = (
    *((0.58, 0.0), (-0.58, 0.0), (0.0, -0.9), (0.0, 0.9)),
    *((0.58, -1.0), (0.58, 1.0), (-0.58, -1.0), (-0.58, 1.0), (0.0, -2.0), (0.0, 2.0)),
)
_ASIDE: Final = 0.05  # of a column, from one line to the next


class QualityCurve(Chart):
    """Numbers of labels stand equally far apart, as no scale suits 1, 5 and all alike."""

    ZOOMS = False

    def __init__(self) -> None:
        super().__init__("PSNR-μ (↑) against labels (→)")
        self._curves: Curves = {}
        self._metric = "psnr_mu"
        self._lines: list[Any] = []
        self._dots: list[Any] = []
        self._names: list[Any] = []
        self.setMinimumSize(180, 110)
        self.setToolTip(
            "A point for every seed, a line through their means. Rows called “LINE, N” after their"
            " labels N are points of one line; more by the right button"
        )
        self._describe()

    def set_curves(self, curves: Curves, metric: str) -> None:
        """Show these points of a metric."""
        if (curves, metric) == (self._curves, self._metric):
            return
        self._curves, self._metric = curves, metric
        self.title = f"{with_unit(metric)} (↑) against labels (→)"
        self._describe()
        self.changed()

    def sizeHint(self) -> QSize:
        """Wider than high."""
        return QSize(420, 200)

    def nothing(self) -> str:
        """Before the first result."""
        return "" if self._curves else _NOTHING

    def span(self) -> tuple[Stretch, Stretch]:
        """Every column, and all values with a little air."""
        values = [v for points in self._curves.values() for p in points for v in p.values]
        low, high = comfortable(min(values), max(values)) if values else (0.0, 1.0)
        return (-_AIR, len(self._counts) - 1 + _AIR), (low, high)

    def file_name(self) -> str:
        """After what is shown."""
        return "quality-against-labels"

    def table(self) -> Mapping[str, Column]:
        """A line for every point of every seed."""
        every = [
            (name, point.labels, value)
            for name, points in self._curves.items()
            for point in points
            for value in point.values
        ]
        return {
            "line": tuple(name for name, _, _ in every),
            "labels": np.array([labels for _, labels, _ in every], float),
            METRIC_WORDS.get(self._metric, self._metric): np.array([v for *_, v in every], float),
        }

    def twin(self) -> Chart:
        """The same points."""
        made = QualityCurve()
        made.set_curves(self._curves, self._metric)
        return made

    def make_plot(self) -> "Plot":
        """Empty; its lines are made as they come."""
        from smarthdr_studio.studio.plots.plot import Plot

        plot = Plot(margins=(4, 8, 12, 0))
        plot.resized.connect(self.changed)
        return plot

    def dressed(self, plot: "Plot", palette: Palette) -> None:
        """A colour, a dash and a symbol for each line."""
        plot.keep_gutter("00.00")
        for number, (line, dots, words) in enumerate(
            zip(self._lines, self._dots, self._names, strict=True)
        ):
            colour = self._colour(number, palette)
            line.setPen(plot.pen(colour, 2.0, _DASHES[number % len(_DASHES)]))
            dots.setSymbolBrush(QColor(colour))
            dots.setSymbolPen(plot.pen(palette.panel, 1))
            words.dress(self.font(), colour)

    def draw(self, plot: "Plot") -> None:
        """Lines, points and the name of each line beside it."""
        self._make_lines(plot)
        across, up = self.seen
        plot.show_range(across, up)
        plot.bottom.setTicks([[(at, str(count)) for at, count in enumerate(self._counts)]])
        placed: list[Doubles] = []
        covered: list[Doubles] = []
        for number, points in enumerate(self._curves.values()):
            aside = _ASIDE * (number - (len(self._curves) - 1) / 2)
            means = np.array([(self._at(p) + aside, fmean(p.values)) for p in points])
            seeds = np.array([(self._at(p) + aside, v) for p in points for v in p.values])
            self._lines[number].setData(means)
            self._dots[number].setData(seeds)
            placed.append(plot.places_of(means))
            covered.append(plot.places_of(seeds))
        self._draw_names(plot, placed, apart=np.concatenate([*placed, *covered]))

    def _make_lines(self, plot: "Plot") -> None:
        """As many lines as there are now."""
        import pyqtgraph as pg

        from smarthdr_studio.studio.plots.plot import Words

        for number in range(len(self._lines), len(self._curves)):
            symbol = _SYMBOLS[number % len(_SYMBOLS)]
            self._lines.append(pg.PlotDataItem(antialias=True))
            self._dots.append(pg.PlotDataItem(pen=None, symbol=symbol, symbolSize=7))
            self._names.append(Words())
            plot.place(3 * number, self._lines[-1], self._dots[-1], self._names[-1])
        for number in range(len(self._lines)):
            shown = number < len(self._curves)
            for item in (self._lines[number], self._dots[number], self._names[number]):
                item.setVisible(shown)
        self.dressed(plot, self._palette)

    def _draw_names(self, plot: "Plot", placed: Sequence[Doubles], *, apart: Doubles) -> None:
        taken: list[QRectF] = []
        for number, name in enumerate(self._curves):
            words = self._names[number]
            words.say(name)
            wide, high = words.boundingRect().size().toTuple()
            ends = placed[number][::-1]
            box = place_for(
                [ends],
                size=(wide - 4.0, high - 2.0),
                frame=plot.field,
                taken=taken,
                apart=apart,
                beside=_BESIDE,
            )
            words.setVisible(box is not None)
            if box is not None:
                taken.append(box)
                words.setPos(plot.value_at(box.center()))

    @property
    def _counts(self) -> list[int]:
        return sorted({point.labels for points in self._curves.values() for point in points})

    def _at(self, point: Point) -> float:
        return float(self._counts.index(point.labels))

    @staticmethod
    def _colour(number: int, palette: Palette) -> str:
        colours = (palette.accent, palette.good, palette.warn, palette.text, palette.bad)
        return colours[number % len(colours)]

    def _describe(self) -> None:
        lines = "; ".join(
            f"{name}: "
            + ", ".join(f"{fmean(point.values):.4g} with {point.labels}" for point in points)
            for name, points in self._curves.items()
        )
        self.setAccessibleName(f"Quality against labels, {lines or 'nothing known'}")
