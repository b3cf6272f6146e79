"""Which part of a picture a view looks at, and that part resampled to the screen."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from smarthdr_studio.core.display.tone import Rgb8

SMALLEST_SCALE, LARGEST_SCALE = 1 / 64, 64.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewport:
    """The image point in the middle of a view, in image pixels, and screen pixels per pixel.

    Several views share one lens: that is what links their zoom and pan.
    """

    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0

    @classmethod
    def fitting(cls, image: tuple[int, int], *, view: tuple[int, int]) -> "Viewport":
        """The whole image, width×height, as large as the view, width×height, allows."""
        width, height = image
        scale = min(view[0] / max(width, 1), view[1] / max(height, 1))
        return cls(x=width / 2, y=height / 2, scale=_allowed(scale))

    def to_screen(
        self, point: tuple[float, float], *, view: tuple[int, int]
    ) -> tuple[float, float]:
        """Where an image point lies in the view."""
        return (
            (point[0] - self.x) * self.scale + view[0] / 2,
            (point[1] - self.y) * self.scale + view[1] / 2,
        )

    def to_image(self, point: tuple[float, float], *, view: tuple[int, int]) -> tuple[float, float]:
        """Which image point lies under a point of the view."""
        return (
            (point[0] - view[0] / 2) / self.scale + self.x,
            (point[1] - view[1] / 2) / self.scale + self.y,
        )

    def zoomed(
        self, factor: float, *, about: tuple[float, float], view: tuple[int, int]
    ) -> "Viewport":
        """Closer by a factor; the image point under `about` stays where it is on the screen."""
        return self.at_scale(self.scale * factor, about=about, view=view)

    def at_scale(
        self, scale: float, *, about: tuple[float, float], view: tuple[int, int]
    ) -> "Viewport":
        """At another scale; the image point under `about` stays where it is on the screen."""
        held = self.to_image(about, view=view)
        other = replace(self, scale=_allowed(scale))
        now = other.to_image(about, view=view)
        return replace(other, x=other.x + held[0] - now[0], y=other.y + held[1] - now[1])

    def moved(self, across: float, down: float) -> "Viewport":
        """The picture dragged by screen pixels."""
        return replace(self, x=self.x - across / self.scale, y=self.y - down / self.scale)

    def within(self, image: tuple[int, int]) -> "Viewport":
        """The same lens with its middle held inside the image, so no picture is ever lost."""
        width, height = image
        return replace(self, x=min(max(self.x, 0), width), y=min(max(self.y, 0), height))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VisiblePart:
    """A part of a picture at screen size, and where its top-left corner lies in the view."""

    rgb8: Rgb8
    left: int
    top: int


class Pyramid:
    """A picture and its halves, made when first looked at from afar."""

    def __init__(self, rgb8: Rgb8) -> None:
        self._levels = [rgb8]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture itself."""
        return self._levels[0].shape[1], self._levels[0].shape[0]

    def level(self, index: int) -> tuple[Rgb8, int]:
        """The picture halved `index` times by 2×2 means, or as often as it can be, and how often.

        A half drops an odd last row or column: less than one screen pixel where it is shown.
        """
        while len(self._levels) <= index and min(self._levels[-1].shape[:2]) >= 2:
            last = self._levels[-1]
            height, width = (length // 2 for length in last.shape[:2])
            even = last[: height * 2, : width * 2]
            self._levels.append(_resized(even, width=width, height=height, how=cv2.INTER_AREA))
        halved = min(index, len(self._levels) - 1)
        return self._levels[halved], halved

    def seen(self, lens: Viewport, *, view: tuple[int, int]) -> VisiblePart | None:
        """What the view shows, at most one screen pixel off; None when the picture is outside.

        Smooth below 1:1 (from the nearest larger half, then bilinear), nearest above it.
        """
        picture, halved = self.level(_level_for(lens.scale))
        shrink = 0.5**halved  # level pixels per image pixel
        near = lens.to_image((0, 0), view=view)
        far = lens.to_image(view, view=view)
        left, right = _span(near[0], far[0], shrink=shrink, length=picture.shape[1])
        top, bottom = _span(near[1], far[1], shrink=shrink, length=picture.shape[0])
        if left >= right or top >= bottom:
            return None
        corner = lens.to_screen((left / shrink, top / shrink), view=view)
        other = lens.to_screen((right / shrink, bottom / shrink), view=view)
        x, y = round(corner[0]), round(corner[1])
        how = cv2.INTER_NEAREST if lens.scale >= 1 else cv2.INTER_LINEAR
        part = _resized(
            picture[top:bottom, left:right],
            width=max(round(other[0]) - x, 1),
            height=max(round(other[1]) - y, 1),
            how=how,
        )
        return VisiblePart(rgb8=part, left=x, top=y)


def _level_for(scale: float) -> int:
    """How often to halve first: so often that what is left is from 1.3 times up to 0.64 down.

    Only bilinear weights do the rest, and below 0.64 those would skip pixels and shimmer.
    """
    return max(int(np.floor(0.35 - np.log2(scale))), 0)


def _span(near: float, far: float, *, shrink: float, length: int) -> tuple[int, int]:
    """The whole pixels of a level that cover a stretch of the image."""
    return max(int(np.floor(near * shrink)), 0), min(int(np.ceil(far * shrink)), length)


def _resized(picture: Rgb8, *, width: int, height: int, how: int) -> Rgb8:
    if (width, height) == (picture.shape[1], picture.shape[0]):
        return np.ascontiguousarray(picture)
    return np.ascontiguousarray(cv2.resize(picture, (width, height), interpolation=how), np.uint8)


def _allowed(scale: float) -> float:
    return min(max(scale, SMALLEST_SCALE), LARGEST_SCALE)
