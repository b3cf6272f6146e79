"""One plot of pyqtgraph in the window's colours, with round values at its axes.

Importing this costs what importing pyqtgraph costs: charts do it when one of them is first seen.
"""

import math
from typing import Any, Final

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QFontMetricsF,
    QHideEvent,
    QMouseEvent,
    QPaintEngine,
    QPainter,
    QPainterPath,
    QPen,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QGraphicsGridLayout,
    QGraphicsItem,
    QGraphicsPathItem,
    QSizePolicy,
    QStyleOptionGraphicsItem,
    QWidget,
)

from smarthdr_studio.studio.plots.axes import Doubles, log_ticks, ticks, worded_apart
from smarthdr_studio.studio.theme import Palette

pg.setConfigOptions(imageAxisOrder="row-major", antialias=False)

_FAINT: Final = 0.22  # of 1, of the lines of the grid
_MOST_LINES: Final = 5
_GAP: Final = 4
_OVER: Final = 22.0  # pixels
_EVERY: Final = 8.0  # pixels between the strokes of a hatch
_ABOVE: Final = 5.0
_AIR: Final = 4.0
_SPOT: Final = 6.0  # pixels of a mark on the last value that lie beyond the field
NOTCH: Final = 120.0


def _within(edges: QRectF, box: QRectF) -> QRectF:
    """The box, moved no farther than it takes to lie between these edges."""
    right = min(edges.right() - box.right(), 0.0) + max(edges.left() - box.left(), 0.0)
    down = min(edges.bottom() - box.bottom(), 0.0) + max(edges.top() - box.top(), 0.0)
    return box.translated(right, down)


class RoundAxis(pg.AxisItem):
    """Round values as short as they can be said; two at least, as one says nothing of the scale."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self.enableAutoSIPrefix(False)  # noqa: FBT003 - it writes the label anew, which nobody sees
        self.setStyle(tickLength=0, hideOverlappingLabels=True, autoReduceTextSpace=False)
        # pyqtgraph leaves out what does not fit at once; here all values keep apart by themselves.
        self.setStyle(textFillLimits=[(0, 10.0)])
        self.logarithmic = False  # the range is in powers of ten
        self.whole = False  # steps, epochs: nothing lies between two of them
        self._worked_out: Any = None
        self.picture: bool | None = None  # pyqtgraph resets it where the axis has changed
        self._metrics = QFontMetricsF(QFont())

    def boundingRect(self) -> QRectF:
        """Values at either end reach beyond the axis."""
        over = self._metrics.height() * 0.75 if self.orientation == "left" else _OVER
        wide, high = (0.0, over) if self.orientation == "left" else (over, 0.0)
        reach: QRectF = super().boundingRect().adjusted(-wide, -high, wide, high)
        return reach

    def use_font(self, font: QFont) -> None:
        """Write in this font."""
        self._metrics = QFontMetricsF(font)
        self.setTickFont(font)

    def width_of(self, words: str) -> float:
        """Pixels that these take."""
        return self._metrics.horizontalAdvance(words)

    def paint(
        self,
        painter: QPainter,
        _option: QStyleOptionGraphicsItem,
        _widget: QWidget | None = None,
    ) -> None:
        """What pyqtgraph has worked out, without its record: to play that takes 3 ms each time."""
        painter.save()
        painter.setFont(self.style["tickFont"] or QFont())
        if self.picture is None:
            self._worked_out = self.generateDrawSpecs(painter)
            self.picture = True  # until it is reset, what was worked out holds
        if self._worked_out is not None:
            self.drawPicture(painter, *self._worked_out)
        painter.restore()

    def generateDrawSpecs(self, p: QPainter) -> object:  # noqa: N802
        """Of values at either end so much is moved inwards as would be cut off at the edge."""
        found = super().generateDrawSpecs(p)
        chart = self.parentItem()
        if found is None or chart is None:
            return found
        line, marks, texts = found
        edges = self.mapRectFromItem(chart, chart.boundingRect())
        return line, marks, [(_within(edges, box), *rest) for box, *rest in texts]

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:  # noqa: N802
        """As many as there is room for."""
        if not high > low or not size > 0:
            return []
        most = self._most(size)
        found = self._apart(self._round_values(low, high, most), pixels=size / (high - low))
        return [(high - low, list(found))]

    def _apart(self, found: tuple[float, ...], *, pixels: float) -> tuple[float, ...]:
        """Only the ends where lines of words would touch; `pixels` are those of one."""
        line = self._metrics.height()
        low = self.orientation == "left" and len(found) > 2
        return (found[0], found[-1]) if low and (found[1] - found[0]) * pixels < line else found

    def tickStrings(self, values: list[float], _scale: float, _spacing: float) -> list[str]:  # noqa: N802
        """In words."""
        said = worded_apart([10.0**v for v in values] if self.logarithmic else values)
        return [words.replace("-", "−") for words in said]

    def _most(self, size: float) -> int:
        line = self._metrics.height()
        if self.orientation == "left":
            return min(max(int(size / (line * 1.3)), 1), _MOST_LINES)
        return max(int(size / (self._metrics.horizontalAdvance("000k") * 1.4)), 1)

    def _round_values(self, low: float, high: float, most: int) -> tuple[float, ...]:
        if not self.logarithmic:
            found = ticks(low, high, most=most, whole=self.whole)
            for more in range(most + 1, most + _MOST_LINES):
                if len(found) > 1:
                    break
                found = ticks(low, high, most=more, whole=self.whole) or found
            return found
        powers = log_ticks(low, high, most=most)
        if len(powers) < 2:
            powers = tuple(v for v in ticks(10.0**low, 10.0**high, most=min(most, 3)) if v > 0)
        return tuple(math.log10(value) for value in powers)


class _Frame(pg.GraphicsWidget):
    """A field, an axis left of it and one below.

    pyqtgraph's PlotItem makes two more axes, a title, a button and a menu with a form: all of it
    unseen here, and two thirds of the time that making a chart took.
    """

    def __init__(self, margins: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.vb = pg.ViewBox(enableMouse=False, enableMenu=False, defaultPadding=0.0)
        self.vb.disableAutoRange()
        self.vb.setBorder(None)
        self.left, self.bottom = RoundAxis("left"), RoundAxis("bottom")
        self.grid = QGraphicsGridLayout()
        self.grid.setSpacing(0)
        self.grid.setContentsMargins(*margins)
        self.grid.addItem(self.left, 0, 0)
        self.grid.addItem(self.vb, 0, 1)
        self.grid.addItem(self.bottom, 1, 1)
        self.grid.setRowStretchFactor(0, 1)
        self.grid.setColumnStretchFactor(1, 1)
        self.setLayout(self.grid)
        for axis in (self.left, self.bottom):
            axis.linkToView(self.vb)
            axis.setZValue(0.5)  # its grid lies over a picture, below whatever stands higher


class Plot(pg.GraphicsView):
    """Axes, and what a hand does over them in the plot's own units; right clicks pass through.

    Whoever owns it sets both ranges: nothing moves by itself.
    """

    hovered = Signal(object)  # QPointF, None where the mouse has left
    pressed = Signal(QPointF)
    moved = Signal(QPointF)  # with the left button down
    released = Signal(QPointF)
    taken_back = Signal()  # what was pressed was the first of two clicks: as if it had not been
    double_clicked = Signal(QPointF)
    turned = Signal(float, QPointF)  # notches of the wheel, up is positive
    resized = Signal()

    def __init__(
        self,
        *,
        takes_wheel: bool = False,
        weighs_clicks: bool = False,
        margins: tuple[int, int, int, int] = (8, 4, 8, 0),
    ) -> None:
        """A wheel that is not taken scrolls what the chart lies in; margins are pixels.

        Where clicks are weighed, one is `released` once it cannot become a double click any more;
        a drag is at once.
        """
        self.fine = 1.0  # pixels of the device for each of the screen: pens are as much wider
        self._takes_wheel, self._held = takes_wheel, False
        self._weighs, self._from, self._let_go_at = weighs_clicks, QPointF(), QPointF()
        self._ticks, self._gutter = QPen(), ""
        self._grid: tuple[bool, bool, QPen] | None = None  # as it is shown
        super().__init__(background=None)
        self.enableMouse(False)  # noqa: FBT003
        self.frame = _Frame(margins)
        self.vb, self.left, self.bottom = self.frame.vb, self.frame.left, self.frame.bottom
        self.setCentralItem(self.frame)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        # A chart is reached as a whole: by Tab, not by a click.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrameStyle(0)
        self.setStyleSheet("background: transparent; border: none;")
        self.setMouseTracking(True)
        self._second = QTimer(self, singleShot=True)
        self._second.timeout.connect(self._settle)

    def dress(self, palette: Palette, font: QFont) -> None:
        """Colours and letters of the axes; each chart dresses its own lines."""
        muted, line = QColor(palette.muted), QFontMetricsF(font).height()
        self._ticks = self.pen(palette.muted)
        for axis in (self.left, self.bottom):
            axis.use_font(font)
            axis.setTextPen(muted)
            axis.setStyle(tickTextOffset=_GAP if axis is self.left else 2)
        self.left.setPen(QPen(Qt.PenStyle.NoPen))
        self.bottom.setPen(self.pen(palette.border))
        self.bottom.setHeight(line + 4)

    def show_grid(self, *, across: bool, up: bool = True) -> None:
        """Faint lines at the round values."""
        grid = across, up, self._ticks
        if grid == self._grid:
            return  # or both axes would be worked out anew
        self._grid = grid
        self.left.setGrid(_FAINT if up else False)
        self.bottom.setGrid(_FAINT if across else False)
        for axis, on in ((self.left, up), (self.bottom, across)):
            # A stroke of no length would still be a dot.
            axis.setTickPen(self._ticks if on else QPen(Qt.PenStyle.NoPen))

    def place(self, depth: float, *items: QGraphicsItem) -> None:
        """Put items into the units of the plot, each above the one before."""
        for above, item in enumerate(items):
            item.setZValue(depth + above)
            self.vb.addItem(item, ignoreBounds=True)

    def show_range(self, across: tuple[float, float], up: tuple[float, float]) -> None:
        """Show exactly this; of a logarithmic axis, powers of ten."""
        if (across, up) != self.sight:
            self.vb.setRange(xRange=across, yRange=up, padding=0)
        self._widen_gutter()

    def keep_gutter(self, words: str) -> None:
        """Room left of the field for values as long as these; for longer ones more, once they come.

        So charts below one another begin alike.
        """
        self._gutter = words
        self._widen_gutter()

    def _widen_gutter(self) -> None:
        if not self._gutter:  # or it is not made yet: pyqtgraph gives it a size before
            return
        axis, size = self.left, self.vb.height()
        values = (v for _, found in axis.tickValues(*self.sight[1], size) for v in found)
        said = axis.tickStrings(list(values), 1.0, 0.0)
        wide = math.ceil(max(map(axis.width_of, [self._gutter, *said]))) + _GAP
        if axis.fixedWidth != wide:
            axis.setWidth(wide)

    def set_logarithmic(self, *, across: bool = False, up: bool = False) -> None:
        """Tell powers of ten by the values they stand for."""
        for axis, log in ((self.bottom, across), (self.left, up)):
            if axis.logarithmic != log:
                axis.logarithmic, axis.picture = log, None
        self._widen_gutter()

    @property
    def sight(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """First and last value across, and up."""
        (x0, x1), (y0, y1) = self.vb.viewRange()
        return (float(x0), float(x1)), (float(y0), float(y1))

    @property
    def columns(self) -> int:
        """How many pixels there are across."""
        return max(int(self.vb.width()), 1)

    @property
    def field(self) -> QRectF:
        """Where values are drawn, in pixels of this widget."""
        found: QRectF = self.vb.sceneBoundingRect()
        return found

    def place_of(self, x: float, y: float) -> QPointF:
        """The pixel of a value."""
        return QPointF(self.vb.mapViewToScene(pg.Point(x, y)))

    def places_of(self, points: Doubles) -> Doubles:
        """The pixels of many values, N×2."""
        (x0, x1), (y0, y1) = self.sight
        field = self.field
        share = (points - (x0, y0)) / (x1 - x0, y1 - y0)
        placed: Doubles = share * (field.width(), -field.height()) + (field.left(), field.bottom())
        return placed

    def value_at(self, pixel: QPointF) -> QPointF:
        """The value under a pixel, held within what is shown."""
        found = self.vb.mapSceneToView(pg.Point(pixel.x(), pixel.y()))
        (left, right), (low, high) = self.sight
        return QPointF(min(max(found.x(), left), right), min(max(found.y(), low), high))

    def pen(
        self,
        colour: str | QColor,
        width: float = 1.0,
        style: Qt.PenStyle = Qt.PenStyle.SolidLine,
    ) -> QPen:
        """A pen as wide on every device."""
        pen = QPen(QColor(colour), width * self.fine, style)
        pen.setCosmetic(True)
        return pen

    def draw_on(self, painter: QPainter, where: QRectF, ground: QColor) -> None:
        """Draw everything elsewhere: values first, because an SVG cannot hold them in the field."""
        source, field = self.viewport().rect(), self.field.translated(where.topLeft())
        axes = (self.left, self.bottom)
        for axis in axes:
            axis.setOpacity(0.0)
        self.render(painter, where, source)
        beyond = QPainterPath()
        beyond.addRect(where)
        inner = QPainterPath()
        cuts = QGraphicsItem.GraphicsItemFlag.ItemClipsChildrenToShape
        spot = 0.0 if self.vb.flags() & cuts else _SPOT
        inner.addRect(field.adjusted(-spot, -spot, spot, spot))
        painter.fillPath(beyond.subtracted(inner), ground)
        for axis in axes:
            axis.setOpacity(1.0)
        self.vb.childGroup.hide()
        self.render(painter, where, source)
        self.vb.childGroup.show()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """The left button is the chart's."""
        if event.button() == Qt.MouseButton.LeftButton and self.field.contains(event.position()):
            self.settle()
            self._held, self._from = True, event.position()
            self.pressed.emit(self.value_at(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Held or not."""
        where = event.position()
        if self._held:
            self.moved.emit(self.value_at(where))
        self.hovered.emit(self.value_at(where) if self.field.contains(where) else None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The hand let go here."""
        if self._held and event.button() == Qt.MouseButton.LeftButton:
            self._held, self._let_go_at = False, self.value_at(event.position())
            shaken = (event.position() - self._from).manhattanLength()
            if self._weighs and shaken < QApplication.startDragDistance():
                self._second.start(QApplication.doubleClickInterval())
            else:
                self._settle()

    def settle(self) -> None:
        """A click that waits for a second one waits no longer."""
        if self._second.isActive():
            self._second.stop()
            self._settle()

    @Slot()
    def _settle(self) -> None:
        self.released.emit(self._let_go_at)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody can click again."""
        super().hideEvent(event)
        self.settle()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Twice, and quickly."""
        if event.button() == Qt.MouseButton.LeftButton:
            if self._second.isActive():
                self._second.stop()
                self.taken_back.emit()
            self.double_clicked.emit(self.value_at(event.position()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zooming, where the chart wants it; Ctrl always does."""
        notches = event.angleDelta().y() / NOTCH
        asked = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if notches and (self._takes_wheel or asked):
            self.turned.emit(notches, self.value_at(event.position()))
            event.accept()
        else:
            event.ignore()

    def leaveEvent(self, event: QEvent) -> None:
        """The mouse goes."""
        super().leaveEvent(event)
        self.hovered.emit(None)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu is the whole chart's; while it is open nobody tells that the mouse has left."""
        self.hovered.emit(None)
        event.ignore()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Other pixels for the same values."""
        super().resizeEvent(event)
        self._widen_gutter()
        self.resized.emit()


class Hatch(QGraphicsPathItem):
    """Slanted strokes over an area, for whoever sees no colours; as fine on paper as on screen."""

    def __init__(self) -> None:
        super().__init__()
        self.setPen(QPen(Qt.PenStyle.NoPen))
        self.setZValue(_ABOVE)

    def fill(self, corners: Doubles) -> None:
        """The area within these corners, N×2 in the units of the plot."""
        path = QPainterPath()
        path.addPolygon(polygon(corners))
        path.closeSubpath()
        self.setPath(path)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionGraphicsItem,
        widget: QWidget | None = None,
    ) -> None:
        """By a brush; an SVG would stretch that, so there each stroke is drawn."""
        if painter.paintEngine().type() != QPaintEngine.Type.SVG:
            super().paint(painter, option, widget)
            return
        painter.save()
        area = painter.worldTransform().map(self.path())
        painter.resetTransform()
        painter.fillPath(area.intersected(_strokes(area.boundingRect())), self.brush().color())
        painter.restore()


class Words(QGraphicsItem):
    """Words at a value, upright and of one size, with a rim that sets them off any colour.

    pyqtgraph's own lose their ground where a plot is drawn on paper.
    """

    def __init__(self, colour: QColor | str = "", *, rim: QColor | None = None) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
        self.text, self.font = "", QFont()
        self.colour, self.rim = QColor(colour), rim
        self.ground: QColor | None = None
        self.border: QColor | None = None
        self._anchor, self._shift = (0.0, 0.0), (0.0, 0.0)

    def say(
        self,
        text: str,
        *,
        anchor: tuple[float, float] = (0.5, 0.5),
        shift: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        """Which words, which point of their box (0 to 1) lies at the value, and pixels beside."""
        self.prepareGeometryChange()
        self.text, self._anchor, self._shift = text, anchor, shift
        self.update()

    def dress(self, font: QFont, colour: QColor | str) -> None:
        """Letters and their colour."""
        self.prepareGeometryChange()
        self.font, self.colour = font, QColor(colour)

    def boundingRect(self) -> QRectF:
        """The box of the words, in pixels."""
        metrics = QFontMetricsF(self.font)
        air = 2 * _AIR
        wide, high = metrics.horizontalAdvance(self.text) + air, metrics.height()
        left, top = -self._anchor[0] * wide, -self._anchor[1] * high
        return QRectF(left + self._shift[0], top + self._shift[1], wide, high)

    def paint(
        self,
        painter: QPainter,
        _option: QStyleOptionGraphicsItem,
        _widget: QWidget | None = None,
    ) -> None:
        """Ground, rim, words."""
        if not self.text:
            return
        box = self.boundingRect()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self.font)
        if self.ground is not None:
            painter.setPen(QPen(Qt.PenStyle.NoPen) if self.border is None else QPen(self.border))
            painter.setBrush(self.ground)
            painter.drawRoundedRect(box, 3, 3)
        if self.rim is not None:
            path = QPainterPath()
            foot = box.top() + QFontMetricsF(self.font).ascent()
            path.addText(box.left() + _AIR, foot, self.font, self.text)
            painter.strokePath(path, QPen(self.rim, 3.0))
            painter.fillPath(path, self.colour)
            return
        painter.setPen(self.colour)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self.text)


def _strokes(within: QRectF) -> QPainterPath:
    """Thin slanted stripes over a box of pixels."""
    path, high = QPainterPath(), within.height()
    for left in np.arange(within.left() - high, within.right(), _EVERY).tolist():
        corners = ((0.0, high), (high, 0.0), (high + 1, 0.0), (1.0, high))
        path.addPolygon(QPolygonF([QPointF(left + x, within.top() + y) for x, y in corners]))
    return path


def polygon(points: Doubles) -> QPolygonF:
    """Points, N×2, as Qt has them."""
    return QPolygonF([QPointF(x, y) for x, y in points.tolist()])
