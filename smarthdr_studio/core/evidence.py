"""Evidence for or against σ where ground truth exists: curves and figures of METHOD §8."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import gcd
from typing import Final

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.reasons import Clues, moving
from smarthdr_studio.core.reliability import (
    WRONG,
    area_between,
    auroc,
    calibration,
    coverage,
    ence,
    sparsification,
    spearman,
)

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Map = npt.NDArray[np.floating]

_NO_FLOATS: Final = np.empty(0, np.float32)
_NO_FLAGS: Final = np.empty(0, np.bool_)


class Part(StrEnum):
    """Which pixels are looked at; the values are the words on the screen."""

    ALL = "all pixels"
    SATURATED = "saturated"
    MOVING = "moving"
    STATIC = "static"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """Of one part of a scene or pool; e is T(ĥ) − T(h).

    Whether σ sorts the pixels, against the absolute error (|e|, channel mean): the three
    sparsification curves run evenly over dropped shares 0 to 1 and are divided by `error`, its
    mean over all pixels; `auroc` tells absolute errors above 10/255 from the rest (NaN where there
    are only errors of one kind).

    Whether σ is as large as it says, against what it is trained to be, the RMS error (root of the
    channel mean of e²): `predicted` and `observed` are root mean σ² and root mean squared error of
    equally large bins of rising σ, `ence` is their distance, and `coverage` the share of pixels
    whose RMS error is within σ, 2σ and 3σ.
    """

    pixels: int
    error: float
    by_sigma: Doubles
    oracle: Doubles
    random: Doubles
    ause: float
    aurg: float
    spearman: float
    auroc: float
    ence: float
    coverage: tuple[float, float, float]
    predicted: Doubles
    observed: Doubles


def evidence(sigma: Map, *, error: Map, squares: Map) -> Evidence:
    """Every figure of one set of pixels, of which at least one is finite in all three maps.

    `error` is |e|, `squares` e², both the channel mean on the μ-law, and of the shape of σ. Pixels
    where any is not finite are left out; ValueError where none is left. Where all
    errors are 0 every curve is 1 and both areas are 0; σ that is the same everywhere orders
    nothing, so its curve is the random one.
    """
    finite = np.isfinite(sigma) & np.isfinite(error) & np.isfinite(squares)
    doubt, errors = sigma[finite].astype(np.float64), error[finite].astype(np.float64)
    squared = squares[finite].astype(np.float64)
    if errors.size == 0:
        raise ValueError("no pixel has both a finite σ and a finite error")
    by_sigma, oracle = sparsification(doubt, errors), sparsification(errors, errors)
    random = np.ones_like(by_sigma)
    predicted, observed = calibration(doubt, squared)
    one, two, three = (coverage(doubt, squared, times=times) for times in (1, 2, 3))
    return Evidence(
        pixels=errors.size,
        error=float(errors.mean()),
        by_sigma=by_sigma,
        oracle=oracle,
        random=random,
        ause=area_between(by_sigma, oracle),
        aurg=area_between(random, by_sigma),
        spearman=spearman(doubt, errors),
        auroc=auroc(doubt, errors > WRONG),
        ence=ence(predicted, observed),
        coverage=(one, two, three),
        predicted=predicted,
        observed=observed,
    )


def sparsification_point(trusted: Flags, error: Map) -> tuple[float, float]:
    """Where a mask stands beside the curves: its dropped share, and what is left of the error.

    The mean absolute error of the trusted pixels ÷ that of all; 0 where nothing is trusted, for
    nothing is wrong then, and 1 where there is no error at all.
    """
    total = float(error.mean(dtype=np.float64))
    kept = int(np.count_nonzero(trusted))
    if kept == 0:
        return 1.0, 0.0
    left = float(error.sum(where=trusted, dtype=np.float64)) / kept
    return 1 - kept / trusted.size, left / total if total > 0 else 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sampled:
    """Pixels of one or more scenes, flat and of one length, so that a pool fits into memory.

    `error` is |e| and `squares` e² on the μ-law, channel mean. `saturated` is where the reference
    frame clips, `moving` where frames disagree.
    """

    sigma: Floats
    error: Floats
    squares: Floats
    saturated: Flags
    moving: Flags

    def __len__(self) -> int:
        return len(self.sigma)

    @classmethod
    def of(
        cls, sigma: Map, clues: Clues, *, error: Map, squares: Map, most: int = 40_000
    ) -> "Sampled":
        """At most that many pixels of a scene, evenly strided; maps are H×W."""
        step = _stride(sigma.size, sigma.shape[1], most)
        return cls(
            sigma=sigma.ravel()[::step].astype(np.float32),
            error=error.ravel()[::step].astype(np.float32),
            squares=squares.ravel()[::step].astype(np.float32),
            saturated=clues.saturated[1].ravel()[::step],
            moving=moving(clues).ravel()[::step],
        )

    @classmethod
    def joined(cls, many: Iterable["Sampled"]) -> "Sampled":
        """The pixels of all of them."""
        parts = tuple(many)
        return cls(
            sigma=np.concatenate([part.sigma for part in parts] or [_NO_FLOATS]),
            error=np.concatenate([part.error for part in parts] or [_NO_FLOATS]),
            squares=np.concatenate([part.squares for part in parts] or [_NO_FLOATS]),
            saturated=np.concatenate([part.saturated for part in parts] or [_NO_FLAGS]),
            moving=np.concatenate([part.moving for part in parts] or [_NO_FLAGS]),
        )

    def part(self, part: Part) -> "Sampled":
        """Only the pixels of one part; static is what neither clips nor moves."""
        match part:
            case Part.ALL:
                return self
            case Part.SATURATED:
                wanted = self.saturated
            case Part.MOVING:
                wanted = self.moving
            case Part.STATIC:
                wanted = ~(self.saturated | self.moving)
        return Sampled(
            sigma=self.sigma[wanted],
            error=self.error[wanted],
            squares=self.squares[wanted],
            saturated=self.saturated[wanted],
            moving=self.moving[wanted],
        )

    def evidence(self, part: Part = Part.ALL) -> Evidence | None:
        """Every figure of one part; None where it has no pixels with finite values."""
        chosen = self.part(part)
        maps = chosen.sigma, chosen.error, chosen.squares
        if not np.isfinite(maps).all(0).any():
            return None
        return evidence(chosen.sigma, error=chosen.error, squares=chosen.squares)


def _stride(pixels: int, width: int, most: int) -> int:
    """A stride that leaves at most that many pixels and wanders over all columns."""
    step = -(-pixels // most)
    while step > 1 and gcd(step, width) > 1:
        step += 1
    return step
