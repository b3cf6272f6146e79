"""Areas over a picture: hatches that no hue is needed for, alike by every way of painting them."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarthdr_studio.core.display import (
    Area,
    OverlayVariants,
    hatched_rgb8,
    key_swatch,
    masked_rgb8,
)
from smarthdr_studio.core.display.overlay import (
    DISTRUST_HATCH,
    HIGHLIGHT_HATCH,
    PATCH_HATCH,
    PIXEL_HATCH,
    REASON_HATCHES,
    SHADOW_HATCH,
    SHUT,
    TRUST_HATCH,
    WEIGHED_HATCH,
    pattern_mask,
    period_of,
)
from smarthdr_studio.core.display.tone import strips

DROPPING = (PATCH_HATCH, PIXEL_HATCH, DISTRUST_HATCH)
EVERYTHING = np.ones((96, 96), bool)


def grey_looks(height=96, width=96, strength=0.7):
    return OverlayVariants.of(np.full((height, width, 3), 128, np.uint8), strength=strength)


def some_rgb8(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def slowly_hatched(picture, mask, hatch, *, strength):
    """One dropped area, pixel by pixel by the words of the docstrings."""
    height, width = mask.shape
    ink = pattern_mask(hatch.pattern, rows=height, width=width, period=period_of(width))
    painted = np.empty_like(picture)
    for place in np.ndindex(height, width):
        light = picture[place].astype(int)
        if not mask[place]:
            painted[place] = light // 2 + light // 4
            continue
        colour = np.rint(np.array(hatch.colour) * 0.7 * strength) if ink[place] else 0
        painted[place] = np.minimum(light // 4 + light // 8 + colour, 255)
    return painted


def test_dropped_areas_differ_from_kept_ones_without_any_hue():
    left = np.zeros((96, 96), bool)
    left[:, :48] = True
    for hatch in (PATCH_HATCH, PIXEL_HATCH):
        shown = masked_rgb8(grey_looks(), (Area(left, hatch),))
        grey = cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY)
        assert len(np.unique(grey[:, :48])) == 2  # stripes
        assert len(np.unique(grey[:, 48:])) == 1  # the picture alone


def test_patches_and_pixels_are_hatched_in_opposite_directions():
    looks = grey_looks()
    assert (looks.patch[1:, :-1] == looks.patch[:-1, 1:]).all()  # rising to the right
    assert (looks.pixel[1:, 1:] == looks.pixel[:-1, :-1]).all()  # falling to the right
    assert not (looks.patch[1:, 1:] == looks.patch[:-1, :-1]).all()


def test_stripes_run_on_over_the_strips_a_tall_picture_is_painted_in():
    looks = grey_looks(height=2000, width=200)
    assert len(list(strips(2000, 200, multiple=12, pixels=1 << 17))) > 1
    assert (looks.patch[1:, :-1] == looks.patch[:-1, 1:]).all()
    assert (looks.pixel[1:, 1:] == looks.pixel[:-1, :-1]).all()


def test_masks_leave_the_picture_they_are_painted_on_alone():
    picture = np.full((32, 32, 3), 200, np.uint8)
    looks = OverlayVariants.of(picture, strength=1.0)
    masked_rgb8(looks, (Area(np.ones((32, 32), bool), PATCH_HATCH),), dimmed=False)
    assert (picture == 200).all()
    assert (masked_rgb8(looks, (), dimmed=False) == picture).all()


def test_looks_painted_over_older_ones_are_as_good_as_new():
    first, second = some_rgb8(33, 47), some_rgb8(33, 47, seed=1)
    reused = OverlayVariants.of(second, strength=0.4, over=OverlayVariants.of(first, strength=1.0))
    fresh = OverlayVariants.of(second, strength=0.4)
    for name in ("plain", "kept", "patch", "pixel", "shut"):
        assert (getattr(reused, name) == getattr(fresh, name)).all()


def test_a_later_area_covers_an_earlier_one():
    looks = grey_looks()
    areas = Area(EVERYTHING, PIXEL_HATCH), Area(EVERYTHING, PATCH_HATCH)
    assert (masked_rgb8(looks, areas) == looks.patch).all()
    assert (hatched_rgb8(looks.plain, areas, strength=0.7) == looks.patch).all()


@pytest.mark.parametrize("hatch", DROPPING)
@pytest.mark.parametrize("strength", [0.0, 0.35, 1.0])
def test_a_hatched_picture_is_what_slow_arithmetic_gives(hatch, strength):
    picture = some_rgb8(37, 53)
    mask = np.random.default_rng(3).random((37, 53)) > 0.5
    shown = hatched_rgb8(picture, (Area(mask, hatch),), strength=strength)
    assert (shown == slowly_hatched(picture, mask, hatch, strength=strength)).all()


@given(
    st.integers(1, 40), st.integers(1, 40), st.floats(0, 1), st.booleans(), st.integers(0, 2**16)
)
def test_both_ways_of_painting_the_gates_give_the_very_same_pixels(h, w, strength, dimmed, seed):
    picture, chance = some_rgb8(h, w, seed), np.random.default_rng(seed)
    hatches = PIXEL_HATCH, PATCH_HATCH, SHUT
    areas = [Area(chance.random((h, w)) > 0.6, hatch) for hatch in hatches]
    quick = masked_rgb8(OverlayVariants.of(picture, strength=strength), areas, dimmed=dimmed)
    assert (quick == hatched_rgb8(picture, areas, strength=strength, dimmed=dimmed)).all()


def test_ink_on_the_picture_leaves_the_picture_between_its_marks():
    picture = some_rgb8(96, 96)
    shown = hatched_rgb8(picture, (Area(EVERYTHING, TRUST_HATCH),))
    ink = pattern_mask(TRUST_HATCH.pattern, rows=96, width=96, period=period_of(96))
    assert (shown[~ink] == picture[~ink]).all()
    assert (shown[ink] == TRUST_HATCH.colour).all()
    assert 0.2 < ink.mean() < 0.6


def test_no_two_hatches_of_one_picture_share_a_pattern():
    gates = PATCH_HATCH, PIXEL_HATCH, SHUT, WEIGHED_HATCH, DISTRUST_HATCH, TRUST_HATCH
    for together in (gates, tuple(REASON_HATCHES.values()), (HIGHLIGHT_HATCH, SHADOW_HATCH)):
        shown = [
            pattern_mask(hatch.pattern, rows=96, width=96, period=12).tobytes()
            for hatch in together
        ]
        assert len(set(shown)) == len(together)


def test_hatches_of_one_picture_differ_in_lightness_from_what_lies_between():
    for hatch in {PATCH_HATCH, PIXEL_HATCH, DISTRUST_HATCH, TRUST_HATCH, *REASON_HATCHES.values()}:
        shown = hatched_rgb8(np.full((96, 96, 3), 60, np.uint8), (Area(EVERYTHING, hatch),))
        grey = cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY).astype(int)
        assert grey.max() - grey.min() > 60


def test_a_sample_for_the_key_holds_its_colour_and_its_ground():
    swatch = key_swatch((1, 2, 200), "rising", width=24, height=14)
    colours = {tuple(colour) for colour in swatch.reshape(-1, 3).tolist()}
    assert swatch.shape == (14, 24, 3)
    assert (1, 2, 200) in colours
    assert len(colours) == 2


@given(st.integers(1, 500), st.integers(1, 60), st.integers(1, 20), st.integers(1, 2000))
def test_strips_cover_every_row_once_and_begin_at_a_multiple(height, width, multiple, pixels):
    found = list(strips(height, width, multiple=multiple, pixels=pixels))
    rows = [row for part in found for row in range(height)[part]]
    assert rows == list(range(height))
    assert all(part.start % multiple == 0 for part in found)
