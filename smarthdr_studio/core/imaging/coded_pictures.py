"""Pictures in PNG and JPEG files: what they say of curve, bits and orientation; their pixels."""

import ctypes
import io
import os
import re
import struct
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
    with _LIBJPEG.heard() as complained:
        found = decode()
    if complained():
        with _LIBJPEG.heard(alone=True) as complained:
            found = decode()
        if complained():
            raise ValueError("a scan is damaged")
    return found


class _PrintedByC:
    """What C libraries print to stderr, kept from the terminal and read.

    libjpeg inside OpenCV knows no other way to say that it guesses pixels. Python's own stderr and
    descriptor 2 are left alone: only the variable `stderr` of the C library points elsewhere
    meanwhile. Of several threads that decode at once nobody knows whose a line is; who has to know
    decodes again, alone. Without glibc nothing is heard.
    """

    def __init__(self) -> None:
        self._begin(None)
        if sys.platform == "linux":
            os.register_at_fork(after_in_child=lambda: self._begin(self._before))

    def _begin(self, before: int | None) -> None:
        """As at the start of a process; `before` is what a forked one has to point to again."""
        self._free = threading.Condition()
        self._inside = self._waiting = 0
        self._place: ctypes.c_void_p | None = None
        self._sought = False  # only who decodes needs a file for it
        self._before: int | None = None
        if before is not None and (place := self._sought_place()) is not None:
            place.value = before

    def _sought_place(self) -> ctypes.c_void_p | None:
        if not self._sought:
            self._sought = True
            with suppress(OSError, AttributeError, ValueError):
                self._place = self._found_place()
        return self._place

    def _found_place(self) -> ctypes.c_void_p | None:
        """The variable; None where it cannot be pointed elsewhere."""
        if sys.platform != "linux":
            return None
        library = ctypes.CDLL(None)
        if not hasattr(library, "gnu_get_libc_version"):  # elsewhere it may be read-only
            return None
        self._kept = os.memfd_create("stderr of C")
        library.fdopen.restype = ctypes.c_void_p
        stream = ctypes.c_void_p(library.fdopen(os.dup(self._kept), b"a"))
        if stream.value is None:
            return None
        library.setvbuf(stream, None, 2, 0)  # 2 is _IONBF: what is printed is there at once
        self._own = stream.value
        return ctypes.c_void_p.in_dll(library, "stderr")

    @contextmanager
    def heard(self, *, alone: bool = False) -> Iterator[Callable[[], bool]]:
        """Asked after the block, what it gives says whether a damaged scan was told of inside it.

        `alone` waits for the other threads, so that it can have been none of theirs.
        """
        begun = self._enter(alone=alone)
        said = b""
        try:
            yield lambda: _DAMAGED_SCAN.search(said) is not None
        finally:
            said = self._leave(begun, alone=alone)

    def _enter(self, *, alone: bool) -> int:
        with self._free:
            self._waiting += alone
            self._free.wait_for(lambda: not (self._inside if alone else self._waiting))
            self._inside += 1
            if (place := self._sought_place()) is None:
                return 0
            if self._inside == 1:
                os.ftruncate(self._kept, 0)
                self._before, place.value = place.value, self._own
            return os.fstat(self._kept).st_size

    def _leave(self, begun: int, *, alone: bool) -> bytes:
        with self._free:
            self._inside -= 1
            self._waiting -= alone
            said = b""
            if self._place is not None:
                said = os.pread(self._kept, 2**16, begun)
                if not self._inside:
                    self._place.value, self._before = self._before, None
            self._free.notify_all()
            return said


_LIBJPEG: Final = _PrintedByC()


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
