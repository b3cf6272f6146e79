"""Why an area is hard: saturation, motion, darkness, or two networks that disagree."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.bracket import Bracket
from smarthdr_studio.core.disagreement import disagreement, expected_noise, saturated
from smarthdr_studio.core.drift import Drift, drift
from smarthdr_studio.core.radiance import Floats

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
    """True where teacher and student are further apart than `DISPUTED`; of |T − T|."""
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
