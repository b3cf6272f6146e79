"""PSNR and SSIM against ground truth, on linear radiance and on the μ-law."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.imaging.radiometry import mu_law

Picture = npt.NDArray[np.floating]


def psnr(picture: Picture, truth: Picture) -> float:
    """Peak signal-to-noise ratio, −10 log₁₀ mean (picture − truth)², in dB for peak 1.

    Both of one shape and on one scale, μ-law or linear; infinite where they are equal.
    """
    error = float(np.mean(np.square(picture.astype(np.float64) - truth.astype(np.float64))))
    return _decibels(error)


SHOWN_PEAK: Final = 1000.0
"""cd/m² at which radiance 1 is taken to be shown, for figures that ask what an eye would see."""
PU21_PEAK: Final = 256.0  # what PU21 makes of 100 cd/m², the white of an ordinary display
_PU21: Final = (
    0.353487901, 0.3734658629, 8.277049286e-05, 0.9062562627, 0.09150303166, 0.9099517204,
    596.3148142,
)  # fmt: skip
_DARKEST, _BRIGHTEST = 0.005, 10_000.0  # cd/m² for which it was fitted


def pu21(luminance: Picture) -> npt.NDArray[np.float64]:
    """Perceptually uniform values of luminance in cd/m², any shape (Mantiuk and Azimi, PCS 2021).

    p₇·(((p₁ + p₂·Y^p₄) / (1 + p₃·Y^p₄))^p₅ − p₆), at least 0, in its variant for banding with
    glare; luminance is cut to 0.005 to 10,000. 100 cd/m² give about 256.
    """
    p1, p2, p3, p4, p5, p6, p7 = _PU21
    raised = np.clip(luminance.astype(np.float64), _DARKEST, _BRIGHTEST) ** p4
    encoded: npt.NDArray[np.float64] = p7 * (((p1 + p2 * raised) / (1 + p3 * raised)) ** p5 - p6)
    return np.maximum(encoded, 0)


def psnr_pu(picture: Picture, truth: Picture) -> float:
    """PU21-PSNR of linear radiance in [0, 1], in dB for a peak of 256, radiance 1 at 1000 cd/m².

    Both of one shape; infinite where they are equal.
    """
    seen, wanted = (pu21(SHOWN_PEAK * linear.astype(np.float64)) for linear in (picture, truth))
    return psnr(seen / PU21_PEAK, wanted / PU21_PEAK)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The pixels on one side of a mask: how many, and their PSNR in dB, NaN where there are none.

    On the μ-law and on linear radiance.
    """

    pixels: int
    psnr_mu: float
    psnr_l: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitQuality:
    """What a mask keeps and what it drops, held against ground truth alike."""

    kept: Side
    dropped: Side


def split_quality(
    squares: npt.NDArray[np.float32],
    linear: npt.NDArray[np.float32],
    trusted: npt.NDArray[np.bool_],
) -> SplitQuality:
    """Both sides of a mask; `squares` as in `split_psnr`, `linear` the same on linear radiance.

    All H×W.
    """
    kept = int(np.count_nonzero(trusted))
    (kept_mu, dropped_mu), (kept_l, dropped_l) = (
        split_psnr(each, trusted) for each in (squares, linear)
    )
    return SplitQuality(
        kept=Side(pixels=kept, psnr_mu=kept_mu, psnr_l=kept_l),
        dropped=Side(pixels=trusted.size - kept, psnr_mu=dropped_mu, psnr_l=dropped_l),
    )


def _decibels(error: float) -> float:
    return float("inf") if error == 0 else -10 * float(np.log10(error))


_Doubles = npt.NDArray[np.float64]

_WINDOW, _SIGMA = 11, 1.5  # Wang et al. 2004
_C1: Final = 0.01**2
_C2: Final = 0.03**2
_BORDER: Final = _WINDOW // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Decibels and structural similarity, peak 1 (METHOD §1)."""

    psnr_mu: float
    psnr_l: float
    ssim_mu: float
    ssim_l: float


def ssim(picture: Picture, truth: Picture) -> float:
    """Mean structural similarity of H×W×3, Gaussian window 11×11 with σ 1.5, valid region.

    Pictures smaller than the window have no valid region and give NaN.
    """
    if min(picture.shape[:2]) < _WINDOW:
        return float("nan")
    channels = range(picture.shape[2])
    # One channel at a time: six maps in double precision of all three would not stay in the cache.
    return float(np.mean([_channel_ssim(picture[..., i], truth[..., i]) for i in channels]))


def quality(picture: Picture, truth: Picture) -> Quality:
    """All four figures of two linear H×W×3 pictures in [0, 1]."""
    linear, target = picture.astype(np.float32), truth.astype(np.float32)
    compressed, compressed_target = mu_law(linear), mu_law(target)
    return Quality(
        psnr_mu=psnr(compressed, compressed_target),
        psnr_l=psnr(linear, target),
        ssim_mu=ssim(compressed, compressed_target),
        ssim_l=ssim(linear, target),
    )


def _channel_ssim(picture: Picture, truth: Picture) -> float:
    x, y = picture.astype(np.float64), truth.astype(np.float64)
    mean_x, mean_y = _blurred(x), _blurred(y)
    products, squares = mean_x * mean_y, mean_x * mean_x + mean_y * mean_y
    # Variances add up in the formula, so their sum is blurred once.
    variances = _blurred(x * x + y * y) - squares
    covariance = _blurred(x * y) - products
    similar = (2 * products + _C1) * (2 * covariance + _C2)
    similar /= (squares + _C1) * (variances + _C2)
    return float(similar.mean())


def _blurred(values: _Doubles) -> _Doubles:
    """The part of a plane in which the whole window lies inside, weighted by the window."""
    kernel = cv2.getGaussianKernel(_WINDOW, _SIGMA, cv2.CV_64F)
    blurred = cv2.sepFilter2D(values, cv2.CV_64F, kernel, kernel)
    return np.asarray(blurred, np.float64)[_BORDER:-_BORDER, _BORDER:-_BORDER]
