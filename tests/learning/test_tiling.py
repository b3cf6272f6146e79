"""Tiles cover a picture of any size, and leave no seam in it."""

import numpy as np
import pytest
import torch

from smarthdr_studio.core.imaging.radiometry import mu_law
from smarthdr_studio.learning.inference import TiledPrediction, predict_tiled, spans
from smarthdr_studio.learning.networks import build_network

STOPS = (0.0, 2.0, 4.0)
CPU = torch.device("cpu")


def bracket(height: int, width: int) -> list[np.ndarray]:
    """A smooth scene, so that what jumps in an answer was made by its tiles."""
    y, x = np.mgrid[:height, :width] / 64.0
    tone = 0.5 + 0.25 * np.sin(2 * y + x) + 0.2 * np.cos(3 * x - y)
    scene = np.stack([tone**2, tone**2.5, tone**3], axis=-1)
    ldr = [(scene / 4 * 2**stop).clip(0, 1) ** (1 / 2.2) for stop in STOPS]
    return [np.round(frame * 65535).astype(np.uint16) for frame in ldr]


@pytest.mark.parametrize("length", [1, 7, 63, 64, 65, 100, 127, 129, 500, 1001])
@pytest.mark.parametrize(("tile", "overlap"), [(64, 16), (72, 24), (128, 40)])
@pytest.mark.parametrize("grid", [8, 16])
def test_the_weights_of_all_tiles_add_up_to_one_everywhere(length, tile, overlap, grid):
    total = np.zeros(length)
    for span in spans(length, tile=tile, overlap=overlap, grid=grid):
        total[span.start : span.stop] += span.weights
        assert span.start % grid == 0
        assert span.stop - span.start <= tile
        assert span.weights.min() >= 0
    np.testing.assert_allclose(total, 1, atol=1e-6)


@pytest.mark.parametrize("length", [65, 127, 500, 1001])
def test_a_tile_enters_and_leaves_without_a_step(length):
    for span in spans(length, tile=64, overlap=16):
        if span.start > 0:
            assert span.weights[0] == 0
        if span.stop < length:
            assert span.weights[-1] == 0
        assert np.abs(np.diff(span.weights)).max() < 0.2


def test_tiles_are_no_larger_than_their_number_needs():
    cut = spans(1000, tile=256, overlap=32)
    assert len(cut) == 5
    assert {span.stop - span.start for span in cut} == {232}


@pytest.mark.parametrize(("tile", "overlap"), [(60, 16), (64, 12), (64, 8), (64, 24)])
def test_tiles_off_the_grid_are_refused(tile, overlap):
    with pytest.raises(ValueError, match="multiples of 8"):
        spans(500, tile=tile, overlap=overlap)


@pytest.mark.parametrize("size", [(1, 1), (5, 90), (64, 64), (101, 67)])
def test_any_size_is_answered_at_that_size(size):
    hdr, sigma = predict_tiled(
        build_network("light"), bracket(*size), stops=STOPS, device=CPU, tile=64, overlap=16
    )
    assert hdr.shape == (*size, 3)
    assert hdr.dtype == np.float16
    assert sigma.shape == size
    assert sigma.dtype == np.float32
    assert sigma.min() >= 1e-3 * (1 - 1e-5)


@pytest.mark.parametrize(("name", "size"), [("light", (304, 208)), ("gfhdr", (104, 88))])
def test_no_step_crosses_a_tile_border(name, size):
    torch.manual_seed(0)
    network, frames = build_network(name), bracket(*size)
    torch.nn.init.normal_(network.judge.last.weight, std=0.02)
    kind = {"stops": STOPS, "device": CPU, "overlap": 16}
    whole, whole_sigma = predict_tiled(network, frames, tile=512, **kind)
    tiled, tiled_sigma = predict_tiled(network, frames, tile=64, **kind)
    for axis, length in enumerate(size):
        for changed in (
            mu_law(tiled.astype(np.float32)) - mu_law(whole.astype(np.float32)),
            tiled_sigma - whole_sigma,
        ):
            cut = spans(length, tile=64, overlap=16, grid=network.multiple)
            borders = {edge for span in cut for edge in (span.start, span.stop)} - {0, length}
            steps = np.diff(changed, axis=axis)
            for border in borders:
                # Against the steps two pixels on: an untrained network answers by twos.
                before, at, after = np.moveaxis(steps, axis, 0)[
                    [border - 3, border - 1, border + 1]
                ]
                assert np.abs(at - (before + after) / 2).max() <= 1e-3


def test_one_tile_is_the_network_itself():
    network, frames = build_network("light").eval(), bracket(40, 56)
    picture = TiledPrediction(network, frames, stops=STOPS, device=CPU)
    ((rows, columns),) = picture.tiles()
    picture.add(rows, columns)
    hdr, sigma = picture.result()
    again, same = predict_tiled(network, frames, stops=STOPS, device=CPU, tile=128)
    np.testing.assert_array_equal(hdr, again)
    np.testing.assert_array_equal(sigma, same)


def test_the_mode_of_the_network_and_of_torch_is_left_as_it_was():
    network = build_network("light").train()
    predict_tiled(network, bracket(30, 30), stops=STOPS, device=CPU)
    assert network.training
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()


def test_a_picture_can_be_given_up_between_two_tiles():
    seen = []

    def give_up(done: int, of: int) -> None:
        seen.append((done, of))
        if done == 2:
            raise KeyboardInterrupt

    network = build_network("light")
    with pytest.raises(KeyboardInterrupt):
        predict_tiled(
            network, bracket(100, 60), stops=STOPS, device=CPU, tile=48, overlap=16, on_tile=give_up
        )
    assert seen == [(1, 6), (2, 6)]


def test_frames_that_may_not_be_written_to_are_only_read():
    frames = bracket(20, 20)
    for frame in frames:
        frame.setflags(write=False)
    hdr, _ = predict_tiled(build_network("light"), frames, stops=STOPS, device=CPU)
    assert np.isfinite(hdr).all()
