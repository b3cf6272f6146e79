"""Whether an imported ground truth fits its scene, in sentences, and the fix that makes it fit."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.display.tone import Rgb8, ToneMap, frame_rgb8, to_rgb8, tone_table
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.imaging.bracket import Bracket, Scene
from smarthdr_studio.core.imaging.image_files import image_size
from smarthdr_studio.core.imaging.radiometry import GAMMA, Floats, Frame

NO_SHIFT: Final = (0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthFix:
    """Multiply linear radiance by `gain`, and move the picture by `shift` pixels.

    `shift` is (right, down): what stood at (x, y) stands at (x + right, y + down) afterwards.
    """

    gain: float = 1.0
    shift: tuple[int, int] = NO_SHIFT

    @property
    def needed(self) -> bool:
        """Whether it changes anything."""
        return self.gain != 1 or self.shift != NO_SHIFT

    @property
    def sentence(self) -> str:
        """What it does, as the end of a sentence: "its radiance is multiplied by 0.25"."""
        parts = []
        if self.gain != 1:
            stops = math.log2(self.gain)
            parts.append(f"its radiance is multiplied by {self.gain:.3g} ({stops:+.2f} stops)")
        if self.shift != NO_SHIFT:
            parts.append(f"it is moved {_directions(self.shift)}")
        return " and ".join(parts) or "nothing is changed"


NO_FIX: Final = TruthFix()


def apply_fix(radiance: Floats, fix: TruthFix) -> Floats:
    """A new H×W×3 picture: linear radiance in [0, 1] on the scale of METHOD §1 after the fix.

    Values above 1 become 1. A shift by (right, down) leaves |right| columns and |down| rows at the
    border unknown; they repeat the nearest known column or row, not one pixel more.
    """
    height, width = radiance.shape[:2]
    right, down = fix.shift
    rows = np.clip(np.arange(height) - down, 0, height - 1)
    columns = np.clip(np.arange(width) - right, 0, width - 1)
    moved = radiance if fix.shift == NO_SHIFT else radiance[rows][:, columns]
    scaled: Floats = np.multiply(moved, np.float32(fix.gain), dtype=np.float32)
    return np.clip(scaled, 0, 1, out=scaled)


def _directions(shift: tuple[int, int]) -> str:
    right, down = shift
    words = []
    if right:
        words.append(f"{_pixels(right)} to the {'right' if right > 0 else 'left'}")
    if down:
        words.append(f"{_pixels(down)} {'down' if down > 0 else 'up'}")
    return " and ".join(words)


def _pixels(count: int) -> str:
    return "1 pixel" if abs(count) == 1 else f"{abs(count)} pixels"


Positions = npt.NDArray[np.int64]
Shift = tuple[int, int]
_T = TypeVar("_T", bound=np.generic)

APART: Final = 0.5  # stops; noise of a well-exposed pixel stays below

_DARK: Final = round(0.1 * 65535)  # camera values that every channel must lie between
_BRIGHT: Final = round(0.9 * 65535)
_MOST_SAMPLES: Final = 300_000
_WINDOW: Final = 2  # pixels around the best shift that are tried before it is taken
_FARTHEST: Final = 16
# Of what no shift leaves unexplained, what another must leave less than: by one pixel, and by more.
_BY_ONE: Final = 0.7
_CLEARLY: Final = 0.5
_SAME_VIEW: Final = 0.7  # correlation from which two pictures show the same
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
    exchanged. `turned` says how the picture has to be turned or mirrored to show the same, "" where
    it does as it is, or never.
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
    turned: str = ""


class _Moved(NamedTuple):
    """Pixels of a picture at the places that are compared."""

    places: Positions
    width: int

    def of(self, picture: npt.NDArray[_T], shift: Shift) -> npt.NDArray[_T]:
        """Values of an H×W or H×W×3 picture that come to lie there once it is moved."""
        flat = picture.reshape(-1, *picture.shape[2:])
        return flat[self.places - shift[1] * self.width - shift[0]]


def match(radiance: Floats, bracket: Bracket, *, samples: int = _MOST_SAMPLES) -> Match:
    """Compare H×W×3 linear RGB of any scale with the reference frame, which has the same size.

    At most so many pixels are looked at.
    """
    places, share, reach = _places(bracket.reference, most=samples)
    pick = _Moved(places, bracket.reference.shape[1])
    reference = _log_reference(pick.of(bracket.reference, NO_SHIFT), stops=bracket.stops[1])
    light = _log2_of_mean(reference)
    picture = _log2(cv2.transform(radiance, np.full((1, 3), 1 / 3, np.float32)).view(np.float32))

    def correlation(shift: Shift) -> float:
        return _correlation(light, pick.of(picture, shift))

    shift = _best_shift(correlation, reach)
    if not _explains_more(correlation(shift), correlation(NO_SHIFT), by=shift):
        shift = NO_SHIFT
    found = _measured(
        _log2(pick.of(radiance, shift)),
        reference,
        shift=shift,
        correlation=correlation(shift),
        share=share,
    )
    if not found.samples:
        return found
    return replace(found, turned=_turned(picture, light, pick, unturned=found.correlation))


def _turned(picture: Floats, light: Floats, pick: _Moved, *, unturned: float) -> str:
    """Which way of turning an H×W picture makes it show what the reference frame shows.

    A view may be much like its mirror image, so that the picture as it is shows it nearly as well.
    """
    ways = {
        words: _correlation(light, pick.of(np.ascontiguousarray(turned), NO_SHIFT))
        for words, turned in _ways(picture)
    }
    best = max(ways, key=lambda words: ways[words])
    left, before = (1 - max(each, 0) ** 2 for each in (ways[best], unturned))
    clearly = unturned < _SAME_VIEW or left < _CLEARLY * before
    return best if clearly and ways[best] >= _SAME_VIEW else ""


def _ways(picture: Floats) -> Iterator[tuple[str, Floats]]:
    yield "turned by 180°", picture[::-1, ::-1]
    yield "mirrored left to right", picture[:, ::-1]
    yield "mirrored upside down", picture[::-1]
    if picture.shape[0] == picture.shape[1]:
        yield "turned to the left", np.rot90(picture)
        yield "turned to the right", np.rot90(picture, -1)
        yield "mirrored along its diagonal", picture.T
        yield "mirrored along its other diagonal", picture[::-1, ::-1].T


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
    light = _log2_of_mean(reference)
    ratio = light - _log2_of_mean(picture)
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


def _places(frame: Frame, *, most: int) -> tuple[Positions, float, int]:
    """Flat positions of well-exposed pixels, their share, and how far a shift may reach."""
    height, width = frame.shape[:2]
    reach = max(_WINDOW, min(_FARTHEST, min(height, width) // 8))
    exposed = cv2.inRange(frame, (_DARK, _DARK, _DARK), (_BRIGHT, _BRIGHT, _BRIGHT)) > 0
    share = float(exposed.mean())
    inner = np.zeros_like(exposed)
    inside = slice(reach, height - reach), slice(reach, width - reach)
    inner[inside] = exposed[inside]
    places = np.flatnonzero(inner)
    return places[:: max(1, -(-len(places) // most))], share, reach


def _log2(values: npt.NDArray[np.floating]) -> Floats:
    logarithms: Floats = np.log2(np.maximum(values, _FLOOR, dtype=np.float32))
    return logarithms


def _log_reference(values: Frame, *, stops: float) -> Floats:
    """log2 of L^2.2 / 2^stops."""
    return _log2(values / 65535) * np.float32(GAMMA) - np.float32(stops)


def _log2_of_mean(logarithms: Floats) -> Floats:
    """log2 of the mean of all channels, N, from N×3 of each."""
    # Of values that fill float32, the sum does not fit into it.
    mean: Floats = np.log2(np.exp2(logarithms).mean(axis=1, dtype=np.float64)).astype(np.float32)
    return mean


def _explains_more(moved: float, unmoved: float, *, by: Shift) -> bool:
    """Whether a shift leaves clearly less unexplained than none does."""
    left, before = (1 - max(each, 0) ** 2 for each in (moved, unmoved))
    return left < (_CLEARLY if max(map(abs, by)) > 1 else _BY_ONE) * before


def _best_shift(correlation: Callable[[Shift], float], reach: int) -> Shift:
    """Climb to the best shift, trying all within two pixels of it before it is taken."""
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


_LEAST_SHARE: Final = 0.005  # of the reference frame that must be well exposed
_LEAST_SAMPLES: Final = 200
_LEAST_CONTRAST: Final = 0.1  # stops; a flatter frame tells no shift
_GAIN_OFF: Final = 0.02
_ENCODED: Final = 0.65  # contrast below which no camera curve explains it
_SLOPES: Final = (0.75, 1.3)
_COLOUR_OFF: Final = 1.1
_MANY_APART: Final = 0.03
_FAR: Final = 2  # pixels; a larger shift is not offered to be mended
_CLIPPED: Final = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthFindings:
    """What was found out about a ground truth; `size` and `expected` are (height, width).

    `match` is None where the size is wrong. `clipped` is the share of pixels above 1 once
    `suggested` is applied. `problems` forbid using it, `warnings` do not; each is one sentence.
    """

    source: str
    size: tuple[int, int]
    expected: tuple[int, int]
    match: Match | None = None
    clipped: float = 0.0
    suggested: TruthFix = NO_FIX
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether nothing forbids using it, once `suggested` is applied."""
        return not self.problems

    @property
    def forcible(self) -> bool:
        """Whether it can be used against all advice."""
        return self.size == self.expected

    @property
    def checked(self) -> bool:
        """Whether scale and alignment could be compared with the reference frame."""
        return self.match is not None and _comparable(self.match)

    @property
    def summary(self) -> str:
        """One sentence about the whole of it."""
        if self.problems:
            return f"{self.source}: cannot be used as ground truth; {_begun(self.problems[0])}"
        if not self.checked:
            return f"{self.source}: has the right size; scale and alignment could not be checked."
        if self.suggested.needed:
            return f"{self.source}: fits once {self.suggested.sentence}."
        return f"{self.source}: fits the scene as it is."

    def refused(self, *sentences: str) -> "TruthFindings":
        """The same with more problems in front."""
        return replace(self, problems=(*sentences, *self.problems))

    def warned(self, *sentences: str) -> "TruthFindings":
        """The same with more warnings in front."""
        return replace(self, warnings=(*sentences, *self.warnings))


def of_another_size(path: AnyPath, scene: Scene, *, source: str) -> TruthFindings | None:
    """What its header alone tells of a ground truth that has not the size of its scene.

    None where it has that size. No pixel is decoded. `source` is what sentences call it. Raises
    UnreadableImage.
    """
    findings = _of_size(image_size(path), scene, source=source)
    return None if findings.forcible else findings


def inspect_radiance(
    radiance: Floats,
    scene: Scene,
    bracket: Bracket,
    *,
    source: str,
    samples: int = _MOST_SAMPLES,
) -> TruthFindings:
    """Check H×W×3 linear RGB of any scale against the decoded frames of its scene.

    `source` is what sentences call it; at most so many pixels are compared.
    """
    height, width = radiance.shape[:2]
    findings = _of_size((height, width), scene, source=source)
    if not findings.forcible:
        return findings
    found = match(radiance, bracket, samples=samples)
    if not _comparable(found):
        clipped = _clipped(radiance, NO_FIX)
        return replace(
            findings,
            match=found,
            clipped=clipped,
            warnings=(_unchecked_sentence(found), *_clipped_sentences(clipped)),
        )
    fix = TruthFix(gain=_needed_gain(found), shift=_needed_shift(found))
    clipped = _clipped(radiance, fix)
    problems = _problems(found)
    warnings = () if problems else (*_warnings(found), *_clipped_sentences(clipped))
    return replace(
        findings,
        match=found,
        clipped=clipped,
        suggested=fix,
        problems=problems,
        warnings=warnings,
    )


def _of_size(size: tuple[int, int], scene: Scene, *, source: str) -> TruthFindings:
    findings = TruthFindings(source=source, size=size, expected=(scene.height, scene.width))
    if findings.forcible:
        return findings
    return replace(findings, problems=(_size_sentence(size, findings.expected),))


def _comparable(found: Match) -> bool:
    return found.well_exposed >= _LEAST_SHARE and found.samples >= _LEAST_SAMPLES


def _needed_gain(found: Match) -> float:
    off = abs(math.log2(found.gain)) > math.log2(1 + _GAIN_OFF)
    return found.gain if off else 1.0


def _needed_shift(found: Match) -> tuple[int, int]:
    told = found.contrast >= _LEAST_CONTRAST and not _is_far(found)
    return found.shift if told else NO_SHIFT


def _is_far(found: Match) -> bool:
    return max(map(abs, found.shift)) > _FAR


def _problems(found: Match) -> tuple[str, ...]:
    """At most one sentence; the first that holds explains what the others would say."""
    right, down = found.shift
    reasons = (
        (found.turned != "", f"It has to be {found.turned}; do that and import it again."),
        (
            found.correlation < _SAME_VIEW,
            "It does not show what the reference frame shows "
            f"(correlation {found.correlation:.2f}); import the ground truth of this scene.",
        ),
        (
            found.slope < _ENCODED,
            f"It is gamma-encoded or tone-mapped, its contrast is {found.slope:.2f} times that of "
            "linear radiance; import linear radiance without any curve.",
        ),
        (
            _is_far(found),
            f"It is not aligned to the reference frame: it lies about {math.hypot(right, down):.0f}"
            " pixels off; align it to the reference frame and import it again.",
        ),
        (
            found.swapped,
            "Its red and blue are exchanged; save it again as RGB and import it again.",
        ),
    )
    told = found.contrast >= _LEAST_CONTRAST
    return tuple(sentence for holds, sentence in reasons if holds and told)[:1]


def _warnings(found: Match) -> tuple[str, ...]:
    sentences = []
    if found.contrast < _LEAST_CONTRAST:
        sentences.append(
            "The reference frame has too little contrast to tell whether it is aligned; compare "
            "them by eye."
        )
    elif not _SLOPES[0] <= found.slope <= _SLOPES[1]:
        sentences.append(
            f"Its contrast is {found.slope:.2f} times that of the reference frame, so either has "
            "another camera curve than gamma 2.2; make sure that it is linear radiance."
        )
    elif found.apart > _MANY_APART:
        sentences.append(
            f"{100 * found.apart:.0f} % of the compared pixels differ from the reference frame by "
            "more than half a stop; look for something that moved, or a ghost."
        )
    if max(found.gains) > _COLOUR_OFF * min(found.gains):
        red, green, blue = (found.gain / each for each in found.gains)
        sentences.append(
            f"Its colours differ from the reference frame (red × {red:.2f}, green × {green:.2f}, "
            f"blue × {blue:.2f}); check its white balance and colour space."
        )
    return tuple(sentences)


def _unchecked_sentence(found: Match) -> str:
    return (
        f"Only {100 * found.well_exposed:.1f} % of the reference frame is well exposed, so scale "
        "and alignment cannot be checked; compare them by eye."
    )


def _clipped(radiance: Floats, fix: TruthFix) -> float:
    red, green, blue = (radiance[..., channel] for channel in range(3))
    brightest = np.maximum(np.maximum(red, green), blue)
    return float((brightest > np.float64((1 + _CLIPPED) / fix.gain)).mean())


def _clipped_sentences(clipped: float) -> tuple[str, ...]:
    if clipped < _CLIPPED:
        return ()
    return (
        f"{100 * clipped:.1f} % of its pixels are brighter than what clips the under frame; "
        "they will be 1.",
    )


def _size_sentence(size: tuple[int, int], expected: tuple[int, int]) -> str:
    (height, width), (rows, columns) = size, expected
    start = f"It is {width}×{height} but the frames are {columns}×{rows}"
    if size == expected[::-1]:
        return f"{start}: it stands on its side; turn it and import it again."
    if abs(width * rows - height * columns) <= max(width, height):
        times = width / columns
        return f"{start}: the same shape at {times:.3g} times the size; export it at theirs."
    return f"{start}; export it at their size, uncropped."


def _begun(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


_WIDTH: Final = 400


class TruthPictures(NamedTuple):
    """H×W×3 8-bit RGB of one size: the reference frame, and the truth exposed like it.

    `imported` is the truth as it is in the file, `mended` with the fix; `toned` is the mended one
    with its whole range.
    """

    reference: Rgb8
    imported: Rgb8
    mended: Rgb8
    toned: Rgb8


def comparison_pictures(radiance: Floats, bracket: Bracket, fix: TruthFix) -> TruthPictures:
    """Pictures of H×W×3 linear radiance of any size and scale beside its bracket."""
    like = tone_table(ToneMap.GAMMA, exposure_ev=bracket.stops[1])
    imported, fixed = (_small(apply_fix(radiance, each)) for each in (NO_FIX, fix))
    return TruthPictures(
        reference=_small_rgb8(frame_rgb8(bracket.reference)),
        imported=to_rgb8(imported.astype(np.float16), like),
        mended=to_rgb8(fixed.astype(np.float16), like),
        toned=to_rgb8(fixed.astype(np.float16), tone_table(ToneMap.MU_LAW)),
    )


def _small(radiance: Floats) -> Floats:
    size = _size(*radiance.shape[:2])
    return cv2.resize(radiance, size, interpolation=cv2.INTER_AREA).astype(np.float32)


def _small_rgb8(picture: Rgb8) -> Rgb8:
    size = _size(*picture.shape[:2])
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small, dtype=np.uint8)


def _size(height: int, width: int) -> tuple[int, int]:
    """(width, height) of the small picture; what is small already stays."""
    times = min(1.0, _WIDTH / width)
    return max(round(width * times), 1), max(round(height * times), 1)
