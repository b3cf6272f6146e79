"""A ground truth merged from exposures of a still view, and whether they show the same light."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from smarthdr_studio.core.datasets.ground_truth import TruthFindings, inspect_radiance
from smarthdr_studio.core.datasets.layouts import exposure_file, natural_key
from smarthdr_studio.core.errors import BadScene
from smarthdr_studio.core.files import AnyPath
from smarthdr_studio.core.imaging.alignment import FULL_WELL, READ_NOISE
from smarthdr_studio.core.imaging.bracket import Bracket, Scene
from smarthdr_studio.core.imaging.exposure import evs_from_exif, read_evs
from smarthdr_studio.core.imaging.image_files import image_size, read_frame
from smarthdr_studio.core.imaging.radiometry import (
    GAMMA,
    Floats,
    Frame,
    linear_radiance,
    stops_above_shortest,
    unit_ldr,
)

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
_STEPS: Final = 16  # of brightness, in each of which the camera curve is measured
_MOST_SAMPLES: Final = 300_000


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
    wrong exposure; what else they differ by, averaged over 5×5 pixels, is a disagreement. It has
    moved where none of the eight neighbours explains it either.
    """
    held = _DARKEST + stops, _BRIGHTEST
    if held[1] - held[0] < _LEAST_OVERLAP:
        nothing = np.zeros(shorter.shape[:2], bool)
        return ExposurePair(None, nothing, nothing)
    light = np.zeros(shorter.shape[:2], np.float32), np.zeros(shorter.shape[:2], np.float32)
    measured = []
    for channel in range(3):
        values, brighter = (np.ascontiguousarray(f[..., channel]) for f in (shorter, longer))
        lights, curve = _curve(values, brighter, stops=stops, held=held)
        measured.append(float(np.median(curve)) if len(curve) else None)
        table = _LOG2 + np.float32(stops)
        if len(curve):
            table = table + np.interp(table, lights, curve).astype(np.float32)
        for total, plane, known in ((light[0], values, table), (light[1], brighter, _LOG2)):
            total += cv2.LUT(plane, np.clip(known, *held)) / 3
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
# Camera values between which a frame begins to count, and between which it ceases to.
_RISES: Final = (0.02, 0.08)
_FALLS: Final = (0.9, 0.98)
_LEAST_WEIGHT: Final = 1e-12  # so that what no frame knows well is told by the shortest


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

    `evs` stand in the order of `frames`; without them the exposure file beside the frames is read
    (in the order of their names), else EXIF. Each frame counts by the inverse variance that shot
    and read noise give its radiance L^2.2 / 2^stops, and not at all where it clips or is dark;
    highlights come from the shortest frame and shadows from the longest. Raises BadScene where
    frames are too few, differ in size or are not static, and UnreadableImage.
    """
    given = [Path(each) for each in frames]
    if len(set(given)) < 2:
        raise BadScene(
            f"{given[0] if given else scene.id}: a static bracket has two or more frames; "
            "give all of them, or one .hdr or EXR."
        )
    exposures = _exposures(given) if evs is None else tuple(evs)
    _refuse_unfit(given, exposures, scene)
    order = sorted(range(len(given)), key=lambda index: exposures[index])
    paths = tuple(given[index] for index in order)
    stops = stops_above_shortest([exposures[index] for index in order])
    sums, warnings = _added_up(paths, stops)
    warnings.extend(_still_sentences(sums, paths[0]))
    radiance = sums.radiance / sums.weight
    findings = inspect_radiance(
        radiance, scene, bracket, source=f"{paths[0].name} and {len(paths) - 1} more"
    )
    return MergedTruth(
        radiance=radiance,
        frames=paths,
        stops=stops,
        moved=float(sums.moved.mean()),
        findings=findings.warned(*warnings),
    )


def _exposures(frames: Sequence[Path]) -> tuple[float, ...]:
    """EVs in the order of `frames`, from the text file beside them or from EXIF."""
    folder = frames[0].parent
    listed = exposure_file(sorted(folder.iterdir())) if folder.is_dir() else None
    if listed is None or {each.parent for each in frames} != {folder}:
        return evs_from_exif(frames)
    evs = read_evs(listed)
    if len(evs) != len(frames):
        raise BadScene(
            f"{listed}: holds {len(evs)} exposure values for {len(frames)} frames; give one EV for "
            "each frame with --evs."
        )
    names = sorted(range(len(frames)), key=lambda index: natural_key(frames[index].name))
    return tuple(evs[names.index(index)] for index in range(len(frames)))


def _refuse_unfit(frames: Sequence[Path], evs: Sequence[float], scene: Scene) -> None:
    if len(evs) != len(frames) or len(set(evs)) < len(evs):
        raise BadScene(
            f"{frames[0]}: {len(frames)} frames need as many different exposure values, but "
            f"{', '.join(f'{ev:g}' for ev in evs)} were given; give one EV for each."
        )
    for path in frames:
        height, width = image_size(path)
        if (height, width) != (scene.height, scene.width):
            raise BadScene(
                f"{path}: is {width}×{height} but the scene is {scene.width}×{scene.height}; "
                "export the static frames at its size, uncropped."
            )


def _added_up(paths: Sequence[Path], stops: Sequence[float]) -> tuple[_Sums, list[str]]:
    """All frames weighted, and what is odd about their exposures; two are held at a time."""
    frame = read_frame(paths[0])
    light, weight = (np.zeros(frame.shape, np.float32) for _ in range(2))
    apart, moved = (np.zeros(frame.shape[:2], bool) for _ in range(2))
    sums = _Sums(light, weight, apart, moved)
    _add(sums, frame, stops=stops[0], first=True, last=len(paths) == 1)
    pairs = []
    for index, (shorter, longer) in enumerate(pairwise(stops), start=1):
        before, frame = frame, read_frame(paths[index])
        pair = compare_exposures(before, frame, stops=longer - shorter)
        sums.apart |= pair.apart
        sums.moved |= pair.moved
        names = f"{paths[index - 1].name} and {paths[index].name}"
        pairs.append(_Gap(names, longer - shorter, pair.stops))
        _add(sums, frame, stops=longer, first=False, last=index == len(paths) - 1)
    return sums, _exposure_sentences(pairs)


def _add(sums: _Sums, frame: Frame, *, stops: float, first: bool, last: bool) -> None:
    values = unit_ldr(np.arange(65536, dtype=np.uint16))
    light = linear_radiance(values, stops=0)
    variance = (light / FULL_WELL + (READ_NOISE / FULL_WELL) ** 2) * 4.0**-stops
    weight = 1 / variance
    if not last:
        weight *= np.interp(values, _RISES, (0, 1))
    if not first:
        weight *= np.interp(values, _FALLS, (1, 0))
    weight = (weight / FULL_WELL + _LEAST_WEIGHT * first).astype(np.float32)
    sums.weight += cv2.LUT(frame, weight)
    sums.radiance += cv2.LUT(frame, weight * linear_radiance(values, stops=stops))


def _still_sentences(sums: _Sums, path: Path) -> tuple[str, ...]:
    """Refuses what is not static, and tells of what nearly is."""
    moved, apart = float(sums.moved.mean()), float((sums.apart & ~sums.moved).mean())
    if moved > _MOST_MOVED:
        raise BadScene(
            f"{path}: its bracket is not static, {100 * moved:.0f} % of the pixels disagree "
            "between exposures; shoot from a tripod while nothing moves."
        )
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
    return tuple(sentences)


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
