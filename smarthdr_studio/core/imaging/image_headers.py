"""What an image file says of itself before it is decoded: kind, size, tags, EXIF, completeness."""

import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal

Tags = Mapping[int, tuple[float, ...]]

WIDTH: Final = 0x0100
HEIGHT: Final = 0x0101
EXIF_DIRECTORY: Final = 0x8769

# Field types of TIFF 6.0 and BigTIFF as struct codes; text and opaque bytes are left out.
_CODES: Final = {
    1: "B", 3: "H", 4: "I", 5: "II", 6: "b", 8: "h", 9: "i", 10: "ii", 11: "f", 12: "d",
    13: "I", 16: "Q", 17: "q", 18: "Q",
}  # fmt: skip
_MOST_BYTES: Final = 1 << 26


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """How one file writes its directories: byte order, and classic or BigTIFF widths."""

    order: str
    count: str
    entry: str
    inline: int


def read_tags(stream: BinaryIO, *, base: int = 0) -> Tags:
    """Numeric tags of the first directory and of the EXIF directory it points to.

    `base` is where the TIFF header stands in the stream. Raises ValueError where the stream is
    no TIFF or ends too early (TIFF 6.0, EXIF 2.3).
    """
    form, first = _read_form(stream, base=base)
    tags = _read_directory(stream, form, base=base, at=first)
    if EXIF_DIRECTORY in tags:
        at = int(tags[EXIF_DIRECTORY][0])
        tags = _read_directory(stream, form, base=base, at=at) | tags
    return tags


def _read_form(stream: BinaryIO, *, base: int) -> tuple[_Form, int]:
    stream.seek(base)
    order = {b"II": "<", b"MM": ">"}.get(_exactly(stream, 2))
    if order is None:
        raise ValueError("no TIFF byte order")
    (version,) = struct.unpack(order + "H", _exactly(stream, 2))
    if version == 42:
        form = _Form(order=order, count="H", entry="HHI", inline=4)
        (first,) = struct.unpack(order + "I", _exactly(stream, 4))
    elif version == 43:
        form = _Form(order=order, count="Q", entry="HHQ", inline=8)
        (first,) = struct.unpack(order + "4xQ", _exactly(stream, 12))
    else:
        raise ValueError("no TIFF version number")
    return form, int(first)


def _read_directory(
    stream: BinaryIO, form: _Form, *, base: int, at: int
) -> dict[int, tuple[float, ...]]:
    stream.seek(base + at)
    count_width = struct.calcsize(form.order + form.count)
    (entries,) = struct.unpack(form.order + form.count, _exactly(stream, count_width))
    head = struct.Struct(form.order + form.entry)
    table = _exactly(stream, entries * (head.size + form.inline))
    tags = {}
    for start in range(0, len(table), head.size + form.inline):
        tag, kind, count = head.unpack_from(table, start)
        if kind in _CODES:
            inline = table[start + head.size : start + head.size + form.inline]
            tags[tag] = _values(stream, form, base=base, field=(kind, count, inline))
    return tags


def _values(
    stream: BinaryIO, form: _Form, *, base: int, field: tuple[int, int, bytes]
) -> tuple[float, ...]:
    kind, count, inline = field
    code = _CODES[kind]
    size = count * struct.calcsize("=" + code)
    raw = inline[:size]
    if size > form.inline:
        (at,) = struct.unpack(form.order + ("I" if form.inline == 4 else "Q"), inline)
        stream.seek(base + at)
        raw = _exactly(stream, size)
    numbers = struct.unpack(f"{form.order}{count * len(code)}{code[0]}", raw)
    if len(code) == 1:
        return numbers
    return tuple(
        above / below if below else 0.0
        for above, below in zip(numbers[::2], numbers[1::2], strict=True)
    )


def _exactly(stream: BinaryIO, size: int) -> bytes:
    # A damaged count could ask for gigabytes.
    raw = stream.read(size) if size <= _MOST_BYTES else b""
    if len(raw) < size:
        raise ValueError("the file ends inside a TIFF directory")
    return raw


Kind = Literal["tiff", "png", "jpeg", "hdr", "exr"]

_MAGIC: Final[Mapping[bytes, Kind]] = {
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
    b"II+\0": "tiff",
    b"MM\0+": "tiff",
    b"\x89PNG": "png",
    b"\xff\xd8\xff": "jpeg",
    b"#?RADIANCE": "hdr",
    b"#?RGBE": "hdr",
    b"\x76\x2f\x31\x01": "exr",
}
# JPEG frame headers: every SOFn but DHT (C4), JPG (C8) and DAC (CC).
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_SCAN: Final = 0xDA
_JPEG_EXIF: Final = 0xE1
_STRIPS: Final = ((0x0111, 0x0117), (0x0144, 0x0145))
# Scanlines in one chunk of an EXR file, by the number of its compression.
_EXR_LINES: Final = {0: 1, 1: 1, 2: 1, 3: 16, 4: 32, 5: 16, 6: 32, 7: 32, 8: 32, 9: 256}


def sniff(stream: BinaryIO) -> Kind | None:
    """The kind of image by its first bytes, whatever the file is called; None if unknown."""
    stream.seek(0)
    start = stream.read(16)
    return next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), None)


def measure(stream: BinaryIO, *, kind: Kind) -> tuple[int, int]:
    """Height and width in pixels as stored (no EXIF rotation); ValueError in a broken header."""
    try:
        match kind:
            case "tiff":
                tags = read_tags(stream)
                return int(tags[HEIGHT][0]), int(tags[WIDTH][0])
            case "png":
                stream.seek(16)
                width, height = struct.unpack(">II", stream.read(8))
                return height, width
            case "jpeg":
                return _measure_jpeg(stream)
            case "hdr":
                return _measure_hdr(stream)
            case "exr":
                left, top, right, bottom = _exr_window(_exr_attributes(stream))
                return bottom - top + 1, right - left + 1
    except (struct.error, KeyError, IndexError) as error:
        raise ValueError(f"broken {kind} header") from error


def is_whole(stream: BinaryIO, *, kind: Kind) -> bool:
    """Whether everything the header announces lies inside the file, undamaged where it can tell.

    OpenCV and libtiff may fill what is missing with grey or zeros and say nothing. Radiance .hdr
    announces nothing and is left to its decoder.
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
            case "hdr":
                return True
    except (ValueError, struct.error, KeyError, IndexError):
        return False


def exif_tags(stream: BinaryIO) -> Tags:
    """Numeric EXIF tags of a TIFF, JPEG or PNG; empty where there are none."""
    kind = sniff(stream)
    try:
        if kind == "tiff":
            return read_tags(stream)
        if kind == "png":
            starts = [at for name, at, _ in _png_chunks(stream) if name == b"eXIf"]
            return read_tags(stream, base=starts[0]) if starts else {}
        if kind == "jpeg":
            return _jpeg_exif(stream)
    except (ValueError, struct.error):
        return {}
    return {}


def _end(stream: BinaryIO) -> int:
    return stream.seek(0, 2)


def _tiff_is_whole(stream: BinaryIO) -> bool:
    tags = read_tags(stream)
    end = _end(stream)
    starts, sizes = next((tags[a], tags[b]) for a, b in _STRIPS if a in tags and b in tags)
    return all(start + size <= end for start, size in zip(starts, sizes, strict=True))


def _png_chunks(stream: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
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
    for name, at, length in _png_chunks(stream):
        stream.seek(at)
        checked = stream.read(length + 4)
        if len(checked) < length + 4:
            return False
        if zlib.crc32(checked[:-4], zlib.crc32(name)) != int.from_bytes(checked[-4:]):
            return False
        if name == b"IEND":
            return True
    return False


def _jpeg_segments(stream: BinaryIO) -> Iterator[tuple[int, int, int]]:
    """Marker, start of the data and length of each segment up to the first scan."""
    at = 2
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


def _measure_jpeg(stream: BinaryIO) -> tuple[int, int]:
    for marker, at, _ in _jpeg_segments(stream):
        if marker in _JPEG_FRAMES:
            stream.seek(at)
            _, height, width = struct.unpack(">BHH", stream.read(5))
            return height, width
    raise ValueError("no JPEG frame header")


def _jpeg_is_whole(stream: BinaryIO) -> bool:
    # The thumbnail in the EXIF has an end marker too, so only what follows the scan counts;
    # inside a scan the two bytes cannot occur.
    scan = next(at for marker, at, _ in _jpeg_segments(stream) if marker == _JPEG_SCAN)
    stream.seek(scan)
    return b"\xff\xd9" in stream.read()


def _jpeg_exif(stream: BinaryIO) -> Tags:
    for marker, at, _ in _jpeg_segments(stream):
        stream.seek(at)
        if marker == _JPEG_EXIF and stream.read(6) == b"Exif\0\0":
            return read_tags(stream, base=at + 6)
    return {}


def _measure_hdr(stream: BinaryIO) -> tuple[int, int]:
    stream.seek(0)
    found = re.search(rb"\n-Y\s+(\d+)\s+\+X\s+(\d+)\s*\n", stream.read(1 << 16))
    if found is None:
        raise ValueError("no line with the size")
    return int(found[1]), int(found[2])


def _exr_attributes(stream: BinaryIO) -> dict[bytes, bytes]:
    """The raw values of the first header; the stream is left behind it."""
    stream.seek(8)
    attributes = {}
    while name := _exr_text(stream):
        _exr_text(stream)
        (size,) = struct.unpack("<I", stream.read(4))
        attributes[name] = stream.read(min(size, 1 << 20))
    return attributes


def _exr_text(stream: BinaryIO) -> bytes:
    text = bytearray()
    while (byte := stream.read(1)) != b"\0":
        text += byte
        if not byte or len(text) > 255:
            raise ValueError("the file ends inside the EXR header")
    return bytes(text)


def _exr_window(attributes: Mapping[bytes, bytes]) -> tuple[int, int, int, int]:
    left, top, right, bottom = struct.unpack("<4i", attributes[b"dataWindow"])
    return left, top, right, bottom


def _exr_is_whole(stream: BinaryIO) -> bool:
    stream.seek(4)
    (version,) = struct.unpack("<I", stream.read(4))
    attributes = _exr_attributes(stream)
    lines = _EXR_LINES.get(attributes[b"compression"][0])
    # Tiled (bit 9), deep (11) and multi-part (12) files are left to their decoder.
    if version & 0x1A00 or lines is None:
        return True
    _, top, _, bottom = _exr_window(attributes)
    chunks = -(-(bottom - top + 1) // lines)
    table = struct.unpack(f"<{chunks}Q", stream.read(8 * chunks))
    stream.seek(max(table))
    _, size = struct.unpack("<iI", stream.read(8))
    end = stream.tell() + int(size)
    return min(table) > 0 and end <= _end(stream)
