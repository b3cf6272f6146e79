"""A person's brush: strokes, the pixels they cover, and the mask as runs of equal pixels."""

import struct
import zlib
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from itertools import pairwise
from math import ceil, floor, hypot, isfinite

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.errors import BrushError
from smarthdr_studio.core.imaging.picture_header import MOST_PIXELS
from smarthdr_studio.core.imaging.regions import Box, Mask, Point, Region

Brush = npt.NDArray[np.int8]

_SIGNS = {"trust": 1, "distrust": -1, "erase": 0}


class Ink(StrEnum):
    """What a stroke does to the pixels it covers."""

    TRUST = "trust"
    DISTRUST = "distrust"
    ERASE = "erase"

    @property
    def sign(self) -> int:
        """What a covered pixel becomes: 1 forced trust, −1 forced distrust, 0 neither."""
        return _SIGNS[self.value]


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


_MAGIC = b"SHDRmask"
_VERSION = 1
_HEADER = struct.Struct("<8sBIII")  # magic, version, height, width, CRC-32 of sizes and runs
_SIZES = struct.Struct("<II")
_LONG = 255  # marks a run whose length follows apart, in four bytes
_LEVEL = 6


def pack(mask: Brush) -> bytes:
    """An H×W mask of −1, 0 and 1 as bytes; the same mask gives the same bytes.

    Raises ValueError: no such mask.
    """
    if mask.ndim != 2 or not mask.size or mask.dtype != np.int8:
        raise ValueError(f"a painted mask is H×W int8, not {mask.shape} {mask.dtype}")
    if mask.min() < -1 or mask.max() > 1:
        raise ValueError("a painted mask holds −1, 0 and 1 alone")
    flat = np.ascontiguousarray(mask).reshape(-1)
    starts = np.append(0, np.flatnonzero(flat[1:] != flat[:-1]) + 1)
    lengths = np.diff(np.append(starts, flat.size))
    short = np.minimum(lengths, _LONG).astype(np.uint8)
    long = lengths[short == _LONG].astype("<u4")
    # Like lies beside like, so that the pattern of a soft rim packs well.
    runs = flat[starts].tobytes() + short.tobytes() + long.tobytes()
    body = struct.pack("<I", len(starts)) + zlib.compress(runs, _LEVEL)
    height, width = mask.shape
    return _HEADER.pack(_MAGIC, _VERSION, height, width, _checksum(height, width, body)) + body


def unpack(packed: bytes) -> Brush:
    """The H×W mask that `pack` was given.

    Raises ValueError: foreign, newer or damaged bytes, or a mask larger than any picture read.
    """
    if len(packed) < _HEADER.size + 4:
        raise ValueError("the runs of a mask end too early")
    magic, version, height, width, checksum = _HEADER.unpack_from(packed)
    if magic != _MAGIC:
        raise ValueError("these bytes are no mask")
    if version != _VERSION:
        raise ValueError(f"a mask of version {version}, but only {_VERSION} can be read")
    body = packed[_HEADER.size :]
    if checksum != _checksum(height, width, body):
        raise ValueError("the runs of a mask do not add up to their checksum")
    if height * width > MOST_PIXELS:
        raise ValueError(f"a mask of {width}×{height}, larger than any picture that is read")
    values, lengths = _runs(body, pixels=height * width)
    return np.repeat(values, lengths).reshape(height, width)


def fingerprint(packed: bytes) -> str:
    """SHA-256 of a packed mask, hex: the name it is kept under."""
    return sha256(packed).hexdigest()


def _runs(body: bytes, *, pixels: int) -> tuple[Brush, npt.NDArray[np.int64]]:
    (count,) = struct.unpack_from("<I", body)
    try:
        unpacking = zlib.decompressobj()
        # A run is two bytes, and four more where it is long: there are at most as many as pixels.
        runs = unpacking.decompress(body[4:], 6 * pixels + 1)
    except zlib.error as error:
        raise ValueError(f"the runs of a mask cannot be unpacked ({error})") from None
    if not unpacking.eof or len(runs) < 2 * count or (len(runs) - 2 * count) % 4:
        raise ValueError("the runs of a mask end too early")
    values = np.frombuffer(runs, np.int8, count)
    lengths = np.frombuffer(runs, np.uint8, count, offset=count).astype(np.int64)
    long = np.frombuffer(runs, "<u4", offset=2 * count)
    if int((lengths == _LONG).sum()) != long.size:
        raise ValueError("the runs of a mask contradict each other")
    lengths[lengths == _LONG] = long
    if not count or lengths.sum() != pixels or values.min() < -1 or values.max() > 1:
        raise ValueError("the runs of a mask do not fill its picture")
    return values, lengths


def _checksum(height: int, width: int, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(_SIZES.pack(height, width)))
