"""What two layers differ by, against slow plain numpy; and the sentence where they cannot."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from smarthdr_studio.core.display import (
    FRAMES,
    MAPS,
    PICTURES,
    DisplaySettings,
    Layer,
    Material,
    Painter,
    colour_table,
)
from smarthdr_studio.core.imaging.bracket import Bracket
from smarthdr_studio.core.imaging.radiometry import (
    exposure_weighted_merge,
    linear_radiance,
    mu_law,
    unit_ldr,
)
from smarthdr_studio.core.trust.masking import MaskSettings, scores, trust

SETTINGS = DisplaySettings()
SIZE = 40, 60


def light(seed, shape=SIZE):
    rng = np.random.default_rng(seed)
    return np.exp(rng.uniform(-8, 0, (*shape, 3))).astype(np.float16)


def a_scene():
    rng = np.random.default_rng(1)
    sigma, masks = rng.random(SIZE, np.float32), MaskSettings(patch_size=16)
    frames = [rng.integers(0, 65536, (*SIZE, 3)).astype(np.uint16) for _ in range(3)]
    return Material(
        bracket=Bracket(*frames, (0.0, 2.0, 4.0)),
        hdr=light(1),
        sigma=sigma,
        trust=trust(sigma, masks),
        masks=masks,
        ground_truth=light(2),
        student=light(3),
        promoted=light(4),
        other_hdr=light(5),
        other_sigma=sigma[::-1].copy(),
    )


def slow_light(layer, scene):
    """Linear radiance of a picture layer, by the formulas."""
    if layer in FRAMES:
        index = FRAMES.index(layer)
        frame, stops = scene.bracket.frames[index], scene.bracket.stops[index]
        return linear_radiance(unit_ldr(frame), stops=stops)
    if layer is Layer.MERGE:
        merged = exposure_weighted_merge(scene.bracket.frames, stops=scene.bracket.stops)
        return merged.astype(np.float16).astype(np.float32)
    given = {
        Layer.PSEUDO_LABEL: scene.hdr,
        Layer.GROUND_TRUTH: scene.ground_truth,
        Layer.STUDENT: scene.student,
        Layer.PROMOTED: scene.promoted,
        Layer.OTHER_ROUND: scene.other_hdr,
    }
    return given[layer].astype(np.float32)


@pytest.mark.parametrize(("layer", "partner"), list(combinations(PICTURES, 2)))
def test_pictures_differ_by_their_mu_law_values(layer, partner):
    scene = a_scene()
    painted = Painter().difference(layer, partner, scene, SETTINGS)
    one, other = (mu_law(slow_light(which, scene)) for which in (layer, partner))
    # The merge is rounded to halves by a table, which may fall to the other side.
    tolerance = 1e-3 if Layer.MERGE in (layer, partner) else 2e-6
    np.testing.assert_allclose(painted.values, np.abs(one - other).mean(2), atol=tolerance)
    assert painted.title == f"|{layer.value} − {partner.value}|"


@pytest.mark.parametrize("gain", [0.5, 1.0, 4.0, 16.0])
def test_gain_brings_small_differences_up_and_the_legend_keeps_their_unit(gain):
    scene, table = a_scene(), colour_table("ember")
    painted = Painter().difference(
        Layer.PSEUDO_LABEL, Layer.STUDENT, scene, DisplaySettings(gain=gain)
    )
    bright = np.clip(painted.values.astype(np.float64) * gain, 0, 1) * 255
    low, high = table[np.floor(bright).astype(int)], table[np.ceil(bright).astype(int)]
    assert ((painted.rgb8 == low) | (painted.rgb8 == high)).all(-1).all()
    top = {0.5: "2", 1.0: "1", 4.0: "0.25", 16.0: "≥ 0.062"}[gain]
    assert painted.legend.high == top or painted.legend.high == f"≥ {top}"
    assert painted.legend.low == "0"
    assert painted.values.max() > 0.25  # so that the top of gain 4 is passed


def test_a_layer_does_not_differ_from_itself():
    painted = Painter().difference(Layer.STUDENT, Layer.STUDENT, a_scene(), SETTINGS)
    assert (painted.values == 0).all()
    assert (painted.rgb8 == colour_table("ember")[0]).all()


def test_maps_of_one_unit_differ_by_their_values():
    scene = a_scene()
    sigmas = Painter().difference(Layer.UNCERTAINTY, Layer.OTHER_SIGMA, scene, SETTINGS)
    np.testing.assert_array_equal(sigmas.values, np.abs(scene.sigma - scene.other_sigma))
    both = Painter().difference(Layer.PIXEL_SCORE, Layer.PATCH_SCORE, scene, SETTINGS)
    pixel = scores(scene.sigma, scene.trust.pixel_range)
    patch = Painter().paint(Layer.PATCH_SCORE, scene, SETTINGS).values
    np.testing.assert_allclose(both.values, np.abs(pixel - patch), atol=1e-6)


def test_sigma_is_compared_with_the_error_it_foretells():
    scene = a_scene()
    error = Painter().paint(Layer.ERROR, scene, SETTINGS).values
    painted = Painter().difference(Layer.UNCERTAINTY, Layer.ERROR, scene, SETTINGS)
    np.testing.assert_array_equal(painted.values, np.abs(scene.sigma - error))


@pytest.mark.parametrize(
    ("layer", "partner"),
    [
        (Layer.PSEUDO_LABEL, Layer.UNCERTAINTY),
        (Layer.UNCERTAINTY, Layer.PATCH_SCORE),
        (Layer.PATCH_MASK, Layer.PIXEL_MASK),
        (Layer.REASONS, Layer.REASONS),
        (Layer.FLIPS, Layer.PATCH_SCORE),
    ],
)
def test_what_has_no_unit_in_common_says_so_in_one_sentence(layer, partner):
    painted = Painter().difference(layer, partner, a_scene(), SETTINGS)
    assert painted.rgb8 is None
    assert "two pictures or two maps of one unit" in painted.why_empty


def test_every_pair_of_layers_of_any_scene_is_a_picture_or_a_sentence():
    painter = Painter()
    for scene in (a_scene(), Material(), replace(a_scene(), trust=None, student=None)):
        for layer in Layer:
            for partner in Layer:
                painted = painter.difference(layer, partner, scene, SETTINGS)
                assert (painted.rgb8 is None) == bool(painted.why_empty)


@pytest.mark.parametrize(
    ("changes", "pair", "words"),
    [
        (
            {"student": None},
            (Layer.PSEUDO_LABEL, Layer.STUDENT),
            "Waiting for the student's answer",
        ),
        ({"bracket": None}, (Layer.MERGE, Layer.STUDENT), "not loaded"),
        ({"other_sigma": None}, (Layer.UNCERTAINTY, Layer.OTHER_SIGMA), "Pick a round"),
        ({"student": light(0, (9, 9))}, (Layer.STUDENT, Layer.UNDER), "different sizes"),
        (
            {"other_sigma": np.ones((9, 9), np.float32)},
            (Layer.UNCERTAINTY, Layer.OTHER_SIGMA),
            "different sizes",
        ),
    ],
)
def test_what_is_missing_or_of_another_size_is_named(changes, pair, words):
    painted = Painter().difference(*pair, replace(a_scene(), **changes), SETTINGS)
    assert painted.rgb8 is None
    assert words in painted.why_empty


def test_the_same_difference_is_the_very_same_picture():
    painter, scene = Painter(), a_scene()
    pair = Layer.PSEUDO_LABEL, Layer.STUDENT
    first = painter.difference(*pair, scene, SETTINGS)
    other = painter.difference(*pair, scene, DisplaySettings(gain=2.0))
    assert painter.difference(*pair, scene, DisplaySettings(exposure_ev=3.0)) is first
    assert painter.difference(*pair, scene, DisplaySettings(gain=2.0)) is other
    assert other.values is first.values


def test_the_numbers_of_every_layer_can_be_had_without_its_picture():
    painter, scene = Painter(), a_scene()
    for layer in (*PICTURES, *MAPS):
        values = painter.values(layer, scene, SETTINGS)
        if layer is Layer.FLIPS:
            assert values is None
            continue
        assert values.shape[:2] == SIZE
        assert painter.values(layer, scene, SETTINGS) is values
        if layer in PICTURES:
            tolerance = 6e-4 if layer is Layer.MERGE else 1e-6
            np.testing.assert_allclose(values, slow_light(layer, scene), atol=tolerance)
