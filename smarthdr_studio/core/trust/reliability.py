"""Whether σ says where the error is, measured where ground truth exists (METHOD §8)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import erf, exp, gcd, pi, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.imaging.radiometry import mu_law
from smarthdr_studio.core.trust.causes import Clues, moving

Map = npt.NDArray[np.floating]
Doubles = npt.NDArray[np.float64]

WRONG: Final = 10 / 255
"""Absolute errors (μ-law) above this are what σ ought to warn of (METHOD §8)."""

_CURVE_POINTS: Final = 101
_BINS: Final = 15
_LEAST_SIGMA: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """Rank correlation (1 is best), area under the sparsification error and ENCE (0 is best).

    The first two of σ against the absolute error, ENCE against the RMS error.
    """

    spearman: float
    ause: float
    ence: float


def error_map(picture: Map, truth: Map) -> npt.NDArray[np.float32]:
    """The absolute error: |e| on the μ-law, channel mean, H×W, of two linear H×W×3 pictures."""
    mean: npt.NDArray[np.float32] = np.abs(_difference(picture, truth)).mean(2, dtype=np.float32)
    return mean


def squared_error_map(picture: Map, truth: Map) -> npt.NDArray[np.float32]:
    """The square of the RMS error: e² on the μ-law, channel mean, H×W, of two linear pictures.

    What L^k teaches σ² to be (METHOD §3); both pictures are H×W×3.
    """
    mean: npt.NDArray[np.float32] = np.square(_difference(picture, truth)).mean(2, dtype=np.float32)
    return mean


def reliability(sigma: Map, *, error: Map, squares: Map) -> Reliability:
    """Every figure of a map σ against maps of |e| and e² on the μ-law, all H×W."""
    return Reliability(
        spearman=spearman(sigma, error),
        ause=ause(sigma, error),
        ence=ence(*calibration(sigma, squares)),
    )


def spearman(sigma: Map, error: Map) -> float:
    """Spearman's rank correlation of two maps of one shape; ties share their mean rank.

    0 where either map is constant.
    """
    first, second = _ranks(sigma.ravel()), _ranks(error.ravel())
    first, second = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / scale if scale > 0 else 0.0


def ause(sigma: Map, error: Map) -> float:
    """Area between the sparsification curves of σ and of the oracle, maps of one shape.

    Ilg et al. 2018, section 5; both curves are divided by the full error. 0 without error.
    """
    return area_between(sparsification(sigma, error), sparsification(error, error))


def area_between(upper: Doubles, lower: Doubles) -> float:
    """The area between two flat curves over dropped shares 0 to 1, by trapezoids.

    Negative where `upper` is below.
    """
    return float(np.trapezoid(upper - lower, np.linspace(0, 1, len(upper))))


def sparsification(order_by: Map, error: Map) -> Doubles:
    """Mean error of what is left after dropping the least sure share 0, 1 %, … of the pixels.

    Flat, from maps of one shape. Divided by the error of all pixels; at 100 % nothing is left and
    the last value stands. What is equally sure is dropped in no order: each such pixel counts with
    their mean error. Where there is no error the curve is 1.
    """
    errors = error.ravel().astype(np.float64)
    mean = errors.mean()
    if mean == 0:
        return np.ones(_CURVE_POINTS)
    surest_first = np.argsort(order_by.ravel(), kind="stable")
    running = np.cumsum(_levelled(errors[surest_first], order_by.ravel()[surest_first]))
    left = np.rint(np.linspace(len(errors), 0, _CURVE_POINTS)).astype(np.int64).clip(1)
    curve: Doubles = running[left - 1] / left / mean
    return curve


def auroc(sigma: Map, wrong: npt.NDArray[np.bool_]) -> float:
    """How often σ is larger on a wrong pixel than on a right one; ties count half.

    The area under the ROC curve, by ranks (Mann and Whitney 1947), of maps of one shape. NaN where
    all pixels are wrong, or none.
    """
    count = int(np.count_nonzero(wrong))
    if count in (0, wrong.size):
        return float("nan")
    above = _ranks(sigma.ravel())[wrong.ravel()].sum() - count * (count + 1) / 2
    return float(above / (count * (wrong.size - count)))


def calibration(sigma: Map, squares: Map) -> tuple[Doubles, Doubles]:
    """Root mean σ² and root mean squared error of bins of rising σ, equally large to a pixel.

    `squares` is e² on the μ-law, channel mean, of the same shape as σ (see `squared_error_map`).

    Fifteen bins, or as many as there are pixels. Equally sure pixels that fall into several bins
    are spread over them evenly.
    """
    order = np.argsort(sigma.ravel(), kind="stable")
    doubt = sigma.ravel()[order].astype(np.float64)
    levelled = _levelled(squares.ravel()[order].astype(np.float64), doubt)
    bins = min(_BINS, len(order))
    edges = np.linspace(0, len(order), bins + 1).astype(np.int64)
    sizes = np.diff(edges)
    predicted, observed = (
        np.sqrt(np.add.reduceat(values, edges[:-1]) / sizes) for values in (doubt**2, levelled)
    )
    return predicted, observed


def ence(predicted: Doubles, observed: Doubles) -> float:
    """Expected normalised calibration error: mean over bins of |predicted − observed| ÷ predicted.

    Levi et al. 2022, equation 8. Both flat, one value per bin. A σ below 1e-6 is taken for 1e-6.
    """
    return float(np.mean(np.abs(predicted - observed) / np.maximum(predicted, _LEAST_SIGMA)))


def coverage(sigma: Map, squares: Map, *, times: float) -> float:
    """The share of pixels whose RMS error is at most `times`·σ; `squares` as in `calibration`.

    Both maps of one shape.
    """
    return float(np.mean(squares <= np.square(times * sigma)))


def gaussian_coverage(times: float) -> float:
    """The coverage of k = `times` σ where e of the three channels are independent N(0, σ²).

    Then 3·RMS²/σ² = Σ (e_c/σ)² follows χ² with three degrees of freedom, so √3·RMS/σ is the
    length of a standard Gaussian vector in space, which has Maxwell's density √(2/π)·t²·exp(−t²/2)
    (Johnson, Kotz and Balakrishnan 1994, chapter 18). Integrated by parts from 0 to x = √3·k:

        P(RMS ≤ kσ) = erf(x/√2) − √(2/π)·x·exp(−x²/2) = erf(k√(3/2)) − √(6/π)·k·exp(−3k²/2)

    0.608, 0.993 and 0.999994 for k = 1, 2, 3. Where all channels err alike the RMS error is |e|,
    and the coverage that of one Gaussian, erf(k/√2): 0.683, 0.954 and 0.997.
    """
    return erf(times * sqrt(3 / 2)) - sqrt(6 / pi) * times * exp(-1.5 * times**2)


def _difference(picture: Map, truth: Map) -> npt.NDArray[np.float32]:
    return mu_law(picture.astype(np.float32)) - mu_law(truth.astype(np.float32))


def _levelled(values: Doubles, keys: Map) -> Doubles:
    """Values in the order of rising keys; those of equal keys become their mean."""
    starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    if len(starts) == len(keys):
        return values
    counts = np.diff(np.append(starts, len(keys)))
    levelled: Doubles = np.repeat(np.add.reduceat(values, starts) / counts, counts)
    return levelled


def _ranks(values: Map) -> Doubles:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Doubles = (last - (counts - 1) / 2.0)[inverse]
    return ranks


Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

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

    `error` is |e|, `squares` e², channel means on the μ-law, of the same shape as σ. Pixels
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


def part_flags(clues: Clues, part: Part) -> Flags:
    """Which pixels of a scene are of a part, H×W; static is what neither clips nor moves."""
    clipped, moves = clues.saturated[1], moving(clues)
    match part:
        case Part.ALL:
            return np.ones_like(clipped)
        case Part.SATURATED:
            return clipped
        case Part.MOVING:
            return moves
        case Part.STATIC:
            return ~(clipped | moves)


def sparsification_point(trusted: Flags, error: Map) -> tuple[float, float]:
    """Where a mask stands beside the curves: its dropped share, and what is left of the error.

    The mean absolute error of the trusted pixels ÷ that of all; 0 where nothing is trusted, for
    nothing is wrong then, and 1 where there is no error at all. Both maps of one shape.
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
