"""The law of trust: what both gates keep, against a slow reference."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from smarthdr_studio.core.trust.masking import (
    Level,
    MaskSettings,
    Range,
    expand,
    limit,
    masks_as_text,
    masks_from_text,
    patch_means,
    scores,
    span,
    trust,
)

SIGMA = st.floats(min_value=2**-10, max_value=1.0, width=32)
TAU = st.floats(min_value=0, max_value=1)
MAPS = arrays(np.float32, st.tuples(st.integers(1, 11), st.integers(1, 11)), elements=SIGMA)


def slow_means(sigma: np.ndarray, size: int) -> np.ndarray:
    rows, columns = range(0, sigma.shape[0], size), range(0, sigma.shape[1], size)
    means = [
        [sigma[y : y + size, x : x + size].mean(dtype=np.float64) for x in columns] for y in rows
    ]
    return np.array(means, dtype=np.float32)


def slow_trusted(sigma: np.ndarray, *, tau_patch: float, tau_pixel: float, size: int) -> np.ndarray:
    """METHOD §4 with scores, one pixel at a time, normalised within the scene."""

    def score(values: np.ndarray) -> np.ndarray:
        low, high = float(values.min()), float(values.max())
        if high == low:
            return np.zeros(values.shape)
        return (values.astype(np.float64) - low) / (high - low)

    kept_patch = score(slow_means(sigma, size)) <= tau_patch
    kept = np.array(
        [
            [kept_patch[y // size, x // size] for x in range(sigma.shape[1])]
            for y in range(sigma.shape[0])
        ]
    )
    trusted = np.zeros(sigma.shape, dtype=bool)
    if kept.any():
        trusted[kept] = score(sigma[kept]) <= tau_pixel
    return trusted


@given(MAPS, st.integers(1, 5))
def test_patch_means_average_the_pixels_a_border_patch_has(sigma, size):
    np.testing.assert_allclose(patch_means(sigma, size=size), slow_means(sigma, size), rtol=1e-6)


@given(
    MAPS,
    st.integers(1, 5),
    st.sampled_from([0.0, 0.21, 0.4, 0.77, 1.0]),
    st.sampled_from([0.13, 0.4, 1.0]),
)
def test_trust_is_what_the_formula_says(sigma, size, tau_patch, tau_pixel):
    masks = MaskSettings(
        tau_patch=tau_patch,
        tau_pixel=tau_pixel,
        patch_size=size,
        patches=Level(scope="scene"),
        pixels=Level(scope="scene"),
    )
    fast = trust(sigma, masks)
    slow = slow_trusted(sigma, tau_patch=tau_patch, tau_pixel=tau_pixel, size=size)
    undecided = _on_the_edge(sigma, fast, masks)
    assert ((fast.trusted == slow) | undecided).all()


def _on_the_edge(sigma, answer, masks) -> np.ndarray:
    """Where a float's rounding may decide: σ within 1e-6 of the limit, or any patch mean is."""
    top = limit(answer.pixel_range, masks.tau_pixel)
    patch_top = limit(answer.patch_range, masks.tau_patch)
    near = np.abs(patch_means(sigma, size=masks.patch_size) - patch_top) < 1e-6
    return np.full(sigma.shape, near.any()) | (np.abs(sigma - top) < 1e-6)


@given(MAPS, TAU, TAU, st.sampled_from(["minmax", "percentile", "absolute"]))
def test_torch_trusts_what_numpy_trusts(sigma, tau_patch, tau_pixel, normalisation):
    masks = MaskSettings(
        tau_patch=tau_patch,
        tau_pixel=tau_pixel,
        patch_size=3,
        patches=Level(normalisation=normalisation),
        pixels=Level(normalisation=normalisation),
    )
    person = (np.indices(sigma.shape).sum(0) % 5 == 0).astype(np.int8) - (sigma > 0.9)
    ours = trust(sigma, masks, person=person)
    theirs = trust(torch.from_numpy(sigma), masks, person=torch.from_numpy(person))
    assert np.array_equal(ours.trusted, theirs.trusted.numpy())
    assert np.array_equal(ours.patch_mask, theirs.patch_mask.numpy())
    assert ours.pixel_range == theirs.pixel_range


@given(MAPS, st.floats(0, 0.99), st.floats(0, 0.99), st.sampled_from([0.1, 0.5]))
def test_an_absolute_threshold_is_a_sigma_whatever_pool_and_scene(sigma, patch, pixel, at_one):
    level = Level(normalisation="absolute", sigma_at_one=at_one)
    masks = MaskSettings(
        tau_patch=patch, tau_pixel=pixel, patch_size=3, patches=level, pixels=level
    )
    found = trust(sigma, masks, patch_range=Range(0.3, 0.4), pixel_range=Range(0.3, 0.4))
    kept = slow_means(sigma, 3) <= np.float32(patch * at_one)
    inside = np.repeat(np.repeat(kept, 3, 0), 3, 1)[: sigma.shape[0], : sigma.shape[1]]
    assert np.array_equal(found.trusted, inside & (sigma <= np.float32(pixel * at_one)))
    assert found.patch_range == found.pixel_range == Range(0.0, at_one)
    assert span(sigma, level) == span(np.empty(0, np.float32), level) == Range(0.0, at_one)


def test_settings_read_back_and_say_nothing_new_where_nothing_new_is_used():
    absolute = Level(normalisation="absolute", sigma_at_one=0.3)
    for masks in (MaskSettings(), MaskSettings(pixels=absolute)):
        assert masks_from_text(masks_as_text(masks)) == masks
    assert "sigma_at_one" not in masks_as_text(MaskSettings())
    assert masks_as_text(MaskSettings(pixels=absolute)).count("sigma_at_one") == 1
    with pytest.raises(ValueError, match="sigma_at_one"):
        Level(sigma_at_one=0.0)


@given(MAPS, TAU, TAU, TAU)
def test_a_stricter_pixel_threshold_never_trusts_more(sigma, tau_patch, first, second):
    strict, loose = sorted((first, second))
    less, more = (
        trust(sigma, MaskSettings(tau_patch=tau_patch, tau_pixel=tau, patch_size=4)).trusted
        for tau in (strict, loose)
    )
    assert not (less & ~more).any()


@given(MAPS, TAU, TAU)
def test_a_stricter_patch_threshold_never_keeps_more_patches(sigma, first, second):
    strict, loose = sorted((first, second))
    less, more = (
        trust(sigma, MaskSettings(tau_patch=tau, patch_size=4)).patch_mask
        for tau in (strict, loose)
    )
    assert not (less & ~more).any()


@given(MAPS, TAU, TAU, TAU)
def test_a_stricter_patch_threshold_never_trusts_more_at_one_pixel_range(sigma, first, second, tau):
    strict, loose = sorted((first, second))
    fixed = Range(0.001, 1.0)
    less, more = (
        trust(
            sigma, MaskSettings(tau_patch=t, tau_pixel=tau, patch_size=4), pixel_range=fixed
        ).trusted
        for t in (strict, loose)
    )
    assert not (less & ~more).any()


@given(SIGMA, st.integers(1, 150), st.integers(1, 150), st.sampled_from([0.0, 0.4, 1.0]))
@settings(max_examples=40)
def test_a_constant_map_is_trusted_everywhere(value, height, width, tau):
    sigma = np.full((height, width), value, dtype=np.float32)
    assert trust(sigma, MaskSettings(tau_patch=tau, tau_pixel=tau)).trusted.all()


def test_a_person_overrules_both_gates():
    sigma = np.linspace(0.01, 0.9, 64, dtype=np.float32).reshape(8, 8)
    person = np.zeros((8, 8), dtype=np.int8)
    person[7, 7], person[0, 0] = 1, -1
    masks = MaskSettings(tau_patch=0.2, tau_pixel=0.2, patch_size=4)
    plain, brushed = trust(sigma, masks).trusted, trust(sigma, masks, person=person).trusted
    assert (plain[0, 0], plain[7, 7]) == (True, False)
    assert (brushed[0, 0], brushed[7, 7]) == (False, True)
    assert np.array_equal(plain.ravel()[1:-1], brushed.ravel()[1:-1])


def test_one_outlier_moves_a_min_max_and_not_a_percentile():
    rng = np.random.default_rng(1)
    sigma = rng.uniform(0.01, 0.03, (64, 64)).astype(np.float32)
    sigma[0, 0] = 0.9
    minmax = trust(sigma, MaskSettings(tau_patch=1.0)).trusted.mean()
    percentile = trust(
        sigma, MaskSettings(tau_patch=1.0, pixels=Level(normalisation="percentile", scope="scene"))
    ).trusted.mean()
    assert minmax == pytest.approx(1 - 1 / sigma.size)
    assert 0.3 < percentile < 0.5


def test_values_outside_the_range_clip_to_zero_and_one():
    values = np.array([0.0, 0.1, 0.2, 0.3, 0.9], dtype=np.float32)
    np.testing.assert_allclose(scores(values, Range(0.1, 0.3)), [0, 0, 0.5, 1, 1], atol=1e-6)


def test_nothing_has_no_range_and_an_empty_mask_trusts_nothing():
    assert span(np.empty(0, np.float32), Level()) == Range(0.0, 0.0)
    sigma = np.linspace(0.1, 0.2, 16, dtype=np.float32).reshape(4, 4)
    nothing = trust(sigma, MaskSettings(patch_size=2), patch_range=Range(0.0, 0.01))
    assert not nothing.trusted.any()


def test_expanding_a_patch_mask_cuts_it_to_the_scene():
    mask = np.array([[True, False]])
    assert expand(mask, size=4, height=3, width=6).tolist() == [[True] * 4 + [False] * 2] * 3


@pytest.mark.parametrize("wrong", [{"tau_patch": 1.2}, {"tau_pixel": -0.1}, {"patch_size": 0}])
def test_settings_outside_their_bounds_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        MaskSettings(**wrong)


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("normalisation", ["minmax", "percentile"])
def test_a_pixel_that_is_no_number_opens_no_gate(kind, wrong, normalisation):
    sigma = np.linspace(0.01, 0.5, 64, dtype=np.float32).reshape(8, 8)
    level = Level(normalisation=normalisation, scope="scene", low_percentile=0, high_percentile=100)
    masks = MaskSettings(patch_size=4, patches=level, pixels=level)
    whole = trust(kind(sigma.copy()), masks)
    sigma[0, 0] = wrong  # the surest pixel, in the surest patch
    spoilt = trust(kind(sigma), masks)
    assert not bool(spoilt.trusted[0, 0])
    assert np.isfinite(spoilt.patch_range).all()
    assert not np.asarray(spoilt.patch_mask)[0, 0]  # its mean is no number either
    assert np.array_equal(np.asarray(spoilt.patch_mask)[1], np.asarray(whole.patch_mask)[1])
    everything = MaskSettings(patch_size=4, tau_patch=1, tau_pixel=1, patches=level, pixels=level)
    assert not bool(trust(kind(sigma), everything).trusted[0, 0])
