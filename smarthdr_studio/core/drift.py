"""How far a whole frame has drifted against the reference, in pixels."""

from typing import Any

import cv2
import numpy as np

from smarthdr_studio.core.bracket import Bracket
from smarthdr_studio.core.radiance import GAMMA, Floats, Frame

Drift = tuple[float, float]

NO_DRIFT: Drift = (0.0, 0.0)

_CLIPPED = 0.98
_DARK = 0.03  # camera values of the darker frame; below, noise alone is brighter than the light
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
    exposed, lit = (np.clip(values, _DARK * gain, _CLIPPED) for values in (low * gain, high))
    reference, frame = (exposed, lit) if over else (lit, exposed)
    found = _refined(reference, frame, _correlated(reference, frame))
    distance = max(abs(found[0]), abs(found[1]))
    if distance * shrink < _LEAST_DRIFT or distance > _MOST_DRIFT * min(low.shape):
        return NO_DRIFT
    before, after = (_difference(reference, frame, by) for by in (NO_DRIFT, found))
    return (found[0] * shrink, found[1] * shrink) if after < _LEAST_GAIN * before else NO_DRIFT


def shifted(frame: Frame, by: Drift, *, rows: slice, columns: slice) -> Frame:
    """The part of a frame that the reference shows in these rows and columns; 0 outside."""
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
