"""What a person decides while a run goes on counts from the next round on, and is told."""

import numpy as np
import pytest

from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.training.round_files import open_round_file, round_path
from smarthdr_studio.learning.run_setup import open_run

SHAPE = (72, 96)


@pytest.fixture
def begun(project, decide, make_plan, new_round):
    """A run with one scene held out that has made its first round, and its folder."""
    run, folder = open_run(make_plan(held_out=1, seed=0), project, resume=None)
    assert not new_round(run, folder).changes
    return run, folder


def _learned(run, name):
    """What the crops of a labelled scene are held against."""
    (index,) = [i for i, s in enumerate(run.labelled._scenes) if s.id == name]
    return run.labelled._labels[index]


def _brush(first=1, last=-1):
    brush = np.zeros(SHAPE, np.int8)
    brush[:10], brush[-10:] = first, last
    return brush


def test_a_brush_painted_meanwhile_is_used_and_told_from_the_next_round_on(
    begun, decide, new_round
):
    run, folder = begun
    decide("paint", "v", lambda _: _brush())
    assert not open_round_file(round_path(folder.path, number=1))["v"].trusted[:10].all()
    assert new_round(run, folder).changes == ("v: the brush is new from this round on",)
    trusted = open_round_file(round_path(folder.path, number=2))["v"].trusted
    assert trusted[:10].all()
    assert not trusted[-10:].any()
    assert new_round(run, folder).changes == ()
    decide("paint", "v", lambda _: _brush(last=0))
    assert new_round(run, folder).changes == ("v: the brush is new from this round on",)
    decide("undo")
    decide("undo")
    assert new_round(run, folder).changes == ("v: the brush is gone from this round on",)


def test_a_brush_painted_before_the_run_is_in_its_first_round(
    project, decide, make_plan, new_round
):
    decide("paint", "w", lambda _: _brush())
    run, folder = open_run(make_plan(), project, resume=None)
    finished = new_round(run, folder)
    assert finished.changes == ()
    trusted = open_round_file(round_path(folder.path, number=1))["w"].trusted
    assert trusted[:10].all()
    (share,) = [scene.retained for scene in finished.scenes if scene.id == "w"]
    assert share == trusted.mean()


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("pixels", ["trusted", "all"])
def test_a_label_counts_whole_by_choice_of_the_person_or_of_the_plan(
    project, decide, make_plan, whole, pixels
):
    decide("promote", ["v"], whole=whole)
    run, _ = open_run(make_plan(promoted_pixels=pixels), project, resume=None)
    trusted = _learned(run, "v")[2]
    assert (trusted is None) == (whole or pixels == "all")
    if trusted is not None:
        assert 0 < trusted.mean() < 1


def test_a_choice_for_the_whole_picture_is_told(begun, decide, new_round):
    run, folder = begun
    decide("promote", ["v"])
    assert new_round(run, folder).changes == ("v: was unlabelled, is promoted from this round on",)
    decide("promote", ["v"], whole=True)
    assert new_round(run, folder).changes == (
        "v: has a new promoted label from this round on",
        "v: every pixel of its label counts from this round on",
    )
    assert _learned(run, "v")[2] is None
    decide("undo")
    assert new_round(run, folder).changes == (
        "v: has a new promoted label from this round on",
        "v: only trusted pixels of its label count from this round on",
    )
    assert _learned(run, "v")[2] is not None


def test_a_truth_brought_meanwhile_is_learned_from_at_the_next_round(
    begun, decide, new_round, make_truth
):
    run, folder = begun
    radiance, about = make_truth(1)
    decide("import_truth", "u", radiance, **about)
    assert new_round(run, folder).changes == (
        "u: was unlabelled, is ground truth from this round on",
        "u: learns from an imported ground truth from this round on",
    )
    np.testing.assert_array_equal(_learned(run, "u")[0], radiance.astype(np.float16))
    assert "u" not in open_round_file(round_path(folder.path, number=2))
    other, about = make_truth(2)
    decide("import_truth", "u", other, **about)
    assert new_round(run, folder).changes == (
        "u: learns from an imported ground truth from this round on",
    )
    np.testing.assert_array_equal(_learned(run, "u")[0], other.astype(np.float16))


def test_a_truth_in_place_of_the_datasets_is_decoded_anew_and_undone(
    begun, decide, new_round, make_truth
):
    run, folder = begun
    name = run.label_set.labelled[0]
    before = _learned(run, name)[0]
    radiance, about = make_truth(3)
    decide("import_truth", name, radiance, **about)
    assert new_round(run, folder).changes == (
        f"{name}: learns from an imported ground truth from this round on",
    )
    np.testing.assert_array_equal(_learned(run, name)[0], radiance.astype(np.float16))
    decide("undo")
    assert new_round(run, folder).changes == (
        f"{name}: learns from the dataset's ground truth from this round on",
    )
    np.testing.assert_array_equal(_learned(run, name)[0], before)


def test_parts_follow_the_journal_not_the_folders_of_the_dataset(begun, decide, new_round):
    run, folder = begun
    name = run.label_set.labelled[0]
    split = {name: Status.TEST, "t": Status.GROUND_TRUTH, "w": Status.EXCLUDED}
    decide("import_split", split)
    assert new_round(run, folder).changes == (
        f"{name}: was ground truth, is left out from this round on",
        "t: was left out, is ground truth from this round on",
        "w: was unlabelled, is left out from this round on",
    )
    assert {s.id for s in run.labelled._scenes} == {"t", *"abc"} - {name, *run.label_set.held_out}
    decide("import_split", {"t": Status.UNLABELLED, name: Status.UNLABELLED})
    finished = new_round(run, folder)
    assert {scene.id for scene in finished.scenes} == {"t", "u", "v", name}


@pytest.mark.parametrize("status", [Status.UNLABELLED, Status.TEST, Status.EXCLUDED])
def test_a_held_out_scene_is_never_learned_from_whatever_it_becomes(
    begun, decide, status, new_round, drive
):
    run, folder = begun
    (held_out,) = run.label_set.held_out
    decide("import_split", {held_out: status})
    finished = new_round(run, folder)
    assert held_out not in {scene.id for scene in finished.scenes}
    assert held_out not in {scene.id for scene in run.labelled._scenes}
    assert set(drive(run.validate()).scenes) == {held_out}


def test_a_held_out_scene_is_validated_against_the_truth_that_was_brought(
    begun, decide, new_round, make_truth, drive
):
    run, folder = begun
    (held_out,) = run.label_set.held_out
    before = drive(run.validate()).psnr_mu
    radiance, about = make_truth(4)
    decide("import_truth", held_out, radiance, **about)
    assert new_round(run, folder).changes == (
        f"{held_out}: is validated against an imported ground truth from this round on",
    )
    after = drive(run.validate()).psnr_mu
    assert after != before
    assert held_out not in {scene.id for scene in run.labelled._scenes}
