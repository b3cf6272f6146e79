"""Thresholds drawn from labels, exposure and running scores are those of the formulas."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from smarthdr_studio.core.trust.adaptive_thresholds import (
    MOST_LABELS,
    LabelledMaps,
    RunningScores,
    calibration_scale,
    chosen_labels,
    drawn_from_labels,
    exposure_bins,
    kept_error,
    quantile_thresholds,
    risk_thresholds,
    score_moments,
)
from smarthdr_studio.core.trust.masking import (
    ByExposure,
    Level,
    MaskSettings,
    Range,
    SoftWeights,
    masks_as_text,
    masks_from_text,
    patch_means,
    soft_weights,
    trust,
)

SHAPE = (40, 56)
ABSOLUTE = MaskSettings(
    patch_size=8,
    patches=Level(normalisation="absolute"),
    pixels=Level(normalisation="absolute", scope="scene"),
)
POOLED = MaskSettings(patch_size=8)
POOL = Range(0.004, 0.05)


def scene(seed: int, *, worse: float = 1.0, learned: bool = True) -> LabelledMaps:
    """σ with a doubtful corner, and an error that follows it."""
    rng = np.random.default_rng(seed)
    sigma = rng.gamma(4.0, 0.003, SHAPE).astype(np.float32)
    sigma[:16, :24] *= 3
    error = np.abs(rng.normal(0, sigma) * worse).astype(np.float32)
    return LabelledMaps(sigma=sigma, error=error, squares=error**2, learned=learned)


def pool_ranges(masks: MaskSettings) -> tuple[Range | None, Range | None]:
    return (POOL if masks.patches.scope == "pool" else None), None


LABELS = [scene(seed, worse=1 + seed) for seed in range(4)]


def slow_scores(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.clip((values.astype(np.float64) - low) / (high - low), 0, 1)


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("masks", [ABSOLUTE, POOLED])
def test_the_quantile_is_that_of_labelled_scores_with_each_scene_left_out(masks, count):
    labels = LABELS[:count]
    found = quantile_thresholds(labels, masks, ranges=pool_ranges, share=0.85)
    absolute = masks is ABSOLUTE
    low, high = (0.0, 0.1) if absolute else POOL
    pixels = []
    patches = [slow_scores(patch_means(each.sigma, size=8), low, high).ravel() for each in labels]

    def left_out(parts):
        sets = [parts] if len(parts) == 1 else itertools.combinations(parts, len(parts) - 1)
        return min(float(np.quantile(np.concatenate(each), 0.85)) for each in sets)

    assert found.tau_patch == pytest.approx(left_out(patches), rel=1e-5)
    for each, mine in zip(labels, patches, strict=True):
        kept = np.kron((mine <= found.tau_patch).reshape(5, 7), np.ones((8, 8))).astype(bool)
        own = each.sigma[kept]
        ends = (0.0, 0.1) if absolute else (own.min(), own.max())
        pixels.append(slow_scores(own, *ends))
    assert found.tau_pixel == pytest.approx(left_out(pixels), rel=1e-5)
    assert replace(found, tau_patch=masks.tau_patch, tau_pixel=masks.tau_pixel) == masks


def test_one_odd_scene_does_not_decide_a_quantile():
    plain = [scene(seed) for seed in range(5)]
    odd = scene(9).scaled(20.0)
    calm = quantile_thresholds(plain, ABSOLUTE, ranges=pool_ranges, share=0.85)
    with_odd = quantile_thresholds([*plain, odd], ABSOLUTE, ranges=pool_ranges, share=0.85)
    together = np.quantile(np.concatenate([e.sigma.ravel() for e in [*plain, odd]]), 0.85) / 0.1
    assert abs(with_odd.tau_pixel - calm.tau_pixel) < abs(together - calm.tau_pixel) / 2


def slow_risk(labels, masks, tau):
    """The worst mean error of what both gates keep, with each scene left out in turn."""
    sums = []
    for each in labels:
        found = trust(
            each.sigma, replace(masks, tau_patch=tau, tau_pixel=tau), patch_range=POOL
        ).trusted
        sums.append((float(each.error[found].astype(np.float64).sum()), int(found.sum())))
    sets = [sums] if len(sums) == 1 else itertools.combinations(sums, len(sums) - 1)
    risks = []
    for each in sets:
        errors, counts = map(sum, zip(*each, strict=True))
        risks.append(errors / counts if counts else math.inf)
    return max(risks)


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("masks", [ABSOLUTE, POOLED])
@pytest.mark.parametrize("target", [0.012, 0.016, 0.03])
def test_risk_control_takes_the_largest_threshold_within_the_target(masks, count, target):
    labels = LABELS[:count]
    found = risk_thresholds(labels, masks, ranges=pool_ranges, target=target)
    allowed = [k / 100 for k in range(101) if slow_risk(labels, masks, k / 100) <= target]
    assert (found and found.tau_patch) == (max(allowed) if allowed else None)
    if found:
        assert found.tau_patch == found.tau_pixel


def test_a_target_nobody_meets_is_told_and_keeps_the_least():
    drawn = drawn_from_labels("risk", LABELS, POOLED, ranges=pool_ranges, share=0.85, target=1e-9)
    assert (drawn.masks.tau_patch, drawn.masks.tau_pixel) == (0.0, 0.0)
    assert "no τ keeps the error" in drawn.words
    assert "which flatters" in drawn.words  # the teacher has learned from these scenes
    nothing = drawn_from_labels("risk", [], POOLED, ranges=pool_ranges, share=0.85, target=0.1)
    assert nothing.masks == POOLED
    assert "no such scene is labelled" in nothing.words


@pytest.mark.parametrize("method", ["quantile", "risk"])
def test_a_gate_that_is_open_stays_open(method):
    opened = replace(POOLED, tau_patch=1.0)
    drawn = drawn_from_labels(method, LABELS, opened, ranges=pool_ranges, share=0.5, target=0.016)
    assert drawn.masks.tau_patch == 1.0
    assert drawn.masks.tau_pixel < 1.0


def test_kept_and_dropped_errors_are_those_of_the_mask():
    found = kept_error(LABELS, POOLED, ranges=pool_ranges)
    kept = [trust(each.sigma, POOLED, patch_range=POOL).trusted for each in LABELS]
    errors = np.concatenate([each.error.ravel() for each in LABELS])
    mask = np.concatenate([each.ravel() for each in kept])
    assert found.kept == pytest.approx(errors[mask].mean(), rel=1e-5)
    assert found.dropped == pytest.approx(errors[~mask].mean(), rel=1e-5)
    assert found.share == pytest.approx(mask.mean())


def test_held_out_labels_are_asked_where_there_are_any():
    assert chosen_labels(["b", "a"], ["c", "d"]) == ("a", "b")
    assert chosen_labels([], ["d", "c"]) == ("c", "d")
    many = [f"{k:02d}" for k in range(60)]
    assert len(chosen_labels([], many)) == MOST_LABELS
    assert len(set(chosen_labels([], many))) == MOST_LABELS


def test_exposures_are_told_by_the_brightest_channel():
    white = 65535
    reference = np.array(
        [[[0, 0, 0], [0, 0.19, 0.1], [0, 0.21, 0], [0.5, 0.97, 0], [0.1, 0, 0.99]]]
    )
    assert exposure_bins((reference * white).astype(np.uint16)).tolist() == [[0, 0, 1, 1, 2]]


def moments(step: int, value: float) -> RunningScores:
    return RunningScores(
        step=step, mean=value, variance=value / 10, dark=value, mid=value / 2, saturated=value * 2
    )


def test_running_scores_are_those_of_one_update_for_each_step():
    found, before = moments(107, 0.4), moments(100, 0.1)
    slow = {name: getattr(before, name) for name in ("mean", "variance", "dark", "saturated")}
    for _ in range(7):
        slow = {k: 0.9 * v + (1 - 0.9) * getattr(found, k) for k, v in slow.items()}
    after = before.after(found, ema=0.9)
    assert after.step == 107
    assert {k: getattr(after, k) for k in slow} == pytest.approx(slow)


def test_moments_are_those_of_the_kept_scores_by_exposure():
    rng = np.random.default_rng(3)
    maps, kept_all, bins_all = [], [], []
    for each in LABELS:
        found = trust(each.sigma, POOLED, patch_range=POOL)
        exposure = rng.integers(0, 2, SHAPE).astype(np.uint8)  # nothing is saturated
        maps.append((each.sigma, found, exposure))
        inside = np.kron(found.patch_mask, np.ones((8, 8))).astype(bool)
        kept_all.append(slow_scores(each.sigma[inside], *found.pixel_range))
        bins_all.append(exposure[inside])
    values, bins = np.concatenate(kept_all), np.concatenate(bins_all)
    found = score_moments(maps, POOLED, step=5)
    assert (found.mean, found.variance) == pytest.approx((values.mean(), values.var()), rel=1e-4)
    assert found.dark == pytest.approx(values[bins == 0].mean(), rel=1e-5)
    assert found.mid == pytest.approx(values[bins == 1].mean(), rel=1e-5)
    assert found.saturated == pytest.approx(values.mean(), rel=1e-5)


@given(
    st.floats(0, 1),
    st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)),
    st.integers(0, 50),
)
def test_every_exposure_has_its_own_threshold_for_numpy_and_torch_alike(tau, taus, seed):
    rng = np.random.default_rng(seed)
    sigma = rng.gamma(2, 0.01, (17, 13)).astype(np.float32)
    exposure = rng.integers(0, 3, sigma.shape).astype(np.uint8)
    masks = MaskSettings(patch_size=4, tau_patch=tau, tau_exposure=ByExposure(*taus))
    found = trust(sigma, masks, exposure=exposure)
    theirs = trust(torch.from_numpy(sigma), masks, exposure=torch.from_numpy(exposure))
    assert np.array_equal(found.trusted, theirs.trusted.numpy())
    for place, own in enumerate(taus):
        plain = trust(sigma, replace(masks, tau_exposure=None, tau_pixel=own))
        here = exposure == place
        assert np.array_equal(found.trusted[here], plain.trusted[here])
    with pytest.raises(ValueError, match="exposure of every pixel"):
        trust(sigma, masks)


@given(st.floats(0, 1), st.floats(1e-6, 0.2), st.integers(0, 50))
def test_a_weight_is_what_softmatch_says_for_numpy_and_torch_alike(mean, variance, seed):
    rng = np.random.default_rng(seed)
    sigma = rng.gamma(2, 0.01, (17, 13)).astype(np.float32)
    sigma[0, 0] = np.inf
    soft = SoftWeights(mean=mean, variance=variance)
    score = slow_scores(sigma, 0.0, 0.05)
    m, c = 1 - mean, 1 - score
    slow = np.exp(-(np.minimum(c - m, 0) ** 2) * 2**2 / (2 * variance))
    slow[0, 0] = 0
    ours = soft_weights(sigma, Range(0.0, 0.05), soft)
    theirs = soft_weights(torch.from_numpy(sigma), Range(0.0, 0.05), soft).numpy()
    assert ours == pytest.approx(slow, abs=0.51 / 255 + 1e-4)
    assert np.abs(ours - theirs).max() <= 1.01 / 255
    assert np.array_equal(np.rint(ours * 255) / 255, ours.astype(np.float64)) or np.allclose(
        ours * 255, np.rint(ours * 255), atol=1e-4
    )


def test_weights_are_what_is_retained_and_the_brush_wins_over_them():
    sigma = LABELS[0].sigma
    soft = SoftWeights(mean=0.2, variance=0.01)
    masks = replace(POOLED, tau_patch=0.6, soft=soft)
    person = np.zeros(SHAPE, np.int8)
    person[:, :5], person[:, -5:] = 1, -1
    plain, painted = trust(sigma, masks), trust(sigma, masks, person=person)
    kept = np.kron(plain.patch_mask, np.ones((8, 8))).astype(bool)
    weight = np.where(kept, soft_weights(sigma, plain.pixel_range, soft), 0)
    assert np.array_equal(plain.weight, weight)
    assert np.array_equal(plain.trusted, weight > 0)
    assert plain.retained == pytest.approx(weight.mean(), rel=1e-6)
    assert 0 < plain.retained < plain.trusted.mean()
    assert (painted.weight[:, :5] == 1).all()
    assert (painted.weight[:, -5:] == 0).all()
    assert np.array_equal(painted.weight[:, 5:-5], weight[:, 5:-5])


def test_what_stands_in_place_of_a_threshold_reads_back():
    for masks in (
        replace(POOLED, soft=SoftWeights(mean=0.1234567, variance=0.01)),
        replace(POOLED, tau_exposure=ByExposure(0.1, 0.25, 1 / 3)),
    ):
        assert masks_from_text(masks_as_text(masks)) == masks
    for text in ('"soft": {"mean": 0.1, "variance": -1}', '"tau_exposure": [0.1]'):
        with pytest.raises(ValueError, match=r"mask settings|variance"):
            masks_from_text(masks_as_text(POOLED)[:-1] + ", " + text + "}")


def test_a_calibrated_sigma_is_as_large_as_the_error():
    labels = [scene(seed, worse=3.0) for seed in range(3)]
    scale, before = calibration_scale(each.calibration for each in labels)
    slow = np.mean([(e.squares.astype(float) / e.sigma.astype(float) ** 2).mean() for e in labels])
    assert before == pytest.approx(slow, rel=1e-5)
    assert scale == pytest.approx(math.sqrt(slow), rel=1e-5)
    after = calibration_scale(each.scaled(scale).calibration for each in labels)
    assert after == pytest.approx((1.0, 1.0), rel=1e-5)
    assert calibration_scale([]) == (1.0, pytest.approx(math.nan, nan_ok=True))


@pytest.mark.parametrize("normalisation", ["minmax", "percentile", "absolute"])
def test_the_scale_of_sigma_changes_absolute_gates_alone(normalisation):
    level = Level(normalisation=normalisation)
    masks = MaskSettings(patch_size=8, patches=level, pixels=level)
    sigma = LABELS[0].sigma
    same = np.array_equal(trust(sigma, masks).trusted, trust(4 * sigma, masks).trusted)
    assert same is (normalisation != "absolute")
