"""From radiance and camera values to the screen: every tone map, and false colour in stops."""

import numpy as np
import pytest

from smarthdr_studio.core.display import (
    ColourMap,
    DisplaySettings,
    Layer,
    Material,
    Painter,
    ToneMap,
    colour_table,
    frame_rgb8,
    to_rgb8,
    tone_table,
    toned,
)
from smarthdr_studio.core.imaging.radiometry import mu_law

SMOOTH = [tone_map for tone_map in ToneMap if tone_map is not ToneMap.STOPS]


def some_picture(height=70, width=101, seed=0):
    rng = np.random.default_rng(seed)
    return np.exp(rng.uniform(-9, 0, (height, width, 3))).astype(np.float32)


@pytest.mark.parametrize("tone_map", SMOOTH)
@pytest.mark.parametrize("exposure_ev", [-3.0, 0.0, 0.5, 4.0])
def test_the_table_is_within_one_code_of_the_formula(tone_map, exposure_ev):
    picture = some_picture()
    shown = to_rgb8(picture.astype(np.float16), tone_table(tone_map, exposure_ev=exposure_ev))
    exact = toned(picture, tone_map, exposure_ev=exposure_ev) * 255
    assert np.abs(shown - exact).max() <= 1.0


@pytest.mark.parametrize("tone_map", ToneMap)
def test_more_radiance_is_never_darker_and_the_ends_are_black_and_white(tone_map):
    rising = np.arange(0x7C00, dtype=np.uint16).view(np.float16)  # 0 to the largest half
    shown = tone_table(tone_map)[rising.view(np.uint16)].astype(int)
    assert (np.diff(shown) >= 0).all()
    assert shown[0] == 0
    assert shown[-1] == 255


@pytest.mark.parametrize("tone_map", ToneMap)
def test_radiance_that_is_no_number_has_a_defined_colour(tone_map):
    odd = np.array([[[np.nan, np.inf, -np.inf], [-1, -0.0, 0]]], np.float16)
    assert to_rgb8(odd, tone_table(tone_map)).tolist() == [[[0, 255, 0], [0, 0, 0]]]


def test_the_mu_law_on_the_screen_is_the_mu_law_of_the_loss():
    picture = some_picture()
    np.testing.assert_allclose(toned(picture, ToneMap.MU_LAW), mu_law(picture), atol=1e-6)


def test_one_stop_of_exposure_is_twice_the_radiance():
    picture = some_picture() / 4
    np.testing.assert_allclose(
        toned(picture, ToneMap.FILMIC, exposure_ev=1.0),
        toned(picture * 2, ToneMap.FILMIC),
        atol=1e-6,
    )


def test_a_frame_at_0_ev_is_the_file_itself():
    eight_bit = np.arange(256, dtype=np.uint16).reshape(16, 16, 1).repeat(3, 2)
    assert (frame_rgb8(eight_bit * 257) == eight_bit).all()


def test_a_frame_one_stop_up_has_twice_the_radiance():
    frame = np.full((2, 2, 3), 20000, np.uint16)
    brighter = frame_rgb8(frame, exposure_ev=1.0)[0, 0, 0] / 255
    assert brighter**2.2 == pytest.approx(2 * (20000 / 65535) ** 2.2, rel=0.02)


def test_pictures_are_contiguous_even_from_a_strided_one():
    picture = some_picture().astype(np.float16)[::2, ::-1]
    shown = to_rgb8(picture, tone_table(ToneMap.SRGB))
    assert shown.flags.c_contiguous
    assert (shown == to_rgb8(picture.copy(), tone_table(ToneMap.SRGB))).all()


def test_a_picture_without_16_bits_is_refused():
    with pytest.raises(ValueError, match="float32"):
        to_rgb8(some_picture(), tone_table(ToneMap.SRGB))


@pytest.mark.parametrize("mu", [1.0, 200.0, 5000.0, 1e6])
def test_mu_bends_the_mu_law_and_nothing_else(mu):
    picture = some_picture()
    expected = np.log1p(picture.astype(np.float64) * mu) / np.log1p(mu)
    np.testing.assert_allclose(toned(picture, ToneMap.MU_LAW, mu=mu), expected, atol=1e-5)
    assert (tone_table(ToneMap.SRGB, mu=mu) == tone_table(ToneMap.SRGB)).all()


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2, 3.0])
def test_gamma_is_a_pure_power(gamma):
    picture = some_picture()
    expected = picture.astype(np.float64) ** (1 / gamma)
    np.testing.assert_allclose(toned(picture, ToneMap.GAMMA, gamma=gamma), expected, atol=1e-5)
    assert (tone_table(ToneMap.MU_LAW, gamma=gamma) == tone_table(ToneMap.MU_LAW)).all()


@pytest.mark.parametrize("wrong", [{"mu": 0.0}, {"mu": -5.0}, {"gamma": 0.0}, {"gamma": np.nan}])
def test_a_mu_or_gamma_that_is_not_above_0_is_refused(wrong):
    with pytest.raises(ValueError, match="above 0"):
        toned(some_picture(), ToneMap.MU_LAW, **wrong)


def test_another_mu_is_another_picture_and_the_words_say_which():
    painter, material = Painter(), Material(hdr=some_picture().astype(np.float16))
    usual = painter.paint(Layer.PSEUDO_LABEL, material, DisplaySettings())
    bent = painter.paint(Layer.PSEUDO_LABEL, material, DisplaySettings(mu=50.0))
    assert (bent.rgb8 != usual.rgb8).any()
    assert "μ-law 50" in bent.detail
    power = DisplaySettings(tone_map=ToneMap.GAMMA, gamma=1.8)
    assert "gamma 1.8" in painter.paint(Layer.PSEUDO_LABEL, material, power).detail


def test_a_parameter_of_another_tone_map_changes_no_picture():
    painter, material = Painter(), Material(hdr=some_picture().astype(np.float16))
    before = painter.paint(Layer.PSEUDO_LABEL, material, DisplaySettings())
    other = DisplaySettings(gamma=1.0, colour_map=ColourMap.TIDE, overlay=0.1, gain=4.0)
    assert painter.paint(Layer.PSEUDO_LABEL, material, other) is before


def stop_of(radiance, exposure_ev):
    """The band of one pixel by slow arithmetic: 13 at or above white, 0 below −12 EV."""
    brightest = float(max(radiance)) * 2.0**exposure_ev
    if brightest >= 1:
        return 13
    bands = [k for k in range(1, 13) if 2.0 ** (k - 13) <= brightest < 2.0 ** (k - 12)]
    return bands[0] if bands else 0


@pytest.mark.parametrize("exposure_ev", [-2.0, 0.0, 1.0, 0.5])
@pytest.mark.parametrize("colour_map", ColourMap)
def test_every_stop_below_the_white_is_one_band_of_the_map(exposure_ev, colour_map):
    picture = some_picture(20, 30).astype(np.float16)
    powers = 2.0 ** -np.arange(16, dtype=np.float32)  # the edges themselves, down to −15 EV
    picture[0, :16] = powers[:, None].astype(np.float16)
    picture[1, 0] = 0
    settings = DisplaySettings(
        tone_map=ToneMap.STOPS, exposure_ev=exposure_ev, colour_map=colour_map
    )
    shown = Painter().paint(Layer.PSEUDO_LABEL, Material(hdr=picture), settings).rgb8
    entries = np.rint(np.linspace(0, 255, 14)).astype(int)
    for row, column in np.ndindex(picture.shape[:2]):
        band = stop_of(picture[row, column], exposure_ev)
        assert shown[row, column].tolist() == colour_table(colour_map)[entries[band]].tolist()


def test_the_key_of_stops_names_every_colour_with_its_radiance():
    settings = DisplaySettings(tone_map=ToneMap.STOPS, exposure_ev=1.0)
    material = Material(hdr=some_picture().astype(np.float16))
    painted = Painter().paint(Layer.PSEUDO_LABEL, material, settings)
    assert len(painted.key) == 14
    assert painted.key[0].words == "≥ 0 EV: from 0.5"  # one stop up, half the light is white
    assert painted.key[1].words == "−1 EV: from 0.25"
    assert painted.key[-1].words.startswith("< −12 EV: below 0.000122")
    named = {entry.colour for entry in painted.key}
    assert {tuple(c) for c in painted.rgb8.reshape(-1, 3).tolist()} <= named
    assert (painted.legend.low, painted.legend.high) == ("< −12 EV", "≥ 0 EV")
    bar = painted.legend.bar[:, 0].tolist()
    in_order = [entry.colour for entry in painted.key]
    assert [tuple(c) for i, c in enumerate(bar) if i == 0 or c != bar[i - 1]] == in_order
