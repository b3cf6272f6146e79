"""One number per pixel as colours with a colour bar: heat maps, stops, marks for NaN and Inf."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.display.colour_maps import (
    ENTRIES,
    ColourMap,
    colour_bar,
    colour_table,
    coloured,
    lowest_shown,
    sigma_rgb8,
)
from smarthdr_studio.core.display.layers import (
    SCORES,
    DisplaySettings,
    KeyEntry,
    Layer,
    Legend,
    Material,
    Painted,
    number,
)
from smarthdr_studio.core.display.tone import (
    STOPS_BELOW_WHITE,
    Rgb8,
    ToneMap,
    strips,
    to_rgb8,
    tone_table,
)
from smarthdr_studio.core.imaging.bracket import Half
from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.core.trust.masking import Range

MARKER = (255, 0, 255)  # full magenta: far from every colour of the maps and of the hatches

Mask = npt.NDArray[np.bool_]
_EXPONENT = {2: 0x7C00, 4: 0x7F800000}  # all ones: the bits of infinity, by bytes of the float


@dataclass(frozen=True, slots=True, eq=False)
class NonFinite:
    """How many pixels hold a NaN and how many an infinity; H×W where, None if there are none."""

    nan: int = 0
    inf: int = 0
    where: Mask | None = None

    @property
    def words(self) -> str:
        """Both counts, "3 NaN, 1 Inf"; empty where every value is a number."""
        counts = (self.nan, "NaN"), (self.inf, "Inf")
        return ", ".join(f"{count} {name}" for count, name in counts if count)


def find_non_finite(values: npt.NDArray[Any]) -> NonFinite:
    """What is odd in an H×W or H×W×3 array; integers have nothing odd. Pixels are counted."""
    if values.dtype.kind != "f" or values.size == 0 or _surely_finite(values):
        return NonFinite()
    height, width = values.shape[:2]
    where, nan, inf = np.zeros((height, width), bool), 0, 0
    for rows in strips(height, width):
        part = values[rows].reshape(-1, width, values[rows].size // (where[rows].size))
        nans, infinities = np.isnan(part).any(-1), np.isinf(part).any(-1)
        nan, inf = nan + int(nans.sum()), inf + int(infinities.sum())
        where[rows] = nans | infinities
    return NonFinite(nan, inf, where) if nan or inf else NonFinite()


def mark_non_finite(rgb8: Rgb8, odd: NonFinite) -> Rgb8:
    """An H×W×3 picture with the marker on odd pixels; the picture itself where there are none."""
    if odd.where is None:
        return rgb8
    loud = rgb8.copy()
    loud[odd.where] = MARKER
    return loud


def _surely_finite(values: npt.NDArray[Any]) -> bool:
    """One quick pass over the bits; negative values may make it doubt without cause."""
    exponent = _EXPONENT.get(values.dtype.itemsize)
    if exponent is None or not values.flags.c_contiguous:
        return False
    bits = values.view(f"u{values.dtype.itemsize}")
    return int(bits.max()) < exponent


_BAR_WIDTH, _BAR_HEIGHT = 10, 128

NON_FINITE_KEY = KeyEntry(colour=MARKER, words="NaN or Inf")


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
    """From the least value of a map of any shape to the 99.9th percentile, of what is finite.

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
    """The spread an H×W map is shown with; `measure` finds that of a layer's values alone.

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
    """The least and the largest finite value of any shape; 0 and 0 where nothing is finite."""
    if values.size == 0:
        return 0.0, 0.0
    least, most = float(values.min()), float(values.max())
    if np.isfinite(least) and np.isfinite(most):
        return least, most
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)


def heat_painted(
    title: str,
    values: Floats,
    settings: DisplaySettings,
    *,
    spread: Spread,
    odd: NonFinite,
    detail: str,
) -> Painted:
    """An H×W map of any unit in the colours of the settings, odd values in the marker."""
    span = spread.span
    rgb8 = sigma_rgb8(values, span=span, colour_map=settings.colour_map, scale=settings.heat_scale)
    return Painted(
        rgb8=mark_non_finite(rgb8, odd),
        title=title,
        detail=detail,
        legend=_heat_legend(spread, settings),
        key=(NON_FINITE_KEY,) if odd.words else (),
        warning=odd.words,
        values=values,
    )


def _heat_legend(spread: Spread, settings: DisplaySettings) -> Legend:
    span = spread.span
    low = lowest_shown(span, settings.heat_scale)
    return Legend(
        bar=colour_bar(settings.colour_map, width=_BAR_WIDTH, height=_BAR_HEIGHT),
        low=f"{'≤ ' if spread.least < low else ''}{number(low)}",
        high=f"{'≥ ' if spread.most > span.high else ''}{number(span.high)}",
    )


_STOPS_BAR_WIDTH, _STOPS_BAR_HEIGHT = 10, 126
_BANDS = STOPS_BELOW_WHITE + 2  # with the highlights above and the shadows below


def stops_rgb8(picture: Half, *, exposure_ev: float, colour_map: ColourMap) -> Rgb8:
    """H×W×3 linear radiance by the stops of its brightest channel, which is the first to clip.

    Radiance 1 is 0 EV at exposure 0. NaN and what is not above 0 lie in the lowest band.
    """
    codes = to_rgb8(picture, tone_table(ToneMap.STOPS, exposure_ev=exposure_ev))
    red, green, blue = cv2.split(codes)
    brightest = cv2.max(cv2.max(red, green), blue)
    return coloured(np.ascontiguousarray(brightest, np.uint8), colour_map)


def stops_legend(colour_map: ColourMap) -> Legend:
    """The bands as a bar, the highlights on top."""
    bands = np.array(_band_colours(colour_map), np.uint8)[::-1]
    bar = bands.repeat(_STOPS_BAR_HEIGHT // _BANDS, 0)[:, None].repeat(_STOPS_BAR_WIDTH, 1)
    return Legend(bar=bar, low=f"< −{STOPS_BELOW_WHITE} EV", high="≥ 0 EV")


def stops_key(colour_map: ColourMap, *, exposure_ev: float) -> tuple[KeyEntry, ...]:
    """Each band with its stop and the radiance where it begins, the highlights first."""
    words = []
    for stop in range(-STOPS_BELOW_WHITE, 1):
        name = "≥ 0 EV" if stop == 0 else f"−{-stop} EV"
        words.append(f"{name}: from {2.0 ** (stop - exposure_ev):.3g}")
    lowest = f"< −{STOPS_BELOW_WHITE} EV: below {2.0 ** (-STOPS_BELOW_WHITE - exposure_ev):.3g}"
    entries = zip(_band_colours(colour_map), (lowest, *words), strict=True)
    return tuple(KeyEntry(colour=colour, words=word) for colour, word in entries)[::-1]


def _band_colours(colour_map: ColourMap) -> list[tuple[int, int, int]]:
    """The colour of each band, the lowest first."""
    steps = np.rint(np.arange(_BANDS, dtype=np.float32) / (_BANDS - 1) * (ENTRIES - 1))
    rows = colour_table(colour_map)[steps.astype(np.intp)].tolist()
    return [(red, green, blue) for red, green, blue in rows]
