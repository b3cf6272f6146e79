"""One picture as its camera took it, by its headers alone: when, how long, with which bias."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from smarthdr_studio.core.errors import UnreadableImage
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.imaging.exposure import aperture_ev, iso_ev, shutter_ev
from smarthdr_studio.core.imaging.image_files import examine
from smarthdr_studio.core.imaging.image_headers import exif_tags, exif_texts
from smarthdr_studio.core.imaging.tiff_tags import Tags
from smarthdr_studio.core.records import open_plain

_MODEL, _TAKEN, _WRITTEN = 0x0110, 0x9003, 0x0132
_PART_OF_SECOND: Final = 0x9291
_TEXTS: Final = (_MODEL, _TAKEN, _WRITTEN, _PART_OF_SECOND)
_BIAS: Final = 0x9204
_NO_BIAS: Final = 100.0  # what cameras write for "unknown" is far outside any scale


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """What the headers of one picture say; None for what they do not.

    `taken` is the camera's clock in seconds, `seconds` the shutter time, `ev` the exposure
    log2(t · ISO / 100 / N²) as far as it is told, `bias` the exposure compensation in EV. `size` is
    that of the stored picture, the longer side first, since a camera may be turned.
    """

    path: Path
    size: tuple[int, int]
    camera: str = ""
    taken: float | None = None
    seconds: float = 0.0
    ev: float | None = None
    bias: float | None = None


def read_shot(path: AnyPath) -> Shot:
    """The facts of one file; no pixel is decoded. Raises UnreadableImage."""
    path = Path(path)
    _, header = examine(path)
    try:
        with open_plain(path) as stream:
            tags, texts = exif_tags(stream), exif_texts(stream, _TEXTS)
    except OSError as error:
        raise UnreadableImage(
            f"{path}: cannot be opened ({error.strerror}); put it back."
        ) from error
    shutter = shutter_ev(tags)
    rest = (aperture_ev(tags), iso_ev(tags))
    return Shot(
        path=path,
        size=(max(header.height, header.width), min(header.height, header.width)),
        camera=texts.get(_MODEL, ""),
        taken=_clock(texts),
        seconds=0.0 if shutter is None else 2.0**shutter,
        ev=None if shutter is None else round(shutter + sum(each or 0.0 for each in rest), 4),
        bias=_bias(tags),
    )


def _bias(tags: Tags) -> float | None:
    told = next(iter(tags.get(_BIAS, ())), None)
    return None if told is None or not abs(told) < _NO_BIAS else round(told, 2)


def _clock(texts: dict[int, str]) -> float | None:
    """Seconds since 1970 by the camera's own clock, which knows no time zone."""
    told = texts.get(_TAKEN) or texts.get(_WRITTEN, "")
    try:
        at = datetime.strptime(told, "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    digits = texts.get(_PART_OF_SECOND, "")
    part = float(f"0.{digits}") if digits.isdecimal() and digits.isascii() else 0.0
    seconds = at.timestamp() + part
    return seconds if math.isfinite(seconds) else None
