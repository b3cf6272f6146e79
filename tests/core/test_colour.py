"""The colours of uncertainty: even, ordered, and defined for what is no number."""

import numpy as np
import pytest

from smarthdr_studio.core.display import ColourMap, HeatScale, colour_bar, colour_table, sigma_rgb8
from smarthdr_studio.core.trust.masking import Range


def oklab_lightness(rgb):
    """L of OKLab, from sRGB in [0, 1] (Ottosson 2020)."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    cones = linear @ np.array(
        [
            [0.4122214708, 0.2119034982, 0.0883024619],
            [0.5363325363, 0.6806995451, 0.2817188376],
            [0.0514459929, 0.1073969566, 0.6299787005],
        ]
    )
    return np.cbrt(cones) @ np.array([0.2104542553, 0.7936177850, -0.0040720468])


@pytest.mark.parametrize("colour_map", ColourMap)
def test_every_map_rises_in_lightness_by_even_steps(colour_map):
    lightness = oklab_lightness(colour_table(colour_map) / 255)
    assert np.diff(lightness).min() >= -0.004  # one 8-bit code of rounding
    even = np.linspace(lightness[0], lightness[-1], len(lightness))
    assert np.abs(lightness - even).max() < 0.012
    assert lightness[-1] - lightness[0] > 0.75


@pytest.mark.parametrize("colour_map", ColourMap)
@pytest.mark.parametrize("scale", HeatScale)
def test_a_surer_pixel_never_takes_a_lighter_colour(colour_map, scale):
    sigma = np.linspace(0, 0.5, 512, dtype=np.float32)[None]
    shown = sigma_rgb8(sigma, span=Range(0.01, 0.4), colour_map=colour_map, scale=scale)
    table = colour_table(colour_map).tolist()
    codes = [table.index(colour) for colour in shown[0].tolist()]
    assert codes == sorted(codes)
    assert shown[0, 0].tolist() == table[0]
    assert shown[0, -1].tolist() == table[-1]


@pytest.mark.parametrize("scale", HeatScale)
def test_an_unknown_sigma_looks_least_sure_and_a_constant_one_surest(scale):
    sigma = np.array([[0.1, np.nan, 0.1]], np.float32)
    for span in (Range(0.1, 0.1), Range(0.1, 0.2)):
        shown = sigma_rgb8(sigma, span=span, scale=scale)
        assert shown[0, 0].tolist() == colour_table(ColourMap.EMBER)[0].tolist()
        assert shown[0, 1].tolist() == colour_table(ColourMap.EMBER)[-1].tolist()


def test_the_colour_bar_has_the_highest_value_on_top():
    bar = colour_bar(ColourMap.TIDE, width=3, height=64)
    assert bar.shape == (64, 3, 3)
    assert bar[0, 0].tolist() == colour_table(ColourMap.TIDE)[-1].tolist()
    assert bar[-1, 2].tolist() == colour_table(ColourMap.TIDE)[0].tolist()
