"""The verbs doctor, relocate and tidy: what they say, and the status they end with."""

import os
import shutil

import cv2
import numpy as np
import pytest

from smarthdr_studio.core.errors import UnwritableProject
from smarthdr_studio.core.project import project as opening
from smarthdr_studio.core.project.project import Project


def test_a_project_with_which_nothing_is_wrong_is_well(project, run):
    answer = run("doctor", project)
    assert answer.status == 0
    assert "Nothing is wrong." in answer.out
    assert "5 entries" not in answer.err
    told = run("doctor", project, "--json").json
    assert told["findings"] == told["mended"] == []
    assert told["scenes"] == 6
    assert [each["entries"] for each in told["backups"]] == [6]


def test_what_is_wrong_is_told_with_its_remedy_and_mended_when_asked(project, run):
    run("promote", project, "003")
    stray = project / "labels" / "003" / "8.exr"
    stray.write_bytes(b"left by a power cut")
    os.utime(stray, (1, 1))
    answer = run("doctor", project)
    assert answer.status == 2
    assert "labels/003/8.exr is not in the journal" in answer.out
    assert stray.is_file()
    answer = run("doctor", project, "--repair")
    assert answer.status == 0
    assert "mended: moved labels/003/8.exr to the trash" in answer.out
    assert not stray.exists()


def test_a_lost_database_comes_back(project, run):
    (project / "project.sqlite").unlink()
    for rest in project.glob("project.sqlite-*"):
        rest.unlink()
    answer = run("undo", project)
    assert answer.status == 2
    assert "doctor" in answer.err
    assert run("doctor", project).status == 2
    assert run("doctor", project, "--repair").status == 0
    with Project.open(project) as again:
        assert len(again.statuses()) == 6


def test_repairing_needs_a_project_and_a_folder_that_is_one(run, tmp_path):
    assert run("doctor", "--repair").status == 2
    answer = run("doctor", tmp_path)
    assert answer.status == 2
    assert answer.err.count("\n") == 1


def test_relocating_says_how_many_scenes_are_there(dataset, project, run, tmp_path):
    moved = shutil.copytree(dataset, tmp_path / "far" / "moved")
    answer = run("relocate", project, moved, "--json")
    assert answer.json == {"dataset": str(moved), "found": 6, "scenes": 6, "changed": {}}
    with Project.open(project) as opened:
        assert opened.dataset == moved
    answer = run("relocate", project, tmp_path / "nowhere")
    assert answer.status == 2
    assert "holds 0 of the 6 scenes" in answer.err


def test_tidying_says_first_and_does_when_asked(project, run):
    run("promote", project, "003")
    run("promote", project, "003")
    old = project / "labels" / "003" / "1.exr"
    nbytes = old.stat().st_size
    told = run("tidy", project, "--older-versions", "--dry-run", "--json").json
    assert told["older"] == {"files": 1, "bytes": nbytes, "moved": False}
    assert old.is_file()
    assert "1 file" in run("tidy", project, "--older-versions").out
    assert not old.exists()
    assert run("undo", project).status == 0
    assert old.is_file()
    run("tidy", project, "--older-versions")
    assert run("tidy", project, "--empty-trash", "--json").json["trash"]["gone"]
    answer = run("redo", project)
    assert answer.status == 2
    assert "tidied away for good" in answer.err


def test_relocating_a_project_that_is_only_looked_at_says_that_it_is_not_remembered(
    dataset, project, run, tmp_path, monkeypatch
):
    connect = opening.database.connect

    def refused(path, **how):
        if path.parent.suffix == ".shdr":
            raise UnwritableProject(f"{path}: it cannot be written", why="it cannot be written")
        return connect(path, **how)

    moved = shutil.copytree(dataset, tmp_path / "far" / "moved")
    monkeypatch.setattr(opening.database, "connect", refused)
    answer = run("relocate", project, moved)
    assert answer.status == 0
    assert "It could not be remembered: it cannot be written." in answer.out


@pytest.fixture
def own_project(project, dataset, run, tmp_path):
    """The project over a dataset of its own, whose pictures may be changed."""
    run("relocate", project, shutil.copytree(dataset, tmp_path / "own"))
    return project


def swap(project, name):
    """Another picture in the place of the first frame of a scene."""
    with Project.open(project) as opened:
        frame = opened.scene(name).frames[0]
    pixels = cv2.imread(str(frame), cv2.IMREAD_UNCHANGED)
    cv2.imwrite(str(frame), np.iinfo(pixels.dtype).max - pixels)
    return frame


def test_other_pictures_are_told_by_the_doctor_and_taken_when_a_person_says_so(own_project, run):
    project = own_project
    run("promote", project, "003")
    frame = swap(project, "003")
    answer = run("doctor", project)
    assert answer.status == 2
    assert "not those the project knows" in answer.out
    assert "smarthdr-studio accept PROJECT" in answer.out
    for _ in range(2):
        told = run("accept", project, "--dry-run", "--json").json
        assert told["changed"]["003"] == ["/".join(frame.parts[-3:])]
        assert told["accepted"] is False
    assert "tagged" in run("accept", project).out
    assert run("doctor", project).status == 0
    assert "pictures-changed" in run("scenes", project, "--json").out
    assert "every picture is the one" in run("accept", project).out
    with Project.open(project) as opened:
        lost = opened.scene("004").frames[2]
    lost.unlink()
    answer = run("accept", project)
    assert answer.status == 0
    assert f"004 lacks {lost.parent.parent.name}/004/{lost.name}" in answer.err
    assert "every picture" not in answer.out
    assert [*run("accept", project, "--json").json["gone"]] == ["004"]


def test_pictures_that_show_the_same_tag_nothing(own_project, run):
    project = own_project
    run("promote", project, "003")
    swap(project, "003")
    assert run("accept", project, "--same", "--json").json["tagged"] == []
    assert "pictures-changed" not in run("scenes", project, "--json").out


def test_relocating_to_another_dataset_of_the_same_names_says_so(dataset, project, run, tmp_path):
    moved = shutil.copytree(dataset, tmp_path / "far" / "moved")
    run("relocate", project, moved)
    swap(project, "003")
    answer = run("relocate", project, moved)
    assert "other pictures than the project knows" in answer.err
    assert answer.err.count("\n") == 1
    assert run("relocate", project, dataset, "--json").json["changed"] == {}
