"""Pictures of light: radiance through its tone map, frames as the camera wrote them, clipping."""

from typing import NamedTuple

import cv2
import numpy as np

from smarthdr_studio.core.display.cache import Cache
from smarthdr_studio.core.display.false_colour import (
    NON_FINITE_KEY,
    NonFinite,
    mark_non_finite,
    stops_key,
    stops_legend,
    stops_rgb8,
)
from smarthdr_studio.core.display.layer_data import LayerData
from smarthdr_studio.core.display.layers import (
    DisplaySettings,
    KeyEntry,
    Layer,
    Legend,
    Material,
    Painted,
    exposure_words,
    joined,
    percent,
    tone_words,
)
from smarthdr_studio.core.display.overlay import (
    HIGHLIGHT_HATCH,
    SHADOW_HATCH,
    Area,
    Mask,
    hatched_rgb8,
)
from smarthdr_studio.core.display.tone import Rgb8, ToneMap, frame_rgb8, to_rgb8, tone_table
from smarthdr_studio.core.imaging.alignment import saturated
from smarthdr_studio.core.imaging.bracket import Half
from smarthdr_studio.core.imaging.radiometry import Frame

# A key lies on dark ground, where the black stripes of what is white would not be seen.
ZEBRA_KEY = (
    KeyEntry(colour=(255, 255, 255), words="clipped", pattern=HIGHLIGHT_HATCH.pattern),
    KeyEntry(colour=SHADOW_HATCH.colour, words="black", pattern=SHADOW_HATCH.pattern),
)


class Clipped(NamedTuple):
    """Where any channel is at its end, and where all are 0; H×W each."""

    highlights: Mask
    shadows: Mask

    @property
    def areas(self) -> tuple[Area, Area]:
        """Both, with their stripes."""
        return Area(self.highlights, HIGHLIGHT_HATCH), Area(self.shadows, SHADOW_HATCH)

    @property
    def words(self) -> str:
        """Both shares."""
        return joined(f"clipped {percent(self.highlights)}", f"black {percent(self.shadows)}")


def clipped_frame(frame: Frame) -> Clipped:
    """By camera values, H×W×3 uint16: from 0.98 of full scale on, and 0."""
    return Clipped(saturated(frame), _within(frame, 0, 0))


def clipped_screen(rgb8: Rgb8, odd: NonFinite) -> Clipped:
    """By what the screen shows, H×W×3: 255, and 0; the marker of odd values is neither."""
    highlights, shadows = ~_within(rgb8, 0, 254), _within(rgb8, 0, 0)
    if odd.where is not None:
        highlights, shadows = highlights & ~odd.where, shadows & ~odd.where
    return Clipped(highlights, shadows)


def _within(picture: Rgb8 | Frame, low: int, high: int) -> Mask:
    """H×W, True where all channels lie between both codes, both included."""
    inside = cv2.inRange(picture, (low,) * 3, (high,) * 3)
    mask: Mask = np.asarray(inside) != 0
    return mask


class PicturePainter:
    """Paints the layers of light, and the picture that lies under a mask."""

    def __init__(self, memo: Cache, sources: LayerData) -> None:
        self._memo, self._sources = memo, sources

    def radiance(
        self, layer: Layer, material: Material, settings: DisplaySettings
    ) -> Painted | None:
        """A radiance layer; None while it does not exist."""
        half = self._sources.radiance(layer, material)
        if half is None:
            return None
        odd, rgb8 = self._sources.odd(layer, half), self.screen(layer, half, settings)
        words = joined(_origin(layer, material), tone_words(settings), exposure_words(settings))
        # False colour tells more of the ends than stripes would.
        zebra = settings.zebra and settings.tone_map is not ToneMap.STOPS

        def paint() -> Painted:
            clipped = clipped_screen(rgb8, odd) if zebra else None
            legend, stops = _false_colours(settings)
            return Painted(
                rgb8=hatched_rgb8(rgb8, clipped.areas, dimmed=False) if clipped else rgb8,
                title=layer.value,
                detail=joined(words, clipped.words if clipped else ""),
                legend=legend,
                key=(
                    *stops,
                    *(ZEBRA_KEY if clipped else ()),
                    *((NON_FINITE_KEY,) if odd.words else ()),
                ),
                warning=odd.words,
                values=half,
            )

        return self._memo.once(layer, (half, rgb8, words, zebra), paint)

    def screen(self, layer: Layer, half: Half, settings: DisplaySettings) -> Rgb8:
        """Radiance as it is on the screen, H×W×3, odd values in the marker."""
        causes = half, *_tone_causes(settings)
        return self._memo.once(
            f"toned {layer}",
            causes,
            lambda: screen_rgb8(half, settings, self._sources.odd(layer, half)),
        )

    def frame(self, layer: Layer, material: Material, settings: DisplaySettings) -> Painted | None:
        """A camera frame; None while there is no bracket."""
        found = self._sources.frame(layer, material)
        if found is None:
            return None
        frame, stops = found
        ev, zebra = settings.exposure_ev, settings.zebra
        shot = f"+{stops:g} EV" if stops else "shortest"
        words = joined(shot, "as shot" if ev == 0 else "re-exposed", exposure_words(settings))

        def paint() -> Painted:
            rgb8 = frame_rgb8(frame, exposure_ev=ev)
            clipped = clipped_frame(frame) if zebra else None
            return Painted(
                rgb8=hatched_rgb8(rgb8, clipped.areas, dimmed=False) if clipped else rgb8,
                title=layer.value,
                detail=joined(words, clipped.words if clipped else ""),
                key=ZEBRA_KEY if clipped else (),
                values=frame,
            )

        return self._memo.once(layer, (frame, words, ev, zebra), paint)


def screen_rgb8(half: Half, settings: DisplaySettings, odd: NonFinite) -> Rgb8:
    """Radiance, H×W×3, as the settings show it; what is odd takes the marker."""
    ev = settings.exposure_ev
    if settings.tone_map is ToneMap.STOPS:
        rgb8 = stops_rgb8(half, exposure_ev=ev, colour_map=settings.colour_map)
    else:
        table = tone_table(settings.tone_map, exposure_ev=ev, mu=settings.mu, gamma=settings.gamma)
        rgb8 = to_rgb8(half, table)
    return mark_non_finite(rgb8, odd)


def _tone_causes(settings: DisplaySettings) -> tuple[object, ...]:
    """The settings that this tone map depends on, and no others."""
    tone = settings.tone_map
    own = {
        ToneMap.MU_LAW: settings.mu,
        ToneMap.GAMMA: settings.gamma,
        ToneMap.STOPS: settings.colour_map,
    }
    return tone, settings.exposure_ev, own.get(tone)


def _false_colours(settings: DisplaySettings) -> tuple[Legend | None, tuple[KeyEntry, ...]]:
    """What the colours of stops mean; nothing for other tone maps."""
    if settings.tone_map is not ToneMap.STOPS:
        return None, ()
    colours = settings.colour_map
    return stops_legend(colours), stops_key(colours, exposure_ev=settings.exposure_ev)


def _origin(layer: Layer, material: Material) -> str:
    """Where a picture is from."""
    return {
        Layer.PSEUDO_LABEL: material.origin,
        Layer.OTHER_ROUND: material.other_origin,
        Layer.STUDENT: material.student_origin or "as the student is now",
        Layer.PROMOTED: "frozen when promoted",
    }.get(layer, "")
