"""FSHDR learns from few labels and from brackets it makes itself, in stages one can go on with."""

from dataclasses import replace

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

from smarthdr_studio.core.errors import ProjectError
from smarthdr_studio.core.imaging.bracket import Bracket
from smarthdr_studio.core.imaging.flow import moved_as
from smarthdr_studio.core.project.decisions import Decisions
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
from smarthdr_studio.core.training.round_files import open_round_file
from smarthdr_studio.learning.checkpoints import latest_checkpoint
from smarthdr_studio.learning.crops import CropBatch
from smarthdr_studio.learning.estimate import time_steps
from smarthdr_studio.learning.evaluation import evaluate
from smarthdr_studio.learning.losses import Target
from smarthdr_studio.learning.methods.fshdr import FsHdr, exposure_loss, squared_loss, synthesised
from smarthdr_studio.learning.networks import NETWORKS, Prediction
from smarthdr_studio.learning.trainer import train

pytestmark = pytest.mark.usefixtures("tiny_network")

PLAN = {
    "system": "fshdr",
    "held_out": 0,
    "teacher": {"uncertainty": "views", "ema": 0.9},
    "schedule": {"epochs": 4, "warmup_epochs": 2, "steps_per_epoch": 2, "halve_at_epoch": None},
    "fshdr": {"rise_every": 1},
}


@pytest.fixture(scope="module")
def plan(make_plan):
    return make_plan(**PLAN)


@pytest.fixture(scope="module")
def uninterrupted(make_project, plan, tmp_path_factory):
    return whole_run(make_project(tmp_path_factory.mktemp("fshdr")), plan)


def test_it_learns_from_labels_in_both_stages_and_labels_the_pool_at_the_end(uninterrupted):
    events, _, (_, label) = uninterrupted
    assert isinstance(events[-1], RunFinished)
    assert events[-1].outcome == "done"
    (started,) = (e for e in events if isinstance(e, RunStarted))
    assert started.labelled == ("a", "b", "c")
    assert started.total_steps == len(steps_of(events)) == 8
    for _, _, losses in steps_of(events):
        assert losses.keys() == {"total", "labelled_reconstruction", "unlabelled_reconstruction"}
    (finished,) = (e for e in events if isinstance(e, RoundFinished))
    assert {scene.id for scene in finished.scenes} == set("uvw")
    assert label.provenance.uncertainty == "views"


def test_reference_frames_count_a_which_rises_and_brackets_count_in_full(uninterrupted):
    events, _, _ = uninterrupted
    counts = []
    for _, epoch, losses in steps_of(events):
        unlabelled = losses["total"] - losses["labelled_reconstruction"]
        counts.append((epoch, round(unlabelled / losses["unlabelled_reconstruction"], 2)))
    assert sorted(set(counts)) == [(0, 0.5), (1, 0.6), (2, 1.0), (3, 1.0)]


def test_its_stages_are_told_in_words(uninterrupted):
    events, _, _ = uninterrupted
    said = [e.text for e in events if isinstance(e, PhaseChanged)]
    assert [text for text in said if text.startswith("epoch")] == [
        "epoch 1 of 4: stage 1 of 2, labels and reference frames",
        "epoch 2 of 4: stage 1 of 2, labels and reference frames",
        "epoch 3 of 4: stage 2 of 2, labels and synthesised brackets",
        "epoch 4 of 4: stage 2 of 2, labels and synthesised brackets",
    ]
    assert [text for text in said if "making a bracket" in text] == [
        f"stage 2 of 2: making a bracket of scene {number} of 3" for number in (1, 2, 3)
    ]


def test_a_synthesised_bracket_has_its_label_as_reference(uninterrupted):
    _, project, _ = uninterrupted
    (run,) = (project / "runs").iterdir()
    made = open_round_file(run / "stages" / "2.safetensors")
    assert sorted(made) == ["u", "v", "w"]
    for maps in made.values():
        light = (
            maps.hdr.astype(np.float64) * 2.0**2
        )  # the reference is two stops above the shortest
        wanted = np.round(65535 * np.clip(light, 0, 1) ** (1 / 2.2))
        np.testing.assert_allclose(maps.frames[1].astype(float), wanted, atol=1.5)


def test_it_can_be_evaluated_on_test_scenes_and_on_those_it_labelled(uninterrupted):
    _, project, _ = uninterrupted
    for split, scenes in (("test", {"t"}), ("unlabelled", {"u", "v", "w"})):
        *_, found = evaluate(project, split=split, model=latest_checkpoint(project), device="cpu")
        assert {scene.id for scene in found.scenes} == scenes


MOMENTS = {
    "in the first stage": after(3),
    "at the end of the first stage": after(4),
    "while making brackets": during("making a bracket of scene 2"),
    "at the start of the second stage": during("epoch 3 of 4"),
    "in the second stage": after(7),
    "in the labelling at the end": during("labelling scene 2"),
}


def test_stopped_and_resumed_at_any_moment_equals_uninterrupted(project, plan, uninterrupted):
    stopped_and_resumed_equals(uninterrupted, project, plan, moments=MOMENTS)


def test_held_out_labels_check_the_last_stage(project, make_plan, events_of):
    events = list(train(make_plan(**{**PLAN, "held_out": 1}), project))
    checks = [e for e in events if isinstance(e, Validated)]
    assert [check.epoch for check in checks] == [2, 3]
    *_, found = evaluate(project, split="held-out", device="cpu", again=True)
    assert [scene.id for scene in found.scenes] == list(events_of(events, RunStarted)[0].held_out)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(NETWORKS) - {"light"}))
def test_every_backbone_takes_both_stages(project, make_plan, name):
    short = {**PLAN["schedule"], "epochs": 2, "warmup_epochs": 1, "steps_per_epoch": 1}
    batch = {"labelled": 1, "unlabelled": 1}
    plan = make_plan(**{**PLAN, "network": {"name": name}, "schedule": short, "batch": batch})
    taken = steps_of(events_until(project, plan, after(2)))
    assert [losses["total"] > 0 for _, _, losses in taken] == [True, True]


def test_without_a_label_it_is_refused_with_what_to_do(project, plan):
    with Project.open(project) as opened:
        Decisions(opened).demote(["a", "b", "c"])
    with pytest.raises(ProjectError, match=r"No scene has a label to learn from; .*quick-selfhdr"):
        list(train(plan, project))


def test_with_labels_alone_it_learns_from_labels_alone(project, plan):
    with Project.open(project) as opened:
        Decisions(opened).exclude(["u", "v", "w"])
    events = list(train(plan, project))
    assert events[-1].outcome == "done"
    for _, _, losses in steps_of(events):
        assert losses.keys() == {"total", "labelled_reconstruction"}


def test_a_run_of_both_halves_is_timed_as_well(project, plan):
    assert time_steps(plan, project, steps=1).images == plan.batch.labelled + plan.batch.unlabelled


def crops(*, trusted):
    reference = pixels(*[(0.0, 0.0)] * 3, *[(0.5, 1.0)] * 3)
    return CropBatch(
        frames=(reference * 0, reference, reference * 0),
        target=Target(pixels(*[(0.4, 0.6)] * 3), torch.tensor(trusted)[None, None, None]),
        sigma=pixels((0.0, 0.0)),
        stops=torch.tensor([[0.0, 2.0, 4.0]]),
    )


SEEN = Prediction(hdr=pixels(*[(0.1, 0.3)] * 3), sigma=pixels((0.1, 0.1)))


def test_labels_teach_by_the_squared_error_on_the_mu_law_of_pixels_that_count():
    both = squared_loss(SEEN, crops(trusted=[True, True]), None)
    first, second = (mu(0.4) - mu(0.1)) ** 2, (mu(0.6) - mu(0.3)) ** 2
    assert both.reconstruction.item() == pytest.approx((first + second) / 2, rel=1e-5)
    one = squared_loss(SEEN, crops(trusted=[False, True]), None)
    assert one.reconstruction.item() == pytest.approx(second, rel=1e-5)
    assert (both.perceptual, both.nll, both.structure) == (None, None, None)


def test_a_label_with_weights_teaches_by_them():
    weighed = crops(trusted=[True, True])
    weight = pixels((1.0, 0.25))
    weighed = replace(weighed, target=weighed.target._replace(weight=weight))
    first, second = (mu(0.4) - mu(0.1)) ** 2, (mu(0.6) - mu(0.3)) ** 2
    taught = squared_loss(SEEN, weighed, None).reconstruction.item()
    assert taught == pytest.approx((first + 0.25 * second) / 1.25, rel=1e-5)


def test_a_reference_frame_teaches_by_the_squared_error_of_the_prediction_exposed_again():
    terms = exposure_loss(SEEN, crops(trusted=[True, True]), None)
    first = ((4 * 0.1) ** (1 / 2.2) - 0.5) ** 2
    clipped = 0.0  # 4 · 0.3 is brighter than white, and so is the frame
    assert terms.reconstruction.item() == pytest.approx((first + clipped) / 2, rel=1e-5)


def test_black_predictions_are_still_taught():
    hdr = torch.zeros(1, 3, 1, 2, requires_grad=True)
    terms = exposure_loss(Prediction(hdr, SEEN.sigma), crops(trusted=[True, True]), None)
    terms.reconstruction.backward()
    assert torch.isfinite(hdr.grad).all()
    assert (hdr.grad < 0).all()


@pytest.mark.parametrize(("epoch", "a"), [(0, 0.5), (9, 0.5), (10, 0.6), (25, 0.7), (59, 1.0)])
def test_a_rises_by_a_tenth_every_ten_epochs(epoch, a):
    assert FsHdr(load_preset("fshdr")).weight(epoch) == pytest.approx(a)


def test_a_bracket_without_motion_is_exposed_where_it_stands():
    generator = np.random.default_rng(0)
    radiance = generator.random((24, 32, 3)).astype(np.float16) / 4
    still = frames_of(radiance.astype(float))
    found = synthesised(still, radiance)
    for frame, stops in zip(found, still.stops, strict=True):
        wanted = 65535 * np.clip(radiance.astype(float) * 2.0**stops, 0, 1) ** (1 / 2.2)
        inside = slice(4, -4), slice(4, -4)
        assert np.abs(frame[inside] - wanted[inside]).mean() < 0.02 * 65535


def test_over_and_under_are_made_of_the_prediction_as_they_were_moved():
    generator = np.random.default_rng(1)
    radiance = generator.random((24, 32, 3)).astype(np.float16) / 4
    bracket = Bracket(
        under=frames_of(radiance).under,
        reference=np.roll(frames_of(radiance).reference, 3, axis=1),
        over=frames_of(radiance).over,
        stops=(0.0, 2.0, 4.0),
    )
    found = synthesised(bracket, radiance)
    for index in (0, 2):
        light = moved_as(bracket, index, radiance.astype(np.float32)) * 2.0 ** (2 * index)
        wanted = np.round(65535 * np.clip(light, 0, 1) ** (1 / 2.2))
        np.testing.assert_allclose(found[index].astype(float), wanted, atol=1.5)


def frames_of(radiance):
    under, reference, over = (
        np.round(
            65535 * np.clip(radiance.astype(np.float32) * 2.0**stops, 0, 1) ** (1 / 2.2)
        ).astype(np.uint16)
        for stops in (0, 2, 4)
    )
    return Bracket(under=under, reference=reference, over=over, stops=(0.0, 2.0, 4.0))


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"teacher.uncertainty": "judge"}, "teacher.uncertainty"),
        ({"schedule.warmup_epochs": 0}, "schedule.warmup_epochs"),
        ({"batch.unlabelled": 0}, "batch.unlabelled"),
        ({"loss.perceptual_weight": 0.01}, "loss.perceptual_weight"),
        ({"fshdr.rise_every": 0}, "fshdr.rise_every"),
    ],
)
def test_what_contradicts_it_is_told_at_its_setting(changes, key):
    is_told_at(key, preset="fshdr", changes=changes)


@pytest.mark.parametrize("name", ["fshdr", "quick-fshdr"])
def test_its_presets_leave_nothing_idle_and_what_a_person_adds_is_told(name):
    values = flat(load_preset(name))
    assert idle(values) == {}
    told = idle(values | {"loss.nll_weight": 0.5, "loss.ramp_up": 3, "schedule.refresh_every": 4})
    assert sorted(told) == ["loss.nll_weight", "loss.ramp_up", "schedule.refresh_every"]
    elsewhere = idle(flat(load_preset("quick")) | {"fshdr.rise": 0.2})
    assert elsewhere["fshdr.rise"] == "not used: it is of the method fshdr"
