"""Figures of a checkpoint beside the plain merge, in the shape that scripts rely on."""

import json

import numpy as np
import pytest

from smarthdr_studio.core.errors import CheckpointError, ProjectError
from smarthdr_studio.core.events import PhaseChanged
from smarthdr_studio.core.frames import FrameStore
from smarthdr_studio.core.project import Project
from smarthdr_studio.core.quality import quality
from smarthdr_studio.core.radiance import exposure_weighted_merge
from smarthdr_studio.learning.checkpoints import latest_checkpoint
from smarthdr_studio.learning.evaluation import evaluate
from smarthdr_studio.learning.training import train

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
    assert set(values["reliability"]) == {"spearman", "ause"}
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


def test_without_checkpoint_or_ground_truth_the_remedy_is_named(project):
    with pytest.raises(CheckpointError, match="train first"):
        list(evaluate(project, device="cpu"))


def test_a_split_without_ground_truth_is_refused(trained):
    from smarthdr_studio.core.decisions import Decisions

    with Project.open(trained) as opened:
        Decisions(opened).exclude(["u", "v", "w"])
    with pytest.raises(ProjectError, match="no unlabelled scene has a ground truth"):
        list(evaluate(trained, split="unlabelled", device="cpu"))
