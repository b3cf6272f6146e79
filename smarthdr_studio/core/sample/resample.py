"""OpenCV's resampling, with float32 pictures in and out."""

import cv2
import numpy as np

from smarthdr_studio.core.radiance import Floats


def resized(picture: Floats, size: tuple[int, int], *, kind: int = cv2.INTER_LINEAR) -> Floats:
    """The picture at (width, height)."""
    return np.asarray(cv2.resize(picture, size, interpolation=kind), np.float32)


def looked_up(
    picture: Floats, column: Floats, row: Floats, *, border: int = cv2.BORDER_REPLICATE
) -> Floats:
    """The picture's values between pixels at the given columns and rows, both H×W."""
    where = column.astype(np.float32), row.astype(np.float32)
    found = cv2.remap(picture, where[0], where[1], cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(found, np.float32)


def warped(
    picture: Floats,
    matrix: Floats,
    size: tuple[int, int],
    *,
    border: int = cv2.BORDER_CONSTANT,
) -> Floats:
    """The picture moved by a 2×3 matrix (pixels to pixels) onto (width, height)."""
    return np.asarray(cv2.warpAffine(picture, matrix, size, borderMode=border), np.float32)


def blurred(picture: Floats, sigma: float) -> Floats:
    """A Gaussian blur, `sigma` in pixels."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)


def smeared(picture: Floats, size: tuple[int, int]) -> Floats:
    """A box blur over (width, height) pixels."""
    return np.asarray(cv2.blur(picture, size), np.float32)
