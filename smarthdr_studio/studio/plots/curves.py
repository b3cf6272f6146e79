"""Charts of values that grow while a run goes on, which point and zoom together."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import (
    QObject,
    QPoint,
    QPointF,
    QRect,
    QRectF,
    QSize,
    QSizeF,
    Qt,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QContextMenuEvent, QHideEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem

from smarthdr_studio.studio.plots.axes import Doubles, quiet_spot
from smarthdr_studio.studio.plots.chart import Chart, Column
from smarthdr_studio.studio.plots.curve_lines import (
    CurveLines,
    Numbers,
    Scale,
    cut,
    mapped,
    scaled,
    spot,
    spots_of,
    zoomed,
)
from smarthdr_studio.studio.plots.heading import (
    MARGIN,
    Heading,
    LineStyles,
    Marks,
    draw_heading,
    lay_out,
)
from smarthdr_studio.studio.plots.trace import Sight, Trace
from smarthdr_studio.studio.theme import Palette
from smarthdr_studio.studio.widgets.pace import Pace

if TYPE_CHECKING:
    import pyqtgraph as pg

    from smarthdr_studio.studio.plots.plot import Plot, Words

_PER_NOTCH: Final = 0.8
_LEAST_DRAG: Final = 5.0  # pixels; less is a click that shook
_LEAST: Final = 62.0  # pixels of a plot that has words for its steps
_ROOMY: Final = 110.0  # pixels of a plot whose marks have words
_DOT: Final = 7  # pixels across a dot where a value is read
_FAINT: Final = 0.22
_DENSE: Final = 1.2  # points a pixel from which single segments are not seen any more


class Curve(Chart):
    """Named series over one axis, the value now beside each name.

    A drag shows a stretch, the wheel zooms, a double click shows all again; a click on a name
    switches its line off.
    """

    LOG = "Logarithmic axis"
    TITLED = True

    pointed = Signal(object)  # the step under the cursor, or None
    zoomed = Signal(object)  # (first, last) step to be seen, or None for all
    switched = Signal()  # a line was switched off or on by the hand
    menu_asked = Signal(QPoint)

    def __init__(
        self,
        title: str,
        unit: str = "",
        *,
        across: str = "step",
        tip: str = "",
        lines: Iterable[str] = (),
    ) -> None:
        """`lines` are the names of series in the order of their styles; others come after."""
        super().__init__(title)
        self.unit, self._across_name = unit, across
        self.lines = CurveLines(lines)
        self.smooth = 0.0
        self.as_measured = False  # whether values are never smoothed
        self.rings_best = False
        self.marks = Marks()
        self._drawn: dict[str, _Drawn] = {}
        self._sight: Sight | None = None
        self._extent: Sight | None = None
        self._cursor: float | None = None  # a step
        self._from: float | None = None  # the step where a drag began
        self.alone = True  # else others point with it, and say when
        self.setMinimumSize(120, 56)
        self.setAccessibleName(f"Chart of {title}")
        self.setAccessibleDescription(tip or f"{title} over {across}")

    def add(self, series: str, x: float, y: float) -> None:
        """Append a point to a series, which begins with its first one, and draw it."""
        self.lines.take(series, x, y)
        self.changed()

    def extend(self, series: str, x: Numbers, y: Numbers) -> None:
        """Append many points by rising x."""
        self.lines.extend(series, x, y)
        self.changed()

    def show_series(
        self,
        series: Mapping[str, tuple[Numbers, Numbers]],
        *,
        styles: LineStyles | None = None,
    ) -> None:
        """Show these series (x and y, by name) and no others; each keeps its style by its name."""
        self.lines.show(series, styles)
        self.changed()

    def clear(self) -> None:
        """Forget all series."""
        self.lines.clear()
        self._cursor = self._sight = self._extent = None
        self.marks = Marks()
        self.changed()

    def mark(self, marks: Marks) -> None:
        """Mark these steps; a ring stands on lines that are drawn as they were measured."""
        self.marks = marks
        self.changed()

    def now(self, series: str) -> float | None:
        """The newest value of a series."""
        trace = self.lines.traces.get(series)
        return trace.last[1] if trace and trace.last else None

    def set_smoothing(self, steps: float) -> None:
        """Over how many steps to smooth, the raw values faintly behind; 0 is not at all.

        Nothing is smoothed that is `as_measured`.
        """
        self.smooth = 0.0 if self.as_measured else max(steps, 0.0)
        self.changed()

    @Slot(object)
    def point_at(self, step: float | None) -> None:
        """Read the values at a step; None reads the newest."""
        if step != self._cursor:
            self._cursor = step
            if self._plot is not None and self.isVisible() and not self.nothing():
                self._show_values(self._plot)
            self.update(self._beside())

    def look_at(self, sight: Sight | None, *, extent: Sight | None = None) -> None:
        """Show these steps, or with None all of `extent` and of the series."""
        self._sight, self._extent = sight, extent
        self.changed()

    @Slot()
    def view_all(self) -> None:
        """All steps, in every chart that looks where this one does."""
        self._show(None)

    def nothing(self) -> str:
        """Before the first value."""
        return "" if self.lines.span else "Nothing measured yet"

    def table(self) -> Mapping[str, Column]:
        """The points of the first line; a board writes those of all, with the steps they share."""
        found: dict[str, Column] = {}
        for name, trace in self.lines.traces.items():
            found[f"{self._across_name} of {name}"], found[name] = trace.points
        return found

    def twin(self) -> Chart:
        """The same lines, without a cursor."""
        made = Curve(self.title, self.unit, across=self._across_name)
        made.lines, made.marks = self.lines, self.marks
        made.as_measured, made.smooth = self.as_measured, self.smooth
        made.rings_best = self.rings_best
        made._sight, made._extent = self._sight, self._extent
        return made

    def hideEvent(self, event: QHideEvent) -> None:
        """No cursor is over what is not there."""
        super().hideEvent(event)
        if self._cursor is not None:
            self._hover(None)

    def sizeHint(self) -> QSize:
        """Wide enough for five ticks."""
        return QSize(220, 130)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """More about this chart, from the board it stands on."""
        self.menu_asked.emit(event.globalPos())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """On a name: its line off or on."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        name = self.heading().entry_at(event.position())
        if name is not None and len(self.lines) > 1:
            self.lines.switch(name)
            self.changed()
            self.switched.emit()

    def heading(self) -> Heading:
        """Title and legend, as they are laid out now."""
        return lay_out(
            self.title,
            self.unit,
            self.lines.entries(self._cursor, smooth=self.smooth),
            room=QRectF(self.rect()),
            font=self.font(),
            pointed=self._cursor is not None,
        )

    def room(self) -> QRect:
        """Below the heading."""
        return super().room().adjusted(0, round(self.heading().height) - 1, 0, 0)

    def paint_words(self, painter: QPainter) -> None:
        """Words above, the plot below."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        room, several = QRectF(self.rect()), len(self.lines) > 1
        draw_heading(painter, self.heading(), room=room, palette=self._palette, sample=several)
        super().paint_words(painter)

    def make_plot(self) -> "Plot":
        """Marks, a cursor, and lines as they come."""
        import pyqtgraph as pg

        from smarthdr_studio.studio.plots.plot import Plot, Words

        plot = Plot(takes_wheel=True)
        plot.bottom.whole = True
        # Lines end where the field does (`cut`); what marks their ends may lie half beyond.
        plot.vb.setFlag(QGraphicsItem.GraphicsItemFlag.ItemClipsChildrenToShape, False)  # noqa: FBT003
        self.begun, self.begun_words = pg.InfiniteLine(), Words()
        self.rounds, self.best = pg.VTickGroup(yrange=(0, 0.05)), pg.VTickGroup(yrange=(0.94, 1))
        self.reading, self.step = pg.InfiniteLine(), Words()
        # Few, and finer on paper where they are not kept as pixels.
        self.points, self.dots, self.rings = (pg.ScatterPlotItem(useCache=False) for _ in range(3))
        self.stretch = pg.LinearRegionItem(movable=False)
        self.fault = pg.TextItem(anchor=(0, 0))
        self.fault.setParentItem(plot.vb)
        for depth, item in enumerate(
            (self.rounds, self.best, self.begun, self.points, self.rings, self.dots, self.reading)
        ):
            item.setZValue(20 + depth)
            plot.vb.addItem(item, ignoreBounds=True)
        self.stretch.setZValue(40)
        plot.vb.addItem(self.stretch, ignoreBounds=True)
        self.stretch.hide()
        plot.place(19, self.begun_words)
        plot.place(30, self.step)
        self._listen(plot)
        return plot

    def _listen(self, plot: "Plot") -> None:
        plot.hovered.connect(self._hover)
        plot.pressed.connect(self._press)
        plot.moved.connect(self._drag)
        plot.released.connect(self._release)
        plot.resized.connect(self.changed)

    def dressed(self, plot: "Plot", palette: Palette) -> None:
        """Marks keep to the background; lines are coloured when they are drawn."""
        plot.keep_gutter("0.0000")
        muted, text = QColor(palette.muted), QColor(palette.text)
        self.begun.setPen(plot.pen(muted, 1, Qt.PenStyle.DashLine))
        self.begun_words.dress(self.font(), muted)
        self.begun_words.rim = QColor(palette.panel)
        self.rounds.setPen(plot.pen(muted, 1))
        self.best.setPen(plot.pen(text, 2))
        self.reading.setPen(plot.pen(muted, 1))
        self.step.dress(self.font(), text)
        self.step.ground = QColor(palette.raised)
        self.fault.setColor(QColor(palette.warn))
        region = QColor(palette.accent)
        region.setAlphaF(0.18)
        self.stretch.setBrush(region)
        self.fault.setFont(self.font())

    def draw(self, plot: "Plot") -> None:
        """The scale, the lines, their marks and values."""
        sight = self._all and (self._sight or self._all)
        if not sight:
            return
        high = plot.height() > _LEAST
        plot.bottom.setVisible(high)
        # Half a value's height and width where the last one stands at the edge of the plot.
        metrics = plot.fontMetrics()
        half, wide = metrics.height() // 2, metrics.horizontalAdvance(f"{sight[1]:,.0f}") // 2
        right = max(MARGIN + 4, wide + 2)
        plot.frame.grid.setContentsMargins(MARGIN, half, right, 2 if high else half)
        shown = self.lines.shown.values()
        scale = scaled(shown, sight, columns=plot.columns, log=self.log, smooth=self.smooth)
        plot.set_logarithmic(up=scale.log)
        plot.show_range(scale.across, scale.powers)
        self.scale = scale
        self.fault.setText(scale.fault)
        self._draw_lines(plot, scale)
        self._draw_marks(plot, scale)
        self._show_values(plot)

    def _draw_lines(self, plot: "Plot", scale: Scale) -> None:
        shown = self.lines.shown
        for name in set(self._drawn) - set(shown):
            self._drawn.pop(name).leave(plot)
        for name, trace in shown.items():
            if name not in self._drawn:
                self._drawn[name] = _Drawn.on(plot)
            style = self.lines.style(name)
            pen = plot.pen(style.colour(self._palette), 1.5, style.dash)
            self._drawn[name].show(trace, scale, columns=plot.columns, pen=pen, smooth=self.smooth)

    def line_of(self, series: str) -> tuple[Doubles, Doubles]:
        """What is drawn of a series: steps, and values or on a logarithmic axis their powers."""
        x, y = self._drawn[series].line.getData()
        return x, y

    def _draw_marks(self, plot: "Plot", scale: Scale) -> None:
        marks = self.marks
        self.begun.setVisible(marks.begun is not None and scale.shows(marks.begun))
        if marks.begun is not None:
            self.begun.setValue(marks.begun)
            stand = self._place_of_words(plot, marks.begun)
            side, height = stand or (0, 0.0)
            words = marks.words if stand else ""
            self.begun_words.say(words, anchor=(side, 1), shift=(1.0, -height))
            self.begun_words.setPos(marks.begun, plot.sight[1][0])
        self.begun_words.setVisible(self.begun.isVisible())
        best = () if marks.best is None else (marks.best,)
        for ticks, steps in ((self.rounds, marks.rounds), (self.best, best)):
            seen = [step for step in steps if scale.shows(step)]
            ticks.setXVals(seen)
            ticks.setVisible(bool(seen))
        rings, points = [], []
        for name, trace in self.lines.shown.items() if self.as_measured else ():
            pen = plot.pen(self.lines.style(name).colour(self._palette), 1.4)
            known = self.rings_best and marks.best is not None
            y = trace.near(marks.best or 0.0) if known else None
            if y is not None:
                rings += spot(marks.best or 0.0, y, scale, size=10, pen=pen, brush=None)
            points += spots_of(trace, scale, pen=pen)
        self.rings.setData(rings)
        self.points.setData(points)

    def _place_of_words(self, plot: "Plot", begun: float) -> tuple[int, float] | None:
        """The side of their step, and pixels above the foot; None without room for words."""
        metrics = self.fontMetrics()
        wide = metrics.horizontalAdvance(self.marks.words) + _BESIDE_WORDS
        if plot.field.height() <= _ROOMY:
            return None
        return quiet_spot(
            (item.getData() for drawn in self._drawn.values() for item in drawn.seen),
            at=begun,
            sight=plot.sight,
            field=plot.field.size(),
            words=QSizeF(wide, metrics.height()),
            foot=_ABOVE_ROUNDS,
        )

    def _show_values(self, plot: "Plot") -> None:
        """The cursor, and a dot on each line at the point that is read."""
        at, spots = self._read, []
        ground = plot.pen(self._palette.panel, 1)
        for name, trace in self.lines.shown.items():
            point = trace.point_near(math.inf if at is None else at, smooth=self.smooth)
            if point is not None:
                colour = self.lines.style(name).colour(self._palette)
                size = 5 if at is None else _DOT
                spots += spot(*point, self.scale, size=size, pen=ground, brush=colour)
        self.dots.setData(spots)
        for part in (self.reading, self.step):
            part.setVisible(at is not None)
        if at is not None:
            self.reading.setValue(at)
            self.reading.setVisible(self.scale.shows(at))
            self._tell_step(plot, at, [spot["pos"][1] for spot in spots])
        covered = at is not None and _boxes_meet(plot, self.step, self.begun_words)
        self.begun_words.setVisible(self.begun.isVisible() and not covered)

    def _tell_step(self, plot: "Plot", at: float, heights: Sequence[float]) -> None:
        """The step that is read, at the foot of its line, or at the head where a dot is there."""
        first, last = self.scale.across
        low, high = plot.sight[1]
        beside = max(at, first)  # where what is read lies before what is seen
        # Beside the middle near the edges, so that the words stay whole.
        side = min(max((beside - first) / (last - first) * 1.6 - 0.3, 0.0), 1.0)
        words = f"{self._across_name} {at:,.0f}"
        self.step.say(words, anchor=(side, 1.0))
        band = (self.step.boundingRect().height() + _DOT) / max(plot.field.height(), 1.0)
        shares = [(height - low) / (high - low) for height in heights]
        above = any(share < band for share in shares) and all(share < 1 - band for share in shares)
        if above:
            self.step.say(words, anchor=(side, 0.0))
        self.step.setPos(beside, high if above else low)

    @property
    def _read(self) -> float | None:
        """The step that is read: of what is measured, the last one not beyond the cursor."""
        at = self._cursor
        if at is None:
            return None
        found = (trace.point_near(at) for trace in self.lines.shown.values())
        return max((point[0] for point in found if point is not None), default=float(int(at)))

    @property
    def _all(self) -> Sight | None:
        span, extent = self.lines.span, self._extent
        if span is None or extent is None:
            return span
        return min(span[0], extent[0]), max(span[1], extent[1])

    @Slot(object)
    def _hover(self, where: QPointF | None) -> None:
        step = None if where is None else where.x()
        if self.alone:
            self.point_at(step)
        self.pointed.emit(step)

    @Slot(QPointF)
    def _press(self, where: QPointF) -> None:
        self._from = where.x()

    @Slot(QPointF)
    def _drag(self, where: QPointF) -> None:
        if self._from is not None and self._far(self._from, where.x()):
            self.stretch.setRegion((self._from, where.x()))
            self.stretch.show()

    @Slot(QPointF)
    def _release(self, where: QPointF) -> None:
        begun, self._from = self._from, None
        self.stretch.hide()
        if begun is not None and self._far(begun, where.x()):
            self._show((min(begun, where.x()), max(begun, where.x())))

    def _far(self, one: float, other: float) -> bool:
        """Whether steps are so many pixels apart that a hand meant it."""
        first, last = self.plot.sight[0]
        return abs(other - one) / (last - first) * self.plot.columns >= _LEAST_DRAG

    @Slot(float, QPointF)
    def _turn(self, notches: float, about: QPointF) -> None:
        span = self._all
        if span is not None:
            share = _PER_NOTCH**notches
            sight = self.plot.sight[0]
            self._show(zoomed(sight, about=about.x(), share=share, within=span))

    def _show(self, sight: Sight | None) -> None:
        self.look_at(sight, extent=self._extent)
        self.zoomed.emit(sight)


_BESIDE_WORDS: Final = 12  # pixels between words, their line and the end of the chart
_ABOVE_ROUNDS: Final = 8.0  # pixels


@dataclass(frozen=True, slots=True)
class _Drawn:
    """One line in the plot, and behind it what was measured where the line is smoothed."""

    line: "pg.PlotCurveItem"
    raw: "pg.PlotCurveItem"

    @classmethod
    def on(cls, plot: "Plot") -> "_Drawn":
        import pyqtgraph as pg

        line, raw = (pg.PlotCurveItem(skipFiniteCheck=True) for _ in range(2))
        for item, depth in ((raw, 0), (line, 10)):
            item.setZValue(depth)
            plot.vb.addItem(item, ignoreBounds=True)
        return cls(line, raw)

    @property
    def seen(self) -> "tuple[pg.PlotCurveItem, ...]":
        return (self.line, self.raw) if self.raw.isVisible() else (self.line,)

    def leave(self, plot: "Plot") -> None:
        for item in (self.line, self.raw):
            plot.vb.removeItem(item)

    def show(self, trace: Trace, scale: Scale, *, columns: int, pen: QPen, smooth: float) -> None:
        """The least and the greatest value of each column; smoothed, the middle between them."""
        x, y = trace.outline(scale.across, columns=columns)
        self.raw.setVisible(bool(smooth))
        if not smooth:
            _lay(self.line, x, y, scale, pen=pen, dense=len(x) > columns * _DENSE)
            return
        faint, colour = QPen(pen), pen.color()
        colour.setAlphaF(_FAINT)
        faint.setColor(colour)
        _lay(self.raw, x, y, scale, pen=faint, dense=True)
        x, y = trace.outline(scale.across, columns=columns, smooth=smooth)
        if len(x) > columns * _DENSE:
            # Two points a column, least and greatest: the line runs between them.
            pairs = len(x) // 2 * 2
            x, y = x[:pairs:2], y[:pairs].reshape(-1, 2).mean(1)
        _lay(self.line, x, y, scale, pen=pen, dense=False)


def _lay(
    item: "pg.PlotCurveItem", x: Doubles, y: Doubles, scale: Scale, *, pen: QPen, dense: bool
) -> None:
    """Smooth, wide and dashed where segments can be told apart; thousands would be slow."""
    drawn = QPen(pen)
    if dense:
        drawn.setStyle(Qt.PenStyle.SolidLine)
        drawn.setWidthF(pen.widthF() / 1.5)
    x, y = cut(*mapped(x, y, scale), scale.across)
    item.setData(x, y, pen=drawn, antialias=not dense)


def _boxes_meet(plot: "Plot", one: "Words", other: "Words") -> bool:
    """Whether words lie over one another in the plot."""
    boxes = (
        words.boundingRect().translated(plot.place_of(words.x(), words.y()))
        for words in (one, other)
    )
    first, second = boxes
    return first.intersects(second)


PERIOD_MS: Final = 500


class LinkedCurves(QObject):
    """Tells all charts where one is pointed at and which steps it shows.

    A moving hand is followed with a gap where `hand_gap_ms` says so, in milliseconds. However fast
    values come, charts are drawn twice a second, and only those on the screen; while
    none is, nothing is done at all.
    """

    def __init__(self, curves: Mapping[str, Curve], parent: QObject) -> None:
        super().__init__(parent)
        self._curves = dict(curves)
        self._sight: Sight | None = None
        self._due = QTimer(self, singleShot=True, interval=PERIOD_MS)
        self._due.timeout.connect(self.redraw)
        self.hand_gap_ms: Callable[[], int] = lambda: 0
        self._hand = Pace(self._point_at, self)
        for curve in self._curves.values():
            curve.alone = False
            curve.pointed.connect(self._point)
            curve.zoomed.connect(self.look_at)

    def soon(self) -> None:
        """Something is new: draw before long."""
        if not self._due.isActive() and any(c.isVisible() for c in self._curves.values()):
            self._due.start()

    @Slot()
    def redraw(self) -> None:
        """Lay the same steps under one another in all charts, and draw."""
        spans = [span for curve in self._curves.values() if (span := curve.lines.span) is not None]
        extent = (min(s[0] for s in spans), max(s[1] for s in spans)) if spans else None
        for curve in self._curves.values():
            curve.look_at(self._sight, extent=extent)

    @Slot(object)
    def look_at(self, sight: Sight | None) -> None:
        """Show these steps in all charts, or with None all there are."""
        self._sight = sight
        self.redraw()

    def clear(self) -> None:
        """Forget everything."""
        self._due.stop()
        self._hand.forget()
        self._sight = None
        for curve in self._curves.values():
            curve.clear()

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        for curve in self._curves.values():
            curve.set_palette_colours(palette)

    @Slot(object)
    def _point(self, step: float | None) -> None:
        self._hand.take(step, gap_ms=self.hand_gap_ms())

    def _point_at(self, step: float | None) -> None:
        for curve in self._curves.values():
            curve.point_at(step)
