"""A run says what it does, uses what it says, and keeps what it learned."""

import json
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
import torch

from smarthdr_studio.core.errors import DeviceError, PlanError, ProjectError
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.events import (
    CheckpointSaved,
    PhaseChanged,
    RoundFinished,
    RunFinished,
    RunStarted,
    StepReported,
    Validated,
)
from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.core.training.round_files import kept_rounds
from smarthdr_studio.core.training.run_folder import RunFolder
from smarthdr_studio.core.training.run_index import list_rows
from smarthdr_studio.core.trust.masking import MaskSettings
from smarthdr_studio.core.trust.pseudo_label import read_provenance, read_pseudo_label
from smarthdr_studio.learning import mean_teacher as learners
from smarthdr_studio.learning.checkpoints import latest_checkpoint, read_info
from smarthdr_studio.learning.crops import read_promoted_label
from smarthdr_studio.learning.losses import Target
from smarthdr_studio.learning.model_files import load_model
from smarthdr_studio.learning.run_setup import prepare_run
from smarthdr_studio.learning.trainer import train


@pytest.fixture(scope="module")
def finished(make_project, make_plan, tmp_path_factory):
    """A whole small run: its events and its folder."""
    project = make_project(tmp_path_factory.mktemp("finished"))
    events = list(train(make_plan(), project))
    return events, RunFolder(project / "runs" / events[-1].run)


def test_a_run_speaks_in_phases_from_its_first_moment_to_its_last(finished, events_of):
    events, _ = finished
    assert isinstance(events[0], PhaseChanged)
    assert events[0].phase == "preparing"
    phases = [event.phase for event in events_of(events, PhaseChanged)]
    told_once = [p for p, before in zip(phases, [None, *phases], strict=False) if p != before]
    assert told_once[:6] == [
        "preparing", "warm-up", "validating", "saving", "labelling", "learning"
    ]  # fmt: skip
    assert events[-1].outcome == "done"
    (started,) = events_of(events, RunStarted)
    steps = events_of(events, StepReported)
    assert started.total_steps == len(steps) == 6
    assert [step.step for step in steps] == list(range(1, 7))
    assert steps[-1].learning_rate == pytest.approx(steps[0].learning_rate / 2)
    assert steps[-1].seconds_left >= 0


def test_warm_up_uses_no_pseudo_label(finished, events_of):
    events, _ = finished
    for step in events_of(events, StepReported):
        has_pseudo_terms = any(name.startswith("unlabelled") for name in step.losses)
        assert has_pseudo_terms == (step.epoch >= 1)
    first_round = next(i for i, e in enumerate(events) if isinstance(e, RoundFinished))
    assert not any(
        name.startswith("unlabelled")
        for event in events_of(events[:first_round], StepReported)
        for name in event.losses
    )


def test_the_folder_holds_the_plan_the_events_the_curves_and_checkpoints(finished, make_plan):
    events, folder = finished
    project = folder.path.parent.parent
    assert load_preset(str(folder.plan_path)) == make_plan()
    lines = [json.loads(line) for line in folder.events_path.read_text().splitlines()]
    assert [line["event"] for line in lines] == [type(e).__name__ for e in events[1:]]
    assert all("time" in line for line in lines)
    assert any(path.name.startswith("events.out") for path in folder.tensorboard.iterdir())
    info = read_info(latest_checkpoint(project))
    assert (info.step, info.epoch, info.network) == (6, 3, "light")
    assert info.metrics["psnr_mu"] == [e for e in events if isinstance(e, Validated)][-1].psnr_mu
    with Project.open(project) as opened:
        (listed,) = list_rows(opened)
    assert (listed.status, listed.preset) == ("done", "tiny")


def test_tensorboard_reads_every_curve(finished, events_of):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events, folder = finished
    reader = EventAccumulator(str(folder.tensorboard))
    reader.Reload()
    curve = [point.value for point in reader.Scalars("loss/total")]
    np.testing.assert_allclose(
        curve, [e.losses["total"] for e in events_of(events, StepReported)], rtol=1e-6
    )
    assert len(reader.Scalars("round/retained")) == len(events_of(events, RoundFinished))


def test_a_finished_run_leaves_the_prediction_of_its_last_teacher(finished):
    _, folder = finished
    project = folder.path.parent.parent
    info = read_info(latest_checkpoint(project))
    for name in "uvw":
        of = read_pseudo_label(project / "pseudo" / f"{name}.exr").provenance
        assert (of.checkpoint, of.run, of.epoch) == (info.teacher, folder.id, 3)
    assert kept_rounds(folder.path) == {1, 2, 3}


def test_held_out_labels_are_validated_on_and_never_learned_from(finished, events_of):
    events, _ = finished
    (started,) = events_of(events, RunStarted)
    assert len(started.held_out) == 1
    assert not set(started.held_out) & set(started.labelled)
    assert {*started.held_out, *started.labelled} == {"a", "b", "c"}
    assert all(set(e.scenes) == set(started.held_out) for e in events_of(events, Validated))


def test_training_lowers_the_loss(project, make_plan, events_of):
    plan = make_plan(
        schedule={"epochs": 1, "steps_per_epoch": 25, "learning_rate": 3e-3}, held_out=0
    )
    steps = events_of(list(train(plan, project)), StepReported)
    totals = [step.losses["total"] for step in steps]
    assert np.mean(totals[-5:]) < np.mean(totals[:5])


def test_sigma_is_trained_towards_the_error(project, make_plan):
    # A label that no picture can meet where the reference is bright: there σ must stay above.
    run = prepare_run(make_plan(held_out=0, loss={"nll_gradient": "judge"}), project)
    batch = run.labelled.batch(2)
    bright = batch.frames[1][:, 3:].mean(1, keepdim=True) > 0.5
    merged = run.learner.student(*batch.frames).hdr.detach()
    noise = torch.rand(merged.shape, generator=torch.Generator().manual_seed(0))
    hdr = torch.where(bright, merged * noise, merged)
    impossible = replace(batch, target=Target(hdr, batch.target.trusted))
    for step in range(120):
        run.learner.step(impossible, None, rate=2e-3, step=step)
    with torch.no_grad():
        sigma = run.learner.student(*batch.frames).sigma
    assert sigma[bright].mean() > 1.1 * sigma[~bright].mean()


def test_same_plan_and_seed_give_the_same_losses(project, make_plan, events_of):
    plan = make_plan(schedule={"epochs": 2, "steps_per_epoch": 2})
    first, second = (
        [event.losses for event in events_of(list(train(plan, project)), StepReported)]
        for _ in range(2)
    )
    assert first == second
    other = make_plan(seed=1, schedule={"epochs": 1, "steps_per_epoch": 1})
    (third, *_) = events_of(list(train(other, project)), StepReported)
    assert third.losses != first[0]


def test_a_promotion_made_meanwhile_takes_effect_next_round_and_is_announced(
    project, make_plan, events_of
):
    plan = make_plan(schedule={"epochs": 3, "warmup_epochs": 0}, masks={"patches": False})
    events, promoted = [], False
    for event in train(plan, project):
        events.append(event)
        if isinstance(event, StepReported) and event.epoch == 0 and not promoted:
            promoted = True
            with Project.open(project) as opened:
                decisions = Decisions(opened)
                decisions.promote(["v"])
                decisions.exclude(["w"])
                decisions.set_masks(MaskSettings(tau_pixel=0.9))
    rounds = events_of(events, RoundFinished)
    assert rounds[0].changes == ()
    assert [scene.id for scene in rounds[0].scenes] == ["u", "v", "w"]
    assert rounds[1].changes == (
        "v: was unlabelled, is promoted from this round on",
        "w: was unlabelled, is left out from this round on",
        "τ_pi is 0.9, was 0.4",
    )
    assert [scene.id for scene in rounds[1].scenes] == ["u"]
    assert rounds[1].masks.tau_pixel == 0.9
    assert rounds[2].changes == ()


def test_what_is_decided_after_the_last_round_that_teaches_counts_from_the_next_run_on(
    project, make_plan, events_of
):
    plan = make_plan(schedule={"epochs": 3, "warmup_epochs": 0, "refresh_every": 2})
    events, promoted = [], False
    for event in train(plan, project):
        events.append(event)
        if isinstance(event, StepReported) and event.epoch == 2 and not promoted:
            promoted = True
            with Project.open(project) as opened:
                Decisions(opened).promote(["v"])
    (started,), rounds = events_of(events, RunStarted), events_of(events, RoundFinished)
    assert (started.rounds_left, started.changes_wait) == (2, False)
    assert [each.rounds_left for each in rounds] == [1, 0, 0]
    assert rounds[2].changes == ("v: was unlabelled, is promoted from the next run on",)


def test_a_run_that_is_gone_on_with_knows_that_a_decision_waits_for_its_next_round(
    project, make_plan, events_of
):
    plan = make_plan(schedule={"epochs": 2, "warmup_epochs": 0})
    with closing(train(plan, project)) as run:
        while not events_of([next(run)], StepReported):
            pass
    (name,) = [path.name for path in (project / "runs").iterdir()]
    waits = []
    for promoted in ((), ("v",)):
        with Project.open(project) as opened:
            Decisions(opened).promote(list(promoted))
        with closing(train(plan, project, resume=name)) as run:
            started = next(event for event in run if isinstance(event, RunStarted))
            waits.append((started.rounds_left, started.changes_wait))
    assert waits == [(1, False), (1, True)]


def test_a_scene_promoted_while_a_round_is_made_keeps_the_pseudo_label_it_was_promoted_with(
    project, make_plan, events_of
):
    plan = make_plan(schedule={"epochs": 3, "warmup_epochs": 0, "steps_per_epoch": 1})
    rounds, kept = [], {}
    with closing(train(plan, project)) as run:
        while len(rounds) < 2:
            event = next(run)
            rounds += events_of([event], RoundFinished)
            writes = isinstance(event, PhaseChanged) and event.text.startswith("writing scene 1")
            if rounds and writes:
                kept = {path: path.read_bytes() for path in (project / "pseudo").iterdir()}
                with Project.open(project) as opened:
                    Decisions(opened).promote(["v"])
                    frozen = opened.label_path("v").read_bytes()
    first, second = rounds
    assert [scene.id for scene in second.scenes] == ["u", "v", "w"]
    changed = {path.name for path, was in kept.items() if path.read_bytes() != was}
    assert changed == {"u.exr", "u.npz", "w.exr", "w.npz"}
    assert read_provenance(project / "pseudo" / "v.exr").round == first.round
    assert frozen == kept[project / "pseudo" / "v.exr"]


def test_a_promoted_scene_is_learned_from_with_its_frozen_label_and_trust(project, make_plan):
    list(train(make_plan(schedule={"epochs": 1, "steps_per_epoch": 1}), project))
    with Project.open(project) as opened:
        Decisions(opened).promote(["v"])
        path, scene = opened.label_path("v"), opened.scene("v")
    frozen = read_pseudo_label(path)
    (project / "pseudo" / "v.exr").unlink()
    run = prepare_run(make_plan(held_out=0), project)
    assert set(run.label_set.promoted) == {"v"}
    assert "v" not in run.label_set.unlabelled
    label = read_promoted_label(path, scene=scene, pixels="trusted")
    np.testing.assert_array_equal(label.hdr, frozen.hdr)
    assert 0 < label.trusted.mean() < 1
    assert read_promoted_label(path, scene=scene, pixels="all").trusted is None
    # Ground truths are trusted everywhere, the promoted label where it was.
    shares = {run.labelled.batch(1).target.trusted.float().mean().item() for _ in range(200)}
    assert 1.0 in shares
    assert min(shares) < 1.0


def test_thresholds_of_the_plan_win_over_the_projects(project, make_plan, events_of):
    plan = make_plan(
        schedule={"epochs": 1, "warmup_epochs": 0, "steps_per_epoch": 1},
        masks={"pixels": False, "tau_patch": 0.8},
    )
    rounds = events_of(list(train(plan, project)), RoundFinished)
    assert (rounds[0].masks.tau_patch, rounds[0].masks.tau_pixel) == (0.8, 1.0)


def test_closing_midway_leaves_a_loadable_checkpoint(project, make_plan):
    with closing(train(make_plan(), project)) as events:
        for event in events:
            if isinstance(event, StepReported) and event.step == 3:
                break
    checkpoint = latest_checkpoint(project)
    teacher, card = load_model(checkpoint)
    assert card.step == 3
    assert all(torch.isfinite(value).all() for value in teacher.state_dict().values())
    lines = (checkpoint.parent.parent / "events.jsonl").read_text().splitlines()
    last_two = [json.loads(line) for line in lines[-2:]]
    assert [line["event"] for line in last_two] == ["CheckpointSaved", "RunFinished"]
    assert last_two[1]["outcome"] == "stopped"


def test_out_of_memory_is_a_sentence_and_the_state_before_the_step_is_saved(
    project, make_plan, monkeypatch
):
    real = learners.half_loss

    def half_loss(*args, **kwargs):
        if len(list((project / "runs").glob("*/checkpoints/step-*"))):
            raise torch.OutOfMemoryError("Tried to allocate 20.00 GiB")
        return real(*args, **kwargs)

    monkeypatch.setattr(learners, "half_loss", half_loss)
    with pytest.raises(DeviceError, match=r"Out of memory: .*compute\.accumulate=2"):
        list(train(make_plan(), project))
    assert read_info(latest_checkpoint(project)).step == 2
    (events,) = (project / "runs").glob("*/events.jsonl")
    last = json.loads(events.read_text().splitlines()[-1])
    assert (last["event"], last["outcome"]) == ("RunFinished", "failed")


def test_an_unknown_error_is_told_as_it_is(project, make_plan, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("a programmer's mistake")

    monkeypatch.setattr(learners, "half_loss", broken)
    with pytest.raises(ZeroDivisionError):
        list(train(make_plan(), project))


@pytest.mark.parametrize(
    ("changes", "error", "sentence"),
    [
        ({"batch": {"crop": 128}}, PlanError, r"batch\.crop is 128"),
        ({"device": "cuda:77"}, DeviceError, "cuda:77"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(
    project, make_plan, changes, error, sentence
):
    with pytest.raises(error, match=sentence):
        list(train(make_plan(**changes), project))
    assert not (project / "runs").exists()


def test_a_project_without_labels_is_refused(project, make_plan):
    with Project.open(project) as opened:
        Decisions(opened).exclude(["a", "b", "c"])
    with pytest.raises(ProjectError, match="No scene has a label"):
        list(train(make_plan(), project))
    assert not (project / "runs").exists()


def test_no_mode_of_torch_is_on_between_events(project, make_plan):
    for _ in train(make_plan(schedule={"epochs": 2, "steps_per_epoch": 1}), project):
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()
        assert not torch.is_autocast_enabled("cpu")


def test_checkpoints_are_announced_after_they_are_whole(project, make_plan):
    for event in train(make_plan(), project):
        if isinstance(event, CheckpointSaved):
            assert read_info(latest_checkpoint(project)).step == event.step
        if isinstance(event, RunFinished):
            assert event.outcome == "done"
