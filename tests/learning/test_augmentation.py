"""One move serves a crop's frames, label, σ and masks alike."""

from itertools import product

import pytest
import torch

from smarthdr_studio.learning.augmentation import (
    Augmentation,
    strong_augmentation,
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
