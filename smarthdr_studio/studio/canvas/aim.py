"""What all views look at and point at: one lens and one crosshair."""

from typing import Final

from PySide6.QtCore import QObject, Signal, Slot

from smarthdr_studio.core.display import Lens
from smarthdr_studio.core.regions import Region
from smarthdr_studio.studio.canvas import moves
from smarthdr_studio.studio.canvas.picture import ZOOM_PER_NOTCH, Picture
from smarthdr_studio.studio.canvas.sight import Pixel

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
        self.lens, self.pixel = Lens(), None
        for picture in pictures:
            picture.lens_asked.connect(self.take)
            picture.fit_asked.connect(self.fit)
            picture.hovered.connect(self._hover)
            picture.left.connect(self._leave)
            picture.sketched.connect(self._sketch)
            picture.resized.connect(self._refit)

    lens: Lens
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
        self._become(Lens.fitting(self._size, view=self._leader.device_size))

    @Slot(object)
    def take(self, lens: Lens) -> None:
        """Look through this lens."""
        self._fitted = False
        self._become(lens)

    def one_to_one(self) -> None:
        """One screen pixel per image pixel; the crosshair's pixel, or the middle, stays put."""
        self.take(moves.one_to_one(self._leader.sight, self.pixel))

    def zoom(self, keys: int) -> None:
        """Closer by so many presses of the key, further away when negative."""
        self.take(moves.zoomed(self._leader.sight, _ZOOM_PER_KEY**keys, self.pixel))

    def nudge(self, across: float, down: float) -> None:
        """Look further right and down by shares of the view."""
        self.take(moves.nudged(self._leader.sight, across, down))

    def look_at(self, region: Region) -> None:
        """Bring a region into the middle, near enough to judge it with what lies around it."""
        self.take(moves.showing(self._leader.sight, region))

    def step(self, across: int, down: int) -> Pixel:
        """Move the crosshair by image pixels; the sight follows it."""
        sight = self._leader.sight
        pixel = moves.stepped(sight, self.pixel, across, down)
        lens = moves.following(sight, pixel)
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

    def _become(self, lens: Lens) -> None:
        self.lens = lens
        for picture in self._pictures:
            picture.set_lens(lens, size=self._size)
        self.zoomed.emit(lens.scale)
