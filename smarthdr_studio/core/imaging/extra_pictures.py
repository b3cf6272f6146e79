"""RAW, HEIC, AVIF and JPEG XL: read by libraries that are optional, and named where they lack."""

import io
import re
import struct
from importlib import import_module
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np

from smarthdr_studio.core.environment import pip_install
from smarthdr_studio.core.imaging.coded_pictures import refuse_hdr_curve
from smarthdr_studio.core.imaging.image_headers import Kind
from smarthdr_studio.core.imaging.picture_header import (
    Alpha,
    Decoded,
    PictureHeader,
    Pixels,
    Refused,
)
from smarthdr_studio.core.imaging.printed import unheard
from smarthdr_studio.core.imaging.transfer import LINEAR, h273_curve, icc_curve

# Kind: what it is called, the library that reads it, and the extra that brings the library.
_LIBRARIES: Final[dict[Kind, tuple[str, str, str]]] = {
    "raw": ("RAW and DNG pictures", "rawpy", "raw"),
    "heif": ("HEIC pictures", "pi_heif", "heic"),
    "avif": ("AVIF pictures", "imagecodecs", "formats"),
    "jxl": ("JPEG XL pictures", "imagecodecs", "formats"),
}
_MOST_SEARCHED: Final = 1 << 20


@unheard()
def extra_header(stream: BinaryIO, *, kind: Kind) -> PictureHeader:
    """Raises ValueError, and Refused where the library that reads the kind is not installed."""
    library = _library(kind)
    stream.seek(0)
    match kind:
        case "raw":
            with library.imread(stream) as raw:
                sizes = raw.sizes
                height, width = sizes.iheight, sizes.iwidth
                if sizes.flip in (5, 6):
                    height, width = width, height
        case "heif":
            opened = library.open_heif(stream, convert_hdr_to_8bit=False)
            width, height = opened.size
        case "avif":
            height, width = _avif_size(stream.read(_MOST_SEARCHED))
        case _:
            height, width, *_ = _jxl_header(stream.read(_MOST_SEARCHED))
    return PictureHeader(height=int(height), width=int(width), plain=False)


@unheard()
def decode_extra(raw: bytes, *, kind: Kind) -> Decoded:
    """H×W×C uint8 or uint16. Raises Refused, and what the libraries raise for damaged files."""
    library = _library(kind)
    match kind:
        case "raw":
            return Decoded(pixels=_developed(raw, library), curve=LINEAR)
        case "heif":
            return _decode_heif(raw, library)
        case "avif":
            code, bits = _transfer(raw), _avif_bits(raw)
            decode = library.avif_decode
        case _:
            header = _jxl_header(raw[:_MOST_SEARCHED])
            code, bits = header.transfer or 0, header.bits
            decode = library.jpegxl_decode
    refuse_hdr_curve(code)
    pixels = decode(raw)
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if pixels.dtype.kind != "u":
        raise Refused(f"holds {pixels.dtype} values; save the frame with 8 or 16 bits")
    if pixels.dtype == np.uint16 and 8 < bits < 16:
        pixels = _widened(pixels, bits)
    return Decoded(pixels=pixels, curve=h273_curve(code), alpha=_alpha(pixels))


def _library(kind: Kind) -> Any:  # noqa: ANN401 (libraries without types)
    what, name, extra = _LIBRARIES[kind]
    try:
        return import_module(name)
    except ImportError:
        raise Refused(
            f"reading {what} needs {name.replace('_', '-')}: "
            f"{pip_install(extra)}, or save it as 16-bit TIFF"
        ) from None


def _developed(raw: bytes, library: Any) -> Pixels:  # noqa: ANN401
    """Linear 16-bit RGB, H×W×3, on the one scale and under the one white balance of a camera.

    Daylight is the same for every frame of a camera, whatever the camera took for white in each;
    neither brightness nor the level of white is fitted to what a frame shows.
    """
    with library.imread(io.BytesIO(raw)) as opened:
        daylight = list(opened.daylight_whitebalance)
        known = all(np.isfinite(each) and each > 0 for each in daylight[:3])
        balance = [*daylight[:3], daylight[3] or daylight[1]] if known else [1.0] * 4
        developed: Pixels = opened.postprocess(
            gamma=(1, 1),
            no_auto_bright=True,
            adjust_maximum_thr=0.0,
            output_bps=16,
            user_wb=balance,
        )
    return developed


def _decode_heif(raw: bytes, library: Any) -> Decoded:  # noqa: ANN401
    opened = library.open_heif(io.BytesIO(raw), convert_hdr_to_8bit=False)
    profile = opened.info.get("nclx_profile") or {}
    code = int(profile.get("transfer_characteristics", 0))
    refuse_hdr_curve(code)
    curve = icc_curve(opened.info.get("icc_profile") or b"") or h273_curve(code)
    pixels = np.asarray(opened)
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    bits = int(opened.info.get("bit_depth") or 16)
    if pixels.dtype == np.uint16 and 8 < bits < 16:
        # The library puts 10 or 12 bits into the upper ones of 16, so that white lacks the rest.
        pixels = _widened(pixels >> (16 - bits), bits)
    return Decoded(pixels=np.ascontiguousarray(pixels), curve=curve, alpha=_alpha(pixels))


def _alpha(pixels: Pixels) -> Alpha:
    return "straight" if pixels.shape[2] in (2, 4) else "none"


def _widened(pixels: Pixels, bits: int) -> Pixels:
    top = 2**bits - 1
    wide: Pixels = np.round(np.minimum(pixels, top) * (65535 / top)).astype(np.uint16)
    return wide


def _colour_box(raw: bytes) -> bytes:
    found = re.search(rb"colrnclx(.{6})", raw[:_MOST_SEARCHED], re.DOTALL)
    return found[1] if found else b""


def _transfer(raw: bytes) -> int:
    box = _colour_box(raw)
    return int.from_bytes(box[2:4]) if box else 0


def _avif_bits(raw: bytes) -> int:
    """Bits per channel by the configuration of the codec (AV1 in ISO media, av1C)."""
    found = re.search(rb"av1C\x81(..)", raw[:_MOST_SEARCHED], re.DOTALL)
    if found is None:
        raise ValueError("no AV1 configuration")
    flags = found[1][1]
    high, twelve = flags & 0x40, flags & 0x20
    return (12 if twelve else 10) if high else 8


def _avif_size(raw: bytes) -> tuple[int, int]:
    """Height and width of the largest picture. Raises Refused where a box turns it."""
    sizes = [
        struct.unpack(">II", raw[each.end() : each.end() + 8])
        for each in re.finditer(rb"ispe\0{4}", raw)
        if len(raw) >= each.end() + 8
    ]
    if not sizes:
        raise ValueError("no size")
    turned = re.search(rb"irot(?!\0)|imir", raw)
    if turned:
        raise Refused("is an AVIF turned by its header, which is not read; save it upright")
    width, height = max(sizes, key=lambda each: each[0] * each[1])
    return height, width


class _Bits:
    """Bits of a codestream, the lowest first."""

    def __init__(self, raw: bytes) -> None:
        self._number, self._at, self._end = int.from_bytes(raw, "little"), 0, 8 * len(raw)

    def take(self, count: int) -> int:
        if self._at + count > self._end:
            raise ValueError("the header ends too early")
        value = (self._number >> self._at) & ((1 << count) - 1)
        self._at += count
        return value

    def one_of(self, *forms: tuple[int, int]) -> int:
        """A number by the one of four forms that two bits name: an offset, and how many bits."""
        offset, count = forms[self.take(2)]
        return offset + self.take(count)

    def choice(self) -> int:
        """A number that stands for one of a list."""
        return self.one_of((0, 0), (1, 0), (2, 4), (18, 6))


# Width by height for each ratio that JPEG XL has a number for (ISO 18181-1, size header).
_RATIOS: Final = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


class _JxlHeader(NamedTuple):
    height: int
    width: int
    bits: int
    transfer: int | None  # as H.273 numbers it; None where it is not said so


_JXL_STREAM: Final = b"\xff\x0a"


def _jxl_header(raw: bytes) -> _JxlHeader:
    """Size as seen, bits and curve of a JPEG XL by its first bits (ISO 18181-1, annexes A and E).

    Raises ValueError, and Refused for previews, animations and channels beside colours and alpha.
    """
    start = 0 if raw.startswith(_JXL_STREAM) else raw.find(_JXL_STREAM)
    if start < 0:
        raise ValueError("no codestream")
    bits = _Bits(raw[start + 2 : start + 130])
    height, width = _jxl_size(bits)
    if bits.take(1):
        return _JxlHeader(height, width, bits=8, transfer=None)
    if bits.take(1):
        height, width = _jxl_turned(bits, height=height, width=width)
    depth = _jxl_depth(bits)
    return _JxlHeader(height, width, bits=depth, transfer=_jxl_transfer(bits))


def _jxl_turned(bits: _Bits, *, height: int, width: int) -> tuple[int, int]:
    if bits.take(3) >= 4:
        height, width = width, height
    if bits.take(1):
        _jxl_size(bits)
    if bits.take(2):
        raise Refused("is a JPEG XL with a preview or an animation; save the one picture")
    return height, width


def _jxl_depth(bits: _Bits) -> int:
    """Bits of a channel; the stream is left before the colour encoding."""
    if bits.take(1):
        raise Refused("is a JPEG XL of floats; save the frame with 8 or 16 bits")
    depth = bits.one_of((8, 0), (10, 0), (12, 0), (1, 6))
    bits.take(1)
    for _ in range(bits.one_of((0, 0), (1, 0), (2, 4), (1, 12))):
        if not bits.take(1):
            raise Refused("is a JPEG XL with channels beside colours and alpha; save it as RGB")
    bits.take(1)
    return depth


def _jxl_size(bits: _Bits) -> tuple[int, int]:
    small = bits.take(1)

    def length() -> int:
        return 8 * (bits.take(5) + 1) if small else bits.one_of((1, 9), (1, 13), (1, 18), (1, 30))

    height = length()
    ratio = bits.take(3)
    if not ratio:
        return height, length()
    across, down = _RATIOS[ratio - 1]
    return height, height * across // down


def _jxl_transfer(bits: _Bits) -> int | None:
    """The curve by the colour encoding; None for sRGB, for a power of its own and for a profile."""
    if bits.take(1) or bits.take(1):
        return None
    space = bits.choice()
    if space != 2:  # XYB has neither white nor primaries
        if bits.choice() == 2:
            _skip_chromaticity(bits)
        if space != 1 and bits.choice() == 2:
            for _ in range(3):
                _skip_chromaticity(bits)
    return None if bits.take(1) else bits.choice()


def _skip_chromaticity(bits: _Bits) -> None:
    for _ in range(2):
        bits.one_of((0, 19), (524288, 19), (1048576, 20), (2097152, 21))
