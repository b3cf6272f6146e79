"""Scores, errors, σ and flips on the screen, against slow plain numpy."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_scenes import SETTINGS, SIZE, a_scene, light

from smarthdr_studio.core.display import (
    DisplaySettings,
    HeatScale,
    Layer,
    Painter,
    colour_table,
    layer_values,
)
from smarthdr_studio.core.imaging.radiometry import linear_radiance, unit_ldr
from smarthdr_studio.core.trust.masking import MaskSettings, trust
from smarthdr_studio.core.trust.reliability import error_map


def slow_patch_scores(scene):
    """S_pa per pixel, patch by patch."""
    low, high = scene.trust.patch_range
    scores, size = np.empty(scene.sigma.shape), scene.masks.patch_size
    for top in range(0, scores.shape[0], size):
        for left in range(0, scores.shape[1], size):
            patch = np.s_[top : top + size, left : left + size]
            mean = float(np.float32(scene.sigma[patch].astype(np.float64).mean()))
            scores[patch] = 0 if high <= low else np.clip((mean - low) / (high - low), 0, 1)
    return scores


def slow_pixel_scores(scene):
    low, high = map(np.float64, scene.trust.pixel_range)
    if high <= low:
        return np.zeros(scene.sigma.shape)
    return np.clip((scene.sigma.astype(np.float64) - low) / (high - low), 0, 1)


SLOW_SCORES = {Layer.PATCH_SCORE: slow_patch_scores, Layer.PIXEL_SCORE: slow_pixel_scores}


def codes_of(painted):
    """Which of the 256 colours of the map each pixel took."""
    table = {tuple(colour): code for code, colour in enumerate(colour_table("ember").tolist())}
    pixels = painted.rgb8.reshape(-1, 3).tolist()
    return np.array([table[tuple(pixel)] for pixel in pixels]).reshape(painted.rgb8.shape[:2])


@pytest.mark.parametrize("layer", SLOW_SCORES)
@pytest.mark.parametrize("masks", [MaskSettings(), MaskSettings(tau_patch=0.2, patch_size=32)])
def test_scores_are_heat_over_exactly_0_to_1(layer, masks):
    scene = a_scene(masks=masks)
    painted, slow = Painter().paint(layer, scene, SETTINGS), SLOW_SCORES[layer](scene)
    assert (painted.legend.low, painted.legend.high) == ("0", "1")
    np.testing.assert_allclose(painted.values, slow, atol=2e-6)
    assert np.abs(codes_of(painted) - slow * 255).max() <= 0.51


@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 64), st.integers(0, 1000))
def test_scores_hold_for_scenes_of_any_size(height, width, patch_size, seed):
    sigma = np.random.default_rng(seed).random((height, width), np.float32)
    sigma[:] = sigma if seed % 3 else 0.25  # every third is constant
    scene = a_scene((height, width), MaskSettings(patch_size=patch_size), sigma=sigma)
    for layer, slow in SLOW_SCORES.items():
        np.testing.assert_allclose(layer_values(layer, scene), slow(scene), atol=1e-5)


def test_a_threshold_does_not_repaint_the_patch_scores():
    painter, scene = Painter(), a_scene()
    moved = replace(scene.masks, tau_patch=0.1)
    other = replace(scene, masks=moved, trust=trust(scene.sigma, moved))
    before = painter.paint(Layer.PATCH_SCORE, scene, SETTINGS)
    assert painter.paint(Layer.PATCH_SCORE, other, SETTINGS) is before


def test_another_rounds_sigma_takes_the_colours_of_the_sigma_beside_it():
    sigma = np.linspace(0.01, 0.1, 28000, dtype=np.float32).reshape(SIZE)
    scene = a_scene(sigma=sigma, other_sigma=sigma[::-1].copy(), other_origin="round 2")
    here, there = (
        Painter().paint(layer, scene, SETTINGS) for layer in (Layer.UNCERTAINTY, Layer.OTHER_SIGMA)
    )
    assert (there.rgb8[::-1] == here.rgb8).all()
    assert (there.legend.low, there.legend.high) == (here.legend.low, here.legend.high)
    assert "round 2" in there.detail
    doubled = Painter().paint(
        Layer.OTHER_SIGMA, replace(scene, other_sigma=sigma * 2, sigma=sigma), SETTINGS
    )
    assert doubled.legend.high == f"≥ {here.legend.high.removeprefix('≥ ')}"
    alone = Painter().paint(
        Layer.OTHER_SIGMA, replace(scene, other_sigma=sigma * 2, sigma=None), SETTINGS
    )
    assert alone.legend.low == "0.020"


def test_a_logarithmic_bar_names_the_least_value_it_can_show():
    scene = a_scene(sigma=np.linspace(0, 1, 28000, dtype=np.float32).reshape(SIZE))
    settings = DisplaySettings(heat_scale=HeatScale.LOG)
    assert Painter().paint(Layer.UNCERTAINTY, scene, settings).legend.low == "≤ 0.00010"
    assert Painter().paint(Layer.UNCERTAINTY, scene, SETTINGS).legend.low == "0"


def test_flips_are_heat_from_0_to_the_most():
    flips = np.array([[0, 1, 2, 3], [3, 2, 1, 0], [6, 0, 0, 6]], np.uint8)
    painted = Painter().paint(Layer.FLIPS, a_scene(flips=flips), SETTINGS)
    slow = np.array([[flips[y // 64, x // 64] for x in range(200)] for y in range(140)])
    assert (painted.values == slow).all()
    assert (codes_of(painted) == np.rint(slow / 6 * 255)).all()
    assert (painted.legend.low, painted.legend.high) == ("0", "6")


def test_flips_of_another_patch_size_say_so():
    painted = Painter().paint(Layer.FLIPS, a_scene(flips=np.ones((2, 2), np.uint8)), SETTINGS)
    assert painted.rgb8 is None
    assert "another patch size" in painted.why_empty


RADIANCE = {
    Layer.GROUND_TRUTH: "ground_truth",
    Layer.STUDENT: "student",
    Layer.PROMOTED: "promoted",
    Layer.OTHER_ROUND: "other_hdr",
}


@pytest.mark.parametrize("layer", RADIANCE)
def test_an_error_is_held_against_the_layer_that_was_picked(layer):
    scene = replace(a_scene(), **{RADIANCE[layer]: light(9)})
    painted = Painter().paint(Layer.ERROR, scene, DisplaySettings(error_against=layer))
    slow = error_map(scene.hdr, light(9))
    np.testing.assert_allclose(painted.values, slow, atol=1e-6)
    assert layer.value in painted.detail
    np.testing.assert_array_equal(layer_values(Layer.ERROR, scene, against=layer), painted.values)


def test_an_error_against_a_frame_is_held_against_its_radiance():
    scene = a_scene()
    settings = DisplaySettings(error_against=Layer.OVER)
    painted = Painter().paint(Layer.ERROR, scene, settings)
    linear = linear_radiance(unit_ldr(scene.bracket.over), stops=4.0)
    np.testing.assert_allclose(painted.values, error_map(scene.hdr, linear), atol=1e-6)
    np.testing.assert_allclose(layer_values(Layer.OVER, scene), linear, rtol=1e-6)


@pytest.mark.parametrize(
    ("against", "missing", "words"),
    [
        (Layer.GROUND_TRUTH, "ground_truth", "both a pseudo-label and a ground truth"),
        (Layer.STUDENT, "student", "Waiting for the student's answer"),
        (Layer.MERGE, "bracket", "frames of this scene are not loaded"),
        (Layer.STUDENT, "hdr", "No pseudo-label yet"),
        (Layer.UNCERTAINTY, "student", "Uncertainty σ is none"),
    ],
)
def test_an_error_that_cannot_be_made_says_what_is_missing(against, missing, words):
    scene = replace(a_scene(), **{missing: None})
    painted = Painter().paint(Layer.ERROR, scene, DisplaySettings(error_against=against))
    assert painted.rgb8 is None
    assert words in painted.why_empty


def test_an_error_between_two_sizes_says_so():
    scene = replace(a_scene(), ground_truth=light(2, (40, 50)))
    assert "different sizes" in Painter().paint(Layer.ERROR, scene, SETTINGS).why_empty
