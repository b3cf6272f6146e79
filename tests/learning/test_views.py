"""Several views of one network: their mean, and σ that grows where they differ."""

import numpy as np
import torch

from smarthdr_studio.core.imaging.bracket import FrameStore
from smarthdr_studio.core.project.project import Project
from smarthdr_studio.core.training.events import RunStarted, Validated
from smarthdr_studio.core.trust.pseudo_label import read_pseudo_label
from smarthdr_studio.learning.bundle import ModelCard
from smarthdr_studio.learning.evaluation import Evaluation, evaluate
from smarthdr_studio.learning.inference import predict_tiled, run_predictor
from smarthdr_studio.learning.model_files import load_model, load_predictor, read_card
from smarthdr_studio.learning.model_labelling import label_scenes
from smarthdr_studio.learning.networks import SeveralViews, build_network, passes_of
from smarthdr_studio.learning.networks.fusion_network import Prediction
from smarthdr_studio.learning.radiometry import mu_law
from smarthdr_studio.learning.trainer import train


class _Corner(torch.nn.Module):
    """Answers the reference, a constant σ, and something in the top-left corner alone."""

    name, multiple, whole = "corner", 1, False

    def forward(self, under, reference, over):
        hdr = reference[:, :3].clone()
        hdr[..., 0, 0] = 1.0
        return Prediction(hdr, torch.full_like(hdr[:, :1], 0.02))


def _frames(seed: int = 0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(1, 6, 12, 20, generator=generator) for _ in range(3)]


def test_the_answer_is_the_mean_of_views_and_sigma_the_mixture_of_their_doubt():
    frames = _frames()
    hdr, sigma = SeveralViews(_Corner(), views=4)(*frames)
    plain = mu_law(frames[1][:, :3])
    # Each of four corners is answered 1 by one view of four, and left alone by three.
    for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        was = plain[..., row, column]
        wanted = (3 * was + 1) / 4
        torch.testing.assert_close(mu_law(hdr)[..., row, column], wanted)
        variance = (3 * (was - wanted).square() + (1 - wanted).square()) / 4
        doubt = (0.02**2 + variance.mean()).sqrt()
        torch.testing.assert_close(sigma[0, 0, row, column], doubt)
    torch.testing.assert_close(mu_law(hdr)[..., 1:-1, :], plain[..., 1:-1, :])
    torch.testing.assert_close(sigma[..., 1:-1, :], torch.full((1, 1, 10, 20), 0.02))


def test_a_turned_picture_has_the_turned_answer_of_all_views():
    torch.manual_seed(0)
    network = SeveralViews(build_network("light").eval(), views=8)
    frames = [
        torch.rand(1, 6, 32, 32, generator=torch.Generator().manual_seed(n)) for n in range(3)
    ]
    with torch.no_grad():
        upright = network(*frames)
        turned = network(*(torch.rot90(frame, 1, (-2, -1)) for frame in frames))
    for one, other in zip(upright, turned, strict=True):
        torch.testing.assert_close(torch.rot90(one, 1, (-2, -1)), other, atol=1e-5, rtol=1e-4)


class _Lopsided(torch.nn.Module):
    """Answers the reference, a tenth more of the first colour in the left half alone."""

    name, multiple, whole = "lopsided", 1, False

    def forward(self, under, reference, over):
        hdr = reference[:, :3].clone()
        half = hdr.shape[-1] // 2
        hdr[:, 0, :, :half] *= 1.1
        return Prediction(hdr, torch.full_like(hdr[:, :1], 0.5))


def test_sigma_by_views_is_how_far_two_flips_and_two_permutations_differ_from_the_picture():
    frames = [0.5 * frame for frame in _frames()]
    hdr, sigma = SeveralViews(_Lopsided(), views=1, uncertainty="views")(*frames)
    plain = frames[1][:, :3]
    torch.testing.assert_close(hdr, _Lopsided()(*frames).hdr)
    # Left and right half, colour by colour: in how many of five views it was answered a tenth more.
    # Upright and upside down red, mirrored the red of the other half, shuffled another colour.
    raised = {"left": (2, 1, 1), "right": (1, 0, 0)}
    for side, columns in (("left", slice(0, 10)), ("right", slice(10, 20))):
        variance = torch.zeros(1, 12, 10)
        for colour, count in enumerate(raised[side]):
            seen = mu_law(plain[:, colour, :, columns])
            more = mu_law(1.1 * plain[:, colour, :, columns])
            share = count / 5
            variance += share * (1 - share) * (more - seen).square() / 3
        expected = variance.sqrt().clamp(1e-3, 1)
        torch.testing.assert_close(sigma[:, 0, :, columns], expected, atol=1e-6, rtol=1e-3)


def test_a_network_that_sees_all_views_alike_is_as_sure_as_may_be():
    class _Even(_Lopsided):
        def forward(self, under, reference, over):
            return Prediction(reference[:, :3], torch.ones_like(reference[:, :1]))

    sigma = SeveralViews(_Even(), views=1, uncertainty="views")(*_frames()).sigma
    torch.testing.assert_close(sigma, torch.full((1, 1, 12, 20), 1e-3))


def test_the_mean_picture_and_the_variance_of_five_views_share_what_they_ask():
    frames, asked = _frames(), []

    class _Counted(_Lopsided):
        def forward(self, *frames):
            asked.append(frames)
            return super().forward(*frames)

    hdr, _ = SeveralViews(_Counted(), views=2, uncertainty="views")(*frames)
    assert len(asked) == passes_of(2, "views") == 5
    wanted = SeveralViews(_Lopsided(), views=2)(*frames).hdr
    torch.testing.assert_close(hdr, wanted)
    assert passes_of(4, "views") == 6  # half a turn is not among the five
    assert passes_of(4, "judge") == 4


def test_asking_leaves_a_teacher_in_the_mode_it_was_in():
    teacher = build_network("light").eval()
    frames = np.random.default_rng(0).integers(0, 65535, (3, 40, 40, 3)).astype(np.uint16)
    views = SeveralViews(teacher, views=2)
    predict_tiled(views, frames, stops=(0.0, 2.0, 4.0), device=torch.device("cpu"))
    assert not teacher.training


def test_a_run_by_views_labels_checks_and_predicts_with_their_variance(
    project, make_plan, events_of
):
    plan = make_plan(teacher={"uncertainty": "views"}, loss={"nll_weight": 0.0})
    events = list(train(plan, project))
    (started,) = events_of(events, RunStarted)
    run = project / "runs" / started.run
    label = read_pseudo_label(project / "pseudo" / "u.exr")
    assert label.provenance.uncertainty == "views"
    with Project.open(project) as opened:
        scene = opened.scene("u")
    checkpoint = sorted((run / "checkpoints").iterdir())[-1]
    card = read_card(checkpoint)
    assert card.uncertainty == "views"
    assert ModelCard.from_plain(card.as_plain()) == card
    network, _ = load_model(checkpoint)
    bracket = FrameStore().bracket(scene)
    how = {"stops": bracket.stops, "device": torch.device("cpu"), "tile": 96, "overlap": 32}
    by_views = SeveralViews(network, views=1, uncertainty="views")
    hdr, sigma = predict_tiled(by_views, bracket.frames, **how)
    seen, doubt = run_predictor(
        load_predictor(checkpoint, who="teacher", device="cpu", frames=FrameStore()), scene
    )
    np.testing.assert_allclose(doubt, sigma, atol=1e-6)
    np.testing.assert_array_equal(seen, hdr)
    np.testing.assert_allclose(label.sigma, sigma, atol=1e-6)  # the last round, by the same weights
    assert np.ptp(sigma) > 0
    list(label_scenes(project, model=checkpoint, ids=["u"], device="cpu"))
    again = read_pseudo_label(project / "pseudo" / "u.exr")
    np.testing.assert_allclose(again.sigma, sigma, atol=1e-6)
    checked = events_of(events, Validated)[-1]
    (evaluation,) = (
        each
        for each in evaluate(project, model=checkpoint, split="held-out", device="cpu")
        if isinstance(each, Evaluation)
    )
    assert abs(evaluation.reliability.ause - checked.ause) < 0.01
