"""The bounds of what an epoch would draw hold against counting every crop of every map."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smarthdr_studio.core.trust.masking import Level, MaskSettings, pool_ranges, trust
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.core.trust.pool import PoolStatistics
from smarthdr_studio.core.trust.thresholds import CropsOfPool, crop_grid, what_if


def smooth_sigma(seed: int, height: int, width: int) -> np.ndarray:
    """σ with regions, so that whole crops are dropped as well as kept."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float32) / 40
    waves = np.sin(x + rng.uniform(0, 6)) * np.cos(y + rng.uniform(0, 6))
    noise = rng.normal(0, 0.2, (height, width))
    return np.exp(waves + noise - 4.6).astype(np.float32)


def statistics(pool, size):
    return PoolStatistics({name: SceneStatistics.of(s, size=size) for name, s in pool.items()})


def crops_of(pool, crop, stride, size):
    sizes = {name: (sigma.shape[1], sigma.shape[0]) for name, sigma in pool.items()}
    return CropsOfPool(sizes, crop=crop, stride=stride, patch_size=size)


def counted(pool, masks, crop, stride):
    """All crops, and those with a trusted pixel, one by one."""
    patch_range, pixel_range = pool_ranges(list(pool.values()), masks)
    total = holding = pixels = 0
    for sigma in pool.values():
        found = trust(sigma, masks, patch_range=patch_range, pixel_range=pixel_range)
        pixels += int(found.trusted.sum())
        height, width = sigma.shape
        if min(height, width) < crop:
            continue
        for top in crop_grid(height, crop=crop, stride=stride):
            for left in crop_grid(width, crop=crop, stride=stride):
                total += 1
                holding += bool(found.trusted[top : top + crop, left : left + crop].any())
    return total, holding, pixels


POOL = {f"s{k}": smooth_sigma(k, 90 + 17 * k, 150 - 13 * k) for k in range(5)}
TWO = {name: POOL[name] for name in ("s0", "s3")}


@cache
def statistics_of_two(size):
    """To lay the pool out takes longer than all that is asked of it."""
    return statistics(TWO, size)


@given(
    tau_patch=st.floats(0, 1),
    tau_pixel=st.floats(0, 1),
    scopes=st.tuples(st.sampled_from(["pool", "scene"]), st.sampled_from(["pool", "scene"])),
    crop=st.sampled_from([5, 16, 24, 40, 100]),
    stride=st.sampled_from([3, 8, 16, 64]),
    size=st.sampled_from([1, 7, 16, 64]),
)
@settings(max_examples=60)
def test_the_true_number_of_crops_lies_between_both_bounds(
    tau_patch, tau_pixel, scopes, crop, stride, size
):
    masks = MaskSettings(
        tau_patch=tau_patch,
        tau_pixel=tau_pixel,
        patch_size=size,
        patches=Level(scope=scopes[0]),
        pixels=Level(scope=scopes[1]),
    )
    answer = what_if(statistics_of_two(size), crops_of(TWO, crop, stride, size), masks)
    total, holding, _ = counted(TWO, masks, crop, stride)
    assert answer.crops == total
    assert answer.crops_at_least <= holding <= answer.crops_at_most <= total


@pytest.mark.parametrize(("crop", "stride"), [(16, 16), (32, 16), (64, 32)])
@pytest.mark.parametrize("tau", [0.02, 0.05, 0.1, 0.3])
def test_both_bounds_are_the_truth_where_crops_lie_on_the_grid_of_patches(crop, stride, tau):
    pool = {f"t{k}": smooth_sigma(k, 96, 160) for k in range(4)}
    masks = MaskSettings(tau_patch=tau, tau_pixel=0.3, patch_size=16)
    assert all(start % 16 == 0 for start in crop_grid(160, crop=crop, stride=stride))
    answer = what_if(statistics(pool, 16), crops_of(pool, crop, stride, 16), masks)
    total, holding, _ = counted(pool, masks, crop, stride)
    assert answer.crops_at_least == holding == answer.crops_at_most
    assert holding > 0
    assert tau > 0.05 or holding < total


def test_pixels_and_patches_are_those_of_the_retention():
    masks = MaskSettings(tau_patch=0.3, tau_pixel=0.5, patch_size=16)
    pool = statistics(POOL, 16)
    answer = what_if(pool, crops_of(POOL, 32, 16, 16), masks)
    assert answer.pixels == sum(sigma.size for sigma in POOL.values())
    assert answer.patches == sum(-(-s.shape[0] // 16) * -(-s.shape[1] // 16) for s in POOL.values())
    truth = counted(POOL, masks, 32, 16)[2]
    assert answer.trusted_pixels == pytest.approx(truth, rel=5e-3)
    assert answer.kept_patches == sum(
        int(trust(s, masks, patch_range=pool.patch_range(masks.patches)).patch_mask.sum())
        for s in POOL.values()
    )


def test_an_epoch_takes_the_time_of_its_crops_once_a_run_has_said_how_long_one_takes():
    masks = MaskSettings(tau_patch=1.0, tau_pixel=1.0, patch_size=16)
    pool, crops = statistics(POOL, 16), crops_of(POOL, 32, 16, 16)
    assert what_if(pool, crops, masks).epoch_seconds is None
    timed = what_if(pool, crops, masks, seconds_per_crop=0.5)
    assert timed.crops_at_least == timed.crops_at_most == timed.crops == len(crops)
    assert timed.epoch_seconds == len(crops) / 2
    # An epoch that ends sooner takes no longer than what it draws.
    capped = what_if(pool, crops, masks, seconds_per_crop=0.5, most_crops=6)
    assert capped.epoch_seconds == 3
    assert what_if(pool, crops, masks, seconds_per_crop=0.5, most_crops=10**6) == timed


def test_a_scene_smaller_than_a_crop_and_one_of_a_single_pixel_have_none():
    pool = {"dot": np.full((1, 1), 0.1, np.float32), "big": smooth_sigma(1, 64, 64)}
    answer = what_if(statistics(pool, 64), crops_of(pool, 64, 32, 64), MaskSettings(tau_patch=1))
    assert (answer.crops, answer.crops_at_least, answer.crops_at_most) == (1, 1, 1)
    alone = {"dot": pool["dot"]}
    dot = what_if(statistics(alone, 64), crops_of(alone, 1, 1, 64), MaskSettings())
    assert (dot.crops, dot.crops_at_least, dot.trusted_pixels) == (1, 1, 1)


def test_an_empty_pool_has_nothing_to_draw():
    answer = what_if(PoolStatistics({}), CropsOfPool({}, crop=8, stride=8), MaskSettings())
    assert (answer.pixels, answer.patches, answer.crops, answer.crops_at_most) == (0, 0, 0, 0)


def test_crops_of_another_pool_are_refused():
    pool = statistics(POOL, 16)
    fewer = {name: POOL[name] for name in ("s0", "s1")}
    with pytest.raises(ValueError, match="another pool"):
        what_if(pool, crops_of(fewer, 32, 16, 16), MaskSettings(patch_size=16))
    with pytest.raises(ValueError, match="another pool"):
        what_if(pool, crops_of(POOL, 32, 16, 64), MaskSettings(patch_size=16))
