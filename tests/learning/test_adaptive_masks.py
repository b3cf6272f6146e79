"""What a run makes of its thresholds: the loss's masks are those on disk, shown and counted."""

import shutil
from contextlib import closing
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from smarthdr_studio.core.errors import PlanError
from smarthdr_studio.core.imaging.bracket import FrameStore
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.events import RoundFinished, StepReported, as_logged, event_of
from smarthdr_studio.core.training.plan import idle_settings, load_preset
from smarthdr_studio.core.training.round_files import open_round_file, round_path
from smarthdr_studio.core.training.rounds import (
    history_path,
    pool_trust,
    read_record,
    trust_as_made,
)
from smarthdr_studio.core.training.run_folder import RunFolder
from smarthdr_studio.core.trust.adaptive_thresholds import exposure_bins
from smarthdr_studio.core.trust.masking import MaskSettings, soft_weights
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.core.trust.pool import PoolStatistics
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label
from smarthdr_studio.core.trust.reliability import squared_error_map
from smarthdr_studio.learning.checkpoints import latest_checkpoint, load_state
from smarthdr_studio.learning.losses import Target, half_loss, masked_mean
from smarthdr_studio.learning.mean_teacher import count_trusted_pixels, loss_shares
from smarthdr_studio.learning.model_files import load_predictor
from smarthdr_studio.learning.networks import Prediction
from smarthdr_studio.learning.trainer import train
from smarthdr_studio.studio.project.current_scene import Stage
from smarthdr_studio.studio.project.predictions import read_replay
from smarthdr_studio.studio.project.scene_loader import SceneFiles, load_scene

pytestmark = pytest.mark.usefixtures("tiny_network")

METHODS = ["quantile", "risk", "freematch", "softmatch"]
ROUNDS = 3


def _train(project, plan):
    events = list(train(plan, project))
    (run,) = (project / "runs").iterdir()
    return run, [event for event in events if isinstance(event, RoundFinished)]


@pytest.fixture(scope="module")
def run_of(make_project, make_plan, tmp_path_factory):
    """Trains with a kind of thresholds once for all who only look: project, run and rounds."""

    @cache
    def train_once(method, normalisation):
        masks = {"threshold": method, "risk": 0.2, "patch_size": 16}
        project = make_project(tmp_path_factory.mktemp(method))
        plan = make_plan(masks={**masks, "normalisation": normalisation})
        return project, *_train(project, plan)

    return train_once


def _files(project):
    return {name: project / "pseudo" / f"{name}.exr" for name in "uvw"}


@pytest.mark.parametrize("normalisation", [None, "absolute"])
@pytest.mark.parametrize("method", METHODS)
def test_the_masks_of_the_loss_are_those_on_disk_counted_and_told(run_of, method, normalisation):
    project, run, rounds = run_of(method, normalisation)
    said = rounds[-1]
    record = read_record(history_path(run, said.round))
    maps = open_round_file(round_path(run, number=said.round))
    assert said.masks == record.masks != MaskSettings(patch_size=16)
    assert event_of(as_logged(said)) == said
    for name, path in _files(project).items():
        label = read_pseudo_label(path)
        assert label.provenance.masks == said.masks
        found = label.trust()
        np.testing.assert_array_equal(found.trusted, maps[name].trusted)
        weights = maps[name].trusted if maps[name].weight is None else maps[name].weight
        np.testing.assert_allclose(found.weights, weights, atol=1e-3)
        assert record.retained[name] == pytest.approx(found.weights.mean(), abs=1e-6)
        assert (label.exposure is not None) is (method == "freematch")
    assert (maps["u"].weight is not None) is (method == "softmatch")
    as_made = trust_as_made(_files(project))
    assert as_made.retained == pytest.approx(said.retained, abs=1e-9)
    assert {each.id: each.retained for each in as_made.scenes} == record.retained
    assert said.retained == pytest.approx(np.mean([*record.retained.values()]), abs=1e-6)


@pytest.mark.parametrize("method", ["quantile", "risk"])
def test_drawn_thresholds_count_alike_in_the_window_and_the_verb(run_of, tmp_path, method):
    trained, _, rounds = run_of(method, "absolute")
    project = shutil.copytree(trained, tmp_path / "p.shdr")  # what is decided here is ours alone
    said = rounds[-1]
    with Project.open(project) as opened:
        Decisions(opened).set_masks(said.masks)
        kept = Decisions(opened).masks()
        statistics = {n: SceneStatistics.load(opened.statistics_path(n)) for n in "uvw"}
    exact, shown = pool_trust(_files(project), kept), PoolStatistics(statistics).retention(kept)
    assert exact.retained == said.retained
    assert {scene.id: scene.retained for scene in exact.scenes} == {
        scene.id: scene.retained for scene in said.scenes
    }
    assert shown.retained == pytest.approx(said.retained, abs=0.01)
    assert shown.patches_retained == pytest.approx(said.patches_retained)


def test_weights_are_made_of_the_mean_score_and_trusted_where_they_are_above_nothing(
    run_of,
):
    project, _, rounds = run_of("softmatch", None)
    soft = rounds[-1].masks.soft
    for path in _files(project).values():
        label = read_pseudo_label(path)
        found = label.trust()
        slow = soft_weights(label.sigma, label.provenance.pixel_range, soft)
        kept = np.kron(found.patch_mask, np.ones((16, 16)))[:72, :96].astype(bool)
        np.testing.assert_array_equal(found.weight, np.where(kept, slow, 0))
        np.testing.assert_array_equal(found.trusted, found.weight > 0)


def test_thresholds_by_exposure_go_by_the_reference_of_each_scene(run_of):
    project, _, rounds = run_of("freematch", None)
    with Project.open(project) as opened:
        scenes = {scene.id: scene for scene in opened.scenes}
    for name, path in _files(project).items():
        label = read_pseudo_label(path)
        bracket = FrameStore().bracket(scenes[name])
        np.testing.assert_array_equal(label.exposure, exposure_bins(bracket.reference))
    taus = rounds[-1].masks.tau_exposure
    assert len({round(tau, 6) for tau in taus}) > 1
    assert any("dark" in words for words in rounds[-1].changes)


@pytest.mark.parametrize("method", METHODS)
def test_a_round_as_it_was_used_is_on_the_screen_what_the_loss_counted(run_of, method):
    project, run, rounds = run_of(method, None)
    record = read_record(history_path(run, rounds[-1].round))
    maps = open_round_file(round_path(run, number=record.round))
    with Project.open(project) as opened:
        scenes = {scene.id: scene for scene in opened.scenes}
        pseudo = {name: opened.pseudo_path(name) for name in "uvw"}
    for name in "uvw":
        stage = Stage()
        files = SceneFiles.of(scenes[name], pseudo=pseudo[name])
        stage.show(load_scene(files=files, frames=FrameStore()))
        replay = read_replay(run_folder=RunFolder(run), round=record.round, scene=name)
        stage.replay(record, replay)
        share = stage.update_trust(masks=record.masks, pool=None)
        # A round keeps σ in half floats: next to a limit a pixel may fall to the other side.
        assert share == pytest.approx(record.retained[name], abs=5e-3)
        counted = maps[name].trusted if maps[name].weight is None else maps[name].weight
        shown = stage.material.trust.weights.astype(float)
        assert np.abs(shown - counted.astype(float)).mean() < 5e-3


def _closed_after(step, project, plan):
    with closing(train(plan, project)) as running:
        for event in running:
            if isinstance(event, StepReported) and event.step == step:
                return


@pytest.mark.parametrize("method", ["freematch", "softmatch"])
def test_running_scores_go_on_to_the_bit_where_a_run_was_stopped(
    make_project, make_plan, tmp_path, method
):
    masks = {"threshold": method, "patch_size": 16, "score_memory": 0.6}
    plan = make_plan(masks=masks)
    whole, cut = (make_project(tmp_path / name) for name in ("whole", "cut"))
    run, rounds = _train(whole, plan)
    _closed_after(4, cut, plan)  # after the first round of two
    (stopped,) = (cut / "runs").iterdir()
    assert load_state(latest_checkpoint(cut))["scores"]["step"] == 2
    list(train(load_preset(str(stopped / "plan.toml")), cut, resume=stopped.name))
    last = rounds[-1].round
    one = read_record(history_path(run, last))
    two = read_record(history_path(stopped, last))
    assert one.masks == two.masks
    assert one.masks != read_record(history_path(run, 1)).masks
    assert one.retained == two.retained


def test_what_a_run_does_not_ask_for_leaves_no_trace(project, make_plan):
    _, rounds = _train(project, make_plan())
    assert "scores" not in load_state(latest_checkpoint(project))
    assert rounds[-1].masks == MaskSettings(patch_size=16)
    assert (rounds[-1].sigma_scale, rounds[-1].calibration) == (None, None)
    assert not any("τ" in words for event in rounds for words in event.changes)


def test_a_calibrated_sigma_is_the_teachers_times_a_scale_from_held_out_labels(project, make_plan):
    masks = {"calibrate": True, "normalisation": "absolute", "patch_size": 16}
    run, rounds = _train(project, make_plan(masks=masks))
    said, record = rounds[-1], read_record(history_path(run, rounds[-1].round))
    checkpoint = latest_checkpoint(project)
    predictor = load_predictor(checkpoint, device="cpu", frames=FrameStore())
    (held_out,) = load_state(checkpoint)["roster"]["held_out"]
    with Project.open(project) as opened:
        scenes = {scene.id: scene for scene in opened.scenes}
    hdr, sigma = predictor.predict(scenes[held_out])
    squares = squared_error_map(hdr, predictor.frames.ground_truth(scenes[held_out]))
    before = float((squares.astype(np.float64) / sigma.astype(np.float64) ** 2).mean())
    assert said.calibration == record.calibration == pytest.approx(before, rel=1e-4)
    assert said.sigma_scale == record.sigma_scale == pytest.approx(before**0.5, rel=1e-4)
    assert f"σ is multiplied by {said.sigma_scale:.3g}" in " ".join(said.changes)
    label = read_pseudo_label(project / "pseudo" / "u.exr")
    plain = predictor.predict(scenes["u"])[1]
    np.testing.assert_allclose(label.sigma, plain * np.float32(said.sigma_scale), rtol=1e-5)
    assert label.provenance.sigma_scale == said.sigma_scale


def test_labels_that_are_held_out_are_asked_before_those_that_were_learned_from(run_of):
    _, _, rounds = run_of("quantile", None)
    assert any("1 scene held out" in words for words in rounds[-1].changes)


def test_without_a_held_out_label_the_words_say_that_figures_flatter(project, make_plan):
    masks = {"threshold": "quantile", "patch_size": 16}
    _, rounds = _train(project, make_plan(masks=masks, held_out=0))
    assert any("3 scenes it has learned from, which flatters" in w for w in rounds[-1].changes)


def test_contradictions_and_idle_settings_are_told():
    with pytest.raises(PlanError, match=r"masks\.calibrate.*held-out"):
        load_preset("fast", changes={"masks.calibrate": True, "held_out": 0})
    for method in ("freematch", "softmatch"):
        with pytest.raises(PlanError, match=r"masks\.pixels"):
            load_preset("fast", changes={"masks.threshold": method, "masks.pixels": False})
    plan = load_preset(
        "fast",
        changes={
            "masks.threshold": "risk",
            "masks.quantile": 0.5,
            "masks.tau_patch": 0.3,
            "masks.tau_pixel": 0.3,
            "masks.calibrate": True,
            "masks.normalisation": "minmax",
            "held_out": 1,
        },
    )
    told = {key for key in idle_settings(plan) if key.startswith("masks.")}
    assert told == {"masks.quantile", "masks.tau_patch", "masks.tau_pixel", "masks.calibrate"}
    plan = load_preset("mean-teacher", changes={"masks.threshold": "quantile"})
    assert "masks.threshold" in idle_settings(plan)
    assert not any(key.startswith("masks.") for key in idle_settings(load_preset("paper")))
    # The round at the end of a method with stages is masked like any other.
    changes = {"masks.threshold": "quantile"}
    assert "masks.threshold" not in idle_settings(load_preset("fshdr", changes=changes))
    assert "masks.threshold" in idle_settings(load_preset("supervised", changes=changes))


def _half(*, size=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    hdr = torch.rand(2, 3, size, size, generator=generator).requires_grad_()
    truth = torch.rand(2, 3, size, size, generator=generator)
    sigma = torch.rand(2, 1, size, size, generator=generator) + 0.01
    weight = torch.rand(2, 1, size, size, generator=generator)
    weight = (weight - 0.3).clamp(min=0)
    return hdr, truth, sigma, weight


def test_a_weighed_loss_is_the_weighed_mean_of_every_term():
    hdr, truth, sigma, weight = _half()
    target = Target(truth, weight > 0, weight)
    plan = load_preset("paper", changes={"loss.highlight_weight": 1.0}).loss
    terms = half_loss(Prediction(hdr, sigma), target, plan=plan, perceptual=None, with_nll=True)

    def law(h):
        return np.log1p(5000 * h) / np.log1p(5000)

    h, t = hdr.detach().double().numpy(), truth.double().numpy()
    s, w = sigma.double().numpy(), weight.double().numpy()
    apart = law(h) - law(t)
    for term, values in (
        (terms.reconstruction, np.abs(apart).mean(1, keepdims=True)),
        (terms.highlights, np.abs(h - t).mean(1, keepdims=True)),
        (terms.nll, (apart**2).mean(1, keepdims=True) / (2 * s**2) + np.log(s)),
    ):
        assert term.item() == pytest.approx((values * w).sum() / w.sum(), rel=1e-4)
    terms.reconstruction.backward()
    gradient = hdr.grad.abs().sum(1, keepdim=True)
    assert gradient[weight == 0].max() == 0
    assert gradient[weight > 0].min() > 0


def test_weights_of_one_and_nothing_are_the_mask():
    hdr, truth, _, weight = _half()
    trusted = weight > 0.2
    values = (hdr - truth).abs().mean(1, keepdim=True)
    plain = masked_mean(values, trusted)
    assert masked_mean(values, trusted, trusted.float()).item() == pytest.approx(plain.item())


def test_parts_of_a_weighed_batch_add_up(make_plan):
    from smarthdr_studio.learning.crops import CropBatch

    hdr, truth, sigma, weight = _half()
    frames = (torch.zeros(2, 6, 8, 8),) * 3

    def batch(part):
        target = Target(truth[part], weight[part] > 0, weight[part])
        return CropBatch(frames=frames, target=target, sigma=sigma[part])

    def loss(part):
        values = (hdr - truth)[part].abs().mean(1, keepdim=True)
        return masked_mean(values, weight[part] > 0, weight[part])

    whole = count_trusted_pixels([None, batch(slice(0, 2))])
    assert whole.tolist() == pytest.approx([0, weight.sum().item()])
    parts = [slice(0, 1), slice(1, 2)]
    shares = [loss_shares([None, batch(part)], trusted=whole)[1] for part in parts]
    added = sum(loss(part) * share for part, share in zip(parts, shares, strict=True))
    assert added.item() == pytest.approx(loss(slice(0, 2)).item(), rel=1e-5)


def test_the_pixels_a_perceptual_loss_weighs_nothing_teach_nothing():
    from smarthdr_studio.learning.perceptual import PerceptualLoss

    torch.manual_seed(0)
    loss = PerceptualLoss().eval()
    hdr, truth, _, weight = _half(size=16)
    weighed = loss(hdr, truth, trusted=weight > 0, weight=weight)
    weighed.backward()
    assert hdr.grad.abs().sum(1, keepdim=True)[weight == 0].max() == 0
    ones = torch.ones_like(weight)
    same = loss(hdr, truth, trusted=ones > 0, weight=ones)
    assert same.item() == pytest.approx(loss(hdr, truth, trusted=ones > 0).item(), rel=1e-4)


def test_a_brush_wins_over_weights_in_what_the_loss_gets(project, make_plan):
    brush = np.zeros((72, 96), np.int8)
    brush[:10], brush[-10:] = 1, -1
    with Project.open(project) as opened:
        Decisions(opened).paint("v", lambda _: brush)
    run, rounds = _train(project, make_plan(masks={"threshold": "softmatch", "patch_size": 16}))
    maps = open_round_file(round_path(run, number=rounds[-1].round))
    assert (maps["v"].weight[:10] == 1).all()
    assert (maps["v"].weight[-10:] == 0).all()
    label = replace(read_pseudo_label(project / "pseudo" / "v.exr"))
    np.testing.assert_allclose(label.trust(person=label.person).weight, maps["v"].weight, atol=1e-3)
