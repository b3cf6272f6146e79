"""How long each frame was exposed, as exposure values: one more EV is twice the light."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.arrays import read_array
from smarthdr_studio.core.errors import BadScene
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.imaging.image_headers import exif_tags
from smarthdr_studio.core.imaging.radiometry import GAMMA, Floats, Frame
from smarthdr_studio.core.imaging.tiff_tags import Tags
from smarthdr_studio.core.records import open_plain, read_text

REMEDY: Final = "write three EVs into exposure.txt beside the frames, one a line, such as 0, 3, 6"

_SHUTTER: Final = 0x829A
_SHUTTER_APEX: Final = 0x9201
_APERTURE: Final = 0x829D
_APERTURE_APEX: Final = 0x9202
_ISO: Final = 0x8827
_SENSITIVITY_TYPE: Final = 0x8830
# Standard output sensitivity, recommended exposure index and ISO speed, 32 bits wide.
_SOS, _REI, _ISO_SPEED = 0x8831, 0x8832, 0x8833
# What PhotographicSensitivity repeats, by SensitivityType (EXIF 2.32, table 8).
_SENSITIVITIES: Final = {
    1: (_SOS,), 2: (_REI,), 3: (_ISO_SPEED,), 4: (_SOS, _REI), 5: (_SOS, _ISO_SPEED),
    6: (_REI, _ISO_SPEED), 7: (_SOS, _REI, _ISO_SPEED),
}  # fmt: skip
_ISO_BEYOND: Final = 65535  # what the 16 bits of PhotographicSensitivity say of anything larger

# No published bracket spans more stops; what does is a list of ratios or shutter times.
_WIDEST: Final = 16.0
_SMALLEST_TIME: Final = 1e-9  # seconds; below it is no exposure
_NUMBER: Final = re.compile(r"([-+−]?[0-9.]+(?:e[-+]?[0-9]+)?|[-+−]?(?:nan|inf(?:inity)?))(.*)")
_FRACTION: Final = re.compile(r"([0-9.]+)/([0-9.]+)")
_SECONDS: Final = re.compile(r"s|sec|secs|seconds?|[\"″]")
_UNITS: Final = re.compile(r"ev|stops?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedExposures:
    """The numbers of an exposure file in its order, at least two, finite and all different.

    `times` is True where they plainly are shutter times or ratios, False where they cannot be,
    and None where only the frames can tell.
    """

    values: tuple[float, ...]
    times: bool | None

    @property
    def readings(self) -> tuple[tuple[float, ...], ...]:
        """What the numbers may mean, as EVs; the likeliest first."""
        if self.times is False:
            return (self.values,)
        logarithms = _logarithms(self.values)
        if self.times:
            return (logarithms,)
        different = len(set(logarithms)) == len(logarithms)
        return (self.values, logarithms) if different else (self.values,)


def read_exposures(path: AnyPath) -> ListedExposures:
    """An exposure file: numbers one a line, or apart by spaces or commas, or a .npy.

    EVs may start anywhere (0, −2, an absolute EV). Shutter times may be written 1/8 or 0.125 s;
    # begins a comment. Raises BadScene where it is unreadable, holds what is no number, a number
    that is not finite, or one twice.
    """
    path = Path(path)
    if path.suffix.casefold() == ".npy":
        values, seconds = _numbers_npy(path), False
    else:
        values, seconds = _numbers_text(path)
    if len(values) < 2:
        raise BadScene(f"{path}: holds {len(values)} exposure values; {REMEDY}.")
    refuse_impossible(values, source=str(path))
    if seconds and min(values) < _SMALLEST_TIME:
        raise BadScene(f"{path}: holds a shutter time that is not above 0; {REMEDY}.")
    times = seconds or _are_times(values)
    if times:
        refuse_impossible(_logarithms(values), source=str(path))
    return ListedExposures(values=values, times=times)


def _logarithms(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(math.log2(value), 4) for value in values)


def refuse_impossible(evs: Sequence[float], *, source: str) -> None:
    """Raises BadScene unless all values are finite and different."""
    if not all(math.isfinite(value) for value in evs):
        raise BadScene(f"{source}: holds a value that is not finite; {REMEDY}.")
    if len(set(evs)) < len(evs):
        raise BadScene(f"{source}: gives two frames the same exposure; {REMEDY}.")


def evs_from_exif(paths: Sequence[AnyPath]) -> tuple[float, ...]:
    """EVs from EXIF: log2(t · ISO / 100 / N²), shutter t seconds, aperture N; brighter is larger.

    Aperture or sensitivity that only some frames tell is taken to be the same in the others; a
    camera that never writes it is taken to have kept it. Raises BadScene where a shutter time is
    missing, or the rest differs and one frame does not say it.
    """
    chosen = [Path(each) for each in paths]
    tags = [_read_exif(path) for path in chosen]
    shutters = [shutter_ev(each) for each in tags]
    for path, shutter in zip(chosen, shutters, strict=True):
        if shutter is None:
            raise BadScene(
                f"{path}: has no exposure in its EXIF and no EV file is beside it; {REMEDY}."
            )
    apertures = _completed([aperture_ev(each) for each in tags], chosen, what="aperture")
    sensitivities = _completed([iso_ev(each) for each in tags], chosen, what="ISO")
    parts = zip(shutters, apertures, sensitivities, strict=True)
    evs = tuple(round(sum(each for each in frame if each is not None), 4) for frame in parts)
    if len(set(evs)) < len(evs):
        raise BadScene(f"{chosen[0]}: its EXIF gives two frames the same exposure; {REMEDY}.")
    return evs


def _completed(
    values: Sequence[float | None], paths: Sequence[Path], *, what: str
) -> Sequence[float]:
    """What some frames leave out is what all the others say."""
    told = {value for value in values if value is not None}
    if len(told) > 1 and None in values:
        lacking = paths[list(values).index(None)]
        raise BadScene(
            f"{lacking}: has no {what} in its EXIF, and that of the other frames differs; {REMEDY}."
        )
    same = next(iter(told), 0.0)
    return [same if value is None else value for value in values]


def _numbers_text(path: Path) -> tuple[tuple[float, ...], bool]:
    """The numbers, and whether they are written as shutter times."""
    try:
        lines = read_text(path).casefold().splitlines()
    except OSError as error:
        raise BadScene(f"{path}: cannot be opened ({error.strerror}); {REMEDY}.") from error
    except ValueError as error:
        raise BadScene(f"{path}: holds something that is no number; {REMEDY}.") from error
    words = re.split(r"[\s,;\[\]()]+", " ".join(line.partition("#")[0] for line in lines))
    try:
        numbers = [_number(word) for word in words if word and not _UNITS.fullmatch(word)]
    except (ValueError, ArithmeticError) as error:
        raise BadScene(f"{path}: holds something that is no number; {REMEDY}.") from error
    values = tuple(value for value, _ in numbers if value is not None)
    return values, any(seconds for _, seconds in numbers)


def _number(word: str) -> tuple[float | None, bool]:
    """The number a word stands for, if any, and whether it is a shutter time."""
    if _SECONDS.fullmatch(word):
        return None, True
    matched = _FRACTION.match(word)
    if matched:
        value, rest = float(matched[1]) / float(matched[2]), word[matched.end() :]
    else:
        matched = _NUMBER.fullmatch(word)
        if matched is None:
            raise ValueError(word)
        value, rest = float(matched[1].replace("−", "-")), matched[2]
    seconds = bool(rest and _SECONDS.fullmatch(rest))
    if rest and not seconds and not _UNITS.fullmatch(rest):
        raise ValueError(word)
    return value, seconds or "/" in word


def _numbers_npy(path: Path) -> tuple[float, ...]:
    try:
        with open_plain(path) as stream:
            return tuple(float(value) for value in read_array(stream).ravel())
    except (OSError, ValueError, TypeError) as error:
        raise BadScene(f"{path}: is no array of exposure values; {REMEDY}.") from error


def _are_times(values: Sequence[float]) -> bool | None:
    ordered = sorted(values)
    if ordered[0] < _SMALLEST_TIME:
        return False
    if ordered[-1] - ordered[0] > _WIDEST:
        return True
    # Shutter times below a second: positive, crowded, and at least a doubling each.
    crowded = ordered[-1] - ordered[0] < 1
    return True if crowded and min(b / a for a, b in pairwise(ordered)) >= 1.9 else None


def _read_exif(path: Path) -> Tags:
    try:
        with open_plain(path) as stream:
            return exif_tags(stream)
    except OSError as error:
        raise BadScene(f"{path}: cannot be opened ({error.strerror}); put it back.") from error


def shutter_ev(tags: Tags) -> float | None:
    """The shutter time of EXIF as log2 of seconds; None where there is none."""
    seconds = _positive(tags, _SHUTTER)
    if seconds is not None:
        return math.log2(seconds)
    return -tags[_SHUTTER_APEX][0] if tags.get(_SHUTTER_APEX) else None


def aperture_ev(tags: Tags) -> float | None:
    """The aperture of EXIF as exposure values, −2·log2 of the f-number; None without one."""
    f_number = _positive(tags, _APERTURE)
    if f_number is not None:
        return -2 * math.log2(f_number)
    return -tags[_APERTURE_APEX][0] if tags.get(_APERTURE_APEX) else None


def iso_ev(tags: Tags) -> float | None:
    """The sensitivity; above 65534 it is found only in the tag that SensitivityType names."""
    iso = _positive(tags, _ISO)
    if iso is None or iso >= _ISO_BEYOND:
        kind = int(_positive(tags, _SENSITIVITY_TYPE) or 0)
        wide = _SENSITIVITIES.get(kind, (_REI, _SOS, _ISO_SPEED))
        iso = next(filter(None, (_positive(tags, tag) for tag in wide)), iso)
    return None if iso is None else math.log2(iso / 100)


def _positive(tags: Tags, tag: int) -> float | None:
    values = tags.get(tag)
    return values[0] if values and values[0] > 0 else None


# log2 of linear radiance by camera value, and the camera values between which it is believed.
_LOG2: Final[Floats] = np.multiply(
    np.log2(np.maximum(np.arange(65536), 1) / 65535), GAMMA, dtype=np.float32
)
_DARKEST, _BRIGHTEST = round(0.06 * 65535), round(0.94 * 65535)
_MOST_PIXELS: Final = 60_000
_LEAST_SAMPLES: Final = 100
_LEAST_CONTRAST: Final = 0.1  # stops; a flat frame may be a fade or a cap
_LEAST_STEP: Final = 0.15  # stops; less is no bracket


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredStep:
    """How many stops brighter a frame is than another, by the pixels that both expose well.

    The median of log2 ratios of L^2.2; `spread` is their robust standard deviation, large where a
    camera's curve is far from gamma 2.2 or much has moved. None of both where nothing compares.
    """

    stops: float | None
    spread: float

    @property
    def tells(self) -> bool:
        """Whether it can be held against what an exposure file says."""
        return self.stops is not None and self.spread <= 0.15 + 0.15 * abs(self.stops)

    @property
    def is_exact(self) -> bool:
        """Whether it can stand in for a missing exposure."""
        return (
            self.stops is not None
            and self.spread <= 0.1 + 0.06 * abs(self.stops)
            and self.stops >= _LEAST_STEP
        )


def thinned(frame: Frame) -> Frame:
    """Every k-th pixel of an H×W×3 frame, enough of them to measure exposures by."""
    every = max(1, math.isqrt(frame.shape[0] * frame.shape[1] // _MOST_PIXELS))
    return frame[::every, ::every]


def measured_step(shorter: Frame, longer: Frame) -> MeasuredStep:
    """Compare two thinned H×W×3 uint16 frames of one size, channel by channel."""
    nothing = MeasuredStep(stops=None, spread=math.inf)
    if shorter.shape != longer.shape:
        return nothing
    both = (_well_exposed(shorter) & _well_exposed(longer)).ravel()
    if np.count_nonzero(both) < _LEAST_SAMPLES:
        return nothing
    first, second = (_LOG2[frame.ravel()[both]] for frame in (shorter, longer))
    if max(float(first.std()), float(second.std())) < _LEAST_CONTRAST:
        return nothing
    ratios = second - first
    middle = float(np.median(ratios))
    return MeasuredStep(
        stops=middle, spread=1.4826 * float(np.median(np.abs(ratios - np.float32(middle))))
    )


def _well_exposed(frame: Frame) -> npt.NDArray[np.bool_]:
    return (frame > _DARKEST) & (frame < _BRIGHTEST)
