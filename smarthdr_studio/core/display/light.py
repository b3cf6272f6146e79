"""Pictures of light: radiance through its tone map, and frames as the camera wrote them."""

from smarthdr_studio.core.bracket import Half
from smarthdr_studio.core.display.heat import ODD_KEY
from smarthdr_studio.core.display.layers import (
    DisplaySettings,
    KeyEntry,
    Layer,
    Legend,
    Material,
    Painted,
)
from smarthdr_studio.core.display.memo import Memo
from smarthdr_studio.core.display.odd import Odd, marked
from smarthdr_studio.core.display.overlay import hatched_rgb8
from smarthdr_studio.core.display.sources import Sources
from smarthdr_studio.core.display.stops import stops_key, stops_legend, stops_rgb8
from smarthdr_studio.core.display.tone import Rgb8, ToneMap, frame_rgb8, to_rgb8, tone_table
from smarthdr_studio.core.display.words import exposure_words, joined, tone_words
from smarthdr_studio.core.display.zebra import ZEBRA_KEY, clipped_frame, clipped_screen


class Light:
    """Paints the layers of light, and the picture that lies under a mask."""

    def __init__(self, memo: Memo, sources: Sources) -> None:
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
                key=(*stops, *(ZEBRA_KEY if clipped else ()), *((ODD_KEY,) if odd.words else ())),
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


def screen_rgb8(half: Half, settings: DisplaySettings, odd: Odd) -> Rgb8:
    """Radiance, H×W×3, as the settings show it; what is odd takes the marker."""
    ev = settings.exposure_ev
    if settings.tone_map is ToneMap.STOPS:
        rgb8 = stops_rgb8(half, exposure_ev=ev, colour_map=settings.colour_map)
    else:
        table = tone_table(settings.tone_map, exposure_ev=ev, mu=settings.mu, gamma=settings.gamma)
        rgb8 = to_rgb8(half, table)
    return marked(rgb8, odd)


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
