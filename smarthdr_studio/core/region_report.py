"""Everything that can be counted inside a region of one scene."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.explanation import Explanation
from smarthdr_studio.core.reasons import Reason
from smarthdr_studio.core.regions import Region


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFigures:
    """Mean and percentiles of one layer's finite values inside the region."""

    name: str
    mean: float
    p5: float
    median: float
    p95: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RegionReport:
    """Figures of a region; shares in [0, 1]; what is not known is None or missing.

    `psnr_mu`, in dB, is the pseudo-label's against ground truth. `patch_counts` are S_pa of the
    patches the region touches, `pixel_counts` S_pi of its pixels in kept patches: 50 even bins
    over [0, 1]. `reasons` are shares of the region's pixels.
    """

    region: Region
    pixels: int
    layers: tuple[LayerFigures, ...]
    retained: float | None
    psnr_mu: float | None
    patch_counts: npt.NDArray[np.int64] | None
    pixel_counts: npt.NDArray[np.int64] | None
    reasons: Mapping[Reason, float]
    explanation: Explanation
