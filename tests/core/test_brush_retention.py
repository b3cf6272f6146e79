"""With a brush, too, the pool's figures are those of counting every pixel."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smarthdr_studio.core.errors import LabelError
from smarthdr_studio.core.imaging.image_files import write_layers
from smarthdr_studio.core.training.rounds import pool_trust
from smarthdr_studio.core.trust.brush import Dabs, Ink, apply
from smarthdr_studio.core.trust.masking import Level, MaskSettings, pool_ranges, trust
from smarthdr_studio.core.trust.patch_statistics import PaintedStatistics, SceneStatistics
from smarthdr_studio.core.trust.pool import PoolStatistics

SIZE = 32


def heavy_tailed(seed: int, height: int, width: int) -> np.ndarray:
    """σ as it looks in practice: median 0.01, a few regions far above."""
    rng = np.random.default_rng(seed)
    field = np.exp(rng.normal(-4.6, 0.35, (height, width)))
    field[height // 3 : height // 2, width // 4 : width // 2] *= rng.uniform(2, 6)
    return np.clip(field, 1e-3, 1).astype(np.float32)


SIGMAS = {f"scene{k}": heavy_tailed(k, 90 + 11 * k, 128 - 13 * k) for k in range(4)}
SCENES = {name: SceneStatistics.of(sigma, size=SIZE) for name, sigma in SIGMAS.items()}

levels = st.builds(
    Level,
    scope=st.sampled_from(["pool", "scene"]),
    normalisation=st.sampled_from(["minmax", "percentile"]),
)
taus = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1))
asked = st.builds(
    MaskSettings,
    tau_patch=taus,
    tau_pixel=taus,
    patch_size=st.just(SIZE),
    patches=levels,
    pixels=levels.map(lambda level: replace(level, normalisation="minmax")),
)


@st.composite
def brushes(draw) -> dict[str, np.ndarray]:
    """What a person painted on some of the scenes: strokes, whole patches, everything, specks."""
    found = {}
    for name in draw(st.sets(st.sampled_from(sorted(SIGMAS)))):
        height, width = SIGMAS[name].shape
        mask = np.zeros((height, width), np.int8)
        kind = draw(st.sampled_from(["strokes", "patches", "everything", "specks", "nothing"]))
        rng = np.random.default_rng(draw(st.integers(0, 2**16)))
        if kind == "strokes":
            for ink in (Ink.TRUST, Ink.DISTRUST):
                points = tuple(
                    zip(rng.uniform(0, width, 3), rng.uniform(0, height, 3), strict=True)
                )
                dabs = Dabs(points=points, radius=rng.uniform(1, 25), hardness=0.5, ink=ink)
                mask = apply(dabs, mask, height=height, width=width)
        elif kind == "patches":
            grid = rng.integers(-1, 2, (-(-height // SIZE), -(-width // SIZE)))
            mask[:] = np.kron(grid, np.ones((SIZE, SIZE), int))[:height, :width]
        elif kind == "everything":
            mask[:] = rng.choice([-1, 1])
        elif kind == "specks":
            mask[rng.random((height, width)) < 0.05] = rng.choice([-1, 1])
        found[name] = mask
    return found


def counted(manual_masks) -> dict[str, PaintedStatistics]:
    return {n: PaintedStatistics.of(SIGMAS[n], mask, size=SIZE) for n, mask in manual_masks.items()}


def answers(masks: MaskSettings, manual_masks):
    """Trust of every scene, counted pixel by pixel."""
    patch_range, pixel_range = pool_ranges(list(SIGMAS.values()), masks)
    return {
        name: trust(
            sigma,
            masks,
            patch_range=patch_range,
            pixel_range=pixel_range,
            person=manual_masks.get(name),
        )
        for name, sigma in SIGMAS.items()
    }


@given(asked, brushes())
@settings(max_examples=80)
def test_the_quick_count_with_a_brush_is_the_slow_count(masks, manual_masks):
    pool = PoolStatistics(SCENES, counted(manual_masks))
    quick, slow = pool.retention(masks), answers(masks, manual_masks)
    shares = {name: float(answer.trusted.mean()) for name, answer in slow.items()}
    assert {n: s.retained for n, s in quick.scenes.items()} == pytest.approx(shares, abs=5e-3)
    pixels = sum(int(answer.trusted.sum()) for answer in slow.values())
    assert quick.retained == pytest.approx(pixels / pool.pixels, abs=2e-3)
    assert quick.patches_retained == PoolStatistics(SCENES).retention(masks).patches_retained
    flags = [
        answer.trusted[y : y + SIZE, x : x + SIZE].any()
        for answer in slow.values()
        for y in range(0, answer.trusted.shape[0], SIZE)
        for x in range(0, answer.trusted.shape[1], SIZE)
    ]
    assert pool.trusted_patches(masks).tolist() == flags


@given(asked, brushes())
@settings(max_examples=30)
def test_a_scene_painted_all_over_is_counted_exactly_and_an_unpainted_one_as_before(
    masks, manual_masks
):
    plain = PoolStatistics(SCENES).retention(masks)
    found = PoolStatistics(SCENES, counted(manual_masks)).retention(masks)
    for name, share in found.scenes.items():
        mask = manual_masks.get(name, np.zeros(1))
        if mask.all():
            assert share.retained == (mask > 0).mean()
        if not mask.any():
            assert share == plain.scenes[name]
    assert (found.patch_range, found.pixel_range) == (plain.patch_range, plain.pixel_range)


@given(asked, brushes())
@settings(max_examples=20)
def test_the_map_of_shares_counts_the_brush(masks, manual_masks):
    pool = PoolStatistics(SCENES, counted(manual_masks))
    grid = pool.retention_map(masks, steps=3)
    single = pool.retention(replace(masks, tau_patch=0.5, tau_pixel=0.0)).retained
    assert grid[1, 0] == pytest.approx(single, abs=1e-9)
    distrusted = sum(int((mask < 0).sum()) for mask in manual_masks.values())
    assert grid[-1, -1] == pytest.approx(1 - distrusted / pool.pixels, abs=1e-12)
    assert (np.diff(grid, axis=1) >= -1e-12).all()


@given(asked, brushes())
@settings(max_examples=30)
def test_scenes_outside_the_pool_have_their_brush_counted(masks, manual_masks):
    inside = {name: SCENES[name] for name in ("scene0", "scene1")}
    pool, outside = PoolStatistics(inside), {n: SCENES[n] for n in ("scene2", "scene3")}
    ranges = pool.retention(masks)
    slow = {
        name: trust(
            SIGMAS[name],
            masks,
            patch_range=ranges.patch_range,
            pixel_range=ranges.pixel_range,
            person=manual_masks.get(name),
        ).trusted.mean()
        for name in outside
    }
    found = pool.shares_outside(outside, masks, painted=counted(manual_masks))
    assert found == pytest.approx(slow, abs=5e-3)


def test_percentiles_of_pixels_do_not_look_at_the_brush():
    masks = MaskSettings(patch_size=SIZE, pixels=Level(scope="scene", normalisation="percentile"))
    person = np.zeros(SIGMAS["scene1"].shape, np.int8)
    person[20:60, 10:70], person[70:, :40] = 1, -1
    slow = answers(masks, {"scene1": person})["scene1"].trusted.mean()
    found = PoolStatistics(SCENES, counted({"scene1": person})).retention(masks)
    assert found.scenes["scene1"].retained == pytest.approx(slow, abs=5e-3)


def test_a_constant_scene_can_be_painted():
    sigma = np.full((40, 70), 0.1, np.float32)
    person = np.zeros((40, 70), np.int8)
    person[:10], person[10:13] = 1, -1
    painted = {"flat": PaintedStatistics.of(sigma, person), "elsewhere": None}
    found = PoolStatistics({"flat": SceneStatistics.of(sigma)}, painted).retention(MaskSettings())
    assert found.retained == 37 / 40


def test_histograms_of_unlike_fineness_agree_on_the_coarsest():
    person = np.zeros(SIGMAS["scene1"].shape, np.int8)
    person[5:50, 5:50] = -1
    mixed = {n: s.coarser(32) if n == "scene0" else s for n, s in SCENES.items()}
    found = PoolStatistics(mixed, counted({"scene1": person})).retention(MaskSettings())
    coarse = {n: s.coarser(32) for n, s in SCENES.items()}
    painted = {n: p.coarser(32) for n, p in counted({"scene1": person}).items()}
    assert PoolStatistics(coarse, painted).retention(MaskSettings()) == found
    with pytest.raises(ValueError, match="32 bins cannot be made 5"):
        painted["scene1"].coarser(5)


def test_a_brush_counted_in_other_patches_is_refused():
    person = np.ones(SIGMAS["scene1"].shape, np.int8)
    painted = {"scene1": PaintedStatistics.of(SIGMAS["scene1"], person, size=16)}
    with pytest.raises(ValueError, match="other patches than its scene"):
        PoolStatistics(SCENES, painted)
    with pytest.raises(ValueError, match="does not fit"):
        PaintedStatistics.of(SIGMAS["scene0"], person)


def test_statistics_of_a_brush_survive_the_cache_and_damage_is_told():
    person = np.zeros(SIGMAS["scene1"].shape, np.int8)
    person[5:50, 5:50], person[80:90] = -1, 1
    before = counted({"scene1": person})["scene1"]
    assert before.trusted_pixels == (person > 0).sum()
    assert before.distrust.sum() == (person < 0).sum()
    after = PaintedStatistics.unpacked(before.packed())
    assert after.patch_size == SIZE
    for name in ("patches", "trust", "distrust", "lows"):
        assert np.array_equal(getattr(before, name), getattr(after, name))
    for damaged in (b"", b"nothing", before.packed()[:-40]):
        with pytest.raises(ValueError, match="cannot be read"):
            PaintedStatistics.unpacked(damaged)


@given(masks=asked, manual_masks=brushes())
@settings(max_examples=10)
def test_the_exact_count_of_files_takes_the_brush_of_the_project(
    tmp_path_factory, masks, manual_masks
):
    folder = tmp_path_factory.mktemp("pool")
    files = {name: folder / f"{name}.exr" for name in SIGMAS}
    for name, path in files.items():
        write_layers(path, {"uncertainty.Y": SIGMAS[name]}, header={})
    found = pool_trust(files, masks, manual_masks=manual_masks.get)
    slow = answers(masks, manual_masks)
    assert {scene.id: scene.retained for scene in found.scenes} == {
        name: answer.trusted.mean() for name, answer in slow.items()
    }


def test_a_brush_of_another_size_than_the_file_is_told(tmp_path):
    path = tmp_path / "a.exr"
    write_layers(path, {"uncertainty.Y": SIGMAS["scene0"]}, header={})
    with pytest.raises(LabelError, match="128×90 pixels, but what was painted on a has 4×3"):
        pool_trust({"a": path}, MaskSettings(), manual_masks=lambda _: np.ones((3, 4), np.int8))
