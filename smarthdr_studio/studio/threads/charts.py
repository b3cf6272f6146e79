"""Counting what charts, the what-if panel and scenes outside the pool show of a large pool."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.masking import MaskSettings
from smarthdr_studio.core.retention import Retention
from smarthdr_studio.core.what_if import WhatIf, what_if
from smarthdr_studio.studio.threads.pool import PoolReading


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Charted:
    """How many pixels have which score, what the next epoch would see, and shares by scene.

    `reading` is the pool that was asked about; `others` are its scenes that are not in the pool.
    """

    reading: PoolReading
    pixels: npt.NDArray[np.int64]
    what_if: WhatIf
    others: Mapping[str, float]


def chart(*, reading: PoolReading, masks: MaskSettings, kept: Retention) -> Charted:
    """All of it for these thresholds; `kept` is what they keep of the pool."""
    pool = reading.statistics
    inside = frozenset(pool.ids)
    others = {s: held for s, (_, held) in reading.known.items() if s not in inside}
    painted = {s: counted.statistics for s, counted in reading.painted.items()}
    return Charted(
        reading=reading,
        pixels=pool.pixel_histogram(masks),
        what_if=what_if(
            pool, reading.crops, masks, seconds_per_crop=reading.seconds_per_crop, kept=kept
        ),
        others=pool.shares_outside(others, masks, painted=painted, kept=kept),
    )
