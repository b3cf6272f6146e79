"""How keys move the lens and the crosshair: where to look next, as plain values."""

from typing import Final

from smarthdr_studio.core.display import Lens
from smarthdr_studio.core.regions import Region
from smarthdr_studio.studio.canvas.sight import Pixel, Sight

_CLOSEST: Final = 8.0


def one_to_one(sight: Sight, pixel: Pixel | None) -> Lens:
    """One screen pixel per image pixel; the crosshair's pixel, or the middle, stays put."""
    held = (pixel[0] + 0.5, pixel[1] + 0.5) if pixel else (sight.lens.x, sight.lens.y)
    about = sight.lens.to_screen(held, view=sight.view)
    return sight.lens.at_scale(1.0, about=about, view=sight.view)


def zoomed(sight: Sight, factor: float, pixel: Pixel | None) -> Lens:
    """Closer by a factor about the crosshair, or about the middle when that is out of sight."""
    left, top, right, bottom = sight.visible()
    about = sight.view[0] / 2, sight.view[1] / 2
    if pixel is not None and left <= pixel[0] < right and top <= pixel[1] < bottom:
        middle = pixel[0] + 0.5, pixel[1] + 0.5
        about = sight.lens.to_screen(middle, view=sight.view)
    return sight.lens.zoomed(factor, about=about, view=sight.view).within(sight.image)


def nudged(sight: Sight, across: float, down: float) -> Lens:
    """The sight moved by shares of the view: +0.1 looks a tenth of the view further right."""
    moved = sight.lens.moved(-across * sight.view[0], -down * sight.view[1])
    return moved.within(sight.image)


def stepped(sight: Sight, pixel: Pixel | None, across: int, down: int) -> Pixel:
    """The crosshair moved by image pixels, from the middle of the sight when there is none."""
    x, y = pixel or (int(sight.lens.x), int(sight.lens.y))
    width, height = sight.image
    return min(max(x + across, 0), width - 1), min(max(y + down, 0), height - 1)


def following(sight: Sight, pixel: Pixel) -> Lens:
    """The lens moved just so far that the whole pixel is in sight."""
    lens, (width, height) = sight.lens, sight.view
    left, top = lens.to_screen(pixel, view=sight.view)
    right, bottom = lens.to_screen((pixel[0] + 1, pixel[1] + 1), view=sight.view)
    across = _back_in(left, right, width)
    down = _back_in(top, bottom, height)
    return lens.moved(across, down).within(sight.image) if across or down else lens


def showing(sight: Sight, region: Region) -> Lens:
    """The lens with a region in the middle of the view and as much again on every side of it."""
    (left, right), (top, bottom) = (
        (min(side), max(side)) for side in zip(*region.points, strict=True)
    )
    size = max(round(3 * (right - left)), 1), max(round(3 * (bottom - top)), 1)
    whole = Lens.fitting(sight.image, view=sight.view)
    scale = min(max(Lens.fitting(size, view=sight.view).scale, whole.scale), _CLOSEST)
    return Lens(x=(left + right) / 2, y=(top + bottom) / 2, scale=scale).within(sight.image)


def _back_in(near: float, far: float, length: int) -> float:
    """How far a stretch of the screen must move to lie inside."""
    if near < 0:
        return -near
    return min(length - far, 0.0)
