"""Frames of a moved scene are brought to the reference, and what still differs is known."""

import cv2
import numpy as np
import pytest

from smarthdr_studio.core.imaging.bracket import Bracket
from smarthdr_studio.core.imaging.flow import align_to_reference, moved_as

STOPS = (0.0, 2.0, 4.0)


def scene(*, shift: int = 0) -> np.ndarray:
    """Smooth radiance, 96×128×3 in [0, 0.2], with a disc that moves to the right."""
    coarse = np.random.default_rng(0).random((12, 16, 3), dtype=np.float32)
    radiance = 0.02 + 0.05 * cv2.resize(coarse, (128, 96), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    disc = np.random.default_rng(1).random((28, 28, 3), dtype=np.float32)
    radiance[30:58, 40 + shift : 68 + shift] = 0.02 + 0.05 * disc
    return radiance


def frame(radiance: np.ndarray, stops: float) -> np.ndarray:
    ldr = np.clip(radiance * 2.0**stops, 0, 1) ** (1 / 2.2)
    return np.round(65535 * ldr).astype(np.uint16)


def bracket(*, shift: int) -> Bracket:
    under, reference, over = (
        frame(scene(shift=shift * (index - 1)), stops) for index, stops in enumerate(STOPS)
    )
    return Bracket(under=under, reference=reference, over=over, stops=STOPS)


def test_what_moved_lies_where_the_reference_has_it():
    still, moved = bracket(shift=0), bracket(shift=4)
    aligned = align_to_reference(moved).bracket
    inside = slice(36, 52), slice(46, 62)  # of the disc, away from what it uncovers
    for found, was, wanted in (
        (aligned.under, moved.under, still.under),
        (aligned.over, moved.over, still.over),
    ):
        before = np.abs(was[inside].astype(float) - wanted[inside]).mean()
        after = np.abs(found[inside].astype(float) - wanted[inside]).mean()
        assert after < 0.35 * before
    assert np.array_equal(aligned.reference, moved.reference)


def test_frames_that_show_the_same_are_hardly_apart_and_a_changed_one_is():
    same = bracket(shift=0)
    assert np.quantile(align_to_reference(same).apart, 0.99) < 5 / 255
    over = same.over.copy()
    over[70:90, 80:120] = 20000  # nothing of it is in the reference
    apart = align_to_reference(
        Bracket(under=same.under, reference=same.reference, over=over, stops=STOPS)
    ).apart
    assert np.quantile(apart[74:86, 86:114], 0.1) > 5 / 255


def test_where_the_reference_is_clipped_nothing_is_known_of_under():
    under, clipped = (np.full((40, 40, 3), value, np.uint16) for value in (40000, 65535))
    found = align_to_reference(Bracket(under=under, reference=clipped, over=clipped, stops=STOPS))
    np.testing.assert_array_equal(found.apart, np.zeros((40, 40), np.float32))
    np.testing.assert_array_equal(found.bracket.under, under)


@pytest.mark.parametrize("size", [(1, 1), (5, 90), (16, 16), (41, 67)])
def test_any_size_is_aligned_at_that_size(size):
    frames = [np.random.default_rng(n).integers(0, 65535, (*size, 3), np.uint16) for n in range(3)]
    found = align_to_reference(
        Bracket(under=frames[0], reference=frames[1], over=frames[2], stops=STOPS)
    )
    assert found.apart.shape == size
    assert all(each.shape == (*size, 3) for each in found.bracket.frames)


def test_what_is_aligned_is_moved_back_to_where_a_frame_shows_it():
    moved = bracket(shift=4)
    for index in (0, 2):
        disc = 4 * (index - 1) + 46  # its columns in that frame, away from what it covers
        inside = slice(36, 52), slice(disc, disc + 16)
        wanted = scene(shift=4 * (index - 1))
        before = np.abs(scene()[inside] - wanted[inside]).mean()
        after = np.abs(moved_as(moved, index, scene())[inside] - wanted[inside]).mean()
        assert after < 0.35 * before


def test_holes_are_filled_with_what_the_reference_has_there():
    wide = scene()
    stops = STOPS
    left, right = wide[:, :-12], wide[:, 12:]  # the over frame looks 12 pixels further to the right
    looking = Bracket(
        under=frame(left, stops[0]),
        reference=frame(left, stops[1]),
        over=frame(right, stops[2]),
        stops=stops,
    )
    found = moved_as(looking, 2, left)
    inside = slice(8, -8), slice(8, -40)
    assert np.abs(found[inside] - right[inside]).mean() < 0.35 * np.abs(left - right)[inside].mean()
    np.testing.assert_array_equal(found[:, -4:], left[:, -4:])  # out of the reference's picture


def test_pictures_too_small_for_flow_stay_where_they_are():
    small = np.random.default_rng(2).random((8, 8, 3), dtype=np.float32) / 20
    tiny = Bracket(
        under=frame(small, 0), reference=frame(small, 2), over=frame(small, 4), stops=STOPS
    )
    np.testing.assert_array_equal(moved_as(tiny, 0, small), small)
