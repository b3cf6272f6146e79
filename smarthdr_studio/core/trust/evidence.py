"""What the reference frame itself says of a pseudo-label, where it is well exposed."""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.imaging.bracket import Bracket
from smarthdr_studio.core.imaging.radiometry import (
    Floats,
    linear_radiance,
    merge_weights,
    mu_law,
    unit_ldr,
)

_BLUR: Final = 1.5  # pixels; wide enough for noise to cancel, narrow enough for the edge of a ghost
_FAINT: Final = 1e-4


def contradiction(hdr: npt.NDArray[np.floating], bracket: Bracket) -> Floats:
    """How far a pseudo-label is from what the reference shows, H×W float32 in μ-law values.

    The answer for a bracket is aligned to its reference (METHOD §1): where that is well exposed,
    its own radiance is known but for noise, and a ghost is seen as a difference from it. The
    signed difference is averaged over a few pixels, so that noise cancels, with the weights of the
    plain merge (1 − |2l − 1|): black or clipped, the reference says nothing and contradicts
    nothing. Root mean square over channels, times the root of what the weights say; `hdr` is
    H×W×3 linear radiance.
    """
    values = unit_ldr(bracket.reference)
    _, known, _ = merge_weights(values)
    apart = mu_law(hdr.astype(np.float32)) - mu_law(linear_radiance(values, stops=bracket.stops[1]))
    weight = _blurred(known)
    mean = _blurred(known * apart) / np.maximum(weight, _FAINT)
    found: Floats = np.sqrt((weight * np.square(mean)).mean(axis=2)).astype(np.float32)
    return found


def _blurred(picture: Floats) -> Floats:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), _BLUR), np.float32)
