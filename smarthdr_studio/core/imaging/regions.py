"""Regions a person marked out, rectangle or lasso, as masks of pixels."""

from dataclasses import dataclass
from math import ceil, floor, isfinite
from typing import Literal

import numpy as np
import numpy.typing as npt

Point = tuple[float, float]
Box = tuple[slice, slice]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A rectangle or lasso as a polygon of (x, y) in image pixels.

    (0, 0) is the corner of the first pixel, so the middle of pixel (3, 5) is (3.5, 5.5). The
    polygon closes itself; what it winds around twice is outside again (even-odd rule).
    """

    kind: Literal["rectangle", "lasso"]
    points: tuple[Point, ...]

    def __post_init__(self) -> None:
        if not self.points or not all(isfinite(x) and isfinite(y) for x, y in self.points):
            raise ValueError(f"a region needs one point or more, all finite: {self.points}")

    @classmethod
    def rectangle(cls, first: Point, second: Point) -> "Region":
        """The rectangle between two opposite corners, in any order."""
        (left, right), (top, bottom) = (sorted(pair) for pair in zip(first, second, strict=True))
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        return cls(kind="rectangle", points=corners)

    def box(self, *, width: int, height: int) -> Box:
        """Rows and columns of a width×height picture that hold the region.

        At least one pixel, but for a region that lies beside the picture: then none.
        """
        columns = _held([x for x, _ in self.points], width)
        rows = _held([y for _, y in self.points], height)
        if columns.start == columns.stop or rows.start == rows.stop:
            return slice(0, 0), slice(0, 0)
        return rows, columns

    def mask(self, *, width: int, height: int) -> Mask:
        """H×W, True where the middle of the pixel lies inside; as `mask_in_box` says."""
        mask = np.zeros((height, width), dtype=bool)
        mask[self.box(width=width, height=height)] = self.mask_in_box(width=width, height=height)
        return mask

    def mask_in_box(self, *, width: int, height: int) -> Mask:
        """`mask` of the box alone, h×w of `box`: a small region of a large picture is quick.

        Left and top edges belong to the region, right and bottom edges do not: neighbours share
        no pixel. A region that holds no middle holds the pixel in the middle of its box.
        """
        rows, columns = self.box(width=width, height=height)
        inside = _inside(np.array(self.points, dtype=np.float64), rows, columns)
        if inside.size and not inside.any():
            x = _middle([x for x, _ in self.points], width)
            y = _middle([y for _, y in self.points], height)
            inside[y - rows.start, x - columns.start] = True
        return inside


def _held(values: list[float], length: int) -> slice:
    """The pixels along one side between the least and the greatest value, clipped."""
    low, high = min(values), max(values)
    if high < 0 or low > length:
        return slice(0, 0)
    start = min(max(floor(low), 0), length - 1)
    return slice(start, max(min(ceil(high), length), start + 1))


def _middle(values: list[float], length: int) -> int:
    """The pixel along one side in the middle of the part that lies in the picture."""
    middle = (max(min(values), 0.0) + min(max(values), float(length))) / 2
    return min(floor(middle), length - 1)


def _inside(points: npt.NDArray[np.float64], rows: slice, columns: slice) -> Mask:
    """Which middles of the box a ray from the left reaches across an odd number of edges."""
    height, width = rows.stop - rows.start, columns.stop - columns.start
    row, start, end = _crossings(points, rows)
    first = _first_middle(rows.start + row + 0.5, start, end) - columns.start
    place, times = np.unique(row * (width + 1) + np.clip(first, 0, width), return_counts=True)
    turns = np.zeros(height * (width + 1), dtype=np.uint8)
    turns[place[times % 2 == 1]] = 1
    # Only whether a count is odd matters, so it may overflow.
    count = turns.reshape(height, width + 1)[:, :width].cumsum(1, dtype=np.uint8)
    odd: Mask = (count & 1).view(np.bool_)
    return odd


def _crossings(
    points: npt.NDArray[np.float64], rows: slice
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Each crossing of an edge and a line of middles: its row, the edge's upper and lower end."""
    ends = np.stack([points, np.roll(points, -1, 0)])
    order = np.argsort(ends[:, :, 1], axis=0)[:, :, None]
    upper, lower = np.take_along_axis(ends, order, 0)
    # The line of row r lies at r + ½; an edge crosses it from its upper end to before its lower.
    first, last = (
        np.clip(np.ceil(y - 0.5), rows.start, rows.stop).astype(np.int64)
        for y in (upper[:, 1], lower[:, 1])
    )
    count = last - first
    edge = np.repeat(np.arange(len(points)), count)
    nth = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    return first[edge] + nth - rows.start, upper[edge], lower[edge]


def _first_middle(
    y: npt.NDArray[np.float64], upper: npt.NDArray[np.float64], lower: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """The first column whose middle lies on or right of each edge, at height y.

    The quotient may miss by rounding; the cross product decides.
    """
    across, down = lower[:, 0] - upper[:, 0], lower[:, 1] - upper[:, 1]
    guess = np.ceil(upper[:, 0] + (y - upper[:, 1]) / down * across - 0.5)
    found = guess + 1
    for column in (guess, guess - 1):
        right_of = (column + 0.5 - upper[:, 0]) * down >= (y - upper[:, 1]) * across
        found = np.where(right_of, column, found)
    columns: npt.NDArray[np.int64] = np.clip(found, -(2**53), 2**53).astype(np.int64)
    return columns
