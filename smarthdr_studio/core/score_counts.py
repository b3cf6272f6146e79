"""How many patches and pixels of one scene have which score."""

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.masking import Trust, expand, scores
from smarthdr_studio.core.radiance import Floats

Counts = npt.NDArray[np.int64]

BINS = 50


def score_counts(
    sigma: Floats, means: Floats, trust: Trust, *, patch_size: int
) -> tuple[Counts, Counts]:
    """Counts of S_pa over all patches and of S_pi over pixels in kept patches (METHOD §4).

    Both in 50 even bins over [0, 1]; bin k holds scores from k/50 up to, not including, (k+1)/50,
    and the last one holds 1 as well.
    """
    height, width = sigma.shape
    kept = expand(trust.patch_mask, size=patch_size, height=height, width=width)
    return (
        counted(scores(means, trust.patch_range)),
        counted(scores(sigma, trust.pixel_range)[kept]),
    )


def counted(values: Floats) -> Counts:
    """Scores of any shape counted in those bins."""
    bins = np.minimum((values * np.float32(BINS)).astype(np.uint8), BINS - 1)
    return np.bincount(bins.ravel(), minlength=BINS)
