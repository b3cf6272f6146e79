"""What every reader of a picture answers: a header, pixels, or why the picture cannot be read."""

from dataclasses import dataclass
from typing import Any, Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.imaging.printed import unheard
from smarthdr_studio.core.imaging.transfer import Curve

# Pixels whose type is not yet known.
Pixels = npt.NDArray[Any]
Alpha = Literal["none", "straight", "premultiplied"]

MOST_PIXELS: Final = 400_000_000
_UPRIGHT: Final = 1


class Refused(Exception):
    """A picture that is whole but of a kind not read; the message names the kind and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureHeader:
    """What a file says of its picture before it is decoded.

    `height` and `width` are as stored; `orientation` is the EXIF number by which the picture is
    turned after that. `plain` says that any program reads the file as this one does. There are
    `channels` of `sample_bytes` each, as the decoder unpacks them; `unpacked` are the bytes of all
    that it unpacks where that is more, and `worked` the bytes of a pixel that making colours of
    them takes beside.
    """

    height: int
    width: int
    orientation: int = _UPRIGHT
    channels: int = 3
    sample_bytes: int = 2
    plain: bool = True
    unpacked: int = 0
    worked: int = 0

    @property
    def unpacked_bytes(self) -> int:
        """Bytes of all that a decoder unpacks."""
        return max(self.unpacked, self.height * self.width * self.channels * self.sample_bytes)

    def size(self, *, orientation: int | None = None) -> tuple[int, int]:
        """Height and width of the picture once it is turned, by its own orientation or another."""
        turned = (self.orientation if orientation is None else orientation) >= 5
        return (self.width, self.height) if turned else (self.height, self.width)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decoded:
    """Pixels as a file holds them: H×W×C with C of 1 to 4, in the order R, G, B, alpha.

    `curve` is None where the file does not say it. `radiance` says that they are linear light.
    """

    pixels: Pixels
    curve: Curve | None = None
    alpha: Alpha = "none"
    radiance: bool = False


def without_alpha(decoded: Decoded) -> Pixels:
    """H×W×1 or H×W×3 without alpha: straight colours as they are, premultiplied ones divided.

    Raises Refused where pixels are wholly transparent: what such a pixel holds is no light.
    """
    pixels = decoded.pixels
    if decoded.alpha == "none":
        return pixels
    colours, alpha = pixels[..., :-1], pixels[..., -1:]
    top = 1.0 if pixels.dtype.kind == "f" else float(np.iinfo(pixels.dtype).max)
    if (alpha >= top).all():
        return np.ascontiguousarray(colours)
    if not (alpha > 0).any():
        # Written by programs that know no transparency; nothing would be left of the picture.
        return np.ascontiguousarray(colours)
    hidden = ~(alpha[..., 0] > 0)
    # In an EXR, light without cover is a glow; without either there is nothing.
    nothing = hidden & (colours == 0).all(axis=-1) if pixels.dtype.kind == "f" else hidden
    if nothing.any():
        raise Refused(
            f"has {nothing.mean():.2%} transparent pixels, which show nothing; export it without "
            "transparency, all of it covered"
        )
    if decoded.alpha == "straight":
        return np.ascontiguousarray(colours)
    cover = np.where(alpha > 0, alpha, top) / top
    divided: Pixels = colours / cover
    if pixels.dtype.kind != "f":
        divided = np.round(np.minimum(divided, top))
    return divided.astype(pixels.dtype)


def by_opencv(raw: bytes) -> Pixels:
    """H×W×C as OpenCV decodes a file, in RGB order. Raises ValueError and cv2.error."""
    # What it murmurs of odd tags would end up on the terminal; what is wrong is raised.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    with unheard():
        pixels = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise ValueError("OpenCV cannot decode it")
    if pixels.ndim == 2:
        return pixels[..., None]
    if pixels.shape[2] == 4:
        return cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA)
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def spread(pixels: npt.NDArray[np.uint16], bits: int) -> npt.NDArray[np.uint16]:
    """Values of a few bits over all of 16, of the same shape: the largest becomes 65535."""
    codes = np.round(np.arange(2**bits) * (65535 / (2**bits - 1))).astype(np.uint16)
    wide: npt.NDArray[np.uint16] = codes[pixels]
    return wide
