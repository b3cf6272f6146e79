"""How far a frame has drifted is found to a fraction of a pixel, or not claimed at all."""

import cv2
import numpy as np
import pytest

from smarthdr_studio.core.imaging.alignment import NO_DRIFT, drift, shifted
from smarthdr_studio.core.imaging.bracket import Bracket

STOPS = (0.0, 2.0, 4.0)


def landscape(height: int, width: int, *, seed: int = 0) -> np.ndarray:
    """Smooth radiance with detail of several sizes, H×W×3 in [0, 1]."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width), np.float32)
    for scale in (2, 6, 20):
        noise = rng.normal(size=(height, width)).astype(np.float32)
        total += cv2.GaussianBlur(noise, (0, 0), scale) * scale
    # Most of it is dark, as a scene of high dynamic range is.
    radiance = np.exp(1.2 * total / total.std() - 3.5)
    return np.repeat(np.clip(radiance, 0, 1)[..., None], 3, 2).astype(np.float32)


def exposed(radiance: np.ndarray, stops: float, *, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    signal = radiance * 2.0**stops
    noise = np.sqrt(np.minimum(signal, 1) / 9000 + (4 / 9000) ** 2)
    seen = np.clip(signal + noise * rng.normal(size=signal.shape), 0, 1)
    return np.rint(seen ** (1 / 2.2) * 65535).astype(np.uint16)


def moved(radiance: np.ndarray, by: tuple[float, float]) -> np.ndarray:
    height, width = radiance.shape[:2]
    matrix = np.array([[1, 0, -by[0]], [0, 1, -by[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(
        radiance, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT
    )


def shot(radiance: np.ndarray, *, under=(0.0, 0.0), over=(0.0, 0.0)) -> Bracket:
    seen = (moved(radiance, under), radiance, moved(radiance, over))
    frames = [
        exposed(part, stops, seed=k)
        for k, (part, stops) in enumerate(zip(seen, STOPS, strict=True))
    ]
    return Bracket(*frames, STOPS)


@pytest.mark.parametrize("by", [(3.4, -5.6), (-0.6, 0.3), (0.0, 8.0), (-7.0, -2.5)])
def test_the_drift_of_both_frames_is_found(by):
    bracket = shot(landscape(240, 320), under=by, over=(-by[0], -by[1]))
    assert drift(bracket, over=False) == pytest.approx(by, abs=0.15)
    assert drift(bracket, over=True) == pytest.approx((-by[0], -by[1]), abs=0.15)


def test_a_thing_that_moves_by_itself_does_not_carry_the_frame_along():
    still = landscape(240, 320)
    walked = still.copy()
    thing = landscape(90, 90, seed=5) * 3
    still[60:150, 60:150], walked[60:150, 100:190] = thing, thing
    drifted = moved(walked, (2.0, -1.0))
    bracket = Bracket(
        exposed(drifted, 0, seed=1), exposed(still, 2, seed=2), exposed(still, 4, seed=3), STOPS
    )
    assert drift(bracket, over=False) == pytest.approx((2.0, -1.0), abs=0.3)


def test_a_tripod_and_unlike_frames_have_no_drift():
    assert drift(shot(landscape(240, 320)), over=False) == NO_DRIFT
    unlike = Bracket(
        exposed(landscape(240, 320, seed=8), 0, seed=1),
        exposed(landscape(240, 320, seed=9), 2, seed=2),
        exposed(landscape(240, 320, seed=7), 4, seed=3),
        STOPS,
    )
    assert drift(unlike, over=False) == drift(unlike, over=True) == NO_DRIFT


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (20, 20), (33, 70)])
@pytest.mark.parametrize("value", [0, 20_000, 65535])
def test_flat_and_tiny_frames_have_no_drift(size, value):
    frame = np.full((*size, 3), value, np.uint16)
    assert drift(Bracket(frame, frame, frame, STOPS), over=False) == NO_DRIFT
    assert drift(Bracket(frame, frame, frame, STOPS), over=True) == NO_DRIFT


def test_the_frames_are_left_as_they_were():
    bracket = shot(landscape(120, 160), under=(1.0, 2.0))
    before = [frame.copy() for frame in bracket.frames]
    drift(bracket, over=False)
    assert all(np.array_equal(a, b) for a, b in zip(before, bracket.frames, strict=True))


def test_a_frame_moved_back_shows_what_the_reference_shows_and_nothing_from_outside():
    y, x = np.mgrid[:40, :60]
    frame = np.repeat((1000 + 100 * x + 7 * y)[..., None], 3, 2).astype(np.uint16)
    rows, columns = slice(4, 40), slice(0, 60)
    found = shifted(frame, (2.5, -6.0), rows=rows, columns=columns)
    wanted = 1000 + 100 * (x + 2.5) + 7 * (y - 6.0)
    inside = (x + 2.5 <= 59) & (y - 6.0 >= 0)
    expected = np.where(inside, wanted, 0)[rows, columns]
    assert np.abs(found[..., 0] - expected).max() <= 1
    assert np.array_equal(shifted(frame, NO_DRIFT, rows=rows, columns=columns), frame[rows])
