import os
from pathlib import Path

import cv2
import numpy as np
import OpenEXR
import pytest

from smarthdr_studio.core.datasets import arrival
from smarthdr_studio.core.datasets.exposures import find_exposures
from smarthdr_studio.core.datasets.scan import find_scenes, labelled_by_default
from smarthdr_studio.core.errors import BadDataset
from smarthdr_studio.core.imaging.image_files import (
    read_radiance,
    write_frame_tiff,
    write_radiance_hdr,
)

FRAMES = ("input_1.tif", "input_2.tif", "input_3.tif")


def put_scene(folder):
    folder.mkdir(parents=True)
    ramp = np.linspace(0.01, 1, 16 * 24 * 3).reshape(16, 24, 3)
    for name, light in zip(FRAMES, (1 / 16, 1 / 4, 1), strict=True):
        write_frame_tiff(folder / name, ((ramp * light) ** (1 / 2.2) * 65535).astype(np.uint16))
    (folder / "exposure.txt").write_text("0\n2\n4\n")
    write_radiance_hdr(folder / "HDRImg.hdr", (ramp / 16).astype(np.float32))


@pytest.fixture
def dataset(tmp_path):
    """Two scenes of the Kalantari layout; the tests spoil "bad" and expect "good" to load."""
    put_scene(tmp_path / "Training" / "good")
    put_scene(tmp_path / "Training" / "bad")
    return tmp_path


def the_reason(dataset: Path) -> str:
    """Why "bad" was left out: one sentence that begins with the path of what is at fault."""
    catalogue = find_scenes(dataset)
    assert [scene.id for scene in catalogue.scenes] == ["good"]
    (skipped,) = catalogue.skipped
    assert skipped.path == dataset / "Training" / "bad"
    assert skipped.reason.startswith(str(skipped.path))
    assert skipped.reason.endswith(".")
    assert "\n" not in skipped.reason
    return skipped.reason.removeprefix(str(skipped.path)).lstrip("/\\")


def the_note(dataset: Path) -> str:
    """Why "bad" has lost its ground truth, and nothing else."""
    catalogue = find_scenes(dataset)
    scenes = {scene.id: scene for scene in catalogue.scenes}
    assert (catalogue.skipped, list(scenes)) == ((), ["bad", "good"])
    assert (scenes["bad"].ground_truth, scenes["bad"].evs) == (None, (0, 2, 4))
    assert scenes["good"].ground_truth is not None
    (note,) = (each.text for each in catalogue.notes if each.scene == "bad")
    assert note.endswith("; bad has no ground truth until then.")
    assert "\n" not in note
    return note.removeprefix(str(dataset / "Training" / "bad")).lstrip("/\\")


def bad(dataset, name):
    return dataset / "Training" / "bad" / name


def put_exr(path, channels):
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, channels).write(str(path))


def test_two_frames(dataset):
    bad(dataset, "input_2.tif").unlink()
    reason = the_reason(dataset)
    assert "2 of three frames (input_1.tif and input_3.tif)" in reason
    assert "add" in reason


def test_no_frames_but_exposures(dataset):
    for name in FRAMES:
        bad(dataset, name).unlink()
    assert "put the frames into it" in the_reason(dataset)


def test_more_frames_than_exposures(dataset):
    write_frame_tiff(bad(dataset, "input_4.tif"), np.zeros((16, 24, 3), np.uint16))
    assert "3 exposure values for 4 frames; write one EV for each" in the_reason(dataset)


def test_frames_of_different_sizes(dataset):
    write_frame_tiff(bad(dataset, "input_3.tif"), np.zeros((16, 20, 3), np.uint16))
    assert "input_3.tif: is 20×16 but input_1.tif is 24×16; crop" in the_reason(dataset)


def test_no_exposures_anywhere(dataset):
    bad(dataset, "exposure.txt").unlink()
    for level, name in enumerate(FRAMES, start=1):  # flat frames have nothing to measure either
        flat = np.full((16, 24, 3), 9000 * level, np.uint16)
        write_frame_tiff(bad(dataset, name), flat)
    assert "write three EVs into exposure.txt" in the_reason(dataset)


@pytest.mark.parametrize("content", [b"", b"0\ntwo\n4", b"\xff\xfe\x00garbage"])
def test_an_unreadable_exposure_file(dataset, content):
    bad(dataset, "exposure.txt").write_bytes(content)
    reason = the_reason(dataset)
    assert reason.startswith("exposure.txt:")
    assert "write three EVs into exposure.txt" in reason


@pytest.mark.parametrize("text", ["0 2", "0 2 4 6"])
def test_as_many_exposures_as_frames_are_needed(dataset, text):
    bad(dataset, "exposure.txt").write_text(text)
    assert "exposure values for 3 frames; write one EV for each" in the_reason(dataset)


@pytest.mark.parametrize("text", ["4 2 0", "0 4 2", "2 0 4"])
def test_exposures_that_contradict_brightness(dataset, text):
    bad(dataset, "exposure.txt").write_text(text)
    assert "is no brighter than" in the_reason(dataset)


def test_one_photograph_three_times(dataset):
    for name in FRAMES[1:]:
        bad(dataset, name).write_bytes(bad(dataset, FRAMES[0]).read_bytes())
    assert "is no brighter than" in the_reason(dataset)


@pytest.mark.parametrize("kind", [".tif", ".png", ".jpg"])
def test_a_truncated_frame(dataset, kind):
    pixels = np.random.default_rng(0).integers(0, 256, (16, 24, 3)).astype(np.uint8)
    raw = cv2.imencode(kind, pixels)[1].tobytes()
    bad(dataset, "input_2.tif").write_bytes(raw[: len(raw) * 3 // 4])
    assert the_reason(dataset).startswith("input_2.tif: is truncated or damaged; copy it again")


def test_a_frame_that_is_no_image(dataset):
    bad(dataset, "input_2.tif").write_text("not found")
    assert "input_2.tif: is no TIFF" in the_reason(dataset)


def test_an_empty_frame_is_told_to_be_empty(dataset):
    bad(dataset, "input_2.tif").write_bytes(b"")
    assert the_reason(dataset) == "input_2.tif: is empty; copy it again from its source."


def test_an_empty_ground_truth_is_told_to_be_empty(dataset):
    bad(dataset, "HDRImg.hdr").write_bytes(b"")
    assert the_note(dataset).startswith("HDRImg.hdr: is empty; copy it again from its source;")


@pytest.mark.parametrize(
    ("put", "words"),
    [
        (lambda path: path.symlink_to(path.parent / "gone.tif"), "a link that leads nowhere"),
        (lambda path: path.mkdir(), "a folder"),
        pytest.param(
            lambda path: os.mkfifo(path),
            "no plain file",
            marks=pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here"),
        ),
    ],
)
def test_what_has_the_name_of_a_frame_and_is_no_file_is_named(dataset, put, words):
    bad(dataset, "input_1.tif").unlink()
    put(bad(dataset, "input_1.tif"))
    sentence = "where a frame should be; put the picture there."
    assert the_reason(dataset) == f"input_1.tif: is {words} {sentence}"


def test_a_folder_that_names_no_frame_is_not_taken_for_the_missing_one(dataset):
    bad(dataset, "input_1.tif").unlink()
    bad(dataset, "preview.tif").mkdir()
    assert "2 of three frames" in the_reason(dataset)


def test_of_samples_in_one_folder_only_that_which_lacks_a_frame_is_told(tmp_path):
    put_scene(tmp_path / "made")
    for name in ("0001", "0002", "0003"):
        for number, word in enumerate(("short", "medium", "long"), 1):
            to = tmp_path / "data" / f"{name}_{word}.tif"
            to.parent.mkdir(exist_ok=True)
            to.write_bytes((tmp_path / "made" / f"input_{number}.tif").read_bytes())
        np.save(tmp_path / "data" / f"{name}_exposures.npy", np.array((0.0, 2.0, 4.0)))
        np.save(tmp_path / "data" / f"{name}_alignratio.npy", np.array(1.0))
    (tmp_path / "data" / "0001_long.tif").unlink()
    (tmp_path / "data" / "0002_long.tif").unlink()
    (tmp_path / "data" / "0002_long.tif").mkdir()
    first, second = find_scenes(tmp_path / "data").skipped
    assert "holds 2 of three frames (0001_short.tif and 0001_medium.tif)" in first.reason
    assert "0002_long.tif: is a folder where a frame should be" in second.reason


def test_a_ground_truth_of_another_size(dataset):
    write_radiance_hdr(bad(dataset, "HDRImg.hdr"), np.ones((8, 24, 3), np.float32))
    assert "HDRImg.hdr: cannot be used as ground truth; it is 24×8 but the" in the_note(dataset)


def test_a_ground_truth_of_another_size_is_left_out_without_being_decoded(dataset, monkeypatch):
    decoded = []

    def counted(path):
        decoded.append(Path(path).parent.name)
        return read_radiance(path)

    monkeypatch.setattr(arrival, "read_radiance", counted)
    write_radiance_hdr(bad(dataset, "HDRImg.hdr"), np.ones((800, 2400, 3), np.float32))
    assert "it is 2400×800 but the frames are 24×16" in the_note(dataset)
    assert decoded == ["good"]


def test_an_exr_without_rgb(dataset):
    bad(dataset, "HDRImg.hdr").unlink()
    put_exr(bad(dataset, "gt.exr"), {"Z": np.ones((16, 24), np.float32)})
    assert "gt.exr: has no R, G and B channels (found: Z)" in the_note(dataset)


@pytest.mark.parametrize("value", [np.nan, -1.0, np.inf])
def test_radiance_that_cannot_be(dataset, value):
    # An EXR under the name of a .hdr: the bytes decide.
    planes = {name: np.ones((16, 24), np.float32) for name in "RGB"}
    planes["B"][3, 4] = value
    put_exr(bad(dataset, "HDRImg.hdr"), planes)
    note = the_note(dataset)
    assert note.startswith("HDRImg.hdr: has 1 ")
    assert "replace" in note


def test_a_truncated_ground_truth(dataset):
    raw = bad(dataset, "HDRImg.hdr").read_bytes()
    bad(dataset, "HDRImg.hdr").write_bytes(raw[: len(raw) // 2])
    assert "HDRImg.hdr: is truncated" in the_note(dataset)


def test_two_ground_truths(dataset):
    raw = bad(dataset, "HDRImg.hdr").read_bytes()
    bad(dataset, "HDRImg.hdr").unlink()
    for name in ("a.hdr", "b.hdr"):
        bad(dataset, name).write_bytes(raw)
    assert "more than one ground truth (a.hdr, b.hdr); keep one" in the_note(dataset)


def test_a_broken_align_ratio(dataset):
    bad(dataset, "alignratio.npy").write_bytes(b"nothing")
    assert "alignratio.npy: is no number" in the_note(dataset)


@pytest.mark.parametrize("lacking", [1, 2, 3])
def test_a_challenge_scene_that_lacks_a_folder(dataset, lacking):
    for k in {1, 2, 3} - {lacking}:
        folder = dataset / "Training" / f"007_{k}"
        folder.mkdir()
        bad(dataset, f"input_{k}.tif").rename(folder / f"ldr_img_{k}.tif")
        (folder / "exposure.txt").write_text("0 2 4")
    for left in bad(dataset, "").iterdir():
        left.unlink()
    catalogue = find_scenes(dataset)
    assert [scene.id for scene in catalogue.scenes] == ["good"]
    assert ["2 of three frames" in each.reason for each in catalogue.skipped] == [True]


def test_a_dataset_of_bad_scenes_alone_says_why_in_one_sentence(dataset):
    for name in ("good", "bad"):
        (dataset / "Training" / name / "exposure.txt").write_text("")
    with pytest.raises(BadDataset, match=r"no scene can be used .*exposure\.txt: holds 0"):
        find_scenes(dataset)


def test_pictures_above_the_scenes_are_no_scene(dataset):
    for name in ("figure1.png", "figure2.png"):
        cv2.imwrite(str(dataset / name), np.zeros((8, 8, 3), np.uint8))
    assert len(find_scenes(dataset).scenes) == 2
    assert find_scenes(dataset).skipped == ()


def test_a_lost_ground_truth_makes_no_other_scene_a_label(tmp_path):
    for number in range(8):
        put_scene(tmp_path / "Training" / f"00{number}")
    whole = labelled_by_default(find_scenes(tmp_path))
    (tmp_path / "Training" / "003" / "HDRImg.hdr").write_bytes(b"#?RADIANCE\n")
    catalogue = find_scenes(tmp_path)
    assert len(catalogue.scenes) == 8
    assert len(labelled_by_default(catalogue)) == len(whole) == 5
    assert "003" not in labelled_by_default(catalogue)


def test_whatever_a_decoder_raises_costs_one_scene(dataset, monkeypatch):
    def spoilt(frames, pixels, *, listed, bent):
        if "bad" in str(listed):
            raise RuntimeError("an inner assertion\nof many lines")
        return find_exposures(frames, pixels, listed=listed, bent=bent)

    monkeypatch.setattr("smarthdr_studio.core.datasets.scan.find_exposures", spoilt)
    assert "RuntimeError: an inner assertion); replace its files" in the_reason(dataset)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_a_bracket_of_few_bits_in_16_is_told(dataset, bits):
    ramp = np.linspace(0.01, 1, 16 * 24 * 3).reshape(16, 24, 3)
    for name, light in zip(FRAMES, (1 / 4, 1, 4), strict=True):
        values = np.minimum(ramp * light, 1) ** (1 / 2.2) * (2**bits - 1)
        write_frame_tiff(bad(dataset, name), np.round(values).astype(np.uint16))
    reason = the_reason(dataset)
    assert f"clips at {2**bits - 1}, so it holds {bits} bits in 16; multiply" in reason


def test_a_dark_bracket_that_clips_nowhere_is_none_of_few_bits(dataset):
    ramp = np.linspace(0.01, 1, 16 * 24 * 3).reshape(16, 24, 3)
    for name, light in zip(FRAMES, (1 / 16, 1 / 4, 1), strict=True):
        write_frame_tiff(bad(dataset, name), np.round(ramp * light * 4095).astype(np.uint16))
    assert [scene.id for scene in find_scenes(dataset).scenes] == ["bad", "good"]


def test_a_ground_truth_whose_check_breaks_costs_only_itself(dataset, monkeypatch):
    def broken(scene, bracket):
        if scene.id == "bad":
            raise RuntimeError("an inner assertion\nof many lines")
        return scene, ()

    monkeypatch.setattr("smarthdr_studio.core.datasets.scan.checked_truth", broken)
    note = the_note(dataset)
    assert note.startswith("HDRImg.hdr: cannot be looked at (RuntimeError: an inner assertion); ")
    assert find_scenes(dataset).truths_left_out == {"bad"}
    assert find_scenes(dataset).odd == frozenset()


def test_a_ground_truth_that_does_not_fit_makes_no_other_scene_a_label_either(tmp_path):
    for number in range(8):
        put_scene(tmp_path / "Training" / f"00{number}")
    upside = read_radiance(tmp_path / "Training" / "003" / "HDRImg.hdr")[::-1, ::-1]
    path = tmp_path / "Training" / "003" / "HDRImg.hdr"
    write_radiance_hdr(path, np.ascontiguousarray(upside))
    catalogue = find_scenes(tmp_path)
    assert catalogue.truths_left_out == {"003"}
    assert len(labelled_by_default(catalogue)) == 5
