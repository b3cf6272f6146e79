"""One picture at a zoom and pan shared by all views; says what the hand asks for.

A plain widget instead of a plotting library's scene: all views share one lens by value, the
picture is scaled once per lens with proper means below 1:1, and a moving crosshair repaints two
thin lines.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFontMetrics,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from smarthdr_studio.core.display import Painted, Pyramid, Rgb8, Viewport
from smarthdr_studio.core.imaging.regions import Region
from smarthdr_studio.studio.state import BrushState, Tool
from smarthdr_studio.studio.theme import DARK, Palette
from smarthdr_studio.studio.viewer import overlays
from smarthdr_studio.studio.viewer.legends import Boxes, boxes_of_one, boxes_of_two
from smarthdr_studio.studio.viewer.overlays import (
    BrushMarks,
    Overprint,
    Trail,
    draw_minimap_frame,
    minimap_box,
)
from smarthdr_studio.studio.viewer.viewport import (
    EscapeWatch,
    Grip,
    Paint,
    Pixel,
    Sight,
    Sketch,
    cursor_for,
    grip,
    sizing,
)


class Scaled(NamedTuple):
    """An image at screen size, where it goes, and its memory, which Qt only borrows.

    `left` is in the screen's own pixels, `corner` in Qt's.
    """

    image: QImage
    left: int
    corner: QPointF
    pixels: npt.NDArray[Any]


class Shown:
    """A painted picture with its halves; the same lens again costs nothing."""

    def __init__(self, painted: Painted, *, before: "Shown | None" = None) -> None:
        """Take over from the picture shown `before` what the same pixels make worth keeping."""
        self.painted = painted
        self._pyramid: Pyramid | None = None
        self._scaled: tuple[Sight, Scaled | None] | None = None
        self._small: tuple[tuple[int, int], Scaled | None] | None = None
        if before is not None and painted.rgb8 is before.painted.rgb8:
            self._pyramid = before._pyramid
            self._scaled, self._small = before._scaled, before._small
        elif painted.rgb8 is not None:
            self._pyramid = Pyramid(painted.rgb8)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._pyramid.size if self._pyramid else (0, 0)

    def scaled(self, sight: Sight) -> Scaled | None:
        """The part in sight at screen size; None when there is none."""
        if self._scaled is None or self._scaled[0] != sight:
            self._scaled = sight, self._seen(sight.lens, view=sight.view, ratio=sight.ratio)
        return self._scaled[1]

    def small(self, width: int, height: int, *, ratio: float) -> Scaled | None:
        """The whole picture within width×height of the screen's own pixels."""
        if self._small is None or self._small[0] != (width, height):
            lens = Viewport.fitting(self.size, view=(width, height))
            self._small = (width, height), self._seen(lens, view=(width, height), ratio=ratio)
        return self._small[1]

    def draw(self, painter: QPainter, sight: Sight, *, from_column: int = 0) -> None:
        """The part in sight, right of a column of the screen's own pixels.

        Pixels are copied one to one, never cut by a clip, so the edge is exact at any scaling.
        """
        scaled = self.scaled(sight)
        if scaled is None:
            return
        skipped = max(from_column - scaled.left, 0)
        left = scaled.image.width() - skipped
        if left <= 0:
            return
        corner = scaled.corner + QPointF(skipped / sight.ratio, 0)
        size = left / sight.ratio, scaled.image.height() / sight.ratio
        part = QRectF(skipped, 0, left, scaled.image.height())
        painter.drawImage(QRectF(corner.x(), corner.y(), *size), scaled.image, part)

    def draw_small(self, painter: QPainter, box: QRectF, *, ratio: float) -> None:
        """The whole picture in a box, framed."""
        painter.fillRect(box.adjusted(-2, -2, 2, 2), overlays.PLATE)
        width, height = round(box.width() * ratio), round(box.height() * ratio)
        small = self.small(width, height, ratio=ratio)
        if small is not None:
            painter.drawImage(box.topLeft() + small.corner, small.image)

    def _seen(self, lens: Viewport, *, view: tuple[int, int], ratio: float) -> Scaled | None:
        seen = self._pyramid.seen(lens, view=view) if self._pyramid else None
        if seen is None:
            return None
        pixels = screen_pixels(seen.rgb8)
        height, width = pixels.shape[:2]
        image = QImage(pixels.data, width, height, width * 4, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        return Scaled(image, seen.left, QPointF(seen.left / ratio, seen.top / ratio), pixels)


def screen_pixels(rgb8: Rgb8) -> npt.NDArray[Any]:
    """H×W×3 8-bit RGB in four bytes a pixel: what Qt copies to the screen without converting."""
    return np.ascontiguousarray(cv2.cvtColor(rgb8, cv2.COLOR_RGB2BGRA))


class Mode(StrEnum):
    """How a partner is shown: right of the wipe's line, or instead of the view's own picture."""

    WIPE = "wipe"
    FLICKER = "flicker"


@dataclass(slots=True)
class Exhibit:
    """Pictures made ready, and the line of the wipe in image pixels from the left."""

    own: Shown = field(default_factory=lambda: Shown(Painted(rgb8=None, title="")))
    partner: Shown | None = None
    mode: Mode = Mode.WIPE
    line: float | None = None
    _overprint: Overprint = field(default_factory=Overprint)

    @property
    def wiping(self) -> bool:
        """Whether the two are side by side."""
        return self.partner is not None and self.mode is Mode.WIPE

    @property
    def alone(self) -> Shown:
        """What is shown where nothing is wiped: the picture itself, or its partner for now."""
        flickering = self.partner is not None and self.mode is Mode.FLICKER
        return self.partner if flickering and self.partner is not None else self.own

    @property
    def first_right(self) -> int:
        """The first column of the image whose middle shows the partner of a wipe."""
        return max(ceil((self.line or 0.0) - 0.5), 0)

    def show(self, painted: Painted) -> bool:
        """Take the view's own picture; False when it is the very one that is shown."""
        if painted is self.own.painted:
            return False
        self.own = Shown(painted, before=self.own)
        return True

    def show_partner(self, painted: Painted | None, *, mode: Mode) -> bool:
        """Take a partner, or let it go; False when nothing changes."""
        shown = self.partner.painted if self.partner else None
        if painted is shown and (painted is None or mode is self.mode):
            return False
        self.partner = None if painted is None else Shown(painted, before=self.partner)
        self.mode = mode
        return True

    def draw(self, painter: QPainter, sight: Sight, *, palette: Palette) -> bool:
        """The pixels in sight, with their numbers; False when there are only words instead."""
        if self.wiping:
            self._draw_wipe(painter, sight, palette=palette)
            return True
        painted = self.alone.painted
        if painted.rgb8 is None:
            place = QRect(0, 0, round(sight.width), round(sight.height))
            overlays.draw_words(painter, place, painted.why_empty, palette=palette)
            return False
        self.alone.draw(painter, sight)
        self._overprint.draw(painter, sight, left=painted, right=painted, edge=0)
        return True

    def draw_line(self, painter: QPainter, sight: Sight) -> None:
        """The line of the wipe, if there is one."""
        if self.wiping and self.line is not None:
            overlays.draw_wipe_line(painter, sight, self.line)

    def boxes(self, sight: Sight, metrics: QFontMetrics, *, minimap: QRectF | None) -> Boxes:
        """Everything that explains what is shown."""
        if self.partner is not None and self.mode is Mode.WIPE:
            pair = self.own.painted, self.partner.painted
            return boxes_of_two(pair, sight, metrics, line=self.line or 0.0, minimap=minimap)
        shown = self.alone
        caption = shown.painted.title if shown is self.partner else ""
        return boxes_of_one(shown.painted, sight, metrics, minimap=minimap, caption=caption)

    def _draw_wipe(self, painter: QPainter, sight: Sight, *, palette: Palette) -> None:
        assert self.partner is not None
        column = overlays.wipe_column(sight, self.line or 0.0)
        self.own.draw(painter, sight)
        right = QRectF(column / sight.ratio, 0, sight.width, sight.height)
        painter.fillRect(right, QColor(palette.canvas))
        self.partner.draw(painter, sight, from_column=column)
        self._overprint.draw(
            painter,
            sight,
            left=self.own.painted,
            right=self.partner.painted,
            edge=self.first_right,
        )


ZOOM_PER_NOTCH: Final = 1.25
_NOTCH: Final = 120


class Picture(QWidget):
    """Shows finished pictures; says which lens the hand asks for and which pixel is under it."""

    lens_asked = Signal(object)  # Lens
    maximise_asked = Signal()
    pointed = Signal()  # at this picture, or pressed
    pressed = Signal()
    left = Signal()
    hovered = Signal(object)  # (x, y) in image pixels, or None
    resized = Signal()
    sketched = Signal(object)  # the Region that grows under the hand, None once it is over
    region_drawn = Signal(object)  # a finished Region, None after a click
    touched = Signal(str, object)  # with the brush: pressed, moved, released, …, and (x, y)
    radius_nudged = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._cursor: QPointF | None = None
        self.exhibit = Exhibit()
        self._lens, self._size = Viewport(), (1, 1)
        self._pixel: Pixel | None = None
        self._faint, self._with_minimap = False, False
        self._boxes = Boxes()
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

    def places_of_words(self) -> tuple[QRectF, ...]:
        """Where legends and names lie over the picture."""
        return self._boxes.places

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
        self.pressed.emit()
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
        self._veil_at(place)
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
        self._veil_at(None)
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
        self._boxes = self.exhibit.boxes(sight, painter.fontMetrics(), minimap=minimap)
        self._boxes.draw(painter, veiled=self._boxes.at(self._cursor))
        if minimap is not None:
            self.exhibit.alone.draw_small(painter, minimap, ratio=sight.ratio)
            draw_minimap_frame(painter, minimap, sight)

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

    def _veil_at(self, place: QPointF | None) -> None:
        """Words under the cursor give way to the picture that it points at."""
        before, self._cursor = self._boxes.at(self._cursor), place
        now = self._boxes.at(place)
        if now != before:
            for box in filter(None, (before, now)):
                self.update(box.toAlignedRect().adjusted(-1, -1, 1, 1))

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
