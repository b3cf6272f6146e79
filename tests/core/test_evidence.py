"""Every figure about σ is the one its definition gives, worked out slowly."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smarthdr_studio.core.trust.causes import MOVING, Clues
from smarthdr_studio.core.trust.reliability import WRONG, Part, Sampled, ause, sparsification_point
from smarthdr_studio.core.trust.reliability import evidence as evidence_of

POINTS = np.linspace(0, 1, 101)


def evidence(sigma, error):
    """Of pixels that err alike in all channels, whose absolute and RMS error are one."""
    return evidence_of(sigma, error=error, squares=np.square(error.astype(np.float64)))


def drawn(seed: int, count: int, *, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """σ with many ties, and errors that follow it roughly."""
    rng = np.random.default_rng(seed)
    sigma = (rng.integers(1, levels + 1, count) * 0.01).astype(np.float32)
    error = np.abs(rng.normal(0, 1, count) * sigma).astype(np.float32)
    return sigma, error


def slow_curve(order, error) -> np.ndarray:
    """Mean error of the rest, ties taken as their mean, ÷ the full mean."""
    order, error = order.astype(float), error.astype(float)
    level = {value: error[order == value].mean() for value in np.unique(order)}
    surest = np.array([level[value] for value in np.sort(order)])
    kept = [max(1, int(np.rint(len(error) * (1 - dropped)))) for dropped in POINTS]
    return np.array([surest[:count].mean() for count in kept]) / error.mean()


@given(st.integers(0, 2**16), st.integers(1, 60), st.integers(1, 40))
@settings(max_examples=60)
def test_curves_and_areas_are_those_of_dropping_pixels_one_by_one(seed, count, levels):
    sigma, error = drawn(seed, count, levels=levels)
    found = evidence(sigma, error)
    # A half pixel may be rounded either way.
    whole = np.abs((count * POINTS) % 1 - 0.5) > 1e-9
    by_sigma, oracle = slow_curve(sigma, error), slow_curve(error, error)
    np.testing.assert_allclose(found.by_sigma[whole], by_sigma[whole], atol=1e-9)
    np.testing.assert_allclose(found.oracle[whole], oracle[whole], atol=1e-9)
    assert (found.random == 1).all()
    assert found.ause == pytest.approx(np.trapezoid(found.by_sigma - found.oracle, POINTS))
    assert found.aurg == pytest.approx(np.trapezoid(1 - found.by_sigma, POINTS))
    assert found.ause == pytest.approx(ause(sigma, error), abs=1e-6)
    assert found.error == pytest.approx(error.astype(float).mean())
    assert found.pixels == count


@given(st.integers(0, 2**16), st.integers(2, 60), st.integers(1, 40))
@settings(max_examples=60)
def test_auroc_counts_every_pair_of_a_wrong_and_a_right_pixel(seed, count, levels):
    sigma, error = drawn(seed, count, levels=levels)
    wrong, right = sigma[error > WRONG], sigma[error <= WRONG]
    found = evidence(sigma, error).auroc
    if len(wrong) == 0 or len(right) == 0:
        assert np.isnan(found)
        return
    above = (wrong[:, None] > right).sum() + (wrong[:, None] == right).sum() / 2
    assert found == pytest.approx(above / (len(wrong) * len(right)))


@given(st.integers(0, 2**16), st.integers(1, 60))
@settings(max_examples=60)
def test_calibration_compares_bins_of_rising_sigma(seed, count):
    rng = np.random.default_rng(seed)
    sigma = rng.permutation(np.linspace(0.01, 0.2, count)).astype(np.float32)
    error = rng.uniform(0, 0.3, count).astype(np.float32)
    found = evidence(sigma, error)
    order, bins = np.argsort(sigma), min(15, count)
    edges = [count * k // bins for k in range(bins + 1)]
    parts = [order[a:b] for a, b in pairwise(edges)]
    predicted = [np.sqrt((sigma[part].astype(float) ** 2).mean()) for part in parts]
    observed = [np.sqrt((error[part].astype(float) ** 2).mean()) for part in parts]
    np.testing.assert_allclose(found.predicted, predicted, rtol=1e-6)
    np.testing.assert_allclose(found.observed, observed, rtol=1e-6)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    slow = [abs(p - o) / p for p, o in zip(predicted, observed, strict=True)]
    assert found.ence == pytest.approx(np.mean(slow))
    within = [float((error.astype(float) <= k * sigma.astype(float)).mean()) for k in (1, 2, 3)]
    assert found.coverage == pytest.approx(within)


def test_a_sigma_that_is_the_error_is_perfect_and_one_turned_round_is_worse_than_chance():
    error = np.random.default_rng(0).exponential(0.03, 5000).astype(np.float32)
    best, worst = evidence(error, error), evidence(1 - error, error)
    assert best.ause == pytest.approx(0, abs=1e-12)
    assert best.aurg > 0.4
    assert best.ence == pytest.approx(0, abs=1e-9)
    assert (best.auroc, worst.auroc) == (1.0, 0.0)
    assert best.spearman == pytest.approx(1)
    assert worst.aurg < -0.4
    assert worst.ause > best.ause


def test_a_constant_sigma_orders_nothing_however_the_pixels_lie():
    error = np.sort(np.random.default_rng(1).exponential(0.03, 400)).astype(np.float32)
    found = evidence(np.full(400, 0.02, np.float32), error)
    np.testing.assert_allclose(found.by_sigma, 1)
    assert found.aurg == pytest.approx(0, abs=1e-12)
    assert found.spearman == 0
    assert found.auroc == 0.5
    np.testing.assert_allclose(found.observed, np.sqrt((error.astype(float) ** 2).mean()))


def test_without_an_error_there_is_nothing_to_warn_of():
    found = evidence(np.linspace(0.01, 0.1, 50), np.zeros(50))
    assert (found.by_sigma == 1).all()
    assert (found.oracle == 1).all()
    assert (found.error, found.ause, found.aurg) == (0, 0, 0)
    assert np.isnan(found.auroc)
    assert found.ence == 1
    assert found.coverage == (1, 1, 1)


def test_a_sigma_of_nothing_is_taken_for_very_little():
    found = evidence(np.zeros(30), np.full(30, 1e-6))
    assert found.ence == pytest.approx(1)
    assert found.coverage == (0, 0, 0)


def test_one_pixel_has_every_figure():
    found = evidence(np.array([[0.02]]), np.array([[0.05]]))
    assert (found.pixels, found.error, found.coverage) == (1, 0.05, (0, 0, 1))
    assert (found.ause, found.aurg, found.spearman) == (0, 0, 0)
    assert found.ence == pytest.approx(1.5)


def test_pixels_without_a_number_are_left_out_and_nothing_else_is_refused():
    sigma, error = np.array([0.1, np.nan, 0.2]), np.array([0.1, 0.3, np.inf])
    assert evidence(sigma, error).pixels == 1
    with pytest.raises(ValueError, match="no pixel"):
        evidence(sigma[1:], error[1:])


def clues_of(saturated, motion) -> Clues:
    other = np.zeros_like(saturated)
    return Clues(
        saturated=(other, saturated, ~saturated),
        motion=motion,
        noise=np.zeros_like(motion),
        drift=((0.0, 0.0), (0.0, 0.0)),
    )


@pytest.mark.parametrize("shape", [(40, 60), (1, 1), (37, 1), (100, 128)])
@pytest.mark.parametrize("most", [1, 100, 40_000])
def test_a_sample_is_a_part_of_the_scene_and_never_too_large(shape, most):
    rng = np.random.default_rng(2)
    error, motion = rng.uniform(0, 0.1, (2, *shape)).astype(np.float32)
    sigma = np.arange(error.size, dtype=np.float32).reshape(shape)
    saturated = rng.uniform(size=shape) > 0.7
    found = Sampled.of(
        sigma, clues_of(saturated, motion), error=error, squares=np.square(error), most=most
    )
    assert 1 <= len(found) <= min(most, sigma.size)
    places = found.sigma.astype(int)
    assert len(set(np.diff(places))) <= 1
    assert np.array_equal(found.error, error.ravel()[places])
    assert np.array_equal(found.saturated, saturated.ravel()[places])
    assert np.array_equal(found.moving, motion.ravel()[places] > MOVING)


def test_a_sample_reaches_every_column():
    sigma = np.tile(np.arange(120, dtype=np.float32), (100, 1))
    still = clues_of(np.zeros((100, 120), bool), np.zeros((100, 120), np.float32))
    assert (
        len(
            np.unique(
                Sampled.of(sigma, still, error=sigma, squares=np.square(sigma), most=1500).sigma
            )
        )
        == 120
    )


def test_parts_divide_the_pixels_and_are_measured_alone():
    rng = np.random.default_rng(3)
    sigma, error = rng.uniform(0.01, 0.1, (2, 30, 40)).astype(np.float32)
    saturated = rng.uniform(size=(30, 40)) > 0.7
    motion = np.where(rng.uniform(size=(30, 40)) > 0.6, 0.2, 0).astype(np.float32)
    found = Sampled.of(sigma, clues_of(saturated, motion), error=error, squares=np.square(error))
    masks = {
        Part.ALL: np.ones((30, 40), bool),
        Part.SATURATED: saturated,
        Part.MOVING: motion > MOVING,
        Part.STATIC: ~saturated & ~(motion > MOVING),
    }
    for part, mask in masks.items():
        slow, quick = evidence(sigma[mask], error[mask]), found.evidence(part)
        assert quick is not None
        assert (quick.pixels, quick.ause, quick.auroc) == (slow.pixels, slow.ause, slow.auroc)


def test_a_part_without_pixels_has_no_evidence():
    shape = (4, 5)
    nothing = np.zeros(shape, np.float32)
    still = clues_of(np.zeros(shape, bool), nothing)
    found = Sampled.of(np.full(shape, 0.1, np.float32), still, error=nothing, squares=nothing)
    assert found.evidence(Part.MOVING) is None
    assert Sampled.joined([]).evidence() is None


def test_a_pool_is_its_scenes_joined():
    rng = np.random.default_rng(5)
    parts = []
    for height in (5, 9):
        sigma, error, motion = rng.uniform(0, 0.1, (3, height, 7)).astype(np.float32)
        parts.append(
            Sampled.of(sigma, clues_of(sigma > 0.05, motion), error=error, squares=np.square(error))
        )
    joined = Sampled.joined(parts)
    assert len(joined) == 5 * 7 + 9 * 7
    assert np.array_equal(joined.moving, np.concatenate([part.moving for part in parts]))


@given(st.integers(0, 2**16), st.floats(0, 1))
def test_a_mask_stands_where_its_share_and_what_it_leaves_say(seed, share):
    rng = np.random.default_rng(seed)
    error = rng.exponential(0.02, (6, 7)).astype(np.float32)
    trusted = rng.uniform(size=(6, 7)) < share
    dropped, left = sparsification_point(trusted, error)
    assert dropped == pytest.approx((~trusted).mean())
    slow = error[trusted].mean() / error.mean() if trusted.any() else 0
    assert left == pytest.approx(slow, rel=1e-5)


def test_the_point_of_a_mask_that_drops_by_sigma_lies_on_the_curve():
    sigma, error = np.random.default_rng(6).exponential(0.02, (2, 1000))
    limit = np.sort(sigma)[749]
    dropped, left = sparsification_point(sigma <= limit, error)
    assert (dropped, left) == pytest.approx((0.25, evidence(sigma, error).by_sigma[25]))


def test_the_point_is_sane_where_all_is_masked_or_nothing_is_wrong():
    nothing, error = np.zeros((3, 3), bool), np.full((3, 3), 0.1)
    assert sparsification_point(nothing, error) == (1.0, 0.0)
    assert sparsification_point(~nothing, error * 0) == (0.0, 1.0)
