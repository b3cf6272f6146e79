"""Charts of values that grow while a run goes on, which point and zoom together."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy.typing as npt
from PySide6.QtCore import (
    QEvent,
    QObject,
    QPoint,
    QPointF,
    QRectF,
    QSize,
    QSizeF,
    Qt,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from smarthdr_studio.studio.plots.axes import Axis, draw_frame
from smarthdr_studio.studio.plots.curve_drawing import (
    MARGIN,
    Entry,
    Heading,
    LineStyle,
    LineStyles,
    Marks,
    Scale,
    draw_beginning,
    draw_cursor,
    draw_dot,
    draw_heading,
    draw_ring,
    draw_stretch,
    draw_trace,
    foot_of,
    lay_out,
    scaled,
    zoomed,
)
from smarthdr_studio.studio.plots.trace import Sight, Trace
from smarthdr_studio.studio.theme import DARK, Palette

Numbers = npt.NDArray[Any]


class CurveLines:
    """Traces by name; a name keeps its style whatever else comes and goes."""

    def __init__(self, names: Iterable[str]) -> None:
        """`names` are those of lines in the order of their styles; others come after."""
        self._traces: dict[str, Trace] = {}
        self._styles, self._hidden = LineStyles(names), set[str]()

    def __len__(self) -> int:
        return len(self._traces)

    def take(self, name: str, x: float, y: float) -> None:
        """Append a point to a line, which begins with its first one."""
        trace = self._traces.get(name)
        if trace is None:
            trace = self._traces[name] = Trace()
        trace.add(x, y)

    def extend(self, name: str, x: Numbers, y: Numbers) -> None:
        """Append many points by rising x."""
        self._traces.setdefault(name, Trace()).extend(x, y)

    def put_before(self, name: str, x: Numbers, y: Numbers) -> None:
        """Take in what was known of a line before its first point here."""
        self._traces.setdefault(name, Trace()).put_before(x, y)

    def show(
        self, series: Mapping[str, tuple[Numbers, Numbers]], styles: LineStyles | None
    ) -> None:
        """These lines and no others; styles may be shared with other charts."""
        self._styles = styles or self._styles
        self._traces = {}
        for name, (x, y) in series.items():
            self.extend(name, x, y)

    def clear(self) -> None:
        """Forget every line."""
        self._traces.clear()

    def switch(self, name: str) -> None:
        """Show a line, or do not."""
        self._hidden ^= {name}

    def switch_off(self, names: Iterable[str]) -> None:
        """These lines are off, all others on."""
        self._hidden = set(names)

    @property
    def hidden(self) -> frozenset[str]:
        """The names of lines that are switched off, be there such lines now or not."""
        return frozenset(self._hidden)

    @property
    def traces(self) -> dict[str, Trace]:
        """Every line in the order of styles."""
        return dict(sorted(self._traces.items(), key=lambda item: self.style(item[0]).number))

    @property
    def shown(self) -> dict[str, Trace]:
        """Those that have points and are not switched off."""
        return {n: trace for n, trace in self.traces.items() if n not in self._hidden and trace}

    def style(self, name: str) -> LineStyle:
        """How a line is drawn."""
        return self._styles.of(name)

    @property
    def span(self) -> Sight | None:
        """The first and the last step of all lines."""
        spans = [span for trace in self._traces.values() if (span := trace.reach) is not None]
        return (min(s[0] for s in spans), max(s[1] for s in spans)) if spans else None

    def entries(self, at: float | None, *, smooth: float) -> list[Entry]:
        """The legend, with the values at a step; None is now."""
        step = math.inf if at is None else at
        return [
            Entry(
                name=name,
                value=trace.near(step, smooth=smooth),
                style=self.style(name),
                hidden=name in self._hidden,
            )
            for name, trace in self.traces.items()
        ]


_LEAST_DRAG: Final = 5.0  # pixels; less is a click that shook
_PER_NOTCH: Final = 0.8
_NOTCH: Final = 120.0


class CurveHand(QObject):
    """Watches a chart; without Ctrl the wheel passes through to whatever scrolls around it."""

    pointed = Signal(object)  # QPointF | None
    clicked = Signal(QPointF)
    dragging = Signal(object)  # (from, to) in pixels | None
    dragged = Signal(float, float)  # pixels, rising
    turned = Signal(float, float)  # how much of what is seen is to be seen, about which pixel
    went_back = Signal()

    def __init__(self, chart: QWidget) -> None:
        super().__init__(chart)
        self._from: float | None = None
        chart.setMouseTracking(True)
        chart.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Take what is meant for curves."""
        if isinstance(event, QWheelEvent):
            return self._turn(event)
        if event.type() is QEvent.Type.Leave:
            self.pointed.emit(None)
        return isinstance(event, QMouseEvent) and self._mouse(event)

    def _mouse(self, event: QMouseEvent) -> bool:
        kind, where = event.type(), event.position()
        if kind is QEvent.Type.MouseMove:
            self._move(where)
            return True
        if event.button() != Qt.MouseButton.LeftButton:
            return False
        if kind is QEvent.Type.MouseButtonPress:
            self._from = where.x()
        elif kind is QEvent.Type.MouseButtonDblClick:
            self._from = None
            self.went_back.emit()
        elif kind is QEvent.Type.MouseButtonRelease and self._from is not None:
            self._let_go(where)
        return True

    def _move(self, where: QPointF) -> None:
        self.pointed.emit(where)
        if self._from is not None and abs(where.x() - self._from) >= _LEAST_DRAG:
            self.dragging.emit((self._from, where.x()))

    def _let_go(self, where: QPointF) -> None:
        begin, self._from = self._from, None
        self.dragging.emit(None)
        if begin is None or abs(where.x() - begin) < _LEAST_DRAG:
            self.clicked.emit(where)
        else:
            self.dragged.emit(min(begin, where.x()), max(begin, where.x()))

    def _turn(self, event: QWheelEvent) -> bool:
        notches = event.angleDelta().y() / _NOTCH
        if not event.modifiers() & Qt.KeyboardModifier.ControlModifier or not notches:
            return False
        self.turned.emit(_PER_NOTCH**notches, event.position().x())
        event.accept()
        return True


_DENSITY: Final = 2.0  # of figures: pixels for each of the screen's
_LEAST: Final = 62.0  # pixels of a chart below its title that has words for its steps
_END, _READ = 2.0, 3.0  # radius of the newest point, and of one under the cursor


class Curve(QWidget):
    """Named series over one axis, the value now beside each name; the wheel passes through.

    A drag shows a stretch, Ctrl and the wheel zoom, a double click shows all again; a click on a
    name switches its line off.
    """

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
        super().__init__()
        self.title, self.unit, self._across_name = title, unit, across
        self.lines = CurveLines(lines)
        self.log, self.smooth = False, 0.0
        self.as_measured = False  # whether values are never smoothed
        self._marks = Marks()
        self._palette, self._heading = DARK, Heading(title=title, placed=(), height=0)
        self._sight: Sight | None = None
        self._extent: Sight | None = None
        self._cursor: float | None = None  # a step
        self._stretch: tuple[float, float] | None = None  # pixels
        self._across: Axis | None = None  # as it was drawn last
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 56)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(f"Chart of {title}")
        self.setAccessibleDescription(tip or f"{title} over {across}")
        self._watch_hand()

    def add(self, series: str, x: float, y: float) -> None:
        """Append a point to a series, which begins with its first one, and draw it."""
        self.lines.take(series, x, y)
        self.update()

    def extend(self, series: str, x: Numbers, y: Numbers) -> None:
        """Append many points by rising x."""
        self.lines.extend(series, x, y)
        self.update()

    def show_series(
        self,
        series: Mapping[str, tuple[Numbers, Numbers]],
        *,
        styles: LineStyles | None = None,
    ) -> None:
        """Show these series (x and y, by name) and no others; each keeps its style by its name."""
        self.lines.show(series, styles)
        self.update()

    def clear(self) -> None:
        """Forget all series."""
        self.lines.clear()
        self._cursor = self._sight = self._extent = None
        self._marks = Marks()
        self.update()

    def mark(self, marks: Marks) -> None:
        """Mark these steps; a ring stands on lines that are drawn as they were measured."""
        self._marks = marks
        self.update()

    def now(self, series: str) -> float | None:
        """The newest value of a series."""
        trace = self.lines.traces.get(series)
        return trace.last[1] if trace and trace.last else None

    def set_log(self, *, on: bool) -> None:
        """Equal factors equally high; said in words where values below 0 forbid it."""
        self.log = on
        self.update()

    def set_smoothing(self, steps: float) -> None:
        """Over how many steps to smooth, the raw values faintly behind; 0 is not at all.

        Nothing is smoothed that is `as_measured`.
        """
        self.smooth = 0.0 if self.as_measured else max(steps, 0.0)
        self.update()

    @Slot(object)
    def point_at(self, step: float | None) -> None:
        """Read the values at a step; None reads the newest."""
        if step != self._cursor:
            self._cursor = step
            self.update()

    def look_at(self, sight: Sight | None, *, extent: Sight | None = None) -> None:
        """Show these steps, or with None all of `extent` and of the series."""
        self._sight, self._extent = sight, extent
        self.update()

    def set_palette_colours(self, palette: Palette) -> None:
        """Dress the chart."""
        self._palette = palette
        self.update()

    def figure(self, width: int, height: int) -> QImage:
        """The chart as a picture of its own, twice as fine as it would be on a screen."""
        size = QSize(width, height)
        image = QImage(size * _DENSITY, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(_DENSITY)
        image.fill(QColor(self._palette.panel))
        painter = QPainter(image)
        painter.setFont(self.font())
        self._paint(painter, QRectF(QPointF(0, 0), QSizeF(size)), at=None)
        painter.end()
        self.update()
        return image

    def sizeHint(self) -> QSize:
        """Wide enough for five ticks."""
        return QSize(220, 130)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """More about this chart."""
        self.menu_asked.emit(event.globalPos())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Words above, curves below."""
        painter = QPainter(self)
        self._paint(painter, QRectF(self.rect()), at=self._cursor)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self._palette.accent), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _paint(self, painter: QPainter, room: QRectF, *, at: float | None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._heading = heading = lay_out(
            self.title,
            self.unit,
            self.lines.entries(at, smooth=self.smooth),
            room=room,
            font=painter.font(),
            pointed=at is not None,
        )
        several = len(self.lines) > 1
        draw_heading(painter, heading, room=room, palette=self._palette, sample=several)
        frame = _frame(painter, room.adjusted(0, heading.height, 0, 0))
        sight = self._all and (self._sight or self._all)
        if not sight:
            self._across = None
            _say(painter, room.adjusted(MARGIN, heading.height, -MARGIN, 0), self._palette)
            return
        scale = scaled(self.lines.shown.values(), sight, frame=frame, log=self.log)
        self._across = scale.across
        self._draw_values(painter, scale, frame=frame, at=at)

    def _draw_values(
        self, painter: QPainter, scale: Scale, *, frame: QRectF, at: float | None
    ) -> None:
        words = "" if at is None else f"{self._across_name} {at:,.0f}"
        x = 0.0 if at is None else scale.across.at(at)
        lowest = float(painter.window().height()) - 2
        foot = foot_of(painter, x, words, frame=frame, lowest=lowest) if words else QRectF()
        taken = (foot.left(), foot.right())
        if frame.bottom() + painter.fontMetrics().height() > lowest + 2:
            taken = (-math.inf, math.inf)
        draw_frame(painter, *scale.axes, palette=self._palette, frame=frame, without=taken)
        painter.save()
        painter.setClipRect(frame.adjusted(-_END - 1, -1, _END + 1, 1))
        if self._marks.begun is not None:
            x_begun = scale.across.at(self._marks.begun)
            draw_beginning(painter, x_begun, self._marks.words, palette=self._palette, frame=frame)
        self._draw_lines(painter, scale, at=at)
        painter.restore()
        if scale.fault:
            painter.setPen(QColor(self._palette.warn))
            painter.drawText(frame.adjusted(4, 2, -4, 0), Qt.AlignmentFlag.AlignLeft, scale.fault)
        if self._stretch is not None:
            draw_stretch(painter, self._stretch, palette=self._palette, frame=frame)
        if words:
            draw_cursor(painter, x, words, palette=self._palette, frame=frame, box=foot)

    def _draw_lines(self, painter: QPainter, scale: Scale, *, at: float | None) -> None:
        shown = self.lines.shown
        for name, trace in shown.items():
            style = self.lines.style(name)
            pen = QPen(style.colour(self._palette), 1.5, style.dash)
            draw_trace(painter, trace, scale.axes, pen=pen, smooth=self.smooth)
        for name, trace in shown.items():
            x = trace.last[0] if at is None and trace.last else at
            y = None if x is None else trace.near(x, smooth=self.smooth)
            if x is None or y is None or (scale.up.log and y <= 0):
                continue
            where = QPointF(scale.across.at(x), scale.up.at(y))
            radius = _END if at is None else _READ
            colour = self.lines.style(name).colour(self._palette)
            draw_dot(painter, where, colour, palette=self._palette, radius=radius)
        if self.as_measured and self._marks.best is not None:
            self._draw_rings(painter, scale, self._marks.best)

    def _draw_rings(self, painter: QPainter, scale: Scale, step: float) -> None:
        for name, trace in self.lines.shown.items():
            y = trace.near(step)
            if y is not None and not (scale.up.log and y <= 0):
                where = QPointF(scale.across.at(step), scale.up.at(y))
                draw_ring(painter, where, self.lines.style(name).colour(self._palette))

    @property
    def _all(self) -> Sight | None:
        span, extent = self.lines.span, self._extent
        if span is None or extent is None:
            return span
        return min(span[0], extent[0]), max(span[1], extent[1])

    def _watch_hand(self) -> None:
        hand = CurveHand(self)
        hand.pointed.connect(self._point)
        hand.clicked.connect(self._click)
        hand.dragging.connect(self._mark)
        hand.dragged.connect(self._zoom_to)
        hand.turned.connect(self._zoom_about)
        hand.went_back.connect(self._zoom_out)

    @Slot(object)
    def _point(self, where: QPointF | None) -> None:
        across, step = self._across, None
        if where is not None and across is not None and where.y() > self._heading.height:
            step = across.value(where.x())
        self.point_at(step)
        self.pointed.emit(step)

    @Slot(QPointF)
    def _click(self, where: QPointF) -> None:
        name = self._heading.entry_at(where)
        if name is not None and len(self.lines) > 1:
            self.lines.switch(name)
            self.update()
            self.switched.emit()

    @Slot(object)
    def _mark(self, stretch: tuple[float, float] | None) -> None:
        self._stretch = stretch
        self.update()

    @Slot(float, float)
    def _zoom_to(self, first: float, last: float) -> None:
        if self._across is not None:
            self._show((self._across.value(first), self._across.value(last)))

    @Slot(float, float)
    def _zoom_about(self, share: float, pixel: float) -> None:
        across, span = self._across, self._all
        if across is not None and span is not None:
            sight = across.low, across.high
            self._show(zoomed(sight, about=across.value(pixel), share=share, within=span))

    @Slot()
    def _zoom_out(self) -> None:
        self._show(None)

    def _show(self, sight: Sight | None) -> None:
        self.look_at(sight, extent=self._extent)
        self.zoomed.emit(sight)


def _frame(painter: QPainter, room: QRectF) -> QRectF:
    """Where curves are drawn: right of the values, above the steps."""
    metrics = painter.fontMetrics()
    gutter, line = metrics.horizontalAdvance("0.0000"), metrics.height()
    # Where there is hardly any height, curves are worth more than the steps below them.
    below = line + 4 if room.height() > _LEAST else MARGIN
    return room.adjusted(MARGIN + gutter, MARGIN / 2, -MARGIN - 4, -below)


def _say(painter: QPainter, room: QRectF, palette: Palette) -> None:
    painter.setPen(QColor(palette.muted))
    centre = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
    painter.drawText(room, centre, "Nothing measured yet")


PERIOD_MS: Final = 500


class LinkedCurves(QObject):
    """Tells all charts where one is pointed at and which steps it shows.

    However fast values come, charts are drawn twice a second, and only those on the screen; while
    none is, nothing is done at all.
    """

    def __init__(self, curves: Mapping[str, Curve], parent: QObject) -> None:
        super().__init__(parent)
        self._curves = dict(curves)
        self._sight: Sight | None = None
        self._due = QTimer(self, singleShot=True, interval=PERIOD_MS)
        self._due.timeout.connect(self.redraw)
        for curve in self._curves.values():
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
        self._sight = None
        for curve in self._curves.values():
            curve.clear()

    def dress(self, palette: Palette) -> None:
        """Paint with another palette."""
        for curve in self._curves.values():
            curve.set_palette_colours(palette)

    @Slot(object)
    def _point(self, step: float | None) -> None:
        for curve in self._curves.values():
            curve.point_at(step)
