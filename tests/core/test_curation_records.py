"""Records of what the frames say: against the clues themselves, kept, damaged, and told apart."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smarthdr_studio.core.curation.clues import (
    ClueRecord,
    NearestNeighbours,
    compute_records,
    descriptor_of,
    frames_stamp,
    kept_records,
    pixels_per_patch,
    record_of,
)
from smarthdr_studio.core.imaging.bracket import Bracket, Catalogue, Scene
from smarthdr_studio.core.imaging.image_files import write_frame_tiff
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.causes import clues, moving
from smarthdr_studio.core.trust.masking import PATCH_SIZE, patch_means

STOPS = (0.0, 2.0, 4.0)


def a_bracket(seed, *, height=100, width=150, moved=0, brightest=0.3):
    """Smooth light; a bright square stands elsewhere in the reference where `moved` pixels say."""
    rng = np.random.default_rng(seed)
    rough = rng.uniform(0.02, brightest, (4, 6, 3)).astype(np.float32)
    frames = []
    for index, stops in enumerate(STOPS):
        light = np.clip(cv2.resize(rough, (width, height)), 0.005, 1) ** 2
        left = 10 + (moved if index == 1 else 0)
        light[20:70, left : left + 30] = 0.03
        frames.append((np.clip(light * 2**stops, 0, 1) ** (1 / 2.2) * 65535).astype(np.uint16))
    return Bracket(*frames, STOPS)


@settings(max_examples=15)
@given(st.integers(0, 99), st.integers(70, 140), st.integers(65, 200), st.sampled_from([0, 40]))
def test_a_record_is_the_clues_patch_by_patch(seed, height, width, moved):
    bracket = a_bracket(seed, height=height, width=width, moved=moved, brightest=0.9)
    known = clues(bracket)
    found = record_of(bracket, known)
    for shares, flags in ((found.saturated, known.saturated[1]), (found.moving, moving(known))):
        expected = patch_means(flags.astype(np.float32)).ravel()
        assert np.abs(shares / 255 - expected).max() <= 0.5 / 255 + 1e-6
    assert found.saturation == pytest.approx(known.saturated[1].mean())
    assert found.motion == pytest.approx(moving(known).mean())
    again = record_of(bracket)
    assert (again.saturated == found.saturated).all()
    assert (again.moving == found.moving).all(), "a small scene is looked at as it is"


def test_at_half_resolution_the_same_patches_move():
    bracket = a_bracket(3, height=301, width=427, moved=60)
    exact, quick = record_of(bracket, clues(bracket)), record_of(bracket)
    assert (quick.saturated == exact.saturated).all()
    assert exact.motion > 0.01
    assert quick.motion == pytest.approx(exact.motion, rel=0.25)
    assert np.corrcoef(quick.moving, exact.moving)[0, 1] > 0.95


@given(st.integers(1, 300), st.integers(1, 300))
def test_patches_share_all_pixels_of_a_scene(height, width):
    counts = pixels_per_patch(height, width)
    assert counts.sum() == height * width
    assert len(counts) == -(-height // PATCH_SIZE) * -(-width // PATCH_SIZE)


def test_bytes_give_the_same_record_back():
    record = record_of(a_bracket(1, moved=40))
    again = ClueRecord.from_bytes(record.to_bytes())
    assert again.to_bytes() == record.to_bytes()
    assert (again.height, again.width) == (record.height, record.width)
    assert (again.moving == record.moving).all()
    assert (again.look == record.look).all()
    assert again.motion == pytest.approx(record.motion)
    assert len(record.to_bytes()) < 1000


@settings(max_examples=100)
@given(st.data())
def test_damaged_bytes_are_never_taken_for_a_record(data):
    whole = WHOLE
    place = data.draw(st.integers(0, len(whole) - 1))
    spoilt = whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 255))])
    spoilt += data.draw(st.sampled_from([whole[place + 1 :], b""]))
    for bad in (spoilt, whole[:place], b""):
        with pytest.raises(ValueError, match="record of clues"):
            ClueRecord.from_bytes(bad)


WHOLE = record_of(a_bracket(0)).to_bytes()


def test_a_scene_looks_more_like_itself_in_other_noise_than_like_another():
    looks = [descriptor_of(a_bracket(seed)) for seed in range(4)]
    noisy = a_bracket(0)
    noise = np.random.default_rng(0).normal(0, 300, noisy.reference.shape)
    reference = np.clip(noisy.reference + noise, 0, 65535).astype(np.uint16)
    same = descriptor_of(replace_reference(noisy, reference)).astype(float)
    distances = [np.linalg.norm(same - look.astype(float)) for look in looks]
    assert distances[0] < 0.3 * min(distances[1:])


def replace_reference(bracket, reference):
    return Bracket(bracket.under, reference, bracket.over, bracket.stops)


def test_the_company_knows_who_is_nearest_however_it_grew():
    looks = [descriptor_of(a_bracket(seed)) for seed in range(12)]
    at_once, one_by_one = NearestNeighbours(looks), NearestNeighbours(looks)
    assert (at_once.unlike() == 1).all()
    at_once.join(looks[:5], first=0)
    for number in range(5):
        one_by_one.join([looks[number]], first=number)
    np.testing.assert_allclose(at_once.unlike(), one_by_one.unlike(), atol=1e-3)
    assert (at_once.who == one_by_one.who).all()
    assert list(at_once.who[:5]) == list(range(5))
    assert at_once.unlike()[:5].max() < 0.05 < at_once.unlike()[5:].min()


@pytest.fixture
def project(tmp_path):
    """Two scenes with frames, and one whose frames are away."""
    scenes = []
    for seed, name in enumerate("abc"):
        folder = tmp_path / "data" / name
        folder.mkdir(parents=True)
        frames = tuple(folder / f"{index}.tif" for index in range(3))
        scenes.append(Scene(id=name, frames=frames, evs=STOPS, height=100, width=150))
        for path, frame in zip(frames, a_bracket(seed).frames, strict=True):
            if name != "c":
                write_frame_tiff(path, frame)
    catalogue = Catalogue(root=tmp_path / "data", scenes=tuple(scenes), skipped=())
    with Project.create(tmp_path / "p.shdr", catalogue, labelled=()) as made:
        yield made


def test_records_are_kept_and_who_cannot_be_read_is_told(project):
    seen = []
    found, problems = compute_records(project, project.scenes, seen=seen.append)
    assert list(found) == ["a", "b"]
    assert seen == ["a", "b", "c"]
    (sentence,) = problems
    assert "c" in sentence
    with Project.open(project.folder) as again:
        kept = kept_records(again)
    assert {name: record.to_bytes() for name, record in kept.items()} == {
        name: record.to_bytes() for name, record in found.items()
    }


def test_a_record_of_other_files_no_longer_counts_but_one_of_files_that_are_away_does(project):
    compute_records(project, project.scenes)
    for scene in project.scenes[:2]:
        assert frames_stamp(scene)
    write_frame_tiff(project.scene("a").frames[0], a_bracket(9).under)
    for path in project.scene("b").frames:
        path.unlink()
    assert frames_stamp(project.scene("b")) == ""
    assert set(kept_records(project)) == {"b"}


def test_damaged_and_foreign_records_are_found_again(project):
    compute_records(project, project.scenes)
    stamp = frames_stamp(project.scene("a"))
    project.keep_figures("clues", {"a": (stamp, b"CLU9 of the future")})
    assert set(kept_records(project)) == {"b"}


def test_a_stop_in_the_middle_keeps_what_was_found(project):
    def stop(scene):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compute_records(project, project.scenes, seen=stop)
    assert set(kept_records(project)) == {"a"}


def test_a_project_that_cannot_be_written_is_looked_at_all_the_same(project):
    project.read_only = "it lies on a read-only disk"
    found, _ = compute_records(project, project.scenes)
    assert set(found) == {"a", "b"}
    assert kept_records(project) == {}
