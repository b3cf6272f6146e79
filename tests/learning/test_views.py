"""Several views of one network: their mean, and σ that grows where they differ."""

import torch

from smarthdr_studio.learning.networks import SeveralViews, build_network
from smarthdr_studio.learning.networks.fusion_network import Prediction
from smarthdr_studio.learning.radiometry import mu_law


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
