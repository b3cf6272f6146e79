"""A dataset's ground truth is held against its frames when a project is made of it."""

import cv2
import numpy as np
import pytest
from made_truths import put_frames, view

from smarthdr_studio.core.datasets.arrival import in_few_lines
from smarthdr_studio.core.datasets.scan import find_scenes, labelled_by_default
from smarthdr_studio.core.imaging.bracket import SceneNote, decode_ground_truth
from smarthdr_studio.core.imaging.image_files import write_radiance_exr, write_radiance_hdr
from smarthdr_studio.core.project.project import Project

EXACT = view()
STOPS = (0, 2, 4)


@pytest.fixture
def brought(tmp_path):
    """One scene with a ground truth, as it is found, and the notes on it."""

    def found(radiance, name="HDRImg.exr"):
        folder = tmp_path / "data" / "001"
        put_frames(folder, [EXACT] * 3, STOPS)
        (folder / "exposure.txt").write_text("0 2 4")
        write_radiance_exr(folder / name, np.ascontiguousarray(radiance, np.float32))
        catalogue = find_scenes(tmp_path / "data")
        assert catalogue.skipped == ()
        return catalogue.scenes[0], [note.text for note in catalogue.notes], catalogue

    return found


def test_a_truth_that_fits_is_taken_without_a_word(brought):
    scene, notes, catalogue = brought(EXACT)
    assert (notes, labelled_by_default(catalogue)) == ([], ("001",))
    np.testing.assert_allclose(decode_ground_truth(scene), EXACT, atol=1e-3)


@pytest.mark.parametrize(
    ("spoilt", "words"),
    [
        (EXACT ** (1 / 2.2), "it is gamma-encoded or tone-mapped"),
        (EXACT[::-1, ::-1], "it has to be turned by 180°"),
        (EXACT[:, ::-1], "it has to be mirrored left to right"),
        (view(7), "it does not show what the reference frame shows"),
        (EXACT[..., ::-1], "its red and blue are exchanged"),
        (EXACT[:, 8:], "it is 120×96 but the frames are 128×96"),
        (np.roll(EXACT, 7, axis=1), "it lies about 7 pixels off"),
        (np.roll(EXACT, 1, axis=1), "fits only once it is moved 1 pixel to the left"),
        (EXACT * 64, "fits only once its radiance is multiplied by 0.015"),
    ],
)
def test_a_truth_that_does_not_fit_leaves_its_scene_unlabelled_with_the_sentence(
    brought, spoilt, words
):
    scene, notes, catalogue = brought(spoilt)
    assert (scene.ground_truth, labelled_by_default(catalogue)) == (None, ())
    (note,) = notes
    assert words in note
    assert "HDRImg.exr: " in note
    assert note.endswith("; 001 has no ground truth until then.")


def test_false_colours_and_frames_of_one_bit_are_no_labels_by_themselves(tmp_path):
    for name in ("001", "002", "003"):
        folder = tmp_path / "data" / name
        paths = put_frames(folder, [EXACT] * 3, STOPS)
        (folder / "exposure.txt").write_text("0 2 4")
        colours = (1.6, 1, 0.42) if name == "002" else (1, 1, 1)
        write_radiance_exr(folder / "HDRImg.exr", EXACT * np.array(colours, np.float32))
        for path in paths if name == "003" else ():
            frame = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            cv2.imwrite(str(path), np.where(frame > 20000, 65535, 0).astype(np.uint16))
    catalogue = find_scenes(tmp_path / "data")
    assert [scene.id for scene in catalogue.scenes if scene.ground_truth] == ["001", "002", "003"]
    assert catalogue.odd_truths == {"002", "003"}
    assert labelled_by_default(catalogue) == ("001",)


@pytest.mark.parametrize(("frame", "stops"), [(1, 2), (2, 4)])
def test_a_truth_on_the_scale_of_another_frame_is_brought_to_that_of_the_under(
    brought, frame, stops
):
    scene, notes, _ = brought(EXACT * 2.0**stops)
    assert scene.ground_truth_gain == 2.0**-stops
    np.testing.assert_allclose(decode_ground_truth(scene), EXACT, atol=1e-3)
    assert f"counts from what clips f{frame}.tif" in notes[0]


def test_a_scale_that_is_a_little_off_is_kept_as_published_and_noted(brought):
    scene, notes, catalogue = brought(EXACT * 0.8)
    assert (scene.ground_truth_gain, scene.ground_truth is None) == (1, False)
    assert notes == [f"{scene.ground_truth}: It is 0.32 stops too dark."]
    assert labelled_by_default(catalogue) == ("001",)
    assert catalogue.odd_truths == set()


def test_an_ntire_truth_that_is_radiance_already_is_found_out(tmp_path):
    folder = tmp_path / "data" / "001"
    for k, path in enumerate(put_frames(folder, [EXACT] * 3, STOPS)):
        path.rename(folder / f"{k}.png")  # the bytes decide
    np.save(folder / "exposures.npy", np.array(STOPS))
    np.save(folder / "alignratio.npy", 65535.0)
    linear = np.round(np.clip(EXACT, 0, 1) * 65535).astype(np.uint16)
    cv2.imwrite(str(folder / "gt.png"), linear[..., ::-1])
    catalogue = find_scenes(tmp_path / "data")
    assert catalogue.scenes[0].layout == "ntire"
    assert catalogue.notes != ()


def test_a_truth_in_a_format_nobody_reads_is_not_passed_over(tmp_path):
    put_frames(tmp_path / "001", [EXACT] * 3, STOPS)
    (tmp_path / "001" / "exposure.txt").write_text("0 2 4")
    (tmp_path / "001" / "HDRImg.pfm").write_bytes(b"PFx")
    catalogue = find_scenes(tmp_path)
    assert catalogue.scenes[0].ground_truth is None
    assert "HDRImg.pfm" in catalogue.notes[0].text


def test_what_was_odd_is_remembered_by_the_project_and_not_asked_again(brought, tmp_path):
    scene, notes, catalogue = brought(EXACT * 4)
    with Project.create(tmp_path / "p.shdr", catalogue, labelled=("001",)) as made:
        assert [entry.note for entry in made.entries()] == notes
    for path in (*scene.frames, scene.ground_truth):
        path.unlink()
    with Project.open(tmp_path / "p.shdr") as opened:
        assert opened.scene("001") == scene


def test_a_gamma_of_the_truth_survives_in_the_project(brought, tmp_path):
    from dataclasses import replace

    scene, _, catalogue = brought(EXACT)
    coded = replace(scene, ground_truth_gain=0.7, ground_truth_gamma=2.24)
    catalogue = replace(catalogue, scenes=(coded,))
    with Project.create(tmp_path / "p.shdr", catalogue, labelled=()) as made:
        assert made.scene("001") == coded
    stored = np.float32(0.7) * EXACT.astype(np.float16).astype(np.float32)
    expected = np.clip(np.float64(stored) ** 2.24, 0, 1)
    np.testing.assert_allclose(decode_ground_truth(coded), expected, rtol=2e-3, atol=1e-5)


def test_many_notes_about_one_thing_are_told_in_few_lines():
    alike = [SceneNote(scene=f"{k}", topic="exposures", text=f"odd {k}") for k in range(9)]
    other = SceneNote(scene="0", topic="ground truths", text="gone")
    lines = in_few_lines([*alike[:4], other, *alike[4:]])
    assert lines == ("odd 0", "odd 1", "odd 2", "6 more like these, of exposures.", "gone")
    assert in_few_lines(alike[:4]) == ("odd 0", "odd 1", "odd 2", "odd 3")


def test_radiance_and_its_double_in_rgbe_are_judged_alike(tmp_path):
    for name, write in (("a", write_radiance_exr), ("b", write_radiance_hdr)):
        put_frames(tmp_path / name, [EXACT] * 3, STOPS)
        (tmp_path / name / "exposure.txt").write_text("0 2 4")
        write(tmp_path / name / "HDRImg.hdr", EXACT)
    assert find_scenes(tmp_path).notes == ()
