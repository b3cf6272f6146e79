"""How close a picture is to its ground truth, on linear radiance and on the μ-law."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from skimage.metrics import structural_similarity

from smarthdr_studio.core.decibels import psnr
from smarthdr_studio.core.radiance import mu_law

Picture = npt.NDArray[np.floating]


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
