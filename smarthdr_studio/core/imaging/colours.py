"""Linear colours of other primaries and whites brought to Rec. 709."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

# Chromaticities x and y of red, green, blue and white.
REC_709: Final = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
_CIE_XYZ: Final = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_BRADFORD: Final = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def adaptation(white: Sequence[float], to: Sequence[float]) -> Matrix:
    """The 3×3 matrix that brings XYZ under a white to XYZ under another (Bradford).

    Whites are chromaticities x and y.
    """
    gains = (_BRADFORD @ xyz_of_white(to)) / (_BRADFORD @ xyz_of_white(white))
    matrix: Matrix = np.linalg.inv(_BRADFORD) @ np.diag(gains) @ _BRADFORD
    return matrix


def rgb_of_xyz() -> Matrix:
    """The 3×3 matrix from XYZ under D65 to linear Rec. 709."""
    return np.linalg.inv(xyz_of_rgb(REC_709)).astype(np.float64)


def xyz_of_rgb(chromaticities: Sequence[float]) -> Matrix:
    """The 3×3 matrix from linear RGB of eight chromaticities to XYZ, in which white has Y = 1.

    Raises ValueError where they span no colours.
    """
    red, green, blue, white = (chromaticities[k : k + 2] for k in (0, 2, 4, 6))
    columns = np.array([[x, y, 1 - x - y] for x, y in (red, green, blue)], np.float64).T
    try:
        matrix: Matrix = columns * np.linalg.solve(columns, xyz_of_white(white))
    except np.linalg.LinAlgError as error:
        raise ValueError("primaries without an area") from error
    if not np.isfinite(matrix).all():
        raise ValueError("primaries that are no numbers")
    return matrix


def to_rec709(chromaticities: Sequence[float]) -> Matrix:
    """The 3×3 matrix from linear RGB of eight chromaticities to linear Rec. 709.

    White becomes white (Bradford), but for XYZ itself, which names colours as they are measured
    and not against a white. Raises ValueError.
    """
    matrix = xyz_of_rgb(chromaticities)
    if np.allclose(chromaticities[:6], _CIE_XYZ, atol=1e-3):
        return rgb_of_xyz() @ matrix
    return rgb_of_xyz() @ adaptation(chromaticities[6:], REC_709[6:]) @ matrix


def xyz_of_white(white: Sequence[float]) -> npt.NDArray[np.float64]:
    """XYZ, flat, of a white of Y = 1 by its chromaticities x and y. Raises ValueError."""
    x, y = white
    if not y > 0:
        raise ValueError("a white without light")
    return np.array([x / y, 1.0, (1 - x - y) / y])
