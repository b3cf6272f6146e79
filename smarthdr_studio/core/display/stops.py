"""False colour in stops: every stop below the white is one band of the colour map."""

import cv2
import numpy as np

from smarthdr_studio.core.bracket import Half
from smarthdr_studio.core.display.colour import ENTRIES, ColourMap, colour_table, coloured
from smarthdr_studio.core.display.layers import KeyEntry, Legend
from smarthdr_studio.core.display.tone import STOPS_BELOW_WHITE, Rgb8, ToneMap, to_rgb8, tone_table

_BAR_WIDTH, _BAR_HEIGHT = 10, 126
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
    bands = np.array(_colours(colour_map), np.uint8)[::-1]
    bar = bands.repeat(_BAR_HEIGHT // _BANDS, 0)[:, None].repeat(_BAR_WIDTH, 1)
    return Legend(bar=bar, low=f"< −{STOPS_BELOW_WHITE} EV", high="≥ 0 EV")


def stops_key(colour_map: ColourMap, *, exposure_ev: float) -> tuple[KeyEntry, ...]:
    """Each band with its stop and the radiance where it begins, the highlights first."""
    words = []
    for stop in range(-STOPS_BELOW_WHITE, 1):
        name = "≥ 0 EV" if stop == 0 else f"−{-stop} EV"
        words.append(f"{name}: from {2.0 ** (stop - exposure_ev):.3g}")
    lowest = f"< −{STOPS_BELOW_WHITE} EV: below {2.0 ** (-STOPS_BELOW_WHITE - exposure_ev):.3g}"
    entries = zip(_colours(colour_map), (lowest, *words), strict=True)
    return tuple(KeyEntry(colour=colour, words=word) for colour, word in entries)[::-1]


def _colours(colour_map: ColourMap) -> list[tuple[int, int, int]]:
    """The colour of each band, the lowest first."""
    steps = np.rint(np.arange(_BANDS, dtype=np.float32) / (_BANDS - 1) * (ENTRIES - 1))
    rows = colour_table(colour_map)[steps.astype(np.intp)].tolist()
    return [(red, green, blue) for red, green, blue in rows]
