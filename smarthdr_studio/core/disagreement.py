"""How much two frames disagree about the light at a pixel, beyond what noise explains."""

from functools import lru_cache
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.bracket import Bracket
from smarthdr_studio.core.drift import Drift, shifted
from smarthdr_studio.core.radiance import (
    GAMMA,
    MU,
    Floats,
    Frame,
    linear_radiance,
    mu_law,
    unit_ldr,
)

Flags = npt.NDArray[np.bool_]

SATURATED: Final = 0.98  # camera values from here on say nothing but "bright"
UNUSABLE: Final = 0.02  # camera values up to here are read noise

# A plain camera, the one of the generated sample: its white is 1.
FULL_WELL: Final = 9000.0  # electrons at white
READ_NOISE: Final = 4.0  # electrons

BOX: Final = 5  # pixels a disagreement is averaged over
_LEAST_VOICES: Final = 0.2  # share of the box's values that both frames must know
_REACH: Final = BOX // 2


_BRIGHT: Final = np.uint16(np.ceil(SATURATED * 65535))
_DARK: Final = np.uint16(UNUSABLE * 65535)


class _Tables(NamedTuple):
    """What a camera value means at one exposure: μ-law radiance, and how far noise spreads it."""

    compressed: Floats
    deviation: Floats
    variance: Floats


def disagreement(
    bracket: Bracket, *, over: bool, drift: Drift, rows: slice, columns: slice
) -> Floats:
    """How far the over, or else the under frame is from the reference, on the μ-law.

    Of the part of the reference in these rows and columns: absolute difference of linear radiance
    on the μ-law, moved by `drift`, averaged over a box of 5×5 pixels and all channels that both
    frames know (above 0.02 and below 0.98 camera value), less the standard deviation that noise
    gives such a difference. 0 where less than a fifth of the box is known to both.
    """
    height, width = bracket.reference.shape[:2]
    outer_rows, outer_columns = _widened(rows, height), _widened(columns, width)
    other = bracket.over if over else bracket.under
    pair = (
        bracket.reference[outer_rows, outer_columns],
        shifted(other, drift, rows=outer_rows, columns=outer_columns),
    )
    stops = (bracket.stops[1], bracket.stops[2 if over else 0])
    excess, voices = (_boxed(part) for part in _compared(pair, stops))
    heard = voices >= 3 * _LEAST_VOICES
    np.divide(np.maximum(excess, 0), voices, out=excess, where=heard)
    excess[~heard] = 0
    top, left = rows.start - outer_rows.start, columns.start - outer_columns.start
    return excess[top : top + rows.stop - rows.start, left : left + columns.stop - columns.start]


def expected_noise(frame: Frame, *, stops: float) -> Floats:
    """The standard deviation of μ-law radiance that a plain camera gives, H×W, channel mean.

    Shot and read noise of `FULL_WELL` and `READ_NOISE`, carried to the μ-law by its slope.
    """
    deviation = cv2.LUT(frame, _tables(stops).deviation)
    return cv2.transform(deviation, np.full((1, 3), 1 / 3, np.float32)).view(np.float32)


def saturated(frame: Frame) -> Flags:
    """H×W, True where any channel reads 0.98 or more."""
    red, green, blue = cv2.split(frame)
    found: Flags = cv2.max(cv2.max(red, green), blue) >= _BRIGHT
    return found


def _compared(pair: tuple[Frame, Frame], stops: tuple[float, float]) -> tuple[Floats, Floats]:
    """Differences beyond noise, and how many channels both frames know, each added up, H×W."""
    tables = [_tables(stop) for stop in stops]
    first, second = (cv2.LUT(f, t.compressed) for f, t in zip(pair, tables, strict=True))
    difference = cv2.absdiff(first, second)
    first, second = (cv2.LUT(f, t.variance) for f, t in zip(pair, tables, strict=True))
    difference = cv2.subtract(difference, cv2.sqrt(cv2.add(first, second)))
    known = _known(pair[0]) & _known(pair[1])
    weight = known.astype(np.float32)
    return _channels(cv2.multiply(difference, weight)), _channels(weight)


def _known(frame: Frame) -> Flags:
    known: Flags = (frame > _DARK) & (frame < _BRIGHT)
    return known


def _channels(picture: Any) -> Any:  # noqa: ANN401
    return cv2.transform(picture, np.ones((1, 3), np.float32))


def _boxed(picture: Floats) -> Floats:
    return cv2.blur(picture, (BOX, BOX), borderType=cv2.BORDER_REPLICATE).view(np.float32)


def _widened(part: slice, length: int) -> slice:
    return slice(max(part.start - _REACH, 0), min(part.stop + _REACH, length))


@lru_cache(maxsize=8)
def _tables(stops: float) -> _Tables:
    values = unit_ldr(np.arange(65536, dtype=np.uint16))
    radiance = linear_radiance(values, stops=stops)
    slope = MU / (1 + MU * radiance) / np.log1p(MU)
    electrons = values**GAMMA * FULL_WELL + READ_NOISE**2
    variance = electrons / FULL_WELL**2 * 4.0**-stops * slope**2
    spread = variance.astype(np.float32)
    return _Tables(mu_law(radiance), np.sqrt(spread), spread)
