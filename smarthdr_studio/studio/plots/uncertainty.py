"""Whether σ is as large as the error: calibration, and sparsification with both thresholds."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QBrush, QColor, QFontMetricsF

from smarthdr_studio.core.trust.reliability import Evidence
from smarthdr_studio.core.words import percent
from smarthdr_studio.studio.plots.axes import LOOSE, ArrowKeys, Doubles, place_for, stepped
from smarthdr_studio.studio.plots.chart import Chart, Column, Stretch
from smarthdr_studio.studio.theme import Palette

if TYPE_CHECKING:
    from smarthdr_studio.studio.plots.plot import Plot, Words

_NONE: Final[Doubles] = np.zeros((0, 2))
_UNKNOWN: Final = "No errors known yet"


class Calibration(Chart):
    """One dot for each bin of equally many pixels, both axes logarithmic and alike."""

    LOG = "Logarithmic axes"

    def __init__(self) -> None:
        super().__init__("RMS error observed (↑) against σ predicted (→)")
        self.log = True
        self._evidence: Evidence | None = None
        self._bins = _NONE
        self.setMinimumSize(140, 84)
        self.setToolTip(
            "Predicted σ (→) against observed RMS error (↑), the root of the mean over channels of"
            " the squared error on the μ-law: root mean squares of bins of equally many pixels,"
            " both logarithmic. Above the line σ promises too much, below it too little"
        )
        self.setAccessibleName("Calibration of σ, nothing known")

    def set_evidence(self, shown: Evidence | None) -> None:
        """Show the bins of this evidence, or that nothing is known."""
        if shown is self._evidence:
            return
        self._evidence = shown
        self._bins = _NONE if shown is None else known_bins(shown.predicted, shown.observed)
        above = int((self._bins[:, 1] > self._bins[:, 0]).sum())
        words = f"{above} of {len(self._bins)} bins err more than σ says"
        self.setAccessibleName(f"Calibration of σ, {words if len(self._bins) else 'nothing known'}")
        self.changed()

    def sizeHint(self) -> QSize:
        """Wider than high."""
        return QSize(260, 140)

    def nothing(self) -> str:
        """Before errors are known."""
        return "" if len(self._bins) else _UNKNOWN

    def span(self) -> tuple[Stretch, Stretch]:
        """All bins with a little air, alike across and up; powers of ten where logarithmic."""
        values = self._values()
        if not len(values):
            return (0.0, 1.0), (0.0, 1.0)
        low, high = float(values.min()), float(values.max())
        air = max((high - low) * 0.08, 0.05 if self.log else high * 0.05)
        both = (low - air if self.log else 0.0), high + air
        return both, both

    def file_name(self) -> str:
        """After what is shown."""
        return "calibration"

    def table(self) -> Mapping[str, Column]:
        """Every bin."""
        return {"sigma predicted": self._bins[:, 0], "RMS error observed": self._bins[:, 1]}

    def twin(self) -> Chart:
        """The same bins."""
        made = Calibration()
        made.set_evidence(self._evidence)
        return made

    def make_plot(self) -> "Plot":
        """The line of agreement, the bins, and what either side of the line means."""
        import pyqtgraph as pg

        from smarthdr_studio.studio.plots.plot import Plot, Words

        plot = Plot(margins=(4, 8, 12, 0))
        self.agreement = pg.InfiniteLine((0, 0), angle=45)
        self.bins = pg.PlotDataItem(symbol="o", symbolSize=7, antialias=True)
        self.sides = Words(), Words()
        plot.place(0, self.agreement, *self.sides, self.bins)
        return plot

    def dressed(self, plot: "Plot", palette: Palette) -> None:
        """One colour, and grey for what is not measured."""
        plot.keep_gutter("0.0000")
        self.agreement.setPen(plot.pen(palette.muted, 1.4, Qt.PenStyle.DashLine))
        self.bins.setPen(plot.pen(palette.accent, 1.5))
        self.bins.setSymbolBrush(QColor(palette.accent))
        self.bins.setSymbolPen(plot.pen(palette.panel, 1))
        for words in self.sides:
            words.dress(self.font(), palette.muted)

    def draw(self, plot: "Plot") -> None:
        """The bins in what is seen."""
        plot.set_logarithmic(across=self.log, up=self.log)
        across, up = self.seen
        plot.show_range(across, up)
        self.bins.setData(self._values())
        over, under = self.sides
        over.say("overconfident", anchor=(0, 0))
        over.setPos(across[0], up[1])
        under.say("underconfident")
        under.setPos(plot.value_at(self._beside_bins(plot, under)))

    def _beside_bins(self, plot: "Plot", words: "Words") -> QPointF:
        """Where words stand at the lower edge: as far right as they lie over no bin."""
        wide, high = words.boundingRect().size().toTuple()
        field, y = plot.field, plot.field.bottom() - high / 2
        edge = np.array([(field.left() + wide / 2, y), (field.right() - wide / 2, y)])
        box = place_for(
            [edge],
            size=(wide, high),
            frame=field.adjusted(-1, -1, 1, 1),
            taken=[],
            apart=plot.places_of(self._values()),
            beside=((0.0, 0.0),),
        )
        return QPointF(*edge[-1]) if box is None else box.center()

    def _values(self) -> Doubles:
        return np.log10(self._bins) if self.log else self._bins


def known_bins(predicted: Doubles, observed: Doubles) -> Doubles:
    """The bins a logarithm can show, K×2 of (predicted, observed)."""
    pairs = np.stack((predicted, observed), 1).astype(np.float64)
    return pairs[np.isfinite(pairs).all(1) & (pairs > 0).all(1)]


_STYLES: Final = {
    "by σ": (Qt.PenStyle.SolidLine, 2.0),
    "oracle": (Qt.PenStyle.DashLine, 1.6),
    "random": (Qt.PenStyle.DotLine, 1.6),
}
_HATCH: Final = Qt.BrushStyle.FDiagPattern
_BESIDE: Final = 6.0
_AIR: Final = 4.0
_LEAST_ABOVE, _MOST_ABOVE = 1 / 6, 0.5  # of the height of the field, for words
_POINT: Final = 13
_TIP: Final = (
    "Absolute error (|error| on the μ-law, mean over channels) of the pixels that are left, divided"
    " by that of all, while the least sure are dropped: by σ, by the true error (oracle) and at"
    " random. The shaded area is AUSE. Drag the point to move the thresholds; arrow keys move it by"
    " 0.01, with Shift by 0.1 (Tab reaches it, Esc leaves it). Ctrl and the wheel zoom, a double"
    " click shows all; more by the right button"
)


class Sparsification(Chart):
    """Three named curves over the dropped share; says where the hand drags the point.

    The point moves when `set_point` says so.
    """

    ZOOMS_UP = False

    drop_dragged = Signal(float)
    drop_released = Signal(float)
    drop_taken_back = Signal()

    def __init__(self) -> None:
        super().__init__("Absolute error left (↑), least sure dropped first (→)")
        self._evidence: Evidence | None = None
        self._curves: dict[str, Doubles] = {}
        self._point: tuple[float, float] | None = None
        self._wish: float | None = None  # of keys under way, which the point may follow later
        self.setMinimumSize(140, 84)
        self.setToolTip(_TIP)
        self._keys = ArrowKeys(self)
        self._keys.stepped.connect(self._step)
        self._keys.let_go.connect(self._let_go)
        self._describe()

    def set_evidence(self, shown: Evidence | None) -> None:
        """Show these curves, or that nothing is known."""
        if shown is self._evidence:
            return
        self._evidence = shown
        curves = {} if shown is None else dict(zip(_STYLES, _three(shown), strict=True))
        self._curves = {name: points for name, points in curves.items() if len(points)}
        self._describe()
        self.changed()

    def set_point(self, point: tuple[float, float] | None) -> None:
        """Where the thresholds stand: (dropped share, error of the rest ÷ error of all)."""
        if point != self._point:
            self._point = point
            self._describe()
            self.changed()

    def sizeHint(self) -> QSize:
        """Wider than high."""
        return QSize(260, 150)

    def nothing(self) -> str:
        """Before errors are known."""
        return "" if self._curves else _UNKNOWN

    def span(self) -> tuple[Stretch, Stretch]:
        """All that can be dropped, and the highest curve with room for words above it."""
        most = max((float(points[:, 1].max()) for points in self._curves.values()), default=1.0)
        return (0.0, 1.0), (0.0, max(most, 1.0) / (1 - self._share_of_words()))

    def _share_of_words(self) -> float:
        """Which share of the height of the field a line of words takes."""
        field = 0.0 if self._plot is None else self._plot.field.height()
        line = QFontMetricsF(self.font()).height() + _AIR
        return min(max(line / max(field, 1.0), _LEAST_ABOVE), _MOST_ABOVE)

    def file_name(self) -> str:
        """After what is shown."""
        return "sparsification"

    def table(self) -> Mapping[str, Column]:
        """Every curve over the dropped share; empty where it is not known."""
        shown = self._evidence
        if shown is None:
            return {}
        curves = {"by sigma": shown.by_sigma, "oracle": shown.oracle, "random": shown.random}
        known = {name: np.asarray(curve, np.float64) for name, curve in curves.items()}
        return {"dropped": np.linspace(0, 1, len(shown.by_sigma)), **known}

    def twin(self) -> Chart:
        """The same curves and point."""
        made = Sparsification()
        made.set_evidence(self._evidence)
        made.set_point(self._point)
        return made

    def make_plot(self) -> "Plot":
        """The area between, the curves with their names, the point on its plumb line."""
        import pyqtgraph as pg

        from smarthdr_studio.studio.plots.plot import Hatch, Plot, Words

        plot = Plot(weighs_clicks=True, margins=(4, 4, 12, 0))
        self.curves = {name: pg.PlotDataItem(antialias=True) for name in _STYLES}
        by_sigma, oracle = (self.curves[name].curve for name in ("by σ", "oracle"))
        self.between, self.hatch = pg.FillBetweenItem(by_sigma, oracle), Hatch()
        self.names = {name: Words() for name in _STYLES}
        self.plumb, self.words = pg.InfiniteLine(0), Words()
        self.point = pg.TargetItem(movable=False, size=_POINT, symbol="o")
        plot.place(0, self.between, self.hatch, *self.curves.values(), *self.names.values())
        plot.place(20, self.plumb, self.words, self.point)
        self._listen(plot)
        return plot

    def _listen(self, plot: "Plot") -> None:
        plot.pressed.connect(self._drag)
        plot.moved.connect(self._drag)
        plot.released.connect(self._release)
        plot.taken_back.connect(self.drop_taken_back)
        plot.resized.connect(self.changed)
        plot.viewport().setCursor(Qt.CursorShape.SplitHCursor)

    def dressed(self, plot: "Plot", palette: Palette) -> None:
        """A colour and a dash for each curve; its name wears them too."""
        plot.keep_gutter("0.00")
        for name, (style, width) in _STYLES.items():
            self.curves[name].setPen(plot.pen(self._colour(name), width, style))
            self.names[name].dress(self.font(), self._colour(name))
        tint = QColor(palette.accent)
        tint.setAlphaF(0.16)
        self.between.setBrush(tint)
        tint.setAlphaF(0.5)
        self.hatch.setBrush(QBrush(tint, _HATCH))
        focused = self.hasFocus()
        line = palette.accent if focused else palette.text
        self.plumb.setPen(plot.pen(line, 2 if focused else 1))
        self.point.setPen(plot.pen(palette.panel, 1.5))
        self.point.setBrush(QColor(line))
        self.words.dress(self.font(), palette.text)

    def draw(self, plot: "Plot") -> None:
        """Curves, then the point and the names beside it."""
        plot.show_range(*self.seen)
        for name, curve in self.curves.items():
            points = self._curves.get(name, _NONE)
            curve.setData(points)
            curve.setVisible(bool(len(points)))
        between = "by σ" in self._curves and "oracle" in self._curves
        for area in (self.between, self.hatch):
            area.setVisible(between)
        if between:
            self.hatch.fill(np.concatenate([self._curves["by σ"], self._curves["oracle"][::-1]]))
        self._draw_names(plot, taken=self._draw_point(plot))

    def _draw_point(self, plot: "Plot") -> list[QRectF]:
        """The point and its words; answers the places they take."""
        known = self._point is not None and bool(np.isfinite(self._point).all())
        for item in (self.plumb, self.words, self.point):
            item.setVisible(known)
        if self._point is None or not known:
            return []
        dropped, (_, (_, high)) = self._point[0], self.seen
        rest = min(self._point[1], high)
        self.plumb.setValue(dropped)
        self.point.setPos(dropped, rest)
        top, field = plot.place_of(dropped, high), plot.field
        words = f"{percent(dropped)} dropped"
        self.words.say(words, anchor=(0, 0), shift=(_BESIDE, 0))
        self.words.setPos(dropped, high)
        if self.words.boundingRect().translated(top).right() > field.right():
            self.words.say(words, anchor=(1, 0), shift=(-_BESIDE, 0))
        at = plot.place_of(dropped, rest)
        return [
            self.words.boundingRect().translated(top),
            QRectF(top.x() - 2, field.top(), 4, field.height()),
            QRectF(-8, -8, 16, 16).translated(at),
        ]

    def _draw_names(self, plot: "Plot", *, taken: list[QRectF]) -> None:
        """Each curve's name beside it, where it covers no other."""
        placed = {name: plot.places_of(points) for name, points in self._curves.items()}
        every = np.concatenate([_dense(points) for points in placed.values()])
        for name, words in reversed(self.names.items()):
            words.say(name)
            box = self._place_of(words, placed.get(name), plot.field, taken, every)
            words.setVisible(box is not None)
            if box is not None:
                taken.append(box)
                words.setPos(plot.value_at(box.center()))

    @staticmethod
    def _place_of(
        words: "Words",
        line: Doubles | None,
        field: QRectF,
        taken: list[QRectF],
        apart: Doubles,
    ) -> QRectF | None:
        if line is None:
            return None
        wide, high = words.boundingRect().size().toTuple()
        size = wide - 4.0, high - 2.0
        return place_for([line], size=size, frame=field, taken=taken, apart=apart, beside=LOOSE)

    def _colour(self, name: str) -> str:
        p = self._palette
        return {"by σ": p.accent, "oracle": p.good}.get(name, p.muted)

    @Slot(QPointF)
    def _drag(self, where: QPointF) -> None:
        if self._point is not None:
            self.drop_dragged.emit(round(where.x(), 3))

    @Slot(QPointF)
    def _release(self, where: QPointF) -> None:
        if self._point is not None:
            self.drop_released.emit(round(where.x(), 3))

    @Slot(float, float)
    def _step(self, across: float, _up: float) -> None:
        if self._point is not None and across:
            self._wish = stepped(self._point[0] if self._wish is None else self._wish, across)
            self.drop_dragged.emit(self._wish)

    @Slot()
    def _let_go(self) -> None:
        wish, self._wish = self._wish, None
        if wish is not None:
            self.drop_released.emit(wish)

    def _describe(self) -> None:
        words = "Sparsification curves"
        if self._point is not None:
            dropped, rest = self._point
            words += f", thresholds drop {percent(dropped)}"
            words += f", absolute error of the rest {rest:.2f} of all"
        self.setAccessibleName(words if self._curves else "Sparsification curves, none yet")


def _three(shown: Evidence) -> tuple[Doubles, ...]:
    """Each curve as K×2 of (dropped share, error of the rest ÷ error of all), where known."""
    pairs = (
        np.stack((np.linspace(0, 1, len(curve)), curve), 1)
        for curve in (shown.by_sigma, shown.oracle, shown.random)
    )
    return tuple(points[np.isfinite(points).all(1)] for points in pairs)


def _dense(points: Doubles) -> Doubles:
    """Enough points of a line that no word slips between two of them."""
    where = np.linspace(0, len(points) - 1, 8 * len(points))
    return np.stack([np.interp(where, np.arange(len(points)), part) for part in points.T], 1)
