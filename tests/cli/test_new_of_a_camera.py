"""A folder straight off a camera, told and made into a project by the shell."""

import numpy as np
import pytest
from made_curves import photograph, shot
from made_shots import put_brackets
from made_truths import put_frames, view

from smarthdr_studio.core.project.project import Project


@pytest.fixture
def camera(tmp_path):
    folder = tmp_path / "DCIM"
    put_brackets(folder, [view(1), view(2)], stops=(2, 0, 4, -2, 6))
    (folder / "IMG_0003.JPG").write_bytes(b"spoilt")
    return folder


def test_a_dry_run_says_what_would_be_made_and_makes_nothing(run, camera, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    told = run("new", camera, "--dry-run", "--json").json
    assert sorted(tmp_path.rglob("*")) == before
    first, second = told["scenes"]
    assert [frame["file"] for frame in second["frames"]] == [
        f"IMG_{number:04d}.JPG" for number in (9, 7, 6, 8, 10)
    ]
    assert [frame["file"] for frame in first["frames"]] == [
        f"IMG_{number:04d}.JPG" for number in (4, 2, 1, 5)
    ]
    used = {part: frame["file"] for frame in second["frames"] for part in frame["used_as"]}
    assert set(used) == {"under", "reference", "over"}
    assert second["stops"][0] == 0
    assert second["ground_truth"] is None
    (skipped,) = told["skipped"]
    assert "IMG_0003.JPG: is no TIFF" in skipped["reason"]


def test_a_dry_run_for_people_names_scenes_frames_and_steps(run, camera):
    told = run("new", camera, "--dry-run")
    assert told.status == 0
    assert "2 scenes; nothing was made" in told.out
    assert "IMG_0009.JPG IMG_0007.JPG IMG_0006.JPG IMG_0008.JPG" in told.out
    assert "skipped:" in told.err


def test_new_makes_the_project_a_dry_run_told_of(run, camera, tmp_path):
    told = run("new", camera, "--dry-run", "--json").json
    made = run("new", tmp_path / "p.shdr", camera, "--json").json
    assert (made["scenes"], made["unlabelled"]) == (2, 2)
    assert made["skipped"] == told["skipped"]
    with Project.open(tmp_path / "p.shdr") as project:
        kept = {
            scene.id: [frame.path.name for frame in scene.whole_bracket] for scene in project.scenes
        }
    assert kept == {each["id"]: [f["file"] for f in each["frames"]] for each in told["scenes"]}


def test_one_step_may_be_given_for_all(run, camera):
    told = run("new", camera, "--dry-run", "--json", "--step", "1.9").json
    (whole,) = told["scenes"]  # the one that lost a frame plainly has other steps
    evs = [frame["ev"] for frame in whole["frames"]]
    assert evs == pytest.approx([0, 1.9, 3.8, 5.7, 7.6])


def test_new_without_a_dataset_says_what_to_give(run, tmp_path):
    refused = run("new", tmp_path / "p.shdr")
    assert refused.status == 2
    assert "the project to make and the dataset folder" in refused.err


def test_frames_are_aligned_checked_and_left_as_shot(run, tmp_path):
    light = view(5, size=(300, 400))
    shaken = np.roll(light, (4, 7), axis=(0, 1))
    put_frames(tmp_path / "d" / "s", [shaken, light, light], (0, 2, 4))
    (tmp_path / "d" / "s" / "exposure.txt").write_text("0 2 4")
    made = run("new", tmp_path / "p.shdr", tmp_path / "d", "--align", "--json")
    assert made.status == 0, made.err
    told = run("align", tmp_path / "p.shdr", "--check", "--json").json
    under, over = told["frames"]
    assert told["aligned"] is None
    assert under["by"] in ("homography", "translation")
    assert under["shift"] == pytest.approx(np.hypot(4, 7), abs=0.7)
    assert (over["by"], over["shift"]) == ("left as it is", 0)
    with Project.open(tmp_path / "p.shdr") as project:
        assert project.reading.aligned
    assert run("align", tmp_path / "p.shdr", "--off").status == 0
    with Project.open(tmp_path / "p.shdr") as project:
        assert not project.reading.aligned


@pytest.fixture
def curved(tmp_path):
    """Two brackets of a camera whose curve is not gamma 2.2."""

    def s_shaped(light, stops):
        return shot(light, stops, "S-shaped", full_well=70_000, read=14, seed=int(stops))

    put_brackets(tmp_path / "DCIM", [photograph(1), photograph(2)], camera=s_shaped)
    return tmp_path / "DCIM"


def test_the_measured_curve_is_offered_used_shown_saved_and_undone(run, curved, tmp_path):
    told = run("new", curved, "--dry-run", "--json")
    assert told.json["response"]["used"] == "gamma 2.2"
    assert told.json["response"]["fit"]["better"]
    assert "--response measured" in told.err
    project = tmp_path / "p.shdr"
    made = run("new", project, curved, "--response", "measured", "--json").json
    assert made["notes"] == []
    shown = run("response", project, "--json", "--save", tmp_path / "c.txt").json
    assert shown["used"] == made["response"]["used"] == shown["fit"]["curve"]
    assert shown["fit"]["measured_off"] < 0.1 * shown["fit"]["gamma_off"]
    assert "read frames under" in run("history", project).out
    assert run("undo", project).status == 0
    with Project.open(project) as opened:
        assert opened.reading.response is None
    used = run("response", project, "--use", tmp_path / "c.txt", "--json").json["used"]
    nowhere = tmp_path / "c.txt" / "d.txt"  # in a file
    for choice, place in (("gamma", tmp_path / "d.txt"), ("measured", nowhere)):
        assert run("response", project, "--use", choice, "--save", place).status == 2
    with Project.open(project) as opened:
        assert opened.reading.response.digest == used
        frames = [str(path) for path in opened.scenes[0].frames]
    curve = tmp_path / "c.txt"
    merged = [
        run("merge", *frames, "-o", tmp_path / f"{name}.exr", *options)
        for name, options in (("plain", ()), ("curve", ("--response", curve)))
    ]
    assert [each.status for each in merged] == [0, 0]
    assert "curve is not gamma 2.2" in merged[0].err
    assert "smarthdr-studio merge --response FILE" in merged[0].err
    assert "PROJECT" not in merged[0].err, "there is none"
    assert "curve is not gamma 2.2" not in merged[1].err


def test_a_curve_that_is_none_is_refused_before_anything_is_made(run, curved, tmp_path):
    (tmp_path / "c.txt").write_text("no curve")
    refused = run("new", tmp_path / "p.shdr", curved, "--response", tmp_path / "c.txt")
    assert refused.status != 0
    assert "c.txt" in refused.err
    assert not (tmp_path / "p.shdr").exists()


@pytest.mark.parametrize("use", [(), ("--use", "measured")])
def test_of_a_dataset_that_has_moved_the_curve_is_not_said_to_be_untold(run, curved, tmp_path, use):
    project = tmp_path / "p.shdr"
    assert run("new", project, curved).status == 0
    curved.rename(tmp_path / "elsewhere")
    answer = run("response", project, *use)
    assert answer.status == 2
    assert "the dataset is not there; say where it is with: smarthdr-studio relocate" in answer.err
    assert answer.out == ""
