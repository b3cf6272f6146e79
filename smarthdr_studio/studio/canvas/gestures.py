"""What a hand does in a picture between pressing a button and letting it go."""

from typing import Final, Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QCursor, QMouseEvent, QPainter, QPen, QPixmap, QWheelEvent

from smarthdr_studio.core.display import Lens
from smarthdr_studio.core.regions import Point, Region
from smarthdr_studio.studio.canvas.minimap import lens_at
from smarthdr_studio.studio.canvas.sight import Pixel, Sight
from smarthdr_studio.studio.state import Tool

_DRAG_FROM: Final = 4.0  # Qt's pixels; less is a click
_LASSO_STEP: Final = 2.0
_SIZING: Final = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


class Pan:
    """The picture follows the hand."""

    def __init__(self, start: QPointF) -> None:
        self._last = start

    def moved(self, place: QPointF, sight: Sight) -> Lens:
        """The lens that keeps the image point under the hand."""
        across, down = sight.device(place - self._last)
        self._last = place
        return sight.lens.moved(across, down).within(sight.image)


class Steer:
    """The sight follows the hand over the minimap."""

    def __init__(self, box: QRectF) -> None:
        self._box = box

    def moved(self, place: QPointF, sight: Sight) -> Lens:
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
