"""Paints a layer of a scene, doing again only what depends on what moved."""

import math
from dataclasses import replace
from typing import assert_never

import numpy as np

from smarthdr_studio.core.bracket import Half
from smarthdr_studio.core.display.colour import colour_bar, sigma_rgb8
from smarthdr_studio.core.display.layers import DisplaySettings, Layer, Legend, Material, Painted
from smarthdr_studio.core.display.memo import Memo
from smarthdr_studio.core.display.overlay import Looks, Mask, masked_rgb8
from smarthdr_studio.core.display.tabled import tabled_error, tabled_merge
from smarthdr_studio.core.display.tone import Rgb8, frame_rgb8, to_rgb8, tone_table
from smarthdr_studio.core.masking import Range, Trust, expand
from smarthdr_studio.core.radiance import Floats

_BAR_WIDTH, _BAR_HEIGHT = 10, 128
_FRAMES = (Layer.UNDER, Layer.REFERENCE, Layer.OVER)


class Painter:
    """Makes finished pictures and keeps what they were made from, for one scene at a time.

    The same causes give back the very same picture, so whoever shows it can tell by identity
    that nothing changed. No widgets, no threads: export and tests call it like the window does.
    """

    def __init__(self) -> None:
        self._memo = Memo()

    def paint(self, layer: Layer, material: Material, settings: DisplaySettings) -> Painted:
        """The layer's picture with its title and detail, or the reason why there is none.

        While the layer does not exist, the first of its stand-ins that does is shown.
        """
        for shown in (layer, *layer.stand_ins):
            painted = self._painted(shown, material, settings)
            if painted is not None:
                missing = shown is not layer and shown is Layer.MERGE
                return self._instead(painted) if missing else painted
        return Painted(rgb8=None, title=layer.value, why_empty=layer.why_empty)

    def _instead(self, painted: Painted) -> Painted:
        """The merge in place of a pseudo-label; its detail says what is missing and what helps."""
        words = "no pseudo-label yet · Ctrl+T"
        return self._memo.once("instead", (painted,), lambda: replace(painted, detail=words))

    def forget(self) -> None:
        """Give all kept pictures back."""
        self._memo.forget()

    def _painted(
        self, layer: Layer, material: Material, settings: DisplaySettings
    ) -> Painted | None:
        match layer:
            case Layer.PSEUDO_LABEL | Layer.GROUND_TRUTH | Layer.MERGE:
                return self._radiance(layer, material, settings)
            case Layer.UNDER | Layer.REFERENCE | Layer.OVER:
                return self._frame(layer, material, settings)
            case Layer.UNCERTAINTY | Layer.ERROR:
                return self._heat(layer, material, settings)
            case Layer.PATCH_MASK | Layer.PIXEL_MASK | Layer.TRUSTED:
                return self._mask(layer, material, settings)
            case _:
                assert_never(layer)

    def _radiance(
        self, layer: Layer, material: Material, settings: DisplaySettings
    ) -> Painted | None:
        half = self._linear(layer, material)
        if half is None:
            return None
        origin = material.origin if layer is Layer.PSEUDO_LABEL else ""
        detail = _joined(origin, settings.tone_map.value, _exposure(settings))
        rgb8 = self._toned(layer, half, settings)
        return self._memo.once(
            layer, (rgb8, detail), lambda: Painted(rgb8=rgb8, title=layer.value, detail=detail)
        )

    def _linear(self, layer: Layer, material: Material) -> Half | None:
        if layer is Layer.PSEUDO_LABEL:
            return material.hdr
        if layer is Layer.GROUND_TRUTH:
            return material.ground_truth
        bracket = material.bracket
        if bracket is None:
            return None
        return self._memo.once("merge", (bracket,), lambda: tabled_merge(bracket))

    def _toned(self, layer: Layer, half: Half, settings: DisplaySettings) -> Rgb8:
        table = tone_table(settings.tone_map, exposure_ev=settings.exposure_ev)
        causes = half, settings.tone_map, settings.exposure_ev
        return self._memo.once(f"toned {layer}", causes, lambda: to_rgb8(half, table))

    def _frame(self, layer: Layer, material: Material, settings: DisplaySettings) -> Painted | None:
        if material.bracket is None:
            return None
        index = _FRAMES.index(layer)
        frame, stops = material.bracket.frames[index], material.bracket.stops[index]
        ev = settings.exposure_ev
        shot = f"+{stops:g} EV" if stops else "shortest"
        detail = _joined(shot, "as shot" if ev == 0 else "re-exposed", _exposure(settings))
        return self._memo.once(
            layer,
            (frame, detail, ev),
            lambda: Painted(
                rgb8=frame_rgb8(frame, exposure_ev=ev), title=layer.value, detail=detail
            ),
        )

    def _heat(self, layer: Layer, material: Material, settings: DisplaySettings) -> Painted | None:
        values = material.sigma if layer is Layer.UNCERTAINTY else self._error(material)
        if values is None:
            return None
        causes = values, settings.colour_map, settings.heat_scale
        return self._memo.once(layer, causes, lambda: _heat_painted(layer, values, settings))

    def _error(self, material: Material) -> Floats | None:
        hdr, truth = material.hdr, material.ground_truth
        if hdr is None or truth is None or hdr.shape != truth.shape:
            return None
        return self._memo.once("error", (hdr, truth), lambda: tabled_error(hdr, truth))

    def _mask(self, layer: Layer, material: Material, settings: DisplaySettings) -> Painted | None:
        hdr, trust = material.hdr, material.trust
        if hdr is None or trust is None:
            return None
        toned = self._toned(Layer.PSEUDO_LABEL, hdr, settings)
        causes = toned, settings.overlay, settings.mask_visible, trust, material.masks

        def paint() -> Painted:
            hidden = "" if settings.mask_visible else "mask hidden"
            rgb8 = toned if hidden else self._covered(layer, toned, material, settings)
            detail = _joined(_kept_words(layer, material, trust), hidden)
            return Painted(rgb8=rgb8, title=layer.value, detail=detail)

        return self._memo.once(layer, causes, paint)

    def _covered(
        self, layer: Layer, toned: Rgb8, material: Material, settings: DisplaySettings
    ) -> Rgb8:
        """The picture under its mask."""
        trust, size, strength = material.trust, material.masks.patch_size, settings.overlay
        assert trust is not None
        old = self._memo.last("looks")
        spent = old if isinstance(old, Looks) else None
        looks = self._memo.once(
            "looks", (toned, strength), lambda: Looks.of(toned, strength=strength, over=spent)
        )
        closed = self._memo.once("closed", (trust, size), lambda: _closed(trust, size=size))
        if layer is Layer.PATCH_MASK:
            return masked_rgb8(looks, patch_dropped=closed)
        if layer is Layer.PIXEL_MASK:
            return masked_rgb8(looks, pixel_dropped=~trust.pixel_mask, shut=closed)
        # A brush overrules both gates, so stripes lie only where nothing is trusted.
        untrusted = ~trust.trusted
        return masked_rgb8(
            looks, pixel_dropped=untrusted, patch_dropped=untrusted & closed, dimmed=False
        )


def _heat_painted(layer: Layer, values: Floats, settings: DisplaySettings) -> Painted:
    span, high = _span(values)
    legend = Legend(
        bar=colour_bar(settings.colour_map, width=_BAR_WIDTH, height=_BAR_HEIGHT),
        low=f"{span.low:.2g}",
        high=f"{'≥ ' if high > span.high else ''}{span.high:.2g}",
    )
    rgb8 = sigma_rgb8(values, span=span, colour_map=settings.colour_map, scale=settings.heat_scale)
    detail = f"{span.low:.2g} … {high:.2g}"
    return Painted(rgb8=rgb8, title=layer.value, detail=detail, legend=legend)


def _span(values: Floats) -> tuple[Range, float]:
    """From the least value to the 99.9th percentile, and the largest value.

    σ and errors have a long tail: by its last pixel everything else would be black.
    """
    low, high, known = float(values.min()), float(values.max()), values
    if not (math.isfinite(low) and math.isfinite(high)):
        known = values[np.isfinite(values)]
        if known.size == 0:
            return Range(0.0, 0.0), 0.0
        low, high = float(known.min()), float(known.max())
    sample = known.reshape(-1)[:: max(known.size // 200_000, 1)]
    return Range(low, max(float(np.percentile(sample, 99.9)), low)), high


def _closed(trust: Trust, *, size: int) -> Mask:
    """H×W, True in patches the first gate drops."""
    height, width = trust.trusted.shape
    closed: Mask = expand(~trust.patch_mask, size=size, height=height, width=width)
    return closed


def _kept_words(layer: Layer, material: Material, trust: Trust) -> str:
    masks = material.masks
    if layer is Layer.PATCH_MASK:
        return f"τ_pa {masks.tau_patch:.2f} · {_percent(trust.patch_mask)} kept"
    if layer is Layer.PIXEL_MASK:
        return f"τ_pi {masks.tau_pixel:.2f} · {_percent(trust.trusted)} kept"
    return f"{_percent(trust.trusted)} of the pixels"


def _percent(mask: Mask) -> str:
    return f"{np.count_nonzero(mask) / mask.size:.0%}".replace("%", " %")


def _exposure(settings: DisplaySettings) -> str:
    return f"{settings.exposure_ev:+.1f} EV" if settings.exposure_ev else ""


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
