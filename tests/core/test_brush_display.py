"""What a person painted, in the views of both gates and on scenes that have no pseudo-label yet."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarthdr_studio.core.display import (
    Area,
    DisplaySettings,
    Layer,
    Material,
    OverlayVariants,
    Painter,
    hatched_rgb8,
    masked_rgb8,
)
from smarthdr_studio.core.display.overlay import (
    DISTRUST_HATCH,
    PATCH_HATCH,
    PIXEL_HATCH,
    SHUT,
    TRUST_HATCH,
    BrushVariants,
)
from smarthdr_studio.core.imaging.bracket import Bracket
from smarthdr_studio.core.trust.masking import MaskSettings, trust

SIZE = (100, 160)
SETTINGS = DisplaySettings()
GATES = Layer.PATCH_MASK, Layer.PIXEL_MASK


def a_brush():
    person = np.zeros(SIZE, np.int8)
    person[10:50, 20:80], person[60:90, 90:150] = 1, -1
    return person


def a_scene(person=None, masks=None):
    rng, masks = np.random.default_rng(3), masks or MaskSettings()
    sigma = rng.random(SIZE, np.float32)
    return Material(
        hdr=rng.random((*SIZE, 3), np.float32).astype(np.float16),
        sigma=sigma,
        trust=trust(sigma, masks, person=person),
        masks=masks,
        person=person,
    )


@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    strength=st.sampled_from([0.0, 0.4, 0.7, 1.0]),
    dimmed=st.booleans(),
)
def test_both_ways_of_painting_a_brush_give_the_same_picture(height, width, strength, dimmed):
    rng = np.random.default_rng(height * 100 + width)
    picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    hatches = PIXEL_HATCH, SHUT, PATCH_HATCH, DISTRUST_HATCH, TRUST_HATCH
    areas = [Area(rng.random((height, width)) < 0.3, hatch) for hatch in hatches]
    quickly = masked_rgb8(
        OverlayVariants.of(picture, strength=strength),
        areas,
        dimmed=dimmed,
        brush=BrushVariants.of(picture, strength=strength),
    )
    slowly = hatched_rgb8(picture, areas, strength=strength, dimmed=dimmed)
    assert (quickly == slowly).all()


@pytest.mark.parametrize("layer", GATES)
def test_the_views_of_both_gates_show_the_brush_that_overrules_them(layer):
    person = a_brush()
    with_brush, without = a_scene(person), a_scene()
    shown = Painter().paint(layer, with_brush, SETTINGS)
    bare = Painter().paint(layer, without, SETTINGS)
    assert (shown.rgb8[person == 0] == bare.rgb8[person == 0]).all()
    for side in (1, -1):
        assert (shown.rgb8[person == side] != bare.rgb8[person == side]).any(-1).mean() > 0.3
    words = [entry.words for entry in shown.key]
    assert words[-2:] == ["distrusted by a person", "trusted by a person"]
    assert [entry.words for entry in bare.key] == words[:-2]


@pytest.mark.parametrize("layer", GATES)
def test_another_stroke_is_another_picture_and_the_same_one_is_not(layer):
    painter, scene = Painter(), a_scene(a_brush())
    first = painter.paint(layer, scene, SETTINGS)
    assert painter.paint(layer, scene, SETTINGS) is first
    person = scene.person.copy()
    person[0, 0] = 1
    moved = replace(scene, person=person, trust=replace(scene.trust))
    assert painter.paint(layer, moved, SETTINGS) is not first


@pytest.mark.parametrize("layer", [*GATES, Layer.PERSON_MASK])
def test_a_scene_without_a_pseudo_label_shows_what_is_painted(layer):
    rng, person = np.random.default_rng(0), a_brush()
    frames = [rng.integers(0, 2**16, (*SIZE, 3), dtype=np.uint16) for _ in range(3)]
    scene = Material(bracket=Bracket(*frames, (0.0, 2.0, 4.0)), person=person)
    shown = Painter().paint(layer, scene, SETTINGS)
    assert shown.title == Layer.PERSON_MASK
    assert "from the first pseudo-label on" in shown.detail
    assert (shown.values == person).all()
    hidden = Painter().paint(layer, scene, replace(SETTINGS, mask_visible=False))
    assert (shown.rgb8[person != 0] != hidden.rgb8[person != 0]).any(-1).mean() > 0.3
    nothing = Painter().paint(layer, replace(scene, person=None), SETTINGS)
    assert nothing.title != Layer.PERSON_MASK or nothing.rgb8 is None
