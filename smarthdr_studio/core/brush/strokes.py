"""The strokes a person makes on a scene, and the pixels each of them covers."""

from dataclasses import dataclass
from math import isfinite

import cv2
import numpy as np

from smarthdr_studio.core.brush.ink import Brush, Ink
from smarthdr_studio.core.brush.sweep import swept
from smarthdr_studio.core.errors import BrushError
from smarthdr_studio.core.regions import Box, Mask, Point, Region


@dataclass(frozen=True, slots=True, kw_only=True)
class Dabs:
    """A round brush drawn along a line of (x, y) in image pixels.

    (0, 0) is the corner of the first pixel. A pixel belongs to the stroke where its middle lies
    within `radius` pixels of the line. `hardness` in [0, 1] is the share of the radius that is
    painted solid; from there to the rim ever fewer pixels are painted, in a pattern fixed to the
    picture: the same stroke twice covers the same pixels, and crossing itself adds none.
    """

    points: tuple[Point, ...]
    radius: float
    hardness: float = 1.0
    ink: Ink

    def __post_init__(self) -> None:
        if not self.points or not all(isfinite(x) and isfinite(y) for x, y in self.points):
            raise ValueError(f"a stroke needs one point or more, all finite: {self.points}")
        if not (isfinite(self.radius) and self.radius > 0 and 0 <= self.hardness <= 1):
            raise ValueError(
                f"a brush has a radius above 0 and a hardness in 0 to 1: {self.radius}, "
                f"{self.hardness}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A rectangle, lasso or polygon, filled."""

    region: Region
    ink: Ink


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """All that hangs together around the pixel in column x and row y.

    With trust or distrust: the untrusted pixels around it. With the eraser: the painted pixels of
    its own sign. Pixels hang together by their sides, not by their corners, so that a line of
    trusted pixels holds a fill back however it slopes.
    """

    x: int
    y: int
    ink: Ink


Stroke = Dabs | Area | Fill


def footprint(
    stroke: Stroke,
    mask: Brush | None = None,
    *,
    height: int,
    width: int,
    trusted: Mask | None = None,
) -> tuple[Box, Mask]:
    """The pixels of an H×W scene that a stroke covers: rows and columns, and the mask inside them.

    Only a fill looks at `trusted` (H×W, what the loss counts now) and at `mask` (H×W, what is
    painted so far). Raises BrushError: a fill begins where it has nothing to fill.
    """
    if isinstance(stroke, Fill):
        return _filled(stroke, mask, shape=(height, width), trusted=trusted)
    if isinstance(stroke, Area):
        box = stroke.region.box(width=width, height=height)
        return box, stroke.region.mask_in_box(width=width, height=height)
    return swept(
        stroke.points,
        radius=stroke.radius,
        hardness=stroke.hardness,
        height=height,
        width=width,
    )


def apply(
    stroke: Stroke,
    mask: Brush | None,
    *,
    height: int,
    width: int,
    trusted: Mask | None = None,
) -> Brush:
    """A new H×W mask: the old one with the stroke over it. The old one stays as it is.

    The newest stroke wins where strokes overlap. All zeros where everything was erased. Raises
    BrushError as `footprint` does; ValueError: mask of another size.
    """
    if mask is not None and mask.shape != (height, width):
        raise ValueError(f"a mask of {mask.shape} does not fit a scene of {(height, width)}")
    box, covered = footprint(stroke, mask, height=height, width=width, trusted=trusted)
    painted = np.zeros((height, width), dtype=np.int8) if mask is None else mask.copy()
    np.copyto(painted[box], np.int8(stroke.ink.sign), where=covered)
    return painted


def _filled(
    fill: Fill, mask: Brush | None, *, shape: tuple[int, int], trusted: Mask | None
) -> tuple[Box, Mask]:
    height, width = shape
    place = f"column {fill.x}, row {fill.y}"
    if not (0 <= fill.x < width and 0 <= fill.y < height):
        raise BrushError(f"{place} lies outside the picture; begin the fill inside it")
    if fill.ink is Ink.ERASE:
        sign = 0 if mask is None else int(mask[fill.y, fill.x])
        if mask is None or sign == 0:
            raise BrushError(f"nothing is painted at {place}; begin erasing on a painted pixel")
        return _connected(mask == sign, fill)
    if trusted is None:
        raise BrushError(
            "fill works on untrusted regions, and without a pseudo-label there are none; "
            "use the brush or a lasso instead"
        )
    if trusted[fill.y, fill.x]:
        raise BrushError(
            f"fill works on untrusted regions, and {place} is trusted; begin on an untrusted pixel"
        )
    return _connected(~trusted, fill)


def _connected(where: Mask, fill: Fill) -> tuple[Box, Mask]:
    """The pixels that hang together with the one the fill begins at, by their sides."""
    height, width = where.shape
    # OpenCV wants a border of one pixel around what it marks.
    marked = np.zeros((height + 2, width + 2), dtype=np.uint8)
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | (1 << 8)
    picture = np.ascontiguousarray(where).view(np.uint8)
    _, _, _, found = cv2.floodFill(picture, marked, (fill.x, fill.y), 1, flags=flags)
    left, top, wide, tall = found
    rows, columns = slice(top, top + tall), slice(left, left + wide)
    return (rows, columns), marked[1:-1, 1:-1][rows, columns].view(np.bool_)
