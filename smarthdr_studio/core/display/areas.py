"""Which areas of a mask layer are hatched how, and what its key and its words say."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.display.hatch import (
    DISTRUST_HATCH,
    PATCH_HATCH,
    PIXEL_HATCH,
    REASON_HATCHES,
    SHUT,
    TRUST_HATCH,
    Area,
    Hatch,
    Mask,
)
from smarthdr_studio.core.display.layers import KeyEntry, Layer, Material
from smarthdr_studio.core.display.strips import strips
from smarthdr_studio.core.display.words import joined, percent, share
from smarthdr_studio.core.masking import Trust
from smarthdr_studio.core.reasons import Reason

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
            detail = f"τ_pa {masks.tau_patch:.2f} · {percent(trust.patch_mask)} kept"
            parts = [(Area(closed, PATCH_HATCH), "patch dropped")]
            return _gate_view([*parts, *_painted_parts(person)], detail=detail)
        case Layer.PIXEL_MASK:
            detail = f"τ_pi {masks.tau_pixel:.2f} · {percent(trust.trusted)} kept"
            parts = [
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


def _trust_view(
    layer: Layer, trust: Trust, closed: Mask, *, person: npt.NDArray[np.int8] | None
) -> MaskView:
    """Who drops what; a brush overrules both gates, so hatches lie only where it left them."""
    untrusted = ~trust.trusted
    parts = [
        (Area(untrusted, PIXEL_HATCH), "pixel dropped"),
        (Area(untrusted & closed, PATCH_HATCH), "patch dropped"),
    ]
    parts += _painted_parts(person)
    flat = layer is Layer.COMBINED_MASK
    plain_key = tuple(_entry(area.hatch, words) for area, words in parts)
    return MaskView(
        areas=tuple(area for area, _ in parts),
        key=_counted_key(trust, parts) if flat else plain_key,
        detail=f"{percent(trust.trusted)} of the pixels",
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
    return KeyEntry(colour=LIGHT, words=f"trusted {percent(trust.trusted)}"), *dropped


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
