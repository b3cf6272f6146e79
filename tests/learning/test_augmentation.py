"""One move serves a crop's frames, label, σ and masks alike."""

from itertools import product

import pytest
import torch

from smarthdr_studio.core.training.plan_sections import StudentPlan
from smarthdr_studio.learning.augmentation import (
    Augmentation,
    Corruption,
    corrupted,
    draw_corruption,
    strong_augmentation,
    suffers,
    weak_augmentation,
)

EVERY_MOVE = [
    Augmentation(channels=channels, flip_horizontal=across, flip_vertical=down, quarter_turns=turns)
    for channels, across, down, turns in product(
        [(0, 1, 2), (2, 0, 1)], [False, True], [False, True], range(4)
    )
]


@pytest.mark.parametrize("move", EVERY_MOVE)
def test_a_move_takes_image_label_sigma_and_mask_to_the_same_place(move):
    places = torch.arange(36).view(6, 6)
    frames = places[None, :, :, None].expand(3, 6, 6, 3).to(torch.uint16)
    label = places[..., None].expand(6, 6, 3).half()
    moved = move.of_values(places)
    for channel in range(3):
        assert torch.equal(move.of_colours(frames)[1, ..., channel].int(), moved.int())
        assert torch.equal(move.of_colours(label)[..., channel].int(), moved.int())
    mask = places == 7
    assert torch.equal(move.of_values(mask), moved == 7)


def test_the_channel_shuffle_permutes_the_label_as_it_permutes_the_frames():
    move = Augmentation(channels=(2, 0, 1))
    frames = torch.tensor([10, 20, 30], dtype=torch.uint16).expand(3, 4, 4, 3)
    label = torch.tensor([0.1, 0.2, 0.3]).half().expand(4, 4, 3)
    assert move.of_colours(frames)[0, 0, 0].tolist() == [30, 10, 20]
    assert move.of_colours(label)[0, 0].tolist() == label[0, 0][[2, 0, 1]].tolist()


def test_a_weak_move_is_a_vertical_flip_and_a_turn_and_never_touches_colour():
    generator = torch.Generator().manual_seed(0)
    moves = [weak_augmentation(generator) for _ in range(200)]
    assert {move.channels for move in moves} == {(0, 1, 2)}
    assert not any(move.flip_horizontal for move in moves)
    assert {(move.flip_vertical, move.quarter_turns) for move in moves} == set(
        product([False, True], range(4))
    )


def test_a_strong_move_draws_every_shuffle_flip_and_turn():
    generator = torch.Generator().manual_seed(0)
    moves = [strong_augmentation(generator) for _ in range(600)]
    assert not any(move.flip_vertical for move in moves)
    assert len({move.channels for move in moves}) == 6
    assert len({(move.flip_horizontal, move.quarter_turns) for move in moves}) == 8


def test_the_same_seed_draws_the_same_moves_and_a_saved_state_goes_on():
    first, second = torch.Generator().manual_seed(5), torch.Generator().manual_seed(5)
    assert [strong_augmentation(first) for _ in range(9)] == [
        strong_augmentation(second) for _ in range(9)
    ]
    state = first.get_state()
    expected = [weak_augmentation(first) for _ in range(9)]
    second.set_state(state)
    assert [weak_augmentation(second) for _ in range(9)] == expected


STOPS = torch.tensor([[0.0, 2.0, 4.0], [0.0, 3.0, 6.0]])


def _bracket(scene: torch.Tensor) -> list[torch.Tensor]:
    """Three frames of B×3×H×W radiance, each clipped as a sensor would."""
    frames = []
    for number in range(3):
        longer = torch.exp2(STOPS[:, number]).reshape(-1, 1, 1, 1)
        camera = (scene * longer).clamp(0, 1).pow(1 / 2.2)
        frames.append(torch.cat([camera.pow(2.2) / longer, camera], dim=1))
    return frames


def _scene(seed: int = 0) -> torch.Tensor:
    return torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(seed)).pow(3)


def test_a_brighter_scene_is_the_bracket_that_would_have_been_shot():
    scene, gains = _scene(), (1.5, 2.0, 1.0)
    suffered = [Corruption(gains, noise=0, patch=None, seed=0)] * 2
    frames, label = corrupted(_bracket(scene), scene, stops=STOPS, suffered=suffered)
    brighter = (scene * torch.tensor(gains).reshape(1, 3, 1, 1)).clamp(max=1)
    torch.testing.assert_close(label, brighter)
    # What a frame had clipped stays clipped: it cannot be known how bright it was.
    for frame, wanted in zip(frames, _bracket(brighter), strict=True):
        torch.testing.assert_close(frame, wanted, atol=2e-6, rtol=1e-5)


def test_a_foreign_patch_comes_from_another_crop_and_spares_reference_and_label():
    scene = _scene()
    suffered = [
        Corruption((1, 1, 1), noise=0, patch=(2, 9, 4, 12), seed=0),
        Corruption((1, 1, 1), noise=0, patch=None, seed=0),
    ]
    clean = _bracket(scene)
    frames, label = corrupted(clean, scene, stops=STOPS, suffered=suffered)
    assert torch.equal(label, scene)
    torch.testing.assert_close(frames[1], clean[1], atol=2e-6, rtol=1e-5)
    piece = clean[0][1, :3, 2:9, 4:12]
    torch.testing.assert_close(frames[0][0, :3, 2:9, 4:12], piece, atol=2e-6, rtol=1e-5)
    torch.testing.assert_close(frames[0][0, :, 9:], clean[0][0, :, 9:], atol=2e-6, rtol=1e-5)
    torch.testing.assert_close(frames[0][1], clean[0][1], atol=2e-6, rtol=1e-5)
    # Another bracket's piece is exposed as this bracket is.
    camera = (clean[2][1, :3, 2:9, 4:12] * 16).clamp(0, 1).pow(1 / 2.2)
    torch.testing.assert_close(frames[2][0, 3:, 2:9, 4:12], camera, atol=1e-5, rtol=1e-4)


def test_noise_falls_on_camera_values_and_not_on_the_label():
    scene = torch.full((2, 3, 64, 64), 0.05)
    suffered = [Corruption((1, 1, 1), noise=0.03, patch=None, seed=s) for s in (1, 2)]
    frames, label = corrupted(_bracket(scene), scene, stops=STOPS, suffered=suffered)
    assert torch.equal(label, scene)
    clean = _bracket(scene)
    for frame, was, free in zip(frames, clean, (True, True, False), strict=True):
        apart = frame[0, 3:] - was[0, 3:]
        if free:  # no clipping near
            assert apart.std().item() == pytest.approx(0.03, rel=0.05)
        torch.testing.assert_close(
            frame[:, :3], frame[:, 3:].pow(2.2) * (was[:, :3] / was[:, 3:].pow(2.2)),
            atol=2e-6, rtol=1e-4,
        )  # fmt: skip
    again, _ = corrupted(_bracket(scene), scene, stops=STOPS, suffered=suffered)
    assert all(torch.equal(a, b) for a, b in zip(frames, again, strict=True))


def test_draws_stay_within_what_the_plan_allows():
    plan = StudentPlan(noise=0.02, swap=0.5, brighten=1, tint=0.5)
    generator = torch.Generator().manual_seed(0)
    drawn = [draw_corruption(plan, crop=32, generator=generator) for _ in range(400)]
    assert all(1 <= gain <= 2**1.5 for each in drawn for gain in each.gains)
    assert all(0 <= each.noise <= 0.02 for each in drawn)
    patches = [each.patch for each in drawn if each.patch is not None]
    assert 150 < len(patches) < 250
    assert all(0 <= t < b <= 32 and 0 <= lft < r <= 32 for t, b, lft, r in patches)
    assert not suffers(StudentPlan(labelled_too=True))
    assert suffers(plan)
