"""AHDRNet, SAFNet and SAFNet-S are the published networks, and their weights load."""

import os
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch

from smarthdr_studio.core.training.plan_sections import READ_WHOLE, NetworkName
from smarthdr_studio.learning.bundle import ModelCard
from smarthdr_studio.learning.export import load_torchscript, write_torchscript
from smarthdr_studio.learning.inference import predict_tiled
from smarthdr_studio.learning.networks import NETWORKS, build_network, load_weights
from smarthdr_studio.learning.networks.safnet import Alignment, selective_merge, warped

GOLDEN = Path(
    os.environ.get("SMARTHDR_GOLDEN", Path(__file__).parents[2].parent / "shared" / "golden")
)
PUBLISHED = {
    "ahdrnet": ("ahdrnet", "ahdrnet.random.pth", "output", 1_515_139),
    "safnet": ("safnet", "safnet.random.pth", "refined", 1_120_849),
    "safnet-s": ("safnet_s", "safnet_s.official.pth", "refined", 566_713),
}


@pytest.fixture
def golden() -> Path:
    if not (GOLDEN / "safnet.npz").exists():
        pytest.skip(f"the golden outputs are not at {GOLDEN}; name their folder in SMARTHDR_GOLDEN")
    return GOLDEN


def noise(height: int, width: int, *, batch: int = 1) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(batch, 6, height, width, generator=generator) for _ in range(3)]


@pytest.mark.parametrize("name", PUBLISHED)
def test_it_answers_what_the_authors_code_answers_with_the_published_weights(name, golden):
    stem, weights, output, _ = PUBLISHED[name]
    network = build_network(name).eval()
    assert not load_weights(network, golden / weights).judge
    with np.load(golden / f"{stem}.npz") as kept, torch.no_grad():
        frames = [torch.from_numpy(kept[part]) for part in ("under", "reference", "over")]
        assert np.abs(network(*frames).hdr.numpy() - kept[output]).max() <= 1e-5
        if "merged" in kept:
            merged = selective_merge(*frames, network.backbone.aligned(*frames))
            assert np.abs(merged.numpy() - kept["merged"]).max() <= 1e-5


@pytest.mark.parametrize("name", PUBLISHED)
def test_it_has_exactly_the_published_names_and_shapes(name, golden):
    lines = (golden / f"{PUBLISHED[name][0]}.keys.tsv").read_text().splitlines()
    own = build_network(name).backbone.state_dict()
    shapes = {key: "x".join(map(str, value.shape)) for key, value in own.items()}
    assert shapes == dict(line.split("\t") for line in lines)


@pytest.mark.parametrize("name", PUBLISHED)
def test_it_has_the_published_number_of_parameters(name):
    backbone = build_network(name).backbone
    assert sum(weights.numel() for weights in backbone.parameters()) == PUBLISHED[name][3]


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("size", [(1, 1), (32, 32), (33, 70)])
def test_any_size_is_answered_at_that_size(name, size):
    with torch.no_grad():
        hdr, sigma = build_network(name).eval()(*noise(*size, batch=2))
    assert hdr.shape == (2, 3, *size)
    assert sigma.shape == (2, 1, *size)
    assert 0 <= hdr.min() <= hdr.max() <= 1
    assert 1e-3 <= sigma.min() <= sigma.max() <= 1


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_weight_that_can_learn_gets_a_gradient(name):
    torch.manual_seed(0)
    network = build_network(name)
    hdr, sigma = network(*noise(64, 64))
    (hdr.mean() + sigma.log().mean()).backward()
    idle = {key for key, value in network.named_parameters() if value.grad is None}
    assert {key.split(".")[1] for key in idle} <= {"attConv1", "attConv3"}
    assert not any(value.requires_grad for key, value in network.named_parameters() if key in idle)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_picture_in_tiles_is_the_picture_whole(name):
    torch.manual_seed(0)
    network = build_network(name)
    generator = np.random.default_rng(0)
    frames = [generator.integers(0, 65535, (100, 150, 3)).astype(np.uint16) for _ in range(3)]
    how = {"stops": (0.0, 2.0, 4.0), "device": torch.device("cpu")}
    whole, whole_sigma = predict_tiled(network, frames, tile=512, **how)
    tiled, tiled_sigma = predict_tiled(network, frames, tile=96, overlap=32, **how)
    np.testing.assert_allclose(tiled, whole, atol=2e-3)  # half floats come in steps of 5e-4
    np.testing.assert_allclose(tiled_sigma, whole_sigma, atol=1e-5)


def test_a_warp_looks_up_the_pixel_its_flow_points_at_and_the_border_goes_on():
    picture = torch.arange(12.0).view(1, 1, 3, 4)
    flow = torch.zeros(1, 2, 3, 4)
    flow[0, 0, 1, 1], flow[0, 1, 1, 1] = 1.5, -1.0  # right and up: between pixels 2 and 3 of row 0
    flow[0, 0, 2, 3] = 9.0
    expected = picture.clone()
    expected[0, 0, 1, 1], expected[0, 0, 2, 3] = 2.5, 11.0
    torch.testing.assert_close(warped(picture, flow), expected)


@pytest.mark.parametrize(
    ("camera", "mask", "expected"),
    [
        (1.0, 1.0, 0.2),  # clipped, and under is believed
        (1.0, 0.25, 0.25 * 0.2 + 0.75 * 0.4),  # what is not believed goes to the reference
        (0.5, 1.0, 0.4),  # well exposed: the reference alone
        (0.1, 0.5, (0.2 + 0.8 * 0.5) * 0.4 + 0.8 * 0.5 * 0.6),
    ],
)
def test_the_merge_believes_under_and_over_by_their_masks(camera, mask, expected):
    under, reference, over = (torch.full((1, 6, 2, 2), value) for value in (0.2, 0.4, 0.6))
    reference[:, 3:] = camera
    still, believed = torch.zeros(1, 2, 2, 2), torch.full((1, 1, 2, 2), mask)
    at = Alignment(still, still, believed, believed)
    merged = selective_merge(under, reference, over, at)
    torch.testing.assert_close(merged, torch.full((1, 3, 2, 2), expected))


def test_flows_stay_exact_in_half_the_digits():
    torch.manual_seed(0)
    network = build_network("safnet-s").eval()
    frames = noise(64, 64)
    with torch.no_grad():
        full = network(*frames)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            half = network(*frames)
    torch.testing.assert_close(half.hdr, full.hdr, atol=0.02, rtol=0)
    assert half.hdr.dtype is half.sigma.dtype is torch.float32


def test_what_a_plan_can_name_is_what_there_is():
    assert tuple(NETWORKS) == get_args(NetworkName)
    assert tuple(name for name in NETWORKS if build_network(name).whole) == READ_WHOLE


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_torchscript_of_it_answers_the_same_at_the_size_of_its_tile(name, tmp_path):
    torch.manual_seed(0)
    network = build_network(name).eval()
    about = {"run": "r", "step": 1, "epoch": 1, "round": 1, "plan": "", "weights": ""}
    card = ModelCard(
        network=name, part="teacher", tile=96, overlap=32, precision="float32", **about
    )
    list(write_torchscript(tmp_path / "n.pt", network, card))
    frames = noise(96, 96)
    with torch.no_grad():
        ours = network(*frames)
    hdr, sigma = load_torchscript(tmp_path / "n.pt")(frames)
    np.testing.assert_allclose(hdr, ours.hdr.numpy(), atol=1e-5)
    np.testing.assert_allclose(sigma, ours.sigma.numpy(), atol=1e-5)
