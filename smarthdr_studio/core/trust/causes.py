"""Why an area is hard: saturation, motion, darkness or dispute, per pixel and in sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.imaging.alignment import (
    Drift,
    disagreement,
    drift,
    expected_noise,
    saturated,
)
from smarthdr_studio.core.imaging.bracket import Bracket
from smarthdr_studio.core.imaging.radiometry import Floats

Flags = npt.NDArray[np.bool_]

MOVING: Final = 0.05  # μ-law; twice what the edges of a drifting camera's picture reach
DARK: Final = 0.01  # μ-law; a good network errs by 0.006, which is 44 dB
DISPUTED: Final = 5 / 255  # μ-law; half of what METHOD §8 calls an error

_STRIP = 96  # rows looked at together, so that they stay in the processor's cache


class Reason(IntEnum):
    """The chief reason why a pixel is not trusted; the number is what a map of reasons holds."""

    TRUSTED = 0
    SATURATED = 1
    MOVING = 2
    DARK = 3
    DISPUTED = 4
    UNEXPLAINED = 5
    PERSON = 6

    @property
    def words(self) -> str:
        """What the screen calls it."""
        return _WORDS[self]


_WORDS = {
    Reason.TRUSTED: "trusted",
    Reason.SATURATED: "saturated",
    Reason.MOVING: "motion",
    Reason.DARK: "dark and noisy",
    Reason.DISPUTED: "teacher and student differ",
    Reason.UNEXPLAINED: "no visible cause",
    Reason.PERSON: "a person's brush",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clues:
    """What the frames of one scene say about every pixel, H×W each.

    `saturated`: under, reference, over, each where it stands: True where any channel reads 0.98
    or more. `motion`: how far frames disagree with the reference after alignment, on the μ-law,
    the larger of both; 0 where nothing can be said. `noise`: the expected standard deviation on
    the μ-law of the longest frame that is not saturated there, or else of the under frame.
    `drift`: how far under and over are displaced against the reference, (dx, dy) in pixels.
    """

    saturated: tuple[Flags, Flags, Flags]
    motion: Floats
    noise: Floats
    drift: tuple[Drift, Drift]

    @property
    def nbytes(self) -> int:
        """Memory of all five maps."""
        return sum(each.nbytes for each in (*self.saturated, self.motion, self.noise))

    def within(self, box: tuple[slice, slice]) -> "Clues":
        """The clues of some rows and columns; nothing is copied."""
        under, reference, over = (flag[box] for flag in self.saturated)
        return Clues(
            saturated=(under, reference, over),
            motion=self.motion[box],
            noise=self.noise[box],
            drift=self.drift,
        )


def clues(bracket: Bracket) -> Clues:
    """Look at the frames of one scene, once; a strip at a time, so that memory stays small."""
    height, width = bracket.reference.shape[:2]
    drifts = (drift(bracket, over=False), drift(bracket, over=True))
    flags = tuple(np.empty((height, width), dtype=bool) for _ in range(3))
    motion, noise = (np.empty((height, width), dtype=np.float32) for _ in range(2))
    for top in range(0, height, _STRIP):
        rows = slice(top, min(top + _STRIP, height))
        for flag, frame in zip(flags, bracket.frames, strict=True):
            flag[rows] = saturated(frame[rows])
        noise[rows] = _noise(bracket, rows, flags)
        motion[rows] = np.maximum(
            *(
                disagreement(bracket, over=over, drift=by, rows=rows, columns=slice(0, width))
                for over, by in zip((False, True), drifts, strict=True)
            )
        )
    under, reference, over = flags
    return Clues(saturated=(under, reference, over), motion=motion, noise=noise, drift=drifts)


def moving(known: Clues) -> Flags:
    """H×W, True where frames disagree by more than `MOVING`."""
    found: Flags = known.motion > MOVING
    return found


def dark(known: Clues) -> Flags:
    """H×W, True where noise alone spreads radiance by more than `DARK`."""
    found: Flags = known.noise > DARK
    return found


def disputed(dispute: Floats) -> Flags:
    """True where dispute > `DISPUTED`, same shape; |T(teacher) − T(student)|, channel mean."""
    found: Flags = dispute > DISPUTED
    return found


def reason_map(
    trusted: Flags,
    known: Clues,
    *,
    person: npt.NDArray[Any] | None = None,
    dispute: Floats | None = None,
) -> npt.NDArray[np.uint8]:
    """The chief `Reason` of every pixel, H×W, from the first of these that applies.

    Trusted; a person's brush (`person` < 0); saturated: the reference clips there, so highlights
    must be taken from an under frame in which things stand elsewhere; motion; dark: also where
    the over frame, which ought to tell of the shadows, clips instead; disputed: `dispute` is
    |T(teacher) − T(student)|; and none of them.
    """
    found = np.full(trusted.shape, Reason.UNEXPLAINED, dtype=np.uint8)
    if dispute is not None:
        found[disputed(dispute)] = Reason.DISPUTED
    found[dark(known)] = Reason.DARK
    found[moving(known)] = Reason.MOVING
    found[known.saturated[1]] = Reason.SATURATED
    if person is not None:
        found[person < 0] = Reason.PERSON
    found[trusted] = Reason.TRUSTED
    return found


def _noise(bracket: Bracket, rows: slice, flags: tuple[Flags, ...]) -> Floats:
    """Of the longest frame that is not saturated; the under frame where all are."""
    found, *longer = (
        expected_noise(frame[rows], stops=stops)
        for frame, stops in zip(bracket.frames, bracket.stops, strict=True)
    )
    for noise, flag in zip(longer, flags[1:], strict=True):
        np.copyto(found, noise, where=~flag[rows])
    return found


Box = tuple[slice, slice]
Shares = tuple[float, float, float]

NOTABLE: Final = 0.1  # share of an area from which a cause is worth a clause
_NOTABLY_DARK: Final = 0.25
_LARGEST_PAIR: Final = 256 * 256  # pixels; in a larger area it takes too long to say which frames

_PARTS: Final = (
    (0.995, "all"),
    (0.9, "nearly all"),
    (0.6, "most"),
    (0.4, "half"),
    (0.28, "a third"),
    (0.2, "a quarter"),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Area:
    """Some pixels of a scene: a box of it, and which pixels of the box; None are all."""

    box: Box
    mask: Flags | None = None

    def of(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The values of an H×W map, or of its box, inside the area."""
        height, width = (part.stop - part.start for part in self.box)
        inside = values if values.shape[:2] == (height, width) else values[self.box]
        return inside if self.mask is None else inside[self.mask]

    @property
    def single(self) -> bool:
        """Whether it is one pixel."""
        return all(part.stop - part.start == 1 for part in self.box)


@dataclass(frozen=True, slots=True, kw_only=True)
class Causes:
    """Shares in [0, 1] of an area, and means on the μ-law; None where it is not known.

    `saturated` are under, reference, over. `pair` names the frames that disagree.
    """

    single: bool
    saturated: Shares | None = None
    moving: float | None = None
    motion: float | None = None
    pair: str = "the frames"
    dark: float | None = None
    noise: float | None = None
    disputed: float | None = None
    dispute: float | None = None

    @property
    def complete(self) -> bool:
        """Whether the frames were looked at for everything they can tell."""
        return self.saturated is not None and self.moving is not None

    def clauses(self) -> tuple[str, ...]:
        """What makes the area hard, the gravest first; none where nothing does."""
        found = []
        if self.saturated is not None and self.saturated[1] >= NOTABLE:
            found.append(f"{self._part(self.saturated[1])} saturated in the reference frame")
        if self.moving is not None and self.moving >= NOTABLE:
            found.append(f"{self.pair} disagree (motion)")
        if self.dark is not None and self.dark >= _NOTABLY_DARK:
            found.append(f"{self._part(self.dark)} dark and noisy")
        if self.disputed is not None and self.disputed >= NOTABLE:
            found.append("teacher and student differ")
        return tuple(found)

    def _part(self, share: float) -> str:
        return "it is" if self.single else f"{part_in_words(share)} of it is"


def causes(
    area: Area, *, bracket: Bracket | None, clues: Clues | None, dispute: Floats | None
) -> Causes:
    """What is known of an area of a scene; maps are H×W of the whole scene."""
    doubt = None if dispute is None else area.of(dispute)
    flags = _saturated(area, bracket, clues)
    if clues is None:
        known: dict[str, float] = {}
    else:
        inside = clues.within(area.box)
        known = {
            "moving": _mean(area.of(moving(inside))),
            "motion": _mean(area.of(inside.motion)),
            "dark": _mean(area.of(dark(inside))),
            "noise": _mean(area.of(inside.noise)),
        }
    pair = "the frames"
    if known.get("moving", 0) >= NOTABLE and bracket is not None and clues is not None:
        pair = _pair(area, bracket, clues)
    return Causes(
        single=area.single,
        saturated=flags,
        pair=pair,
        disputed=None if doubt is None else _mean(disputed(doubt)),
        dispute=None if doubt is None else _mean(doubt),
        **known,
    )


def part_in_words(share: float) -> str:
    """A share in [0, 1] as one says it: "half", "nearly all"."""
    return next((words for least, words in _PARTS if share >= least), "a part")


def joined(clauses: Sequence[str]) -> str:
    """Clauses as one: "a", "a, and b", "a, b, and c"."""
    if len(clauses) < 2:
        return "".join(clauses)
    return f"{', '.join(clauses[:-1])}, and {clauses[-1]}"


def _saturated(area: Area, bracket: Bracket | None, clues: Clues | None) -> Shares | None:
    if clues is not None:
        flags = [flag[area.box] for flag in clues.saturated]
    elif bracket is not None:
        flags = [saturated(frame[area.box]) for frame in bracket.frames]
    else:
        return None
    under, reference, over = (_mean(area.of(flag)) for flag in flags)
    return under, reference, over


def _pair(area: Area, bracket: Bracket, clues: Clues) -> str:
    """Which frame the reference disagrees with; both where neither is much worse."""
    rows, columns = area.box
    if (rows.stop - rows.start) * (columns.stop - columns.start) > _LARGEST_PAIR:
        return "the frames"
    with_under, with_over = (
        _mean(
            area.of(disagreement(bracket, over=over, drift=by, rows=rows, columns=columns)) > MOVING
        )
        for over, by in zip((False, True), clues.drift, strict=True)
    )
    if min(with_under, with_over) > max(with_under, with_over) / 2:
        return "all three frames"
    return "under and reference" if with_under > with_over else "over and reference"


def _mean(values: npt.NDArray[Any]) -> float:
    return float(np.mean(values, dtype=np.float64)) if values.size else 0.0
