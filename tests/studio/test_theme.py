"""Both looks can be read, and neither tints the pictures."""

import re

import pytest
from PySide6.QtGui import QFontInfo

from smarthdr_studio.studio.theme import (
    CONTRAST,
    DARK,
    LIGHT,
    SMALLEST_TEXT_PT,
    contrast,
    dress,
    palette_for,
    style_sheet,
)

BOTH = pytest.mark.parametrize("palette", [DARK, LIGHT], ids=lambda palette: palette.name)


@BOTH
@pytest.mark.parametrize("ground", ["window", "panel", "raised"])
@pytest.mark.parametrize("ink", ["text", "muted", "accent", "good", "warn", "bad"])
def test_every_ink_can_be_read_on_every_ground(palette, ground, ink):
    assert contrast(getattr(palette, ink), getattr(palette, ground)) >= 4.5


@pytest.mark.parametrize("palette", [DARK, LIGHT, CONTRAST], ids=lambda palette: palette.name)
def test_what_is_switched_on_can_be_read_and_is_told_apart(palette):
    assert contrast(palette.text, palette.pressed) >= 4.5
    assert palette.pressed not in (palette.raised, palette.panel, palette.window)
    assert f"QPushButton:checked {{ background: {palette.pressed}; }}" in style_sheet(palette)


@BOTH
def test_words_on_the_accent_can_be_read(palette):
    assert contrast(palette.on_accent, palette.accent) >= 4.5


@BOTH
@pytest.mark.parametrize("grey", ["window", "panel", "raised", "border", "canvas"])
def test_what_surrounds_pictures_is_neutral_grey(palette, grey):
    colour = getattr(palette, grey)
    assert colour[1:3] == colour[3:5] == colour[5:7]


@BOTH
def test_no_text_is_smaller_than_eleven_points(palette, qapp):
    dress(qapp, palette)
    assert QFontInfo(qapp.font()).pointSizeF() >= SMALLEST_TEXT_PT - 0.5
    sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)pt", style_sheet(palette))]
    assert all(size >= SMALLEST_TEXT_PT for size in sizes)


def test_contrast_runs_from_1_to_21():
    assert contrast("#777777", "#777777") == 1
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_a_wish_for_a_look_comes_before_the_system(qapp):
    assert palette_for("light") is LIGHT
    assert palette_for("dark") is DARK
    assert palette_for("system") in (DARK, LIGHT)
