"""The memory that pictures take, known from their headers, and whether so much may be taken."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from smarthdr_studio.core.environment import main_memory
from smarthdr_studio.core.errors import DeviceError, UnreadableImage
from smarthdr_studio.core.imaging.picture_header import MOST_PIXELS, PictureHeader, Refused

SHARE: Final = "SMARTHDR_MEMORY_SHARE"
_USUAL_PERCENT: Final = 80
_MOST_PERCENT: Final = 1000  # of what is free: with much swap, more can be had
_HELD: Final = 3 * 2  # bytes of a pixel of a decoded frame


class Announced(NamedTuple):
    """A file, what its header says, and how many bytes the file has."""

    path: Path
    header: PictureHeader
    file_bytes: int

    @property
    def bytes_to_decode(self) -> int:
        """The most that is held at once while it is decoded.

        The file, what the decoder unpacks of it and the same in RGB order, and the three channels
        made of that, of 2 bytes each, or 4 where samples have more than 2.
        """
        header = self.header
        made = 3 * (2 if header.sample_bytes <= 2 else 4)
        pixels = header.height * header.width
        return self.file_bytes + 2 * header.unpacked_bytes + (made + header.worked) * pixels


def refuse_absurd(header: PictureHeader) -> None:
    """Raises ValueError for an empty picture, and Refused for one that no memory is asked for."""
    height, width = header.height, header.width
    if height < 1 or width < 1:
        raise ValueError("an empty picture")
    if height * width > MOST_PIXELS:
        raise Refused(
            f"says that it is {width}×{height}, and more than {MOST_PIXELS // 10**6} megapixels "
            "are not read; scale or crop it"
        )


def refuse_without_room(pictures: Sequence[Announced], *, beside: int = 0) -> None:
    """Raises UnreadableImage where decoding all of them takes more memory than may be taken.

    With `beside` they are held while something is done with them that takes so many bytes for each
    pixel of one of them. Where the system does not tell what is free, nothing is refused. Raises
    DeviceError where the share that may be taken is no percentage.
    """
    free, percent = main_memory(), share_in_percent()
    needed = _needed(pictures, beside=beside)
    if free is None or needed <= free * percent / 100:
        return
    most = max(pictures, key=lambda each: each.bytes_to_decode)
    header, others = most.header, len(pictures) - 1
    together = f" and takes, with {_counted(others)} more," if others else " and takes"
    raise UnreadableImage(
        f"{most.path}: is {header.width}×{header.height} pixels{together} "
        f"{_size(needed)} of memory, but {_size(free)} are free and {percent} % of "
        f"that may be taken; close other programs, scale it, or set {SHARE} to more percent."
    )


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 10**8 else f"{count / 1e6:.1f} MB"


def _counted(frames: int) -> str:
    return "1 frame" if frames == 1 else f"{frames} frames"


def _needed(pictures: Sequence[Announced], *, beside: int) -> int:
    decoding = sum(each.bytes_to_decode for each in pictures)
    if not beside:
        return decoding
    pixels = [each.header.height * each.header.width for each in pictures]
    return _HELD * sum(pixels) + max(decoding, beside * max(pixels))


def share_in_percent(environment: Mapping[str, str] = os.environ) -> int:
    """How much of the free memory pictures may take; 80 where nobody says. Raises DeviceError."""
    said = environment.get(SHARE, "").strip().removesuffix("%").strip()
    if not said:
        return _USUAL_PERCENT
    percent = int(said) if said.isascii() and said.isdecimal() and len(said) <= 4 else 0
    if not 1 <= percent <= _MOST_PERCENT:
        raise DeviceError(
            f"{SHARE} is {said!r}; give how many percent of the free memory pictures may take, "
            f"1 to {_MOST_PERCENT}, or unset it."
        )
    return percent
