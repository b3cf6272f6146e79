"""A threshold moves over a pool of 1,000 scenes of 1500×1000."""

import numpy as np
from table import Row, row, show, timed

from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.core.trust.pool import PoolStatistics
from smarthdr_studio.core.trust.thresholds import CropsOfPool, what_if

SCENES = 1000


def pool_of(scenes: int) -> PoolStatistics:
    """A pool of heavy-tailed maps; eight different ones stand in for all."""
    rng = np.random.default_rng(0)
    maps = [np.exp(rng.normal(-4.6, 0.4, (1000, 1500))).astype(np.float32) for _ in range(8)]
    known = [SceneStatistics.of(sigma) for sigma in maps]
    return PoolStatistics({f"{k:04}": known[k % len(known)] for k in range(scenes)})


def main() -> list[Row]:
    """The pool's retained share for thresholds that were never asked before."""
    pool = pool_of(SCENES)
    durations = timed(
        lambda k: pool.retention(MaskSettings(tau_patch=0.2 + k * 0.003, tau_pixel=0.4)), times=100
    )
    sizes = dict.fromkeys(pool.ids, (1500, 1000))
    crops = CropsOfPool(sizes, crop=128, stride=64, patch_size=64)
    asked = timed(lambda k: what_if(pool, crops, MaskSettings(tau_patch=0.2 + k * 0.003)), times=60)
    maps = timed(lambda k: pool.retention_map(MaskSettings(tau_patch=0.2 + k * 0.1)), times=3)
    whole = f"{SCENES:,} scenes of 1500×1000"
    return [
        row(
            f"threshold moved → retained share of {whole}",
            durations,
            unit="ms",
            reach="10 ms",
            stretch="2 ms",
        ),
        row(f"threshold moved → what if, {whole}", asked, unit="ms", reach="–", stretch="–"),
        row(f"retention map of {whole}, on a thread", maps, unit="ms", reach="–", stretch="–"),
    ]


if __name__ == "__main__":
    show(main())
