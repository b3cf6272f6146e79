"""Paints a layer of a scene, doing again only what depends on what moved."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.display.areas import LIGHT, MaskView, mask_view, person_view
from smarthdr_studio.core.display.compare import difference_of, title_of
from smarthdr_studio.core.display.heat import (
    Spread,
    extremes,
    heat_painted,
    spread_of,
    spread_on_screen,
)
from smarthdr_studio.core.display.kinds import FRAMES, MAPS, RADIANCE
from smarthdr_studio.core.display.layers import DisplaySettings, Layer, Material, Painted
from smarthdr_studio.core.display.light import Light
from smarthdr_studio.core.display.memo import Memo
from smarthdr_studio.core.display.overlay import (
    BRUSH_HATCHES,
    GATE_HATCHES,
    BrushLooks,
    Looks,
    hatched_rgb8,
    masked_rgb8,
)
from smarthdr_studio.core.display.sources import Sources
from smarthdr_studio.core.display.tone import Rgb8
from smarthdr_studio.core.display.words import joined, number, why_empty
from smarthdr_studio.core.masking import Range
from smarthdr_studio.core.radiance import Floats

LARGEST_LOOKS = 8_000_000  # pixels; of larger pictures four more looks would take too much memory


class Painter:
    """Makes finished pictures and keeps what they were made from, for one scene at a time.

    The same causes give back the very same picture, so whoever shows it can tell by identity
    that nothing changed; what nobody shows any more is let go after a while. No widgets, no
    threads: export and tests call it like the window does.
    """

    def __init__(self) -> None:
        self._memo = Memo()
        self._sources = Sources(self._memo)
        self._light = Light(self._memo, self._sources)
        self._material = Material()

    def paint(self, layer: Layer, material: Material, settings: DisplaySettings) -> Painted:
        """The layer's picture with its title and detail, or the reason why there is none.

        While the layer does not exist, the first of its stand-ins that does is shown.
        """
        self._begin(material)
        for shown in (layer, *layer.stand_ins):
            painted = self._painted(shown, material, settings)
            if painted is not None:
                missing = shown is not layer and shown is Layer.MERGE
                return self._instead(painted) if missing else painted
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
        """What `layer_values` answers, made once; the error is that of the settings."""
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

    def _instead(self, painted: Painted) -> Painted:
        """The merge in place of a pseudo-label; its detail says what is missing and what helps."""
        words = "no pseudo-label yet · Ctrl+T"
        return self._memo.once("instead", (painted,), lambda: replace(painted, detail=words))

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
            return self._light.radiance(layer, material, settings)
        if layer in FRAMES:
            return self._light.frame(layer, material, settings)
        if layer in MAPS:
            return self._heat(layer, material, settings)
        return self._mask(layer, material, settings)

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
        toned = None if flat else self._light.screen(Layer.PSEUDO_LABEL, hdr, settings)
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
        if not quick or ground.shape[0] * ground.shape[1] > LARGEST_LOOKS:
            strength = 1.0 if view.flat else settings.overlay
            return hatched_rgb8(ground, view.areas, strength=strength, dimmed=view.dimmed)
        strength = settings.overlay

        def make() -> Looks:
            spent = self._memo.spent("looks")
            over = spent if isinstance(spent, Looks) else None
            return Looks.of(ground, strength=strength, over=over)

        looks = self._memo.once("looks", (ground, strength), make)
        brush = None
        if not hatches.isdisjoint(BRUSH_HATCHES):
            causes = ground, strength
            brush = self._memo.once(
                "brush looks", causes, lambda: BrushLooks.of(ground, strength=strength)
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
