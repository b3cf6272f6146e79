"""A ground truth merged from exposures of a still view, and whether they show the same light."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.datasets.exposures import exposures_beside, find_exposures
from smarthdr_studio.core.datasets.ground_truth import TruthFindings, inspect_radiance
from smarthdr_studio.core.errors import BadScene
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.imaging.alignment import FULL_WELL, READ_NOISE
from smarthdr_studio.core.imaging.bracket import Bracket, Scene
from smarthdr_studio.core.imaging.exposure import thinned
from smarthdr_studio.core.imaging.image_files import (
    frame_orientations,
    image_size,
    read_frame,
    refuse_frames_without_room,
)
from smarthdr_studio.core.imaging.radiometry import (
    GAMMA,
    Floats,
    Frame,
    linear_radiance,
    stops_above_shortest,
    unit_ldr,
)

# Camera values between which a frame begins to count, and between which it ceases to.
_RISES: Final = (0.02, 0.08)
_FALLS: Final = (0.9, 0.98)
_LEAST_WEIGHT: Final = 1e-12  # so that what no frame knows well is told by the shortest


class Weighed(NamedTuple):
    """One frame's part in a merge, both H×W×3: its weight, and its weight times its light."""

    weight: Floats
    light: Floats


def weighed(frame: Frame, *, stops: float, shortest: bool, longest: bool) -> Weighed:
    """An H×W×3 uint16 frame `stops` above the shortest, by the inverse variance of its radiance.

    Shot and read noise are those of a plain camera. The shortest frame never ceases to count as it
    clips, and the longest never as it darkens.
    """
    values = unit_ldr(np.arange(65536, dtype=np.uint16))
    light = linear_radiance(values, stops=0)
    variance = (light / FULL_WELL + (READ_NOISE / FULL_WELL) ** 2) * 4.0**-stops
    weight = 1 / variance
    if not longest:
        weight *= np.interp(values, _RISES, (0, 1))
    if not shortest:
        weight *= np.interp(values, _FALLS, (1, 0))
    weight = (weight / FULL_WELL + _LEAST_WEIGHT * shortest).astype(np.float32)
    lights = weight * linear_radiance(values, stops=stops)
    return Weighed(cv2.LUT(frame, weight).view(np.float32), cv2.LUT(frame, lights).view(np.float32))


def merge_by_noise(frames: Sequence[Frame], *, stops: Sequence[float]) -> Floats:
    """H×W×3 linear radiance, 1 where the shortest clips, of frames by rising exposure.

    No alignment, so what moves leaves a ghost.
    """
    total = np.zeros(frames[0].shape, np.float32)
    weight = np.zeros(frames[0].shape, np.float32)
    for index, (frame, stop) in enumerate(zip(frames, stops, strict=True)):
        part = weighed(frame, stops=stop, shortest=index == 0, longest=index == len(frames) - 1)
        total += part.light
        weight += part.weight
    total /= weight
    return total


Flags = npt.NDArray[np.bool_]
Plane = npt.NDArray[np.uint16]

APART: Final = 0.3  # stops, over a box; noise and rounding of still frames stay below

# log2 of linear radiance by camera value, and the camera values between which it is used.
_LOG2: Final[Floats] = np.multiply(
    np.log2(np.maximum(np.arange(65536), 1) / 65535), GAMMA, dtype=np.float32
)
_DARKEST: Final = float(np.log2(0.08)) * GAMMA
_BRIGHTEST: Final = float(np.log2(0.92)) * GAMMA
_BOX: Final = 5
_LEAST_OVERLAP: Final = 1.0  # stops that both frames must see alike
_LEAST_SHARED: Final = 100  # pixels that are compared
_BESIDE: Final = 90  # bytes of a pixel that comparing and adding up take, as measured
_STEPS: Final = 16  # of brightness, in each of which the camera curve is measured
_MOST_SAMPLES: Final = 300_000
_LIT: Final = round(0.15 * 65535)  # a camera value well above black
_CELL: Final = 0.5  # stops; how alike the channels of pixels of one colour are
_CELLS: Final = 17  # more than the stops between _DARKEST and _BRIGHTEST hold
_LEAST_ALIKE: Final = 30  # pixels of one colour
_MOST_BY_COLOUR: Final = 1.5  # stops


class ExposurePair(NamedTuple):
    """Two frames compared; `stops` as measured, None where they hardly share a brightness.

    `apart` and `moved` are H×W, where they disagree: at all, and by more than a pixel's wobble of
    the camera explains.
    """

    stops: float | None
    apart: Flags
    moved: Flags


def compare_exposures(shorter: Frame, longer: Frame, *, stops: float) -> ExposurePair:
    """Two frames of one size, `stops` apart as the exposures say.

    Both are brought to the exposure of the longer and clipped, channel by channel, to what both
    can hold. What they differ by as a function of brightness alone is the camera's curve or a
    wrong exposure, and so is what pixels of one colour all differ by, wherever they lie; what else
    they differ by, averaged over 5×5 pixels, is a disagreement. It has moved where none of the
    eight neighbours explains it either.
    """
    held = _DARKEST + stops, _BRIGHTEST
    if held[1] - held[0] < _LEAST_OVERLAP:
        nothing = np.zeros(shorter.shape[:2], bool)
        return ExposurePair(None, nothing, nothing)
    light = np.zeros(shorter.shape[:2], np.float32), np.zeros(shorter.shape[:2], np.float32)
    colours = np.zeros((2, *shorter.shape[:2]), np.int32)
    lit = shorter.max(axis=2) > _LIT
    measured = []
    for channel in range(3):
        values, brighter = (np.ascontiguousarray(f[..., channel]) for f in (shorter, longer))
        lights, curve = _curve(values, brighter, stops=stops, held=held)
        measured.append(float(np.median(curve)) if len(curve) else None)
        table = _LOG2 + np.float32(stops)
        if len(curve):
            table = table + np.interp(table, lights, curve).astype(np.float32)
        first, second = (
            cv2.LUT(plane, np.clip(known, *held))
            for plane, known in ((values, table), (brighter, _LOG2))
        )
        # A saturated colour's dark channel is what the camera mixed it to, and tells nothing.
        np.copyto(second, first, where=lit & (first <= held[0]))
        for index, each in enumerate((first, second)):
            light[index][...] += each / 3
            colours[index] *= _CELLS
            colours[index] += ((each - held[0]) / _CELL).astype(np.int32)
    for colour in colours:
        light[1][...] -= _explained_by_colour(light[1] - light[0], colour)
    off = [each for each in measured if each is not None]
    return ExposurePair(stops + sum(off) / len(off) if off else None, *_disagreements(*light))


def _curve(
    shorter: Plane, longer: Plane, *, stops: float, held: tuple[float, float]
) -> tuple[Floats, Floats]:
    """By how much the longer frame is brighter than it should be, at each of a few lights.

    Medians over pixels that both frames hold; empty where those are few.
    """
    every = max(1, -(-shorter.size // _MOST_SAMPLES))
    first, second = (_LOG2[plane.ravel()[::every]] for plane in (shorter, longer))
    first = first + np.float32(stops)
    shared = (np.minimum(first, second) > held[0]) & (np.maximum(first, second) < held[1])
    first, second = first[shared], second[shared]
    if len(first) < _LEAST_SHARED:
        return first[:0], first[:0]
    groups = np.array_split(np.argsort(first), _STEPS)
    lights = [np.median(first[group]) for group in groups]
    medians = [np.median(second[group] - first[group]) for group in groups]
    return np.array(lights, np.float32), np.array(medians, np.float32)


def _explained_by_colour(difference: Floats, colour: npt.NDArray[np.int32]) -> Floats:
    """What all pixels of one colour of the shorter frame differ by, H×W; 0 where they disagree.

    A camera that mixes its channels differs by colour, whatever the view; what moves does not.
    """
    every = max(1, difference.size // _MOST_SAMPLES)
    cells, values = colour.ravel()[::every], difference.ravel()[::every]
    order = np.lexsort((values, cells))
    cells, values = cells[order], values[order]
    names, starts, counts = np.unique(cells, return_index=True, return_counts=True)
    low, middle, high = (values[starts + (counts * part // 4)] for part in (1, 2, 3))
    agree = (counts >= _LEAST_ALIKE) & (high - low < APART / 2) & (np.abs(middle) < _MOST_BY_COLOUR)
    explained = np.zeros(_CELLS**3, np.float32)
    explained[names] = np.where(agree, middle, 0)
    known: Floats = explained[colour]
    return known


def _disagreements(first: Floats, second: Floats) -> tuple[Flags, Flags]:
    """Where two pictures in stops differ, and where not even a shift by a pixel explains it."""
    near = np.ones((3, 3), np.uint8)
    above = np.maximum(second - cv2.dilate(first, near), 0)
    below = np.maximum(cv2.erode(first, near) - second, 0)
    return _boxed(second - first), _boxed(above - below)


def _boxed(difference: Floats) -> Flags:
    boxed = cv2.blur(difference, (_BOX, _BOX), borderType=cv2.BORDER_REPLICATE)
    found: Flags = np.abs(boxed) > APART
    return found


_MOST_MOVED: Final = 0.03  # of all pixels; above, the bracket is not static
_SOME_MOVED: Final = 0.002
_MANY_APART: Final = 0.02  # beyond what moved
_STOPS_OFF: Final = 0.15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MergedTruth:
    """H×W×3 linear radiance, 1 where the shortest frame clips, and what was found on the way.

    `frames` are ordered by exposure and `stops` counted from the shortest; `moved` is the share of
    pixels where something moved between two frames. `findings` also check it against its scene.
    """

    radiance: Floats
    frames: tuple[Path, ...]
    stops: tuple[float, ...]
    moved: float
    findings: TruthFindings


@dataclass(slots=True)
class _Sums:
    """The weighted radiance of the frames so far, the weights, and where frames disagree."""

    radiance: Floats
    weight: Floats
    apart: Flags
    moved: Flags


class _Gap(NamedTuple):
    """Stops between two neighbours, as told and as measured."""

    names: str
    told: float
    measured: float | None

    @property
    def error(self) -> float:
        return 0.0 if self.measured is None else abs(self.measured - self.told)


def merge_static(
    frames: Sequence[AnyPath], evs: Sequence[float] | None, scene: Scene, bracket: Bracket
) -> MergedTruth:
    """Two or more exposures of the scene's view in which nothing moves, as ground truth.

    `evs` stand in the order of `frames`; without them see `find_exposures`. Each frame counts by
    the inverse variance that shot and read noise give its radiance L^2.2 / 2^stops, and not at all
    where it clips or is dark; highlights come from the shortest frame and shadows from the longest.
    That something moved is a problem in its findings. Raises BadScene where frames are too few,
    differ in size or have no exposures, and UnreadableImage.
    """
    given = [Path(each) for each in frames]
    if len(set(given)) < 2:
        raise BadScene(
            f"{given[0] if given else scene.id}: a static bracket has two or more frames; "
            "give all of them, or one .hdr or EXR."
        )
    turns = dict(zip(given, frame_orientations(given), strict=True))
    _refuse_other_sizes(turns, scene)
    refuse_frames_without_room(given, beside=_BESIDE)
    listed = exposures_beside(given) if evs is None else None
    response = scene.reading.response
    read = {p: partial(read_frame, p, orientation=turns[p], response=response) for p in given}
    pixels = [thinned(read[path]()).copy() for path in given]
    found = find_exposures(given, pixels, given=evs, listed=listed)
    exposures = found.evs
    order = sorted(range(len(given)), key=lambda index: exposures[index])
    paths = tuple(given[index] for index in order)
    stops = stops_above_shortest([exposures[index] for index in order])
    sums, warnings = _added_up({path: read[path] for path in paths}, stops)
    moved, still = _still_sentences(sums)
    warnings.extend((*still, *found.notes))
    radiance = sums.radiance / sums.weight
    findings = inspect_radiance(
        radiance, scene, bracket, source=f"{paths[0].name} and {len(paths) - 1} more"
    )
    return MergedTruth(
        radiance=radiance,
        frames=paths,
        stops=stops,
        moved=float(sums.moved.mean()),
        findings=findings.refused(*moved).warned(*warnings),
    )


def _refuse_other_sizes(turns: Mapping[Path, int], scene: Scene) -> None:
    for path, turn in turns.items():
        height, width = image_size(path, orientation=turn)
        if (height, width) != (scene.height, scene.width):
            raise BadScene(
                f"{path}: is {width}×{height} but the scene is {scene.width}×{scene.height}; "
                "export the static frames at its size, uncropped."
            )


def _added_up(
    read: Mapping[Path, Callable[[], Frame]], stops: Sequence[float]
) -> tuple[_Sums, list[str]]:
    """All frames weighted, and what is odd about their exposures; two are held at a time.

    `read` decodes each frame, the shortest first.
    """
    paths = tuple(read)
    frame = read[paths[0]]()
    light, weight = (np.zeros(frame.shape, np.float32) for _ in range(2))
    apart, moved = (np.zeros(frame.shape[:2], bool) for _ in range(2))
    sums = _Sums(light, weight, apart, moved)
    _add(sums, frame, stops=stops[0], first=True, last=len(paths) == 1)
    pairs = []
    for index, (shorter, longer) in enumerate(pairwise(stops), start=1):
        before, frame = frame, read[paths[index]]()
        pair = compare_exposures(before, frame, stops=longer - shorter)
        sums.apart |= pair.apart
        sums.moved |= pair.moved
        names = f"{paths[index - 1].name} and {paths[index].name}"
        pairs.append(_Gap(names, longer - shorter, pair.stops))
        _add(sums, frame, stops=longer, first=False, last=index == len(paths) - 1)
    return sums, _exposure_sentences(pairs)


def _add(sums: _Sums, frame: Frame, *, stops: float, first: bool, last: bool) -> None:
    part = weighed(frame, stops=stops, shortest=first, longest=last)
    sums.weight += part.weight
    sums.radiance += part.light


def _still_sentences(sums: _Sums) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The problem of what is not static, and warnings of what nearly is."""
    moved, apart = float(sums.moved.mean()), float((sums.apart & ~sums.moved).mean())
    if moved > _MOST_MOVED:
        problem = (
            f"The bracket is not static, {100 * moved:.0f} % of the pixels disagree between "
            "exposures; shoot from a tripod while nothing moves."
        )
        return (problem,), ()
    sentences = []
    if moved > _SOME_MOVED:
        sentences.append(
            f"{100 * moved:.1f} % of the pixels disagree between exposures; look for what moved."
        )
    if apart > _MANY_APART:
        sentences.append(
            "The exposures are not aligned to the pixel, so edges become soft; align them and "
            "import them again."
        )
    return (), tuple(sentences)


def _exposure_sentences(gaps: Sequence[_Gap]) -> list[str]:
    """At most one sentence about exposures too far apart, and one about the worst that is wrong."""
    sentences = [
        f"{gap.names} hardly share a brightness, so it is not known whether anything moved between "
        "them; an exposure between them would tell."
        for gap in gaps
        if gap.measured is None
    ][:1]
    worst = max(gaps, key=lambda gap: gap.error)
    if worst.error > _STOPS_OFF:
        sentences.append(
            f"{worst.names} are {worst.told:.2f} stops apart by their exposure values but "
            f"{worst.measured:.2f} by their pixels; check the exposure values, and that the "
            "camera's curve is gamma 2.2."
        )
    return sentences
