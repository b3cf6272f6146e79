"""Pixels from image files and back: frames as RGB uint16, radiance as RGB float32, layered EXR."""

import io
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import OpenEXR

from smarthdr_studio.core.errors import LabelError, UnreadableImage
from smarthdr_studio.core.files import AnyPath, replacing
from smarthdr_studio.core.imaging.image_headers import Kind, is_whole, measure, sniff
from smarthdr_studio.core.imaging.radiometry import Floats, Frame

# Pixels whose type is not yet known.
_Pixels = npt.NDArray[Any]
# Converting from a wider gamut leaves honest files with values this little below 0, as a share of
# the brightest.
_OUT_OF_GAMUT = 1e-4
_HALF_MAX = float(np.finfo(np.float16).max)


def read_frame(path: AnyPath) -> Frame:
    """A camera frame as H×W×3 RGB uint16; 8-bit values are multiplied by 257, which is exact.

    The bytes decide the format, not the suffix; grey becomes RGB, alpha is dropped, and an EXIF
    orientation is not applied, because the three frames must keep one grid. Raises
    UnreadableImage.
    """
    path = Path(path)
    raw, kind = _open(path)
    if kind in ("hdr", "exr"):
        raise UnreadableImage(
            f"{path}: holds radiance, not a camera frame; use an 8- or 16-bit TIFF, PNG or JPEG."
        )
    pixels = _as_rgb(_decode(raw, path=path))
    if pixels.dtype == np.uint8:
        return np.multiply(pixels, 257, dtype=np.uint16)
    if pixels.dtype != np.uint16:
        raise UnreadableImage(
            f"{path}: holds {pixels.dtype} values; save the frame with 8 or 16 bits per channel."
        )
    return pixels


def read_radiance(path: AnyPath) -> Floats:
    """Linear radiance as H×W×3 RGB float32 from .hdr, EXR, float TIFF or 16-bit PNG/TIFF (÷ 65535).

    The scale is the file's own. Raises UnreadableImage, also for NaN, infinite or negative values;
    only negatives under 1e-4 of the brightest value, as gamut conversion leaves them, become 0.
    """
    path = Path(path)
    raw, kind = _open(path)
    pixels = _decode_exr(path) if kind == "exr" else _as_rgb(_decode(raw, path=path))
    if pixels.dtype == np.uint16:
        pixels = np.multiply(pixels, 1 / 65535, dtype=np.float32)
    if pixels.dtype.kind != "f":
        raise UnreadableImage(
            f"{path}: 8-bit values are no radiance; give the ground truth as .hdr, EXR or 16 bits."
        )
    return _without_impossible(pixels.astype(np.float32, copy=False), path=path)


def image_size(path: AnyPath) -> tuple[int, int]:
    """Height and width from the header alone, without decoding. Raises UnreadableImage."""
    path = Path(path)
    try:
        with path.open("rb") as stream:
            return measure(stream, kind=_known_kind(sniff(stream), path=path))
    except OSError as error:
        raise _cannot_open(path, error) from error
    except ValueError as error:
        raise _is_damaged(path) from error


def write_frame_tiff(path: AnyPath, frame: Frame) -> None:
    """Writes H×W×3 RGB uint16 as 16-bit TIFF, exactly; uncompressed, since that reads fastest."""
    path = Path(path)
    plain = (cv2.IMWRITE_TIFF_COMPRESSION, cv2.IMWRITE_TIFF_COMPRESSION_NONE)
    _write_encoded(path, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), suffix=".tif", options=plain)


def write_radiance_hdr(path: AnyPath, radiance: Floats) -> None:
    """Writes H×W×3 linear RGB as Radiance RGBE: 8 bits of mantissa, shared exponent."""
    path = Path(path)
    _write_encoded(path, cv2.cvtColor(radiance, cv2.COLOR_RGB2BGR), suffix=".hdr", options=())


def write_radiance_exr(path: AnyPath, radiance: Floats) -> None:
    """Writes H×W×3 linear RGB as half-float EXR with the channels R, G, B; clipped to 65504."""
    path = Path(path)
    half = np.minimum(radiance, _HALF_MAX).astype(np.float16)
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    channels = {name: np.ascontiguousarray(half[..., i]) for i, name in enumerate("RGB")}
    with replacing(path) as draft:
        OpenEXR.File(header, channels).write(str(draft))


def _open(path: Path) -> tuple[bytes, Kind]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise _cannot_open(path, error) from error
    stream = io.BytesIO(raw)
    kind = _known_kind(sniff(stream), path=path)
    if not is_whole(stream, kind=kind):
        raise _is_damaged(path)
    return raw, kind


def _known_kind(kind: Kind | None, *, path: Path) -> Kind:
    if kind is None:
        raise UnreadableImage(
            f"{path}: is no TIFF, PNG, JPEG, Radiance or EXR image; replace it with one."
        )
    return kind


def _cannot_open(path: Path, error: OSError) -> UnreadableImage:
    reason = error.strerror or type(error).__name__
    return UnreadableImage(f"{path}: cannot be opened ({reason}); put the file back or allow it.")


def _is_damaged(path: Path) -> UnreadableImage:
    return UnreadableImage(f"{path}: is truncated or damaged; copy it again from its source.")


def _decode(raw: bytes, *, path: Path) -> _Pixels:
    try:
        # UNCHANGED keeps 16 bits and ignores the EXIF orientation.
        pixels = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise _is_damaged(path) from error
    if pixels is None:
        raise _is_damaged(path)
    return pixels


def _as_rgb(pixels: _Pixels) -> _Pixels:
    match pixels.shape:
        case (_, _, 3):
            return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
        case (_, _, 4):
            return cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB)
        case _:
            grey = pixels.reshape(*pixels.shape[:2], -1)[..., 0]
            return np.repeat(grey[..., None], 3, axis=2)


def _decode_exr(path: Path) -> Floats:
    try:
        channels = OpenEXR.File(str(path), separate_channels=True).channels()
    except (RuntimeError, ValueError, OSError) as error:
        raise _is_damaged(path) from error
    if not {"R", "G", "B"} <= set(channels):
        found = ", ".join(sorted(channels)) or "none"
        raise UnreadableImage(
            f"{path}: has no R, G and B channels (found: {found}); export it again as RGB."
        )
    planes = [channels[name].pixels for name in "RGB"]
    if len({plane.shape for plane in planes}) > 1:
        raise UnreadableImage(f"{path}: its R, G and B differ in size; export it again as RGB.")
    return np.stack(planes, axis=-1).astype(np.float32)


def _without_impossible(radiance: Floats, *, path: Path) -> Floats:
    """Finite values of at least 0; colours a hair outside the gamut are brought back to 0."""
    # A minimum or maximum over NaN is NaN, so two passes find every fault.
    lowest, highest = radiance.min(), radiance.max()
    if lowest >= 0 and highest < np.inf:
        return radiance
    if -_OUT_OF_GAMUT * highest <= lowest and highest < np.inf:
        return np.maximum(radiance, 0, out=radiance)
    faults = {
        "NaN": np.isnan(radiance),
        "infinite": np.isinf(radiance),
        "negative": radiance < 0,
    }
    counts = [f"{found.any(axis=-1).sum()} {name}" for name, found in faults.items() if found.any()]
    raise UnreadableImage(
        f"{path}: has {' and '.join(counts)} pixels; replace them with finite values of at least 0."
    )


def _write_encoded(path: Path, bgr: _Pixels, *, suffix: str, options: tuple[int, ...]) -> None:
    done, encoded = cv2.imencode(suffix, bgr, options)
    if not done:
        raise ValueError(f"OpenCV cannot write {bgr.dtype} {bgr.shape} as {suffix}")
    with replacing(path) as draft:
        draft.write_bytes(encoded.tobytes())


Layer = npt.NDArray[Any]
Header = dict[str, str | int | float]

_REMEDY = "restore it from a copy, or make it anew with: smarthdr-studio label"


def write_layers(
    path: AnyPath, layers: Mapping[str, Layer], *, header: Mapping[str, str | int | float]
) -> None:
    """Write H×W layers (half, float32 or uint32) under their names; whole or not at all.

    ZIP compression, so that any EXR viewer opens it. Floats in the header are kept in single
    precision by the format. Raises LabelError when the file cannot be written.
    """
    path = Path(path)
    # The library adds its own entries to the dictionary it is given, hence a new one each time.
    attributes: dict[str, object] = {
        **header,
        "compression": OpenEXR.ZIP_COMPRESSION,
        "type": OpenEXR.scanlineimage,
    }
    channels = {name: np.ascontiguousarray(layer) for name, layer in layers.items()}
    try:
        with replacing(path) as draft:
            OpenEXR.File(attributes, channels).write(str(draft))
    except (OSError, RuntimeError) as error:
        # The library names the draft, which is gone by now, before it says why.
        reason = getattr(error, "strerror", None) or _first_line(error).rpartition('". ')[2]
        raise LabelError(
            f"{path}: cannot be written ({reason.rstrip('.')}); free some space or "
            "allow writing there"
        ) from None


def read_layers(
    path: AnyPath, *, only: Collection[str] | None = None
) -> tuple[dict[str, Layer], Header]:
    """The H×W layers by name, all or those of `only`, and the plain values of the header.

    Raises LabelError: missing, no EXR, truncated, damaged, or without a layer of `only`.
    """
    path = Path(path)
    _refuse_unless_whole(path)
    try:
        with OpenEXR.File(str(path), separate_channels=True) as file:
            header = {k: v for k, v in file.header().items() if isinstance(v, str | int | float)}
            channels = file.channels()
            wanted = channels if only is None else only
            missing = sorted(set(wanted) - set(channels))
            layers = {name: channels[name].pixels for name in wanted if name not in missing}
    except (OSError, RuntimeError, ValueError) as error:
        raise LabelError(f"{path}: damaged inside ({_first_line(error)}); {_REMEDY}") from None
    if missing:
        raise LabelError(f"{path}: has no layer {', '.join(missing)}; {_REMEDY}")
    return layers, header


def _refuse_unless_whole(path: Path) -> None:
    # Asked before the library is, because it reports damage on the terminal as well.
    try:
        with path.open("rb") as stream:
            kind = sniff(stream)
            whole = kind == "exr" and is_whole(stream, kind="exr")
    except FileNotFoundError:
        raise LabelError(f"{path}: no such file; {_REMEDY}") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise LabelError(f"{path}: cannot be read ({reason}); allow reading it") from None
    if kind != "exr":
        raise LabelError(f"{path}: not an EXR image; {_REMEDY}")
    if not whole:
        raise LabelError(f"{path}: truncated; {_REMEDY}")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
