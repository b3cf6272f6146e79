"""Paints a layer of a scene with its masks, doing again only what depends on what moved."""

from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.display.cache import Cache
from smarthdr_studio.core.display.false_colour import (
    Spread,
    extremes,
    heat_painted,
    spread_of,
    spread_on_screen,
)
from smarthdr_studio.core.display.layer_data import LayerData, difference_of, title_of
from smarthdr_studio.core.display.layers import (
    FRAMES,
    MAPS,
    RADIANCE,
    DisplaySettings,
    KeyEntry,
    Layer,
    Material,
    Painted,
    joined,
    number,
    percent,
    share,
    why_empty,
)
from smarthdr_studio.core.display.overlay import (
    BRUSH_HATCHES,
    DISTRUST_HATCH,
    GATE_HATCHES,
    PATCH_HATCH,
    PIXEL_HATCH,
    REASON_HATCHES,
    SHUT,
    TRUST_HATCH,
    WEIGHED_HATCH,
    Area,
    BrushVariants,
    Hatch,
    Mask,
    OverlayVariants,
    hatched_rgb8,
    masked_rgb8,
)
from smarthdr_studio.core.display.picture import PicturePainter
from smarthdr_studio.core.display.tone import Rgb8, strips
from smarthdr_studio.core.imaging.radiometry import Floats
from smarthdr_studio.core.trust.causes import Reason
from smarthdr_studio.core.trust.explanation import pixel_threshold_words
from smarthdr_studio.core.trust.masking import Range, Trust

Map = TypeVar("Map", npt.NDArray[np.int8], npt.NDArray[np.uint8])

LIGHT = (232, 232, 228)  # the ground of a mask without a picture


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaskView:
    """What is to be painted over the pseudo-label, or over an even light ground."""

    areas: tuple[Area, ...]
    key: tuple[KeyEntry, ...]
    detail: str
    dimmed: bool = True
    flat: bool = False


def mask_view(layer: Layer, material: Material, trust: Trust, closed: Mask) -> MaskView | None:
    """The areas of a mask layer; None while what it shows does not exist.

    `closed` is H×W, True in patches the first gate drops.
    """
    masks, person = material.masks, _fitting(material.person, closed)
    match layer:
        case Layer.PATCH_MASK:
            detail = f"{percent(trust.patch_mask)} retained · τ_pa {masks.tau_patch:.2f}"
            parts = [(Area(closed, PATCH_HATCH), "patch dropped")]
            return _gate_view([*parts, *_painted_parts(person)], detail=detail)
        case Layer.PIXEL_MASK:
            kept = share(round(trust.counted), trust.trusted.size)
            detail = f"{kept} retained · {pixel_threshold_words(masks)}"
            parts = [
                *_weighed_parts(trust),
                (Area(~trust.pixel_mask, PIXEL_HATCH), "pixel dropped"),
                (Area(closed, SHUT), "in a dropped patch"),
            ]
            return _gate_view([*parts, *_painted_parts(person)], detail=detail)
        case Layer.PERSON_MASK:
            return person_view(person)
        case Layer.REASONS:
            return _reasons_view(_fitting(material.reasons, closed))
        case _:
            return _trust_view(layer, trust, closed, person=person)


def _gate_view(parts: list[tuple[Area, str]], *, detail: str) -> MaskView:
    """What one gate says, and the brush over it, which overrules both."""
    return MaskView(
        areas=tuple(area for area, _ in parts),
        key=tuple(_entry(area.hatch, words) for area, words in parts),
        detail=detail,
    )


def _painted_parts(person: npt.NDArray[np.int8] | None) -> list[tuple[Area, str]]:
    """What is painted, as far as anything is."""
    if person is None:
        return []
    parts = (
        (Area(person < 0, DISTRUST_HATCH), "distrusted by a person"),
        (Area(person > 0, TRUST_HATCH), "trusted by a person"),
    )
    return [(area, words) for area, words in parts if area.mask.any()]


_HALF = 0.5


def _weighed_parts(trust: Trust) -> list[tuple[Area, str]]:
    """Where pixels are weighed, those that count less than half, but do count."""
    if trust.weight is None:
        return []
    return [(Area(trust.trusted & (trust.weight < _HALF), WEIGHED_HATCH), "counts less than half")]


def _trust_view(
    layer: Layer, trust: Trust, closed: Mask, *, person: npt.NDArray[np.int8] | None
) -> MaskView:
    """Who drops what; a brush overrules both gates, so hatches lie only where it left them."""
    untrusted = ~trust.trusted
    parts = [
        *_weighed_parts(trust),
        (Area(untrusted, PIXEL_HATCH), "pixel dropped"),
        (Area(untrusted & closed, PATCH_HATCH), "patch dropped"),
    ]
    parts += _painted_parts(person)
    flat = layer is Layer.COMBINED_MASK
    plain_key = tuple(_entry(area.hatch, words) for area, words in parts)
    return MaskView(
        areas=tuple(area for area, _ in parts),
        key=_counted_key(trust, parts) if flat else plain_key,
        detail=f"{share(round(trust.counted), trust.trusted.size)} of the pixels"
        + (", by weight" if trust.weight is not None else ""),
        dimmed=False,
        flat=flat,
    )


def _counted_key(trust: Trust, parts: list[tuple[Area, str]]) -> tuple[KeyEntry, ...]:
    """What is trusted, and each part, with its share of the scene."""
    counts = _counts_on_top([area.mask for area, _ in parts])
    dropped = (
        _entry(area.hatch, f"{words} {share(count, trust.trusted.size)}")
        for (area, words), count in zip(parts, counts, strict=True)
    )
    return KeyEntry(colour=LIGHT, words=f"trusted {_rest(trust, sum(counts))}"), *dropped


def _rest(trust: Trust, covered: int) -> str:
    """The share that is trusted; where pixels are weighed, of those that no part covers."""
    if trust.weight is None:
        return percent(trust.trusted)
    return share(trust.trusted.size - covered, trust.trusted.size)


def person_view(person: npt.NDArray[np.int8] | None) -> MaskView | None:
    """What a person painted, H×W; None where nothing is."""
    if person is None or not person.any():
        return None
    distrusted, trusted = person < 0, person > 0
    return MaskView(
        areas=(Area(distrusted, DISTRUST_HATCH), Area(trusted, TRUST_HATCH)),
        key=(_entry(DISTRUST_HATCH, "distrust forced"), _entry(TRUST_HATCH, "trust forced")),
        detail=f"trust forced {percent(trusted)} · distrust forced {percent(distrusted)}",
    )


def _reasons_view(reasons: npt.NDArray[np.uint8] | None) -> MaskView | None:
    if reasons is None:
        return None
    counts = _histogram(reasons)
    there = [reason for reason in REASON_HATCHES if counts[reason]]
    chief = max(there, key=lambda reason: int(counts[reason]), default=None)
    trusted = f"{share(int(counts[Reason.TRUSTED]), reasons.size)} trusted"
    return MaskView(
        areas=tuple(Area(reasons == reason, REASON_HATCHES[reason]) for reason in there),
        key=tuple(
            _entry(
                REASON_HATCHES[reason], f"{reason.words} {share(int(counts[reason]), reasons.size)}"
            )
            for reason in there
        ),
        detail=joined(trusted, f"chiefly {chief.words}" if chief else ""),
    )


def _fitting(codes: Map | None, closed: Mask) -> Map | None:
    """The map if it is of this scene's size."""
    return codes if codes is not None and codes.shape == closed.shape else None


def _entry(hatch: Hatch, words: str) -> KeyEntry:
    return KeyEntry(colour=hatch.colour, words=words, pattern=hatch.pattern)


def _counts_on_top(masks: list[Mask]) -> list[int]:
    """How many pixels of each mask no later one covers."""
    counts, covered = [], np.zeros_like(masks[0])
    for mask in reversed(masks):
        counts.append(int(np.count_nonzero(mask & ~covered)))
        covered |= mask
    return counts[::-1]


def _histogram(reasons: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """How often each number occurs; by strips, because counting widens every pixel."""
    counts = np.zeros(256, np.int64)
    for rows in strips(*reasons.shape):
        counts += np.bincount(reasons[rows].ravel(), minlength=256)
    return counts


LARGEST_VARIANTS = (
    8_000_000  # pixels; of larger pictures four more looks would take too much memory
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
        self._light = PicturePainter(self._memo, self._sources)
        self._material = Material()

    def paint(self, layer: Layer, material: Material, settings: DisplaySettings) -> Painted:
        """The layer's picture with its title and detail, or the reason why there is none.

        While the layer does not exist, the first of its stand-ins that does is shown.
        """
        self._begin(material)
        for shown in (layer, *layer.stand_ins):
            painted = self._painted(shown, material, settings)
            if painted is not None:
                return painted if shown is layer else self._instead(painted, layer)
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

    def _instead(self, painted: Painted, layer: Layer) -> Painted:
        """A stand-in; its detail says for what it stands, why, and what helps."""
        why = layer.why_empty
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
