"""The pool's figures come quickly and are those of counting every pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.masking import Level, MaskSettings, span, trust
from smarthdr_studio.core.retention import PoolStatistics
from smarthdr_studio.core.statistics import SceneStatistics


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
    st.sampled_from(["minmax", "percentile"]),
)
@settings(max_examples=40, deadline=None)
def test_the_quick_count_is_the_slow_count(
    tau_patch, tau_pixel, patch_scope, pixel_scope, normalisation
):
    masks = MaskSettings(
        tau_patch=tau_patch,
        tau_pixel=tau_pixel,
        patches=Level(scope=patch_scope, normalisation=normalisation),
        pixels=Level(scope=pixel_scope, normalisation="minmax"),
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


def test_statistics_survive_the_disk_and_damage_is_told(tmp_path):
    path = tmp_path / "scene.npz"
    before = SceneStatistics.of(SIGMAS["scene1"])
    before.save(path)
    after = SceneStatistics.load(path)
    assert np.array_equal(before.counts, after.counts)
    assert after.sigma_mean == pytest.approx(float(SIGMAS["scene1"].mean()), rel=1e-5)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(LabelError, match="label the scene anew"):
        SceneStatistics.load(path)
