"""Colour pictures in EXR files: which part, where in the display window, and of which primaries."""

import io
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt
import OpenEXR

from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.imaging.colours import REC_709, to_rec709, xyz_of_rgb
from smarthdr_studio.core.imaging.image_headers import ExrHeader, exr_parts, exr_window
from smarthdr_studio.core.imaging.picture_header import (
    MOST_PIXELS,
    Alpha,
    Decoded,
    PictureHeader,
    Refused,
)
from smarthdr_studio.core.imaging.printed import unheard
from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.core.records import open_plain

_DEEP: Final = 0x800
_HALF: Final = 1
_RGB: Final = ("R", "G", "B")
_CHROMA: Final = ("Y", "RY", "BY")
_SAME: Final = 1e-3  # of a chromaticity; nearer primaries are Rec. 709


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """The part of a file that is its colour picture; `channels` by name with their sampling."""

    number: int
    data: _Window
    display: _Window
    channels: Mapping[str, tuple[int, int]]
    names: tuple[str, str, str]
    chromaticities: tuple[float, ...]


def exr_header(stream: BinaryIO) -> PictureHeader:
    """The size of the display window. Raises ValueError and Refused."""
    part = _colour_part(stream)
    return PictureHeader(
        height=part.display.height,
        width=part.display.width,
        channels=4 if "A" in part.channels else 3,
        sample_bytes=4,
        unpacked=_unpacked(exr_parts(stream)),
    )


def _unpacked(parts: Sequence[tuple[int, ExrHeader]]) -> int:
    """Bytes of every channel of every part: the library unpacks all of them."""
    total = 0
    for _, attributes in parts:
        window = _window(attributes, b"dataWindow")
        for code, across, down in _layouts(attributes).values():
            samples = -(-window.width // max(1, across)) * -(-window.height // max(1, down))
            total += samples * (2 if code == _HALF else 4)
    return total


def layers_header(stream: BinaryIO) -> PictureHeader:
    """What an EXR of any layers takes: the data window of its first part, and all that is kept.

    Raises ValueError.
    """
    parts = exr_parts(stream)
    window = _window(parts[0][1], b"dataWindow")
    return PictureHeader(
        height=window.height, width=window.width, channels=1, unpacked=_unpacked(parts)
    )


def _colour_part(stream: BinaryIO) -> _Part:
    """The first part with colours. Raises Refused where there is none, or none but deep ones."""
    parts = exr_parts(stream)
    flat = [
        (number, attributes)
        for number, (flags, attributes) in enumerate(parts)
        if not (attributes.get(b"type", b"").startswith(b"deep"))
        and not (flags & _DEEP and len(parts) == 1)
    ]
    if not flat:
        raise Refused("is a deep EXR, which keeps several samples in a pixel; flatten it")
    named = [(number, attributes, _channels(attributes)) for number, attributes in flat]
    for names in (_RGB, _CHROMA):
        for number, attributes, channels in named:
            if set(names) <= set(channels):
                return _part(number, attributes, channels=channels, names=names)
    found = ", ".join(sorted({name for *_, channels in named for name in channels})) or "none"
    raise Refused(f"has no R, G and B channels (found: {found}); export it again as RGB")


def _part(
    number: int,
    attributes: ExrHeader,
    *,
    channels: Mapping[str, tuple[int, int]],
    names: tuple[str, str, str],
) -> _Part:
    given = attributes.get(b"chromaticities", b"")
    part = _Part(
        number=number,
        data=_window(attributes, b"dataWindow"),
        display=_window(attributes, b"displayWindow"),
        channels=channels,
        names=names,
        chromaticities=struct.unpack("<8f", given) if len(given) == 32 else REC_709,
    )
    if part.data.width * part.data.height > MOST_PIXELS:
        raise Refused(
            f"holds {part.data.width}×{part.data.height} pixels, and more than "
            f"{MOST_PIXELS // 10**6} megapixels are not read; scale or crop it"
        )
    return part


def _window(attributes: ExrHeader, name: bytes) -> _Window:
    left, top, right, bottom = exr_window(attributes, name)
    if right < left or bottom < top:
        raise ValueError("an empty window")
    return _Window(left=left, top=top, width=right - left + 1, height=bottom - top + 1)


def _channels(attributes: ExrHeader) -> dict[str, tuple[int, int]]:
    """Sampling across and down of each channel by name."""
    return {name: (across, down) for name, (_, across, down) in _layouts(attributes).items()}


def _layouts(attributes: ExrHeader) -> dict[str, tuple[int, int, int]]:
    """Code of the type of a sample, and sampling across and down, of each channel by name."""
    stream = io.BytesIO(attributes.get(b"channels", b""))
    found = {}
    while name := _text(stream):
        raw = stream.read(16)
        if len(raw) < 16:
            raise ValueError("a broken list of channels")
        code, across, down = struct.unpack("<i4xii", raw)
        found[name] = (code, across, down)
    return found


def _text(stream: BinaryIO) -> str:
    word = bytearray()
    while (byte := stream.read(1)) not in (b"", b"\0"):
        word += byte
    return word.decode("utf-8", "replace")


def exr_name(path: AnyPath) -> str | bytes:
    """A path as OpenEXR takes it: as bytes where a name is no UTF-8, which it has no text for."""
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return text


def decode_exr(path: AnyPath) -> Decoded:
    """H×W×3 or H×W×4 float32 radiance of the display window in Rec. 709.

    What lies outside the data window is black, as the format has it; what lies outside the display
    window is cut off. Raises ValueError, Refused, and what the library raises for damage.
    """
    path = Path(path)
    with open_plain(path) as stream:
        part = _colour_part(stream)
    with unheard(), OpenEXR.File(exr_name(path), separate_channels=True) as file:
        channels = file.channels(part.number)
        wanted = [*part.names, *(["A"] if "A" in part.channels else [])]
        planes = {name: np.asarray(channels[name].pixels, np.float32) for name in wanted}
    colours = _luminance_chroma(planes, part) if part.names == _CHROMA else _stacked(planes, part)
    colours = _converted(colours, part)
    alpha: Alpha = "none"
    if "A" in planes and planes["A"].shape == colours.shape[:2]:
        colours, alpha = np.dstack([colours, planes["A"]]), "premultiplied"
    return Decoded(pixels=_in_display_window(colours, part), alpha=alpha, radiance=True)


def _stacked(planes: Mapping[str, Floats], part: _Part) -> Floats:
    if len({planes[name].shape for name in part.names}) > 1:
        raise Refused("has R, G and B channels that differ in size; export it again as RGB")
    return np.stack([planes[name] for name in part.names], axis=-1)


def _luminance_chroma(planes: Mapping[str, Floats], part: _Part) -> Floats:
    """RGB of Y and of the chroma RY = (R − Y) / Y and BY = (B − Y) / Y, which is kept coarser.

    Chroma between its samples is interpolated linearly.
    """
    luminance = planes["Y"]
    if luminance.shape != (part.data.height, part.data.width):
        raise ValueError("Y of another size than announced")
    chroma = [_full_size(planes[name], part, sampling=part.channels[name]) for name in ("RY", "BY")]
    red, blue = ((each + 1) * luminance for each in chroma)
    weights = xyz_of_rgb(part.chromaticities)[1]
    green = (luminance - red * weights[0] - blue * weights[2]) / weights[1]
    return np.stack([red, green, blue], axis=-1).astype(np.float32)


def _full_size(plane: Floats, part: _Part, *, sampling: tuple[int, int]) -> Floats:
    across, down = sampling
    if across < 1 or down < 1:
        raise ValueError("no such sampling")
    window = part.data
    for axis, step, start, length in (
        (0, down, window.top, window.height),
        (1, across, window.left, window.width),
    ):
        # Samples lie where the coordinate is a multiple of the step.
        first = -(-start // step) * step
        places = (np.arange(start, start + length) - first) / step
        places = np.clip(places, 0, plane.shape[axis] - 1)
        lower = np.floor(places).astype(np.intp)
        upper = np.minimum(lower + 1, plane.shape[axis] - 1)
        share = (places - lower).astype(np.float32)
        share = share[:, None] if axis == 0 else share
        plane = plane.take(lower, axis) * (1 - share) + plane.take(upper, axis) * share
    return plane


def _converted(colours: Floats, part: _Part) -> Floats:
    given = part.chromaticities
    if all(abs(a - b) <= _SAME for a, b in zip(given, REC_709, strict=True)):
        return colours
    if not np.isfinite(colours).all():
        return colours  # what is no number is counted as it lies in the file
    below = colours < 0
    matrix = to_rec709(given).T.astype(np.float32)
    # Colours outside Rec. 709 become negative only now; a picture cannot show them.
    converted: npt.NDArray[np.float32] = colours @ matrix
    return np.where(below.any(axis=-1, keepdims=True), converted, np.maximum(converted, 0))


def _in_display_window(colours: Floats, part: _Part) -> Floats:
    data, display = part.data, part.display
    if data == display:
        return colours
    shown = np.zeros((display.height, display.width, colours.shape[2]), np.float32)
    if colours.shape[2] == 4:
        shown[..., 3] = 1
    left, top = max(data.left, display.left), max(data.top, display.top)
    right = min(data.left + data.width, display.left + display.width)
    bottom = min(data.top + data.height, display.top + display.height)
    if left < right and top < bottom:
        shown[
            top - display.top : bottom - display.top, left - display.left : right - display.left
        ] = colours[top - data.top : bottom - data.top, left - data.left : right - data.left]
    return shown
