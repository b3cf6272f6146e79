"""Which part of an image a view shows, and the hand and the keys that move it or draw on it."""

from math import ceil, floor
from typing import Final, Literal, NamedTuple

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QCursor,
    QGuiApplication,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QPixmap,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)
from shiboken6 import isValid

from smarthdr_studio.core.display import Viewport
from smarthdr_studio.core.imaging.regions import Point, Region
from smarthdr_studio.studio.state import Tool
from smarthdr_studio.studio.widgets.controls import EventWatch

Box = tuple[int, int, int, int]  # left, top, right, bottom; right and bottom are just outside
Pixel = tuple[int, int]
_HAIR: Final = 2.0  # of the screen's own pixels


class Sight(NamedTuple):
    """The lens of a view; sizes are in the screen's own pixels, `ratio` of them to one of Qt's."""

    lens: Viewport
    view: tuple[int, int]
    ratio: float
    image: tuple[int, int]

    @property
    def width(self) -> float:
        """Of the view, in Qt's pixels."""
        return self.view[0] / self.ratio

    @property
    def height(self) -> float:
        """Of the view, in Qt's pixels."""
        return self.view[1] / self.ratio

    def at(self, x: float, y: float) -> QPointF:
        """Where an image point is on the widget."""
        across, down = self.lens.to_screen((x, y), view=self.view)
        return QPointF(across / self.ratio, down / self.ratio)

    def place(self, left: float, top: float, right: float, bottom: float) -> QRectF:
        """Where a part of the image is on the widget."""
        return QRectF(self.at(left, top), self.at(right, bottom))

    def device(self, place: QPointF) -> tuple[float, float]:
        """A point of the widget in the screen's own pixels."""
        return place.x() * self.ratio, place.y() * self.ratio

    def under(self, place: QPointF) -> tuple[float, float]:
        """The image point under a point of the widget, also beside the image."""
        return self.lens.to_image(self.device(place), view=self.view)

    def held(self, place: QPointF) -> tuple[float, float]:
        """The image point under a point of the widget, or the nearest one on the image."""
        x, y = self.under(place)
        return min(max(x, 0.0), float(self.image[0])), min(max(y, 0.0), float(self.image[1]))

    def cell(self, place: QPointF) -> tuple[int, int]:
        """The column and row under a point of the widget, as if the image went on beside itself."""
        x, y = self.under(place)
        return floor(x), floor(y)

    def pixel(self, place: QPointF) -> tuple[int, int] | None:
        """The image pixel under a point of the widget, None beside the image."""
        x, y = self.under(place)
        inside = 0 <= x < self.image[0] and 0 <= y < self.image[1]
        return (int(x), int(y)) if inside else None

    def visible(self) -> Box:
        """The image pixels in sight, those cut by an edge too; nothing wide when none is."""
        (left, top), (right, bottom) = (
            self.lens.to_image(corner, view=self.view) for corner in ((0, 0), self.view)
        )
        first, last = _held(left, right, self.image[0])
        upper, lower = _held(top, bottom, self.image[1])
        return first, upper, last, lower

    def holds_all(self) -> bool:
        """Whether the whole image is in sight, but for what a view that fits is lower than another.

        Views of one grid differ by a pixel or two, and have one lens.
        """
        (left, top), (right, bottom) = (
            self.lens.to_image(corner, view=self.view) for corner in ((0, 0), self.view)
        )
        hair = _HAIR / self.lens.scale
        beyond = right - self.image[0], bottom - self.image[1]
        return max(left, top) <= hair and min(beyond) >= -hair


def _held(near: float, far: float, length: int) -> tuple[int, int]:
    # A hair of tolerance, because a fitted image ends where the view ends but for rounding.
    first, last = floor(near + 1e-6), ceil(far - 1e-6)
    return min(max(first, 0), length), min(max(last, 0), length)


_CLOSEST: Final = 8.0


def one_to_one(sight: Sight, pixel: Pixel | None) -> Viewport:
    """One screen pixel per image pixel; the crosshair's pixel, or the middle, stays put."""
    held = (pixel[0] + 0.5, pixel[1] + 0.5) if pixel else (sight.lens.x, sight.lens.y)
    about = sight.lens.to_screen(held, view=sight.view)
    return sight.lens.at_scale(1.0, about=about, view=sight.view)


def zoomed(sight: Sight, factor: float, pixel: Pixel | None) -> Viewport:
    """Closer by a factor about the crosshair, or about the middle when that is out of sight."""
    left, top, right, bottom = sight.visible()
    about = sight.view[0] / 2, sight.view[1] / 2
    if pixel is not None and left <= pixel[0] < right and top <= pixel[1] < bottom:
        middle = pixel[0] + 0.5, pixel[1] + 0.5
        about = sight.lens.to_screen(middle, view=sight.view)
    return sight.lens.zoomed(factor, about=about, view=sight.view).within(sight.image)


def nudged(sight: Sight, across: float, down: float) -> Viewport:
    """The sight moved by shares of the view: +0.1 looks a tenth of the view further right."""
    moved = sight.lens.moved(-across * sight.view[0], -down * sight.view[1])
    return moved.within(sight.image)


def stepped(sight: Sight, pixel: Pixel | None, across: int, down: int) -> Pixel:
    """The crosshair moved by image pixels, from the middle of the sight when there is none."""
    x, y = pixel or (int(sight.lens.x), int(sight.lens.y))
    width, height = sight.image
    return min(max(x + across, 0), width - 1), min(max(y + down, 0), height - 1)


def following(sight: Sight, pixel: Pixel) -> Viewport:
    """The lens moved just so far that the whole pixel is in sight."""
    lens, (width, height) = sight.lens, sight.view
    left, top = lens.to_screen(pixel, view=sight.view)
    right, bottom = lens.to_screen((pixel[0] + 1, pixel[1] + 1), view=sight.view)
    across = _back_in(left, right, width)
    down = _back_in(top, bottom, height)
    return lens.moved(across, down).within(sight.image) if across or down else lens


def showing(sight: Sight, region: Region) -> Viewport:
    """The lens with a region in the middle of the view and as much again on every side of it."""
    (left, right), (top, bottom) = (
        (min(side), max(side)) for side in zip(*region.points, strict=True)
    )
    size = max(round(3 * (right - left)), 1), max(round(3 * (bottom - top)), 1)
    whole = Viewport.fitting(sight.image, view=sight.view)
    scale = min(max(Viewport.fitting(size, view=sight.view).scale, whole.scale), _CLOSEST)
    return Viewport(x=(left + right) / 2, y=(top + bottom) / 2, scale=scale).within(sight.image)


def lens_at(place: QPointF, box: QRectF, sight: Sight) -> Viewport:
    """The lens with its middle where a point of the small picture is, also held outside of it."""
    x = (place.x() - box.left()) / box.width() * sight.image[0]
    y = (place.y() - box.top()) / box.height() * sight.image[1]
    return Viewport(x=x, y=y, scale=sight.lens.scale).within(sight.image)


def _back_in(near: float, far: float, length: int) -> float:
    """How far a stretch of the screen must move to lie inside."""
    if near < 0:
        return -near
    return min(length - far, 0.0)


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


_TEXT: Final = (QLineEdit, QTextEdit, QPlainTextEdit, QAbstractSpinBox)
_OTHERS: Final = (
    Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.MetaModifier
)


class ShiftHold(EventWatch, QObject):
    """Says over which view Shift alone is held down.

    Not while text is typed or a menu is open, and no longer once another key joins in: that is
    a shortcut. It ends when the key, the view or the window is left.
    """

    held = Signal(int, bool)  # index of the view

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._down = False
        self._over: int | None = None
        self._said: int | None = None
        self._watched: tuple[QObject, ...] = ()
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)
        application.focusWindowChanged.connect(self._window_left)

    def watch_window(self, window: QWidget) -> None:
        """Hear the keys of this window; what it hands on to its parts passes here first."""
        self.unwatch(*filter(isValid, self._watched))
        handle = window.windowHandle()
        self._watched = (window,) if handle is None else (window, handle)
        self.watch(*self._watched)

    def point_at(self, view: int | None) -> None:
        """The cursor is over this view now, or over none."""
        if view != self._over:
            self._over = view
            self._tell()

    def heard(self, _watched: QObject, event: QEvent) -> bool:
        """Look at keys, and let everything pass."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if not event.isAutoRepeat():
                alone = event.key() == Qt.Key.Key_Shift and not event.modifiers() & _OTHERS
                self._become(down=alone and not _typing())
        elif event.type() == QEvent.Type.KeyRelease and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Shift and not event.isAutoRepeat():
                self._become(down=False)
        elif event.type() in (QEvent.Type.WindowDeactivate, QEvent.Type.Hide):
            self._become(down=False)
        return False

    @Slot()
    def _window_left(self) -> None:
        self._become(down=False)

    def _become(self, *, down: bool) -> None:
        if down != self._down:
            self._down = down
            self._tell()

    def _tell(self) -> None:
        wanted = self._over if self._down else None
        if wanted == self._said:
            return
        before, self._said = self._said, wanted
        if before is not None:
            self.held.emit(before, False)  # noqa: FBT003 - a signal has no keywords
        if wanted is not None:
            self.held.emit(wanted, True)  # noqa: FBT003


class EscapeWatch(EventWatch, QObject):
    """Takes the Escape key for itself while something can be cancelled, before any shortcut."""

    escaped = Signal()
    _keys = frozenset({Qt.Key.Key_Escape})

    def start(self) -> None:
        """From now on."""
        application = QApplication.instance()
        if application is not None:
            self.watch(application)

    def stop(self) -> None:
        """No longer."""
        application = QApplication.instance()
        if application is not None:
            self.unwatch(application)

    def heard(self, _watched: QObject, event: QEvent) -> bool:
        """Keep the keys that are watched, and let everything else pass."""
        kinds = QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress
        if event.type() not in kinds or not isinstance(event, QKeyEvent):
            return False
        if event.key() not in self._keys or event.modifiers() & _OTHERS or self._not_for_us():
            return False
        event.accept()
        if event.type() == QEvent.Type.KeyPress:
            self._pressed(event)
        return True

    def _not_for_us(self) -> bool:
        return False

    def _pressed(self, _event: QKeyEvent) -> None:
        self.escaped.emit()


class CornerKeys(EscapeWatch):
    """The keys of a polygon that grows; in a text field they stay the typist's."""

    stepped_back = Signal()
    closed = Signal(bool)  # with Shift
    _keys = frozenset(
        {Qt.Key.Key_Escape, Qt.Key.Key_Backspace, Qt.Key.Key_Return, Qt.Key.Key_Enter}
    )

    def _not_for_us(self) -> bool:
        return _typing()

    def _pressed(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Escape:
                self.escaped.emit()
            case Qt.Key.Key_Backspace:
                self.stepped_back.emit()
            case _:
                shifted = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
                self.closed.emit(bool(shifted))


def _typing() -> bool:
    """Whether Shift is for writing: a text field has the keyboard, or a menu is open."""
    focus = QApplication.focusWidget()
    editable = isinstance(focus, QComboBox) and focus.isEditable()
    return editable or isinstance(focus, _TEXT) or QApplication.activePopupWidget() is not None
