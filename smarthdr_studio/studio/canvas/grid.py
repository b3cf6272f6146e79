"""Four views of one scene that zoom, pan and point together."""

from functools import partial
from typing import Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QGridLayout, QWidget

from smarthdr_studio.core.display import Lens, Painted
from smarthdr_studio.studio.canvas.picture import Picture, Pixel
from smarthdr_studio.studio.canvas.view import View
from smarthdr_studio.studio.theme import DARK, Palette

VIEWS: Final = 4


class ViewGrid(QWidget):
    """Holds the one lens and the one crosshair of its views; painting is done by the caller.

    `layer_picked` carries the index of the view and the layer's words, `maximised` the index of
    the view that fills the place or −1.
    """

    hovered = Signal(object)  # (x, y) in image pixels, or None
    layer_picked = Signal(int, str)
    maximised = Signal(int)
    zoomed = Signal(float)  # screen pixels per image pixel

    def __init__(self) -> None:
        super().__init__()
        self._views = tuple(View(number=index + 1) for index in range(VIEWS))
        self._lens, self._size, self._fitted = Lens(), (1, 1), True
        self._alone: int | None = None
        self._lay_out()
        for index, view in enumerate(self._views):
            self._listen(index, view)
        self.set_palette_colours(DARK)
        self.setAccessibleName("Views of the scene")

    @property
    def lens(self) -> Lens:
        """What all views look at."""
        return self._lens

    @property
    def under_cursor(self) -> int | None:
        """The index of the view the cursor is over."""
        found = (i for i, view in enumerate(self._views) if view.underMouse())
        return next(found, None)

    @property
    def alone(self) -> int | None:
        """The index of the view that fills the place, None while all are shown."""
        return self._alone

    def view(self, index: int) -> View:
        """One view, counted from 0."""
        return self._views[index]

    def set_scene_size(self, width: int, height: int) -> None:
        """Width and height of the scene in pixels; another size is shown whole."""
        if (width, height) != self._size:
            self._size, self._fitted = (width, height), True
            self._become(self._fitting())

    def show_painted(self, index: int, painted: Painted) -> None:
        """Show a finished picture in one view; the picture shown already costs nothing."""
        self._views[index].show_painted(painted)

    def set_pixel(self, pixel: Pixel | None) -> None:
        """Put the crosshair of all views on an image pixel."""
        for view in self._views:
            view.picture.set_pixel(pixel)

    def set_palette_colours(self, palette: Palette) -> None:
        """Dress all views."""
        for view in self._views:
            view.set_palette_colours(palette)

    @Slot()
    def fit(self) -> None:
        """The whole scene, as large as a view allows, also when the window changes its size."""
        self._fitted = True
        self._become(self._fitting())

    @Slot()
    def one_to_one(self) -> None:
        """One screen pixel per image pixel; the crosshair's pixel, or the middle, stays put."""
        self._fitted = False
        picture = self._largest()
        view, pixel = picture.device_size, picture.pixel
        held = (pixel[0] + 0.5, pixel[1] + 0.5) if pixel else (self._lens.x, self._lens.y)
        about = self._lens.to_screen(held, view=view)
        self._become(self._lens.at_scale(1.0, about=about, view=view))

    def toggle_maximised(self, index: int) -> None:
        """Fill the place with one view, or show all four again."""
        self._alone = None if self._alone is not None else index
        for position, view in enumerate(self._views):
            view.setVisible(self._alone in (None, position))
        self.maximised.emit(-1 if self._alone is None else self._alone)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(6)
        for index, view in enumerate(self._views):
            grid.addWidget(view, index // 2, index % 2)

    def _listen(self, index: int, view: View) -> None:
        view.layer_picked.connect(partial(self._pick_layer, index))
        view.maximise_asked.connect(partial(self.toggle_maximised, index))
        view.picture.lens_asked.connect(self._take_lens)
        view.picture.fit_asked.connect(self.fit)
        view.picture.hovered.connect(self._hover)
        view.picture.resized.connect(self._refit)

    def _pick_layer(self, index: int, layer: str) -> None:
        self.layer_picked.emit(index, layer)

    @Slot(object)
    def _take_lens(self, lens: Lens) -> None:
        self._fitted = False
        self._become(lens)

    @Slot(object)
    def _hover(self, pixel: Pixel | None) -> None:
        self.set_pixel(pixel)
        self.hovered.emit(pixel)

    @Slot()
    def _refit(self) -> None:
        if self._fitted:
            self._become(self._fitting())

    def _fitting(self) -> Lens:
        return Lens.fitting(self._size, view=self._largest().device_size)

    def _largest(self) -> Picture:
        """The picture that is on the screen: the lone one, or the first of four alike."""
        return self._views[self._alone or 0].picture

    def _become(self, lens: Lens) -> None:
        self._lens = lens
        for view in self._views:
            view.picture.set_lens(lens, size=self._size)
        self.zoomed.emit(lens.scale)
