"""What every chart of the window can do, whatever it shows: wait, say nothing, zoom, be copied out.

pyqtgraph draws it. It is imported when the first chart that has something to show has been on the
screen for a moment, so that the window and its pictures do not wait for it.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import (
    QBuffer,
    QByteArray,
    QEvent,
    QIODevice,
    QPoint,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import (
    QCloseEvent,
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QHideEvent,
    QImage,
    QPainter,
    QPaintEvent,
    QPen,
    QRegion,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QDialog, QMenu, QSizePolicy, QVBoxLayout, QWidget

from smarthdr_studio.studio.theme import DARK, Palette

if TYPE_CHECKING:
    from smarthdr_studio.studio.plots.plot import Plot

Column = npt.NDArray[np.float64] | tuple[str, ...]
Stretch = tuple[float, float]

FIGURE: Final = QSize(640, 400)  # of one chart on paper, before it is made finer
_DENSITY: Final = 2.0  # of figures: pixels for each of the screen's
_ACROSS: Final = 2  # charts beside one another in a figure of several
_APART: Final = 8
_REST_MS: Final = 350  # after the first paint: the pictures come first
_PER_NOTCH: Final = 0.8
_LARGE: Final = 0.86  # of the window, an enlarged chart
_LEAST_LARGE: Final = QSize(640, 420)


class Chart(QWidget):
    """A frame around one plot, which is made when it is first seen with something to show.

    Below are the gestures and the menu that all charts share. A chart has the keyboard by Tab
    alone; a frame says so.
    """

    LOG: ClassVar[str] = ""  # what the menu calls a logarithmic chart; "" where there is none
    TITLED: ClassVar[bool] = False  # whether the chart itself says what it shows
    ZOOMS: ClassVar[bool] = True
    ZOOMS_UP: ClassVar[bool] = True  # or across alone, where what stands there begins at 0

    export_asked = Signal(str)  # "png", "svg" or "csv"
    rearranged = Signal()  # by the menu

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title
        self.log = self.across_grid = False
        self._palette = DARK
        self._fine = 1.0
        self._zoom: tuple[Stretch, Stretch] | None = None
        self._plot: Plot | None = None
        self._stale = True  # neither plot nor words say how things stand
        self._soon = QTimer(self, singleShot=True)
        self._soon.timeout.connect(self._build)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    # What a chart says of itself.

    def nothing(self) -> str:
        """Words where there is nothing to show, "" where there is."""
        return ""

    def file_name(self) -> str:
        """What a file of it is called."""
        return "chart"

    def describe(self) -> None:
        """Say in words how things stand, for those who hear the screen."""

    def span(self) -> tuple[Stretch, Stretch]:
        """All there is to see, across and up."""
        return (0.0, 1.0), (0.0, 1.0)

    def table(self) -> Mapping[str, Column]:
        """What is shown as columns of numbers or words, by their names."""
        raise NotImplementedError

    def twin(self) -> "Chart":
        """Another chart of the same, to be drawn at another size."""
        raise NotImplementedError

    def plots(self) -> "tuple[Plot, ...]":
        """The plot, and what lies beside it."""
        return (self.plot,)

    def make_plot(self) -> "Plot":
        """The plot, empty as yet; importing what it is made of happens here."""
        raise NotImplementedError

    def draw(self, plot: "Plot") -> None:
        """Put everything into the plot."""
        raise NotImplementedError

    def show_grid(self, plot: "Plot") -> None:
        """Faint lines at the round values up; across where a person wants them."""
        plot.show_grid(across=self.across_grid)

    def dressed(self, plot: "Plot", palette: Palette) -> None:
        """Give the lines of the plot their colours; its axes have theirs."""

    # What all charts do.

    @property
    def plot(self) -> "Plot":
        """The plot, which is made if need be and shows how things stand."""
        if self._plot is None:
            self._plot = self.make_plot()
            for plot in self.plots():
                plot.setParent(self)
            self._plot.turned.connect(self._turn)
            self._plot.double_clicked.connect(self.twice)
            self._dress_plot()
            self._place()
            self._refill()
        return self._plot

    def changed(self) -> None:
        """Something is to be shown anew; nothing is done for a chart that nobody sees."""
        self._stale = True
        if not self.visibleRegion().isEmpty():
            self._catch_up()
            self.update(self._beside())

    def _catch_up(self) -> None:
        self._stale = False
        self.describe()
        if self._plot is not None:
            self._refill()

    def _beside(self) -> QRegion:
        """What is no plot; a plot knows by itself what of it is to be painted."""
        shown = QRegion(self.rect())
        for plot in self.plots() if self._plot is not None else ():
            if plot.isVisible():
                shown -= QRegion(plot.geometry())
        return shown

    def set_palette_colours(self, palette: Palette) -> None:
        """Dress the chart."""
        self._palette = palette
        if self._plot is not None:
            self._dress_plot()
            self._refill()
        self.update()

    def set_log(self, *, on: bool) -> None:
        """Equal factors equally long."""
        self.log, self._zoom = on, None
        self.changed()

    def set_grid(self, *, on: bool) -> None:
        """Faint lines at the round values across as well."""
        self.across_grid = on
        self.changed()

    @Slot()
    def view_all(self) -> None:
        """Show all there is."""
        self._zoom = None
        self.changed()

    @Slot(QPointF)
    def twice(self, _where: QPointF) -> None:
        """A double click: all there is."""
        self.view_all()

    @property
    def seen(self) -> tuple[Stretch, Stretch]:
        """What is shown, across and up."""
        return self._zoom or self.span()

    def figure(self, size: QSize = FIGURE) -> QImage:
        """The chart as a picture of its own, twice as fine as it would be on a screen."""
        return picture_of([self], size=size)

    def svg(self, size: QSize = FIGURE) -> bytes:
        """The chart as lines and letters."""
        return svg_of([self], size=size)

    def draw_figure(self, painter: QPainter, size: QSize, *, fine: float) -> None:
        """Draw the chart as large as asked for; `fine` is how many pixels a line is wide."""
        twin = self.twin()
        twin.log, twin.across_grid, twin._zoom = self.log, self.across_grid, self._zoom
        twin._palette, twin._fine = self._palette, fine
        twin.setFont(self.font())
        twin.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        above = 0 if self.TITLED else self.fontMetrics().height() + 6
        twin.resize(size - QSize(0, above))
        twin.show()
        painter.save()
        painter.setFont(self.font())
        painter.setPen(QColor(self._palette.text))
        painter.drawText(8, 4, size.width() - 16, above, 0, "" if self.TITLED else self.title)
        painter.translate(0, above)
        twin.paint_words(painter)
        if not twin.nothing():
            # Twice, because an axis knows how much room it needs once it was drawn.
            for _ in range(2):
                twin._refill()
            for plot in twin.plots():
                plot.draw_on(painter, QRectF(plot.geometry()), self.ground)
        painter.restore()
        twin.hide()
        twin.deleteLater()

    @property
    def ground(self) -> QColor:
        """What figures lie on."""
        return QColor(self._palette.panel)

    def make_menu(self) -> QMenu:
        """What can be done with this chart; it goes when it has been used."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setAccessibleName(f"Menu of {self.title}")
        menu.setToolTipsVisible(True)
        if self.ZOOMS:
            menu.addAction("View all", self.view_all)
        for words, tip, on, switch in (
            (self.LOG, "Equal factors are equally long; needs values above 0", self.log, "log"),
            ("Grid", "Lines at the round values of both axes", self.across_grid, "grid"),
        ):
            if words:
                line = menu.addAction(words)
                line.setCheckable(True)
                line.setChecked(on)
                line.setToolTip(tip)
                line.toggled.connect(self._switch_log if switch == "log" else self._switch_grid)
        large = isinstance(self.parentWidget(), Enlarged)
        menu.addAction("Back to its place" if large else "Enlarge", self.enlarge)
        menu.addSeparator()
        for kind in ("png", "svg", "csv"):
            line = menu.addAction(f"Export as {kind.upper()}…")
            line.triggered.connect(lambda _=False, kind=kind: self.export_asked.emit(kind))
            line.setEnabled(not self.nothing())
        return menu

    @Slot()
    def enlarge(self) -> None:
        """Into a window of its own, and from there back to its place."""
        window = self.parentWidget()
        if isinstance(window, Enlarged):
            window.close()
        elif window is not None and window.layout() is not None:
            Enlarged(self, window).show()

    def go_home(self) -> None:
        """Out of a window of its own, if it has one."""
        if isinstance(self.parentWidget(), Enlarged):
            self.enlarge()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """By the right button and by the menu key."""
        self.make_menu().popup(event.globalPos())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Words, and the frame of whoever has the keyboard; the plot lies over the rest.

        A chart that comes out from behind a tab is not shown again, only painted.
        """
        if self._stale:
            self._catch_up()
        painter = QPainter(self)
        self.paint_words(painter)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self._palette.accent), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()
        if self._plot is None and not self._soon.isActive() and not self.nothing():
            self._soon.start(0 if "pyqtgraph" in sys.modules else _REST_MS)

    def paint_words(self, painter: QPainter) -> None:
        """What is written beside the plot, or in its place."""
        words = self.nothing()
        if words:
            painter.setPen(QColor(self._palette.muted))
            centre = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.room().adjusted(8, 0, -8, 0), centre, words)

    def lay_out(self, plot: "Plot") -> None:
        """Give the plot its place."""
        plot.setGeometry(self.room())

    def room(self) -> QRect:
        """Where the plot lies."""
        return self.rect().adjusted(1, 1, -1, -1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The plot with it."""
        super().resizeEvent(event)
        self._place()

    def showEvent(self, event: QShowEvent) -> None:
        """What changed while nobody looked."""
        super().showEvent(event)
        self._catch_up()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nothing is made for nobody."""
        super().hideEvent(event)
        self._soon.stop()

    def changeEvent(self, event: QEvent) -> None:
        """Other letters."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._dress_anew()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """What the keys move is told by its colour."""
        super().focusInEvent(event)
        self._dress_anew()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """As before."""
        super().focusOutEvent(event)
        self._dress_anew()

    def _dress_anew(self) -> None:
        if self._plot is not None:
            self._dress_plot()

    @Slot()
    def _build(self) -> None:
        for plot in self.plots():
            plot.setVisible(not self.nothing())

    def _place(self) -> None:
        if self._plot is not None:
            self.lay_out(self._plot)

    def _refill(self) -> None:
        plot, some = self.plot, not self.nothing()
        for each in self.plots():
            each.setVisible(some)
        self._place()
        if some:
            self.show_grid(plot)
            self.draw(plot)

    def _dress_plot(self) -> None:
        assert self._plot is not None
        for plot in self.plots():
            plot.fine = max(self._fine, self.devicePixelRatioF())
            plot.dress(self._palette, self.font())
        self.dressed(self._plot, self._palette)

    @Slot(float, QPointF)
    def _turn(self, notches: float, about: QPointF) -> None:
        if not self.ZOOMS:
            return
        (left, right), (low, high) = self.seen
        whole = self.span()
        share = _PER_NOTCH**notches
        across = closer((left, right), about=about.x(), share=share, within=whole[0])
        up = (low, high)
        if self.ZOOMS_UP:
            up = closer(up, about=about.y(), share=share, within=whole[1])
        self._zoom = None if (across, up) == whole else (across, up)
        self.changed()

    @Slot(bool)
    def _switch_log(self, on: object) -> None:
        self.set_log(on=bool(on))
        self.rearranged.emit()

    @Slot(bool)
    def _switch_grid(self, on: object) -> None:
        self.set_grid(on=bool(on))
        self.rearranged.emit()


def closer(seen: Stretch, *, about: float, share: float, within: Stretch) -> Stretch:
    """Another share of what is seen, a value staying where it is."""
    first = max(about - (about - seen[0]) * share, within[0])
    last = min(about + (seen[1] - about) * share, within[1])
    return (first, last) if last > first else seen


def picture_of(charts: Sequence[Chart], *, size: QSize = FIGURE) -> QImage:
    """Charts side by side as one picture, twice as fine as on a screen."""
    image = QImage(_sheet_of(charts, size) * _DENSITY, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(_DENSITY)
    painter = QPainter(image)
    _draw_sheet(painter, charts, size, fine=_DENSITY)
    painter.end()
    return image


def svg_of(charts: Sequence[Chart], *, size: QSize = FIGURE) -> bytes:
    """Charts side by side as lines and letters."""
    from PySide6.QtSvg import QSvgGenerator

    held = QByteArray()
    buffer = QBuffer(held)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    paper = QSvgGenerator()
    paper.setOutputDevice(buffer)
    paper.setResolution(charts[0].logicalDpiX())  # or letters and what they stand for part
    paper.setSize(_sheet_of(charts, size))
    paper.setViewBox(QRect(QPoint(0, 0), _sheet_of(charts, size)))
    paper.setTitle(", ".join(chart.title for chart in charts))
    painter = QPainter(paper)
    _draw_sheet(painter, charts, size, fine=1.0)
    painter.end()
    buffer.close()
    return bytes(held.data())


def _sheet_of(charts: Sequence[Chart], size: QSize) -> QSize:
    across = min(len(charts), _ACROSS)
    down = -(-len(charts) // _ACROSS)
    wide, high = size.width() + _APART, size.height() + _APART
    return QSize(across * wide - _APART, down * high - _APART)


def _draw_sheet(painter: QPainter, charts: Sequence[Chart], size: QSize, *, fine: float) -> None:
    painter.fillRect(QRect(QPoint(0, 0), _sheet_of(charts, size)), charts[0].ground)
    for place, chart in enumerate(charts):
        row, column = divmod(place, _ACROSS)
        painter.save()
        painter.translate(column * (size.width() + _APART), row * (size.height() + _APART))
        chart.draw_figure(painter, size, fine=fine)
        painter.restore()


class Enlarged(QDialog):
    """One chart in a window of its own, as alive as before; closing takes it back to its place."""

    def __init__(self, chart: Chart, home: QWidget) -> None:
        super().__init__(chart.window())
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(chart.title)
        self._chart, self._keeper = chart, QWidget()
        self._keeper.setSizePolicy(chart.sizePolicy())
        self._keeper.setMinimumSize(chart.minimumSize())
        layout = home.layout()
        assert layout is not None
        layout.replaceWidget(chart, self._keeper)
        self._home = home
        self._keeper.show()
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(chart)
        self.resize((chart.window().parentWidget() or home.window()).size() * _LARGE)
        self.resize(self.size().expandedTo(_LEAST_LARGE))
        self.finished.connect(self._give_back)
        chart.show()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closed by the frame of the window: as by Escape."""
        self.done(0)
        event.accept()

    @Slot()
    def _give_back(self) -> None:
        layout = self._home.layout()
        if layout is not None and self._chart.parentWidget() is self:
            layout.replaceWidget(self._keeper, self._chart)
            self._chart.show()
            self._keeper.deleteLater()
