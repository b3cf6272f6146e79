"""What the gates drop, painted over the picture by hue and by hatch, so that no hue is needed.

Dropped patches carry red stripes that rise to the right, dropped pixels amber stripes that fall;
what is kept stays the picture, a little dimmed.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.display.tone import Rgb8

Mask = npt.NDArray[np.bool_]
Stripes = Literal["rising", "falling", "none"]

_LEAST_PERIOD = 12  # pixels of the picture
_PERIODS_ACROSS = 72


class Hatch(NamedTuple):
    """Colour in 8-bit RGB and the way its stripes run; without stripes it is an even tint."""

    colour: tuple[int, int, int]
    stripes: Stripes


PATCH_HATCH = Hatch((255, 96, 80), "rising")
PIXEL_HATCH = Hatch((255, 190, 60), "falling")
SHUT = Hatch((92, 40, 32), "none")


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """One picture as kept, and as each kind of dropped area; H×W×3 8-bit RGB each.

    They do not depend on the masks, so a moving threshold only copies between them.
    """

    plain: Rgb8
    kept: Rgb8
    patch: Rgb8
    pixel: Rgb8
    shut: Rgb8

    @classmethod
    def of(cls, picture: Rgb8, *, strength: float, over: "Looks | None" = None) -> "Looks":
        """All looks of an 8-bit picture; strength 0 to 1 is how strong the colours are.

        `over` are looks nobody needs any more, to be painted over: taking fresh memory from the
        system costs more than the arithmetic.
        """
        height, width = picture.shape[:2]
        if over is None or over.plain.shape != picture.shape:
            over = cls(picture, *(np.empty_like(picture) for _ in range(4)))
        # Shifts and sums of bytes: a blend by floating point takes five times as long.
        kept, shade, spare = over.kept, over.shut, over.patch
        np.right_shift(picture, 1, out=kept)
        np.right_shift(picture, 2, out=shade)
        np.add(kept, shade, out=kept)
        np.add(shade, np.right_shift(picture, 3, out=spare), out=shade)
        for look, hatch in (
            (over.patch, PATCH_HATCH),
            (over.pixel, PIXEL_HATCH),
            (over.shut, SHUT),  # last, because the shade lies there
        ):
            cv2.add(shade, _ink(height, width, hatch=hatch, strength=strength), look)
        return cls(picture, kept, over.patch, over.pixel, over.shut)


def masked_rgb8(
    looks: Looks,
    *,
    patch_dropped: Mask | None = None,
    pixel_dropped: Mask | None = None,
    shut: Mask | None = None,
    dimmed: bool = True,
) -> Rgb8:
    """The picture with what is dropped painted over it, H×W×3 8-bit RGB.

    Args:
        looks: the picture in every look.
        patch_dropped: H×W, True in patches the first gate drops.
        pixel_dropped: H×W, True where the second gate drops the pixel.
        shut: H×W, True where another view already says what is dropped: an even dark tint.
        dimmed: whether the kept area steps back a little.
    """
    painted = (looks.kept if dimmed else looks.plain).copy()
    layers = (looks.pixel, pixel_dropped), (looks.patch, patch_dropped), (looks.shut, shut)
    for look, mask in layers:
        if mask is not None:
            cv2.copyTo(look, np.ascontiguousarray(mask).view(np.uint8), painted)
    return painted


@lru_cache(maxsize=6)
def _ink(height: int, width: int, *, hatch: Hatch, strength: float) -> Rgb8:
    """The colour a hatch adds, H×W×3; half of every period is left clear."""
    colour = np.rint(np.array(hatch.colour) * (0.7 * strength)).astype(np.uint8)
    ink = np.empty((height, width, 3), np.uint8)
    ink[:] = colour
    if hatch.stripes != "none":
        row, column = np.ogrid[:height, :width]
        phase = row + column if hatch.stripes == "rising" else column - row
        period = max(width // _PERIODS_ACROSS, _LEAST_PERIOD)
        ink[phase % period >= period // 2] = 0
    ink.flags.writeable = False
    return ink
