"""Radiometry, quality and reliability against their definitions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarthdr_studio.core.display.layer_data import ErrorMaps
from smarthdr_studio.core.imaging.metrics import (
    psnr,
    psnr_pu,
    pu21,
    quality,
    split_psnr,
    split_quality,
    ssim,
)
from smarthdr_studio.core.imaging.radiometry import (
    exposure_weighted_merge,
    inverse_mu_law,
    linear_radiance,
    merge_weights,
    mu_law,
    stops_above_shortest,
    unit_ldr,
)
from smarthdr_studio.core.trust.reliability import ause, error_map, sparsification, spearman


@given(st.floats(0, 1))
def test_the_mu_law_goes_from_zero_to_one_and_back(value):
    compressed = mu_law(np.float32([value]))
    assert 0 <= compressed[0] <= 1 + 1e-6
    assert inverse_mu_law(compressed)[0] == pytest.approx(value, abs=1e-6)


def test_eight_and_sixteen_bit_files_reach_one():
    assert unit_ldr(np.array([255], np.uint8))[0] == 1
    assert unit_ldr(np.array([65535], np.uint16))[0] == 1


def test_stops_count_from_the_shortest_frame_wherever_exposures_start():
    assert (
        stops_above_shortest((-2.0, 0.0, 2.0)) == stops_above_shortest((0.0, 2.0, 4.0)) == (0, 2, 4)
    )


def test_radiance_halves_with_every_stop():
    ldr = np.float32([0.5])
    assert linear_radiance(ldr, stops=1)[0] == pytest.approx(linear_radiance(ldr, stops=0)[0] / 2)


def test_merge_weights_add_up_to_one():
    weights = merge_weights(np.linspace(0, 1, 11, dtype=np.float32))
    np.testing.assert_allclose(sum(weights), 1, atol=1e-6)


def test_the_merge_of_a_still_scene_is_its_radiance():
    radiance = np.linspace(0.002, 0.06, 48, dtype=np.float32).reshape(4, 4, 3)
    stops = (0.0, 2.0, 4.0)
    frames = [
        np.rint(np.clip(radiance * 2**s, 0, 1) ** (1 / 2.2) * 65535).astype(np.uint16)
        for s in stops
    ]
    np.testing.assert_allclose(exposure_weighted_merge(frames, stops=stops), radiance, rtol=2e-2)


def test_psnr_is_decibels_below_one():
    truth = np.zeros((20, 20, 3))
    assert psnr(truth + 0.1, truth) == pytest.approx(20.0)
    assert psnr(truth, truth) == float("inf")


@given(st.integers(0, 2**16 - 1), st.integers(1, 4), st.integers(1, 4))
def test_decibels_are_counted_apart_inside_and_outside_the_mask(bits, height, width):
    rng = np.random.default_rng(bits)
    picture, truth = rng.uniform(size=(2, height, width, 3)).astype(np.float32)
    trusted = np.array([bits >> k & 1 for k in range(height * width)], bool).reshape(height, width)
    half = picture.astype(np.float16)
    inside, outside = split_psnr(ErrorMaps.of(half, truth.astype(np.float16)).squares, trusted)
    for found, where in ((inside, trusted), (outside, ~trusted)):
        seen = mu_law(picture.astype(np.float16).astype(np.float32))[where]
        real = mu_law(truth.astype(np.float16).astype(np.float32))[where]
        slow = psnr(seen, real) if where.any() else float("nan")
        assert found == pytest.approx(slow, abs=1e-4, nan_ok=True)


def test_where_both_pictures_are_equal_decibels_are_infinite_however_bad_the_rest_is():
    truth = np.full((4, 4, 3), 0.3, np.float32)
    picture, trusted = truth.copy(), np.ones((4, 4), bool)
    picture[0, 0], trusted[0, 0] = 1.0, False
    squares = np.square(mu_law(picture) - mu_law(truth)).mean(2)
    inside, outside = split_psnr(squares, trusted)
    assert inside == float("inf")
    assert outside == pytest.approx(psnr(mu_law(picture[0, 0]), mu_law(truth[0, 0])))


def test_both_sides_of_a_mask_are_counted_and_measured_on_both_scales():
    rng = np.random.default_rng(5)
    picture, truth = rng.uniform(size=(2, 6, 7, 3)).astype(np.float16)
    trusted = rng.uniform(size=(6, 7)) < 0.6
    maps = ErrorMaps.of(picture, truth)
    np.testing.assert_allclose(maps.error, error_map(picture, truth), atol=1e-6)
    found = split_quality(maps.squares, maps.linear_squares, trusted)
    wide = picture.astype(np.float32), truth.astype(np.float32)
    for side, where in ((found.kept, trusted), (found.dropped, ~trusted)):
        assert side.pixels == int(where.sum()) > 0
        assert side.psnr_l == pytest.approx(psnr(wide[0][where], wide[1][where]), abs=1e-4)
        curved = mu_law(wide[0][where]), mu_law(wide[1][where])
        assert side.psnr_mu == pytest.approx(psnr(*curved), abs=1e-4)


def test_a_picture_is_fully_similar_to_itself_and_a_tiny_one_has_no_valid_region():
    rng = np.random.default_rng(0)
    picture = rng.uniform(size=(24, 24, 3))
    assert ssim(picture, picture) == pytest.approx(1.0)
    assert np.isnan(ssim(picture[:8], picture[:8]))
    figures = quality(picture, np.clip(picture + 0.01, 0, 1))
    assert figures.psnr_l > 39 > figures.psnr_mu > 25


def test_spearman_sees_ranks_only():
    rng = np.random.default_rng(2)
    error = rng.uniform(size=(30, 40))
    assert spearman(error**3, error) == pytest.approx(1.0)
    assert spearman(-error, error) == pytest.approx(-1.0)
    assert abs(spearman(rng.uniform(size=(30, 40)), error)) < 0.1
    assert spearman(np.ones((3, 3)), error[:3, :3]) == 0.0


def test_ties_share_their_mean_rank():
    assert spearman(np.array([1, 1, 2, 2]), np.array([1, 2, 3, 4])) == pytest.approx(2 / 5**0.5)


def test_perfect_uncertainty_has_no_area_under_its_sparsification_error():
    rng = np.random.default_rng(3)
    error = rng.exponential(size=(50, 50))
    assert ause(error, error) == 0
    assert ause(np.exp(error), error) == pytest.approx(0)
    assert 0 < ause(error + rng.exponential(size=error.shape), error) < ause(-error, error)
    assert ause(error, np.zeros_like(error)) == 0


def test_a_sparsification_curve_starts_at_the_full_error():
    error = np.random.default_rng(4).exponential(size=(20, 20))
    curve = sparsification(error, error)
    assert curve[0] == pytest.approx(1.0)
    assert (np.diff(curve) <= 1e-12).all()


def test_the_error_map_is_the_channel_mean_on_the_mu_law():
    truth = np.zeros((2, 2, 3), np.float32)
    picture = truth.copy()
    picture[0, 0, 0] = 1
    assert error_map(picture, truth)[0, 0] == pytest.approx(1 / 3)


def test_pu21_gives_the_published_values():
    found = pu21(np.array([0.0, 0.005, 100.0, 10_000.0, 50_000.0]))
    # Nothing at the darkest luminance, about 256 at the white of an ordinary display.
    np.testing.assert_allclose(found, [0, 0, 256.38, 595.39, 595.39], atol=0.01)
    luminance = np.geomspace(0.005, 10_000, 200)
    assert (np.diff(pu21(luminance)) > 0).all()


def test_its_psnr_is_for_a_peak_of_256_with_radiance_1_at_1000_candela():
    truth, picture = np.full((4, 4, 3), 0.1), np.full((4, 4, 3), 1.0)
    apart = 420.09692 - 256.38390  # PU21 of 1000 and of 100 cd/m²
    assert psnr_pu(picture, truth) == pytest.approx(20 * math.log10(256 / apart), abs=1e-4)
    assert math.isinf(psnr_pu(truth, truth))
