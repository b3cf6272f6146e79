"""A curve without its noise: the mean of what came before, the nearest counting most."""

from typing import Final

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Carry = tuple[float, float]  # weighted sum and weight up to the last point

NOTHING: Final[Carry] = (0.0, 0.0)

_FORGOTTEN: Final = 40.0  # spans after which a point counts for nothing a double could show
_SAFE: Final = 300.0  # e to this power is far from what a double can hold
_LONGEST: Final = 4096


def exponential_means(
    gaps: Doubles, values: Doubles, *, span: float, carry: Carry = NOTHING
) -> tuple[Doubles, Carry]:
    """The mean of every value and all before it, each weighted by e^(−distance / span).

    Args:
        gaps: how far each value lies behind the one before, in steps; N, none negative.
        values: N.
        span: steps after which a value counts 1/e.
        carry: what an earlier call answered, to go on where it ended.

    Returns:
        N means, each within the values so far, and the carry at the last one.
    """
    count = len(values)
    decays = np.minimum(gaps / span, _FORGOTTEN)
    width = max(min(int(_SAFE / max(float(decays.max(initial=0.0)), 1e-9)), _LONGEST, count), 1)
    rows = -(-count // width)
    far = np.cumsum(_in_rows(decays, rows, width), 1)
    grown = np.exp(far)
    sums = np.cumsum(_in_rows(values, rows, width) * grown, 1)
    weights = np.cumsum(grown, 1)
    before = np.empty((rows, 2))
    ends = np.stack((sums[:, -1], weights[:, -1]), 1).tolist()
    shrunk = np.exp(-far)
    left, right = carry
    for row, (fall, (last_sum, last_weight)) in enumerate(
        zip(shrunk[:, -1].tolist(), ends, strict=True)
    ):
        before[row] = left, right
        left, right = fall * (left + last_sum), fall * (right + last_weight)
    sums = (shrunk * (sums + before[:, :1])).ravel()[:count]
    weights = (shrunk * (weights + before[:, 1:])).ravel()[:count]
    return sums / weights, (float(sums[-1]), float(weights[-1]))


def _in_rows(values: Doubles, rows: int, width: int) -> Doubles:
    """The values row by row, the last row filled with nothing."""
    filled = np.zeros(rows * width)
    filled[: len(values)] = values
    return filled.reshape(rows, width)
