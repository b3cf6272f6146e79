"""How scores are spread, and the threshold that cuts them, to be dragged."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QBrush, QColor

from smarthdr_studio.core.words import tau_words
from smarthdr_studio.studio.plots.axes import ArrowKeys, Doubles, stepped
from smarthdr_studio.studio.plots.chart import Chart, Column, Stretch
from smarthdr_studio.studio.theme import Palette

if TYPE_CHECKING:
    from smarthdr_studio.studio.plots.plot import Plot

_AIR: Final = 1.04  # above the highest bar
Dropped = Literal["bad", "warn"]


class ThresholdHistogram(Chart):
    """Bars by the logarithm of their counts; what is beyond the threshold has a hatch as well.

    The line moves when `set_tau` says so: a drag only tells where the hand is.
    """

    LOG = "Logarithmic counts"
    ZOOMS_UP = False

    tau_dragged = Signal(float)
    tau_released = Signal(float)

    def __init__(self, name: str, *, dropped: Dropped = "bad") -> None:
        super().__init__("")
        self.log = True
        self._counts = np.zeros(0, np.int64)
        self._edges = np.linspace(0, 1, 2)
        self._tau = 0.4
        self._wish: float | None = None  # of keys under way, which the line may follow later
        self._before = self._tau  # the hand came
        self._dropped: Dropped = dropped
        self.setMinimumSize(120, 52)
        self._keys = ArrowKeys(self)
        self._keys.stepped.connect(self._step)
        self._keys.let_go.connect(self._let_go)
        self.set_name(name)

    @property
    def tau(self) -> float:
        """Where the line is, in [0, 1]."""
        return self._tau

    def set_counts(self, edges: npt.NDArray[Any], counts: npt.NDArray[Any]) -> None:
        """N counts between n + 1 rising edges of scores in [0, 1]."""
        if len(edges) != len(counts) + 1:
            raise ValueError(f"{len(counts)} counts lie between {len(counts) + 1} edges")
        if np.array_equal(counts, self._counts) and np.array_equal(edges, self._edges):
            return
        self._edges = np.asarray(edges, np.float64)
        self._counts = np.asarray(counts, np.int64)
        self.changed()

    def set_tau(self, tau: float) -> None:
        """Put the line at a threshold in [0, 1]."""
        if tau != self._tau:
            self._tau = tau
            self.changed()

    def set_name(self, name: str) -> None:
        """Say whose scores these are."""
        if name == self.title:
            return
        self.title = name
        self.setToolTip(
            f"{name}: how many have which score, by the logarithm of their count. Drag the"
            " line; arrow keys move it by 0.01, with Shift by 0.1 (Tab reaches it, Esc leaves it)."
            " Ctrl and the wheel zoom, a double click shows all; more by the right button"
        )
        self.describe()

    def sizeHint(self) -> QSize:
        """Low and wide."""
        return QSize(240, 72)

    def nothing(self) -> str:
        """Before there are scores."""
        return "" if self._counts.any() else "No scores yet"

    def span(self) -> tuple[Stretch, Stretch]:
        """All scores, and the highest bar."""
        return (0.0, 1.0), (0.0, float(self._heights().max(initial=1e-9)) * _AIR)

    def file_name(self) -> str:
        """After what is shown."""
        return f"{self.title.split()[0]}-histogram"

    def table(self) -> Mapping[str, Column]:
        """Every bar."""
        counts = self._counts.astype(np.float64)
        return {"score from": self._edges[:-1], "score to": self._edges[1:], "count": counts}

    def twin(self) -> Chart:
        """The same scores and threshold."""
        made = ThresholdHistogram(self.title, dropped=self._dropped)
        made.set_counts(self._edges, self._counts)
        made.set_tau(self._tau)
        return made

    def make_plot(self) -> "Plot":
        """Two rows of bars, a hatch over the second, and a line."""
        import pyqtgraph as pg

        from smarthdr_studio.studio.plots.plot import Hatch, Plot

        plot = Plot(weighs_clicks=True)
        plot.left.hide()
        bars = {"stepMode": "center", "fillLevel": 0.0, "pen": None}
        self.kept, self.beyond = (pg.PlotDataItem(**bars) for _ in range(2))
        self.hatch, self.line = Hatch(), pg.InfiniteLine(self._tau)
        for item in (self.kept, self.beyond, self.hatch, self.line):
            plot.vb.addItem(item)
        plot.pressed.connect(self._press)
        plot.moved.connect(self._drag)
        plot.released.connect(self._release)
        plot.taken_back.connect(self._take_back)
        plot.viewport().setCursor(Qt.CursorShape.SplitHCursor)
        return plot

    def draw(self, plot: "Plot") -> None:
        """Bars in two parts, then the line."""
        plot.show_range(*self.seen)
        cut = int(np.searchsorted(self._edges[1:-1], self._tau))
        heights = self._heights()
        left = np.append(self._edges[: cut + 1], self._tau)
        right = np.concatenate([[self._tau], self._edges[cut + 1 :]])
        self.kept.setData(left, heights[: cut + 1])
        self.beyond.setData(right, heights[cut:])
        tops = np.stack((np.repeat(right, 2)[1:-1], np.repeat(heights[cut:], 2)), 1)
        self.hatch.fill(np.concatenate([[[right[0], 0.0]], tops, [[right[-1], 0.0]]]))
        self.line.setValue(self._tau)

    def dressed(self, plot: "Plot", palette: Palette) -> None:
        """What is kept, what is dropped, and where it is cut."""
        self.kept.setFillBrush(QColor(palette.good))
        self.beyond.setFillBrush(QColor(palette.bad if self._dropped == "bad" else palette.warn))
        self.hatch.setBrush(QBrush(QColor(palette.panel), Qt.BrushStyle.BDiagPattern))
        focused = self.hasFocus()
        self.line.setPen(plot.pen(palette.accent if focused else palette.text, 2 + focused))

    def _heights(self) -> Doubles:
        counts = self._counts.astype(np.float64)
        return np.log1p(counts) if self.log else counts

    @Slot(QPointF)
    def _press(self, where: QPointF) -> None:
        self._before = self._tau
        self._drag(where)

    @Slot()
    def _take_back(self) -> None:
        self.tau_dragged.emit(self._before)

    @Slot(QPointF)
    def _drag(self, where: QPointF) -> None:
        self.tau_dragged.emit(round(where.x(), 3))

    @Slot(QPointF)
    def _release(self, where: QPointF) -> None:
        self.tau_released.emit(round(where.x(), 3))

    @Slot(float, float)
    def _step(self, across: float, up: float) -> None:
        self._wish = stepped(self._tau if self._wish is None else self._wish, across + up)
        self.tau_dragged.emit(self._wish)

    @Slot()
    def _let_go(self) -> None:
        wish, self._wish = self._wish, None
        self.tau_released.emit(wish)

    def describe(self) -> None:
        """Where the thresholds stand."""
        self.setAccessibleName(f"Histogram of {self.title}, threshold {tau_words(self._tau)}")
