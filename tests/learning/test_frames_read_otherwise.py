"""How frames are read may be decided anew while a run learns: one way counts at a time."""

from contextlib import closing

import numpy as np

from smarthdr_studio.core.imaging.bracket import FrameReading
from smarthdr_studio.core.imaging.response import ResponseCurve
from smarthdr_studio.core.training.events import RoundFinished, StepReported
from smarthdr_studio.learning.run_setup import open_run
from smarthdr_studio.learning.saved_state import save_run
from smarthdr_studio.learning.trainer import train

OTHERWISE = FrameReading(response=ResponseCurve(tables=((0.0, 0.2, 1.0),)))


def read_by(scenes):
    return {scene.reading for scene in scenes}


def test_from_the_next_round_on_labels_are_read_like_everything_else(
    project, make_plan, new_round, decide
):
    run, folder = open_run(make_plan(), project, resume=None)
    decide("read_frames", OTHERWISE)
    told = new_round(run, folder).changes
    assert f"frames are read {OTHERWISE.words} from this round on, were read with gamma 2.2" in told
    assert read_by(run.labelled._scenes) == read_by(run.unlabelled._scenes) == {OTHERWISE}
    assert read_by(run.validated()) == {OTHERWISE}


def test_frames_that_are_chosen_meanwhile_count_from_the_next_round_on_and_not_before(
    project, make_plan, new_round, decide
):
    run, folder = open_run(make_plan(), project, resume=None)
    name = run.labelled._scenes[0].id
    before = run.material.scenes[name].frames
    new_round(run, folder)
    save_run(run, folder=folder)
    del run
    decide("choose_frames", name, (0, 1, 1))
    again, folder = open_run(make_plan(), project, resume=folder.id)
    assert again.material.scenes[name].frames == before
    told = new_round(again, folder).changes
    assert f"{name}: its frames are 1, 2 and 2 from this round on" in told
    chosen = (before[0], before[1], before[1])
    assert again.material.scenes[name].frames == chosen
    assert next(each for each in again.labelled._scenes if each.id == name).frames == chosen
    save_run(again, folder=folder)
    decide("undo")
    once_more, folder = open_run(make_plan(), project, resume=folder.id)
    assert once_more.material.scenes[name].frames == chosen
    told = new_round(once_more, folder).changes
    assert f"{name}: its frames are as they were found from this round on" in told
    assert once_more.material.scenes[name].frames == before


def test_what_lay_on_the_device_is_decoded_anew(project, make_plan, new_round, decide, monkeypatch):
    run, folder = open_run(make_plan(), project, resume=None)
    stock = run.material._stock
    monkeypatch.setattr(type(stock), "_has_room", lambda _self, _nbytes: True)
    run.labelled.batch(8)
    before = {name: frames.clone() for name, frames in stock._on_device.items()}
    decide("read_frames", OTHERWISE)
    new_round(run, folder)
    run.labelled.batch(8)
    assert before
    assert not any(np.array_equal(before[n], stock._on_device[n]) for n in before)


def test_a_run_that_is_resumed_goes_on_as_it_was_until_a_round_says_otherwise(
    project, make_plan, new_round, decide
):
    run, folder = open_run(make_plan(), project, resume=None)
    new_round(run, folder)
    save_run(run, folder=folder)
    del run
    decide("read_frames", OTHERWISE)
    again, folder = open_run(make_plan(), project, resume=folder.id)
    assert read_by(again.material.scenes.values()) == {FrameReading()}
    told = new_round(again, folder).changes
    assert [each for each in told if each.startswith("frames are read")]
    assert read_by(again.labelled._scenes) == {OTHERWISE}


def test_a_method_in_stages_is_resumed_to_the_bit_whatever_is_decided_meanwhile(
    project, make_project, make_plan, tmp_path, decide
):
    plan = make_plan(
        system="selfhdr", held_out=0, teacher={"uncertainty": "views"}, schedule={"epochs": 2}
    )

    def losses(events):
        return [event.losses for event in events if isinstance(event, StepReported)]

    whole = losses(train(plan, make_project(tmp_path / "whole")))
    heard = []
    with closing(train(plan, project)) as events:
        for event in events:
            heard.append(event)
            if isinstance(event, StepReported):
                break
    (run,) = (path.name for path in (project / "runs").iterdir())
    decide("read_frames", OTHERWISE)
    rest = list(train(plan, project, resume=run))
    assert losses(heard) + losses(rest) == whole
    (last,) = (event for event in rest if isinstance(event, RoundFinished))
    assert [each for each in last.changes if each.startswith("frames are read")]
