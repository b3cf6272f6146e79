"""The curve by which a file's values stand for light, and frames brought to camera values."""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.imaging.radiometry import GAMMA, Frame

# sRGB is within this of gamma 2.2 wherever one asks; all published brackets are read as 2.2.
_ALIKE: Final = 0.15
_ASKED: Final = (0.25, 0.5, 0.75)
_SAMPLES: Final = 4097


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Light in [0, 1] of values in [0, 1]: a power, or a table at evenly spaced values."""

    gamma: float = GAMMA
    table: tuple[float, ...] = ()

    def light(self, values: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Linear light of values in [0, 1], of the same shape."""
        if self.table:
            light = np.interp(values, np.linspace(0, 1, len(self.table)), self.table)
        else:
            light = np.power(values, self.gamma)
        return np.asarray(light, np.float64)

    @property
    def is_camera(self) -> bool:
        """Whether it is gamma 2.2 or so near, as sRGB is, that values are taken as they are."""
        lights = self.light(np.array(_ASKED))
        if not (lights > 0).all():
            return False
        powers = [math.log(y) / math.log(x) for x, y in zip(_ASKED, lights, strict=True)]
        return all(abs(power - GAMMA) <= _ALIKE for power in powers)


LINEAR: Final = Curve(gamma=1.0)
CAMERA: Final = Curve()


def camera_values(frame: Frame, curve: Curve) -> Frame:
    """Camera values (gamma 2.2) of 16-bit values under another curve, of the same shape.

    This is the one place where a linear or otherwise coded frame becomes what all of the program
    expects, so that nothing after the reader needs to know of curves. Little is lost: a code of
    16 bits under gamma 2.2 is finer than a linear one of 16 bits below 0.24 of the range, and
    above that its rounding is at most 1.7e-5 of the light.
    """
    if curve.is_camera:
        return frame
    light = curve.light(np.arange(65536) / 65535)
    codes = np.round(np.clip(light, 0, 1) ** (1 / GAMMA) * 65535).astype(np.uint16)
    coded: Frame = cv2.LUT(frame, codes).astype(np.uint16, copy=False)
    return coded.reshape(frame.shape)


def frame_of_light(light: npt.NDArray[np.floating]) -> Frame:
    """Camera values as uint16 of linear light, of the same shape; what is outside [0, 1] clips."""
    unit = np.clip(light, 0, 1) ** (1 / GAMMA)
    frame: Frame = np.round(unit * 65535).astype(np.uint16)
    return frame


def icc_curve(profile: bytes) -> Curve | None:
    """The curve of an ICC profile of RGB or grey; None where it has none or is damaged.

    Primaries are not converted: the three frames of a camera have one colour space.
    """
    try:
        (count,) = struct.unpack_from(">I", profile, 128)
        entries = [
            struct.unpack_from(">4sII", profile, 132 + 12 * k) for k in range(min(count, 99))
        ]
        places: Mapping[bytes, tuple[int, int]] = {name: (at, size) for name, at, size in entries}
        for name in (b"gTRC", b"kTRC"):
            if name in places:
                at, size = places[name]
                return _trc(profile[at : at + size])
    except (struct.error, ValueError, OverflowError):
        return None
    return None


def _trc(tag: bytes) -> Curve:
    kind = tag[:4]
    if kind == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return LINEAR
        numbers = struct.unpack_from(f">{min(count, 1 << 16)}H", tag, 12)
        if count == 1:
            return Curve(gamma=numbers[0] / 256)
        return Curve(table=tuple(number / 65535 for number in numbers))
    if kind == b"para":
        (form,) = struct.unpack_from(">H", tag, 8)
        numbers = struct.unpack_from(f">{_PARAMETERS[min(form, 4)]}i", tag, 12)
        return _parametric([number / 65536 for number in numbers], form=form)
    raise ValueError("no curve")


# How many numbers each form of a parametric curve has (ICC.1:2010, 10.16).
_PARAMETERS: Final = (1, 3, 4, 5, 7)


def _parametric(numbers: list[float], *, form: int) -> Curve:
    if form == 0:
        return Curve(gamma=numbers[0])
    if form > 4:
        raise ValueError("no such form of curve")
    gamma, a, b, *more = numbers
    c, d, e, f = 0.0, -b / a if a else 0.0, 0.0, 0.0
    if form == 2:
        e = f = more[0]
    elif form == 3:
        c, d = more
    elif form == 4:
        c, d, e, f = more
    x = np.linspace(0, 1, _SAMPLES)
    light = np.where(x >= d, np.maximum(a * x + b, 0) ** gamma + e, c * x + f)
    if not np.isfinite(light).all():
        raise ValueError("no finite curve")
    return Curve(table=tuple(np.clip(light, 0, 1).tolist()))


# Transfer characteristics of H.273, as PNG, HEIF and AVIF write them.
PQ: Final = 16
HLG: Final = 18
_H273: Final = {4: Curve(gamma=2.2), 5: Curve(gamma=2.8), 8: LINEAR, 13: CAMERA}


def h273_curve(code: int) -> Curve | None:
    """The curve of a transfer characteristic that says one; None for PQ, HLG and the unknown."""
    return _H273.get(code)
