"""Paints a layer of a scene with its masks, doing again only what depends on what moved."""

from dataclasses import replace
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.display.cache import Cache
from smarthdr_studio.core.display.false_colour import (
    NON_FINITE_KEY,
    NonFinite,
    Spread,
    extremes,
    heat_painted,
    mark_non_finite,
    spread_of,
    spread_on_screen,
    stops_key,
    stops_legend,
    stops_rgb8,
)
from smarthdr_studio.core.display.layer_data import LayerData, difference_of, title_of
from smarthdr_studio.core.display.layers import (
    FRAMES,
    MAPS,
    RADIANCE,
    DisplaySettings,
    KeyEntry,
    Layer,
    Legend,
    Material,
    Painted,
    exposure_words,
    joined,
    number,
    percent,
    tone_words,
    why_empty,
)
from smarthdr_studio.core.display.overlay import (
    BRUSH_HATCHES,
    GATE_HATCHES,
    HIGHLIGHT_HATCH,
    LIGHT,
    SHADOW_HATCH,
    Area,
    BrushVariants,
    MaskView,
    OverlayVariants,
    hatched_rgb8,
    mask_view,
    masked_rgb8,
    person_view,
)
from smarthdr_studio.core.display.tone import Rgb8, ToneMap, frame_rgb8, to_rgb8, tone_table
from smarthdr_studio.core.imaging.alignment import saturated
from smarthdr_studio.core.imaging.bracket import Half
from smarthdr_studio.core.imaging.radiometry import Floats, Frame
from smarthdr_studio.core.imaging.regions import Mask
from smarthdr_studio.core.trust.masking import Range

LARGEST_VARIANTS = (
    8_000_000  # pixels; of larger pictures four more looks would take too much memory
)
# A key lies on dark ground, where the black stripes of what is white would not be seen.
ZEBRA_KEY = (
    KeyEntry(colour=(255, 255, 255), words="clipped", pattern=HIGHLIGHT_HATCH.pattern),
    KeyEntry(colour=SHADOW_HATCH.colour, words="black", pattern=SHADOW_HATCH.pattern),
)


class Painter:
    """Makes finished pictures and keeps what they were made from, for one scene at a time.

    The same causes give back the very same picture, so whoever shows it can tell by identity
    that nothing changed; what nobody shows any more is let go after a while. No widgets, no
    threads: export and tests call it like the window does.
    """

    def __init__(self) -> None:
        self._memo = Cache()
        self._sources = LayerData(self._memo)
        self._material = Material()

    def paint(self, layer: Layer, material: Material, settings: DisplaySettings) -> Painted:
        """The layer's picture with its title and detail, or the reason why there is none.

        While the layer does not exist, the first of its stand-ins that does is shown.
        """
        self._begin(material)
        for shown in (layer, *layer.stand_ins):
            painted = self._painted(shown, material, settings)
            if painted is not None:
                return (
                    painted
                    if shown is layer
                    else self._instead(painted, layer, why_empty(layer, material, settings))
                )
        return self._empty(layer.value, why_empty(layer, material, settings))

    def difference(
        self, layer: Layer, partner: Layer, material: Material, settings: DisplaySettings
    ) -> Painted:
        """How two layers differ, as heat from 0 to 1 ÷ gain, or why that cannot be said.

        Pictures differ by |T(a) − T(b)|, channel mean, maps of one unit by |a − b|.
        """
        self._begin(material)
        title = title_of(layer, partner)
        values = difference_of(layer, partner, material, settings, self._sources)
        if isinstance(values, str):
            return self._empty(title, values)
        odd = self._sources.odd(title, values)
        gain = max(settings.gain, 1e-6)
        causes = values, gain, settings.colour_map, settings.heat_scale

        def paint() -> Painted:
            least, most = extremes(values)
            spread = Spread(Range(0.0, 1 / gain), least, most)
            detail = joined("" if gain == 1 else f"gain × {number(gain)}", f"most {number(most)}")
            return heat_painted(title, values, settings, spread=spread, odd=odd, detail=detail)

        return self._memo.once(title, causes, paint)

    def values(
        self, layer: Layer, material: Material, settings: DisplaySettings
    ) -> npt.NDArray[Any] | None:
        """What `layer_values` answers, H×W or H×W×3, made once; the error is the settings'."""
        self._begin(material)
        return self._sources.values(layer, material, against=settings.error_against)

    @property
    def nbytes(self) -> int:
        """Memory of all pictures and maps that were made here and are still alive."""
        return self._memo.nbytes(apart_from=(self._material,))

    def forget(self) -> None:
        """Give all kept pictures back."""
        self._memo.forget()
        self._material = Material()

    def _begin(self, material: Material) -> None:
        self._material = material
        self._memo.turn()

    def _instead(self, painted: Painted, layer: Layer, why: str) -> Painted:
        """A stand-in; its detail says for what it stands, why, and what helps."""
        words = f"in place of {layer.value} · {why[0].lower()}{why[1:]}"
        causes = painted, words
        return self._memo.once(
            "instead", causes, lambda: replace(painted, detail=joined(words, painted.detail))
        )

    def _empty(self, title: str, words: str) -> Painted:
        return self._memo.once(
            f"empty {title}",
            (words,),
            lambda: Painted(rgb8=None, title=title, why_empty=words),
        )

    def _painted(
        self, layer: Layer, material: Material, settings: DisplaySettings
    ) -> Painted | None:
        if layer in RADIANCE:
            return self._radiance(layer, material, settings)
        if layer in FRAMES:
            return self._frame(layer, material, settings)
        if layer in MAPS:
            return self._heat(layer, material, settings)
        return self._mask(layer, material, settings)

    def _radiance(
        self, layer: Layer, material: Material, settings: DisplaySettings
    ) -> Painted | None:
        """A radiance layer; None while it does not exist."""
        half = self._sources.radiance(layer, material)
        if half is None:
            return None
        odd, rgb8 = self._sources.odd(layer, half), self._screen(layer, half, settings)
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

    def _screen(self, layer: Layer, half: Half, settings: DisplaySettings) -> Rgb8:
        """Radiance as it is on the screen, H×W×3, odd values in the marker."""
        causes = half, *_tone_causes(settings)
        return self._memo.once(
            f"toned {layer}",
            causes,
            lambda: screen_rgb8(half, settings, self._sources.odd(layer, half)),
        )

    def _frame(self, layer: Layer, material: Material, settings: DisplaySettings) -> Painted | None:
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

    def _heat(self, layer: Layer, material: Material, settings: DisplaySettings) -> Painted | None:
        values = self._sources.map(layer, material, against=settings.error_against)
        if values is None:
            return None
        spread = spread_on_screen(layer, values, material, measure=self._spread)
        odd = self._sources.odd(layer, values)
        against = f"against {settings.error_against}" if layer is Layer.ERROR else ""
        origin = material.other_origin if layer is Layer.OTHER_SIGMA else ""
        detail = joined(against, origin, spread.words)
        causes = values, spread, detail, settings.colour_map, settings.heat_scale
        return self._memo.once(
            layer,
            causes,
            lambda: heat_painted(
                layer.value, values, settings, spread=spread, odd=odd, detail=detail
            ),
        )

    def _spread(self, layer: Layer, values: Floats) -> Spread:
        return self._memo.once(f"spread {layer}", (values,), lambda: spread_of(values))

    def _mask(self, layer: Layer, material: Material, settings: DisplaySettings) -> Painted | None:
        hdr, trust = material.hdr, material.trust
        if hdr is None or trust is None:
            return self._person_alone(material, settings) if layer is Layer.PERSON_MASK else None
        flat = layer is Layer.COMBINED_MASK
        hidden = not settings.mask_visible and not flat
        toned = None if flat else self._screen(Layer.PSEUDO_LABEL, hdr, settings)
        closed = self._sources.closed(trust, size=material.masks.patch_size)
        warning = self._warning(material, flat=flat)

        def paint() -> Painted | None:
            view = mask_view(layer, material, trust, closed)
            if view is None:
                return None
            ground = toned if toned is not None else _even_ground(trust.trusted.shape)
            return Painted(
                rgb8=ground if hidden else self._covered(ground, view, settings),
                title=layer.value,
                detail=joined(view.detail, "mask hidden" if hidden else ""),
                key=() if hidden else view.key,
                warning=warning,
                values=self._sources.codes(layer, material),
            )

        causes = toned, settings.overlay, hidden, *_decisive(layer, material), warning
        return self._memo.once(layer, causes, paint)

    def _person_alone(self, material: Material, settings: DisplaySettings) -> Painted | None:
        """What is painted on a scene before its first pseudo-label, over the next best picture."""
        person = material.person
        view = person_view(person) if material.size == _size_of(person) else None
        pictures = (
            self._painted(layer, replace(material, person=None), settings)
            for layer in (Layer.GROUND_TRUTH, Layer.MERGE)
        )
        ground = next((p.rgb8 for p in pictures if p is not None and p.rgb8 is not None), None)
        if view is None or ground is None:
            return None
        strength, hidden = settings.overlay, not settings.mask_visible

        def paint() -> Painted:
            covered = ground
            if not hidden:
                covered = hatched_rgb8(ground, view.areas, strength=strength, dimmed=view.dimmed)
            return Painted(
                rgb8=covered,
                title=Layer.PERSON_MASK.value,
                detail=joined("counts from the first pseudo-label on", view.detail),
                key=() if hidden else view.key,
                values=person,
            )

        causes = ground, person, strength, hidden
        return self._memo.once("person alone", causes, paint)

    def _covered(self, ground: Rgb8, view: MaskView, settings: DisplaySettings) -> Rgb8:
        """The picture under its mask."""
        hatches = {area.hatch for area in view.areas}
        quick = hatches <= {*GATE_HATCHES, *BRUSH_HATCHES} and not view.flat
        if not quick or ground.shape[0] * ground.shape[1] > LARGEST_VARIANTS:
            strength = 1.0 if view.flat else settings.overlay
            return hatched_rgb8(ground, view.areas, strength=strength, dimmed=view.dimmed)
        strength = settings.overlay

        def make() -> OverlayVariants:
            spent = self._memo.spent("looks")
            over = spent if isinstance(spent, OverlayVariants) else None
            return OverlayVariants.of(ground, strength=strength, over=over)

        looks = self._memo.once("looks", (ground, strength), make)
        brush = None
        if not hatches.isdisjoint(BRUSH_HATCHES):
            causes = ground, strength
            brush = self._memo.once(
                "brush looks", causes, lambda: BrushVariants.of(ground, strength=strength)
            )
        return masked_rgb8(looks, view.areas, dimmed=view.dimmed, brush=brush)

    def _warning(self, material: Material, *, flat: bool) -> str:
        """What is odd in the picture under a mask, and in the σ it is made from."""
        hdr, sigma = material.hdr, material.sigma
        of_hdr = "" if hdr is None or flat else self._sources.odd(Layer.PSEUDO_LABEL, hdr).words
        of_sigma = "" if sigma is None else self._sources.odd(Layer.UNCERTAINTY, sigma).words
        return joined(of_hdr, f"σ: {of_sigma}" if of_sigma else "")


def _decisive(layer: Layer, material: Material) -> tuple[object, ...]:
    """What the areas of a mask layer depend on, apart from the picture."""
    if layer is Layer.PERSON_MASK:
        return (material.person,)
    if layer is Layer.REASONS:
        return (material.reasons,)
    return material.trust, material.masks, material.person


def _size_of(person: npt.NDArray[np.int8] | None) -> tuple[int, int] | None:
    """Width and height of a mask, if there is one."""
    return None if person is None else (person.shape[1], person.shape[0])


def _even_ground(shape: tuple[int, int]) -> Rgb8:
    """H×W×3 of one colour, in the memory of one pixel."""
    return np.broadcast_to(np.array(LIGHT, np.uint8), (*shape, 3))


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
