"""JPEG with a gain map (Ultra HDR; ISO 21496-1): the radiance that a picture and its map tell.

A usual picture comes first in the file, as every program shows it; behind it a second, smaller
JPEG says how many stops brighter each place is. Adobe's "Gain map specification" and ISO 21496-1
have one formula, which is applied in full: h = (s + k_s)·2^g − k_h of the picture's linear light s.
"""

import io
import re
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

import cv2
import numpy as np

from smarthdr_studio.core.imaging.coded_pictures import jpeg_header, sound
from smarthdr_studio.core.imaging.image_headers import jpeg_segments
from smarthdr_studio.core.imaging.picture_header import Decoded, Pixels, Refused, by_opencv
from smarthdr_studio.core.imaging.radiometry import Floats

_START, _END = b"\xff\xd8\xff", b"\xff\xd9"
_APP1, _APP2, _SCAN = 0xE1, 0xE2, 0xDA
_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_ISO: Final = b"urn:iso:std:iso:ts:21496:-1\0"
_APPLE: Final = b"urn:com:apple:photo:2020:aux:hdrgainmap"
_MOST_PICTURES: Final = 16
_MOST_STOPS: Final = 24.0
_OFFSET: Final = 1 / 64  # where the XMP does not say another


class GainMap(NamedTuple):
    """How values v of a map in [0, 1] become stops: low + (high − low)·v^(1/gamma), by channel.

    Each is 1 or 3 numbers. `picture` and `radiance` are k_s and k_h of the formula.
    """

    low: Floats
    high: Floats
    gamma: Floats
    picture: Floats
    radiance: Floats

    def applied(self, light: Floats, values: Floats) -> Floats:
        """Radiance of the picture's linear light, H×W×3, and the map, H×W×1 or H×W×3; float32."""
        stops = self.low + (self.high - self.low) * values ** (1 / self.gamma)
        radiance: Floats = (light + self.picture) * np.exp2(stops) - self.radiance
        return np.maximum(radiance, 0).astype(np.float32)


def decode_gain_map(raw: bytes) -> Decoded | None:
    """The radiance of a JPEG that has a gain map, H×W×3 float32; None where it has none.

    1 is the white of the picture without its map, in the colour space of that picture. Raises
    Refused for maps of a kind that is not read, ValueError and cv2.error for the damaged.
    """
    found = _map_in(raw)
    if found is None:
        return None
    told, picture = found
    light = _linear(sound(lambda: by_opencv(raw)))
    size = jpeg_header(io.BytesIO(picture))
    if size.height * size.width > light.shape[0] * light.shape[1]:  # known before it is unpacked
        raise Refused("has a gain map with more pixels than the picture; export it as EXR")
    values = sound(lambda: by_opencv(picture)).astype(np.float32) / 255
    height, width = light.shape[:2]
    scaled = cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR)
    shares = scaled.reshape(height, width, -1).astype(np.float32, copy=False)
    radiance = told.applied(light, shares)
    return Decoded(pixels=radiance, radiance=True)


def _linear(pixels: Pixels) -> Floats:
    """Linear light of 8-bit sRGB values (IEC 61966-2-1), of the same shape; float32."""
    values = np.arange(256) / 255
    curve = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    light: Floats = curve.astype(np.float32)[pixels]
    return light if light.shape[2] == 3 else np.repeat(light[..., :1], 3, axis=2)


def _map_in(raw: bytes) -> tuple[GainMap, bytes] | None:
    for picture in _pictures_behind(raw):
        blocks = dict(_blocks(picture))
        if len(blocks.get(_ISO, b"")) > 4:
            return _by_iso(blocks[_ISO]), picture
        if b"GainMapMax" in blocks.get(_XMP, b""):
            return _by_xmp(blocks[_XMP].decode("utf-8", "replace")), picture
        if _APPLE in blocks.get(_XMP, b""):
            raise Refused(
                "has a gain map of Apple's own kind, which is not read; export the picture as EXR"
            )
    return None


def _pictures_behind(raw: bytes) -> Iterator[bytes]:
    """The JPEGs behind the first one, each with what follows it."""
    at = 0
    for _ in range(_MOST_PICTURES):
        end = raw.find(_END, _scan(raw[at:]) + at)
        start = raw.find(_START, end) if end > 0 else -1
        if start < 0:
            return
        at = start
        yield raw[at:]


def _scan(raw: bytes) -> int:
    """Where the first scan begins; a thumbnail ends before it."""
    return next(at for marker, at, _ in jpeg_segments(io.BytesIO(raw)) if marker == _SCAN)


def _blocks(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The blocks of a JPEG that may describe a map: their names and what follows these."""
    stream = io.BytesIO(raw)
    for marker, at, length in jpeg_segments(stream):
        stream.seek(at)
        for name in (_XMP, _ISO):
            if marker in (_APP1, _APP2) and length > len(name) and stream.read(len(name)) == name:
                yield name, stream.read(length - len(name))
            stream.seek(at)


def _checked(told: GainMap) -> GainMap:
    whole = all(np.isfinite(each).all() for each in told)
    stops = np.abs(np.concatenate([told.low, told.high]))
    if not whole or (told.gamma <= 0).any() or (stops > _MOST_STOPS).any():
        raise ValueError("a gain map of impossible numbers")
    return told


def _by_xmp(text: str) -> GainMap:
    """By the XMP of the map. Raises ValueError, and Refused where the first picture is the HDR."""
    if _of_xmp(text, "BaseRenditionIsHDR", "False") != ["False"]:
        raise Refused("has a gain map that makes it darker, which is not read; export it as EXR")

    def numbers(name: str, otherwise: float | None = None) -> Floats:
        found = _of_xmp(text, name, None if otherwise is None else repr(otherwise))
        if len(found) not in (1, 3):
            raise ValueError(f"a gain map without {name}")
        return np.array([float(each) for each in found], np.float32)

    return _checked(
        GainMap(
            low=numbers("GainMapMin", 0.0),
            high=numbers("GainMapMax"),
            gamma=numbers("Gamma", 1.0),
            picture=numbers("OffsetSDR", _OFFSET),
            radiance=numbers("OffsetHDR", _OFFSET),
        )
    )


def _of_xmp(text: str, name: str, otherwise: str | None) -> list[str]:
    """The value or values that XMP gives a name of Adobe's gain maps."""
    plain = re.search(rf'hdrgm:{name}\s*=\s*["\']([^"\']*)["\']', text)
    if plain:
        return [plain[1]]
    inside = re.search(rf"<hdrgm:{name}>(.*?)</hdrgm:{name}>", text, re.DOTALL)
    if inside is None:
        return [] if otherwise is None else [otherwise]
    listed: list[str] = re.findall(r"<rdf:li>(.*?)</rdf:li>", inside[1], re.DOTALL)
    return [each.strip() for each in listed or [inside[1]]]


_MANY, _OWN_COLOURS, _COMMON = 0x80, 0x40, 0x08


def _by_iso(block: bytes) -> GainMap:
    """By the block of ISO 21496-1. Raises ValueError, struct.error and Refused."""
    least, _, flags = struct.unpack_from(">HHB", block)
    if least:
        raise Refused("has a gain map of a newer standard, which is not read; export it as EXR")
    channels = 3 if flags & _MANY else 1
    if flags & _COMMON:
        (below,) = struct.unpack_from(">I", block, 5)
        numbers = struct.unpack_from(f">II{'iiIii' * channels}", block, 9)
        values = [number / below for number in numbers] if below else []
    else:
        pairs = struct.unpack_from(f">IIII{'iIiIIIiIiI' * channels}", block, 5)
        values = [top / below for top, below in zip(pairs[::2], pairs[1::2], strict=True) if below]
    if len(values) != 2 + 5 * channels:
        raise ValueError("a gain map of impossible numbers")
    if values[0] > values[1]:
        raise Refused("has a gain map that makes it darker, which is not read; export it as EXR")
    if channels == 3 and not flags & _OWN_COLOURS:
        raise Refused("has a gain map in other colours than its own; export it as EXR")
    table = np.array(values[2:], np.float32).reshape(channels, 5).T
    return _checked(GainMap(*table))
