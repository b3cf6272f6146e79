"""Pictures as files: a view as it is on the screen, or a layer with all its bits.

A 16-bit PNG of a map or a mask says in a text chunk, "Description", which values 0 and 65535 are.
"""

import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.display.cache import Cache
from smarthdr_studio.core.display.false_colour import find_non_finite, spread_of, spread_on_screen
from smarthdr_studio.core.display.layer_data import LayerData, layer_values
from smarthdr_studio.core.display.layers import (
    FRAMES,
    MAPS,
    RADIANCE,
    UNITS,
    DisplaySettings,
    Layer,
    Material,
    Painted,
    exposure_words,
    joined,
    tone_words,
    why_empty,
)
from smarthdr_studio.core.display.painter import screen_rgb8
from smarthdr_studio.core.display.tone import ToneMap, strips, toned
from smarthdr_studio.core.errors import ExportError
from smarthdr_studio.core.files import AnyPath, replacing
from smarthdr_studio.core.imaging.bracket import Half
from smarthdr_studio.core.imaging.image_files import write_layers
from smarthdr_studio.core.imaging.radiometry import Frame
from smarthdr_studio.core.trust.causes import Reason
from smarthdr_studio.core.trust.masking import Range

Numbers = npt.NDArray[Any]

_WHITE = 65535
_AFTER_HEADER = 8 + 25  # bytes of a PNG: its signature and the chunk with its size


def write_png(path: AnyPath, painted: Painted) -> None:
    """Write exactly the pixels of a finished picture, 8 bits per channel and nothing else.

    Raises ExportError: there is no picture, or the file cannot be written.
    """
    path = Path(path)
    if painted.rgb8 is None:
        raise ExportError(f"{path.name}: nothing to export of {painted.title}: {painted.why_empty}")
    _write(path, _encoded(painted.rgb8))


def write_png16(path: AnyPath, layer: Layer, material: Material, settings: DisplaySettings) -> None:
    """Write a layer with 16 bits per channel, without hatches, stripes or markers.

    Radiance goes through the formula of its tone map (stops, which are bands, take the colours of
    the screen); frames are their camera values; maps and masks are grey, 65535 at the top of their
    legend, and NaN is 65535 too. Raises ExportError: no such layer, nothing in it, no writing.
    """
    path = Path(path)
    layer = _known(path, layer)
    if layer in RADIANCE:
        half = LayerData(Cache()).radiance(layer, material)
        codes = None if half is None else _toned_codes(half, settings)
        words = joined(tone_words(settings), exposure_words(settings))
    elif layer in FRAMES:
        found = LayerData(Cache()).frame(layer, material)
        codes, words = (found[0] if found else None), "camera values"
    else:
        values = layer_values(layer, material, against=settings.error_against)
        codes, words = _scaled(layer, values, material) if values is not None else (None, "")
    if codes is None:
        raise _nothing(path, layer, material, settings)
    _write(path, _with_text(_encoded(codes), joined(layer.value, words)))


def write_layer_exr(
    path: AnyPath,
    layer: Layer,
    material: Material,
    *,
    against: Layer = Layer.GROUND_TRUTH,
) -> None:
    """Write what `layer_values` answers: light as R, G, B, everything else as Y, a float.

    The header holds the layer's name and origin. Raises ExportError: no such layer or nothing in
    it; LabelError: no writing.
    """
    path = Path(path)
    layer = _known(path, layer)
    values = layer_values(layer, material, against=against)
    if values is None:
        raise _nothing(path, layer, material, DisplaySettings(error_against=against))
    header = {"smarthdr.layer": layer.value, "smarthdr.origin": _origin(layer, material)}
    if layer is Layer.ERROR:
        header["smarthdr.against"] = against.value
    if values.ndim == 3:
        channels = {name: values[..., index] for index, name in enumerate("RGB")}
    else:
        channels = {"Y": values.astype(np.float32)}
    write_layers(path, channels, header=header)


def _origin(layer: Layer, material: Material) -> str:
    """Which round a layer is of; empty for what no round made."""
    if layer in (Layer.OTHER_ROUND, Layer.OTHER_SIGMA):
        return material.other_origin
    if layer is Layer.STUDENT and material.student_origin:
        return material.student_origin
    roundless = (*FRAMES, *(kind for kind in RADIANCE if kind is not Layer.PSEUDO_LABEL))
    return "" if layer in (*roundless, Layer.FLIPS, Layer.PERSON_MASK) else material.origin


def _toned_codes(half: Half, settings: DisplaySettings) -> Frame:
    """Radiance by the formula of the tone map, H×W×3 of 16 bits."""
    tone, ev = settings.tone_map, settings.exposure_ev
    if tone is ToneMap.STOPS:
        return screen_rgb8(half, settings, find_non_finite(half)).astype(np.uint16) * np.uint16(257)
    codes = np.empty(half.shape, np.uint16)
    for rows in strips(*half.shape[:2]):
        linear = half[rows].astype(np.float32)
        screen = toned(linear, tone, exposure_ev=ev, mu=settings.mu, gamma=settings.gamma)
        codes[rows] = np.rint(screen * _WHITE)
    return codes


def _scaled(layer: Layer, values: Numbers, material: Material) -> tuple[Frame, str]:
    """A map or a mask as 16-bit grey, and the words that say how to read it."""
    low, top = _scale(layer, values, material)
    codes = np.empty(values.shape, np.uint16)
    for rows in strips(*values.shape):
        unit = (values[rows].astype(np.float64) - low) / (top - low)
        codes[rows] = np.rint(np.clip(np.nan_to_num(unit, nan=1.0), 0, 1) * _WHITE)
    unit_words = UNITS.get(layer, "")
    return codes, joined(f"0 is {low:g}", f"{_WHITE} is {top!r} {unit_words}".strip())


def _scale(layer: Layer, values: Numbers, material: Material) -> Range:
    """The values that become 0 and 65535."""
    if layer is Layer.PERSON_MASK:
        return Range(-1.0, 1.0)
    if layer is Layer.REASONS:
        return Range(0.0, float(max(Reason)))
    if layer not in MAPS:
        return Range(0.0, 1.0)
    spread = spread_on_screen(layer, values, material, measure=lambda _, known: spread_of(known))
    top = spread.span.high
    return Range(0.0, top if top > 0 else 1.0)


def _known(path: Path, layer: str) -> Layer:
    try:
        return Layer(layer)
    except ValueError:
        raise ExportError(f"{path.name}: there is no layer {layer!r} to export") from None


def _nothing(
    path: Path, layer: Layer, material: Material, settings: DisplaySettings
) -> ExportError:
    why = why_empty(layer, material, settings)
    return ExportError(f"{path.name}: nothing to export of {layer}: {why}")


def _encoded(picture: Numbers) -> bytes:
    """RGB or grey, 8 or 16 bits, as a PNG."""
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR) if picture.ndim == 3 else picture
    done, encoded = cv2.imencode(".png", np.ascontiguousarray(bgr))
    if not done:
        raise ValueError(f"OpenCV cannot write {picture.dtype} {picture.shape} as PNG")
    return encoded.tobytes()


def _with_text(png: bytes, words: str) -> bytes:
    """The PNG with a description in Unicode, an iTXt chunk, before its pixels."""
    body = b"iTXt" + b"Description\0\0\0\0\0" + words.encode()
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:_AFTER_HEADER] + chunk + png[_AFTER_HEADER:]


def _write(path: Path, content: bytes) -> None:
    try:
        with replacing(path) as draft:
            draft.write_bytes(content)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ExportError(
            f"{path}: cannot be written ({reason}); choose another folder or free some space"
        ) from None
