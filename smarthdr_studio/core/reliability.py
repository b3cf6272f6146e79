"""Does the uncertainty say where the error is? Measured where ground truth exists (METHOD §8).

With e = T(ĥ) − T(h) on the μ-law, there are two errors of a pixel: the *absolute error*, the mean
of |e| over its channels, and the *RMS error*, the root of the mean of e² over its channels. L^k
trains σ to be the RMS error, so whether σ is as large as it says is measured with that one alone;
whether σ sorts the pixels is measured with the absolute error.
"""

from dataclasses import dataclass
from math import erf, exp, pi, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.radiance import mu_law

Map = npt.NDArray[np.floating]
Doubles = npt.NDArray[np.float64]

WRONG: Final = 10 / 255
"""Absolute errors (μ-law) above this are what σ ought to warn of (METHOD §8)."""

_CURVE_POINTS: Final = 101
_BINS: Final = 15
_LEAST_SIGMA: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """Rank correlation (1 is best) and area under the sparsification error (0 is best).

    Both of σ against the absolute error.
    """

    spearman: float
    ause: float


def error_map(picture: Map, truth: Map) -> npt.NDArray[np.float32]:
    """The absolute error: |e| on the μ-law, channel mean, H×W, of two linear H×W×3 pictures."""
    mean: npt.NDArray[np.float32] = np.abs(_difference(picture, truth)).mean(2)
    return mean


def squared_error_map(picture: Map, truth: Map) -> npt.NDArray[np.float32]:
    """The square of the RMS error: e² on the μ-law, channel mean, H×W, of two linear pictures.

    What L^k teaches σ² to be (METHOD §3); both pictures are H×W×3.
    """
    mean: npt.NDArray[np.float32] = np.square(_difference(picture, truth)).mean(2)
    return mean


def reliability(sigma: Map, error: Map) -> Reliability:
    """Both figures of a map σ against a map of the absolute error, of the same shape."""
    return Reliability(spearman=spearman(sigma, error), ause=ause(sigma, error))


def spearman(sigma: Map, error: Map) -> float:
    """Spearman's rank correlation; ties share their mean rank. 0 where either map is constant."""
    first, second = _ranks(sigma.ravel()), _ranks(error.ravel())
    first, second = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / scale if scale > 0 else 0.0


def ause(sigma: Map, error: Map) -> float:
    """Area between the sparsification curves of σ and of the oracle; 0 where there is no error.

    Ilg et al. 2018, section 5; both curves are divided by the full error.
    """
    return area_between(sparsification(sigma, error), sparsification(error, error))


def area_between(upper: Doubles, lower: Doubles) -> float:
    """The area between two curves over dropped shares 0 to 1; negative where `upper` is below."""
    return float(np.trapezoid(upper - lower, np.linspace(0, 1, len(upper))))


def sparsification(order_by: Map, error: Map) -> Doubles:
    """Mean error of what is left after dropping the least sure share 0, 1 %, … of the pixels.

    Divided by the error of all pixels; at 100 % nothing is left and the last value stands. What
    is equally sure is dropped in no order: each such pixel counts with their mean error. Where
    there is no error the curve is 1.
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

    The area under the ROC curve, by ranks (Mann and Whitney 1947). NaN where all pixels are wrong,
    or none.
    """
    count = int(np.count_nonzero(wrong))
    if count in (0, wrong.size):
        return float("nan")
    above = _ranks(sigma.ravel())[wrong.ravel()].sum() - count * (count + 1) / 2
    return float(above / (count * (wrong.size - count)))


def calibration(sigma: Map, squares: Map) -> tuple[Doubles, Doubles]:
    """Root mean σ² and root mean squared error of bins of rising σ, equally large to a pixel.

    `squares` is e² on the μ-law, channel mean, of the shape of σ (see `squared_error_map`).

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

    Levi et al. 2022, equation 8. A σ below 1e-6 is taken for 1e-6.
    """
    return float(np.mean(np.abs(predicted - observed) / np.maximum(predicted, _LEAST_SIGMA)))


def coverage(sigma: Map, squares: Map, *, times: float) -> float:
    """The share of pixels whose RMS error is within `times`·σ; `squares` as in `calibration`."""
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
