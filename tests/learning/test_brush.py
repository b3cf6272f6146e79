"""A painted pixel changes the gradient exactly as said: by its own term, and by how many count."""

from functools import partial

import numpy as np
import pytest
import torch

from smarthdr_studio.core.imaging.bracket import FrameStore
from smarthdr_studio.core.project.journal import Status
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.plan_sections import BatchPlan, LossPlan
from smarthdr_studio.core.training.round_files import write_round
from smarthdr_studio.core.trust.masking import MaskSettings, trust
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label
from smarthdr_studio.learning.augmentation import strong_augmentation, weak_augmentation
from smarthdr_studio.learning.crops import CropSet, CropView, SceneCache
from smarthdr_studio.learning.inference import Predictor
from smarthdr_studio.learning.losses import Target, half_loss, total_loss
from smarthdr_studio.learning.networks import Prediction, build_network
from smarthdr_studio.learning.pseudo_labelling import Origin, label_pool, open_round
from smarthdr_studio.learning.run_setup import open_run

SIZE = 32
MASKS = MaskSettings(patch_size=8, tau_patch=0.7, tau_pixel=0.5)
PLAN = LossPlan(perceptual_weight=0)
ORIGIN = Origin(run="r", round=1, step=4, epoch=2, checkpoint="ab12", network="light")


@pytest.fixture(scope="module")
def sigma():
    return np.random.default_rng(0).gamma(2.0, 0.02, (SIZE, SIZE)).astype(np.float32)


@pytest.fixture(scope="module")
def target():
    return torch.rand(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


def _leaves():
    generator = torch.Generator().manual_seed(0)
    hdr = torch.rand(1, 3, SIZE, SIZE, generator=generator).requires_grad_()
    doubt = (torch.rand(1, 1, SIZE, SIZE, generator=generator) + 0.05).requires_grad_()
    return lambda: Prediction(hdr.detach().requires_grad_(), doubt.detach().requires_grad_())


def _light():
    torch.manual_seed(0)
    network = build_network("light").eval()
    frames = [torch.rand(1, 6, SIZE, SIZE) for _ in range(3)]
    return lambda: network(*frames)


@pytest.fixture(scope="module", params=[_leaves, _light], ids=["leaves", "a network"])
def predict(request):
    return request.param()


def _gradients(predict, target, sigma, *, person):
    """Gradients of hdr and σ under what `masking.trust` says, and that mask, H×W."""
    trusted = trust(sigma, MASKS, person=person).trusted
    prediction = predict()
    prediction.hdr.retain_grad()
    prediction.sigma.retain_grad()
    _loss(prediction, Target(target, torch.from_numpy(trusted)[None, None])).backward()
    return prediction.hdr.grad[0], prediction.sigma.grad[0], trusted


def _loss(prediction, target):
    terms = half_loss(prediction, target, plan=PLAN, perceptual=None, with_nll=True)
    return total_loss(terms, None, plan=PLAN)


def _painted(sign, places):
    brush = np.zeros((SIZE, SIZE), np.int8)
    brush[tuple(np.transpose(places))] = sign
    return brush


def test_painting_nothing_changes_nothing_bit_for_bit(predict, target, sigma):
    plain = _gradients(predict, target, sigma, person=None)
    empty = _gradients(predict, target, sigma, person=np.zeros((SIZE, SIZE), np.int8))
    assert all(torch.equal(one, other) for one, other in zip(plain[:2], empty[:2], strict=True))


def test_trust_where_trust_was_and_distrust_where_none_was_change_nothing(predict, target, sigma):
    *plain, trusted = _gradients(predict, target, sigma, person=None)
    brush = np.where(trusted, 1, -1).astype(np.int8)
    again = _gradients(predict, target, sigma, person=brush)
    assert all(torch.equal(one, other) for one, other in zip(plain, again[:2], strict=True))


@pytest.mark.parametrize("count", [1, 5])
def test_forced_distrust_silences_a_pixel_and_the_others_share_its_weight(
    predict, target, sigma, count
):
    *plain, trusted = _gradients(predict, target, sigma, person=None)
    places = np.argwhere(trusted)[7 : 7 + count]
    brush = _painted(-1, places)
    *painted, _ = _gradients(predict, target, sigma, person=brush)
    silenced = torch.from_numpy(brush < 0)
    n = int(trusted.sum())
    for before, after in zip(plain, painted, strict=True):
        assert before[:, silenced].abs().min() > 0
        assert torch.equal(after[:, silenced], torch.zeros_like(after[:, silenced]))
        torch.testing.assert_close(
            after[:, ~silenced], before[:, ~silenced] * (n / (n - count)), rtol=1e-4, atol=1e-8
        )


def test_forced_trust_gives_a_pixel_the_weight_of_any_trusted_one(target, sigma):
    trusted = trust(sigma, MASKS).trusted
    (of,), (there,) = np.argwhere(~trusted)[3:4], np.argwhere(trusted)[5:6]
    # The painted pixel is predicted and labelled like a trusted one: so must its gradient be.
    leaves, wanted = _leaves()(), target.clone()
    for picture in (leaves.hdr.data, leaves.sigma.data, wanted):
        picture[..., of[0], of[1]] = picture[..., there[0], there[1]]

    def predict():
        return Prediction(*(leaf.detach().requires_grad_() for leaf in leaves))

    *plain, _ = _gradients(predict, wanted, sigma, person=None)
    *painted, _ = _gradients(predict, wanted, sigma, person=_painted(1, [of]))
    n = int(trusted.sum())
    elsewhere = torch.ones(SIZE, SIZE, dtype=torch.bool)
    elsewhere[tuple(of)] = False
    for before, after in zip(plain, painted, strict=True):
        assert torch.equal(before[:, *of], torch.zeros_like(before[:, *of]))
        assert after[:, *of].abs().min() > 0
        assert torch.equal(after[:, *of], after[:, *there])
        torch.testing.assert_close(
            after[:, elsewhere], before[:, elsewhere] * (n / (n + 1)), rtol=1e-4, atol=1e-8
        )


def test_weights_learn_the_mean_over_the_pixels_that_are_left(target, sigma):
    torch.manual_seed(0)
    network = build_network("light").eval()
    frames = [torch.rand(1, 6, SIZE, SIZE) for _ in range(3)]
    trusted = trust(sigma, MASKS).trusted
    place = np.argwhere(trusted)[11]

    def gradient(mask):
        loss = _loss(network(*frames), Target(target, torch.from_numpy(mask)[None, None]))
        weights = [weight for weight in network.parameters() if weight.requires_grad]
        found = torch.autograd.grad(loss, weights, allow_unused=True)
        return torch.cat([part.flatten() for part in found if part is not None]).double()

    brush = _painted(-1, [place])
    n = int(trusted.sum())
    alone = gradient(brush < 0)
    painted = gradient(trust(sigma, MASKS, person=brush).trusted)
    expected = (n * gradient(trusted) - alone) / (n - 1)
    torch.testing.assert_close(
        painted, expected, rtol=1e-3, atol=1e-5 * float(expected.abs().max())
    )


@pytest.fixture
def a_round(project, tmp_path):
    """The scenes u and v, what was painted on them, and their labels as a round keeps them."""
    torch.manual_seed(0)
    network = build_network("light").eval()
    torch.nn.init.normal_(network.judge.last.weight, std=0.5)
    store = FrameStore()
    predictor = Predictor(
        network=network,
        frames=store,
        device=torch.device("cpu"),
        precision=torch.float32,
        tile=96,
    )
    with Project.open(project) as opened:
        states = opened.statuses()
        pool = [s for s in opened.scenes if states[s.id] is Status.UNLABELLED][:2]
    generator = np.random.default_rng(2)
    manual_masks = {
        scene.id: generator.integers(-1, 2, (scene.height, scene.width)).astype(np.int8)
        for scene in pool
    }
    masks = MaskSettings(patch_size=16)
    making = label_pool(
        predictor, pool, pseudo=tmp_path, masks=masks, origin=ORIGIN, manual_masks=manual_masks
    )
    while True:
        try:
            next(making)
        except StopIteration as stop:
            labelled = stop.value
            break
    write_round(tmp_path / "round", labelled.labels)
    return pool, manual_masks, open_round(tmp_path / "round"), tmp_path, store


@pytest.mark.parametrize("move", [weak_augmentation, strong_augmentation])
def test_what_was_painted_reaches_the_gradient_of_every_crop_however_it_is_moved(a_round, move):
    pool, manual_masks, labels, pseudo, store = a_round
    generator, moves = torch.Generator().manual_seed(4), []

    def draw():
        moves.append(partial(move, generator)())
        return CropView(moves[-1])

    crops = CropSet(
        pool,
        labels=labels,
        stock=SceneCache(store, device=torch.device("cpu")),
        plan=BatchPlan(crop=32, stride=16, labelled=2, unlabelled=2),
        draw=draw,
        generator=torch.Generator().manual_seed(5),
    )
    batch = crops.batch(12)
    hdr = torch.rand(batch.target.hdr.shape, generator=generator).requires_grad_()
    doubt = torch.full_like(batch.sigma, 0.1).requires_grad_()
    _loss(Prediction(hdr, doubt), batch.target).backward()
    order = crops.state()["order"].tolist()
    for index, moved in enumerate(moves):
        window = crops.windows[order[index]]
        name = pool[window.scene].id
        label = read_pseudo_label(pseudo / f"{name}.exr")
        of = label.provenance
        expected = trust(
            label.sigma,
            of.masks,
            patch_range=of.patch_range,
            pixel_range=of.pixel_range,
            person=manual_masks[name],
        ).trusted
        place = slice(window.top, window.top + 32), slice(window.left, window.left + 32)
        mask, brush = (
            moved.of_values(torch.from_numpy(np.array(plane[place])))
            for plane in (expected, manual_masks[name])
        )
        assert torch.equal(batch.target.trusted[index, 0], mask)
        felt = doubt.grad[index, 0] != 0
        assert not felt[brush < 0].any()
        assert felt[brush > 0].all()
        assert torch.equal(felt, mask)


def test_a_round_tells_what_the_gates_alone_would_keep(project, make_plan, new_round, decide):
    run, folder = open_run(make_plan(), project, resume=None)
    assert new_round(run, folder).gates_retained is None
    brush = np.zeros((72, 96), np.int8)
    brush[:10] = -1
    decide("paint", "v", lambda _: brush)
    finished = new_round(run, folder)
    labels = [read_pseudo_label(project / "pseudo" / f"{name}.exr") for name in "uvw"]
    pixels = sum(label.sigma.size for label in labels)
    by_gates = sum(label.trust().counted for label in labels) / pixels
    in_all = sum(label.trust(person=label.person).counted for label in labels) / pixels
    assert finished.gates_retained == pytest.approx(by_gates)
    assert finished.retained == pytest.approx(in_all)
    assert in_all < by_gates
