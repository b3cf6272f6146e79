"""What is no number and what is clipped: counted, marked loudly, never a crash."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from smarthdr_studio.core.display import (
    MARKER,
    ColourMap,
    DisplaySettings,
    HeatScale,
    Layer,
    Material,
    Painter,
    ToneMap,
    colour_table,
)
from smarthdr_studio.core.display.false_colour import find_non_finite
from smarthdr_studio.core.imaging.bracket import Bracket
from smarthdr_studio.core.trust.masking import MaskSettings, trust

SETTINGS, ZEBRA = DisplaySettings(), DisplaySettings(zebra=True)
SIZE = 70, 90
NAN, INF = np.nan, np.inf


def light(seed=1):
    rng = np.random.default_rng(seed)
    return np.exp(rng.uniform(-8, 0, (*SIZE, 3))).astype(np.float16)


def a_scene(**changes):
    sigma = changes.pop("sigma", np.random.default_rng(0).random(SIZE, np.float32))
    masks, rng = MaskSettings(), np.random.default_rng(4)
    frames = [rng.integers(1, 64000, (*SIZE, 3)).astype(np.uint16) for _ in range(3)]
    with np.errstate(invalid="ignore"):
        found = trust(sigma, masks)
    plain = Material(
        bracket=Bracket(*frames, (0.0, 2.0, 4.0)),
        hdr=light(),
        sigma=sigma,
        trust=found,
        masks=masks,
        ground_truth=light(2),
        other_sigma=sigma,
    )
    return replace(plain, **changes)


def broken_light():
    picture = light()
    picture[3, 4, 1], picture[5, 6], picture[9, 9, 0] = NAN, NAN, NAN
    picture[20, 30, 2] = INF
    return picture


def marked_pixels(painted):
    return set(zip(*np.nonzero((painted.rgb8 == MARKER).all(-1)), strict=True))


@pytest.mark.parametrize("tone_map", ToneMap)
def test_odd_radiance_is_counted_by_pixels_and_marked(tone_map):
    settings = DisplaySettings(tone_map=tone_map, zebra=True)
    painted = Painter().paint(Layer.PSEUDO_LABEL, a_scene(hdr=broken_light()), settings)
    assert painted.warning == "3 NaN, 1 Inf"
    assert marked_pixels(painted) == {(3, 4), (5, 6), (9, 9), (20, 30)}
    assert MARKER in {entry.colour for entry in painted.key}


@pytest.mark.parametrize("scale", HeatScale)
@pytest.mark.parametrize("layer", [Layer.UNCERTAINTY, Layer.OTHER_SIGMA])
def test_odd_sigma_is_counted_and_marked_and_the_rest_keeps_its_colours(layer, scale):
    sigma = np.linspace(0.1, 0.2, SIZE[0] * SIZE[1], dtype=np.float32).reshape(SIZE)
    settings = DisplaySettings(heat_scale=scale)
    usual = Painter().paint(layer, a_scene(sigma=sigma), settings)
    broken = sigma.copy()
    broken[1, 2], broken[3, 3], broken[4, 4] = NAN, INF, -INF
    painted = Painter().paint(layer, a_scene(sigma=broken), settings)
    assert painted.warning == "1 NaN, 2 Inf"
    assert marked_pixels(painted) == {(1, 2), (3, 3), (4, 4)}
    fine = np.isfinite(broken)
    assert (painted.rgb8[fine] == usual.rgb8[fine]).all()


def test_an_error_between_odd_pictures_is_odd():
    painted = Painter().paint(Layer.ERROR, a_scene(hdr=broken_light()), SETTINGS)
    assert painted.warning == "3 NaN, 1 Inf"
    assert {(3, 4), (20, 30)} <= marked_pixels(painted)


@pytest.mark.parametrize("layer", [Layer.PATCH_MASK, Layer.PIXEL_MASK, Layer.COMBINED_MASK])
def test_masks_warn_of_a_sigma_that_is_no_number(layer):
    sigma = np.random.default_rng(0).random(SIZE, np.float32)
    sigma[0, 0] = NAN
    assert Painter().paint(layer, a_scene(sigma=sigma), SETTINGS).warning == "σ: 1 NaN"


@pytest.mark.parametrize("value", [NAN, INF, -INF])
@pytest.mark.filterwarnings("error")
def test_a_scene_of_nothing_but_odd_values_paints_in_every_layer(value):
    scene = a_scene(
        hdr=np.full((*SIZE, 3), value, np.float16), sigma=np.full(SIZE, value, np.float32)
    )
    for layer in Layer:
        for scale in HeatScale:
            settings = DisplaySettings(heat_scale=scale, zebra=True)
            painted = Painter().paint(layer, scene, settings)
            assert painted.why_empty or painted.rgb8.shape == (*SIZE, 3)
    assert (Painter().paint(Layer.UNCERTAINTY, scene, SETTINGS).rgb8 == MARKER).all()
    difference = Painter().difference(Layer.UNCERTAINTY, Layer.OTHER_SIGMA, scene, SETTINGS)
    assert (difference.rgb8 == MARKER).all()


@pytest.mark.parametrize("colour_map", ColourMap)
def test_the_marker_is_far_from_every_colour_of_the_maps(colour_map):
    distance = np.abs(colour_table(colour_map).astype(int) - MARKER).sum(1)
    assert distance.min() > 120


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@given(st.data())
def test_odd_values_are_counted_as_slow_numpy_counts_them(dtype, data):
    shape = data.draw(st.sampled_from([(1, 1), (3, 5), (4, 2, 3)]))
    values = data.draw(arrays.arrays(dtype, shape))
    odd = find_non_finite(values)
    pixels = values.reshape(*shape[:2], -1)
    assert odd.nan == np.isnan(pixels).any(-1).sum()
    assert odd.inf == np.isinf(pixels).any(-1).sum()
    where = ~np.isfinite(pixels).all(-1)
    assert (odd.where is None) == (not where.any())
    assert odd.where is None or (odd.where == where).all()


def test_whole_numbers_are_never_odd():
    assert find_non_finite(np.full((2, 2), 65535, np.uint16)).words == ""


@pytest.mark.parametrize("exposure_ev", [0.0, 3.0, -6.0])
def test_zebra_stripes_exactly_what_the_screen_clips(exposure_ev):
    picture = light()
    picture[:7, :9], picture[40:47] = 1.5, 0
    plain, striped = (
        Painter().paint(
            Layer.PSEUDO_LABEL,
            Material(hdr=picture),
            DisplaySettings(exposure_ev=exposure_ev, zebra=zebra),
        )
        for zebra in (False, True)
    )
    bright, dark = (plain.rgb8 == 255).any(-1), (plain.rgb8 == 0).all(-1)
    touched = (striped.rgb8 != plain.rgb8).any(-1)
    assert not touched[~(bright | dark)].any()
    assert dark.any()
    assert 0.2 < touched[dark].mean() < 0.8
    if bright.any():
        assert 0.2 < touched[bright].mean() < 0.8
    for mask, name in ((bright, "clipped"), (dark, "black")):
        portion = mask.mean()
        words = "< 1 %" if 0 < portion < 0.005 else f"{round(100 * portion)} %"
        assert f"{name} {words}" in striped.detail


def test_zebra_on_a_frame_goes_by_camera_values_whatever_the_exposure():
    frame = np.random.default_rng(3).integers(1, 64000, (*SIZE, 3)).astype(np.uint16)
    frame[:7, :, 1], frame[7:14, :, 1], frame[14:21] = 64225, 64224, 0  # 0.98 lies between
    scene = a_scene(bracket=Bracket(frame, frame, frame, (0.0, 2.0, 4.0)))
    for ev in (0.0, -3.0):
        plain, striped = (
            Painter().paint(Layer.OVER, scene, DisplaySettings(exposure_ev=ev, zebra=zebra))
            for zebra in (False, True)
        )
        touched = (striped.rgb8 != plain.rgb8).any(-1)
        assert touched[:7].any()
        assert touched[14:21].any()
        assert not touched[7:14].any()
        assert not touched[21:].any()
        assert "clipped 10 %" in striped.detail
        assert "black 10 %" in striped.detail


def test_highlights_and_shadows_have_stripes_of_their_own():
    hdr = np.zeros((96, 96, 3), np.float16)
    hdr[:, :48] = 2
    shown = Painter().paint(Layer.PSEUDO_LABEL, Material(hdr=hdr), ZEBRA)
    white, black = shown.rgb8[:, :48, 0], shown.rgb8[:, 48:, 2]
    assert (white[1:, :-1] == white[:-1, 1:]).all()  # rising
    assert (black[:, 1:] == black[:, :-1]).all()  # level
    assert len(np.unique(white)) == len(np.unique(black)) == 2
    assert len({entry.pattern for entry in shown.key}) == 2


def test_zebra_changes_nothing_on_maps_and_masks():
    scene = a_scene()
    painter = Painter()
    for layer in (Layer.UNCERTAINTY, Layer.PATCH_MASK, Layer.COMBINED_MASK):
        assert painter.paint(layer, scene, ZEBRA) is painter.paint(layer, scene, SETTINGS)
