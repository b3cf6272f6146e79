"""Figures of a checkpoint beside the plain merge, in the shape that scripts rely on."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from made_models import make_checkpoint

from smarthdr_studio.core.errors import CheckpointError, ProjectError, UnreadableImage
from smarthdr_studio.core.imaging.bracket import FrameStore
from smarthdr_studio.core.imaging.metrics import quality
from smarthdr_studio.core.imaging.radiometry import exposure_weighted_merge
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.events import PhaseChanged
from smarthdr_studio.core.trust.reliability import Part
from smarthdr_studio.learning.checkpoints import latest_checkpoint
from smarthdr_studio.learning.evaluation import PartQuality, evaluate, kept_figures
from smarthdr_studio.learning.export import export_model
from smarthdr_studio.learning.trainer import train

FIGURES = {"psnr_mu", "psnr_l", "ssim_mu", "ssim_l"}


@pytest.fixture
def trained(project, make_plan):
    list(train(make_plan(system="supervised", schedule={"epochs": 1}), project))
    return project


def test_the_answer_has_the_shape_scripts_rely_on(trained):
    *progress, result = evaluate(trained, device="cpu")
    assert all(isinstance(event, PhaseChanged) for event in progress)
    values = json.loads(json.dumps(result.as_json()))
    assert set(values) >= {"checkpoint", "mean", "merge", "reliability", "scenes"}
    assert set(values["mean"]) == set(values["merge"]) == FIGURES
    assert set(values["reliability"]) == {"spearman", "ause", "ence"}
    assert values["checkpoint"] == str(latest_checkpoint(trained))
    assert [scene["id"] for scene in values["scenes"]] == ["t"]
    assert set(values["scenes"][0]) >= FIGURES | {"merge", "spearman", "ause"}


def test_the_merge_beside_it_is_the_plain_one(trained):
    *_, result = evaluate(trained, device="cpu")
    store = FrameStore()
    with Project.open(trained) as opened:
        scene = opened.scene("t")
    bracket = store.bracket(scene)
    merged = exposure_weighted_merge(bracket.frames, stops=bracket.stops)
    assert result.merge == quality(merged, store.ground_truth(scene))


def test_means_are_over_scenes_and_unlabelled_ones_with_a_ground_truth_count(trained):
    *_, result = evaluate(trained, split="unlabelled", device="cpu")
    assert [scene.id for scene in result.scenes] == ["u", "v", "w"]
    expected = np.mean([scene.teacher.psnr_mu for scene in result.scenes])
    assert result.mean.psnr_mu == pytest.approx(expected)
    expected = np.mean([scene.reliability.spearman for scene in result.scenes])
    assert result.reliability.spearman == pytest.approx(expected)


def test_a_part_without_any_error_adds_nothing_to_the_mean_of_the_others(trained):
    *_, result = evaluate(trained, device="cpu")
    (scene,) = result.scenes
    of = PartQuality(share=0.25, psnr_mu=30.0, psnr_l=40.0)
    exact = PartQuality(share=0.75, psnr_mu=math.inf, psnr_l=math.inf)
    kept = PartQuality(share=0.5, psnr_mu=math.nan, psnr_l=32.0)  # as a file keeps what is endless

    def mean(*parts):
        scenes = tuple(replace(scene, parts={Part.MOVING: part}) for part in parts)
        return replace(result, scenes=scenes).parts[Part.MOVING]

    assert mean(of, exact) == PartQuality(share=0.5, psnr_mu=30.0, psnr_l=40.0)
    assert mean(of, kept) == PartQuality(share=0.375, psnr_mu=30.0, psnr_l=36.0)
    assert mean(exact, exact).psnr_mu == math.inf


def test_without_checkpoint_or_ground_truth_the_remedy_is_named(project):
    with pytest.raises(CheckpointError, match="train first"):
        list(evaluate(project, device="cpu"))


def test_a_split_without_ground_truth_is_refused(trained):
    with Project.open(trained) as opened:
        Decisions(opened).exclude(["u", "v", "w"])
    with pytest.raises(ProjectError, match="no unlabelled scene has a ground truth"):
        list(evaluate(trained, split="unlabelled", device="cpu"))


@pytest.fixture
def checkpoint(project, make_plan):
    """Of a run that never learned from scene c."""
    return make_checkpoint(project / "runs" / "a-run", make_plan())


def measured(project, **how):
    """The figures, and how many scenes were measured for them."""
    *progress, result = evaluate(project, device="cpu", **how)
    return result, sum(event.phase == "validating" for event in progress)


def test_figures_of_a_checkpoint_are_there_again_at_once(project, checkpoint):
    first, count = measured(project, model=checkpoint, split="unlabelled")
    assert count == 3
    assert measured(project, model=checkpoint, split="unlabelled") == (first, 0)
    assert kept_figures(project, checkpoint, split="unlabelled") == first
    kept = checkpoint.parents[1] / "evaluations" / f"{checkpoint.name}-unlabelled.json"
    assert json.loads(kept.read_text(encoding="utf-8"))["scenes"][0]["id"] == "u"
    again, count = measured(project, model=checkpoint, split="unlabelled", again=True)
    assert (again, count) == (first, 3)


def test_other_weights_files_or_scenes_are_measured_anew(project, checkpoint, make_plan):
    measured(project, model=checkpoint, split="unlabelled")
    frame = project.parent / "data" / "u" / "0.png"
    frame.write_bytes(frame.read_bytes())
    assert kept_figures(project, checkpoint, split="unlabelled") is None
    measured(project, model=checkpoint, split="unlabelled")
    with Project.open(project) as opened:
        Decisions(opened).exclude(["v"])
    assert kept_figures(project, checkpoint, split="unlabelled") is None
    measured(project, model=checkpoint, split="unlabelled")
    torch.manual_seed(5)
    same_step = make_checkpoint(checkpoint.parents[1], make_plan(tile=64))
    assert same_step == checkpoint
    assert kept_figures(project, checkpoint, split="unlabelled") is None


def test_damaged_figures_are_measured_anew(project, checkpoint):
    first, _ = measured(project, model=checkpoint)
    kept = checkpoint.parents[1] / "evaluations" / f"{checkpoint.name}-test.json"
    whole = kept.read_text(encoding="utf-8")
    for text in ("", "{}", whole[:-20], whole.replace('"merge"', '"marge"')):
        kept.write_text(text, encoding="utf-8")
        assert measured(project, model=checkpoint) == (first, 1)


def test_held_out_labels_are_those_the_run_of_the_checkpoint_kept_back(project, checkpoint):
    result, _ = measured(project, model=checkpoint, split="held-out")
    assert [scene.id for scene in result.scenes] == ["c"]


def test_a_bundle_is_evaluated_as_its_checkpoint_and_keeps_nothing(project, checkpoint, tmp_path):
    bundle = tmp_path / "a.shdrmodel"
    list(export_model(checkpoint, bundle, form="bundle"))
    ours, _ = measured(project, model=bundle)
    theirs, _ = measured(project, model=checkpoint.parents[1])
    assert ours.scenes == theirs.scenes
    assert (ours.run, ours.step) == ("a-run", 12)
    assert measured(project, model=bundle) == (ours, 1)
    with pytest.raises(CheckpointError, match="does not know which labels"):
        measured(project, model=bundle, split="held-out")


def damage(project, *scenes):
    """Their first frames are nothing any more, and somebody has accepted that."""
    for scene in scenes:
        (project.parent / "data" / scene / "1.png").write_bytes(b"nothing")
    with Project.open(project) as opened:
        Decisions(opened).accept_pictures(opened.compare_pictures())


def test_a_scene_that_cannot_be_read_is_told_and_the_others_count(project, checkpoint):
    damage(project, "v")
    result, _ = measured(project, model=checkpoint, split="unlabelled")
    assert [scene.id for scene in result.scenes] == ["u", "w"]
    assert len(result.problems) == 1
    assert "1.png" in result.problems[0]
    damage(project, *"uw")
    with pytest.raises(UnreadableImage, match=r"1\.png"):
        measured(project, model=checkpoint, split="unlabelled")


def test_measuring_can_be_given_up_between_two_tiles(project, checkpoint):
    def give_up(_done, _total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measured(project, model=checkpoint, said=give_up)
    assert not (checkpoint.parents[1] / "evaluations").exists()
