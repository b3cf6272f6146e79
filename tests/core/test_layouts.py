import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.errors import BadDataset
from smarthdr_studio.core.imaging.bracket import Scene, decode_ground_truth
from smarthdr_studio.core.imaging.image_files import (
    write_frame_tiff,
    write_radiance_exr,
    write_radiance_hdr,
)

REAL = Path(
    os.environ.get("SMARTHDR_REAL_DATA", Path(__file__).parents[2].parent / "shared" / "real")
)
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real photographs at {REAL}")

HEIGHT, WIDTH = 16, 24


def truth():
    return np.random.default_rng(5).uniform(0.001, 1, (HEIGHT, WIDTH, 3)).astype(np.float32)


def frame_at(ev, *, bits=16):
    ldr = np.clip(truth() / 16 * 2.0**ev, 0, 1) ** (1 / 2.2)
    return (ldr * (2**bits - 1)).astype(np.uint16 if bits == 16 else np.uint8)


def put_frame(path, ev):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".tif":
        write_frame_tiff(path, frame_at(ev))
    else:
        cv2.imwrite(str(path), frame_at(ev, bits=8)[..., ::-1])


def put_scene(folder, *, names, exposures="exposure.txt", evs=(0, 2, 4), gt="HDRImg.hdr"):
    for name, ev in zip(names, evs, strict=True):
        put_frame(folder / name, ev - min(evs))
    if exposures:
        (folder / exposures).write_text("\n".join(f"{ev:.1f}" for ev in evs) + "\n")
    if gt:
        write_radiance_hdr(folder / gt, truth())


INPUTS = ("input_1.tif", "input_2.tif", "input_3.tif")
ALIGNED = ("input_1_aligned.tif", "input_2_aligned.tif", "input_3_aligned.tif")
PHOTOS = ("262A0898.tif", "262A0899.tif", "262A0900.tif")


def by_id(catalogue):
    return {scene.id: scene for scene in catalogue.scenes}


def names(scene):
    return [path.name for path in scene.frames]


def test_kalantari_training_and_test_scenes(tmp_path):
    for place in ("Training/001", "Training/002", "Test/003", "Test/EXTRA/001", "Test/PAPER/Bar"):
        put_scene(tmp_path / place, names=PHOTOS)
    catalogue = find_scenes(tmp_path)
    assert catalogue.skipped == ()
    scenes = by_id(catalogue)
    assert list(scenes) == ["001", "002", "Test-003", "Test-EXTRA-001", "Test-PAPER-Bar"]
    assert [scene.split for scene in scenes.values()] == ["train"] * 2 + ["test"] * 3
    first = scenes["001"]
    assert (names(first), first.evs) == (list(PHOTOS), (0, 2, 4))
    assert (first.height, first.width, first.layout) == (HEIGHT, WIDTH, "kalantari")
    assert first.ground_truth == tmp_path / "Training/001/HDRImg.hdr"


def test_the_wu_repack_uses_the_inputs_and_not_the_static_references(tmp_path):
    put_scene(tmp_path / "001", names=ALIGNED, exposures="input_exp.txt", gt="ref_hdr_aligned.hdr")
    for k in (1, 2, 3):
        put_frame(tmp_path / "001" / f"ref_{k}_aligned.tif", k)
    (tmp_path / "001" / "ref_exp.txt").write_text("9 8 7")
    (scene,) = find_scenes(tmp_path).scenes
    assert names(scene) == list(ALIGNED)
    assert (scene.id, scene.split, scene.layout) == ("001", "train", "kalantari-wu")
    assert scene.evs == (0, 2, 4)


def test_hu_is_split_by_number_even_where_a_ground_truth_is_missing(tmp_path):
    for number, gt in (("085", "ref_hdr_aligned_linear.hdr"), ("086", None), ("100", None)):
        put_scene(
            tmp_path / number, names=ALIGNED, exposures="input_exp.txt", evs=(-2, 0, 2), gt=gt
        )
    scenes = by_id(find_scenes(tmp_path))
    assert {key: scene.split for key, scene in scenes.items()} == {
        "085": "train", "086": "test", "100": "test",
    }  # fmt: skip
    assert {scene.layout for scene in scenes.values()} == {"hu"}
    assert scenes["085"].evs == (-2, 0, 2)
    assert scenes["085"].stops == (0, 2, 4)


def test_hu_samples_count_from_zero_and_are_png(tmp_path):
    samples = tuple(f"input_{k}_aligned.png" for k in range(3))
    put_scene(tmp_path / "001", names=samples, exposures="input_exp.txt", evs=(-2, 0, 2), gt=None)
    (scene,) = find_scenes(tmp_path).scenes
    assert (names(scene), scene.layout) == (list(samples), "hu")


def test_tel_scenes_keep_their_names(tmp_path):
    for k in (1, 2, 3):
        put_scene(tmp_path / "Training" / f"scene_0001_{k}", names=INPUTS)
    catalogue = find_scenes(tmp_path)
    assert list(by_id(catalogue)) == ["scene_0001_1", "scene_0001_2", "scene_0001_3"]
    assert catalogue.scenes[0].layout == "tel"


@pytest.mark.parametrize("every_exposure", [True, False])
def test_a_challenge_scene_spans_three_folders(tmp_path, every_exposure):
    for k in (1, 2, 3):
        folder = tmp_path / "Test" / f"007_{k}"
        for j in (1, 2, 3) if every_exposure else (k,):
            put_frame(folder / f"ldr_img_{j}.tif", 2 * (j - 1))
        if every_exposure or k == 2:
            (folder / "exposure.txt").write_text("0\n2\n4\n")
            write_radiance_hdr(folder / "hdr_img.hdr", truth())
    (scene,) = find_scenes(tmp_path).scenes
    assert (scene.id, scene.split, scene.layout) == ("Test-007", "test", "challenge123")
    home = tmp_path / "Test"
    assert scene.frames == tuple(home / f"007_{k}" / f"ldr_img_{k}.tif" for k in (1, 2, 3))
    assert scene.ground_truth == home / "007_2" / "hdr_img.hdr"


@pytest.mark.parametrize("stem", ["input_ghosted_{}.tif", "img{}.tif"])
def test_prabhakar_scenes_keep_their_moving_frames_in_ghosted(tmp_path, stem):
    ghosted = tuple(stem.format(k) for k in (1, 2, 3))
    put_scene(tmp_path / "Scene A" / "ghosted", names=ghosted, exposures=None, gt=None)
    (tmp_path / "Scene A" / "ExpoBias.txt").write_text("-2 0 2")
    write_radiance_hdr(tmp_path / "Scene A" / "GT_HDR.hdr", truth())
    (scene,) = find_scenes(tmp_path).scenes
    assert (scene.id, names(scene), scene.evs) == ("Scene_A", list(ghosted), (-2, 0, 2))
    assert scene.ground_truth is not None


def test_the_prabhakar_repack_is_split_by_its_names(tmp_path):
    ghosted = tuple(f"input_ghosted_{k}.tif" for k in (1, 2, 3))
    put_scene(tmp_path / "Train_set_001", names=ghosted)
    put_scene(tmp_path / "Test_set_001", names=ghosted)
    scenes = by_id(find_scenes(tmp_path))
    assert {key: (each.split, each.layout) for key, each in scenes.items()} == {
        "Test_set_001": ("test", "prabhakar"),
        "Train_set_001": ("train", "prabhakar"),
    }


@pytest.mark.parametrize("flat", [True, False])
def test_an_ntire_ground_truth_is_the_medium_frame_unclipped_and_coded(tmp_path, flat):
    prefix = "0001_" if flat else "0001/"
    for k, word in enumerate(("short", "medium", "long") if flat else ("0", "1", "2")):
        put_frame(tmp_path / f"{prefix}{word}.png", 2 * k)
    radiance = truth() / 16  # of the medium frame it is four times as much
    coded = (4 * radiance) ** (1 / 2.24)
    ratio = 65535 / (1.25 * coded.max())
    stored = np.round(coded * ratio).astype(np.uint16)
    cv2.imwrite(str(tmp_path / f"{prefix}gt.png"), stored[..., ::-1])
    np.save(tmp_path / f"{prefix}exposures.npy", np.array([-3.0, -1.0, 1.0]))
    np.save(tmp_path / f"{prefix}alignratio.npy", np.array([ratio]))
    (scene,) = find_scenes(tmp_path).scenes
    assert (scene.id, scene.layout, scene.evs) == ("0001", "ntire", (-3, -1, 1))
    np.testing.assert_allclose(decode_ground_truth(scene), radiance, rtol=2e-3)


def test_any_folder_is_a_scene_with_an_exr_beside(tmp_path):
    put_scene(tmp_path / "kitchen", names=("a.jpg", "b.jpg", "c.jpg"), exposures="ev.txt", gt=None)
    write_radiance_exr(tmp_path / "kitchen" / "merged.exr", truth())
    (tmp_path / "kitchen" / "notes.txt").write_text("a rainy day")
    (tmp_path / "kitchen" / "preview.png").write_bytes(b"whatever")
    (scene,) = find_scenes(tmp_path).scenes
    assert (scene.id, scene.layout) == ("kitchen", "folder")
    assert scene.ground_truth == tmp_path / "kitchen" / "merged.exr"


def test_a_scene_folder_is_a_dataset_of_one(tmp_path):
    put_scene(tmp_path / "Test" / "my scene", names=PHOTOS)
    (scene,) = find_scenes(tmp_path / "Test" / "my scene").scenes
    assert (scene.id, scene.split) == ("my_scene", "train")


def test_the_order_of_names_may_run_from_bright_to_dark(tmp_path):
    put_scene(tmp_path / "a", names=PHOTOS, evs=(4, 2, 0))
    (scene,) = find_scenes(tmp_path).scenes
    assert scene.evs == (0, 2, 4)
    assert names(scene) == list(reversed(PHOTOS))


def test_scenes_come_in_the_order_people_count(tmp_path):
    for name in ("scene 10", "scene 9", "Scene 1"):
        put_scene(tmp_path / name, names=INPUTS)
    assert list(by_id(find_scenes(tmp_path))) == ["Scene_1", "scene_9", "scene_10"]


def test_ids_never_collide_even_where_a_disk_ignores_case(tmp_path):
    for place in ("Training/001", "001", "A/b", "a-B"):
        put_scene(tmp_path / place, names=INPUTS)
    ids = [scene.id.casefold() for scene in find_scenes(tmp_path).scenes]
    assert len(set(ids)) == 4


def test_finding_scenes_writes_nothing(tmp_path):
    put_scene(tmp_path / "a", names=INPUTS)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    find_scenes(tmp_path)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}


def test_progress_is_told_and_can_stop_the_search(tmp_path):
    for name in "abc":
        put_scene(tmp_path / name, names=INPUTS)
    told = []
    find_scenes(tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_scenes(tmp_path, progress=stop)


def test_an_empty_or_missing_dataset_says_what_to_give(tmp_path):
    (tmp_path / "file").write_text("")
    for path, told in (
        (tmp_path, "no scene"),
        (tmp_path / "x", "no such"),
        (tmp_path / "file", "is a file"),
    ):
        with pytest.raises(BadDataset, match=told):
            find_scenes(path)


def test_long_names_give_ids_that_leave_room_and_differ(tmp_path):
    long = "n" * 250
    for name in (f"{long}1", f"{long}2", "é" * 120):
        put_scene(tmp_path / "set" / name, names=INPUTS)
    put_scene(tmp_path / "set" / long / long / "deep", names=INPUTS)
    ids = [scene.id for scene in find_scenes(tmp_path / "set").scenes]
    assert len(set(ids)) == 4
    assert all(len(each.encode()) <= 200 for each in ids)
    assert ids == [scene.id for scene in find_scenes(tmp_path / "set").scenes]


@pytest.fixture
def published(tmp_path):
    """A published set: Training with 1 and 2, Test with 8 and 9."""
    root = tmp_path / "set"
    for split, numbers in (("Training", "12"), ("Test", "89")):
        for number in numbers:
            put_scene(root / split / number, names=INPUTS)
    return root


@pytest.mark.parametrize(
    ("place", "target"),
    [
        ("Training/more", "../Test"),  # the other half of the set
        ("Training/8", "../Test/8"),  # one of its scenes
        ("Training/deep/er/8", "../../../Test/8"),
    ],
)
def test_a_link_that_leads_up_makes_no_test_scene_one_to_train_with(published, place, target):
    link = published / place
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)
    splits = {scene.id: scene.split for scene in find_scenes(published / "Training").scenes}
    assert {name: split for name, split in splits.items() if len(name) == 1 and name in "12"} == {
        "1": "train",
        "2": "train",
    }
    others = {name: split for name, split in splits.items() if name not in ("1", "2")}
    assert others
    assert set(others.values()) == {"test"}


def test_a_split_of_links_beside_a_set_keeps_what_the_set_has_for_testing(published, tmp_path):
    for number, home in (("1", "Training"), ("8", "Test")):
        link = tmp_path / "mine" / "all" / number
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(f"../../set/{home}/{number}")
    splits = {scene.id: scene.split for scene in find_scenes(tmp_path / "mine").scenes}
    assert splits == {"all-1": "train", "all-8": "test"}


def test_a_folder_far_around_that_is_called_test_says_nothing(tmp_path):
    put_scene(tmp_path / "test" / "a" / "b" / "set" / "1", names=INPUTS)
    mine = tmp_path / "x" / "y" / "z" / "mine"
    mine.mkdir(parents=True)
    (mine / "1").symlink_to(tmp_path / "test" / "a" / "b" / "set" / "1")
    (scene,) = find_scenes(mine).scenes
    assert scene.split == "train"


@needs_real
def test_a_real_kalantari_scene_opens_by_itself():
    (scene,) = find_scenes(REAL / "kalantari_test_002").scenes
    assert scene == Scene(
        id="kalantari_test_002",
        frames=tuple(REAL / "kalantari_test_002" / name for name in ALIGNED),
        evs=(0, 3, 6),
        height=1000,
        width=1500,
        layout="kalantari-wu",
    )
