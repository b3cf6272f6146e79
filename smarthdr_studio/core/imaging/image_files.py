"""Pixels from image files and back: frames as RGB uint16, radiance as RGB float32, layered EXR."""

import io
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

import cv2
import numpy as np
import numpy.typing as npt
import OpenEXR

from smarthdr_studio.core.errors import LabelError, StudioError, UnreadableImage
from smarthdr_studio.core.files import AnyPath, replacing
from smarthdr_studio.core.imaging.coded_pictures import (
    decode_jpeg,
    decode_png,
    jpeg_header,
    png_header,
    sound,
)
from smarthdr_studio.core.imaging.exr_pictures import (
    decode_exr,
    exr_header,
    exr_name,
    layers_header,
)
from smarthdr_studio.core.imaging.extra_pictures import decode_extra, extra_header
from smarthdr_studio.core.imaging.gain_maps import decode_gain_map
from smarthdr_studio.core.imaging.image_headers import Kind, is_whole, other_kind, sniff
from smarthdr_studio.core.imaging.orientation import settled, turned
from smarthdr_studio.core.imaging.picture_header import (
    Decoded,
    PictureHeader,
    Pixels,
    Refused,
    without_alpha,
)
from smarthdr_studio.core.imaging.printed import unheard
from smarthdr_studio.core.imaging.radiance_pictures import (
    decode_pfm,
    decode_rgbe,
    pfm_header,
    rgbe_header,
)
from smarthdr_studio.core.imaging.radiometry import Floats, Frame
from smarthdr_studio.core.imaging.response import ResponseCurve
from smarthdr_studio.core.imaging.room import Announced, refuse_absurd, refuse_without_room
from smarthdr_studio.core.imaging.tiff_pictures import decode_tiff, tiff_layout
from smarthdr_studio.core.imaging.transfer import CAMERA, camera_values, frame_of_light
from smarthdr_studio.core.records import NoPlainFile, open_plain
from smarthdr_studio.core.remedies import RESTORE_LABEL

_T = TypeVar("_T")

# Converting from a wider gamut leaves honest files with values this little below 0, as a share of
# the brightest.
_OUT_OF_GAMUT: Final = 1e-4
_HALF_MAX: Final = float(np.finfo(np.float16).max)
_MOST_UINT32: Final = 2**32 - 1
_FRAME_REMEDY: Final = "save the frame with 8 or 16 bits per channel"


def examine(path: AnyPath) -> tuple[Kind, PictureHeader]:
    """What the file is by its bytes and tags, whatever it is called, without decoding a pixel.

    Raises UnreadableImage with one sentence: for what is damaged, for what is whole but not read,
    by name and with the remedy, and for a picture of more pixels than are ever decoded.
    """
    path = Path(path)
    return _told(path, lambda: _examined(path))


def _examined(path: Path) -> tuple[Kind, PictureHeader]:
    with open_plain(path) as stream:
        kind = _known_kind(stream)
        header = _header(stream, kind)
    refuse_absurd(header)
    return kind, header


def _known_kind(stream: BinaryIO) -> Kind:
    kind = sniff(stream)
    if kind is not None:
        return kind
    if not stream.seek(0, io.SEEK_END):
        raise Refused("is empty; copy it again from its source")
    other = other_kind(stream)
    if other is not None:
        raise Refused(f"is a {other} file, which is not read; replace it with a TIFF or PNG")
    raise Refused("is no TIFF, PNG, JPEG, Radiance or EXR image; replace it with one")


def _header(stream: BinaryIO, kind: Kind) -> PictureHeader:
    reader = _HEADERS.get(kind)
    return extra_header(stream, kind=kind) if reader is None else reader(stream)


_HEADERS: Final[Mapping[Kind, Callable[[BinaryIO], PictureHeader]]] = {
    "tiff": lambda stream: tiff_layout(stream).header,
    "png": png_header,
    "jpeg": jpeg_header,
    "hdr": rgbe_header,
    "exr": exr_header,
    "pfm": pfm_header,
}
_DECODERS: Final[Mapping[Kind, Callable[[bytes], Decoded]]] = {
    "tiff": decode_tiff,
    "png": decode_png,
    "jpeg": decode_jpeg,
    "hdr": decode_rgbe,
    "pfm": decode_pfm,
}


def image_size(path: AnyPath, *, orientation: int | None = None) -> tuple[int, int]:
    """Height and width, turned upright, from the header alone. Raises UnreadableImage.

    `orientation` replaces the EXIF orientation of the file.
    """
    _, header = examine(path)
    return header.size(orientation=orientation)


def read_frame(
    path: AnyPath, *, orientation: int | None = None, response: ResponseCurve | None = None
) -> Frame:
    """A camera frame as H×W×3 RGB uint16 camera values; 8-bit values are multiplied by 257.

    The bytes decide the format, not the suffix. Grey becomes RGB, the picture is turned upright by
    its EXIF orientation (or by `orientation`), and a frame that says it is linear, or has another
    curve than gamma 2.2 or sRGB, is brought to gamma 2.2; so is what a camera of that `response`
    wrote. Raises UnreadableImage.
    """
    path = Path(path)
    frame = _told(path, lambda: _frame(path, orientation=orientation))
    return frame if response is None else response.camera_values(frame)


def _frame(path: Path, *, orientation: int | None) -> Frame:
    header, decoded = _decoded(path)
    if decoded.radiance:
        raise Refused("holds radiance, not a camera frame; use an 8- or 16-bit TIFF, PNG or JPEG")
    pixels = _as_rgb(_sixteen_bits(decoded))
    chosen = header.orientation if orientation is None else orientation
    return pixels if chosen == 1 else turned(pixels, chosen)


def _sixteen_bits(decoded: Decoded) -> Frame:
    curve, pixels = decoded.curve, without_alpha(decoded)
    if pixels.dtype == np.uint8:
        pixels = np.multiply(pixels, 257, dtype=np.uint16)
    elif pixels.dtype == np.uint32:
        pixels = ((pixels.astype(np.uint64) + 32768) // 65537).astype(np.uint16)
    elif pixels.dtype.kind == "f" and curve is not None:
        if not np.isfinite(pixels).all():
            raise Refused(f"holds NaN or infinite values; {_FRAME_REMEDY}")
        return frame_of_light(curve.light(np.clip(pixels, 0, 1)))
    elif pixels.dtype.kind == "f":
        raise Refused(
            f"holds {pixels.dtype} values and no profile that says whether they are linear; "
            f"{_FRAME_REMEDY}"
        )
    if pixels.dtype != np.uint16:
        raise Refused(f"holds {pixels.dtype} values; {_FRAME_REMEDY}")
    return camera_values(pixels, curve or CAMERA)


def read_bracket_frames(
    paths: Sequence[AnyPath], *, response: ResponseCurve | None = None
) -> tuple[Frame, ...]:
    """The frames of one bracket, each H×W×3 uint16 as of `read_frame`, on one grid.

    Where their EXIF orientations differ, what they show decides. All are decoded at once: where
    memory is short for that, none is. Raises UnreadableImage.
    """
    files = [Path(each) for each in paths]
    refuse_frames_without_room(files)
    turns = frame_orientations(files)

    def read(path: Path, turn: int) -> Frame:
        return read_frame(path, orientation=turn, response=response)

    with ThreadPoolExecutor(max_workers=len(files)) as pool:
        return tuple(pool.map(read, files, turns))


def refuse_frames_without_room(paths: Sequence[AnyPath], *, beside: int = 0) -> None:
    """Raises UnreadableImage where these frames together take more memory than may be taken.

    `beside` as of `refuse_without_room`. Only headers are read.
    """
    refuse_without_room([_announced(Path(each)) for each in paths], beside=beside)


def _announced(path: Path) -> Announced:
    return _told(path, lambda: Announced(path, _examined(path)[1], path.stat().st_size))


def frame_orientations(paths: Sequence[AnyPath]) -> tuple[int, ...]:
    """How each frame of one bracket is turned: by its tag where all agree, else by its pixels.

    Raises UnreadableImage.
    """
    tags = tuple(examine(path)[1].orientation for path in paths)
    if len(set(tags)) == 1:
        return tags
    return settled([read_frame(path, orientation=1) for path in paths], tags)


def read_radiance(path: AnyPath) -> Floats:
    """Linear radiance as H×W×3 RGB float32 from .hdr, EXR, PFM, float TIFF or 16-bit PNG/TIFF.

    Of a JPEG it is what its gain map tells. Integers are divided by the largest there can be. The
    scale is the file's own, primaries become Rec. 709, and the picture is turned upright. Raises
    UnreadableImage, also for NaN, infinite or negative values; only negatives under 1e-4 of the
    brightest value, as gamut conversion leaves them, become 0.
    """
    path = Path(path)
    return _told(path, lambda: _radiance(path))


def _radiance(path: Path) -> Floats:
    header, decoded = _decoded(path, radiance=True)
    pixels = without_alpha(decoded)
    if pixels.dtype == np.uint16:
        pixels = np.multiply(pixels, 1 / 65535, dtype=np.float32)
    elif pixels.dtype == np.uint32:
        pixels = np.multiply(pixels, 1 / _MOST_UINT32, dtype=np.float64)
    if pixels.dtype.kind != "f":
        bits = "8-bit" if pixels.dtype == np.uint8 else str(pixels.dtype)
        raise Refused(
            f"{bits} values are no radiance; give the ground truth as .hdr, EXR or 16 bits"
        )
    with np.errstate(over="ignore"):  # what single precision cannot hold is counted as infinite
        pixels = _as_rgb(pixels.astype(np.float32, copy=False))
    pixels = _without_impossible(pixels)
    return pixels if header.orientation == 1 else turned(pixels, header.orientation)


def _decoded(path: Path, *, radiance: bool = False) -> tuple[PictureHeader, Decoded]:
    """The picture as it is stored; what is asked for `radiance` is read with its gain map."""
    kind, header = _examined(path)
    refuse_without_room([Announced(path, header, path.stat().st_size)])
    with open_plain(path) as stream:
        raw = stream.read()
    if not is_whole(io.BytesIO(raw), kind=kind):
        raise ValueError("something lacks")
    lit = decode_gain_map(raw) if radiance and kind == "jpeg" else None
    if lit is not None:
        decoded = lit
    elif kind == "exr":
        decoded = decode_exr(path)
    elif kind in _DECODERS:
        decoded = _DECODERS[kind](raw)
    else:
        decoded = decode_extra(raw, kind=kind)
    if decoded.pixels.shape[:2] != (header.height, header.width):
        raise ValueError("another size than announced")
    return header, decoded


def _told(path: Path, read: Callable[[], _T]) -> _T:
    """What `read` answers; whatever it raises becomes one sentence that names the file."""
    try:
        return read()
    except StudioError:
        raise
    except Refused as error:
        raise UnreadableImage(f"{path}: {error}.") from error
    except MemoryError as error:
        raise UnreadableImage(
            f"{path}: is too large for the memory that is free; close other programs or scale it."
        ) from error
    except Exception as error:  # decoders raise whatever they like
        if isinstance(error, OSError) and error.errno is not None:
            raise _cannot_open(path, error) from error
        raise UnreadableImage(
            f"{path}: is truncated or damaged; copy it again from its source."
        ) from error


def _cannot_open(path: Path, error: OSError) -> UnreadableImage:
    reason = error.strerror or type(error).__name__
    return UnreadableImage(f"{path}: cannot be opened ({reason}); put the file back or allow it.")


def _as_rgb(pixels: Pixels) -> Pixels:
    """H×W×3 of H×W×1 or H×W×3."""
    return pixels if pixels.shape[2] == 3 else np.repeat(pixels[..., :1], 3, axis=2)


def _without_impossible(radiance: Floats) -> Floats:
    """Finite values of at least 0; colours a hair outside the gamut are brought back to 0."""
    # A minimum or maximum over NaN is NaN, so two passes find every fault.
    lowest, highest = radiance.min(), radiance.max()
    if lowest >= 0 and highest < np.inf:
        return radiance
    if -_OUT_OF_GAMUT * highest <= lowest and highest < np.inf:
        return np.maximum(radiance, 0)
    faults = {
        "NaN": np.isnan(radiance),
        "infinite": np.isinf(radiance),
        "negative": radiance < 0,
    }
    counts = [f"{found.any(axis=-1).sum()} {name}" for name, found in faults.items() if found.any()]
    raise Refused(
        f"has {' and '.join(counts)} pixels; replace them with finite values of at least 0"
    )


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
    with replacing(path) as draft, unheard():
        OpenEXR.File(header, channels).write(exr_name(draft))


def _write_encoded(path: Path, bgr: Pixels, *, suffix: str, options: tuple[int, ...]) -> None:
    done, encoded = cv2.imencode(suffix, bgr, options)
    if not done:
        raise ValueError(f"OpenCV cannot write {bgr.dtype} {bgr.shape} as {suffix}")
    with replacing(path) as draft:
        draft.write_bytes(encoded.tobytes())


Layer = npt.NDArray[Any]
Header = dict[str, str | int | float]


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
        with replacing(path) as draft, unheard():
            OpenEXR.File(attributes, channels).write(exr_name(draft))
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

    Raises LabelError: missing, no EXR, truncated, damaged, without a layer of `only`, or where
    memory is short for all of them.
    """
    path = Path(path)
    _refuse_unless_whole(path)
    try:
        _refuse_layers_without_room(path)
        with unheard(), OpenEXR.File(exr_name(path), separate_channels=True) as file:
            channels = _channels_of(file)
            header = {k: v for k, v in file.header().items() if isinstance(v, str | int | float)}
            wanted = channels if only is None else only
            missing = sorted(set(wanted) - set(channels))
            layers = {name: channels[name].pixels for name in wanted if name not in missing}
    except (OSError, RuntimeError, ValueError) as error:
        raise LabelError(
            f"{path}: damaged inside ({_first_line(error)}); {RESTORE_LABEL}"
        ) from None
    if missing:
        raise LabelError(f"{path}: has no layer {', '.join(missing)}; {RESTORE_LABEL}")
    return layers, header


def _channels_of(file: OpenEXR.File) -> dict[str, Any]:
    """Raises ValueError where the library has dropped what it cannot unpack."""
    if not file.parts:
        raise ValueError("its pixels cannot be unpacked")
    channels: dict[str, Any] = file.channels()
    return channels


def read_plain_header(path: AnyPath) -> Header:
    """The plain values of an EXR's header, without its layers. Raises LabelError likewise."""
    path = Path(path)
    _refuse_unless_whole(path)
    try:
        with unheard(), OpenEXR.File(exr_name(path), header_only=True) as file:
            return {k: v for k, v in file.header().items() if isinstance(v, str | int | float)}
    except (OSError, RuntimeError, ValueError) as error:
        raise LabelError(
            f"{path}: damaged inside ({_first_line(error)}); {RESTORE_LABEL}"
        ) from None


def _refuse_unless_whole(path: Path) -> None:
    try:
        with open_plain(path) as stream:
            kind = sniff(stream)
            whole = kind == "exr" and is_whole(stream, kind="exr")
    except FileNotFoundError:
        raise LabelError(f"{path}: no such file; {RESTORE_LABEL}") from None
    except NoPlainFile:  # a pipe, a device, a folder: nothing that could be allowed
        raise LabelError(f"{path}: is no plain file; {RESTORE_LABEL}") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise LabelError(f"{path}: cannot be read ({reason}); allow reading it") from None
    if kind != "exr":
        raise LabelError(f"{path}: not an EXR image; {RESTORE_LABEL}")
    if not whole:
        raise LabelError(f"{path}: truncated; {RESTORE_LABEL}")


def _refuse_layers_without_room(path: Path) -> None:
    """Raises LabelError, and ValueError for a damaged header."""
    with open_plain(path) as stream:
        header = layers_header(stream)
    try:
        refuse_absurd(header)
        refuse_without_room([Announced(path, header, path.stat().st_size)])
    except Refused as error:
        raise LabelError(f"{path}: {error}.") from None
    except UnreadableImage as error:
        raise LabelError(str(error)) from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


_REDUCED: Final = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
}


def preview(path: AnyPath, *, side: int) -> Frame:
    """H×W×3 RGB uint16 camera values, upright, the longer side at most `side` pixels.

    Of a JPEG only every second to eighth pixel is decoded. Raises UnreadableImage.
    """
    path = Path(path)
    kind, header = examine(path)
    refuse_frames_without_room([path])  # a progressive JPEG is unpacked whole all the same
    longest = max(header.height, header.width)
    by = next((by for by in _REDUCED if longest >= by * side), 1)
    frame = _reduced_jpeg(path, by, header.orientation) if kind == "jpeg" and by > 1 else None
    whole = read_frame(path) if frame is None else frame
    shrink = min(1.0, side / max(whole.shape[:2]))
    size = (max(1, round(whole.shape[1] * shrink)), max(1, round(whole.shape[0] * shrink)))
    small: Frame = cv2.resize(whole, size, interpolation=cv2.INTER_AREA).astype(np.uint16)
    return small


def _reduced_jpeg(path: Path, by: int, orientation: int) -> Frame | None:
    with open_plain(path) as stream:
        raw = np.frombuffer(stream.read(), np.uint8)
    try:
        bgr = sound(lambda: cv2.imdecode(raw, _REDUCED[by] | cv2.IMREAD_IGNORE_ORIENTATION))
    except ValueError:  # read as a whole it is refused by name
        return None
    if bgr is None:
        return None
    rgb: Frame = np.multiply(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), 257, dtype=np.uint16)
    return rgb if orientation == 1 else turned(rgb, orientation)
