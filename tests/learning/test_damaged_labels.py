"""A label that is not what was frozen is told and never learned from."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from smarthdr_studio.core.errors import LabelError, ProjectError
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.events import RoundFinished, StepReported
from smarthdr_studio.learning.checkpoints import latest_checkpoint
from smarthdr_studio.learning.evaluation import evaluate
from smarthdr_studio.learning.model_labelling import label_scenes
from smarthdr_studio.learning.run_setup import open_run
from smarthdr_studio.learning.trainer import train

SHAPE = (72, 96)


def _file(project, name):
    """The newest label or brought truth of a scene."""
    return max((project / "labels" / name).iterdir(), key=lambda path: int(path.stem))


def _damage(path):
    """One bit of a file turns; the file as it was."""
    whole = path.read_bytes()
    spoilt = bytearray(whole)
    spoilt[len(spoilt) // 2] ^= 1
    path.write_bytes(spoilt)
    return whole


def _lose_brushes(project):
    with closing(sqlite3.connect(project / "project.sqlite")) as connection:
        connection.execute("UPDATE person_masks SET runs = x'00'")
        connection.commit()


def _learned(run):
    return {scene.id for scene in run.labelled._scenes}


@pytest.fixture
def damaged_start(project, decide, make_truth):
    """Makes the project one of three that cannot be learned from; says the sentence."""

    def make(kind):
        if kind == "a painted mask":
            decide("paint", "v", lambda _: np.ones(SHAPE, np.int8))
            _lose_brushes(project)
            return "what was painted on v is damaged"
        if kind == "a promoted label":
            decide("promote", ["v"])
            _damage(_file(project, "v"))
        if kind == "a brought truth":
            radiance, about = make_truth(1)
            decide("import_truth", "v", radiance, **about)
            _damage(_file(project, "v"))
        if kind == "a label that is gone":
            decide("promote", ["v"])
            _file(project, "v").unlink()
        return r"labels/v/1\.exr"

    return make


@pytest.mark.parametrize(
    "kind", ["a promoted label", "a brought truth", "a label that is gone", "a painted mask"]
)
def test_a_damaged_file_is_refused_before_anything_is_written(
    project, make_plan, damaged_start, kind
):
    sentence = damaged_start(kind)
    with pytest.raises(LabelError, match=sentence):
        list(train(make_plan(), project))
    assert not (project / "runs").exists()


@pytest.mark.parametrize("kind", ["promote", "import_truth"])
def test_damage_meanwhile_is_told_once_left_out_and_over_when_the_file_is_back(
    project, decide, make_plan, make_truth, new_round, kind
):
    if kind == "promote":
        decide("promote", ["v"])
    else:
        radiance, about = make_truth(1)
        decide("import_truth", "v", radiance, **about)
    run, folder = open_run(make_plan(held_out=0), project, resume=None)
    assert _learned(run) == set("abcv")
    whole = _damage(_file(project, "v"))
    (told,) = new_round(run, folder).changes
    assert told.startswith(f"v: is left out from this round on, because {_file(project, 'v')}")
    assert _learned(run) == set("abc")
    run.take_step()
    assert new_round(run, folder).changes == ()
    _file(project, "v").write_bytes(whole)
    (told,) = new_round(run, folder).changes
    assert told.startswith("v: was left out, is ")
    assert _learned(run) == set("abcv")


def test_a_lost_brush_leaves_its_scene_out_of_the_pool(project, decide, make_plan, new_round):
    run, folder = open_run(make_plan(), project, resume=None)
    decide("paint", "v", lambda _: -np.ones(SHAPE, np.int8))
    _lose_brushes(project)
    finished = new_round(run, folder)
    assert {scene.id for scene in finished.scenes} == {"u", "w"}
    (told,) = finished.changes
    assert "v: is left out from this round on, because" in told
    assert "undo it or paint anew" in told
    decide("undo")
    assert new_round(run, folder).changes == ("v: was left out, is unlabelled from this round on",)


def test_a_run_ends_with_the_sentence_where_no_label_is_left(project, decide, make_plan, new_round):
    decide("promote", ["v"])
    decide("exclude", ["a", "b", "c"])
    run, folder = open_run(make_plan(held_out=0), project, resume=None)
    _damage(_file(project, "v"))
    with pytest.raises(LabelError, match=r"labels/v/1\.exr: is not what was promoted"):
        new_round(run, folder)
    assert _learned(run) == {"v"}  # the run is as it was before, and can be saved


def test_training_goes_on_around_a_damaged_label_to_its_end(project, decide, make_plan):
    decide("promote", ["v"])
    events = []
    for event in train(make_plan(held_out=0), project):
        events.append(event)
        if isinstance(event, StepReported) and event.step == 1:
            _damage(_file(project, "v"))
    assert events[-1].outcome == "done"
    told = [change for e in events if isinstance(e, RoundFinished) for change in e.changes]
    assert len(told) == 1
    assert "is not what was promoted" in told[0]


def test_a_damaged_truth_of_a_held_out_scene_is_not_validated_against(
    project, decide, make_plan, make_truth, new_round, drive
):
    run, _ = open_run(make_plan(held_out=2), project, resume=None)
    spoilt, sound = run.label_set.held_out
    radiance, about = make_truth(1)
    decide("import_truth", spoilt, radiance, **about)
    run, folder = open_run(make_plan(held_out=2), project, resume=None)
    assert run.label_set.held_out == (spoilt, sound)
    _damage(_file(project, spoilt))
    (told,) = new_round(run, folder).changes
    assert told.startswith(f"{spoilt}: is left out")
    assert set(drive(run.validate()).scenes) == {sound}


def _stopped(project, plan):
    """The name of a run that stopped after its third step."""
    with closing(train(plan, project)) as events:
        for event in events:
            if isinstance(event, StepReported) and event.step == 3:
                break
    (folder,) = (project / "runs").iterdir()
    return folder.name


def test_a_run_resumes_once_its_damaged_label_is_mended_or_given_up(project, decide, make_plan):
    decide("promote", ["v"])
    plan = make_plan(held_out=0)
    name = _stopped(project, plan)
    _damage(_file(project, "v"))
    with pytest.raises(LabelError, match="is not what was promoted"):
        list(train(plan, project, resume=name))
    decide("promote", ["v"])  # a new version stands for the damaged one
    run, _ = open_run(plan, project, resume=name)
    assert run.label_set.promoted["v"].path == _file(project, "v")
    assert _learned(run) == set("abcv")
    decide("demote", ["v"])
    run, _ = open_run(plan, project, resume=name)
    assert _learned(run) == set("abc")
    events = list(train(plan, project, resume=name))
    assert events[-1].outcome == "done"
    told = [change for e in events if isinstance(e, RoundFinished) for change in e.changes]
    assert told == [
        "v: was promoted, is left out from this round on",
        "v: was left out, is unlabelled from this round on",
    ]


def test_a_resumed_run_keeps_to_the_truth_it_learned_from_until_the_next_round(
    project, decide, make_plan, make_truth, new_round
):
    first, about = make_truth(1)
    decide("import_truth", "v", first, **about)
    plan = make_plan(held_out=0)
    name = _stopped(project, plan)
    second, about = make_truth(2)
    decide("import_truth", "v", second, **about)
    run, folder = open_run(plan, project, resume=name)
    store, scene = run.material.frames, run.material.scenes["v"]
    np.testing.assert_array_equal(store.ground_truth(scene), first.astype(np.float16))
    assert new_round(run, folder).changes == (
        "v: learns from an imported ground truth from this round on",
    )
    scene = run.material.scenes["v"]
    np.testing.assert_array_equal(store.ground_truth(scene), second.astype(np.float16))


def test_a_teacher_is_measured_against_a_brought_truth_and_never_a_damaged_one(
    project, decide, make_plan, make_truth
):
    list(train(make_plan(system="supervised", schedule={"epochs": 1}), project))
    *_, before = evaluate(project, device="cpu")
    radiance, about = make_truth(1)
    decide("import_truth", "t", radiance, **about)
    with Project.open(project) as opened:
        assert opened.statuses()["t"] is Status.TEST
    *_, after = evaluate(project, device="cpu")
    assert after.mean.psnr_mu != before.mean.psnr_mu
    _damage(_file(project, "t"))
    with pytest.raises(LabelError, match=r"labels/t/1\.exr"):
        list(evaluate(project, device="cpu"))


def test_labels_are_not_made_over_a_brush_that_is_lost(project, decide, make_plan):
    list(train(make_plan(system="supervised", schedule={"epochs": 1}), project))
    decide("paint", "v", lambda _: np.ones(SHAPE, np.int8))
    _lose_brushes(project)
    before = (project / "pseudo" / "v.exr").read_bytes()
    with pytest.raises(ProjectError, match="what was painted on v is damaged"):
        list(label_scenes(project, model=latest_checkpoint(project), device="cpu"))
    assert (project / "pseudo" / "v.exr").read_bytes() == before
    left_out = {}
    *_, finished = label_scenes(
        project, model=latest_checkpoint(project), device="cpu", left_out=left_out
    )
    assert [scene.id for scene in finished.scenes] == ["u", "w"]
    assert "what was painted on v is damaged" in left_out["v"]
    assert (project / "pseudo" / "v.exr").read_bytes() == before
