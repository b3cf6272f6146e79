"""Whether a ground truth that is brought fits its scene, in sentences, and what would mend it."""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from smarthdr_studio.core.bracket import Bracket, Scene
from smarthdr_studio.core.radiance import Floats
from smarthdr_studio.core.truths.fixing import NO_FIX, NO_SHIFT, TruthFix
from smarthdr_studio.core.truths.matching import Match, match

_LEAST_SHARE: Final = 0.005  # of the reference frame that must be well exposed
_LEAST_SAMPLES: Final = 200
_LEAST_CONTRAST: Final = 0.1  # stops; a flatter frame tells no shift
_SAME_VIEW: Final = 0.7  # correlation from which two pictures show the same
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

    def warned(self, *sentences: str) -> "TruthFindings":
        """The same with more warnings in front."""
        return replace(self, warnings=(*sentences, *self.warnings))


def inspect_radiance(
    radiance: Floats, scene: Scene, bracket: Bracket, *, source: str
) -> TruthFindings:
    """Check H×W×3 linear RGB of any scale against the decoded frames of its scene.

    `source` is what sentences call it.
    """
    height, width = radiance.shape[:2]
    findings = TruthFindings(
        source=source, size=(height, width), expected=(scene.height, scene.width)
    )
    if not findings.forcible:
        return replace(findings, problems=(_size_sentence(findings.size, findings.expected),))
    found = match(radiance, bracket)
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
    if found.contrast < _LEAST_CONTRAST:
        return ()
    if found.correlation < _SAME_VIEW:
        return (
            "It does not show what the reference frame shows "
            f"(correlation {found.correlation:.2f}); bring the ground truth of this scene.",
        )
    if found.slope < _ENCODED:
        return (
            f"It is gamma-encoded or tone-mapped, its contrast is {found.slope:.2f} times that of "
            "linear radiance; bring linear radiance without any curve.",
        )
    if _is_far(found):
        right, down = found.shift
        return (
            f"It is not aligned to the reference frame: it lies about {math.hypot(right, down):.0f}"
            " pixels off; align it to the reference frame and bring it again.",
        )
    return ()


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
    if found.swapped:
        sentences.append("Its red and blue seem to be exchanged; save it again as RGB.")
    elif max(found.gains) > _COLOUR_OFF * min(found.gains):
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
    return float((brightest > (1 + _CLIPPED) / fix.gain).mean())


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
        return f"{start}: it stands on its side; turn it and bring it again."
    if abs(width * rows - height * columns) <= max(width, height):
        times = width / columns
        return f"{start}: the same shape at {times:.3g} times the size; export it at theirs."
    return f"{start}; export it at their size, uncropped."


def _begun(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
