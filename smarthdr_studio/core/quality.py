"""How close a picture is to its ground truth, on linear radiance and on the μ-law."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from skimage.metrics import structural_similarity

from smarthdr_studio.core.radiance import mu_law

Picture = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Decibels and structural similarity, peak 1 (METHOD §1)."""

    psnr_mu: float
    psnr_l: float
    ssim_mu: float
    ssim_l: float


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


def ssim(picture: Picture, truth: Picture) -> float:
    """Mean structural similarity of H×W×3, Gaussian window 11×11 with σ 1.5, valid region.

    Pictures smaller than the window have no valid region and give NaN.
    """
    if min(picture.shape[:2]) < 11:
        return float("nan")
    _, values = structural_similarity(  # type: ignore[no-untyped-call]
        picture.astype(np.float64),
        truth.astype(np.float64),
        data_range=1.0,
        channel_axis=2,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    return float(values[5:-5, 5:-5].mean())


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


def _decibels(error: float) -> float:
    return float("inf") if error == 0 else -10 * float(np.log10(error))
