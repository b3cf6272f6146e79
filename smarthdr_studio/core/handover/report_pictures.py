"""The four views of a scene as a report shows them: painted as on the screen, then made small."""

import base64
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from smarthdr_studio.core.display import (
    DisplaySettings,
    KeyEntry,
    Layer,
    Legend,
    Material,
    Painted,
    Painter,
    Rgb8,
    key_swatch,
)

WIDTH: Final = 480
_QUALITY: Final = 82
_STEPS_OF_BAR: Final = 9
_VIEWS: Final = (Layer.PSEUDO_LABEL, Layer.UNCERTAINTY, Layer.PATCH_MASK, Layer.PIXEL_MASK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One view: its JPEG as a data URI, at most WIDTH wide, and the words under it.

    `bar` are the colours of its legend as CSS, lowest first, `low` and `high` the words at its
    ends; `key` names the colours of its areas.
    """

    uri: str
    width: int
    height: int
    title: str
    detail: str
    bar: tuple[str, ...] = ()
    low: str = ""
    high: str = ""
    key: tuple[KeyEntry, ...] = ()
    warning: str = ""


def pictures_of(
    painter: Painter, material: Material, settings: DisplaySettings
) -> tuple[Picture, ...]:
    """The views of a scene: pseudo-label, σ and both masks; without a label, what stands in."""
    choices = [(view,) if material.hdr is not None else view.stand_ins for view in _VIEWS]
    found: dict[str, Picture] = {}
    for layers in choices:
        every = (painter.paint(layer, material, settings) for layer in layers)
        painted, rgb8 = next(((p, p.rgb8) for p in every if p.rgb8 is not None), (None, None))
        if painted is not None and rgb8 is not None and painted.title not in found:
            found[painted.title] = _picture(painted, rgb8)
    return tuple(found.values())


def swatch_uri(entry: KeyEntry) -> str:
    """A small sample of a hatch as a data URI."""
    return _uri(
        key_swatch(entry.colour, entry.pattern, width=28, height=18), suffix=".png", options=()
    )


def _picture(painted: Painted, rgb8: Rgb8) -> Picture:
    height, width = rgb8.shape[:2]
    if width > WIDTH:
        size = WIDTH, max(round(height * WIDTH / width), 1)
        rgb8 = np.ascontiguousarray(cv2.resize(rgb8, size, interpolation=cv2.INTER_AREA), np.uint8)
    legend = painted.legend
    quality = (cv2.IMWRITE_JPEG_QUALITY, _QUALITY, cv2.IMWRITE_JPEG_OPTIMIZE, 1)
    return Picture(
        uri=_uri(rgb8, suffix=".jpg", options=quality),
        width=rgb8.shape[1],
        height=rgb8.shape[0],
        title=painted.title,
        detail=painted.detail,
        bar=_bar(legend) if legend else (),
        low=legend.low if legend else "",
        high=legend.high if legend else "",
        key=painted.key,
        warning=painted.warning,
    )


def _bar(legend: Legend) -> tuple[str, ...]:
    """Colours from the lowest value to the highest; the bar has its highest on top."""
    column = legend.bar[::-1, legend.bar.shape[1] // 2]
    at = np.linspace(0, len(column) - 1, _STEPS_OF_BAR).round().astype(int)
    return tuple("#{:02x}{:02x}{:02x}".format(*(int(part) for part in column[i])) for i in at)


def _uri(rgb8: Rgb8, *, suffix: str, options: tuple[int, ...]) -> str:
    bgr = cv2.cvtColor(np.ascontiguousarray(rgb8), cv2.COLOR_RGB2BGR)
    done, encoded = cv2.imencode(suffix, bgr, options)
    if not done:
        raise ValueError(f"OpenCV cannot write {rgb8.shape} as {suffix}")
    kind = "jpeg" if suffix == ".jpg" else "png"
    return f"data:image/{kind};base64,{base64.b64encode(encoded.tobytes()).decode('ascii')}"
