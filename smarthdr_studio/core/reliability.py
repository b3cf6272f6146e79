"""Does the uncertainty say where the error is? Measured where ground truth exists (METHOD §8)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.radiance import mu_law

Map = npt.NDArray[np.floating]
Doubles = npt.NDArray[np.float64]

_CURVE_POINTS = 101


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """Rank correlation (1 is best) and area under the sparsification error (0 is best)."""

    spearman: float
    ause: float


def error_map(picture: Map, truth: Map) -> npt.NDArray[np.float32]:
    """Absolute error on the μ-law, channel mean, H×W, of two linear H×W×3 pictures."""
    difference = mu_law(picture.astype(np.float32)) - mu_law(truth.astype(np.float32))
    mean: npt.NDArray[np.float32] = np.abs(difference).mean(2)
    return mean


def reliability(sigma: Map, error: Map) -> Reliability:
    """Both figures of a map σ against an error map of the same shape."""
    return Reliability(spearman=spearman(sigma, error), ause=ause(sigma, error))


def spearman(sigma: Map, error: Map) -> float:
    """Spearman's rank correlation; ties share their mean rank. 0 where either map is constant."""
    first, second = _ranks(sigma.ravel()), _ranks(error.ravel())
    first, second = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / scale if scale > 0 else 0.0


def ause(sigma: Map, error: Map) -> float:
    """Area between the sparsification curves of σ and of the oracle, over the full error."""
    flat = error.ravel().astype(np.float64)
    if flat.mean() == 0:
        return 0.0
    gap = sparsification(sigma, error) - sparsification(error, error)
    return float(np.trapezoid(gap, np.linspace(0, 1, len(gap))))


def sparsification(order_by: Map, error: Map) -> Doubles:
    """Mean error of what is left after dropping the least sure share 0, 1 %, … of the pixels.

    Divided by the error of all pixels; at 100 % nothing is left and the last value stands.
    """
    errors = error.ravel().astype(np.float64)
    surest_first = np.argsort(order_by.ravel(), kind="stable")
    running = np.cumsum(errors[surest_first])
    left = np.rint(np.linspace(len(errors), 0, _CURVE_POINTS)).astype(np.int64).clip(1)
    curve: Doubles = running[left - 1] / left / errors.mean()
    return curve


def _ranks(values: Map) -> Doubles:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Doubles = (last - (counts - 1) / 2.0)[inverse]
    return ranks
