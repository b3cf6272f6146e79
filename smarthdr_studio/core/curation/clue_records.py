"""What the frames of one scene say about each of its patches, kept small for ever."""

import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.bracket import Bracket
from smarthdr_studio.core.curation.looks import LOOK_LENGTH, Look, look_of
from smarthdr_studio.core.disagreement import disagreement, saturated
from smarthdr_studio.core.drift import drift
from smarthdr_studio.core.masking import PATCH_SIZE
from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.reasons import MOVING, Clues, moving

Bytes = npt.NDArray[np.uint8]

_HEAD: Final = struct.Struct("<4sIIff")  # what it is, height, width, saturation, motion
_TAIL: Final = struct.Struct("<I")  # the checksum of all before it
_MARK: Final = b"CLU1"
_MOST_SIDE: Final = 2**20
_HALVED_FROM: Final = 256  # pixels of the shorter side; smaller scenes are looked at as they are
_STRIP: Final = 64  # rows looked at together, so that they stay in the processor's cache


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClueRecord:
    """Shares of saturated and moving pixels, and what the scene looks like.

    `saturated` (in the reference) and `moving` hold one share per patch of 64×64, P uint8 from 0
    to 255 for all, row by row as in `SceneStatistics`; `saturation` and `motion` are those of the
    whole scene in [0, 1]. `look` is `looks.look_of` the scene.
    """

    height: int
    width: int
    saturated: Bytes
    moving: Bytes
    saturation: float
    motion: float
    look: Look

    @property
    def patches(self) -> int:
        """How many patches the scene has."""
        return len(self.saturated)

    def to_bytes(self) -> bytes:
        """The record as it is kept; `from_bytes` reads it."""
        head = _HEAD.pack(_MARK, self.height, self.width, self.saturation, self.motion)
        parts = (self.saturated, self.moving, self.look.astype("<f2"))
        body = head + b"".join(part.tobytes() for part in parts)
        return body + _TAIL.pack(zlib.crc32(body))

    @classmethod
    def from_bytes(cls, data: bytes) -> "ClueRecord":
        """What `to_bytes` wrote; ValueError where it is damaged or of another version."""
        if len(data) < _HEAD.size + _TAIL.size or data[:4] != _MARK:
            raise ValueError("no record of clues, or one of another version")
        body, (checksum,) = data[: -_TAIL.size], _TAIL.unpack(data[-_TAIL.size :])
        _, height, width, saturation, motion = _HEAD.unpack_from(body)
        if zlib.crc32(body) != checksum or not 0 < min(height, width) <= _MOST_SIDE:
            raise ValueError("a damaged record of clues")
        patches = len(pixels_per_patch(height, width))
        if len(body) != _HEAD.size + 2 * patches + 2 * LOOK_LENGTH:
            raise ValueError("a record of clues of another length than its scene needs")
        shares = np.frombuffer(body, np.uint8, 2 * patches, _HEAD.size)
        return cls(
            height=height,
            width=width,
            saturated=shares[:patches],
            moving=shares[patches:],
            saturation=saturation,
            motion=motion,
            look=np.frombuffer(body, "<f2", LOOK_LENGTH, _HEAD.size + 2 * patches),
        )


def record_of(bracket: Bracket, known: Clues | None = None) -> ClueRecord:
    """Look at a scene once; `known` are its clues, if somebody has them already.

    Without them motion is looked for at half resolution, which takes a third of the time and
    finds the same patches; saturation is exact.
    """
    height, width = bracket.reference.shape[:2]
    bright = saturated(bracket.reference) if known is None else known.saturated[1]
    stirred = _moving(bracket) if known is None else moving(known)
    saturation, motion = (_per_patch(flags, height, width) for flags in (bright, stirred))
    weights = pixels_per_patch(height, width) / (height * width)
    return ClueRecord(
        height=height,
        width=width,
        saturated=_as_bytes(saturation),
        moving=_as_bytes(motion),
        saturation=float(saturation @ weights),
        motion=float(motion @ weights),
        look=look_of(bracket),
    )


@lru_cache(maxsize=64)  # a dataset has few sizes
def pixels_per_patch(height: int, width: int) -> Floats:
    """How many pixels each patch of an H×W scene has, row by row; not to be written into."""
    tall, wide = (np.diff(np.append(np.arange(0, n, PATCH_SIZE), n)) for n in (height, width))
    counts: Floats = np.multiply.outer(tall, wide).ravel().astype(np.float32)
    return counts


def _moving(bracket: Bracket) -> npt.NDArray[np.bool_]:
    """Where frames disagree by more than `MOVING`; of a large scene at half its resolution."""
    small = _halved(bracket) if min(bracket.reference.shape[:2]) >= _HALVED_FROM else bracket
    height, width = small.reference.shape[:2]
    found = np.zeros((height, width), dtype=bool)
    for over in (False, True):
        by = drift(small, over=over)
        for top in range(0, height, _STRIP):
            rows = slice(top, min(top + _STRIP, height))
            part = disagreement(small, over=over, drift=by, rows=rows, columns=slice(0, width))
            found[rows] |= part > MOVING
    return found


def _halved(bracket: Bracket) -> Bracket:
    height, width = bracket.reference.shape[:2]
    size = (-(-width // 2), -(-height // 2))
    under, reference, over = (
        cv2.resize(frame, size, interpolation=cv2.INTER_AREA).astype(np.uint16, copy=False)
        for frame in bracket.frames
    )
    return Bracket(under, reference, over, bracket.stops)


def _per_patch(flags: npt.NDArray[np.bool_], height: int, width: int) -> npt.NDArray[np.float64]:
    """The share of each patch of an H×W scene that is set; `flags` may have half the resolution."""
    size = PATCH_SIZE if flags.shape == (height, width) else PATCH_SIZE // 2
    rows, columns = (np.arange(0, n, size) for n in flags.shape)
    sums = np.add.reduceat(np.add.reduceat(flags, columns, 1, dtype=np.float64), rows, 0)
    ends = (np.append(rows, flags.shape[0]), np.append(columns, flags.shape[1]))
    counts = np.multiply.outer(*(np.diff(end) for end in ends))
    shares: npt.NDArray[np.float64] = (sums / counts).ravel()
    return shares


def _as_bytes(shares: npt.NDArray[np.float64]) -> Bytes:
    return np.rint(shares * 255).astype(np.uint8)
