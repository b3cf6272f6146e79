"""What the frames say about every pixel, against the same sums taken slowly; and who wins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from smarthdr_studio.core.imaging.alignment import FULL_WELL, READ_NOISE, disagreement
from smarthdr_studio.core.imaging.bracket import Bracket
from smarthdr_studio.core.imaging.radiometry import linear_radiance, mu_law, unit_ldr
from smarthdr_studio.core.trust.causes import (
    DARK,
    DISPUTED,
    MOVING,
    Clues,
    Reason,
    clues,
    dark,
    disputed,
    moving,
    reason_map,
)

STOPS = (0.0, 2.0, 4.0)
NO_DRIFT = ((0.0, 0.0), (0.0, 0.0))


def frames_of(radiance, *, noise=0.0, seed=0, stops=STOPS) -> Bracket:
    """What a camera writes of three radiances, under, reference, over."""
    rng = np.random.default_rng(seed)
    frames = []
    for part, stop in zip(radiance, stops, strict=True):
        signal = part * 2.0**stop
        spread = noise * np.sqrt(np.minimum(signal, 1) / FULL_WELL + (READ_NOISE / FULL_WELL) ** 2)
        seen = np.clip(signal + spread * rng.normal(size=part.shape), 0, 1)
        frames.append(np.rint(seen ** (1 / 2.2) * 65535).astype(np.uint16))
    return Bracket(*frames, stops)


def slow_deviation(ldr: np.ndarray, stops: float) -> np.ndarray:
    """Shot and read noise carried to the μ-law by its slope, in doubles."""
    signal = ldr.astype(np.float64) ** 2.2
    spread = np.sqrt(signal / FULL_WELL + (READ_NOISE / FULL_WELL) ** 2) / 2**stops
    return spread * 5000 / (1 + 5000 * signal / 2**stops) / np.log(5001)


def slow_pair(bracket: Bracket, index: int) -> np.ndarray:
    """The disagreement with the reference, pixel by pixel; the frames stand still."""
    ldr = [unit_ldr(frame) for frame in bracket.frames]
    law = [mu_law(linear_radiance(v, stops=s)) for v, s in zip(ldr, bracket.stops, strict=True)]
    deviation = [slow_deviation(v, s) for v, s in zip(ldr, bracket.stops, strict=True)]
    known = ((ldr[1] > 0.02) & (ldr[1] < 0.98)) & ((ldr[index] > 0.02) & (ldr[index] < 0.98))
    excess = np.abs(law[1] - law[index]) - np.hypot(deviation[1], deviation[index])
    sums, voices = ((values * known).sum(2) for values in (excess, np.ones_like(excess)))
    sums, voices = (np.pad(values, 2, mode="edge") for values in (sums, voices))
    height, width = known.shape[:2]
    answer = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            heard = voices[y : y + 5, x : x + 5].sum()
            if heard >= 0.2 * 75:
                answer[y, x] = max(0, sums[y : y + 5, x : x + 5].sum() / heard)
    return answer


any_frame = arrays.arrays(
    np.uint16,
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)),
    elements=st.integers(0, 65535),
)


@given(any_frame, st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_every_clue_is_the_slow_sum(reference, seed):
    rng = np.random.default_rng(seed)
    under, over = rng.integers(0, 65536, (2, *reference.shape)).astype(np.uint16)
    bracket = Bracket(under, reference, over, STOPS)
    found = clues(bracket)
    ldr = [unit_ldr(frame) for frame in bracket.frames]
    clipped = [(values >= 0.98).any(2) for values in ldr]
    assert all(np.array_equal(a, b) for a, b in zip(found.saturated, clipped, strict=True))
    slow = np.maximum(slow_pair(bracket, 0), slow_pair(bracket, 2))
    np.testing.assert_allclose(found.motion, slow, atol=2e-5)
    noise = [slow_deviation(v, s).mean(2) for v, s in zip(ldr, STOPS, strict=True)]
    best = np.where(clipped[2], np.where(clipped[1], noise[0], noise[1]), noise[2])
    np.testing.assert_allclose(found.noise, best, rtol=1e-4)
    assert found.drift == NO_DRIFT


def test_a_part_of_the_picture_disagrees_as_the_whole_does():
    rng = np.random.default_rng(1)
    frames = rng.integers(0, 65536, (3, 60, 80, 3)).astype(np.uint16)
    bracket = Bracket(*frames, STOPS)
    for over, drift in ((False, (0.0, 0.0)), (True, (1.3, -2.6))):
        whole = disagreement(
            bracket, over=over, drift=drift, rows=slice(0, 60), columns=slice(0, 80)
        )
        part = (slice(11, 37), slice(20, 79))
        found = disagreement(bracket, over=over, drift=drift, rows=part[0], columns=part[1])
        np.testing.assert_allclose(found, whole[part], atol=1e-4)


def test_strips_leave_no_seam():
    rng = np.random.default_rng(2)
    frames = rng.integers(2000, 60000, (3, 210, 12, 3)).astype(np.uint16)
    bracket = Bracket(*frames, STOPS)
    whole = [
        disagreement(bracket, over=over, drift=(0.0, 0.0), rows=slice(0, 210), columns=slice(0, 12))
        for over in (False, True)
    ]
    np.testing.assert_allclose(clues(bracket).motion, np.maximum(*whole), atol=1e-6)


def test_a_noisy_tripod_bracket_does_not_move_and_a_thing_that_moved_does():
    rng = np.random.default_rng(3)
    still = np.exp(rng.normal(-3.5, 1.0, (90, 120, 1)).repeat(3, 2).cumsum(1) * 0.02 - 3)
    still = np.clip(still, 1e-4, 1)
    found = clues(frames_of([still] * 3, noise=1.0))
    assert moving(found).mean() < 0.01
    under = still.copy()
    under[30:50, 40:70] = np.clip(still[30:50, 40:70] * 6 + 0.05, 0, 1)
    moved = moving(clues(frames_of([under, still, still], noise=1.0)))
    assert moved[32:48, 42:68].mean() > 0.95
    assert moved[:26].mean() < 0.01


def test_shadows_are_dark_only_where_no_longer_frame_tells_of_them():
    shadow = np.full((20, 20, 3), 0.0006)
    assert not dark(clues(frames_of([shadow] * 3, stops=(0.0, 3.0, 6.0)))).any()
    assert dark(clues(frames_of([shadow] * 3, stops=(0.0, 1.0, 2.0)))).all()
    walked_in = np.full((20, 20, 3), 0.9)
    hidden = clues(frames_of([shadow, shadow, walked_in], stops=(0.0, 3.0, 6.0)))
    assert dark(hidden).all()


maps = arrays.arrays(np.float32, (3, 4), elements=st.floats(0, np.float32(0.15), width=32))
flags = arrays.arrays(np.bool_, (3, 4))


@given(flags, flags, maps, maps, maps, arrays.arrays(np.int8, (3, 4), elements=st.integers(-1, 1)))
def test_the_first_reason_that_applies_is_the_chief_one(
    trusted, clipped, motion, noise, dispute, person
):
    known = Clues(
        saturated=(~clipped, clipped, ~clipped), motion=motion, noise=noise, drift=NO_DRIFT
    )
    found = reason_map(trusted, known, person=person, dispute=dispute)
    plain = reason_map(trusted, known)
    for at in np.ndindex(3, 4):
        tests = (
            (Reason.TRUSTED, trusted[at]),
            (Reason.PERSON, person[at] < 0),
            (Reason.SATURATED, clipped[at]),
            (Reason.MOVING, motion[at] > MOVING),
            (Reason.DARK, noise[at] > DARK),
            (Reason.DISPUTED, dispute[at] > DISPUTED),
            (Reason.UNEXPLAINED, True),
        )
        assert found[at] == next(reason for reason, holds in tests if holds)
        fewer = [test for test in tests if test[0] not in {Reason.PERSON, Reason.DISPUTED}]
        assert plain[at] == next(reason for reason, holds in fewer if holds)
    assert found.dtype == np.uint8
    assert np.array_equal(disputed(dispute), dispute > DISPUTED)


def test_clues_of_a_part_are_the_part_of_the_clues():
    rng = np.random.default_rng(4)
    bracket = Bracket(*rng.integers(0, 65536, (3, 30, 20, 3)).astype(np.uint16), STOPS)
    whole, box = clues(bracket), (slice(3, 9), slice(5, 17))
    part = whole.within(box)
    assert np.array_equal(part.motion, whole.motion[box])
    assert np.array_equal(part.noise, whole.noise[box])
    assert np.array_equal(part.saturated[2], whole.saturated[2][box])
    assert part.drift == whole.drift


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_words_of_its_own(reason):
    assert reason.words
    assert [other for other in Reason if other.words == reason.words] == [reason]
