"""What an image file says of itself before it is decoded: kind, size, EXIF, completeness."""

import os
import re
import struct
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import BinaryIO, Final, Literal

from smarthdr_studio.core.imaging.tiff_tags import (
    BROKEN,
    Tags,
    directories,
    read_tags,
    read_texts,
)

Kind = Literal["tiff", "png", "jpeg", "hdr", "exr", "pfm", "raw", "heif", "avif", "jxl"]

_TIFF: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_MAGIC: Final[Mapping[bytes, Kind]] = {
    **dict.fromkeys(_TIFF, "tiff"),
    b"\x89PNG": "png",
    b"\xff\xd8\xff": "jpeg",
    b"#?RADIANCE": "hdr",
    b"#?RGBE": "hdr",
    b"\x76\x2f\x31\x01": "exr",
    b"PF\n": "pfm", b"Pf\n": "pfm", b"PF\r": "pfm", b"Pf\r": "pfm", b"PF ": "pfm", b"Pf ": "pfm",
    b"FUJIFILMCCD-RAW": "raw",
    b"IIRO": "raw", b"IIRS": "raw", b"MMOR": "raw", b"IIU\0": "raw",
    b"\xff\x0a": "jxl",
    b"\0\0\0\x0cJXL ": "jxl",
}  # fmt: skip
# By the brand of an ISO media file, which stands after "ftyp".
_BRANDS: Final[Mapping[bytes, Kind]] = {
    b"avif": "avif", b"avis": "avif", b"crx ": "raw",
    b"heic": "heif", b"heix": "heif", b"hevc": "heif", b"hevx": "heif", b"heim": "heif",
    b"heis": "heif", b"mif1": "heif", b"msf1": "heif",
}  # fmt: skip
# Kinds that are named when they are refused.
_OTHERS: Final = {
    rb"GIF8": "GIF", rb"RIFF....WEBP": "WebP", rb"BM": "BMP", rb"8BPS": "Photoshop",
    rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51": "JPEG 2000", rb"P[1-7]\s": "PNM", rb"DDS ": "DDS",
    rb"qoif": "QOI", rb"%PDF": "PDF", rb"#INST|#\?AUTOPANO": "foreign Radiance",
    rb"version https://git-lfs": "not the picture but a Git LFS pointer to a",
}  # fmt: skip
_DNG_VERSION: Final = 0xC612
_PHOTOMETRIC: Final = 0x0106
_MOSAICS: Final = {32803, 34892}
# JPEG frame headers: every SOFn but DHT (C4), JPG (C8) and DAC (CC).
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_SCAN: Final = 0xDA
_JPEG_EXIF: Final = 0xE1
_MOST_EXIF_SEARCHED: Final = 1 << 26
_PNG_TAIL: Final = 1 << 18
_STRIPS: Final = ((0x0111, 0x0117), (0x0144, 0x0145))
# Scanlines in one chunk of an EXR file, by the number of its compression.
_EXR_LINES: Final = {0: 1, 1: 1, 2: 1, 3: 16, 4: 32, 5: 16, 6: 32, 7: 32, 8: 32, 9: 256}


def sniff(stream: BinaryIO) -> Kind | None:
    """The kind of image by its first bytes, whatever the file is called; None if unknown.

    A RAW file that is built as a TIFF is told from one by its tags.
    """
    stream.seek(0)
    start = stream.read(32)
    if start[4:8] == b"ftyp":
        brands = start[8:12], *(start[k : k + 4] for k in range(16, 32, 4))
        # What calls itself a picture of no particular codec says which it has right after.
        known = [_BRANDS[each] for each in brands if each in _BRANDS]
        return "avif" if known[:1] == ["heif"] and "avif" in known else next(iter(known), None)
    kind = next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), None)
    return "raw" if kind == "tiff" and _is_raw(stream, start) else kind


def other_kind(stream: BinaryIO) -> str | None:
    """The name of a kind of file that is known but not read; None if it is not known either."""
    stream.seek(0)
    start = stream.read(32)
    return next((name for form, name in _OTHERS.items() if re.match(form, start, re.DOTALL)), None)


def _is_raw(stream: BinaryIO, start: bytes) -> bool:
    if start[8:10] == b"CR":
        return True
    try:
        found = directories(stream)
    except BROKEN:
        return False
    return any(
        _DNG_VERSION in each.tags or set(each.tags.get(_PHOTOMETRIC, ())) & _MOSAICS
        for each in found
    )


def png_size(stream: BinaryIO) -> tuple[int, int]:
    """Height and width of a PNG as stored. Raises ValueError."""
    stream.seek(12)
    raw = stream.read(12)
    if len(raw) < 12 or raw[:4] != b"IHDR":
        raise ValueError("no PNG header")
    width, height = struct.unpack(">II", raw[4:])
    return height, width


def exr_size(stream: BinaryIO) -> tuple[int, int]:
    """Height and width of the display window of the first part. Raises ValueError."""
    _, attributes = exr_parts(stream)[0]
    left, top, right, bottom = exr_window(attributes, b"displayWindow")
    return bottom - top + 1, right - left + 1


def is_whole(stream: BinaryIO, *, kind: Kind) -> bool:
    """Whether everything the header announces lies inside the file, undamaged where it can tell.

    OpenCV and libtiff may fill what is missing with grey or zeros and say nothing. What announces
    nothing, such as Radiance .hdr, is left to its decoder.
    """
    try:
        match kind:
            case "tiff":
                return _tiff_is_whole(stream)
            case "png":
                return _png_is_whole(stream)
            case "jpeg":
                return _jpeg_is_whole(stream)
            case "exr":
                return _exr_is_whole(stream)
            case _:
                return True
    except BROKEN:
        return False


def exif_tags(stream: BinaryIO) -> Tags:
    """Numeric EXIF tags of whatever picture has them; empty where there are none."""
    try:
        base = _exif_place(stream)
        return {} if base is None else read_tags(stream, base=base)
    except BROKEN:
        return {}


def exif_texts(stream: BinaryIO, tags: Collection[int]) -> dict[int, str]:
    """Those EXIF tags that are texts, such as dates; empty where there are none."""
    try:
        base = _exif_place(stream)
        return {} if base is None else read_texts(stream, tags, base=base)
    except BROKEN:
        return {}


def _exif_place(stream: BinaryIO) -> int | None:
    """Where the TIFF header of the EXIF stands. Raises what `BROKEN` holds."""
    finder = _EXIF_PLACES.get(sniff(stream) or "")
    return None if finder is None else finder(stream)


def _png_exif(stream: BinaryIO) -> int | None:
    for name, at, _ in png_chunks(stream):
        if name == b"eXIf":
            return at
        if name == b"IDAT":
            break
    return _png_exif_at_the_end(stream)


def _png_exif_at_the_end(stream: BinaryIO) -> int | None:
    """Where it stands behind the pixels, whose many chunks are not walked through."""
    end = stream.seek(0, 2)
    start = max(0, end - _PNG_TAIL)
    stream.seek(start)
    tail = stream.read()
    for found in re.finditer(rb"eXIf(?=II\*\0|MM\0\*)", tail):
        at = found.end()
        length = int.from_bytes(tail[found.start() - 4 : found.start()])
        checked = tail[found.start() : at + length]
        if zlib.crc32(checked) == int.from_bytes(tail[at + length : at + length + 4]):
            return start + at
    return None


def _raw_exif(stream: BinaryIO) -> int | None:
    stream.seek(0)
    start = stream.read(1 << 16)
    if start.startswith(b"FUJIFILM"):
        return _jpeg_exif(stream, base=int.from_bytes(start[84:88]))
    canon = start.find(b"CMT2")
    return canon + 4 if start[4:8] == b"ftyp" and canon > 0 else 0


def _embedded_exif(stream: BinaryIO) -> int | None:
    stream.seek(0)
    found = re.search(rb"Exif(?:\0\0|\0{4})(?=II\*\0|MM\0\*)", stream.read(_MOST_EXIF_SEARCHED))
    return found.end() if found else None


def _end(stream: BinaryIO) -> int:
    return stream.seek(0, 2)


def _tiff_is_whole(stream: BinaryIO) -> bool:
    tags = read_tags(stream)
    end = _end(stream)
    starts, sizes = next((tags[a], tags[b]) for a, b in _STRIPS if a in tags and b in tags)
    return all(start + size <= end for start, size in zip(starts, sizes, strict=True))


def png_chunks(stream: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Name, start of the data and length of each chunk that has a header."""
    at = 8
    while True:
        stream.seek(at)
        head = stream.read(8)
        if len(head) < 8:
            return
        length, name = struct.unpack(">I4s", head)
        yield name, at + 8, length
        at += length + 12


def _png_is_whole(stream: BinaryIO) -> bool:
    for name, at, length in png_chunks(stream):
        stream.seek(at)
        checked = stream.read(length + 4)
        if len(checked) < length + 4:
            return False
        if zlib.crc32(checked[:-4], zlib.crc32(name)) != int.from_bytes(checked[-4:]):
            return False
        if name == b"IEND":
            return True
    return False


def jpeg_segments(stream: BinaryIO, *, base: int = 0) -> Iterator[tuple[int, int, int]]:
    """Marker, start of the data and length of each segment up to the first scan."""
    at = base + 2
    while True:
        stream.seek(at)
        mark, marker = struct.unpack(">BB", stream.read(2))
        if mark != 0xFF:
            raise ValueError("no JPEG marker where one should be")
        if marker == 0xFF or 0xD0 <= marker <= 0xD7 or marker == 1:
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack(">H", stream.read(2))
        yield marker, at + 4, length - 2
        if marker == _JPEG_SCAN:
            return
        at += 2 + length


def jpeg_frame(stream: BinaryIO) -> tuple[int, int, int, int]:
    """Marker of the frame header, bits per sample, height and width. Raises ValueError."""
    for marker, at, _ in jpeg_segments(stream):
        if marker in _JPEG_FRAMES:
            stream.seek(at)
            bits, height, width = struct.unpack(">BHH", stream.read(5))
            return marker, bits, height, width
    raise ValueError("no JPEG frame header")


def _jpeg_is_whole(stream: BinaryIO) -> bool:
    # The thumbnail in the EXIF has an end marker too, so only what follows the scan counts;
    # inside a scan the two bytes cannot occur.
    scan = next(at for marker, at, _ in jpeg_segments(stream) if marker == _JPEG_SCAN)
    stream.seek(scan)
    return b"\xff\xd9" in stream.read()


def _jpeg_exif(stream: BinaryIO, *, base: int = 0) -> int | None:
    for marker, at, _ in jpeg_segments(stream, base=base):
        stream.seek(at)
        if marker == _JPEG_EXIF and stream.read(6) == b"Exif\0\0":
            return at + 6
    return None


_EXIF_PLACES: Final[Mapping[str, Callable[[BinaryIO], int | None]]] = {
    "tiff": lambda _stream: 0,
    "png": _png_exif,
    "jpeg": _jpeg_exif,
    "raw": _raw_exif,
    "heif": _embedded_exif,
    "avif": _embedded_exif,
    "jxl": _embedded_exif,
}

# Name and type of a channel or value as the header of an EXR has it.
ExrHeader = dict[bytes, bytes]
_MULTIPART: Final = 0x1000
_MOST_PARTS: Final = 256
_EXR_TEXT: Final = 256  # bytes of a name, with the NUL behind it


def exr_parts(stream: BinaryIO) -> list[tuple[int, ExrHeader]]:
    """The flags of the file and the raw values of the header, for each part of an EXR.

    The stream is left behind the headers. Raises ValueError.
    """
    stream.seek(4)
    try:
        (version,) = struct.unpack("<I", stream.read(4))
        parts = [(version, _exr_attributes(stream))]
        while version & _MULTIPART and len(parts) < _MOST_PARTS:
            attributes = _exr_attributes(stream)
            if not attributes:
                break
            parts.append((version, attributes))
    except struct.error as error:
        raise ValueError("the file ends inside the EXR header") from error
    return parts


def _exr_attributes(stream: BinaryIO) -> ExrHeader:
    attributes: ExrHeader = {}
    while name := _exr_text(stream):
        _exr_text(stream)
        (size,) = struct.unpack("<I", stream.read(4))
        attributes[name] = stream.read(min(size, 1 << 20))
    return attributes


def _exr_text(stream: BinaryIO) -> bytes:
    """A text that a NUL ends, of at most 255 bytes; asked a hundred times for each header."""
    begun = stream.read(_EXR_TEXT)
    end = begun.find(b"\0")
    if end < 0:
        raise ValueError("the file ends inside the EXR header")
    stream.seek(end + 1 - len(begun), os.SEEK_CUR)
    return begun[:end]


def exr_window(attributes: ExrHeader, name: bytes) -> tuple[int, int, int, int]:
    """First column, first row, last column and last row of a window. Raises ValueError."""
    try:
        left, top, right, bottom = struct.unpack("<4i", attributes[name])
    except (KeyError, struct.error) as error:
        raise ValueError("an EXR without a window") from error
    return left, top, right, bottom


def _exr_is_whole(stream: BinaryIO) -> bool:
    ((version, attributes), *_) = exr_parts(stream)
    lines = _EXR_LINES.get(attributes[b"compression"][0])
    # Tiled (bit 9), deep (11) and multi-part (12) files are left to their decoder.
    if version & 0x1A00 or lines is None:
        return True
    _, top, _, bottom = exr_window(attributes, b"dataWindow")
    chunks = -(-(bottom - top + 1) // lines)
    table = struct.unpack(f"<{chunks}Q", stream.read(8 * chunks))
    stream.seek(max(table))
    _, size = struct.unpack("<iI", stream.read(8))
    end = stream.tell() + int(size)
    return min(table) > 0 and end <= _end(stream)
