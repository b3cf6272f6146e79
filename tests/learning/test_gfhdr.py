"""GFHDR is the published network, and its short cuts change nothing."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from smarthdr_studio.core.errors import StudioError
from smarthdr_studio.learning.networks import build_network, load_weights
from smarthdr_studio.learning.networks.transformer import ContextAwareBlock, WindowAttention

GOLDEN = Path(
    os.environ.get("SMARTHDR_GOLDEN", Path(__file__).parents[2].parent / "shared" / "golden")
)


@pytest.fixture
def golden() -> Path:
    if not (GOLDEN / "gfhdr.npz").exists():
        pytest.skip(f"the golden outputs are not at {GOLDEN}; name their folder in SMARTHDR_GOLDEN")
    return GOLDEN


@pytest.fixture
def bracket() -> list[torch.Tensor]:
    return list(torch.rand(3, 2, 6, 24, 32, generator=torch.Generator().manual_seed(0)))


def test_it_answers_what_the_authors_code_answers(golden):
    network = build_network("gfhdr").eval()
    load_weights(network, golden / "gfhdr.random.pth")
    with np.load(golden / "gfhdr.npz") as kept, torch.no_grad():
        frames = [torch.from_numpy(kept[name]) for name in ("under", "reference", "over")]
        answer = network(*frames)
        assert np.abs(answer.hdr.numpy() - kept["output"]).max() <= 1e-5


def test_it_has_the_published_number_of_parameters():
    backbone = build_network("gfhdr").backbone
    assert sum(weights.numel() for weights in backbone.parameters()) == 1_222_113


def test_it_has_exactly_the_published_names_and_shapes(golden):
    lines = (golden / "gfhdr.keys.tsv").read_text().splitlines()
    published = dict(line.split("\t") for line in lines)
    own = build_network("gfhdr").backbone.state_dict()
    assert {k: "x".join(map(str, v.shape)) for k, v in own.items()} == published


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (13, 21), (16, 40)])
def test_any_size_is_answered_at_that_size(size):
    frames = torch.rand(3, 2, 6, *size)
    with torch.no_grad():
        hdr, sigma = build_network("gfhdr").eval()(*frames)
    assert hdr.shape == (2, 3, *size)
    assert sigma.shape == (2, 1, *size)
    assert 0 <= hdr.min() <= hdr.max() <= 1
    assert 1e-3 <= sigma.min() <= sigma.max() <= 1


def test_the_memory_format_of_the_frames_makes_no_difference(bracket):
    network = build_network("gfhdr").eval()
    other = [frame.contiguous(memory_format=torch.channels_last) for frame in bracket]
    with torch.no_grad():
        torch.testing.assert_close(network(*bracket), network(*other))


def test_an_untrained_judge_is_moderately_unsure_everywhere(bracket):
    sigma = build_network("gfhdr")(*bracket).sigma
    assert 0.02 < sigma.min() <= sigma.max() < 0.1


def test_every_weight_gets_a_gradient(bracket):
    network = build_network("gfhdr").eval()
    hdr, sigma = network(*bracket)
    (hdr.mean() + sigma.log().mean()).backward()
    assert all(weights.grad is not None for weights in network.parameters())


def test_stochastic_depth_acts_in_training_alone(bracket):
    network = build_network("gfhdr")
    with torch.no_grad():
        assert not torch.equal(network(*bracket).hdr, network(*bracket).hdr)
        network.eval()
        assert torch.equal(network(*bracket).hdr, network(*bracket).hdr)


def test_stochastic_depth_rises_from_nothing_to_a_tenth():
    blocks = [m for m in build_network("gfhdr").modules() if isinstance(m, ContextAwareBlock)]
    np.testing.assert_allclose([b.drop for b in blocks], np.linspace(0, 0.1, 18), atol=1e-6)


def attention_by_the_book(layer: WindowAttention, picture: torch.Tensor) -> torch.Tensor:
    """Every pair of pixels by itself, with the rules of the published network."""
    _, height, width, channels = picture.shape
    y = (torch.arange(height)[:, None] - layer.shift).remainder(height).expand(height, width)
    x = (torch.arange(width)[None] - layer.shift).remainder(width).expand(height, width)
    y, x = y.reshape(-1), x.reshape(-1)
    same_window = (y[:, None] // 8 == y // 8) & (x[:, None] // 8 == x // 8)

    def region(place, length):
        return (place >= length - 8).long() + (place >= length - layer.shift).long()

    strip = region(y, height) * 3 + region(x, width) if layer.shift else torch.zeros_like(y)
    dy, dx = y[:, None] - y, x[:, None] - x
    row = ((dy + 7) * 15 + dx + 7).clamp(0, 224)
    bias = layer.relative_position_bias_table[row].permute(2, 0, 1)
    bias = bias + torch.where(strip[:, None] == strip, 0.0, -100.0)
    qkv = layer.qkv(picture).view(-1, height * width, 3, layer.heads, channels // layer.heads)
    query, key, value = qkv.permute(2, 0, 3, 1, 4)
    scores = query @ key.transpose(-2, -1) / (channels // layer.heads) ** 0.5 + bias
    scores = scores.masked_fill(~same_window, -torch.inf)
    return layer.proj((scores.softmax(-1) @ value).transpose(1, 2).reshape(picture.shape))


@pytest.mark.parametrize("shift", [0, 4])
@pytest.mark.parametrize("size", [(8, 8), (8, 24), (24, 16)])
@pytest.mark.parametrize("learning", [True, False])
def test_windows_with_few_masks_equal_attention_by_the_book(shift, size, learning):
    layer = WindowAttention(12, heads=2, shift=shift)
    torch.nn.init.normal_(layer.relative_position_bias_table)
    picture = torch.randn(2, *size, 12)
    with torch.set_grad_enabled(learning):
        torch.testing.assert_close(
            layer(picture), attention_by_the_book(layer, picture), atol=1e-5, rtol=1e-4
        )


@pytest.mark.parametrize("optimiser", [torch.optim.SGD, torch.optim.Adam])
def test_a_kept_bias_is_forgotten_when_the_weights_move(optimiser):
    layer = WindowAttention(12, heads=2, shift=4)
    picture = torch.randn(1, 16, 16, 12)
    with torch.no_grad():
        layer(picture)
    steps = optimiser(layer.parameters(), lr=0.01)
    layer(picture).square().sum().backward()
    steps.step()
    with torch.no_grad():
        expected = attention_by_the_book(layer, picture)
        torch.testing.assert_close(layer(picture), expected, atol=1e-5, rtol=1e-4)
        torch._foreach_lerp_(
            [layer.relative_position_bias_table], [torch.randn(225, 2)], weight=0.5
        )
        expected = attention_by_the_book(layer, picture)
        torch.testing.assert_close(layer(picture), expected, atol=1e-5, rtol=1e-4)


def test_half_the_digits_give_nearly_the_same_picture(bracket):
    network = build_network("gfhdr").eval()
    with torch.no_grad():
        full = network(*bracket)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            half = network(*bracket)
    torch.testing.assert_close(half.hdr, full.hdr, atol=0.02, rtol=0)
    assert half.hdr.dtype is half.sigma.dtype is torch.float32


def test_an_unknown_network_is_answered_with_the_known_ones():
    with pytest.raises(StudioError, match=r"'vgg'.*gfhdr, light"):
        build_network("vgg")
