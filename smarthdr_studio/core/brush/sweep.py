"""Which pixels a round brush covers on its way along a line."""

from itertools import pairwise
from math import ceil, floor, hypot

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.regions import Box, Mask, Point

Floats = npt.NDArray[np.float32]

PERIOD = 8
_NIL = np.float32(0)


def _bayer() -> npt.NDArray[np.float64]:
    """The ordered-dither thresholds of Bayer's 8×8 matrix, each in (0, 1) and all different."""
    matrix = np.zeros((1, 1))
    while len(matrix) < PERIOD:
        matrix = np.block([[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]])
    return (matrix + 0.5) / matrix.size


THRESHOLDS = _bayer()


def swept(
    points: tuple[Point, ...], *, radius: float, hardness: float, height: int, width: int
) -> tuple[Box, Mask]:
    """The pixels of an H×W picture within reach of a line, as a box and the mask inside it.

    Args:
        points: the line's corners, (x, y) in image pixels; (0, 0) is the corner of the first
            pixel. One point is a single dab.
        radius: how far the brush reaches, in pixels, to the middles of pixels.
        hardness: the share of the radius that is solid. Beyond it coverage falls from 1 to 0, and
            a pixel is painted where coverage is at least its threshold, which depends on where
            the pixel lies in the picture and on nothing else.
        height: of the picture.
        width: of the picture.
    """
    box = _box(points, radius, height=height, width=width)
    rows, columns = box
    nearest = np.full((rows.stop - rows.start, columns.stop - columns.start), np.inf, np.float32)
    for first, second in pairwise(points if len(points) > 1 else points * 2):
        _approach(nearest, box, (first, second), radius)
    return box, nearest <= _reach(radius, hardness, box) ** 2


def _box(points: tuple[Point, ...], radius: float, *, height: int, width: int) -> Box:
    """Rows and columns whose middles may lie within reach; empty beside the picture."""
    xs, ys = zip(*points, strict=True)
    rows = _held(min(ys) - radius, max(ys) + radius, height)
    columns = _held(min(xs) - radius, max(xs) + radius, width)
    if rows.start == rows.stop or columns.start == columns.stop:
        return slice(0, 0), slice(0, 0)
    return rows, columns


def _held(low: float, high: float, length: int) -> slice:
    """The pixels along one side that touch low to high."""
    return slice(min(max(floor(low), 0), length), max(min(ceil(high), length), 0))


def _approach(nearest: Floats, box: Box, stretch: tuple[Point, Point], radius: float) -> None:
    """Lower the squared distance of each middle in the box to that from one stretch of a line.

    That is the distance beside the line, and beyond its ends the one along the line.
    """
    (x, y), (end_x, end_y) = stretch
    rows, columns = _box(stretch, radius, height=box[0].stop, width=box[1].stop)
    if rows.start == rows.stop:
        return
    length = hypot(end_x - x, end_y - y)
    across, down = ((end_x - x) / length, (end_y - y) / length) if length else (1.0, 0.0)
    right = np.arange(columns.start, columns.stop) + 0.5 - x
    below = (np.arange(rows.start, rows.stop) + 0.5 - y)[:, None]
    beside = (right * -down).astype(np.float32) + (below * across).astype(np.float32)
    along = (right * across).astype(np.float32) + (below * down).astype(np.float32)
    beyond = np.minimum(along, np.float32(length))
    np.subtract(along, np.maximum(beyond, _NIL, out=beyond), out=beyond)
    beside *= beside
    beyond *= beyond
    beside += beyond
    part = nearest[
        rows.start - box[0].start : rows.stop - box[0].start,
        columns.start - box[1].start : columns.stop - box[1].start,
    ]
    np.minimum(part, beside, out=part)


def _reach(radius: float, hardness: float, box: Box) -> Floats:
    """How far the brush reaches at each pixel of the box, or 1×1 where all reach alike.

    Coverage (radius − d) / (radius·(1 − hardness)) is at least t up to this distance d.
    """
    if hardness >= 1:
        return np.full((1, 1), radius, dtype=np.float32)
    reach = (radius * (1 - THRESHOLDS * (1 - hardness))).astype(np.float32)
    rows, columns = box
    shifted = np.roll(reach, (-rows.start, -columns.start), (0, 1))
    tall, wide = rows.stop - rows.start, columns.stop - columns.start
    return np.tile(shifted, (-(-tall // PERIOD), -(-wide // PERIOD)))[:tall, :wide]
