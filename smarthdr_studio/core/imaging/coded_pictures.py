"""Pictures in PNG and JPEG files: what they say of curve, bits and orientation; their pixels."""

import io
import re
import struct
import zlib
from collections.abc import Callable
from typing import BinaryIO, Final, TypeVar

import numpy as np

from smarthdr_studio.core.imaging.image_headers import (
    exif_tags,
    jpeg_frame,
    jpeg_segments,
    png_chunks,
    png_size,
)
from smarthdr_studio.core.imaging.picture_header import (
    Alpha,
    Decoded,
    PictureHeader,
    Pixels,
    Refused,
    by_opencv,
    spread,
)
from smarthdr_studio.core.imaging.printed import heard
from smarthdr_studio.core.imaging.tiff_tags import ORIENTATION
from smarthdr_studio.core.imaging.transfer import HLG, PQ, Curve, h273_curve, icc_curve

_T = TypeVar("_T")

_MOST_PROFILE: Final = 1 << 24
_MOST_CHUNK: Final = 1 << 26
_SAID_BEFORE_PIXELS: Final = {b"cICP", b"iCCP", b"sRGB", b"gAMA", b"sBIT", b"IHDR"}
# Lossless and hierarchical kinds of JPEG, which no usual decoder knows.
_LOSSLESS: Final = frozenset({0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF})
_JPEG_ICC: Final = 0xE2
_PNG_WITH_ALPHA: Final = (
    3,
    4,
    6,
)  # of a palette, whose colours may be transparent, of grey, of RGB
_PARTED: Final = 6  # bytes of a pixel, while colours are parted from alpha
_ICC_MARK: Final = b"ICC_PROFILE\0"
# What libjpeg prints of a scan that it cannot follow. Bytes too many before a marker, as some
# cameras leave them, cost no pixel.
_DAMAGED_SCAN: Final = re.compile(
    rb"^(Corrupt JPEG data: (?!\d+ extraneous)|Premature end of JPEG|Inconsistent progression)",
    re.MULTILINE,
)


def orientation_of(stream: BinaryIO) -> int:
    """The EXIF orientation, 1 where there is none or one that does not exist."""
    number = int(next(iter(exif_tags(stream).get(ORIENTATION, ())), 1))
    return number if 1 <= number <= 8 else 1


def png_header(stream: BinaryIO) -> PictureHeader:
    """Raises ValueError."""
    height, width = png_size(stream)
    stream.seek(24)
    bits, colours = struct.unpack(">BB", stream.read(2))
    orientation = orientation_of(stream)
    alpha = colours in _PNG_WITH_ALPHA
    return PictureHeader(
        height=height,
        width=width,
        orientation=orientation,
        channels=4 if alpha else 3,
        sample_bytes=2 if bits == 16 else 1,
        plain=orientation == 1,
        worked=_PARTED if alpha else 0,
    )


def decode_png(raw: bytes) -> Decoded:
    """H×W×C uint8 or uint16. Raises Refused, ValueError, and cv2.error for the damaged."""
    said = _said(io.BytesIO(raw))
    pixels = by_opencv(_pixels_alone(raw))
    bits = min((each for each in said.get(b"sBIT", b"")), default=16)
    if pixels.dtype == np.uint16 and 8 < bits < 16 and _lies_in_lower_bits(pixels, bits):
        pixels = spread(pixels, bits)
    alpha: Alpha = "straight" if pixels.shape[2] == 4 else "none"
    return Decoded(pixels=pixels, curve=_png_curve(said), alpha=alpha)


def _pixels_alone(raw: bytes) -> bytes:
    """The same PNG without what says anything else: decoders unpack and complain of all of it."""
    parts, dropped = [raw[:8]], False
    for name, at, length in png_chunks(io.BytesIO(raw)):
        if name[:1].isupper() or name == b"tRNS":
            parts.append(raw[at - 8 : at + length + 4])
        else:
            dropped = True
    return b"".join(parts) if dropped else raw


def _lies_in_lower_bits(pixels: Pixels, bits: int) -> bool:
    """Whether values were not scaled up to 16 bits, as the format demands, but left as they were.

    Scaled values repeat their upper bits in the lower ones, so a dark picture has zeros there.
    """
    if int(pixels.max()) >= 2**bits:
        return False
    upper = pixels >> (16 - bits)
    return bool((((upper << (16 - bits)) | (upper >> max(0, 2 * bits - 16))) != pixels).any())


def _said(stream: BinaryIO) -> dict[bytes, bytes]:
    found = {}
    for name, at, length in png_chunks(stream):
        if name == b"IDAT":
            break
        if name in _SAID_BEFORE_PIXELS and length <= _MOST_CHUNK:
            stream.seek(at)
            found[name] = stream.read(length)
    return found


def _png_curve(said: dict[bytes, bytes]) -> Curve | None:
    """The curve by the first of cICP, iCCP, sRGB and gAMA (PNG, third edition, 4.3)."""
    if len(said.get(b"cICP", b"")) == 4:
        code = said[b"cICP"][1]
        refuse_hdr_curve(code)
        return h273_curve(code)
    if b"iCCP" in said:
        _, _, packed = said[b"iCCP"].partition(b"\0")
        try:
            return icc_curve(zlib.decompressobj().decompress(packed[1:], _MOST_PROFILE))
        except zlib.error:
            return None
    if b"sRGB" in said or len(said.get(b"gAMA", b"")) != 4:
        return None
    (gamma,) = struct.unpack(">I", said[b"gAMA"])
    return Curve(gamma=100_000 / gamma) if 10_000 <= gamma <= 1_000_000 else None


def refuse_hdr_curve(code: int) -> None:
    """Raises Refused for the curves of HDR displays, which are neither camera nor linear values."""
    name = {PQ: "PQ", HLG: "HLG"}.get(code)
    if name:
        raise Refused(
            f"holds values under the {name} curve of HDR displays; export the frame as sRGB or "
            "linear"
        )


def jpeg_header(stream: BinaryIO) -> PictureHeader:
    """Raises ValueError, and Refused for JPEG of a kind that is not read."""
    marker, bits, height, width = jpeg_frame(stream)
    if marker in _LOSSLESS or bits != 8:
        kind = "lossless or hierarchical" if marker in _LOSSLESS else f"{bits}-bit"
        raise Refused(f"is a {kind} JPEG, which is not read; save it as a 16-bit TIFF or PNG")
    orientation = orientation_of(stream)
    return PictureHeader(
        height=height,
        width=width,
        orientation=orientation,
        sample_bytes=1,
        plain=orientation == 1,
    )


def decode_jpeg(raw: bytes) -> Decoded:
    """H×W×C uint8. Raises ValueError, and cv2.error for the damaged."""
    pixels = sound(lambda: by_opencv(raw))
    return Decoded(pixels=pixels, curve=icc_curve(_jpeg_profile(io.BytesIO(raw))))


def sound(decode: Callable[[], _T]) -> _T:
    """What `decode` makes of a JPEG. Raises ValueError where a scan is damaged.

    libjpeg guesses the pixels of such a scan and prints so: nothing of that is a picture.
    """
    with heard() as said:
        found = decode()
    if _DAMAGED_SCAN.search(said()):
        with heard(alone=True) as said:
            found = decode()
        if _DAMAGED_SCAN.search(said()):
            raise ValueError("a scan is damaged")
    return found


def _jpeg_profile(stream: BinaryIO) -> bytes:
    """The ICC profile, which may be spread over several segments."""
    parts = {}
    for marker, at, length in jpeg_segments(stream):
        if marker == _JPEG_ICC and length > len(_ICC_MARK) + 2:
            stream.seek(at)
            data = stream.read(length)
            if data.startswith(_ICC_MARK):
                parts[data[len(_ICC_MARK)]] = data[len(_ICC_MARK) + 2 :]
    return b"".join(parts[number] for number in sorted(parts))
