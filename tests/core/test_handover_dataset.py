"""The curated set as a dataset folder, read back by our own reader and by plain libraries."""

import json
import re

import cv2
import numpy as np
import pytest
from made_handover import HEIGHT, WIDTH, a_project, frames, painting, radiance

from smarthdr_studio.core.datasets.scan import find_scenes
from smarthdr_studio.core.errors import ExportError, ProjectError, StudioError
from smarthdr_studio.core.files import file_checksum
from smarthdr_studio.core.imaging.bracket import decode_bracket, decode_ground_truth
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.reporting.dataset_export import CURATED, export_dataset, trusted_pixels
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label

EVERY = CURATED | {Status.UNLABELLED}


class Stopped(Exception):
    """What a cancelled job raises."""


@pytest.fixture
def curated(tmp_path):
    """001 has a truth, 002 is promoted, 003 too, whole and painted; 004 and 005 are unlabelled."""
    with a_project(tmp_path) as (project, decisions):
        decisions.promote(["002"])
        decisions.paint("003", painting)
        decisions.promote(["003"], whole=True)
        yield project


def mask(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def test_the_folder_reads_back_as_the_scenes_that_were_exported(curated, tmp_path):
    told = []
    written = export_dataset(
        curated, tmp_path / "out", include=EVERY, tell=lambda *each: told.append(each)
    )
    found = {scene.id: scene for scene in find_scenes(tmp_path / "out").scenes}
    assert list(found) == ["001", "002", "003", "Test-006", "Unlabelled-004", "Unlabelled-005"]
    assert {found[name].layout for name in ("001", "002", "Test-006")} == {"kalantari"}
    assert found["Test-006"].split == "test"
    assert found["Unlabelled-004"].ground_truth is None
    assert written.scenes == {"ground truth": 1, "promoted": 2, "unlabelled": 2, "test": 1}
    assert [done for _, done, _ in told] == list(range(7))
    for name, scene in found.items():
        mine = curated.scene(name.removeprefix("Unlabelled-"))
        assert scene.stops == mine.stops
        for frame, theirs in zip(
            decode_bracket(mine).frames, decode_bracket(scene).frames, strict=True
        ):
            assert np.array_equal(frame, theirs)


def test_a_label_is_never_handed_on_with_other_pictures_than_it_was_made_of(curated, tmp_path):
    swapped, other = curated.scene("002").frames[0], curated.scene("003").frames[0]
    swapped.write_bytes(other.read_bytes())
    written = export_dataset(curated, tmp_path / "out")
    assert written.scenes == {"ground truth": 1, "promoted": 1, "test": 1}
    assert list(written.left_out) == ["002"]
    assert re.search(r"pictures of 002 .*1\.tif.*; say where", written.left_out["002"])
    assert not (tmp_path / "out" / "Training" / "002").exists()
    assert not export_dataset(curated, tmp_path / "test", include={Status.TEST}).left_out
    Decisions(curated).accept_pictures(curated.compare_pictures())
    assert export_dataset(curated, tmp_path / "taken").scenes["promoted"] == 2


def test_other_pictures_of_every_scene_are_refused_in_one_sentence(curated, tmp_path):
    for name, other in (("002", "003"), ("003", "002")):
        frame, theirs = curated.scene(name).frames[0], curated.scene(other).frames[1]
        frame.write_bytes(theirs.read_bytes())
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ProjectError, match=r"2 of 6 scenes \(002, 003\)"):
        export_dataset(curated, tmp_path / "out", include={Status.PROMOTED})
    assert sorted(tmp_path.rglob("*")) == before


def test_a_dataset_that_has_moved_is_told_as_such(curated, tmp_path):
    (tmp_path / "brackets").rename(tmp_path / "elsewhere")
    with pytest.raises(ProjectError, match=r"brackets: the dataset is not there; say where"):
        export_dataset(curated, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("labels", "precision"), [("hdr", 2**-8), ("exr", 2**-11)])
def test_labels_keep_their_radiance(curated, tmp_path, labels, precision):
    export_dataset(curated, tmp_path / "out", labels=labels)
    found = {scene.id: scene for scene in find_scenes(tmp_path / "out").scenes}
    for name in ("002", "003"):
        label = read_pseudo_label(curated.label_path(name))
        theirs, mine = decode_ground_truth(found[name]), label.hdr.astype(np.float32)
        # RGBE shares the exponent of the brightest channel, and rounds down.
        room = 2 * precision * mine.max(axis=2, keepdims=True) + 1e-4
        assert (np.abs(theirs.astype(np.float32) - mine) <= room).all()
    assert np.array_equal(
        decode_ground_truth(found["001"]), decode_ground_truth(curated.scene("001"))
    )
    assert found["001"].ground_truth.name == f"HDRImg.{labels}"


def test_masks_lie_beside_promoted_labels_and_say_what_the_loss_counts(curated, tmp_path):
    export_dataset(curated, tmp_path / "out")
    home = tmp_path / "out" / "Training"
    label = read_pseudo_label(curated.label_path("002"))
    trusted = trusted_pixels(label, whole=False)
    assert 0 < trusted.mean() < 1
    assert np.array_equal(mask(home / "002" / "trusted.png"), np.where(trusted, 255, 0))
    assert (mask(home / "003" / "trusted.png") == 255).all()
    person = mask(home / "003" / "person.png")
    assert person.shape == (HEIGHT, WIDTH)
    assert (person[0, 0], person[0, -1], person[-1, 0]) == (255, 0, 128)
    assert not (home / "001" / "trusted.png").exists()
    assert not (home / "002" / "person.png").exists()


def test_exposures_are_counted_as_the_radiance_is(curated, tmp_path):
    assert curated.scene("Test-006").evs == (-2, 0, 2)
    export_dataset(curated, tmp_path / "out")
    home = tmp_path / "out" / "Test" / "006"
    assert (home / "exposure.txt").read_text().split() == ["0", "2", "4"]
    assert np.allclose(
        cv2.imread(str(home / "HDRImg.hdr"), cv2.IMREAD_UNCHANGED)[..., ::-1],
        radiance(6),
        atol=0.01,
    )


def test_links_lead_to_the_dataset_and_survive_a_move_together(curated, tmp_path):
    assert export_dataset(curated, tmp_path / "a" / "out").frames == {"link": 12}
    (tmp_path / "moved").mkdir()
    for folder in ("brackets", "a"):
        (tmp_path / folder).rename(tmp_path / "moved" / folder)
    frame = tmp_path / "moved" / "a" / "out" / "Training" / "001" / "2.tif"
    assert frame.is_symlink()
    assert frame.samefile(tmp_path / "moved" / "brackets" / "Training" / "001" / "photo_2.tif")


def test_copies_stand_alone(curated, tmp_path):
    written = export_dataset(curated, tmp_path / "out", frames="copy")
    assert written.frames == {"copy": 12}
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_symlink()]
    frame = tmp_path / "out" / "Training" / "001" / "2.tif"
    assert frame.read_bytes() == curated.scene("001").frames[1].read_bytes()


def test_where_no_links_can_be_made_files_are_copied_and_that_is_told(
    curated, tmp_path, monkeypatch
):
    def refuse(*_args, **_more):
        raise OSError("no links here")

    monkeypatch.setattr("pathlib.Path.symlink_to", refuse)
    assert export_dataset(curated, tmp_path / "hard").frames == {"hard link": 12}
    monkeypatch.setattr("pathlib.Path.hardlink_to", refuse)
    written = export_dataset(curated, tmp_path / "copied")
    assert written.frames == {"copy": 12}
    assert "12 copied" in written.words


def test_frames_that_are_no_tiff_become_one_with_exactly_their_values(curated, tmp_path):
    source = curated.scene("001").frames[1]
    done, png = cv2.imencode(".png", list(frames(1))[1][..., ::-1])
    assert done
    source.write_bytes(png.tobytes())  # a .tif that is a PNG
    Decisions(curated).accept_pictures(curated.compare_pictures(), same=True)
    written = export_dataset(curated, tmp_path / "out")
    assert written.frames == {"link": 11, "converted": 1}
    about = json.loads((tmp_path / "out" / "manifest.json").read_text())
    frame = about["scenes"][0]["frames"][1]
    assert (frame["how"], frame["was"]) == ("converted", "png")
    (scene, *_) = find_scenes(tmp_path / "out").scenes
    assert np.array_equal(decode_bracket(scene).reference, list(frames(1))[1])
    assert "no TIFF files or are" in (told := (tmp_path / "out" / "README.txt").read_text())
    assert "1 of them" in told


def test_the_manifest_says_where_everything_is_from_and_its_checksums_hold(curated, tmp_path):
    export_dataset(curated, tmp_path / "out")
    about = json.loads((tmp_path / "out" / "manifest.json").read_text())
    for scene in about["scenes"]:
        home = tmp_path / "out" / scene["folder"]
        for part in (*scene["frames"], scene["label"]):
            assert part["sha256"] == file_checksum(home / part["file"])
    by_id = {scene["id"]: scene for scene in about["scenes"]}
    label = by_id["002"]["label"]
    assert (label["round"], label["tau_pixel"], label["whole"]) == (3, 0.3, False)
    assert label["source_sha256"] == curated.state("002").checksum
    assert label["trusted_share"] == pytest.approx(
        (mask(tmp_path / "out" / "Training" / "002" / "trusted.png") > 0).mean()
    )
    assert by_id["001"]["label"]["is"] == "the dataset's ground truth"


@pytest.mark.parametrize("place", ["brackets/out", "p.shdr/out", "full"])
def test_nothing_is_written_where_it_does_not_belong(curated, tmp_path, place):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ExportError, match=place.partition("/")[2] or place):
        export_dataset(curated, tmp_path / place)
    assert sorted(tmp_path.rglob("*")) == before


def damage_label(project):
    path = project.label_path("003")
    path.write_bytes(path.read_bytes()[:-20] + b"x" * 20)
    return path


def damage_frame(project):
    path = project.scene("Test-006").frames[2]
    path.write_bytes(path.read_bytes()[:200])
    return path


def lose_truth(project):
    path = project.scene("Test-006").ground_truth
    path.unlink()
    return path


def lose_frame(project):
    path = project.scene("003").frames[2]
    path.unlink()
    return path


@pytest.mark.parametrize("spoil", [damage_label, damage_frame, lose_frame, lose_truth])
def test_a_damaged_file_costs_its_scene_alone_and_is_told(curated, tmp_path, spoil):
    path = spoil(curated)
    scene = "003" if "003" in str(path) else "Test-006"
    if spoil is damage_frame:  # else its size alone says that it is another picture
        Decisions(curated).accept_pictures(curated.compare_pictures())
    written = export_dataset(curated, tmp_path / "out")
    assert sum(written.scenes.values()) == 3
    assert list(written.left_out) == [scene]
    assert path.name in written.left_out[scene]
    assert "; " in written.left_out[scene], "a remedy"
    assert written.words.endswith("; 1 scene left out")
    found = find_scenes(tmp_path / "out")
    assert scene not in {each.id for each in found.scenes}
    assert (len(found.scenes), found.skipped) == (3, ())
    about = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert about["left_out"] == [scene]
    assert scene not in {each["id"] for each in about["scenes"]}
    assert f"made: {scene}." in " ".join((tmp_path / "out" / "README.txt").read_text().split())


def test_where_nothing_would_be_left_the_first_damaged_file_is_told(curated, tmp_path):
    path = lose_truth(curated)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(StudioError, match=path.name) as error:
        export_dataset(curated, tmp_path / "out", include={Status.TEST})
    assert len(str(error.value).splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_stopping_leaves_nothing(curated, tmp_path):
    def stop(_text, done, _total):
        if done == 2:
            raise Stopped

    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(Stopped):
        export_dataset(curated, tmp_path / "out", tell=stop)
    assert sorted(tmp_path.rglob("*")) == before


def test_excluded_scenes_never_go_along(tmp_path):
    with a_project(tmp_path) as (project, decisions):
        decisions.exclude(["001", "002"])
        export_dataset(project, tmp_path / "out", include=set(Status))
        ids = [scene.id for scene in find_scenes(tmp_path / "out").scenes]
        assert ids == ["Test-006", "Unlabelled-003", "Unlabelled-004", "Unlabelled-005"]
        with pytest.raises(ExportError, match="no scene of those"):
            export_dataset(project, tmp_path / "none", include={Status.EXCLUDED})


def test_an_empty_folder_may_be_filled(curated, tmp_path):
    (tmp_path / "out").mkdir()
    export_dataset(curated, tmp_path / "out")
    assert (tmp_path / "out" / "README.txt").is_file()
