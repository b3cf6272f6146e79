import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.errors import BadScene, StudioError, UnreadableImage
from smarthdr_studio.core.imaging import bracket as imaging_bracket
from smarthdr_studio.core.imaging.bracket import FrameStore, Scene
from smarthdr_studio.core.imaging.image_files import write_frame_tiff, write_radiance_exr

REAL = Path(
    os.environ.get("SMARTHDR_REAL_DATA", Path(__file__).parents[2].parent / "shared" / "real")
)
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real photographs at {REAL}")

HEIGHT, WIDTH = 12, 20
BRACKET_BYTES = 3 * HEIGHT * WIDTH * 3 * 2


def put_scene(folder, name="a", *, truth=True):
    folder = folder / name
    folder.mkdir()
    paths = tuple(folder / f"{k}.tif" for k in range(3))
    for k, path in enumerate(paths):
        write_frame_tiff(path, np.full((HEIGHT, WIDTH, 3), 1000 * (k + 1), np.uint16))
    radiance = np.linspace(0, 4, HEIGHT * WIDTH * 3, dtype=np.float32).reshape(HEIGHT, WIDTH, 3)
    write_radiance_exr(folder / "gt.exr", radiance)
    return Scene(
        id=name,
        frames=paths,
        evs=(-2, 0, 3),
        height=HEIGHT,
        width=WIDTH,
        ground_truth=folder / "gt.exr" if truth else None,
    )


@pytest.fixture
def decoded(monkeypatch):
    """The ids of the scenes in the order in which they were decoded."""
    ids = []
    real = imaging_bracket.decode_bracket

    def counting(scene):
        ids.append(scene.id)
        return real(scene)

    monkeypatch.setattr(imaging_bracket, "decode_bracket", counting)
    return ids


def test_a_bracket_is_under_reference_over_with_its_stops(tmp_path):
    bracket = FrameStore().bracket(put_scene(tmp_path))
    assert [int(each[0, 0, 0]) for each in bracket.frames] == [1000, 2000, 3000]
    assert all(each.dtype == np.uint16 for each in bracket.frames)
    assert bracket.stops == (0, 2, 5)


def test_ground_truth_is_scaled_then_clipped_to_the_unit_range(tmp_path):
    scene = put_scene(tmp_path)
    plain = FrameStore().ground_truth(scene)
    assert plain.dtype == np.float16
    assert plain.shape == (HEIGHT, WIDTH, 3)
    assert (plain.min(), plain.max()) == (0, 1)
    quarter = FrameStore().ground_truth(replace(scene, ground_truth_gain=0.25))
    expected = np.linspace(0, 1, quarter.size).reshape(quarter.shape)
    np.testing.assert_allclose(quarter, expected, atol=1e-3)


def test_a_scene_is_decoded_once(tmp_path, decoded):
    store, scene = FrameStore(), put_scene(tmp_path)
    assert store.bracket(scene) is store.bracket(scene)
    assert decoded == ["a"]
    assert store.used_bytes == BRACKET_BYTES


def test_beyond_the_budget_the_least_used_leaves_and_is_read_again(tmp_path, decoded):
    store = FrameStore(2 * BRACKET_BYTES)
    a, b, c = (put_scene(tmp_path, name) for name in "abc")
    for scene in (a, b, a, c):
        store.bracket(scene)
    assert store.used_bytes == 2 * BRACKET_BYTES
    store.bracket(a)
    assert decoded == ["a", "b", "c"]
    store.bracket(b)
    assert decoded == ["a", "b", "c", "b"]


def test_a_scene_larger_than_the_budget_is_shown_all_the_same(tmp_path):
    store = FrameStore(10)
    for name in "ab":
        assert store.bracket(put_scene(tmp_path, name)).nbytes == BRACKET_BYTES
    assert store.used_bytes == BRACKET_BYTES


def test_seventy_four_scenes_of_kalantari_fit_the_default_budget():
    bracket_bytes = 3 * 1000 * 1500 * 3 * np.dtype(np.uint16).itemsize
    assert 74 * bracket_bytes <= 2 * 2**30


def test_a_dropped_scene_is_read_anew(tmp_path, decoded):
    store, scene = FrameStore(), put_scene(tmp_path)
    store.bracket(scene)
    store.ground_truth(scene)
    store.drop("a")
    assert store.used_bytes == 0
    store.bracket(scene)
    assert decoded == ["a", "a"]


def test_two_threads_that_ask_at_once_wait_for_one_decoding(tmp_path, monkeypatch):
    store, scene, other = FrameStore(), put_scene(tmp_path), put_scene(tmp_path, "b")
    begun, go, decoded = threading.Event(), threading.Event(), []
    real = imaging_bracket.decode_bracket

    def slow(wanted):
        decoded.append(wanted.id)
        if wanted.id == "a":
            begun.set()
            assert go.wait(10)
        return real(wanted)

    monkeypatch.setattr(imaging_bracket, "decode_bracket", slow)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(store.bracket, scene)
        assert begun.wait(10)
        second = pool.submit(store.bracket, scene)
        # While "a" is being decoded nobody else has to wait.
        store.bracket(other)
        assert store.used_bytes == BRACKET_BYTES
        go.set()
        assert first.result(10) is second.result(10)
    assert decoded == ["a", "b"]


def test_a_scene_dropped_while_it_is_decoded_is_answered_but_not_kept(tmp_path, monkeypatch):
    store, scene = FrameStore(), put_scene(tmp_path)
    real = imaging_bracket.decode_bracket

    def dropped_meanwhile(wanted):
        store.drop(wanted.id)
        return real(wanted)

    monkeypatch.setattr(imaging_bracket, "decode_bracket", dropped_meanwhile)
    assert store.bracket(scene).nbytes == BRACKET_BYTES
    assert store.used_bytes == 0


def test_a_failure_is_told_and_not_remembered(tmp_path):
    store, scene = FrameStore(), put_scene(tmp_path)
    hidden = scene.frames[1].rename(tmp_path / "elsewhere.tif")
    for _ in range(2):
        with pytest.raises(BadScene, match=r"1\.tif: is gone; put the dataset back"):
            store.bracket(scene)
    hidden.rename(scene.frames[1])
    assert store.bracket(scene).nbytes == BRACKET_BYTES


def test_a_file_that_changed_size_is_told(tmp_path):
    scene = put_scene(tmp_path)
    write_frame_tiff(scene.frames[2], np.zeros((HEIGHT, 8, 3), np.uint16))
    with pytest.raises(BadScene, match=r"2\.tif: is now 8×12, but was 20×12"):
        FrameStore().bracket(scene)


def test_a_file_that_was_damaged_since_is_told(tmp_path):
    scene = put_scene(tmp_path)
    scene.frames[0].write_bytes(scene.frames[0].read_bytes()[:200])
    with pytest.raises(UnreadableImage, match="truncated"):
        FrameStore().bracket(scene)


def test_a_scene_without_ground_truth_says_how_to_give_one(tmp_path):
    with pytest.raises(BadScene, match=r"has no ground truth; put HDRImg\.hdr"):
        FrameStore().ground_truth(put_scene(tmp_path, truth=False))


def test_many_threads_leave_the_books_balanced(tmp_path):
    store = FrameStore(3 * BRACKET_BYTES)
    scenes = [put_scene(tmp_path, name) for name in "abcdef"]

    def work(seed):
        for index in np.random.default_rng(seed).integers(0, 6, 30):
            try:
                store.bracket(scenes[index])
                if index == seed % 6:
                    store.drop(scenes[index].id)
            except StudioError as error:
                return error
        return None

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(work, range(6))) == [None] * 6
    assert store.used_bytes <= 3 * BRACKET_BYTES
    assert store.used_bytes % BRACKET_BYTES == 0


@needs_real
def test_a_real_scene_is_kept_in_27_megabytes():
    (scene,) = find_scenes(REAL / "kalantari_test_002").scenes
    store = FrameStore()
    store.bracket(scene)
    assert store.used_bytes == 3 * 1000 * 1500 * 3 * 2
