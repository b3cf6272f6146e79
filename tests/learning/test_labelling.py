"""Pseudo-labels carry the teacher's prediction, its provenance, and the trust the loss will use."""

import errno
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from smarthdr_studio.core.errors import LabelError, ProjectError
from smarthdr_studio.core.imaging.bracket import FrameStore
from smarthdr_studio.core.project.decisions import Decisions
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.trust.masking import Level, MaskSettings, expand, patch_means
from smarthdr_studio.core.trust.patch_statistics import SceneStatistics
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label, write_pseudo_label
from smarthdr_studio.learning import pseudo_labelling
from smarthdr_studio.learning.checkpoints import latest_checkpoint
from smarthdr_studio.learning.inference import Predictor
from smarthdr_studio.learning.model_labelling import label_scenes
from smarthdr_studio.learning.networks import build_network
from smarthdr_studio.learning.pseudo_labelling import Origin, label_pool
from smarthdr_studio.learning.trainer import train

ORIGIN = Origin(run="r", round=3, step=40, epoch=7, checkpoint="ab12", network="light")
SETTINGS = [
    MaskSettings(patch_size=16),
    MaskSettings(patch_size=16, tau_patch=0.7, pixels=Level(scope="pool")),
    MaskSettings(patch_size=24, patches=Level(scope="scene"), tau_pixel=0.6),
    MaskSettings(
        patch_size=16,
        patches=Level(normalisation="percentile", low_percentile=5, high_percentile=95),
        pixels=Level(normalisation="percentile", scope="pool"),
    ),
    MaskSettings(
        patch_size=16,
        tau_patch=0.5,
        patches=Level(normalisation="absolute", sigma_at_one=1.0),
        pixels=Level(normalisation="absolute", sigma_at_one=0.8),
    ),
]


@pytest.fixture
def predictor():
    torch.manual_seed(0)
    network = build_network("light").eval()
    # An untrained judge is almost constant; this one has predictions.
    torch.nn.init.normal_(network.judge.last.weight, std=0.5)
    return Predictor(
        network=network,
        frames=FrameStore(),
        device=torch.device("cpu"),
        precision=torch.float32,
        tile=96,
    )


@pytest.fixture
def pool(project):
    with Project.open(project) as opened:
        statuses = opened.statuses()
        return [s for s in opened.scenes if statuses[s.id] is Status.UNLABELLED]


def _run(generator):
    events = []
    while True:
        try:
            events.append(next(generator))
        except StopIteration as stop:
            return events, stop.value


def _slow_truth(sigmas, masks):
    """Both gates as METHOD §4 words them, scores and all, in double precision."""

    def scored(values, reference, level):
        if level.normalisation == "absolute":
            low, high = 0.0, level.sigma_at_one
        elif level.normalisation == "minmax":
            low, high = float(reference.min()), float(reference.max())
        else:
            low, high = np.percentile(reference, (level.low_percentile, level.high_percentile))
        return np.clip((values.astype(np.float64) - low) / (high - low), 0, 1)

    means = [patch_means(sigma, size=masks.patch_size) for sigma in sigmas]
    all_means = np.concatenate([mean.ravel() for mean in means])
    pooled = masks.patches.scope == "pool"
    kept = [
        scored(mean, all_means if pooled else mean, masks.patches) <= masks.tau_patch
        for mean in means
    ]
    inside = [expand(keep, size=masks.patch_size, height=72, width=96) for keep in kept]
    all_inside = np.concatenate([s[i] for s, i in zip(sigmas, inside, strict=True)])
    trusted = []
    for sigma, here in zip(sigmas, inside, strict=True):
        reference = all_inside if masks.pixels.scope == "pool" else sigma[here]
        if not reference.size:
            trusted.append(here)
            continue
        trusted.append(here & (scored(sigma, reference, masks.pixels) <= masks.tau_pixel))
    return kept, trusted


@pytest.mark.parametrize("masks", SETTINGS)
def test_the_shares_of_a_round_are_those_of_the_slow_truth(predictor, pool, tmp_path, masks):
    _, result = _run(label_pool(predictor, pool, pseudo=tmp_path, masks=masks, origin=ORIGIN))
    sigmas = [predictor.predict(scene)[1] for scene in pool]
    kept, trusted = _slow_truth(sigmas, masks)
    finished = result.finished
    assert finished.retained == pytest.approx(np.mean(trusted), abs=1e-4)
    assert finished.patches_retained == pytest.approx(np.mean([k.mean() for k in kept]), abs=1e-9)
    assert finished.sigma_mean == pytest.approx(np.mean(sigmas), rel=1e-5)
    for scene, truth in zip(finished.scenes, trusted, strict=True):
        assert scene.retained == pytest.approx(truth.mean(), abs=1e-3)
        # The loss gets the very mask that was counted.
        assert result.labels[scene.id].trusted.mean() == pytest.approx(scene.retained, abs=1e-9)


def test_a_pseudo_label_says_where_it_is_from_and_what_the_teacher_predicts(
    predictor, pool, tmp_path
):
    masks = MaskSettings(patch_size=16, tau_patch=0.55)
    events, _ = _run(label_pool(predictor, pool, pseudo=tmp_path, masks=masks, origin=ORIGIN))
    assert [event.text for event in events][:2] == [
        "labelling scene 1 of 3",
        "labelling scene 2 of 3",
    ]
    label = read_pseudo_label(tmp_path / "u.exr", expect=(72, 96))
    hdr, sigma = predictor.predict(pool[0])
    np.testing.assert_array_equal(label.hdr, hdr)
    np.testing.assert_array_equal(label.sigma, sigma)
    of = label.provenance
    assert (of.run, of.round, of.epoch, of.checkpoint) == ("r", 3, 7, "ab12")
    assert of.masks == masks
    statistics = SceneStatistics.load(tmp_path / "u.npz")
    assert statistics.sigma_mean == pytest.approx(float(sigma.mean()), rel=1e-5)
    np.testing.assert_allclose(statistics.means, patch_means(sigma, size=16).ravel())


def test_what_a_person_painted_wins_over_both_gates_and_counts(predictor, pool, tmp_path):
    masks = MaskSettings(patch_size=16)
    brush = np.zeros((72, 96), np.int8)
    brush[:10], brush[-10:] = 1, -1
    _, plain = _run(label_pool(predictor, pool, pseudo=tmp_path, masks=masks, origin=ORIGIN))
    painting = label_pool(
        predictor, pool, pseudo=tmp_path, masks=masks, origin=ORIGIN, manual_masks={"v": brush}
    )
    _, painted = _run(painting)
    np.testing.assert_array_equal(read_pseudo_label(tmp_path / "v.exr").person, brush)
    trusted = painted.labels["v"].trusted
    assert trusted[:10].all()
    assert not trusted[-10:].any()
    # What is not painted, and every other scene, stays what the gates say.
    np.testing.assert_array_equal(trusted[10:-10], plain.labels["v"].trusted[10:-10])
    for name in "uw":
        np.testing.assert_array_equal(painted.labels[name].trusted, plain.labels[name].trusted)
    shares = {scene.id: scene.retained for scene in painted.finished.scenes}
    assert shares["v"] == trusted.mean() == painted.record.retained["v"]
    assert painted.finished.retained == np.mean(list(shares.values()))


def test_a_brush_in_an_older_file_says_nothing(predictor, pool, tmp_path):
    masks = MaskSettings(patch_size=16)
    _run(label_pool(predictor, pool, pseudo=tmp_path, masks=masks, origin=ORIGIN))
    label = read_pseudo_label(tmp_path / "v.exr")
    write_pseudo_label(tmp_path / "v.exr", replace(label, person=np.ones((72, 96), np.int8)))
    _, result = _run(label_pool(predictor, pool, pseudo=tmp_path, masks=masks, origin=ORIGIN))
    assert read_pseudo_label(tmp_path / "v.exr").person is None
    assert not result.labels["v"].trusted.all()


def test_stopping_while_predicting_leaves_the_old_labels_alone(predictor, pool, tmp_path):
    pseudo = tmp_path / "pseudo"
    generator = label_pool(
        predictor, pool, pseudo=pseudo, masks=MaskSettings(patch_size=16), origin=ORIGIN
    )
    for _ in range(len(pool)):
        next(generator)
    generator.close()
    assert not pseudo.exists()


def test_a_label_is_written_while_the_next_one_is_masked(predictor, pool, tmp_path, monkeypatch):
    second, written = threading.Event(), []

    def write(path, label, **known):
        assert path.stem != pool[0].id or second.wait(60)
        written.append(threading.current_thread())
        write_pseudo_label(path, label, **known)

    monkeypatch.setattr(pseudo_labelling, "write_pseudo_label", write)
    masks = MaskSettings(patch_size=16)
    generator = label_pool(predictor, pool, pseudo=tmp_path, masks=masks, origin=ORIGIN)
    while True:
        try:
            if next(generator).text.startswith("writing scene 2"):
                second.set()
        except StopIteration as end:
            result = end.value
            break
    assert len(written) == len(pool)
    assert threading.main_thread() not in written
    for scene in pool:
        kept = read_pseudo_label(tmp_path / f"{scene.id}.exr")
        np.testing.assert_array_equal(kept.hdr, result.labels[scene.id].hdr)
        assert SceneStatistics.load(tmp_path / f"{scene.id}.npz").means.size


@pytest.mark.parametrize("ends", ["closed", "full disk"])
def test_nothing_is_written_any_more_once_labelling_has_ended(
    predictor, pool, tmp_path, monkeypatch, ends
):
    def write(path, label, **known):
        if ends == "full disk" and path.stem == pool[1].id:
            raise OSError(errno.ENOSPC, "full", str(path))
        write_pseudo_label(path, label, **known)

    monkeypatch.setattr(pseudo_labelling, "write_pseudo_label", write)
    masks, pseudo = MaskSettings(patch_size=16), tmp_path / "pseudo"
    generator = label_pool(predictor, pool, pseudo=pseudo, masks=masks, origin=ORIGIN)
    if ends == "closed":
        while not next(generator).text.startswith("writing scene 3"):
            pass
        generator.close()
    else:
        with pytest.raises(OSError, match="full"):
            list(generator)
    assert [thread for thread in threading.enumerate() if "ThreadPool" in thread.name] == []
    for path in pseudo.glob("*.exr"):
        read_pseudo_label(path)
    assert [path for path in pseudo.iterdir() if path.suffix not in (".exr", ".npz")] == []


def test_an_empty_pool_is_a_round_of_nothing(predictor, tmp_path):
    _, result = _run(
        label_pool(predictor, [], pseudo=tmp_path, masks=MaskSettings(), origin=ORIGIN)
    )
    assert result.labels == {}
    assert result.finished.retained == 0


def test_no_mode_is_left_on_between_two_events(predictor, pool, tmp_path):
    generator = label_pool(
        predictor, pool, pseudo=tmp_path, masks=MaskSettings(patch_size=16), origin=ORIGIN
    )
    for _ in generator:
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()
        assert not torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize("ahead", [0, 86400], ids=["", "clock a day ahead of the disk"])
def test_a_checkpoint_labels_every_unlabelled_scene_or_those_asked_for(
    project, make_plan, monkeypatch, ahead
):
    true = time.time
    monkeypatch.setattr(time, "time", lambda: true() + ahead)
    list(train(make_plan(schedule={"epochs": 1, "steps_per_epoch": 1}), project))
    checkpoint = latest_checkpoint(project)
    for path in (project / "pseudo").iterdir():
        path.unlink()
    *_, finished = label_scenes(project, model=checkpoint, ids=["v"], device="cpu")
    assert [scene.id for scene in finished.scenes] == ["v"]
    assert sorted(p.name for p in (project / "pseudo").iterdir()) == ["v.exr", "v.npz"]
    *_, finished = label_scenes(project, model=checkpoint, device="cpu")
    assert [scene.id for scene in finished.scenes] == ["u", "v", "w"]
    with Project.open(project) as opened:
        brush = np.ones((72, 96), np.int8)
        Decisions(opened).paint("v", lambda _: brush)
    *_, finished = label_scenes(project, model=checkpoint, ids=["v"], device="cpu")
    assert finished.retained == 1
    with pytest.raises(ProjectError, match="no scene zebra"):
        list(label_scenes(project, model=checkpoint, ids=["zebra"], device="cpu"))


class _NoNumber(torch.nn.Module):
    """A network that answers one pixel with something that is no number, for some brackets."""

    def __init__(self, network, *, at) -> None:
        super().__init__()
        self.whole = network.whole
        self.network, self.name, self.multiple, self._at = (
            network,
            network.name,
            network.multiple,
            at,
        )
        self.asked = 0

    def forward(self, *frames):
        hdr, sigma = self.network(*frames)
        self.asked += 1
        if self.asked in self._at:
            sigma = sigma.clone()
            sigma[0, 0, 3, 4] = float("nan")
        return type(self.network(*frames))(hdr, sigma)


def test_a_scene_without_numbers_is_left_out_and_told_and_spoils_no_other(project, predictor, pool):
    masks = MaskSettings(patch_size=16)
    others = [scene for scene in pool if scene.id != "v"]
    _, alone = _run(label_pool(predictor, others, pseudo=project / "a", masks=masks, origin=ORIGIN))
    broken = replace(predictor, network=_NoNumber(predictor.network, at={2}))
    _, made = _run(label_pool(broken, pool, pseudo=project / "b", masks=masks, origin=ORIGIN))
    assert sorted(made.labels) == ["u", "w"]
    assert not (project / "b" / "v.exr").exists()
    for name in ("u", "w"):
        assert np.array_equal(made.labels[name].trusted, alone.labels[name].trusted)
    assert made.finished.changes == (
        "v: is left out of this round, because the teacher's answer is no number at 1 pixel",
    )


def test_a_teacher_that_answers_no_numbers_at_all_ends_the_round_in_words(project, predictor, pool):
    broken = replace(predictor, network=_NoNumber(predictor.network, at={1, 2, 3}))
    making = label_pool(broken, pool, pseudo=project / "b", masks=MaskSettings(), origin=ORIGIN)
    with pytest.raises(LabelError, match=r"teacher of step 40 .*lower schedule\.learning_rate"):
        _run(making)
