"""The views of one scene, one to six, which zoom, pan and point together."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, QPoint, QRectF, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QShowEvent,
)
from PySide6.QtWidgets import QFrame, QGridLayout, QVBoxLayout, QWidget

from smarthdr_studio.core.display import Layer, Painted, Viewport
from smarthdr_studio.core.imaging.regions import Region
from smarthdr_studio.studio.state import MOST_VIEWS, BrushState, Tool
from smarthdr_studio.studio.theme import DARK, Palette
from smarthdr_studio.studio.viewer import viewport
from smarthdr_studio.studio.viewer.brushing import Brushing
from smarthdr_studio.studio.viewer.figure_export import Panel, Sheet, figure_of
from smarthdr_studio.studio.viewer.image_view import ZOOM_PER_NOTCH, Mode, Picture
from smarthdr_studio.studio.viewer.view_header import Header
from smarthdr_studio.studio.viewer.viewport import Box, Pixel, ShiftHold


class View(QFrame):
    """Shows what was painted; its picture and header say what the hand asks for."""

    layer_picked = Signal(str)
    partner_picked = Signal(str)
    zebra_asked = Signal()
    maximise_asked = Signal()
    menu_asked = Signal(object, QPoint)  # the menu of its layers, and where on the screen
    pointed = Signal()
    pressed = Signal()

    def __init__(self, *, number: int) -> None:
        super().__init__()
        self._number, self._active, self._palette = number, False, DARK
        self.header, self.picture = Header(number=number), Picture()
        self.setObjectName("card")
        column = QVBoxLayout(self)
        column.setContentsMargins(5, 0, 5, 5)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.picture, 1)
        self.header.layer_picked.connect(self.layer_picked)
        self.header.partner_picked.connect(self.partner_picked)
        self.header.zebra_asked.connect(self.zebra_asked)
        self.header.maximise_asked.connect(self.maximise_asked)
        self.picture.pointed.connect(self.pointed)
        self.picture.pressed.connect(self.pressed)
        self.picture.maximise_asked.connect(self.maximise_asked)
        self.setAccessibleName(f"View {number}")

    @property
    def painted(self) -> Painted:
        """The view's own picture."""
        return self.picture.exhibit.own.painted

    def show_painted(self, painted: Painted) -> None:
        """Show a finished picture, or why there is none; the one shown already costs nothing."""
        if painted is self.painted:
            return
        self.header.show_words(painted.title, painted.detail, warning=painted.warning)
        self.picture.show_picture(painted)
        self._describe()

    def show_partner(self, painted: Painted | None, *, mode: Mode) -> None:
        """Hold a partner against the picture, or take it away."""
        self.picture.show_partner(painted, mode=mode)
        self._describe()

    def set_active(self, *, active: bool) -> None:
        """Mark the view that keys act upon, by its frame and by its button."""
        if active != self._active:
            self._active = active
            self.header.set_active(active=active)
            self.picture.set_minimap(visible=active)
            self._describe()
            self.update()

    def set_palette_colours(self, palette: Palette) -> None:
        """Dress header and picture."""
        self._palette = palette
        self.header.set_palette_colours(palette)
        self.picture.set_palette_colours(palette)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """A right click, but for the brush, whose polygon it gives up."""
        if self.picture.tool is not Tool.BRUSH:
            self.pointed.emit()
            self.menu_asked.emit(self.header.menu, event.globalPos())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click on the frame or beside the words of the title bar is meant for this view."""
        self.pointed.emit()
        self.pressed.emit()
        super().mousePressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The frame, with a quiet line around the active view."""
        super().paintEvent(event)
        if self._active:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(self._palette.accent), 1.5))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 5.5, 5.5)
            painter.end()

    def _describe(self) -> None:
        """Say in words what is shown, for those who hear the screen."""
        painted, partner = self.painted, self.picture.exhibit.partner
        parts = [painted.title, painted.warning, painted.why_empty or painted.detail]
        if partner is not None:
            parts.append(f"compared with {partner.painted.title}")
        words = ", ".join(part for part in parts if part)
        active = " (active)" if self._active else ""
        self.setAccessibleName(f"View {self._number}{active}: {words}")
        self.picture.setAccessibleName(f"Picture {self._number}: {words}")


_ZOOM_PER_KEY: Final = ZOOM_PER_NOTCH**2


class Aim(QObject):
    """Keeps linked pictures on the same part of the scene, the same pixel and the same region.

    `leader` is the picture on the screen whose size decides what fits.
    """

    hovered = Signal(object)  # (x, y) in image pixels, or None
    zoomed = Signal(float)  # screen pixels per image pixel

    def __init__(self, pictures: tuple[Picture, ...], parent: QObject) -> None:
        super().__init__(parent)
        self._pictures, self._leader = pictures, pictures[0]
        self._size, self._fitted = (1, 1), True
        self._region: Region | None = None
        self.lens, self.pixel = Viewport(), None
        for picture in pictures:
            picture.lens_asked.connect(self.take)
            picture.hovered.connect(self._hover)
            picture.left.connect(self._leave)
            picture.sketched.connect(self._sketch)
            picture.resized.connect(self._refit)

    lens: Viewport
    pixel: Pixel | None

    def follow(self, leader: Picture) -> None:
        """Another picture decides what fits."""
        self._leader = leader
        self._refit()

    def set_size(self, size: tuple[int, int]) -> None:
        """Width and height of the scene in pixels; another size is shown whole."""
        if size != self._size:
            self._size = size
            self.point(None)
            self.fit()

    def point(self, pixel: Pixel | None, *, faint: bool = False) -> None:
        """Put every crosshair on an image pixel."""
        self.pixel = pixel
        for picture in self._pictures:
            picture.set_pixel(pixel, faint=faint)

    def set_region(self, region: Region | None) -> None:
        """Outline a region in every picture."""
        self._region = region
        self._sketch(None)

    @Slot()
    def fit(self) -> None:
        """The whole scene, as large as a view allows, also when the window changes its size."""
        self._fitted = True
        self._become(Viewport.fitting(self._size, view=self._leader.device_size))

    @Slot(object)
    def take(self, lens: Viewport) -> None:
        """Look through this lens."""
        self._fitted = False
        self._become(lens)

    def one_to_one(self) -> None:
        """One screen pixel per image pixel; the crosshair's pixel, or the middle, stays put."""
        self.take(viewport.one_to_one(self._leader.sight, self.pixel))

    def zoom(self, keys: int) -> None:
        """Closer by so many presses of the key, further away when negative."""
        self.take(viewport.zoomed(self._leader.sight, _ZOOM_PER_KEY**keys, self.pixel))

    def nudge(self, across: float, down: float) -> None:
        """Look further right and down by shares of the view."""
        self.take(viewport.nudged(self._leader.sight, across, down))

    def look_at(self, region: Region) -> None:
        """Bring a region into the middle, near enough to judge it with what lies around it."""
        self.take(viewport.showing(self._leader.sight, region))

    def step(self, across: int, down: int) -> Pixel:
        """Move the crosshair by image pixels; the sight follows it."""
        sight = self._leader.sight
        pixel = viewport.stepped(sight, self.pixel, across, down)
        lens = viewport.following(sight, pixel)
        if lens != self.lens:
            self.take(lens)
        self._hover(pixel)
        return pixel

    @Slot(object)
    def _hover(self, pixel: Pixel | None) -> None:
        """The crosshair stays behind, fainter, when nothing is under the cursor any more."""
        self.point(self.pixel if pixel is None else pixel, faint=pixel is None)
        self.hovered.emit(pixel)

    @Slot()
    def _leave(self) -> None:
        self._hover(None)

    @Slot(object)
    def _sketch(self, region: Region | None) -> None:
        """The region under the hand, or again the one there is."""
        for picture in self._pictures:
            picture.set_region(self._region if region is None else region)

    @Slot()
    def _refit(self) -> None:
        if self._fitted:
            self.fit()

    def _become(self, lens: Viewport) -> None:
        self.lens = lens
        for picture in self._pictures:
            picture.set_lens(lens, size=self._size)
        self.zoomed.emit(lens.scale)


class ViewGrid(QWidget):
    """Holds the one lens and the one crosshair of its views; painting is done by the caller.

    `layer_picked` and `partner_picked` carry the index of the view and the layer's words,
    `maximised` the index of the view that fills the place or −1.
    """

    hovered = Signal(object)  # (x, y) in image pixels, or None
    layer_picked = Signal(int, str)
    partner_picked = Signal(int, str)
    zebra_asked = Signal(int)
    activated = Signal(int)  # pointed at or clicked
    flicker_held = Signal(int, bool)
    region_drawn = Signal(object)  # Region, or None
    maximised = Signal(int)
    menu_asked = Signal(object, QPoint)  # the menu of a view's layers, and where on the screen
    zoomed = Signal(float)  # screen pixels per image pixel

    def __init__(self, count: int = 4) -> None:
        """With so many views shown, one to six; all are made, so none loses its picture."""
        super().__init__()
        self._views = tuple(View(number=index + 1) for index in range(MOST_VIEWS))
        pictures = tuple(view.picture for view in self._views)
        self._aim, self.brushing = Aim(pictures, self), Brushing(pictures, self)
        self._alone: int | None = None
        self._active, self._asked, self._count, self._columns = 0, 0, 0, 0
        self._shift = ShiftHold(self)
        self._shift.held.connect(self.flicker_held)
        self._aim.hovered.connect(self._hover)
        self.brushing.stroke_ended.connect(self._read_after_stroke)
        self._aim.zoomed.connect(self.zoomed)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(6)
        for index, view in enumerate(self._views):
            self._listen(index, view)
        self.set_grid(columns=1 if count == 1 else 2 if count <= 4 else 3, count=count)
        self.set_palette_colours(DARK)
        self.set_active(0)
        self.setAccessibleName("Views of the scene")

    @property
    def count(self) -> int:
        """How many views the grid has, maximised or not."""
        return self._count

    @property
    def columns(self) -> int:
        """How many views stand side by side."""
        return self._columns

    @property
    def lens(self) -> Viewport:
        """What all views look at."""
        return self._aim.lens

    @property
    def pixel(self) -> Pixel | None:
        """Where the crosshair is, also after the mouse has left."""
        return self._aim.pixel

    @property
    def active(self) -> int:
        """The index of the view that is marked."""
        return self._active

    @property
    def alone(self) -> int | None:
        """The index of the view that fills the place, None while all are shown."""
        return self._alone

    def view(self, index: int) -> View:
        """One view, counted from 0."""
        return self._views[index]

    def set_grid(self, columns: int, count: int) -> None:
        """Show the first `count` views, one to six, in so many columns, all equally large."""
        count = min(max(count, 1), MOST_VIEWS)
        columns = min(max(columns, 1), count)
        if (columns, count) == (self._columns, self._count):
            return
        self._columns, self._count = columns, count
        for index, view in enumerate(self._views):
            self._grid.addWidget(view, index // columns, index % columns)
        if self._alone is not None and self._alone >= count:
            self.toggle_maximised(self._alone)
        self._reveal()

    def set_scene_size(self, width: int, height: int) -> None:
        """Width and height of the scene in pixels; another size is shown whole."""
        self._aim.set_size((width, height))

    def show_painted(self, index: int, painted: Painted) -> None:
        """Show a finished picture in one view; the picture shown already costs nothing."""
        self._views[index].show_painted(painted)

    @Slot(object)
    def refuse_layers(self, refusals: Mapping[Layer, str]) -> None:
        """These layers are not there and cannot be picked, for these reasons."""
        for view in self._views:
            view.header.menu.refuse(refusals)

    def show_partner(self, index: int, painted: Painted | None, mode: str = Mode.WIPE) -> None:
        """Hold a partner against a view's picture: "wipe" or "flicker"; None takes it away."""
        self._views[index].show_partner(painted, mode=Mode(mode))

    def set_active(self, index: int) -> None:
        """Mark the view that keys act upon; it has the minimap."""
        self._active = self._asked = index
        for position, view in enumerate(self._views):
            view.set_active(active=position == index)

    def set_tool(self, tool: str, brush: BrushState | None = None) -> None:
        """What the left button does, in the words of `Tool`; the brush is given along."""
        for view in self._views:
            view.picture.set_tool(Tool(tool))
        self.brushing.set_brush(brush if Tool(tool) is Tool.BRUSH else None)

    def paint_here(self) -> None:
        """One dab, a fill or a corner at the crosshair, from the keyboard."""
        self.brushing.paint_at(self._aim.pixel or self._aim.step(0, 0))

    def set_region(self, region: Region | None) -> None:
        """Outline a region in every view."""
        self._aim.set_region(region)

    def set_pixel(self, pixel: Pixel | None) -> None:
        """Put the crosshair of all views on an image pixel."""
        self._aim.point(pixel)

    def set_palette_colours(self, palette: Palette) -> None:
        """Dress all views."""
        for view in self._views:
            view.set_palette_colours(palette)

    def visible(self, index: int) -> Box:
        """Left, top, right, bottom of the image pixels in sight; right and bottom are outside."""
        return self._views[index].picture.sight.visible()

    def figure(self, index: int, *, visible_only: bool = False) -> QImage:
        """One view's pixels as they were painted, no marks; an empty image where none are."""
        box = self.visible(index) if visible_only else None
        return figure_of(self._views[index].picture.exhibit, box=box)

    def sheet(self, *, visible_only: bool = False) -> Sheet:
        """Every view on the screen with titles, colour bars and keys, on white, for a paper."""
        shown = range(self._count) if self._alone is None else (self._alone,)
        panels = tuple(
            Panel.of(
                self._views[index].picture.exhibit,
                letter=chr(ord("a") + place),
                box=self.visible(index) if visible_only else None,
            )
            for place, index in enumerate(shown)
        )
        return Sheet(panels=panels, columns=min(self._columns, len(panels)))

    @Slot()
    def fit(self) -> None:
        """The whole scene, as large as a view allows, also when the window changes its size."""
        self._aim.fit()

    @Slot()
    def one_to_one(self) -> None:
        """One screen pixel per image pixel; the crosshair's pixel, or the middle, stays put."""
        self._aim.one_to_one()

    @Slot()
    def zoom_in(self) -> None:
        """Closer, about the crosshair."""
        self._aim.zoom(1)

    @Slot()
    def zoom_out(self) -> None:
        """Further away, about the crosshair."""
        self._aim.zoom(-1)

    def take_lens(self, lens: Viewport) -> None:
        """Look through this lens, as another grid does."""
        self._aim.take(lens)

    def nudge(self, dx: float, dy: float) -> None:
        """Look further right and down by shares of the view's width and height."""
        self._aim.nudge(dx, dy)

    def look_at(self, region: Region) -> None:
        """Bring a region into the middle, near enough to judge it with what lies around it."""
        self._aim.look_at(region)

    def move_cursor(self, dx: int, dy: int) -> None:
        """Move the crosshair by image pixels; the picture follows when it leaves the sight."""
        pixel = self._aim.step(dx, dy)
        self._views[self._active].picture.set_line(pixel[0] + 0.5)

    def toggle_maximised(self, index: int) -> None:
        """Fill the place with one view, or show all again."""
        self._alone = None if self._alone is not None else index
        self._reveal()
        self.maximised.emit(-1 if self._alone is None else self._alone)

    def showEvent(self, event: QShowEvent) -> None:
        """From now on the window's keys can be heard."""
        self._shift.watch_window(self.window())
        super().showEvent(event)

    def _listen(self, index: int, view: View) -> None:
        view.layer_picked.connect(partial(self._pick_layer, index))
        view.partner_picked.connect(partial(self._pick_partner, index))
        view.zebra_asked.connect(partial(self._ask_zebra, index))
        view.maximise_asked.connect(partial(self.toggle_maximised, index))
        view.pointed.connect(partial(self._activate, index))
        view.picture.pointed.connect(partial(self._shift.point_at, index))
        view.picture.left.connect(partial(self._shift.point_at, None))
        view.picture.region_drawn.connect(self.region_drawn)
        view.menu_asked.connect(self.menu_asked)

    def _pick_layer(self, index: int, layer: str) -> None:
        self.layer_picked.emit(index, layer)

    def _pick_partner(self, index: int, layer: str) -> None:
        self.partner_picked.emit(index, layer)

    def _ask_zebra(self, index: int) -> None:
        self.zebra_asked.emit(index)

    def _activate(self, index: int) -> None:
        """Ask once; the mark moves when whoever decides says so."""
        if index != self._asked:
            self._asked = index
            self.activated.emit(index)

    @Slot()
    def _read_after_stroke(self) -> None:
        """The hand rests where the stroke ended, and that is a pixel to be read."""
        self.hovered.emit(self._aim.pixel)

    @Slot(object)
    def _hover(self, pixel: Pixel | None) -> None:
        """Nobody reads the pixels that a stroke goes over."""
        self.brushing.hover(pixel)
        if not self.brushing.drawing:
            self.hovered.emit(pixel)

    def _reveal(self) -> None:
        """Show the views of the grid, or the lone one; it decides what fits."""
        lone = self._alone
        shown = range(self._count) if lone is None else range(lone, lone + 1)
        for index, view in enumerate(self._views):
            view.setVisible(index in shown)
            view.header.show_alone(alone=lone is not None)
        # Stretch is for rows and columns that are seen: an empty one would take its share.
        rows = {index // self._columns for index in shown}
        columns = {index % self._columns for index in shown}
        for place in range(MOST_VIEWS):
            self._grid.setRowStretch(place, int(place in rows))
            self._grid.setColumnStretch(place, int(place in columns))
        self._aim.follow(self._views[shown.start].picture)
