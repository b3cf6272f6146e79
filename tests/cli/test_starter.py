"""Without any training the shell labels, merges and begins a run by the model that ships."""

import shutil

import numpy as np
import pytest

from smarthdr_studio.cli import BAD_INPUT, PARTLY
from smarthdr_studio.core.imaging.image_files import read_layers
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.starter import starter_card
from smarthdr_studio.core.trust.pseudo_label import read_provenance


@pytest.fixture
def bare(run, dataset, tmp_path):
    """A project in which nothing is labelled."""
    assert run("new", tmp_path / "bare.shdr", dataset, "--labelled", 0).status == 0
    return tmp_path / "bare.shdr"


def test_label_fills_the_pool_and_masks_queue_and_promotion_work_on_it(run, bare):
    told = run("label", bare, "--model", "starter", "--device", "cpu", "--json")
    assert told.status == 0, told.err
    names = [scene["id"] for scene in told.json["scenes"]]
    with Project.open(bare) as project:
        of = read_provenance(project.pseudo_path(names[0]))
    assert (of.run, of.round, of.checkpoint) == ("starter", 0, starter_card().weights)
    masks = run("masks", bare, "--json").json
    assert masks["pool"]["retained"] == pytest.approx(told.json["retained"], abs=1e-6)
    assert run("queue", bare, "--json").status == 0
    promoted = run("promote", bare, names[0])
    assert promoted.status == 0, promoted.err
    assert of.checkpoint in run("history", bare, "--json").out


def test_label_does_the_others_where_pictures_of_one_changed_unless_it_was_named(
    run, dataset, tmp_path
):
    bare, own = tmp_path / "bare.shdr", shutil.copytree(dataset, tmp_path / "own")
    assert run("new", bare, own, "--labelled", 0).status == 0
    frame = sorted((own / "Training" / "002").glob("*.tif"))[1]
    frame.write_bytes(frame.read_bytes()[::-1])
    words = ("label", bare, "--model", "starter", "--device", "cpu", "--json")
    told = run(*words, "--scenes", "002", "--scenes", "003")
    assert (told.status, told.out) == (BAD_INPUT, "")
    assert not list((bare / "pseudo").glob("*.exr"))
    told = run(*words)
    assert told.status == PARTLY, told.err
    assert [scene["id"] for scene in told.json["scenes"]] == ["001", "003", "004", "005"]
    (left_out,) = told.json["left_out"]
    assert left_out["id"] == "002"
    assert "the pictures of 002 are not those the project knows" in left_out["why"]
    assert f"left out: {left_out['why']}\n" in told.err


def test_merge_answers_by_network_with_sigma(run, dataset, tmp_path):
    frames = sorted((dataset / "Training" / "001").glob("*.tif"))
    answer = run("merge", *frames, "-o", tmp_path / "o.exr", "--model", "starter", "--json")
    assert answer.status == 0, answer.err
    assert "starter" in answer.json["method"]
    layers, _ = read_layers(tmp_path / "o.exr")
    assert np.isfinite(layers["uncertainty.Y"]).all()


def test_merge_warns_of_a_bracket_that_spans_more_than_it_has_seen(run, dataset, tmp_path):
    frames = sorted((dataset / "Training" / "001").glob("*.tif"))
    words = ("--model", "starter", "--evs", "0,2,4")
    answer = run("merge", *frames, "-o", tmp_path / "o.exr", *words)
    low, high = starter_card().ranges["span"]
    assert low <= 4 <= high
    assert "span" not in answer.err


def test_a_run_from_the_starter_has_its_network_and_says_so(run, project):
    command = run("train", project, "--from", "starter", "--print-command")
    assert "--set network.start_from=starter" in command.out
    assert "light" in command.out or "quick" in command.out


def test_from_starter_and_resume_exclude_each_other(run, project):
    answer = run("train", project, "--from", "starter", "--resume", "last")
    assert answer.status == 2
    assert "--from starter" in answer.err
