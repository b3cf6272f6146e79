"""The brush over all views: what the hand does with it becomes strokes, lassos and polygons."""

from dataclasses import replace
from enum import StrEnum
from typing import Final

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.imaging.regions import Point, Region
from smarthdr_studio.core.trust.brush import Area, Dabs, Fill
from smarthdr_studio.studio.state import BrushShape, BrushState
from smarthdr_studio.studio.viewer.image_view import Picture
from smarthdr_studio.studio.viewer.overlays import Trail
from smarthdr_studio.studio.viewer.viewport import CornerKeys, Pixel

_FEWEST_CORNERS: Final = 3


class Touch(StrEnum):
    """What a hand does in a picture while it holds the brush."""

    PRESSED = "pressed"
    MOVED = "moved"
    RELEASED = "released"
    TWICE = "twice"
    CANCELLED = "cancelled"


class Brushing(QObject):
    """Strokes as plain values of `core.trust.brush`; every point is the middle of a pixel.

    `stroke_moved` carries a round brush that is still being drawn, `stroke_ended` any stroke.
    """

    stroke_moved = Signal(object)
    stroke_ended = Signal(object)
    stroke_cancelled = Signal()
    radius_nudged = Signal(int)

    def __init__(self, pictures: tuple[Picture, ...], parent: QObject) -> None:
        super().__init__(parent)
        self._pictures = pictures
        self._brush: BrushState | None = None
        self._points: list[Point] = []
        self._over: Point | None = None  # where the crosshair is
        self._by_key = False  # whether the last corner was set from the keyboard
        self._keys = CornerKeys(self)
        self._keys.escaped.connect(self.cancel)
        self._keys.stepped_back.connect(self._step_back)
        self._keys.closed.connect(self._returned)
        for picture in pictures:
            picture.touched.connect(self._touched)
            picture.radius_nudged.connect(self.radius_nudged)

    def set_brush(self, brush: BrushState | None) -> None:
        """The brush in the hand, None while it holds another tool."""
        old = self._brush
        if (brush and (brush.shape, brush.ink)) != (old and (old.shape, old.ink)):
            self.cancel()
        self._brush = brush
        # How much is painted is nothing that a ring would show.
        plain = None if brush is None else replace(brush, trusted=0.0, distrusted=0.0)
        for picture in self._pictures:
            picture.set_brush(plain)

    @property
    def drawing(self) -> bool:
        """Whether a round brush is on its way."""
        return bool(self._points) and self._is(BrushShape.DAB)

    @Slot()
    def cancel(self) -> None:
        """Forget the stroke or the polygon that is being made."""
        drawn = bool(self._points)
        self._let_go()
        if drawn:
            self.stroke_cancelled.emit()

    @Slot(object)
    def hover(self, pixel: Pixel | None) -> None:
        """The crosshair is here; a polygon reaches for it."""
        if pixel is not None:
            self._over = _middle(pixel)
            if self._points and self._is(BrushShape.POLYGON):
                self._trace()

    def paint_at(self, pixel: Pixel) -> None:
        """One dab, a fill, or the next corner, from the keyboard."""
        brush = self._brush
        if brush is None:
            return
        if brush.shape is BrushShape.FILL:
            self._fill(pixel)
        elif brush.shape is BrushShape.DAB:
            self._points = [_middle(pixel)]
            self._end()
        else:
            self._corner(pixel, by_key=True)

    def close(self) -> bool:
        """Paint the polygon that is being made; whether there was one."""
        if not self._points or self._is(BrushShape.DAB):
            return False
        self._end()
        return True

    @Slot(str, object)
    def _touched(self, touch: str, pixel: Pixel) -> None:
        if self._brush is None:
            return
        match self._brush.shape:
            case BrushShape.FILL:
                if touch == Touch.PRESSED:
                    self._fill(pixel)
            case BrushShape.POLYGON:
                self._touched_polygon(touch, pixel)
            case _:
                self._touched_line(touch, pixel)

    def _touched_line(self, touch: str, pixel: Pixel) -> None:
        """A round brush or a lasso, from press to release."""
        if touch == Touch.CANCELLED:
            self.cancel()
        elif touch == Touch.RELEASED:
            self._end()
        elif touch == Touch.PRESSED:
            self._let_go()
            self._pass_over(pixel)
        elif touch == Touch.MOVED and self._points and self._points[-1] != _middle(pixel):
            self._pass_over(pixel)

    def _pass_over(self, pixel: Pixel) -> None:
        self._points.append(_middle(pixel))
        if self._is(BrushShape.DAB):
            self.stroke_moved.emit(self._dabs())
        else:
            self._trace()

    def _touched_polygon(self, touch: str, pixel: Pixel) -> None:
        if touch == Touch.PRESSED:
            self._corner(pixel, by_key=False)
        elif touch == Touch.TWICE:
            self._end()
        elif touch == Touch.CANCELLED:
            self.cancel()

    def _corner(self, pixel: Pixel, *, by_key: bool) -> None:
        corner = _middle(pixel)
        self._by_key, self._over = by_key, corner
        if not self._points or self._points[-1] != corner:
            self._points.append(corner)
        self._keys.start()
        self._trace()

    @Slot(bool)
    def _returned(self, shifted: object) -> None:
        """Return closes; whoever sets corners from the keyboard sets the next one by it."""
        over = self._over
        if self._by_key and not shifted and over is not None and over not in self._ends():
            self._corner((int(over[0]), int(over[1])), by_key=True)
        else:
            self._end()

    @Slot()
    def _step_back(self) -> None:
        """Without the last corner; without the first there is no polygon."""
        self._points.pop()
        if self._points:
            self._trace()
        else:
            self._let_go()

    def _fill(self, pixel: Pixel) -> None:
        if self._brush is not None:
            self.stroke_ended.emit(Fill(x=pixel[0], y=pixel[1], ink=self._brush.ink))

    def _end(self) -> None:
        """What was drawn is a stroke now, if it is enough for one."""
        brush, points = self._brush, tuple(self._points)
        if brush is None or not points:
            return
        stroke: Dabs | Area | None = None
        if brush.shape is BrushShape.DAB:
            stroke = self._dabs()
        elif len(points) >= _FEWEST_CORNERS:
            stroke = Area(region=Region(kind="lasso", points=points), ink=brush.ink)
        self._let_go()
        if stroke is not None:
            self.stroke_ended.emit(stroke)

    def _dabs(self) -> Dabs:
        assert self._brush is not None
        return Dabs(
            points=tuple(self._points),
            radius=self._brush.radius,
            hardness=self._brush.hardness,
            ink=self._brush.ink,
        )

    def _let_go(self) -> None:
        self._points.clear()
        self._by_key = False
        self._keys.stop()
        self._trace()

    def _trace(self) -> None:
        """Draw the line under the hand in every view."""
        trail = None
        if self._brush is not None and self._points and not self._is(BrushShape.DAB):
            corners = self._is(BrushShape.POLYGON) or self._by_key
            reaching = [self._over] if corners and self._over is not None else []
            trail = Trail(points=(*self._points, *reaching), ink=self._brush.ink, corners=corners)
        for picture in self._pictures:
            picture.set_trail(trail)

    def _ends(self) -> tuple[Point, ...]:
        return self._points[0], self._points[-1]

    def _is(self, shape: BrushShape) -> bool:
        return self._brush is not None and self._brush.shape is shape


def _middle(pixel: Pixel) -> Point:
    return pixel[0] + 0.5, pixel[1] + 0.5
