"""Values that are no numbers: counted in words, and marked loudly in the picture."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.display.strips import strips
from smarthdr_studio.core.display.tone import Rgb8

MARKER = (255, 0, 255)  # full magenta: far from every colour of the maps and of the hatches

Mask = npt.NDArray[np.bool_]
_EXPONENT = {2: 0x7C00, 4: 0x7F800000}  # all ones: the bits of infinity, by bytes of the float


@dataclass(frozen=True, slots=True, eq=False)
class Odd:
    """How many pixels hold a NaN and how many an infinity; H×W where, None if there are none."""

    nan: int = 0
    inf: int = 0
    where: Mask | None = None

    @property
    def words(self) -> str:
        """Both counts, "3 NaN, 1 Inf"; empty where every value is a number."""
        counts = (self.nan, "NaN"), (self.inf, "Inf")
        return ", ".join(f"{count} {name}" for count, name in counts if count)


def odd_values(values: npt.NDArray[Any]) -> Odd:
    """What is odd in an H×W or H×W×3 array; integers have nothing odd. Pixels are counted."""
    if values.dtype.kind != "f" or values.size == 0 or _surely_finite(values):
        return Odd()
    height, width = values.shape[:2]
    where, nan, inf = np.zeros((height, width), bool), 0, 0
    for rows in strips(height, width):
        part = values[rows].reshape(-1, width, values[rows].size // (where[rows].size))
        nans, infinities = np.isnan(part).any(-1), np.isinf(part).any(-1)
        nan, inf = nan + int(nans.sum()), inf + int(infinities.sum())
        where[rows] = nans | infinities
    return Odd(nan, inf, where) if nan or inf else Odd()


def marked(rgb8: Rgb8, odd: Odd) -> Rgb8:
    """The picture with the marker on odd pixels; the picture itself where there are none."""
    if odd.where is None:
        return rgb8
    loud = rgb8.copy()
    loud[odd.where] = MARKER
    return loud


def _surely_finite(values: npt.NDArray[Any]) -> bool:
    """One quick pass over the bits; negative values may make it doubt without cause."""
    exponent = _EXPONENT.get(values.dtype.itemsize)
    if exponent is None or not values.flags.c_contiguous:
        return False
    bits = values.view(f"u{values.dtype.itemsize}")
    return int(bits.max()) < exponent
