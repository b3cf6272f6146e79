"""Crops lie on the grid, come in passes, and carry their own piece of everything."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from smarthdr_studio.core.errors import PlanError
from smarthdr_studio.core.imaging.bracket import FrameStore
from smarthdr_studio.core.imaging.radiometry import linear_radiance, unit_ldr
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.plan_sections import BatchPlan
from smarthdr_studio.core.training.round_files import SceneLabel, write_round
from smarthdr_studio.core.trust.thresholds import crop_grid
from smarthdr_studio.learning.augmentation import strong_augmentation
from smarthdr_studio.learning.crops import CropSet, CropView, SceneCache, crop_windows
from smarthdr_studio.learning.pseudo_labelling import open_round

PLAN = BatchPlan(crop=32, stride=16, labelled=2, unlabelled=2)


@pytest.fixture
def scenes(project):
    with Project.open(project) as opened:
        return [opened.scene(name) for name in ("u", "v")]


@pytest.fixture
def store():
    return FrameStore()


def _labels(scenes, store, *, masks=(None, None)) -> dict[str, SceneLabel]:
    return {
        scene.id: SceneLabel(hdr=store.ground_truth(scene), trusted=mask)
        for scene, mask in zip(scenes, masks, strict=True)
    }


def _crops(scenes, store, labels, *, draw=CropView, seed=0) -> CropSet:
    return CropSet(
        scenes,
        labels=labels,
        stock=SceneCache(store, device=torch.device("cpu")),
        plan=PLAN,
        draw=draw,
        generator=torch.Generator().manual_seed(seed),
    )


def test_a_kalantari_scene_has_308_crops_from_border_to_border():
    rows, columns = crop_grid(1000, crop=128, stride=64), crop_grid(1500, crop=128, stride=64)
    assert len(rows) * len(columns) == 308
    assert (rows[0], rows[-1], columns[-1]) == (0, 1000 - 128, 1500 - 128)


@pytest.mark.parametrize("length", [32, 33, 47, 48, 64, 72, 96, 131])
def test_every_pixel_lies_in_some_crop(length):
    seen = np.zeros(length, dtype=bool)
    for start in crop_grid(length, crop=32, stride=16):
        seen[start : start + 32] = True
    assert seen.all()
    assert seen.shape == (length,)


def test_a_scene_smaller_than_a_crop_is_refused_with_the_remedy(scenes):
    with pytest.raises(PlanError, match=r"batch\.crop is 128, but scene u is only 96×72"):
        crop_windows(scenes, plan=BatchPlan(crop=128))


def test_one_pass_gives_every_crop_once_and_the_next_begins_anew(scenes, store):
    crops = _crops(scenes, store, _labels(scenes, store))
    total = len(crops)
    assert total == 2 * 3 * 5
    first = [crops._take() for _ in range(total)]
    second = [crops._take() for _ in range(total)]
    assert set(first) == set(second) == set(crops.windows)
    assert first != second


def test_crops_without_a_trusted_pixel_are_skipped(scenes, store):
    mask = np.zeros((72, 96), dtype=bool)
    mask[0, 0] = True
    crops = _crops(scenes, store, _labels(scenes, store, masks=(mask, ~mask & False)))
    assert [(w.scene, w.top, w.left) for w in crops.windows] == [(0, 0, 0)]
    assert crops.batch(4).target.trusted.sum() == 4


def test_a_batch_is_the_formula_of_radiance_beside_the_camera_values(scenes, store):
    labels = _labels(scenes, store)
    crops = _crops(scenes[:1], store, labels)
    batch = crops.batch(len(crops))
    bracket = store.bracket(scenes[0])
    order = crops.state()["order"].tolist()
    window = crops.windows[order[0]]
    place = slice(window.top, window.top + 32), slice(window.left, window.left + 32)
    for frame, given, stops in zip(bracket.frames, batch.frames, bracket.stops, strict=True):
        ldr = unit_ldr(frame[place])
        np.testing.assert_allclose(given[0, 3:].permute(1, 2, 0), ldr, atol=1e-6)
        radiance = linear_radiance(ldr, stops=stops)
        np.testing.assert_allclose(given[0, :3].permute(1, 2, 0), radiance, atol=1e-6)
    np.testing.assert_array_equal(
        batch.target.hdr[0].permute(1, 2, 0), labels["u"].hdr[place].astype(np.float32)
    )


def test_strong_augmentation_moves_image_label_sigma_and_masks_alike(scenes, store):
    # The reference frame itself serves as label, σ and mask: whatever the draw, they must agree.
    labels = {}
    for scene in scenes:
        ldr = unit_ldr(store.bracket(scene).reference)
        labels[scene.id] = SceneLabel(
            hdr=ldr.astype(np.float16),
            sigma=ldr.max(2).astype(np.float16),
            trusted=ldr.max(2).astype(np.float16) > 0.5,
        )
    generator = torch.Generator().manual_seed(1)
    crops = _crops(scenes, store, labels, draw=lambda: CropView(strong_augmentation(generator)))
    batch = crops.batch(24)
    image = batch.frames[1][:, 3:]
    assert torch.equal(image.half().float(), batch.target.hdr)
    brightest = image.amax(1, keepdim=True).half().float()
    assert torch.equal(brightest, batch.sigma)
    assert torch.equal(brightest > 0.5, batch.target.trusted)


def test_a_ground_truth_is_certain_and_trusted_everywhere(scenes, store):
    batch = _crops(scenes, store, _labels(scenes, store)).batch(3)
    assert batch.target.trusted.all()
    assert batch.sigma.abs().max() == 0


def test_a_saved_pass_goes_on_in_its_middle(scenes, store):
    labels = _labels(scenes, store)
    first = _crops(scenes, store, labels, seed=3)
    first.batch(7)
    state, drawn = first.state(), torch.Generator()
    drawn.set_state(first._generator.get_state())
    expected = [first._take() for _ in range(60)]
    second = _crops(scenes, store, labels)
    second._generator = drawn
    second.restore(state)
    assert [second._take() for _ in range(60)] == expected


def test_a_round_on_disk_gives_back_every_bit(scenes, tmp_path):
    generator = np.random.default_rng(0)
    labels = {
        scene.id: SceneLabel(
            hdr=generator.random((7, 5, 3)).astype(np.float16),
            sigma=generator.random((7, 5)).astype(np.float16),
            trusted=generator.random((7, 5)) > 0.5,
        )
        for scene in scenes
    }
    write_round(tmp_path / "rounds" / "0001.safetensors", labels)
    found = open_round(tmp_path / "rounds" / "0001.safetensors")
    assert set(found) == {"u", "v"}
    for name, label in labels.items():
        for part in ("hdr", "sigma", "trusted"):
            saved, wanted = getattr(found[name], part), getattr(label, part)
            assert saved.dtype == wanted.dtype
            np.testing.assert_array_equal(saved, wanted)


def test_every_batch_has_weights_where_any_scene_has(scenes, store):
    # Processes draw different crops of the same scenes, and add up how many pixels count.
    weighed, plain = scenes
    labels = _labels(scenes, store)
    weight = np.full((weighed.height, weighed.width), 0.5, np.float16)
    labels[weighed.id] = replace(labels[weighed.id], weight=weight)
    crops = _crops(scenes, store, labels)
    seen = {}
    for _ in range(len(crops)):
        target = crops.batch(1).target
        (place,) = crops.places
        assert target.counted.dtype == torch.float32
        seen.setdefault(place["scene"], set()).add(target.counted.item())
    assert seen == {weighed.id: {0.5 * 32 * 32}, plain.id: {32 * 32}}
    assert _crops([plain], store, labels).batch(1).target.weight is None
