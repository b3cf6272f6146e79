"""How a picture of radiance matches the reference frame of a bracket: figures without words.

Compared are pixels that the reference frame exposes well, on log2 of linear radiance, where a
wrong scale is a constant, a camera curve a slope, and neither hides a shift.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.bracket import Bracket
from smarthdr_studio.core.radiance import GAMMA, Floats, Frame
from smarthdr_studio.core.truths.fixing import NO_SHIFT

Positions = npt.NDArray[np.int64]
Shift = tuple[int, int]
_T = TypeVar("_T", bound=np.generic)

APART: Final = 0.5  # stops; noise of a well-exposed pixel stays below

_DARK: Final = round(0.1 * 65535)  # camera values that every channel must lie between
_BRIGHT: Final = round(0.9 * 65535)
_MOST_SAMPLES: Final = 300_000
_WINDOW: Final = 2  # pixels around the best shift that are tried before it is believed
_FARTHEST: Final = 16
# Of what no shift leaves unexplained, what another must leave less than: by one pixel, and by more.
_BY_ONE: Final = 0.7
_CLEARLY: Final = 0.5
_FLOOR: Final = 2.0**-40  # stands in for 0, which has no logarithm


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What was measured once the picture is moved by `shift`, (right, down).

    (0, 0) unless another shift explains clearly more. `well_exposed` is the share of the reference
    frame that could be compared, `contrast` its standard deviation in stops. `correlation` is of
    log2 radiance. `gains` bring red, green and blue to the scale of METHOD §1, `gain` all of them;
    `spread` is the robust standard deviation around it, in stops. `slope` is the picture's
    contrast in log2 as a multiple of the reference's. `apart` is the share of compared pixels
    that differ by more than half a stop after the gain. `swapped`: red and blue fit better
    exchanged.
    """

    well_exposed: float
    samples: int
    contrast: float
    shift: Shift
    correlation: float
    gain: float
    gains: tuple[float, float, float]
    spread: float
    slope: float
    apart: float
    swapped: bool


class _Moved(NamedTuple):
    """Pixels of a picture at the places that are compared."""

    places: Positions
    width: int

    def of(self, picture: npt.NDArray[_T], shift: Shift) -> npt.NDArray[_T]:
        """Values of an H×W or H×W×3 picture that come to lie there once it is moved."""
        flat = picture.reshape(-1, *picture.shape[2:])
        return flat[self.places - shift[1] * self.width - shift[0]]


def match(radiance: Floats, bracket: Bracket) -> Match:
    """Compare H×W×3 linear RGB of any scale with the reference frame, which has the same size."""
    places, share, reach = _places(bracket.reference)
    pick = _Moved(places, bracket.reference.shape[1])
    reference = _log_reference(pick.of(bracket.reference, NO_SHIFT), stops=bracket.stops[1])
    light = _together(reference)
    picture = _log2(cv2.transform(radiance, np.full((1, 3), 1 / 3, np.float32)).view(np.float32))

    def correlation(shift: Shift) -> float:
        return _correlation(light, pick.of(picture, shift))

    shift = _best_shift(correlation, reach)
    if not _explains_more(correlation(shift), correlation(NO_SHIFT), by=shift):
        shift = NO_SHIFT
    return _measured(
        _log2(pick.of(radiance, shift)),
        reference,
        shift=shift,
        correlation=correlation(shift),
        share=share,
    )


def _measured(
    picture: Floats,
    reference: Floats,
    *,
    shift: Shift,
    correlation: float,
    share: float,
) -> Match:
    """Figures of N×3 log2 radiance against N×3 of the reference."""
    if not len(reference):
        return Match(
            well_exposed=share, samples=0, contrast=0, shift=shift, correlation=0,
            gain=1, gains=(1, 1, 1), spread=0, slope=1, apart=0, swapped=False,
        )  # fmt: skip
    # Of all channels together, because RGBE keeps the dimmer ones but roughly.
    light = _together(reference)
    ratio = light - _together(picture)
    middle = np.median(ratio)
    red, green, blue = np.exp2(np.median(reference - picture, axis=0)).tolist()
    rest = np.abs(ratio - middle)
    return Match(
        well_exposed=share,
        samples=len(reference),
        contrast=float(light.std()),
        shift=shift,
        correlation=correlation,
        gain=2.0 ** float(middle),
        gains=(red, green, blue),
        spread=1.4826 * float(np.median(rest)),
        slope=_slope(picture.mean(axis=1), reference.mean(axis=1)),
        apart=float((rest > APART).mean()),
        swapped=_swapped(picture, reference),
    )


def _places(frame: Frame) -> tuple[Positions, float, int]:
    """Flat positions of well-exposed pixels, their share, and how far a shift may reach."""
    height, width = frame.shape[:2]
    reach = max(_WINDOW, min(_FARTHEST, min(height, width) // 8))
    exposed = cv2.inRange(frame, (_DARK, _DARK, _DARK), (_BRIGHT, _BRIGHT, _BRIGHT)) > 0
    share = float(exposed.mean())
    inner = np.zeros_like(exposed)
    inside = slice(reach, height - reach), slice(reach, width - reach)
    inner[inside] = exposed[inside]
    places = np.flatnonzero(inner)
    return places[:: max(1, -(-len(places) // _MOST_SAMPLES))], share, reach


def _log2(values: npt.NDArray[np.floating]) -> Floats:
    logarithms: Floats = np.log2(np.maximum(values, _FLOOR, dtype=np.float32))
    return logarithms


def _log_reference(values: Frame, *, stops: float) -> Floats:
    """log2 of L^2.2 / 2^stops."""
    return _log2(values / 65535) * np.float32(GAMMA) - np.float32(stops)


def _together(logarithms: Floats) -> Floats:
    """log2 of the mean of all channels, N, from N×3 of each."""
    mean: Floats = np.log2(np.exp2(logarithms).mean(axis=1))
    return mean


def _explains_more(moved: float, unmoved: float, *, by: Shift) -> bool:
    """Whether a shift leaves clearly less unexplained than none does."""
    left, before = (1 - max(each, 0) ** 2 for each in (moved, unmoved))
    return left < (_CLEARLY if max(map(abs, by)) > 1 else _BY_ONE) * before


def _best_shift(correlation: Callable[[Shift], float], reach: int) -> Shift:
    """Climb to the best shift, trying all within two pixels of it before it is believed."""
    tried: dict[Shift, float] = {}
    best = NO_SHIFT
    while True:
        for right in range(best[0] - _WINDOW, best[0] + _WINDOW + 1):
            for down in range(best[1] - _WINDOW, best[1] + _WINDOW + 1):
                if max(abs(right), abs(down)) <= reach and (right, down) not in tried:
                    tried[right, down] = correlation((right, down))
        found = max(tried, key=lambda each: (tried[each], each == NO_SHIFT))
        if found == best or tried[found] <= tried[best]:
            return best
        best = found


def _correlation(first: Floats, second: Floats) -> float:
    """Pearson's; 0 where either is flat."""
    if not len(first):
        return 0.0
    one, other = first - first.mean(), second - second.mean()
    norm = float(np.sqrt(np.vdot(one, one) * np.vdot(other, other)))
    return float(np.vdot(one, other)) / norm if norm > 0 else 0.0


def _slope(picture: Floats, reference: Floats) -> float:
    """The span of the middle four fifths of one, as a multiple of the other's."""
    low, high = np.quantile(picture, (0.1, 0.9))
    darkest, brightest = np.quantile(reference, (0.1, 0.9))
    return float((high - low) / (brightest - darkest)) if brightest > darkest else 1.0


def _swapped(picture: Floats, reference: Floats) -> bool:
    """Whether hues fit at least twice as well with red and blue exchanged."""
    straight, crossed = (_hue_error(each, reference) for each in (picture, picture[:, ::-1]))
    return straight > 0.1 and crossed < straight / 2


def _hue_error(picture: Floats, reference: Floats) -> float:
    difference = picture - reference
    difference = difference - difference.mean(axis=1, keepdims=True)
    return float(np.abs(difference).mean())
