"""Thresholds that keep a wished share, and the least sure places of a pool."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarthdr_studio.core.trust.masking import Level, MaskSettings, trust
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.core.trust.pool import PoolStatistics
from smarthdr_studio.core.trust.thresholds import (
    least_trusted_patches,
    score_counts,
    thresholds_for_share,
)

SCENE_SCOPE = MaskSettings(patches=Level(scope="scene"))


def some_sigma(seed, height=150, width=200):
    rng = np.random.default_rng(seed)
    return np.exp(rng.normal(-4, 1, (height, width))).astype(np.float32)


@given(st.floats(0.05, 0.99))
def test_the_found_pair_keeps_at_least_the_wish_and_hardly_more(wish):
    sigma = some_sigma(3)

    def share(masks):
        return float(trust(sigma, masks).trusted.mean())

    found = thresholds_for_share(wish, SCENE_SCOPE, share=share)
    assert share(found) >= wish
    assert share(replace(found, tau_pixel=max(found.tau_pixel - 0.003, 0))) <= wish or (
        found.tau_pixel < 0.003
    )


def test_the_patch_gate_stays_where_it_is_while_the_pixel_gate_can_do_it():
    pool = PoolStatistics({"a": SceneStatistics.of(some_sigma(1))})
    masks = MaskSettings()
    most = pool.retention(replace(masks, tau_pixel=1.0)).retained
    found = thresholds_for_share(most * 0.7, masks, share=lambda m: pool.retention(m).retained)
    assert found.tau_patch == masks.tau_patch
    assert pool.retention(found).retained == pytest.approx(most * 0.7, abs=0.01)


def test_a_share_beyond_the_patch_gate_opens_it_further():
    pool = PoolStatistics({"a": SceneStatistics.of(some_sigma(1))})
    strict = MaskSettings(tau_patch=0.1)
    found = thresholds_for_share(0.9, strict, share=lambda m: pool.retention(m).retained)
    assert found.tau_patch > strict.tau_patch
    assert pool.retention(found).retained == pytest.approx(0.9, abs=0.01)


def test_the_least_trusted_place_is_the_patch_of_the_greatest_mean():
    maps = {name: some_sigma(seed) for seed, name in enumerate("abc")}
    maps["b"][64:128, 128:192] = 3.0
    places = least_trusted_patches(
        {name: SceneStatistics.of(sigma) for name, sigma in maps.items()}
    )
    assert places[0].scene == "b"
    assert places[0].patch == 1 * 4 + 2  # the second row of four patches
    assert [p.sigma for p in places] == sorted((p.sigma for p in places), reverse=True)


@pytest.mark.parametrize("shape", [(1, 1), (64, 64), (100, 130)])
@pytest.mark.parametrize("constant", [False, True])
def test_every_patch_and_every_kept_pixel_is_counted_in_its_bin(shape, constant):
    sigma = np.full(shape, 0.2, np.float32) if constant else some_sigma(5, *shape)
    found = trust(sigma, SCENE_SCOPE)
    means = np.array(
        [
            [
                sigma[y : y + 64, x : x + 64].astype(np.float64).mean()
                for x in range(0, shape[1], 64)
            ]
            for y in range(0, shape[0], 64)
        ],
        np.float32,
    )
    patches, pixels = score_counts(sigma, means, found, patch_size=64)
    expected = np.zeros(50, int)
    low, high = found.pixel_range
    for (y, x), value in np.ndenumerate(sigma):
        if found.patch_mask[y // 64, x // 64]:
            score = (value - np.float32(low)) / np.float32(high - low) if high > low else 0.0
            expected[min(int(np.float32(min(max(score, 0), 1)) * np.float32(50)), 49)] += 1
    assert patches.sum() == means.size
    assert pixels.sum() == expected.sum()
    assert np.abs(np.cumsum(pixels) - np.cumsum(expected)).max() <= 2  # rounding at an edge
