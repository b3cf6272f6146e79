"""What a mask lays over a picture, by hue and by pattern; what is trusted stays the picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, NamedTuple, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.display.layers import (
    KeyEntry,
    Layer,
    Material,
    Pattern,
    joined,
    percent,
    share,
)
from smarthdr_studio.core.display.tone import Rgb8, strips
from smarthdr_studio.core.imaging.regions import Mask
from smarthdr_studio.core.trust.causes import Reason
from smarthdr_studio.core.trust.explanation import pixel_threshold_words
from smarthdr_studio.core.trust.masking import Trust
from smarthdr_studio.core.words import tau_words

_LEAST_PERIOD = 12  # pixels of the picture
_PERIODS_ACROSS = 72


class Hatch(NamedTuple):
    """Colour in 8-bit RGB, its pattern, and what lies between: the picture in shade, or plain."""

    colour: tuple[int, int, int]
    pattern: Pattern
    ground: Literal["shade", "picture"] = "shade"


class Area(NamedTuple):
    """Where a hatch lies, H×W."""

    mask: Mask
    hatch: Hatch


PATCH_HATCH = Hatch((255, 96, 80), "rising")
PIXEL_HATCH = Hatch((255, 190, 60), "falling")
SHUT = Hatch((92, 40, 32), "even")
WEIGHED_HATCH = Hatch((255, 190, 60), "rings", "picture")
DISTRUST_HATCH = Hatch((190, 130, 255), "grid")
TRUST_HATCH = Hatch((70, 225, 190), "dots", "picture")
HIGHLIGHT_HATCH = Hatch((16, 16, 16), "rising", "picture")
SHADOW_HATCH = Hatch((80, 140, 255), "horizontal", "picture")
REASON_HATCHES = {
    Reason.SATURATED: Hatch((245, 225, 70), "vertical"),
    Reason.MOVING: Hatch((255, 110, 50), "checks"),
    Reason.DARK: Hatch((80, 150, 255), "horizontal"),
    Reason.DISPUTED: Hatch((60, 215, 175), "rings"),
    Reason.UNEXPLAINED: Hatch((215, 215, 215), "dots"),
    Reason.PERSON: DISTRUST_HATCH,
}
KEY_GROUND: Final = (40, 40, 40)


def key_swatch(colour: tuple[int, int, int], pattern: Pattern, *, width: int, height: int) -> Rgb8:
    """A small sample of a hatch for a key, height×width×3, on a dark ground."""
    swatch = np.full((height, width, 3), KEY_GROUND, np.uint8)
    swatch[pattern_mask(pattern, rows=height, width=width, period=max(height // 2, 6))] = colour
    return swatch


def period_of(width: int) -> int:
    """After how many pixels, across and down, the patterns on a picture repeat."""
    return max(width // _PERIODS_ACROSS, _LEAST_PERIOD)


@lru_cache(maxsize=32)
def pattern_mask(pattern: Pattern, *, rows: int, width: int, period: int) -> Mask:
    """Where the pattern has ink, rows×width; about half of it, and it starts at the corner."""
    row, column = np.ogrid[:rows, :width]
    ink = np.array(np.broadcast_to(_ink_at(pattern, row, column, period=period), (rows, width)))
    ink.flags.writeable = False
    return ink


@lru_cache(maxsize=16)
def ink_of(hatch: Hatch, *, strength: float, rows: int, width: int, period: int) -> Rgb8:
    """The colour a hatch adds to the shade, rows×width×3; nothing where its pattern is clear."""
    colour = np.rint(np.array(hatch.colour) * (0.7 * strength)).astype(np.uint8)
    ink = np.zeros((rows, width, 3), np.uint8)
    ink[pattern_mask(hatch.pattern, rows=rows, width=width, period=period)] = colour
    ink.flags.writeable = False
    return ink


def _ink_at(
    pattern: Pattern, row: npt.NDArray[np.intp], column: npt.NDArray[np.intp], *, period: int
) -> npt.NDArray[np.bool_]:
    half = period // 2
    if pattern in ("dots", "rings"):
        # Twice the squared distance from the middle of a cell, in half pixels.
        reach = np.square(2 * (row % period) + 1 - period) + np.square(
            2 * (column % period) + 1 - period
        )
        disc: npt.NDArray[np.bool_] = reach <= (0.64 * period) ** 2
        return disc if pattern == "dots" else disc & (reach > (0.34 * period) ** 2)
    down, across = row % period < half, column % period < half
    lines = {
        "even": np.ones((1, 1), bool),
        "rising": (row + column) % period < half,
        "falling": (column - row) % period < half,
        "vertical": across,
        "horizontal": down,
        "grid": (row % period < period // 4) | (column % period < period // 4),
        "checks": down ^ across,
    }
    return lines[pattern]


GATE_HATCHES = PATCH_HATCH, PIXEL_HATCH, SHUT
BRUSH_HATCHES = DISTRUST_HATCH, TRUST_HATCH
_STRIP = 1 << 17  # pixels


@dataclass(frozen=True, slots=True, eq=False)
class OverlayVariants:
    """One picture as kept, and as each kind of dropped area; H×W×3 8-bit RGB each.

    They do not depend on the masks, so a moving threshold only copies between them.
    """

    plain: Rgb8
    kept: Rgb8
    patch: Rgb8
    pixel: Rgb8
    shut: Rgb8

    @classmethod
    def of(
        cls, picture: Rgb8, *, strength: float, over: "OverlayVariants | None" = None
    ) -> "OverlayVariants":
        """All looks of an H×W×3 8-bit picture; strength 0 to 1 is how strong the colours are.

        `over` are looks nobody needs any more, to be painted over: taking fresh memory from the
        system costs more than the arithmetic.
        """
        if over is None or over.plain.shape != picture.shape:
            over = cls(picture, *(np.empty_like(picture) for _ in range(4)))
        looks = over.patch, over.pixel, over.shut
        for rows in _strips(picture):
            part = picture[rows]
            _dim(part, out=over.kept[rows])
            shade = _shade(part)
            for look, hatch in zip(looks, GATE_HATCHES, strict=True):
                cv2.add(shade, _ink(hatch, picture, rows, strength=strength), look[rows])
        return cls(picture, over.kept, *looks)


@dataclass(frozen=True, slots=True, eq=False)
class BrushVariants:
    """One picture as where a person distrusts and as where a person trusts; H×W×3 8-bit RGB."""

    distrusted: Rgb8
    trusted: Rgb8

    @classmethod
    def of(cls, picture: Rgb8, *, strength: float) -> "BrushVariants":
        """Both looks of an H×W×3 8-bit picture; strength 0 to 1 is how strong the colours are."""
        every = np.ones(picture.shape[:2], bool)
        distrusted, trusted = (
            hatched_rgb8(picture, (Area(every, hatch),), strength=strength)
            for hatch in BRUSH_HATCHES
        )
        return cls(distrusted, trusted)


def masked_rgb8(
    looks: OverlayVariants,
    areas: Sequence[Area],
    *,
    dimmed: bool = True,
    brush: BrushVariants | None = None,
) -> Rgb8:
    """What `hatched_rgb8` answers for the hatches of gates and brush, H×W×3, many times sooner.

    Args:
        looks: the picture in every look.
        areas: what is dropped or painted, and how it is hatched; later ones cover earlier ones.
        dimmed: whether the retained area steps back a little.
        brush: the looks of what is painted; needed where an area has a hatch of the brush.
    """
    look = dict(zip(GATE_HATCHES, (looks.patch, looks.pixel, looks.shut), strict=True))
    if brush is not None:
        look |= zip(BRUSH_HATCHES, (brush.distrusted, brush.trusted), strict=True)
    painted = (looks.kept if dimmed else looks.plain).copy()
    for mask, hatch in areas:
        cv2.copyTo(look[hatch], np.ascontiguousarray(mask).view(np.uint8), painted)
    return painted


def hatched_rgb8(
    picture: Rgb8, areas: Sequence[Area], *, strength: float = 1.0, dimmed: bool = True
) -> Rgb8:
    """The picture with areas painted over it, H×W×3 8-bit RGB, in no more memory than itself.

    Args:
        picture: H×W×3 8-bit RGB.
        areas: where which hatch lies; later ones cover earlier ones.
        strength: 0 to 1, how strong the colours are.
        dimmed: whether what lies under no hatch steps back a little.
    """
    painted = np.empty(picture.shape, np.uint8)
    for rows in _strips(picture):
        part, out = np.ascontiguousarray(picture[rows]), painted[rows]
        if dimmed:
            _dim(part, out=out)
        else:
            out[:] = part
        shade = _shade(part)
        for mask, hatch in areas:
            where = np.ascontiguousarray(mask[rows])
            if not where.any():
                continue
            if hatch.ground == "picture":
                _put_on_picture(part, out, where, hatch, strength=strength)
            else:
                look = cv2.add(shade, _ink(hatch, picture, rows, strength=strength))
                cv2.copyTo(look, where.view(np.uint8), out)
    return painted


def _put_on_picture(
    part: Rgb8, out: Rgb8, where: np.ndarray, hatch: Hatch, *, strength: float
) -> None:
    """The picture itself, with the pattern's ink lying on it."""
    rows, width = where.shape
    ink = pattern_mask(hatch.pattern, rows=rows, width=width, period=period_of(width))
    colour = np.broadcast_to(np.array(hatch.colour, np.uint8), part.shape)
    inked = cv2.addWeighted(part, 1 - strength, np.ascontiguousarray(colour), strength, 0)
    cv2.copyTo(part, where.view(np.uint8), out)
    cv2.copyTo(inked, (where & ink).view(np.uint8), out)


# Shifts and sums of bytes: a blend by floating point takes five times as long.
def _dim(part: Rgb8, *, out: Rgb8) -> None:
    """Three quarters of the light."""
    np.right_shift(part, 1, out=out)
    np.add(out, np.right_shift(part, 2), out=out)


def _shade(part: Rgb8) -> Rgb8:
    """Three eighths of the light."""
    return np.right_shift(part, 2) + np.right_shift(part, 3)


def _strips(picture: Rgb8) -> Sequence[slice]:
    """Strips of whole periods, so that every strip takes the same ink."""
    height, width = picture.shape[:2]
    return tuple(strips(height, width, multiple=period_of(width), pixels=_STRIP))


def _ink(hatch: Hatch, picture: Rgb8, rows: slice, *, strength: float) -> Rgb8:
    width = picture.shape[1]
    tall = rows.stop - rows.start
    return ink_of(hatch, strength=strength, rows=tall, width=width, period=period_of(width))


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
            detail = f"{percent(trust.patch_mask)} retained · τ_pa {tau_words(masks.tau_patch)}"
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
