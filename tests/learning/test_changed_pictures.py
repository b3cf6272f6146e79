"""Pictures that the project does not know are never learned from before they are accepted."""

import cv2
import numpy as np
import pytest

from smarthdr_studio.core.errors import BadScene, LabelError, ProjectError
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.learning.checkpoints import latest_checkpoint
from smarthdr_studio.learning.evaluation import evaluate, kept_figures
from smarthdr_studio.learning.model_labelling import label_scenes
from smarthdr_studio.learning.run_setup import open_run
from smarthdr_studio.learning.trainer import train


def swap(project, name):
    """Other pixels in the place of the reference of a scene; its file."""
    with Project.open(project) as opened:
        frame = opened.scene(name).frames[1]
    pixels = cv2.imread(str(frame), cv2.IMREAD_UNCHANGED)
    cv2.imwrite(str(frame), np.iinfo(pixels.dtype).max - pixels)
    return frame


def accept(project):
    with Project.open(project) as opened:
        Decisions(opened).accept_pictures(opened.compare_pictures())


@pytest.mark.parametrize("name", ["a", "u"])
def test_a_run_is_refused_before_anything_is_written(project, make_plan, name):
    swap(project, name)
    with pytest.raises(LabelError, match=rf"other pictures .* \({name}\).*accept PROJECT"):
        list(train(make_plan(), project))
    assert not (project / "runs").exists()
    accept(project)
    assert open_run(make_plan(), project, resume=None)


def test_a_picture_for_testing_alone_stops_no_training(project, make_plan):
    swap(project, "t")
    assert open_run(make_plan(), project, resume=None)


@pytest.mark.parametrize("name", ["a", "v"])
def test_pictures_that_change_meanwhile_are_told_and_left_out_until_they_are_accepted(
    project, make_plan, new_round, name
):
    run, folder = open_run(make_plan(held_out=0), project, resume=None)
    scene = run.material.scenes[name]
    before = run.material.frames.bracket(scene).reference.copy()
    swap(project, name)
    finished = new_round(run, folder)
    (told,) = finished.changes
    assert told.startswith(f"{name}: is left out from this round on, because ")
    assert "not those the project knows" in told
    assert name not in {each.id for each in finished.scenes}
    assert name not in {scene.id for scene in run.labelled._scenes}
    accept(project)
    (told,) = new_round(run, folder).changes
    assert told.startswith(f"{name}: was left out, is ")
    # What was decoded before is not what is learned from now.
    assert not np.array_equal(run.material.frames.bracket(scene).reference, before)


def test_pictures_that_are_accepted_before_the_next_round_are_decoded_again(
    project, make_plan, new_round
):
    run, folder = open_run(make_plan(held_out=0), project, resume=None)
    scene, other = run.material.scenes["v"], run.material.scenes["u"]
    before = run.material.frames.bracket(scene).reference.copy()
    kept = run.material.frames.bracket(other)
    swap(project, "v")
    accept(project)
    assert new_round(run, folder).changes == ()
    assert not np.array_equal(run.material.frames.bracket(scene).reference, before)
    assert run.material.frames.bracket(other) is kept


def test_a_run_ends_with_the_sentence_where_every_label_has_other_pictures(
    project, make_plan, new_round
):
    run, folder = open_run(make_plan(held_out=0), project, resume=None)
    for name in "abc":
        swap(project, name)
    with pytest.raises(LabelError, match="are not those the project knows"):
        new_round(run, folder)


def test_a_resumed_run_is_refused_until_they_are_accepted(project, make_plan):
    run, folder = open_run(make_plan(), project, resume=None)
    del run
    swap(project, "a")
    with pytest.raises(LabelError, match="other pictures"):
        open_run(make_plan(), project, resume=folder.id)
    accept(project)
    assert open_run(make_plan(), project, resume=folder.id)


def test_a_model_labels_no_scene_of_other_pictures(project):
    swap(project, "u")
    with pytest.raises(ProjectError, match=r"other pictures .* \(u\)"):
        list(label_scenes(project, model="starter", device="cpu"))
    assert not (project / "pseudo" / "u.exr").exists()


def test_a_scene_that_cannot_be_labelled_costs_the_others_nothing_and_is_told(project):
    swap(project, "u")
    with Project.open(project) as opened:
        lost = opened.scene("v").frames[1]
    lost.unlink()
    left_out = {}
    *_, finished = label_scenes(project, model="starter", device="cpu", left_out=left_out)
    assert [scene.id for scene in finished.scenes] == ["w"]
    assert sorted(each.name for each in (project / "pseudo").glob("*.exr")) == ["w.exr"]
    assert "the pictures of u are not those the project knows" in left_out.pop("u")
    assert str(lost) in left_out.pop("v")
    assert not left_out


def test_where_no_scene_can_be_labelled_it_is_refused_in_one_sentence(project):
    for name in "uvw":
        with Project.open(project) as opened:
            opened.scene(name).frames[1].write_bytes(b"II*\0")
        accept(project)
    with pytest.raises(LabelError, match="truncated or damaged"):
        list(label_scenes(project, model="starter", device="cpu", left_out={}))


def test_what_has_other_pictures_is_measured_nowhere_and_told_until_they_are_accepted(project):
    def measured(split):
        *_, figures = evaluate(project, model="starter", split=split, device="cpu")
        return [scene.id for scene in figures.scenes], figures.problems

    assert measured("unlabelled") == ([*"uvw"], ())
    swap(project, "u")
    swap(project, "t")
    scenes, (told,) = measured("unlabelled")
    assert scenes == [*"vw"]
    assert "the pictures of u are not those the project knows" in told
    with pytest.raises(BadScene, match=r"the pictures of t are not those .*accept PROJECT"):
        measured("test")
    accept(project)
    assert measured("unlabelled") == ([*"uvw"], ())
    assert measured("test") == (["t"], ())


def test_figures_of_before_are_not_told_of_changed_pictures(project, make_plan):
    list(train(make_plan(), project))
    checkpoint = latest_checkpoint(project)
    *_, figures = evaluate(project, model=checkpoint, device="cpu", split="unlabelled")
    assert kept_figures(project, checkpoint, split="unlabelled") == figures
    swap(project, "u")
    assert kept_figures(project, checkpoint, split="unlabelled") is None
