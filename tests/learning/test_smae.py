"""SMAE learns from frames, then labels, then weighted pseudo-labels, and can be gone on with."""

import json
import shutil
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
    outcome,
    steps_of,
    stopped_and_resumed_equals,
    whole_run,
)

from smarthdr_studio.core.errors import CheckpointError, ProjectError
from smarthdr_studio.core.imaging.bracket import Bracket, Scene
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.events import (
    PhaseChanged,
    RoundFinished,
    RunStarted,
    Steered,
    Validated,
)
from smarthdr_studio.core.training.plan import load_preset
from smarthdr_studio.core.training.plan_schema import flat, idle
from smarthdr_studio.core.training.plan_sections import BatchPlan, SmaePlan
from smarthdr_studio.core.training.round_files import open_round_file
from smarthdr_studio.core.training.steering import RefreshEvery, Wishes
from smarthdr_studio.learning.checkpoints import latest_checkpoint
from smarthdr_studio.learning.crops import CropBatch, crop_windows
from smarthdr_studio.learning.evaluation import evaluate
from smarthdr_studio.learning.losses import Target
from smarthdr_studio.learning.methods.smae import (
    UNKNOWN,
    Limits,
    Smae,
    error_of_reference,
    hidden_patches,
    label_loss,
    limits_of,
    masked_exposures,
    patch_errors,
    patch_weights,
    unclipped_loss,
    weighted_loss,
)
from smarthdr_studio.learning.networks import NETWORKS, Prediction
from smarthdr_studio.learning.run_setup import open_run
from smarthdr_studio.learning.trainer import train

pytestmark = pytest.mark.usefixtures("tiny_network")

PLAN = {
    "system": "smae",
    "held_out": 0,
    "teacher": {"uncertainty": "views", "ema": 0.9},
    "schedule": {
        "epochs": 5,
        "warmup_epochs": 1,
        "steps_per_epoch": 2,
        "halve_at_epoch": None,
        "checkpoint_every": 2,
        "refresh_every": 1,
    },
    "smae": {"label_epochs": 1},
}


@pytest.fixture(scope="module")
def plan(make_plan):
    return make_plan(**PLAN)


@pytest.fixture(scope="module")
def uninterrupted(make_project, plan, tmp_path_factory):
    return whole_run(make_project(tmp_path_factory.mktemp("smae")), plan)


def test_frames_teach_first_then_labels_then_both_halves(uninterrupted):
    events, _, (_, label) = uninterrupted
    assert events[-1].outcome == "done"
    (started,) = (e for e in events if isinstance(e, RunStarted))
    assert started.total_steps == len(steps_of(events)) == 10
    halves = {
        epoch: {name.partition("_")[0] for name in losses} - {"total"}
        for _, epoch, losses in steps_of(events)
    }
    both = {"labelled", "unlabelled"}
    assert halves == {0: {"unlabelled"}, 1: {"labelled"}, 2: both, 3: both, 4: both}
    (finished,) = (e for e in events if isinstance(e, RoundFinished))
    assert {scene.id for scene in finished.scenes} == set("uvw")
    assert label.provenance.uncertainty == "views"


def test_its_stages_are_told_in_words_and_pseudo_labels_are_made_again(uninterrupted):
    events, _, _ = uninterrupted
    said = [e.text for e in events if isinstance(e, PhaseChanged)]
    assert [text for text in said if text.startswith("epoch")] == [
        "epoch 1 of 5: stage 1 of 3, masked exposures",
        "epoch 2 of 5: stage 2 of 3, labels",
        "epoch 3 of 5: stage 3 of 3, labels and weighted pseudo-labels",
        "epoch 4 of 5: stage 3 of 3, labels and weighted pseudo-labels",
        "epoch 5 of 5: stage 3 of 3, labels and weighted pseudo-labels",
    ]
    asked = [text for text in said if "asking for" in text]
    assert asked == 3 * [f"stage 3 of 3: asking for scene {n} of 6" for n in range(1, 7)]


def test_labels_go_on_with_the_network_that_frames_have_taught(project, plan, drive):
    run, folder = open_run(plan, project, resume=None)
    drive(run.begin_stage(folder=folder))
    run.take_step()
    taught = [weights.clone() for weights in run.learner.student.parameters()]
    run.take_step()
    run.end_epoch()
    moved = [weights.clone() for weights in run.learner.student.parameters()]
    drive(run.begin_stage(folder=folder))
    assert run.progress.stage == 2
    now = list(run.learner.student.parameters())
    assert all(torch.equal(a, b) for a, b in zip(moved, now, strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(taught, moved, strict=True))


def test_weights_are_those_of_the_errors_of_the_pseudo_labels_on_disk(uninterrupted, plan):
    _, project, _ = uninterrupted
    (run,) = (project / "runs").iterdir()
    newest = max((run / "stages").glob("3-*.safetensors"))
    limits = json.loads(newest.with_suffix(".json").read_text(encoding="utf-8"))
    maps = open_round_file(newest)
    assert sorted(maps) == ["u", "v", "w"]
    worst = 0.0
    for scene in maps.values():
        sigma, size = scene.sigma.astype(float), plan.batch.crop
        for top in range(0, sigma.shape[0] - size + 1, plan.batch.stride):
            for left in range(0, sigma.shape[1] - size + 1, plan.batch.stride):
                pixels = sigma[top : top + size, left : left + size]
                known = pixels[pixels >= 0]
                worst = max(worst, known.mean() if known.size else 0.0)
    assert limits["largest"] >= worst - 1e-6
    assert limits["doubted"] > 0


MOMENTS = {
    "among masked exposures": after(1),
    "at the end of the first stage": after(2),
    "on labels": after(3),
    "while asking for pseudo-labels": during("asking for scene 5"),
    "in the last stage": after(5),
    "before pseudo-labels are made again": after(6),
    "after that": after(7),
    "in the labelling at the end": during("labelling scene 2"),
}


def test_stopped_and_resumed_at_any_moment_equals_uninterrupted(project, plan, uninterrupted):
    stopped_and_resumed_equals(uninterrupted, project, plan, moments=MOMENTS)


def test_killed_after_labels_were_made_again_it_goes_on_with_those_of_its_checkpoint(
    project, plan, uninterrupted
):
    events, _, (weights, _) = uninterrupted
    events_until(project, plan, after(9))  # labels were made before epochs 3, 4 and 5
    (run,) = (project / "runs").iterdir()
    # What closing saved is taken away again, as if it had been killed.
    newest = latest_checkpoint(project)
    assert int(newest.name.partition("-")[2]) == 9
    shutil.rmtree(newest)
    assert int(latest_checkpoint(project).name.partition("-")[2]) == 8
    second = list(train(plan, project, resume=run.name))
    assert steps_of(second) == steps_of(events)[8:]
    other, _ = outcome(project)
    assert all(torch.equal(weights[name], other[name]) for name in weights)


def test_only_labels_that_a_checkpoint_may_need_are_kept(project, make_plan):
    schedule = {**PLAN["schedule"], "epochs": 9, "checkpoint_every": 1}
    list(train(make_plan(**{**PLAN, "schedule": schedule}), project))
    (run,) = (project / "runs").iterdir()
    kept = sorted(int(p.stem.partition("-")[2]) for p in (run / "stages").glob("3-*.safetensors"))
    assert kept == [7, 8]
    assert len(list((run / "stages").glob("3-*.json"))) == 2


def test_how_often_labels_are_made_can_be_steered(project, plan):
    wishes, events = Wishes(), []
    for event in train(plan, project, wishes=wishes):
        events.append(event)
        if after(5)(event):
            wishes.ask(RefreshEvery(epochs=2))
    (told,) = (e.text for e in events if isinstance(e, Steered))
    assert told == "a round every 2 epochs from epoch 4 on"
    made = [e.text for e in events if isinstance(e, PhaseChanged) and "scene 1 of 6" in e.text]
    assert len(made) == 2  # before epochs 3 and 5


def test_limits_that_cannot_be_read_are_missed_in_one_sentence(project, plan):
    events_until(project, plan, after(5))
    (run,) = (project / "runs").iterdir()
    (run / "stages" / "3-00002.json").write_text("[]", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"3-00002\.json: .* cannot be read"):
        list(train(plan, project, resume=run.name))


def test_held_out_labels_check_the_last_stage(project, make_plan, events_of):
    events = list(train(make_plan(**{**PLAN, "held_out": 1}), project))
    assert [e.epoch for e in events if isinstance(e, Validated)] == [2, 3, 4]
    for split, scenes in (
        ("test", ["t"]),
        ("held-out", list(events_of(events, RunStarted)[0].held_out)),
        ("unlabelled", ["u", "v", "w"]),
    ):
        *_, found = evaluate(project, split=split, device="cpu")
        assert sorted(scene.id for scene in found.scenes) == scenes


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(NETWORKS) - {"light"}))
def test_every_backbone_takes_all_stages(project, make_plan, name):
    short = {**PLAN["schedule"], "epochs": 3, "steps_per_epoch": 1}
    batch = {"labelled": 1, "unlabelled": 1}
    plan = make_plan(**{**PLAN, "network": {"name": name}, "schedule": short, "batch": batch})
    taken = steps_of(events_until(project, plan, after(3)))
    assert [losses["total"] > 0 for _, _, losses in taken] == [True, True, True]


def test_without_a_label_it_is_refused_with_what_to_do(project, plan):
    with Project.open(project) as opened:
        Decisions(opened).demote(["a", "b", "c"])
    with pytest.raises(ProjectError, match=r"No scene has a label to learn from; .*quick-selfhdr"):
        list(train(plan, project))


def random_crops(*, count=2, side=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    radiance = torch.rand(count, 3, side, side, generator=generator)
    under = torch.cat([radiance, radiance.pow(1 / 2.2)], dim=1)
    return CropBatch(
        frames=(under, torch.rand(under.shape, generator=generator), under * 0),
        target=Target(radiance / 3, torch.rand(count, 1, side, side, generator=generator) < 0.5),
        sigma=torch.rand(count, 1, side, side, generator=generator),
        stops=torch.tensor([[0.0, 2.0, 4.0], [0.0, 3.0, 6.0]])[:count],
    )


def test_all_exposures_are_those_of_the_under_frame_and_three_quarters_are_hidden():
    crops = random_crops()
    shown = masked_exposures(crops, 7, plan=SmaePlan())
    radiance = crops.frames[0][:, :3].numpy().astype(float)
    masks = []
    for index, frame in enumerate(shown.frames):
        factor = 2.0 ** crops.stops[:, index].numpy()[:, None, None, None]
        camera = np.clip(radiance * factor, 0, 1) ** (1 / 2.2)
        whole = np.concatenate([camera**2.2 / factor, camera], axis=1)
        hidden = (frame == 0).all(1).numpy()
        masks.append(hidden)
        patches = hidden.reshape(2, 2, 8, 2, 8).mean(axis=(2, 4))
        assert set(np.unique(patches)) == {0.0, 1.0}
        assert patches.reshape(2, 4).sum(axis=1).tolist() == [3, 3]  # of four, 75 %
        seen = np.where(hidden[:, None], 0, whole)
        np.testing.assert_allclose(frame.numpy(), seen, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(shown.target.hdr, crops.frames[0][:, :3])
    assert shown.target.trusted.all()


def test_each_frame_hides_patches_of_its_own_and_the_same_number_hides_the_same():
    crops, plan = random_crops(count=1, side=64), SmaePlan()
    one, same, other = (masked_exposures(crops, n, plan=plan) for n in (3, 3, 4))
    for a, b in zip(one.frames, same.frames, strict=True):
        assert torch.equal(a, b)
    hidden = [(frame == 0).all(1) for frame in one.frames]
    assert not torch.equal(hidden[0], hidden[1])
    assert not torch.equal(hidden[1], hidden[2])
    assert not torch.equal(hidden[0], (other.frames[0] == 0).all(1))


@pytest.mark.parametrize(("share", "wanted"), [(0.0, 0), (0.5, 8), (0.75, 12)])
def test_the_share_of_hidden_patches_is_a_setting(share, wanted):
    plan = SmaePlan(masked=share, patch=8)
    hidden = hidden_patches((3, 6, 32, 32), plan=plan, generator=torch.Generator().manual_seed(0))
    assert hidden.shape == (3, 1, 32, 32)
    assert (hidden.sum((1, 2, 3)) == wanted * 64).all()


def test_patches_at_a_border_are_cut_to_the_crop():
    plan = SmaePlan(masked=0.75, patch=10)
    hidden = hidden_patches((1, 6, 16, 24), plan=plan, generator=torch.Generator().manual_seed(0))
    assert hidden.shape == (1, 1, 16, 24)


def test_the_exposures_are_said_whole_and_beyond_white():
    crops = random_crops()
    seen = Prediction(hdr=crops.target.hdr * 1.1, sigma=crops.sigma)
    terms = unclipped_loss(seen, crops, None)
    errors = [
        np.abs(mu(factor * 1.1 * wanted) - mu(factor * wanted)).mean()
        for wanted, stops in zip(
            crops.target.hdr.numpy().astype(float), crops.stops.numpy(), strict=True
        )
        for factor in 2.0**stops
    ]
    assert terms.reconstruction.item() == pytest.approx(np.mean(errors), rel=1e-4)
    assert (terms.perceptual, terms.nll, terms.structure) == (None, None, None)


def test_labels_teach_by_l1_on_the_mu_law_and_vgg_where_it_is_given():
    crops = random_crops()
    seen = Prediction(hdr=crops.target.hdr * 0.5, sigma=crops.sigma)
    asked = []

    def perceptual(one, other, *, trusted, weight):
        asked.append((one, other, trusted, weight))
        return torch.tensor(0.25)

    terms = label_loss(seen, crops, perceptual)
    wanted, trusted = crops.target.hdr.numpy().astype(float), crops.target.trusted.numpy()
    apart = np.abs(mu(wanted) - mu(wanted / 2)).mean(axis=1, keepdims=True)
    assert terms.reconstruction.item() == pytest.approx(apart[trusted].mean(), rel=1e-4)
    assert terms.perceptual.item() == 0.25
    assert torch.equal(asked[0][2], crops.target.trusted)
    assert label_loss(seen, crops, None).perceptual is None
    weight = torch.linspace(0, 1, trusted.size).reshape(trusted.shape)
    weighed = replace(crops, target=crops.target._replace(weight=weight))
    taught = label_loss(seen, weighed, perceptual).reconstruction.item()
    counts = weight.numpy() * trusted
    assert taught == pytest.approx((apart * counts).sum() / counts.sum(), rel=1e-4)
    assert torch.equal(asked[1][3], weight)


def weight_by_hand(error, doubted, largest):
    return 1.0 if error <= doubted else (largest - error) / (largest - doubted)


def test_a_patch_counts_in_full_up_to_the_limit_and_nothing_at_the_largest_error():
    errors = [0.0, 0.1, 0.1001, 0.25, 0.4]
    found = patch_weights(torch.tensor(errors), Limits(doubted=0.1, largest=0.4))
    wanted = [weight_by_hand(error, 0.1, 0.4) for error in errors]
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-6)
    none_beyond = patch_weights(torch.tensor(errors), Limits(doubted=0.5, largest=0.4))
    assert none_beyond.tolist() == [1.0] * 5


def test_pseudo_labels_count_by_the_error_of_their_patch():
    crops = random_crops()
    crops.sigma[0, :, :4] = UNKNOWN
    seen = Prediction(hdr=crops.target.hdr * 0.5, sigma=crops.sigma)
    limits = Limits(doubted=0.3, largest=0.8)
    sigma, wanted = crops.sigma.numpy().astype(float), crops.target.hdr.numpy().astype(float)
    total = perceived = 0.0
    for one in range(2):
        known = sigma[one][sigma[one] >= 0]
        weight = weight_by_hand(known.mean(), limits.doubted, limits.largest)
        assert 0 < weight < 1
        total += weight * np.abs(mu(wanted[one]) - mu(wanted[one] / 2)).mean() / 2
        perceived += weight * (one + 1) / 2
    given = iter([1.0, 2.0])
    terms = weighted_loss(limits)(
        seen, crops, lambda *_, trusted: torch.tensor(next(given)) * trusted.shape[0]
    )
    assert terms.reconstruction.item() == pytest.approx(total, rel=1e-4)
    assert terms.perceptual.item() == pytest.approx(perceived, rel=1e-4)
    assert weighted_loss(limits)(seen, crops, None).perceptual is None


def test_the_error_is_that_of_well_exposed_pixels_of_the_reference():
    codes = np.array([0.01, 0.3, 0.5, 0.99])  # noise, two that are exposed, clipped
    reference = np.round(65535 * codes).astype(np.uint16)[None, :, None].repeat(3, axis=2)
    bracket = Bracket(under=reference, reference=reference, over=reference, stops=(0.0, 2.0, 4.0))
    radiance = np.full((1, 4, 3), 0.04, np.float16)
    found = error_of_reference(bracket, radiance).astype(float)
    seen = (4 * 0.04) ** (1 / 2.2)
    np.testing.assert_allclose(
        found[0], [UNKNOWN, abs(seen - 0.3), abs(seen - 0.5), UNKNOWN], atol=1e-3
    )


def test_the_error_of_a_patch_is_its_mean_over_known_pixels_and_0_without_one(tmp_path):
    error = np.random.default_rng(0).random((24, 32)).astype(np.float16)
    error[:16, :16] = UNKNOWN
    path = tmp_path / "x.png"
    scene = Scene(id="x", frames=(path, path, path), evs=(0.0, 2.0, 4.0), height=24, width=32)
    batch = BatchPlan(crop=16, stride=8)
    found = patch_errors(scene, error, batch=batch)
    windows = crop_windows([scene], plan=batch)
    assert len(found) == len(windows) == 6
    for each, (_, top, left) in zip(found, windows, strict=True):
        pixels = error[top : top + 16, left : left + 16].astype(float)
        known = pixels[pixels >= 0]
        assert each == pytest.approx(known.mean() if known.size else 0.0, rel=1e-4)
    assert 0.0 in found


def test_limits_are_a_quantile_of_labelled_patches_and_the_largest_of_the_others():
    labelled = list(np.random.default_rng(0).random(41))
    limits = limits_of(labelled, [0.2, 0.7, 0.3], plan=SmaePlan())
    assert limits.doubted == pytest.approx(sorted(labelled)[34])  # 34 of 40 steps are 85 %
    assert limits.largest == 0.7
    assert limits_of(labelled, [], plan=SmaePlan()).largest == limits.doubted


def test_stages_begin_where_the_plan_says():
    stages = Smae(load_preset("quick-smae")).stages
    assert [stage.begins for stage in stages] == [0, 4, 7]
    assert [stage.remade for stage in stages] == [False, False, True]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"teacher.uncertainty": "judge"}, "teacher.uncertainty"),
        ({"schedule.warmup_epochs": 0}, "schedule.warmup_epochs"),
        ({"batch.unlabelled": 0}, "batch.unlabelled"),
        ({"smae.label_epochs": 120}, "smae.label_epochs"),
        ({"smae.masked": 1}, "smae.masked"),
        ({"smae.patch": 128}, "smae.patch"),  # the crop is one patch: all of it is hidden
        ({"loss.unlabelled_weight": 0}, "loss.unlabelled_weight"),  # its frames would teach nothing
    ],
)
def test_what_contradicts_it_is_told_at_its_setting(changes, key):
    is_told_at(key, preset="smae", changes=changes)


@pytest.mark.parametrize("name", ["smae", "quick-smae"])
def test_its_presets_leave_nothing_idle_and_what_a_person_adds_is_told(name):
    values = flat(load_preset(name))
    assert idle(values) == {}
    told = idle(values | {"loss.nll_weight": 0.5, "loss.ramp_up": 3, "schedule.refresh_every": 4})
    assert sorted(told) == ["loss.nll_weight", "loss.ramp_up"]
    elsewhere = idle(flat(load_preset("quick")) | {"smae.masked": 0.5})
    assert elsewhere["smae.masked"] == "not used: it is of the method smae"
