"""Peak signal-to-noise ratios, of whole pictures and of what is trusted of them."""

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.floating]


def psnr(picture: Picture, truth: Picture) -> float:
    """Peak signal-to-noise ratio in dB for peak 1; infinite where both are equal."""
    error = float(np.mean(np.square(picture.astype(np.float64) - truth.astype(np.float64))))
    return _decibels(error)


def split_psnr(
    squares: npt.NDArray[np.float32], trusted: npt.NDArray[np.bool_]
) -> tuple[float, float]:
    """PSNR in dB over the trusted and over the untrusted pixels.

    `squares` is the squared error for peak 1, channel mean, H×W; `trusted` is H×W. NaN where
    there are no such pixels, infinite where there is no error.
    """
    inside = np.ascontiguousarray(trusted).view(np.uint8)
    # OpenCV adds up in double precision under a mask ten times faster than numpy.
    found = (cv2.mean(squares, mask)[0] if mask.any() else np.nan for mask in (inside, 1 - inside))
    first, second = (_decibels(error) for error in found)
    return first, second


def _decibels(error: float) -> float:
    return float("inf") if error == 0 else -10 * float(np.log10(error))
