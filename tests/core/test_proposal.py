"""What a folder seems to hold, what a person makes of it, and what becomes of it when checked."""

import numpy as np
import pytest
from made_shots import put_brackets, put_jpeg, put_png
from made_truths import view

from smarthdr_studio.core.datasets import proposal as proposals
from smarthdr_studio.core.datasets.proposal import propose
from smarthdr_studio.core.datasets.scan import check, find_scenes
from smarthdr_studio.core.errors import BadDataset, BadScene
from smarthdr_studio.core.imaging.bracket import decode_bracket
from smarthdr_studio.core.imaging.image_files import write_radiance_exr

VIEWS = [view(seed) for seed in (1, 2, 3)]


@pytest.fixture
def camera(tmp_path):
    """Nine JPEGs: three brackets, each metered anew, the metered frame first."""
    folder = tmp_path / "DCIM"
    put_brackets(folder, VIEWS, metering=(1 / 60, 1 / 30, 1 / 125))
    return folder


def frames(proposal):
    return {each.id: [path.name for path in each.files.frames] for each in proposal.scenes}


def left(proposal):
    return {each.path.name: each.reason for each in proposal.left_out}


def names(first, count=3):
    return [f"IMG_{number:04d}.JPG" for number in range(first, first + count)]


THREE = {"IMG_0001": names(1), "IMG_0004": names(4), "IMG_0007": names(7)}


def test_nine_pictures_off_a_camera_are_three_brackets(camera):
    found = propose(camera)
    assert (frames(found), found.left_out) == (THREE, ())
    catalogue = check(found)
    assert [scene.id for scene in catalogue.scenes] == list(THREE)
    for scene, radiance in zip(catalogue.scenes, VIEWS, strict=True):
        assert [path.name[-5] for path in scene.frames] == [
            str(int(scene.id[-1]) + k) for k in (1, 0, 2)
        ]
        assert scene.stops == pytest.approx((0, 2, 4), abs=0.1)
        reference = (decode_bracket(scene).reference / 65535) ** 2.2 / 4
        well = (radiance > 0.02) & (radiance < 0.2)
        assert np.median(np.abs(reference[well] / radiance[well] - 1)) < 0.015


def test_results_thumbnails_links_and_raw_beside_confuse_nobody(camera):
    (camera / "@eaDir" / "IMG_0001.JPG").mkdir(parents=True)
    put_jpeg(camera / "@eaDir" / "IMG_0001.JPG" / "SYNO_THUMB.jpg", VIEWS[0], 0, seconds=1 / 60)
    put_brackets(camera / ".thumbnails", VIEWS)
    put_brackets(camera / "Thumbs", VIEWS)
    (camera / "again").symlink_to(camera, target_is_directory=True)
    (camera / "IMG_9999.JPG").symlink_to(camera / "IMG_0001.JPG")
    write_radiance_exr(camera / "IMG_0001_hdr.exr", VIEWS[0])
    put_jpeg(camera / "IMG_0004_hdr.jpg", VIEWS[1], 2, seconds=1 / 60)
    (camera / "IMG_0001.CR2").write_bytes(b"II*\0")
    found = propose(camera)
    assert frames(found) == THREE
    reasons = left(found)
    assert set(reasons) == {"IMG_0001_hdr.exr", "IMG_0004_hdr.jpg", "IMG_0001.CR2"}
    assert "looks like what another program merged" in reasons["IMG_0001_hdr.exr"]
    assert "same shot" in reasons["IMG_0001.CR2"]
    assert all(scene.ground_truth is None for scene in check(found).scenes)


def test_folders_below_are_grouped_each_by_itself(tmp_path):
    put_brackets(tmp_path / "100CANON", VIEWS[:2])
    put_brackets(tmp_path / "101CANON", VIEWS[2:] * 2)
    assert set(frames(propose(tmp_path))) == {
        "100CANON-IMG_0001", "100CANON-IMG_0004", "101CANON-IMG_0001", "101CANON-IMG_0004",
    }  # fmt: skip


def test_brackets_above_a_folder_with_one_more_are_not_lost(camera):
    put_brackets(camera / "evening", VIEWS[:1])
    assert set(frames(propose(camera))) == {*THREE, "evening"}


def test_a_damaged_picture_costs_only_itself(camera):
    (camera / "IMG_0009.JPG").write_bytes(b"no picture")
    found = propose(camera)
    assert frames(found)["IMG_0007"] == names(7, 2)
    assert "IMG_0009.JPG: is no TIFF" in left(found)["IMG_0009.JPG"]


def test_five_frames_without_exposure_data_are_one_scene_of_five(tmp_path):
    for index, stops in enumerate((-4, -2, 0, 2, 4)):
        put_png(tmp_path / "still" / f"shot{index}.png", VIEWS[0] / 4, stops + 2)
    (scene,) = find_scenes(tmp_path).scenes
    assert [frame.path.name for frame in scene.whole_bracket] == [f"shot{k}.png" for k in range(5)]
    evs = [frame.ev for frame in scene.whole_bracket]
    assert np.diff(evs) == pytest.approx([2] * 4, abs=0.06)


def test_the_header_of_nothing_else_than_a_flat_folder_is_read(tmp_path, monkeypatch):
    folder = tmp_path / "set" / "001"
    for index, stops in enumerate((0, 2, 4)):
        put_png(folder / f"{index}.png", VIEWS[0], stops)
    (folder / "exposure.txt").write_text("0 2 4")
    monkeypatch.setattr(proposals, "read_shot", lambda path: pytest.fail(f"{path} was opened"))
    assert list(frames(propose(tmp_path))) == ["set-001"]


def test_progress_is_told_and_can_stop_the_reading(camera):
    told = []
    propose(camera, progress=lambda done, total: told.append((done, total)))
    assert (told[-1], len(told)) == ((9, 9), 9)

    def stop(done, total):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        propose(camera, progress=stop)


def test_a_folder_of_single_pictures_says_why_it_holds_no_bracket(tmp_path):
    put_brackets(tmp_path, VIEWS + VIEWS[:1], stops=(2,), bias=False)
    with pytest.raises(BadDataset, match=r"holds no bracket .*IMG_0001.JPG: stands alone"):
        propose(tmp_path)


def test_a_bracket_is_split_and_joined_again(camera):
    found = propose(camera)
    parted = proposals.split(found, "IMG_0004", at=2)
    assert frames(parted) == {**THREE, "IMG_0004": names(4, 2)}
    assert "split off" in left(parted)["IMG_0006.JPG"]
    again = proposals.add(parted, "IMG_0004", camera / "IMG_0006.JPG")
    assert (frames(again), again.left_out) == (THREE, ())
    both = proposals.join(found, "IMG_0001", "IMG_0004")
    assert frames(both) == {"IMG_0001": names(1, 6), "IMG_0007": names(7)}
    halves = proposals.split(both, "IMG_0001", at=3)
    assert frames(halves) == THREE


def test_what_is_left_out_by_hand_is_not_learned_from(camera):
    without = proposals.leave_out(propose(camera), "IMG_0004")
    assert [scene.id for scene in check(without).scenes] == ["IMG_0001", "IMG_0007"]
    fewer = proposals.leave_out(propose(camera), "IMG_0004", [camera / "IMG_0005.JPG"])
    assert frames(fewer)["IMG_0004"] == ["IMG_0004.JPG", "IMG_0006.JPG"]
    assert "by hand" in left(fewer)["IMG_0005.JPG"]


def test_a_chosen_reference_is_the_middle_of_the_three(camera):
    chosen = proposals.with_reference(propose(camera), "IMG_0001", camera / "IMG_0002.JPG")
    scene = check(chosen).scenes[0]
    assert [path.name for path in scene.frames] == ["IMG_0002.JPG", "IMG_0002.JPG", "IMG_0003.JPG"]
    assert scene.stops == pytest.approx((0, 0, 4), abs=0.02)
    with pytest.raises(BadScene, match="is no frame of IMG_0001"):
        proposals.with_reference(propose(camera), "IMG_0001", camera / "IMG_0004.JPG")


def test_one_step_for_all_goes_before_what_the_camera_says(camera):
    steps = check(proposals.with_step(propose(camera), 1.8)).scenes
    assert [scene.stops for scene in steps] == [pytest.approx((0, 1.8, 3.6))] * 3


def test_finding_brackets_writes_nothing(camera):
    before = sorted((path, path.stat().st_mtime_ns) for path in camera.rglob("*"))
    check(propose(camera))
    assert sorted((path, path.stat().st_mtime_ns) for path in camera.rglob("*")) == before
    assert list(camera.parent.iterdir()) == [camera]
