"""The patches of a run's plan travel with its pseudo-labels, and everybody counts in them."""

import json

import numpy as np
import pytest

from smarthdr_studio.cli import main
from smarthdr_studio.core.curation.project_facts import read_project_facts
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.events import RoundFinished
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label
from smarthdr_studio.learning.trainer import train

SIZE = 16


@pytest.fixture
def trained(project, make_plan):
    """The project after a round in patches of 16, and what the run said of that round."""
    plan = make_plan(masks={"patch_size": SIZE})
    events = [*train(plan, project)]
    (*_, told) = [event for event in events if isinstance(event, RoundFinished)]
    return project, told


def test_the_verb_masks_counts_in_the_patches_of_the_run(trained, capsys):
    project, told = trained
    capsys.readouterr()
    assert main(["masks", str(project), "--json"]) == 0
    pool = json.loads(capsys.readouterr().out)["pool"]
    assert pool["retained"] == pytest.approx(told.retained, abs=1e-9)
    assert pool["patches_retained"] == pytest.approx(told.patches_retained, abs=1e-9)


def test_what_is_painted_is_counted_in_the_patches_of_the_scene(trained):
    project, _ = trained
    with Project.open(project) as opened:
        half = np.zeros((72, 96), np.int8)
        half[:, :48] = 1
        Decisions(opened).paint("u", lambda _: half)
        facts = read_project_facts(opened)
    assert facts.painted["u"].patch_size == SIZE
    assert facts.problems == ()


def test_a_promoted_label_is_frozen_in_the_patches_it_was_made_with(trained):
    project, _ = trained
    with Project.open(project) as opened:
        assert opened.ledger().masks.patch_size == MaskSettings().patch_size
        Decisions(opened).promote(["u"])
        label = read_pseudo_label(opened.label_path("u"))
    assert label.provenance.masks.patch_size == SIZE


def test_a_scene_labelled_by_hand_gets_the_patches_of_the_checkpoints_run(trained):
    project, _ = trained
    assert main(["label", str(project), "--scenes", "u"]) == 0
    label = read_pseudo_label(project / "pseudo" / "u.exr")
    assert label.provenance.round == 0
    assert label.provenance.masks.patch_size == SIZE
