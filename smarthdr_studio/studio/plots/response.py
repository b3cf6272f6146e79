"""A camera's response curve beside gamma 2.2."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QSize, Qt

from smarthdr_studio.core.imaging.response import GAMMA_2_2, ResponseCurve
from smarthdr_studio.studio.plots.axes import Doubles
from smarthdr_studio.studio.plots.chart import Chart, Column, Stretch
from smarthdr_studio.studio.theme import Palette

if TYPE_CHECKING:
    from smarthdr_studio.studio.plots.plot import Plot

_VALUES: Final = np.linspace(0, 1, 257)[8:]
_LEAST: Final = -10.0  # stops below white


class ResponseChart(Chart):
    """Light in stops below white, over what the camera wrote; gamma 2.2 is dashed."""

    def __init__(self) -> None:
        super().__init__("Light, stops below white (↑) of a value in the file (→)")
        self._curve: ResponseCurve | None = None
        self._known = False
        self.setMinimumSize(180, 110)
        self.setToolTip(
            "What a value in the file stands for (→, 1 is white), as stops of light below white"
            " (↑). Solid as the brackets show it, dashed gamma 2.2"
        )
        self._describe()

    def set_curve(self, curve: ResponseCurve | None, *, known: bool) -> None:
        """Show this one; None where brackets show none, or while that is not `known` yet."""
        if (curve, known) != (self._curve, self._known):
            self._curve, self._known = curve, known
            self._describe()
            self.changed()

    def sizeHint(self) -> QSize:
        """Wider than high."""
        return QSize(280, 150)

    def nothing(self) -> str:
        """Before a curve is known, or where there is none."""
        if self._curve is not None:
            return ""
        return "No curve can be measured" if self._known else "Not measured yet"

    def span(self) -> tuple[Stretch, Stretch]:
        """Black to white."""
        return (0.0, 1.0), (_LEAST, 0.0)

    def file_name(self) -> str:
        """After what is shown."""
        return "response"

    def table(self) -> Mapping[str, Column]:
        """Both curves."""
        return {
            "value": _VALUES,
            "stops, measured": self._stops(self._curve or GAMMA_2_2),
            "stops, gamma 2.2": self._stops(GAMMA_2_2),
        }

    def twin(self) -> Chart:
        """The same curve."""
        made = ResponseChart()
        made.set_curve(self._curve, known=self._known)
        return made

    def make_plot(self) -> "Plot":
        """Two lines."""
        import pyqtgraph as pg

        from smarthdr_studio.studio.plots.plot import Plot

        plot = Plot(margins=(4, 8, 12, 0))
        self.plain, self.measured = pg.PlotDataItem(), pg.PlotDataItem(antialias=True)
        plot.place(0, self.plain, self.measured)
        return plot

    def dressed(self, plot: "Plot", palette: Palette) -> None:
        """The curve in the accent, gamma 2.2 in grey."""
        plot.keep_gutter("−10.0")
        self.plain.setPen(plot.pen(palette.muted, 1.6, Qt.PenStyle.DashLine))
        self.measured.setPen(plot.pen(palette.accent, 2.0))

    def draw(self, plot: "Plot") -> None:
        """Both in what is seen."""
        plot.show_range(*self.seen)
        self.plain.setData(_VALUES, self._stops(GAMMA_2_2))
        self.measured.setData(_VALUES, self._stops(self._curve or GAMMA_2_2))

    def _stops(self, curve: ResponseCurve) -> Doubles:
        light = curve.light(_VALUES).mean(axis=1)
        stops: Doubles = np.log2(np.maximum(light, 2.0 ** (_LEAST - 1)))
        return stops

    def _describe(self) -> None:
        if self._curve is None:
            self.setAccessibleName("Camera curve, nothing known")
            return
        middle = float(self._stops(self._curve)[len(_VALUES) // 2])
        self.setAccessibleName(f"Camera curve, the middle value {-middle:.1f} stops below white")
