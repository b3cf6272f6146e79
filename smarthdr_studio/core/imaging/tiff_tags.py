"""Directories of a TIFF and the tags in them, for pictures and for EXIF alike."""

import struct
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Final

Tags = Mapping[int, tuple[float, ...]]

WIDTH: Final = 0x0100
HEIGHT: Final = 0x0101
ORIENTATION: Final = 0x0112
SUB_DIRECTORIES: Final = 0x014A
EXIF_DIRECTORY: Final = 0x8769

# Field types of TIFF 6.0 and BigTIFF as struct codes; text and opaque bytes are left out.
_CODES: Final = {
    1: "B", 3: "H", 4: "I", 5: "II", 6: "b", 8: "h", 9: "i", 10: "ii", 11: "f", 12: "d",
    13: "I", 16: "Q", 17: "q", 18: "Q",
}  # fmt: skip
_TEXT: Final = 2
_LONGEST_TEXT: Final = 256
_OPAQUE: Final = 7
# What reading a header raises where the file is not what it says.
BROKEN: Final = (ValueError, struct.error, KeyError, IndexError, OverflowError)
# What a damaged count could ask for otherwise: gigabytes, or minutes.
_MOST_BYTES: Final = 1 << 26
_MOST_NUMBERS: Final = 1 << 22
_MOST_DIRECTORIES: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """How one file writes its directories: byte order, and classic or BigTIFF widths."""

    order: str
    count: str
    entry: str
    inline: int

    @property
    def pointer(self) -> str:
        """The struct code of a place in the file."""
        return self.order + ("I" if self.inline == 4 else "Q")


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """One picture of a TIFF: its numeric tags, and the tags above that it hangs from.

    `place` is (n,) for the n-th directory of the file and (n, k) for the k-th one below it.
    """

    place: tuple[int, ...]
    tags: Tags
    at: int


def read_tags(stream: BinaryIO, *, base: int = 0) -> Tags:
    """Numeric tags of the first directory and of the EXIF directory it points to.

    `base` is where the TIFF header stands in the stream. Raises ValueError where the stream is
    no TIFF or ends too early (TIFF 6.0, EXIF 2.3).
    """
    form, first = _read_form(stream, base=base)
    tags, _ = _read_directory(stream, form, base=base, at=first)
    if EXIF_DIRECTORY in tags:
        at = int(tags[EXIF_DIRECTORY][0])
        tags = _read_directory(stream, form, base=base, at=at)[0] | tags
    return tags


def read_texts(stream: BinaryIO, tags: Collection[int], *, base: int = 0) -> dict[int, str]:
    """Short texts of the first directory and of its EXIF directory, without what pads them.

    Raises ValueError as `read_tags` does.
    """
    form, first = _read_form(stream, base=base)
    found: dict[int, str] = {}
    places = [first]
    for at in places:
        for _, (tag, kind, count, inline) in _entries(stream, form, at=base + at):
            if tag == EXIF_DIRECTORY and at == first and kind in _CODES and count == 1:
                field = (kind, count, inline)
                places.append(int(_values(stream, form, base=base, field=field)[0]))
            elif tag in tags and kind == _TEXT and count <= _LONGEST_TEXT:
                raw = _raw(stream, form, base=base, size=count, inline=inline)
                found[tag] = raw.partition(b"\0")[0].decode("ascii", "replace").strip()
    return found


def directories(stream: BinaryIO) -> list[Directory]:
    """Every directory of a TIFF, those hanging below another right after it; at most 64.

    Raises ValueError.
    """
    form, at = _read_form(stream, base=0)
    found: list[Directory] = []
    seen: set[int] = set()
    number = 0
    while at and at not in seen and len(found) < _MOST_DIRECTORIES:
        seen.add(at)
        try:
            tags, following = _read_directory(stream, form, base=0, at=at)
        except BROKEN:
            if not found:
                raise
            break
        found.append(Directory(place=(number,), tags=tags, at=at))
        below = enumerate(tags.get(SUB_DIRECTORIES, ())[:_MOST_DIRECTORIES])
        found += _below(stream, form, number=number, places=below)
        at, number = following, number + 1
    return found


def _below(
    stream: BinaryIO, form: _Form, *, number: int, places: Iterator[tuple[int, float]]
) -> Iterator[Directory]:
    for index, place in places:
        try:
            tags, _ = _read_directory(stream, form, base=0, at=int(place))
        except BROKEN:
            continue
        yield Directory(place=(number, index), tags=tags, at=int(place))


def opaque_bytes(stream: BinaryIO, directory: Directory, *, tag: int) -> bytes:
    """The value of a tag of opaque bytes, such as an ICC profile; empty where there is none."""
    form, _ = _read_form(stream, base=0)
    for _, (found, kind, count, inline) in _entries(stream, form, at=directory.at):
        if found == tag and kind == _OPAQUE:
            return _raw(stream, form, base=0, size=count, inline=inline)
    return b""


def place_of_value(stream: BinaryIO, directory: Directory, *, tag: int) -> tuple[int, str] | None:
    """Where a single 16-bit value of a tag stands in the file, and the file's byte order."""
    form, _ = _read_form(stream, base=0)
    for at, (found, kind, count, _) in _entries(stream, form, at=directory.at):
        if (found, kind, count) == (tag, 3, 1):
            return at + struct.calcsize(form.order + form.entry), form.order
    return None


def _read_form(stream: BinaryIO, *, base: int) -> tuple[_Form, int]:
    stream.seek(base)
    order = {b"II": "<", b"MM": ">"}.get(_exactly(stream, 2))
    if order is None:
        raise ValueError("no TIFF byte order")
    (version,) = struct.unpack(order + "H", _exactly(stream, 2))
    # 85, 20306 and 21330 are what Panasonic and Olympus write into their RAW files.
    if version in (42, 85, 20306, 21330):
        form = _Form(order=order, count="H", entry="HHI", inline=4)
        (first,) = struct.unpack(order + "I", _exactly(stream, 4))
    elif version == 43:
        form = _Form(order=order, count="Q", entry="HHQ", inline=8)
        (first,) = struct.unpack(order + "4xQ", _exactly(stream, 12))
    else:
        raise ValueError("no TIFF version number")
    return form, int(first)


_Entry = tuple[int, int, int, bytes]


def _entries(stream: BinaryIO, form: _Form, *, at: int) -> list[tuple[int, _Entry]]:
    """Where each entry of a directory stands, and tag, type, count and the bytes in place."""
    stream.seek(at)
    count_width = struct.calcsize(form.order + form.count)
    (entries,) = struct.unpack(form.order + form.count, _exactly(stream, count_width))
    head = struct.Struct(form.order + form.entry)
    width = head.size + form.inline
    table = _exactly(stream, entries * width)
    return [
        (
            at + count_width + start,
            (*head.unpack_from(table, start), table[start + head.size : start + width]),
        )
        for start in range(0, len(table), width)
    ]


def _read_directory(
    stream: BinaryIO, form: _Form, *, base: int, at: int
) -> tuple[dict[int, tuple[float, ...]], int]:
    """Numeric tags, and where the next directory stands, 0 where there is none."""
    entries = _entries(stream, form, at=base + at)
    width = struct.calcsize(form.order + form.pointer[1])
    end = stream.read(width)
    (following,) = struct.unpack(form.pointer, end) if len(end) == width else (0,)
    tags: dict[int, tuple[float, ...]] = {}
    left = _MOST_NUMBERS
    for _, (tag, kind, count, inline) in entries:
        if kind in _CODES and count <= left:
            left -= count
            tags[tag] = _values(stream, form, base=base, field=(kind, count, inline))
    return tags, int(following)


def _values(
    stream: BinaryIO, form: _Form, *, base: int, field: tuple[int, int, bytes]
) -> tuple[float, ...]:
    kind, count, inline = field
    code = _CODES[kind]
    raw = _raw(stream, form, base=base, size=count * struct.calcsize("=" + code), inline=inline)
    numbers = struct.unpack(f"{form.order}{count * len(code)}{code[0]}", raw)
    if len(code) == 1:
        return numbers
    return tuple(
        above / below if below else 0.0
        for above, below in zip(numbers[::2], numbers[1::2], strict=True)
    )


def _raw(stream: BinaryIO, form: _Form, *, base: int, size: int, inline: bytes) -> bytes:
    if size <= form.inline:
        return inline[:size]
    (at,) = struct.unpack(form.pointer, inline)
    stream.seek(base + at)
    return _exactly(stream, size)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    raw = stream.read(size) if size <= _MOST_BYTES else b""
    if len(raw) < size:
        raise ValueError("the file ends inside a TIFF directory")
    return raw
