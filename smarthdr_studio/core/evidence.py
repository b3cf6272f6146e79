"""Evidence for or against σ where ground truth exists: curves and figures of METHOD §8."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]


class Part(StrEnum):
    """Which pixels are looked at; the values are the words on the screen."""

    ALL = "all pixels"
    SATURATED = "saturated"
    MOVING = "moving"
    STATIC = "static"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """Of one part of a scene or pool; error is |T(ĥ) − T(h)|, channel mean.

    The three sparsification curves run evenly over dropped shares 0 to 1 and are divided by
    `error`, the mean error of all pixels. `predicted` and `observed` are root mean σ² and root
    mean squared error of equally large bins of rising σ. `coverage` is the share of pixels whose
    error is within σ, 2σ and 3σ. `auroc` tells errors above 10/255 from the rest (NaN where
    there are only errors of one kind).
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
