"""How a view looks at its image: which part of it is in sight, and where that is on the screen."""

from math import ceil, floor
from typing import Final, NamedTuple

from PySide6.QtCore import QPointF, QRectF

from smarthdr_studio.core.display import Lens

Box = tuple[int, int, int, int]  # left, top, right, bottom; right and bottom are just outside
Pixel = tuple[int, int]

_HAIR: Final = 2.0  # of the screen's own pixels


class Sight(NamedTuple):
    """The lens of a view; sizes are in the screen's own pixels, `ratio` of them to one of Qt's."""

    lens: Lens
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
