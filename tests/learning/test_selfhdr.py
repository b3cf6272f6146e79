"""SelfHDR learns without a label, in two stages that can be gone on with bit for bit."""

import numpy as np
import pytest
import torch
from staged_runs import (
    after,
    during,
    events_until,
    is_told_at,
    mu,
    pixels,
    steps_of,
    stopped_and_resumed_equals,
    whole_run,
)

from smarthdr_studio.core.errors import CheckpointError
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.events import (
    PhaseChanged,
    RoundFinished,
    RunFinished,
    RunStarted,
    Validated,
)
from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.core.training.plan_schema import flat, idle
from smarthdr_studio.core.training.round_files import SceneLabel
from smarthdr_studio.core.training.run_folder import run_folders
from smarthdr_studio.core.training.run_start import read_start_state
from smarthdr_studio.learning.crops import CropBatch
from smarthdr_studio.learning.estimate import time_steps
from smarthdr_studio.learning.losses import Target
from smarthdr_studio.learning.methods.selfhdr import colour_loss, held_against, structure_loss
from smarthdr_studio.learning.networks import Prediction
from smarthdr_studio.learning.run_setup import prepare_run
from smarthdr_studio.learning.trainer import train

pytestmark = pytest.mark.usefixtures("tiny_network")

PLAN = {
    "system": "selfhdr",
    "held_out": 0,
    "teacher": {"uncertainty": "views", "ema": 0.9},
    "schedule": {"epochs": 4, "warmup_epochs": 2, "steps_per_epoch": 2, "halve_at_epoch": None},
}


@pytest.fixture(scope="module")
def plan(make_plan):
    return make_plan(**PLAN)


@pytest.fixture
def bare(project):
    """The small project without any label: a, b and c are unlabelled too."""
    return without_labels(project)


def without_labels(project):
    with Project.open(project) as opened:
        Decisions(opened).demote(["a", "b", "c"])
        assert Status.GROUND_TRUTH not in opened.statuses().values()
    return project


@pytest.fixture(scope="module")
def uninterrupted(make_project, plan, tmp_path_factory):
    return whole_run(without_labels(make_project(tmp_path_factory.mktemp("selfhdr"))), plan)


def test_a_project_without_any_label_trains_and_gets_pseudo_labels_at_the_end(uninterrupted):
    events, project, (_, label) = uninterrupted
    assert isinstance(events[-1], RunFinished)
    assert events[-1].outcome == "done"
    (started,) = (e for e in events if isinstance(e, RunStarted))
    assert started.labelled == ()
    assert started.total_steps == len(steps_of(events)) == 8
    (finished,) = (e for e in events if isinstance(e, RoundFinished))
    assert {scene.id for scene in finished.scenes} == set("abcuvw")
    assert label.provenance.uncertainty == "views"
    assert np.ptp(label.sigma) > 0
    assert sorted(path.name for path in (project / "pseudo").glob("*.exr"))[0] == "a.exr"


def test_its_stages_are_told_in_words(uninterrupted):
    events, _, _ = uninterrupted
    said = [e.text for e in events if isinstance(e, PhaseChanged)]
    learning = [text for text in said if text.startswith("epoch")]
    assert learning == [
        "epoch 1 of 4: stage 1 of 2, structure",
        "epoch 2 of 4: stage 1 of 2, structure",
        "epoch 3 of 4: stage 2 of 2, colour and structure",
        "epoch 4 of 4: stage 2 of 2, colour and structure",
    ]
    assert "stage 1 of 2: aligning the frames of scene 1 of 6" in said
    assert "stage 2 of 2: asking for the structure of scene 6 of 6" in said


def test_the_loss_has_the_terms_of_its_stage(uninterrupted):
    events, _, _ = uninterrupted
    for _, _, losses in steps_of(events):
        assert losses.keys() == {"total", "unlabelled_reconstruction", "unlabelled_structure"}
        parts = losses["unlabelled_reconstruction"] + losses["unlabelled_structure"]
        assert losses["total"] == pytest.approx(parts)


MOMENTS = {
    "while aligning": during("aligning the frames of scene 2"),
    "in the first stage": after(3),
    "at the end of the first stage": after(4),
    "while asking for structure": during("structure of scene 2"),
    "at the start of the second stage": during("epoch 3 of 4"),
    "in the second stage": after(7),
    "in the labelling at the end": during("labelling scene 2"),
}


def test_stopped_and_resumed_at_any_moment_equals_uninterrupted(bare, plan, uninterrupted):
    stopped_and_resumed_equals(uninterrupted, bare, plan, moments=MOMENTS)


def test_a_run_that_is_done_goes_on_in_its_last_stage_when_given_more_epochs(bare, make_plan):
    short = {**PLAN, "schedule": {**PLAN["schedule"], "epochs": 3}}
    events = list(train(make_plan(**short), bare))
    (run,) = (bare / "runs").iterdir()
    assert events[-1].outcome == "done"
    more = list(train(make_plan(**PLAN), bare, resume=run.name))
    assert more[-1].outcome == "done"
    assert [(step, epoch) for step, epoch, _ in steps_of(more)] == [(7, 3), (8, 3)]
    for _, _, losses in steps_of(more):
        assert "unlabelled_structure" in losses


def test_what_a_stage_learned_from_is_missed_in_one_sentence(bare, plan):
    events_until(bare, plan, after(3))
    (run,) = (bare / "runs").iterdir()
    (run / "stages" / "1.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"1\.safetensors: .* cannot be read"):
        list(train(plan, bare, resume=run.name))


def test_labels_are_not_learned_from_and_held_out_ones_check_the_last_stage(project, plan):
    held = plan.model_copy(update={"held_out": 1})
    events = list(train(held, project))
    (started,) = (e for e in events if isinstance(e, RunStarted))
    assert len(started.held_out) == 1
    assert started.material == "no label"
    assert read_start_state(run_folders(project)[0]).material == "no label"
    checks = [e for e in events if isinstance(e, Validated)]
    assert [check.epoch for check in checks] == [2, 3]
    assert prepare_run(held, project).learned_from == tuple(
        sorted({*"abcuvw"} - {*started.held_out})
    )


def test_the_second_stage_begins_with_a_new_network(bare, plan):
    run = prepare_run(plan, bare)
    before = [weights.clone() for weights in run.learner.student.parameters()]
    run.learner.begin_anew(seed=5)
    drawn = [weights.clone() for weights in run.learner.student.parameters()]
    assert any(not torch.equal(a, b) for a, b in zip(before, drawn, strict=True))
    run.learner.begin_anew(seed=5)
    for network in (run.learner.student, run.learner.teacher):
        for weights, same in zip(network.parameters(), drawn, strict=True):
            assert torch.equal(weights, same)
    assert not any(weights.requires_grad for weights in run.learner.teacher.parameters())
    assert not run.learner.optimiser.state


def crops(*, sigma, structure=None):
    reference = pixels(*[(0.2, 0.2)] * 3, *[(0.5, 0.75)] * 3)
    return CropBatch(
        frames=(reference, reference, reference),
        target=Target(pixels(*[(0.4, 0.6)] * 3), torch.ones(1, 1, 1, 2, dtype=torch.bool)),
        sigma=pixels(sigma),
        structure=structure,
    )


SEEN = Prediction(hdr=pixels(*[(0.3, 0.3)] * 3), sigma=pixels((0.1, 0.1)))


def test_structure_is_learned_from_agreeing_colour_and_the_well_exposed_reference():
    terms = structure_loss(SEEN, crops(sigma=(4 / 255, 6 / 255)), None)
    assert terms.reconstruction.item() == pytest.approx((mu(0.4) - mu(0.3)) / 2, rel=1e-5)
    to_reference = mu(0.3) - mu(0.2)  # weighted by 1 and, at 0.75, by a half
    assert terms.structure.item() == pytest.approx(4 * to_reference * 1.5 / 2, rel=1e-5)


def test_colour_is_learned_where_both_labels_agree_and_structure_teaches_the_rest():
    structure = pixels(*[(0.1, 0.1)] * 3)
    terms = colour_loss(SEEN, crops(sigma=(9 / 255, 11 / 255), structure=structure), None)
    assert terms.reconstruction.item() == pytest.approx((mu(0.4) - mu(0.3)) / 2, rel=1e-5)
    assert terms.structure.item() == pytest.approx((mu(0.3) - mu(0.1)) / 2, rel=1e-5)


def test_with_vgg_the_structure_label_teaches_everywhere_through_it():
    asked = []

    def perceptual(seen, structure, *, trusted):
        asked.append((seen, structure, trusted))
        return torch.tensor(0.25)

    structure = pixels(*[(0.1, 0.1)] * 3)
    terms = colour_loss(SEEN, crops(sigma=(0.0, 1.0), structure=structure), perceptual)
    assert terms.perceptual.item() == 0.25
    assert terms.structure is None
    ((seen, wanted, trusted),) = asked
    torch.testing.assert_close(seen, torch.full_like(seen, mu(0.3)))
    torch.testing.assert_close(wanted, torch.full_like(wanted, mu(0.1)))
    assert trusted.all()


def test_the_doubt_of_a_colour_label_is_the_largest_difference_of_a_channel():
    colour = SceneLabel(hdr=np.full((1, 1, 3), 0.5, np.float16))
    structure = np.array([[[0.5, 0.25, 0.4]]], np.float16)
    held = held_against(colour, structure)
    assert held.sigma[0, 0] == pytest.approx(mu(0.5) - mu(0.25), abs=1e-3)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"teacher.uncertainty": "judge"}, "teacher.uncertainty"),
        ({"schedule.warmup_epochs": 0}, "schedule.warmup_epochs"),
        ({"schedule.warmup_epochs": 300}, "schedule.warmup_epochs"),
        ({"batch.unlabelled": 0}, "batch.unlabelled"),
        ({"loss.unlabelled_weight": 0}, "loss.unlabelled_weight"),
    ],
)
def test_what_contradicts_it_is_told_at_its_setting(changes, key):
    is_told_at(key, preset="selfhdr", changes=changes)


@pytest.mark.parametrize("name", ["selfhdr", "quick-selfhdr"])
def test_its_presets_leave_nothing_idle_and_what_a_person_adds_is_told(name):
    values = flat(load_preset(name))
    assert idle(values) == {}
    told = idle(values | {"loss.nll_weight": 0.5, "batch.labelled": 2, "loss.ramp_up": 3})
    assert sorted(told) == ["batch.labelled", "loss.nll_weight", "loss.ramp_up"]


def test_a_run_without_labels_is_timed_as_well(bare, plan):
    assert time_steps(plan, bare, steps=1).images == plan.batch.unlabelled
