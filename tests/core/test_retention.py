"""The pool's figures come quickly and are those of counting every pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.trust import pool as pool_module
from smarthdr_studio.core.trust.masking import Level, MaskSettings, span, trust
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.core.trust.pool import PoolStatistics


def heavy_tailed(seed: int, height: int, width: int) -> np.ndarray:
    """σ as it looks in practice: median 0.01, a few regions far above."""
    rng = np.random.default_rng(seed)
    field = np.exp(rng.normal(-4.6, 0.35, (height, width)))
    field[height // 3 : height // 2, width // 4 : width // 2] *= rng.uniform(2, 6)
    return np.clip(field, 1e-3, 1).astype(np.float32)


SIGMAS = {f"scene{k}": heavy_tailed(k, 200 + 30 * k, 310 - 20 * k) for k in range(5)}


def counted(masks: MaskSettings) -> tuple[float, float, dict[str, float]]:
    """The same figures from the maps themselves."""
    means = {name: SceneStatistics.of(sigma).means for name, sigma in SIGMAS.items()}
    pooled = span(np.concatenate(list(means.values())), masks.patches)
    whole = pooled if masks.patches.scope == "pool" else None
    pixel_range = None
    if masks.pixels.scope == "pool":
        kept = []
        for sigma in SIGMAS.values():
            first = trust(sigma, masks, patch_range=whole)
            rows = np.repeat(np.repeat(first.patch_mask, 64, 0), 64, 1)[
                : sigma.shape[0], : sigma.shape[1]
            ]
            kept.append(sigma[rows])
        pixel_range = span(np.concatenate(kept), masks.pixels)
    answers = {
        name: trust(sigma, masks, patch_range=whole, pixel_range=pixel_range)
        for name, sigma in SIGMAS.items()
    }
    shares = {name: float(answer.trusted.mean()) for name, answer in answers.items()}
    pixels = sum(answer.trusted.sum() for answer in answers.values())
    patches = [answer.patch_mask for answer in answers.values()]
    return (
        pixels / sum(sigma.size for sigma in SIGMAS.values()),
        sum(mask.sum() for mask in patches) / sum(mask.size for mask in patches),
        shares,
    )


@given(
    st.floats(0, 1),
    st.floats(0, 1),
    st.sampled_from(["pool", "scene"]),
    st.sampled_from(["pool", "scene"]),
    st.sampled_from(["minmax", "percentile", "absolute"]),
    st.sampled_from(["minmax", "absolute"]),
)
@settings(max_examples=40)
def test_the_quick_count_is_the_slow_count(
    tau_patch, tau_pixel, patch_scope, pixel_scope, normalisation, of_pixels
):
    masks = MaskSettings(
        tau_patch=tau_patch,
        tau_pixel=tau_pixel,
        patches=Level(scope=patch_scope, normalisation=normalisation),
        pixels=Level(scope=pixel_scope, normalisation=of_pixels),
    )
    quick = PoolStatistics({n: SceneStatistics.of(s) for n, s in SIGMAS.items()}).retention(masks)
    retained, patches, shares = counted(masks)
    assert quick.patches_retained == pytest.approx(patches, abs=1e-12)
    assert quick.retained == pytest.approx(retained, abs=2e-3)
    assert {n: s.retained for n, s in quick.scenes.items()} == pytest.approx(shares, abs=5e-3)


def test_percentiles_of_kept_pixels_come_from_the_histogram():
    masks = MaskSettings(pixels=Level(scope="scene", normalisation="percentile"))
    quick = PoolStatistics({n: SceneStatistics.of(s) for n, s in SIGMAS.items()}).retention(masks)
    assert quick.retained == pytest.approx(counted(masks)[0], abs=5e-3)


def test_the_retention_map_agrees_with_single_questions():
    pool = PoolStatistics({n: SceneStatistics.of(s) for n, s in SIGMAS.items()})
    masks = MaskSettings()
    grid = pool.retention_map(masks, steps=11)
    single = pool.retention(MaskSettings(tau_patch=0.4, tau_pixel=0.2)).retained
    assert grid[4, 2] == pytest.approx(single, abs=1e-9)
    assert grid[-1, -1] == 1.0
    assert (np.diff(grid, axis=1) >= -1e-12).all()


def test_the_range_of_the_pool_is_looked_for_once_for_each_way_of_scoring(monkeypatch):
    scenes = {n: SceneStatistics.of(s) for n, s in SIGMAS.items()}
    pool, looked = PoolStatistics(scenes), []
    monkeypatch.setattr(pool_module, "span", lambda *of: looked.append(of[1]) or span(*of))
    percentiles = Level(normalisation="percentile")
    for tau in (0.2, 0.3):
        pool.retention(MaskSettings(tau_patch=tau))
        pool.retention(MaskSettings(tau_patch=tau, patches=percentiles))
    assert looked == [Level(), percentiles]
    means = np.concatenate([each.means for each in scenes.values()])
    assert pool.patch_range(percentiles) == span(means, percentiles)


def test_histograms_count_every_patch_and_every_kept_pixel():
    pool = PoolStatistics({n: SceneStatistics.of(s) for n, s in SIGMAS.items()})
    masks = MaskSettings(tau_patch=1.0)
    assert pool.patch_histogram(masks).sum() == sum(
        SceneStatistics.of(s).patches for s in SIGMAS.values()
    )
    assert pool.pixel_histogram(masks).sum() == sum(s.size for s in SIGMAS.values())


def test_one_pixel_and_constant_scenes_are_kept_whole():
    pool = PoolStatistics(
        {
            "dot": SceneStatistics.of(np.full((1, 1), 0.1, np.float32)),
            "flat": SceneStatistics.of(np.full((70, 70), 0.1, np.float32)),
        }
    )
    answer = pool.retention(MaskSettings(tau_patch=0.0, tau_pixel=0.0))
    assert (answer.retained, answer.patches_retained) == (1.0, 1.0)


def test_an_empty_pool_retains_nothing_and_says_so_without_failing():
    answer = PoolStatistics({}).retention(MaskSettings())
    assert (answer.retained, answer.patches_retained, dict(answer.scenes)) == (0.0, 0.0, {})


@pytest.mark.parametrize("bins", [1, 32, 128])
def test_coarser_statistics_count_the_same_pixels_in_wider_bins(bins):
    fine = SceneStatistics.of(SIGMAS["scene2"])
    coarse = fine.coarser(bins)
    slow = [fine.counts[:, k * 256 // bins : (k + 1) * 256 // bins].sum(1) for k in range(bins)]
    assert np.array_equal(coarse.counts, np.stack(slow, 1))
    assert (coarse.bins, coarse.pixels, coarse.low) == (bins, fine.pixels, fine.low)
    assert coarse.sigma_mean == fine.sigma_mean


@given(
    st.permutations(sorted(SIGMAS)),
    st.integers(0, 5),
    st.integers(0, 5),
    st.sampled_from([256, 32]),
)
@settings(max_examples=20)
def test_a_pool_made_from_the_one_before_it_answers_like_one_made_anew(order, was, now, bins):
    every = {n: SceneStatistics.of(s) for n, s in SIGMAS.items()}
    before = PoolStatistics({n: every[n] for n in sorted(order[:was])})
    scenes = {n: every[n] for n in order[-now:]} if now else {}
    if scenes:
        last = next(reversed(scenes))
        scenes[last] = scenes[last].coarser(bins)
    masks = MaskSettings(pixels=Level(scope="scene", normalisation="percentile"))
    anew, quick = PoolStatistics(scenes), PoolStatistics(scenes, before=before)
    assert quick.retention(masks) == anew.retention(masks)
    assert np.array_equal(quick.pixel_histogram(masks), anew.pixel_histogram(masks))


def test_bins_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="256 bins cannot be made 100"):
        SceneStatistics.of(SIGMAS["scene0"]).coarser(100)
    with pytest.raises(ValueError, match="choose a divisor"):
        SceneStatistics.of(SIGMAS["scene0"]).coarser(16).coarser(32)


def test_a_pool_of_unlike_histograms_reads_them_all_as_the_coarsest():
    fine = {n: SceneStatistics.of(s) for n, s in SIGMAS.items()}
    mixed = {n: s.coarser(32) if n == "scene1" else s for n, s in fine.items()}
    coarse = {n: s.coarser(32) for n, s in fine.items()}
    masks = MaskSettings(pixels=Level(scope="scene", normalisation="percentile"))
    assert PoolStatistics(mixed).retention(masks) == PoolStatistics(coarse).retention(masks)
    found = PoolStatistics(mixed).retention(MaskSettings())
    assert found.retained == pytest.approx(counted(MaskSettings())[0], abs=5e-3)
    assert found.patches_retained == pytest.approx(counted(MaskSettings())[1], abs=1e-12)


_LEVELS = [
    Level(scope=scope, normalisation=normalisation)
    for scope in ("pool", "scene")
    for normalisation in ("minmax", "percentile", "absolute")
]


@pytest.mark.parametrize("patches", _LEVELS)
@pytest.mark.parametrize("pixels", _LEVELS)
def test_scenes_outside_the_pool_are_judged_with_its_ranges(patches, pixels):
    masks = MaskSettings(tau_patch=0.5, tau_pixel=0.3, patches=patches, pixels=pixels)
    inside = {n: SceneStatistics.of(s) for n, s in SIGMAS.items() if n < "scene3"}
    pool, maps = PoolStatistics(inside), {n: SIGMAS[n] for n in ("scene3", "scene4")}
    ranges = pool.retention(masks)
    slow = {
        name: trust(
            sigma, masks, patch_range=ranges.patch_range, pixel_range=ranges.pixel_range
        ).trusted.mean()
        for name, sigma in maps.items()
    }
    outside = {name: SceneStatistics.of(sigma) for name, sigma in maps.items()}
    assert pool.shares_outside(outside, masks) == pytest.approx(slow, abs=5e-3)
    assert 0 < min(slow.values()) < 1


def test_without_a_pool_every_scene_is_judged_by_its_own_range():
    masks = MaskSettings()
    found = PoolStatistics({}).shares_outside({"s": SceneStatistics.of(SIGMAS["scene1"])}, masks)
    assert found == pytest.approx({"s": trust(SIGMAS["scene1"], masks).trusted.mean()}, abs=5e-3)


def test_a_scene_less_sure_than_the_whole_pool_keeps_nothing():
    pool = PoolStatistics({n: SceneStatistics.of(s) for n, s in SIGMAS.items()})
    wild = {"wild": SceneStatistics.of(SIGMAS["scene1"] * 100)}
    assert pool.shares_outside(wild, MaskSettings()) == {"wild": 0.0}
    assert pool.shares_outside(wild, MaskSettings(tau_patch=1, tau_pixel=1)) == {"wild": 1.0}


@pytest.mark.parametrize("patches", _LEVELS)
@pytest.mark.parametrize("scope", ["pool", "scene"])
@pytest.mark.parametrize("tau", [0.0, 0.2, 1.0])
def test_a_patch_is_trusted_where_one_of_its_pixels_is(patches, scope, tau):
    masks = MaskSettings(tau_patch=0.4, tau_pixel=tau, patches=patches, pixels=Level(scope=scope))
    pool = PoolStatistics({n: SceneStatistics.of(s) for n, s in SIGMAS.items()})
    ranges = pool.retention(masks)
    slow = []
    for sigma in SIGMAS.values():
        found = trust(sigma, masks, patch_range=ranges.patch_range, pixel_range=ranges.pixel_range)
        rows, columns = found.patch_mask.shape
        slow += [
            found.trusted[64 * r : 64 * r + 64, 64 * c : 64 * c + 64].any()
            for r in range(rows)
            for c in range(columns)
        ]
    assert pool.trusted_patches(masks).tolist() == slow
    assert any(slow)


def test_statistics_survive_the_disk_and_damage_is_told(tmp_path):
    path = tmp_path / "scene.npz"
    before = SceneStatistics.of(SIGMAS["scene1"])
    before.coarser(32).save(path)
    assert np.array_equal(SceneStatistics.load(path).counts, before.coarser(32).counts)
    before.save(path)
    after = SceneStatistics.load(path)
    assert np.array_equal(before.counts, after.counts)
    assert after.sigma_mean == pytest.approx(float(SIGMAS["scene1"].mean()), rel=1e-5)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(LabelError, match="label the scene anew"):
        SceneStatistics.load(path)
