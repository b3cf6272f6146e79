"""A map of one number per pixel as colours, with a colour bar in its own unit."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from smarthdr_studio.core.display.colour import colour_bar, lowest_shown, sigma_rgb8
from smarthdr_studio.core.display.kinds import SCORES
from smarthdr_studio.core.display.layers import (
    DisplaySettings,
    KeyEntry,
    Layer,
    Legend,
    Material,
    Painted,
)
from smarthdr_studio.core.display.odd import MARKER, Odd, marked
from smarthdr_studio.core.display.words import number
from smarthdr_studio.core.masking import Range
from smarthdr_studio.core.radiance import Floats

_BAR_WIDTH, _BAR_HEIGHT = 10, 128

ODD_KEY = KeyEntry(colour=MARKER, words="NaN or Inf")


class Spread(NamedTuple):
    """Which values take the first and the last colour, and the least and largest there are."""

    span: Range
    least: float
    most: float

    @property
    def words(self) -> str:
        """From the least to the largest."""
        return f"{number(self.least)} … {number(self.most)}"


def spread_of(values: Floats) -> Spread:
    """From the least value to the 99.9th percentile, of what is finite.

    σ and errors have a long tail: by its last pixel everything else would be black.
    """
    least, most = extremes(values)
    sample = values.reshape(-1)[:: max(values.size // 200_000, 1)]
    sample = sample[np.isfinite(sample)]
    high = float(np.percentile(sample, 99.9)) if sample.size else most
    return Spread(Range(least, min(max(high, least), most)), least, most)


def spread_on_screen(
    layer: Layer, values: Floats, material: Material, *, measure: Callable[[Layer, Floats], Spread]
) -> Spread:
    """The spread a map is shown with; `measure` finds that of a layer's values alone.

    Scores fill 0 to 1 and flips begin at 0. The σ of another round takes the colours of the σ
    beside it, so that both compare.
    """
    own = measure(layer, values)
    if layer in SCORES:
        return own._replace(span=Range(0.0, 1.0))
    if layer is Layer.FLIPS:
        return own._replace(span=Range(0.0, own.most))
    if layer is Layer.OTHER_SIGMA and material.sigma is not None:
        return own._replace(span=measure(Layer.UNCERTAINTY, material.sigma).span)
    return own


def extremes(values: Floats) -> tuple[float, float]:
    """The least and the largest finite value; 0 and 0 where nothing is finite."""
    if values.size == 0:
        return 0.0, 0.0
    least, most = float(values.min()), float(values.max())
    if np.isfinite(least) and np.isfinite(most):
        return least, most
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)


def heat_painted(
    title: str, values: Floats, settings: DisplaySettings, *, spread: Spread, odd: Odd, detail: str
) -> Painted:
    """The map in the colours of the settings, odd values in the marker."""
    span = spread.span
    rgb8 = sigma_rgb8(values, span=span, colour_map=settings.colour_map, scale=settings.heat_scale)
    return Painted(
        rgb8=marked(rgb8, odd),
        title=title,
        detail=detail,
        legend=_legend(spread, settings),
        key=(ODD_KEY,) if odd.words else (),
        warning=odd.words,
        values=values,
    )


def _legend(spread: Spread, settings: DisplaySettings) -> Legend:
    span = spread.span
    low = lowest_shown(span, settings.heat_scale)
    return Legend(
        bar=colour_bar(settings.colour_map, width=_BAR_WIDTH, height=_BAR_HEIGHT),
        low=f"{'≤ ' if spread.least < low else ''}{number(low)}",
        high=f"{'≥ ' if spread.most > span.high else ''}{number(span.high)}",
    )
