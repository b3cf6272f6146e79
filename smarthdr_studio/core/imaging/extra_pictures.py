"""RAW, HEIC, AVIF and JPEG XL: read by libraries that are optional, and named where they lack."""

import io
import re
import struct
from importlib import import_module
from typing import Any, BinaryIO, Final

import numpy as np

from smarthdr_studio.core.imaging.coded_pictures import refuse_hdr_curve
from smarthdr_studio.core.imaging.image_headers import Kind
from smarthdr_studio.core.imaging.picture_header import (
    Alpha,
    Decoded,
    PictureHeader,
    Pixels,
    Refused,
)
from smarthdr_studio.core.imaging.transfer import LINEAR, Curve, h273_curve, icc_curve

# Kind: what it is called, the library that reads it, and the extra that brings the library.
_LIBRARIES: Final[dict[Kind, tuple[str, str, str]]] = {
    "raw": ("RAW and DNG pictures", "rawpy", "raw"),
    "heif": ("HEIC pictures", "pi_heif", "heic"),
    "avif": ("AVIF pictures", "imagecodecs", "formats"),
    "jxl": ("JPEG XL pictures", "imagecodecs", "formats"),
}
_MOST_SEARCHED: Final = 1 << 20


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
            height, width = _jxl_size(stream.read(_MOST_SEARCHED))
    return PictureHeader(height=int(height), width=int(width), plain=False)


def decode_extra(raw: bytes, *, kind: Kind) -> Decoded:
    """H×W×C uint8 or uint16. Raises Refused, and what the libraries raise for damaged files."""
    library = _library(kind)
    match kind:
        case "raw":
            return Decoded(pixels=_developed(raw, library), curve=LINEAR)
        case "heif":
            return _decode_heif(raw, library)
        case "avif":
            refuse_hdr_curve(_transfer(raw))
            pixels, curve = library.avif_decode(raw), _iso_curve(raw)
        case _:
            pixels, curve = library.jpegxl_decode(raw), None
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if pixels.dtype.kind != "u":
        raise Refused(f"holds {pixels.dtype} values; save the frame with 8 or 16 bits")
    bits = _avif_bits(raw) if kind == "avif" else 16
    if pixels.dtype == np.uint16 and bits < 16:
        pixels = _widened(pixels, bits)
    return Decoded(pixels=pixels, curve=curve, alpha=_alpha(pixels))


def _library(kind: Kind) -> Any:  # noqa: ANN401 (libraries without types)
    what, name, extra = _LIBRARIES[kind]
    try:
        return import_module(name)
    except ImportError:
        raise Refused(
            f"reading {what} needs {name.replace('_', '-')}: "
            f"pip install 'smarthdr-studio[{extra}]', or save it as 16-bit TIFF"
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
    if opened.mode.endswith(";10") or opened.mode.endswith(";12"):
        pixels = _widened(pixels, int(opened.mode[-2:]))
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


def _iso_curve(raw: bytes) -> Curve | None:
    return h273_curve(_transfer(raw))


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


# Width by height for each ratio that JPEG XL has a number for (ISO 18181-1, size header).
_RATIOS: Final = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


def _jxl_size(raw: bytes) -> tuple[int, int]:
    """Height and width as the picture is seen, by the size header of JPEG XL."""
    start = raw.find(b"\xff\x0a") if not raw.startswith(b"\xff\x0a") else 0
    if start < 0:
        raise ValueError("no codestream")
    bits = _Bits(raw[start + 2 : start + 34])
    small = bits.take(1)

    def length() -> int:
        if small:
            return 8 * (bits.take(5) + 1)
        return bits.take((9, 13, 18, 30)[bits.take(2)]) + 1

    height = length()
    ratio = bits.take(3)
    if ratio:
        across, down = _RATIOS[ratio - 1]
        width = height * across // down
    else:
        width = length()
    turned = not bits.take(1) and bits.take(1) and bits.take(3) >= 4
    return (width, height) if turned else (height, width)
