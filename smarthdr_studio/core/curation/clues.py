"""What the frames of a scene say, kept small: motion, saturation, and a descriptor."""

import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.core.imaging.alignment import disagreement, drift, saturated
from smarthdr_studio.core.imaging.bracket import (
    Bracket,
    Scene,
    decode_bracket,
    frames_stamp,
)
from smarthdr_studio.core.imaging.radiometry import Floats, linear_radiance, mu_law, unit_ldr
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.causes import MOVING, Clues, moving
from smarthdr_studio.core.trust.masking import PATCH_SIZE

Descriptor = npt.NDArray[np.float16]

_GRID: Final = 8  # the thumbnail is 8×8
_SMALL: Final = 64  # pixels a side of the picture all is measured in
_BINS: Final = 16  # of the histogram of log radiance
_DARKEST: Final = 1e-4  # radiance of the first bin
_CHROMA_WEIGHT: Final = 2.0  # chroma differs less than luminance, and tells places apart as well
_HISTOGRAM_WEIGHT: Final = 0.5
_COMPARED_AT_ONCE: Final = 64  # looks compared with all others in one go

DESCRIPTOR_LENGTH: Final = 3 * _GRID**2 + _BINS


def descriptor_of(bracket: Bracket) -> Descriptor:
    """LOOK_LENGTH numbers whose Euclidean distance says how unlike two scenes are.

    Luminance and two chroma planes of an 8×8 thumbnail of the reference on the μ-law, and the
    histogram of its log radiance as a Hellinger vector; distances are mostly below 1.
    """
    small = cv2.resize(bracket.reference, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA)
    radiance = linear_radiance(unit_ldr(small.astype(np.uint16)), stops=bracket.stops[1])
    law = mu_law(radiance)
    thumbnail = cv2.resize(law, (_GRID, _GRID), interpolation=cv2.INTER_AREA)
    red, green, blue = (thumbnail[..., channel].ravel() for channel in range(3))
    luminance = (red + green + blue) / 3
    chroma = np.concatenate([red - green, blue - green])
    parts = (
        luminance / _GRID,
        chroma * (_CHROMA_WEIGHT / _GRID),
        np.sqrt(_histogram(radiance)) * _HISTOGRAM_WEIGHT,
    )
    return np.concatenate(parts).astype(np.float16)


class NearestNeighbours:
    """How far each of some looks is from the nearest of a growing company of others."""

    def __init__(self, looks: Sequence[Descriptor]) -> None:
        held = np.array(looks, dtype=np.float32).reshape(-1, DESCRIPTOR_LENGTH)
        centre = held.mean(0) if len(held) else np.zeros(DESCRIPTOR_LENGTH, np.float32)
        self._centre, self._looks = centre, held - centre
        self._squares = np.einsum("ij,ij->i", self._looks, self._looks)
        self._nearest = np.full(len(held), np.inf, dtype=np.float32)
        self.who = np.full(len(held), -1, dtype=np.int64)

    def join(self, looks: Sequence[Descriptor], *, first: int) -> None:
        """Add float16 looks, flat and of one length, numbered from `first` on.

        `who` is the nearest to each, by Euclidean distance.
        """
        for start in range(0, len(looks), _COMPARED_AT_ONCE):
            others = (
                np.array(looks[start : start + _COMPARED_AT_ONCE], dtype=np.float32) - self._centre
            )
            lengths = np.einsum("ij,ij->i", others, others)
            squares = self._squares[:, None] - 2 * (self._looks @ others.T) + lengths
            best = squares.argmin(1)
            nearest = squares[np.arange(len(best)), best]
            nearer = nearest < self._nearest
            self._nearest[nearer] = nearest[nearer]
            self.who[nearer] = best[nearer] + (first + start)

    def unlike(self) -> Floats:
        """Per look, flat float32: min(1, √(d² / 2m)).

        d is the distance to the nearest of the company, m the mean squared distance of all looks
        to their centre: 2m is the expected d² of two looks drawn at random. 1 without a company.
        """
        spread = 2 * float(self._squares.mean()) if len(self._squares) else 0.0
        if spread <= 0:
            return np.where(np.isinf(self._nearest), 1, 0).astype(np.float32)
        shares: Floats = np.sqrt(np.clip(self._nearest / np.float32(spread), 0, 1))
        return shares


def _histogram(radiance: Floats) -> npt.NDArray[np.float64]:
    levels = np.log(np.maximum(radiance.mean(2), _DARKEST)) / -np.log(_DARKEST) + 1
    counts = np.histogram(levels, _BINS, (0, 1))[0]
    shares: npt.NDArray[np.float64] = counts / counts.sum()
    return shares


Bytes = npt.NDArray[np.uint8]

_HEAD: Final = struct.Struct("<4sIIff")  # what it is, height, width, saturation, motion
_TAIL: Final = struct.Struct("<I")  # the checksum of all before it
_MAGIC: Final = b"CLU1"
_MOST_SIDE: Final = 2**20
_HALVED_FROM: Final = 256  # pixels of the shorter side; smaller scenes are looked at as they are
_STRIP: Final = 64  # rows looked at together, so that they stay in the processor's cache


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClueRecord:
    """Shares of saturated and moving pixels, and what the scene looks like.

    `saturated` (in the reference) and `moving` hold one share per patch of 64×64, P uint8 from 0
    to 255 for all, row by row as in `SceneStatistics`; `saturation` and `motion` are those of the
    whole scene in [0, 1]. `look` is `descriptor_of` the scene.
    """

    height: int
    width: int
    saturated: Bytes
    moving: Bytes
    saturation: float
    motion: float
    look: Descriptor

    @property
    def patches(self) -> int:
        """How many patches the scene has."""
        return len(self.saturated)

    def to_bytes(self) -> bytes:
        """The record as it is kept; `from_bytes` reads it."""
        head = _HEAD.pack(_MAGIC, self.height, self.width, self.saturation, self.motion)
        parts = (self.saturated, self.moving, self.look.astype("<f2"))
        body = head + b"".join(part.tobytes() for part in parts)
        return body + _TAIL.pack(zlib.crc32(body))

    @classmethod
    def from_bytes(cls, data: bytes) -> "ClueRecord":
        """What `to_bytes` wrote; ValueError where it is damaged or of another version."""
        if len(data) < _HEAD.size + _TAIL.size or data[:4] != _MAGIC:
            raise ValueError("no record of clues, or one of another version")
        body, (checksum,) = data[: -_TAIL.size], _TAIL.unpack(data[-_TAIL.size :])
        _, height, width, saturation, motion = _HEAD.unpack_from(body)
        if zlib.crc32(body) != checksum or not 0 < min(height, width) <= _MOST_SIDE:
            raise ValueError("a damaged record of clues")
        patches = len(pixels_per_patch(height, width))
        if len(body) != _HEAD.size + 2 * patches + 2 * DESCRIPTOR_LENGTH:
            raise ValueError("a record of clues of another length than its scene needs")
        shares = np.frombuffer(body, np.uint8, 2 * patches, _HEAD.size)
        return cls(
            height=height,
            width=width,
            saturated=shares[:patches],
            moving=shares[patches:],
            saturation=saturation,
            motion=motion,
            look=np.frombuffer(body, "<f2", DESCRIPTOR_LENGTH, _HEAD.size + 2 * patches),
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
        look=descriptor_of(bracket),
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


CLUES_KIND: Final = "clues"
_WRITTEN_AT_ONCE: Final = 16  # records that are written together, and lost together in a power cut


def kept_records(project: Project) -> dict[str, ClueRecord]:
    """By scene, the records that are still true; those of files that are away now count as such."""
    known: dict[str, ClueRecord] = {}
    kept = project.figures(CLUES_KIND)
    for scene in project.scenes:
        stamp, data = kept.get(scene.id, ("", b""))
        if not data or frames_stamp(scene) not in ("", stamp):
            continue
        try:
            known[scene.id] = ClueRecord.from_bytes(data)
        except ValueError:  # damaged or of another version: it can be found again
            continue
    return known


def compute_records(
    project: Project, scenes: Iterable[Scene], *, seen: Callable[[str], None] = lambda _: None
) -> tuple[dict[str, ClueRecord], tuple[str, ...]]:
    """Records of these scenes from their frames, kept in the project unless it is read-only.

    `seen` hears each id once it is done and may raise to stop; what was kept stays. The sentences
    say which scenes cannot be read.
    """
    found: dict[str, ClueRecord] = {}
    problems: list[str] = []
    fresh: dict[str, tuple[str, bytes]] = {}
    try:
        for scene in scenes:
            stamp = frames_stamp(scene)
            try:
                found[scene.id] = record_of(decode_bracket(scene))
            except StudioError as error:
                problems.append(str(error))
            else:
                fresh[scene.id] = (stamp, found[scene.id].to_bytes())
            if len(fresh) >= _WRITTEN_AT_ONCE:
                _keep_records(project, fresh)
            seen(scene.id)
    finally:
        _keep_records(project, fresh)
    return found, tuple(problems)


def _keep_records(project: Project, fresh: dict[str, tuple[str, bytes]]) -> None:
    if fresh and not project.read_only:
        project.keep_figures(CLUES_KIND, fresh)
    fresh.clear()
