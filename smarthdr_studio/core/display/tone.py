"""From linear radiance to 8-bit RGB: exposure, tone maps and their tables, in strips of rows."""

from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.imaging.bracket import Half
from smarthdr_studio.core.imaging.radiometry import GAMMA, MU, Floats, Frame, mu_law

PIXELS = 1 << 18  # of one strip: its floats fit the processor's cache


def strips(height: int, width: int, *, multiple: int = 1, pixels: int = PIXELS) -> Iterator[slice]:
    """Slices that cover all rows in order; each but the last has a multiple of `multiple` rows."""
    rows = max(pixels // max(width, 1) // multiple, 1) * multiple
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


Rgb8 = npt.NDArray[np.uint8]
Table = npt.NDArray[np.uint8]

_INFINITY = 0x7C00  # the bits of a half that is infinite
_REINHARD_GAIN = 16.0
_FILMIC_GAIN = 8.0
STOPS_BELOW_WHITE = 12  # that have a band of their own; darker ones share the lowest


class ToneMap(StrEnum):
    """How linear radiance is brought to the screen; the values are the words on the screen."""

    MU_LAW = "μ-law"
    SRGB = "sRGB"
    GAMMA = "gamma"
    REINHARD = "Reinhard"
    FILMIC = "filmic"
    STOPS = "stops in false colour"


def toned(
    linear: Floats,
    tone_map: ToneMap,
    *,
    exposure_ev: float = 0.0,
    mu: float = MU,
    gamma: float = GAMMA,
) -> Floats:
    """Screen values in [0, 1] of linear radiance of any shape: the formulas behind the tables.

    Exposure multiplies radiance by 2^EV first. Below 0 and NaN is black, beyond white is white.
    Radiance 1 is where the under frame clips, so Reinhard and filmic gain 4 and 3 stops of
    their own before they roll off. Stops are even steps, one per stop below the white. Raises
    ValueError for a μ or γ that is not above 0.
    """
    if not (mu > 0 and gamma > 0):
        raise ValueError(f"μ and γ must be above 0: μ is {mu}, γ is {gamma}")
    # fmax takes the number where the other is NaN; 65504 is the largest half.
    radiance: Floats = np.minimum(np.fmax(linear, 0), 65504) * np.float32(2.0**exposure_ev)
    return np.clip(_screen(radiance, tone_map, mu=mu, gamma=gamma), 0, 1)


def _screen(radiance: Floats, tone_map: ToneMap, *, mu: float, gamma: float) -> Floats:
    """Screen values of exposed radiance, beyond white too."""
    match tone_map:
        case ToneMap.MU_LAW:
            return mu_law(radiance, mu=mu)
        case ToneMap.SRGB:
            return srgb_curve(radiance)
        case ToneMap.GAMMA:
            return np.power(radiance, np.float32(1 / gamma), dtype=np.float32)
        case ToneMap.REINHARD:
            lit = radiance * np.float32(_REINHARD_GAIN)
            return srgb_curve(_reinhard(lit, white=_REINHARD_GAIN))
        case ToneMap.FILMIC:
            return srgb_curve(_filmic(radiance * np.float32(_FILMIC_GAIN)))
        case ToneMap.STOPS:
            return _stops(radiance)


@lru_cache(maxsize=32)
def tone_table(
    tone_map: ToneMap, *, exposure_ev: float = 0.0, mu: float = MU, gamma: float = GAMMA
) -> Table:
    """The tone map as flat uint8[65536] over the bits of a half float viewed as uint16."""
    # Every half from 0 to infinity; those above are NaN or negative, hence black.
    values = np.arange(_INFINITY + 1, dtype=np.uint16).view(np.float16).astype(np.float32)
    table = np.zeros(65536, np.uint8)
    table[: len(values)] = _codes(
        toned(values, tone_map, exposure_ev=exposure_ev, mu=mu, gamma=gamma)
    )
    table.flags.writeable = False
    return table


@lru_cache(maxsize=32)
def frame_table(*, exposure_ev: float = 0.0) -> Table:
    """Camera values as flat uint8[65536] over uint16: the file's at 0 EV, re-exposed otherwise.

    Re-exposing goes through linear radiance: (L^2.2 · 2^EV)^(1/2.2) = L · 2^(EV/2.2).
    """
    values = np.arange(65536, dtype=np.float32) / np.float32(65535)
    table = _codes(np.clip(values * np.float32(2.0 ** (exposure_ev / GAMMA)), 0, 1))
    table.flags.writeable = False
    return table


def to_rgb8(picture: Half | Frame, table: Table) -> Rgb8:
    """H×W×3 half or uint16 as contiguous 8-bit RGB, through its 65536-entry table."""
    if picture.dtype.itemsize != 2:
        raise ValueError(f"a table has an entry per 16-bit value; the picture is {picture.dtype}")
    bits = np.ascontiguousarray(picture).view(np.uint16)
    return np.ascontiguousarray(cv2.LUT(bits, table), dtype=np.uint8)


def frame_rgb8(frame: Frame, *, exposure_ev: float = 0.0) -> Rgb8:
    """A camera frame, H×W×3 uint16, as it was shot; exposure changes it as the camera would."""
    return to_rgb8(frame, frame_table(exposure_ev=exposure_ev))


def _codes(screen: Floats) -> Table:
    return np.rint(screen * 255).astype(np.uint8)


def srgb_curve(linear: Floats) -> Floats:
    """The transfer curve of IEC 61966-2-1: linear values of any shape to sRGB in [0, 1].

    12.92 l up to 0.0031308, above it 1.055 l^(1/2.4) − 0.055; what is above 1 is taken for 1.
    """
    clipped: Floats = np.minimum(linear, np.float32(1))
    curve = 1.055 * np.power(clipped, 1 / 2.4, dtype=np.float32) - 0.055
    return np.where(clipped <= 0.0031308, clipped * 12.92, curve).astype(np.float32)


def _reinhard(luminance: Floats, *, white: float) -> Floats:
    """L(1 + L/w²)/(1 + L), which reaches 1 at the white point w (Reinhard 2002, eq. 4)."""
    rolled = luminance * (1 + luminance / white**2) / (1 + luminance)
    return rolled.astype(np.float32)


def _filmic(exposed: Floats) -> Floats:
    """The rational fit to the ACES film curve (Narkowicz 2015)."""
    wide = exposed.astype(np.float64)
    curve = (wide * (2.51 * wide + 0.03)) / (wide * (2.43 * wide + 0.59) + 0.14)
    return curve.astype(np.float32)


def _stops(radiance: Floats) -> Floats:
    """Even steps from 0, below the last stop, to 1, at or above white."""
    _, exponent = np.frexp(radiance)  # radiance is in [2^(exponent − 1), 2^exponent)
    band = np.clip(exponent + STOPS_BELOW_WHITE, 0, STOPS_BELOW_WHITE + 1)
    dark = radiance < 2.0**-STOPS_BELOW_WHITE  # 0 has no exponent to speak of
    return np.where(dark, 0, band / (STOPS_BELOW_WHITE + 1)).astype(np.float32)
