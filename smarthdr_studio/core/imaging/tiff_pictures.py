"""Pictures in TIFF files: what one holds by its tags, and pixels by the decoder that is right."""

import io
import logging
import struct
import zlib
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import BinaryIO, Final, Literal

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.environment import pip_install
from smarthdr_studio.core.imaging.colours import REC_709, adaptation, rgb_of_xyz, xyz_of_white
from smarthdr_studio.core.imaging.picture_header import (
    Alpha,
    Decoded,
    PictureHeader,
    Pixels,
    Refused,
    by_opencv,
    spread,
)
from smarthdr_studio.core.imaging.printed import unheard
from smarthdr_studio.core.imaging.tiff_tags import (
    HEIGHT,
    ORIENTATION,
    WIDTH,
    Directory,
    directories,
    opaque_bytes,
    place_of_value,
)
from smarthdr_studio.core.imaging.transfer import icc_curve
from smarthdr_studio.core.words import counted

_KIND, _OLD_KIND = 0x00FE, 0x00FF
_BITS, _COMPRESSION, _PHOTOMETRIC = 0x0102, 0x0103, 0x0106
_STRIP_OFFSETS, _SAMPLES, _STRIP_COUNTS = 0x0111, 0x0115, 0x0117
_MOST_VALUE, _PLANAR, _PREDICTOR = 0x0119, 0x011C, 0x013D
_WHITE_POINT, _TILE_WIDTH, _TILE_HEIGHT = 0x013E, 0x0142, 0x0143
_TILE_OFFSETS, _TILE_COUNTS, _EXTRA, _FORMAT, _ICC = 0x0144, 0x0145, 0x0152, 0x0153, 0x8773

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_CIELAB, _ICCLAB = 8, 9
_PHOTOMETRICS: Final = {
    4: "a transparency mask", 10: "ITU Lab colours", 32844: "LogL", 32845: "LogLuv",
    51177: "a depth map",
}  # fmt: skip
# Compressions that OpenCV decodes, with any samples and with samples of 8 bits.
_OPENCV: Final = {1, 5, 8, 32773, 32946}
_OPENCV_8: Final = _OPENCV | {2, 3, 4, 6, 7, 32771}
_NONE, _LZW, _DEFLATE, _LZMA = 1, 5, 8, 34925
# Those that tifffile decodes by itself; LZW is unpacked for it.
_TIFFFILE: Final = {1, 5, 8, 32773, 32946, _LZMA}
_NAMES: Final = {
    2: "CCITT", 3: "CCITT", 4: "CCITT", 6: "old JPEG", 7: "JPEG", 33003: "JPEG 2000",
    33004: "JPEG 2000", 33005: "JPEG 2000", 34712: "JPEG 2000", 33007: "JPEG", 34887: "LERC",
    34892: "lossy JPEG", 34927: "WebP", 34933: "PNG", 34934: "JPEG XR", 22610: "JPEG XR",
    50000: "Zstandard", 34926: "Zstandard", 50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL",
    34676: "SGILog", 34677: "SGILog", 32809: "ThunderScan", 34661: "JBIG",
}  # fmt: skip
_FLOAT: Final = 3
_WORKED_LAB, _WORKED_ALPHA, _WORKED_DEEP = 200, 72, 36
_FORMATS: Final = {1: "uint", 2: "int", 3: "float", 4: "uint", 5: "complex int", 6: "complex"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TiffLayout:
    """How the one picture of a TIFF is kept, and who decodes it right."""

    directory: Directory
    header: PictureHeader
    bits: int
    kind: str
    samples: int
    photometric: int
    planes: bool
    compression: int
    predictor: int
    alpha: Alpha
    by: Literal["OpenCV", "tifffile"]


def tiff_layout(stream: BinaryIO) -> TiffLayout:
    """What the TIFF holds. Raises Refused for what cannot be read, ValueError for the damaged."""
    directory = _the_picture(directories(stream))

    def tag(number: int, otherwise: int) -> int:
        values = directory.tags.get(number) or (otherwise,)
        return int(values[0])

    bits, samples = _uniform(directory, _BITS, 1), tag(_SAMPLES, 1)
    number = _uniform(directory, _FORMAT, 1)
    orientation = tag(ORIENTATION, 1)
    found = TiffLayout(
        directory=directory,
        header=PictureHeader(
            height=tag(HEIGHT, 0),
            width=tag(WIDTH, 0),
            orientation=orientation if 1 <= orientation <= 8 else 1,
            channels=max(3, samples),
            sample_bytes=max(1, -(-bits // 8)),
            worked=_worked(directory, bits=bits, number=number),
        ),
        bits=bits,
        kind=_FORMATS.get(number, "unknown"),
        samples=samples,
        photometric=tag(_PHOTOMETRIC, _RGB if samples >= 3 else _BLACK_IS_ZERO),
        planes=tag(_PLANAR, 1) == 2 and samples > 1,
        compression=tag(_COMPRESSION, _NONE),
        predictor=tag(_PREDICTOR, 1),
        alpha=_alpha(directory),
        by="OpenCV",
    )
    return _assigned(found)


def _worked(directory: Directory, *, bits: int, number: int) -> int:
    """Bytes of a pixel that double precision takes on the way to colours, as measured."""
    lab = int((directory.tags.get(_PHOTOMETRIC) or (0,))[0]) in (_CIELAB, _ICCLAB)
    if lab:
        return _WORKED_LAB
    if _EXTRA in directory.tags:
        return _WORKED_ALPHA
    floats_with_curve = number == _FLOAT and _ICC in directory.tags
    return _WORKED_DEEP if floats_with_curve or (number != _FLOAT and bits > 16) else 0


def _the_picture(found: list[Directory]) -> Directory:
    """The one directory that is no thumbnail, mask or smaller copy. Raises Refused if several."""
    full = [each for each in found if WIDTH in each.tags and not _is_beside(each)] or found
    if not full:
        raise ValueError("a TIFF without a picture")
    first = full[0]
    if first.tags.get(_STRIP_OFFSETS) is None and first.tags.get(_TILE_OFFSETS) is None:
        raise ValueError("a TIFF picture without pixels")
    alike = [
        each
        for each in full
        if all(each.tags.get(tag) == first.tags.get(tag) for tag in (WIDTH, HEIGHT))
    ]
    if len(alike) > 1:
        raise Refused(
            f"holds {counted(len(alike), 'picture')} of one size; save each of them as a file "
            "of its own"
        )
    return first


def _is_beside(directory: Directory) -> bool:
    kind = int((directory.tags.get(_KIND) or (0,))[0])
    old = int((directory.tags.get(_OLD_KIND) or (1,))[0])
    return bool(kind & 0b101) or old == 2


def _uniform(directory: Directory, tag: int, otherwise: int) -> int:
    values = set(directory.tags.get(tag) or (otherwise,))
    if len(values) > 1:
        raise Refused("has channels of different depths; save all of them with 16 bits")
    return int(values.pop())


def _alpha(directory: Directory) -> Alpha:
    extras = directory.tags.get(_EXTRA, ())
    samples = int((directory.tags.get(_SAMPLES) or (1,))[0])
    colours = samples - len(extras)
    if not extras and samples in (2, 4) and directory.tags.get(_PHOTOMETRIC, (0,))[0] in (1, 2):
        return "straight"
    if not extras:
        return "none"
    if len(extras) > 1 or colours not in (1, 3):
        raise Refused(
            f"has {samples} channels, {len(extras)} of them beside the colours; save it as RGB"
        )
    return "premultiplied" if extras[0] == 1 else "straight"


def _assigned(layout: TiffLayout) -> TiffLayout:
    """The layout with who decodes it. Raises Refused, naming what cannot be decoded."""
    _refuse_unknown(layout)
    straight = layout.directory.place == (0,) and layout.alpha == "none" and not layout.planes
    deep = layout.photometric in (_BLACK_IS_ZERO, _RGB) and layout.samples in (1, 3)
    wide = (layout.kind, layout.bits) in _WIDE
    by_opencv = straight and deep and wide and layout.compression in _OPENCV
    # Samples of up to 8 bits go through a part of libtiff that knows every photometric.
    small = layout.kind == "uint" and layout.bits <= 8 and layout.photometric <= _YCBCR
    upfront = layout.directory.place == (0,) and layout.alpha == "none"
    by_opencv |= upfront and small and layout.compression in _OPENCV_8
    plain = by_opencv and deep and layout.bits in (8, 16) and layout.header.orientation == 1
    header = _with_plainness(layout.header, plain=plain and layout.kind == "uint")
    if by_opencv:
        return _replaced(layout, header, by="OpenCV")
    if layout.photometric in (_PALETTE, _CMYK, _YCBCR):
        raise Refused(
            f"holds {layout.bits}-bit {_COLOURS[layout.photometric]} in a way that is not read; "
            "save it as RGB"
        )
    _refuse_codec(layout)
    return _replaced(layout, header, by="tifffile")


_WIDE: Final = {("uint", bits) for bits in (8, 10, 12, 14, 16)} | {("float", 32)}
_COLOURS: Final = {_PALETTE: "palette colours", _CMYK: "CMYK colours", _YCBCR: "YCbCr colours"}


def _with_plainness(header: PictureHeader, *, plain: bool) -> PictureHeader:
    return replace(header, plain=plain)


def _replaced(
    layout: TiffLayout, header: PictureHeader, *, by: Literal["OpenCV", "tifffile"]
) -> TiffLayout:
    values = {name: getattr(layout, name) for name in TiffLayout.__slots__}
    return TiffLayout(**{**values, "header": header, "by": by})


def _refuse_unknown(layout: TiffLayout) -> None:
    if layout.photometric in _PHOTOMETRICS:
        raise Refused(f"holds {_PHOTOMETRICS[layout.photometric]} inside TIFF; save it as RGB")
    if layout.photometric > _ICCLAB or layout.photometric == 7:
        raise Refused(
            f"holds colours of TIFF's kind {layout.photometric}, which is not read; save it as RGB"
        )
    if layout.kind in ("complex", "complex int", "unknown") or layout.bits > 64:
        raise Refused(
            f"holds {layout.bits}-bit {layout.kind} values; save it with 16 bits or as float"
        )


def _refuse_codec(layout: TiffLayout) -> None:
    name = _NAMES.get(layout.compression, f"compression {layout.compression}")
    known = layout.compression in _TIFFFILE and layout.predictor in (1, 2)
    if not known and layout.predictor == 3 and layout.compression in _TIFFFILE:
        name = "values with the floating-point predictor"
    if not known and find_spec("imagecodecs") is None:
        raise Refused(
            f"holds {name} inside TIFF, and reading that needs imagecodecs: "
            f"{pip_install('formats')}, or save it with LZW or no compression"
        )
    packed = layout.bits not in (8, 16, 32, 64)
    if packed and layout.kind == "uint":
        raise Refused(f"holds {layout.bits}-bit values in a way that is not read; use 16 bits")


def decode_tiff(raw: bytes) -> Decoded:
    """Pixels of the one picture: uint8, uint16, uint32, int or float, H×W×C in RGB order.

    Raises Refused and ValueError, and whatever the decoders raise for damaged data.
    """
    stream = io.BytesIO(raw)
    layout = tiff_layout(stream)
    curve = icc_curve(opaque_bytes(stream, layout.directory, tag=_ICC))
    pixels = _by_opencv(raw, layout) if layout.by == "OpenCV" else _by_tifffile(raw, layout)
    if layout.photometric in (_CIELAB, _ICCLAB):
        pixels, curve = _rgb_of_lab(pixels, layout), None
    return Decoded(pixels=_full_range(pixels, layout), curve=curve, alpha=layout.alpha)


def _by_opencv(raw: bytes, layout: TiffLayout) -> Pixels:
    # OpenCV turns a TIFF by its orientation, but not each of them; so it is told of none.
    if layout.header.orientation != 1:
        raw = _upright(raw, layout.directory)
    pixels = by_opencv(raw)
    return pixels[..., :3] if layout.alpha == "none" else pixels


def _upright(raw: bytes, directory: Directory) -> bytes:
    place = place_of_value(io.BytesIO(raw), directory, tag=ORIENTATION)
    if place is None:
        raise Refused("keeps its orientation in a way that is not read; save it anew")
    at, order = place
    return raw[:at] + struct.pack(order + "H", 1) + raw[at + 2 :]


def _full_range(pixels: Pixels, layout: TiffLayout) -> Pixels:
    """Samples of 10 to 14 bits over all of 16: packed, or unpacked with the tag that says so."""
    if pixels.dtype != np.uint16:
        return pixels
    if layout.bits in (10, 12, 14):
        # OpenCV leaves them in the upper bits.
        return spread((pixels >> (16 - layout.bits)).astype(np.uint16), layout.bits)
    most = {int(value) for value in layout.directory.tags.get(_MOST_VALUE, ())}
    for bits in (10, 12, 14):
        if most == {2**bits - 1} and int(pixels.max()) < 2**bits:
            return spread(pixels, bits)
    return pixels


def _by_tifffile(raw: bytes, layout: TiffLayout) -> Pixels:
    import tifffile  # noqa: PLC0415 (only the odd ones need it)

    # Its murmurs about odd tags would end up on the terminal.
    logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)
    if layout.compression == _LZW:
        raw = _without_lzw(raw, layout)
    with unheard(), tifffile.TiffFile(io.BytesIO(raw)) as file:
        page = file.pages[layout.directory.place[0]]
        if len(layout.directory.place) > 1:
            below = page.pages
            if below is None:
                raise Refused("names a picture inside a picture that is not there")
            page = below[layout.directory.place[1]]
        pixels = np.asarray(page.asarray(squeeze=False))
    planes, depth = pixels.shape[:2]
    if depth != 1:
        raise Refused("holds a volume of slices; save the one picture that is meant")
    pixels = np.moveaxis(pixels[:, 0], 0, -2).reshape(*pixels.shape[2:4], -1)
    if layout.photometric == _WHITE_IS_ZERO and pixels.dtype.kind == "u":
        pixels = np.iinfo(pixels.dtype).max - pixels
    if pixels.shape[2] != layout.samples or planes not in (1, layout.samples):
        raise ValueError("other channels than announced")
    return np.ascontiguousarray(pixels)


def _without_lzw(raw: bytes, layout: TiffLayout) -> bytes:
    """The file with its strips or tiles unpacked by OpenCV, for which tifffile needs a library.

    They are put behind the file as deflate that packs nothing, because tifffile looks for a
    predictor only where there is a compression; the tags that tell both and the places say so.
    """
    tags = layout.directory.tags
    tiled = _TILE_OFFSETS in tags
    names = (_TILE_OFFSETS, _TILE_COUNTS) if tiled else (_STRIP_OFFSETS, _STRIP_COUNTS)
    starts, counts = (tuple(int(each) for each in tags[name]) for name in names)
    sizes = _segment_sizes(layout, count=len(starts), tiled=tiled)
    unpacked = [
        zlib.compress(_lzw(raw[start : start + count], rows=rows, row_bytes=row_bytes), 0)
        for start, count, (rows, row_bytes) in zip(starts, counts, sizes, strict=True)
    ]
    return _repointed(raw, layout.directory, names=names, segments=unpacked)


def _segment_sizes(layout: TiffLayout, *, count: int, tiled: bool) -> list[tuple[int, int]]:
    """Rows and bytes of a row of each strip or tile."""
    tags = layout.directory.tags
    each = (1 if layout.planes else layout.samples) * layout.bits // 8
    height, width = layout.header.height, layout.header.width
    if tiled:
        return [(int(tags[_TILE_HEIGHT][0]), int(tags[_TILE_WIDTH][0]) * each)] * count
    rows = min(int((tags.get(0x0116) or (height,))[0]) or height, height)
    per_plane = -(-height // rows)
    return [(min(rows, height - rows * (k % per_plane)), width * each) for k in range(count)]


def _lzw(packed: bytes, *, rows: int, row_bytes: int) -> bytes:
    """Bytes of one segment: it is given to OpenCV as a grey TIFF of 8 bits."""
    at = 8 + 2 + 9 * 12 + 4
    entries = (
        (WIDTH, row_bytes), (HEIGHT, rows), (_BITS, 8), (_COMPRESSION, _LZW),
        (_PHOTOMETRIC, _BLACK_IS_ZERO), (_STRIP_OFFSETS, at), (_SAMPLES, 1), (0x0116, rows),
        (_STRIP_COUNTS, len(packed)),
    )  # fmt: skip
    table = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    file = b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + b"\0" * 4 + packed
    pixels = by_opencv(file)
    if pixels.shape != (rows, row_bytes, 1):
        raise ValueError("damaged LZW")
    return pixels.tobytes()


def _repointed(
    raw: bytes, directory: Directory, *, names: tuple[int, int], segments: list[bytes]
) -> bytes:
    """A classic or BigTIFF copy of a file with its segments behind it."""
    order = "<" if raw[:2] == b"II" else ">"
    big = raw[2:4] in (b"+\0", b"\0+")
    pointer, count_code, width = ("Q", "Q", 20) if big else ("I", "H", 12)
    kind = 16 if big else 4
    starts, at = [], len(raw) + len(raw) % 2
    for segment in segments:
        starts.append(at)
        at += len(segment)
    lists = dict(zip(names, (starts, [len(each) for each in segments]), strict=True))
    copy = bytearray(raw + b"\0" * (len(raw) % 2) + b"".join(segments))
    (entries,) = struct.unpack_from(order + count_code, copy, directory.at)
    first = directory.at + struct.calcsize(order + count_code)
    for place in range(first, first + width * entries, width):
        (tag,) = struct.unpack_from(order + "H", copy, place)
        if tag == _COMPRESSION:
            struct.pack_into(f"{order}HH{pointer}H", copy, place, tag, 3, 1, _DEFLATE)
        elif tag in lists:
            values = lists[tag]
            packed = struct.pack(f"{order}{len(values)}{pointer}", *values)
            inline = packed if len(values) == 1 else struct.pack(order + pointer, len(copy))
            struct.pack_into(f"{order}HH{pointer}", copy, place, tag, kind, len(values))
            copy[place + width - len(inline) : place + width] = inline
            copy += b"" if len(values) == 1 else packed
    return bytes(copy)


_D50: Final = (0.3457, 0.3585)


def _rgb_of_lab(pixels: Pixels, layout: TiffLayout) -> npt.NDArray[np.uint16]:
    """Lab as the sRGB values that a program writes when it saves the same picture as RGB.

    8 or 16 bits; L from 0 to 100, a and b around 0 (CIELab) or around the middle (ICCLab). The
    white is D50 unless a tag says another (TIFF 6.0, section 23).
    """
    if layout.samples != 3 or layout.bits not in (8, 16) or layout.kind == "float":
        raise Refused(f"holds Lab colours with {layout.bits} bits in an odd way; save it as RGB")
    unit = 1 if layout.bits == 8 else 256
    values: Pixels = pixels.view(np.uint8 if layout.bits == 8 else np.uint16)
    if layout.photometric == _CIELAB:
        signed: Pixels = values[..., 1:].view(np.int8 if layout.bits == 8 else np.int16)
        tints = signed.astype(np.float64) / unit
        lightness = values[..., 0].astype(np.float64) * (100 / (256 * unit - 1))
    else:
        tints = values[..., 1:].astype(np.float64) / unit - 128
        lightness = values[..., 0].astype(np.float64) * (100 / (255 * unit))
    fy = (lightness + 16) / 116
    f = np.stack([fy + tints[..., 0] / 500, fy, fy - tints[..., 1] / 200], axis=-1)
    xyz = np.where(f > 6 / 29, f**3, (f - 4 / 29) * 3 * (6 / 29) ** 2)
    given = (layout.directory.tags.get(_WHITE_POINT) or _D50)[:2]
    white = given if len(given) == 2 and min(given) > 0 else _D50
    scaled = xyz * xyz_of_white(white)
    linear = scaled @ adaptation(white, REC_709[6:]).T @ rgb_of_xyz().T
    linear = np.clip(linear, 0, 1)
    srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(srgb * 65535).astype(np.uint16)
