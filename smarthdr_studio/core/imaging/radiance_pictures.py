"""Radiance files in RGBE or XYZE with all that their headers say, and portable float maps."""

import io
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.imaging.colours import REC_709, rgb_of_xyz, to_rec709
from smarthdr_studio.core.imaging.picture_header import Decoded, PictureHeader, Refused
from smarthdr_studio.core.imaging.printed import unheard
from smarthdr_studio.core.imaging.radiometry import Floats

_MOST_HEADER: Final = 1 << 16
_SIZE: Final = re.compile(rb"([-+])([XY])\s+(\d+)\s+([-+])([XY])\s+(\d+)\s*\Z")
_NEW_RLE: Final = range(8, 32768)
_RUN: Final = 128  # a larger count repeats one byte, a smaller one is followed by as many
# The primaries that Radiance means when it names none differ from Rec. 709 by less.
_SAME: Final = 0.012


@dataclass(frozen=True, slots=True, kw_only=True)
class _RgbeHeader:
    """`rows` of `columns` pixels as stored, and how they lie: X first, or an axis turned round."""

    rows: int
    columns: int
    x_first: bool
    flips: tuple[bool, bool]
    gains: tuple[float, float, float]
    xyz: bool
    primaries: tuple[float, ...]
    data: int


def rgbe_header(stream: BinaryIO) -> PictureHeader:
    """Height and width as the picture is seen. Raises ValueError and Refused."""
    found = _read_rgbe_header(stream)
    size = (found.columns, found.rows) if found.x_first else (found.rows, found.columns)
    return PictureHeader(height=size[0], width=size[1], sample_bytes=4)


def _read_rgbe_header(stream: BinaryIO) -> _RgbeHeader:
    """Lines end in a line feed, perhaps after a carriage return (Radiance, picture format)."""
    gains, xyz = np.ones(3), False
    primaries: tuple[float, ...] = ()
    for line in _lines(stream):
        name, _, value = line.partition(b"=")
        match name.strip():
            case b"FORMAT":
                if value.strip() not in (b"32-bit_rle_rgbe", b"32-bit_rle_xyze"):
                    word = value.strip().decode("ascii", "replace")
                    raise Refused(f"is a Radiance picture in the format {word}; save it as RGBE")
                xyz = value.strip() == b"32-bit_rle_xyze"
            case b"EXPOSURE":
                gains = gains / _numbers(value, 1)
            case b"COLORCORR":
                gains = gains / _numbers(value, 3)
            case b"PRIMARIES":
                primaries = tuple(_floats(value))
            case _ if size := _SIZE.fullmatch(line):
                return _oriented(size, gains=gains, xyz=xyz, primaries=primaries, at=stream.tell())
            case _:
                pass
    raise ValueError("no line with the size")


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    stream.seek(0)
    while stream.tell() < _MOST_HEADER and (line := stream.readline(_MOST_HEADER)):
        yield line.rstrip(b"\r\n")


def _floats(text: bytes) -> list[float]:
    return [float(word) for word in text.split()]


def _numbers(text: bytes, count: int) -> npt.NDArray[np.float64]:
    numbers = np.array(_floats(text))
    if len(numbers) != count or not (np.isfinite(numbers) & (numbers > 0)).all():
        raise ValueError("no exposure")
    return numbers


def _oriented(
    size: re.Match[bytes],
    *,
    gains: npt.NDArray[np.float64],
    xyz: bool,
    primaries: tuple[float, ...],
    at: int,
) -> _RgbeHeader:
    first_sign, first, rows, second_sign, second, columns = size.groups()
    if first == second:
        raise ValueError("one axis twice")
    signs = {first: first_sign, second: second_sign}
    red, green, blue = gains.tolist()
    return _RgbeHeader(
        rows=int(rows),
        columns=int(columns),
        x_first=first == b"X",
        # Rows are seen from the top when Y falls, columns from the left when X rises.
        flips=(signs[b"Y"] == b"+", signs[b"X"] == b"-"),
        gains=(red, green, blue),
        xyz=xyz,
        primaries=primaries,
        data=at,
    )


def decode_rgbe(raw: bytes) -> Decoded:
    """H×W×3 float32 radiance in Rec. 709: what the header says was done is undone.

    Raises ValueError and Refused.
    """
    header = _read_rgbe_header(io.BytesIO(raw))
    pixels = _rgbe_pixels(raw, header)
    if header.x_first:
        pixels = pixels.swapaxes(0, 1)
    vertical, horizontal = header.flips
    pixels = pixels[:: -1 if vertical else 1, :: -1 if horizontal else 1]
    if header.gains != (1.0, 1.0, 1.0):
        pixels = pixels * np.array(header.gains, np.float32)
    matrix = _matrix(header)
    if matrix is not None:
        pixels = np.maximum(pixels @ matrix.T.astype(np.float32), 0)
    return Decoded(pixels=np.ascontiguousarray(pixels), radiance=True)


def _matrix(header: _RgbeHeader) -> npt.NDArray[np.float64] | None:
    if header.xyz:
        return rgb_of_xyz()
    given = header.primaries
    # Photoshop writes eight zeros when it does not know them.
    known = len(given) == 8 and all(0 < each < 1 for each in given[1::2])
    if not known or all(abs(a - b) <= _SAME for a, b in zip(given[:6], REC_709[:6], strict=True)):
        return None
    return to_rec709(given)


def _rgbe_pixels(raw: bytes, header: _RgbeHeader) -> Floats:
    """Rows × columns × 3 as stored. Raises ValueError."""
    found = _by_opencv(raw, header)
    if found is not None:
        return found
    coded = np.empty((header.rows, header.columns, 4), np.uint8)
    row, at = _new_rle(raw, header, into=coded)
    if row < header.rows:
        flat = np.frombuffer(raw, np.uint8, offset=min(at, len(raw)))
        rest = coded[row:]
        rest[:] = _old_rle(flat, needed=rest.size // 4).reshape(rest.shape)
    return _floats_of_rgbe(coded)


def _by_opencv(raw: bytes, header: _RgbeHeader) -> Floats | None:
    """The same in a sixth of the time, or None where it would not be the same, or is damaged.

    OpenCV wants a file for it, and gets one in memory: no copy of a picture is put into the
    temporary folder, and none is called damaged because that is full.
    """
    at, size = header.data, (header.rows, header.columns)
    mark = _mark(header.columns)
    # Where other rows follow packed ones, OpenCV takes the marks of the old packing for pixels.
    if mark is None or raw.count(mark, at) != header.rows or not hasattr(os, "memfd_create"):
        return None
    try:
        with os.fdopen(os.memfd_create("radiance"), "wb") as memory, unheard():
            memory.write(b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y %d +X %d\n" % size)
            memory.write(memoryview(raw)[at:])
            memory.flush()
            pixels = cv2.imread(f"/proc/self/fd/{memory.fileno()}", cv2.IMREAD_UNCHANGED)
    except (OSError, cv2.error):
        return None
    if pixels is None or pixels.shape != (*size, 3) or pixels.dtype != np.float32:
        return None
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.float32)


def _mark(columns: int) -> bytes | None:
    """What rows of so many pixels begin with when they are packed; short ones never are."""
    return bytes((2, 2, columns >> 8, columns & 255)) if columns in _NEW_RLE else None


def _new_rle(raw: bytes, header: _RgbeHeader, *, into: npt.NDArray[np.uint8]) -> tuple[int, int]:
    """Rows that are packed in the usual way: each as four planes, in runs and as they are.

    Answers the first row that is not, and where it begins. Raises ValueError.
    """
    at, columns = header.data, header.columns
    mark, planes = _mark(columns), bytearray(4 * columns)
    for row in range(header.rows):
        if raw[at : at + 4] != mark:
            return row, at
        at = _unpack_row(raw, at + 4, planes)
        into[row] = np.frombuffer(planes, np.uint8).reshape(4, columns).T
    return header.rows, at


def _unpack_row(raw: bytes, at: int, planes: bytearray) -> int:
    """One row from `at` on; where the next begins. Raises ValueError."""
    filled, needed = 0, len(planes)
    try:
        # A hundred thousand times for a picture: what is short or too long shows at the end.
        while filled < needed:
            count = raw[at]
            if count > _RUN:
                count -= _RUN
                planes[filled : filled + count] = raw[at + 1 : at + 2] * count
                at += 2
            else:
                planes[filled : filled + count] = raw[at + 1 : at + 1 + count]
                at += count + 1
            filled += count
    except IndexError:
        filled = -1
    if filled != needed or len(planes) != needed:
        raise ValueError("the pixels end too early")
    return at


def _old_rle(packed: npt.NDArray[np.uint8], *, needed: int) -> npt.NDArray[np.uint8]:
    """Pixels of the old way of packing: (1, 1, 1, n) repeats the one before n times.

    No usual pixel is (1, 1, 1), so what is not packed at all comes out as it is.
    """
    codes = packed[: packed.size // 4 * 4].reshape(-1, 4)
    marks = (codes[:, :3] == 1).all(axis=1)
    counts = np.ones(len(codes), np.int64)
    shift = 0
    for at in np.flatnonzero(marks).tolist():
        # Marks in a row are the digits of one count, the lowest first.
        shift = shift + 8 if at and marks[at - 1] else 0
        counts[at] = int(codes[at, 3]) << min(shift, 32)
    sources = np.maximum.accumulate(np.where(marks, -1, np.arange(len(codes))))
    if not len(codes) or marks[0] or counts.sum() < needed:
        raise ValueError("the pixels end too early")
    ends = np.cumsum(counts)
    last = int(np.searchsorted(ends, needed))
    counts[last] -= int(ends[last]) - needed
    return np.repeat(codes[sources[: last + 1]], counts[: last + 1], axis=0)


def _floats_of_rgbe(pixels: npt.NDArray[np.uint8]) -> Floats:
    scale = np.ldexp(np.float32(1), pixels[..., 3:].astype(np.int32) - 136)
    scale[pixels[..., 3:] == 0] = 0
    return np.multiply(pixels[..., :3], scale, dtype=np.float32)


_PFM: Final = re.compile(rb"(P[Ff])\s+(\d{1,9})\s+(\d{1,9})\s+([-+.0-9eE]{1,40})[ \t\r]*\n")


def _read_pfm_header(start: bytes) -> tuple[int, int, int, str, int]:
    """Height, width, channels, byte order, and where the pixels begin."""
    found = _PFM.match(start)
    if found is None:
        raise ValueError("no PFM header")
    scale = float(found[4])
    if not math.isfinite(scale) or scale == 0:
        raise ValueError("no PFM scale")
    order = "<" if scale < 0 else ">"
    return int(found[3]), int(found[2]), 3 if found[1] == b"PF" else 1, order, found.end()


def pfm_header(stream: BinaryIO) -> PictureHeader:
    """Raises ValueError."""
    stream.seek(0)
    height, width, *_ = _read_pfm_header(stream.read(256))
    return PictureHeader(height=height, width=width, sample_bytes=4)


def decode_pfm(raw: bytes) -> Decoded:
    """H×W×1 or H×W×3 float32, the top row first; the file keeps the bottom row first.

    The sign of the scale is the byte order; its size is only a remark, as other readers take it.
    """
    height, width, channels, order, at = _read_pfm_header(raw[:256])
    count = height * width * channels
    if len(raw) - at < 4 * count:
        raise ValueError("the pixels end too early")
    values = np.frombuffer(raw, order + "f4", count=count, offset=at)
    upright = values.reshape(height, width, channels)[::-1]
    return Decoded(pixels=upright.astype(np.float32), radiance=True)
