"""The tags of a TIFF directory: sizes and strips of a TIFF file, and the EXIF of any file."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

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
