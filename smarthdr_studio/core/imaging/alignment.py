"""Drift of whole frames against the reference, and disagreement beyond what noise explains."""

from functools import lru_cache
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.imaging.bracket import Bracket
from smarthdr_studio.core.imaging.radiometry import (
    GAMMA,
    MU,
    Floats,
    Frame,
    linear_radiance,
    mu_law,
    unit_ldr,
)

Drift = tuple[float, float]

NO_DRIFT: Drift = (0.0, 0.0)

_CLIPPED_FRAME = 0.98
_DARK_FRAME = (
    0.03  # camera values of the darker frame; below, noise alone is brighter than the light
)
_LONGEST_SIDE = 2048  # of the pictures that are compared, which are half as large or smaller
_SHORTEST_SIDE = 16  # below this there is too little to compare
_LEAST_RESPONSE = 0.05  # share of the correlation that lies in its peak
_LEAST_DRIFT = 0.1  # pixels; moving a frame by less blurs more than it mends
_MOST_DRIFT = 0.06  # of a side; what drifted further is no hand-held bracket
_LEAST_GAIN = 0.98  # both frames must differ by less than this share of what they did before
_MOVED = 0.1  # camera values; what differs more is taken for motion and left out
_MOST_STEPS = 6
_SMALL_STEP = 0.01
_FLAT = 1e-6  # determinant ÷ squared trace of the slopes; below, one direction is not known


def drift(bracket: Bracket, *, over: bool) -> Drift:
    """The translation (dx, dy) of the under or the over frame against the reference.

    What the reference shows at (x, y), the frame shows at (x + dx, y + dy). Found by phase
    correlation (Kuglin and Hines 1975) of both frames at half resolution or less, brought to the
    exposure of the brighter one and flat wherever it clips or the darker one is but noise; then
    by a few steps of Lucas and Kanade (1981) that leave out what moves by itself. (0, 0) where
    the correlation is weak, the drift tiny or far, or the frames hardly agree better for it.
    """
    darker, brighter = (1, 2) if over else (0, 1)
    shrink = _shrinking(bracket.reference.shape)
    low, high = (_green(bracket.frames[index], shrink) for index in (darker, brighter))
    if min(low.shape) < _SHORTEST_SIDE:
        return NO_DRIFT
    gain = 2.0 ** ((bracket.stops[brighter] - bracket.stops[darker]) / GAMMA)
    exposed, lit = (
        np.clip(values, _DARK_FRAME * gain, _CLIPPED_FRAME) for values in (low * gain, high)
    )
    reference, frame = (exposed, lit) if over else (lit, exposed)
    found = _refined(reference, frame, _correlated(reference, frame))
    distance = max(abs(found[0]), abs(found[1]))
    if distance * shrink < _LEAST_DRIFT or distance > _MOST_DRIFT * min(low.shape):
        return NO_DRIFT
    before, after = (_difference(reference, frame, by) for by in (NO_DRIFT, found))
    return (found[0] * shrink, found[1] * shrink) if after < _LEAST_GAIN * before else NO_DRIFT


def shifted(frame: Frame, by: Drift, *, rows: slice, columns: slice) -> Frame:
    """The part of an H×W×3 frame that the reference shows in rows and columns; 0 outside."""
    if by == NO_DRIFT:
        return frame[rows, columns]
    start = (by[0] + columns.start, by[1] + rows.start)
    size = (columns.stop - columns.start, rows.stop - rows.start)
    moved = _moved(frame, start, size)
    seen: Frame = np.zeros_like(moved)
    known = _within(start[1], size[1], frame.shape[0]), _within(start[0], size[0], frame.shape[1])
    seen[known] = moved[known]
    return seen


def _within(start: float, length: int, whole: int) -> slice:
    """Which of `length` positions from `start` on lie between the first and last pixel."""
    first = max(int(np.ceil(-start)), 0)
    return slice(first, max(first, min(int(np.floor(whole - 1 - start)) + 1, length)))


def _shrinking(shape: tuple[int, ...]) -> int:
    shrink = 2
    while max(shape[:2]) > shrink * _LONGEST_SIDE:
        shrink *= 2
    return shrink


def _green(frame: Frame, shrink: int) -> Floats:
    """Camera values of the green channel, the least noisy one, made smaller and smoothed."""
    green = cv2.extractChannel(frame, 1)
    size = (max(1, green.shape[1] // shrink), max(1, green.shape[0] // shrink))
    small = cv2.resize(green, size, interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(small, (0, 0), 1)
    return np.multiply(smooth, 1 / 65535, dtype=np.float32)


def _correlated(reference: Floats, frame: Floats) -> Drift:
    height, width = reference.shape
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    # OpenCV 5 lays the window over the pictures it is given: it must be given copies.
    (dx, dy), response = cv2.phaseCorrelate(reference.copy(), frame.copy(), window)
    return (dx, dy) if response >= _LEAST_RESPONSE else NO_DRIFT


def _refined(reference: Floats, frame: Floats, start: Drift) -> Drift:
    """The translation that best explains what differs, from the better of `start` and none."""
    found = min((NO_DRIFT, start), key=lambda by: _difference(reference, frame, by))
    for _ in range(_MOST_STEPS):
        step = _step(reference, frame, found)
        found = (found[0] + step[0], found[1] + step[1])
        if max(abs(step[0]), abs(step[1])) < _SMALL_STEP:
            break
    return found


def _step(reference: Floats, frame: Floats, found: Drift) -> Drift:
    """What least squares add to a translation; none where no slope says anything."""
    moved = _moved(frame, found, reference.shape[::-1])
    inner = _inner(reference)
    rest = (reference - moved)[inner]
    across = cv2.Sobel(moved, cv2.CV_32F, 1, 0, scale=1 / 8)[inner]
    down = cv2.Sobel(moved, cv2.CV_32F, 0, 1, scale=1 / 8)[inner]
    still = np.abs(rest) < _MOVED
    across, down = across * still, down * still
    mixed = float(np.vdot(across, down))
    matrix = np.array([[np.vdot(across, across), mixed], [mixed, np.vdot(down, down)]], float)
    if np.linalg.det(matrix) <= _FLAT * np.trace(matrix) ** 2:
        return NO_DRIFT
    dx, dy = np.linalg.solve(matrix, [np.vdot(across, rest), np.vdot(down, rest)])
    return float(dx), float(dy)


def _difference(reference: Floats, frame: Floats, by: Drift) -> float:
    """Mean difference in camera values, each counted at most as much as motion."""
    rest = reference - _moved(frame, by, reference.shape[::-1])
    return float(np.minimum(np.abs(rest[_inner(rest)]), _MOVED).mean())


def _inner(picture: Floats) -> tuple[slice, slice]:
    """All but the border that a likely drift leaves."""
    border = int(np.ceil(_MOST_DRIFT * min(picture.shape)))
    height, width = picture.shape
    return slice(border, height - border), slice(border, width - border)


def _moved(picture: Any, start: Drift, size: Any) -> Any:  # noqa: ANN401
    """The picture of that width and height that begins at `start`; 0 outside."""
    matrix = np.array([[1, 0, start[0]], [0, 1, start[1]]], dtype=np.float64)
    return cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


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
