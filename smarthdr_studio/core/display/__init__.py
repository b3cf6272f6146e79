"""The pixels a person sees, made without any window, so that the export is the screen."""

from smarthdr_studio.core.display.colour import (
    ColourMap,
    HeatScale,
    colour_bar,
    colour_table,
    sigma_rgb8,
)
from smarthdr_studio.core.display.layers import (
    DisplaySettings,
    KeyEntry,
    Layer,
    Legend,
    Material,
    Painted,
)
from smarthdr_studio.core.display.lens import Lens, Pyramid, Seen
from smarthdr_studio.core.display.overlay import Looks, masked_rgb8
from smarthdr_studio.core.display.painter import Painter
from smarthdr_studio.core.display.tone import (
    Rgb8,
    ToneMap,
    frame_rgb8,
    frame_table,
    to_rgb8,
    tone_table,
    toned,
)

__all__ = [
    "ColourMap",
    "DisplaySettings",
    "HeatScale",
    "KeyEntry",
    "Layer",
    "Legend",
    "Lens",
    "Looks",
    "Material",
    "Painted",
    "Painter",
    "Pyramid",
    "Rgb8",
    "Seen",
    "ToneMap",
    "colour_bar",
    "colour_table",
    "frame_rgb8",
    "frame_table",
    "masked_rgb8",
    "sigma_rgb8",
    "to_rgb8",
    "tone_table",
    "toned",
]
