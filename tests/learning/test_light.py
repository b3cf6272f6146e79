"""The light network begins near the plain merge, learns from everything, and stays small."""

import pytest
import torch

from smarthdr_studio.learning.networks import build_network
from smarthdr_studio.learning.networks.fusion_network import UncertaintyHead
from smarthdr_studio.learning.radiometry import merge, mu_law, six_channels


def bracket(*, batch: int = 1, height: int = 48, width: int = 64, moved: int = 0):
    """A smooth scene seen three times, the middle frame shifted by `moved` pixels."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(batch, 3, height // 8, width // 8, generator=generator)
    scene = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear") ** 3
    stops = (0.0, 2.0, 4.0)
    ldr = [(scene * 2**stop).clamp(max=1) ** (1 / 2.2) for stop in stops]
    ldr[1] = ldr[1].roll(moved, dims=-1)
    frames = [six_channels(frame, stops=stop) for frame, stop in zip(ldr, stops, strict=True)]
    return frames, scene.roll(moved, dims=-1)


def test_it_is_small():
    weights = sum(w.numel() for w in build_network("light").parameters())
    assert weights < 100_000


@pytest.mark.parametrize("size", [(1, 1), (15, 17), (16, 16), (33, 70)])
def test_any_size_is_answered_at_that_size(size):
    frames = torch.rand(3, 2, 6, *size)
    with torch.no_grad():
        hdr, sigma = build_network("light").eval()(*frames)
    assert hdr.shape == (2, 3, *size)
    assert sigma.shape == (2, 1, *size)
    assert 0 <= hdr.min() <= hdr.max() <= 1
    assert 1e-3 <= sigma.min() <= sigma.max() <= 1


def test_untrained_it_answers_nearly_the_plain_merge():
    frames, _ = bracket()
    with torch.no_grad():
        hdr = build_network("light").eval()(*frames).hdr
    assert (mu_law(hdr) - mu_law(merge(*frames))).abs().mean() < 0.03


def test_the_border_of_a_plain_picture_is_like_its_middle():
    """Beyond the border of zeros, the outermost pixels would look unlike all others."""
    torch.manual_seed(5)
    network = build_network("light").eval()
    for weights in network.parameters():  # a network that has learned something
        torch.nn.init.normal_(weights, std=0.02)
    colours = torch.rand(3, 6)
    frames = [colour[None, :, None, None].expand(1, 6, 24, 32) for colour in colours]
    with torch.no_grad():
        hdr = network(*frames).hdr
    folded = torch.nn.functional.pixel_unshuffle(hdr, 2)  # as the network sees it
    assert float(folded.std(dim=(-2, -1)).max()) < 1e-6


def test_the_judge_of_any_network_reads_the_border_again_beyond_it():
    torch.manual_seed(5)
    judge = UncertaintyHead(8)
    features = torch.randn(1, 8, 1, 1).expand(1, 8, 9, 7)
    with torch.no_grad():
        sigma = judge(features)
    assert float(sigma.std()) < 1e-7


def test_every_weight_gets_a_gradient():
    torch.manual_seed(1)  # by chance the few units of a gate can all begin at rest
    frames, _ = bracket(batch=2)
    network = build_network("light")
    hdr, sigma = network(*frames)
    (mu_law(hdr).mean() + sigma.log().mean()).backward()
    assert all(w.grad is not None and w.grad.abs().sum() > 0 for w in network.parameters())


def test_a_pixel_outside_the_range_can_still_come_back():
    dark = [torch.zeros(1, 6, 16, 16) for _ in range(3)]
    network = build_network("light")
    torch.nn.init.constant_(network.backbone.answer.bias, -0.5)
    hdr = network(*dark).hdr
    assert hdr.max() == 0
    mu_law(hdr).sum().backward()
    assert network.backbone.answer.bias.grad.abs().sum() > 0


def test_the_memory_format_of_the_frames_makes_no_difference():
    frames, _ = bracket()
    network = build_network("light").eval()
    other = [frame.contiguous(memory_format=torch.channels_last) for frame in frames]
    with torch.no_grad():
        torch.testing.assert_close(network(*frames), network(*other))


def test_a_few_steps_remove_most_of_a_ghost():
    torch.manual_seed(0)
    frames, truth = bracket(batch=2, moved=6)
    network = build_network("light")
    steps = torch.optim.Adam(network.parameters(), lr=2e-3)

    def error(hdr):
        return (mu_law(hdr) - mu_law(truth)).abs().mean()

    for _ in range(40):
        steps.zero_grad()
        error(network(*frames).hdr).backward()
        steps.step()
    with torch.no_grad():
        assert error(network.eval()(*frames).hdr) < 0.5 * error(merge(*frames))
