"""Importing a ground truth from the command line."""

import cv2
import numpy as np
import pytest

from smarthdr_studio.core.imaging.image_files import read_radiance, write_radiance_exr
from smarthdr_studio.core.project.project import Project


@pytest.fixture
def exact(dataset):
    return read_radiance(dataset / "Training" / "004" / "HDRImg.hdr")


@pytest.fixture
def bring(run, project, tmp_path):
    """Writes radiance as an EXR and brings it to scene 004."""

    def brought(radiance, *options):
        write_radiance_exr(tmp_path / "mine.exr", radiance)
        return run("truth", project, "004", tmp_path / "mine.exr", *options)

    return brought


def state(folder, name="004"):
    with Project.open(folder) as opened:
        return str(opened.statuses()[name]), opened.scene(name)


def test_an_exact_truth_becomes_the_label(bring, project, exact):
    answer = bring(exact, "--note", "from the studio", "--json")
    assert answer.status == 0
    told = answer.json["truth"]
    assert (told["usable"], told["brought"], told["gain"]) == (True, True, 1)
    status, scene = state(project)
    assert (status, told["status"]) == ("ground truth", "ground truth")
    kept = read_radiance(scene.ground_truth)
    assert scene.ground_truth.is_relative_to(project)
    np.testing.assert_array_equal(kept, exact.astype(np.float16))
    with Project.open(project) as opened:
        assert opened.entries()[-1].note == "from the studio"


def test_undo_takes_it_back(bring, run, project, exact, dataset):
    bring(exact)
    assert run("undo", project).status == 0
    status, scene = state(project)
    assert status == "unlabelled"
    assert scene.ground_truth.is_relative_to(dataset)


def test_checking_alone_changes_nothing(bring, project, exact):
    answer = bring(exact * 4, "--check")
    assert answer.status == 0
    assert "fits once its radiance is multiplied by 0.25" in answer.out
    assert state(project)[0] == "unlabelled"


def test_checking_what_cannot_be_used_ends_with_status_1(bring, exact):
    answer = bring(exact[::2, ::2], "--check", "--json")
    assert answer.status == 1
    assert answer.json["truth"]["usable"] is False
    assert len(answer.json["truth"]["problems"]) == 1


def test_what_needs_a_fix_waits_for_being_asked(bring, project, exact):
    refused = bring(exact * 4)
    assert refused.status == 2
    assert "--fix" in refused.err
    assert len(refused.err.splitlines()) == 1
    assert state(project)[0] == "unlabelled"
    assert bring(exact * 4, "--fix").status == 0
    status, scene = state(project)
    assert status == "ground truth"
    np.testing.assert_allclose(read_radiance(scene.ground_truth), exact, rtol=0.02, atol=1e-5)


def test_a_problem_is_refused_unless_forced(bring, project, exact):
    refused = bring(exact ** (1 / 2.2), "--fix")
    assert refused.status == 2
    assert "gamma-encoded" in refused.err
    assert state(project)[0] == "unlabelled"
    assert bring(exact ** (1 / 2.2), "--force").status == 0
    assert state(project)[0] == "ground truth"


def test_another_size_cannot_be_forced(bring, project, exact):
    refused = bring(exact[::2, ::2], "--force", "--fix")
    assert refused.status == 2
    assert state(project)[0] == "unlabelled"


@pytest.mark.parametrize("option", ["--check", "--fix", "--force"])
def test_a_huge_picture_of_another_size_is_refused_by_its_header(
    run, project, tmp_path, monkeypatch, option
):
    def decoded(*_, **__):
        raise AssertionError("a pixel was decoded")

    cv2.imwrite(str(tmp_path / "huge.png"), np.zeros((3000, 4000), np.uint16))
    monkeypatch.setattr("smarthdr_studio.core.imaging.image_files.read_radiance", decoded)
    answer = run("truth", project, "004", tmp_path / "huge.png", option)
    assert answer.status == (1 if option == "--check" else 2)
    assert "it is 4000×3000 but the frames are" in answer.out + answer.err
    assert state(project)[0] == "unlabelled"


def test_a_test_scene_stays_one(run, project, exact, tmp_path, dataset):
    answer = run("truth", project, "Test-006", dataset / "Test" / "006" / "HDRImg.hdr", "--json")
    assert answer.status == 0, answer.err
    assert answer.json["truth"]["status"] == "test"


def test_a_static_bracket_is_merged(run, project, exact, tmp_path):
    frames = []
    for index, stops in enumerate((0, 3)):
        seen = np.clip(exact * 2.0**stops, 0, 1) ** (1 / 2.2)
        frames.append(tmp_path / f"still_{index}.tif")
        cv2.imwrite(str(frames[-1]), (seen[..., ::-1] * 65535).astype(np.uint16))
    answer = run("truth", project, "004", *frames, "--evs", "0 3")
    assert answer.status == 0, answer.err
    assert "still_0.tif and 1 more" in answer.out
    kept = read_radiance(state(project)[1].ground_truth)
    np.testing.assert_allclose(kept, exact, rtol=0.03, atol=1e-4)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("004", "no-such.exr"), "no-such.exr"),
        (("999", "no-such.exr"), "999"),
        (("004", "a.tif", "b.tif", "--evs", "0"), "--evs"),
        (("004", "a.tif", "b.tif"), "a.tif"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(run, project, words, named):
    answer = run("truth", project, *words)
    assert answer.status == 2
    assert named in answer.err
    assert len(answer.err.splitlines()) == 1
    assert answer.out == ""


def test_without_a_file_a_scene_learns_from_the_truth_it_has(run, project):
    assert state(project)[0] == "unlabelled"
    answer = run("truth", project, "004", "--json")
    assert (answer.status, answer.json["truth"]["status"]) == (0, "ground truth")
    assert state(project)[0] == "ground truth"
    again = run("truth", project, "004")
    assert again.status == 2
    assert "its status is ground truth" in again.err


def test_checking_without_a_file_looks_at_the_truth_it_has(run, project):
    with Project.open(project) as opened:
        entries = len(opened.entries())
    answer = run("truth", project, "004", "--check", "--json")
    told = answer.json["truth"]
    assert (answer.status, told["usable"], told["brought"]) == (0, True, False)
    assert (told["status"], state(project)[0]) == ("unlabelled", "unlabelled")
    with Project.open(project) as opened:
        assert len(opened.entries()) == entries


def test_a_bracket_in_which_something_moved_is_taken_when_forced(run, project, exact, tmp_path):
    frames = []
    for index, stops in enumerate((0, 2)):
        seen = exact.copy()
        seen[30:80, 20 + 60 * index : 70 + 60 * index] = 0.3
        coded = np.clip(seen * 2.0**stops, 0, 1) ** (1 / 2.2)
        frames.append(tmp_path / f"walk_{index}.tif")
        cv2.imwrite(str(frames[-1]), (coded[..., ::-1] * 65535).astype(np.uint16))
    refused = run("truth", project, "004", *frames, "--evs", "0 2")
    assert refused.status == 2
    assert "not static" in refused.err
    assert state(project)[0] == "unlabelled"
    assert run("truth", project, "004", *frames, "--evs", "0 2", "--force").status == 0
    assert state(project)[0] == "ground truth"
