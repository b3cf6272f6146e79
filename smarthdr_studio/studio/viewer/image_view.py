"""One picture at a zoom and pan shared by all views; says what the hand asks for.

A plain widget instead of a plotting library's scene: all views share one lens by value, the
picture is scaled once per lens with proper means below 1:1, and a moving crosshair repaints two
thin lines.
"""

from typing import Final, Literal

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QCursor,
    QEnterEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from smarthdr_studio.core.display import Painted, Viewport
from smarthdr_studio.core.imaging.regions import Point, Region
from smarthdr_studio.studio.state import BrushState, Tool
from smarthdr_studio.studio.theme import DARK, Palette
from smarthdr_studio.studio.viewer import overlays
from smarthdr_studio.studio.viewer.overlays import (
    BrushMarks,
    Trail,
    draw_minimap,
    lens_at,
    minimap_box,
)
from smarthdr_studio.studio.viewer.view_content import Exhibit, Mode
from smarthdr_studio.studio.viewer.viewport import EscapeWatch, Pixel, Sight

_DRAG_FROM: Final = 4.0  # Qt's pixels; less is a click
_LASSO_STEP: Final = 2.0
_SIZING: Final = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


class Pan:
    """The picture follows the hand."""

    def __init__(self, start: QPointF) -> None:
        self._last = start

    def moved(self, place: QPointF, sight: Sight) -> Viewport:
        """The lens that keeps the image point under the hand."""
        across, down = sight.device(place - self._last)
        self._last = place
        return sight.lens.moved(across, down).within(sight.image)


class Steer:
    """The sight follows the hand over the minimap."""

    def __init__(self, box: QRectF) -> None:
        self._box = box

    def moved(self, place: QPointF, sight: Sight) -> Viewport:
        """The lens where the hand is."""
        return lens_at(place, self._box, sight)


class Sketch:
    """A region grows under the hand; it never leaves the image."""

    def __init__(self, kind: Literal["rectangle", "lasso"], start: QPointF, sight: Sight) -> None:
        self._kind: Literal["rectangle", "lasso"] = kind
        self._start = self._last = start
        self._points: list[Point] = [sight.held(start)]
        self._dragged = False

    def moved(self, place: QPointF, sight: Sight) -> Region | None:
        """The region so far; None while the hand has hardly moved or there is no area yet."""
        self._dragged = self._dragged or _far(place - self._start, _DRAG_FROM)
        if self._kind == "rectangle":
            self._points[1:] = [sight.held(place)]
        elif _far(place - self._last, _LASSO_STEP):
            self._points.append(sight.held(place))
            self._last = place
        return self.region

    @property
    def region(self) -> Region | None:
        """What was drawn; None after a click and where the hand only went along one line."""
        if not self._dragged:
            return None
        if self._kind == "rectangle":
            return Region.rectangle(self._points[0], self._points[-1])
        return Region(kind="lasso", points=tuple(self._points)) if len(self._points) > 2 else None


class Paint:
    """The hand paints: which pixels it passes is all that is said, also beside the image."""

    def __init__(self, start: QPointF, sight: Sight) -> None:
        self.last = sight.cell(start)

    def moved(self, place: QPointF, sight: Sight) -> Pixel:
        """The pixel the hand is on now."""
        self.last = sight.cell(place)
        return self.last


Grip = Pan | Steer | Sketch | Paint


def grip(
    event: QMouseEvent, sight: Sight, *, tool: Tool, minimap: QRectF | None, wiping: bool
) -> Grip | None:
    """What a pressed button takes hold of.

    The middle button always pans. With Alt the left one pans too, whatever the tool; in a wipe
    it leaves the picture where it is, because there the line follows the hand.
    """
    place = event.position()
    if event.button() == Qt.MouseButton.MiddleButton:
        return Pan(place)
    if event.button() != Qt.MouseButton.LeftButton:
        return None
    if minimap is not None and minimap.contains(place):
        return Steer(minimap)
    if event.modifiers() & Qt.KeyboardModifier.AltModifier:
        return None if wiping else Pan(place)
    return _held_by(tool, place, sight)


def _held_by(tool: Tool, place: QPointF, sight: Sight) -> Grip:
    """What the left button does with a tool."""
    match tool:
        case Tool.HAND:
            return Pan(place)
        case Tool.BRUSH:
            return Paint(place, sight)
        case Tool.RECTANGLE | Tool.LASSO:
            return Sketch("rectangle" if tool is Tool.RECTANGLE else "lasso", place, sight)


def sizing(event: QWheelEvent, tool: Tool) -> int:
    """By how many steps a turn of the wheel makes the brush larger; 0 where it does not."""
    if tool is not Tool.BRUSH or not event.modifiers() & _SIZING:
        return 0
    turned = event.angleDelta().y() or event.angleDelta().x()  # with Shift it may turn sideways
    return (turned > 0) - (turned < 0)


def cursor_for(tool: Tool, held: Grip | None, *, on_minimap: bool) -> QCursor:
    """The shape of the mouse's cursor."""
    if isinstance(held, Pan):
        return QCursor(Qt.CursorShape.ClosedHandCursor)
    if isinstance(held, Steer) or (on_minimap and held is None):
        return QCursor(Qt.CursorShape.PointingHandCursor)
    match tool:
        case Tool.HAND:
            return QCursor(Qt.CursorShape.OpenHandCursor)
        case Tool.RECTANGLE | Tool.BRUSH:
            return QCursor(Qt.CursorShape.CrossCursor)
        case Tool.LASSO:
            return _lasso_cursor()


def _lasso_cursor() -> QCursor:
    """A noose whose end is the point that draws."""
    shape = QPixmap(24, 24)
    shape.fill(Qt.GlobalColor.transparent)
    painter = QPainter(shape)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for colour, width in ((QColor(0, 0, 0), 3.5), (QColor(255, 255, 255), 1.5)):
        painter.setPen(QPen(colour, width))
        painter.drawEllipse(QRectF(7, 3, 15, 10))
        painter.drawLine(QPointF(9, 12), QPointF(2, 21))
    painter.end()
    return QCursor(shape, 2, 21)


def _far(way: QPointF, reach: float) -> bool:
    return max(abs(way.x()), abs(way.y())) >= reach


ZOOM_PER_NOTCH: Final = 1.25
_NOTCH: Final = 120


class Picture(QWidget):
    """Shows finished pictures; says which lens the hand asks for and which pixel is under it."""

    lens_asked = Signal(object)  # Lens
    maximise_asked = Signal()
    pointed = Signal()  # at this picture, or pressed
    left = Signal()
    hovered = Signal(object)  # (x, y) in image pixels, or None
    resized = Signal()
    sketched = Signal(object)  # the Region that grows under the hand, None once it is over
    region_drawn = Signal(object)  # a finished Region, None after a click
    touched = Signal(str, object)  # with the brush: pressed, moved, released, …, and (x, y)
    radius_nudged = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.exhibit = Exhibit()
        self._lens, self._size = Viewport(), (1, 1)
        self._pixel: Pixel | None = None
        self._faint, self._with_minimap = False, False
        self._region: Region | None = None
        self._brush = BrushMarks()
        self._tool, self._palette = Tool.HAND, DARK
        self._grip: Grip | None = None
        self._escape = EscapeWatch(self)
        self._escape.escaped.connect(self.cancel)
        self.setMouseTracking(True)
        self.setCursor(cursor_for(self._tool, None, on_minimap=False))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(80, 60)

    @property
    def device_size(self) -> tuple[int, int]:
        """Width and height in the screen's own pixels: a 1:1 picture is 1:1 at any scaling."""
        ratio = self.devicePixelRatioF()
        return round(self.width() * ratio), round(self.height() * ratio)

    @property
    def sight(self) -> Sight:
        """How it looks at its image now."""
        ratio = self.devicePixelRatioF()
        return Sight(lens=self._lens, view=self.device_size, ratio=ratio, image=self._size)

    @property
    def pixel(self) -> Pixel | None:
        """Where the crosshair is, in image pixels."""
        return self._pixel

    @property
    def minimap(self) -> QRectF | None:
        """Where the minimap lies while there is one."""
        empty = self.exhibit.alone.painted.rgb8 is None
        return minimap_box(self.sight) if self._with_minimap and not empty else None

    def show_picture(self, painted: Painted) -> None:
        """Show a finished picture; the very one that is shown already costs nothing."""
        if self.exhibit.show(painted):
            self.update()

    def show_partner(self, painted: Painted | None, *, mode: Mode) -> None:
        """Hold a partner against the picture, or take it away; a wipe starts in the middle."""
        if self.exhibit.show_partner(painted, mode=mode):
            if self.exhibit.line is None:
                self.exhibit.line = self._lens.x
            self.update()

    def set_line(self, x: float) -> None:
        """Put the line of the wipe at an image column, held inside the image."""
        x = min(max(x, 0.0), float(self._size[0]))
        if x != self.exhibit.line:
            self.exhibit.line = x
            if self.exhibit.wiping:
                self.update()

    def set_lens(self, lens: Viewport, *, size: tuple[int, int]) -> None:
        """Look at another part of a scene of this width and height."""
        if size != self._size:
            self.exhibit.line = lens.x
        if (lens, size) != (self._lens, self._size):
            self._lens, self._size = lens, size
            self.update()

    def set_pixel(self, pixel: Pixel | None, *, faint: bool = False) -> None:
        """Put the crosshair on an image pixel; only its two lines are painted again."""
        if (pixel, faint) != (self._pixel, self._faint):
            self._update_cross()
            self._pixel, self._faint = pixel, faint
            self._update_cross()

    def set_region(self, region: Region | None) -> None:
        """Outline a region."""
        if region != self._region:
            self._region = region
            self.update()

    def set_brush(self, brush: BrushState | None) -> None:
        """The brush in the hand, whose size is shown around the crosshair."""
        if brush != self._brush.brush:
            self._update_cross()
            self._brush.brush = brush
            self._update_cross()

    def set_trail(self, trail: Trail | None) -> None:
        """A line that is to become an area."""
        if trail != self._brush.trail:
            self._brush.trail = trail
            self.update()

    @property
    def tool(self) -> Tool:
        """What the left button does."""
        return self._tool

    def set_tool(self, tool: Tool) -> None:
        """What the left button does from its next press on."""
        if tool is not self._tool:
            self._tool = tool
            self._shape_cursor(None)

    def set_minimap(self, *, visible: bool) -> None:
        """Show the whole picture small while only a part is in sight, or never."""
        if visible != self._with_minimap:
            self._with_minimap = visible
            self.update()

    def set_palette_colours(self, palette: Palette) -> None:
        """The surround and the words follow the window."""
        self._palette = palette
        self.update()

    @Slot()
    def cancel(self) -> None:
        """Forget what is being drawn."""
        held = self._grip
        if isinstance(held, Sketch):
            self._let_go()
            self.sketched.emit(None)
        elif isinstance(held, Paint):
            self._let_go()
            self.touched.emit("cancelled", held.last)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The part of the picture under the lens, then everything that is drawn over it."""
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(self._palette.canvas))
        sight = self.sight
        if self.exhibit.draw(painter, sight, palette=self._palette):
            self._draw_marks(painter, sight)
        painter.end()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the cursor, or another size of the brush."""
        event.accept()
        if steps := sizing(event, self._tool):
            self.radius_nudged.emit(steps)
            return
        factor = ZOOM_PER_NOTCH ** (event.angleDelta().y() / _NOTCH)
        sight = self.sight
        about = sight.device(event.position())
        zoomed = sight.lens.zoomed(factor, about=about, view=sight.view)
        self.lens_asked.emit(zoomed.within(self._size))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the picture, of the minimap, or of a pencil."""
        self.pointed.emit()
        if self._grip is not None:
            return
        minimap, wiping = self.minimap, self.exhibit.wiping
        self._grip = grip(event, self.sight, tool=self._tool, minimap=minimap, wiping=wiping)
        self._shape_cursor(event.position())
        if isinstance(self._grip, Sketch | Paint):
            self._escape.start()
        if isinstance(self._grip, Paint):
            self.touched.emit("pressed", self._grip.last)
        elif self._grip is None and event.button() == Qt.MouseButton.RightButton:
            self.touched.emit("cancelled", self.sight.cell(event.position()))
        elif self._on_minimap(event.position()) and not isinstance(self._grip, Sketch):
            self._follow(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Do what is held; else move crosshair and wipe. Always say which pixel is under it."""
        place = event.position()
        self.pointed.emit()
        self._follow(place)
        self._shape_cursor(place)
        if self._on_minimap(place) and not isinstance(self._grip, Sketch | Paint):
            return
        if self.exhibit.wiping:
            self.set_line(self.sight.under(place)[0])
        self.hovered.emit(self.sight.pixel(place))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go; what was drawn is a region now."""
        held = self._grip
        self._let_go()
        self._shape_cursor(event.position())
        if isinstance(held, Sketch):
            self.sketched.emit(None)
            self.region_drawn.emit(held.region)
        elif isinstance(held, Paint):
            self.touched.emit("released", held.last)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Fill the place with this view, or show all again, unless the hand draws or steers."""
        if self._on_minimap(event.position()) or self._tool is not Tool.HAND:
            self.mousePressEvent(event)
            if isinstance(self._grip, Paint):
                self.touched.emit("twice", self._grip.last)
        else:
            self.maximise_asked.emit()
        event.accept()

    def enterEvent(self, event: QEnterEvent) -> None:
        """The cursor came, or was there when the picture came."""
        self.pointed.emit()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """No pixel is under the cursor any more."""
        self.left.emit()
        super().leaveEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another part of the picture comes into view."""
        self.resized.emit()
        super().resizeEvent(event)

    def _draw_marks(self, painter: QPainter, sight: Sight) -> None:
        if self._region is not None:
            overlays.draw_region(painter, sight, self._region)
        if self._pixel is not None:
            overlays.draw_cross(painter, sight, self._pixel, faint=self._faint)
        self._brush.draw(painter, sight, self._pixel, faint=self._faint)
        self.exhibit.draw_line(painter, sight)
        minimap = self.minimap
        self.exhibit.boxes(sight, painter.fontMetrics(), minimap=minimap).draw(painter)
        if minimap is not None:
            draw_minimap(painter, minimap, self.exhibit.alone, sight)

    def _follow(self, place: QPointF) -> None:
        """What the hand holds goes where it is."""
        if isinstance(self._grip, Sketch):
            self.sketched.emit(self._grip.moved(place, self.sight))
        elif isinstance(self._grip, Paint):
            self.touched.emit("moved", self._grip.moved(place, self.sight))
        elif self._grip is not None:
            self.lens_asked.emit(self._grip.moved(place, self.sight))

    def _let_go(self) -> None:
        self._grip = None
        self._escape.stop()

    def _on_minimap(self, place: QPointF) -> bool:
        minimap = self.minimap
        return minimap is not None and minimap.contains(place)

    def _shape_cursor(self, place: QPointF | None) -> None:
        on_minimap = place is not None and self._on_minimap(place)
        cursor = cursor_for(self._tool, self._grip, on_minimap=on_minimap)
        if cursor.shape() != self.cursor().shape() or place is None:
            self.setCursor(cursor)

    def _update_cross(self) -> None:
        if self._pixel is not None:
            self.update(self._brush.area(self.sight, self._pixel))
            for area in overlays.cross_areas(self.sight, self._pixel):
                self.update(area)
