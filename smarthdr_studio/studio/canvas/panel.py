"""One view as it goes into a figure: its pixels as painted, and the words that explain them."""

from dataclasses import dataclass

import numpy as np
from PySide6.QtGui import QImage

from smarthdr_studio.core.display import KeyEntry, Legend, Painted, Rgb8
from smarthdr_studio.studio.canvas.exhibit import Exhibit
from smarthdr_studio.studio.canvas.shown import image_of
from smarthdr_studio.studio.canvas.sight import Box


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """A picture of a sheet; `rgb8` is None where there are only words to say why.

    `line` is the first column that is the partner's in a wipe. `legends` come with the words
    that say which side they are of, "" where there is one picture.
    """

    heading: str
    detail: str
    rgb8: Rgb8 | None
    why_empty: str = ""
    line: int | None = None
    legends: tuple[tuple[str, Legend], ...] = ()
    key: tuple[KeyEntry, ...] = ()

    @classmethod
    def of(cls, exhibit: Exhibit, *, letter: str, box: Box | None = None) -> "Panel":
        """What a view shows, or the part of it inside a box of image pixels.

        A partner that is only shown while a key is held takes no part.
        """
        own = exhibit.own.painted
        partner = exhibit.partner.painted if exhibit.wiping and exhibit.partner else None
        rgb8 = _pixels(exhibit, box)
        line = None if partner is None else exhibit.first_right - (box[0] if box else 0)
        inside = line is not None and rgb8 is not None and 0 < line < rgb8.shape[1]
        title = own.title if partner is None else f"{own.title} | {partner.title}"
        return cls(
            heading=f"({letter}) {title}",
            detail=_detail(own, partner),
            rgb8=rgb8,
            why_empty=own.why_empty,
            line=line if inside else None,
            legends=_legends(own, partner),
            key=own.key if partner is None else _joined_key(own, partner),
        )


def figure_of(exhibit: Exhibit, *, box: Box | None) -> QImage:
    """The pixels of a view as painted, or those inside a box; an empty image where none are."""
    rgb8 = _pixels(exhibit, box)
    return QImage() if rgb8 is None else image_of(rgb8)


def _pixels(exhibit: Exhibit, box: Box | None) -> Rgb8 | None:
    """The view's own pixels, in a wipe the partner's right of the line."""
    rgb8 = exhibit.own.painted.rgb8
    partner = exhibit.partner.painted.rgb8 if exhibit.wiping and exhibit.partner else None
    if rgb8 is not None and partner is not None and partner.shape == rgb8.shape:
        column = exhibit.first_right
        rgb8 = np.concatenate((rgb8[:, :column], partner[:, column:]), axis=1)
    if rgb8 is None or box is None:
        return rgb8
    left, top, right, bottom = box
    part = rgb8[top:bottom, left:right]
    return part if part.size else None


def _detail(own: Painted, partner: Painted | None) -> str:
    """What is special about it, and what is wrong with its numbers."""
    words = [own.detail] if partner is None else [f"{own.detail} | {partner.detail}".strip(" |")]
    words += [
        f"warning: {painted.warning}" for painted in (own, partner) if painted and painted.warning
    ]
    return " · ".join(part for part in words if part)


def _legends(own: Painted, partner: Painted | None) -> tuple[tuple[str, Legend], ...]:
    if partner is None:
        return () if own.legend is None else (("", own.legend),)
    sides = (("left", own.legend), ("right", partner.legend))
    return tuple((side, legend) for side, legend in sides if legend is not None)


def _joined_key(own: Painted, partner: Painted) -> tuple[KeyEntry, ...]:
    """Both keys; what both say alike is said once."""
    return own.key + tuple(entry for entry in partner.key if entry not in own.key)
