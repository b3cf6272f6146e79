"""What a scene looks like in a few numbers, so that scenes can be told apart or alike."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.bracket import Bracket
from smarthdr_studio.core.radiance import Floats, linear_radiance, mu_law, unit_ldr

Look = npt.NDArray[np.float16]

_GRID: Final = 8  # the thumbnail is 8×8
_SMALL: Final = 64  # pixels a side of the picture all is measured in
_BINS: Final = 16  # of the histogram of log radiance
_DARKEST: Final = 1e-4  # radiance of the first bin
_CHROMA_WEIGHT: Final = 2.0  # chroma differs less than luminance, and tells places apart as well
_HISTOGRAM_WEIGHT: Final = 0.5
_AT_ONCE: Final = 64  # looks compared with all others in one go

LOOK_LENGTH: Final = 3 * _GRID**2 + _BINS


def look_of(bracket: Bracket) -> Look:
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


class Company:
    """How far each of some looks is from the nearest of a growing company of others."""

    def __init__(self, looks: Sequence[Look]) -> None:
        held = np.array(looks, dtype=np.float32).reshape(-1, LOOK_LENGTH)
        centre = held.mean(0) if len(held) else np.zeros(LOOK_LENGTH, np.float32)
        self._centre, self._looks = centre, held - centre
        self._squares = np.einsum("ij,ij->i", self._looks, self._looks)
        self._nearest = np.full(len(held), np.inf, dtype=np.float32)
        self.who = np.full(len(held), -1, dtype=np.int64)

    def join(self, looks: Sequence[Look], *, first: int) -> None:
        """Some more in the company, numbered from `first` on; `who` is the nearest to each."""
        for start in range(0, len(looks), _AT_ONCE):
            others = np.array(looks[start : start + _AT_ONCE], dtype=np.float32) - self._centre
            lengths = np.einsum("ij,ij->i", others, others)
            squares = self._squares[:, None] - 2 * (self._looks @ others.T) + lengths
            best = squares.argmin(1)
            nearest = squares[np.arange(len(best)), best]
            nearer = nearest < self._nearest
            self._nearest[nearer] = nearest[nearer]
            self.who[nearer] = best[nearer] + (first + start)

    def unlike(self) -> Floats:
        """From 0, the same as one of the company, to 1, as unlike it as any two usually are."""
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
