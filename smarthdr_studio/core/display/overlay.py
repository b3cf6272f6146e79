"""Areas painted over a picture by hue and by pattern; what is trusted stays the picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.display.tone import Rgb8, strips
from smarthdr_studio.core.trust.causes import Reason

Mask = npt.NDArray[np.bool_]
Pattern = Literal[
    "even", "rising", "falling", "vertical", "horizontal", "dots", "grid", "checks", "rings"
]

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
