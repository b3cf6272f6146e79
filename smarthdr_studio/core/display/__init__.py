"""The pixels a person sees, made without any window, so that the export is the screen."""

from smarthdr_studio.core.display.colour_maps import (
    ColourMap,
    HeatScale,
    colour_bar,
    colour_table,
    sigma_rgb8,
)
from smarthdr_studio.core.display.export import write_layer_exr, write_png, write_png16
from smarthdr_studio.core.display.false_colour import MARKER
from smarthdr_studio.core.display.layer_data import layer_values
from smarthdr_studio.core.display.layers import (
    FRAMES,
    MAPS,
    PICTURES,
    RADIANCE,
    DisplaySettings,
    KeyEntry,
    LabelComes,
    Layer,
    Legend,
    Material,
    Painted,
    Pattern,
)
from smarthdr_studio.core.display.overlay import (
    Area,
    OverlayVariants,
    hatched_rgb8,
    key_swatch,
    masked_rgb8,
)
from smarthdr_studio.core.display.painter import Painter
from smarthdr_studio.core.display.tone import (
    Rgb8,
    ToneMap,
    frame_rgb8,
    to_rgb8,
    tone_table,
    toned,
)
from smarthdr_studio.core.display.viewport import Pyramid, Viewport

__all__ = [
    "FRAMES",
    "MAPS",
    "MARKER",
    "PICTURES",
    "RADIANCE",
    "Area",
    "ColourMap",
    "DisplaySettings",
    "HeatScale",
    "KeyEntry",
    "LabelComes",
    "Layer",
    "Legend",
    "Material",
    "OverlayVariants",
    "Painted",
    "Painter",
    "Pattern",
    "Pyramid",
    "Rgb8",
    "ToneMap",
    "Viewport",
    "colour_bar",
    "colour_table",
    "frame_rgb8",
    "hatched_rgb8",
    "key_swatch",
    "layer_values",
    "masked_rgb8",
    "sigma_rgb8",
    "to_rgb8",
    "tone_table",
    "toned",
    "write_layer_exr",
    "write_png",
    "write_png16",
]
